//! What every command that logs in to a recorder shares: the link, over what to talk, the login, and what
//! is remembered of all three.

use std::path::PathBuf;

use firmware::{Serial, Sha256Digest, Text};
use isapi::{Address, Channel, Credentials, DigestError, Error, Recorder, TlsFault, Transport};
use terminal::{Exit, Fail, Failure, SecretSource};
use tokio::runtime::Runtime;

use crate::certificates::Certificates;
use crate::connect::{Decision, Refused, Said, decide};
use crate::context::{Context, link_failure, long};
use crate::failed_logins::{Care, FailedLogins};
use crate::inventory::Inventory;
use crate::isolation::{CheckedLink, look, permit, tolerate};
use crate::reason::reason;
use crate::record::RecordError;
use crate::state::State;

/// Which recorder, and how to log in.
#[derive(Debug, clap::Args)]
pub struct RecorderArgs {
    /// The recorder: an IP address, with a port if it is not 443 or 80
    #[arg(value_name = "ADDRESS")]
    address: Address,
    /// The user to log in as
    #[arg(long, value_name = "NAME", default_value = "admin")]
    user: String,
    /// File of mode 0600 whose first line is the password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Read the password from the first line of standard input
    #[arg(long, conflicts_with = "password_file")]
    password_stdin: bool,
    /// Believe this certificate: its SHA-256, which came another way
    #[arg(long, value_name = "HEX")]
    certificate: Option<Sha256Digest>,
    /// Talk without TLS although something speaks against it, for this reason
    #[arg(long, value_name = "REASON", value_parser = reason)]
    plain_http: Option<Text>,
    /// Log in although few attempts are left until the account is locked
    #[arg(long)]
    risk_lockout: bool,
}

/// What a command wants of a recorder.
#[derive(Debug, Clone, Copy)]
pub enum Purpose<'a> {
    /// To read: a laptop that is not isolated is warned about.
    Read,
    /// To push: a laptop that is not isolated is refused, unless for this reason.
    Push(Option<&'a Text>),
}

/// What helps where nobody answers.
const ABSENT: &str = "check power, cable and address; a recorder that starts up needs some minutes";

/// A recorder that may be talked to.
#[derive(Debug)]
pub struct Session {
    /// The recorder, with the one login.
    pub recorder: Recorder,
    /// The link to it.
    pub link: CheckedLink,
    /// The certificate it is talked to over; none without TLS.
    pub certificate: Option<Sha256Digest>,
    /// Why it is talked to without TLS, where something spoke against it.
    pub plain_http: Option<Text>,
    /// Drives the requests.
    pub runtime: Runtime,
}

impl RecorderArgs {
    /// Checks the link, finds out over what to talk, logs in, and reads what the recorder says about
    /// itself.
    pub fn inspect(
        &self,
        purpose: Purpose<'_>,
        state: &State,
        context: &Context,
    ) -> Result<(Session, Inventory), Failure> {
        let mut certificates = Certificates::open(&state.certificates()).map_err(record_failure)?;
        let mut failed_logins = FailedLogins::open(&state.failed_logins()).map_err(record_failure)?;
        let session = self.open(purpose, &certificates, &failed_logins, context)?;
        let inventory = session.runtime.block_on(Inventory::read(&session.recorder));
        let now = (context.now)();
        let inventory = match inventory {
            Ok(inventory) => inventory,
            Err(error) => {
                failed_logins.note(&self.address, &error, now).map_err(record_failure)?;
                return Err(failure(error, &self.address));
            }
        };
        failed_logins.forget(&self.address).map_err(record_failure)?;
        self.remember(&session, &inventory, &mut certificates, context)?;
        Ok((session, inventory))
    }

    /// Checks the link, what is known of refused logins and the certificate, asks for the password, and
    /// prepares to talk. Nothing but a handshake is sent.
    fn open(
        &self,
        purpose: Purpose<'_>,
        certificates: &Certificates,
        failed_logins: &FailedLogins,
        context: &Context,
    ) -> Result<Session, Failure> {
        let link = self.link(purpose, context)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().fail(Exit::Internal)?;
        // where the account is locked there is nothing to connect for
        self.heed(failed_logins, context)?;
        let (channel, lifted) = self.channel(&link, &runtime, certificates, context)?;
        let source = SecretSource {
            file: self.password_file.clone(),
            stdin: self.password_stdin,
            flags: "--password-file FILE or --password-stdin",
        };
        let password = terminal::secret(&source, &format!("Password of {} on {}", self.user, self.address))?;
        let login = Credentials::new(self.user.clone(), password);
        let transport = Transport { interface: link.interface().map(str::to_owned), channel };
        let recorder = Recorder::over(self.address.clone(), login, &transport)
            .map_err(|error| failure(error, &self.address))?;
        let certificate = match channel {
            Channel::Tls { certificate } => Some(certificate),
            Channel::PlainText => None,
        };
        let link = link.over(certificate);
        let plain_http = self.plain_http.clone().filter(|_| lifted);
        Ok(Session { recorder, link, certificate, plain_http, runtime })
    }

    fn link(&self, purpose: Purpose<'_>, context: &Context) -> Result<CheckedLink, Failure> {
        let isolation = look(&self.address).map_err(link_failure)?;
        let lifted = match purpose {
            Purpose::Read => None,
            Purpose::Push(lifted) => Some(lifted.is_some()),
        };
        let warned = !isolation.is_permitted() && lifted != Some(false);
        if warned {
            for reason in &isolation.reasons {
                context.output.warn(format_args!("this laptop is not alone with the recorder: {reason}"));
            }
        }
        match lifted {
            None => Ok(tolerate(&self.address, isolation)),
            Some(lifted) => permit(&self.address, isolation, lifted).map_err(|refused| {
                let hints = refused.hints();
                Failure::new(Exit::NotIsolated, refused).hint(hints)
            }),
        }
    }

    /// Over what to talk, and whether only `--plain-http` allows it.
    fn channel(
        &self,
        link: &CheckedLink,
        runtime: &Runtime,
        certificates: &Certificates,
        context: &Context,
    ) -> Result<(Channel, bool), Failure> {
        let offer = runtime.block_on(isapi::probe(&self.address, link.interface()));
        let said = Said { certificate: self.certificate, plain_http: self.plain_http.is_some() };
        match decide(offer, certificates.at(&self.address), said) {
            Decision::Use { channel, lifted } => Ok((channel, lifted)),
            Decision::Refuse(refused) => Err(self.refused(refused, certificates)),
            Decision::Ask { certificate, facts } => {
                context
                    .output
                    .data(format_args!("recorder {}: its certificate is new to this laptop", self.address));
                context.output.data(format_args!("SHA-256    {certificate}"));
                if let Some(facts) = facts {
                    context.output.data(format_args!("it says    {facts}"));
                }
                let question = "Is this the recorder? From now on no other certificate is taken for it.";
                if terminal::confirm(question, &format!("--certificate {certificate}"))? {
                    return Ok((Channel::Tls { certificate }, false));
                }
                Err(Failure::new(Exit::Refused, "not agreed to: nothing was sent"))
            }
        }
    }

    fn refused(&self, refused: Refused, certificates: &Certificates) -> Failure {
        let hint = match &refused {
            Refused::Failed(_) => String::new(),
            Refused::Changed { found, .. } => {
                let serial = certificates.recorder_at(&self.address).map_or("SERIAL", Serial::as_str);
                format!(
                    "nothing was sent; if it was reset or updated since, compare the digest with its own screen, then: applier trust recorder {serial} --certificate {found}\nif another recorder has this address now: --certificate {found}\nif neither, something else answers in its name"
                )
            }
            Refused::NotTheOne { .. } => {
                "nothing was sent; it is another recorder, or the digits are wrong".into()
            }
            Refused::NoTls { .. } => {
                "nothing was sent; if TLS was switched off on the recorder, and you have a reason: --plain-http REASON".into()
            }
        };
        match refused {
            Refused::Failed(error) => failure(*error, &self.address),
            refused => {
                let failure =
                    Failure::of(Exit::Rejected, refused).context(format!("recorder {}", self.address));
                failure.hint(hint)
            }
        }
    }

    /// Says what is left, and wants a person to mean it where that is little.
    fn heed(&self, failed_logins: &FailedLogins, context: &Context) -> Result<(), Failure> {
        let Some((failed, care)) = failed_logins.care(&self.address, (context.now)()) else { return Ok(()) };
        let when = failed.on.strftime("%F %H:%M UTC");
        let left = match care {
            Care::Locked(left) => {
                let message =
                    format!("recorder {}: its account is locked for {} more", self.address, long(left));
                return Err(Failure::new(Exit::Credentials, message).hint(
                    "nothing was sent; wait until the lock has run out: trying again makes it longer",
                ));
            }
            Care::Some(left) | Care::Few(Some(left)) => format!("{left} wrong ones more lock the account"),
            Care::Few(None) => "how many more lock the account is not known".into(),
        };
        context.output.warn(format_args!("a login was refused on {when}; {left}"));
        let few = matches!(care, Care::Few(_)) && !self.risk_lockout;
        if !few {
            return Ok(());
        }
        // a script that goes on trying is what locks accounts: for it this is a refused login
        let sure = terminal::confirm("Are you sure of the password?", "--risk-lockout");
        if sure.map_err(|failure| Failure { exit: Exit::Credentials, ..failure })? {
            return Ok(());
        }
        Err(Failure::new(Exit::Credentials, "not sure of the password: nothing was sent")
            .hint("find the right password first"))
    }

    /// Holds the recorder to the certificate that is known of its serial number, and pins a new one.
    fn remember(
        &self,
        session: &Session,
        inventory: &Inventory,
        certificates: &mut Certificates,
        context: &Context,
    ) -> Result<(), Failure> {
        let serial = &inventory.device.serial;
        match session.certificate {
            Some(certificate) => {
                certificates.check(serial, certificate).map_err(|error| {
                    Failure::of(Exit::Rejected, error).hint(format!(
                        "the recorder was not changed; if it was reset or updated since: applier trust recorder {serial} --certificate {certificate}; if not, something else answers in its name"
                    ))
                })?;
                certificates
                    .pin(serial.clone(), self.address.clone(), certificate, (context.now)())
                    .map_err(record_failure)
            }
            None => match certificates.of(serial).filter(|_| session.plain_http.is_none()) {
                None => Ok(()),
                Some(known) => {
                    let message = format!(
                        "recorder {serial} answers without TLS at {}, but is known by its certificate {known}",
                        self.address
                    );
                    Err(Failure::new(Exit::Rejected, message)
                        .hint("the recorder was not changed; if TLS was switched off on it, and you have a reason: --plain-http REASON"))
                }
            },
        }
    }
}

/// What is remembered of recorders cannot be used.
pub(super) fn record_failure(error: RecordError) -> Failure {
    let hint = match &error {
        RecordError::Io(..) => "see that the state directory can be read and written",
        RecordError::Damaged(_) => {
            "move the file away: what it says of recorders is then forgotten, and asked for again"
        }
    };
    Failure::of(Exit::Internal, error).hint(hint)
}

/// Which exit code and advice a failed request to this recorder gives. Nothing on it was changed.
fn failure(error: Error, address: &Address) -> Failure {
    if let Error::Tls { source, .. } = &error {
        let (exit, hint) = (tls_exit(source), tls_hint(source));
        return Failure::of(exit, error).hint(hint);
    }
    let (exit, hint) = match &error {
        error if error.is_absence() => (Exit::Unreachable, ABSENT),
        Error::WrongPassword { attempts_left: None, .. } => (
            Exit::Credentials,
            "one attempt was made and no other will be; the account may be locked, too, which lasts half an hour on most; find the right password before you try again",
        ),
        Error::WrongPassword { .. } => (
            Exit::Credentials,
            "one attempt was made and no other will be; find the right password before you try again",
        ),
        Error::Locked { .. } | Error::LoginStopped { .. } => {
            (Exit::Credentials, "wait until the lock has run out; trying again makes it longer")
        }
        Error::NoPermission { .. } => (Exit::Credentials, "log in as a user who may upgrade: admin"),
        Error::Upgrading { .. } => (Exit::Refused, "wait until it is done; do not cut the power"),
        Error::Digest(DigestError::BasicOnly) => (
            Exit::Refused,
            "no password was sent; see that it is the recorder, and have its web authentication set to digest",
        ),
        Error::Refused { refusal, .. } => (Exit::Failed, refusal.advice()),
        Error::UserName => (Exit::Usage, "check --user"),
        Error::Setup { .. } => (Exit::Usage, "check the interface after % in the address"),
        _ => (
            Exit::Rejected,
            "nothing was changed; this does not answer like a recorder: applier find shows who has which address; if it is the recorder, look at its own screen before you try again",
        ),
    };
    // a challenge does not know whose it is
    let unnamed = matches!(error, Error::Digest(_));
    let failure = Failure::of(exit, error).hint(hint);
    if unnamed { failure.context(format!("recorder {address}")) } else { failure }
}

/// Where nobody answers, there is nobody to mend TLS on.
fn tls_hint(fault: &TlsFault) -> String {
    let advice = fault.advice();
    match fault {
        TlsFault::Unreachable { .. } => format!("{ABSENT}; its IP filter may leave this laptop out"),
        TlsFault::OtherCertificate { .. } => format!("nothing was sent; {advice}"),
        TlsFault::Silent { .. } => format!("{ABSENT}\n{advice}: --plain-http REASON"),
        _ => format!("nothing was sent; {advice}: --plain-http REASON"),
    }
}

fn tls_exit(fault: &TlsFault) -> Exit {
    match fault {
        TlsFault::Unreachable { .. } | TlsFault::Silent { .. } | TlsFault::EndedEarly => Exit::Unreachable,
        _ => Exit::Rejected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(fault: TlsFault) -> Failure {
        let address: Address = "192.168.1.64".parse().unwrap();
        failure(Error::Tls { address: address.clone(), source: Box::new(fault) }, &address)
    }

    #[test]
    fn a_challenge_that_cannot_be_answered_names_the_recorder() {
        let address: Address = "192.168.1.64".parse().unwrap();
        for (error, hint) in [
            (DigestError::BasicOnly, "no password was sent"),
            (DigestError::NoChallenge, "this does not answer like a recorder"),
        ] {
            let failure = failure(error.clone().into(), &address);
            assert_eq!(format!("{:#}", failure.error), format!("recorder 192.168.1.64: {error}"));
            assert!(failure.hint.is_some_and(|said| said.contains(hint)), "{error}");
        }
    }

    #[test]
    fn plain_text_is_named_as_a_way_out_where_somebody_answers() {
        let alert = tls(TlsFault::Alert { alert: "HandshakeFailure".into() });
        let hint = alert.hint.unwrap();
        assert_eq!(alert.exit, Exit::Rejected);
        assert!(hint.contains("TLS 1.2") && hint.ends_with("--plain-http REASON"), "{hint}");
        let off = tls(TlsFault::Unreachable { why: "no route to host".into() });
        let hint = off.hint.unwrap();
        assert_eq!(off.exit, Exit::Unreachable);
        assert!(hint.contains("check power") && !hint.contains("--plain-http"), "{hint}");
        let [expected, found] = [b"1", b"2"].map(|bytes| Sha256Digest::of(bytes));
        let other = tls(TlsFault::OtherCertificate { expected, found });
        assert!(!other.hint.unwrap().contains("--plain-http"), "that would be what it wants");
    }
}

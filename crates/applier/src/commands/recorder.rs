//! What every command that logs in to a recorder shares: the link, over what to talk, the login, and what
//! is remembered of all three.

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use ::link::Listener;
use firmware::{Serial, Sha256Digest, Text};
use isapi::{
    Address, Channel, Credentials, DigestError, Error, Offer, PlainTextBecause, Recorder, TlsFault, Transport,
};
use jiff::Timestamp;
use terminal::{Exit, Fail, Failure, SecretSource};
use tokio::runtime::Runtime;
use tokio::time::Instant;

use crate::audit::PasswordFacts;
use crate::certificates::Certificates;
use crate::connect::{Decision, Refused, Said, decide};
use crate::context::{Context, link_failure, long};
use crate::failed_logins::{Care, FailedLogins};
use crate::inventory::Inventory;
use crate::isolation::{CheckedLink, NotIsolated, look, permit, tolerate};
use crate::reason::reason;
use crate::record::RecordError;
use crate::run::Deadlines;
use crate::state::State;

/// Which recorder, and how to log in.
#[derive(Debug, clap::Args)]
pub struct RecorderArgs {
    /// The recorder: an IP address, with a port if it is not 443 or 80
    #[arg(value_name = "ADDRESS")]
    pub(super) address: Address,
    #[command(flatten)]
    pub(super) login: LoginArgs,
}

/// How to log in.
#[derive(Debug, clap::Args)]
pub struct LoginArgs {
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
const ABSENT: &str = "check power, cable and address; a recorder that starts up needs some minutes, one whose IP filter leaves this laptop out stays silent";

/// A recorder that may be talked to.
#[derive(Debug)]
pub struct Session {
    /// The recorder, with the one login.
    pub recorder: Recorder,
    /// The link to it.
    pub link: CheckedLink,
    /// Hears who else is on that link, where this laptop can.
    pub listener: RefCell<Option<Listener>>,
    /// The certificate it is talked to over; none without TLS.
    pub certificate: Option<Sha256Digest>,
    /// Why it is talked to without TLS, where something spoke against it.
    pub plain_http: Option<Text>,
    /// What is kept of the password: whether it keeps the rule.
    pub password: PasswordFacts,
    /// Drives the requests.
    pub runtime: Runtime,
    records: Records,
}

/// Where it is written down what is known of recorders.
#[derive(Debug)]
struct Records {
    certificates: PathBuf,
    failed_logins: PathBuf,
}

impl Session {
    /// The recorder was met at another address: its certificate is known there from now on.
    pub fn moved(&self, serial: &Serial, to: &Address, now: Timestamp) -> Result<(), RecordError> {
        let Some(certificate) = self.certificate else { return Ok(()) };
        Certificates::open(&self.records.certificates)?.pin(serial.clone(), to.clone(), certificate, now)
    }

    /// Writes down that a login was refused since the first one was taken. What became of the recorder
    /// matters more: a record that cannot be written is a warning.
    pub fn remember_refusal(&self, context: &Context) {
        let Some(refusal) = self.recorder.refused_login() else { return };
        let noted = FailedLogins::open(&self.records.failed_logins)
            .and_then(|mut known| known.note(self.recorder.address(), &refusal, (context.now)()));
        if let Err(error) = noted {
            let error = anyhow::Error::from(error);
            context.output.warn(format_args!("{refusal}; that cannot be remembered: {error:#}"));
        }
    }
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
        self.visit().read(purpose, state, context, Inventory::read, |inventory| &inventory.device.serial)
    }

    /// Reads what the recorder says about itself once more, with the same login over the same link.
    pub(super) fn look_again(
        &self,
        session: &Session,
        state: &State,
        context: &Context,
    ) -> Result<Inventory, Failure> {
        let mut failed_logins = FailedLogins::open(&state.failed_logins()).map_err(record_failure)?;
        let read = session.runtime.block_on(Inventory::read(&session.recorder));
        self.visit().logged_in(read, &mut failed_logins, context)
    }

    fn visit(&self) -> Visit<'_> {
        Visit { address: &self.address, expected: None, patience: Duration::ZERO, login: &self.login }
    }
}

/// One recorder, and how to log in to it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Visit<'a> {
    /// Where it is.
    pub(super) address: &'a Address,
    /// Which one is expected there: its certificate is known, wherever it is met.
    pub(super) expected: Option<&'a Serial>,
    /// How long is waited for it to answer.
    pub(super) patience: Duration,
    /// As whom.
    pub(super) login: &'a LoginArgs,
}

impl Visit<'_> {
    /// Checks the link, finds out over what to talk, logs in, reads something, and holds the recorder to
    /// what is known of the serial number that was read.
    pub(super) fn read<T>(
        self,
        purpose: Purpose<'_>,
        state: &State,
        context: &Context,
        read: impl AsyncFnOnce(&Recorder) -> Result<T, Error>,
        serial: impl FnOnce(&T) -> &Serial,
    ) -> Result<(Session, T), Failure> {
        let mut certificates = Certificates::open(&state.certificates()).map_err(record_failure)?;
        let mut failed_logins = FailedLogins::open(&state.failed_logins()).map_err(record_failure)?;
        let records = Records { certificates: state.certificates(), failed_logins: state.failed_logins() };
        let mut session = self.open(purpose, &certificates, &failed_logins, records, context)?;
        let read = session.runtime.block_on(read(&session.recorder));
        let read = self.logged_in(read, &mut failed_logins, context)?;
        self.remember(&session, serial(&read), &mut certificates, context)?;
        if let Some(listener) = session.listener.get_mut() {
            session.link.add_heard(listener.heard());
        }
        Ok((session, read))
    }

    /// What was read by a login that was taken; one that was refused is remembered.
    fn logged_in<T>(
        self,
        read: Result<T, Error>,
        failed_logins: &mut FailedLogins,
        context: &Context,
    ) -> Result<T, Failure> {
        let now = (context.now)();
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                failed_logins.note(self.address, &error, now).map_err(record_failure)?;
                return Err(failure(error, self.address));
            }
        };
        failed_logins.forget(self.address).map_err(record_failure)?;
        Ok(read)
    }

    /// Checks the link, what is known of refused logins and the certificate, asks for the password, and
    /// prepares to talk. Nothing but a handshake is sent.
    fn open(
        self,
        purpose: Purpose<'_>,
        certificates: &Certificates,
        failed_logins: &FailedLogins,
        records: Records,
        context: &Context,
    ) -> Result<Session, Failure> {
        let link = self.link(purpose, context)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().fail(Exit::Internal)?;
        let listener = listen(&link, &runtime);
        // where the account is locked there is nothing to connect for
        self.heed(failed_logins, context)?;
        let (channel, lifted) = self.channel(&link, &runtime, certificates, context)?;
        let source = SecretSource {
            file: self.login.password_file.clone(),
            stdin: self.login.password_stdin,
            flags: "--password-file FILE or --password-stdin",
        };
        let password =
            terminal::secret(&source, &format!("Password of {} on {}", self.login.user, self.address))?;
        let facts = PasswordFacts::of(&password, &self.login.user);
        let login = Credentials::new(self.login.user.clone(), password);
        let transport = Transport { interface: link.interface().map(str::to_owned), channel };
        let recorder = Recorder::over(self.address.clone(), login, &transport)
            .map_err(|error| failure(error, self.address))?;
        let certificate = match channel {
            Channel::Tls { certificate } => Some(certificate),
            Channel::PlainText => None,
        };
        let link = link.over(certificate);
        let plain_http = self.login.plain_http.clone().filter(|_| lifted);
        let (listener, password) = (RefCell::new(listener), facts);
        Ok(Session { recorder, link, listener, certificate, plain_http, password, runtime, records })
    }

    fn link(self, purpose: Purpose<'_>, context: &Context) -> Result<CheckedLink, Failure> {
        let isolation = look(self.address).map_err(link_failure)?;
        let lifted = match purpose {
            Purpose::Read => None,
            Purpose::Push(lifted) => Some(lifted.is_some()),
        };
        let warned = !isolation.is_permitted() && lifted != Some(false);
        if warned {
            for reason in &isolation.reasons {
                context.output.warn(format_args!("this laptop is not alone with the recorder: {reason}"));
            }
            // nothing answers there then, and what helps is no matter of cable and power
            for reason in isolation.reasons.iter().filter(|reason| **reason == ::link::Reason::NotOnLink) {
                context.output.note(format_args!("hint: {}", reason.hint()));
            }
        }
        match lifted {
            None => Ok(tolerate(self.address, isolation)),
            Some(lifted) => permit(self.address, isolation, lifted).map_err(not_isolated),
        }
    }

    /// Over what to talk, and whether only `--plain-http` allows it.
    fn channel(
        self,
        link: &CheckedLink,
        runtime: &Runtime,
        certificates: &Certificates,
        context: &Context,
    ) -> Result<(Channel, bool), Failure> {
        let known = certificates.at(self.address);
        let known = known.or_else(|| certificates.of(self.expected?));
        let offer = runtime.block_on(self.offer(link, known.is_some()));
        let said = Said { certificate: self.login.certificate, plain_http: self.login.plain_http.is_some() };
        match decide(offer, known, said) {
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

    /// What it offers, once it answers. The port of a recorder that restarts is closed, which is no offer
    /// of plain text where a certificate is known.
    async fn offer(self, link: &CheckedLink, has_tls: bool) -> Result<Offer, Error> {
        let began = Instant::now();
        loop {
            let offer = isapi::probe(self.address, link.interface()).await;
            let away = match &offer {
                Err(Error::Tls { source, .. }) => tls_exit(source) == Exit::Unreachable,
                Err(error) => error.is_absence(),
                Ok(Offer::PlainText(PlainTextBecause::Closed)) => has_tls,
                Ok(_) => false,
            };
            if !away || began.elapsed() >= self.patience {
                return offer;
            }
            tokio::time::sleep(Deadlines::default().poll).await;
        }
    }

    fn refused(self, refused: Refused, certificates: &Certificates) -> Failure {
        let hint = match &refused {
            Refused::Failed(_) => String::new(),
            Refused::Changed { found, .. } => {
                let known = certificates.recorder_at(self.address).or(self.expected);
                let serial = known.map_or("SERIAL", Serial::as_str);
                format!(
                    "nothing was sent; if it was reset or updated since, compare the digest with its own screen, then: applier trust recorder {serial} --certificate {found}\nif another recorder has this address now: --certificate {found}\nif neither, something else answers in its name"
                )
            }
            Refused::NotTheOne { .. } => {
                "nothing was sent; it is another recorder, or the digits are wrong".into()
            }
            Refused::NoTls { .. } if self.address.port().is_some() => {
                "nothing was sent; give the address without the port, so that TLS is looked for where it belongs; if it was switched off on the recorder, and you have a reason: --plain-http REASON".into()
            }
            Refused::NoTls { .. } => {
                "nothing was sent; if TLS was switched off on the recorder, and you have a reason: --plain-http REASON".into()
            }
        };
        match refused {
            Refused::Failed(error) => failure(*error, self.address),
            refused => {
                let failure =
                    Failure::of(Exit::Rejected, refused).context(format!("recorder {}", self.address));
                failure.hint(hint)
            }
        }
    }

    /// Says what is left, and wants a person to mean it where that is little.
    fn heed(self, failed_logins: &FailedLogins, context: &Context) -> Result<(), Failure> {
        let Some((failed, care)) = failed_logins.care(self.address, (context.now)()) else { return Ok(()) };
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
        let few = matches!(care, Care::Few(_)) && !self.login.risk_lockout;
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
        self,
        session: &Session,
        serial: &Serial,
        certificates: &mut Certificates,
        context: &Context,
    ) -> Result<(), Failure> {
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

/// Nobody else is on the loopback address.
fn listen(link: &CheckedLink, runtime: &Runtime) -> Option<Listener> {
    let _runtime = runtime.enter();
    if link.target().ip().is_loopback() { None } else { Listener::start(link.target()) }
}

impl Session {
    /// Looks at this laptop's network once more, right before something is pushed.
    pub fn still_alone(&self) -> Result<(), Failure> {
        let now = look(self.recorder.address()).map_err(link_failure)?;
        self.link.still(now).map_err(not_isolated)
    }
}

fn not_isolated(refused: Box<NotIsolated>) -> Failure {
    let hints = refused.hints();
    Failure::new(Exit::NotIsolated, refused).hint(hints)
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
pub(super) fn failure(error: Error, address: &Address) -> Failure {
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

/// Plain text is no way out where somebody else may be answering.
fn tls_hint(fault: &TlsFault) -> String {
    let advice = fault.advice();
    match fault {
        TlsFault::OtherCertificate { .. } => format!("nothing was sent; {advice}"),
        _ => format!("nothing was sent; {advice}: --plain-http REASON"),
    }
}

fn tls_exit(fault: &TlsFault) -> Exit {
    match fault {
        TlsFault::Silent { .. } | TlsFault::EndedEarly => Exit::Unreachable,
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
        let silent = tls(TlsFault::Silent { seconds: 15 });
        assert_eq!(silent.exit, Exit::Unreachable);
        assert!(silent.hint.unwrap().ends_with("--plain-http REASON"), "it took the connection");
        let [expected, found] = [b"1", b"2"].map(|bytes| Sha256Digest::of(bytes));
        let other = tls(TlsFault::OtherCertificate { expected, found });
        assert!(!other.hint.unwrap().contains("--plain-http"), "that would be what it wants");
    }

    #[test]
    fn where_nobody_answers_there_is_nobody_to_mend_tls_on() {
        let address: Address = "192.168.1.64".parse().unwrap();
        let why = "no answer within 5 s".into();
        let off = failure(Error::Unreachable { address: address.clone(), port: 443, why }, &address);
        assert_eq!(off.exit, Exit::Unreachable);
        assert_eq!(
            off.error.to_string(),
            "recorder 192.168.1.64: unreachable, no connection to port 443: no answer within 5 s"
        );
        assert_eq!(off.hint.as_deref(), Some(ABSENT));
    }
}

//! What every command that logs in to a recorder shares: the link, over what to talk, the login, and what
//! is remembered of all three.

mod channel;
mod failure;
mod lockout;
mod session;

use std::cell::RefCell;
use std::path::PathBuf;
use std::time::Duration;

use ::link::Listener;
use firmware::{Device, Model, Serial, Sha256Digest, Text};
use isapi::{Address, Channel, Credentials, Error, Recorder, Transport};
use secrecy::SecretString;
use terminal::{Exit, Fail, Failure, SecretSource};
use tokio::runtime::Runtime;

use crate::audit::PasswordFacts;
use crate::certificates::Certificates;
use crate::context::{Context, link_failure};
use crate::failed_logins::FailedLogins;
use crate::inventory::Inventory;
use crate::isolation::{CheckedLink, look, permit, tolerate};
use crate::reason::reason;
use crate::state::State;

pub(super) use failure::{failure, record_failure};
pub use session::Session;
use session::{Records, not_isolated};

/// Which recorder, and how to log in.
#[derive(Debug, Clone, clap::Args)]
pub struct RecorderArgs {
    /// The recorder: an IP address, with a port if it is not 443 or 80
    #[arg(value_name = "ADDRESS")]
    pub(super) address: Address,
    #[command(flatten)]
    pub(super) login: LoginArgs,
    #[arg(skip)]
    pub(super) expected: Expected,
}

/// Which device was written down for an address.
#[derive(Debug, Clone, Default)]
pub(super) struct Expected {
    pub(super) name: Option<Text>,
    pub(super) serial: Option<Serial>,
    pub(super) model: Option<Model>,
}

/// How to log in.
#[derive(Debug, Clone, clap::Args)]
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
    /// Log in although few attempts are left until the account is locked, or although it was locked
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

impl LoginArgs {
    /// As somebody else, with another password, where these are told.
    pub(super) fn of(mut self, user: Option<String>, password_file: Option<PathBuf>) -> Self {
        self.user = user.unwrap_or(self.user);
        self.password_file = password_file.or(self.password_file);
        self
    }

    /// Whether something in it can be of one recorder only.
    pub(super) fn is_for_one(&self) -> bool {
        self.password_stdin || self.certificate.is_some()
    }

    /// Whether a password file that is named can be read; nothing of it is kept.
    pub(super) fn check(&self) -> Result<(), Failure> {
        self.password_file.is_some().then(|| self.password("")).transpose().map(drop)
    }

    fn password(&self, prompt: &str) -> Result<SecretString, Failure> {
        let source = SecretSource {
            file: self.password_file.clone(),
            stdin: self.password_stdin,
            flags: "--password-file FILE or --password-stdin",
        };
        terminal::secret(&source, prompt)
    }
}

impl RecorderArgs {
    pub(super) fn new(address: Address, login: LoginArgs) -> Self {
        Self { address, login, expected: Expected::default() }
    }

    /// Checks the link, finds out over what to talk, logs in, and reads what the recorder says about
    /// itself.
    pub fn inspect(
        &self,
        purpose: Purpose<'_>,
        state: &State,
        context: &Context,
    ) -> Result<(Session, Inventory), Failure> {
        let read = self.visit().read(purpose, state, context, Inventory::read, |read| &read.device.serial);
        let (session, inventory) = read?;
        self.expected.check(&self.address, &inventory.device.model, &inventory.device.serial)?;
        Ok((session, inventory))
    }

    /// Reads what the recorder says about itself once more, with the same login, where it is now. It must still
    /// be the one of this serial number, which was met before.
    pub(super) fn look_again(
        &self,
        met: &Serial,
        session: &Session,
        state: &State,
        context: &Context,
    ) -> Result<Inventory, Failure> {
        let mut failed_logins = FailedLogins::open(&state.failed_logins()).map_err(record_failure)?;
        let read = session.runtime.block_on(Inventory::read(&session.recorder));
        let address = session.recorder.address();
        let visit = Visit { address, ..self.visit() };
        let inventory = visit.logged_in(read, &mut failed_logins, context)?;
        self.is_still(met, address, &inventory.device)?;
        Ok(inventory)
    }

    fn is_still(&self, met: &Serial, address: &Address, found: &Device) -> Result<(), Failure> {
        let Device { model, serial, .. } = found;
        if serial != met {
            let message = format!(
                "recorder {address}: it is {model} {serial}, and {met} was met before; nothing was done to this one"
            );
            return Err(Failure::new(Exit::Refused, message).hint("see which device this is: applier find"));
        }
        self.expected.check(address, model, serial)
    }

    fn visit(&self) -> Visit<'_> {
        let expected = self.expected.serial.as_ref();
        Visit { address: &self.address, expected, patience: Duration::ZERO, login: &self.login }
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
        let password =
            self.login.password(&format!("Password of {} on {}", self.login.user, self.address))?;
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
}

/// Nobody else is on the loopback address.
fn listen(link: &CheckedLink, runtime: &Runtime) -> Option<Listener> {
    let _runtime = runtime.enter();
    if link.target().ip().is_loopback() { None } else { Listener::start(link.target()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::plan;

    #[derive(clap::Parser)]
    struct Line {
        #[command(flatten)]
        recorder: RecorderArgs,
    }

    #[test]
    fn whoever_answers_later_must_be_who_was_met_and_who_was_written_down() {
        let mut recorder = <Line as clap::Parser>::parse_from(["applier", "192.168.1.64"]).recorder;
        let (device, address) = (plan().device, recorder.address.clone());
        let exit = |recorder: &RecorderArgs, met: &Serial| {
            recorder.is_still(met, &address, &device).map_err(|failure| failure.exit)
        };
        let other: Serial = "DS-OTHER".parse().unwrap();
        assert_eq!(exit(&recorder, &device.serial), Ok(()));
        assert_eq!(exit(&recorder, &other), Err(Exit::Refused));
        recorder.expected.serial = Some(other);
        assert_eq!(exit(&recorder, &device.serial), Err(Exit::Refused));
    }
}

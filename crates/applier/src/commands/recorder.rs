//! What every command that logs in to a recorder shares: address, login, the guard before both.

use std::path::PathBuf;

use isapi::{Address, Credentials, Error, Recorder};
use terminal::{Exit, Fail, Failure, SecretSource};
use tokio::runtime::Runtime;

use crate::inventory::Inventory;
use crate::isolation::{CheckedLink, link_guard};

/// Which recorder, and how to log in.
#[derive(Debug, clap::Args)]
pub struct RecorderArgs {
    /// The recorder: an IP address, with a port if it is not 80
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
}

/// A recorder that may be talked to.
#[derive(Debug)]
pub struct Session {
    /// The recorder, with the one login.
    pub recorder: Recorder,
    /// The link to it.
    pub link: CheckedLink,
    /// Drives the requests.
    pub runtime: Runtime,
}

impl RecorderArgs {
    /// Checks the link, logs in, and reads what the recorder says about itself.
    pub fn inspect(&self) -> Result<(Session, Inventory), Failure> {
        let session = self.open()?;
        let inventory = session.runtime.block_on(Inventory::read(&session.recorder)).map_err(failure)?;
        Ok((session, inventory))
    }

    /// Checks the link, asks for the password, and prepares to talk. Nothing is sent yet.
    fn open(&self) -> Result<Session, Failure> {
        let link = link_guard(&self.address).map_err(|error| {
            Failure::of(Exit::NotIsolated, error)
                .hint("nothing was sent; a later version pushes over a cable that it has checked")
        })?;
        let source = SecretSource {
            file: self.password_file.clone(),
            stdin: self.password_stdin,
            flags: "--password-file FILE or --password-stdin",
        };
        let password = terminal::secret(&source, &format!("Password of {} on {}", self.user, self.address))?;
        let login = Credentials::new(self.user.clone(), password);
        let recorder = Recorder::new(self.address.clone(), login).map_err(failure)?;
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().fail(Exit::Internal)?;
        Ok(Session { recorder, link, runtime })
    }
}

/// Which exit code and advice a failed request gives. Nothing on the recorder was changed.
fn failure(error: Error) -> Failure {
    let (exit, hint) = match &error {
        error if error.is_absence() => (
            Exit::Unreachable,
            "check power, cable and address; a recorder that starts up needs some minutes",
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
        Error::UserName => (Exit::Usage, "check --user"),
        Error::Setup { .. } => (Exit::Usage, "check the interface after % in the address"),
        _ => (Exit::Rejected, "this does not answer like a recorder; the recorder was not changed"),
    };
    Failure::of(exit, error).hint(hint)
}

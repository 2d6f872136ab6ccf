//! What every command is given, and which exit code and advice each failure gives.

use std::path::PathBuf;

use jiff::Timestamp;
use stick::{Directory, OpenError, UnverifiedPublication, VerifiedPublication};
use terminal::{Exit, Failure, Output};
use tuf_client::{Clock, Error, StartTime};

use crate::state::{State, StateError};

/// What a command is given besides its own arguments.
#[derive(Debug)]
pub struct Context {
    /// Where words go.
    pub output: Output,
    /// When the program was started, and when it was built.
    pub clock: Clock,
    /// Reads the clock: for statements and journals only, never for a decision.
    pub now: fn() -> Timestamp,
    /// The state that was named.
    pub state: Option<PathBuf>,
    /// The stick that was named.
    pub stick: Option<PathBuf>,
}

impl Context {
    /// Opens the state.
    pub fn open_state(&self) -> Result<State, Failure> {
        let state = State::open(self.state.as_deref()).map_err(state_failure)?;
        self.output.detail(format_args!("state {}", state.dir().display()));
        Ok(state)
    }

    /// Opens the state and refuses a place that forgets.
    pub fn open_lasting_state(&self) -> Result<State, Failure> {
        let state = self.open_state()?;
        state.must_last(self.state.is_some()).map_err(state_failure)?;
        Ok(state)
    }

    /// Opens the stick.
    pub fn open_stick(&self) -> Result<Directory, Failure> {
        let Some(path) = &self.stick else {
            return Err(Failure::new(Exit::Usage, "stick: none is named").hint("give --stick PATH"));
        };
        Directory::open(path).map_err(|error| {
            let failure = Failure::of(Exit::Stick, error);
            failure
                .context(format!("stick {}", path.display()))
                .hint("plug it in and name the folder where it is mounted")
        })
    }

    /// Verifies the publication on a stick with what this laptop trusts.
    pub fn verify<'m>(
        &self,
        state: &State,
        stick: &'m Directory,
    ) -> Result<VerifiedPublication<'m>, Failure> {
        let publication = UnverifiedPublication::on(stick).verify(&mut state.trust_store(), self.clock);
        let publication = publication.map_err(open_failure)?;
        self.tell_clock(publication.start());
        Ok(publication)
    }

    /// Says by how much the clock was found to be behind, if it was.
    fn tell_clock(&self, start: StartTime) {
        let behind = start.system_behind();
        if !behind.is_zero() {
            self.output.warn(format_args!(
                "clock of this laptop is behind by at least {behind:#}: {} is used instead; protection against old publications is weaker until it is set right",
                start.now().strftime("%F %H:%M UTC")
            ));
        }
    }
}

pub(crate) fn state_failure(error: StateError) -> Failure {
    let (exit, hint) = match &error {
        StateError::Nowhere | StateError::NotLasting { .. } => {
            (Exit::Usage, Some("name a lasting place with --state DIR"))
        }
        StateError::Lock(..) => (Exit::Usage, Some("wait until the other applier has ended")),
        StateError::Key(_) => (Exit::Usage, None),
        StateError::Io(..) | StateError::Chain(_) => (Exit::Internal, None),
    };
    Failure::of(exit, error).maybe_hint(hint)
}

/// Which exit code and advice a refused publication gives.
fn open_failure(error: OpenError) -> Failure {
    let again = "load the stick again at the depot";
    let (exit, hint) = match &error {
        OpenError::NoPublication => (Exit::Stick, again),
        OpenError::Io(_) | OpenError::Metadata(Error::Io { .. }) => {
            (Exit::Stick, "plug the stick in again; if it happens again, use another stick")
        }
        OpenError::Metadata(Error::NoTrustedRoot) => {
            (Exit::Usage, "tell this laptop which depot to believe: applier trust add --stick PATH")
        }
        OpenError::Metadata(Error::Expired { .. }) => {
            (Exit::Expired, "load the stick again at the depot: it is too old to be relied on")
        }
        OpenError::Metadata(Error::Rollback { .. }) => {
            (Exit::Rejected, "use a newer stick: this laptop has seen a later publication")
        }
        OpenError::Metadata(Error::Store(_)) => {
            (Exit::Internal, "see that the state directory can be written")
        }
        OpenError::Damaged { .. }
        | OpenError::Stripped { .. }
        | OpenError::Exchanged { .. }
        | OpenError::Metadata(Error::Missing { .. } | Error::Rejected { .. }) => (Exit::Rejected, again),
        OpenError::Format { .. } => (Exit::Rejected, "update the applier"),
        OpenError::Facts { .. } => (Exit::Rejected, "tell the depot: its publication is wrong"),
    };
    Failure::of(exit, error).hint(hint)
}

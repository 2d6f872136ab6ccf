//! What every command is given, and which exit code and advice each failure gives.

use std::path::PathBuf;

use firmware::Text;
use jiff::{SignedDuration, Timestamp};
use keys::durable::LockError;
use receipt::ChainError;
use serde_json::json;
use stick::{OpenError, UnverifiedPublication, VerifiedPublication};
use terminal::{Exit, Failure, Output};
use tuf_client::{CLOCK_RECORD, Clock, Error, ExpiryPolicy, Rejection, Role, StartTime};

use crate::delivery;
use crate::expiry::{self, ExpiryArgs};
use crate::newest_seen::{NewestSeen, Older};
use crate::open_stick::OpenStick;
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

    /// Opens the stick that was named, or the plugged-in one that carries a publication.
    pub fn open_stick(&self) -> Result<OpenStick, Failure> {
        let named = self.stick.as_deref().map(OpenStick::named);
        let stick = named.unwrap_or_else(|| OpenStick::plugged(self.output))?;
        self.output.detail(format_args!("stick {stick}"));
        Ok(stick)
    }

    /// Verifies the publication on a stick with what this laptop trusts, and says what was forgiven.
    pub fn verify<'m>(
        &self,
        state: &State,
        stick: &'m OpenStick,
        expiry: &ExpiryArgs,
    ) -> Result<VerifiedPublication<'m>, Failure> {
        let publication = self.open_publication(state, stick, expiry.policy())?;
        self.remember(state, stick, &publication)?;
        if let Some(accepted) = expiry.accepted(&publication) {
            expiry::tell(&accepted, self.output);
        }
        Ok(publication)
    }

    /// Remembers what the publication on a stick says of how statements go home, where there is one that verifies:
    /// for commands that use nothing else of it.
    pub fn heed(&self, state: &State, stick: &OpenStick) -> Result<(), Failure> {
        let failure = match self.open_publication(state, stick, ExpiryPolicy::Enforce) {
            Ok(publication) => return self.remember(state, stick, &publication),
            Err(failure) => failure,
        };
        if !matches!(failure.error.downcast_ref(), Some(OpenError::NoPublication)) {
            self.output.warn(format_args!(
                "stick {stick}: {:#}; statements go home as this laptop was told before",
                failure.error
            ));
        }
        Ok(())
    }

    fn open_publication<'m>(
        &self,
        state: &State,
        stick: &'m OpenStick,
        expiry: ExpiryPolicy,
    ) -> Result<VerifiedPublication<'m>, Failure> {
        let (publication, store) = (UnverifiedPublication::on(stick.tree()), &mut state.trust_store());
        publication.verify_with(store, self.clock, expiry).map_err(|error| match error {
            OpenError::Metadata(Error::Rollback { .. }) => older_failure(error, state, stick),
            error => open_failure(error),
        })
    }

    /// What a publication means for this laptop from now on, first of all how statements go home.
    fn remember(
        &self,
        state: &State,
        stick: &OpenStick,
        publication: &VerifiedPublication<'_>,
    ) -> Result<(), Failure> {
        delivery::heed(state, publication, self.output)?;
        let seen = NewestSeen {
            timestamp_sha256: publication.publication().timestamp_sha256,
            place: Text::cleaned(&stick.to_string()),
            at: (self.now)(),
        };
        if let Err(error) = seen.record(&state.newest_seen()) {
            self.output.warn(format_args!("state: where this stick was seen cannot be recorded: {error}"));
        }
        self.tell_clock(publication.start());
        Ok(())
    }

    /// Says by how much the clock was found to be behind, if it was.
    fn tell_clock(&self, start: StartTime) {
        let behind = start.system_behind();
        if !behind.is_zero() {
            self.output.warn(format_args!(
                "clock of this laptop is behind by at least {}: {} is used instead; protection against old publications is weaker until it is set right",
                long(behind),
                start.now().strftime("%F %H:%M UTC")
            ));
        }
    }
}

/// As people say how long something is: whole days where it is several, else to the second.
pub(crate) fn long(time: SignedDuration) -> String {
    match time.as_hours() / 24 {
        days @ 2.. => format!("{days} days"),
        _ => format!("{:#}", SignedDuration::from_secs(time.as_secs())),
    }
}

/// The cable could not be looked at, or nothing could be done about it.
pub(crate) fn link_failure(error: link::Error) -> Failure {
    let exit = match &error {
        link::Error::NoCarrier { .. } => Exit::Unreachable,
        link::Error::System { .. } | link::Error::Unreadable { .. } | link::Error::Shared { .. } => {
            Exit::Internal
        }
        link::Error::AddressTaken { .. } | link::Error::NoFreeAddress { .. } => Exit::Refused,
        _ => Exit::Usage,
    };
    let hint = error.hint();
    Failure::of(exit, error).maybe_hint(hint.as_deref())
}

pub(crate) fn state_failure(error: StateError) -> Failure {
    let (exit, hint) = match &error {
        StateError::Nowhere | StateError::NotLasting { .. } => {
            (Exit::Usage, Some("name a lasting place with --state DIR"))
        }
        StateError::Lock(_, LockError::InUse(_)) => {
            (Exit::Usage, Some("wait until the other applier has ended"))
        }
        StateError::Lock(_, LockError::Io { .. }) => {
            (Exit::Usage, Some("see that this user may write there"))
        }
        StateError::Key(_) => (Exit::Usage, None),
        StateError::Chain(ChainError::Delivery(error)) | StateError::Delivery(error) => {
            (Exit::Internal, Some(error.hint()))
        }
        StateError::Io(..) | StateError::Chain(_) => (Exit::Internal, None),
    };
    Failure::of(exit, error).maybe_hint(hint)
}

/// An older publication than this laptop has seen: with both dates, where they are known.
fn older_failure(error: OpenError, state: &State, stick: &OpenStick) -> Failure {
    let seen = NewestSeen::read(&state.newest_seen());
    let older = Older::of(stick.tree(), &state.trust_store(), seen);
    let failure = open_failure(error);
    match older {
        Some(older) => failure.hint(older.hint()).with_data(json!({"older": older})),
        None => failure,
    }
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
        OpenError::Metadata(Error::Expired { file, expires, now }) => {
            let hint = expired_hint(file, *expires, *now);
            return Failure::of(Exit::Expired, error).hint(hint);
        }
        OpenError::Metadata(Error::Rejected { file, .. }) if file == CLOCK_RECORD => (
            Exit::Rejected,
            "this laptop's own record is damaged: applier clock reset REASON makes a new one",
        ),
        // without a version: not a file of the stick
        OpenError::Metadata(Error::Rejected { file, .. }) if file == Role::Root.file() => (
            Exit::Rejected,
            "this laptop's own root is damaged: move metadata/root.json out of the state directory, then applier trust add",
        ),
        OpenError::Metadata(Error::Rejected { reason: Rejection::Threshold { .. }, .. }) => (
            Exit::Rejected,
            "load the stick again at the depot; if it may be of another depot: applier trust show says whose root this laptop believes",
        ),
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

/// What helps where metadata has expired: which depends on whose it is and for how long.
fn expired_hint(file: &str, expires: Timestamp, now: Timestamp) -> String {
    let grace = ExpiryPolicy::GRACE;
    let days = grace.as_hours() / 24;
    let helps = if file == Role::Root.file() {
        "the depot has to sign a new root and load the stick again; --accept-expired never covers a root"
            .into()
    } else if now.duration_since(expires) > grace {
        format!(
            "load the stick again at the depot; --accept-expired covers {days} days after the expiry and no more"
        )
    } else {
        "load the stick again at the depot; if that cannot be, and you have a reason: --accept-expired REASON"
            .into()
    };
    format!("{helps}\nif {} is not today: applier clock says where it comes from", now.strftime("%F"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_helps_depends_on_whose_file_is_rejected() {
        let hint = |file: &str, reason| {
            let error = OpenError::Metadata(Error::Rejected { file: file.into(), reason });
            open_failure(error).hint.unwrap()
        };
        let missing = || Rejection::NotListed { name: "x".into() };
        assert!(hint("root.json", missing()).contains("applier trust add"));
        assert_eq!(hint("2.root.json", missing()), "load the stick again at the depot");
        let threshold = Rejection::Threshold { role: "timestamp".into(), valid: 0, threshold: 1 };
        assert!(hint("timestamp.json", threshold).contains("of another depot: applier trust show"));
    }

    #[test]
    fn what_helps_depends_on_what_has_expired_and_when() {
        let expires: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let hint = |file, after| expired_hint(file, expires, expires + after);
        let grace = ExpiryPolicy::GRACE;
        let second = SignedDuration::from_secs(1);
        assert!(hint("timestamp.json", grace).contains("--accept-expired REASON"));
        assert!(hint("targets.json", grace + second).contains("180 days after the expiry and no more"));
        assert!(hint("root.json", second).contains("never covers a root"));
        assert!(hint("root.json", second).contains("if 2026-01-01 is not today: applier clock"));
    }

    #[test]
    fn long_times_are_said_in_days() {
        assert_eq!(long(SignedDuration::from_hours(400 * 24 - 1)), "399 days");
        assert_eq!(long(SignedDuration::new(90 * 60, 5)), "1h 30m");
    }
}

use std::time::Duration;

use firmware::Revision;
use isapi::Address;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::event::RunId;
use crate::stage::Stage;

/// An earlier run that forbids to push now (`docs/safety.md`, rule 7): nothing proves that its push is over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, thiserror::Error)]
#[error(
    "an earlier run, {run}, pushed {target} to this recorder and stands at {stage} (last line {last}): whether that push is over is not known"
)]
pub struct Blocked {
    /// The run.
    pub run: RunId,
    /// Where it stands.
    pub stage: Stage,
    /// What it pushed.
    pub target: Revision,
    /// Where the recorder was then.
    pub address: Address,
    /// When its last line was written, by the laptop's clock.
    pub last: Timestamp,
}

impl Blocked {
    /// What is left of the quiet period at `now`, after which a person may decide to push again; `None`
    /// if it has passed. A line of the future has not even begun it.
    pub fn quiet_left(&self, quiet: Duration, now: Timestamp) -> Option<SignedDuration> {
        let quiet = SignedDuration::try_from(quiet).unwrap_or(SignedDuration::MAX);
        let left = quiet.saturating_sub(now.duration_since(self.last));
        left.is_positive().then_some(left).or_else(|| self.is_ahead_of(now).then_some(quiet))
    }

    /// Whether its last line was written later than `now`: the clock was set back since, or is wrong.
    pub fn is_ahead_of(&self, now: Timestamp) -> bool {
        now < self.last
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quiet_period_passes_by_the_clock_and_never_before_its_beginning() {
        let at = |second: i64| Timestamp::from_second(1_795_000_000 + second).unwrap();
        let blocked = Blocked {
            run: RunId::new(at(0), [0; 4]),
            stage: Stage::Unknown,
            target: "V4.61.025 build 230421".parse().unwrap(),
            address: "127.0.0.1".parse().unwrap(),
            last: at(100),
        };
        let left =
            |quiet, now| blocked.quiet_left(Duration::from_secs(quiet), at(now)).map(|left| left.as_secs());
        assert_eq!(left(900, 100), Some(900));
        assert_eq!(left(900, 999), Some(1));
        assert_eq!(left(900, 1000), None);
        assert_eq!(left(900, 40), Some(960), "the clock was set back");
        assert_eq!(left(0, 100), None);
        assert!(left(0, 99).is_some(), "a line of the future");
        assert!(left(u64::MAX, 1000).is_some());
        assert!(blocked.is_ahead_of(at(99)) && !blocked.is_ahead_of(at(100)));
    }
}

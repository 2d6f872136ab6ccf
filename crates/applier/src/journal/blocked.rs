use std::time::Duration;

use firmware::Revision;
use isapi::Address;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::event::RunId;
use crate::quiet::quiet_left;
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
    /// if it has passed.
    pub fn quiet_left(&self, quiet: Duration, now: Timestamp) -> Option<SignedDuration> {
        quiet_left(self.last, quiet, now)
    }

    /// Whether its last line was written later than `now`: the clock was set back since, or is wrong.
    pub fn is_ahead_of(&self, now: Timestamp) -> bool {
        now < self.last
    }
}

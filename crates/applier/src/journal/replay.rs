use std::path::Path;

use firmware::Device;
use jiff::Timestamp;

use super::{Blocked, JournalError, Record};
use crate::event::{Event, Outcome, RunId};
use crate::plan::Plan;
use crate::stage::Stage;

/// What a journal tells: where the run stands and how it got there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The run.
    pub run: RunId,
    /// What was agreed to.
    pub plan: Plan,
    /// The last stage that was written.
    pub stage: Stage,
    /// How often the package was sent, whole or in part.
    pub pushes: u32,
    /// Whether the last block of the last sending is known never to have left: the recorder cannot have
    /// the package.
    pub held: bool,
    /// When it began.
    pub began: Timestamp,
    /// When the last line was written.
    pub last: Timestamp,
    /// The recorder as it was last read.
    pub after: Option<Device>,
    /// How it ended, if it did.
    pub outcome: Option<Outcome>,
}

impl Replay {
    /// Folds the lines of a journal; `None` where there are none.
    pub(super) fn of(path: &Path, records: &[Record]) -> Result<Option<Self>, JournalError> {
        let Some((first, rest)) = records.split_first() else { return Ok(None) };
        let damaged = |line: usize, why: String| JournalError::Damaged { path: path.into(), line, why };
        let Event::Planned { run, plan, .. } = &first.event else {
            return Err(damaged(1, "a journal begins with the plan".into()));
        };
        let mut replay = Self {
            run: run.clone(),
            plan: Plan::clone(plan),
            stage: Stage::Planned,
            pushes: 0,
            held: false,
            began: first.at,
            last: first.at,
            after: None,
            outcome: None,
        };
        for (n, record) in rest.iter().enumerate() {
            replay.last = record.at;
            match &record.event {
                Event::Stage { stage } if replay.stage.may_become(*stage) => replay.stage = *stage,
                Event::Stage { stage } => {
                    let why = format!("stage {stage} cannot follow {}", replay.stage);
                    return Err(damaged(n + 2, why));
                }
                Event::Push { number } if replay.stage.may_become(Stage::Uploading) => {
                    (replay.stage, replay.pushes, replay.held) = (Stage::Uploading, *number, false);
                }
                Event::Push { .. } => {
                    return Err(damaged(n + 2, format!("a push cannot follow {}", replay.stage)));
                }
                Event::Read { device } => replay.after = Some(Device::clone(device)),
                Event::Ended { outcome } => replay.outcome = Some(Outcome::clone(outcome)),
                Event::Planned { .. } => return Err(damaged(n + 2, "a journal holds one plan".into())),
                Event::Uploaded { released, .. } => replay.held = !released,
                Event::Upload { .. }
                | Event::Progress { .. }
                | Event::Silent { .. }
                | Event::RebootAnswered { .. }
                | Event::JournalFailed { .. } => {}
            }
        }
        Ok(Some(replay))
    }

    /// Whether it sent, or was about to send, any of the package.
    pub(super) fn has_sent(&self) -> bool {
        self.pushes > 0
    }

    /// Whether this run forbids to push to this recorder, which answers like this now. A last block that
    /// never left proves that nothing is under way, if the recorder is still what it was (DESIGN §6.7).
    pub(super) fn blocks(&self, device: &Device) -> Option<Blocked> {
        let target = &self.plan.target.revision;
        let untouched = self.held && device.revision == self.plan.device.revision;
        if self.plan.device.serial != device.serial
            || !self.stage.is_unsettled()
            || device.revision == *target
            || untouched
        {
            return None;
        }
        Some(Blocked {
            run: self.run.clone(),
            stage: self.stage,
            target: target.clone(),
            address: self.plan.address.clone(),
            last: self.last,
        })
    }
}

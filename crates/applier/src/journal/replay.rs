use std::path::Path;

use firmware::{Device, Sha256Digest};
use isapi::{Answer, Reboot};
use jiff::Timestamp;
use receipt::Link;

use super::{Blocked, JournalError, Record};
use crate::backup::Kept;
use crate::event::{Event, Outcome, Papers, Reason, RunId};
use crate::plan::Plan;
use crate::stage::Stage;

/// What a journal tells: where the run stands and how it got there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replay {
    /// The run.
    pub run: RunId,
    /// What was agreed to.
    pub plan: Plan,
    /// The digest of that.
    pub digest: Sha256Digest,
    /// How the recorder was reached last.
    pub link: Link,
    /// What statements say besides.
    pub papers: Papers,
    /// The last stage that was written.
    pub stage: Stage,
    /// The backup that was taken before.
    pub backup: Option<Kept>,
    /// How often the package was sent, whole or in part.
    pub pushes: u32,
    /// Whether the last block of the last sending is known never to have left: the recorder cannot have
    /// the package. That it leaves is written down before it does.
    pub held: bool,
    /// What the recorder answered to the last sending.
    pub answer: Option<Answer>,
    /// Whether it answered the request to restart, if only with a refusal.
    pub reboot_answered: bool,
    /// Whether it was taken up again.
    pub resumed: bool,
    /// How long it had been running before the push, in seconds.
    pub uptime: Option<u64>,
    /// When it began.
    pub began: Timestamp,
    /// When it was last at work on the recorder or watched it in one go with that: looking again later does
    /// not begin the quiet period anew.
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
        let Some(mut replay) = Self::begun(first) else {
            return Err(damaged(1, "a journal begins with the plan".into()));
        };
        for (n, record) in rest.iter().enumerate() {
            replay.take(record).map_err(|why| damaged(n + 2, why))?;
        }
        Ok(Some(replay))
    }

    fn begun(first: &Record) -> Option<Self> {
        let Event::Planned { format: _, run, plan, digest, link, papers } = &first.event else { return None };
        Some(Self {
            run: run.clone(),
            plan: Plan::clone(plan),
            digest: *digest,
            link: link.clone(),
            papers: Papers::clone(papers),
            stage: Stage::Planned,
            backup: None,
            pushes: 0,
            held: false,
            answer: None,
            reboot_answered: false,
            resumed: false,
            uptime: None,
            began: first.at,
            last: first.at,
            after: None,
            outcome: None,
        })
    }

    fn take(&mut self, record: &Record) -> Result<(), String> {
        let looked_after = matches!(record.event, Event::Resumed { .. } | Event::Left { .. }) || self.resumed;
        let acted =
            matches!(&record.event, Event::Stage { stage: Stage::RebootRequested | Stage::Rebooting });
        if !looked_after || acted {
            self.last = record.at;
        }
        match &record.event {
            Event::Stage { stage } if self.stage.may_become(*stage) => {
                self.held &= *stage != Stage::Flashing;
                self.stage = *stage;
            }
            Event::Stage { stage } => return Err(format!("stage {stage} cannot follow {}", self.stage)),
            Event::BackedUp { backup } if self.stage.may_become(Stage::BackedUp) => {
                (self.stage, self.backup) = (Stage::BackedUp, Some(backup.clone()));
            }
            Event::BackedUp { .. } => return Err(format!("a backup cannot follow {}", self.stage)),
            Event::Push { number } if self.stage.may_become(Stage::Uploading) => {
                (self.stage, self.pushes) = (Stage::Uploading, *number);
                (self.held, self.answer) = (true, None);
            }
            Event::Push { .. } => return Err(format!("a push cannot follow {}", self.stage)),
            Event::Uploaded { released, answer, .. } => {
                (self.held, self.answer) = (!released, answer.clone());
            }
            Event::Read { device } => self.after = Some(Device::clone(device)),
            Event::Uptime { seconds } => self.uptime = Some(*seconds),
            Event::RebootAnswered { .. } => self.reboot_answered = true,
            Event::Resumed { link, .. } => {
                (self.link, self.outcome, self.resumed) = (link.clone(), None, true);
            }
            Event::Ended { outcome } => self.outcome = Some(Outcome::clone(outcome)),
            Event::Planned { .. } => return Err("a journal holds one plan".into()),
            Event::Left { .. }
            | Event::Upload { .. }
            | Event::Progress { .. }
            | Event::Silent { .. }
            | Event::Stalled { .. }
            | Event::Still { .. }
            | Event::Slept { .. }
            | Event::Elsewhere { .. }
            | Event::JournalFailed { .. } => {}
        }
        Ok(())
    }

    /// How it stands, where its journal is left as it is.
    pub fn standing(&self, reason: Reason, detail: String, after: Option<Device>) -> Outcome {
        let (stage, pushes, backup) = (self.stage, self.pushes, self.backup.clone());
        Outcome { stage, reason, detail, after, pushes, backup }
    }

    /// Whether it sent, or was about to send, any of the package.
    pub fn has_sent(&self) -> bool {
        self.pushes > 0
    }

    /// What the recorder said about restarting, if it took the package.
    pub fn taken(&self) -> Option<Reboot> {
        match &self.answer {
            Some(Answer::Taken { reboot }) if !self.held => Some(*reboot),
            _ => None,
        }
    }

    /// Whether nothing of the package can have reached the flash, if the recorder is still what it was: the
    /// last block never left, or this push's own answer refused it (`docs/safety.md`, rule 7).
    pub fn is_proven_over(&self) -> bool {
        self.held || self.answer.as_ref().is_some_and(Answer::proves_untouched)
    }

    /// Whether this run forbids to push to this recorder, which answers like this now.
    pub(super) fn blocks(&self, device: &Device) -> Option<Blocked> {
        let target = &self.plan.target.revision;
        let untouched = self.is_proven_over() && device.revision == self.plan.device.revision;
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

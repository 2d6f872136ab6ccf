//! A configuration goes back to its recorder.
//!
//! What it took shows in no version. Its own answer and its restart are the proof there is, and it must come
//! back as the same serial number with the same firmware.

use std::cell::Cell;

use isapi::{ConfigurationKey, Package, Recorder};
use jiff::Timestamp;

use super::{Deadlines, Going, Job, Ledger, Log, Senses, Stop};
use crate::event::{Event, Outcome};
use crate::plan::RestorePlan;
use crate::stage::Stage;

/// What a restore is given.
pub struct Restore<'a, L> {
    /// The recorder, with the one login.
    pub recorder: &'a Recorder,
    /// What was agreed to.
    pub plan: &'a RestorePlan,
    /// The export, in memory.
    pub package: &'a Package,
    /// What the recorder encrypted it under.
    pub device_key: Option<&'a ConfigurationKey>,
    /// How long is waited.
    pub deadlines: Deadlines,
    /// What is perceived besides the recorder's answers.
    pub senses: Senses<'a>,
    /// Where it is written down.
    pub log: L,
}

impl<L: Log> Restore<'_, L> {
    /// Does it, as [`super::Run::execute`] does. One that is stopped has an end all the same: nothing takes a
    /// restore up again.
    pub async fn execute(
        self,
        clock: impl Fn() -> Timestamp,
        mut tell: impl FnMut(&Event),
        mut stop: Stop<'_>,
    ) -> Outcome {
        let Self { recorder, plan, package, device_key, deadlines, senses, log } = self;
        let stage = Cell::new(Stage::Planned);
        let ledger = Ledger::new(log, &stage, &clock, &mut tell);
        let job = Job::restore(plan, device_key);
        let going = Going { recorder, job, deadlines, senses, running: None };
        going.whole(package, None, ledger, &stage, &mut stop).await
    }
}

#[cfg(test)]
mod tests;

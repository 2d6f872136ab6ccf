use std::cell::Cell;
use std::collections::VecDeque;

use firmware::Device;
use jiff::Timestamp;

use super::End;
use crate::backup::Kept;
use crate::event::{Event, Outcome, Reason};
use crate::journal::{Journal, JournalError};
use crate::record::RecordError;
use crate::stage::{IllegalMove, Stage};

/// Where a run is written down. What is appended is on the disk when this returns.
pub trait Log {
    /// Writes down what happened.
    fn append(&mut self, at: Timestamp, event: &Event) -> Result<(), LogError>;
}

/// It could not be written down.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// In the journal of a push.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// In the record of restores.
    #[error(transparent)]
    Record(#[from] RecordError),
}

impl Log for Journal {
    fn append(&mut self, at: Timestamp, event: &Event) -> Result<(), LogError> {
        Ok(Self::append(self, at, event)?)
    }
}

/// Where the run is, what was written down, and who hears of it.
///
/// What cannot be written down is not sent ([`Ledger::push`], [`Ledger::commit`]). Once something was sent, a journal that
/// cannot be written ends nothing: a flash must be watched to its end. What is not written then is told
/// ([`Event::JournalFailed`]), kept, and written before anything later is: the journal has no gap.
pub(super) struct Ledger<'a> {
    log: Box<dyn Log + 'a>,
    unwritten: VecDeque<(Timestamp, Event)>,
    stage: &'a Cell<Stage>,
    backup: Option<Kept>,
    pushes: u32,
    handed: u64,
    clock: &'a dyn Fn() -> Timestamp,
    tell: &'a mut dyn FnMut(&Event),
}

/// The package must not be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotBegun {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Stage(#[from] IllegalMove),
}

impl<'a> Ledger<'a> {
    /// Where it is written down, and the stage at which it is.
    pub(super) fn new(
        log: impl Log + 'a,
        stage: &'a Cell<Stage>,
        clock: &'a dyn Fn() -> Timestamp,
        tell: &'a mut dyn FnMut(&Event),
    ) -> Self {
        let log = Box::new(log);
        Self { log, unwritten: VecDeque::new(), stage, backup: None, pushes: 0, handed: 0, clock, tell }
    }

    /// The same, after so many sendings and with this backup.
    pub(super) fn behind(self, pushes: u32, backup: Option<Kept>) -> Self {
        Self { backup, pushes, ..self }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The configuration is kept.
    pub(super) fn back_up(&mut self, backup: Kept) {
        if let Ok(stage) = self.stage().back_up() {
            self.stage.set(stage);
            self.backup = Some(backup.clone());
            self.note(&Event::BackedUp { backup });
        }
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// How much of the package was last told to have been handed to the connection.
    pub(super) fn handed(&self) -> u64 {
        self.handed
    }

    /// Writes and tells; what is under way goes on in any case.
    pub(super) fn note(&mut self, event: &Event) {
        if let Event::Upload { handed, .. } = event {
            self.handed = *handed;
        }
        if event.is_journaled() {
            self.unwritten.push_back(((self.clock)(), event.clone()));
            if let Err(error) = self.catch_up() {
                (self.tell)(&Event::JournalFailed { why: super::chain(&error) });
            }
        }
        (self.tell)(event);
    }

    /// The package is about to be sent, once this is on the disk.
    pub(super) fn push(&mut self, to: fn(Stage) -> Result<Stage, IllegalMove>) -> Result<(), NotBegun> {
        let (stage, number) = (to(self.stage())?, self.pushes + 1);
        self.first_write(&Event::Push { number }, stage)?;
        (self.pushes, self.handed) = (number, 0);
        Ok(())
    }

    /// Moves on once that is on the disk, and not otherwise.
    pub(super) fn commit(&mut self, to: fn(Stage) -> Result<Stage, IllegalMove>) -> Result<(), NotBegun> {
        let stage = to(self.stage())?;
        self.first_write(&Event::Stage { stage }, stage)
    }

    fn first_write(&mut self, event: &Event, stage: Stage) -> Result<(), NotBegun> {
        self.catch_up()?;
        self.log.append((self.clock)(), event)?;
        self.stage.set(stage);
        (self.tell)(event);
        Ok(())
    }

    /// Moves on; a move that the drawing does not have is not made.
    pub(super) fn go(&mut self, to: fn(Stage) -> Result<Stage, IllegalMove>) {
        if let Ok(stage) = to(self.stage()) {
            self.stage.set(stage);
            self.note(&Event::Stage { stage });
        }
    }

    /// The end: its stage, then all that is known. An end that the drawing does not have here is a fault
    /// of this program, and so nothing is known once anything was sent.
    pub(super) fn end(mut self, end: End) -> Outcome {
        let End { to, reason, mut detail, after } = end;
        let from = self.stage();
        let stage = to(from).unwrap_or_else(|illegal| {
            detail = format!("{detail}; {illegal}");
            from.lose_sight().or_else(|_| from.refuse()).unwrap_or(Stage::Unknown)
        });
        self.stage.set(stage);
        self.note(&Event::Stage { stage });
        self.close(reason, detail, after)
    }

    /// All that is known, where the stage of the end is written already.
    pub(super) fn close(mut self, reason: Reason, detail: String, after: Option<Device>) -> Outcome {
        let (stage, pushes, backup) = (self.stage(), self.pushes, self.backup.take());
        let outcome = Outcome { stage, reason, detail, after, pushes, backup };
        self.note(&Event::Ended { outcome: Box::new(outcome.clone()) });
        outcome
    }

    /// No end: nobody watches any more.
    pub(super) fn leave(mut self, why: &str) -> Outcome {
        self.note(&Event::Left { why: why.into() });
        let stage = self.stage();
        let detail = format!("{why}; the run stands at {stage}, and its journal is in order");
        Outcome {
            stage,
            reason: Reason::Interrupted,
            detail,
            after: None,
            pushes: self.pushes,
            backup: self.backup.take(),
        }
    }

    fn catch_up(&mut self) -> Result<(), LogError> {
        while let Some((at, event)) = self.unwritten.front() {
            self.log.append(*at, event)?;
            self.unwritten.pop_front();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Reason;
    use crate::journal::tests::{at, full, journals, plan, planned, run_id};
    use crate::journal::{Journals, Replay};

    fn newest(journals: &Journals) -> Option<Replay> {
        journals.newest(&plan().device.serial).unwrap()
    }

    /// Runs `act` on a ledger; how often it told that the journal failed.
    fn ledger(journals: &Journals, act: impl FnOnce(Ledger<'_>)) -> usize {
        let (clock, mut failed) = (|| at(0), 0);
        let mut tell = |event: &Event| failed += usize::from(matches!(event, Event::JournalFailed { .. }));
        let stage = Cell::new(Stage::Planned);
        act(Ledger::new(journals.create(&run_id()).unwrap(), &stage, &clock, &mut tell));
        failed
    }

    #[test]
    fn what_cannot_be_written_is_not_sent_and_blocks_nothing() {
        let (_dir, journals) = journals();
        let failed = ledger(&journals, |mut ledger| {
            ledger.note(&planned());
            ledger.log = Box::new(full());
            assert!(matches!(ledger.push(Stage::upload), Err(NotBegun::Log(_))));
            assert_eq!((ledger.stage(), ledger.pushes), (Stage::Planned, 0));
            let outcome = ledger.end(End::new(Stage::fail, Reason::JournalFailed, "disk full"));
            assert_eq!((outcome.stage, outcome.pushes), (Stage::Failed, 0));
        });
        assert_eq!(failed, 2, "the stage and the end");
        assert_eq!(newest(&journals), None);
    }

    #[test]
    fn what_could_not_be_written_is_written_before_anything_later() {
        let (_dir, journals) = journals();
        let failed = ledger(&journals, |mut ledger| {
            ledger.note(&planned());
            ledger.push(Stage::upload).unwrap();
            let good = std::mem::replace(&mut ledger.log, Box::new(full()));
            assert!(matches!(ledger.commit(Stage::flash), Err(NotBegun::Log(_))));
            assert_eq!(ledger.stage(), Stage::Uploading, "not written, not done");
            ledger.go(Stage::flash);
            ledger.go(Stage::go_down);
            assert_eq!(newest(&journals).unwrap().stage, Stage::Uploading);
            ledger.log = good;
            ledger.go(Stage::come_back);
        });
        assert_eq!(failed, 2);
        assert_eq!(newest(&journals).unwrap().stage, Stage::Returned);
    }

    #[test]
    fn an_impossible_end_is_unknown_once_anything_was_sent() {
        for (sent, stage) in [(false, Stage::Refused), (true, Stage::Unknown)] {
            let (_dir, journals) = journals();
            ledger(&journals, |mut ledger| {
                ledger.note(&planned());
                if sent {
                    ledger.push(Stage::upload).unwrap();
                }
                let outcome = ledger.end(End::new(Stage::confirm, Reason::Confirmed, "x"));
                assert_eq!(outcome.stage, stage);
                assert!(outcome.detail.contains("cannot become confirmed"), "{}", outcome.detail);
            });
        }
    }
}

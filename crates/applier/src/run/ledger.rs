use std::collections::VecDeque;

use jiff::Timestamp;

use super::End;
use crate::backup::Kept;
use crate::event::{Event, Outcome};
use crate::journal::{Journal, JournalError};
use crate::stage::{IllegalMove, Stage};

/// Where the run is, what was written down, and who hears of it.
///
/// What cannot be written down is not sent ([`Ledger::push`]). Once something was sent, a journal that
/// cannot be written ends nothing: a flash must be watched to its end. What is not written then is told
/// ([`Event::JournalFailed`]), kept, and written before anything later is: the journal has no gap.
pub(super) struct Ledger<'a> {
    journal: Journal,
    unwritten: VecDeque<(Timestamp, Event)>,
    stage: Stage,
    backup: Option<Kept>,
    pushes: u32,
    clock: &'a dyn Fn() -> Timestamp,
    tell: &'a mut dyn FnMut(&Event),
}

/// The package must not be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum NotBegun {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    Stage(#[from] IllegalMove),
}

impl<'a> Ledger<'a> {
    pub(super) fn new(
        journal: Journal,
        clock: &'a dyn Fn() -> Timestamp,
        tell: &'a mut dyn FnMut(&Event),
    ) -> Self {
        Self {
            journal,
            unwritten: VecDeque::new(),
            stage: Stage::Planned,
            backup: None,
            pushes: 0,
            clock,
            tell,
        }
    }

    pub(super) fn now(&self) -> Timestamp {
        (self.clock)()
    }

    /// The configuration is kept.
    pub(super) fn back_up(&mut self, backup: Kept) {
        if let Ok(stage) = self.stage.back_up() {
            (self.stage, self.backup) = (stage, Some(backup.clone()));
            self.note(&Event::BackedUp { backup });
        }
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// Writes and tells; what is under way goes on in any case.
    pub(super) fn note(&mut self, event: &Event) {
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
        let (stage, number) = (to(self.stage)?, self.pushes + 1);
        let event = Event::Push { number };
        self.catch_up()?;
        self.journal.append((self.clock)(), &event)?;
        (self.stage, self.pushes) = (stage, number);
        (self.tell)(&event);
        Ok(())
    }

    /// Moves on; a move that the drawing does not have is not made.
    pub(super) fn go(&mut self, to: fn(Stage) -> Result<Stage, IllegalMove>) {
        if let Ok(stage) = to(self.stage) {
            self.stage = stage;
            self.note(&Event::Stage { stage });
        }
    }

    /// The end: its stage, then all that is known. An end that the drawing does not have here is a fault
    /// of this program, and so nothing is known once anything was sent.
    pub(super) fn end(mut self, end: End) -> Outcome {
        let End { to, reason, mut detail, after } = end;
        self.stage = to(self.stage).unwrap_or_else(|illegal| {
            detail = format!("{detail}; {illegal}");
            self.stage.lose_sight().or_else(|_| self.stage.refuse()).unwrap_or(Stage::Unknown)
        });
        self.note(&Event::Stage { stage: self.stage });
        let (pushes, backup) = (self.pushes, self.backup.take());
        let outcome = Outcome { stage: self.stage, reason, detail, after, pushes, backup };
        self.note(&Event::Ended { outcome: Box::new(outcome.clone()) });
        outcome
    }

    fn catch_up(&mut self) -> Result<(), JournalError> {
        while let Some((at, event)) = self.unwritten.front() {
            self.journal.append(*at, event)?;
            self.unwritten.pop_front();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Reason;
    use crate::isolation::tests::loopback;
    use crate::journal::tests::{at, full, journals, plan, run_id};
    use crate::journal::{Journals, Replay};

    fn planned() -> Event {
        let plan = plan();
        let (digest, link) = (plan.digest().unwrap(), loopback(&plan.address).facts().clone());
        Event::Planned { run: run_id(), plan: Box::new(plan), digest, link }
    }

    fn newest(journals: &Journals) -> Option<Replay> {
        journals.newest(&plan().device.serial).unwrap()
    }

    /// Runs `act` on a ledger; how often it told that the journal failed.
    fn ledger(journals: &Journals, act: impl FnOnce(Ledger<'_>)) -> usize {
        let (clock, mut failed) = (|| at(0), 0);
        let mut tell = |event: &Event| failed += usize::from(matches!(event, Event::JournalFailed { .. }));
        act(Ledger::new(journals.create(&run_id()).unwrap(), &clock, &mut tell));
        failed
    }

    #[test]
    fn what_cannot_be_written_is_not_sent_and_blocks_nothing() {
        let (_dir, journals) = journals();
        let failed = ledger(&journals, |mut ledger| {
            ledger.note(&planned());
            ledger.journal = full();
            assert!(matches!(ledger.push(Stage::upload), Err(NotBegun::Journal(_))));
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
            let good = std::mem::replace(&mut ledger.journal, full());
            ledger.go(Stage::flash);
            ledger.go(Stage::go_down);
            assert_eq!(newest(&journals).unwrap().stage, Stage::Uploading);
            ledger.journal = good;
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

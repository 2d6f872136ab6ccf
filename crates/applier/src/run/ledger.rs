use jiff::Timestamp;

use super::{End, RunError};
use crate::event::{Event, Outcome};
use crate::journal::{Journal, JournalError};
use crate::stage::{IllegalMove, Stage};

/// Where the run is, what was written down, and who hears of it.
///
/// Before anything was sent a journal that cannot be written ends the run ([`Ledger::must`]). From
/// then on it does not: a flash must be watched to its end, and what is lost is told
/// ([`Event::JournalFailed`]).
pub(super) struct Ledger<'a> {
    journal: Journal,
    stage: Stage,
    pushes: u32,
    clock: &'a dyn Fn() -> Timestamp,
    tell: &'a mut dyn FnMut(&Event),
}

impl<'a> Ledger<'a> {
    pub(super) fn new(
        journal: Journal,
        clock: &'a dyn Fn() -> Timestamp,
        tell: &'a mut dyn FnMut(&Event),
    ) -> Self {
        Self { journal, stage: Stage::Planned, pushes: 0, clock, tell }
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    /// Writes and tells; what follows depends on it.
    pub(super) fn must(&mut self, event: &Event) -> Result<(), JournalError> {
        if event.is_journaled() {
            self.journal.append((self.clock)(), event)?;
        }
        (self.tell)(event);
        Ok(())
    }

    /// Writes and tells; what is under way goes on in any case.
    pub(super) fn note(&mut self, event: &Event) {
        if let Err(error) = self.must(event) {
            (self.tell)(&Event::JournalFailed { why: super::chain(&error) });
            (self.tell)(event);
        }
    }

    /// The package is about to be sent: the stage, then how often.
    pub(super) fn push(&mut self, to: fn(Stage) -> Result<Stage, IllegalMove>) -> Result<(), RunError> {
        let stage = to(self.stage)?;
        self.must(&Event::Stage { stage })?;
        self.stage = stage;
        self.must(&Event::Push { number: self.pushes + 1 })?;
        self.pushes += 1;
        Ok(())
    }

    /// Moves on; a move that the drawing does not have is not made.
    pub(super) fn go(&mut self, to: fn(Stage) -> Result<Stage, IllegalMove>) {
        if let Ok(stage) = to(self.stage) {
            self.stage = stage;
            self.note(&Event::Stage { stage });
        }
    }

    /// The end: its stage, then all that is known.
    pub(super) fn end(mut self, end: End) -> Result<Outcome, RunError> {
        let End { to, reason, detail, after } = end;
        self.stage = to(self.stage)?;
        self.note(&Event::Stage { stage: self.stage });
        let outcome = Outcome { stage: self.stage, reason, detail, after, pushes: self.pushes };
        self.note(&Event::Ended { outcome: Box::new(outcome.clone()) });
        Ok(outcome)
    }
}

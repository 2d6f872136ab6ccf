//! Runs that are open: which there are, how each is settled, and the statement that each is owed.
//!
//! `resume` and a plain `apply` do the same here. Neither needs the stick: everything is in the journal
//! and in this laptop's chain of statements.

use std::time::Duration;

use firmware::{Device, Serial, Text};
use jiff::{SignedDuration, Timestamp};
use keys::SigningKey;
use receipt::Chain;
use terminal::{Exit, Fail, Failure};

use super::apply::journal_failure;
use super::attend::attend;
use super::awake::Awake;
use super::clerk::Clerk;
use super::clock;
use super::recorder::Session;
use crate::context::Context;
use crate::event::{Outcome, Papers, RunId};
use crate::isolation::add_heard;
use crate::journal::{JournalError, Journals, Replay};
use crate::next::{Next, next};
use crate::open_stick::OpenStick;
use crate::quiet::quiet_left;
use crate::report::{self, Facts};
use crate::run::{Deadlines, Payload, Resume, close};
use crate::state::State;

/// What settling runs takes.
pub(super) struct Desk<'a> {
    pub(super) state: &'a State,
    pub(super) journals: &'a Journals,
    pub(super) key: &'a SigningKey,
    pub(super) stick: Option<&'a OpenStick>,
    pub(super) context: &'a Context,
}

/// Runs that are open.
#[derive(Default)]
pub(super) struct Open {
    /// Those whose recorder need not be asked.
    pub(super) closable: Vec<Replay>,
    /// Those whose recorder has to be.
    pub(super) unsettled: Vec<Replay>,
    /// Journals that may tell of others.
    pub(super) damaged: Vec<JournalError>,
}

impl Desk<'_> {
    /// Which runs are open.
    pub(super) fn open(&self, chain: &Chain) -> Result<Open, Failure> {
        let unfinished = self.journals.unfinished().map_err(journal_failure)?;
        let mut open = Open { damaged: unfinished.damaged, ..Open::default() };
        for replay in unfinished.runs {
            match next(&replay, None) {
                Next::Look => open.unsettled.push(replay),
                Next::Nothing if self.is_stated(chain, &replay) => {}
                _ => open.closable.push(replay),
            }
        }
        Ok(open)
    }

    /// Whether a statement tells of the end that is in the journal.
    fn is_stated(&self, chain: &Chain, replay: &Replay) -> bool {
        replay.outcome.as_ref().is_some_and(|outcome| self.is_last_word(chain, replay, outcome))
    }

    fn is_last_word(&self, chain: &Chain, replay: &Replay, outcome: &Outcome) -> bool {
        report::last_word(chain, self.key, &replay.run) == Some(outcome.result())
    }

    /// The recorder of a run was not met: nobody knows how it ended, and one statement says so, however often
    /// it is looked for. The journal stays as it is, so that the recorder, once it is found, is taken up where
    /// it was left, and nothing is pushed to it before.
    pub(super) fn not_met(
        &self,
        replay: &Replay,
        link: receipt::Link,
        outcome: &Outcome,
        chain: &mut Chain,
    ) -> Result<(), Failure> {
        if self.is_last_word(chain, replay, outcome) {
            return Ok(());
        }
        self.state(replay, link, outcome, chain)
    }

    /// Ends a run whose recorder need not be asked.
    pub(super) fn close(&self, replay: &Replay, chain: &mut Chain) -> Result<Outcome, Failure> {
        let outcome = if let (Some(outcome), Next::Nothing) = (&replay.outcome, next(replay, None)) {
            outcome.clone()
        } else {
            let journal = self.journals.reopen(&replay.run).map_err(journal_failure)?;
            close(replay, journal, self.context.now, |event| self.context.output.json(event))
        };
        self.state(replay, replay.link.clone(), &outcome, chain)?;
        Ok(outcome)
    }

    /// Takes up a run whose recorder answers as this device; the session follows it to where it is then.
    pub(super) fn resume(
        &self,
        replay: &Replay,
        session: &mut Session,
        device: &Device,
        (deadlines, awake): (Deadlines, &Awake),
        chain: &mut Chain,
    ) -> Result<Outcome, Failure> {
        let now = (self.context.now)();
        // what is left of the quiet period; one that has passed leaves one look
        let quiet = quiet_left(replay.last, deadlines.quiet, now);
        let quiet = quiet.map_or(Duration::ZERO, SignedDuration::unsigned_abs);
        let deadlines = Deadlines { quiet, ..deadlines };
        let mut link = session.link.facts().clone();
        let journal = || self.journals.reopen(&replay.run);
        let serial = &replay.plan.device.serial;
        let (outcome, noticed) = attend(
            session,
            (Payload::Firmware, serial),
            awake,
            self.context,
            async |session, tell, stop, senses| {
                let (recorder, link) = (&session.recorder, &session.link);
                let resume = Resume { recorder, link, replay, deadlines, senses, boot: boot() };
                resume.execute(device.clone(), journal, self.context.now, tell, stop).await
            },
        )?;
        let outcome = outcome.map_err(journal_failure)?;
        let before = replay.outcome.as_ref();
        let told = before.is_some() && before.map(|before| before.stage) == Some(outcome.stage);
        if outcome.stage.is_end() && !outcome.is_left() && !(told && self.is_stated(chain, replay)) {
            link.changes = noticed.changes;
            add_heard(&mut link, &noticed.heard);
            self.state(replay, link, &outcome, chain)?;
        }
        Ok(outcome)
    }

    /// What is stated now of a run that began earlier.
    pub(super) fn facts(
        &self,
        run: &RunId,
        started: Timestamp,
        link: receipt::Link,
        papers: Papers,
    ) -> Result<Facts, Failure> {
        let known =
            tuf_client::read_clock(&self.state.trust_store(), self.context.clock).fail(Exit::Internal)?;
        let build = self.context.clock.build;
        Ok(Facts {
            run: run.clone(),
            link,
            started,
            publication: papers.publication,
            floor: known.floor.map_or(build, |floor| floor.time.max(build)),
            clock_trusted: known.start.system_behind().is_zero(),
            resets: clock::open_resets(self.state)?,
            accepted: None,
            differences: Vec::new(),
            operator: papers.operator,
            site: papers.site,
        })
    }

    /// Signs how the run ended and delivers it.
    fn state(
        &self,
        replay: &Replay,
        link: receipt::Link,
        outcome: &Outcome,
        chain: &mut Chain,
    ) -> Result<(), Failure> {
        let facts = self.facts(&replay.run, replay.began, link, replay.papers.clone())?;
        let mut clerk = Clerk { chain, key: self.key, stick: self.stick, facts, context: self.context };
        clerk.last_word(|facts, now| report::ended(facts, &replay.plan, replay.digest, outcome, now));
        Ok(())
    }
}

impl Open {
    /// Only those of one recorder.
    pub(super) fn of(mut self, serial: &Serial) -> Self {
        let of = |replay: &Replay| replay.plan.device.serial == *serial;
        self.closable.retain(of);
        self.unsettled.retain(of);
        self
    }
}

/// The kernel's id for the time since this laptop was started.
fn boot() -> Option<Text> {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    Some(Text::cleaned(id.trim()))
}

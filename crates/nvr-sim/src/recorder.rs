use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use firmware::{Model, Revision, Serial};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::gate::{Denial, Gate};
use crate::state::{Counters, Package, Stage, State};

/// The machine: what it is, what it is doing, who may talk to it. Its methods are the transitions;
/// `route` and `upgrade` are how the wire reaches them, `power` how a reboot reaches the wire.
pub(crate) struct Recorder {
    pub(crate) model: Model,
    pub(crate) serial: Serial,
    pub(crate) device_type: String,
    pub(crate) after: Revision,
    pub(crate) flash: Duration,
    pub(crate) down: Duration,
    pub(crate) gate: Mutex<Gate>,
    pub(crate) state: watch::Sender<State>,
    /// The recorder's clock when it was started, and when that was.
    pub(crate) clock: (Timestamp, Instant),
}

impl Recorder {
    /// A copy of the state as it is now.
    pub(crate) fn state(&self) -> State {
        self.state.borrow().clone()
    }

    /// Counts something.
    pub(crate) fn count(&self, count: impl FnOnce(&mut Counters)) {
        self.state.send_modify(|state| count(&mut state.counters));
    }

    /// Judges a request and counts the outcome. A denial comes with the challenge to send, if any.
    pub(crate) fn admit(
        &self,
        method: &str,
        target: &str,
        authorization: Option<&str>,
    ) -> Result<(), (Denial, Option<String>)> {
        let (outcome, wrong) = {
            let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
            let before = gate.lock.failures();
            let outcome = gate.admit(Instant::now(), method, target, authorization);
            let wrong = outcome.is_err() && gate.lock.failures() > before;
            (outcome.map_err(|denial| (denial, gate.challenge(denial))), wrong)
        };
        self.count(|counters| match outcome {
            Ok(()) => counters.logins += 1,
            Err((Denial::Unauthenticated, _)) => counters.unauthenticated += 1,
            Err(_) if wrong => counters.wrong_logins += 1,
            Err(_) => counters.other_denials += 1,
        });
        outcome
    }

    /// Starts to receive a package; `None` if it is already busy with one, or says so.
    pub(crate) fn receive(&self) -> Option<Reception<'_>> {
        let free = self.state.send_if_modified(|state| {
            let free = state.stage == Stage::Idle && !state.faults.busy;
            if free {
                state.stage = Stage::Receiving;
            }
            free
        });
        free.then_some(Reception(self))
    }

    /// A body has arrived whole.
    pub(crate) fn received(&self, package: Package) {
        self.state.send_modify(|state| {
            state.counters.bodies += 1;
            state.last_package = Some(package);
        });
    }

    /// Writes the package that was received, which takes its time.
    pub(crate) async fn write_flash(&self) {
        self.state.send_modify(|state| {
            state.stage = Stage::Flashing;
            state.flashing_since = Some(Instant::now());
        });
        tokio::time::sleep(self.flash).await;
        // fails only without a sender, which is part of this recorder
        let _ = self.state.subscribe().wait_for(|state| !state.faults.stall).await;
        self.state.send_modify(|state| state.stage = Stage::RebootRequired);
        if self.state.borrow().faults.cut_at_end {
            self.power_down();
        }
    }

    /// How much of the package is written, 0 to 100.
    pub(crate) fn percent(&self) -> u8 {
        let state = self.state.borrow();
        match (state.stage, state.flashing_since) {
            (Stage::RebootRequired, _) => 100,
            // 100 is said only once it is done
            (Stage::Flashing, Some(since)) => (1..=99)
                .rev()
                .find(|percent| since.elapsed() * 100 >= self.flash * u32::from(*percent))
                .unwrap_or(0),
            _ => 0,
        }
    }

    /// Goes down, unless a package came in since the reboot was asked for. What was written will run
    /// after [`Recorder::boot`].
    pub(crate) fn power_down(&self) {
        self.state.send_if_modified(|state| {
            match state.stage {
                Stage::Idle => {}
                Stage::RebootRequired => state.revision = self.after.clone(),
                Stage::Receiving | Stage::Flashing | Stage::Down => return false,
            }
            state.counters.reboots += 1;
            state.stage = Stage::Down;
            true
        });
    }

    /// Comes up again.
    pub(crate) fn boot(&self) {
        self.state.send_modify(|state| {
            let upgraded = state.flashing_since.take().is_some();
            self.gate.lock().unwrap_or_else(PoisonError::into_inner).reboot(upgraded);
            state.stage = Stage::Idle;
        });
    }

    /// What its own clock shows.
    pub(crate) fn local_time(&self) -> Timestamp {
        let (start, since) = self.clock;
        let offset = SignedDuration::from_secs(self.state.borrow().faults.clock_offset);
        let shown = start.checked_add(since.elapsed()).and_then(|now| now.checked_add(offset));
        shown.unwrap_or(start)
    }
}

/// A package on its way in. Dropped before the flash is written, it leaves the recorder idle.
pub(crate) struct Reception<'a>(&'a Recorder);

impl Drop for Reception<'_> {
    fn drop(&mut self) {
        self.0.state.send_if_modified(|state| {
            let lost = state.stage == Stage::Receiving;
            if lost {
                state.stage = Stage::Idle;
            }
            lost
        });
    }
}

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use firmware::{Model, Revision};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;

use crate::gate::{Denial, Gate};
use crate::power::Place;
use crate::state::{Package, Stage, State};
use crate::{Counters, Login, Profile, WhileFlashing, tls};

/// The machine: what it is, what it is doing, who may talk to it. Its methods are the transitions;
/// `route` and `upgrade` are how the wire reaches them, `power` how a reboot reaches the wire.
pub(crate) struct Recorder {
    pub(crate) profile: Profile,
    pub(crate) model: Model,
    pub(crate) device_type: Option<String>,
    pub(crate) after: Revision,
    pub(crate) flash: Duration,
    pub(crate) down: Duration,
    pub(crate) gate: Mutex<Gate>,
    pub(crate) state: watch::Sender<State>,
    /// The recorder's clock when it was started, and when that was.
    pub(crate) clock: (Timestamp, Instant),
    /// How it shakes hands, if it listens for TLS.
    pub(crate) tls: Mutex<Option<TlsAcceptor>>,
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

    /// Judges a request and counts the outcome. A denial comes with the challenges to send.
    pub(crate) fn admit(
        &self,
        method: &str,
        target: &str,
        authorization: Option<&str>,
    ) -> Result<(), (Denial, Vec<String>)> {
        let (outcome, wrong) = {
            let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
            let before = gate.lock.failures();
            let outcome = gate.admit(Instant::now(), method, target, authorization);
            let wrong = outcome.is_err() && gate.lock.failures() > before;
            (outcome.map_err(|denial| (denial, gate.challenges(denial, target))), wrong)
        };
        let scheme = authorization.and_then(|header| header.split(' ').next());
        self.count(|counters| {
            counters.basic += u64::from(scheme.is_some_and(|scheme| scheme.eq_ignore_ascii_case("basic")));
            match outcome {
                Ok(()) => counters.logins += 1,
                Err((Denial::Unauthenticated, _)) => counters.unauthenticated += 1,
                Err(_) if wrong => counters.wrong_logins += 1,
                Err(_) => counters.other_denials += 1,
            }
        });
        outcome
    }

    /// Asks for credentials in another way from now on. Wrong passwords stay counted, and an empty
    /// password leaves the password as it is: it is never shown, so nobody can repeat it.
    pub(crate) fn set_login(&self, mut login: Login) {
        {
            let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
            if login.password.is_empty() {
                login.password.clone_from(&gate.login.password);
            }
            gate.login = login.clone();
        }
        self.state.send_modify(|state| state.login = login);
    }

    /// Whether its account is locked.
    pub(crate) fn is_locked(&self) -> bool {
        let mut gate = self.gate.lock().unwrap_or_else(PoisonError::into_inner);
        gate.lock.remaining(Instant::now()).is_some()
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

    /// A body has arrived whole, and took this long.
    pub(crate) fn received(&self, package: Package, within: Duration) {
        self.state.send_modify(|state| {
            state.counters.bodies += 1;
            state.last_package = Some(package);
            state.last_upload_micros = u64::try_from(within.as_micros()).ok();
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
        let faults = self.state().faults;
        if faults.cut_at_end || faults.while_flashing == WhileFlashing::Unseen {
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
                Stage::RebootRequired => {
                    state.revision = state.faults.back_as.clone().unwrap_or_else(|| self.after.clone());
                }
                Stage::Receiving | Stage::Flashing | Stage::Down => return false,
            }
            state.counters.reboots += 1;
            state.stage = Stage::Down;
            true
        });
    }

    /// Comes up again, perhaps as another one and somewhere else.
    pub(crate) fn boot(&self, place: Place) -> Result<(), tls::TlsError> {
        let (upgraded, renew) = {
            let state = self.state.borrow();
            let upgraded = state.flashing_since.is_some();
            (upgraded, upgraded && state.faults.new_certificate && state.certificate.is_some())
        };
        self.gate.lock().unwrap_or_else(PoisonError::into_inner).reboot(upgraded);
        let certificate = if renew { Some(self.new_certificate()?) } else { None };
        self.state.send_modify(|state| {
            state.flashing_since = None;
            state.stage = Stage::Idle;
            state.booted = Instant::now();
            state.content.uptime_seconds = 0;
            state.faults.back_at = None;
            (state.address, state.https_address) = (place.plain, place.secure);
            if let Some(serial) = state.faults.back_serial.take() {
                state.serial = serial;
            }
            state.certificate = certificate.or(state.certificate);
        });
        Ok(())
    }

    fn new_certificate(&self) -> Result<firmware::Sha256Digest, tls::TlsError> {
        let (acceptor, digest) = tls::self_signed(self.model.as_str())?;
        *self.tls.lock().unwrap_or_else(PoisonError::into_inner) = Some(acceptor);
        Ok(digest)
    }

    /// What its own clock shows.
    pub(crate) fn local_time(&self) -> Timestamp {
        let (start, since) = self.clock;
        let offset = SignedDuration::from_secs(self.state.borrow().faults.clock_offset);
        let elapsed = SignedDuration::try_from(since.elapsed()).unwrap_or_default();
        start.checked_add(elapsed + offset).unwrap_or(start)
    }

    /// How long it has been running, seconds.
    pub(crate) fn uptime(&self) -> u64 {
        let state = self.state.borrow();
        state.content.uptime_seconds.saturating_add(state.booted.elapsed().as_secs())
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

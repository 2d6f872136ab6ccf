use std::time::Duration;

use firmware::{Device, Sha256Digest};
use isapi::{Error, Recorder, TlsFault, Uptime};
use tokio::time::sleep;

use super::job::Payload;
use super::ledger::Ledger;
use super::places::Places;
use super::{Going, chain};
use crate::event::Event;
use crate::presence::deadline::{Deadline, Silence};
use crate::presence::moment::Moment;
use crate::stage::Stage;

/// An uptime is told in whole seconds.
const ROUNDING: u64 = 1;
/// Two clocks differ by less than one part in so many.
const DRIFT: u64 = 100;

/// How long the recorder had been running just before anything was sent.
#[derive(Debug, Clone, Copy)]
pub(super) struct Running {
    pub(super) seconds: u64,
    /// When it said so. None after a push, of which a counter that merely stands still must prove nothing.
    pub(super) at: Option<Moment>,
}

impl Running {
    /// Whether it runs for `seconds` only because it has restarted: that is less than before, or it was gone
    /// and that is less than it would be by now.
    pub(super) fn has_restarted(self, seconds: u64, gone: bool, now: Moment) -> bool {
        let since = self.at.filter(|_| gone).map_or(0, |at| now.boot.saturating_sub(at.boot).as_secs());
        let certain = since.saturating_sub(since / DRIFT + ROUNDING);
        seconds < self.seconds.saturating_add(certain)
    }
}

/// What is waited for. Only its uptime proves that a recorder restarted: one that was gone may have been
/// unplugged (`docs/safety.md`, rule 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// Any identity.
    Answers,
    /// Another identity than before, or the same after a restart, which is due, and idle.
    Restarted,
    /// Another identity than before, or the same after a restart, which nobody asked for, and idle.
    Changed,
}

/// What came of waiting.
pub(super) enum Back {
    /// The identity that answers.
    Answered(Device),
    /// It answers as before, and this is why that proves nothing.
    Unproven(Device, String),
    /// It refuses the login; no other is sent.
    LoginRefused(String),
    /// It shows another certificate than before, and what to do about that; nothing more is said to it.
    OtherCertificate(String),
    /// It does not answer, and how it does not.
    Not(String),
}

impl Going<'_> {
    /// Asks for the identity, with a fresh challenge each time, until it is what is waited for or
    /// `limit` is over; then with what was read last. An upgrade that is said to be under way is
    /// waited for, too. Where it does not answer any more its cable is asked for it.
    pub(super) async fn wait_for(self, ledger: &mut Ledger<'_>, until: Until, limit: Duration) -> Back {
        let back = self.poll(ledger, until, limit).await;
        if let Back::Answered(device) | Back::Unproven(device, _) = &back {
            ledger.note(&Event::Read { device: Box::new(device.clone()) });
        }
        back
    }

    async fn poll(self, ledger: &mut Ledger<'_>, until: Until, limit: Duration) -> Back {
        let began = self.senses.now();
        let mut deadline = Deadline::new(limit, began);
        let (mut silence, mut still) = (Silence::from(began), Silence::from(began));
        // one that is taken up again may have been seen to go
        let mut gone = ledger.stage() == Stage::Rebooting;
        let (mut places, mut quiet) = (Places::default(), false);
        let mut last;
        loop {
            let recorder = places.recorder(self.recorder);
            let read = recorder.device_info().await;
            let now = self.senses.now();
            let left = deadline.left(now).as_secs();
            match read {
                Ok(device) => {
                    (silence, quiet) = (Silence::from(now), false);
                    match self.doubt(recorder, &device, until, gone).await {
                        None => return Back::Answered(device),
                        Some(doubt) => {
                            if let Some(seconds) = still.due(now) {
                                ledger.note(&Event::Still { what: doubt.clone(), seconds, left });
                            }
                            last = Back::Unproven(device, doubt);
                        }
                    }
                }
                Err(error) if error.is_login() => return Back::LoginRefused(chain(&error)),
                Err(error) => {
                    if let Some(found) = other_certificate(&error) {
                        return Back::OtherCertificate(self.told_of(found));
                    }
                    // a request that is lost or not answered is no restart: recorders were seen to fall
                    // silent while they flash (reference: ISAPI §4); one that restarts takes no connection
                    let restarts = matches!(error, Error::Unreachable { .. });
                    if restarts && until != Until::Answers && !gone {
                        gone = true;
                        ledger.go(Stage::go_down);
                    }
                    let seconds = silence.seconds(now);
                    last = Back::Not(format!("it has not answered for {seconds} s: {}", chain(&error)));
                    still = Silence::from(now);
                    if let Some(seconds) = silence.due(now) {
                        quiet = true;
                        ledger.note(&Event::Silent { seconds, left });
                    }
                    // one that is there is not looked for because of one lost request
                    if (gone || quiet)
                        && let Some(end) = self.look_elsewhere(ledger, &mut places).await
                    {
                        return end;
                    }
                }
            }
            let now = self.senses.now();
            if let Some(seconds) = deadline.slept(now) {
                ledger.note(&Event::Slept { seconds });
            }
            if deadline.is_over(now) {
                return places.with_sighting(last);
            }
            // a restart that is told to begin now must not fall between two looks
            let hurry = until == Until::Restarted && !gone;
            sleep(if hurry { self.deadlines.poll / 8 } else { self.deadlines.poll }).await;
        }
    }

    /// A firmware may make itself a new certificate, and somebody who answers in its place has one, too.
    pub(super) fn told_of(self, found: Sha256Digest) -> String {
        let (noun, serial) = (self.job.before.noun(), &self.job.before.serial);
        let (deed, again) = (self.job.payload.deed(), self.job.payload.again());
        format!(
            "the {noun} shows another certificate since the {deed}, SHA-256 {found}; once a person has compared it: applier trust recorder {serial} --certificate {found}, then {again}"
        )
    }

    /// Why the identity that answers is not yet what is waited for.
    pub(super) async fn doubt(
        self,
        recorder: &Recorder,
        device: &Device,
        until: Until,
        gone: bool,
    ) -> Option<String> {
        if !self.job.is_as_before(device) || until == Until::Answers {
            return None;
        }
        let (as_before, at_it) = match self.job.payload {
            Payload::Firmware => ("with its old version", "may still be flashing"),
            Payload::Configuration => ("as before", "may still be taking it over"),
        };
        if !self.has_restarted(recorder, gone).await {
            let why = match until {
                Until::Restarted if gone => format!(
                    "it was gone and answers {as_before}; that it restarted is not proven: its uptime did not fall, or it tells none"
                ),
                Until::Restarted => format!("it answers {as_before} and was not seen to restart"),
                _ => format!("it answers {as_before} and {at_it}"),
            };
            return Some(why);
        }
        // idle is only what the recorder calls so, or does not know of at all
        match recorder.upgrade_status().await {
            Ok(Some(status)) if status.in_progress() => {
                Some(format!("it answers {as_before} and says that an upgrade is under way"))
            }
            Ok(_) => None,
            Err(error) => Some(format!(
                "it answers {as_before} and does not say whether an upgrade is under way: {}",
                chain(&error)
            )),
        }
    }

    /// Whether its uptime says so (`docs/safety.md`, rule 7). One that it does not tell proves nothing.
    async fn has_restarted(self, recorder: &Recorder, gone: bool) -> bool {
        let (Some(before), asked) = (self.running, self.senses.now()) else { return false };
        let told = recorder.read_offered::<Uptime>().await;
        matches!(told, Ok(Some(now)) if before.has_restarted(now.seconds, gone, asked))
    }
}

/// The certificate that came instead of the pinned one, if that is why a request failed.
pub(super) fn other_certificate(error: &Error) -> Option<Sha256Digest> {
    match error {
        Error::Tls { source, .. } => match **source {
            TlsFault::OtherCertificate { found, .. } => Some(found),
            _ => None,
        },
        _ => None,
    }
}

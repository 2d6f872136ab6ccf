use std::time::Duration;

use firmware::{Device, Sha256Digest};
use isapi::{Error, Recorder, TlsFault, Uptime};
use tokio::time::sleep;

use super::ledger::Ledger;
use super::places::Places;
use super::{Going, chain};
use crate::event::Event;
use crate::presence::deadline::{Deadline, Silence};
use crate::stage::Stage;

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
        let serial = &self.plan.device.serial;
        format!(
            "the recorder shows another certificate since the push, SHA-256 {found}; once a person has compared it: applier trust recorder {serial} --certificate {found}, then applier resume"
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
        let before = &self.plan.device;
        let same = device.serial == before.serial && device.revision == before.revision;
        if !same || until == Until::Answers {
            return None;
        }
        if !self.has_restarted(recorder).await {
            let why = match until {
                Until::Restarted if gone => {
                    "it was gone and answers with its old version; that it restarted is not proven: its uptime did not fall, or it tells none"
                }
                Until::Restarted => "it answers with its old version and was not seen to restart",
                _ => "it answers with its old version and may still be flashing",
            };
            return Some(why.into());
        }
        // idle is only what the recorder calls so, or does not know of at all
        match recorder.upgrade_status().await {
            Ok(Some(status)) if status.in_progress() => {
                Some("it answers with its old version and says that an upgrade is under way".into())
            }
            Ok(_) => None,
            Err(error) => Some(format!(
                "it answers with its old version and does not say whether an upgrade is under way: {}",
                chain(&error)
            )),
        }
    }

    /// Whether its uptime is less than just before the push (`docs/safety.md`, rule 7). One that it does not tell
    /// proves nothing.
    async fn has_restarted(self, recorder: &Recorder) -> bool {
        let Some(before) = self.uptime else { return false };
        matches!(recorder.read_offered::<Uptime>().await, Ok(Some(now)) if now.seconds < before)
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

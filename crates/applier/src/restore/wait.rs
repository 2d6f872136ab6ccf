use std::time::Instant;

use firmware::Device;
use isapi::{Error, Reboot, Recorder, TlsFault, Uptime};
use receipt::RestoreResult;

use super::{Restore, RestoreEvent, RestoreOutcome};
use crate::event::Reason;
use crate::run::chain;

/// A silence is told after this and then as often, seconds.
const SILENCE: u64 = 10;
/// A recorder that did not say that it restarts is watched for this part of the time for its return
/// before its answers count: the vendor's page looks again after 60 of 300 s (reference: ISAPI §6).
const GRACE: u32 = 5;
/// An uptime is told in whole seconds.
const ROUNDING: u64 = 1;

/// Since when the recorder is running, where it tells: a restart that falls between two looks shows in it.
pub(super) struct Running {
    told: Option<Uptime>,
    at: Instant,
}

impl Running {
    pub(super) async fn read(recorder: &Recorder) -> Self {
        Self { told: recorder.read().await.ok(), at: Instant::now() }
    }

    /// Whether it has been running for less than it would have been.
    async fn has_restarted(&self, recorder: &Recorder) -> bool {
        let Some(before) = self.told else { return false };
        let Ok(now) = recorder.read::<Uptime>().await else { return false };
        now.seconds.saturating_add(ROUNDING) < before.seconds.saturating_add(self.at.elapsed().as_secs())
    }
}

impl Restore<'_> {
    /// The recorder took it: wait until it is back.
    pub(super) async fn wait_settled(
        &self,
        reboot: Reboot,
        running: &Running,
        tell: &mut impl FnMut(&RestoreEvent),
    ) -> RestoreOutcome {
        let unknown = |reason, detail: String| {
            let detail = format!("recorder took the configuration; {detail}");
            RestoreOutcome::new(RestoreResult::UnknownAfterRestore, reason, detail)
        };
        let (began, mut heard, mut told, mut gone) = (Instant::now(), Instant::now(), 0, false);
        let (mut last, mut answers) = ("no answer yet".to_owned(), false);
        while began.elapsed() < self.deadlines.back {
            match self.recorder.device_info().await {
                Ok(device) if self.is_back(reboot, (running, began)).await => return self.judge(device),
                Ok(_) => (heard, told, answers) = (Instant::now(), 0, true),
                Err(error) if error.is_login() => return unknown(Reason::LoginRefused, chain(&error)),
                Err(error) if is_other_certificate(&error) => {
                    return unknown(Reason::OtherCertificate, chain(&error));
                }
                Err(error) => {
                    answers = false;
                    // one that restarts takes no connection; silence alone is no restart
                    if matches!(error, Error::Unreachable { .. }) && !gone {
                        gone = true;
                        tell(&RestoreEvent::RestoreDown);
                    }
                    last = chain(&error);
                    let seconds = heard.elapsed().as_secs();
                    if seconds >= told + SILENCE {
                        told = seconds;
                        tell(&RestoreEvent::Silent { seconds });
                    }
                }
            }
            // a restart must not fall between two looks
            let hurry = if gone { 1 } else { 8 };
            tokio::time::sleep(self.deadlines.poll / hurry).await;
        }
        if !answers {
            return unknown(Reason::NeverReturned, format!("it did not come back: {last}"));
        }
        let what = if gone {
            "it was gone, but that it restarted is not proven: its uptime did not fall, or it tells none"
        } else {
            "it was not seen to restart"
        };
        unknown(Reason::NeverRestarted, what.into())
    }

    /// One that was gone may only have been unplugged.
    async fn is_back(&self, reboot: Reboot, (running, began): (&Running, Instant)) -> bool {
        (reboot == Reboot::NotSaid && began.elapsed() > self.deadlines.back / GRACE)
            || running.has_restarted(self.recorder).await
    }

    fn judge(&self, after: Device) -> RestoreOutcome {
        let before = &self.plan.device;
        let detail = format!("it answers as {} with {}", after.serial, after.revision);
        let outcome = if after.serial != before.serial {
            RestoreOutcome::new(RestoreResult::UnknownAfterRestore, Reason::OtherSerial, detail)
        } else if after.revision != before.revision {
            RestoreOutcome::new(RestoreResult::UnknownAfterRestore, Reason::VersionOther, detail)
        } else {
            let detail = format!("recorder took the configuration; {detail}");
            RestoreOutcome::new(RestoreResult::Restored, Reason::Restored, detail)
        };
        outcome.with(after)
    }
}

fn is_other_certificate(error: &Error) -> bool {
    matches!(error, Error::Tls { source, .. } if matches!(**source, TlsFault::OtherCertificate { .. }))
}

use std::cell::Cell;

use firmware::{Device, Text};
use isapi::{Error, Reboot, Recorder, Uptime};
use jiff::Timestamp;
use tokio::time::Instant;

use super::ledger::Ledger;
use super::wait::Running;
use super::{Deadlines, End, Going, Job, Senses, Stop};
use crate::confirm::confirm;
use crate::event::{Event, Outcome, Reason};
use crate::isolation::CheckedLink;
use crate::journal::{Journal, JournalError, Replay};
use crate::next::{Next, Seen, next};
use crate::stage::Stage;

/// A run that was left, and what is needed to take it up again.
pub struct Resume<'a> {
    /// The recorder, with the one login.
    pub recorder: &'a Recorder,
    /// The link to it.
    pub link: &'a CheckedLink,
    /// Where the run stands.
    pub replay: &'a Replay,
    /// How long is waited; the quiet period is what is left of it.
    pub deadlines: Deadlines,
    /// What is perceived besides the recorder's answers.
    pub senses: Senses<'a>,
    /// The kernel's id for the time since this laptop was started.
    pub boot: Option<Text>,
}

impl Resume<'_> {
    /// Finds out where the recorder is, which says that it is `device`, and does what is safe. The journal
    /// is opened only if there is anything to write. An outcome that is no end, or is unknown as before,
    /// was not written.
    ///
    /// # Errors
    ///
    /// The journal cannot be opened; then nothing was done.
    pub async fn execute(
        self,
        device: Device,
        journal: impl FnOnce() -> Result<Journal, JournalError>,
        clock: impl Fn() -> Timestamp,
        mut tell: impl FnMut(&Event),
        mut stop: Stop<'_>,
    ) -> Result<Outcome, JournalError> {
        let Self { recorder, link, replay, deadlines, senses, boot } = self;
        let job = Job::push(&replay.plan);
        let running = replay.uptime.map(|seconds| Running { seconds, at: None });
        let going = Going { recorder, job, deadlines, senses, running };
        let seen = seen(recorder, device).await;
        let to_do = next(replay, Some(&seen));
        if let Some(outcome) = untold(replay, &seen, to_do) {
            return Ok(outcome);
        }
        let stage = Cell::new(replay.stage);
        let mut ledger =
            Ledger::new(journal()?, &stage, &clock, &mut tell).behind(replay.pushes, replay.backup.clone());
        let address = recorder.address().clone();
        ledger.note(&Event::Resumed { address, link: link.facts().clone(), boot });
        ledger.note(&Event::Read { device: Box::new(seen.device.clone()) });
        let end = stop.or_end_of(&stage, Box::pin(going.resume(replay, seen, to_do, &mut ledger))).await;
        Ok(match end {
            Some(end) => ledger.end(end),
            None => ledger.leave("the program was asked to end"),
        })
    }
}

/// The identity of a recorder, once it answers: a recorder that restarts is waited for. What it says
/// else, or that it refuses the login, is not.
///
/// # Errors
///
/// The last one.
pub async fn answered(recorder: &Recorder, deadlines: Deadlines) -> Result<Device, Error> {
    let began = Instant::now();
    loop {
        match recorder.device_info().await {
            Err(error) if error.is_absence() && began.elapsed() < deadlines.back => {}
            answer => return answer,
        }
        tokio::time::sleep(deadlines.poll).await;
    }
}

/// What a recorder that says that it is `device` answers now.
pub async fn seen(recorder: &Recorder, device: Device) -> Seen {
    let idle =
        matches!(recorder.upgrade_status().await, Ok(status) if !status.is_some_and(|s| s.in_progress()));
    let uptime = recorder.read_offered::<Uptime>().await.ok().flatten();
    Seen { device, idle, uptime: uptime.map(|uptime| uptime.seconds) }
}

impl Going<'_> {
    async fn resume(self, replay: &Replay, seen: Seen, to_do: Next, ledger: &mut Ledger<'_>) -> End {
        let device = seen.device;
        let how = || format!("the run was left at {}", replay.stage);
        let lost = if replay.held { Reason::LostBeforeEnd } else { Reason::LostAfterEnd };
        match to_do {
            Next::Untouched => {
                let why = match (replay.held, &replay.answer) {
                    (false, Some(answer)) => self.job.words(answer),
                    _ => "the last block of the package never left this laptop".into(),
                };
                let reason = match (replay.held, &replay.answer) {
                    (false, Some(answer)) => self.job.reason(answer),
                    _ => Reason::Interrupted,
                };
                let detail = format!("{why}; it still answers with {}", device.revision);
                End::new(Stage::fail, reason, detail).with(device)
            }
            Next::Disturbed => {
                let detail = format!(
                    "the package cannot be in the recorder, and now it answers with {}",
                    device.revision
                );
                End::new(Stage::lose_sight, Reason::of(&self.verdict(&device)), detail).with(device)
            }
            Next::AskReboot => self.restart(ledger, Reboot::Due).await,
            Next::WatchRestart => self.wait_settled(ledger, &self.job.taken()).await,
            Next::WatchChange => self.wait_unsettled(ledger, lost, how()).await,
            // nothing else is brought here
            _ => self.judge(ledger, device),
        }
    }
}

/// Writes the end of a run that needs no look at its recorder: nothing was sent, or its end was reached
/// and not written whole.
pub fn close(
    replay: &Replay,
    journal: Journal,
    clock: impl Fn() -> Timestamp,
    mut tell: impl FnMut(&Event),
) -> Outcome {
    let stage = Cell::new(replay.stage);
    let ledger = Ledger::new(journal, &stage, &clock, &mut tell).behind(replay.pushes, replay.backup.clone());
    if next(replay, None) == Next::NotBegun {
        let detail = "interrupted before anything was sent";
        return ledger.end(End::new(Stage::fail, Reason::Interrupted, detail));
    }
    let reason = match (replay.stage, &replay.after) {
        (Stage::Confirmed, _) => Reason::Confirmed,
        (Stage::ChangedNotToTarget, Some(after)) => {
            Reason::of(&confirm(&replay.plan.device, &replay.plan.target.revision, after))
        }
        _ => Reason::Interrupted,
    };
    let detail = format!("it had ended as {} when the program was interrupted", replay.stage);
    ledger.close(reason, detail, replay.after.clone())
}

/// How it stands where nothing is to be written.
fn untold(replay: &Replay, seen: &Seen, to_do: Next) -> Option<Outcome> {
    let Seen { device, .. } = seen;
    let (reason, detail) = match (to_do, &replay.outcome) {
        (Next::OtherSerial, _) => (
            Reason::OtherSerial,
            format!("{} answers, the run is about {}", device.serial, replay.plan.device.serial),
        ),
        (Next::Unproven, Some(outcome)) => (
            outcome.reason,
            format!(
                "it answers with {}, which proves nothing: it was watched to the end of the quiet period before ({})",
                device.revision, outcome.detail
            ),
        ),
        _ => return None,
    };
    Some(replay.standing(reason, detail, Some(device.clone())))
}

#[cfg(test)]
mod tests;

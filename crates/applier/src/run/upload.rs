use std::pin::pin;
use std::time::Duration;

use isapi::{
    Answer, End as Sending, Error, Package, Permit, Pushed, Reboot, Recorder, Ticket, UpgradeStatus,
    UploadProgress,
};
use tokio::sync::watch;
use tokio::time::interval;

use super::job::{Job, Payload};
use super::ledger::Ledger;
use super::lull::Lull;
use super::{End, Going, chain};
use crate::event::{Event, Reason};
use crate::stage::Stage;

/// What is known once the sending is over.
pub(super) enum Sent {
    /// Nothing was sent.
    Not(End),
    /// The last block is still here, or this upload's own answer proves that it was not taken.
    Untouched { reason: Reason, detail: String },
    /// All left, and the recorder took it.
    Taken(Reboot),
    /// All left, and nothing proves how it ended.
    Unsettled { reason: Reason, detail: String },
}

impl Going<'_> {
    /// Sends the package, and once more where that is allowed.
    pub(super) async fn send(self, package: &Package, ledger: &mut Ledger<'_>) -> Sent {
        let mut ticket = match self.job.ticket(self.recorder).await {
            Ok(ticket) => ticket,
            Err(error) => return Sent::Not(End::not_begun(&error)),
        };
        if let Err(error) = ledger.push(Stage::upload) {
            return Sent::Not(End::new(Stage::fail, Reason::JournalFailed, chain(&error)));
        }
        loop {
            let pushed = match self.send_once(ticket, package, ledger).await {
                Ok(pushed) => pushed,
                Err(error) => return Sent::Untouched { reason: Reason::LoginRefused, detail: chain(&error) },
            };
            let Pushed { handed, released, end } = pushed;
            let (sent, answer, how, resend) = judge(self.job, released, end);
            ledger.note(&Event::Uploaded { handed, released, answer, how });
            match resend {
                // what cannot be written down is not sent
                Some(again) => match ledger.push(Stage::resend) {
                    Ok(()) => ticket = again,
                    Err(error) => {
                        let (reason, detail) = (Reason::JournalFailed, chain(&error));
                        return Sent::Untouched { reason, detail };
                    }
                },
                None => return sent,
            }
        }
    }

    async fn send_once(
        self,
        ticket: Ticket,
        package: &Package,
        ledger: &mut Ledger<'_>,
    ) -> Result<Pushed, Error> {
        let (progress, mut seen) = watch::channel(UploadProgress::default());
        let (permit, consent) = Permit::to_be_asked();
        let mut consent = Some(consent);
        let patience = self.deadlines.patience();
        let mut upload = pin!(self.recorder.upload_with(ticket, package, patience, &progress, permit));
        let mut look = pin!(look(self.recorder, self.deadlines.poll));
        let total = package.size();
        // of a configuration nobody says how far it is
        let flashes = self.job.payload == Payload::Firmware;
        let mut told = 0;
        let (mut lull, mut ticks) = (Lull::new(self.deadlines, self.senses.now()), interval(TICK));
        loop {
            tokio::select! {
                biased;
                pushed = &mut upload => return pushed,
                Ok(()) = seen.changed() => {
                    let UploadProgress { handed, released, waiting } = *seen.borrow_and_update();
                    lull.took(self.senses.now());
                    // what cannot be written down is not sent; withheld, it ends the upload
                    if waiting && let Some(consent) = consent.take() {
                        match ledger.commit(Stage::flash) {
                            Ok(()) => consent.give(),
                            Err(error) => ledger.note(&Event::JournalFailed { why: chain(&error) }),
                        }
                    }
                    if released || handed - told >= total / 100 {
                        told = handed;
                        ledger.note(&Event::Upload { handed, total });
                    }
                }
                // what the recorder says of itself counts once it has everything
                status = &mut look, if flashes && ledger.stage() == Stage::Flashing => {
                    lull.looked(&status, self.senses.now());
                    let stop = matches!(&status, Err(error) if error.is_login());
                    if let Ok(Some(UpgradeStatus { percent: Some(percent), .. })) = status {
                        ledger.note(&Event::Progress { percent });
                    }
                    look.set(self::look(self.recorder, if stop { Duration::MAX } else { self.deadlines.poll }));
                }
                _ = ticks.tick() => {
                    let now = self.senses.now();
                    let flashing = ledger.stage() == Stage::Flashing;
                    for event in lull.tick(flashing, now) {
                        ledger.note(&event);
                    }
                    // an upload that still goes on is not broken off for that
                    if flashing && lull.overslept(now) {
                        let UploadProgress { handed, released, .. } = *seen.borrow();
                        return Ok(Pushed { handed, released, end: Sending::TooLong(self.deadlines.whole) });
                    }
                }
            }
        }
    }
}

/// How exact it is when something is told in between.
const TICK: Duration = Duration::from_secs(1);

/// One look at the progress, after a pause, over a connection of its own.
async fn look(recorder: &Recorder, pause: Duration) -> Result<Option<UpgradeStatus>, Error> {
    tokio::time::sleep(pause).await;
    recorder.upgrade_status().await
}

/// What the end of a sending means (`docs/safety.md`, rules 6 and 7).
fn judge(job: Job<'_>, released: bool, end: Sending) -> (Sent, Option<Answer>, String, Option<Ticket>) {
    match end {
        Sending::Answered(answer) => {
            let how = job.words(&answer);
            let sent = match &answer {
                Answer::Taken { reboot } if released => Sent::Taken(*reboot),
                answer => sent(job.is_untouched(released, answer), job.reason(answer), &how),
            };
            (sent, Some(answer), how, None)
        }
        Sending::Unauthorized { check, resend } => {
            let how = match &resend {
                Some(_) => format!("{} wants a new login challenge; sending once more", job.before.noun()),
                None => format!("{} refused the login of the upload", job.before.noun()),
            };
            (sent(!released, Reason::LoginRefused, &how), Some(Answer::Authentication(check)), how, resend)
        }
        Sending::Lost(error) => broken(released, Reason::LostBeforeEnd, chain(&error)),
        Sending::Stalled(after) => {
            broken(released, Reason::LostBeforeEnd, format!("no byte was taken for {} s", after.as_secs()))
        }
        Sending::TooLong(after) => {
            broken(released, Reason::LostBeforeEnd, format!("no answer within {} s", after.as_secs()))
        }
        Sending::WrongDigest { expected, found } => {
            let how = format!(
                "local copy of the {} has SHA-256 {found}, agreed to is {expected}: upload aborted before its last block",
                job.payload.noun()
            );
            broken(released, Reason::DigestMismatch, how)
        }
        Sending::Withheld => broken(
            released,
            Reason::JournalFailed,
            "that the last block leaves could not be written down, so it did not".into(),
        ),
        Sending::Unreadable(why) => broken(
            released,
            Reason::PackageUnreadable,
            format!("local copy of the {} cannot be read: {why}", job.payload.noun()),
        ),
    }
}

fn broken(released: bool, reason: Reason, how: String) -> (Sent, Option<Answer>, String, Option<Ticket>) {
    let reason = if released { Reason::LostAfterEnd } else { reason };
    (sent(!released, reason, &how), None, how, None)
}

fn sent(untouched: bool, reason: Reason, detail: &str) -> Sent {
    let detail = detail.to_owned();
    if untouched { Sent::Untouched { reason, detail } } else { Sent::Unsettled { reason, detail } }
}

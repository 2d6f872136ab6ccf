//! A run: a plan and an open file become a recorder that is confirmed, or one whose state is said.
//!
//! Every stage is journaled and synced before what it names is done ([`crate::journal`]). The package
//! is sent once; once more only if the recorder answered 401 while the last block was still here. What
//! follows from how the sending ended:
//!
//! | the last block | the recorder | then |
//! |---|---|---|
//! | still here | anything | read the identity: unchanged is *failed*, anything else *unknown* |
//! | left | took it | tell it to restart, wait, read back; not gone and back with its old version is *unknown* |
//! | left | refused it in a `ResponseStatus`, before writing | read the identity: unchanged is *failed*, else *unknown* |
//! | left | silent, busy, unclear, failed while writing | wait, poll, read back; its old version proves nothing, it may still be flashing |
//!
//! A run that was left is taken up again by [`Resume`], which sends nothing but, where it is due, the
//! request to restart. Waiting is polling: no recorder announces that it is back. It is counted in boot time
//! ([`Senses`]), since this laptop may sleep in between. `clock` gives the time for the journal.

mod backup;
mod ledger;
mod lull;
mod places;
mod resume;
mod senses;
mod settle;
mod stop;
mod upload;
mod wait;

use std::cell::Cell;
use std::time::Duration;

use firmware::Device;
use isapi::{Answer, Error, Package, Patience, Reboot, Recorder, Uptime};
use jiff::Timestamp;

use crate::backup::Keeper;
use crate::event::{Event, Outcome, Reason};
use crate::journal::Journal;
use crate::plan::Plan;
use crate::stage::{IllegalMove, Stage};
use ledger::Ledger;
pub use resume::{Resume, answered, close, seen};
pub use senses::Senses;
pub use stop::Stop;
use upload::Sent;

/// How long is waited for what. Each is a flag with these defaults (`docs/safety.md`, rule 10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadlines {
    /// Without a byte taken: 600 s, the time after which third-party tools that work give up.
    pub stalled: Duration,
    /// The whole push with its flashing: 1800 s, likewise.
    pub whole: Duration,
    /// For the return after a restart: 300 s; 240 to 300 were seen to suffice.
    pub back: Duration,
    /// After a push that may still be going on, before its recorder is given up: 900 s.
    pub quiet: Duration,
    /// Between two looks: 2 s, as the vendor's page does.
    pub poll: Duration,
}

impl Default for Deadlines {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            stalled: seconds(600),
            whole: seconds(1800),
            back: seconds(300),
            quiet: seconds(900),
            poll: seconds(2),
        }
    }
}

impl Deadlines {
    fn patience(self) -> Patience {
        Patience { stalled: self.stalled, whole: self.whole }
    }
}

/// What a run is given.
pub struct Run<'a> {
    /// The recorder, with the one login.
    pub recorder: &'a Recorder,
    /// What was agreed to.
    pub plan: &'a Plan,
    /// The verified file.
    pub package: &'a Package,
    /// Keeps the configuration before anything is sent; none where the plan has a reason not to.
    pub keeper: Option<&'a Keeper>,
    /// How long is waited.
    pub deadlines: Deadlines,
    /// What is perceived besides the recorder's answers.
    pub senses: Senses<'a>,
    /// Where it is written down; it holds the plan.
    pub journal: Journal,
}

impl Run<'_> {
    /// Does it. `tell` hears every event, in order; those that are journaled after they are on disk. If
    /// that fails before anything was sent, nothing is. `stop` may end it before its end: then the outcome
    /// is no end, and the journal is left in order.
    pub async fn execute(
        self,
        clock: impl Fn() -> Timestamp,
        mut tell: impl FnMut(&Event),
        mut stop: Stop<'_>,
    ) -> Outcome {
        let Self { recorder, plan, package, keeper, deadlines, senses, journal } = self;
        let stage = Cell::new(Stage::Planned);
        let mut ledger = Ledger::new(journal, &stage, &clock, &mut tell);
        let going = Going { recorder, plan, deadlines, senses, uptime: None };
        match stop.or_end_of(&stage, Box::pin(going.whole(package, keeper, &mut ledger))).await {
            Some(end) => ledger.end(end),
            None => Box::pin(going.stopped(ledger, &stage, &mut stop)).await,
        }
    }
}

/// What does not change during a run.
#[derive(Clone, Copy)]
struct Going<'a> {
    recorder: &'a Recorder,
    plan: &'a Plan,
    deadlines: Deadlines,
    senses: Senses<'a>,
    /// How long the recorder had been running before the push, in seconds.
    uptime: Option<u64>,
}

/// How a run is going to end; the ledger knows the rest.
struct End {
    to: fn(Stage) -> Result<Stage, IllegalMove>,
    reason: Reason,
    detail: String,
    after: Option<Device>,
}

impl End {
    fn new(to: fn(Stage) -> Result<Stage, IllegalMove>, reason: Reason, detail: impl Into<String>) -> Self {
        Self { to, reason, detail: detail.into(), after: None }
    }

    fn with(self, after: Device) -> Self {
        Self { after: Some(after), ..self }
    }

    /// Nothing was sent.
    fn not_begun(error: &Error) -> Self {
        let reason = match error {
            error if error.is_absence() => Reason::Unreachable,
            error if error.is_login() => Reason::LoginRefused,
            Error::Upgrading { .. } => Reason::Busy,
            Error::NoPermission { .. } | Error::NotOffered { .. } => Reason::NotPermitted,
            _ => Reason::AnswerUnclear,
        };
        Self::new(Stage::refuse, reason, chain(error))
    }
}

/// An error with its causes, for people.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words.push_str(": ");
        words.push_str(&cause.to_string());
        source = cause.source();
    }
    words
}

impl Going<'_> {
    /// All that comes before the first byte.
    async fn prepare(self, keeper: Option<&Keeper>, ledger: &mut Ledger<'_>) -> Result<(), End> {
        self.still_as_planned().await?;
        self.back_up(keeper, ledger).await
    }

    async fn whole(self, package: &Package, keeper: Option<&Keeper>, ledger: &mut Ledger<'_>) -> End {
        if let Err(end) = self.prepare(keeper, ledger).await {
            return end;
        }
        let uptime = match self.recorder.read_offered::<Uptime>().await {
            Ok(uptime) => uptime.map(|uptime| uptime.seconds),
            Err(error) if error.is_login() || error.is_absence() => return End::not_begun(&error),
            // it only helps to know it
            Err(_) => None,
        };
        if let Some(seconds) = uptime {
            ledger.note(&Event::Uptime { seconds });
        }
        Self { uptime, ..self }.push(package, ledger).await
    }

    /// A person took time to agree: is it still the recorder that was planned for, and idle?
    async fn still_as_planned(self) -> Result<(), End> {
        let device = self.recorder.device_info().await.map_err(|e| End::not_begun(&e))?;
        let planned = &self.plan.device;
        if device.serial != planned.serial || device.revision != planned.revision {
            let detail = format!(
                "recorder is {} with {}, planned for {} with {}",
                device.serial, device.revision, planned.serial, planned.revision
            );
            return Err(End::new(Stage::refuse, Reason::NotAsPlanned, detail).with(device));
        }
        let status = self.recorder.upgrade_status().await.map_err(|e| End::not_begun(&e))?;
        if status.is_some_and(|s| s.in_progress()) {
            return Err(
                End::new(Stage::refuse, Reason::Busy, "recorder is busy with an upgrade").with(device)
            );
        }
        Ok(())
    }

    async fn push(self, package: &Package, ledger: &mut Ledger<'_>) -> End {
        match self.send(package, ledger).await {
            Sent::Not(end) => end,
            Sent::Untouched { reason, detail } => self.untouched(ledger, reason, detail).await,
            Sent::Taken(reboot) => self.restart(ledger, reboot).await,
            Sent::Unsettled { reason, detail } => self.wait_unsettled(ledger, reason, detail).await,
        }
    }

    /// The recorder took the package: make it run it, and read back.
    async fn restart(self, ledger: &mut Ledger<'_>, reboot: Reboot) -> End {
        let mut taken = "recorder took the package".to_owned();
        if reboot != Reboot::ByItself {
            ledger.go(Stage::request_reboot);
            let how = match self.recorder.reboot().await {
                Ok(Answer::Taken { .. }) => "the recorder agreed to restart".into(),
                // it may be going down already, which looks like either of these
                Ok(answer) => {
                    let no = format!("did not agree to restart ({})", no_restart(&answer));
                    taken = format!("{taken} and {no}");
                    format!("recorder {no}")
                }
                Err(error) => chain(&error),
            };
            ledger.note(&Event::RebootAnswered { how });
        }
        self.wait_settled(ledger, &taken).await
    }
}

/// Why an answer is no agreement to restart.
fn no_restart(answer: &Answer) -> String {
    match answer {
        Answer::Taken { .. } | Answer::StillUpgrading => "an upgrade is under way".into(),
        Answer::RetryLater(no) | Answer::Refused(no) | Answer::NoPermission(no) | Answer::NotOffered(no) => {
            no.to_string()
        }
        Answer::Authentication(_) => "login refused".into(),
        Answer::Unclear { http, why } => format!("HTTP {http} with something unreadable: {why}"),
    }
}

#[cfg(test)]
mod tests;

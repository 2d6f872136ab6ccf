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
mod job;
mod ledger;
mod lull;
mod places;
mod restore;
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
use job::Job;
pub use job::Payload;
use ledger::Ledger;
pub use ledger::{Log, LogError};
pub use restore::Restore;
pub use resume::{Resume, answered, close, seen};
pub use senses::Senses;
pub use stop::Stop;
use upload::Sent;
use wait::Running;

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
        let ledger = Ledger::new(journal, &stage, &clock, &mut tell);
        let going = Going { recorder, job: Job::push(plan), deadlines, senses, running: None };
        going.whole(package, keeper, ledger, &stage, &mut stop).await
    }
}

/// What does not change during a run.
#[derive(Clone, Copy)]
struct Going<'a> {
    recorder: &'a Recorder,
    job: Job<'a>,
    deadlines: Deadlines,
    senses: Senses<'a>,
    /// How long the recorder had been running before, where it tells.
    running: Option<Running>,
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

    /// From the first question to the outcome.
    async fn whole(
        self,
        package: &Package,
        keeper: Option<&Keeper>,
        mut ledger: Ledger<'_>,
        stage: &Cell<Stage>,
        stop: &mut Stop<'_>,
    ) -> Outcome {
        match stop.or_end_of(stage, Box::pin(self.work(package, keeper, &mut ledger))).await {
            Some(end) => ledger.end(end),
            None => Box::pin(self.stopped(ledger, stage, stop)).await,
        }
    }

    async fn work(self, package: &Package, keeper: Option<&Keeper>, ledger: &mut Ledger<'_>) -> End {
        if let Err(end) = self.prepare(keeper, ledger).await {
            return end;
        }
        let running = match self.recorder.read_offered::<Uptime>().await {
            Ok(uptime) => uptime.map(|uptime| self.running(uptime)),
            Err(error) if error.is_login() || error.is_absence() => return End::not_begun(&error),
            // it only helps to know it
            Err(_) => None,
        };
        if let Some(Running { seconds, .. }) = running {
            ledger.note(&Event::Uptime { seconds });
        }
        Self { running, ..self }.push(package, ledger).await
    }

    fn running(self, uptime: Uptime) -> Running {
        let at = (self.job.payload == Payload::Configuration).then(|| self.senses.now());
        Running { seconds: uptime.seconds, at }
    }

    /// A person took time to agree: is it still the recorder that was planned for, and idle?
    async fn still_as_planned(self) -> Result<(), End> {
        let device = self.recorder.device_info().await.map_err(|e| End::not_begun(&e))?;
        let planned = self.job.before;
        if !self.job.is_as_before(&device) {
            let detail = format!(
                "{} is {} with {}, planned for {} with {}",
                planned.noun(),
                device.serial,
                device.revision,
                planned.serial,
                planned.revision
            );
            return Err(End::new(Stage::refuse, Reason::NotAsPlanned, detail).with(device));
        }
        let status = self.recorder.upgrade_status().await.map_err(|e| End::not_begun(&e))?;
        if status.is_some_and(|s| s.in_progress()) {
            let detail = format!("{} is busy with an upgrade", planned.noun());
            return Err(End::new(Stage::refuse, Reason::Busy, detail).with(device));
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

    /// The recorder took it: make it run with it, and read back.
    async fn restart(self, ledger: &mut Ledger<'_>, reboot: Reboot) -> End {
        let mut taken = self.job.taken();
        if self.job.needs_reboot_request(reboot) {
            ledger.go(Stage::request_reboot);
            let how = match self.recorder.reboot().await {
                Ok(Answer::Taken { .. }) => format!("the {} agreed to restart", self.job.before.noun()),
                // it may be going down already, which looks like either of these
                Ok(answer) => {
                    let no = format!("did not agree to restart ({})", no_restart(&answer));
                    taken = format!("{taken} and {no}");
                    format!("{} {no}", self.job.before.noun())
                }
                Err(error) => chain(&error),
            };
            ledger.note(&Event::RebootAnswered { how });
        } else if reboot == Reboot::NotSaid {
            return self.wait_unannounced(ledger, &taken).await;
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

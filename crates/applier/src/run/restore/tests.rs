use std::io::{Seek as _, SeekFrom};
use std::path::PathBuf;
use std::time::Duration;

use isapi::{Address, Credentials, Reboot};
use nvr_sim::{Builder, Faults, Handle, Profile};
use receipt::RestoreResult;
use terminal::Exit;
use tokio::sync::watch;

use super::super::tests::SENSES;
use super::super::wait::Running;
use super::super::{End, LogError};
use super::*;
use crate::backup::{Keeper, local_key, unseal};
use crate::event::{Reason, RunId};
use crate::inventory::Inventory;
use crate::plan::{Directives, RestoreOptions, plan_restore};
use crate::record::RecordError;
use crate::restore::{Attempt, AttemptLog, Attempts, RestoreOutcome, Step};

mod cable;
mod camera;
mod stopped;

const RUNS: &str = "V4.30.097 build 200101";
const PASSWORD: &str = "a good one 1";

/// A recorder, a backup of it, and a plan to put that back.
struct Bench {
    sim: Handle,
    recorder: Recorder,
    plan: RestorePlan,
    package: Package,
    device_key: ConfigurationKey,
    dir: tempfile::TempDir,
}

fn key(text: &str) -> ConfigurationKey {
    ConfigurationKey::new(text.into()).unwrap()
}

async fn bench() -> Bench {
    bench_with(|_| {}).await
}

async fn bench_with(change: impl FnOnce(&mut Builder)) -> Bench {
    let now = clock();
    let model = "DS-7608NI-I2".parse().unwrap();
    let mut builder = Builder::new(model, RUNS.parse().unwrap(), RUNS.parse().unwrap(), PASSWORD, now);
    builder.down = Duration::from_millis(300);
    change(&mut builder);
    let sim = builder.start().await.unwrap();
    let address: Address = sim.address().to_string().parse().unwrap();
    let recorder = Recorder::new(address, Credentials::new("admin", PASSWORD.into())).unwrap();
    let inventory = Inventory::read(&recorder).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let local_key = local_key(&dir.path().join("key")).unwrap();
    let backups = dir.path().join("backups");
    let device_key = Some(key("hush-1234"));
    let keeper = Keeper { backups, to: None, local_key, recipients: vec![], device_key };
    let kept = keeper.take(&recorder, &inventory.device, now).await.unwrap();
    let (manifest, mut file) = unseal(&kept.file, &keeper.local_key).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    let plan =
        plan_restore(&inventory, &manifest, &Directives::default(), &RestoreOptions::default()).unwrap();
    let package = Package::new(file, manifest.size, manifest.sha256).unwrap();
    Bench { sim, recorder, plan, package, device_key: key("hush-1234"), dir }
}

fn clock() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

fn deadlines() -> Deadlines {
    let (seconds, poll) = (Duration::from_secs, Duration::from_millis(40));
    Deadlines { stalled: seconds(5), whole: seconds(5), back: seconds(3), quiet: seconds(3), poll }
}

impl Bench {
    /// Runs it; how far it was each time that this was written down, and the outcome.
    async fn run(&self) -> (Vec<Step>, RestoreOutcome) {
        let mut steps = Vec::new();
        let (_asked, nobody) = watch::channel(0);
        let stop = Stop::new(nobody, &|_| {});
        let mut attempts = self.attempts();
        let log = self.log(&mut attempts);
        let outcome = self.restore(log).execute(clock, |_| steps.extend(self.step()), stop).await;
        steps.dedup();
        (steps, outcome.into())
    }

    fn restore<L: Log>(&self, log: L) -> Restore<'_, L> {
        let Self { recorder, plan, package, device_key, .. } = self;
        let device_key = Some(device_key);
        Restore { recorder, plan, package, device_key, deadlines: deadlines(), senses: SENSES, log }
    }

    fn record(&self) -> PathBuf {
        self.dir.path().join("restores.json")
    }

    fn attempts(&self) -> Attempts {
        Attempts::open(&self.record()).unwrap()
    }

    fn log<'a>(&self, attempts: &'a mut Attempts) -> AttemptLog<'a> {
        let attempt = Attempt {
            run: RunId::new(clock(), [0; 4]),
            serial: self.plan.device.serial.clone(),
            address: self.plan.address.clone(),
            configuration: self.plan.configuration.sha256,
            step: Step::Planned,
            last: clock(),
            stated: false,
        };
        AttemptLog::begin(attempts, attempt).unwrap()
    }

    /// How far it is, as it is written down.
    fn step(&self) -> Option<Step> {
        self.attempts().unstated().next().map(|attempt| attempt.step)
    }

    fn restores(&self) -> u64 {
        self.sim.state().counters.restores
    }

    fn refuse(&self, code: &str) {
        let backup = nvr_sim::Backup { refuse: Some(code.into()), ..nvr_sim::Backup::default() };
        self.sim.set_content(nvr_sim::Content { backup, ..self.sim.state().content });
    }

    /// What comes of waiting for a recorder that took it and said this of a restart, talked to as `recorder`.
    async fn wait(&self, recorder: &Recorder, reboot: Reboot, mut tell: impl FnMut(&Event)) -> End {
        let running = Some(Running { seconds: self.uptime().await, at: Some(SENSES.now()) });
        let stage = Cell::new(Stage::Flashing);
        let mut attempts = self.attempts();
        let mut ledger = Ledger::new(self.log(&mut attempts), &stage, &clock, &mut tell);
        let job = Job::restore(&self.plan, None);
        let going = Going { recorder, job, deadlines: deadlines(), senses: SENSES, running };
        going.restart(&mut ledger, reboot).await
    }

    async fn uptime(&self) -> u64 {
        self.recorder.read::<isapi::Uptime>().await.unwrap().seconds
    }
}

#[tokio::test]
async fn the_recorder_takes_it_restarts_and_is_who_it_was() {
    let bench = bench().await;
    let (steps, outcome) = bench.run().await;
    assert_eq!((outcome.result, outcome.exit(), outcome.sendings), (RestoreResult::Restored, Exit::Done, 1));
    let ended = Step::Ended(RestoreResult::Restored);
    assert_eq!(steps, [Step::Planned, Step::Sending, Step::Restarting, ended]);
    let state = bench.sim.state();
    assert_eq!((state.counters.restores, state.counters.reboots, state.counters.reboot_requests), (1, 1, 0));
    assert_eq!(state.last_restore.unwrap().sha256, bench.plan.configuration.sha256);
    assert_eq!(outcome.after.unwrap().serial, bench.plan.device.serial);
}

#[tokio::test]
async fn a_restart_between_two_looks_shows_in_its_uptime() {
    let bench = bench_with(|builder| builder.down = Duration::ZERO).await;
    let (_, outcome) = bench.run().await;
    assert_eq!((outcome.result, bench.sim.state().counters.reboots), (RestoreResult::Restored, 1));
}

#[tokio::test]
async fn a_wrong_device_key_leaves_the_recorder_as_it_is() {
    let mut bench = bench().await;
    bench.device_key = key("hush-1235");
    let (steps, outcome) = bench.run().await;
    assert_eq!(
        (outcome.result, outcome.reason, outcome.exit()),
        (RestoreResult::Failed, Reason::WrongDeviceKey, Exit::Failed)
    );
    assert!(outcome.hint().contains("--device-key-file"));
    assert_eq!(steps.last(), Some(&Step::Ended(RestoreResult::Failed)));
    assert_eq!((bench.restores(), bench.sim.state().counters.reboots), (0, 0));
}

#[tokio::test]
async fn refusals_leave_it_as_before_unless_it_is_at_work_and_each_has_its_reason() {
    for (code, result, reason) in [
        ("importError", RestoreResult::Failed, Reason::ConfigurationRefused),
        ("cfgFileSecretKeyError", RestoreResult::Failed, Reason::WrongDeviceKey),
        ("lowPrivilege", RestoreResult::Failed, Reason::NotPermitted),
        ("notSupport", RestoreResult::Failed, Reason::NotPermitted),
        // an import is under way, whoever began it
        ("importing", RestoreResult::UnknownAfterRestore, Reason::Busy),
        // busy (statusCode 2) is no proof that it is as before
        ("deviceBusy", RestoreResult::UnknownAfterRestore, Reason::Busy),
    ] {
        let bench = bench().await;
        bench.refuse(code);
        let (_, outcome) = bench.run().await;
        assert_eq!((outcome.result, outcome.reason), (result, reason), "{code}: {}", outcome.detail);
        assert_eq!(bench.restores(), 0, "{code}");
    }
}

/// A record that cannot be written.
struct Full {
    /// From this event on.
    from: fn(&Event) -> bool,
    full: bool,
}

impl Log for Full {
    fn append(&mut self, _at: Timestamp, event: &Event) -> Result<(), LogError> {
        self.full |= (self.from)(event);
        if self.full { Err(RecordError::Damaged("/full".into()).into()) } else { Ok(()) }
    }
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_sent() {
    let bench = bench().await;
    let run = async |from| {
        let (_asked, nobody) = watch::channel(0);
        let log = Full { from, full: false };
        let outcome = bench.restore(log).execute(clock, |_| {}, Stop::new(nobody, &|_| {})).await;
        RestoreOutcome::from(outcome)
    };
    let outcome = run(|_| true).await;
    assert_eq!((outcome.result, outcome.reason), (RestoreResult::Failed, Reason::JournalFailed));
    assert_eq!((outcome.sendings, bench.restores()), (0, 0));
    // that the last block leaves has to be written down, too
    let outcome = run(|event| matches!(event, Event::Stage { stage: Stage::Flashing })).await;
    assert_eq!((outcome.result, outcome.reason), (RestoreResult::Failed, Reason::JournalFailed));
    assert_eq!((outcome.sendings, bench.restores()), (1, 0));
    // one that fails later ends nothing
    let outcome = run(|event| matches!(event, Event::Uploaded { .. })).await;
    assert_eq!((outcome.result, bench.restores()), (RestoreResult::Restored, 1));
}

#[tokio::test]
async fn one_that_stays_away_or_comes_back_as_another_is_unknown() {
    let away = Faults { never_back: true, ..Faults::default() };
    let other = Faults { back_serial: Some("DS-1A".parse().unwrap()), ..Faults::default() };
    for (faults, reason) in [(away, Reason::NeverReturned), (other, Reason::OtherSerial)] {
        let bench = bench().await;
        bench.sim.set_faults(faults);
        let (steps, outcome) = bench.run().await;
        assert_eq!((outcome.result, outcome.reason), (RestoreResult::UnknownAfterRestore, reason));
        assert_eq!(steps.last(), Some(&Step::Ended(RestoreResult::UnknownAfterRestore)));
        assert!(outcome.hint().contains("do not cut the power"));
    }
}

#[tokio::test]
async fn an_agreement_without_a_restart_is_believed_only_where_none_was_announced() {
    let bench = bench().await;
    for (reboot, reason) in [(Reboot::NotSaid, Reason::Restored), (Reboot::Due, Reason::NeverRestarted)] {
        let end = bench.wait(&bench.recorder, reboot, |_| {}).await;
        assert_eq!(end.reason, reason, "{}", end.detail);
    }
}

#[tokio::test]
async fn another_recorder_than_planned_for_gets_nothing() {
    let mut bench = bench().await;
    bench.plan.device.serial = "DS-1A".parse().unwrap();
    let (steps, outcome) = bench.run().await;
    assert_eq!((outcome.result, outcome.reason), (RestoreResult::Refused, Reason::NotAsPlanned));
    assert_eq!((steps, bench.restores()), (vec![Step::Planned], 0));
}

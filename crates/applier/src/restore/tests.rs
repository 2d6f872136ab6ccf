use std::io::{Seek as _, SeekFrom};

use isapi::{Address, Credentials};
use nvr_sim::{Builder, Faults, Handle};
use terminal::Exit;

use super::*;
use crate::backup::{Keeper, LocalKey, unseal};
use crate::inventory::Inventory;
use crate::plan::{Directives, RestoreOptions, plan_restore};

const RUNS: &str = "V4.30.097 build 200101";
const PASSWORD: &str = "a good one 1";

/// A recorder, a backup of it, and a plan to put that back.
struct Bench {
    sim: Handle,
    recorder: Recorder,
    plan: RestorePlan,
    package: Package,
    device_key: ConfigurationKey,
    _dir: tempfile::TempDir,
}

fn key(text: &str) -> ConfigurationKey {
    ConfigurationKey::new(text.into()).unwrap()
}

async fn bench() -> Bench {
    bench_with(|_| {}).await
}

async fn bench_with(change: impl FnOnce(&mut Builder)) -> Bench {
    let now = "2026-11-22T10:00:00Z".parse().unwrap();
    let model = "DS-7608NI-I2".parse().unwrap();
    let mut builder = Builder::new(model, RUNS.parse().unwrap(), RUNS.parse().unwrap(), PASSWORD, now);
    builder.down = Duration::from_millis(300);
    change(&mut builder);
    let sim = builder.start().await.unwrap();
    let address: Address = sim.address().to_string().parse().unwrap();
    let recorder = Recorder::new(address, Credentials::new("admin", PASSWORD.into())).unwrap();
    let inventory = Inventory::read(&recorder).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let local_key = LocalKey::open_or_make(&dir.path().join("key")).unwrap();
    let backups = dir.path().join("backups");
    let device_key = Some(key("hush-1234"));
    let keeper = Keeper { backups, to: None, local_key, recipients: vec![], device_key };
    let kept = keeper.take(&recorder, &inventory.device, now).await.unwrap();
    let (manifest, mut file) = unseal(&kept.file, &keeper.local_key).unwrap();
    file.seek(SeekFrom::Start(0)).unwrap();
    let plan =
        plan_restore(&inventory, &manifest, &Directives::default(), &RestoreOptions::default()).unwrap();
    let package = Package::new(file, manifest.size, manifest.sha256).unwrap();
    Bench { sim, recorder, plan, package, device_key: key("hush-1234"), _dir: dir }
}

impl Bench {
    /// Runs it; what was written down, and the outcome.
    async fn run(&self) -> (Vec<Step>, RestoreOutcome) {
        let mut steps = Vec::new();
        let outcome = self
            .run_with(|step| {
                steps.push(step);
                Ok(())
            })
            .await;
        (steps, outcome)
    }

    async fn run_with(&self, note: impl FnMut(Step) -> Result<(), RecordError>) -> RestoreOutcome {
        self.restore().execute(note, |_| {}).await
    }

    fn restore(&self) -> Restore<'_> {
        let deadlines = Deadlines {
            stalled: Duration::from_secs(5),
            back: Duration::from_secs(3),
            poll: Duration::from_millis(40),
        };
        let Self { recorder, plan, package, device_key, .. } = self;
        Restore { recorder, plan, package, device_key: Some(device_key), deadlines }
    }

    fn restores(&self) -> u64 {
        self.sim.state().counters.restores
    }
}

#[tokio::test]
async fn the_recorder_takes_it_restarts_and_is_who_it_was() {
    let bench = bench().await;
    let (steps, outcome) = bench.run().await;
    assert_eq!((outcome.result, outcome.exit(), outcome.sendings), (RestoreResult::Restored, Exit::Done, 1));
    assert_eq!(steps, [Step::Sending, Step::Restarting, Step::Ended(RestoreResult::Restored)]);
    let state = bench.sim.state();
    assert_eq!((state.counters.restores, state.counters.reboots), (1, 1));
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

#[test]
fn refusals_prove_that_it_is_as_before_and_nothing_less_does() {
    let code = |code: u32, sub: &str| {
        format!(
            "<ResponseStatus><statusCode>{code}</statusCode><subStatusCode>{sub}</subStatusCode></ResponseStatus>"
        )
    };
    let judged = |released, http, body: &str| match judge(released, &Answer::of(http, body.as_bytes())).0 {
        Sent::Taken(_) => ("taken", None),
        Sent::Untouched(reason, _) => ("untouched", Some(reason)),
        Sent::Unsettled(reason, _) => ("unsettled", Some(reason)),
    };
    for (http, body, all_left, held) in [
        (200, code(7, "rebootRequired"), ("taken", None), ("untouched", Some(Reason::AnswerUnclear))),
        (
            403,
            code(4, "importError"),
            ("untouched", Some(Reason::ConfigurationRefused)),
            ("untouched", Some(Reason::ConfigurationRefused)),
        ),
        (
            403,
            code(6, "cfgFileSecretKeyError"),
            ("untouched", Some(Reason::WrongDeviceKey)),
            ("untouched", Some(Reason::WrongDeviceKey)),
        ),
        (
            403,
            code(4, "lowPrivilege"),
            ("untouched", Some(Reason::NotPermitted)),
            ("untouched", Some(Reason::NotPermitted)),
        ),
        (
            200,
            code(2, "configOperating"),
            ("unsettled", Some(Reason::Busy)),
            ("untouched", Some(Reason::Busy)),
        ),
        (
            200,
            "<html/>".into(),
            ("unsettled", Some(Reason::AnswerUnclear)),
            ("untouched", Some(Reason::AnswerUnclear)),
        ),
    ] {
        assert_eq!((judged(true, http, &body), judged(false, http, &body)), (all_left, held), "{body}");
    }
    assert!(matches!(lost(true, "x").0, Sent::Unsettled(Reason::LostAfterEnd, _)));
    assert!(matches!(lost(false, "x").0, Sent::Untouched(Reason::LostBeforeEnd, _)));
}

#[tokio::test]
async fn a_configuration_that_is_damaged_on_its_way_is_refused_and_the_recorder_is_as_before() {
    let bench = bench().await;
    bench.sim.set_content(nvr_sim::Content {
        backup: nvr_sim::Backup { refuse: Some("importError".into()), ..nvr_sim::Backup::default() },
        ..bench.sim.state().content
    });
    let (_, outcome) = bench.run().await;
    assert_eq!((outcome.result, outcome.exit()), (RestoreResult::Failed, Exit::Failed), "{}", outcome.detail);
    assert_eq!(bench.restores(), 0);
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_sent() {
    let bench = bench().await;
    let full = || Err(RecordError::Damaged("/full".into()));
    let outcome = bench.run_with(|_| full()).await;
    assert_eq!((outcome.result, outcome.reason), (RestoreResult::Refused, Reason::JournalFailed));
    assert_eq!((outcome.sendings, bench.restores()), (0, 0));
    // one that fails later ends nothing
    let outcome = bench.run_with(|step| if step == Step::Sending { Ok(()) } else { full() }).await;
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
    let running = Running::read(&bench.recorder).await;
    for (reboot, result, reason) in [
        (Reboot::NotSaid, RestoreResult::Restored, Reason::Restored),
        (Reboot::Due, RestoreResult::UnknownAfterRestore, Reason::NeverRestarted),
    ] {
        let outcome = bench.restore().wait_settled(reboot, &running, &mut |_| {}).await;
        assert_eq!((outcome.result, outcome.reason), (result, reason), "{}", outcome.detail);
    }
}

#[tokio::test]
async fn another_recorder_than_planned_for_gets_nothing() {
    let mut bench = bench().await;
    bench.plan.device.serial = "DS-1A".parse().unwrap();
    let (steps, outcome) = bench.run().await;
    assert_eq!((outcome.result, outcome.reason), (RestoreResult::Refused, Reason::NotAsPlanned));
    assert_eq!((steps, bench.restores()), (vec![], 0));
}

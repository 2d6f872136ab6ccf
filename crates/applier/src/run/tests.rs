use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use firmware::Sha256Digest;
use firmware::container::Container;
use isapi::{Address, Credentials};
use nvr_sim::synthetic::Synthetic;
use nvr_sim::{Builder, Content, Document, Faults, Handle};
use terminal::Exit;
use tokio::sync::Notify;

use super::*;
use crate::event::RunId;
use crate::inventory::Inventory;
use crate::journal::tests::planned_as;
use crate::journal::{Journals, Replay};
use crate::plan::{Decision, Directives, Listed, Options, plan};
use crate::presence::moment::Moment;

pub(super) const BEFORE: &str = "V4.30.097 build 200101";
pub(super) const TARGET: &str = "V4.61.025 build 230421";
const PASSWORD: &str = "a good one 1";

mod asleep;
mod backup;
mod disturbed;
mod not_sent;
mod unsettled;

pub(super) const SENSES: Senses<'static> = Senses { moment: &Moment::now, search: None };

/// How a recorder says who it is.
pub(super) fn device_info(Device { model, serial, revision, .. }: &Device) -> String {
    format!(
        "<DeviceInfo><model>{model}</model><serialNumber>{serial}</serialNumber><firmwareVersion>{}</firmwareVersion><firmwareReleasedDate>build {}</firmwareReleasedDate><deviceType>NVR</deviceType></DeviceInfo>",
        revision.version, revision.build
    )
}

/// A recorder, a plan for it, and the package.
pub(super) struct Bench {
    pub(super) sim: Handle,
    pub(super) recorder: Recorder,
    pub(super) plan: Plan,
    pub(super) package: Package,
    pub(super) keeper: Option<Keeper>,
    pub(super) journals: Journals,
    pub(super) dir: tempfile::TempDir,
}

pub(super) fn clock() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().unwrap()
}

pub(super) fn brief() -> Deadlines {
    let ms = Duration::from_millis;
    Deadlines { stalled: ms(5000), whole: ms(20_000), back: ms(5000), quiet: ms(1500), poll: ms(40) }
}

pub(super) async fn bench(change: impl FnOnce(&mut Builder)) -> Bench {
    let (model, before) = ("DS-7608NI-I2".parse().unwrap(), BEFORE.parse().unwrap());
    let mut builder = Builder::new(model, before, TARGET.parse().unwrap(), PASSWORD, clock());
    (builder.flash, builder.down) = (Duration::from_millis(100), Duration::from_millis(300));
    change(&mut builder);
    let sim = builder.start().await.unwrap();
    let address: Address = sim.address().to_string().parse().unwrap();
    let recorder = Recorder::new(address, Credentials::new("admin", PASSWORD.into())).unwrap();

    let firmware =
        Synthetic { size: 8 << 20, revision: TARGET.parse().unwrap(), language: 1, device_class: 1, seed: 1 };
    let mut file = tempfile::tempfile().unwrap();
    let sha256 = firmware.write_dav(&mut file).unwrap();
    file.flush().unwrap();
    let package = Package::new(file, firmware.size, sha256).unwrap();

    let inventory = Inventory::read(&recorder).await.unwrap();
    let listed = [listed(sha256, firmware.size)];
    let (directives, options) = (Directives::default(), Options::default());
    let decision = plan(
        &inventory,
        &listed,
        &[(&listed[0].release.id, &Container::B)].into(),
        &directives,
        &options,
        clock(),
    );
    let Decision::Push(plan) = decision else { panic!("not planned") };
    let dir = tempfile::tempdir().unwrap();
    let journals = Journals::open(&dir.path().join("journals")).unwrap();
    Bench { sim, recorder, plan: *plan, package, keeper: None, journals, dir }
}

fn listed(sha256: Sha256Digest, length: u64) -> Listed {
    let revision: firmware::Revision = TARGET.parse().unwrap();
    let release = serde_json::json!({
        "id": "new", "family": "nvr", "models": ["DS-7608NI-I2"], "version": revision.version, "build": revision.build,
    });
    let target = serde_json::json!({
        "release": "new", "version": revision.version, "build": revision.build, "name": "new/digicap.dav",
        "length": length, "sha256": sha256,
    });
    Listed {
        release: serde_json::from_value(release).unwrap(),
        target: serde_json::from_value(target).unwrap(),
    }
}

impl Bench {
    /// Runs it; the events besides the outcome.
    async fn run(&self) -> (Outcome, Vec<Event>) {
        self.run_with(|_| {}).await
    }

    pub(super) async fn run_with(&self, at: impl FnMut(&Event)) -> (Outcome, Vec<Event>) {
        self.run_on(self.begin(), brief(), at).await
    }

    /// A journal that holds the plan.
    pub(super) fn begin(&self) -> Journal {
        let id = RunId::new(clock(), [0; 4]);
        let mut journal = self.journals.create(&id).unwrap();
        journal.append(clock(), &planned_as(id, self.plan.clone())).unwrap();
        journal
    }

    pub(super) async fn run_on(
        &self,
        journal: Journal,
        deadlines: Deadlines,
        at: impl FnMut(&Event),
    ) -> (Outcome, Vec<Event>) {
        self.run_sensing(journal, deadlines, SENSES, at).await
    }

    async fn run_sensing(
        &self,
        journal: Journal,
        deadlines: Deadlines,
        senses: Senses<'_>,
        mut at: impl FnMut(&Event),
    ) -> (Outcome, Vec<Event>) {
        let (recorder, plan, package) = (&self.recorder, &self.plan, &self.package);
        let keeper = self.keeper.as_ref();
        let run = Run { recorder, plan, package, keeper, deadlines, senses, journal };
        let (_asked, nobody) = tokio::sync::watch::channel(0);
        let stop = Stop::new(nobody, &|_| {});
        let mut events = Vec::new();
        let outcome = run
            .execute(
                clock,
                |event| {
                    at(event);
                    events.push(event.clone());
                },
                stop,
            )
            .await;
        (outcome, events)
    }

    /// Bytes of its journal.
    fn written(&self) -> u64 {
        let journal = self.dir.path().join(format!("journals/{}.jsonl", RunId::new(clock(), [0; 4])));
        std::fs::metadata(journal).unwrap().len()
    }

    /// Runs until `at` happens, and is killed there.
    pub(super) async fn cut(&self, at: impl Fn(&Event) -> bool) {
        let happened = Arc::new(Notify::new());
        let seen = Arc::clone(&happened);
        let run = self.run_with(move |event| {
            if at(event) {
                seen.notify_one();
            }
        });
        tokio::select! {
            biased;
            () = happened.notified() => {}
            _ = run => panic!("it ended"),
        }
    }

    pub(super) fn replay(&self) -> Replay {
        self.journals.newest(&self.plan.device.serial).unwrap().unwrap()
    }

    /// From now on it says that it runs this.
    pub(super) fn runs(&self, revision: &str) {
        let device = Device { revision: revision.parse().unwrap(), ..self.plan.device.clone() };
        let document = Document { path: "/ISAPI/System/deviceInfo".into(), text: device_info(&device) };
        self.sim.set_content(Content { documents: vec![document], ..Content::default() });
    }

    pub(super) fn faults(&self, faults: Faults) {
        self.sim.set_faults(faults);
    }
}

fn stages(events: &[Event]) -> Vec<Stage> {
    events.iter().filter_map(|e| if let Event::Stage { stage } = e { Some(*stage) } else { None }).collect()
}

#[tokio::test]
async fn a_good_run_is_confirmed_and_written_down() {
    let bench = bench(|_| {}).await;
    let (outcome, events) = bench.run().await;
    assert_eq!(
        (outcome.stage, outcome.reason, outcome.exit()),
        (Stage::Confirmed, Reason::Confirmed, Exit::Done)
    );
    assert_eq!(outcome.after.as_ref().unwrap().revision.to_string(), TARGET);
    let all = ["flashing", "reboot-requested", "rebooting", "returned", "confirmed"];
    assert_eq!(stages(&events).iter().map(Stage::to_string).collect::<Vec<_>>(), all);
    assert!(matches!(events.last(), Some(Event::Ended { .. })));
    assert!(events.iter().any(|e| matches!(e, Event::Progress { .. })), "progress over a second connection");
    let counters = bench.sim.state().counters;
    assert_eq!((counters.pushes, counters.bodies, counters.reboots, counters.wrong_logins), (1, 1, 1, 0));
    let replay = bench.replay();
    assert_eq!((replay.stage, replay.pushes, replay.outcome), (Stage::Confirmed, 1, Some(outcome)));
}

#[tokio::test]
async fn the_stage_is_on_disk_before_the_package_leaves() {
    let bench = bench(|_| {}).await;
    let mut checked = false;
    bench
        .run_with(|event| {
            if matches!(event, Event::Push { .. }) {
                assert_eq!(bench.replay().stage, Stage::Uploading);
                assert_eq!(bench.sim.state().counters.pushes, 0);
                checked = true;
            }
        })
        .await;
    assert!(checked);
}

#[tokio::test]
async fn a_refused_package_leaves_the_recorder_as_it_was() {
    for status in [403, 200] {
        let bench = bench(|_| {}).await;
        bench.faults(Faults {
            refuse: Some("badDevType".into()),
            refuse_status: Some(status),
            ..Faults::default()
        });
        let (outcome, events) = bench.run().await;
        assert_eq!(
            (outcome.stage, outcome.reason, outcome.exit()),
            (Stage::Failed, Reason::PackageRefused, Exit::Failed)
        );
        assert!(outcome.detail.contains("another type of device"), "{}", outcome.detail);
        assert_eq!(outcome.after.unwrap().revision.to_string(), BEFORE);
        assert!(!stages(&events).contains(&Stage::RebootRequested));
        assert_eq!(bench.sim.state().counters.pushes, 1);
        assert_eq!(bench.journals.blocked(&bench.plan.device).unwrap(), None);
    }
}

#[tokio::test]
async fn lost_before_the_last_byte_is_failed_once_read_back() {
    let bench = bench(|_| {}).await;
    bench.faults(Faults { cut_after: Some(1 << 20), ..Faults::default() });
    let (outcome, _) = bench.run().await;
    assert_eq!(
        (outcome.stage, outcome.reason, outcome.exit()),
        (Stage::Failed, Reason::LostBeforeEnd, Exit::Failed)
    );
    let counters = bench.sim.state().counters;
    assert_eq!((counters.pushes, counters.bodies), (1, 0));
}

#[tokio::test]
async fn lost_after_the_last_byte_is_watched_until_it_is_back() {
    let bench = bench(|_| {}).await;
    bench.faults(Faults { cut_at_end: true, ..Faults::default() });
    let (outcome, events) = bench.run().await;
    assert_eq!((outcome.stage, outcome.exit()), (Stage::Confirmed, Exit::Done), "{}", outcome.detail);
    assert!(events.iter().any(|e| matches!(e, Event::Uploaded { released: true, answer: None, .. })));
    assert!(!stages(&events).contains(&Stage::RebootRequested), "it restarted by itself");
    assert_eq!(bench.sim.state().counters.pushes, 1);
}

#[tokio::test]
async fn an_old_version_after_a_lost_answer_is_unknown_and_blocks() {
    // the recorder restarts by itself with what it ran before: nothing tells that the push is over
    let bench = bench(|b| {
        b.after = BEFORE.parse().unwrap();
        b.content.missing = vec!["/ISAPI/System/status".into()];
    })
    .await;
    bench.faults(Faults { cut_at_end: true, ..Faults::default() });
    let (outcome, _) = bench.run().await;
    assert_eq!(
        (outcome.stage, outcome.reason, outcome.exit()),
        (Stage::Unknown, Reason::LostAfterEnd, Exit::Unknown)
    );
    assert!(outcome.detail.contains("may still be flashing"), "{}", outcome.detail);
    assert_eq!(bench.journals.blocked(&bench.plan.device).unwrap().unwrap().stage, Stage::Unknown);
}

#[tokio::test]
async fn an_old_version_after_a_lost_answer_is_over_where_the_uptime_fell() {
    let bench = bench(|b| b.after = BEFORE.parse().unwrap()).await;
    bench.faults(Faults { cut_at_end: true, ..Faults::default() });
    let (outcome, _) = bench.run().await;
    assert_eq!(
        (outcome.stage, outcome.reason),
        (Stage::ChangedNotToTarget, Reason::VersionUnchanged),
        "{}",
        outcome.detail
    );
    assert!(bench.replay().uptime.is_some_and(|seconds| seconds >= 86_400));
}

#[tokio::test]
async fn another_version_than_the_target_is_no_success() {
    for (after, reason) in [
        (BEFORE, Reason::VersionUnchanged),
        ("V4.61.025 build 220905", Reason::VersionOlder),
        ("V4.62.000 build 230421", Reason::VersionOther),
    ] {
        let bench = bench(|b| b.after = after.parse().unwrap()).await;
        let (outcome, _) = bench.run().await;
        assert_eq!(
            (outcome.stage, outcome.reason),
            (Stage::ChangedNotToTarget, reason),
            "{after}: {}",
            outcome.detail
        );
        assert_eq!(outcome.exit(), Exit::NotAtTarget);
    }
}

#[tokio::test]
async fn a_recorder_that_never_returns_is_unknown() {
    let bench = bench(|b| b.down = Duration::from_secs(3600)).await;
    let mut deadlines = brief();
    deadlines.back = Duration::from_millis(600);
    let (outcome, _) = bench.run_on(bench.begin(), deadlines, |_| {}).await;
    assert_eq!(
        (outcome.stage, outcome.reason, outcome.exit()),
        (Stage::Unknown, Reason::NeverReturned, Exit::Unknown)
    );
}

#[tokio::test]
async fn a_recorder_that_does_not_restart_is_quoted_in_words() {
    let bench = bench(|_| {}).await;
    bench.faults(Faults { refuse_reboot: Some("lowPrivilege".into()), ..Faults::default() });
    let (outcome, events) = bench.run().await;
    assert_eq!((outcome.exit(), outcome.reason), (Exit::Unknown, Reason::NeverRestarted));
    assert!(outcome.detail.contains("did not agree to restart (lowPrivilege: "), "{}", outcome.detail);
    let told = events.iter().find_map(|event| match event {
        Event::RebootAnswered { how } => Some(how),
        _ => None,
    });
    assert!(told.unwrap().starts_with("recorder did not agree to restart (lowPrivilege: "), "{told:?}");
}

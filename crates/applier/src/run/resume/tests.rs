//! Runs that are cut where a power cut would, and taken up again against the same recorder.

use nvr_sim::{Faults, Stage as Sim};
use terminal::Exit;
use tokio::sync::watch;

use super::super::tests::{BEFORE, Bench, SENSES, TARGET, bench, brief, clock};
use super::*;
use crate::isolation::tests::loopback;

/// Takes the one run there is up again.
async fn resume(bench: &Bench, mut at: impl FnMut(&Event), stop: Stop<'_>) -> (Outcome, Vec<Event>) {
    let replay = bench.replay();
    let link = loopback(bench.recorder.address());
    let resume = Resume {
        recorder: &bench.recorder,
        link: &link,
        replay: &replay,
        deadlines: brief(),
        senses: SENSES,
        boot: None,
    };
    let device = answered(&bench.recorder, brief()).await.unwrap();
    let mut events = Vec::new();
    let journal = || bench.journals.reopen(&replay.run);
    let tell = |event: &Event| {
        at(event);
        events.push(event.clone());
    };
    let outcome = resume.execute(device, journal, clock, tell, stop).await.unwrap();
    (outcome, events)
}

async fn resumed(bench: &Bench) -> (Outcome, Vec<Event>) {
    let (_asked, nobody) = watch::channel(0);
    resume(bench, |_| {}, Stop::new(nobody, &|_| {})).await
}

fn is(stage: Stage) -> impl Fn(&Event) -> bool {
    move |event| *event == Event::Stage { stage }
}

#[tokio::test]
async fn a_run_that_was_cut_is_confirmed_from_every_stage_after_the_answer() {
    for stage in [Stage::RebootRequested, Stage::Rebooting] {
        let bench = bench(|_| {}).await;
        bench.cut(is(stage)).await;
        assert_eq!(bench.replay().stage, stage);
        let (outcome, events) = resumed(&bench).await;
        assert_eq!(
            (outcome.stage, outcome.exit()),
            (Stage::Confirmed, Exit::Done),
            "{stage}: {}",
            outcome.detail
        );
        assert!(events.iter().any(|event| matches!(event, Event::Resumed { .. })));
        let counters = bench.sim.state().counters;
        assert_eq!((counters.pushes, counters.bodies, counters.reboots), (1, 1, 1), "{stage}");
        assert_eq!(bench.replay().outcome, Some(outcome));
    }
}

#[tokio::test]
async fn the_restart_that_was_due_is_asked_for() {
    let bench = bench(|_| {}).await;
    bench.cut(|event| matches!(event, Event::Uploaded { .. })).await;
    bench.sim.until(|state| state.stage == Sim::RebootRequired).await;
    let (outcome, _) = resumed(&bench).await;
    assert_eq!(outcome.stage, Stage::Confirmed, "{}", outcome.detail);
    let counters = bench.sim.state().counters;
    assert_eq!((counters.pushes, counters.reboots), (1, 1));
}

#[tokio::test]
async fn without_an_answer_on_record_no_restart_is_asked_for() {
    let bench = bench(|_| {}).await;
    bench.cut(is(Stage::Flashing)).await;
    bench.sim.until(|state| state.stage == Sim::RebootRequired).await;
    let (outcome, _) = resumed(&bench).await;
    assert_eq!(
        (outcome.stage, outcome.reason, outcome.exit()),
        (Stage::Unknown, Reason::LostAfterEnd, Exit::Unknown)
    );
    assert_eq!(bench.sim.state().counters.reboots, 0);
    // looked at again it is as unknown as before, and nothing is written
    let before = bench.replay();
    let (again, events) = resumed(&bench).await;
    assert_eq!((again.stage, events), (Stage::Unknown, vec![]));
    assert_eq!(bench.replay(), before);
    // a person restarts it
    bench.sim.reboot();
    bench.sim.until(|state| state.stage == Sim::Down).await;
    let (outcome, _) = resumed(&bench).await;
    assert_eq!(outcome.stage, Stage::Confirmed, "{}", outcome.detail);
    assert_eq!(bench.sim.state().counters.pushes, 1);
}

#[tokio::test]
async fn an_upload_that_was_cut_is_over_and_failed() {
    let bench = bench(|_| {}).await;
    bench.faults(Faults { bytes_per_second: Some(4 << 20), ..Faults::default() });
    bench.cut(|event| matches!(event, Event::Upload { .. })).await;
    assert_eq!(bench.replay().stage, Stage::Uploading);
    bench.sim.until(|state| state.stage == Sim::Idle).await;
    let (outcome, _) = resumed(&bench).await;
    assert_eq!((outcome.stage, outcome.exit()), (Stage::Failed, Exit::Failed), "{}", outcome.detail);
    assert_eq!(outcome.after.unwrap().revision.to_string(), BEFORE);
    assert_eq!(bench.sim.state().counters.bodies, 0);
    assert_eq!(bench.journals.blocked(&bench.plan.device).unwrap(), None);
}

#[tokio::test]
async fn an_upload_that_was_cut_is_not_why_it_runs_another_version() {
    let bench = bench(|_| {}).await;
    bench.faults(Faults { bytes_per_second: Some(4 << 20), ..Faults::default() });
    bench.cut(|event| matches!(event, Event::Upload { .. })).await;
    bench.sim.until(|state| state.stage == Sim::Idle).await;
    bench.runs("V4.50.000 build 220101");
    let (outcome, _) = resumed(&bench).await;
    assert_eq!((outcome.stage, outcome.reason), (Stage::Unknown, Reason::VersionOlder), "{}", outcome.detail);
    assert!(outcome.hint().contains("who else has changed it"), "{}", outcome.hint());
    assert!(bench.journals.blocked(&outcome.after.unwrap()).unwrap().is_some(), "as the hint says");
}

#[tokio::test]
async fn a_run_that_nobody_knew_the_end_of_is_settled_later() {
    let bench = bench(|b| b.down = std::time::Duration::from_secs(2)).await;
    bench.faults(Faults { never_back: true, ..Faults::default() });
    let brief = Deadlines { back: std::time::Duration::from_millis(300), ..brief() };
    let (outcome, _) = bench.run_on(bench.begin(), brief, |_| {}).await;
    assert_eq!((outcome.stage, outcome.reason), (Stage::Unknown, Reason::NeverReturned));
    bench.faults(Faults::default());
    bench.sim.until(|state| state.stage == Sim::Idle).await;
    let (outcome, _) = resumed(&bench).await;
    assert_eq!(outcome.stage, Stage::Confirmed, "{}", outcome.detail);
    assert_eq!(outcome.after.unwrap().revision.to_string(), TARGET);
}

#[tokio::test]
async fn another_recorder_settles_nothing_and_nothing_is_written() {
    let bench = bench(|_| {}).await;
    bench.cut(is(Stage::Rebooting)).await;
    let other = "DS-7608NI-I20120200101CCRRE00000002WCVU".parse().unwrap();
    bench.faults(Faults { back_serial: Some(other), ..Faults::default() });
    let before = bench.replay();
    let (outcome, _) = resumed(&bench).await;
    assert_eq!((outcome.reason, outcome.exit()), (Reason::OtherSerial, Exit::Unknown));
    assert_eq!(bench.replay(), before);
}

#[tokio::test]
async fn a_second_time_leaves_it_in_order() {
    let bench = bench(|_| {}).await;
    bench.faults(Faults { stall: true, ..Faults::default() });
    bench.cut(is(Stage::Flashing)).await;
    let (asked, receiver) = watch::channel(0);
    let ask = || asked.send_modify(|times| *times += 1);
    let warn = |stage| {
        assert_eq!(stage, Stage::Flashing);
        ask();
    };
    let at = |event: &Event| {
        if matches!(event, Event::Resumed { .. }) {
            ask();
        }
    };
    let (outcome, events) = resume(&bench, at, Stop::new(receiver, &warn)).await;
    assert_eq!(
        (outcome.stage, outcome.reason, outcome.exit()),
        (Stage::Flashing, Reason::Interrupted, Exit::Unknown)
    );
    assert!(matches!(events.last(), Some(Event::Left { .. })));
    assert_eq!((bench.replay().stage, bench.replay().outcome), (Stage::Flashing, None));
    assert!(outcome.is_left());
}

#[tokio::test]
async fn one_that_stood_at_unknown_and_is_left_has_come_to_no_end() {
    let bench = bench(|_| {}).await;
    bench.faults(Faults { stall: true, ..Faults::default() });
    // the power failed after its stage was written and before its end was
    bench.cut(is(Stage::Flashing)).await;
    bench
        .journals
        .reopen(&bench.replay().run)
        .unwrap()
        .append(clock(), &Event::Stage { stage: Stage::Unknown })
        .unwrap();
    let (asked, receiver) = watch::channel(0);
    let at = |event: &Event| {
        if matches!(event, Event::Resumed { .. }) {
            asked.send_replace(2);
        }
    };
    let (outcome, _) = resume(&bench, at, Stop::new(receiver, &|_| {})).await;
    assert_eq!((outcome.stage, outcome.reason), (Stage::Unknown, Reason::Interrupted));
    assert!(outcome.stage.is_end() && outcome.is_left());
    assert_eq!(bench.replay().outcome, None);
}

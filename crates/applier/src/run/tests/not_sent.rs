use super::*;

#[tokio::test]
async fn what_changed_since_the_plan_is_not_pushed_to() {
    let mut bench = bench(|_| {}).await;
    bench.faults(Faults { busy: true, ..Faults::default() });
    let (outcome, _) = bench.run().await;
    assert_eq!(
        (outcome.stage, outcome.reason, outcome.exit()),
        (Stage::Refused, Reason::Busy, Exit::Refused)
    );
    bench.faults(Faults::default());
    bench.journals = Journals::open(&bench.dir.path().join("second")).unwrap();
    bench.plan.device.serial = "ANOTHER".parse().unwrap();
    let (outcome, _) = bench.run().await;
    assert_eq!((outcome.stage, outcome.reason), (Stage::Refused, Reason::NotAsPlanned));
    assert_eq!((outcome.pushes, bench.sim.state().counters.pushes), (0, 0));
}

#[tokio::test]
async fn a_changed_file_never_arrives_whole() {
    let mut bench = bench(|_| {}).await;
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&vec![1; 1 << 20]).unwrap();
    bench.package = Package::new(file, 1 << 20, bench.plan.target.sha256).unwrap();
    let (outcome, _) = bench.run().await;
    assert_eq!(
        (outcome.stage, outcome.reason, outcome.exit()),
        (Stage::Failed, Reason::DigestMismatch, Exit::Rejected)
    );
    assert!(outcome.detail.contains(&bench.plan.target.sha256.to_string()), "{}", outcome.detail);
    assert_eq!(bench.sim.state().counters.bodies, 0);
}

#[tokio::test]
async fn a_wrong_password_is_tried_once_and_nothing_is_sent() {
    let mut bench = bench(|_| {}).await;
    let address = bench.recorder.address().clone();
    bench.recorder = Recorder::new(address, Credentials::new("admin", "wrong".into())).unwrap();
    let (outcome, _) = bench.run().await;
    assert_eq!(
        (outcome.stage, outcome.reason, outcome.exit()),
        (Stage::Refused, Reason::LoginRefused, Exit::Credentials)
    );
    assert!(outcome.detail.contains("4 more"), "{}", outcome.detail);
    let counters = bench.sim.state().counters;
    assert_eq!((counters.wrong_logins, counters.pushes), (1, 0));
}

#[tokio::test]
async fn a_recorder_that_is_not_there_is_untouched() {
    let Bench { sim, recorder, plan, package, keeper, journals, dir } = bench(|_| {}).await;
    sim.shutdown().await;
    let gone = bench(|_| {}).await;
    let bench = Bench { sim: gone.sim, recorder, plan, package, keeper, journals, dir };
    let (outcome, _) = bench.run().await;
    assert_eq!(
        (outcome.stage, outcome.reason, outcome.exit()),
        (Stage::Refused, Reason::Unreachable, Exit::Unreachable)
    );
}

#[tokio::test]
async fn what_cannot_be_written_down_is_not_sent() {
    let bench = bench(|_| {}).await;
    let journal = crate::journal::tests::full();
    let (outcome, events) = bench.run_on(journal, brief(), |_| {}).await;
    assert_eq!(
        (outcome.stage, outcome.reason, outcome.exit()),
        (Stage::Failed, Reason::JournalFailed, Exit::Failed)
    );
    assert!(events.iter().any(|e| matches!(e, Event::JournalFailed { .. })));
    assert_eq!((outcome.pushes, bench.sim.state().counters.pushes), (0, 0));
}

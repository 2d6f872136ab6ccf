//! A recorder that is not what it was, though this package cannot be why.

use super::*;

/// Runs it; the upload is cut, and what the recorder runs since then somebody else brought there.
async fn disturbed(revision: &str) -> (Bench, Outcome) {
    let bench = bench(|_| {}).await;
    bench.faults(Faults { cut_after: Some(1 << 20), ..Faults::default() });
    let (outcome, _) = bench
        .run_with(|event| {
            if matches!(event, Event::Uploaded { .. }) {
                bench.runs(revision);
            }
        })
        .await;
    (bench, outcome)
}

#[tokio::test]
async fn another_version_is_told_as_what_it_is_and_what_helps_then() {
    for (revision, reason) in
        [("V4.50.000 build 220101", Reason::VersionOlder), ("V4.62.000 build 240101", Reason::VersionOther)]
    {
        let (bench, outcome) = disturbed(revision).await;
        assert_eq!((outcome.stage, outcome.reason), (Stage::Unknown, reason), "{}", outcome.detail);
        let hint = outcome.hint();
        assert!(hint.contains("who else has changed it") && !hint.contains("old version"), "{hint}");
        // no new push without a person's word, as the hint says
        assert!(bench.journals.blocked(&outcome.after.unwrap()).unwrap().is_some());
    }
}

#[tokio::test]
async fn the_target_is_what_was_wanted_whoever_brought_it_there() {
    let (_bench, outcome) = disturbed(TARGET).await;
    assert_eq!((outcome.stage, outcome.reason), (Stage::Confirmed, Reason::Confirmed), "{}", outcome.detail);
}

#[tokio::test]
async fn the_answer_of_another_recorder_is_no_return() {
    let bench = bench(|_| {}).await;
    let other = "DS-7608NI-I20120200101CCRRE00000002WCVU".parse().unwrap();
    bench.faults(Faults { back_serial: Some(other), ..Faults::default() });
    let (outcome, events) = bench.run().await;
    assert_eq!((outcome.stage, outcome.reason), (Stage::Unknown, Reason::OtherSerial), "{}", outcome.detail);
    assert_eq!(stages(&events).last(), Some(&Stage::Unknown));
    assert!(!stages(&events).contains(&Stage::Returned), "{:?}", stages(&events));
}

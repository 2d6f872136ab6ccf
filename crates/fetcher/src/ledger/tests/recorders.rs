use super::*;

pub(super) fn the_last_word_about_each_recorder_counts(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new();
    ledger.enrol(&applier.key.public(), at(0)).unwrap();
    let said = [
        ("S1", "V4.1.0", PushResult::Failed),
        ("S-2", "V4.1.0", PushResult::UnknownAfterPush),
        ("S1", "V4.2.0", PushResult::Applied),
    ];
    for (counter, (serial, version, result)) in (1..).zip(said) {
        let bytes = applier.says(serial, version, result);
        ledger.receive(&applier.id(), counter, &bytes, at(9)).unwrap();
    }
    let words = ledger.last_words().unwrap();
    assert_eq!(words.len(), 2);
    assert_eq!(words[0].revision.as_ref().unwrap().to_string(), "V4.2.0 build 200101");
    let unknown = RunResult::Push(PushResult::UnknownAfterPush);
    assert_eq!((words[1].result, words[1].revision.clone()), (Some(unknown), None));
}

pub(super) fn a_clock_that_once_ran_ahead_does_not_have_the_last_word(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new();
    ledger.enrol(&applier.key.public(), at(0)).unwrap();
    for (counter, (hours, version)) in (1..).zip([(9_000, "V4.1.0"), (0, "V4.2.0")]) {
        applier.ahead = hours;
        let bytes = applier.says("S1", version, PushResult::Applied);
        ledger.receive(&applier.id(), counter, &bytes, at(9)).unwrap();
    }
    assert_eq!(ledger.last_words().unwrap()[0].revision.as_ref().unwrap().to_string(), "V4.2.0 build 200101");
}

pub(super) fn what_is_asked_for_is_kept_and_hides_no_push(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new();
    ledger.enrol(&applier.key.public(), at(0)).unwrap();
    let said = [
        applier.says("S1", "V4.1.0", PushResult::UnknownAfterPush),
        applier.asks("S1", "V4.1.0", "first"),
        applier.asks("S1", "V4.1.0", "second"),
        applier.asks("S2", "V4.1.0", "third"),
    ];
    for (counter, bytes) in (1..).zip(&said) {
        let received = ledger.receive(&applier.id(), counter, bytes, at(9)).unwrap();
        assert!(matches!(received, Received::New(_)));
    }
    let requests = ledger.requests().unwrap();
    let needs: Vec<String> = requests.iter().map(|request| request.needs[0].to_string()).collect();
    assert_eq!(needs, ["release second (not-carried)", "release third (not-carried)"]);
    assert_eq!(requests[0].site, Some(text("Harbour")));
    let words = ledger.last_words().unwrap();
    assert_eq!(
        (words[0].result, &words[0].revision),
        (Some(RunResult::Push(PushResult::UnknownAfterPush)), &None)
    );
    assert_eq!(words[1].revision.as_ref().unwrap().to_string(), "V4.1.0 build 200101");
    assert_eq!(words[1].result, None);
}

pub(super) fn cameras_are_those_told_of_last_and_answer_no_request(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new();
    ledger.enrol(&applier.key.public(), at(0)).unwrap();
    let id = applier.id();
    let mut counter = 0;
    let mut receive = |bytes: Vec<u8>| {
        counter += 1;
        assert!(matches!(ledger.receive(&id, counter, &bytes, at(9)), Ok(Received::New(_))));
    };
    receive(applier.asks("S1", "V4.1.0", "nvr-1"));
    assert_eq!(ledger.last_cameras().unwrap(), []);
    receive(applier.takes("S1", "V4.1.0", vec![], &["DS-2CD1", "DS-2CD1", ""]));
    let cameras = ledger.last_cameras().unwrap();
    let words = "2 DS-2CD1, runs V5.7.15 build 240201; 1 of a model that is not told; on 2023-11-14";
    assert_eq!((cameras.len(), cameras[0].to_string().as_str()), (1, words));
    assert_eq!(ledger.requests().unwrap()[0].needs.len(), 1, "what was asked for is still open");
    // a push says more than an inventory, whichever came last
    receive(applier.says("S1", "V4.2.0", PushResult::Applied));
    receive(applier.takes("S1", "V4.2.0", vec![], &["DS-2CD1"]));
    assert!(ledger.last_words().unwrap()[0].result.is_some());
    assert_eq!(ledger.last_cameras().unwrap()[0].cameras.count(), 1);
}

pub(super) fn recorders_come_in_the_order_of_the_bytes_of_their_serials(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new().enrolled(&ledger);
    // a dictionary would put the fourth one first
    for (counter, serial) in (1..).zip(["Z9", "Z_", "ÄA", "a1", "A2"]) {
        let bytes = applier.says(serial, "V4.1.0", PushResult::Failed);
        applier.delivers(&ledger, counter, &bytes);
    }
    let words = ledger.last_words().unwrap();
    let serials: Vec<&str> = words.iter().map(|word| word.device.serial.as_str()).collect();
    assert_eq!(serials, ["a1", "A2", "Z9", "Z_", "ÄA"]);
}

use super::*;

pub(super) fn statements_are_taken_once_and_survive_reopening(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new();
    ledger.enrol(&applier.key.public(), at(0)).unwrap();
    assert!(matches!(ledger.enrol(&applier.key.public(), at(0)), Err(LedgerError::Enrolled(_))));
    let bytes = applier.says("S1", "V4.2.0", PushResult::Applied);
    assert!(matches!(ledger.receive(&applier.id(), 1, &bytes, at(9)).unwrap(), Received::New(_)));
    drop(ledger);
    let ledger = store.open();
    assert!(matches!(ledger.receive(&applier.id(), 1, &bytes, at(9)).unwrap(), Received::Known));
    assert_eq!(ledger.findings().unwrap(), []);
    let laptop = ledger.laptops().unwrap().remove(0);
    assert_eq!((laptop.statements, laptop.complete_to), (1, 1));
}

pub(super) fn strangers_are_held_until_they_are_enrolled(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new();
    for counter in 1..=2 {
        let bytes = applier.says("S1", "V4.2.0", PushResult::Applied);
        assert!(matches!(ledger.receive(&applier.id(), counter, &bytes, at(9)).unwrap(), Received::Held));
    }
    assert_eq!(ledger.findings().unwrap(), [Finding::Held { laptop: applier.id(), statements: 2 }]);
    assert!(ledger.last_words().unwrap().is_empty());
    assert_eq!(ledger.enrol(&applier.key.public(), at(10)).unwrap(), 2);
    assert_eq!(ledger.findings().unwrap(), []);
    assert_eq!(ledger.last_words().unwrap().len(), 1);
}

pub(super) fn what_another_key_signed_is_rejected(store: &Store) {
    let ledger = store.open();
    let (enrolled, mut thief) = (Applier::new(), Applier::new());
    ledger.enrol(&enrolled.key.public(), at(0)).unwrap();
    let forged = thief.says("S1", "V9.9.9", PushResult::Applied);
    assert!(matches!(ledger.receive(&enrolled.id(), 1, &forged, at(9)).unwrap(), Received::Rejected(_)));
    assert!(matches!(ledger.receive(&enrolled.id(), 1, b"{}", at(9)).unwrap(), Received::Rejected(_)));
    assert!(ledger.last_words().unwrap().is_empty());
}

pub(super) fn what_strangers_fill_is_bounded(store: &Store) {
    let ledger = store.open();
    let mut stranger = Applier::new();
    let bytes = stranger.says("S1", "V4.2.0", PushResult::Applied);
    let change = ledger.begin().unwrap();
    let results = (1..=2_001).map(|counter| ledger.receive(&stranger.id(), counter, &bytes, at(9)).unwrap());
    let full = results.filter(|result| matches!(result, Received::Full)).count();
    change.commit().unwrap();
    assert_eq!(full, 1);
}

pub(super) fn one_enrolled_since_its_statement_was_checked_is_no_stranger(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new();
    let bytes = applier.says("S1", "V4.2.0", PushResult::Applied);
    let checked = ledger.keys().unwrap().check(&applier.id(), &bytes);
    assert!(matches!(checked, Checked::Stranger(_)));
    let applier = applier.enrolled(&ledger);
    let received = ledger.take(&applier.id(), 1, &bytes, checked, at(9)).unwrap();
    assert!(matches!(received, Received::New(_)));
    assert_eq!(ledger.findings().unwrap(), []);
}

pub(super) fn a_type_of_a_later_version_is_kept_whatever_it_is_called(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new().enrolled(&ledger);
    // no text of a database can hold the second of these
    for (counter, predicate_type) in (1..).zip(["urn:x-courier:weather/v1", "odd\0type", "push-started"]) {
        let bytes = applier.invents(predicate_type);
        assert!(matches!(applier.delivers(&ledger, counter, &bytes), Received::New(_)), "{predicate_type:?}");
        assert!(matches!(applier.delivers(&ledger, counter, &bytes), Received::Known));
    }
    assert_eq!(ledger.findings().unwrap(), []);
    assert_eq!(ledger.last_words().unwrap(), []);
}

pub(super) fn a_change_that_is_not_committed_never_was(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new().enrolled(&ledger);
    let bytes = applier.says("S1", "V4.2.0", PushResult::Applied);
    let change = ledger.begin().unwrap();
    assert!(matches!(applier.delivers(&ledger, 1, &bytes), Received::New(_)));
    drop(change);
    assert_eq!(ledger.laptops().unwrap()[0].statements, 0);
    assert!(matches!(applier.delivers(&ledger, 1, &bytes), Received::New(_)));
}

pub(super) fn one_change_at_a_time(store: &Store) {
    let mut applier = Applier::new().enrolled(&store.open());
    let bytes: Vec<_> = (0..40).map(|_| applier.says("S1", "V4.2.0", PushResult::Applied)).collect();
    let count = |ledger: &Ledger| ledger.laptops().unwrap()[0].statements;
    std::thread::scope(|scope| {
        for half in bytes.chunks(20).enumerate() {
            let applier = &applier;
            scope.spawn(move || {
                let ledger = store.open();
                for (counter, bytes) in (1..).zip(half.1) {
                    let change = ledger.begin().unwrap();
                    let before = count(&ledger);
                    applier.delivers(&ledger, counter + 20 * half.0 as u64, bytes);
                    assert_eq!(count(&ledger), before + 1, "somebody else changed it as well");
                    change.commit().unwrap();
                }
            });
        }
    });
    assert_eq!(count(&store.open()), 40);
}

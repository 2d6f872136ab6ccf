use super::*;

pub(super) fn a_revoked_laptop_is_believed_up_to_a_statement(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new().enrolled(&ledger);
    let (laptop, other) = (applier.id(), Applier::new());
    let mut say = |serial, version| applier.says(serial, version, PushResult::Applied);
    let bytes = [say("S1", "V4.1.0"), say("S1", "V4.2.0"), say("S2", "V4.3.0"), say("S1", "V4.4.0")];
    let deliver = |counter: u64| {
        let bytes = &bytes[usize::try_from(counter).unwrap() - 1];
        ledger.receive(&laptop, counter, bytes, at(9)).unwrap()
    };
    for counter in [1, 3] {
        assert!(matches!(deliver(counter), Received::New(_)));
    }
    assert!(matches!(ledger.revoke(&other.id(), 2, at(10)), Err(LedgerError::NotEnrolled(_))));
    assert_eq!(ledger.revoke(&laptop, 2, at(10)).unwrap(), 1);
    assert!(matches!(deliver(2), Received::New(_)), "earlier ones are believed whenever they come");
    assert!(matches!(deliver(4), Received::Revoked(revoked) if revoked == laptop));
    assert!(matches!(deliver(4), Received::Known));
    let words = ledger.last_words().unwrap();
    let runs: Vec<_> = words.iter().map(|word| word.revision.as_ref().unwrap().to_string()).collect();
    assert_eq!(runs, ["V4.2.0 build 200101"]);
    assert_eq!(ledger.findings().unwrap(), [Finding::Revoked { laptop, after: 2, statements: 2 }]);
    let there = ledger.laptops().unwrap().remove(0);
    assert_eq!((there.statements, there.complete_to, there.revoked_after, there.beyond), (2, 2, Some(2), 2));
}

pub(super) fn what_a_revoked_laptop_fills_is_bounded(store: &Store) {
    let ledger = store.open();
    let mut thief = Applier::new().enrolled(&ledger);
    ledger.revoke(&thief.id(), 0, at(1)).unwrap();
    let change = ledger.begin().unwrap();
    let results: Vec<Received> = (1..=2_001)
        .map(|counter| {
            let bytes = thief.says("S1", "V9.9.9", PushResult::Applied);
            thief.delivers(&ledger, counter, &bytes)
        })
        .collect();
    change.commit().unwrap();
    assert_eq!(results.iter().filter(|result| matches!(result, Received::Full)).count(), 1);
    assert!(ledger.last_words().unwrap().is_empty());
}

pub(super) fn it_is_never_believed_again(store: &Store) {
    let ledger = store.open();
    let laptop = Applier::new().enrolled(&ledger).id();
    ledger.revoke(&laptop, 5, at(1)).unwrap();
    for after in [5, 6] {
        let refused = ledger.revoke(&laptop, after, at(2));
        assert!(matches!(refused, Err(LedgerError::Revoked { after: 5, .. })));
    }
    ledger.revoke(&laptop, 4, at(3)).unwrap();
    assert_eq!(ledger.laptops().unwrap()[0].revoked_after, Some(4));
}

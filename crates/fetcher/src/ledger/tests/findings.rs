use super::*;

pub(super) fn gaps_and_forks_are_findings(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new();
    ledger.enrol(&applier.key.public(), at(0)).unwrap();
    let statements: Vec<_> = (0..4).map(|_| applier.says("S1", "V4.2.0", PushResult::Failed)).collect();
    for counter in [1, 4] {
        ledger
            .receive(&applier.id(), counter, &statements[usize::try_from(counter).unwrap() - 1], at(9))
            .unwrap();
    }
    let laptop = applier.id();
    let gap = Finding::Gap { laptop: laptop.clone(), first: 2, last: 3 };
    let words = gap.to_string();
    assert!(words.contains("2 to 3") && words.contains("applier receipts --copy-to PATH --all"), "{words}");
    assert_eq!(ledger.findings().unwrap(), [gap]);
    assert_eq!(ledger.laptops().unwrap()[0].complete_to, 1);
    // the laptop's state was set back to statement 1: it goes on with another number 2
    applier.counter = 1;
    applier.previous = Some(Envelope::read(&statements[0]).unwrap().digest());
    let other = applier.says("S1", "V4.3.0", PushResult::Applied);
    for counter in [2, 3] {
        ledger.receive(&laptop, counter, &statements[usize::try_from(counter).unwrap() - 1], at(9)).unwrap();
    }
    assert_eq!(ledger.findings().unwrap(), []);
    ledger.receive(&laptop, 2, &other, at(10)).unwrap();
    assert!(ledger.findings().unwrap().contains(&Finding::Fork { laptop, counter: 2 }));
}

pub(super) fn the_same_words_in_other_bytes_are_a_replay_and_no_fork(store: &Store) {
    for other_bytes_first in [false, true] {
        let ledger = store.open();
        let mut applier = Applier::new().enrolled(&ledger);
        let laptop = applier.id();
        let bytes: Vec<_> = (0..2).map(|_| applier.says("S1", "V4.2.0", PushResult::Applied)).collect();
        let mut first = [bytes[0].clone(), rewritten(&bytes[0])];
        if other_bytes_first {
            first.reverse();
        }
        assert!(matches!(applier.delivers(&ledger, 1, &first[0]), Received::New(_)));
        assert!(matches!(applier.delivers(&ledger, 1, &first[1]), Received::Replayed(_)));
        assert!(matches!(applier.delivers(&ledger, 1, &first[1]), Received::Replayed(_)));
        applier.delivers(&ledger, 2, &bytes[1]);
        let replay = Finding::Replay { laptop: laptop.clone(), counter: 1, folder: laptop.clone(), number: 1 };
        let mut found = ledger.findings().unwrap();
        found.retain(|finding| finding.to_string().contains(laptop.as_str()));
        assert_eq!(found, [replay], "and the second statement names the first, in whichever bytes");
        let there = ledger.laptops().unwrap().into_iter().find(|there| there.laptop == laptop).unwrap();
        assert_eq!((there.statements, there.complete_to), (2, 2));
    }
}

pub(super) fn a_statement_in_the_place_of_another_is_a_replay_and_is_not_lost(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new().enrolled(&ledger);
    let (other, stranger) = (Applier::new().enrolled(&ledger), Applier::new());
    let laptop = applier.id();
    let bytes: Vec<_> = (0..3).map(|_| applier.says("S1", "V4.2.0", PushResult::Applied)).collect();
    applier.delivers(&ledger, 1, &bytes[0]);
    let lay = |folder: &LaptopId, number: u64, bytes: &[u8]| ledger.receive(folder, number, bytes, at(9)).unwrap();
    assert!(matches!(lay(&laptop, 7, &bytes[0]), Received::Replayed(_)));
    assert!(matches!(lay(&other.id(), 1, &bytes[1]), Received::New(_)));
    assert!(matches!(lay(&stranger.id(), 2, &bytes[2]), Received::New(_)));
    let replay = |counter, folder, number| Finding::Replay { laptop: laptop.clone(), counter, folder, number };
    assert_eq!(
        ledger.findings().unwrap(),
        [replay(1, laptop.clone(), 7), replay(2, other.id(), 1), replay(3, stranger.id(), 2)]
    );
    let there = ledger.laptops().unwrap().into_iter().find(|there| there.laptop == laptop).unwrap();
    assert_eq!((there.statements, there.complete_to), (3, 3));
}

pub(super) fn a_clock_and_a_publication_that_go_back_are_regressions(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new().enrolled(&ledger);
    // hours ahead, resets, root and timestamp; and what goes back there
    let course = [
        (50, 0, (1, 5), None),
        (0, 0, (1, 5), Some(Regressed::Clock)),
        (50, 0, (1, 5), None),
        (0, 1, (1, 6), None),
        (0, 0, (1, 4), Some(Regressed::Publication)),
        (0, 0, (2, 1), None),
        (0, 0, (1, 9), Some(Regressed::Root)),
        (0, 0, (1, 9), None),
    ];
    let mut expected = Vec::new();
    for (counter, (ahead, resets, publication, what)) in (1..).zip(course) {
        (applier.ahead, applier.resets, applier.publication) = (ahead, resets, publication);
        let bytes = applier.says("S1", "V4.2.0", PushResult::Applied);
        applier.delivers(&ledger, counter, &bytes);
        let laptop = applier.id();
        expected.extend(what.map(|what| Finding::Regression { laptop: laptop.clone(), counter, what }));
    }
    assert_eq!(ledger.findings().unwrap(), expected);
}

pub(super) fn a_run_without_its_end_is_open(store: &Store) {
    let ledger = store.open();
    let (mut applier, mut other) = (Applier::new().enrolled(&ledger), Applier::new().enrolled(&ledger));
    applier.run = "first";
    let began = applier.begins("S-1");
    applier.delivers(&ledger, 1, &began);
    // the end of another run, and that of another laptop's run of the same name, end nothing
    applier.run = "second";
    let second = applier.says("S1", "V4.2.0", PushResult::Applied);
    applier.delivers(&ledger, 2, &second);
    other.run = "first";
    let foreign = other.says("S1", "V4.2.0", PushResult::Applied);
    other.delivers(&ledger, 1, &foreign);
    let open = Open {
        laptop: applier.id(),
        counter: 1,
        kind: "push-started".into(),
        serial: "S1".into(),
        since: at(0),
    };
    assert_eq!(ledger.findings().unwrap(), [Finding::Open(open.clone())]);
    let there = ledger.laptops().unwrap().into_iter().find(|there| there.laptop == applier.id()).unwrap();
    assert_eq!(there.open, std::slice::from_ref(&open));
    let words = "push to recorder S1 began on 2023-11-14 22:13 UTC (statement 1) and its end has not arrived";
    assert_eq!(open.to_string(), words);
    applier.run = "first";
    let ended = applier.says("S1", "V4.2.0", PushResult::UnknownAfterPush);
    applier.delivers(&ledger, 3, &ended);
    assert_eq!(ledger.findings().unwrap(), []);
}

pub(super) fn replays_that_are_told_of_are_bounded(store: &Store) {
    let ledger = store.open();
    let mut applier = Applier::new().enrolled(&ledger);
    let bytes = applier.says("S1", "V4.2.0", PushResult::Applied);
    applier.delivers(&ledger, 1, &bytes);
    let change = ledger.begin().unwrap();
    for number in 2..110 {
        assert!(matches!(applier.delivers(&ledger, number, &bytes), Received::Replayed(_)));
    }
    change.commit().unwrap();
    assert_eq!(ledger.findings().unwrap().len(), 100);
}

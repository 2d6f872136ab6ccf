use super::*;

#[test]
fn an_unsettled_run_blocks_its_recorder_and_no_other() {
    let device = plan().device;
    let (mut other, mut done) = (device.clone(), device.clone());
    other.serial = "X1".parse().unwrap();
    done.revision = plan().target.revision;
    for (lines, blocked) in [(1, false), (2, false), (3, true), (5, true), (7, true), (9, false)] {
        let (_dir, journals, _) = journal(lines);
        assert_eq!(journals.blocked(&device).unwrap().is_some(), blocked, "{lines} lines");
        assert_eq!(journals.blocked(&other).unwrap(), None);
        assert_eq!(journals.blocked(&done).unwrap(), None, "it runs what was pushed, so that push is over");
    }
    let (_dir, journals, _) = journal(3);
    let words = journals.blocked(&device).unwrap().unwrap().to_string();
    assert!(words.contains("V4.61.025 build 230421") && words.contains("flashing"), "{words}");
}

#[test]
fn a_last_block_that_never_left_blocks_nothing_while_the_recorder_is_what_it_was() {
    let uploaded = |released| Event::Uploaded { handed: 5, released, answer: None, how: "lost".into() };
    let push = |number| Event::Push { number };
    let before = plan().device;
    let mut changed = before.clone();
    changed.revision = "V4.50.000 build 220101".parse().unwrap();
    for (events, blocked) in [
        (vec![push(1), uploaded(false), stage(Stage::Unknown)], false),
        (vec![push(1), uploaded(true), stage(Stage::Flashing), stage(Stage::Unknown)], true),
        (vec![push(1), stage(Stage::Flashing), uploaded(false)], false),
        (vec![push(1), uploaded(false), push(2)], false),
        (vec![push(1), uploaded(false), push(2), stage(Stage::Flashing)], true),
        // that the last block leaves is written down before it does
        (vec![push(1)], false),
    ] {
        let (_dir, journals) = journals();
        later(&journals, 0, plan(), &events);
        assert_eq!(journals.blocked(&before).unwrap().is_some(), blocked, "{events:?}");
        assert!(journals.blocked(&changed).unwrap().is_some(), "something has changed it: {events:?}");
    }
}

#[test]
fn only_the_newest_run_that_sent_anything_is_asked() {
    // unknown, then found to be over, so that another release could be pushed
    let (_dir, journals, _) = journal(3);
    let mut next = plan();
    next.target.revision = "V4.62.000 build 240101".parse().unwrap();
    let mut device = next.device.clone();
    device.revision = next.target.revision.clone();
    assert!(journals.blocked(&device).unwrap().is_some());
    // what sent nothing says nothing about what was sent before
    later(&journals, 100, next.clone(), &[stage(Stage::Refused)]);
    assert!(journals.blocked(&device).unwrap().is_some());
    // the clock was set back in between
    let events =
        [Event::Push { number: 1 }, stage(Stage::Flashing), stage(Stage::Returned), stage(Stage::Confirmed)];
    later(&journals, -1000, next, &events);
    assert_eq!(journals.blocked(&device).unwrap(), None);
    device.revision = "V4.63.000 build 250101".parse().unwrap();
    assert_eq!(journals.blocked(&device).unwrap(), None, "whatever became of it since");
}

#[test]
fn a_damaged_journal_stops_only_the_recorder_it_may_be_about() {
    let device = plan().device;
    let mut other = device.clone();
    other.serial = "X1".parse().unwrap();
    let (_dir, journals, path) = journal(4);
    flip(&path, 2);
    assert!(matches!(journals.blocked(&device), Err(JournalError::Damaged { line: 3, .. })));
    assert_eq!(journals.blocked(&other).unwrap(), None);
    // a later run of the same recorder could begin only once a person had looked
    later(&journals, 100, plan(), &[Event::Push { number: 1 }, stage(Stage::Failed)]);
    assert_eq!(journals.blocked(&device).unwrap(), None);
    flip(&path, 0);
    for device in [&device, &other] {
        let error = journals.blocked(device).unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    assert!(matches!(journals.blocked(&other), Err(JournalError::Io { .. })), "unreadable is anybody's, too");
}

#[test]
fn looking_again_does_not_begin_the_quiet_period_anew() {
    let (_dir, journals, path) = journal(3);
    let mut again = journals.reopen(&run_id()).unwrap();
    let (address, link) = (plan().address, loopback(&plan().address).facts().clone());
    again.append(at(500), &Event::Resumed { address, link, boot: None }).unwrap();
    again.append(at(600), &Event::Left { why: "asked to".into() }).unwrap();
    again.append(at(700), &stage(Stage::Unknown)).unwrap();
    let replay = replay(&path).unwrap().unwrap();
    assert_eq!(replay.last, at(2));
}

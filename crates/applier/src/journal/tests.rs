use std::io::Write as _;

use super::*;
use crate::event::{Outcome, Reason};
use crate::inventory::tests::inventory;
use crate::isolation::link_guard;
use crate::plan::Plan;
use crate::stage::Stage;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_795_000_000 + second).unwrap()
}

/// A plan for a recorder in good order.
pub(crate) fn plan() -> Plan {
    let inventory = inventory("DS-7608NI-I2", "V4.30.097 build 200101");
    serde_json::from_value(serde_json::json!({
        "format": 1, "address": inventory.address, "device": inventory.device,
        "target": {"release": "new", "version": "V4.61.025", "build": "230421", "name": "new/digicap.dav", "length": 3, "sha256": Sha256Digest::of(b"abc")},
        "checks": [], "notes": [], "overrides": [], "backup": "not taken",
    }))
    .unwrap()
}

fn run_id() -> RunId {
    RunId::new(at(0), [1, 2, 3, 4])
}

fn stage(stage: Stage) -> Event {
    Event::Stage { stage }
}

/// A whole run, line by line.
fn events() -> Vec<Event> {
    let plan = plan();
    let digest = plan.digest().unwrap();
    let link = link_guard(&plan.address).unwrap().facts().clone();
    let mut after = plan.device.clone();
    after.revision = plan.target.revision.clone();
    let outcome = Outcome {
        stage: Stage::Confirmed,
        reason: Reason::Confirmed,
        detail: "x".into(),
        after: Some(after.clone()),
        pushes: 1,
    };
    vec![
        Event::Planned { run: run_id(), plan: Box::new(plan), digest, link },
        stage(Stage::Uploading),
        Event::Push { number: 1 },
        stage(Stage::Flashing),
        stage(Stage::RebootRequested),
        stage(Stage::Rebooting),
        stage(Stage::Returned),
        Event::Read { device: Box::new(after) },
        stage(Stage::Confirmed),
        Event::Ended { outcome: Box::new(outcome) },
    ]
}

/// A directory with a journal of the first `lines` lines.
fn journal(lines: usize) -> (tempfile::TempDir, Journals, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let journals = Journals::open(&dir.path().join("journals")).unwrap();
    let mut journal = journals.create(&run_id()).unwrap();
    for (n, event) in events().iter().take(lines).enumerate() {
        journal.append(at(n.try_into().unwrap()), event).unwrap();
    }
    let path = journal.path.clone();
    (dir, journals, path)
}

#[test]
fn replaying_any_prefix_gives_the_stage() {
    let expected = [
        None,
        Some(Stage::Planned),
        Some(Stage::Uploading),
        Some(Stage::Uploading),
        Some(Stage::Flashing),
        Some(Stage::RebootRequested),
        Some(Stage::Rebooting),
        Some(Stage::Returned),
        Some(Stage::Returned),
        Some(Stage::Confirmed),
        Some(Stage::Confirmed),
    ];
    for (lines, stage) in expected.into_iter().enumerate() {
        let (_dir, journals, _) = journal(lines);
        let replays = journals.all().unwrap();
        assert_eq!(replays.first().map(|r| r.stage), stage, "{lines} lines");
        if let Some(replay) = replays.first() {
            assert_eq!(replay.pushes, u32::from(lines >= 3));
            assert_eq!(replay.outcome.is_some(), lines == events().len());
            assert_eq!(replay.last, at(i64::try_from(lines).unwrap() - 1));
        }
    }
}

#[test]
fn a_torn_last_line_never_happened() {
    let (_dir, journals, path) = journal(2);
    let whole = std::fs::read(&path).unwrap();
    let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
    for cut in first..whole.len() {
        File::options().write(true).open(&path).unwrap().set_len(cut as u64).unwrap();
        assert_eq!(journals.all().unwrap()[0].stage, Stage::Planned, "cut at {cut}");
        File::create(&path).unwrap().write_all(&whole).unwrap();
    }
    assert_eq!(journals.all().unwrap()[0].stage, Stage::Uploading);
}

#[test]
fn any_changed_byte_is_found() {
    let (_dir, journals, path) = journal(4);
    let whole = std::fs::read(&path).unwrap();
    for at in (0..whole.len() - 1).step_by(7) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        File::create(&path).unwrap().write_all(&changed).unwrap();
        assert!(matches!(journals.all(), Err(JournalError::Damaged { .. })), "byte {at}");
    }
}

#[test]
fn a_missing_or_moved_line_is_found() {
    let (_dir, journals, path) = journal(5);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for order in [vec![0, 2, 3, 4], vec![0, 2, 1, 3, 4], vec![1, 2], vec![0, 0]] {
        let edited: String = order.iter().map(|n| lines[*n]).collect();
        File::create(&path).unwrap().write_all(edited.as_bytes()).unwrap();
        assert!(matches!(journals.all(), Err(JournalError::Damaged { .. })), "{order:?}");
    }
}

#[test]
fn stages_that_cannot_follow_each_other_are_damage() {
    let dir = tempfile::tempdir().unwrap();
    let journals = Journals::open(dir.path()).unwrap();
    let mut journal = journals.create(&run_id()).unwrap();
    journal.append(at(0), &events()[0]).unwrap();
    journal.append(at(1), &stage(Stage::Confirmed)).unwrap();
    assert!(matches!(journals.all(), Err(JournalError::Damaged { line: 2, .. })));
    assert!(matches!(journals.create(&run_id()), Err(JournalError::Io { .. })), "a name is taken once");
}

#[test]
fn an_unsettled_run_blocks_its_recorder_and_no_other() {
    let device = plan().device;
    let (mut other, mut done) = (device.clone(), device.clone());
    other.serial = "X1".parse().unwrap();
    done.revision = plan().target.revision;
    for (lines, blocked) in [(1, false), (2, true), (4, true), (6, true), (8, true), (10, false)] {
        let (_dir, journals, _) = journal(lines);
        assert_eq!(journals.blocked(&device).unwrap().is_some(), blocked, "{lines} lines");
        assert_eq!(journals.blocked(&other).unwrap(), None);
        assert_eq!(journals.blocked(&done).unwrap(), None, "it runs what was pushed, so that push is over");
    }
    let (_dir, journals, _) = journal(4);
    let words = journals.blocked(&device).unwrap().unwrap().to_string();
    assert!(words.contains("V4.61.025 build 230421") && words.contains("flashing"), "{words}");
}

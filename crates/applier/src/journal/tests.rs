use std::io::Write as _;

use receipt::Publication;

use super::*;
use crate::backup::Kept;
use crate::event::{Outcome, Papers, Reason};
use crate::inventory::tests::inventory;
use crate::isolation::tests::loopback;
use crate::plan::Plan;
use crate::stage::Stage;

mod blocked;

pub(crate) fn at(second: i64) -> Timestamp {
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

/// The first line of a journal.
pub(crate) fn planned_as(run: RunId, plan: Plan) -> Event {
    let (digest, link) = (plan.digest().unwrap(), loopback(&plan.address).facts().clone());
    let timestamp_sha256 = Sha256Digest::of(b"timestamp");
    let publication =
        Publication { root: 1, targets: 1, snapshot: 1, timestamp: 1, timestamp_sha256, forgiven: vec![] };
    let papers = Box::new(Papers { publication, operator: None, site: None });
    Event::Planned { format: FORMAT, run, plan: Box::new(plan), digest, link, papers }
}

pub(crate) fn planned() -> Event {
    planned_as(run_id(), plan())
}

pub(crate) fn run_id() -> RunId {
    RunId::new(at(0), [1, 2, 3, 4])
}

pub(crate) fn stage(stage: Stage) -> Event {
    Event::Stage { stage }
}

/// A whole run, line by line.
fn events() -> Vec<Event> {
    let plan = plan();
    let mut after = plan.device.clone();
    after.revision = plan.target.revision.clone();
    let outcome = Outcome {
        stage: Stage::Confirmed,
        reason: Reason::Confirmed,
        detail: "x".into(),
        after: Some(after.clone()),
        pushes: 1,
        backup: None,
    };
    vec![
        planned(),
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

/// No journals yet.
pub(crate) fn journals() -> (tempfile::TempDir, Journals) {
    let dir = tempfile::tempdir().unwrap();
    let journals = Journals::open(&dir.path().join("journals")).unwrap();
    (dir, journals)
}

/// A journal on a disk that is full, and where nothing can be cut.
pub(crate) fn full() -> Journal {
    let path = PathBuf::from("/dev/full");
    let file = File::options().append(true).open(&path).unwrap();
    Journal { file, path, sum: Sha256Digest::of(b""), length: 0, torn: false }
}

/// A directory with a journal of the first `lines` lines.
fn journal(lines: usize) -> (tempfile::TempDir, Journals, PathBuf) {
    let (dir, journals) = journals();
    let mut journal = journals.create(&run_id()).unwrap();
    for (n, event) in events().iter().take(lines).enumerate() {
        journal.append(at(n.try_into().unwrap()), event).unwrap();
    }
    let path = journal.path.clone();
    (dir, journals, path)
}

/// What the one journal there tells.
fn replay(path: &Path) -> Result<Option<Replay>, JournalError> {
    let Lines { records, damage, .. } = read(path);
    damage.map_or_else(|| Replay::of(path, &records), Err)
}

fn stage_of(path: &Path) -> Option<Stage> {
    replay(path).unwrap().map(|replay| replay.stage)
}

/// A run of another plan that begins later, with these events after its plan.
fn later(journals: &Journals, second: i64, plan: Plan, events: &[Event]) -> PathBuf {
    let run = journals.name(at(second), [9; 4]).unwrap();
    let mut journal = journals.create(&run).unwrap();
    journal.append(at(second), &planned_as(run, plan)).unwrap();
    for event in events {
        journal.append(at(second), event).unwrap();
    }
    journal.path
}

fn flip(path: &Path, line: usize) {
    let mut bytes = std::fs::read(path).unwrap();
    let starts = bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1);
    let start = std::iter::once(0).chain(starts).nth(line).unwrap();
    bytes[start + 20] ^= 1;
    File::create(path).unwrap().write_all(&bytes).unwrap();
}

#[test]
fn replaying_any_prefix_gives_the_stage() {
    let expected = [
        None,
        Some(Stage::Planned),
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
        let (_dir, journals, path) = journal(lines);
        assert_eq!(stage_of(&path), stage, "{lines} lines");
        if let Some(replay) = replay(&path).unwrap() {
            assert_eq!(replay.pushes, u32::from(lines >= 2));
            assert_eq!(replay.outcome.is_some(), lines == events().len());
            assert_eq!(replay.last, at(i64::try_from(lines).unwrap() - 1));
        }
        assert_eq!(journals.newest(&plan().device.serial).unwrap().is_some(), lines >= 2);
    }
}

#[test]
fn a_torn_last_line_never_happened_and_is_cut_off() {
    let (dir, _, path) = journal(2);
    let whole = std::fs::read(&path).unwrap();
    let first = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
    for cut in first..whole.len() {
        File::create(&path).unwrap().write_all(&whole[..cut]).unwrap();
        assert_eq!(stage_of(&path), Some(Stage::Planned), "cut at {cut}");
        Journals::open(&dir.path().join("journals")).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), whole[..first], "cut at {cut}");
    }
    File::create(&path).unwrap().write_all(&whole).unwrap();
    Journals::open(&dir.path().join("journals")).unwrap();
    assert_eq!(stage_of(&path), Some(Stage::Uploading));
}

#[test]
fn a_line_that_failed_is_taken_back_before_the_next() {
    let (_dir, journals) = journals();
    let mut journal = journals.create(&run_id()).unwrap();
    let events = events();
    journal.append(at(0), &events[0]).unwrap();
    let good = std::mem::replace(&mut journal.file, full().file);
    assert!(matches!(journal.append(at(1), &events[1]), Err(JournalError::Io { .. })));
    // as far as the disk took it
    (&good).write_all(b"{\"sum\":\"0").unwrap();
    journal.file = good;
    journal.append(at(1), &events[1]).unwrap();
    assert_eq!(stage_of(&journal.path), Some(Stage::Uploading));
    // and where the cutting works nothing stays behind at all
    let readable = File::open(&journal.path).unwrap();
    let good = std::mem::replace(&mut journal.file, readable);
    assert!(journal.append(at(2), &events[2]).is_err());
    journal.file = good;
    journal.append(at(2), &events[2]).unwrap();
    assert_eq!(stage_of(&journal.path), Some(Stage::Flashing));
}

#[test]
fn any_changed_byte_is_found() {
    let (_dir, _, path) = journal(4);
    let whole = std::fs::read(&path).unwrap();
    for at in (0..whole.len() - 1).step_by(7) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        File::create(&path).unwrap().write_all(&changed).unwrap();
        assert!(matches!(replay(&path), Err(JournalError::Damaged { .. })), "byte {at}");
    }
}

#[test]
fn a_missing_or_moved_line_is_found() {
    let (_dir, _, path) = journal(5);
    let text = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    for order in [vec![0, 2, 3, 4], vec![0, 2, 1, 3, 4], vec![1, 2], vec![0, 0]] {
        let edited: String = order.iter().map(|n| lines[*n]).collect();
        File::create(&path).unwrap().write_all(edited.as_bytes()).unwrap();
        assert!(matches!(replay(&path), Err(JournalError::Damaged { .. })), "{order:?}");
    }
}

#[test]
fn stages_that_cannot_follow_each_other_are_damage() {
    for impossible in [stage(Stage::Confirmed), stage(Stage::Flashing), events()[0].clone()] {
        let (_dir, journals) = journals();
        let path = later(&journals, 0, plan(), &[impossible]);
        assert!(matches!(replay(&path), Err(JournalError::Damaged { line: 2, .. })));
    }
    let (_dir, journals) = journals();
    let path = later(
        &journals,
        0,
        plan(),
        &[Event::Push { number: 1 }, stage(Stage::Failed), Event::Push { number: 2 }],
    );
    assert!(matches!(replay(&path), Err(JournalError::Damaged { line: 4, .. })), "pushed after its end");
    journals.create(&run_id()).unwrap();
    assert!(matches!(journals.create(&run_id()), Err(JournalError::Io { .. })), "a name is taken once");
}

#[test]
fn a_backup_comes_once_before_the_push_and_is_no_push() {
    let kept = Kept {
        file: "backups/x.age".into(),
        size: 1,
        sha256: Sha256Digest::of(b"configuration"),
        device_key: false,
    };
    let backed_up = Event::BackedUp { backup: kept.clone() };
    let written = |lines: &[Event]| {
        let (_dir, journals) = journals();
        let mut journal = journals.create(&run_id()).unwrap();
        for event in lines {
            journal.append(at(0), event).unwrap();
        }
        journals.newest(&plan().device.serial)
    };
    let [planned, push, ..] = &events()[..] else { panic!() };
    let backup_alone = [planned.clone(), backed_up.clone()];
    assert_eq!(written(&backup_alone).unwrap(), None, "nothing was sent");
    let pushed = [&backup_alone[..], std::slice::from_ref(push)].concat();
    let replay = written(&pushed).unwrap().unwrap();
    assert_eq!((replay.stage, replay.backup), (Stage::Uploading, Some(kept)));
    for lines in
        [[planned.clone(), push.clone(), backed_up.clone()], [planned.clone(), backed_up.clone(), backed_up]]
    {
        assert!(matches!(written(&lines), Err(JournalError::Damaged { line: 3, .. })));
    }
}

#[test]
fn a_journal_of_another_form_is_not_believed_and_not_called_damaged() {
    for found in [0, 2] {
        let (_dir, journals) = journals();
        let mut journal = journals.create(&run_id()).unwrap();
        let mut first = planned();
        if let Event::Planned { format, .. } = &mut first {
            *format = found;
        }
        journal.append(at(0), &first).unwrap();
        let error = journals.blocked(&plan().device).unwrap_err();
        assert!(matches!(error, JournalError::Format { found: is, .. } if is == found), "{error}");
        assert_eq!(journals.unfinished().unwrap().damaged.len(), 1);
    }
}

#[test]
fn a_journal_that_is_opened_again_goes_on_behind_its_last_whole_line() {
    let (_dir, journals, path) = journal(3);
    File::options().append(true).open(&path).unwrap().write_all(b"{\"sum\":\"12").unwrap();
    let mut again = journals.reopen(&run_id()).unwrap();
    for (n, event) in events().iter().enumerate().skip(3) {
        again.append(at(100), event).unwrap();
        assert_eq!(read(&path).records.len(), n + 1);
    }
    assert_eq!(stage_of(&path), Some(Stage::Confirmed));
    flip(&path, 1);
    assert!(matches!(journals.reopen(&run_id()), Err(JournalError::Damaged { line: 2, .. })));
}

#[test]
fn of_each_recorder_the_newest_runs_are_unfinished() {
    let open = |journals: &Journals| -> Vec<String> {
        journals.unfinished().unwrap().runs.iter().map(|replay| replay.stage.to_string()).collect()
    };
    let (_dir, journals, _) = journal(3);
    assert_eq!(open(&journals), ["flashing"]);
    // a run that sent nothing, one that was interrupted before it did, and another recorder's
    later(&journals, 100, plan(), &[]);
    later(&journals, 200, plan(), &[stage(Stage::Refused)]);
    let mut other = plan();
    other.device.serial = "X1".parse().unwrap();
    later(&journals, 300, other, &[Event::Push { number: 1 }]);
    assert_eq!(open(&journals), ["flashing", "planned", "refused", "uploading"]);
    // pushed again, by a person's decision: what came of the first cannot be told any more
    let sent = [Event::Push { number: 1 }, stage(Stage::Flashing), stage(Stage::Unknown)];
    let path = later(&journals, 400, plan(), &sent);
    assert_eq!(open(&journals), ["planned", "refused", "uploading", "unknown"]);
    flip(&path, 2);
    let unfinished = journals.unfinished().unwrap();
    assert_eq!(unfinished.damaged.len(), 1);
}

/// Writes lines that tell nothing until there is room for so many bytes.
pub(crate) fn fill(journal: &mut Journal, room: u64) {
    let left = |bytes: usize| Event::Left { why: "x".repeat(bytes) };
    let before = journal.length;
    journal.append(at(0), &left(0)).unwrap();
    let line = usize::try_from(journal.length - before).unwrap();
    loop {
        let free = usize::try_from(LARGEST - journal.length - room).unwrap();
        let last = free <= 1 << 16;
        journal.append(at(0), &left(if last { free } else { 1 << 15 } - line)).unwrap();
        if last {
            return;
        }
    }
}

#[test]
fn what_is_written_can_be_read_however_much_there_is_to_write() {
    let (_dir, journals, path) = journal(2);
    let mut again = journals.reopen(&run_id()).unwrap();
    fill(&mut again, 100);
    let full = again.append(at(9), &stage(Stage::Flashing));
    assert!(matches!(full, Err(JournalError::Full(_))), "{full:?}");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), LARGEST - 100);
    assert_eq!(stage_of(&path), Some(Stage::Uploading));
    assert!(Journals::open(&journals.dir).unwrap().reopen(&run_id()).is_ok());
}

use isapi::Answer;
use proptest::prelude::*;

use super::*;
use crate::confirm::{Verdict, confirm};
use crate::event::{Event, Outcome, Reason};
use crate::isolation::tests::loopback;
use crate::journal::Journals;
use crate::journal::tests::{at, journals, plan, planned, run_id, stage};
use crate::stage::MOVES;

const OLD: &str = "V4.30.097 build 200101";
const TARGET: &str = "V4.61.025 build 230421";
const OTHER: &str = "V4.50.000 build 220101";
const NEXT_BUILD: &str = "V4.61.025 build 230422";
const NEXT_VERSION: &str = "V4.61.026 build 230421";

fn seen(revision: &str, idle: bool, uptime: Option<u64>) -> Seen {
    let mut device = plan().device;
    device.revision = revision.parse().unwrap();
    Seen { device, idle, uptime }
}

fn uploaded(released: bool, answer: Option<Answer>) -> Event {
    Event::Uploaded { handed: 3, released, answer, how: "x".into() }
}

fn taken(reboot: Reboot) -> Event {
    uploaded(true, Some(Answer::Taken { reboot }))
}

fn refused() -> Event {
    let body = "<ResponseStatus><statusCode>4</statusCode><subStatusCode>badDevType</subStatusCode></ResponseStatus>";
    uploaded(true, Some(Answer::of(403, body.as_bytes())))
}

fn ended(stage: Stage) -> Event {
    let outcome = Outcome {
        stage,
        reason: Reason::LostAfterEnd,
        detail: "x".into(),
        after: None,
        pushes: 1,
        backup: None,
    };
    Event::Ended { outcome: Box::new(outcome) }
}

/// The journal of a run with these events behind its plan, read back.
fn replay(journals: &Journals, events: &[Event]) -> Replay {
    let mut journal = journals.create(&run_id()).unwrap();
    for (n, event) in std::iter::once(&planned()).chain(events).enumerate() {
        journal.append(at(n.try_into().unwrap()), event).unwrap();
    }
    journals.unfinished().unwrap().runs.pop().unwrap()
}

fn decided(events: &[Event], seen: Option<&Seen>) -> Next {
    let (_dir, journals) = journals();
    next(&replay(&journals, events), seen)
}

const PUSH: Event = Event::Push { number: 1 };

fn flashing() -> Vec<Event> {
    vec![Event::Uptime { seconds: 5000 }, PUSH, stage(Stage::Flashing)]
}

fn after(more: &[Event]) -> Vec<Event> {
    flashing().into_iter().chain(more.iter().cloned()).collect()
}

#[test]
fn what_needs_no_recorder_asks_none() {
    assert_eq!(decided(&[], None), Next::NotBegun);
    assert_eq!(decided(&[Event::Uptime { seconds: 1 }], None), Next::NotBegun);
    assert_eq!(decided(&[stage(Stage::Failed)], None), Next::Close);
    assert_eq!(decided(&[stage(Stage::Failed), ended(Stage::Failed)], None), Next::Nothing);
    for events in [vec![PUSH], flashing(), after(&[stage(Stage::Unknown), ended(Stage::Unknown)])] {
        assert_eq!(decided(&events, None), Next::Look);
    }
}

#[test]
fn a_package_that_cannot_be_in_the_recorder_is_over_if_nothing_changed() {
    let withheld = after(&[uploaded(false, None), stage(Stage::Unknown), ended(Stage::Unknown)]);
    for events in [vec![PUSH], withheld, after(&[refused()])] {
        assert_eq!(decided(&events, Some(&seen(OLD, false, None))), Next::Untouched, "{events:?}");
        assert_eq!(decided(&events, Some(&seen(OTHER, true, None))), Next::Disturbed, "{events:?}");
        assert_eq!(decided(&events, Some(&seen(TARGET, true, None))), Next::Judge, "{events:?}");
    }
}

#[test]
fn the_restart_is_asked_for_only_where_it_was_due_and_nothing_says_that_it_was_asked_for() {
    let old = |idle| seen(OLD, idle, Some(6000));
    let due = after(&[taken(Reboot::Due)]);
    let requested = after(&[taken(Reboot::Due), stage(Stage::RebootRequested)]);
    for events in [&due, &requested, &after(&[taken(Reboot::NotSaid)])] {
        assert_eq!(decided(events, Some(&old(true))), Next::AskReboot, "{events:?}");
        assert_eq!(decided(events, Some(&old(false))), Next::WatchRestart, "busy: {events:?}");
    }
    let answered = Event::RebootAnswered { how: "no".into() };
    let answered = requested.iter().cloned().chain([answered]).collect::<Vec<_>>();
    assert_eq!(decided(&answered, Some(&old(true))), Next::WatchRestart);
    assert_eq!(decided(&after(&[taken(Reboot::ByItself)]), Some(&old(true))), Next::WatchRestart);
    assert_eq!(decided(&after(&[uploaded(true, None)]), Some(&old(true))), Next::WatchChange);
    assert_eq!(decided(&flashing(), Some(&old(true))), Next::WatchChange);
}

#[test]
fn an_old_version_is_an_end_only_after_a_restart_that_is_proven() {
    // it may only have been unplugged from the laptop
    let down = after(&[taken(Reboot::Due), stage(Stage::RebootRequested), stage(Stage::Rebooting)]);
    for idle in [true, false] {
        assert_eq!(decided(&down, Some(&seen(OLD, idle, None))), Next::WatchRestart);
    }
    assert_eq!(decided(&after(&[stage(Stage::Rebooting)]), Some(&seen(OLD, true, None))), Next::WatchChange);
    for (uptime, idle, then) in [
        (Some(4999), true, Next::Judge),
        (Some(4999), false, Next::WatchChange),
        (Some(5000), true, Next::WatchChange),
        (None, true, Next::WatchChange),
    ] {
        assert_eq!(decided(&flashing(), Some(&seen(OLD, idle, uptime))), then, "{uptime:?} {idle}");
    }
    let unknown = after(&[stage(Stage::Unknown), ended(Stage::Unknown)]);
    assert_eq!(decided(&unknown, Some(&seen(OLD, true, Some(9000)))), Next::Unproven);
    assert_eq!(decided(&unknown, Some(&seen(OLD, true, Some(10)))), Next::Judge);
}

#[test]
fn another_recorder_settles_nothing() {
    let mut other = seen(TARGET, true, Some(1));
    other.device.serial = "X1".parse().unwrap();
    for events in [vec![PUSH], flashing(), after(&[stage(Stage::Unknown), ended(Stage::Unknown)])] {
        assert_eq!(decided(&events, Some(&other)), Next::OtherSerial);
    }
}

/// One step of a run that the moves allow, chosen by `choice`.
fn step(at: Stage, pushes: &mut u32, choice: u8) -> (Stage, Vec<Event>) {
    let moves: Vec<_> = MOVES.iter().filter(|one| one.from.contains(&at)).collect();
    let Some(one) = moves.get(usize::from(choice) % moves.len().max(1)) else { return (at, vec![]) };
    let mut events = match one.to {
        Stage::Uploading => {
            *pushes += 1;
            vec![Event::Push { number: *pushes }]
        }
        to => vec![stage(to)],
    };
    match (one.to, choice / 16 % 5) {
        (Stage::Flashing, 0) => events.push(taken(Reboot::Due)),
        (Stage::Flashing, 1) => events.push(taken(Reboot::ByItself)),
        (Stage::Flashing, 2) => events.push(refused()),
        (Stage::Flashing | Stage::Uploading, 3) => events.push(uploaded(false, None)),
        (Stage::RebootRequested, 0) => events.push(Event::RebootAnswered { how: "x".into() }),
        (to, 0) if to.is_end() => events.push(ended(to)),
        _ => {}
    }
    (one.to, events)
}

fn any_run() -> impl Strategy<Value = Vec<Event>> {
    (any::<bool>(), prop::collection::vec(any::<u8>(), 0..9)).prop_map(|(uptime, choices)| {
        let mut events = if uptime { vec![Event::Uptime { seconds: 5000 }] } else { vec![] };
        let (mut at, mut pushes) = (Stage::Planned, 0);
        for choice in choices {
            let (to, more) = step(at, &mut pushes, choice);
            at = to;
            events.extend(more);
        }
        events
    })
}

fn any_seen() -> impl Strategy<Value = Seen> {
    let revision = prop::sample::select(vec![OLD, TARGET, OTHER]);
    let uptime = prop::sample::select(vec![None, Some(10), Some(5000), Some(9000)]);
    (revision, any::<bool>(), uptime, 0..8u8).prop_map(|(revision, idle, uptime, serial)| {
        let mut seen = seen(revision, idle, uptime);
        if serial == 0 {
            seen.device.serial = "X1".parse().unwrap();
        }
        seen
    })
}

/// `docs/safety.md`, rule 7, told from the lines and not from what was made of them: what proves that the last push is
/// over, if the recorder is still what it was.
fn proof(events: &[Event], seen: &Seen) -> bool {
    let last = events.iter().rposition(|event| matches!(event, Event::Push { .. }));
    let since = &events[last.unwrap_or(0)..];
    let answer = since.iter().rev().find_map(|event| match event {
        Event::Uploaded { released, answer, .. } => Some((*released, answer.clone())),
        _ => None,
    });
    let left = since.iter().any(|event| *event == stage(Stage::Flashing));
    let never_left = answer.as_ref().map_or(!left, |(released, _)| !released);
    let refused = matches!(&answer, Some((true, Some(Answer::Refused(no)))) if no.http != 401 && no.code != Some(2) && !no.flash_begun);
    let uptime = events.iter().any(|event| matches!(event, Event::Uptime { .. }));
    let fell = uptime && seen.uptime.is_some_and(|now| now < 5000) && seen.idle;
    let stages = || {
        since.iter().rev().filter_map(|e| if let Event::Stage { stage } = e { Some(*stage) } else { None })
    };
    // it had answered with something that was proof enough then
    let was_back = stages().next() == Some(Stage::Returned);
    never_left || refused || fell || was_back
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_prefix_of_a_journal_gives_its_stage_and_a_safe_action(events in any_run(), seen in any_seen()) {
        let mut at = Stage::Planned;
        for length in 0..=events.len() {
            let events = &events[..length];
            match events.last() {
                Some(Event::Stage { stage }) => at = *stage,
                Some(Event::Push { .. }) => at = Stage::Uploading,
                Some(Event::BackedUp { .. }) => at = Stage::BackedUp,
                _ => {}
            }
            let (_dir, journals) = journals();
            let replay = replay(&journals, events);
            prop_assert_eq!(replay.stage, at);
            let to_do = next(&replay, Some(&seen));
            let same_serial = seen.device.serial == replay.plan.device.serial;
            let whole = replay.outcome.is_some();
            match to_do {
                Next::NotBegun => prop_assert!(!at.has_begun()),
                Next::Nothing | Next::Close => {
                    prop_assert!(at.is_end() && at != Stage::Unknown);
                    prop_assert_eq!(to_do == Next::Nothing, whole);
                }
                Next::OtherSerial => prop_assert!(!same_serial),
                Next::Look => prop_assert!(false, "it was asked"),
                // every end of a push that may be in the recorder, and its old version, has its proof
                Next::Untouched => prop_assert!(same_serial && proof(events, &seen)),
                Next::Judge if seen.device.revision == replay.plan.device.revision => {
                    prop_assert!(same_serial && proof(events, &seen));
                }
                Next::Judge | Next::Disturbed => prop_assert!(same_serial),
                Next::AskReboot => {
                    prop_assert!(same_serial && seen.idle && !replay.held && replay.taken().is_some());
                    let answered = events.iter().any(|e| matches!(e, Event::RebootAnswered { .. }));
                    prop_assert!(!answered);
                }
                Next::WatchRestart | Next::WatchChange => prop_assert!(same_serial && !whole),
                Next::Unproven => prop_assert!(same_serial && whole && !proof(events, &seen)),
            }
        }
    }

    /// No second push without proof that the first is over.
    #[test]
    fn nothing_is_pushed_again_without_proof(events in any_run(), seen in any_seen()) {
        let (_dir, journals) = journals();
        let replay = replay(&journals, &events);
        let free = journals.blocked(&seen.device).unwrap().is_none();
        let about_it = seen.device.serial == replay.plan.device.serial && replay.has_sent();
        let before = seen.device.revision == replay.plan.device.revision;
        if free && about_it && before && replay.stage.is_unsettled() {
            let idle = Seen { idle: true, uptime: None, ..seen };
            prop_assert!(proof(&events, &idle), "{:?}", replay.stage);
        }
    }

    /// Confirmed is exactly a judgement over the same serial number with the version and build of the target.
    #[test]
    fn only_a_judgement_can_confirm(
        events in any_run(),
        seen in any_seen(),
        revision in prop::sample::select(vec![OLD, TARGET, OTHER, NEXT_BUILD, NEXT_VERSION]),
    ) {
        let seen = Seen { device: Device { revision: revision.parse().unwrap(), ..seen.device }, ..seen };
        let (_dir, journals) = journals();
        let replay = replay(&journals, &events);
        let is_target = revision == TARGET && seen.device.serial == plan().device.serial;
        let verdict = confirm(&replay.plan.device, &replay.plan.target.revision, &seen.device);
        prop_assert_eq!(verdict == Verdict::Confirmed, is_target);
        let is_open = next(&replay, None) == Next::Look;
        let to_do = next(&replay, Some(&seen));
        if is_open && is_target {
            prop_assert_eq!(to_do, Next::Judge);
        }
        // all others end as something else, or go on looking
        prop_assert!(is_open || !matches!(to_do, Next::Judge | Next::WatchRestart | Next::WatchChange | Next::AskReboot));
    }
}

#[test]
fn a_run_that_is_looked_after_again_is_not_ended() {
    let (address, link) = (plan().address, loopback(&plan().address).facts().clone());
    let resumed = Event::Resumed { address, link, boot: None };
    let events = after(&[stage(Stage::Unknown), ended(Stage::Unknown), resumed]);
    assert_eq!(decided(&events, Some(&seen(OLD, true, None))), Next::WatchChange);
}

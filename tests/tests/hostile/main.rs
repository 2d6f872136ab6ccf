//! Hostile repositories: one file of `tests/hostile/tuf/` for each defect, and one runner for all.
//!
//! A case says what is done to a good repository that was really built and signed, and what the client
//! must say, to the class of the error. Its good twin, everything but the defect, must be accepted, so
//! that nothing is refused for another reason than the one stated. What is trusted afterwards is compared
//! byte for byte with what was trusted before and what was verified. Where a case has an exit code the
//! real `applier verify` is held to it, on a real directory.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)] // helpers of tests are tests

mod act;
mod applier;
mod case;
mod class;
mod client;
mod depot;
mod fat;
mod odd;
mod world;

use std::panic::{AssertUnwindSafe, catch_unwind};

use case::{Case, Run};
use client::Answer;
use journeys::programs::program;
use world::{Files, World};

/// Runs all cases of a group, and fails with the names of those that do not hold.
fn hold(group: &str) {
    // built before a world is made: its clock is never believed to be before that
    program("applier");
    let full = std::env::var_os("COURIER_TEST_FULL").is_some();
    let cases: Vec<_> = case::all(group).into_iter().filter(|(_, case)| full || !case.full).collect();
    assert!(!cases.is_empty(), "there is no case {group}");
    let fails = |(name, case): &(String, Case)| {
        let failed = catch_unwind(AssertUnwindSafe(|| check(case))).is_err();
        // after the words of the panic, if there was one
        eprintln!("{name}: {}", if failed { "DOES NOT HOLD" } else { "holds" });
        failed.then(|| name.clone())
    };
    let failed: Vec<String> = cases.iter().filter_map(fails).collect();
    assert!(failed.is_empty(), "of {} cases these do not hold, see above: {failed:?}", cases.len());
}

fn check(case: &Case) {
    let mut twin = World::new();
    twin.take(&case.before);
    twin.take(&case.twin);
    twin.take(&case.after);
    let before = twin.stored();
    assert_eq!(twin.ask(case.twin_run.as_ref().unwrap_or(&case.run)).class, "accepted", "the good twin");
    if case.exit.is_some() {
        twin.restore(&before);
        applier::verify(&twin).ends(0, "the good twin");
    }

    let mut world = World::new();
    world.take(&case.before);
    world.take(&case.damage);
    world.take(&case.after);
    let before = world.stored();
    let answer = world.ask(&case.run);
    assert_eq!(answer.class, case.outcome);
    if case.run != Run::Plan && case.run != Run::Draft {
        judge(&world, case, &before, &answer);
    }
    assert!(answer.read <= case.reads_at_most.unwrap_or(u64::MAX), "{} bytes were read", answer.read);
    assert!(case.approved_by.is_none() || answer.role == case.approved_by, "approved by {:?}", answer.role);
    if let Some(exit) = case.exit {
        world.restore(&before);
        applier::verify(&world).ends(exit, "the defect");
        judge(&world, case, &before, &answer);
    }
}

/// Holds that the store has changed by what was verified, and by what the case says, and not otherwise.
fn judge(world: &World, case: &Case, before: &Files, answer: &Answer) {
    let mut now = world.stored();
    let mut expected = before.clone();
    expected.extend(answer.verified.clone());
    let on_stick = |file: &str| world::read(&world.depot.path("metadata").join(file));
    for (file, becomes) in &case.store {
        match becomes.as_str() {
            "gone" => drop(expected.remove(file)),
            "new" => drop((now.remove(file), expected.remove(file))),
            _ if becomes.starts_with("day ") => {
                let record: serde_json::Value = serde_json::from_slice(&now.remove(file).unwrap()).unwrap();
                let day = world.depot.day(becomes["day ".len()..].parse().unwrap());
                assert_eq!(record["floor"].as_str().unwrap(), day.strftime("%FT%TZ").to_string());
                expected.remove(file);
            }
            _ => drop(expected.insert(file.clone(), on_stick(becomes).unwrap())),
        }
    }
    if !answer.verified.is_empty() {
        // the record of the clock follows what was verified, and delegated metadata was asked for
        now.remove("clock-floor");
        expected.remove("clock-floor");
        let metadata = world::files(&world.depot.path("metadata"));
        now.retain(|file, bytes| {
            expected.contains_key(file) || !metadata.values().any(|known| known == bytes)
        });
    }
    let names = |files: &Files| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&now), names(&expected), "files in the store");
    for (file, bytes) in &now {
        assert!(*bytes == expected[file], "{file} in the store is not what was verified");
    }
}

#[test]
fn root() {
    hold("root-");
}

#[test]
fn timestamp() {
    hold("timestamp-");
}

#[test]
fn snapshot() {
    hold("snapshot-");
}

#[test]
fn targets() {
    hold("targets-");
}

#[test]
fn delegations() {
    hold("delegations-");
}

#[test]
fn recovery() {
    hold("recovery-");
}

#[test]
fn endless() {
    hold("endless-");
}

#[test]
fn names() {
    hold("names-");
}

#[test]
fn media() {
    hold("media-");
}

#[test]
fn clock() {
    hold("clock-");
}

#[test]
fn state() {
    hold("state-");
}

#[test]
fn large() {
    hold("large-");
}

#[test]
fn every_case_is_in_a_group() {
    const GROUPS: [&str; 12] = [
        "root-",
        "timestamp-",
        "snapshot-",
        "targets-",
        "delegations-",
        "recovery-",
        "endless-",
        "names-",
        "media-",
        "clock-",
        "state-",
        "large-",
    ];
    for (name, _) in case::all("") {
        assert_eq!(GROUPS.iter().filter(|group| name.starts_with(**group)).count(), 1, "{name}");
    }
}

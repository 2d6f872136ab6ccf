use std::error::Error as _;

use keys::SigningKey;
use serde_json::{Value, json};

use super::*;
use crate::testing::{Files, World, day, sign};
use crate::{
    DirectoryStore, FetchError, FloorSource, MemoryStore, StartSource, StoreError, read_clock, reset_clock,
    trust,
};

mod attacks;
mod clock;
mod interrupted;
mod medium;

const FILES: [&str; 4] = ["root.json", "timestamp.json", "snapshot.json", "targets.json"];

/// The whole message, as a program prints it.
fn said(error: &Error) -> String {
    let reason = error.source().map(|source| format!(": {source}")).unwrap_or_default();
    format!("{error}{reason}")
}

fn stored(store: &dyn TrustStore, file: &str) -> Option<Vec<u8>> {
    store.load(file, 1 << 20).unwrap()
}

/// Version 1, refreshed once.
fn refreshed() -> World {
    let mut world = World::new();
    world.refresh().unwrap();
    world
}

#[test]
fn asks_in_the_order_of_the_specification_and_keeps_every_byte() {
    let mut world = World::new();
    let trusted = world.refresh().unwrap();
    assert_eq!(
        world.repository.requests,
        ["2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"]
    );
    for (file, name) in
        FILES.iter().zip(["1.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"])
    {
        assert_eq!(stored(&world.store, file).unwrap(), world.repository.metadata[name], "{file}");
    }
    assert_eq!(trusted.timestamp().version(), 1);
    assert_eq!(trusted.good_until(), day(30));
    assert_eq!((trusted.start().now(), trusted.start().source()), (day(1), StartSource::System));
}

#[test]
fn asks_only_for_what_is_new() {
    let mut world = refreshed();
    world.refresh().unwrap();
    assert_eq!(world.repository.requests, ["2.root.json", "timestamp.json"]);
    world.next_root(|_| {});
    world.version_up(|world| &mut world.snapshot);
    world.version_up(|world| &mut world.timestamp);
    world.publish();
    let trusted = world.refresh().unwrap();
    assert_eq!(
        world.repository.requests,
        ["2.root.json", "3.root.json", "timestamp.json", "2.snapshot.json"]
    );
    assert_eq!(
        (trusted.root().version(), trusted.snapshot().version(), trusted.targets().version()),
        (2, 2, 1)
    );
}

#[test]
fn a_timestamp_of_the_same_version_changes_nothing() {
    let mut world = refreshed();
    let before = stored(&world.store, "timestamp.json");
    world.timestamp["custom"]["note"] = "other bytes".into();
    world.publish_timestamp();
    let trusted = world.refresh().unwrap();
    assert_eq!(stored(&world.store, "timestamp.json"), before);
    assert_eq!(Some(trusted.timestamp().bytes()), before.as_deref());
}

#[test]
fn a_stored_copy_that_is_not_the_one_listed_is_read_again() {
    let mut world = refreshed();
    world.snapshot["x"] = "same version, other bytes".into();
    world.version_up(|world| &mut world.timestamp);
    world.publish();
    let trusted = world.refresh().unwrap();
    assert_eq!(world.repository.requests[2..], ["1.snapshot.json"]);
    assert_eq!(trusted.snapshot().bytes(), world.repository.metadata["1.snapshot.json"]);
    world.store.save("targets.json", b"damaged").unwrap();
    world.refresh().unwrap();
    assert_eq!(world.repository.requests[2..], ["1.targets.json"]);
}

#[test]
fn follows_roots_whose_expiry_does_not_matter_yet() {
    let mut world = refreshed();
    world.next_root(|root| root["expires"] = day(-5).to_string().into());
    world.rotate(Role::Root);
    world.next_root(|root| root["expires"] = day(700).to_string().into());
    let trusted = world.refresh().unwrap();
    assert_eq!(trusted.root().version(), 4);
    assert_eq!(stored(&world.store, "root.json").unwrap(), world.root_bytes(4));
}

#[test]
fn follows_so_many_roots_in_one_run_and_the_rest_in_the_next() {
    let mut world = refreshed();
    for _ in 0..=MAX_ROTATIONS {
        world.next_root(|_| {});
    }
    assert_eq!(world.refresh().unwrap().root().version(), 257);
    assert_eq!(world.refresh().unwrap().root().version(), 258);
}

#[test]
fn reads_repositories_without_hashes_lengths_or_consistent_names() {
    let mut world = refreshed();
    world.next_root(|root| root["consistent_snapshot"] = false.into());
    for part in [&mut world.targets, &mut world.snapshot, &mut world.timestamp] {
        part["version"] = 2.into();
    }
    world.snapshot["meta"] = json!({"targets.json": {"version": 2}});
    world.publish_snapshot();
    world.timestamp["meta"] = json!({"snapshot.json": {"version": 2}});
    world.publish_timestamp();
    world.place(Role::Targets, &world.targets.clone());
    for role in [Role::Snapshot, Role::Targets] {
        let bytes = world.repository.metadata.remove(&role.versioned_file(2, true)).unwrap();
        world.repository.metadata.insert(role.file().into(), bytes);
    }
    assert_eq!(world.refresh().unwrap().targets().version(), 2);
    assert_eq!(world.repository.requests[2..], ["timestamp.json", "snapshot.json", "targets.json"]);
}

#[test]
fn a_directory_holds_the_files_under_their_plain_names() {
    let mut world = World::new();
    let directory = tempfile::tempdir().unwrap();
    let mut store = DirectoryStore::new(directory.path());
    assert!(matches!(refresh(&mut store, &mut world.repository, world.clock), Err(Error::NoTrustedRoot)));
    let root = Verified::self_signed(&world.root_bytes(1)).unwrap();
    trust(&mut store, root.bytes(), &root.sha256()).unwrap();
    refresh(&mut store, &mut world.repository, world.clock).unwrap();
    let mut names: Vec<_> = std::fs::read_dir(directory.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names, ["clock-floor", "root.json", "snapshot.json", "targets.json", "timestamp.json"]);
    for file in FILES {
        assert_eq!(stored(&store, file), stored_in_memory(&mut world, file), "{file}");
    }
}

fn stored_in_memory(world: &mut World, file: &str) -> Option<Vec<u8>> {
    world.refresh().unwrap();
    stored(&world.store, file)
}

#[test]
fn a_run_without_history_starts_from_a_trusted_root() {
    let mut world = refreshed();
    let root = world.refresh().unwrap().root().clone();
    let mut store = MemoryStore::trusting(&root);
    let trusted = refresh(&mut store, &mut world.repository, world.clock).unwrap();
    assert_eq!(trusted.targets().version(), 1);
}

#[test]
fn there_is_no_root_after_the_highest_version() {
    let mut world = World::new();
    world.root["version"] = (u64::MAX - 1).into();
    world.next_root(|_| {});
    let last = world.root_bytes(u64::MAX);
    world.store = MemoryStore::trusting(&Verified::self_signed(&last).unwrap());
    assert_eq!(world.refresh().unwrap().root().version(), u64::MAX);
    assert_eq!(world.repository.requests, ["timestamp.json", "1.snapshot.json", "1.targets.json"]);
    let last = Verified::<Root>::self_signed(&last).unwrap();
    assert!(last.successor(&world.root_bytes(1)).is_err());
}

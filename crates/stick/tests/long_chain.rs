//! Of a long chain of roots as many are checked as a machine follows in one run, and no more: the work of a
//! run does not grow with the age of a depot, nor with what somebody lays on a stick.

#![allow(clippy::unwrap_used, reason = "a test")]

use jiff::Timestamp;
use keys::SigningKey;
use stick::{Directory, OpenError, UnverifiedPublication, layout, media};
use tempfile::TempDir;
use tuf_client::{Clock, Document, Error, MAX_ROTATIONS, MemoryStore, Root, Verified};
use tuf_repository::{Roles, Signed, Signers, TargetsDraft, root, snapshot, timestamp};

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn lay<T: Document>(dir: &Directory, signed: &Signed<T>) {
    media::write(dir, &layout::metadata(signed.file_name()), &signed.bytes()).unwrap();
}

/// A stick with an empty publication after so many roots, and the newest of them.
fn stick(roots: u64) -> (TempDir, Verified<Root>) {
    // in memory, where hundreds of syncs take no time
    let temp = tempfile::tempdir_in("/dev/shm").unwrap();
    let dir = Directory::open(temp.path()).unwrap();
    let keys: [SigningKey; 4] = std::array::from_fn(|_| SigningKey::generate());
    let one = |role: usize| Signers::one(keys[role].public());
    let roles = Roles { root: one(0), targets: one(1), snapshot: one(2), timestamp: one(3) };
    let (expires, now) = (time("2028-01-01T00:00:00Z"), time("2026-11-22T10:00:00Z"));
    let mut newest: Option<Verified<Root>> = None;
    for _ in 0..roots {
        let next = root(newest.as_ref(), expires, &roles).unwrap().sign(&[&keys[0]]);
        lay(&dir, &next);
        newest = Some(Verified::self_signed(&next.bytes()).unwrap());
    }
    let newest = newest.unwrap();
    let targets = TargetsDraft::first().unsigned(expires).unwrap().sign(&[&keys[1]]);
    lay(&dir, &targets);
    let snapshot = snapshot(None, expires, &targets.verified_by(&newest).unwrap()).unwrap().sign(&[&keys[2]]);
    lay(&dir, &snapshot);
    let timestamp = timestamp(None, expires, now, &snapshot.verified_by(&newest).unwrap()).unwrap();
    lay(&dir, &timestamp.sign(&[&keys[3]]));
    (temp, newest)
}

#[test]
fn roots_beyond_those_that_a_machine_follows_are_not_read() {
    let (temp, newest) = stick(MAX_ROTATIONS + 10);
    let verify = || {
        let dir = Directory::open(temp.path()).unwrap();
        let now = time("2026-11-22T10:00:00Z");
        let mut store = MemoryStore::trusting(&newest);
        let clock = Clock { system: now, build: now };
        UnverifiedPublication::on(&dir).verify(&mut store, clock).map(drop)
    };
    let remove = |version: u64| {
        std::fs::remove_file(temp.path().join(layout::metadata(format!("{version}.root.json")))).unwrap();
    };
    verify().unwrap();
    remove(9);
    verify().unwrap();
    // the chain is checked from the root on from which one run leads to the newest
    remove(10);
    let error = verify().unwrap_err();
    assert!(
        matches!(&error, OpenError::Metadata(Error::Missing { file }) if file == "10.root.json"),
        "{error}"
    );
}

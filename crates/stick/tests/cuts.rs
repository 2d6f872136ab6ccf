//! A stick is pulled out before, in the middle of, and after every single operation while it is
//! written: each time it is the previous publication, the new one, or rejected, and whatever the
//! applier would then read is whole or refused. The next load mends it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test")]

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU32, Ordering};

use firmware::advisory::AdvisoryTable;
use firmware::policy::Policy;
use firmware::{Release, Sha256Digest};
use jiff::Timestamp;
use keys::SigningKey;
use stick::media::{Entry, Sink};
use stick::{
    Contents, CopyError, Directory, Document, Media, Sealed, StickState, UnverifiedPublication,
    document_bytes, document_facts, document_name, release_facts, write,
};
use tempfile::TempDir;
use tuf_client::{Clock, MemoryStore, Root, Targets, Verified};
use tuf_repository::{Roles, Signers, TargetsDraft};

/// A directory that is pulled out after a number of operations that change it: the last one is torn.
struct Pulled<'a> {
    inner: &'a Directory,
    left: AtomicU32,
}

fn gone() -> io::Error {
    io::Error::from_raw_os_error(5)
}

impl Pulled<'_> {
    /// `Ok(true)`: do it; `Ok(false)`: this is the one that is torn.
    fn change(&self) -> io::Result<bool> {
        match self.left.load(Ordering::Relaxed) {
            0 => Err(gone()),
            left => {
                self.left.store(left - 1, Ordering::Relaxed);
                Ok(left > 1)
            }
        }
    }
}

struct PulledSink<'a> {
    medium: &'a Pulled<'a>,
    inner: Box<dyn Sink + 'a>,
}

impl Write for PulledSink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.medium.change()? {
            return self.inner.write(bytes);
        }
        self.inner.write_all(&bytes[..bytes.len() / 2])?;
        Err(gone())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for PulledSink<'_> {
    fn sync(self: Box<Self>) -> io::Result<()> {
        if self.medium.change()? { self.inner.sync() } else { Err(gone()) }
    }
}

impl Media for Pulled<'_> {
    fn open(&self, path: &str) -> io::Result<Option<Box<dyn Read + Send + '_>>> {
        self.inner.open(path)
    }

    fn create(&self, path: &str) -> io::Result<Box<dyn Sink + '_>> {
        let whole = self.change()?;
        let inner = self.inner.create(path)?;
        if whole { Ok(Box::new(PulledSink { medium: self, inner })) } else { Err(gone()) }
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        self.inner.list(folder)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        if self.change()? { self.inner.remove(path) } else { Err(gone()) }
    }

    fn sync_names(&self) -> io::Result<()> {
        if self.change()? { self.inner.sync_names() } else { Err(gone()) }
    }

    fn forget(&self, path: &str) -> io::Result<()> {
        self.inner.forget(path)
    }

    fn free(&self) -> io::Result<Option<u64>> {
        Ok(None)
    }
}

/// A depot with two publications, one after the other.
struct Depot {
    root: Verified<Root>,
    files: BTreeMap<String, Vec<u8>>,
    publications: [Contents; 2],
}

const NOW: &str = "2026-11-22T10:00:00Z";

fn clock() -> Clock {
    let now: Timestamp = NOW.parse().unwrap();
    Clock { system: now, build: now }
}

fn release(id: &str) -> Release {
    let facts = serde_json::json!({"id": id, "family": "nvr", "models": ["DS-7608NI-I2"], "version": "V4.61.025", "build": "230421"});
    serde_json::from_value(facts).unwrap()
}

/// What the depot allows by each publication.
fn policy(publication: usize) -> Policy {
    Policy { backup_required: publication == 1, ..Policy::default() }
}

/// The same table in both, so that one document stays and the other is superseded.
fn advisories() -> AdvisoryTable {
    AdvisoryTable::new("2026-11-22".parse().unwrap(), Vec::new(), Vec::new()).unwrap()
}

/// Lists a document; gives its consistent name, what is listed of it, and its bytes.
fn list<T: Document>(draft: &mut TargetsDraft, document: &T) -> (String, Sealed, Vec<u8>) {
    let bytes = document_bytes(document).unwrap();
    let sealed = Sealed { length: bytes.len() as u64, sha256: Sha256Digest::of(&bytes) };
    let name = T::NAME.parse().unwrap();
    draft.insert(name, sealed.length, sealed.sha256.as_bytes(), &document_facts::<T>());
    (document_name(T::NAME, sealed.sha256), sealed, bytes)
}

impl Depot {
    /// First `one` and `two`; then `two` and `three`. Each with a policy of its own and with the same
    /// advisories.
    fn new() -> Self {
        let (root_key, approver, online) =
            (SigningKey::generate(), SigningKey::generate(), SigningKey::generate());
        let one = |key: &SigningKey| Signers::one(key.public());
        let timestamp_key = SigningKey::generate();
        let roles = Roles {
            root: one(&root_key),
            targets: one(&approver),
            snapshot: one(&online),
            timestamp: one(&timestamp_key),
        };
        let now: Timestamp = NOW.parse().unwrap();
        let expires: Timestamp = "2026-12-22T10:00:00Z".parse().unwrap();
        let root = tuf_repository::root(None, expires, &roles).unwrap().sign(&[&root_key]);
        let root = Verified::<Root>::self_signed(&root.bytes()).unwrap();

        let mut files = BTreeMap::new();
        let mut draft = TargetsDraft::first();
        let (mut snapshot, mut timestamp) = (None, None);
        let mut publish = |number: usize, ids: [&str; 2]| {
            let mut listed = BTreeMap::new();
            for (name, sealed, bytes) in [list(&mut draft, &policy(number)), list(&mut draft, &advisories())]
            {
                listed.insert(name.clone(), sealed);
                files.insert(name, bytes);
            }
            for id in ids {
                let (release, body) = (release(id), id.repeat(50_000).into_bytes());
                let sealed = Sealed { length: body.len() as u64, sha256: Sha256Digest::of(&body) };
                let name = format!("{id}/{}.digicap.dav", sealed.sha256);
                let facts = release_facts(&release).as_object().unwrap().clone();
                draft.insert(
                    release.target_name().parse().unwrap(),
                    sealed.length,
                    sealed.sha256.as_bytes(),
                    &facts,
                );
                listed.insert(name.clone(), sealed);
                files.insert(name, body);
            }
            let targets = draft.unsigned(expires).unwrap().sign(&[&approver]);
            let verified: Verified<Targets> = targets.verified_by(&root).unwrap();
            let next =
                tuf_repository::snapshot(snapshot.as_ref(), expires, &verified).unwrap().sign(&[&online]);
            let signed = next.verified_by(&root).unwrap();
            let stamp = tuf_repository::timestamp(timestamp.as_ref(), expires, now, &signed)
                .unwrap()
                .sign(&[&timestamp_key]);
            let contents = Contents {
                metadata: [
                    ("1.root.json".into(), root.bytes().to_vec()),
                    (next.file_name(), next.bytes()),
                    (targets.file_name(), targets.bytes()),
                ]
                .into(),
                timestamp: stamp.bytes(),
                carried: listed.keys().cloned().collect(),
                listed,
                acknowledged: None,
                readme: "readme".into(),
            };
            (snapshot, timestamp) = (Some(signed), Some(stamp.verified_by(&root).unwrap()));
            draft = TargetsDraft::after(verified);
            draft.remove("one/digicap.dav");
            contents
        };
        let publications = [publish(0, ["one", "two"]), publish(1, ["three", "two"])];
        Self { root, files, publications }
    }

    fn load(&self, medium: &dyn Media, publication: usize) -> Result<stick::WritePlan, stick::WriteError> {
        let source = |name: &str| Ok(Box::new(io::Cursor::new(self.files[name].clone())) as Box<dyn Read>);
        write(medium, &self.publications[publication], &source, &self.root, clock(), &mut |_| {})
    }

    fn stick_with_the_first(&self) -> (TempDir, Directory) {
        let dir = tempfile::tempdir().unwrap();
        let stick = Directory::open(dir.path()).unwrap();
        self.load(&stick, 0).unwrap();
        (dir, stick)
    }

    /// What an applier would find: the version, and whether each release can be had.
    fn look(&self, stick: &Directory) -> Option<(u64, BTreeMap<String, bool>)> {
        let publication =
            UnverifiedPublication::on(stick).verify(&mut MemoryStore::trusting(&self.root), clock()).ok()?;
        let version = publication.metadata().timestamp().version();
        let number = usize::try_from(version).unwrap() - 1;
        assert_eq!(publication.policy().unwrap().document(), &policy(number));
        assert_eq!(publication.advisories().unwrap().document(), &advisories());
        let has = |release: &stick::SignedRelease| {
            let mut copy = Vec::new();
            match publication.copy(release, &mut copy, &mut |_| ()) {
                Ok(()) => {
                    assert_eq!(copy, self.files[&release.consistent_name()]);
                    true
                }
                Err(CopyError::NotCarried(_) | CopyError::Rejected(..)) => false,
                Err(error) => panic!("{error}"),
            }
        };
        let releases = publication.releases().iter().map(|r| (r.release().id.to_string(), has(r))).collect();
        Some((version, releases))
    }
}

fn whole(ids: [&str; 2]) -> BTreeMap<String, bool> {
    ids.map(|id| (id.to_string(), true)).into()
}

#[test]
fn at_every_cut_the_stick_is_the_previous_one_the_new_one_or_rejected() {
    let depot = Depot::new();
    let (mut previous, mut new, mut rejected) = (0, 0, 0);
    for cut in 1.. {
        let (_dir, stick) = depot.stick_with_the_first();
        let result = depot.load(&Pulled { inner: &stick, left: AtomicU32::new(cut) }, 1);
        let found = depot.look(&stick);
        match &found {
            Some((1, releases)) => assert_eq!(releases, &whole(["one", "two"]), "cut {cut}"),
            Some((2, releases)) => assert_eq!(releases, &whole(["three", "two"]), "cut {cut}"),
            Some((version, _)) => panic!("cut {cut}: version {version}"),
            None => {}
        }
        let Err(error) = result else {
            assert_eq!(found, Some((2, whole(["three", "two"]))));
            break;
        };
        match found {
            Some((1, _)) => previous += 1,
            found => {
                // whoever was told "as before" must be right
                assert_eq!(error.state(), StickState::Uncertain, "cut {cut}: {error:?}");
                if found.is_some() { new += 1 } else { rejected += 1 }
            }
        }
        depot.load(&stick, 1).unwrap();
        assert_eq!(depot.look(&stick), Some((2, whole(["three", "two"]))), "mended after cut {cut}");
    }
    assert!(previous > 10 && new > 2 && rejected > 0, "{previous} previous, {new} new, {rejected} rejected");
}

#[test]
fn a_second_load_writes_nothing_and_a_damaged_file_is_mended() {
    let depot = Depot::new();
    let (dir, stick) = depot.stick_with_the_first();
    assert!(depot.load(&stick, 0).unwrap().is_unchanged());
    let name = depot.publications[0].carried.iter().find(|name| name.starts_with("one/")).unwrap();
    let mut body = depot.files[name].clone();
    body[70_000] ^= 1;
    stick::media::write(&stick, &stick::layout::target(name), &body).unwrap();
    let mut events = Vec::new();
    let source = |name: &str| Ok(Box::new(io::Cursor::new(depot.files[name].clone())) as Box<dyn Read>);
    write(&stick, &depot.publications[0], &source, &depot.root, clock(), &mut |e| events.push(e)).unwrap();
    assert!(events.iter().any(|e| matches!(e, stick::Event::Mending { path } if path.ends_with(name))));
    assert_eq!(depot.look(&stick), Some((1, whole(["one", "two"]))));
    // a document that rotted or went is mended as well
    let policy = depot.publications[0].carried.iter().find(|name| name.ends_with(".policy.json")).unwrap();
    let path = stick::layout::target(policy);
    for damaged in [None, Some(vec![b' '; depot.files[policy].len()])] {
        match damaged {
            None => stick.remove(&path).unwrap(),
            Some(bytes) => stick::media::write(&stick, &path, &bytes).unwrap(),
        }
        assert_eq!(depot.look(&stick), None);
        depot.load(&stick, 0).unwrap();
        assert_eq!(depot.look(&stick), Some((1, whole(["one", "two"]))));
    }
    drop(dir);
}

#[test]
fn superseded_files_go_and_other_peoples_stay() {
    let depot = Depot::new();
    let (_dir, stick) = depot.stick_with_the_first();
    for path in [
        "holiday.jpg",
        "COURIER/targets/one/holiday.jpg",
        "COURIER/metadata/notes.txt",
        "COURIER/receipts/x/1.json",
    ] {
        stick::media::write(&stick, path, b"mine").unwrap();
    }
    depot.load(&stick, 1).unwrap();
    for path in [
        "holiday.jpg",
        "COURIER/targets/one/holiday.jpg",
        "COURIER/metadata/notes.txt",
        "COURIER/receipts/x/1.json",
    ] {
        assert!(stick.open(path).unwrap().is_some(), "{path}");
    }
    let names: Vec<String> = stick.list("COURIER/metadata").unwrap().into_iter().map(|e| e.name).collect();
    assert!(!names.contains(&"1.targets.json".to_string()) && names.contains(&"2.targets.json".to_string()));
    assert_eq!(stick.list("COURIER/targets/one").unwrap().len(), 1);
    let documents = stick.list("COURIER/targets").unwrap();
    let documents = documents.iter().filter(|entry| stick::layout::is_document(&entry.name));
    assert_eq!(documents.count(), 2, "the policy before has gone, and the advisories stand there once");
}

#[test]
fn the_publication_of_another_depot_is_not_overwritten() {
    let (ours, theirs) = (Depot::new(), Depot::new());
    let (_dir, stick) = theirs.stick_with_the_first();
    let error = ours.load(&stick, 0).unwrap_err();
    assert!(error.to_string().contains("another depot"), "{error}");
    assert_eq!(theirs.look(&stick), Some((1, whole(["one", "two"]))));
}

#[test]
fn a_torn_or_rotten_root_is_mended_by_loading() {
    let depot = Depot::new();
    let (_dir, stick) = depot.stick_with_the_first();
    let path = stick::layout::metadata("1.root.json");
    let sound = stick::media::read(&stick, &path, 1 << 20).unwrap().unwrap();
    let mut rotten = sound.clone();
    rotten[sound.len() / 2] ^= 4;
    for damaged in [&b""[..], &sound[..100], &rotten] {
        stick::media::write(&stick, &path, damaged).unwrap();
        assert_eq!(depot.look(&stick), None);
        depot.load(&stick, 0).unwrap();
        assert_eq!(depot.look(&stick), Some((1, whole(["one", "two"]))));
    }
}

#[test]
fn a_load_that_fails_on_a_file_leaves_no_half_of_it() {
    let depot = Depot::new();
    let (_dir, stick) = depot.stick_with_the_first();
    let name = depot.publications[1].carried.iter().find(|name| name.starts_with("three/")).unwrap();
    let wrong = |asked: &str| {
        let mut body = depot.files[asked].clone();
        if asked == name {
            body[100_000] ^= 1;
        }
        Ok(Box::new(io::Cursor::new(body)) as Box<dyn Read>)
    };
    let result = write(&stick, &depot.publications[1], &wrong, &depot.root, clock(), &mut |_| {});
    assert!(matches!(result, Err(stick::WriteError::Source { .. })), "{result:?}");
    assert!(stick.open(&stick::layout::target(name)).unwrap().is_none());
    assert_eq!(depot.look(&stick), Some((1, whole(["one", "two"]))));
}

#[test]
fn rot_is_noticed_by_a_machine_that_has_seen_the_publication_before() {
    let depot = Depot::new();
    let (_dir, stick) = depot.stick_with_the_first();
    let mut store = MemoryStore::trusting(&depot.root);
    UnverifiedPublication::on(&stick).verify(&mut store, clock()).map(drop).unwrap();
    for name in ["1.root.json", "1.snapshot.json", "1.targets.json", "timestamp.json"] {
        let path = stick::layout::metadata(name);
        let sound = stick::media::read(&stick, &path, 1 << 20).unwrap().unwrap();
        for at in (0..sound.len()).step_by(7) {
            let mut rotten = sound.clone();
            rotten[at] ^= 1;
            stick::media::write(&stick, &path, &rotten).unwrap();
            assert!(
                UnverifiedPublication::on(&stick).verify(&mut store, clock()).is_err(),
                "{name} byte {at}"
            );
        }
        stick::media::write(&stick, &path, &sound).unwrap();
    }
    UnverifiedPublication::on(&stick).verify(&mut store, clock()).map(drop).unwrap();
}

//! A depot with two publications, and what an applier would find of them.

use std::collections::BTreeMap;
use std::io::{self, Read};

use firmware::advisory::AdvisoryTable;
use firmware::policy::Policy;
use firmware::{Release, Sha256Digest};
use jiff::Timestamp;
use keys::SigningKey;
use stick::media::Tree;
use stick::{
    Agreed, Contents, CopyError, Directory, Document, Event, Media, Sealed, SignedRelease,
    UnverifiedPublication, WriteError, WritePlan, document_bytes, document_facts, document_name, look_again,
    release_facts, write,
};
use tempfile::TempDir;
use tuf_client::{Clock, MemoryStore, Root, Snapshot, Targets, TrustStore, Verified};
use tuf_repository::{Roles, Signers, TargetsDraft};

const NOW: &str = "2026-11-22T10:00:00Z";
const EXPIRES: &str = "2026-12-22T10:00:00Z";

/// A depot with two publications, one after the other.
pub(crate) struct Depot {
    keys: Keys,
    pub(crate) root: Verified<Root>,
    pub(crate) files: BTreeMap<String, Vec<u8>>,
    pub(crate) publications: Vec<Contents>,
    draft: TargetsDraft,
    snapshot: Option<Verified<Snapshot>>,
    timestamp: Option<Verified<tuf_client::Timestamp>>,
}

struct Keys {
    root: SigningKey,
    approver: SigningKey,
    online: SigningKey,
}

/// What is found on a stick: the version of its publication, and whether each release can be had;
/// `None` where it is rejected.
pub(crate) type Found = Option<(u64, BTreeMap<String, bool>)>;

pub(crate) fn clock() -> Clock {
    let now: Timestamp = NOW.parse().unwrap();
    Clock { system: now, build: now }
}

/// These releases, all of them whole.
pub(crate) fn whole(ids: [&str; 2]) -> BTreeMap<String, bool> {
    ids.map(|id| (id.to_string(), true)).into()
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

impl Depot {
    /// First `one` and `two`; then `two` and `three`. Each with a policy of its own and with the same
    /// advisories.
    pub(crate) fn new() -> Self {
        let keys = Keys {
            root: SigningKey::generate(),
            approver: SigningKey::generate(),
            online: SigningKey::generate(),
        };
        let one = |key: &SigningKey| Signers::one(key.public());
        let (root, targets) = (one(&keys.root), one(&keys.approver));
        let roles = Roles { root, targets, snapshot: one(&keys.online), timestamp: one(&keys.online) };
        let root = tuf_repository::root(None, EXPIRES.parse().unwrap(), &roles).unwrap().sign(&[&keys.root]);
        let mut depot = Self {
            root: Verified::<Root>::self_signed(&root.bytes()).unwrap(),
            keys,
            files: BTreeMap::new(),
            publications: Vec::new(),
            draft: TargetsDraft::first(),
            snapshot: None,
            timestamp: None,
        };
        depot.publish(["one", "two"]);
        depot.draft.remove("one/digicap.dav");
        depot.publish(["three", "two"]);
        depot
    }

    fn publish(&mut self, ids: [&str; 2]) {
        let number = self.publications.len();
        let mut listed: BTreeMap<String, Sealed> =
            [self.document(&policy(number)), self.document(&advisories())].into();
        listed.extend(ids.map(|id| self.firmware(id)));
        let expires = EXPIRES.parse().unwrap();
        let targets = self.draft.unsigned(expires).unwrap().sign(&[&self.keys.approver]);
        let verified: Verified<Targets> = targets.verified_by(&self.root).unwrap();
        let snapshot = tuf_repository::snapshot(self.snapshot.as_ref(), expires, &verified).unwrap();
        let snapshot = snapshot.sign(&[&self.keys.online]);
        let signed = snapshot.verified_by(&self.root).unwrap();
        let now = NOW.parse().unwrap();
        let timestamp = tuf_repository::timestamp(self.timestamp.as_ref(), expires, now, &signed).unwrap();
        let timestamp = timestamp.sign(&[&self.keys.online]);
        self.timestamp = Some(timestamp.verified_by(&self.root).unwrap());
        self.snapshot = Some(signed);
        self.draft = TargetsDraft::after(verified);
        self.publications.push(Contents {
            metadata: [
                ("1.root.json".into(), self.root.bytes().to_vec()),
                (snapshot.file_name(), snapshot.bytes()),
                (targets.file_name(), targets.bytes()),
            ]
            .into(),
            timestamp: timestamp.bytes(),
            carried: listed.keys().cloned().collect(),
            listed,
            acknowledged: None,
            readme: format!("publication {number}"),
        });
    }

    fn document<T: Document>(&mut self, document: &T) -> (String, Sealed) {
        let bytes = document_bytes(document).unwrap();
        let sealed = Sealed { length: bytes.len() as u64, sha256: Sha256Digest::of(&bytes) };
        let facts = document_facts::<T>();
        self.draft.insert(T::NAME.parse().unwrap(), sealed.length, sealed.sha256.as_bytes(), &facts);
        let name = document_name(T::NAME, sealed.sha256);
        self.files.insert(name.clone(), bytes);
        (name, sealed)
    }

    fn firmware(&mut self, id: &str) -> (String, Sealed) {
        let (release, body) = (release(id), id.repeat(150_000).into_bytes());
        let sealed = Sealed { length: body.len() as u64, sha256: Sha256Digest::of(&body) };
        let facts = release_facts(&release).as_object().unwrap().clone();
        let target = release.target_name().parse().unwrap();
        self.draft.insert(target, sealed.length, sealed.sha256.as_bytes(), &facts);
        let name = format!("{id}/{}.digicap.dav", sealed.sha256);
        self.files.insert(name.clone(), body);
        (name, sealed)
    }

    /// The root that this depot would publish after its own.
    pub(crate) fn next_root(&self) -> Vec<u8> {
        let roles = Roles::of(&self.root);
        let next = tuf_repository::root(Some(&self.root), EXPIRES.parse().unwrap(), &roles).unwrap();
        next.sign(&[&self.keys.root]).bytes()
    }

    /// Writes a publication to a medium, nothing being agreed to.
    pub(crate) fn load(&self, medium: &dyn Media, publication: usize) -> Result<WritePlan, WriteError> {
        self.load_telling(medium, publication, Agreed::default(), &mut |_| {})
    }

    pub(crate) fn load_telling(
        &self,
        medium: &dyn Media,
        publication: usize,
        agreed: Agreed,
        events: &mut dyn FnMut(Event),
    ) -> Result<WritePlan, WriteError> {
        let source = |name: &str| Ok(Box::new(io::Cursor::new(self.files[name].clone())) as Box<dyn Read>);
        write(medium, &self.publications[publication], &source, &self.root, clock(), agreed, events)
    }

    pub(crate) fn stick_with_the_first(&self) -> (TempDir, Directory) {
        let dir = tempfile::tempdir().unwrap();
        let stick = Directory::open(dir.path()).unwrap();
        self.load(&stick, 0).unwrap();
        (dir, stick)
    }

    /// Looks again at a stick that was loaded and mounted anew.
    pub(crate) fn look_again(&self, medium: &dyn Media, publication: usize) -> Result<(), WriteError> {
        look_again(medium, &self.publications[publication], &self.root, clock())
    }

    /// What an applier would find that was never here before.
    pub(crate) fn look(&self, stick: &dyn Tree) -> Found {
        self.look_with(stick, &mut MemoryStore::trusting(&self.root))
    }

    /// What an applier would find that trusts this; each target is read whole.
    pub(crate) fn look_with(&self, stick: &dyn Tree, store: &mut dyn TrustStore) -> Found {
        let publication = UnverifiedPublication::on(stick).verify(store, clock()).ok()?;
        let version = publication.metadata().timestamp().version();
        let number = usize::try_from(version).unwrap() - 1;
        assert_eq!(publication.policy().unwrap().document(), &policy(number));
        assert_eq!(publication.advisories().unwrap().document(), &advisories());
        let has = |release: &SignedRelease| {
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

//! A small repository for tests: written by hand from the specification, so that the client is not
//! tested against an encoder of its own, and able to be wrong on purpose.

use std::collections::BTreeMap;
use std::io::Read;

use jiff::{SignedDuration, Timestamp};
use keys::{Algorithm, SigningKey};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::{
    Clock, Error, FetchError, MemoryStore, Repository, Role, TrustedMetadata, canonical, refresh, trust,
};

pub(crate) fn key_json(key: &SigningKey) -> Value {
    let public = key.public();
    match public.algorithm() {
        Algorithm::EcdsaP256 => {
            let pem = public.to_spki_pem();
            json!({"keytype": "ecdsa", "scheme": "ecdsa-sha2-nistp256", "keyval": {"public": pem}})
        }
        _ => json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": public.to_string()}}),
    }
}

pub(crate) fn sign(signed: &Value, signers: &[(&str, &SigningKey)]) -> Vec<u8> {
    let message = canonical::encode(signed).unwrap();
    let signature =
        |(id, key): &(&str, &SigningKey)| json!({"keyid": id, "sig": key.sign(&message).to_string()});
    json!({"signatures": signers.iter().map(signature).collect::<Vec<_>>(), "signed": signed})
        .to_string()
        .into_bytes()
}

pub(crate) fn day(number: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap() + SignedDuration::from_hours(24 * number)
}

/// Files by name; records what was asked for.
#[derive(Debug, Clone, Default)]
pub(crate) struct Files {
    pub(crate) metadata: BTreeMap<String, Vec<u8>>,
    pub(crate) targets: BTreeMap<String, Vec<u8>>,
    pub(crate) requests: Vec<String>,
}

impl Repository for Files {
    fn metadata(&mut self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, FetchError> {
        self.requests.push(name.into());
        match self.metadata.get(name) {
            Some(bytes) if bytes.len() as u64 > cap => Err(FetchError::TooLarge),
            bytes => Ok(bytes.cloned()),
        }
    }

    fn target<'a>(&'a mut self, path: &str) -> Result<Option<Box<dyn Read + 'a>>, FetchError> {
        self.requests.push(path.into());
        Ok(self.targets.get(path).map(|bytes| Box::new(&bytes[..]) as Box<dyn Read>))
    }
}

/// A repository, its keys, a client's store and the time. The signed parts are open to every change
/// until [`World::publish`] links, signs and places them.
pub(crate) struct World {
    pub(crate) keys: BTreeMap<Role, Vec<SigningKey>>,
    pub(crate) root: Value,
    pub(crate) timestamp: Value,
    pub(crate) snapshot: Value,
    pub(crate) targets: Value,
    pub(crate) repository: Files,
    pub(crate) store: MemoryStore,
    pub(crate) clock: Clock,
}

impl World {
    /// Version 1 of everything, published on day 0, trusted by the client; the clock says day 1.
    pub(crate) fn new() -> Self {
        let signed = |role: Role, days: i64| json!({"_type": role.name(), "spec_version": "1.0.34", "version": 1, "expires": day(days).to_string()});
        let mut world = Self {
            keys: Role::ALL.map(|role| (role, vec![SigningKey::generate()])).into(),
            root: signed(Role::Root, 700),
            timestamp: signed(Role::Timestamp, 30),
            snapshot: signed(Role::Snapshot, 30),
            targets: signed(Role::Targets, 180),
            repository: Files::default(),
            store: MemoryStore::default(),
            clock: Clock { system: day(1), build: day(-10) },
        };
        world.root["consistent_snapshot"] = true.into();
        world.targets["targets"] = json!({});
        world.timestamp["custom"] = json!({"signed_at": day(0).to_string()});
        world.place_root(|_| {}, &[]);
        world.publish();
        let first = world.root_bytes(1);
        trust(&mut world.store, &first, &hex::encode(Sha256::digest(&first))).unwrap();
        world
    }

    pub(crate) fn refresh(&mut self) -> Result<TrustedMetadata, Error> {
        self.repository.requests.clear();
        refresh(&mut self.store, &mut self.repository, self.clock)
    }

    pub(crate) fn root_bytes(&self, version: u64) -> Vec<u8> {
        self.repository.metadata[&format!("{version}.root.json")].clone()
    }

    pub(crate) fn set_target(&mut self, name: &str, bytes: &[u8]) {
        let sha256 = hex::encode(Sha256::digest(bytes));
        self.targets["targets"][name] = json!({"length": bytes.len(), "hashes": {"sha256": sha256}});
        let path = match name.rsplit_once('/') {
            Some((directory, file)) => format!("{directory}/{sha256}.{file}"),
            None => format!("{sha256}.{name}"),
        };
        self.repository.targets.insert(path, bytes.into());
    }

    /// Gives a role one new key in place of its old ones, in a new root.
    pub(crate) fn rotate(&mut self, role: Role) {
        let old = self.keys.insert(role, vec![SigningKey::generate()]).unwrap();
        self.version_up(|world| &mut world.root);
        self.place_root(|_| {}, if role == Role::Root { &old } else { &[] });
    }

    /// Gives an online role another key in one root, and its own keys again in the next.
    pub(crate) fn rotate_and_back(&mut self, role: Role) {
        let own = self.keys.insert(role, vec![SigningKey::generate()]).unwrap();
        self.next_root(|_| {});
        self.keys.insert(role, own);
        self.next_root(|_| {});
    }

    /// The next root, changed in place before it is signed by the root keys.
    pub(crate) fn next_root(&mut self, change: impl FnOnce(&mut Value)) {
        self.version_up(|world| &mut world.root);
        self.place_root(change, &[]);
    }

    /// Adds one to the version of a part.
    pub(crate) fn version_up(&mut self, part: impl Fn(&mut Self) -> &mut Value) {
        let version = &mut part(self)["version"];
        *version = (version.as_u64().unwrap() + 1).into();
    }

    /// The next version of targets, snapshot and timestamp, published.
    pub(crate) fn publish_next(&mut self) {
        self.version_up(|world| &mut world.targets);
        self.version_up(|world| &mut world.snapshot);
        self.version_up(|world| &mut world.timestamp);
        self.publish();
    }

    /// Links, signs and places targets, snapshot and timestamp.
    pub(crate) fn publish(&mut self) {
        let targets = self.place(Role::Targets, &self.targets.clone());
        if self.snapshot.get("meta").is_none() {
            self.snapshot["meta"] = json!({});
        }
        self.snapshot["meta"]["targets.json"] = targets;
        self.publish_snapshot();
    }

    /// As [`Self::publish`], with the snapshot's own list left as it is.
    pub(crate) fn publish_snapshot(&mut self) {
        let snapshot = self.place(Role::Snapshot, &self.snapshot.clone());
        self.timestamp["meta"] = json!({"snapshot.json": snapshot});
        self.publish_timestamp();
    }

    /// As [`Self::publish_snapshot`], with the timestamp's own list left as it is.
    pub(crate) fn publish_timestamp(&mut self) {
        self.place(Role::Timestamp, &self.timestamp.clone());
    }

    /// Signs with all keys of the role and says what the next role lists.
    pub(crate) fn place(&mut self, role: Role, signed: &Value) -> Value {
        let ids: Vec<_> = self.keys[&role].iter().map(|key| key.public().fingerprint()).collect();
        let signers: Vec<_> = ids.iter().map(String::as_str).zip(&self.keys[&role]).collect();
        let bytes = sign(signed, &signers);
        let version = signed["version"].as_u64().unwrap();
        let listed = json!({
            "version": version,
            "length": bytes.len(),
            "hashes": {"sha256": hex::encode(Sha256::digest(&bytes))},
        });
        self.repository.metadata.insert(role.versioned_file(version, true), bytes);
        listed
    }

    fn place_root(&mut self, change: impl FnOnce(&mut Value), also: &[SigningKey]) {
        let id = |key: &SigningKey| key.public().fingerprint();
        let keys: BTreeMap<_, _> = self.keys.values().flatten().map(|key| (id(key), key_json(key))).collect();
        let roles: BTreeMap<_, _> = self
            .keys
            .iter()
            .map(|(role, keys)| {
                (role.name(), json!({"keyids": keys.iter().map(id).collect::<Vec<_>>(), "threshold": 1}))
            })
            .collect();
        self.root["keys"] = json!(keys);
        self.root["roles"] = json!(roles);
        change(&mut self.root);
        let signers: Vec<_> = self.keys[&Role::Root].iter().chain(also).map(|key| (id(key), key)).collect();
        let signers: Vec<_> = signers.iter().map(|(id, key)| (id.as_str(), *key)).collect();
        let version = self.root["version"].as_u64().unwrap();
        self.repository.metadata.insert(format!("{version}.root.json"), sign(&self.root, &signers));
    }
}

//! A repository that is really built and signed, and open to every change afterwards: the first
//! publication is made by `tuf-repository`, what follows is signed here from parts that a case may have
//! changed, since the signing side would refuse to make most of it.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{File, create_dir_all};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use keys::SigningKey;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use stick::release_facts;
use tuf_client::{Role, Verified, canonical};
use tuf_repository::{Roles, Signers, TargetsDraft};

pub(crate) const RELEASE: &str = "nvr-hostile-4.61.025-230421";

pub(crate) struct Depot {
    /// The stick.
    pub(crate) directory: PathBuf,
    day_zero: Timestamp,
    keys: BTreeMap<String, SigningKey>,
    /// Who signs a role, as in `Step`.
    signers: BTreeMap<String, Vec<String>>,
    /// What will be signed next, by role.
    pub(crate) parts: BTreeMap<String, Value>,
}

/// A signature to be made: key, the id it goes by, whether it fits.
struct Signer<'a> {
    key: &'a str,
    id: Option<&'a str>,
    corrupt: bool,
}

impl<'a> Signer<'a> {
    fn of(text: &'a str) -> Self {
        let (corrupt, text) = text.strip_prefix("corrupt ").map_or((false, text), |rest| (true, rest));
        match text.split_once(" as ") {
            Some((key, id)) => Self { key, id: Some(id), corrupt },
            None => Self { key: text, id: None, corrupt },
        }
    }
}

fn key_object(key: &SigningKey) -> Value {
    json!({"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": key.public().to_string()}})
}

/// As the specification recommends (§4.3).
fn key_id(key: &SigningKey) -> String {
    hex::encode(Sha256::digest(canonical::encode(&key_object(key)).unwrap()))
}

/// One component, as the specification asks of a role's file name; written apart from the client's.
fn encoded(role: &str) -> String {
    role.bytes().fold(String::new(), |mut text, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            text.push(byte.into());
        } else {
            write!(text, "%{byte:02X}").unwrap();
        }
        text
    })
}

impl Depot {
    /// Version 1 of everything with one firmware, made on day 0, on a stick in this directory.
    pub(crate) fn new(directory: PathBuf, day_zero: Timestamp) -> Self {
        let names = ["root", "targets", "snapshot", "timestamp"].map(String::from);
        let keys = names.clone().map(|name| (name, SigningKey::generate())).into();
        let signers = names.map(|name| (name.clone(), vec![name])).into();
        let mut depot = Self { directory, day_zero, keys, signers, parts: BTreeMap::new() };
        create_dir_all(depot.directory.join("COURIER/metadata")).unwrap();
        let firmware: Vec<u8> = (0..200_000u32).map(|number| (number % 251) as u8).collect();
        let facts = json!({"id": RELEASE, "family": "nvr", "models": ["DS-7608NI-I2"], "version": "V4.61.025", "build": "230421"});
        let facts = release_facts(&serde_json::from_value(facts).unwrap()).as_object().cloned().unwrap();
        let name = format!("{RELEASE}/digicap.dav");
        depot.lay_target(&name, &hex::encode(Sha256::digest(&firmware)), &firmware);
        depot.publish_first(&name, &firmware, &facts);
        depot
    }

    fn publish_first(&mut self, name: &str, firmware: &[u8], facts: &Map<String, Value>) {
        let one = |role: Role| Signers::one(self.keys[role.name()].public());
        let roles = Roles {
            root: one(Role::Root),
            targets: one(Role::Targets),
            snapshot: one(Role::Snapshot),
            timestamp: one(Role::Timestamp),
        };
        let key = |role: Role| &self.keys[role.name()];
        let root = tuf_repository::root(None, self.day(700), &roles).unwrap().sign(&[key(Role::Root)]);
        let trusted = Verified::self_signed(&root.bytes()).unwrap();
        let mut draft = TargetsDraft::first();
        let sha256 = Sha256::digest(firmware).into();
        draft.insert(name.parse().unwrap(), firmware.len() as u64, &sha256, facts);
        let targets = draft.unsigned(self.day(180)).unwrap().sign(&[key(Role::Targets)]);
        let verified = targets.verified_by(&trusted).unwrap();
        let snapshot = tuf_repository::snapshot(None, self.day(30), &verified).unwrap();
        let snapshot = snapshot.sign(&[key(Role::Snapshot)]);
        let verified = snapshot.verified_by(&trusted).unwrap();
        let timestamp = tuf_repository::timestamp(None, self.day(30), self.day(0), &verified).unwrap();
        let timestamp = timestamp.sign(&[key(Role::Timestamp)]);
        for (role, file, bytes) in [
            ("root", root.file_name(), root.bytes()),
            ("targets", targets.file_name(), targets.bytes()),
            ("snapshot", snapshot.file_name(), snapshot.bytes()),
            ("timestamp", timestamp.file_name(), timestamp.bytes()),
        ] {
            let signed = serde_json::from_slice::<Value>(&bytes).unwrap()["signed"].take();
            self.parts.insert(role.into(), signed);
            self.lay(&format!("metadata/{file}"), &bytes);
        }
    }

    /// Noon, or whatever it was, of a day.
    pub(crate) fn day(&self, number: i64) -> Timestamp {
        self.day_zero + SignedDuration::from_hours(24 * number)
    }

    /// Where a file of ours is on the stick.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.join("COURIER").join(name)
    }

    pub(crate) fn lay(&self, name: &str, bytes: &[u8]) {
        let path = self.path(name);
        create_dir_all(path.parent().unwrap()).unwrap();
        File::create(path).unwrap().write_all(bytes).unwrap();
    }

    pub(crate) fn key(&mut self, name: &str) -> &SigningKey {
        self.keys.entry(name.into()).or_insert_with(SigningKey::generate)
    }

    /// Lays a target where a consistent snapshot has it.
    pub(crate) fn lay_target(&self, name: &str, sha256: &str, bytes: &[u8]) -> PathBuf {
        let path = target_path(name, sha256);
        self.lay(&path, bytes);
        self.path(&path)
    }

    /// Where the target of a role is on the stick, as it will be signed.
    pub(crate) fn listed_target(&self, name: &str) -> PathBuf {
        let listed = self.parts.values().find_map(|part| part["targets"].get(name)).unwrap();
        self.path(&target_path(name, listed["hashes"]["sha256"].as_str().unwrap()))
    }

    /// Gives a role keys, and signs with all of them from now on.
    pub(crate) fn give_keys(&mut self, of: &str, signers: &[String], threshold: u64) {
        let mut ids = Vec::new();
        for signer in signers.iter().map(|text| Signer::of(text)) {
            let key = self.key(signer.key);
            let (id, object) = (signer.id.map_or_else(|| key_id(key), String::from), key_object(key));
            self.part("root")["keys"][&id] = object;
            ids.push(id);
        }
        self.part("root")["roles"][of] = json!({"keyids": ids, "threshold": threshold});
        // the next root is signed by the keys before it as well
        let before = if of == "root" { self.signers[of].clone() } else { Vec::new() };
        let mut all = before;
        all.extend(signers.iter().filter(|signer| !all.contains(signer)).cloned().collect::<Vec<_>>());
        self.signers.insert(of.into(), all);
    }

    /// A role that does not approve anything yet, if it is not there.
    pub(crate) fn part(&mut self, role: &str) -> &mut Value {
        let expires = self.day(180).strftime("%FT%TZ").to_string();
        self.parts.entry(role.into()).or_insert_with(|| {
            json!({"_type": "targets", "spec_version": "1.0.34", "version": 1, "expires": expires, "targets": {}})
        })
    }

    pub(crate) fn delegate(
        &mut self,
        from: &str,
        to: &str,
        scope: (&str, Value),
        terminating: bool,
        keys: &[String],
    ) {
        let mut delegated = json!({"name": to, "keyids": [], "threshold": 1, "terminating": terminating});
        delegated[scope.0] = scope.1;
        self.part(to);
        self.part(from);
        if self.parts[from].get("delegations").is_none() {
            self.part(from)["delegations"] = json!({"keys": {}, "roles": []});
        }
        for name in keys {
            let key = self.key(name);
            let (id, object) = (key_id(key), key_object(key));
            self.part(from)["delegations"]["keys"][&id] = object;
            delegated["keyids"].as_array_mut().unwrap().push(id.into());
        }
        self.part(from)["delegations"]["roles"].as_array_mut().unwrap().push(delegated);
        // the first who trusts a role says who signs it
        self.signers.entry(to.into()).or_insert_with(|| keys.to_vec());
    }

    pub(crate) fn version_up(&mut self, role: &str) {
        let version = &mut self.part(role)["version"];
        *version = (version.as_u64().unwrap() + 1).into();
    }

    /// Signs a role as it stands, lays it on the stick, and lists it where it is to be listed.
    pub(crate) fn place(&mut self, role: &str, by: Option<&[String]>, pad: Option<usize>) {
        let signers = by.map_or_else(|| self.signers[role].clone(), <[_]>::to_vec);
        for signer in &signers {
            self.key(Signer::of(signer).key);
        }
        let mut bytes = self.signed(role, &signers);
        bytes.resize(pad.unwrap_or(bytes.len()), b' ');
        let version = self.parts[role]["version"].clone();
        let file = match role {
            "timestamp" => "timestamp.json".to_string(),
            _ => format!("{version}.{}.json", encoded(role)),
        };
        self.lay(&format!("metadata/{file}"), &bytes);
        let sha256 = hex::encode(Sha256::digest(&bytes));
        let listed = json!({"version": version, "length": bytes.len(), "hashes": {"sha256": sha256}});
        match role {
            "root" | "timestamp" => {}
            "snapshot" => self.part("timestamp")["meta"]["snapshot.json"] = listed,
            _ => self.part("snapshot")["meta"][format!("{role}.json")] = listed,
        }
        // what signs the next root is what this one says
        if role == "root" && by.is_none() {
            let ids = self.parts["root"]["roles"]["root"]["keyids"].as_array().unwrap();
            let own = |signer: &String| {
                let Signer { key, id, .. } = Signer::of(signer);
                ids.contains(&id.map_or_else(|| key_id(&self.keys[key]), String::from).into())
            };
            let signers = self.signers["root"].iter().filter(|signer| own(signer)).cloned().collect();
            self.signers.insert("root".into(), signers);
        }
    }

    fn signed(&self, role: &str, signers: &[String]) -> Vec<u8> {
        let signed = &self.parts[role];
        let message = canonical::encode(signed).unwrap_or_default();
        let signature = |signer: &String| {
            let Signer { key, id, corrupt } = Signer::of(signer);
            let key = &self.keys[key];
            let message = if corrupt { b"something else" } else { &message[..] };
            json!({"keyid": id.map_or_else(|| key_id(key), String::from), "sig": key.sign(message).to_string()})
        };
        let signatures: Vec<_> = signers.iter().map(signature).collect();
        json!({"signatures": signatures, "signed": signed}).to_string().into_bytes()
    }
}

fn target_path(name: &str, sha256: &str) -> String {
    // a name that leads out of the folder is listed and not laid anywhere
    let name = name.trim_start_matches(['/', '.']);
    match name.rsplit_once('/') {
        Some((folder, file)) => format!("targets/{folder}/{sha256}.{file}"),
        None => format!("targets/{sha256}.{name}"),
    }
}

/// Lower-case hexadecimal SHA-256 of a file, however long.
pub(crate) fn sha256_of(path: &Path) -> String {
    let mut file = File::open(path).unwrap();
    let mut hasher = Sha256::new();
    let mut block = vec![0; 1 << 16];
    loop {
        match file.read(&mut block).unwrap() {
            0 => return hex::encode(hasher.finalize()),
            count => hasher.update(&block[..count]),
        }
    }
}

//! A depot, a stick and a laptop in one directory, and the steps that a case takes with them.

use std::collections::BTreeMap;
use std::fs::{self, File, create_dir_all};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use keys::durable::DirLock;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;
use tuf_client::{Clock, DirectoryStore};

use crate::case::{Oddity, Run, Step};
use crate::client::{self, Answer};
use crate::depot::{Depot, RELEASE, sha256_of};

/// By file, below some directory.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

pub(crate) struct World {
    /// Holds stick and state.
    pub(crate) directory: TempDir,
    pub(crate) depot: Depot,
    pub(crate) day: i64,
    pub(crate) oddities: Vec<Oddity>,
    pub(crate) lock: Option<DirLock>,
    remembered: Files,
}

impl World {
    /// The laptop trusts the base repository and has seen it once; it is day 1, which is today.
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        #[allow(clippy::disallowed_methods)] // programs that are run read the clock themselves
        let now = Timestamp::from_second(Timestamp::now().as_second()).unwrap();
        let day_zero = now - SignedDuration::from_hours(24);
        let depot = Depot::new(directory.path().join("stick"), day_zero);
        create_dir_all(directory.path().join("state/metadata")).unwrap();
        let world = Self { directory, depot, day: 1, oddities: vec![], lock: None, remembered: Files::new() };
        let root = fs::read(world.depot.path("metadata/1.root.json")).unwrap();
        let fingerprint = hex::encode(Sha256::digest(&root));
        tuf_client::trust(&mut world.store(), &root, &fingerprint).unwrap();
        // the floor is raised to today, so that when the program that is run was built makes no difference
        let first = client::open_at(&world, Clock { system: world.depot.day(1), build: world.depot.day(1) });
        assert_eq!(first, "accepted");
        world
    }

    pub(crate) fn clock(&self) -> Clock {
        Clock { system: self.depot.day(self.day), build: self.depot.day(-10) }
    }

    pub(crate) fn state(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    pub(crate) fn store(&self) -> DirectoryStore {
        DirectoryStore::new(self.state().join("metadata"))
    }

    /// Everything that is trusted.
    pub(crate) fn stored(&self) -> Files {
        files(&self.state().join("metadata"))
    }

    /// Puts back what was trusted before.
    pub(crate) fn restore(&self, stored: &Files) {
        let metadata = self.state().join("metadata");
        fs::remove_dir_all(&metadata).unwrap();
        lay_all(&metadata, stored);
    }

    pub(crate) fn ask(&self, run: &Run) -> Answer {
        client::ask(self, run)
    }

    pub(crate) fn take(&mut self, steps: &[Step]) {
        for step in steps {
            self.step(step);
        }
    }

    fn step(&mut self, step: &Step) {
        match step {
            Step::Next { roles, by, pad } => {
                for role in roles {
                    self.depot.version_up(role);
                    self.depot.place(role, by.as_deref(), *pad);
                }
            }
            Step::Place { roles, by, pad } => {
                for role in roles {
                    self.depot.place(role, by.as_deref(), *pad);
                }
            }
            Step::Set { role, at, to } => {
                let to = self.value(to);
                set(self.depot.part(role), at, Some(to));
            }
            Step::Unset { role, at } => set(self.depot.part(role), at, None),
            Step::Keys { of, keys, threshold } => self.depot.give_keys(of, keys, *threshold),
            Step::Roots { count } => {
                for _ in 0..*count {
                    self.depot.version_up("root");
                    self.depot.place("root", None, None);
                }
            }
            Step::Target { name, bytes, zeros, sha256, role } => {
                let bytes = bytes.clone().unwrap_or_default();
                let role = role.as_deref().unwrap_or("targets");
                self.target(role, name, bytes.as_bytes(), *zeros, sha256.as_deref());
            }
            Step::Delegate { from, to, paths, prefixes, terminating, keys } => {
                let scope = match (paths, prefixes) {
                    (Some(paths), None) => ("paths", json!(paths)),
                    (None, Some(prefixes)) => ("path_hash_prefixes", json!(prefixes)),
                    _ => panic!("either paths or prefixes"),
                };
                self.depot.delegate(from, to, scope, *terminating, keys);
            }
            Step::Chain { roles } => self.chain(*roles),
            Step::File { path, act } => act.on(&self.path(path), self),
            Step::Remember => self.remembered = files(&self.depot.directory),
            Step::Recall => {
                fs::remove_dir_all(&self.depot.directory).unwrap();
                lay_all(&self.depot.directory, &self.remembered);
            }
            Step::Run { outcome } => {
                assert_eq!(self.ask(&Run::Verify).class, outcome.as_deref().unwrap_or("accepted"));
            }
            Step::Clock { day } => self.day = *day,
            Step::Medium { is } => self.oddities.push(self.with_path(is)),
            Step::Lock => self.lock = Some(DirLock::acquire(&self.state()).unwrap()),
        }
    }

    fn target(&mut self, role: &str, name: &str, bytes: &[u8], zeros: Option<u64>, sha256: Option<&str>) {
        let here = self.directory.path().join("zeros");
        if let Some(zeros) = zeros {
            File::create(&here).unwrap().set_len(zeros).unwrap();
        }
        let sha256 = match (sha256, zeros) {
            (Some(sha256), _) => sha256.to_string(),
            (None, Some(_)) => sha256_of(&here),
            (None, None) => hex::encode(Sha256::digest(bytes)),
        };
        let path = self.depot.lay_target(name, &sha256, bytes);
        if let Some(zeros) = zeros {
            File::create(path).unwrap().set_len(zeros).unwrap();
        }
        let length = zeros.unwrap_or(bytes.len() as u64);
        self.depot.part(role)["targets"][name] = json!({"length": length, "hashes": {"sha256": sha256}});
    }

    fn chain(&mut self, roles: u64) {
        let mut from = "targets".to_string();
        for number in 1..=roles {
            let to = format!("d{number}");
            self.depot.delegate(&from, &to, ("paths", json!(["*"])), false, &["delegated".into()]);
            from = to;
        }
        self.target(&from, "deep", b"deep", None, None);
        for number in 1..=roles {
            self.depot.place(&format!("d{number}"), None, None);
        }
    }

    /// Where a file of a case is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        if name == "firmware" {
            return self.depot.listed_target(&format!("{RELEASE}/digicap.dav"));
        }
        if let Some(target) = name.strip_prefix("target ") {
            return self.depot.listed_target(target);
        }
        match name.split_once('/') {
            Some(("stick", file)) => self.depot.path(file),
            Some(("state", file)) => self.state().join("metadata").join(file),
            _ => panic!("{name} is no file of a case"),
        }
    }

    /// The same with the path of firmware written out.
    fn with_path(&self, oddity: &Oddity) -> Oddity {
        let firmware = self.path("firmware");
        let firmware = firmware.strip_prefix(self.depot.path("")).unwrap().to_str().unwrap();
        let path = |name: &String| if name == "firmware" { firmware.into() } else { name.clone() };
        match oddity {
            Oddity::ChangesAfter(name, reads) => Oddity::ChangesAfter(path(name), *reads),
            Oddity::Endless(name) => Oddity::Endless(path(name)),
            Oddity::Fails(name) => Oddity::Fails(path(name)),
            Oddity::Drips | Oddity::FoldsCase => oddity.clone(),
        }
    }

    /// A value as it will be signed: TOML has no null and no time of a day that is yet to come.
    fn value(&self, value: &toml::Value) -> Value {
        match value {
            toml::Value::String(text) => match text.strip_prefix("day ").and_then(|day| day.parse().ok()) {
                Some(day) => self.depot.day(day).strftime("%FT%TZ").to_string().into(),
                None => text.clone().into(),
            },
            toml::Value::Array(values) => values.iter().map(|value| self.value(value)).collect(),
            toml::Value::Table(table) => {
                table.iter().map(|(name, value)| (name.clone(), self.value(value))).collect()
            }
            other => serde_json::to_value(other).unwrap(),
        }
    }
}

/// Sets or removes the member that a JSON pointer (RFC 6901) names.
fn set(part: &mut Value, at: &str, to: Option<Value>) {
    let (parent, name) = at.rsplit_once('/').unwrap();
    let name = name.replace("~1", "/").replace("~0", "~");
    let parent = part.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {parent}"));
    match (parent, to) {
        (Value::Object(parent), Some(to)) => drop(parent.insert(name, to)),
        (Value::Object(parent), None) => assert!(parent.remove(&name).is_some(), "nothing at {at}"),
        (Value::Array(parent), Some(to)) => parent[name.parse::<usize>().unwrap()] = to,
        (parent, _) => panic!("{at} is in no object: {parent}"),
    }
}

/// A file, if it is there.
pub(crate) fn read(path: &Path) -> Option<Vec<u8>> {
    fs::read(path).ok()
}

/// Every regular file below a directory, by its path from there.
pub(crate) fn files(directory: &Path) -> Files {
    let mut found = Files::new();
    for entry in directory.read_dir().unwrap() {
        let (path, name) =
            entry.map(|entry| (entry.path(), entry.file_name().into_string().unwrap())).unwrap();
        if path.is_dir() {
            found.extend(files(&path).into_iter().map(|(below, bytes)| (format!("{name}/{below}"), bytes)));
        } else if path.symlink_metadata().unwrap().is_file() && path.metadata().unwrap().len() < 1 << 30 {
            found.insert(name, fs::read(&path).unwrap());
        }
    }
    found
}

fn lay_all(directory: &Path, files: &Files) {
    create_dir_all(directory).unwrap();
    for (name, bytes) in files {
        let path = directory.join(name);
        create_dir_all(path.parent().unwrap()).unwrap();
        File::create(path).unwrap().write_all(bytes).unwrap();
    }
}

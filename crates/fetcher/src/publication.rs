//! The depot's own publication on disk, `publication/metadata/`: read and verified, replaced as a
//! whole. What it lists beside firmware lies in `publication/targets/`.

mod documents;

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use keys::durable;
use stick::OpenError;
use tuf_client::{Document, Rejection, Role, Root, Snapshot, Targets, Timestamp, Verified};
use tuf_repository::Signed;

/// What the depot has signed, verified against its own root.
#[derive(Debug)]
pub struct Publication {
    dir: PathBuf,
    roots: BTreeMap<String, Vec<u8>>,
    root: Verified<Root>,
    current: Current,
}

/// The metadata that the timestamp makes current.
#[derive(Debug, Clone)]
pub struct Current {
    /// What is approved.
    pub targets: Verified<Targets>,
    /// Which targets metadata is current.
    pub snapshot: Verified<Snapshot>,
    /// Which snapshot is current.
    pub timestamp: Verified<Timestamp>,
}

/// What replaces the current metadata; where there is no new root or list, the current one stays.
#[derive(Debug)]
pub struct Next {
    /// A new root.
    pub root: Option<Signed<Root>>,
    /// What is approved from now on.
    pub targets: Option<Signed<Targets>>,
    /// Which targets metadata is current.
    pub snapshot: Signed<Snapshot>,
    /// Which snapshot is current.
    pub timestamp: Signed<Timestamp>,
}

impl Next {
    /// Whether a versioned file of the publication before is part of this one.
    fn keeps(&self, name: &str) -> bool {
        name.ends_with(Role::Root.file()) || (self.targets.is_none() && name.ends_with(Role::Targets.file()))
    }

    fn save(&self, dir: &Path) -> Result<(), PublicationError> {
        if let Some(root) = &self.root {
            save(dir, root)?;
        }
        if let Some(targets) = &self.targets {
            save(dir, targets)?;
        }
        save(dir, &self.snapshot)?;
        save(dir, &self.timestamp)
    }
}

/// Why the depot's own publication cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PublicationError {
    /// A file cannot be read or written.
    #[error("publication {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// A file is damaged or not signed by the keys of the root.
    #[error("publication {}: rejected", .0.display())]
    Rejected(PathBuf, #[source] Rejection),
    /// A document that is signed is not there as it was signed.
    #[error(transparent)]
    Document(Box<OpenError>),
    /// There is no root.
    #[error("publication {}: there is no 1.root.json", .0.display())]
    NoRoot(PathBuf),
}

impl Publication {
    /// Reads and verifies what is in `dir`: the chain of roots, then what the timestamp names.
    pub fn open(dir: &Path) -> Result<Self, PublicationError> {
        Self::read(dir.join("metadata"))
    }

    fn read(dir: PathBuf) -> Result<Self, PublicationError> {
        let mut roots = BTreeMap::new();
        let mut root: Option<Verified<Root>> = None;
        for version in 1.. {
            let name = format!("{version}.root.json");
            let path = dir.join(&name);
            if !path.exists() {
                break;
            }
            let bytes = read(&path, Role::Root)?;
            let next = root.map_or_else(|| Verified::self_signed(&bytes), |root| root.successor(&bytes));
            root = Some(next.map_err(|e| PublicationError::Rejected(path, e))?);
            roots.insert(name, bytes);
        }
        let root = root.ok_or_else(|| PublicationError::NoRoot(dir.clone()))?;
        let timestamp: Verified<Timestamp> = verified(&dir, &root, 0)?;
        let snapshot: Verified<Snapshot> = verified(&dir, &root, timestamp.snapshot().version())?;
        let targets = verified(&dir, &root, snapshot.targets().version())?;
        Ok(Self { dir, roots, root, current: Current { targets, snapshot, timestamp } })
    }

    /// Writes a first publication. Whatever an earlier attempt left is replaced.
    pub fn create(dir: &Path, first: &Next) -> Result<Self, PublicationError> {
        let metadata = dir.join("metadata");
        std::fs::create_dir_all(&metadata).map_err(|e| PublicationError::Io(metadata.clone(), e))?;
        first.save(&metadata)?;
        Self::read(metadata)
    }

    /// Makes a new publication the current one, in one step: what is there before and after a power cut
    /// is whole, also where a new root has changed every key. Superseded versions go.
    pub fn replace(&mut self, next: &Next) -> Result<(), PublicationError> {
        let parent = self.dir.parent().unwrap_or(&self.dir).to_owned();
        let staged = parent.join("metadata.next");
        let io = |e| PublicationError::Io(staged.clone(), e);
        if staged.exists() {
            std::fs::remove_dir_all(&staged).map_err(io)?;
        }
        std::fs::create_dir(&staged).map_err(io)?;
        for (name, bytes) in self.versioned_files().into_iter().filter(|(name, _)| next.keeps(name)) {
            durable::write_atomic(&staged.join(name), &bytes, 0o644).map_err(io)?;
        }
        next.save(&staged)?;
        let published = Self::read(staged.clone())?;
        durable::exchange(&staged, &self.dir).map_err(io)?;
        *self = Self { dir: self.dir.clone(), ..published };
        std::fs::remove_dir_all(&staged).map_err(io)
    }

    /// The newest root.
    pub fn root(&self) -> &Verified<Root> {
        &self.root
    }

    /// Whether a root is, or once was, the newest here.
    pub fn has_root(&self, root: &Verified<Root>) -> bool {
        self.roots.values().any(|own| own == root.bytes())
    }

    /// What is current.
    pub fn current(&self) -> &Current {
        &self.current
    }

    /// Every versioned file that a stick carries: all roots, the snapshot, the targets.
    pub fn versioned_files(&self) -> BTreeMap<String, Vec<u8>> {
        let Current { targets, snapshot, .. } = &self.current;
        let mut files = self.roots.clone();
        files.insert(Role::Targets.versioned_file(targets.version(), true), targets.bytes().to_vec());
        files.insert(Role::Snapshot.versioned_file(snapshot.version(), true), snapshot.bytes().to_vec());
        files
    }
}

fn verified<T: Document>(
    dir: &Path,
    root: &Verified<Root>,
    version: u64,
) -> Result<Verified<T>, PublicationError> {
    let path = dir.join(T::ROLE.versioned_file(version, true));
    let bytes = read(&path, T::ROLE)?;
    root.verify(&bytes).map_err(|e| PublicationError::Rejected(path, e))
}

fn read(path: &Path, role: Role) -> Result<Vec<u8>, PublicationError> {
    durable::read(path, role.cap()).map_err(|e| PublicationError::Io(path.into(), e))
}

fn save<T: Document>(dir: &Path, signed: &Signed<T>) -> Result<(), PublicationError> {
    let path = dir.join(signed.file_name());
    durable::write_atomic(&path, &signed.bytes(), 0o644).map_err(|e| PublicationError::Io(path, e))
}

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;

use keys::durable;

use crate::{Role, Root, Verified};

/// Where trusted metadata outlives the run, byte for byte under unversioned names (§5.3.8, 5.4.5,
/// 5.5.7, 5.6.6), beside one small record of ours whose name does not end in `.json`.
///
/// A save is whole and durable when it returns: the workflow relies on their order.
pub trait TrustStore {
    /// The bytes saved under this name, at most `cap` of them; `None` if there are none.
    fn load(&self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, StoreError>;
    /// Replaces what is saved under this name.
    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError>;
    /// Forgets what is saved under this name.
    fn remove(&mut self, name: &str) -> Result<(), StoreError>;
}

/// The store failed.
#[derive(Debug, thiserror::Error)]
#[error("trusted metadata {}: {action} failed", .path.display())]
pub struct StoreError {
    /// The file.
    pub path: PathBuf,
    /// `read`, `write` or `delete`.
    pub action: &'static str,
    /// What the system said.
    pub source: io::Error,
}

/// A directory that exists and that nobody else writes to during the run (the caller holds the lock).
#[derive(Debug, Clone)]
pub struct DirectoryStore {
    directory: PathBuf,
}

impl DirectoryStore {
    /// Keeps the files directly in this directory.
    pub fn new(directory: impl Into<PathBuf>) -> Self {
        Self { directory: directory.into() }
    }
}

impl TrustStore for DirectoryStore {
    fn load(&self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, StoreError> {
        let path = self.directory.join(name);
        match durable::read(&path, cap) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError { path, action: "read", source }),
        }
    }

    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.directory.join(name);
        durable::write_atomic(&path, bytes, 0o644).map_err(|source| StoreError {
            path,
            action: "write",
            source,
        })
    }

    fn remove(&mut self, name: &str) -> Result<(), StoreError> {
        let path = self.directory.join(name);
        durable::remove(&path).map_err(|source| StoreError { path, action: "delete", source })
    }
}

/// Trust for the length of one run: whoever verifies what they have just written needs no history.
#[derive(Debug, Clone, Default)]
pub struct MemoryStore {
    files: BTreeMap<String, Vec<u8>>,
}

impl MemoryStore {
    /// Starts from a root that is already trusted.
    pub fn trusting(root: &Verified<Root>) -> Self {
        Self { files: BTreeMap::from([(Role::Root.file().to_string(), root.bytes().to_vec())]) }
    }
}

impl TrustStore for MemoryStore {
    fn load(&self, name: &str, _cap: u64) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.files.get(name).cloned())
    }

    fn save(&mut self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        self.files.insert(name.into(), bytes.into());
        Ok(())
    }

    fn remove(&mut self, name: &str) -> Result<(), StoreError> {
        self.files.remove(name);
        Ok(())
    }
}

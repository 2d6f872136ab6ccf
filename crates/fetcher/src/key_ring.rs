//! The depot's key files: two that need a person, two that do not.

use std::path::{Path, PathBuf};

use keys::key_file::{self, KeyFileError};
use keys::{SigningKey, durable};
use secrecy::SecretString;

use crate::publish::{Keys, OnlineKeys};

/// The file of a role's key.
fn file(dir: &Path, role: &str) -> PathBuf {
    dir.join(format!("{role}.pem"))
}

/// Makes the four keys of a new depot: root and targets in `offline`, under the passphrase if there
/// is one; snapshot and timestamp in `home`, which sign unattended and so have none.
pub fn create(offline: &Path, home: &Path, passphrase: Option<&SecretString>) -> Result<Keys, KeyFileError> {
    let make = |dir: &Path, role: &str, passphrase| {
        let key = SigningKey::generate();
        key_file::write_new(&file(dir, role), &key, passphrase)?;
        Ok::<_, KeyFileError>(key)
    };
    let keys = Keys {
        root: make(offline, "root", passphrase)?,
        targets: make(offline, "targets", passphrase)?,
        online: OnlineKeys {
            snapshot: make(home, "snapshot", None)?,
            timestamp: make(home, "timestamp", None)?,
        },
    };
    for dir in [offline, home] {
        durable::sync_dir(dir).map_err(|source| KeyFileError::Io {
            path: dir.into(),
            action: "write",
            source,
        })?;
    }
    Ok(keys)
}

/// The keys that sign unattended.
pub fn online(home: &Path) -> Result<OnlineKeys, KeyFileError> {
    Ok(OnlineKeys {
        snapshot: key_file::read(&file(home, "snapshot"), None)?,
        timestamp: key_file::read(&file(home, "timestamp"), None)?,
    })
}

/// Whether the approver's key needs a passphrase.
pub fn approver_is_encrypted(dir: &Path) -> Result<bool, KeyFileError> {
    key_file::is_encrypted(&file(dir, "targets"))
}

/// The approver's key.
pub fn approver(dir: &Path, passphrase: Option<&SecretString>) -> Result<SigningKey, KeyFileError> {
    key_file::read(&file(dir, "targets"), passphrase)
}

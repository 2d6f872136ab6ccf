//! The local key: an age identity in a file of the state, mode 0600.
//!
//! Not a passphrase, since a backup is taken where nobody can be asked (`apply --yes`), and a passphrase
//! that is typed on a laptop beside a recorder is one that many people know. It protects copies that
//! leave the state directory, and nothing against who reads that directory: `docs/threat-model.md`.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use age::x25519::{Identity, Recipient};
use keys::durable;
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

/// A key is one line of 74 characters; comments may stand above it.
const LARGEST: u64 = 4096;
const COMMENT: &str =
    "# local key of applier: opens the configuration backups of this laptop (an age identity)\n";

/// Opens the backups that were sealed for it.
#[derive(Clone)]
pub struct LocalKey(Identity);

/// Why there is no local key.
#[derive(Debug, thiserror::Error)]
pub enum LocalKeyError {
    /// The file cannot be read or written.
    #[error("local key {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read it.
    #[error("local key {}: mode {mode:04o} lets others read it", path.display())]
    Readable {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is none.
    #[error("local key {}: rejected, it holds no age identity (AGE-SECRET-KEY-1…)", .0.display())]
    NotAKey(PathBuf),
}

impl LocalKey {
    /// Reads the key; makes it if there is none.
    pub fn open_or_make(path: &Path) -> Result<Self, LocalKeyError> {
        match Self::open(path) {
            Err(LocalKeyError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
        let made = Identity::generate();
        let text = Zeroizing::new(format!("{COMMENT}{}\n", made.to_string().expose_secret()));
        durable::create_new(path, text.as_bytes(), 0o600)
            .map_err(|source| LocalKeyError::Io { path: path.into(), source })?;
        // what is sealed for it must open with what is on the disk
        Self::open(path)
    }

    /// Reads a key.
    pub fn open(path: &Path) -> Result<Self, LocalKeyError> {
        let io = |source| LocalKeyError::Io { path: path.into(), source };
        let file = File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(LocalKeyError::Readable { path: path.into(), mode });
        }
        // room for all of it, so that nothing of it stays behind in memory that was outgrown
        let mut text = Zeroizing::new(String::with_capacity(8192));
        file.take(LARGEST).read_to_string(&mut text).map_err(io)?;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let key = lines.next().and_then(|line| line.parse().ok()).filter(|_| lines.next().is_none());
        key.map(Self).ok_or_else(|| LocalKeyError::NotAKey(path.into()))
    }

    pub(super) fn identity(&self) -> &Identity {
        &self.0
    }

    pub(super) fn recipient(&self) -> Recipient {
        self.0.to_public()
    }
}

impl fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{Permissions, set_permissions};

    use super::*;

    #[test]
    fn is_made_once_is_private_and_shows_itself_nowhere() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("backup-key.txt");
        let made = LocalKey::open_or_make(&path).unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        let again = LocalKey::open_or_make(&path).unwrap();
        assert_eq!(made.recipient().to_string(), again.recipient().to_string());
        assert!(!format!("{made:?}").contains("KEY-1"));
        set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(LocalKey::open_or_make(&path), Err(LocalKeyError::Readable { mode: 0o640, .. })));
    }

    #[test]
    fn what_is_no_key_is_not_replaced_by_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("backup-key.txt");
        let recipient = Identity::generate().to_public().to_string();
        for text in ["", "# nothing\n", "AGE-SECRET-KEY-1QQQQ\n", recipient.as_str()] {
            durable::write_atomic(&path, text.as_bytes(), 0o600).unwrap();
            assert!(matches!(LocalKey::open_or_make(&path), Err(LocalKeyError::NotAKey(_))), "{text}");
        }
        assert!(matches!(LocalKey::open(dir.path()), Err(LocalKeyError::Readable { .. })));
    }
}

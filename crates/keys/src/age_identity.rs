//! Age identities in a file of mode 0600, as `age-keygen` writes them.

use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use age::x25519::{Identity, Recipient};
use secrecy::ExposeSecret as _;
use zeroize::Zeroizing;

use crate::durable;

/// Bytes. An identity is one line of 74 characters, so these are some eight hundred; comments may stand between them.
const LARGEST: usize = 64 * 1024;

/// Opens what was encrypted to it. Further lines of its file are earlier identities, which open what was encrypted
/// to them.
#[derive(Clone)]
pub struct AgeIdentity {
    own: Identity,
    earlier: Vec<Identity>,
}

/// Why there is no identity.
#[derive(Debug, thiserror::Error)]
pub enum AgeIdentityError {
    /// The file cannot be read or written, or is larger than any real one.
    #[error("age identity {}", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others can read it.
    #[error("age identity {}: mode {mode:04o} lets others read it", path.display())]
    Readable {
        /// Which.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is none.
    #[error("age identity {}: rejected, it holds something else than AGE-SECRET-KEY-1… in each line", .0.display())]
    NotAnIdentity(PathBuf),
}

impl AgeIdentity {
    /// Reads the identity; makes it if there is none. What it is for stands in its file.
    pub fn open_or_make(path: &Path, purpose: &str) -> Result<Self, AgeIdentityError> {
        match Self::open(path) {
            Err(AgeIdentityError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => {}
            found => return found,
        }
        let made = Identity::generate();
        let text = Zeroizing::new(format!("# {purpose}\n{}\n", made.to_string().expose_secret()));
        durable::create_new(path, text.as_bytes(), 0o600)
            .map_err(|source| AgeIdentityError::Io { path: path.into(), source })?;
        // what is encrypted to it must open with what is on the disk
        Self::open(path)
    }

    /// Reads an identity.
    pub fn open(path: &Path) -> Result<Self, AgeIdentityError> {
        let io = |source| AgeIdentityError::Io { path: path.into(), source };
        let file = File::open(path).map_err(io)?;
        let mode = file.metadata().map_err(io)?.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(AgeIdentityError::Readable { path: path.into(), mode });
        }
        // room for more than all of it, so that nothing of it stays behind in memory that was outgrown
        let mut text = Zeroizing::new(String::with_capacity(2 * LARGEST));
        if file.take(LARGEST as u64 + 1).read_to_string(&mut text).map_err(io)? > LARGEST {
            let words = format!("rejected, it is larger than {LARGEST} bytes");
            return Err(io(io::Error::new(io::ErrorKind::FileTooLarge, words)));
        }
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let read: Option<Vec<Identity>> = lines.map(|line| line.parse().ok()).collect();
        let mut read = read.into_iter().flatten();
        let own = read.next().ok_or_else(|| AgeIdentityError::NotAnIdentity(path.into()))?;
        Ok(Self { own, earlier: read.collect() })
    }

    /// To whom is encrypted what only it opens.
    pub fn recipient(&self) -> Recipient {
        self.own.to_public()
    }

    /// The recipients of the earlier ones.
    pub fn earlier_recipients(&self) -> impl Iterator<Item = Recipient> {
        self.earlier.iter().map(Identity::to_public)
    }

    /// All that may open something, as `age` takes them.
    pub fn all(&self) -> impl Iterator<Item = &dyn age::Identity> {
        std::iter::once(&self.own).chain(&self.earlier).map(|identity| identity as &dyn age::Identity)
    }
}

impl fmt::Debug for AgeIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AgeIdentity(…)")
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
        let open_or_make = || AgeIdentity::open_or_make(&path, "opens backups");
        let made = open_or_make().unwrap();
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
        let again = open_or_make().unwrap();
        assert_eq!(made.recipient().to_string(), again.recipient().to_string());
        assert!(!format!("{made:?}").contains("KEY-1"));
        set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(open_or_make(), Err(AgeIdentityError::Readable { mode: 0o640, .. })));
    }

    #[test]
    fn earlier_identities_open_and_nothing_is_encrypted_to_them() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("identities.txt");
        let (new, old) = (Identity::generate(), Identity::generate());
        let line = |identity: &Identity| identity.to_string().expose_secret().to_owned();
        let text = format!("# new\n{}\n\n# old\n{}\n", line(&new), line(&old));
        durable::write_atomic(&path, text.as_bytes(), 0o600).unwrap();
        let read = AgeIdentity::open(&path).unwrap();
        assert_eq!(read.recipient().to_string(), new.to_public().to_string());
        assert_eq!(read.all().count(), 2);
        let earlier: Vec<String> = read.earlier_recipients().map(|one| one.to_string()).collect();
        assert_eq!(earlier, [old.to_public().to_string()]);
    }

    #[test]
    fn a_file_of_many_is_read_to_its_end_and_one_that_is_too_large_is_rejected() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("identities.txt");
        let line = format!("{}\n", Identity::generate().to_string().expose_secret());
        let mut text = line.repeat(LARGEST / line.len());
        let many = text.lines().count();
        text += &"\n".repeat(LARGEST - text.len());
        durable::write_atomic(&path, text.as_bytes(), 0o600).unwrap();
        assert_eq!(AgeIdentity::open(&path).unwrap().all().count(), many);
        durable::write_atomic(&path, format!("{text}\n").as_bytes(), 0o600).unwrap();
        let Err(AgeIdentityError::Io { source, .. }) = AgeIdentity::open(&path) else { panic!() };
        assert_eq!(source.to_string(), "rejected, it is larger than 65536 bytes");
    }

    #[test]
    fn what_is_no_identity_is_not_replaced_by_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("backup-key.txt");
        let recipient = Identity::generate().to_public().to_string();
        let half = format!("{}\nnothing\n", Identity::generate().to_string().expose_secret());
        for text in ["", "# nothing\n", "AGE-SECRET-KEY-1QQQQ\n", recipient.as_str(), &half] {
            durable::write_atomic(&path, text.as_bytes(), 0o600).unwrap();
            let found = AgeIdentity::open_or_make(&path, "");
            assert!(matches!(found, Err(AgeIdentityError::NotAnIdentity(_))), "{text}");
        }
        assert!(matches!(AgeIdentity::open(dir.path()), Err(AgeIdentityError::Readable { .. })));
    }
}

//! The depot's key files: those that people sign with, and the two that sign unattended.
//!
//! A key `NAME.pem` has its public half beside it, `NAME.pub`, so that whose key it is can be seen
//! without its passphrase. Which files count is never decided by their names but by the root, so a
//! new key can lie beside the one that it replaces.

use std::io;
use std::path::{Path, PathBuf};

use keys::key_file::{self, KeyFileError};
use keys::{PublicKey, SigningKey, durable};
use secrecy::SecretString;
use tuf_client::{Role, Root};

use crate::publish::{Keys, OnlineKeys};

/// Why the unattended keys cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OnlineKeyError {
    /// A key file cannot be read.
    #[error(transparent)]
    File(#[from] KeyFileError),
    /// None of the files is the key that the root names.
    #[error("{role} key: no file in {} is the key that the root names, {expected}", .dir.display())]
    NotThere {
        /// Snapshot or timestamp.
        role: Role,
        /// Where it was looked for last.
        dir: PathBuf,
        /// Fingerprint of the key.
        expected: String,
    },
}

/// A key file, and the public half that lies beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// The secret key.
    pub path: PathBuf,
    /// Its public half, where it is known without opening the secret one.
    pub public: Option<PublicKey>,
}

/// Makes a key, `NAME.pem` with `NAME.pub` beside it, in a folder.
pub fn make(
    dir: &Path,
    name: &str,
    key: SigningKey,
    passphrase: Option<&SecretString>,
) -> Result<SigningKey, KeyFileError> {
    key_file::write_new(&dir.join(format!("{name}.pem")), &key, passphrase)?;
    key_file::write_public_new(&dir.join(format!("{name}.pub")), &key.public())?;
    Ok(key)
}

/// Makes a key that takes the place of another of its role; its name tells it from that one.
pub fn make_next(
    dir: &Path,
    role: Role,
    key: SigningKey,
    passphrase: Option<&SecretString>,
) -> Result<SigningKey, KeyFileError> {
    let name = format!("{role}-{}", &key.public().fingerprint()[..8]);
    make(dir, &name, key, passphrase)
}

/// Makes the four keys of a new depot: root and targets in `offline`, under the passphrase if there
/// is one; snapshot and timestamp in `home`, which sign unattended and so have none.
pub fn create(offline: &Path, home: &Path, passphrase: Option<&SecretString>) -> Result<Keys, KeyFileError> {
    let make = |dir, role: Role, passphrase| make(dir, role.name(), SigningKey::generate(), passphrase);
    let keys = Keys {
        root: make(offline, Role::Root, passphrase)?,
        targets: make(offline, Role::Targets, passphrase)?,
        online: OnlineKeys {
            snapshot: make(home, Role::Snapshot, None)?,
            timestamp: make(home, Role::Timestamp, None)?,
        },
    };
    for dir in [offline, home] {
        durable::sync_dir(dir).map_err(|source| failed(dir, "write", source))?;
    }
    Ok(keys)
}

/// The key files in a folder, by name; none where there is no folder.
pub fn files(dir: &Path) -> Result<Vec<KeyFile>, KeyFileError> {
    let entries = match dir.read_dir() {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(dir, "read", error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| failed(dir, "read", error))?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            let public = path.with_extension("pub");
            // one that is none says nothing, and must not keep the others from signing
            let public = key_file::read_public(&public).ok();
            found.push(KeyFile { path, public });
        }
    }
    found.sort_by(|one, other| one.path.cmp(&other.path));
    Ok(found)
}

/// The keys that sign unattended and that this root names: those that systemd hands to the service
/// (`credentials`) come before those in the home.
pub fn online(home: &Path, credentials: Option<&Path>, root: &Root) -> Result<OnlineKeys, OnlineKeyError> {
    Ok(OnlineKeys {
        snapshot: unattended(home, credentials, root, Role::Snapshot)?,
        timestamp: unattended(home, credentials, root, Role::Timestamp)?,
    })
}

fn unattended(
    home: &Path,
    credentials: Option<&Path>,
    root: &Root,
    role: Role,
) -> Result<SigningKey, OnlineKeyError> {
    let named = root.keys(role);
    let is_named = |key: &PublicKey| named.contains(&key);
    if let Some(credential) = credentials.map(|dir| dir.join(format!("{role}.pem"))).filter(|p| p.exists()) {
        let key = key_file::read_credential(&credential)?;
        if is_named(&key.public()) {
            return Ok(key);
        }
    }
    for file in files(home)? {
        if file.public.as_ref().is_some_and(is_named) {
            return Ok(key_file::read(&file.path, None)?);
        }
        if file.public.is_none() && file.is_of(role) {
            let key = key_file::read(&file.path, None)?;
            if is_named(&key.public()) {
                return Ok(key);
            }
        }
    }
    let expected = named.first().map(|key| key.fingerprint()).unwrap_or_default();
    Err(OnlineKeyError::NotThere { role, dir: home.into(), expected })
}

impl KeyFile {
    /// Whether it is called as a key of this role.
    pub fn is_of(&self, role: Role) -> bool {
        let stem = self.path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        stem.strip_prefix(role.name()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    }
}

fn failed(path: &Path, action: &'static str, source: io::Error) -> KeyFileError {
    KeyFileError::Io { path: path.into(), action, source }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;

    use tuf_client::Verified;

    use super::*;
    use crate::publish::{self, tests::now};

    fn root(keys: &Keys) -> Verified<Root> {
        let first = publish::first(keys, now()).unwrap();
        Verified::self_signed(&first.root.unwrap().bytes()).unwrap()
    }

    #[test]
    fn the_root_decides_which_unattended_key_counts() {
        let dir = tempfile::tempdir().unwrap();
        let (home, other) = (dir.path().join("home"), dir.path().join("other"));
        for dir in [&home, &other] {
            std::fs::create_dir(dir).unwrap();
        }
        let keys = create(&home, &home, None).unwrap();
        let root = root(&keys);
        make_next(&home, Role::Timestamp, SigningKey::generate(), None).unwrap();
        let found = online(&home, None, &root).unwrap();
        assert_eq!(found.timestamp.public(), keys.online.timestamp.public());
        // without its public half beside it, too
        std::fs::remove_file(home.join("timestamp.pub")).unwrap();
        assert!(online(&home, None, &root).is_ok());
        create(&other, &other, None).unwrap();
        let error = online(&other, None, &root).unwrap_err();
        assert!(matches!(error, OnlineKeyError::NotThere { role: Role::Snapshot, .. }), "{error}");
    }

    #[test]
    fn credentials_of_the_service_come_first() {
        let dir = tempfile::tempdir().unwrap();
        let (home, credentials) = (dir.path().join("home"), dir.path().join("credentials"));
        for dir in [&home, &credentials] {
            std::fs::create_dir(dir).unwrap();
        }
        let keys = create(&credentials, &credentials, None).unwrap();
        let root = root(&keys);
        assert!(online(&home, None, &root).is_err());
        for role in ["snapshot.pem", "timestamp.pem"] {
            std::fs::set_permissions(credentials.join(role), Permissions::from_mode(0o440)).unwrap();
        }
        let found = online(&home, Some(&credentials), &root).unwrap();
        assert_eq!(found.snapshot.public(), keys.online.snapshot.public());
        // the home's are used where the service has others
        let keys = create(&home, &home, None).unwrap();
        let own = self::root(&keys);
        assert_eq!(
            online(&home, Some(&credentials), &own).unwrap().timestamp.public(),
            keys.online.timestamp.public()
        );
    }

    #[test]
    fn files_are_listed_with_what_is_known_of_them() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(files(&dir.path().join("none")).unwrap(), []);
        let kim =
            make(dir.path(), "kim", SigningKey::generate_p256(), Some(&"secret".to_string().into())).unwrap();
        make(dir.path(), "targets-0a", SigningKey::generate(), None).unwrap();
        std::fs::remove_file(dir.path().join("targets-0a.pub")).unwrap();
        let found = files(dir.path()).unwrap();
        assert_eq!(found[0].public, Some(kim.public()));
        assert_eq!((found.len(), &found[1].public, found[1].is_of(Role::Targets)), (2, &None, true));
        assert!(!found[0].is_of(Role::Targets));
    }
}

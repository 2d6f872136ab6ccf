//! The depot's home directory: configuration, keys, publication, depot, ledger.
//!
//! One process at a time works in a home; the lock says so in words.

mod ledger;
mod source;

use std::path::{Path, PathBuf};

use keys::durable::{self, DirLock, LockError};
use keys::{AgeIdentity, AgeIdentityError};
pub use ledger::LedgerServer;
use serde::{Deserialize, Serialize};
pub use source::{HeaderSetting, SourceSettings};

use crate::ledger::Location;

/// The configuration file, `fetcher.toml`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// The catalogue of this depot; a relative path starts at the home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifests: Option<PathBuf>,
    /// The server that keeps the ledger; none where it is a file of the home.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ledger: Option<LedgerServer>,
    /// How hosts are asked for firmware, one `[[source]]` each.
    #[serde(default, rename = "source", skip_serializing_if = "Vec::is_empty")]
    pub sources: Vec<SourceSettings>,
}

/// A home that exists, locked for this process.
#[derive(Debug)]
pub struct Home {
    dir: PathBuf,
    settings: Settings,
    _lock: DirLock,
}

/// Why a home could not be opened or made.
#[derive(Debug, thiserror::Error)]
pub enum HomeError {
    /// There is none.
    #[error("home {}: there is no fetcher.toml, so this is not a depot", .0.display())]
    Missing(PathBuf),
    /// There is one already.
    #[error("home {}: already set up; its keys are not overwritten", .0.display())]
    Exists(PathBuf),
    /// Another process is at work in it.
    #[error("home {}", .0.display())]
    Lock(PathBuf, #[source] LockError),
    /// The configuration cannot be understood. The line itself is not told: it may hold a secret.
    #[error("{}:{line}", path.display())]
    Settings {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong there.
        source: toml::de::Error,
    },
    /// The file system refused.
    #[error("home {}", .0.display())]
    Io(PathBuf, #[source] std::io::Error),
}

const SETTINGS: &str = "fetcher.toml";

const IDENTITY_PURPOSE: &str = "depot identity of fetcher: opens the statements of laptops (an age identity; further lines may hold earlier ones)";

impl Home {
    /// The name of the file of the depot's age identity, among its keys.
    pub const IDENTITY: &'static str = "depot-identity.txt";

    /// Opens and locks an existing home.
    pub fn open(dir: &Path) -> Result<Self, HomeError> {
        Self::locked(dir, DirLock::acquire)
    }

    /// The same; where another process is at work in it, says so with `waits` and then waits for its end.
    pub fn wait_for(dir: &Path, waits: &mut dyn FnMut()) -> Result<Self, HomeError> {
        Self::locked(dir, |dir| DirLock::wait_for(dir, waits))
    }

    fn locked(dir: &Path, lock: impl FnOnce(&Path) -> Result<DirLock, LockError>) -> Result<Self, HomeError> {
        // before the lock is made: what is no home is left as it is
        read_settings(dir)?.ok_or_else(|| HomeError::Missing(dir.into()))?;
        let lock = lock(dir).map_err(|e| HomeError::Lock(dir.into(), e))?;
        let settings = read_settings(dir)?.ok_or_else(|| HomeError::Missing(dir.into()))?;
        Ok(Self { dir: dir.into(), settings, _lock: lock })
    }

    /// Makes the directory and locks it; [`Home::commit`] completes it once its keys are proven.
    pub fn create(dir: &Path) -> Result<Self, HomeError> {
        if read_settings(dir)?.is_some() {
            return Err(HomeError::Exists(dir.into()));
        }
        let io = |e| HomeError::Io(dir.into(), e);
        std::fs::create_dir_all(dir).map_err(io)?;
        let lock = DirLock::acquire(dir).map_err(|e| HomeError::Lock(dir.into(), e))?;
        let home = Self { dir: dir.into(), settings: Settings::default(), _lock: lock };
        for part in [home.keys(), home.publication(), home.depot()] {
            std::fs::create_dir_all(&part).map_err(io)?;
        }
        Ok(home)
    }

    /// Writes the configuration: from here on the directory is a home.
    pub fn commit(&mut self, settings: Settings) -> Result<(), HomeError> {
        let io = |e| HomeError::Io(self.dir.clone(), e);
        let text = toml::to_string(&settings).map_err(|e| io(std::io::Error::other(e)))?;
        let text = format!(
            "# Settings of this depot. manifests: the folder of the catalogue. [ledger]: a server that keeps the ledger.\n{text}"
        );
        durable::write_atomic(&self.dir.join(SETTINGS), text.as_bytes(), 0o644).map_err(io)?;
        self.settings = settings;
        Ok(())
    }

    /// The directory itself.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Private keys.
    pub fn keys(&self) -> PathBuf {
        self.dir.join("keys")
    }

    /// What opens statements that are encrypted to this depot; none where it was not made yet.
    pub fn identity(&self) -> Result<Option<AgeIdentity>, AgeIdentityError> {
        match AgeIdentity::open(&self.identity_file()) {
            Err(AgeIdentityError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => {
                Ok(None)
            }
            opened => opened.map(Some),
        }
    }

    /// The same; it is made if there is none.
    pub fn make_identity(&self) -> Result<AgeIdentity, AgeIdentityError> {
        AgeIdentity::open_or_make(&self.identity_file(), IDENTITY_PURPOSE)
    }

    /// Where it is.
    pub fn identity_file(&self) -> PathBuf {
        self.keys().join(Self::IDENTITY)
    }

    /// Signed metadata.
    pub fn publication(&self) -> PathBuf {
        self.dir.join("publication")
    }

    /// What waits for the signatures of more people.
    pub fn signing_event(&self) -> PathBuf {
        self.publication().join("signing-event.json")
    }

    /// Firmware files.
    pub fn depot(&self) -> PathBuf {
        self.dir.join("depot")
    }

    /// The ledger of received statements.
    pub fn ledger(&self) -> Location {
        match &self.settings.ledger {
            Some(server) => Location::Server(server.at(&self.dir)),
            None => Location::File(self.dir.join("ledger.db")),
        }
    }
}

/// The settings in `dir`, or `None` where there is no home.
pub fn read_settings(dir: &Path) -> Result<Option<Settings>, HomeError> {
    let path = dir.join(SETTINGS);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(HomeError::Io(dir.into(), e)),
    };
    toml::from_str(&text).map(Some).map_err(|mut source: toml::de::Error| {
        let before = source.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        source.set_input(None);
        HomeError::Settings { path, line, source }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_home_is_made_once_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("depot");
        assert!(matches!(Home::open(&dir), Err(HomeError::Missing(_))));
        let mut home = Home::create(&dir).unwrap();
        assert!(
            matches!(Home::open(&dir), Err(HomeError::Missing(_))),
            "not a home before its keys are there"
        );
        let settings = Settings { manifests: Some("catalogue".into()), ..Settings::default() };
        home.commit(settings.clone()).unwrap();
        assert!(matches!(Home::open(&dir), Err(HomeError::Lock(..))));
        drop(home);
        assert_eq!(Home::open(&dir).unwrap().settings, settings);
        assert!(matches!(Home::create(&dir), Err(HomeError::Exists(_))));
    }

    #[test]
    fn another_at_work_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let mut first = Home::create(dir.path()).unwrap();
        first.commit(Settings::default()).unwrap();
        let path = dir.path().to_owned();
        let (waits, waited) = std::sync::mpsc::channel();
        let second = std::thread::spawn(move || {
            Home::wait_for(&path, &mut || waits.send(()).unwrap()).map(|home| home.settings)
        });
        waited.recv().unwrap();
        let changed = Settings { manifests: Some("elsewhere".into()), ..Settings::default() };
        first.commit(changed.clone()).unwrap();
        drop(first);
        assert_eq!(second.join().unwrap().unwrap(), changed, "as they are when the lock is given");
    }

    #[test]
    fn unknown_settings_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        for unknown in ["manifest = \"x\"\n", "[ledger]\nurl = \"x\"\npassword = \"y\"\n"] {
            durable::write_atomic(&dir.path().join(SETTINGS), unknown.as_bytes(), 0o644).unwrap();
            assert!(matches!(Home::open(dir.path()), Err(HomeError::Settings { .. })), "{unknown}");
        }
        durable::write_atomic(&dir.path().join(SETTINGS), b"manifest = \"x\"\n", 0o644).unwrap();
        assert!(matches!(Home::open(dir.path()), Err(HomeError::Settings { line: 1, .. })));
        let text = b"manifests = \"x\"\n[[source]]\nhost = \"h\"\nheader = { X = \"t0ken\" }\n";
        durable::write_atomic(&dir.path().join(SETTINGS), text, 0o644).unwrap();
        let error = Home::open(dir.path()).unwrap_err();
        let told = format!("{error}: {}", std::error::Error::source(&error).unwrap());
        assert!(told.contains("fetcher.toml:4: unknown field `header`") && !told.contains("t0ken"), "{told}");
    }

    #[test]
    fn the_ledger_is_a_file_or_on_a_server_whose_files_are_found_from_the_home() {
        let dir = tempfile::tempdir().unwrap();
        let open = |settings: &str| {
            durable::write_atomic(&dir.path().join(SETTINGS), settings.as_bytes(), 0o644).unwrap();
            Home::open(dir.path()).unwrap().ledger()
        };
        let Location::File(file) = open("") else { panic!("no file") };
        assert_eq!(file, dir.path().join("ledger.db"));
        let server = "[ledger]\nurl = \"postgresql://c@db.example/c\"\npassword_file = \"secret\"\nca = \"/etc/ca.pem\"\n";
        let Location::Server(server) = open(server) else { panic!("no server") };
        assert_eq!(server.password_file, Some(dir.path().join("secret")));
        assert_eq!(server.ca, Some("/etc/ca.pem".into()));
    }
}

//! Pinned to depot: the firmware files that may go onto a stick.
//!
//! `<release id>/<sha256>.digicap.dav`, as on the stick; `incoming/` holds what is on its way, and
//! `quarantine/` what turned out to be something else: it is evidence, and only a person deletes it.
//! [`Depot::accept`] is the only door, and it lets nothing in that does not match its pin.

use std::fmt::Write as _;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use firmware::{HashingReader, Pin, Release, ReleaseId, Sha256Digest};
use keys::durable;
use stick::SignedRelease;

use crate::pin::{Candidate, Difference, open_regular};

/// What temporary files of firmware in `incoming` are called at the front.
pub const EXTRACTED: &str = "extracted-";

/// The folder of firmware files. Whoever has it also has the lock of the home.
#[derive(Debug)]
pub struct Depot {
    dir: PathBuf,
}

/// Why a file is not in the depot.
#[derive(Debug, thiserror::Error)]
pub enum DepotError {
    /// Nobody has pinned the release.
    #[error("release {0}: not pinned")]
    Unpinned(ReleaseId),
    /// It was never taken, or somebody took it away.
    #[error("release {0}: its file is not in the depot")]
    Missing(ReleaseId),
    /// It is another file.
    #[error("release {id}: pin mismatch: {}; moved to {}", listed(differences), quarantined.display())]
    Mismatch {
        /// The release.
        id: ReleaseId,
        /// In what it differs, firmware first.
        differences: Vec<Difference>,
        /// Where the file is now.
        quarantined: PathBuf,
    },
    /// The disk failed.
    #[error("depot {}", path.display())]
    Io {
        /// File or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

fn listed(differences: &[Difference]) -> String {
    differences.iter().enumerate().fold(String::new(), |mut text, (index, difference)| {
        // writing to a string does not fail
        let _ = write!(text, "{}{difference}", if index == 0 { "" } else { "; " });
        text
    })
}

impl Depot {
    /// Opens the depot in this folder, and clears away temporary files of a run that was killed.
    pub fn open(dir: PathBuf) -> Result<Self, DepotError> {
        let depot = Self { dir };
        let failed = |source| DepotError::Io { path: depot.dir.clone(), source };
        for part in [depot.incoming(), depot.quarantine_dir()] {
            fs::create_dir_all(part).map_err(failed)?;
        }
        for entry in fs::read_dir(depot.incoming()).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if entry.file_name().as_encoded_bytes().starts_with(EXTRACTED.as_bytes()) {
                fs::remove_file(entry.path()).map_err(failed)?;
            }
        }
        Ok(depot)
    }

    /// Where the firmware of a release lies if it is here; none for one that is not pinned.
    pub fn path(&self, release: &Release) -> Option<PathBuf> {
        release.pin.as_ref().map(|pin| self.file(&release.id, pin))
    }

    /// Where the firmware of an approved release lies if it is here.
    pub fn signed_path(&self, release: &SignedRelease) -> PathBuf {
        self.dir.join(release.consistent_name())
    }

    /// Whether there is a file of the signed size. Its bytes are compared as it is read for a stick.
    pub fn holds_signed(&self, release: &SignedRelease) -> bool {
        fs::symlink_metadata(self.signed_path(release))
            .is_ok_and(|m| m.is_file() && m.len() == release.length())
    }

    /// Reads the firmware of a release again. One that is no longer the pinned one is put into
    /// quarantine.
    pub fn verify(&self, release: &Release) -> Result<(), DepotError> {
        let Release { id, pin: Some(pin), .. } = release else {
            return Err(DepotError::Unpinned(release.id.clone()));
        };
        let path = self.file(id, pin);
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => DepotError::Missing(id.clone()),
            _ => DepotError::Io { path: path.clone(), source },
        };
        let mut reader = HashingReader::new(open_regular(&path).map_err(failed)?);
        io::copy(&mut reader, &mut io::sink()).map_err(failed)?;
        let (sha256, size) = reader.finish();
        let differences = Difference::between((size, sha256), (pin.size, pin.sha256));
        if differences.is_empty() {
            return Ok(());
        }
        let quarantined = self.quarantine(id, sha256, &path)?;
        Err(DepotError::Mismatch { id: id.clone(), differences, quarantined })
    }

    /// Takes firmware that matches the pin of its release; any other is put into quarantine.
    pub fn accept(&self, release: &Release, candidate: Candidate) -> Result<PathBuf, DepotError> {
        let Release { id, pin: Some(pin), .. } = release else {
            return Err(DepotError::Unpinned(release.id.clone()));
        };
        let seen = candidate.seen();
        let mut differences = seen.differences(pin);
        if !differences.is_empty() {
            differences.extend(seen.package_differences(pin));
            let quarantined = self.quarantine_candidate(id, candidate)?;
            return Err(DepotError::Mismatch { id: id.clone(), differences, quarantined });
        }
        let path = self.file(id, pin);
        self.keep(candidate, &path)?;
        Ok(path)
    }

    /// Where a download of a release grows.
    pub fn part(&self, id: &ReleaseId) -> PathBuf {
        self.incoming().join(format!("{id}.part"))
    }

    /// The folder for what is on its way.
    pub fn incoming(&self) -> PathBuf {
        self.dir.join("incoming")
    }

    /// Puts firmware that was looked into and is not wanted into quarantine.
    pub fn quarantine_candidate(&self, id: &ReleaseId, candidate: Candidate) -> Result<PathBuf, DepotError> {
        let to = self.quarantine_path(id, candidate.seen().sha256);
        self.keep(candidate, &to)?;
        Ok(to)
    }

    /// Puts a file of the depot into quarantine, under the name of its release and its digest.
    pub fn quarantine(
        &self,
        id: &ReleaseId,
        sha256: Sha256Digest,
        file: &Path,
    ) -> Result<PathBuf, DepotError> {
        let to = self.quarantine_path(id, sha256);
        durable::rename(file, &to).map_err(|source| DepotError::Io { path: file.to_owned(), source })?;
        Ok(to)
    }

    fn quarantine_dir(&self) -> PathBuf {
        self.dir.join("quarantine")
    }

    fn quarantine_path(&self, id: &ReleaseId, sha256: Sha256Digest) -> PathBuf {
        self.quarantine_dir().join(format!("{id}.{sha256}.rejected"))
    }

    fn file(&self, id: &ReleaseId, pin: &Pin) -> PathBuf {
        self.dir.join(id.as_str()).join(format!("{}.{}", pin.sha256, Release::FILE_NAME))
    }

    /// Gives the file of a candidate its lasting name.
    fn keep(&self, candidate: Candidate, to: &Path) -> Result<(), DepotError> {
        let keep = || -> io::Result<()> {
            let file = candidate.into_file();
            fs::set_permissions(&file, Permissions::from_mode(0o644))?;
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder)?;
                durable::sync_dir(&self.dir)?;
            }
            durable::rename(file.as_ref(), to)
        };
        keep().map_err(|source| DepotError::Io { path: to.to_owned(), source })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Catalog;
    use crate::pin::Source;

    const BYTES: &[u8] = &[7; 4096];

    fn depot() -> (tempfile::TempDir, Depot) {
        let dir = tempfile::tempdir().unwrap();
        let depot = Depot::open(dir.path().join("depot")).unwrap();
        (dir, depot)
    }

    fn candidate(depot: &Depot, bytes: &[u8]) -> Candidate {
        let given = tempfile::tempdir().unwrap();
        let path = given.path().join("digicap.dav");
        durable::write_atomic(&path, bytes, 0o644).unwrap();
        Candidate::examine(Source::given(&path).unwrap(), None, &depot.incoming()).unwrap()
    }

    fn release(pin: Option<Pin>) -> Release {
        let text = "[[release]]\nid = \"nvr-k51-4.1.0-190101\"\nfamily = \"nvr\"\nmodels = []\nversion = \"V4.1.0\"\nbuild = \"190101\"\nsources = [\"x\"]\n";
        let catalog = Catalog::from_texts(&[("nvr/k51.toml".into(), text.to_owned())]).unwrap();
        Release { pin, ..catalog.releases()[0].clone() }
    }

    fn pinned(depot: &Depot) -> Release {
        let pin = candidate(depot, BYTES).seen().pin("2026-11-22".parse().unwrap());
        release(Some(pin))
    }

    fn files(depot: &Depot, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(depot.dir.join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn takes_what_matches_and_names_it_as_the_stick_does() {
        let (_dir, depot) = depot();
        let release = pinned(&depot);
        assert!(matches!(depot.verify(&release), Err(DepotError::Missing(_))));
        let path = depot.accept(&release, candidate(&depot, BYTES)).unwrap();
        let digest = Sha256Digest::of(BYTES);
        assert!(path.ends_with(format!("depot/nvr-k51-4.1.0-190101/{digest}.digicap.dav")));
        assert_eq!((depot.path(&release), fs::read(&path).unwrap()), (Some(path), BYTES.to_vec()));
        depot.verify(&release).unwrap();
        assert_eq!(files(&depot, "incoming"), [""; 0]);
    }

    #[test]
    fn what_does_not_match_is_kept_apart_under_its_digest() {
        let (_dir, depot) = depot();
        let release = pinned(&depot);
        let other = [8; 4097];
        let error = depot.accept(&release, candidate(&depot, &other)).unwrap_err();
        let name = format!("nvr-k51-4.1.0-190101.{}.rejected", Sha256Digest::of(&other));
        assert_eq!(files(&depot, "quarantine"), std::slice::from_ref(&name));
        for part in [Sha256Digest::of(&other).to_string(), Sha256Digest::of(BYTES).to_string(), name] {
            assert!(error.to_string().contains(&part), "{error}");
        }
        assert!(depot.path(&release).is_some_and(|path| !path.exists()));
    }

    #[test]
    fn a_file_that_changed_in_the_depot_is_noticed() {
        let (_dir, depot) = depot();
        let release = pinned(&depot);
        let path = depot.accept(&release, candidate(&depot, BYTES)).unwrap();
        durable::write_atomic(&path, &[9; 4096], 0o644).unwrap();
        assert!(matches!(depot.verify(&release), Err(DepotError::Mismatch { .. })));
        assert!(matches!(depot.verify(&release), Err(DepotError::Missing(_))));
        assert_eq!(files(&depot, "quarantine").len(), 1);
        durable::write_atomic(&path, b"short", 0o644).unwrap();
        assert!(matches!(depot.verify(&release), Err(DepotError::Mismatch { .. })));
    }

    #[test]
    fn nothing_is_taken_without_a_pin() {
        let (_dir, depot) = depot();
        let release = release(None);
        assert!(matches!(depot.accept(&release, candidate(&depot, BYTES)), Err(DepotError::Unpinned(_))));
        assert_eq!(depot.path(&release), None);
    }

    #[test]
    fn leftovers_of_a_killed_run_go_and_downloads_stay() {
        let (dir, depot) = depot();
        let part = depot.part(&release(None).id);
        durable::write_atomic(&part, b"half", 0o644).unwrap();
        durable::write_atomic(&depot.incoming().join("extracted-x"), b"half", 0o644).unwrap();
        let depot = Depot::open(dir.path().join("depot")).unwrap();
        assert_eq!(files(&depot, "incoming"), ["nvr-k51-4.1.0-190101.part"]);
    }
}

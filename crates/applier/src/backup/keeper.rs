//! Recorder to file: exported, sealed, named, read back.

use std::fs::{DirBuilder, File};
use std::io::{self, Seek as _, SeekFrom};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use age::x25519::Recipient;
use firmware::Device;
use isapi::{ConfigurationKey, Error, Recorder};
use jiff::Timestamp;
use keys::{AgeIdentity, durable};
use tempfile::NamedTempFile;

use super::shelf::{folder, name};
use super::{Kept, Manifest, UnsealError, in_memory, sealed};

/// Takes backups.
#[derive(Debug)]
pub struct Keeper {
    /// Below it, a folder for each recorder.
    pub backups: PathBuf,
    /// This file and not one in that folder.
    pub to: Option<PathBuf>,
    /// Opens the backup.
    pub local_key: AgeIdentity,
    /// Who can open it as well.
    pub recipients: Vec<Recipient>,
    /// Under which the recorder encrypts its export.
    pub device_key: Option<ConfigurationKey>,
}

/// Why there is no backup. On the recorder nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// The recorder did not give it.
    #[error(transparent)]
    Recorder(#[from] Error),
    /// The recorder wants a device key.
    #[error("recorder exports its configuration under a device key only")]
    WantsDeviceKey(#[source] Error),
    /// The file is there already.
    #[error("backup {}: is there already", .0.display())]
    Exists(PathBuf),
    /// It cannot be written.
    #[error("backup {}: cannot be written", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It could not be read back.
    #[error("backup: read-back failed")]
    ReadBack(#[from] UnsealError),
    /// What was read back is not what was written.
    #[error("backup {}: what was read back is not what was written", .0.display())]
    Differs(PathBuf),
}

impl BackupError {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self {
            Self::WantsDeviceKey(_) => "give one: --device-key-file FILE",
            Self::Recorder(Error::NotOffered { .. }) => "this recorder cannot be backed up over the network",
            Self::Recorder(Error::NoPermission { .. }) => "log in as a user who may export it: admin",
            Self::Recorder(_) => "look at the recorder, then try again",
            Self::Exists(_) => "name another file, or move that one away",
            Self::Write { .. } => "see that the folder can be written and has room",
            Self::ReadBack(_) | Self::Differs(_) => "the disk may be failing; no file was left there",
        }
    }
}

/// Backups of one recorder whose names would be the same.
const MOST_AT_ONCE: u32 = 100;

impl Keeper {
    /// Takes the configuration of this recorder and keeps it. Where that fails no file stays.
    pub async fn take(
        &self,
        recorder: &Recorder,
        device: &Device,
        now: Timestamp,
    ) -> Result<Kept, BackupError> {
        let path = self.path(device, now)?;
        let write = |source| BackupError::Write { path: path.clone(), source };
        let mut export = in_memory().map_err(write)?;
        let mut to = tokio::fs::File::from_std(export.try_clone().map_err(write)?);
        let exported = recorder.export_configuration(self.device_key.as_ref(), &mut to).await;
        let exported = exported.map_err(|error| match error {
            error if self.device_key.is_none() && error.is_about_configuration_key() => {
                BackupError::WantsDeviceKey(error)
            }
            error => error.into(),
        })?;
        let manifest = Manifest::of(device, &exported, now);
        self.write(&manifest, &mut export, &path)?;
        if let Err(error) = self.read_back(&manifest, &path) {
            // it would be taken for a good one
            let _ = durable::remove(&path);
            return Err(error);
        }
        let Manifest { size, sha256, device_key, .. } = manifest;
        Ok(Kept { file: path, size, sha256, device_key })
    }

    /// What is not as it was wished of a backup that was taken.
    pub fn doubt(&self, kept: &Kept) -> Option<&'static str> {
        (self.device_key.is_some() && !kept.device_key)
            .then_some("the recorder did not take the device key: its export is as it makes it without one")
    }

    /// Where it goes; refused early where it cannot.
    fn path(&self, device: &Device, now: Timestamp) -> Result<PathBuf, BackupError> {
        if let Some(path) = &self.to {
            return if path.exists() { Err(BackupError::Exists(path.clone())) } else { Ok(path.clone()) };
        }
        let folder = self.backups.join(folder(&device.serial));
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|source| BackupError::Write { path: folder.clone(), source })?;
        // two within one second, or after the clock was set back
        let mut names = (1..=MOST_AT_ONCE).map(|n| folder.join(name(&device.revision, now, n)));
        let free = names.find(|path| !path.exists());
        free.ok_or_else(|| BackupError::Exists(folder.join(name(&device.revision, now, 1))))
    }

    fn write(&self, manifest: &Manifest, export: &mut File, path: &Path) -> Result<(), BackupError> {
        let write = |source| BackupError::Write { path: path.to_owned(), source };
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut recipients = vec![self.local_key.recipient()];
        recipients.extend(self.recipients.iter().cloned());
        export.seek(SeekFrom::Start(0)).map_err(write)?;
        let file = NamedTempFile::new_in(folder).map_err(write)?;
        sealed::seal(manifest, export, &recipients, file.as_file()).map_err(write)?;
        durable::name(file, path, 0o600, false).map_err(|source| match source.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists(path.to_owned()),
            _ => write(source),
        })
    }

    fn read_back(&self, manifest: &Manifest, path: &Path) -> Result<(), BackupError> {
        let (found, _) = sealed::unseal(path, &self.local_key)?;
        if found == *manifest { Ok(()) } else { Err(BackupError::Differs(path.to_owned())) }
    }
}

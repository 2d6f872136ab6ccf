//! The configuration of a recorder, kept on this laptop.
//!
//! Two secrets, told apart everywhere:
//!
//! * The *device key* is the recorder's: with it the recorder encrypts its own export (reference: ISAPI
//!   §11). A person gives it, where the firmware wants one or where they wish it; it is kept nowhere.
//! * The *local key* is this laptop's ([`local_key()`]): with it the file is encrypted here, with `age`. It
//!   is made at the first backup, and nobody is asked for it.
//!
//! An export without a device key is as the recorder makes it: whoever has it may read the passwords in
//! it, and the export of one recorder tells how to get into others. So nothing of it reaches a disk
//! unencrypted by this program: it is taken into a file that exists in memory alone, which the kernel may
//! swap (`docs/threat-model.md`).
//!
//! A backup is one age file of mode 0600 (see `docs/formats.md`): a line that says whose configuration
//! it is ([`Manifest`]), then the export. It is written beside its name, named, read back, decrypted and
//! compared before it is said to be there.

mod keeper;
mod local_key;
mod sealed;
mod shelf;

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use firmware::{Device, Model, Revision, Serial, Sha256Digest, Text};
use isapi::Exported;
use jiff::Timestamp;
use rustix::fs::MemfdFlags;
use serde::{Deserialize, Serialize, Serializer};

pub use age::x25519::Recipient;
pub use keeper::{BackupError, Keeper};
pub use local_key::local_key;
pub use sealed::{UnsealError, manifest, unseal};
pub use shelf::{files, newest};

/// The major version of the form of a backup.
const FORMAT: u32 = 1;

/// Whose configuration a backup holds, and what it must be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Major version of this form.
    pub format: u32,
    /// The recorder's model.
    pub model: Model,
    /// Its serial number: a configuration goes back to no other.
    pub serial: Serial,
    /// The firmware that exported it.
    #[serde(flatten)]
    pub revision: Revision,
    /// When, by the laptop's clock.
    pub taken: Timestamp,
    /// Bytes of the export.
    pub size: u64,
    /// Their digest.
    pub sha256: Sha256Digest,
    /// Whether the recorder encrypted it under a device key. The key itself stands nowhere.
    pub device_key: bool,
    /// Version of the program that took it.
    pub applier: Text,
}

/// A backup that was read back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// Where.
    #[serde(serialize_with = "as_text")]
    pub file: PathBuf,
    /// Bytes of the export.
    pub size: u64,
    /// Their digest.
    pub sha256: Sha256Digest,
    /// Whether the recorder encrypted it under a device key.
    pub device_key: bool,
}

impl Manifest {
    pub(crate) fn of(device: &Device, exported: &Exported, taken: Timestamp) -> Self {
        Self {
            format: FORMAT,
            model: device.model.clone(),
            serial: device.serial.clone(),
            revision: device.revision.clone(),
            taken,
            size: exported.size,
            sha256: exported.sha256,
            device_key: exported.keyed,
            applier: Text::cleaned(env!("CARGO_PKG_VERSION")),
        }
    }
}

impl Kept {
    /// As it stands in a statement.
    pub fn words(&self) -> String {
        let key = if self.device_key { "under a device key" } else { "without a device key" };
        format!("SHA-256 {}, {} bytes, {key}", self.sha256, self.size)
    }
}

/// A name that is no text is told as well as it can be: the journal must be able to say it.
fn as_text<S: Serializer>(file: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&file.display())
}

/// A file that exists in memory alone.
pub(crate) fn in_memory() -> io::Result<File> {
    Ok(rustix::fs::memfd_create("configuration", MemfdFlags::CLOEXEC)?.into())
}

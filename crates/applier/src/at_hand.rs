//! Stick to local disk: the firmware of one release, checked while it is copied, held open.
//!
//! It is pushed from this descriptor and never from the stick. The file has no name, so nobody can
//! exchange it between the check and the push.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

use firmware::container::{self, Container, LONGEST_HEADER, Rejected};
use stick::{CopyError, SignedRelease, VerifiedPublication};

/// Firmware on this laptop's own disk that is what was signed.
#[derive(Debug)]
pub struct AtHand {
    file: File,
    container: Container,
}

/// Why there is no firmware to push.
#[derive(Debug, thiserror::Error)]
pub enum AtHandError {
    /// It could not be copied off the stick, or is not what was signed.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The local copy failed.
    #[error("local copy: cannot be read or written")]
    Io(#[from] io::Error),
    /// It is what was signed, and yet not sound firmware: the depot approved a damaged file.
    #[error("firmware: rejected")]
    Container(#[from] Rejected),
}

impl AtHand {
    /// Copies the release to a file without a name in `dir`, then reads its header and, where there
    /// are any, its inner checksums.
    pub fn take(
        publication: &VerifiedPublication<'_>,
        release: &SignedRelease,
        dir: &Path,
        progress: &mut dyn FnMut(u64),
    ) -> Result<Self, AtHandError> {
        let mut file = tempfile::tempfile_in(dir)?;
        publication.copy(release, &mut file, progress)?;
        file.seek(SeekFrom::Start(0))?;
        let mut start = Vec::new();
        (&mut file).take(LONGEST_HEADER as u64).read_to_end(&mut start)?;
        let container = container::inspect(&start, release.length())?;
        if let Container::A(header) = &container {
            file.seek(SeekFrom::Start(0))?;
            header.check_bodies(io::BufReader::new(&mut file)).map_err(damage)?;
        }
        file.seek(SeekFrom::Start(0))?;
        Ok(Self { file, container })
    }

    /// What its header says.
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// The open file, at its beginning.
    pub fn into_file(self) -> File {
        self.file
    }
}

fn damage(error: io::Error) -> AtHandError {
    match error.downcast::<Rejected>() {
        Ok(rejected) => rejected.into(),
        Err(error) => error.into(),
    }
}

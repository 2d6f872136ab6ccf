use std::fs::File;
use std::io;

use firmware::Sha256Digest;

/// A firmware file in an open descriptor, with what it must be. The descriptor, not a path: what was
/// checked is what is sent.
#[derive(Debug)]
pub struct Package {
    pub(crate) file: File,
    pub(crate) size: u64,
    pub(crate) sha256: Sha256Digest,
}

/// The file is not what it should be.
#[derive(Debug, thiserror::Error)]
pub enum PackageError {
    /// It cannot be looked at.
    #[error("firmware file cannot be examined")]
    Io(#[from] io::Error),
    /// A directory, a device.
    #[error("firmware is not a regular file")]
    NotAFile,
    /// Another size.
    #[error("firmware file has {found} bytes, expected {expected}")]
    Size {
        /// Signed.
        expected: u64,
        /// On disk.
        found: u64,
    },
    /// Nothing at all.
    #[error("firmware file is empty")]
    Empty,
}

impl Package {
    /// Takes an open file. Its size (bytes) is compared now, its digest while it is sent.
    pub fn new(file: File, size: u64, sha256: Sha256Digest) -> Result<Self, PackageError> {
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(PackageError::NotAFile);
        }
        if metadata.len() != size {
            return Err(PackageError::Size { expected: size, found: metadata.len() });
        }
        if size == 0 {
            return Err(PackageError::Empty);
        }
        Ok(Self { file, size, sha256 })
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_size_must_agree_before_anything_is_sent() {
        let mut file = tempfile::tempfile().unwrap();
        let digest = Sha256Digest::of(b"abc");
        let package = |file: &File, size| Package::new(file.try_clone().unwrap(), size, digest);
        assert!(matches!(package(&file, 0), Err(PackageError::Empty)));
        file.write_all(b"abc").unwrap();
        assert_eq!(package(&file, 3).unwrap().size(), 3);
        assert!(matches!(package(&file, 4), Err(PackageError::Size { expected: 4, found: 3 })));
        assert!(matches!(Package::new(File::open("/").unwrap(), 3, digest), Err(PackageError::NotAFile)));
    }
}

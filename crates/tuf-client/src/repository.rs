use std::io::{self, Read};

/// Where metadata and targets come from: a stick, a tar file, a test server. Nothing it returns is
/// believed. `None` means that the file is not there, which is not an error here.
pub trait Repository {
    /// The bytes of `metadata/<name>`; `name` is one path component made by the workflow. Reading
    /// must stop with [`FetchError::TooLarge`] once more than `cap` bytes have come.
    fn metadata(&mut self, name: &str, cap: u64) -> Result<Option<Vec<u8>>, FetchError>;

    /// A stream of `targets/<path>`; `path` is a valid [`crate::TargetName`], the hash before its
    /// last component where snapshots are consistent.
    fn target<'a>(&'a mut self, path: &str) -> Result<Option<Box<dyn Read + 'a>>, FetchError>;
}

/// Why a file that is there could not be had.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// It is longer than the cap.
    #[error("file is longer than the cap")]
    TooLarge,
    /// The medium failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

use std::path::Path;
use std::{fs, io};

use crate::directory::Directory;
use crate::media::{Media, Tree};
use crate::tar::{Tar, TarError};

/// What a person names as the stick: the folder where it is mounted, or a tar file of the same tree.
#[derive(Debug)]
pub enum Stick {
    /// A folder, which can be written.
    Directory(Directory),
    /// A file, which cannot.
    Tar(Tar),
}

/// Why there is nothing to read under a name.
#[derive(Debug, thiserror::Error)]
pub enum NamedError {
    /// It is not there, or cannot be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is a file, and no tar file of a publication.
    #[error(transparent)]
    Tar(#[from] TarError),
}

impl Stick {
    /// Opens what is there.
    pub fn open(path: &Path) -> Result<Self, NamedError> {
        if fs::metadata(path)?.is_dir() {
            return Ok(Self::Directory(Directory::open(path)?));
        }
        Ok(Self::Tar(Tar::open(path)?))
    }

    /// What was opened.
    pub fn path(&self) -> &Path {
        match self {
            Self::Directory(directory) => directory.path(),
            Self::Tar(tar) => tar.path(),
        }
    }

    /// To be read.
    pub fn tree(&self) -> &dyn Tree {
        match self {
            Self::Directory(directory) => directory,
            Self::Tar(tar) => tar,
        }
    }

    /// To be written; `None` where it cannot be.
    pub fn media(&self) -> Option<&dyn Media> {
        match self {
            Self::Directory(directory) => Some(directory),
            Self::Tar(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_files_and_nothing_are_told_apart() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Stick::open(dir.path()).unwrap().media().is_some());
        let absent = dir.path().join("absent");
        assert!(
            matches!(Stick::open(&absent), Err(NamedError::Io(e)) if e.kind() == io::ErrorKind::NotFound)
        );
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(matches!(Stick::open(file.path()), Err(NamedError::Tar(_))));
    }
}

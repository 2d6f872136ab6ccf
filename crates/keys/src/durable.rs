//! Files that are whole after a power cut: temporary file in the same directory, fsync, rename,
//! fsync of the directory. This is the one place in the workspace that renames files; the others
//! are fenced off by `clippy.toml`.

use std::fs::{self, File, Permissions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, RenameFlags};
use tempfile::NamedTempFile;

/// Replaces the file, or makes it: a reader sees the old bytes or the new ones, at any time.
/// `mode` is the permission bits the file gets, whatever the umask.
pub fn write_atomic(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    name(written_beside(path, bytes)?, path, mode, true)
}

/// As [`write_atomic`], but its name outlives a power cut only after [`sync_dir`]: for many files of one directory.
pub fn write_before_sync_dir(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    give_name(written_beside(path, bytes)?, path, mode, true)
}

/// Makes the file whole or not at all; an existing one is left alone
/// ([`io::ErrorKind::AlreadyExists`]).
pub fn create_new(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    name(written_beside(path, bytes)?, path, mode, false)
}

/// Gives a file that was written in the same directory its lasting name, once its bytes are on the disk.
/// One that has the name already is replaced, or left alone ([`io::ErrorKind::AlreadyExists`]).
pub fn name(file: NamedTempFile, path: &Path, mode: u32, replace: bool) -> io::Result<()> {
    give_name(file, path, mode, replace)?;
    sync_dir(directory_of(path))
}

fn give_name(file: NamedTempFile, path: &Path, mode: u32, replace: bool) -> io::Result<()> {
    file.as_file().set_permissions(Permissions::from_mode(mode))?;
    file.as_file().sync_all()?;
    let named = if replace { file.persist(path) } else { file.persist_noclobber(path) };
    named.map(drop).map_err(|error| error.error)
}

/// Deletes the file for good; one that is not there is no error.
pub fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Ok(()) => sync_dir(directory_of(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Moves a file within one file system: its bytes reach the disk before its new name does. A file
/// that had the name before is replaced.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    File::open(from)?.sync_all()?;
    #[expect(clippy::disallowed_methods, reason = "made durable before and after")]
    fs::rename(from, to)?;
    sync_dir(directory_of(to))?;
    sync_dir(directory_of(from))
}

/// Exchanges two directories of one file system in one step, for good: whoever opens one of the names
/// finds all of the old directory or all of the new, at any time. What is in both must have reached
/// the disk before. File systems that cannot do that say so ([`io::ErrorKind::InvalidInput`]).
pub fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    rustix::fs::renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?;
    sync_dir(directory_of(one))?;
    sync_dir(directory_of(other))
}

/// Makes the names in a directory outlive a power cut.
pub fn sync_dir(directory: &Path) -> io::Result<()> {
    File::open(directory)?.sync_all()
}

/// The whole file, unless it is longer than `cap` bytes ([`io::ErrorKind::FileTooLarge`]).
pub fn read(path: &Path, cap: u64) -> io::Result<Vec<u8>> {
    read_open(File::open(path)?, cap)
}

pub(crate) fn read_open(file: File, cap: u64) -> io::Result<Vec<u8>> {
    // the size as stated only reserves room: a file may grow, and special files state none. One
    // reservation also leaves no copies of a secret behind in memory that was outgrown.
    let stated = file.metadata()?.len().min(cap);
    let mut bytes = Vec::with_capacity(usize::try_from(stated).unwrap_or_default() + 1);
    file.take(cap.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > cap {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("file is longer than {cap} bytes")));
    }
    Ok(bytes)
}

fn written_beside(path: &Path, bytes: &[u8]) -> io::Result<NamedTempFile> {
    let mut file = NamedTempFile::new_in(directory_of(path))?;
    file.write_all(bytes)?;
    Ok(file)
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// The right to be the only process that works in a directory; given back when dropped, also by a
/// crash, since the system releases it with the process.
#[derive(Debug)]
pub struct DirLock {
    _file: File,
}

/// Why a directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process, or another part of this one, holds it.
    #[error("directory {} is in use by another process", .0.display())]
    InUse(PathBuf),
    /// The lock file could not be opened or locked.
    #[error("directory {}: lock failed", .directory.display())]
    Io {
        /// The directory to be locked.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl DirLock {
    /// Takes the lock on `.lock` inside `directory`, or says at once that somebody else has it.
    pub fn acquire(directory: &Path) -> Result<Self, LockError> {
        let file = lock_file(directory)?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(LockError::InUse(directory.into())),
            Err(TryLockError::Error(source)) => Err(LockError::Io { directory: directory.into(), source }),
        }
    }

    /// Takes the lock; where somebody else has it, says so with `waits` and then waits, however long.
    pub fn wait_for(directory: &Path, waits: &mut dyn FnMut()) -> Result<Self, LockError> {
        match Self::acquire(directory) {
            Err(LockError::InUse(_)) => waits(),
            taken => return taken,
        }
        let file = lock_file(directory)?;
        file.lock().map_err(|source| LockError::Io { directory: directory.into(), source })?;
        Ok(Self { _file: file })
    }
}

fn lock_file(directory: &Path) -> Result<File, LockError> {
    let opened = File::options().create(true).append(true).open(directory.join(".lock"));
    opened.map_err(|source| LockError::Io { directory: directory.into(), source })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o7777
    }

    #[test]
    fn replaces_whole_with_the_mode_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        write_atomic(&path, b"old", 0o644).unwrap();
        assert_eq!(mode(&path), 0o644);
        write_atomic(&path, b"new", 0o600).unwrap();
        assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"new".to_vec(), 0o600));
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("is-a-directory");
        fs::create_dir(&target).unwrap();
        assert!(write_atomic(&target, b"x", 0o600).is_err());
        assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1, "no temporary file stays");
    }

    #[test]
    fn never_clobbers() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        create_new(&path, b"first", 0o600).unwrap();
        assert_eq!(create_new(&path, b"second", 0o600).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&path).unwrap(), b"first");
    }

    #[test]
    fn removes_once_and_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        create_new(&path, b"", 0o600).unwrap();
        remove(&path).unwrap();
        assert!(!path.exists());
        remove(&path).unwrap();
        assert!(remove(directory.path()).is_err(), "a directory is not removed");
    }

    #[test]
    fn moves_to_another_directory() {
        let directory = tempfile::tempdir().unwrap();
        let (from, to) = (directory.path().join("a"), directory.path().join("sub/b"));
        create_new(&from, b"new", 0o600).unwrap();
        assert!(rename(&from, &to).is_err() && from.exists(), "the directory is not there");
        fs::create_dir(directory.path().join("sub")).unwrap();
        create_new(&to, b"old", 0o600).unwrap();
        rename(&from, &to).unwrap();
        assert_eq!((fs::read(&to).unwrap(), from.exists()), (b"new".to_vec(), false));
    }

    #[test]
    fn exchanges_whole_directories() {
        let directory = tempfile::tempdir().unwrap();
        let (old, new) = (directory.path().join("old"), directory.path().join("new"));
        fs::create_dir(&new).unwrap();
        create_new(&new.join("a"), b"new", 0o600).unwrap();
        assert!(exchange(&new, &old).is_err() && new.exists(), "there is nothing to exchange with");
        fs::create_dir(&old).unwrap();
        exchange(&new, &old).unwrap();
        assert_eq!(fs::read(old.join("a")).unwrap(), b"new");
        assert!(!new.join("a").exists());
    }

    #[test]
    fn reads_up_to_the_cap() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        create_new(&path, &[1; 10], 0o600).unwrap();
        assert_eq!(read(&path, 10).unwrap(), [1; 10]);
        assert_eq!(read(&path, 9).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
        assert!(read(Path::new("/dev/zero"), 100).is_err(), "endless files end");
    }

    #[test]
    fn one_lock_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let first = DirLock::acquire(directory.path()).unwrap();
        assert!(matches!(DirLock::acquire(directory.path()), Err(LockError::InUse(_))));
        drop(first);
        assert!(DirLock::acquire(directory.path()).is_ok());
        assert!(matches!(DirLock::acquire(&directory.path().join("none")), Err(LockError::Io { .. })));
    }
}

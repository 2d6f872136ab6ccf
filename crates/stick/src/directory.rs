use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{
    self as sys, Advice, AtFlags, CWD, Dir, FileType, Mode, OFlags, ResolveFlags, StatVfsMountFlags,
};
use rustix::io::Errno;

use crate::direct::DirectReader;
use crate::file_sink::FileSink;
use crate::file_system;
use crate::media::{Capacity, Entry, Kind, Media, Past, PastCache, Sink, Tree};

/// A directory as a medium: a mounted stick, or a plain folder.
///
/// Everything is opened below the directory's own descriptor with `openat2`, beneath it and without
/// following any symbolic link: a stick is hostile, and a link on it could point anywhere.
#[derive(Debug)]
pub struct Directory {
    root: OwnedFd,
    path: PathBuf,
}

/// Names in one folder; a stick with more is not one of ours.
const MOST_ENTRIES: usize = 100_000;

impl Directory {
    /// Opens an existing directory.
    pub fn open(path: &Path) -> io::Result<Self> {
        let root =
            sys::openat(CWD, path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Self { root, path: path.into() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn at(&self, path: &str, flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
        // NONBLOCK: opening a pipe that somebody laid on the stick must not wait for its other end
        let mode = if flags.contains(OFlags::CREATE) { Mode::from_raw_mode(0o644) } else { Mode::empty() };
        sys::openat2(&self.root, path, flags | OFlags::CLOEXEC | OFlags::NONBLOCK, mode, resolve)
    }

    /// Opens a file for reading, by itself; `None` where there is none.
    pub fn file(&self, path: &str) -> io::Result<Option<File>> {
        match self.at(path, OFlags::RDONLY) {
            Ok(fd) => regular(File::from(fd), path).map(Some),
            Err(error) => missing(path, error),
        }
    }

    fn make_folders(&self, path: &str) -> io::Result<()> {
        for (at, _) in path.match_indices('/') {
            let (parent, name) = path[..at].rsplit_once('/').unwrap_or((".", &path[..at]));
            let parent = self.at(parent, OFlags::RDONLY | OFlags::DIRECTORY)?;
            match sys::mkdirat(&parent, name, Mode::from_raw_mode(0o755)) {
                Ok(()) | Err(Errno::EXIST) => {}
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }
}

fn regular(file: File, path: &str) -> io::Result<File> {
    if file.metadata()?.is_file() { Ok(file) } else { Err(strange(path, "is not a regular file")) }
}

/// What it means that a file could not be opened: there is none, or why.
fn missing<T>(path: &str, error: Errno) -> io::Result<Option<T>> {
    match error {
        Errno::NOENT | Errno::NOTDIR => Ok(None),
        Errno::LOOP => Err(strange(path, "is a symbolic link, or lies behind one")),
        error => Err(error.into()),
    }
}

/// What lies there is no damage: somebody laid it there.
fn strange(path: &str, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{path} {what}"))
}

impl Tree for Directory {
    fn open(&self, path: &str) -> io::Result<Option<Box<dyn Read + Send + '_>>> {
        Ok(self.file(path)?.map(|file| Box::new(file) as Box<dyn Read + Send>))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        let fd = match self.at(folder, OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(fd) => fd,
            Err(Errno::NOENT) => return Ok(Vec::new()),
            Err(Errno::LOOP) => return Err(strange(folder, "is a symbolic link, or lies behind one")),
            Err(Errno::NOTDIR) => return Err(strange(folder, "is not a folder")),
            Err(e) => return Err(e.into()),
        };
        let mut entries = Vec::new();
        for entry in Dir::read_from(&fd)? {
            let entry = entry?;
            let Ok(name) = entry.file_name().to_str() else { continue };
            if matches!(name, "." | "..") {
                continue;
            }
            let stat = sys::statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
            let kind = match FileType::from_raw_mode(stat.st_mode) {
                FileType::RegularFile => Kind::File(u64::try_from(stat.st_size).unwrap_or(0)),
                FileType::Directory => Kind::Folder,
                _ => Kind::Other,
            };
            entries.push(Entry { name: name.to_owned(), kind });
            if entries.len() > MOST_ENTRIES {
                return Err(strange(folder, "holds too many names"));
            }
        }
        Ok(entries)
    }
}

impl Media for Directory {
    fn create(&self, path: &str) -> io::Result<Box<dyn Sink + '_>> {
        self.make_folders(path)?;
        // no O_TRUNC: a small file is overwritten in its own cluster, which leaves the shortest
        // moment in which a FAT holds neither the old nor the new one
        let fd = self.at(path, OFlags::WRONLY | OFlags::CREATE)?;
        Ok(Box::new(FileSink::new(regular(File::from(fd), path)?)))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let (parent, name) = path.rsplit_once('/').unwrap_or((".", path));
        let parent = match self.at(parent, OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(parent) => parent,
            Err(Errno::NOENT) => return Ok(()),
            Err(e) => return Err(e.into()),
        };
        match sys::unlinkat(&parent, name, AtFlags::empty()) {
            Err(Errno::ISDIR | Errno::PERM) => Ok(sys::unlinkat(&parent, name, AtFlags::REMOVEDIR)?),
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(e) => Err(e.into()),
        }
    }

    fn sync_names(&self) -> io::Result<()> {
        // one call for the whole file system: every folder that changed is on it
        Ok(sys::syncfs(&self.root)?)
    }

    fn forget(&self, path: &str) -> io::Result<()> {
        let Some(file) = self.file(path)? else { return Ok(()) };
        // evicts nothing that was not synced before (reference: test parts)
        Ok(sys::fadvise(&file, 0, None, Advice::DontNeed)?)
    }

    fn open_past_cache(&self, path: &str) -> io::Result<Option<PastCache<'_>>> {
        // tmpfs and some file systems over FUSE refuse it, when the file is opened or when it is read
        let direct = match self.at(path, OFlags::RDONLY | OFlags::DIRECT) {
            Ok(fd) => DirectReader::new(regular(File::from(fd), path)?)?,
            Err(Errno::INVAL) => None,
            Err(error) => return missing(path, error),
        };
        if let Some(reader) = direct {
            return Ok(Some(PastCache { reader: Box::new(reader), how: Past::Direct }));
        }
        let reader = self.open(path)?;
        Ok(reader.map(|reader| PastCache { reader, how: Past::CacheDropped }))
    }

    fn capacity(&self) -> io::Result<Capacity> {
        let stat = sys::fstatvfs(&self.root)?;
        #[allow(clippy::useless_conversion, reason = "f_type is narrower on some architectures")]
        let kind = i64::from(sys::fstatfs(&self.root)?.f_type);
        let is_read_only = stat.f_flag.contains(StatVfsMountFlags::RDONLY);
        Ok(Capacity {
            free: Some(stat.f_bavail.saturating_mul(stat.f_frsize)),
            block: stat.f_frsize,
            largest_file: file_system::largest_file(kind),
            read_only: is_read_only.then(|| file_system::read_only(kind)),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media;

    fn directory() -> (tempfile::TempDir, Directory) {
        let temp = tempfile::tempdir().unwrap();
        let directory = Directory::open(temp.path()).unwrap();
        (temp, directory)
    }

    #[test]
    fn writes_reads_lists_and_removes() {
        let (_temp, dir) = directory();
        media::write(&dir, "a/b/c.txt", b"longer than the next").unwrap();
        media::write(&dir, "a/b/c.txt", b"short").unwrap();
        dir.forget("a/b/c.txt").unwrap();
        assert_eq!(media::read(&dir, "a/b/c.txt", 5).unwrap().unwrap(), b"short");
        assert_eq!(dir.list("a").unwrap(), [Entry { name: "b".into(), kind: Kind::Folder }]);
        assert_eq!(dir.list("a/b").unwrap(), [Entry { name: "c.txt".into(), kind: Kind::File(5) }]);
        dir.remove("a/b/c.txt").unwrap();
        dir.remove("a/b").unwrap();
        dir.sync_names().unwrap();
        assert!(media::read(&dir, "a/b/c.txt", 5).unwrap().is_none());
        assert!(dir.list("a/b").unwrap().is_empty());
    }

    #[test]
    fn what_is_read_past_the_cache_is_what_was_written() {
        let (_temp, dir) = directory();
        let block = 512 * 1024;
        for length in [0, 1, 4095, 4096, block - 1, block, block + 1, 3 * block + 77, 7 * block] {
            let bytes: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
            media::write(&dir, "x", &bytes).unwrap();
            let PastCache { mut reader, how } = dir.open_past_cache("x").unwrap().unwrap();
            let mut read = Vec::new();
            reader.read_to_end(&mut read).unwrap();
            assert!(read == bytes, "{length} bytes, {how:?}");
        }
        assert!(dir.open_past_cache("absent").unwrap().is_none());
    }

    #[test]
    fn a_file_over_the_cap_is_refused() {
        let (_temp, dir) = directory();
        media::write(&dir, "x", b"123456").unwrap();
        assert_eq!(media::read(&dir, "x", 5).unwrap_err().kind(), io::ErrorKind::FileTooLarge);
    }

    #[test]
    fn links_pipes_and_ways_out_are_not_followed() {
        let (temp, dir) = directory();
        std::os::unix::fs::symlink("/etc", temp.path().join("etc")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", temp.path().join("passwd")).unwrap();
        rustix::fs::mkfifoat(&dir.root, "pipe", Mode::RUSR).unwrap();
        for path in ["etc/passwd", "passwd", "../x", "/etc/passwd", "pipe"] {
            assert!(dir.open(path).is_err(), "{path}");
            assert!(dir.create(path).is_err(), "{path}");
        }
        assert_eq!(dir.list(".").unwrap().iter().filter(|e| e.kind == Kind::Other).count(), 3);
        for folder in ["etc", "etc/x", "pipe"] {
            let error = dir.list(folder).unwrap_err();
            assert!(error.to_string().starts_with(folder), "{error}");
        }
    }
}

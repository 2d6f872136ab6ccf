//! A place that holds a stick's tree: read, written, synced, read back. Reading stands apart, since a tar
//! file can be read and nothing else.

use std::fmt;
use std::io::{self, Read, Write};

use serde::Serialize;

/// A tree to read, addressed by relative paths with `/` as in [`crate::layout`].
///
/// Nothing in a tree is trusted: paths are made by this crate or checked by it, and an
/// implementation never follows a symbolic link or leaves the medium. Several files are read at the
/// same time.
pub trait Tree: Sync {
    /// Opens a file for reading; `None` where there is none.
    fn open(&self, path: &str) -> io::Result<Option<Box<dyn Read + Send + '_>>>;

    /// The files and folders in a folder, in no order; empty where there is none.
    fn list(&self, folder: &str) -> io::Result<Vec<Entry>>;
}

/// A tree that can be written, too.
pub trait Media: Tree {
    /// Writes a file under its final name, folders included, over an older one. The bytes are on the
    /// medium only after [`Sink::sync`].
    fn create(&self, path: &str) -> io::Result<Box<dyn Sink + '_>>;

    /// Removes a file or an empty folder; nothing happens where there is none.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// Makes names durable: what was created and removed so far.
    fn sync_names(&self) -> io::Result<()>;

    /// Sees to it that the next read of this file comes from the medium and not from memory, as far
    /// as the system allows.
    fn forget(&self, path: &str) -> io::Result<()>;

    /// Opens a file so that its bytes come from the medium, as surely as the system allows, and says how;
    /// `None` where there is none. It was forgotten before.
    fn open_past_cache(&self, path: &str) -> io::Result<Option<PastCache<'_>>> {
        let reader = self.open(path)?;
        Ok(reader.map(|reader| PastCache { reader, how: Past::CacheDropped }))
    }

    /// What it can take.
    fn capacity(&self) -> io::Result<Capacity>;
}

/// What a medium can take.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Capacity {
    /// Bytes that can still be written, where the medium says so.
    pub free: Option<u64>,
    /// What a file takes up is a multiple of this, bytes; 0 where the medium does not say.
    pub block: u64,
    /// The largest file, bytes, where the file system has a limit that firmware could reach.
    pub largest_file: Option<u64>,
    /// Why it takes no writes, if it takes none.
    pub read_only: Option<ReadOnly>,
}

/// Why a medium takes no writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOnly {
    /// It is mounted so: by a person, for a write-protected drive, or by the kernel after an error.
    Mounted,
    /// Nothing can be written to a file system of this kind.
    FileSystem(&'static str),
}

impl fmt::Display for ReadOnly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mounted => f.write_str("it is write-protected, or mounted read-only"),
            Self::FileSystem(name) => write!(f, "its file system is {name}, which is only ever read"),
        }
    }
}

/// A file that is read back.
pub struct PastCache<'a> {
    /// Its bytes.
    pub reader: Box<dyn Read + Send + 'a>,
    /// Where they come from.
    pub how: Past,
}

/// How memory is kept out of a read-back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Past {
    /// Read around memory, `O_DIRECT`.
    Direct,
    /// Memory was told to forget the file after it was synced; the file system reads no other way.
    CacheDropped,
}

/// A file being written.
pub trait Sink: Write {
    /// Brings every byte to the medium (fsync); errors of earlier writes come out here.
    fn sync(self: Box<Self>) -> io::Result<()>;
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name; other people's files may be called anything.
    pub name: String,
    /// What it is.
    pub kind: Kind,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A regular file of this many bytes.
    File(u64),
    /// A folder.
    Folder,
    /// A link, a device, a pipe: never read.
    Other,
}

/// A statement fits, so that it is there with the first call to the system, bytes.
const USUAL: usize = 4096;

/// Reads a whole file of at most `cap` bytes; `None` where there is none.
pub fn read(tree: &dyn Tree, path: &str, cap: u64) -> io::Result<Option<Vec<u8>>> {
    let Some(reader) = tree.open(path)? else { return Ok(None) };
    let mut bytes = Vec::with_capacity(USUAL);
    reader.take(cap + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > cap {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("{path} is larger than {cap} bytes"),
        ));
    }
    Ok(Some(bytes))
}

/// Writes a whole file and syncs it.
pub fn write(media: &dyn Media, path: &str, bytes: &[u8]) -> io::Result<()> {
    let mut sink = media.create(path)?;
    sink.write_all(bytes)?;
    sink.sync()
}

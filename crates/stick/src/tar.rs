//! A tar file as a medium, to be read only: the tree of a stick without its folder `COURIER/`.
//!
//! Strict, because tar readers differ in what they make of an odd archive, and what one of them shows a
//! person must be what this one verifies:
//!
//! * ustar headers with a right checksum; no PAX, no extensions of GNU tar, no second way to say a size;
//! * regular files only. Entries of folders, which every tar program writes, are looked at and then
//!   ignored: folders follow from the names of files;
//! * names of `A-Z a-z 0-9 . _ -` in a relative path, each once, also where case is not told apart;
//! * padding is zero, the end marker is there, and nothing follows it but the zeros that fill a record.
//!
//! Members are indexed once and read by offset from the descriptor that was indexed, so that a file of any
//! size needs no more memory than its names. Nothing is ever unpacked. What the members hold is believed
//! no more than on a stick: only what signed metadata names is read.

mod export;
mod header;
mod index;
mod rejection;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rustix::fs::{self as sys, CWD, Mode, OFlags};

use crate::layout;
use crate::media::{Entry, Kind, Tree};
pub use export::{ExportError, export, read_back};
use index::{Index, Member};
pub use rejection::{TarError, TarRejection};

/// Headers, and the unit that everything fills.
const BLOCK: usize = 512;
/// A tar program fills the last record, of 20 blocks, with zeros after the two that mark the end.
const LONGEST_END: u64 = 21 * BLOCK as u64;

/// A tar file whose members are known and whose structure is sound.
#[derive(Debug)]
pub struct Tar {
    file: File,
    path: PathBuf,
    index: Index,
}

impl Tar {
    /// Opens a file and indexes it.
    pub fn open(path: &Path) -> Result<Self, TarError> {
        // NONBLOCK: opening a pipe must not wait for its other end
        let fd = sys::openat(CWD, path, OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK, Mode::empty());
        let file = File::from(fd.map_err(io::Error::from)?);
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(TarError::Rejected { at: 0, reason: TarRejection::NotAFile });
        }
        let index = index(&file, metadata.len())?;
        Ok(Self { file, path: path.into(), index })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The path in the archive of a path on a stick.
fn inside(path: &str) -> Option<&str> {
    let rest = path.strip_prefix(layout::FOLDER)?;
    if rest.is_empty() { Some(rest) } else { rest.strip_prefix('/') }
}

/// How many bytes fill the last block of so many.
fn padding(size: u64) -> usize {
    let over = usize::try_from(size % BLOCK as u64).unwrap_or_default();
    (BLOCK - over) % BLOCK
}

/// Walks over all members and the end.
fn index(file: &File, length: u64) -> Result<Index, TarError> {
    let mut index = Index::default();
    let mut at = 0;
    loop {
        let rejected = |reason| TarError::Rejected { at, reason };
        let mut block = [0; BLOCK];
        if length == at {
            return Err(rejected(if at == 0 { TarRejection::Empty } else { TarRejection::NoEnd }));
        }
        if length - at < BLOCK as u64 {
            return Err(rejected(TarRejection::Truncated));
        }
        file.read_exact_at(&mut block, at)?;
        if block == [0; BLOCK] {
            check_end(file, at, length)?;
            return Ok(index.indexed());
        }
        let header = header::read(&block).map_err(rejected)?;
        let data = at + BLOCK as u64;
        let (size, mut zeros) = (header.size(), [0; BLOCK]);
        let padding = &mut zeros[..padding(size)];
        let end = data + size + padding.len() as u64;
        if end > length {
            return Err(rejected(TarRejection::Truncated));
        }
        file.read_exact_at(padding, data + size)?;
        if padding.iter().any(|byte| *byte != 0) {
            return Err(rejected(TarRejection::Padding));
        }
        index.insert(header, data).map_err(rejected)?;
        at = end;
    }
}

/// From the first block of zeros on: two of them at least, and nothing else.
fn check_end(file: &File, at: u64, length: u64) -> Result<(), TarError> {
    let rejected = |reason| TarError::Rejected { at, reason };
    let left = length - at;
    if left > LONGEST_END {
        return Err(rejected(TarRejection::Trailing));
    }
    let mut end = Vec::new();
    Section { file, at, left }.read_to_end(&mut end)?;
    if end.iter().any(|byte| *byte != 0) {
        return Err(rejected(TarRejection::Trailing));
    }
    match left {
        left if left < 2 * BLOCK as u64 => Err(rejected(TarRejection::NoEnd)),
        left if left % BLOCK as u64 != 0 => Err(rejected(TarRejection::Trailing)),
        _ => Ok(()),
    }
}

impl Tree for Tar {
    fn open(&self, path: &str) -> io::Result<Option<Box<dyn Read + Send + '_>>> {
        let member = inside(path).and_then(|path| self.index.get(path));
        Ok(member.map(|Member { at, length }| {
            Box::new(Section { file: &self.file, at, left: length }) as Box<dyn Read + Send>
        }))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        let Some(folder) = inside(folder) else { return Ok(Vec::new()) };
        let within = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let mut entries: Vec<Entry> = Vec::new();
        for (name, member) in self.index.below(&within) {
            let entry = match name.split_once('/') {
                None => Entry { name: name.to_owned(), kind: Kind::File(member.length) },
                Some((folder, _)) => Entry { name: folder.to_owned(), kind: Kind::Folder },
            };
            // in the order of names, so that what is in one folder stands together
            if entries.last() != Some(&entry) {
                entries.push(entry);
            }
        }
        Ok(entries)
    }
}

/// A part of a file, read by offset: any number of them at a time.
struct Section<'a> {
    file: &'a File,
    at: u64,
    left: u64,
}

impl Read for Section<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 {
            return Ok(0);
        }
        let count = self.file.read_at(&mut buffer[..most], self.at)?;
        if count == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "tar file was cut while it was read"));
        }
        self.at += count as u64;
        self.left -= count as u64;
        Ok(count)
    }
}

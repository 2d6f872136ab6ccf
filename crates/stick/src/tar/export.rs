//! A publication as one file: the tree of a stick without `COURIER/` and without statements.
//!
//! The same contents give the same bytes: members in the order in which a stick is written, no times, no
//! owners, one mode.

use std::io::{self, Read, Write};
use std::path::Path;

use firmware::{HashingReader, Sha256Digest};
use tar::{EntryType, Header};
use tuf_client::{Clock, MemoryStore, Root, Verified};

use super::{BLOCK, Tar, TarError, inside, padding};
use crate::layout;
use crate::media::Tree;
use crate::open::{OpenError, UnverifiedPublication};
use crate::plan::{Contents, Sealed, small_files, timestamp_file};
use crate::write::{Event, Source};

/// Why a file was not written, or is not what was to be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// Writing failed.
    #[error("tar file: cannot be written")]
    Write(#[source] io::Error),
    /// The depot's own file cannot be read.
    #[error("depot: {name} cannot be read")]
    Depot {
        /// Consistent name.
        name: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The depot's own file is not what the publication lists.
    #[error("depot: {name} is {found}, expected {expected}")]
    Source {
        /// Consistent name.
        name: String,
        /// Listed.
        expected: Sha256Digest,
        /// Read.
        found: Sha256Digest,
    },
    /// No FAT32 stick could hold it, and no applier takes it.
    #[error("{name} of {length} bytes is larger than a FAT32 file can be")]
    TooLarge {
        /// Consistent name.
        name: String,
        /// Bytes.
        length: u64,
    },
    /// A name that ustar cannot hold.
    #[error("{0} cannot be a name in a tar file")]
    Name(String, #[source] io::Error),
    /// Other bytes came back than were written.
    #[error("{name} reads back as {found}, expected {expected}: the disk is failing")]
    ReadBack {
        /// Which target.
        name: String,
        /// Written.
        expected: Sha256Digest,
        /// Read.
        found: Sha256Digest,
    },
    /// What was written is no archive of ours.
    #[error(transparent)]
    Tar(#[from] TarError),
    /// The whole does not verify as the applier would verify it.
    #[error("tar file: what was written does not verify")]
    Verify(#[source] OpenError),
}

/// Bytes copied at a time: the size at which hashing is fastest (reference: crates §1).
const CHUNK: usize = 64 * 1024;

/// Reads to the end.
fn drain(
    reader: &mut dyn Read,
    failed: impl Fn(io::Error) -> ExportError,
    mut each: impl FnMut(&[u8]) -> Result<(), ExportError>,
) -> Result<(), ExportError> {
    let mut chunk = vec![0; CHUNK];
    loop {
        match reader.read(&mut chunk).map_err(&failed)? {
            0 => return Ok(()),
            count => each(&chunk[..count])?,
        }
    }
}

/// Writes all of it to `to`, from its first member to its end marker.
pub fn export(
    contents: &Contents,
    source: &Source<'_>,
    to: &mut dyn Write,
    events: &mut dyn FnMut(Event),
) -> Result<(), ExportError> {
    let carried: Vec<(&String, Sealed)> =
        contents.carried.iter().filter_map(|name| Some((name, *contents.listed.get(name)?))).collect();
    let small = small_files(contents).into_iter().chain([timestamp_file(contents)]);
    let small: Vec<_> = small.collect();
    let check_bytes = carried.iter().map(|(_, sealed)| sealed.length).sum();
    let write_bytes = check_bytes + small.iter().map(|(_, bytes)| bytes.len() as u64).sum::<u64>();
    events(Event::Planned { write_bytes, check_bytes, unchanged: false });
    let mut written = 0;
    for (name, sealed) in carried {
        let mut member = Member::begin(&layout::target(name), sealed.length, to)?;
        member.firmware(name, sealed, source, &mut |count| {
            written += count;
            events(Event::Writing { bytes: written });
        })?;
    }
    for (path, bytes) in small {
        let mut member = Member::begin(&path, bytes.len() as u64, to)?;
        member.write(&bytes)?;
        member.pad(bytes.len() as u64)?;
    }
    to.write_all(&[0; 2 * BLOCK]).map_err(ExportError::Write)
}

/// A member whose header is written.
struct Member<'a> {
    to: &'a mut dyn Write,
}

impl<'a> Member<'a> {
    fn begin(path: &str, length: u64, to: &'a mut dyn Write) -> Result<Self, ExportError> {
        if length > layout::LARGEST_FILE {
            return Err(ExportError::TooLarge { name: path.to_owned(), length });
        }
        let mut header = Header::new_ustar();
        let name = inside(path).unwrap_or(path);
        header.set_path(name).map_err(|e| ExportError::Name(path.to_owned(), e))?;
        header.set_entry_type(EntryType::Regular);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(length);
        header.set_cksum();
        to.write_all(header.as_bytes()).map_err(ExportError::Write)?;
        Ok(Self { to })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        self.to.write_all(bytes).map_err(ExportError::Write)
    }

    fn pad(&mut self, length: u64) -> Result<(), ExportError> {
        self.write(&[0; BLOCK][..padding(length)])
    }

    fn firmware(
        &mut self,
        name: &str,
        sealed: Sealed,
        source: &Source<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Result<(), ExportError> {
        let depot = |source| ExportError::Depot { name: name.to_owned(), source };
        // one byte more than listed is enough to see that the file is another
        let reader = source(name).map_err(depot)?.take(sealed.length + 1);
        let mut reader = HashingReader::new(reader);
        drain(&mut reader, depot, |chunk| {
            progress(chunk.len() as u64);
            self.write(chunk)
        })?;
        let (found, length) = reader.finish();
        if found != sealed.sha256 {
            return Err(ExportError::Source { name: name.to_owned(), expected: sealed.sha256, found });
        }
        self.pad(length)
    }
}

/// Reads a file that was written as the applier does: its structure, every signature from `root` on, and
/// every byte of the firmware that it is to carry.
pub fn read_back(
    path: &Path,
    contents: &Contents,
    root: &Verified<Root>,
    clock: Clock,
    events: &mut dyn FnMut(Event),
) -> Result<(), ExportError> {
    let tar = Tar::open(path)?;
    let publication = UnverifiedPublication::on(&tar);
    publication.verify(&mut MemoryStore::trusting(root), clock).map_err(ExportError::Verify)?;
    let mut checked = 0;
    for name in &contents.carried {
        let Some(sealed) = contents.listed.get(name) else { continue };
        let failed = |error| ExportError::Tar(TarError::Io(error));
        let gone = || failed(io::Error::new(io::ErrorKind::NotFound, format!("{name} is not in it")));
        let reader = tar.open(&layout::target(name)).map_err(failed)?.ok_or_else(gone)?;
        let mut reader = HashingReader::new(reader);
        drain(&mut reader, failed, |chunk| {
            checked += chunk.len() as u64;
            events(Event::Checking { bytes: checked });
            Ok(())
        })?;
        let (found, _) = reader.finish();
        if found != sealed.sha256 {
            return Err(ExportError::ReadBack { name: name.clone(), expected: sealed.sha256, found });
        }
    }
    events(Event::Current);
    Ok(())
}

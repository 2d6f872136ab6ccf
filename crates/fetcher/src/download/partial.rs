use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};

use firmware::Sha256Digest;
use keys::durable;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::answer::Rest;
use super::{DownloadError, LARGEST};

/// After so many bytes the disk is asked to keep what has arrived, while more arrives.
const CHECKPOINT: u64 = 16 << 20;
/// So many bytes at most are lost to a power cut, those on their way to the disk and those behind them: a disk that is
/// slower than the network is waited for.
const MOST_LOST: u64 = 4 * CHECKPOINT;
/// A longer record was not written here, bytes.
const LONGEST_RECORD: u64 = 16 * 1024;

/// A file on its way: `<name>.part`, hashed as it grows, and beside it `<name>.part.json`, which says
/// of which version of which file how many bytes are safely on the disk.
#[derive(Debug)]
pub(super) struct Partial {
    path: PathBuf,
    file: File,
    url: String,
    validator: Option<String>,
    total: u64,
    arrived: u64,
    hasher: Sha256,
    recorded: u64,
    received: u64,
    /// What makes a checkpoint durable, and then writes its record.
    syncing: Option<JoinHandle<io::Result<()>>>,
}

/// The file beside the part.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    url: String,
    validator: String,
    total: u64,
    /// Bytes on the disk.
    length: u64,
    /// Their digest.
    sha256: Sha256Digest,
}

/// Deletes what a download left.
pub fn discard(part: &Path) -> io::Result<()> {
    durable::remove(&record_path(part))?;
    durable::remove(part)
}

fn record_path(part: &Path) -> PathBuf {
    let mut name = part.as_os_str().to_owned();
    name.push(".json");
    name.into()
}

impl Partial {
    /// Opens the part, and takes over what an earlier try for the same address left if it is still as
    /// it was.
    pub(super) fn open(path: &Path, url: &str) -> Result<Self, DownloadError> {
        let disk = |source| DownloadError::Disk { path: path.to_owned(), source };
        let file = File::options().read(true).write(true).create(true).truncate(false).open(path);
        let mut partial = Self {
            path: path.to_owned(),
            file: file.map_err(disk)?,
            url: url.to_owned(),
            validator: None,
            total: 0,
            arrived: 0,
            hasher: Sha256::new(),
            recorded: 0,
            received: 0,
            syncing: None,
        };
        let record = read_record(path).map_err(disk)?.filter(|record| record.url == url);
        match record {
            Some(record) if partial.take_over(&record).map_err(disk)? => Ok(partial),
            _ => partial.forget().map(|()| partial),
        }
    }

    /// Hashes what is kept again, and keeps it if it is what the record says. Of a complete file the
    /// last byte is left to be asked for again: that is how the server says whether it is still the
    /// current one.
    fn take_over(&mut self, record: &Record) -> io::Result<bool> {
        let keep = record.length.min(record.total.saturating_sub(1));
        self.file.rewind()?;
        let mut hasher = Sha256::new();
        hash(&mut (&self.file).take(keep), &mut hasher)?;
        let mut whole = hasher.clone();
        hash(&mut (&self.file).take(record.length - keep), &mut whole)?;
        if Sha256Digest::from(whole) != record.sha256 {
            return Ok(false);
        }
        self.file.set_len(keep)?;
        self.file.seek(SeekFrom::Start(keep))?;
        (self.arrived, self.recorded, self.hasher) = (keep, keep, hasher);
        (self.validator, self.total) = (Some(record.validator.clone()), record.total);
        Ok(true)
    }

    /// What to ask for, where a part is here and the server can tell versions apart.
    pub(super) fn rest(&self) -> Option<Rest> {
        let validator = self.validator.clone().filter(|_| (1..self.total).contains(&self.arrived))?;
        Some(Rest { from: self.arrived, total: self.total, validator })
    }

    /// Bytes that are here.
    pub(super) fn arrived(&self) -> u64 {
        self.arrived
    }

    /// Bytes of the whole file.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// Bytes that came over the network since this was opened.
    pub(super) fn received(&self) -> u64 {
        self.received
    }

    /// Drops what is here.
    pub(super) fn forget(&mut self) -> Result<(), DownloadError> {
        self.restart(0, None)
    }

    /// Drops what is here; another version of the file begins.
    pub(super) fn restart(&mut self, total: u64, validator: Option<String>) -> Result<(), DownloadError> {
        self.settle()?;
        (self.total, self.validator) = (total, validator);
        (self.arrived, self.recorded, self.hasher) = (0, 0, Sha256::new());
        // the record goes first: a record without its bytes is harmless, the wrong bytes are not
        durable::remove(&record_path(&self.path))
            .and_then(|()| self.file.set_len(0))
            .and_then(|()| self.file.rewind())
            .map_err(|source| self.disk(source))
    }

    /// Adds the next bytes, unless they are more than the file has.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), DownloadError> {
        if bytes.len() as u64 > self.total - self.arrived {
            return Err(DownloadError::TooLong { url: self.url.clone(), total: self.total });
        }
        self.file.write_all(bytes).map_err(|source| self.disk(source))?;
        self.hasher.update(bytes);
        self.arrived += bytes.len() as u64;
        self.received += bytes.len() as u64;
        let is_idle = self.syncing.as_ref().is_none_or(JoinHandle::is_finished);
        if is_due(self.arrived - self.recorded, is_idle) { self.checkpoint() } else { Ok(()) }
    }

    /// Leaves what is here to a later run, or nothing where that could not go on with it.
    pub(super) fn leave(&mut self) -> Result<(), DownloadError> {
        if self.rest().is_some() {
            return self.checkpoint().and_then(|()| self.settle());
        }
        self.settle()?;
        discard(&self.path).map_err(|source| self.disk(source))
    }

    /// Makes what is here outlive a power cut, where a later run could go on with it, while more arrives.
    fn checkpoint(&mut self) -> Result<(), DownloadError> {
        let Some(validator) = self.validator.clone().filter(|_| self.arrived > self.recorded) else {
            return Ok(());
        };
        self.settle()?;
        let record = Record {
            url: self.url.clone(),
            validator,
            total: self.total,
            length: self.arrived,
            sha256: self.hasher.clone().into(),
        };
        let (file, path) = (self.file.try_clone().map_err(|e| self.disk(e))?, record_path(&self.path));
        self.syncing = Some(thread::spawn(move || {
            file.sync_data()?;
            durable::write_atomic(&path, &serde_json::to_vec(&record)?, 0o644)
        }));
        self.recorded = self.arrived;
        Ok(())
    }

    /// Waits for the checkpoint that is on its way to the disk, if one is.
    fn settle(&mut self) -> Result<(), DownloadError> {
        let Some(syncing) = self.syncing.take() else { return Ok(()) };
        let synced = syncing.join().unwrap_or_else(|panic| resume_unwind(panic));
        synced.map_err(|source| self.disk(source))
    }

    /// Ends the download: size and digest.
    pub(super) fn finish(mut self) -> Result<(u64, Sha256Digest), DownloadError> {
        self.checkpoint()?;
        self.settle()?;
        Ok((self.arrived, self.hasher.into()))
    }

    fn disk(&self, source: io::Error) -> DownloadError {
        DownloadError::Disk { path: self.path.clone(), source }
    }
}

/// Whether a checkpoint is due where so many bytes have arrived since the last one began: at once if the disk is idle; if
/// it is not, once as much may be behind as is on its way there.
fn is_due(behind: u64, is_idle: bool) -> bool {
    behind >= if is_idle { CHECKPOINT } else { MOST_LOST / 2 }
}

/// The record beside a part, where there is one that makes sense.
fn read_record(part: &Path) -> io::Result<Option<Record>> {
    let record = match durable::read(&record_path(part), LONGEST_RECORD) {
        Ok(bytes) => serde_json::from_slice(&bytes).ok(),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::FileTooLarge) => None,
        Err(error) => return Err(error),
    };
    let size = fs::metadata(part)?.len();
    Ok(record.filter(|record: &Record| {
        record.length <= size && record.length <= record.total && record.total <= LARGEST
    }))
}

fn hash(reader: &mut impl Read, hasher: &mut Sha256) -> io::Result<()> {
    let mut block = vec![0; 64 * 1024];
    loop {
        match reader.read(&mut block)? {
            0 => return Ok(()),
            count => hasher.update(&block[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://host/x.zip";

    /// A part of `bytes`, left behind by a try that was interrupted.
    fn left(bytes: &[u8], total: u64, validator: Option<&str>) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.part");
        let mut partial = Partial::open(&path, URL).unwrap();
        partial.restart(total, validator.map(str::to_owned)).unwrap();
        partial.write(bytes).unwrap();
        partial.checkpoint().unwrap();
        partial.settle().unwrap();
        (dir, path)
    }

    fn from(path: &Path, url: &str) -> Option<u64> {
        Partial::open(path, url).unwrap().rest().map(|rest| rest.from)
    }

    #[test]
    fn goes_on_with_the_same_digest_as_in_one_go() {
        let (_dir, path) = left(b"first ", 12, Some("\"v\""));
        let mut partial = Partial::open(&path, URL).unwrap();
        assert_eq!(partial.rest(), Some(Rest { from: 6, total: 12, validator: "\"v\"".into() }));
        partial.write(b"second").unwrap();
        assert_eq!(partial.finish().unwrap(), (12, Sha256Digest::of(b"first second")));
        assert_eq!(fs::read(&path).unwrap(), b"first second");
        // complete: one byte is asked for again
        let mut partial = Partial::open(&path, URL).unwrap();
        assert_eq!(partial.rest().map(|rest| rest.from), Some(11));
        partial.write(b"d").unwrap();
        assert_eq!(partial.finish().unwrap(), (12, Sha256Digest::of(b"first second")));
    }

    #[test]
    fn bytes_that_were_not_safe_yet_are_dropped() {
        let (_dir, path) = left(b"first ", 12, Some("\"v\""));
        File::options().append(true).open(&path).unwrap().write_all(b"\0\0\0").unwrap();
        assert_eq!(from(&path, URL), Some(6));
        assert_eq!(fs::metadata(&path).unwrap().len(), 6);
    }

    #[test]
    fn starts_again_where_the_part_cannot_be_trusted() {
        let (_dir, path) = left(b"first ", 12, None);
        assert_eq!(from(&path, URL), None, "no validator");
        let (_dir, path) = left(b"first ", 12, Some("\"v\""));
        assert_eq!(from(&path, "http://host/y.zip"), None, "another file");
        let (_dir, path) = left(b"first ", 12, Some("\"v\""));
        File::options().write(true).open(&path).unwrap().write_all(b"F").unwrap();
        assert_eq!(from(&path, URL), None, "changed on the disk");
        let (_dir, path) = left(b"first ", 12, Some("\"v\""));
        File::options().write(true).open(&path).unwrap().set_len(5).unwrap();
        assert_eq!(from(&path, URL), None, "shorter than the record says");
        let (_dir, path) = left(b"first ", 12, Some("\"v\""));
        durable::write_atomic(&record_path(&path), b"{", 0o644).unwrap();
        assert_eq!(from(&path, URL), None, "a damaged record");
        assert_eq!(fs::metadata(&path).unwrap().len(), 0);
    }

    #[test]
    fn more_than_was_announced_never_reaches_the_disk() {
        let (_dir, path) = left(b"first ", 12, Some("\"v\""));
        let mut partial = Partial::open(&path, URL).unwrap();
        assert!(matches!(partial.write(b"second!"), Err(DownloadError::TooLong { total: 12, .. })));
        assert_eq!(fs::metadata(&path).unwrap().len(), 6);
        let (_dir, path) = left(b"first ", LARGEST + 1, Some("\"v\""));
        assert_eq!(from(&path, URL), None, "a record of a file that is too large");
    }

    #[test]
    fn a_long_download_is_recorded_on_its_way() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.part");
        let mut partial = Partial::open(&path, URL).unwrap();
        partial.restart(2 * CHECKPOINT, Some("\"v\"".into())).unwrap();
        partial.write(&vec![1; usize::try_from(CHECKPOINT).unwrap()]).unwrap();
        partial.write(b"lost with the power").unwrap();
        partial.settle().unwrap();
        drop(partial);
        assert_eq!(from(&path, URL), Some(CHECKPOINT));
    }

    #[test]
    fn what_a_power_cut_costs_is_bounded() {
        assert!(is_due(CHECKPOINT, true) && !is_due(CHECKPOINT - 1, true));
        assert!(!is_due(CHECKPOINT, false), "the network does not wait for the disk");
        // on its way, and behind it
        assert!(is_due(MOST_LOST / 2, false));
    }

    #[test]
    fn nothing_stays_after_discard() {
        let (dir, path) = left(b"first ", 12, Some("\"v\""));
        discard(&path).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        discard(&path).unwrap();
    }
}

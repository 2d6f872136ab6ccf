//! The journal of a run: what was about to happen, written and synced before it did.
//!
//! One file per run, `<run id>.jsonl`, append-only. Each line is
//! `{"sum":"<hex>","record":{…}}`; the sum is the SHA-256 of the sum before it and the exact bytes of
//! the record, so that a line that was changed, lost or moved is found. A line without its line feed
//! was torn by a power cut: what it announced had not begun, and it is cut off again. Any other line
//! that does not fit is damage, and nothing is concluded from the rest.

mod replay;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use firmware::{Device, Sha256Digest};
use jiff::Timestamp;
use keys::durable;
use serde::{Deserialize, Serialize};

use crate::event::{Event, RunId};
pub use replay::{Blocked, Replay};

/// Bytes of a journal. A run writes about twenty lines; the first carries the plan.
const LARGEST: u64 = 1 << 20;

/// The journals of this laptop.
#[derive(Debug, Clone)]
pub struct Journals {
    dir: PathBuf,
}

/// A journal that is being written.
#[derive(Debug)]
pub struct Journal {
    file: File,
    path: PathBuf,
    sum: Sha256Digest,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// When, by the laptop's clock.
    pub at: Timestamp,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// A journal cannot be written or believed.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file system refused.
    #[error("journal {}: access failed", path.display())]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line does not fit.
    #[error("journal {}, line {line}: rejected, {why}", path.display())]
    Damaged {
        /// Which.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A record cannot be written as JSON.
    #[error("journal record cannot be encoded")]
    Encode(#[from] serde_json::Error),
}

impl Journals {
    /// The journals in this directory, which is made if it is not there.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: dir.into(), source };
        std::fs::create_dir_all(dir).map_err(io)?;
        Ok(Self { dir: dir.into() })
    }

    /// Begins a journal; one of the same name is an error.
    pub fn create(&self, run: &RunId) -> Result<Journal, JournalError> {
        let path = self.dir.join(format!("{run}.jsonl"));
        let io = |source| JournalError::Io { path: path.clone(), source };
        durable::create_new(&path, b"", 0o600).map_err(io)?;
        let file = File::options().append(true).open(&path).map_err(io)?;
        Ok(Journal { file, path, sum: Sha256Digest::of(b"") })
    }

    /// Reads every journal, oldest first. One that was cut before its first line is left out: nothing
    /// had begun.
    pub fn all(&self) -> Result<Vec<Replay>, JournalError> {
        let io = |source| JournalError::Io { path: self.dir.clone(), source };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|e| e == "jsonl") {
                paths.push(path);
            }
        }
        paths.sort();
        let replays = paths.iter().map(|path| Replay::of(path, &read(path)?));
        replays.filter_map(Result::transpose).collect()
    }

    /// Whether an earlier run forbids to push to this recorder now: one that may have reached it and of
    /// which nobody knows how it ended. It is over if the recorder runs exactly what was pushed.
    pub fn blocked(&self, device: &Device) -> Result<Option<Blocked>, JournalError> {
        Ok(self.all()?.iter().rev().find_map(|replay| replay.blocks(device)))
    }
}

impl Journal {
    /// Writes one line and waits until it is on the disk.
    pub fn append(&mut self, at: Timestamp, event: &Event) -> Result<(), JournalError> {
        let record = serde_json::to_string(&Record { at, event: event.clone() })?;
        let sum = chained(self.sum, &record);
        let io = |source| JournalError::Io { path: self.path.clone(), source };
        self.file.write_all(format!("{{\"sum\":\"{sum}\",\"record\":{record}}}\n").as_bytes()).map_err(io)?;
        self.file.sync_data().map_err(io)?;
        self.sum = sum;
        Ok(())
    }
}

fn chained(previous: Sha256Digest, record: &str) -> Sha256Digest {
    Sha256Digest::of(format!("{previous}{record}").as_bytes())
}

/// Every whole line, checked.
fn read(path: &Path) -> Result<Vec<Record>, JournalError> {
    let bytes =
        durable::read(path, LARGEST).map_err(|source| JournalError::Io { path: path.into(), source })?;
    let mut sum = Sha256Digest::of(b"");
    let mut records = Vec::new();
    for (n, line) in bytes.split_inclusive(|b| *b == b'\n').enumerate() {
        let Some(line) = line.strip_suffix(b"\n") else { break };
        let damaged = |why: &str| JournalError::Damaged { path: path.into(), line: n + 1, why: why.into() };
        let (claimed, record) = parts(line).ok_or_else(|| damaged("not a line of a journal"))?;
        sum = chained(sum, record);
        if claimed != sum.to_string() {
            return Err(damaged("its checksum is wrong: changed, lost or moved lines"));
        }
        records.push(serde_json::from_str(record).map_err(|e| damaged(&e.to_string()))?);
    }
    Ok(records)
}

fn parts(line: &[u8]) -> Option<(&str, &str)> {
    let line = std::str::from_utf8(line).ok()?;
    line.strip_prefix("{\"sum\":\"")?.strip_suffix('}')?.split_once("\",\"record\":")
}

#[cfg(test)]
mod tests;

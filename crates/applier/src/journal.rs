//! The journal of a run: what was about to happen, written and synced before it did.
//!
//! One file per run, `<run id>.jsonl`, append-only. Each line is
//! `{"sum":"<hex>","record":{…}}`; the sum is the SHA-256 of the sum before it and the exact bytes of
//! the record, so that a line that was changed, lost or moved is found. A line without its line feed
//! was torn by a power cut: what it announced had not begun, and it is cut off when the journals are
//! next opened. A line that could not be written is taken back at once.
//!
//! Any other line that does not fit is damage. From a damaged journal only the lines before the damage
//! are believed, and of those only whose recorder it was: it forbids to push to that one. If even that
//! cannot be read, it may be any recorder's.

mod blocked;
mod lines;
mod replay;
mod unfinished;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use firmware::{Device, Serial, Sha256Digest};
use jiff::Timestamp;
use keys::durable;
use serde::{Deserialize, Serialize};

use crate::event::{Event, RunId};
pub use blocked::Blocked;
use lines::{Lines, chained, read};
pub use replay::Replay;
pub use unfinished::Unfinished;

/// The form that is written here. In it the last block of a package leaves only after the line that says
/// so; a journal of any other form is not believed.
pub const FORMAT: u32 = 1;

/// Bytes of a journal, written and read. A run writes about twenty lines, and ten more each time it is resumed;
/// the first carries the plan.
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
    /// Bytes of its whole lines.
    length: u64,
    /// Whether part of a line may lie behind them.
    torn: bool,
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
    /// It was written by another version of this program.
    #[error("journal {}: has format {found}, this program knows {FORMAT}", path.display())]
    Format {
        /// Which.
        path: PathBuf,
        /// Its format; 0 where it names none.
        found: u32,
    },
    /// Another line would make it larger than what is read again.
    #[error("journal {}: full, it would be larger than {LARGEST} bytes", .0.display())]
    Full(PathBuf),
    /// A record cannot be written as JSON.
    #[error("journal record cannot be encoded")]
    Encode(#[from] serde_json::Error),
}

impl Journals {
    /// The journals in this directory, which is made if it is not there.
    pub fn open(dir: &Path) -> Result<Self, JournalError> {
        let io = |source| JournalError::Io { path: dir.into(), source };
        std::fs::create_dir_all(dir).map_err(io)?;
        // the directory's own name must outlive a power cut as well
        durable::sync_dir(dir.parent().unwrap_or(dir)).map_err(io)?;
        let journals = Self { dir: dir.into() };
        for path in journals.paths()? {
            // one that cannot be cut is read without its torn line all the same
            let _ = cut_torn_line(&path);
        }
        Ok(journals)
    }

    /// A name for a run that begins now: later than every other here, also if the clock was set back.
    pub fn name(&self, now: Timestamp, random: [u8; 4]) -> Result<RunId, JournalError> {
        let paths = self.paths()?;
        let names = paths.iter().filter_map(|path| path.file_stem()?.to_str()?.parse().ok());
        Ok(RunId::new(now, random).later_than(names.max().as_ref()))
    }

    /// Begins a journal; one of the same name is an error.
    pub fn create(&self, run: &RunId) -> Result<Journal, JournalError> {
        let path = self.dir.join(format!("{run}.jsonl"));
        let io = |source| JournalError::Io { path: path.clone(), source };
        durable::create_new(&path, b"", 0o600).map_err(io)?;
        let file = File::options().append(true).open(&path).map_err(io)?;
        Ok(Journal { file, path, sum: Sha256Digest::of(b""), length: 0, torn: false })
    }

    /// Opens a journal again, to be continued behind its last whole line.
    pub fn reopen(&self, run: &RunId) -> Result<Journal, JournalError> {
        let path = self.dir.join(format!("{run}.jsonl"));
        let io = |source| JournalError::Io { path: path.clone(), source };
        cut_torn_line(&path).map_err(io)?;
        let Lines { records: _, sum, length, damage } = read(&path);
        if let Some(damage) = damage {
            return Err(damage);
        }
        let file = File::options().append(true).open(&path).map_err(io)?;
        Ok(Journal { file, path, sum, length, torn: false })
    }

    /// Whether an earlier run forbids to push to this recorder now: the newest that sent anything to
    /// it, if nobody knows how it ended. That one could begin only because those before it were over,
    /// or because a person decided to push again. It is over if the recorder runs exactly what was
    /// pushed.
    ///
    /// # Errors
    ///
    /// A damaged journal that may tell of such a run.
    pub fn blocked(&self, device: &Device) -> Result<Option<Blocked>, JournalError> {
        Ok(self.newest(&device.serial)?.and_then(|replay| replay.blocks(device)))
    }

    /// The newest run that sent, or may have sent, anything to this recorder.
    pub fn newest(&self, serial: &Serial) -> Result<Option<Replay>, JournalError> {
        let mut newest = None;
        for path in self.paths()?.iter().rev() {
            let Lines { records, damage, .. } = read(path);
            let whose = records.first().and_then(Record::serial);
            match damage.map_or_else(|| Replay::of(path, &records), Err) {
                _ if whose.is_some_and(|other| other != serial) => {}
                Ok(Some(replay)) if newest.is_none() && replay.has_sent() => newest = Some(replay),
                Err(_) if newest.is_some() && whose.is_some() => {}
                Err(damage) => return Err(damage),
                // cut before its first line, before anything was sent, or older
                Ok(_) => {}
            }
        }
        Ok(newest)
    }

    /// Oldest first.
    fn paths(&self) -> Result<Vec<PathBuf>, JournalError> {
        let io = |source| JournalError::Io { path: self.dir.clone(), source };
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(&self.dir).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.extension().is_some_and(|e| e == "jsonl") {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }
}

impl Record {
    /// Whose recorder the run is about, if this is the line that says it.
    fn serial(&self) -> Option<&Serial> {
        match &self.event {
            Event::Planned { plan, .. } => Some(&plan.device.serial),
            _ => None,
        }
    }
}

impl Journal {
    /// Writes one line and waits until it is on the disk. Where that fails nothing of it stays.
    pub fn append(&mut self, at: Timestamp, event: &Event) -> Result<(), JournalError> {
        let record = serde_json::to_string(&Record { at, event: event.clone() })?;
        let sum = chained(self.sum, &record);
        let line = format!("{{\"sum\":\"{sum}\",\"record\":{record}}}\n");
        let length = self.length + line.len() as u64;
        if length > LARGEST {
            return Err(JournalError::Full(self.path.clone()));
        }
        if let Err(source) = self.write(line.as_bytes()) {
            // what cannot be taken back now is before the next line, or when the journals are opened
            let _ = self.take_back();
            return Err(JournalError::Io { path: self.path.clone(), source });
        }
        self.sum = sum;
        self.length = length;
        Ok(())
    }

    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.take_back()?;
        }
        self.torn = true;
        self.file.write_all(line)?;
        self.file.sync_data()?;
        self.torn = false;
        Ok(())
    }

    /// Cuts the file behind its last whole line.
    fn take_back(&mut self) -> io::Result<()> {
        self.file.set_len(self.length)?;
        self.file.sync_all()?;
        self.torn = false;
        Ok(())
    }
}

fn cut_torn_line(path: &Path) -> io::Result<()> {
    let bytes = durable::read(path, LARGEST)?;
    let whole = bytes.iter().rposition(|b| *b == b'\n').map_or(0, |last| last + 1);
    if whole < bytes.len() {
        let file = File::options().write(true).open(path)?;
        file.set_len(whole as u64)?;
        file.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
pub(crate) mod tests;

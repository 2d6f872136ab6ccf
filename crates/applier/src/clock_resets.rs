//! Resets of the clock that no statement has told of yet.
//!
//! Each is recorded before it is done, and with the counter of the statement that tells of it: the next
//! one of this laptop's chain. So nothing has to be written once that statement is, and at whatever moment
//! the power goes, each reset stands in exactly one statement. A reset that was recorded and cut off
//! before it was done is told as well: a person asked for it.

use std::io;
use std::path::{Path, PathBuf};

use keys::durable;
use receipt::ClockReset;
use serde::{Deserialize, Serialize};

/// More in a row are not a person with a reason, and would not fit in a statement.
const MOST: usize = 64;
/// 64 of them, with reasons of 300 characters of four bytes each.
const CAP: u64 = 128 * 1024;
const FORMAT: u64 = 1;

/// The resets on record, in order.
#[derive(Debug, Clone)]
pub struct ClockResets {
    path: PathBuf,
    recorded: Vec<Recorded>,
}

/// Why resets cannot be read or recorded.
#[derive(Debug, thiserror::Error)]
pub enum ResetsError {
    /// The file system refused.
    #[error("clock resets {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// Somebody edited the state, or the disk is failing.
    #[error("clock resets {}: damaged", .0.display())]
    Damaged(PathBuf, #[source] serde_json::Error),
    /// Of a later version.
    #[error("clock resets have format {0}, this program knows {FORMAT}: update it")]
    Format(u64),
    /// The next statement could not hold them.
    #[error("clock: reset {MOST} times since the last statement")]
    TooMany,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Recorded {
    /// Counter of the statement that tells of it.
    statement: u64,
    #[serde(flatten)]
    reset: ClockReset,
}

#[derive(Serialize, Deserialize)]
struct Record {
    format: u64,
    resets: Vec<Recorded>,
}

impl ClockResets {
    /// Reads the record, if there is one.
    pub fn open(path: &Path) -> Result<Self, ResetsError> {
        let path = path.to_owned();
        let bytes = match durable::read(&path, CAP) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Self { path, recorded: Vec::new() }),
            Err(e) => return Err(ResetsError::Io(path, e)),
        };
        match serde_json::from_slice(&bytes) {
            Ok(Record { format: FORMAT, resets: recorded }) => Ok(Self { path, recorded }),
            Ok(Record { format, .. }) => Err(ResetsError::Format(format)),
            Err(e) => Err(ResetsError::Damaged(path, e)),
        }
    }

    /// Records a reset, durably, for the statement of this counter to tell. What earlier statements have
    /// told is dropped from the record.
    pub fn add(&mut self, statement: u64, reset: ClockReset) -> Result<(), ResetsError> {
        let mut resets: Vec<_> = self.recorded.iter().filter(|r| r.statement >= statement).cloned().collect();
        if resets.len() >= MOST {
            return Err(ResetsError::TooMany);
        }
        resets.push(Recorded { statement, reset });
        let record = Record { format: FORMAT, resets };
        let damaged = |e| ResetsError::Damaged(self.path.clone(), e);
        let bytes = serde_json::to_vec_pretty(&record).map_err(damaged)?;
        durable::write_atomic(&self.path, &bytes, 0o600)
            .map_err(|e| ResetsError::Io(self.path.clone(), e))?;
        self.recorded = record.resets;
        Ok(())
    }

    /// What the statement of this counter tells.
    pub fn told_by(&self, statement: u64) -> Vec<ClockReset> {
        let told = self.recorded.iter().filter(|recorded| recorded.statement == statement);
        told.map(|recorded| recorded.reset.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use firmware::Text;

    use super::*;

    fn reset(reason: &str) -> ClockReset {
        let claimed = "2026-11-22T10:00:00Z".parse().unwrap();
        ClockReset { claimed, floor: Some(claimed), reason: Text::cleaned(reason) }
    }

    #[test]
    fn each_is_told_by_one_statement_and_then_dropped() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resets");
        let mut resets = ClockResets::open(&path).unwrap();
        assert_eq!(resets.told_by(1), []);
        resets.add(3, reset("one")).unwrap();
        resets.add(3, reset("two")).unwrap();
        let mut again = ClockResets::open(&path).unwrap();
        assert_eq!(again.told_by(3), [reset("one"), reset("two")]);
        assert_eq!((again.told_by(2), again.told_by(4)), (vec![], vec![]));
        again.add(4, reset("three")).unwrap();
        let last = ClockResets::open(&path).unwrap();
        assert_eq!((last.told_by(3), last.told_by(4)), (vec![], vec![reset("three")]));
    }

    #[test]
    fn there_are_only_so_many_of_the_longest_reasons_and_they_can_be_read() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resets");
        let mut resets = ClockResets::open(&path).unwrap();
        let longest = "\u{10348}".repeat(300);
        for _ in 0..MOST {
            resets.add(1, reset(&longest)).unwrap();
        }
        assert!(matches!(resets.add(1, reset("x")), Err(ResetsError::TooMany)));
        assert_eq!(ClockResets::open(&path).unwrap().told_by(1).len(), MOST);
        resets.add(2, reset("after the statement there is room again")).unwrap();
    }

    #[test]
    fn a_damaged_record_is_named_and_a_later_one_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("resets");
        durable::write_atomic(&path, b"{\"format\":1,\"resets\":[{}]}", 0o600).unwrap();
        assert!(matches!(ClockResets::open(&path), Err(ResetsError::Damaged(..))));
        durable::write_atomic(&path, b"{\"format\":2,\"resets\":[]}", 0o600).unwrap();
        assert!(matches!(ClockResets::open(&path), Err(ResetsError::Format(2))));
    }
}

//! Small records in the state: a list in one JSON file with a format number, replaced as a whole.

use std::io;
use std::path::{Path, PathBuf};

use keys::durable;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

/// Ten thousand entries of a few hundred bytes; a file beyond that was not written here.
const LARGEST: u64 = 4 << 20;
const FORMAT: u32 = 1;

/// Why a record cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// It cannot be read or written.
    #[error("record {}", .0.display())]
    Io(PathBuf, #[source] io::Error),
    /// It is damaged, or was written by a later version.
    #[error("record {}: rejected, not a list of format {FORMAT}", .0.display())]
    Damaged(PathBuf),
}

#[derive(Serialize, Deserialize)]
struct File<T> {
    format: u32,
    entries: Vec<T>,
}

/// Reads a record; one that is not there is empty. A damaged one is not.
pub(crate) fn read<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>, RecordError> {
    let bytes = match durable::read(path, LARGEST) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(RecordError::Io(path.into(), error)),
    };
    match serde_json::from_slice::<File<T>>(&bytes) {
        Ok(File { format: FORMAT, entries }) => Ok(entries),
        _ => Err(RecordError::Damaged(path.into())),
    }
}

/// Replaces a record, durably.
pub(crate) fn write<T: Serialize + Clone>(path: &Path, entries: &[T]) -> Result<(), RecordError> {
    let io = |error| RecordError::Io(path.into(), error);
    let file = File { format: FORMAT, entries: entries.to_vec() };
    let bytes = serde_json::to_vec(&file).map_err(|error| io(error.into()))?;
    durable::write_atomic(path, &bytes, 0o644).map_err(io)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_record_is_not_an_empty_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("record");
        assert!(read::<u8>(&path).unwrap().is_empty());
        write(&path, &[1_u8, 2]).unwrap();
        assert_eq!(read::<u8>(&path).unwrap(), [1, 2]);
        for bytes in [&b""[..], b"{", br#"{"format":2,"entries":[]}"#, br#"{"format":1,"entries":[{}]}"#] {
            durable::write_atomic(&path, bytes, 0o644).unwrap();
            assert!(matches!(read::<u8>(&path), Err(RecordError::Damaged(_))));
        }
        assert!(matches!(read::<u8>(dir.path()), Err(RecordError::Io(..))));
    }
}

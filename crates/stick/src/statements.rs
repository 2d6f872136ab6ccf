//! Statements on a stick: laid there by the applier, taken by the fetcher.

use std::io;

use receipt::{Chain, ChainError, LONGEST_ENVELOPE, LaptopId};

use crate::layout;
use crate::media::{self, Kind, Media};

/// Why statements could not be laid on a stick. They stay in the laptop's state.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// The laptop's own copy.
    #[error(transparent)]
    Chain(#[from] ChainError),
    /// The stick.
    #[error("stick: statements could not be written")]
    Io(#[from] io::Error),
}

/// Copies a laptop's statements after `acknowledged` to a stick, those that are not there already;
/// gives how many were written.
pub fn deliver(
    medium: &dyn Media,
    chain: &Chain,
    laptop: &LaptopId,
    acknowledged: u64,
) -> Result<u64, DeliverError> {
    let present = medium.list(&layout::receipts(laptop))?;
    let mut written = 0;
    for counter in acknowledged + 1..chain.next().counter {
        let bytes = chain.envelope(counter)?;
        let name = format!("{counter}.json");
        if present.iter().any(|e| e.name == name && e.kind == Kind::File(bytes.len() as u64)) {
            continue;
        }
        media::write(medium, &layout::receipt(laptop, counter), &bytes)?;
        written += 1;
    }
    if written > 0 {
        medium.sync_names()?;
    }
    Ok(written)
}

/// A file found among the statements of a stick; nothing about it is verified.
#[derive(Debug)]
pub struct Found {
    /// Where it lies.
    pub path: String,
    /// Whose folder it lies in.
    pub laptop: LaptopId,
    /// Its number, from its name.
    pub counter: u64,
    /// Its bytes, or why they cannot be read.
    pub bytes: io::Result<Vec<u8>>,
}

/// Statements of one stick; more are not a stick of ours but an attack.
const MOST_FOUND: usize = 100_000;

/// The statements on a stick, laptop by laptop in the order of their numbers.
pub fn find(medium: &dyn Media) -> io::Result<Vec<(LaptopId, u64)>> {
    let mut found = Vec::new();
    for folder in medium.list(layout::RECEIPTS)? {
        let (Kind::Folder, Ok(laptop)) = (folder.kind, folder.name.parse::<LaptopId>()) else { continue };
        for file in medium.list(&layout::receipts(&laptop))? {
            let Some(number) = file.name.strip_suffix(".json") else { continue };
            let Ok(counter) = number.parse::<u64>() else { continue };
            // only the spelling that we write: "07" and "+7" are other files
            if matches!(file.kind, Kind::File(_)) && counter.to_string() == number {
                found.push((laptop.clone(), counter));
            }
        }
        if found.len() > MOST_FOUND {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "more statements than a stick can hold"));
        }
    }
    found.sort();
    Ok(found)
}

/// Reads one of the statements that [`find`] named.
pub fn take(medium: &dyn Media, laptop: &LaptopId, counter: u64) -> Found {
    let path = layout::receipt(laptop, counter);
    let gone = || io::Error::new(io::ErrorKind::NotFound, "file has gone");
    let bytes = media::read(medium, &path, LONGEST_ENVELOPE).and_then(|bytes| bytes.ok_or_else(gone));
    Found { path, laptop: laptop.clone(), counter, bytes }
}

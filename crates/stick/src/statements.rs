//! Statements on a stick: laid there by the applier, taken by the fetcher.

use std::io;

use receipt::{Chain, ChainError, LONGEST_ENVELOPE, LaptopId};

use crate::layout;
use crate::media::{self, Kind, Media, Tree};

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

/// The numbers of a laptop's statements after `after` that a stick lacks, or holds with other bytes: a
/// FAT can keep a file's size and lose its contents.
pub fn undelivered(
    medium: &dyn Tree,
    chain: &Chain,
    laptop: &LaptopId,
    after: u64,
) -> Result<Vec<u64>, DeliverError> {
    let mut missing = Vec::new();
    for counter in after + 1..chain.next().counter {
        let there = media::read(medium, &layout::receipt(laptop, counter), LONGEST_ENVELOPE);
        match there {
            Ok(Some(bytes)) if bytes == chain.envelope(counter)? => {}
            Err(error) if error.kind() != io::ErrorKind::FileTooLarge => return Err(error.into()),
            _ => missing.push(counter),
        }
    }
    Ok(missing)
}

/// Copies to a stick every statement of a laptop that it lacks; gives how many were written.
pub fn deliver(medium: &dyn Media, chain: &Chain, laptop: &LaptopId) -> Result<usize, DeliverError> {
    let missing = undelivered(medium, chain, laptop, 0)?;
    for counter in &missing {
        media::write(medium, &layout::receipt(laptop, *counter), &chain.envelope(*counter)?)?;
    }
    if !missing.is_empty() {
        medium.sync_names()?;
    }
    Ok(missing.len())
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

/// Files and folders among the statements of one stick; more are not a stick of ours but an attack.
const MOST_FOUND: usize = 100_000;

/// The statements on a stick, laptop by laptop in the order of their numbers.
pub fn find(medium: &dyn Tree) -> io::Result<Vec<(LaptopId, u64)>> {
    let (mut found, mut listed) = (Vec::new(), 0);
    for folder in medium.list(layout::RECEIPTS)? {
        let (Kind::Folder, Ok(laptop)) = (folder.kind, folder.name.parse::<LaptopId>()) else { continue };
        let files = medium.list(&layout::receipts(&laptop))?;
        listed += 1 + files.len();
        if listed > MOST_FOUND {
            let error = "more statements than a stick of ours can hold";
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        for file in files {
            let Some(number) = file.name.strip_suffix(".json") else { continue };
            let Ok(counter) = number.parse::<u64>() else { continue };
            // only the spelling that we write: "07" and "+7" are other files
            if matches!(file.kind, Kind::File(_)) && counter.to_string() == number {
                found.push((laptop.clone(), counter));
            }
        }
    }
    found.sort();
    Ok(found)
}

/// Reads one of the statements that [`find`] named.
pub fn take(medium: &dyn Tree, laptop: &LaptopId, counter: u64) -> Found {
    let path = layout::receipt(laptop, counter);
    let gone = || io::Error::new(io::ErrorKind::NotFound, "file has gone");
    let bytes = media::read(medium, &path, LONGEST_ENVELOPE).and_then(|bytes| bytes.ok_or_else(gone));
    Found { path, laptop: laptop.clone(), counter, bytes }
}

#[cfg(test)]
mod tests {
    use keys::{SigningKey, durable};

    use super::*;
    use crate::Directory;

    #[test]
    fn what_the_stick_lost_is_written_again_and_odd_names_are_passed_over() {
        let (state, stick) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        for counter in 1..=3 {
            let name = state.path().join(format!("{counter}.json"));
            durable::create_new(&name, format!("{{\"n\":{counter}}}").as_bytes(), 0o600).unwrap();
        }
        let chain = Chain::open(state.path()).unwrap();
        let laptop = LaptopId::of(&SigningKey::generate().public());
        let medium = Directory::open(stick.path()).unwrap();
        assert_eq!(deliver(&medium, &chain, &laptop).unwrap(), 3);
        assert_eq!(deliver(&medium, &chain, &laptop).unwrap(), 0);
        // a FAT that kept the size and lost the contents
        media::write(&medium, &layout::receipt(&laptop, 2), &[0; 7]).unwrap();
        assert_eq!(undelivered(&medium, &chain, &laptop, 0).unwrap(), [2]);
        assert!(undelivered(&medium, &chain, &laptop, 2).unwrap().is_empty());
        assert_eq!(deliver(&medium, &chain, &laptop).unwrap(), 1);
        let folder = layout::receipts(&laptop);
        for odd in ["07.json", "+4.json", "x.json", "4.json.bak"] {
            media::write(&medium, &format!("{folder}/{odd}"), b"{}").unwrap();
        }
        media::write(&medium, "COURIER/receipts/NOTALAPTOP/1.json", b"{}").unwrap();
        let found = find(&medium).unwrap();
        assert_eq!(found, [1, 2, 3].map(|n| (laptop.clone(), n)));
        assert_eq!(take(&medium, &laptop, 2).bytes.unwrap(), b"{\"n\":2}");
        assert!(take(&medium, &laptop, 9).bytes.is_err());
    }
}

//! Statements on a stick: laid there by the applier, taken by the fetcher.

use std::collections::BTreeSet;
use std::io;

use receipt::{Chain, ChainError, LONGEST_ENVELOPE, LONGEST_SEALED, LaptopId};

use crate::layout;
use crate::media::{self, Entry, Kind, Media, Tree};

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

/// The file of a statement on a stick. Nothing that its name says is verified.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// Whose folder it lies in.
    pub laptop: LaptopId,
    /// Its number.
    pub counter: u64,
    /// Whether it is encrypted.
    pub is_sealed: bool,
}

impl Name {
    /// Where it lies.
    pub fn path(&self) -> String {
        let path = if self.is_sealed { layout::sealed_receipt } else { layout::receipt };
        path(&self.laptop, self.counter)
    }

    fn cap(&self) -> u64 {
        if self.is_sealed { LONGEST_SEALED } else { LONGEST_ENVELOPE }
    }

    /// Only the spelling that we write: "07" and "+7" are other files.
    fn read(laptop: &LaptopId, file: &str) -> Option<Self> {
        let (stem, is_sealed) = match file.strip_suffix(".age") {
            Some(stem) => (stem, true),
            None => (file, false),
        };
        let number = stem.strip_suffix(".json")?;
        let counter = number.parse::<u64>().ok().filter(|counter| counter.to_string() == number)?;
        Some(Self { laptop: laptop.clone(), counter, is_sealed })
    }
}

/// What a stick needs to hold a laptop's statements as they go home.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outstanding {
    /// Statements that it lacks, or holds with other bytes: a FAT can keep a file's size and lose its contents.
    pub missing: Vec<u64>,
    /// Statements that lie there in the clear and are to be encrypted.
    pub in_the_clear: Vec<u64>,
}

impl Outstanding {
    /// Whether it needs nothing.
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.in_the_clear.is_empty()
    }
}

/// What a stick needs to hold a laptop's statements after `after`.
pub fn outstanding(
    medium: &dyn Tree,
    chain: &Chain,
    laptop: &LaptopId,
    after: u64,
) -> Result<Outstanding, DeliverError> {
    let (recipient, next) = (chain.delivery()?.recipient, chain.next().counter);
    let mut wanted: BTreeSet<u64> = (after + 1..next).collect();
    let mut outstanding = Outstanding::default();
    for name in files_of(medium, laptop)?.into_iter().filter(|name| (1..next).contains(&name.counter)) {
        match (recipient.is_some(), name.is_sealed) {
            // torn, it would be rejected at the depot for ever, even if it has arrived there otherwise
            (true, true) | (false, false) => drop(wanted.insert(name.counter)),
            (true, false) => outstanding.in_the_clear.push(name.counter),
            (false, true) => {}
        }
    }
    for counter in wanted {
        let name = Name { laptop: laptop.clone(), counter, is_sealed: recipient.is_some() };
        let bytes = match &recipient {
            Some(recipient) => chain.sealed(counter, recipient),
            None => Some(chain.envelope(counter)?),
        };
        if bytes.is_none() || on(medium, &name)? != bytes {
            outstanding.missing.push(counter);
        }
    }
    Ok(outstanding)
}

/// What a medium has under this name, unless it is larger than any real one.
fn on(medium: &dyn Tree, name: &Name) -> io::Result<Option<Vec<u8>>> {
    match media::read(medium, &name.path(), name.cap()) {
        Err(error) if error.kind() == io::ErrorKind::FileTooLarge => Ok(None),
        read => read,
    }
}

/// Copies to a stick every statement of a laptop after `after` that it lacks, encrypted where the depot named a
/// recipient; none of that laptop is left there in the clear then. What it holds of earlier ones is mended. Gives how
/// many were written.
pub fn deliver(
    medium: &dyn Media,
    chain: &Chain,
    laptop: &LaptopId,
    after: u64,
) -> Result<usize, DeliverError> {
    let recipient = chain.delivery()?.recipient;
    let Outstanding { missing, in_the_clear } = outstanding(medium, chain, laptop, after)?;
    let (to_replace, spare): (Vec<u64>, _) = in_the_clear.into_iter().partition(|n| missing.contains(n));
    let name = |counter, is_sealed| Name { laptop: laptop.clone(), counter, is_sealed };
    // first what makes room: these have arrived, or are there encrypted
    remove(medium, &spare.into_iter().map(|counter| name(counter, false)).collect::<Vec<_>>())?;
    let laid = missing.iter().try_for_each(|counter| -> Result<(), DeliverError> {
        let bytes = match &recipient {
            Some(recipient) => chain.seal(*counter, recipient)?,
            None => chain.envelope(*counter)?,
        };
        media::write(medium, &name(*counter, recipient.is_some()).path(), &bytes)?;
        // one by one: a full stick has room for no more
        if to_replace.contains(counter) {
            medium.sync_names()?;
            medium.remove(&name(*counter, false).path())?;
        }
        Ok(())
    });
    if !missing.is_empty() {
        let synced = medium.sync_names();
        laid?;
        synced?;
        recipient.map_or(Ok(()), |recipient| chain.sync_seals(&recipient))?;
    }
    Ok(missing.len())
}

/// Removes statements from a stick, for good; those that have gone are no error.
pub fn remove(medium: &dyn Media, names: &[Name]) -> io::Result<()> {
    names.iter().try_for_each(|name| medium.remove(&name.path()))?;
    if names.is_empty() { Ok(()) } else { medium.sync_names() }
}

/// A file found among the statements of a stick; nothing about it is verified.
#[derive(Debug)]
pub struct Found {
    /// Which.
    pub name: Name,
    /// Its bytes, or why they cannot be read.
    pub bytes: io::Result<Vec<u8>>,
}

/// Files and folders among the statements of one stick; more are not a stick of ours but an attack.
const MOST_FOUND: usize = 100_000;

/// The statements on a stick, laptop by laptop in the order of their numbers.
pub fn find(medium: &dyn Tree) -> io::Result<Vec<Name>> {
    let (mut found, mut listed) = (Vec::new(), 0);
    for folder in medium.list(layout::RECEIPTS)? {
        let (Kind::Folder, Ok(laptop)) = (folder.kind, folder.name.parse::<LaptopId>()) else { continue };
        let files = medium.list(&layout::receipts(&laptop))?;
        listed += 1 + files.len();
        if listed > MOST_FOUND {
            let error = "more statements than a stick of ours can hold";
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        found.extend(statements(&laptop, &files));
    }
    found.sort();
    Ok(found)
}

fn files_of(medium: &dyn Tree, laptop: &LaptopId) -> io::Result<Vec<Name>> {
    let mut found: Vec<Name> = statements(laptop, &medium.list(&layout::receipts(laptop))?).collect();
    found.sort();
    Ok(found)
}

fn statements(laptop: &LaptopId, files: &[Entry]) -> impl Iterator<Item = Name> {
    let files = files.iter().filter(|file| matches!(file.kind, Kind::File(_)));
    files.filter_map(|file| Name::read(laptop, &file.name))
}

/// Reads one of the statements that [`find`] named.
pub fn take(medium: &dyn Tree, name: Name) -> Found {
    let gone = || io::Error::new(io::ErrorKind::NotFound, "file has gone");
    let bytes = media::read(medium, &name.path(), name.cap()).and_then(|bytes| bytes.ok_or_else(gone));
    Found { name, bytes }
}

#[cfg(test)]
mod tests {
    use firmware::policy::Recipient;
    use keys::{AgeIdentity, SigningKey, durable};
    use receipt::{Delivery, unseal};

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
        assert_eq!(deliver(&medium, &chain, &laptop, 0).unwrap(), 3);
        assert_eq!(deliver(&medium, &chain, &laptop, 0).unwrap(), 0);
        // a FAT that kept the size and lost the contents
        media::write(&medium, &layout::receipt(&laptop, 2), &[0; 7]).unwrap();
        assert_eq!(outstanding(&medium, &chain, &laptop, 0).unwrap().missing, [2]);
        assert_eq!(
            outstanding(&medium, &chain, &laptop, 3).unwrap().missing,
            [2],
            "mended if it has arrived"
        );
        assert_eq!(deliver(&medium, &chain, &laptop, 0).unwrap(), 1);
        let folder = layout::receipts(&laptop);
        for odd in ["07.json", "+4.json", "x.json", "4.json.bak", "4.age", "04.json.age", "4.json.age.age"] {
            media::write(&medium, &format!("{folder}/{odd}"), b"{}").unwrap();
        }
        media::write(&medium, "COURIER/receipts/NOTALAPTOP/1.json", b"{}").unwrap();
        let name = |counter, is_sealed| Name { laptop: laptop.clone(), counter, is_sealed };
        assert_eq!(find(&medium).unwrap(), [1, 2, 3].map(|n| name(n, false)));
        assert_eq!(take(&medium, name(2, false)).bytes.unwrap(), b"{\"n\":2}");
        assert!(take(&medium, name(9, false)).bytes.is_err());
        // encrypted, nothing stays in the clear but what others have left there
        let identity = AgeIdentity::open_or_make(&state.path().join("identity"), "test").unwrap();
        let recipient: Recipient = identity.recipient().to_string().parse().unwrap();
        Delivery { recipient: Some(recipient), ..Delivery::default() }.record(state.path()).unwrap();
        assert_eq!(outstanding(&medium, &chain, &laptop, 3).unwrap().in_the_clear, [1, 2, 3]);
        assert_eq!(deliver(&medium, &chain, &laptop, 0).unwrap(), 3);
        assert!(outstanding(&medium, &chain, &laptop, 0).unwrap().is_empty());
        assert_eq!(find(&medium).unwrap(), [1, 2, 3].map(|n| name(n, true)));
        let there = take(&medium, name(2, true)).bytes.unwrap();
        assert_eq!(unseal(&there, &identity).unwrap(), b"{\"n\":2}");
        media::write(&medium, &name(2, true).path(), &there[..there.len() - 1]).unwrap();
        assert_eq!(deliver(&medium, &chain, &laptop, 0).unwrap(), 1);
        assert_eq!(take(&medium, name(2, true)).bytes.unwrap(), there);
        // what has arrived is neither laid there again nor left in the clear
        remove(&medium, &find(&medium).unwrap()).unwrap();
        assert_eq!((deliver(&medium, &chain, &laptop, 2).unwrap(), find(&medium).unwrap().len()), (1, 1));
        for counter in [0, 1, 9] {
            media::write(&medium, &name(counter, false).path(), b"{}").unwrap();
        }
        assert_eq!(deliver(&medium, &chain, &laptop, 2).unwrap(), 0);
        // of numbers 0 and 9 this laptop knows nothing: somebody should see them
        assert_eq!(find(&medium).unwrap(), [name(0, false), name(3, true), name(9, false)]);
        // one that arrived by another stick, and is torn here
        for torn in [&there[..there.len() - 1], &[]] {
            media::write(&medium, &name(2, true).path(), torn).unwrap();
            assert_eq!(outstanding(&medium, &chain, &laptop, 3).unwrap().missing, [2]);
            assert_eq!(deliver(&medium, &chain, &laptop, 3).unwrap(), 1);
            assert_eq!(take(&medium, name(2, true)).bytes.unwrap(), there);
        }
    }

    #[test]
    fn looking_at_what_is_outstanding_encrypts_nothing() {
        let (state, stick) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        durable::create_new(&state.path().join("1.json"), b"{}", 0o600).unwrap();
        let identity = AgeIdentity::open_or_make(&stick.path().join("identity"), "test").unwrap();
        let recipient: Recipient = identity.recipient().to_string().parse().unwrap();
        let folder = state.path().join(recipient.as_str());
        Delivery { recipient: Some(recipient), ..Delivery::default() }.record(state.path()).unwrap();
        let (chain, medium) = (Chain::open(state.path()).unwrap(), Directory::open(stick.path()).unwrap());
        let laptop = LaptopId::of(&SigningKey::generate().public());
        assert_eq!(outstanding(&medium, &chain, &laptop, 0).unwrap().missing, [1]);
        assert!(!folder.exists());
        assert_eq!(deliver(&medium, &chain, &laptop, 0).unwrap(), 1);
        assert!(folder.exists() && outstanding(&medium, &chain, &laptop, 0).unwrap().is_empty());
    }
}

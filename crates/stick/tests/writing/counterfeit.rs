//! Sticks that hold less than they claim: what lies behind the end is dropped, or written over the beginning.

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Write};
use std::sync::Mutex;

use stick::media::{Capacity, Entry, Kind, Sink, Tree};
use stick::{Directory, Event, Media, WriteError, WritePlan};

use crate::depot::Depot;
use crate::disk::Image;

/// Bytes in a block. Files begin at the next block that was never used, as on a new stick.
const BLOCK: usize = 4096;

/// What happens behind the end of what is really there.
#[derive(Debug, Clone, Copy)]
enum Behind {
    Dropped,
    OverTheBeginning,
}

/// A stick with so many blocks of memory. Names are kept apart, and are never lost.
#[derive(Debug)]
struct Counterfeit {
    behind: Behind,
    files: Mutex<BTreeMap<String, (usize, usize)>>,
    blocks: Mutex<Vec<[u8; BLOCK]>>,
    next: Mutex<usize>,
    /// Files as they were read, by the order of reading.
    read: Mutex<Vec<String>>,
}

impl Counterfeit {
    fn new(blocks: usize, behind: Behind) -> Self {
        let (files, read) = (Mutex::default(), Mutex::default());
        Self { behind, files, blocks: Mutex::new(vec![[0; BLOCK]; blocks]), next: Mutex::new(0), read }
    }

    fn block(&self, number: usize) -> Option<usize> {
        let there = self.blocks.lock().unwrap().len();
        match self.behind {
            _ if number < there => Some(number),
            Behind::Dropped => None,
            Behind::OverTheBeginning => Some(number % there),
        }
    }

    fn bytes(&self, first: usize, length: usize) -> Vec<u8> {
        let block = |number| self.block(number).map_or([0; BLOCK], |at| self.blocks.lock().unwrap()[at]);
        let mut bytes: Vec<u8> = (first..first + length.div_ceil(BLOCK)).flat_map(block).collect();
        bytes.truncate(length);
        bytes
    }
}

impl Tree for Counterfeit {
    fn open(&self, path: &str) -> io::Result<Option<Box<dyn Read + Send + '_>>> {
        let found = self.files.lock().unwrap().get(path).copied();
        self.read.lock().unwrap().push(path.to_owned());
        Ok(found.map(|(first, length)| Box::new(Cursor::new(self.bytes(first, length))) as _))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        let files = self.files.lock().unwrap();
        let entry = |(name, (_, length)): (&String, &(usize, usize))| {
            let rest = name.strip_prefix(folder)?.strip_prefix('/')?;
            Some(match rest.split_once('/') {
                Some((folder, _)) => Entry { name: folder.to_owned(), kind: Kind::Folder },
                None => Entry { name: rest.to_owned(), kind: Kind::File(*length as u64) },
            })
        };
        let mut entries: Vec<Entry> = files.iter().filter_map(entry).collect();
        entries.dedup();
        Ok(entries)
    }
}

impl Media for Counterfeit {
    fn create(&self, path: &str) -> io::Result<Box<dyn Sink + '_>> {
        Ok(Box::new(Body { stick: self, path: path.to_owned(), bytes: Vec::new() }))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.files.lock().unwrap().remove(path);
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        Ok(())
    }

    fn forget(&self, _: &str) -> io::Result<()> {
        Ok(())
    }

    fn capacity(&self) -> io::Result<Capacity> {
        Ok(Capacity { free: Some(1 << 40), ..Capacity::default() })
    }
}

struct Body<'a> {
    stick: &'a Counterfeit,
    path: String,
    bytes: Vec<u8>,
}

impl Write for Body<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for Body<'_> {
    fn sync(self: Box<Self>) -> io::Result<()> {
        let Self { stick, path, bytes } = *self;
        let known = stick.files.lock().unwrap().get(&path).copied();
        let needed = bytes.len().div_ceil(BLOCK);
        let first = match known {
            // in its own place, as a file that is overwritten
            Some((first, length)) if length.div_ceil(BLOCK) >= needed => first,
            _ => {
                let mut next = stick.next.lock().unwrap();
                *next += needed;
                *next - needed
            }
        };
        for (number, part) in (first..).zip(bytes.chunks(BLOCK)) {
            if let Some(at) = stick.block(number) {
                stick.blocks.lock().unwrap()[at][..part.len()].copy_from_slice(part);
            }
        }
        stick.files.lock().unwrap().insert(path, (first, bytes.len()));
        Ok(())
    }
}

fn named(result: Result<WritePlan, WriteError>, what: &str) {
    let Err(error) = result else { panic!("{what}: taken for a good one") };
    assert!(matches!(error, WriteError::ReadBack { .. }), "{what}: {error:?}");
    assert!(error.to_string().ends_with("the stick is failing or counterfeit"), "{error}");
}

#[test]
fn a_stick_with_less_room_than_it_claims_is_named_at_every_size() {
    let depot = Depot::new();
    let whole = Counterfeit::new(1 << 12, Behind::Dropped);
    depot.load(&whole, 0).unwrap();
    let needed = *whole.next.lock().unwrap();
    assert!(needed > 50, "{needed}");
    // the last file is the timestamp, which lies in one block
    for blocks in 1..needed {
        for behind in [Behind::Dropped, Behind::OverTheBeginning] {
            named(depot.load(&Counterfeit::new(blocks, behind), 0), &format!("{blocks} {behind:?}"));
        }
    }
    for behind in [Behind::Dropped, Behind::OverTheBeginning] {
        depot.load(&Counterfeit::new(needed, behind), 0).unwrap();
    }
}

#[test]
fn a_file_that_is_mended_over_another_one_is_not_called_whole() {
    let depot = Depot::new();
    let needed = {
        let whole = Counterfeit::new(1 << 12, Behind::Dropped);
        depot.load(&whole, 0).unwrap();
        *whole.next.lock().unwrap()
    };
    // the first publication fits, the second is laid over it: what was there before is damaged by that, and to mend
    // it damages what was written
    for blocks in needed..needed + 10 {
        let stick = Counterfeit::new(blocks, Behind::OverTheBeginning);
        depot.load(&stick, 0).unwrap();
        named(depot.load(&stick, 1), &format!("{blocks} blocks"));
    }
}

#[test]
fn what_was_written_first_is_read_back_last() {
    let depot = Depot::new();
    let stick = Counterfeit::new(1 << 12, Behind::Dropped);
    let mut read_from = 0;
    let events = &mut |event| {
        if matches!(event, Event::ReadingBack { .. }) {
            read_from = stick.read.lock().unwrap().len() - 1;
        }
    };
    depot.load_telling(&stick, 0, stick::Agreed::default(), events).unwrap();
    let read = stick.read.lock().unwrap()[read_from..].to_vec();
    let files = stick.files.lock().unwrap();
    let first_of = |path: &String| files[path].0;
    let files_of = &depot.publications[0];
    let first_pass = &read[..=files_of.carried.len() + files_of.metadata.len()];
    assert!(first_pass.is_sorted_by(|a, b| first_of(a) > first_of(b)), "{first_pass:?}");
    assert_eq!(first_of(first_pass.last().unwrap()), 0, "all the way back to the first block");
}

#[test]
fn a_counterfeit_stick_is_no_other_stick_to_a_folder() {
    // the model itself: with room for all of it, it is as good as a real file system
    let depot = Depot::new();
    let (_dir, real) = depot.stick_with_the_first();
    let stick = Counterfeit::new(1 << 12, Behind::OverTheBeginning);
    depot.load(&stick, 0).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let copy: Directory = Image::of(&real, "COURIER").lay(dir.path());
    assert_eq!(depot.look(&stick), depot.look(&copy));
}

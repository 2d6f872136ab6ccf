//! A medium in memory that knows which of its changes a pull could still undo.
//!
//! It stands for three parties: the program's files as the system shows them (`live`), the system's memory of
//! what it has not written yet, and what the stick really holds (`kept`). A sync moves changes from the memory
//! to the stick; a pull loses those that are left, all of them, some, or in another order than they
//! were made. Names are read from memory even after a file was forgotten, as systems do.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read, Write};
use std::path::Path;
use std::sync::{Mutex, MutexGuard};

use stick::media::{self, Capacity, Entry, Kind, Sink, Tree};
use stick::{Directory, Media};

use crate::fault::Flaw;

/// Files by name, and their contents by number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Image {
    names: BTreeMap<String, usize>,
    bytes: BTreeMap<usize, Vec<u8>>,
}

/// Something that a program does to a medium.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Create(String, usize),
    Remove(String),
    Write(usize, usize, Vec<u8>),
    Length(usize, usize),
}

impl Image {
    /// What lies in a folder.
    pub(crate) fn of(folder: &Directory, path: &str) -> Self {
        let mut image = Self::default();
        image.read(folder, path);
        image
    }

    fn read(&mut self, folder: &Directory, path: &str) {
        for entry in folder.list(path).unwrap() {
            let path = format!("{path}/{}", entry.name);
            if entry.kind == Kind::Folder {
                self.read(folder, &path);
                continue;
            }
            let number = self.names.len();
            self.bytes.insert(number, media::read(folder, &path, 1 << 20).unwrap().unwrap());
            self.names.insert(path, number);
        }
    }

    /// Lays it in a folder of a real file system.
    pub(crate) fn lay(&self, folder: &Path) -> Directory {
        let folder = Directory::open(folder).unwrap();
        for (name, number) in &self.names {
            media::write(&folder, name, self.bytes.get(number).map_or(&[], Vec::as_slice)).unwrap();
        }
        folder
    }

    pub(crate) fn apply(&mut self, change: &Change) {
        match change {
            Change::Create(name, number) => drop(self.names.insert(name.clone(), *number)),
            Change::Remove(name) => drop(self.names.remove(name)),
            Change::Write(number, at, written) => {
                let bytes = self.bytes.entry(*number).or_default();
                bytes.resize(bytes.len().max(at + written.len()), 0);
                bytes[*at..at + written.len()].copy_from_slice(written);
            }
            Change::Length(number, length) => self.bytes.entry(*number).or_default().resize(*length, 0),
        }
    }
}

impl Change {
    /// What is left of it where it is torn: half of the bytes, or nothing.
    pub(crate) fn torn(&self) -> Option<Self> {
        match self {
            Self::Write(number, at, bytes) => {
                Some(Self::Write(*number, *at, bytes[..bytes.len() / 2].to_vec()))
            }
            _ => None,
        }
    }

    fn file(&self) -> Option<usize> {
        match self {
            Self::Write(number, ..) | Self::Length(number, _) => Some(*number),
            Self::Create(..) | Self::Remove(_) => None,
        }
    }
}

#[derive(Debug)]
struct State {
    live: Image,
    kept: Image,
    waiting: Vec<Change>,
    /// Files whose bytes the system has not written yet, and those that it reads from memory.
    dirty: BTreeSet<usize>,
    cached: BTreeSet<usize>,
    changes: usize,
    syncs: usize,
    next: usize,
}

/// The medium. It is pulled out after a number of changes, or does something to one of them and says nothing.
#[derive(Debug)]
pub(crate) struct Disk {
    state: Mutex<State>,
    pulled_after: Option<usize>,
    flaw: Option<Flaw>,
}

/// What was on it and on its way to it when it was pulled out.
#[derive(Debug)]
pub(crate) struct Pulled {
    pub(crate) kept: Image,
    pub(crate) waiting: Vec<Change>,
    /// How many changes the program made.
    pub(crate) changes: usize,
    pub(crate) syncs: usize,
}

impl Disk {
    pub(crate) fn new(image: Image, pulled_after: Option<usize>, flaw: Option<Flaw>) -> Self {
        let next = image.bytes.len();
        let state = State {
            live: image.clone(),
            kept: image,
            waiting: Vec::new(),
            dirty: BTreeSet::new(),
            cached: BTreeSet::new(),
            changes: 0,
            syncs: 0,
            next,
        };
        Self { state: Mutex::new(state), pulled_after, flaw }
    }

    pub(crate) fn pull(self) -> Pulled {
        let State { kept, waiting, changes, syncs, .. } = self.state.into_inner().unwrap();
        Pulled { kept, waiting, changes, syncs }
    }

    /// The state, unless it was pulled out.
    fn here(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state.lock().unwrap();
        match self.pulled_after {
            Some(after) if state.changes > after => Err(io::Error::from_raw_os_error(19)), // ENODEV
            _ => Ok(state),
        }
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.state.lock().unwrap();
        state.changes += 1;
        let number = state.changes;
        drop(state);
        let mut state = self.here()?;
        if self.flaw == Some(Flaw::Fails(number)) {
            return Err(io::Error::from_raw_os_error(5)); // EIO
        }
        state.live.apply(&change);
        if let Some(file) = change.file() {
            state.dirty.insert(file);
            state.cached.insert(file);
        }
        match self.flaw {
            Some(Flaw::Forgets(n)) if n == number => {}
            Some(Flaw::Halves(n)) if n == number => state.waiting.extend(change.torn()),
            Some(Flaw::Swaps(n)) if n == number => {
                let before = state.waiting.len().saturating_sub(1);
                state.waiting.insert(before, change);
            }
            _ => state.waiting.push(change),
        }
        Ok(())
    }

    /// The system writes what belongs to these files, or everything; whether the stick does is another matter.
    fn sync(&self, file: Option<usize>) -> io::Result<()> {
        let mut state = self.here()?;
        state.syncs += 1;
        let lies = matches!(self.flaw, Some(Flaw::LiesFromSync(first)) if state.syncs >= first);
        let (now, later) = std::mem::take(&mut state.waiting)
            .into_iter()
            .partition(|change| !lies && (file.is_none() || change.file() == file));
        state.waiting = later;
        let now: Vec<Change> = now;
        for change in &now {
            state.kept.apply(change);
        }
        match file {
            Some(file) => drop(state.dirty.remove(&file)),
            None => state.dirty.clear(),
        }
        Ok(())
    }
}

impl Tree for Disk {
    fn open(&self, path: &str) -> io::Result<Option<Box<dyn Read + Send + '_>>> {
        let state = self.here()?;
        let Some(number) = state.live.names.get(path) else { return Ok(None) };
        let from = if state.cached.contains(number) { &state.live } else { &state.kept };
        Ok(Some(Box::new(Cursor::new(from.bytes.get(number).cloned().unwrap_or_default()))))
    }

    fn list(&self, folder: &str) -> io::Result<Vec<Entry>> {
        let state = self.here()?;
        let below = |name: &str| name.strip_prefix(folder)?.strip_prefix('/').map(str::to_owned);
        let mut entries = BTreeMap::new();
        for (name, number) in &state.live.names {
            let Some(rest) = below(name) else { continue };
            if let Some((folder, _)) = rest.split_once('/') {
                entries.insert(folder.to_owned(), Kind::Folder);
            } else {
                let length = state.live.bytes.get(number).map_or(0, Vec::len);
                entries.insert(rest, Kind::File(length as u64));
            }
        }
        Ok(entries.into_iter().map(|(name, kind)| Entry { name, kind }).collect())
    }
}

impl Media for Disk {
    fn create(&self, path: &str) -> io::Result<Box<dyn Sink + '_>> {
        let mut state = self.here()?;
        let known = state.live.names.get(path).copied();
        let number = known.unwrap_or(state.next);
        state.next += usize::from(known.is_none());
        drop(state);
        if known.is_none() {
            self.change(Change::Create(path.to_owned(), number))?;
        }
        Ok(Box::new(DiskSink { disk: self, number, length: 0 }))
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        let is_file = self.here()?.live.names.contains_key(path);
        if is_file { self.change(Change::Remove(path.to_owned())) } else { Ok(()) }
    }

    fn sync_names(&self) -> io::Result<()> {
        self.sync(None)
    }

    fn forget(&self, path: &str) -> io::Result<()> {
        let mut state = self.here()?;
        let Some(number) = state.live.names.get(path).copied() else { return Ok(()) };
        if !state.dirty.contains(&number) {
            state.cached.remove(&number);
        }
        Ok(())
    }

    fn capacity(&self) -> io::Result<Capacity> {
        Ok(Capacity::default())
    }
}

/// Writes over what is there and cuts it at the end, as [`Directory`] does.
struct DiskSink<'a> {
    disk: &'a Disk,
    number: usize,
    length: usize,
}

impl Write for DiskSink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.change(Change::Write(self.number, self.length, bytes.to_vec()))?;
        self.length += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Sink for DiskSink<'_> {
    fn sync(self: Box<Self>) -> io::Result<()> {
        self.disk.change(Change::Length(self.number, self.length))?;
        self.disk.sync(Some(self.number))
    }
}

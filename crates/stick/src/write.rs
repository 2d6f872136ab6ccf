//! Publication to stick, in an order that survives being pulled out at any moment.
//!
//! FAT has neither a journal nor an atomic rename, so the order of writes is what protects:
//!
//! 1. room for old and new together, limits and collisions are checked ([`WritePlan::new`]);
//! 2. new firmware, then versioned metadata, each synced;
//! 3. everything is read back past the cache and verified with the new timestamp laid over in memory;
//! 4. `timestamp.json` is written and synced: from here on the stick is the new publication;
//! 5. it is opened again and verified as the applier does;
//! 6. only now superseded files of ours are removed.
//!
//! At any cut the stick is the previous publication, the new one, or rejected as damaged; nothing else.

use std::io::{self, Read, Write};

use firmware::{HashingReader, Sha256Digest};
use serde::Serialize;
use tuf_client::{Clock, MemoryStore, Root, Verified};

use crate::layout;
use crate::media::{self, Media};
use crate::open::{OpenError, UnverifiedPublication};
use crate::plan::{Contents, Obstacle, Survey, WritePlan};

/// What happens while a stick is written. The first event announces all of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
pub enum Event {
    /// What is going to be done.
    Planned {
        /// Bytes to write.
        write_bytes: u64,
        /// Bytes of firmware to read back.
        check_bytes: u64,
        /// Whether the stick holds everything already.
        unchanged: bool,
    },
    /// Bytes of firmware written so far.
    Writing {
        /// Of `write_bytes`.
        bytes: u64,
    },
    /// Waiting until the stick has everything.
    Syncing,
    /// Bytes of firmware read back so far.
    Checking {
        /// Of `check_bytes`.
        bytes: u64,
    },
    /// A file that was there already is damaged and is written again.
    Mending {
        /// Which.
        path: String,
    },
    /// The new publication is the one on the stick.
    Current,
    /// Superseded files were removed.
    Removed {
        /// How many.
        files: usize,
    },
}

/// What a stick that could not be written carries now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StickState {
    /// What it carried before.
    AsBefore,
    /// Perhaps the new publication, perhaps a damaged one: it must be loaded again.
    Uncertain,
}

/// Why a stick could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// It cannot take the publication; nothing was changed.
    #[error("stick: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    Obstacles(Vec<Obstacle>),
    /// Reading or writing failed.
    #[error("stick: {what} failed")]
    Io {
        /// What was being done.
        what: String,
        /// Before or after the timestamp was touched.
        state: StickState,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Other bytes came back than were written.
    #[error("stick: {path} reads back as {found}, expected {expected}: the stick is failing or counterfeit")]
    ReadBack {
        /// Which file.
        path: String,
        /// Written.
        expected: Sha256Digest,
        /// Read.
        found: Sha256Digest,
    },
    /// The whole does not verify as the applier would verify it.
    #[error("stick: what was written does not verify")]
    Verify {
        /// Before or after the timestamp was touched.
        state: StickState,
        /// Why.
        #[source]
        source: OpenError,
    },
    /// A file of the depot is not what the publication lists.
    #[error("depot: {name} is {found}, expected {expected}")]
    Source {
        /// Consistent name.
        name: String,
        /// Listed.
        expected: Sha256Digest,
        /// Read.
        found: Sha256Digest,
    },
}

impl WriteError {
    /// What the stick carries now.
    pub fn state(&self) -> StickState {
        match self {
            Self::Io { state, .. } | Self::Verify { state, .. } => *state,
            Self::Obstacles(_) | Self::ReadBack { .. } | Self::Source { .. } => StickState::AsBefore,
        }
    }
}

/// Where the firmware comes from: a reader by consistent name.
pub type Source<'a> = dyn Fn(&str) -> io::Result<Box<dyn Read>> + 'a;

/// Bytes copied at a time: the size at which hashing is fastest (reference: crates §1).
const BLOCK: usize = 64 * 1024;

/// Writes a publication to a medium and reads it back. `root` is the depot's own trusted root.
pub fn write(
    medium: &dyn Media,
    contents: &Contents,
    source: &Source<'_>,
    root: &Verified<Root>,
    clock: Clock,
    events: &mut dyn FnMut(Event),
) -> Result<WritePlan, WriteError> {
    let survey = Survey::of(medium, contents).map_err(io("reading what is on it", StickState::AsBefore))?;
    let plan = WritePlan::new(contents, &survey).map_err(WriteError::Obstacles)?;
    let mut writer = Writer { medium, contents, source, events, written: 0, checked: 0 };
    let check_bytes = plan.checks.iter().map(|name| writer.length(name)).sum();
    (writer.events)(Event::Planned { write_bytes: plan.bytes, check_bytes, unchanged: plan.is_unchanged() });
    writer.prepare(&plan)?;
    for name in &plan.checks {
        writer.check(name, plan.targets.contains(name))?;
    }
    let verify = |timestamp: Option<&[u8]>, state| {
        let publication = UnverifiedPublication::on(medium);
        let publication = timestamp.map_or(publication, |t| publication.with_timestamp(t));
        let verified = publication.verify(&mut MemoryStore::trusting(root), clock);
        verified.map(drop).map_err(|source| WriteError::Verify { state, source })
    };
    verify(Some(&contents.timestamp), StickState::AsBefore)?;
    if plan.timestamp {
        let wrote =
            media::write(medium, layout::TIMESTAMP, &contents.timestamp).and_then(|()| medium.sync_names());
        wrote
            .and_then(|()| medium.forget(layout::TIMESTAMP))
            .map_err(io("writing the timestamp", StickState::Uncertain))?;
    }
    verify(None, StickState::Uncertain)?;
    (writer.events)(Event::Current);
    writer.remove(&plan.removals)?;
    Ok(plan)
}

fn io(what: impl Into<String>, state: StickState) -> impl FnOnce(io::Error) -> WriteError {
    let what = what.into();
    move |source| WriteError::Io { what, state, source }
}

struct Writer<'a> {
    medium: &'a dyn Media,
    contents: &'a Contents,
    source: &'a Source<'a>,
    events: &'a mut dyn FnMut(Event),
    written: u64,
    checked: u64,
}

impl Writer<'_> {
    fn length(&self, name: &str) -> u64 {
        self.contents.listed.get(name).map_or(0, |sealed| sealed.length)
    }

    /// Step 2: everything but the timestamp, then everything forgotten.
    fn prepare(&mut self, plan: &WritePlan) -> Result<(), WriteError> {
        for name in &plan.targets {
            self.firmware(name)?;
        }
        if !plan.small.is_empty() || !plan.targets.is_empty() {
            (self.events)(Event::Syncing);
        }
        for (path, bytes) in &plan.small {
            let wrote = media::write(self.medium, path, bytes);
            wrote.map_err(io(format!("writing {path}"), StickState::AsBefore))?;
        }
        self.medium.sync_names().map_err(io("syncing", StickState::AsBefore))?;
        let metadata = self.contents.metadata.keys().map(layout::metadata);
        for path in metadata.chain(plan.checks.iter().map(layout::target)) {
            let forgot = self.medium.forget(&path);
            forgot.map_err(io(format!("dropping {path} from the cache"), StickState::AsBefore))?;
        }
        Ok(())
    }

    /// Writes one file of firmware. One that fails is taken away again, as far as the medium lets us:
    /// half a file would be "damaged" to an applier to which it was "not carried" before.
    fn firmware(&mut self, name: &str) -> Result<(), WriteError> {
        let wrote = self.write_firmware(name);
        if wrote.is_err() {
            self.take_away(name);
        }
        wrote
    }

    fn take_away(&self, name: &str) {
        // the error that led here is the one to tell
        let _ = self.medium.remove(&layout::target(name)).and_then(|()| self.medium.sync_names());
    }

    fn write_firmware(&mut self, name: &str) -> Result<(), WriteError> {
        let path = layout::target(name);
        let failed = || io(format!("writing {path}"), StickState::AsBefore);
        let depot = |e| WriteError::Io {
            what: format!("reading {name} from the depot"),
            state: StickState::AsBefore,
            source: e,
        };
        let mut reader = HashingReader::new((self.source)(name).map_err(depot)?);
        let mut sink = self.medium.create(&path).map_err(failed())?;
        let mut block = vec![0; BLOCK];
        loop {
            let count = reader.read(&mut block).map_err(depot)?;
            if count == 0 {
                break;
            }
            sink.write_all(&block[..count]).map_err(failed())?;
            self.written += count as u64;
            (self.events)(Event::Writing { bytes: self.written });
        }
        sink.sync().map_err(failed())?;
        let (found, _) = reader.finish();
        match self.contents.listed.get(name) {
            Some(sealed) if sealed.sha256 != found => {
                Err(WriteError::Source { name: name.to_owned(), expected: sealed.sha256, found })
            }
            _ => Ok(()),
        }
    }

    /// Step 3 for one file. What was there already and is damaged is written again, once.
    fn check(&mut self, name: &str, fresh: bool) -> Result<(), WriteError> {
        let path = layout::target(name);
        let Some(sealed) = self.contents.listed.get(name).copied() else { return Ok(()) };
        let found = self.read_back(&path)?;
        if found == sealed.sha256 {
            return Ok(());
        }
        if fresh {
            self.take_away(name);
            return Err(WriteError::ReadBack { path, expected: sealed.sha256, found });
        }
        (self.events)(Event::Mending { path: path.clone() });
        self.firmware(name)?;
        self.medium
            .forget(&path)
            .map_err(io(format!("dropping {path} from the cache"), StickState::AsBefore))?;
        self.check(name, true)
    }

    fn read_back(&mut self, path: &str) -> Result<Sha256Digest, WriteError> {
        let failed = || io(format!("reading {path} back"), StickState::AsBefore);
        let gone = || io::Error::new(io::ErrorKind::NotFound, "file has gone");
        let reader = self.medium.open(path).and_then(|reader| reader.ok_or_else(gone)).map_err(failed())?;
        let mut reader = HashingReader::new(reader);
        let mut block = vec![0; BLOCK];
        loop {
            let count = reader.read(&mut block).map_err(failed())?;
            if count == 0 {
                return Ok(reader.finish().0);
            }
            self.checked += count as u64;
            (self.events)(Event::Checking { bytes: self.checked });
        }
    }

    /// Step 6.
    fn remove(&mut self, removals: &[String]) -> Result<(), WriteError> {
        for path in removals {
            let removed = self.medium.remove(path);
            removed.map_err(io(format!("removing {path}"), StickState::Uncertain))?;
            if let Some((folder, _)) = path.rsplit_once('/')
                && folder.starts_with(&format!("{}/", layout::TARGETS))
                && self.medium.list(folder).is_ok_and(|rest| rest.is_empty())
            {
                self.medium
                    .remove(folder)
                    .map_err(io(format!("removing {folder}"), StickState::Uncertain))?;
            }
        }
        if !removals.is_empty() {
            self.medium.sync_names().map_err(io("syncing", StickState::Uncertain))?;
            (self.events)(Event::Removed { files: removals.len() });
        }
        Ok(())
    }
}

use std::io::{self, Read, Write};

use firmware::HashingReader;

use super::read_back::Unwritten;
use super::{Event, Source, StickState, WriteError, failed};
use crate::layout;
use crate::media::{self, Media, Past};
use crate::plan::{Contents, Sealed, WritePlan};

/// Bytes copied at a time.
const BLOCK: usize = 256 * 1024;

/// Executes a plan, step by step.
pub(super) struct Writer<'a> {
    pub(super) medium: &'a dyn Media,
    pub(super) contents: &'a Contents,
    source: &'a Source<'a>,
    events: &'a mut dyn FnMut(Event),
    written: u64,
    pub(super) checked: u64,
    pub(super) past: Option<Past>,
}

impl<'a> Writer<'a> {
    pub(super) fn new(
        medium: &'a dyn Media,
        contents: &'a Contents,
        source: &'a Source<'a>,
        events: &'a mut dyn FnMut(Event),
    ) -> Self {
        Self { medium, contents, source, events, written: 0, checked: 0, past: None }
    }

    pub(super) fn tell(&mut self, event: Event) {
        (self.events)(event);
    }

    pub(super) fn announce(&mut self, plan: &WritePlan) {
        let check_bytes = plan.checks.iter().filter_map(|name| self.listed(name)).map(|s| s.length).sum();
        let (write_bytes, unchanged) = (plan.bytes, plan.is_unchanged());
        self.tell(Event::Planned { write_bytes, check_bytes, unchanged });
    }

    pub(super) fn listed(&self, name: &str) -> Option<Sealed> {
        self.contents.listed.get(name).copied()
    }

    /// Step 2: everything but the timestamp.
    pub(super) fn prepare(&mut self, plan: &WritePlan) -> Result<(), WriteError> {
        for path in &plan.later_roots {
            let removed = self.medium.remove(path);
            removed.map_err(failed(format!("removing {path}"), StickState::Uncertain))?;
        }
        for name in &plan.targets {
            self.firmware(name)?;
        }
        if !plan.small.is_empty() || !plan.targets.is_empty() {
            self.tell(Event::Syncing);
        }
        for (path, bytes) in &plan.small {
            let wrote = media::write(self.medium, path, bytes);
            wrote.map_err(failed(format!("writing {path}"), StickState::AsBefore))?;
        }
        if plan.first_timestamp {
            let blank = vec![b' '; self.contents.timestamp.len()];
            let wrote = media::write(self.medium, layout::TIMESTAMP, &blank);
            wrote.map_err(failed("writing a blank timestamp", StickState::Uncertain))?;
        }
        // also where nothing was written: a load that was killed before leaves in memory what looks whole
        self.medium.sync_names().map_err(failed("syncing", StickState::AsBefore))
    }

    /// Writes one file of firmware. One that fails is taken away again, as far as the medium lets us:
    /// half a file would be "damaged" to an applier to which it was "not carried" before.
    pub(super) fn firmware(&mut self, name: &str) -> Result<(), WriteError> {
        let wrote = self.write_firmware(name);
        if wrote.is_err() {
            self.take_away(name);
        }
        wrote
    }

    pub(super) fn take_away(&self, name: &str) {
        // the error that led here is the one to tell
        let _ = self.medium.remove(&layout::target(name)).and_then(|()| self.medium.sync_names());
    }

    /// What comes back from the medium is held against the listed digest; hashing it here as well would
    /// tell nothing more.
    fn write_firmware(&mut self, name: &str) -> Result<(), WriteError> {
        let path = layout::target(name);
        let failed = || failed(format!("writing {path}"), StickState::AsBefore);
        let length = self.listed(name).map_or(0, |sealed| sealed.length);
        let mut reader = (self.source)(name).map_err(of_depot(name))?.take(length);
        let mut sink = self.medium.create(&path).map_err(failed())?;
        let mut block = vec![0; BLOCK];
        loop {
            let count = reader.read(&mut block).map_err(of_depot(name))?;
            if count == 0 {
                break;
            }
            sink.write_all(&block[..count]).map_err(failed())?;
            self.written += count as u64;
            self.tell(Event::Writing { bytes: self.written });
        }
        sink.sync().map_err(failed())
    }

    /// Why other bytes came back than are listed: the depot has no others, or else this.
    pub(super) fn blame(&self, name: &str, error: WriteError) -> WriteError {
        let Some(Sealed { sha256: expected, .. }) = self.listed(name) else { return error };
        let digest = |mut reader: Box<dyn Read>| {
            let mut hashed = HashingReader::new(&mut reader);
            io::copy(&mut hashed, &mut io::sink()).map(|_| hashed.finish().0)
        };
        match (self.source)(name).and_then(digest) {
            Ok(found) if found != expected => WriteError::Source { name: name.to_owned(), expected, found },
            Ok(_) => error,
            Err(error) => of_depot(name)(error),
        }
    }

    /// Writes a file again that was there before and is damaged.
    pub(super) fn mend(&mut self, file: &Unwritten) -> Result<(), WriteError> {
        let path = file.path();
        self.written = 0;
        match file {
            Unwritten::Small(_, bytes) => {
                self.tell(Event::Mending { path: path.clone(), write_bytes: bytes.len() as u64 });
                let wrote = media::write(self.medium, &path, bytes);
                wrote.map_err(failed(format!("writing {path}"), StickState::Uncertain))
            }
            Unwritten::Firmware(name) => {
                let write_bytes = self.listed(name).map_or(0, |sealed| sealed.length);
                self.tell(Event::Mending { path, write_bytes });
                self.firmware(name)
            }
        }
    }

    /// Step 4, and the bytes of it read back: a stick that forgets them would be the previous publication,
    /// and what that needs is about to be removed.
    pub(super) fn make_current(&mut self, plan: &WritePlan) -> Result<(), WriteError> {
        let (path, bytes) = (layout::TIMESTAMP, &self.contents.timestamp);
        if plan.timestamp {
            let wrote = media::write(self.medium, path, bytes).and_then(|()| self.medium.sync_names());
            wrote.map_err(failed("writing the timestamp", StickState::Uncertain))?;
        }
        self.check_small(path, bytes, StickState::Uncertain)
    }

    /// Step 6.
    pub(super) fn remove(&mut self, plan: &WritePlan) -> Result<(), WriteError> {
        for path in &plan.removals {
            let removed = self.medium.remove(path);
            removed.map_err(failed(format!("removing {path}"), StickState::Uncertain))?;
            if let Some((folder, _)) = path.rsplit_once('/')
                && folder.starts_with(&format!("{}/", layout::TARGETS))
                && self.medium.list(folder).is_ok_and(|rest| rest.is_empty())
            {
                let removed = self.medium.remove(folder);
                removed.map_err(failed(format!("removing {folder}"), StickState::Uncertain))?;
            }
        }
        if !plan.removals.is_empty() {
            self.medium.sync_names().map_err(failed("syncing", StickState::Uncertain))?;
            self.tell(Event::Removed { files: plan.removals.len() });
        }
        Ok(())
    }
}

/// What could not be read from the depot.
fn of_depot(name: &str) -> impl FnOnce(io::Error) -> WriteError {
    failed(format!("reading {name} from the depot"), StickState::AsBefore)
}

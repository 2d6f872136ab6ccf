use std::io::Read;

use firmware::{HashingReader, Sha256Digest};

use super::writer::Writer;
use super::{Event, StickState, WriteError, failed};
use crate::layout;
use crate::media::PastCache;
use crate::plan::{Sealed, WritePlan, small_files};

/// Bytes read at a time: the size at which hashing is fastest (reference: crates §1).
const BLOCK: usize = 64 * 1024;

/// A file that was there before, so that this load did not write it.
pub(super) enum Unwritten {
    /// Its path, and what it has to hold.
    Small(String, Vec<u8>),
    /// By its consistent name.
    Firmware(String),
}

impl Unwritten {
    pub(super) fn path(&self) -> String {
        match self {
            Self::Small(path, _) => path.clone(),
            Self::Firmware(name) => layout::target(name),
        }
    }
}

impl Writer<'_> {
    /// Step 3. What was there already and is damaged is written again, once; and since a stick may have put
    /// that over something else, everything is read once more.
    pub(super) fn read_back(&mut self, plan: &WritePlan) -> Result<(), WriteError> {
        let damaged = self.damaged(plan)?;
        for (file, _) in &damaged {
            self.mend(file)?;
        }
        let still = if damaged.is_empty() { Vec::new() } else { self.damaged(plan)? };
        match still.into_iter().next() {
            None => Ok(()),
            Some((Unwritten::Firmware(name), error)) => Err(self.blame(&name, error)),
            Some((Unwritten::Small(..), error)) => Err(error),
        }
    }

    /// Reads everything, what was written last as the first. What this load wrote must be whole; of what
    /// was there before, those that are not are returned: on a file system that was never closed, what was
    /// written may have been laid over them.
    fn damaged(&mut self, plan: &WritePlan) -> Result<Vec<(Unwritten, WriteError)>, WriteError> {
        self.checked = 0;
        let mut damaged = Vec::new();
        for (path, bytes) in small_files(self.contents).into_iter().rev() {
            let is_written = plan.small.iter().any(|(written, _)| *written == path);
            match self.check_small(&path, &bytes, StickState::AsBefore) {
                Err(error @ WriteError::ReadBack { .. }) if !is_written => {
                    damaged.push((Unwritten::Small(path, bytes), error));
                }
                checked => checked?,
            }
        }
        for (at, name) in plan.checks.iter().enumerate() {
            let Some(Sealed { sha256: expected, .. }) = self.listed(name) else { continue };
            let path = layout::target(name);
            let found = self.digest(&path, StickState::AsBefore, true)?;
            if found == Some(expected) {
                continue;
            }
            let error = WriteError::ReadBack { path, expected, found };
            if plan.targets.contains(name) {
                let error = self.blame(name, error);
                // those that were not read back yet may be no better
                let unread = plan.checks[at..].iter().filter(|unread| plan.targets.contains(unread));
                unread.for_each(|unread| self.take_away(unread));
                return Err(error);
            }
            damaged.push((Unwritten::Firmware(name.clone()), error));
        }
        Ok(damaged)
    }

    /// Reads back a file that was written from memory.
    pub(super) fn check_small(
        &mut self,
        path: &str,
        bytes: &[u8],
        state: StickState,
    ) -> Result<(), WriteError> {
        let (expected, found) = (Sha256Digest::of(bytes), self.digest(path, state, false)?);
        if found == Some(expected) {
            return Ok(());
        }
        Err(WriteError::ReadBack { path: path.to_owned(), expected, found })
    }

    fn forget(&self, path: &str, state: StickState) -> Result<(), WriteError> {
        self.medium.forget(path).map_err(failed(format!("dropping {path} from the cache"), state))
    }

    /// What comes back from the medium; `None` where there is no such file. `told`: its bytes are announced.
    fn digest(
        &mut self,
        path: &str,
        state: StickState,
        told: bool,
    ) -> Result<Option<Sha256Digest>, WriteError> {
        self.forget(path, state)?;
        let failed = || failed(format!("reading {path} back"), state);
        let Some(PastCache { reader, how }) = self.medium.open_past_cache(path).map_err(failed())? else {
            return Ok(None);
        };
        if self.past.replace(how) != Some(how) {
            self.tell(Event::ReadingBack { past: how });
        }
        let mut reader = HashingReader::new(reader);
        let mut block = vec![0; BLOCK];
        loop {
            let count = reader.read(&mut block).map_err(failed())?;
            if count == 0 {
                return Ok(Some(reader.finish().0));
            }
            if told {
                self.checked += count as u64;
                self.tell(Event::Checking { bytes: self.checked });
            }
        }
    }
}

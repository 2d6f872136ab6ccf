use std::collections::BTreeSet;

use super::lines::{Lines, read};
use super::{JournalError, Journals, Replay};

/// What the journals leave open.
#[derive(Debug, Default)]
pub struct Unfinished {
    /// Runs that may have to be settled, oldest first: of each recorder the newest, the newest that sent
    /// anything, and all that sent nothing and have no end. A run before another one that sent something
    /// is not among them: what the recorder answers now says nothing about it.
    pub runs: Vec<Replay>,
    /// Journals that cannot be believed.
    pub damaged: Vec<JournalError>,
}

impl Journals {
    /// Looks through all journals.
    pub fn unfinished(&self) -> Result<Unfinished, JournalError> {
        let mut unfinished = Unfinished::default();
        let (mut met, mut sent) = (BTreeSet::new(), BTreeSet::new());
        for path in self.paths()?.iter().rev() {
            let Lines { records, damage, .. } = read(path);
            let replay = match damage.map_or_else(|| Replay::of(path, &records), Err) {
                Ok(Some(replay)) => replay,
                // cut before its first line: nothing was sent or stated
                Ok(None) => continue,
                Err(damage) => {
                    unfinished.damaged.push(damage);
                    continue;
                }
            };
            let serial = replay.plan.device.serial.as_str().to_owned();
            let newest = met.insert(serial.clone());
            let open = if replay.has_sent() { sent.insert(serial) } else { replay.outcome.is_none() };
            if newest || open {
                unfinished.runs.push(replay);
            }
        }
        unfinished.runs.reverse();
        Ok(unfinished)
    }
}

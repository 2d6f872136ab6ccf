//! What went back to recorders from this laptop, written down before it was sent: where a restore was
//! interrupted, the next command knows.

use std::path::{Path, PathBuf};
use std::time::Duration;

use firmware::{Serial, Sha256Digest};
use isapi::Address;
use jiff::{SignedDuration, Timestamp};
use receipt::RestoreResult;
use serde::{Deserialize, Serialize};

use crate::event::RunId;
use crate::quiet::quiet_left;
use crate::record::{self, RecordError};

/// So many are remembered; the oldest of those that are over is forgotten first.
const MOST: usize = 500;

/// All of them, oldest first.
#[derive(Debug)]
pub struct Attempts {
    path: PathBuf,
    attempts: Vec<Attempt>,
}

/// One restore.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attempt {
    /// Its name.
    pub run: RunId,
    /// The recorder.
    pub serial: Serial,
    /// Where it was.
    pub address: Address,
    /// Digest of the configuration.
    pub configuration: Sha256Digest,
    /// How far it is.
    pub step: Step,
    /// When that was written, by the laptop's clock.
    pub last: Timestamp,
}

/// How far a restore is. Written before what it names is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// It is about to be sent, and may have been.
    Sending,
    /// The recorder took it.
    Restarting,
    /// It is over.
    Ended(RestoreResult),
}

impl Attempts {
    /// Reads the record; none is an empty one.
    pub fn open(path: &Path) -> Result<Self, RecordError> {
        Ok(Self { path: path.into(), attempts: record::read(path)? })
    }

    /// Writes down how far a restore is.
    pub fn note(&mut self, attempt: Attempt) -> Result<(), RecordError> {
        match self.attempts.iter_mut().find(|known| known.run == attempt.run) {
            Some(known) => *known = attempt,
            None => self.attempts.push(attempt),
        }
        if self.attempts.len() > MOST
            && let Some(over) = self.attempts.iter().position(|attempt| !attempt.is_unsettled())
        {
            self.attempts.remove(over);
        }
        record::write(&self.path, &self.attempts)
    }

    /// The newest restore to this recorder, if nobody knows how it ended.
    pub fn unsettled(&self, serial: &Serial) -> Option<&Attempt> {
        let newest = self.attempts.iter().rfind(|attempt| attempt.serial == *serial)?;
        newest.is_unsettled().then_some(newest)
    }
}

impl Attempt {
    fn is_unsettled(&self) -> bool {
        !matches!(
            self.step,
            Step::Ended(RestoreResult::Restored | RestoreResult::Refused | RestoreResult::Failed)
        )
    }

    /// What is left of the quiet period at `now`; `None` if it has passed.
    pub fn quiet_left(&self, quiet: Duration, now: Timestamp) -> Option<SignedDuration> {
        quiet_left(self.last, quiet, now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::tests::at;

    fn attempt(second: i64, serial: &str, step: Step) -> Attempt {
        Attempt {
            run: RunId::new(at(second), [0; 4]),
            serial: serial.parse().unwrap(),
            address: "127.0.0.1".parse().unwrap(),
            configuration: Sha256Digest::of(b"x"),
            step,
            last: at(second),
        }
    }

    #[test]
    fn an_interrupted_one_is_known_until_it_is_over() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("restores.json");
        let serial: Serial = "DS-1A".parse().unwrap();
        let open = || Attempts::open(&path).unwrap();
        let unknown = Step::Ended(RestoreResult::UnknownAfterRestore);
        for (step, open_still) in [
            (Step::Sending, true),
            (Step::Restarting, true),
            (unknown, true),
            (Step::Ended(RestoreResult::Failed), false),
        ] {
            open().note(attempt(0, "DS-1A", step)).unwrap();
            assert_eq!(open().unsettled(&serial).is_some(), open_still, "{step:?}");
        }
        open().note(attempt(1, "DS-1B", Step::Sending)).unwrap();
        assert_eq!(open().unsettled(&serial), None);
        let quiet = Duration::from_secs(900);
        let left = |now| attempt(100, "DS-1A", unknown).quiet_left(quiet, at(now)).map(|left| left.as_secs());
        assert_eq!([left(100), left(999), left(1000), left(0)], [Some(900), Some(1), None, Some(900)]);
    }

    #[test]
    fn only_what_is_over_is_forgotten() {
        let dir = tempfile::tempdir().unwrap();
        let mut attempts = Attempts::open(&dir.path().join("restores.json")).unwrap();
        let over = Step::Ended(RestoreResult::Restored);
        attempts.attempts = (2..=500).map(|second| attempt(second, "DS-1B", over)).collect();
        attempts.attempts.insert(0, attempt(1, "DS-1A", Step::Sending));
        attempts.note(attempt(501, "DS-1B", over)).unwrap();
        assert_eq!(attempts.attempts.len(), 500);
        assert!(attempts.unsettled(&"DS-1A".parse().unwrap()).is_some());
    }
}

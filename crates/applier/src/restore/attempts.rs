//! What went back to recorders from this laptop, written down before it was sent: where a restore was
//! interrupted, the next command knows.

use std::path::{Path, PathBuf};
use std::time::Duration;

use firmware::{Serial, Sha256Digest};
use isapi::{Address, Answer};
use jiff::{SignedDuration, Timestamp};
use receipt::RestoreResult;
use serde::{Deserialize, Serialize};

use super::outcome::result;
use crate::event::{Event, RunId};
use crate::quiet::quiet_left;
use crate::record::{self, RecordError};
use crate::run::{Log, LogError};
use crate::stage::Stage;

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
    /// Whether a statement tells how it ended.
    pub stated: bool,
}

/// How far a restore is. Written before what it names is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// It was agreed to; nothing was sent.
    Planned,
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
        let mut attempts = self.attempts.clone();
        match attempts.iter_mut().find(|known| known.run == attempt.run) {
            Some(known) => *known = attempt,
            None => attempts.push(attempt),
        }
        if attempts.len() > MOST
            && let Some(over) = attempts.iter().position(|attempt| !attempt.is_unsettled())
        {
            attempts.remove(over);
        }
        self.write(attempts)
    }

    /// Writes down that a statement tells how it ended. What was never sent is forgotten: it settles nothing
    /// that was sent before.
    pub fn stated(&mut self, run: &RunId) -> Result<(), RecordError> {
        let mut attempts = self.attempts.clone();
        attempts.retain(|attempt| attempt.run != *run || attempt.step != Step::Planned);
        if let Some(attempt) = attempts.iter_mut().find(|attempt| attempt.run == *run) {
            attempt.stated = true;
        }
        self.write(attempts)
    }

    /// What could not be written is not known afterwards either: it was not done.
    fn write(&mut self, attempts: Vec<Attempt>) -> Result<(), RecordError> {
        record::write(&self.path, &attempts)?;
        self.attempts = attempts;
        Ok(())
    }

    /// Those of whose end no statement tells, oldest first.
    pub fn unstated(&self) -> impl Iterator<Item = &Attempt> {
        self.attempts.iter().filter(|attempt| !attempt.stated)
    }

    /// The newest restore to this recorder that it may have taken, if nobody knows how it ended. One that it did
    /// not take settles none before it.
    pub fn unsettled(&self, serial: &Serial) -> Option<&Attempt> {
        let of_this = self.attempts.iter().filter(|attempt| attempt.serial == *serial);
        of_this.rev().find(|attempt| attempt.may_be_taken()).filter(|attempt| attempt.is_unsettled())
    }
}

impl Attempt {
    fn may_be_taken(&self) -> bool {
        use RestoreResult::{Failed, Refused};
        !matches!(self.step, Step::Planned | Step::Ended(Failed | Refused))
    }

    fn is_unsettled(&self) -> bool {
        matches!(
            self.step,
            Step::Sending | Step::Restarting | Step::Ended(RestoreResult::UnknownAfterRestore)
        )
    }

    /// What is left of the quiet period at `now`; `None` if it has passed.
    pub fn quiet_left(&self, quiet: Duration, now: Timestamp) -> Option<SignedDuration> {
        quiet_left(self.last, quiet, now)
    }
}

/// One restore, written down while it goes on.
#[derive(Debug)]
pub struct AttemptLog<'a> {
    attempts: &'a mut Attempts,
    attempt: Attempt,
}

impl<'a> AttemptLog<'a> {
    /// Begins with one that was agreed to.
    pub fn begin(attempts: &'a mut Attempts, attempt: Attempt) -> Result<Self, RecordError> {
        attempts.note(attempt.clone())?;
        Ok(Self { attempts, attempt })
    }
}

impl Log for AttemptLog<'_> {
    fn append(&mut self, at: Timestamp, event: &Event) -> Result<(), LogError> {
        let step = match event {
            Event::Push { .. } | Event::Stage { stage: Stage::Flashing } => Step::Sending,
            Event::Uploaded { answer: Some(Answer::Taken { .. }), released: true, .. } => Step::Restarting,
            // what was never sent settles nothing
            Event::Ended { outcome } if outcome.pushes > 0 => Step::Ended(result(outcome.stage)),
            _ => return Ok(()),
        };
        let attempt = Attempt { step, last: at, ..self.attempt.clone() };
        Ok(self.attempts.note(attempt)?)
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
            stated: false,
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
    fn what_was_never_sent_settles_nothing_and_is_forgotten_once_it_is_stated() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("restores.json");
        let serial: Serial = "DS-1A".parse().unwrap();
        let mut attempts = Attempts::open(&path).unwrap();
        attempts.note(attempt(0, "DS-1A", Step::Sending)).unwrap();
        attempts.note(attempt(1, "DS-1A", Step::Planned)).unwrap();
        assert_eq!(attempts.unsettled(&serial).map(|attempt| attempt.step), Some(Step::Sending));
        let runs: Vec<RunId> = attempts.unstated().map(|attempt| attempt.run.clone()).collect();
        for run in &runs {
            attempts.stated(run).unwrap();
        }
        let attempts = Attempts::open(&path).unwrap();
        assert_eq!((runs.len(), attempts.unstated().count(), attempts.attempts.len()), (2, 0, 1));
        assert!(attempts.unsettled(&serial).is_some(), "that it is unknown is stated, not settled");
    }

    #[test]
    fn one_that_was_not_taken_settles_none_before_it() {
        let dir = tempfile::tempdir().unwrap();
        let serial: Serial = "DS-1A".parse().unwrap();
        let mut attempts = Attempts::open(&dir.path().join("restores.json")).unwrap();
        attempts.note(attempt(0, "DS-1A", Step::Ended(RestoreResult::UnknownAfterRestore))).unwrap();
        let mut is_open = |second, result| {
            attempts.note(attempt(second, "DS-1A", Step::Ended(result))).unwrap();
            attempts.unsettled(&serial).map(|attempt| attempt.last)
        };
        assert_eq!(is_open(1, RestoreResult::Failed), Some(at(0)));
        assert_eq!(is_open(2, RestoreResult::Refused), Some(at(0)));
        assert_eq!(is_open(3, RestoreResult::Restored), None);
    }

    #[test]
    fn what_could_not_be_written_is_not_written_later() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("restores.json");
        let mut attempts = Attempts::open(&path).unwrap();
        attempts.note(attempt(0, "DS-1A", Step::Planned)).unwrap();
        // nothing can be put in the place of a directory
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        attempts.note(attempt(0, "DS-1A", Step::Sending)).unwrap_err();
        std::fs::remove_dir(&path).unwrap();
        attempts.note(attempt(1, "DS-1B", Step::Planned)).unwrap();
        assert_eq!(Attempts::open(&path).unwrap().unsettled(&"DS-1A".parse().unwrap()), None);
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

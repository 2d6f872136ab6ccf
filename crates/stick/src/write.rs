//! Publication to stick, in an order that survives being pulled out at any moment.
//!
//! FAT has neither a journal nor an atomic rename, so the order of writes is what protects:
//!
//! 1. room for old and new together, limits and collisions are checked ([`WritePlan::new`]);
//! 2. new firmware, then versioned metadata, each synced; where there is no timestamp yet, a blank one;
//! 3. everything is read back past the cache, what was written first as the last, and verified with the
//!    new timestamp laid over in memory;
//! 4. `timestamp.json` is written, synced and read back: from here on the stick is the new publication;
//! 5. it is opened again and verified as the applier does;
//! 6. only now superseded files of ours are removed.
//!
//! At any cut the stick is the previous publication, the new one, or rejected as damaged; nothing else.

mod read_back;
mod writer;

use std::io::{self, Read};

use firmware::Sha256Digest;
use serde::Serialize;
use tuf_client::{Clock, MemoryStore, Root, Verified};

use crate::layout;
use crate::media::{Media, Past};
use crate::obstacle::{Agreed, Obstacle};
use crate::open::{OpenError, UnverifiedPublication};
use crate::plan::{Contents, WritePlan};
use crate::survey::Survey;
use writer::Writer;

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
    /// Bytes of firmware written so far. The medium has all of them but the last few MiB.
    Writing {
        /// Of `write_bytes`.
        bytes: u64,
    },
    /// Waiting until the stick has everything.
    Syncing,
    /// Reading back begins.
    ReadingBack {
        /// How memory is kept out of it.
        past: Past,
    },
    /// Bytes of firmware read back so far.
    Checking {
        /// Of `check_bytes`.
        bytes: u64,
    },
    /// A file that was there already is damaged and is written again; then everything is read back anew.
    Mending {
        /// Which.
        path: String,
        /// Bytes to write.
        write_bytes: u64,
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
    /// Other bytes came back than were written, or none. Whatever else is on it may have gone as well.
    #[error("stick: {path} {}: the stick is failing or counterfeit", came_back(.found.as_ref(), .expected))]
    ReadBack {
        /// Which file.
        path: String,
        /// Written.
        expected: Sha256Digest,
        /// Read, if there was anything.
        found: Option<Sha256Digest>,
    },
    /// Once it was mounted anew, something is not as it was left.
    #[error("stick: {path} {what} since the stick was mounted anew: it is failing or counterfeit")]
    Forgotten {
        /// Which file.
        path: String,
        /// What became of it.
        what: &'static str,
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
            Self::ReadBack { .. } | Self::Forgotten { .. } => StickState::Uncertain,
            Self::Obstacles(_) | Self::Source { .. } => StickState::AsBefore,
        }
    }
}

fn came_back(found: Option<&Sha256Digest>, expected: &Sha256Digest) -> String {
    match found {
        Some(found) => format!("reads back as {found}, expected {expected}"),
        None => "was written and is not there".to_owned(),
    }
}

/// Where the firmware comes from: a reader by consistent name.
pub type Source<'a> = dyn Fn(&str) -> io::Result<Box<dyn Read>> + 'a;

/// Writes a publication to a medium and reads it back. `root` is the depot's own trusted root; `agreed` is
/// what may be replaced.
pub fn write(
    medium: &dyn Media,
    contents: &Contents,
    source: &Source<'_>,
    root: &Verified<Root>,
    clock: Clock,
    agreed: Agreed,
    events: &mut dyn FnMut(Event),
) -> Result<WritePlan, WriteError> {
    let survey =
        Survey::of(medium, contents).map_err(failed("reading what is on it", StickState::AsBefore))?;
    let plan = WritePlan::new(contents, &survey, agreed).map_err(WriteError::Obstacles)?;
    let mut writer = Writer::new(medium, contents, source, events);
    writer.announce(&plan);
    writer.prepare(&plan)?;
    writer.read_back(&plan)?;
    verify(medium, Some(&contents.timestamp), root, clock)?;
    writer.make_current(&plan)?;
    verify(medium, None, root, clock)?;
    writer.tell(Event::Current);
    writer.remove(&plan)?;
    Ok(plan)
}

/// Looks once more at a medium that was written, unmounted, and mounted anew: until then the system answers
/// for names from memory, and a stick that forgot some goes unnoticed.
pub fn look_again(
    medium: &dyn Media,
    contents: &Contents,
    root: &Verified<Root>,
    clock: Clock,
) -> Result<(), WriteError> {
    let survey = Survey::of(medium, contents);
    let survey = survey.map_err(failed("reading what is on it", StickState::Uncertain))?;
    // all that there is to do again
    let plan = WritePlan::without_obstacles(contents, &survey);
    let target = plan.targets.first().map(layout::target);
    let small = plan.small.into_iter().next().map(|(path, _)| path);
    let timestamp = plan.timestamp.then(|| layout::TIMESTAMP.to_owned());
    let back = plan.removals.into_iter().chain(plan.later_roots).next();
    let lost = target.or(small).or(timestamp).map(|path| (path, "is gone or changed"));
    match lost.or(back.map(|path| (path, "was removed and is there again"))) {
        Some((path, what)) => Err(WriteError::Forgotten { path, what }),
        None => verify(medium, None, root, clock),
    }
}

/// As the applier does; with a timestamp that is not there yet, what is there may be the one before.
fn verify(
    medium: &dyn Media,
    timestamp: Option<&[u8]>,
    root: &Verified<Root>,
    clock: Clock,
) -> Result<(), WriteError> {
    let state = if timestamp.is_some() { StickState::AsBefore } else { StickState::Uncertain };
    let publication = UnverifiedPublication::on(medium);
    let publication = timestamp.map_or(publication, |t| publication.with_timestamp(t));
    let verified = publication.verify(&mut MemoryStore::trusting(root), clock);
    verified.map(drop).map_err(|source| WriteError::Verify { state, source })
}

fn failed(what: impl Into<String>, state: StickState) -> impl FnOnce(io::Error) -> WriteError {
    let what = what.into();
    move |source| WriteError::Io { what, state, source }
}

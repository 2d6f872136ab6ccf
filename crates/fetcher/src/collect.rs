//! Statements on a stick to the ledger.

use jiff::Timestamp;
use receipt::LaptopId;
use serde::Serialize;
use stick::Media;
use stick::statements::{self, Found};
use terminal::Count;

use crate::ledger::{Ledger, LedgerError, Received};

/// What a stick brought.
#[derive(Debug, Default, Serialize)]
pub struct Collected {
    /// New statements, each in words.
    pub new: Vec<Arrival>,
    /// Statements that had arrived before.
    pub known: u64,
    /// Statements of laptops that are not enrolled.
    pub held: Vec<LaptopId>,
    /// Files that are no statements of the laptop in whose folder they lie.
    pub rejected: Vec<Reject>,
}

impl Collected {
    /// What it brought, in lines for people.
    pub fn news(&self) -> impl Iterator<Item = String> {
        let new = self
            .new
            .iter()
            .map(|arrival| format!("{}/{}  {}", arrival.laptop, arrival.counter, arrival.says));
        let count = format!("{}, {} known", Count(self.new.len(), "new statement"), self.known);
        new.chain([count])
    }

    /// What somebody should look at.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        let held = self.held.iter();
        let held = held
            .map(|laptop| format!("laptop {laptop} is not enrolled: its statements are held until it is"));
        let rejected = self.rejected.iter().take(MOST_TOLD);
        let rejected = rejected.map(|reject| format!("{} rejected: {}", reject.path, reject.reason));
        let more = self.rejected.len().saturating_sub(MOST_TOLD);
        let more = (more > 0).then(|| format!("{more} more were rejected"));
        held.chain(rejected).chain(more)
    }
}

/// A statement that is new to the ledger.
#[derive(Debug, Serialize)]
pub struct Arrival {
    /// Who says it.
    pub laptop: LaptopId,
    /// Its number.
    pub counter: u64,
    /// What it says, in a line.
    pub says: String,
}

/// A file that was not taken.
#[derive(Debug, Serialize)]
pub struct Reject {
    /// Where it lies on the stick.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// Why not all statements of a stick could be taken. Those that were are kept; the others are still on it.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The stick cannot be read.
    #[error("stick: statements cannot be listed")]
    Stick(#[source] std::io::Error),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Files that are no statements and are named one by one.
const MOST_TOLD: usize = 20;
/// Statements that are read before the ledger is changed: one stick that is slow does not hold up another.
const BATCH: usize = 64;

/// Takes every statement of a stick. Nothing on the stick is changed.
pub fn collect(medium: &dyn Media, ledger: &Ledger, now: Timestamp) -> Result<Collected, CollectError> {
    let mut collected = Collected::default();
    for batch in batches(medium)? {
        collected.take_all(batch, ledger, now)?;
    }
    Ok(collected)
}

/// The statements of a stick as they are read from it, some at a time.
pub fn batches(medium: &dyn Media) -> Result<impl Iterator<Item = Vec<Found>>, CollectError> {
    let found = statements::find(medium).map_err(CollectError::Stick)?;
    let mut found = found.into_iter().peekable();
    Ok(std::iter::from_fn(move || {
        found.peek()?;
        Some(
            found
                .by_ref()
                .take(BATCH)
                .map(|(laptop, counter)| statements::take(medium, &laptop, counter))
                .collect(),
        )
    }))
}

impl Collected {
    /// Takes what was read, all of it or nothing.
    pub fn take_all(&mut self, read: Vec<Found>, ledger: &Ledger, now: Timestamp) -> Result<(), LedgerError> {
        let change = ledger.begin()?;
        for found in read {
            self.take(found, ledger, now)?;
        }
        Ok(change.commit()?)
    }

    fn take(&mut self, found: Found, ledger: &Ledger, now: Timestamp) -> Result<(), LedgerError> {
        let Found { path, laptop, counter, bytes } = found;
        let mut reject = |reason: String| self.rejected.push(Reject { path: path.clone(), reason });
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(e) => {
                reject(e.to_string());
                return Ok(());
            }
        };
        match ledger.receive(&laptop, counter, &bytes, now)? {
            Received::New(statement) => {
                let says = statement.statement().to_string();
                self.new.push(Arrival { laptop, counter, says });
            }
            Received::Known => self.known += 1,
            Received::Held if self.held.contains(&laptop) => {}
            Received::Held => self.held.push(laptop),
            Received::Full => reject("its laptop is not enrolled, and too many such are held already".into()),
            Received::Rejected(e) => reject(chain(&e)),
        }
        Ok(())
    }
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

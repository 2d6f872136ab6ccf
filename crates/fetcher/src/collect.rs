//! Statements on a stick to the ledger.

use jiff::Timestamp;
use receipt::LaptopId;
use serde::Serialize;
use stick::{Media, statements};

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

/// Why a stick could not be collected from. Nothing of it was taken.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The stick cannot be read.
    #[error("stick: statements cannot be listed")]
    Stick(#[source] std::io::Error),
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// Takes every statement of a stick. Nothing on the stick is changed.
pub fn collect(medium: &dyn Media, ledger: &Ledger, now: Timestamp) -> Result<Collected, CollectError> {
    let mut collected = Collected::default();
    let change = ledger.begin()?;
    for (laptop, counter) in statements::find(medium).map_err(CollectError::Stick)? {
        let found = statements::take(medium, &laptop, counter);
        let mut reject =
            |reason: String| collected.rejected.push(Reject { path: found.path.clone(), reason });
        let bytes = match found.bytes {
            Ok(bytes) => bytes,
            Err(e) => {
                reject(e.to_string());
                continue;
            }
        };
        match ledger.receive(&laptop, counter, &bytes, now)? {
            Received::New(statement) => {
                let says = statement.statement().to_string();
                collected.new.push(Arrival { laptop, counter, says });
            }
            Received::Known => collected.known += 1,
            Received::Held if collected.held.contains(&laptop) => {}
            Received::Held => collected.held.push(laptop),
            Received::Full => reject("its laptop is not enrolled, and too many such are held already".into()),
            Received::Rejected(e) => reject(chain(&e)),
        }
    }
    change.commit().map_err(LedgerError::from)?;
    Ok(collected)
}

fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |e| e.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

//! The ledger: every statement that came home, and who may send them.
//!
//! One SQLite file. A statement gets in only under the signature of an enrolled laptop; others are
//! held, not dropped, until their laptop is enrolled. Rows are only ever added.

mod audits;
mod cameras;
mod laptops;
mod recorders;
mod statements;

use std::path::Path;

use firmware::Sha256Digest;
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub use audits::LastAudit;
pub use cameras::LastCameras;
pub use laptops::Laptop;
pub use recorders::{LastWord, Request, RunResult};
pub use statements::{Finding, Received};

/// The depot's record of laptops and their statements.
#[derive(Debug)]
pub struct Ledger {
    db: Connection,
}

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database.
    #[error("ledger: database failed")]
    Database(#[from] rusqlite::Error),
    /// It was written by a later version of this program.
    #[error("ledger: has format {0}, this program knows {FORMAT}: update it")]
    Format(i64),
    /// A stored value cannot be read back.
    #[error("ledger: {0} cannot be read back: the file is damaged")]
    Damaged(&'static str),
    /// The laptop's key is in the ledger already.
    #[error("laptop {0} is enrolled already")]
    Enrolled(receipt::LaptopId),
}

const FORMAT: i64 = 1;
/// The kind of statements that say what a recorder is and needs.
const INVENTORY: &str = "inventory";
/// The kind of those that say what it is and that it needs nothing: they answer no request.
const INVENTORY_ALONE: &str = "inventory-alone";
/// Both, for LIKE.
const INVENTORIES: &str = "inventory%";

/// The `kind` of audits. They tell how a recorder is set up, and nothing of pushes.
const AUDIT: &str = "audit";

const SCHEMA: &str = "
CREATE TABLE laptops (
    id TEXT PRIMARY KEY,
    public_key TEXT NOT NULL,
    enrolled TEXT NOT NULL
) STRICT;

-- the last five columns repeat facts of the signed envelope, for queries
CREATE TABLE statements (
    laptop TEXT NOT NULL REFERENCES laptops (id),
    counter INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    previous TEXT,
    received TEXT NOT NULL,
    envelope BLOB NOT NULL,
    kind TEXT NOT NULL,
    serial TEXT,
    claimed INTEGER NOT NULL, -- microseconds since 1970
    PRIMARY KEY (laptop, counter, sha256)
) STRICT;
CREATE INDEX statements_by_serial ON statements (serial, claimed);

CREATE TABLE held (
    laptop TEXT NOT NULL,
    counter INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    received TEXT NOT NULL,
    envelope BLOB NOT NULL,
    PRIMARY KEY (laptop, counter, sha256)
) STRICT;
";

impl Ledger {
    /// Opens the ledger; it is made if it is not there.
    pub fn open(path: &Path) -> Result<Self, LedgerError> {
        let mut db = Connection::open(path)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.pragma_update(None, "foreign_keys", true)?;
        let change = db.transaction()?;
        match change.query_row("PRAGMA user_version", [], |row| row.get(0))? {
            0 => {
                change.execute_batch(SCHEMA)?;
                change.pragma_update(None, "user_version", FORMAT)?;
            }
            FORMAT => {}
            later => return Err(LedgerError::Format(later)),
        }
        change.commit()?;
        Ok(Self { db })
    }
}

impl Ledger {
    /// Begins a change: all of it is kept at `commit`, or none. Another one that is under way is waited for now:
    /// SQLite waits for none once something was read.
    pub fn begin(&self) -> Result<Transaction<'_>, LedgerError> {
        Ok(Transaction::new_unchecked(&self.db, TransactionBehavior::Immediate)?)
    }
}

fn digest(text: &str) -> Result<Sha256Digest, LedgerError> {
    text.parse().map_err(|_| LedgerError::Damaged("digest"))
}

/// Counters are SQLite integers; a larger one is no counter that a laptop reached.
fn integer(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;

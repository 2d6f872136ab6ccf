//! The ledger: every statement that came home, and who may send them.
//!
//! A statement gets in only under the signature of an enrolled laptop; others are held, not dropped, until their
//! laptop is enrolled. Rows are only ever added. The database repeats facts of the signed envelopes so that they can
//! be asked for; what is told of a statement is read from its envelope, whose signature is verified again.
//!
//! It is a file of SQLite in the home, or a database of a PostgreSQL server where several depots share it. The two are
//! served by `rusqlite` and the blocking client of `postgres`, behind one trait of seven functions:
//! every query and every migration is written once, in the SQL that both understand. `sqlx`, which knows both, is
//! asynchronous, ten times as much code, and its SQLite cannot be linked beside another one.

mod audits;
mod cameras;
mod chain;
mod check;
mod database;
mod facts;
mod finding;
mod laptops;
mod migrations;
mod postgresql;
mod recorders;
mod sqlite;
mod statements;

use std::error::Error;
use std::path::PathBuf;

use keys::PublicKey;
use receipt::{Envelope, LaptopId, VerifiedStatement};

pub use audits::LastAudit;
pub use cameras::LastCameras;
pub use check::{Checked, Keys};
pub use finding::{Finding, Open, Regressed};
pub use laptops::Laptop;
pub use recorders::{LastWord, Request, RunResult};
pub use statements::Received;

use crate::home::LedgerServer;
use database::{Database, Row, Value};

/// The depot's record of laptops and their statements.
#[derive(Debug)]
pub struct Ledger {
    db: Box<dyn Database>,
}

/// Where a ledger is.
#[derive(Debug, Clone)]
pub enum Location {
    /// In a file; it is made if it is not there.
    File(PathBuf),
    /// In a database of a server.
    Server(LedgerServer),
}

type Cause = Box<dyn Error + Send + Sync>;

/// Why the ledger could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database.
    #[error("ledger: database failed")]
    Database(#[source] Cause),
    /// The URL of the server is not one that is used.
    #[error("ledger: url in fetcher.toml {0}")]
    Url(&'static str),
    /// The password of the server cannot be read.
    #[error("ledger: password_file in fetcher.toml cannot be read")]
    Password(terminal::Failure),
    /// The authorities that vouch for the server cannot be read.
    #[error("ledger: ca in fetcher.toml, {}", .0.display())]
    Ca(PathBuf, #[source] Cause),
    /// No connection to the server.
    #[error("ledger: server cannot be reached; nothing was changed")]
    Unreachable(#[source] Cause),
    /// The server does not let this user in.
    #[error("ledger: server refused the log-in; nothing was changed")]
    LogIn(#[source] Cause),
    /// Names of recorders may be in any script.
    #[error("ledger: database has the encoding {0}, expected UTF8")]
    Encoding(String),
    /// It was written by a later version of this program.
    #[error("ledger: has format {0}, this program knows {known}: update it", known = migrations::FORMAT)]
    Format(i64),
    /// A stored value cannot be read back.
    #[error("ledger: {0} cannot be read back: the database is damaged")]
    Damaged(&'static str),
    /// The laptop's key is in the ledger already.
    #[error("laptop {0} is enrolled already")]
    Enrolled(LaptopId),
    /// Nobody enrolled it.
    #[error("laptop {0} is not enrolled")]
    NotEnrolled(LaptopId),
    /// What is not believed any more is not believed again.
    #[error("laptop {laptop} is revoked after statement {after} already")]
    Revoked {
        /// Which.
        laptop: LaptopId,
        /// The last statement of it that is believed.
        after: u64,
    },
}

/// The kinds of statements about a push and about a restore.
const PUSH_STARTED: &str = "push-started";
const PUSH_ENDED: &str = "push-ended";
const RESTORE_STARTED: &str = "restore-started";
const RESTORE_ENDED: &str = "restore-ended";
/// The kind of statements that say what a recorder is and needs.
const INVENTORY: &str = "inventory";
/// The kind of those that say what it is and that it needs nothing: they answer no request.
const INVENTORY_ALONE: &str = "inventory-alone";
/// Both, for LIKE.
const INVENTORIES: &str = "inventory%";
/// The `kind` of audits. They tell how a recorder is set up, and nothing of pushes.
const AUDIT: &str = "audit";

impl Ledger {
    /// Opens the ledger and brings it to this version's format.
    pub fn open(location: &Location) -> Result<Self, LedgerError> {
        let db: Box<dyn Database> = match location {
            Location::File(path) => Box::new(sqlite::Sqlite::open(path)?),
            Location::Server(server) => Box::new(postgresql::Postgresql::open(server)?),
        };
        let ledger = Self { db };
        ledger.migrate()?;
        Ok(ledger)
    }

    /// Begins a change: all of it is kept at `commit`, or none. Another one that is under way is waited for now.
    pub fn begin(&self) -> Result<Change<'_>, LedgerError> {
        self.db.begin()?;
        Ok(Change { db: &*self.db, is_open: true })
    }

    /// Every row that a query gives, read by `read`.
    fn rows<T>(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        read: impl Fn(&Row<'_>) -> Result<T, LedgerError>,
    ) -> Result<Vec<T>, LedgerError> {
        let mut rows = Vec::new();
        self.db.query(sql, values, &mut |row| {
            rows.push(read(row)?);
            Ok(())
        })?;
        Ok(rows)
    }
}

/// A change of the ledger under way. One that is not committed is forgotten.
#[derive(Debug)]
#[must_use]
pub struct Change<'a> {
    db: &'a dyn Database,
    is_open: bool,
}

impl Change<'_> {
    /// Keeps it, durably.
    pub fn commit(mut self) -> Result<(), LedgerError> {
        self.db.commit()?;
        self.is_open = false;
        Ok(())
    }
}

impl Drop for Change<'_> {
    fn drop(&mut self) {
        if self.is_open {
            // a connection that is gone has forgotten it already
            let _ = self.db.roll_back();
        }
    }
}

/// A stored statement, verified again.
fn read_back(envelope: &[u8], key: &str) -> Result<VerifiedStatement, LedgerError> {
    let damaged = || LedgerError::Damaged("statement");
    let key: PublicKey = key.parse().map_err(|_| LedgerError::Damaged("public key"))?;
    let envelope = Envelope::read(envelope).map_err(|_| damaged())?;
    VerifiedStatement::open(&envelope, &key).map_err(|_| damaged())
}

/// Counters are integers of 64 bits in databases; a larger one is no counter that a laptop reached.
fn integer(counter: u64) -> i64 {
    i64::try_from(counter).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;

use std::fmt;

use jiff::Timestamp;
use receipt::{Body, Envelope, InvalidStatement, LaptopId, VerifiedStatement};
use serde::Serialize;

use super::{AUDIT, INVENTORY, INVENTORY_ALONE, Ledger, LedgerError, digest, integer};

/// What became of a statement.
#[derive(Debug)]
pub enum Received {
    /// It is new.
    New(Box<VerifiedStatement>),
    /// It is in the ledger already.
    Known,
    /// Its laptop is not enrolled: it is kept until it is.
    Held,
    /// Its laptop is not enrolled, and too much is held already: it stays on the stick.
    Full,
    /// It is no statement, or not one of that laptop.
    Rejected(InvalidStatement),
}

/// Something wrong with the chains as they stand in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "finding", rename_all = "kebab-case")]
pub enum Finding {
    /// Statements are missing between two that arrived.
    Gap {
        /// Whose.
        laptop: LaptopId,
        /// The first missing counter.
        first: u64,
        /// The last missing counter.
        last: u64,
    },
    /// Two statements claim one place, or one names another predecessor than arrived: the key was
    /// copied, or the laptop's state was set back.
    Fork {
        /// Whose.
        laptop: LaptopId,
        /// Where.
        counter: u64,
    },
    /// Statements wait for their laptop to be enrolled.
    Held {
        /// As their folder says.
        laptop: LaptopId,
        /// How many.
        statements: u32,
    },
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { laptop, first, last } if first == last => {
                write!(f, "laptop {laptop}: statement {first} has not arrived")
            }
            Self::Gap { laptop, first, last } => {
                write!(f, "laptop {laptop}: statements {first} to {last} have not arrived")
            }
            Self::Fork { laptop, counter } => write!(
                f,
                "laptop {laptop}: its chain forks at statement {counter}: its key was copied or its state was set back"
            ),
            Self::Held { laptop, statements } => {
                write!(f, "laptop {laptop}: not enrolled, {statements} statements are held")
            }
        }
    }
}

/// Statements held for laptops that are not enrolled, all together: anybody can make such, and a
/// laptop that is soon enrolled has a few dozen.
const MOST_HELD: u32 = 2_000;

impl Ledger {
    /// Takes the bytes of one statement that claims this laptop and counter by its place.
    pub fn receive(
        &self,
        laptop: &LaptopId,
        counter: u64,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<Received, LedgerError> {
        let envelope = match Envelope::read(bytes) {
            Ok(envelope) => envelope,
            Err(e) => return Ok(Received::Rejected(e.into())),
        };
        let Some(key) = self.key_of(laptop)? else {
            let held: u32 = self.db.query_row("SELECT count(*) FROM held", [], |row| row.get(0))?;
            if held >= MOST_HELD {
                return Ok(Received::Full);
            }
            self.db.execute(
                "INSERT OR IGNORE INTO held (laptop, counter, sha256, received, envelope) VALUES (?1, ?2, ?3, ?4, ?5)",
                (laptop.as_str(), integer(counter), envelope.digest().to_string(), now.to_string(), bytes),
            )?;
            return Ok(Received::Held);
        };
        let statement = match VerifiedStatement::open(&envelope, &key) {
            Ok(statement) => statement,
            Err(e) => return Ok(Received::Rejected(e)),
        };
        let added = self.insert(&statement, bytes, now)?;
        Ok(if added { Received::New(Box::new(statement)) } else { Received::Known })
    }

    fn insert(
        &self,
        verified: &VerifiedStatement,
        bytes: &[u8],
        now: Timestamp,
    ) -> Result<bool, LedgerError> {
        let head = &verified.statement().head;
        let (kind, serial) = match &verified.statement().body {
            Body::PushStarted(body) => ("push-started", Some(body.device.serial.normalised())),
            Body::PushEnded(body) => ("push-ended", Some(body.device.serial.normalised())),
            Body::Inventory(body) => {
                let kind = if body.needs.is_empty() { INVENTORY_ALONE } else { INVENTORY };
                (kind, Some(body.device.serial.normalised()))
            }
            Body::RestoreStarted(body) => ("restore-started", Some(body.device.serial.normalised())),
            Body::RestoreEnded(body) => ("restore-ended", Some(body.device.serial.normalised())),
            Body::Audit(body) => (AUDIT, Some(body.device.serial.normalised())),
            Body::Other { predicate_type, .. } => (predicate_type.as_str(), None),
        };
        let added = self.db.execute(
            "INSERT OR IGNORE INTO statements
             (laptop, counter, sha256, previous, received, envelope, kind, serial, claimed)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            (
                head.laptop.as_str(),
                integer(head.counter),
                verified.digest().to_string(),
                head.previous.map(|p| p.to_string()),
                now.to_string(),
                bytes,
                kind,
                serial,
                head.times.claimed.as_microsecond(),
            ),
        )?;
        Ok(added == 1)
    }

    /// Moves the held statements of a laptop that is now enrolled into the ledger.
    pub(super) fn take_held(&self, laptop: &LaptopId, now: Timestamp) -> Result<u64, LedgerError> {
        let rows_held: Vec<i64> = {
            let mut query = self.db.prepare("SELECT rowid FROM held WHERE laptop = ?1 ORDER BY counter")?;
            let found = query.query_map([laptop.as_str()], |row| row.get(0))?;
            found.collect::<Result<_, _>>()?
        };
        let mut taken = 0;
        for row in rows_held {
            let query = "SELECT counter, envelope FROM held WHERE rowid = ?1";
            let (counter, envelope): (i64, Vec<u8>) =
                self.db.query_row(query, [row], |row| Ok((row.get(0)?, row.get(1)?)))?;
            let counter = u64::try_from(counter).map_err(|_| LedgerError::Damaged("counter"))?;
            if let Received::New(_) = self.receive(laptop, counter, &envelope, now)? {
                taken += 1;
            }
        }
        self.db.execute("DELETE FROM held WHERE laptop = ?1", [laptop.as_str()])?;
        Ok(taken)
    }

    /// Gaps and forks in the chains, and what is held.
    pub fn findings(&self) -> Result<Vec<Finding>, LedgerError> {
        let mut findings = Vec::new();
        for laptop in self.laptops()? {
            self.chain_findings(&laptop.laptop, &mut findings)?;
        }
        let mut query =
            self.db.prepare("SELECT laptop, count(*) FROM held GROUP BY laptop ORDER BY laptop")?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            let laptop: String = row.get(0)?;
            let laptop = laptop.parse().map_err(|_| LedgerError::Damaged("laptop id"))?;
            findings.push(Finding::Held { laptop, statements: row.get(1)? });
        }
        Ok(findings)
    }

    fn chain_findings(&self, laptop: &LaptopId, findings: &mut Vec<Finding>) -> Result<(), LedgerError> {
        let mut query = self.db.prepare(
            "SELECT counter, sha256, previous FROM statements WHERE laptop = ?1 ORDER BY counter, received",
        )?;
        let mut rows = query.query([laptop.as_str()])?;
        let mut before = None;
        while let Some(row) = rows.next()? {
            let counter =
                u64::try_from(row.get::<_, i64>(0)?).map_err(|_| LedgerError::Damaged("counter"))?;
            let sha256 = digest(&row.get::<_, String>(1)?)?;
            let previous = row.get::<_, Option<String>>(2)?.map(|p| digest(&p)).transpose()?;
            let (last, last_sha256) = before.map_or((0, None), |(c, d)| (c, Some(d)));
            if counter == last || (counter == last + 1 && previous != last_sha256) {
                findings.push(Finding::Fork { laptop: laptop.clone(), counter });
            } else if counter > last + 1 {
                findings.push(Finding::Gap { laptop: laptop.clone(), first: last + 1, last: counter - 1 });
            }
            before = Some((counter, sha256));
        }
        Ok(())
    }
}

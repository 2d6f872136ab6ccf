use jiff::Timestamp;
use keys::PublicKey;
use receipt::LaptopId;
use rusqlite::OptionalExtension;
use serde::Serialize;

use super::{Ledger, LedgerError, integer};

/// A laptop whose statements are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Laptop {
    /// Its id.
    pub laptop: LaptopId,
    /// When it was enrolled, by the depot's clock.
    pub enrolled: Timestamp,
    /// Statements received from it.
    pub statements: u64,
    /// Up to which counter they arrived without a gap.
    pub complete_to: u64,
}

impl Ledger {
    /// Enrols a laptop. Statements of it that were held until now are taken, those that verify.
    pub fn enrol(&self, key: &PublicKey, now: Timestamp) -> Result<u64, LedgerError> {
        let laptop = LaptopId::of(key);
        let change = self.begin()?;
        let added = self.db.execute(
            "INSERT OR IGNORE INTO laptops (id, public_key, enrolled) VALUES (?1, ?2, ?3)",
            (laptop.as_str(), key.to_string(), now.to_string()),
        )?;
        if added == 0 {
            return Err(LedgerError::Enrolled(laptop));
        }
        let taken = self.take_held(&laptop, now)?;
        change.commit()?;
        Ok(taken)
    }

    /// The public key of an enrolled laptop.
    pub fn key_of(&self, laptop: &LaptopId) -> Result<Option<PublicKey>, LedgerError> {
        let query = "SELECT public_key FROM laptops WHERE id = ?1";
        let key: Option<String> = self.db.query_row(query, [laptop.as_str()], |row| row.get(0)).optional()?;
        key.map(|key| key.parse().map_err(|_| LedgerError::Damaged("public key"))).transpose()
    }

    /// Every enrolled laptop, by id.
    pub fn laptops(&self) -> Result<Vec<Laptop>, LedgerError> {
        let mut query = self.db.prepare(
            "SELECT l.id, l.enrolled, count(s.counter)
             FROM laptops l LEFT JOIN statements s ON s.laptop = l.id GROUP BY l.id ORDER BY l.id",
        )?;
        let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
        let rows: Vec<(String, String, u32)> = rows.collect::<Result<_, _>>()?;
        let laptop = |(id, enrolled, statements): (String, String, u32)| {
            let laptop: LaptopId = id.parse().map_err(|_| LedgerError::Damaged("laptop id"))?;
            let enrolled = enrolled.parse().map_err(|_| LedgerError::Damaged("time"))?;
            let complete_to = self.complete_to(&laptop)?;
            Ok(Laptop { laptop, enrolled, statements: statements.into(), complete_to })
        };
        rows.into_iter().map(laptop).collect()
    }

    /// The last counter of a laptop before the first gap.
    fn complete_to(&self, laptop: &LaptopId) -> Result<u64, LedgerError> {
        let mut query =
            self.db.prepare("SELECT DISTINCT counter FROM statements WHERE laptop = ?1 ORDER BY counter")?;
        let mut rows = query.query([laptop.as_str()])?;
        let mut last = 0;
        while let Some(row) = rows.next()? {
            if row.get::<_, i64>(0)? != integer(last + 1) {
                break;
            }
            last += 1;
        }
        Ok(last)
    }
}

use jiff::Timestamp;
use keys::PublicKey;
use receipt::LaptopId;
use serde::Serialize;

use super::{Ledger, LedgerError, Open, integer};

/// A laptop whose statements are taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Laptop {
    /// Its id.
    pub laptop: LaptopId,
    /// When it was enrolled, by the depot's clock.
    pub enrolled: Timestamp,
    /// Statements of it that are believed.
    pub statements: u64,
    /// Up to which counter they arrived without a gap.
    pub complete_to: u64,
    /// The last statement that is believed, where it was revoked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revoked_after: Option<u64>,
    /// Statements beyond that one.
    pub beyond: u64,
    /// Runs that it began and whose end has not arrived.
    pub open: Vec<Open>,
}

impl Ledger {
    /// Enrols a laptop. Statements of it that were held until now are taken, those that verify.
    pub fn enrol(&self, key: &PublicKey, now: Timestamp) -> Result<u64, LedgerError> {
        let laptop = LaptopId::of(key);
        let change = self.begin()?;
        let added = self.db.execute(
            "INSERT INTO laptops (id, public_key, enrolled) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
            &[laptop.as_str().into(), key.to_string().as_str().into(), now.to_string().as_str().into()],
        )?;
        if added == 0 {
            return Err(LedgerError::Enrolled(laptop));
        }
        let taken = self.take_held(&laptop, now)?;
        change.commit()?;
        Ok(taken)
    }

    /// Believes a laptop only up to this counter from now on; gives how many of its statements that leaves out.
    pub fn revoke(&self, laptop: &LaptopId, after: u64, now: Timestamp) -> Result<u64, LedgerError> {
        let change = self.begin()?;
        let last = self.last_believed(laptop)?.ok_or_else(|| LedgerError::NotEnrolled(laptop.clone()))?;
        if last <= after {
            return Err(LedgerError::Revoked { laptop: laptop.clone(), after: last });
        }
        self.db.execute(
            "UPDATE laptops SET revoked_after = ?2, revoked = ?3 WHERE id = ?1",
            &[laptop.as_str().into(), integer(after).into(), now.to_string().as_str().into()],
        )?;
        let beyond = self.beyond(laptop, after)?;
        change.commit()?;
        Ok(beyond)
    }

    /// The last statement of an enrolled laptop that is believed, which is beyond all where it was not revoked.
    pub(super) fn last_believed(&self, laptop: &LaptopId) -> Result<Option<u64>, LedgerError> {
        let query = "SELECT revoked_after FROM laptops WHERE id = ?1";
        let found = self.rows(query, &[laptop.as_str().into()], |row| match row.maybe_integer(0)? {
            Some(_) => row.natural(0),
            None => Ok(u64::MAX),
        })?;
        Ok(found.first().copied())
    }

    /// How many statements of a laptop are in the ledger beyond a counter.
    pub(super) fn beyond(&self, laptop: &LaptopId, counter: u64) -> Result<u64, LedgerError> {
        let query = "SELECT count(*) FROM statements WHERE laptop = ?1 AND counter > ?2";
        let found =
            self.rows(query, &[laptop.as_str().into(), integer(counter).into()], |row| row.natural(0))?;
        Ok(found.into_iter().sum())
    }

    /// Every enrolled laptop, by id.
    pub fn laptops(&self) -> Result<Vec<Laptop>, LedgerError> {
        let open = self.open_runs()?;
        // in a chain without a gap each counter is as large as its place
        self.rows(
            "WITH placed AS (
                 SELECT laptop, counter, dense_rank() OVER (PARTITION BY laptop ORDER BY counter) AS place FROM statements
             ), judged AS (
                 SELECT l.id, l.enrolled, l.revoked_after, p.counter, p.place,
                        CASE WHEN l.revoked_after IS NULL OR p.counter <= l.revoked_after THEN 1 ELSE 0 END AS believed
                 FROM laptops l LEFT JOIN placed p ON p.laptop = l.id
             )
             SELECT id, enrolled, revoked_after,
                    count(CASE WHEN believed = 1 THEN counter END), count(CASE WHEN believed = 0 THEN counter END),
                    max(CASE WHEN believed = 1 AND counter = place THEN counter END)
             FROM judged GROUP BY id, enrolled, revoked_after ORDER BY id",
            &[],
            |row| {
                let laptop: LaptopId = row.parsed(0, "laptop id")?;
                let maybe = |column| row.maybe_integer(column)?.map(|_| row.natural(column)).transpose();
                Ok(Laptop {
                    enrolled: row.parsed(1, "time")?,
                    statements: row.natural(3)?,
                    complete_to: maybe(5)?.unwrap_or(0),
                    revoked_after: maybe(2)?,
                    beyond: row.natural(4)?,
                    open: open.iter().filter(|open| open.laptop == laptop).cloned().collect(),
                    laptop,
                })
            },
        )
    }
}

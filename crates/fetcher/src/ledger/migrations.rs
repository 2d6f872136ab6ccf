//! From each format of the ledger to the next, each in one change.

use super::database::Value;
use super::facts::Facts;
use super::{Ledger, LedgerError};

/// What leads from one format to the next.
struct Migration {
    /// In SQLite's words for types; PostgreSQL's are put in their place.
    sql: &'static str,
    /// What the tables are filled with, of what they hold.
    fill: fn(&Ledger) -> Result<(), LedgerError>,
}

/// The first makes format 1 of an empty database. What has been released is never changed again.
const MIGRATIONS: [Migration; 2] =
    [Migration { sql: FIRST, fill: |_| Ok(()) }, Migration { sql: SECOND, fill: Ledger::fill_facts }];

/// The format of this version.
#[allow(clippy::cast_possible_wrap)] // there are two
pub(super) const FORMAT: i64 = MIGRATIONS.len() as i64;

/// Format 1. The last five columns of statements repeat facts of the signed envelope, for queries; claimed is in
/// microseconds since 1970.
const FIRST: &str = "
CREATE TABLE laptops (
    id TEXT PRIMARY KEY,
    public_key TEXT NOT NULL,
    enrolled TEXT NOT NULL
) STRICT;

CREATE TABLE statements (
    laptop TEXT NOT NULL REFERENCES laptops (id),
    counter INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    previous TEXT,
    received TEXT NOT NULL,
    envelope BLOB NOT NULL,
    kind TEXT NOT NULL,
    serial TEXT,
    claimed INTEGER NOT NULL,
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

/// Format 2: laptops can be revoked; replays, regressions and pushes that are still open are found. The indices
/// hold all that the queries over every statement read, so that these pass over the envelopes.
const SECOND: &str = "
ALTER TABLE laptops ADD COLUMN revoked_after INTEGER;
ALTER TABLE laptops ADD COLUMN revoked TEXT;

ALTER TABLE statements ADD COLUMN run TEXT;
ALTER TABLE statements ADD COLUMN root INTEGER;
ALTER TABLE statements ADD COLUMN publication INTEGER;
ALTER TABLE statements ADD COLUMN clock_resets INTEGER;

DROP INDEX statements_by_serial;
CREATE INDEX statements_by_serial ON statements (serial, laptop, counter, kind, claimed, sha256);
CREATE INDEX statements_by_run ON statements (laptop, run, kind) WHERE run IS NOT NULL;

CREATE VIEW believed AS
SELECT s.* FROM statements s JOIN laptops l ON l.id = s.laptop
WHERE l.revoked_after IS NULL OR s.counter <= l.revoked_after;

CREATE TABLE replays (
    laptop TEXT NOT NULL REFERENCES laptops (id),
    counter INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    folder TEXT NOT NULL,
    number INTEGER NOT NULL,
    received TEXT NOT NULL,
    PRIMARY KEY (laptop, counter, sha256, folder, number)
) STRICT;
";

impl Ledger {
    /// Brings the ledger to this version's format; what a later version wrote is refused.
    pub(super) fn migrate(&self) -> Result<(), LedgerError> {
        while self.db.format()? != FORMAT {
            let change = self.begin()?;
            // it is read again: another process may have been faster
            let format = self.db.format()?;
            let next = usize::try_from(format).ok().and_then(|format| MIGRATIONS.get(format));
            match next {
                Some(next) => {
                    self.db.migrate(next.sql, format + 1)?;
                    (next.fill)(self)?;
                    change.commit()?;
                }
                None if format == FORMAT => {}
                None => return Err(LedgerError::Format(format)),
            }
        }
        Ok(())
    }

    /// Fills the columns that format 2 added, some rows at a time.
    fn fill_facts(&self) -> Result<(), LedgerError> {
        let (mut laptop, mut counter, mut sha256) = (String::new(), 0, String::new());
        loop {
            let rows = self.rows(
                "SELECT s.laptop, s.counter, s.sha256, s.envelope, l.public_key
                 FROM statements s JOIN laptops l ON l.id = s.laptop
                 WHERE (s.laptop, s.counter, s.sha256) > (?1, ?2, ?3)
                 ORDER BY s.laptop, s.counter, s.sha256 LIMIT 256",
                &[laptop.as_str().into(), counter.into(), sha256.as_str().into()],
                |row| {
                    let place = (row.text(0)?.to_owned(), row.integer(1)?, row.text(2)?.to_owned());
                    // one that cannot be read back says so where it is needed
                    Ok((place, super::read_back(row.bytes(3)?, row.text(4)?).ok()))
                },
            )?;
            let Some((last, _)) = rows.last() else { return Ok(()) };
            let last = last.clone();
            for ((laptop, counter, sha256), statement) in &rows {
                let Some(statement) = statement else { continue };
                let Facts { run, root, publication, clock_resets, .. } = Facts::of(statement.statement());
                let values: [Value<'_>; 7] = [
                    run.into(),
                    root.into(),
                    publication.into(),
                    clock_resets.into(),
                    laptop.as_str().into(),
                    (*counter).into(),
                    sha256.as_str().into(),
                ];
                self.db.execute(
                    "UPDATE statements SET run = ?1, root = ?2, publication = ?3, clock_resets = ?4
                     WHERE laptop = ?5 AND counter = ?6 AND sha256 = ?7",
                    &values,
                )?;
            }
            (laptop, counter, sha256) = last;
        }
    }
}

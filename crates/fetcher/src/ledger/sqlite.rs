use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ToSql, params_from_iter};

use super::LedgerError;
use super::database::{Database, Row, Value};

/// The ledger in a file.
#[derive(Debug)]
pub(super) struct Sqlite(Connection);

impl From<rusqlite::Error> for LedgerError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error.into())
    }
}

impl Sqlite {
    /// Opens the file; it is made if it is not there.
    pub(super) fn open(path: &Path) -> Result<Self, LedgerError> {
        let db = Connection::open(path)?;
        // of a new file: three statements fill a page, of the usual size a page holds but one
        db.pragma_update(None, "page_size", 8192)?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        // what many changes write to again and again goes into the file once
        db.pragma_update(None, "wal_autocheckpoint", 2000)?;
        // the pages of the indices that many serial numbers lead to, KiB
        db.pragma_update(None, "cache_size", -4096)?;
        db.pragma_update(None, "foreign_keys", true)?;
        // a statement once prepared is not planned anew for each value that it is given
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        Ok(Self(db))
    }
}

impl Database for Sqlite {
    /// SQLite waits for nobody once something was read: so the change begins as a writer.
    fn begin(&self) -> Result<(), LedgerError> {
        Ok(self.0.execute_batch("BEGIN IMMEDIATE")?)
    }

    fn commit(&self) -> Result<(), LedgerError> {
        Ok(self.0.execute_batch("COMMIT")?)
    }

    fn roll_back(&self) -> Result<(), LedgerError> {
        Ok(self.0.execute_batch("ROLLBACK")?)
    }

    fn execute(&self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, LedgerError> {
        Ok(self.0.prepare_cached(sql)?.execute(params_from_iter(values))? as u64)
    }

    fn query(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let mut query = self.0.prepare_cached(sql)?;
        let columns = query.column_count();
        let mut rows = query.query(params_from_iter(values))?;
        while let Some(row) = rows.next()? {
            let values = (0..columns).map(|column| value(row.get_ref(column)?));
            each(&Row(values.collect::<Result<_, _>>()?))?;
        }
        Ok(())
    }

    fn format(&self) -> Result<i64, LedgerError> {
        Ok(self.0.query_row("PRAGMA user_version", [], |row| row.get(0))?)
    }

    fn migrate(&self, sql: &'static str, format: i64) -> Result<(), LedgerError> {
        self.0.execute_batch(sql)?;
        Ok(self.0.pragma_update(None, "user_version", format)?)
    }
}

fn value(read: ValueRef<'_>) -> Result<Value<'_>, LedgerError> {
    Ok(match read {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(number) => Value::Integer(number),
        ValueRef::Text(text) => Value::Text(str::from_utf8(text).map_err(|_| LedgerError::Damaged("text"))?),
        ValueRef::Blob(bytes) => Value::Bytes(bytes),
        ValueRef::Real(_) => return Err(LedgerError::Damaged("number")),
    })
}

impl ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Self::Null => ValueRef::Null,
            Self::Integer(number) => ValueRef::Integer(number),
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_change_at_a_time_from_its_beginning_on() {
        let dir = tempfile::tempdir().unwrap();
        let [one, other] = [(); 2].map(|()| Sqlite::open(&dir.path().join("ledger.db")).unwrap());
        other.0.busy_timeout(std::time::Duration::ZERO).unwrap();
        one.begin().unwrap();
        assert!(other.begin().is_err(), "what it would read might be changed before it writes");
        one.commit().unwrap();
        other.begin().unwrap();
        other.roll_back().unwrap();
    }
}

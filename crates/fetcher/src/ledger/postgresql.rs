mod server;

use std::cell::RefCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::error::Error;

use bytes::BytesMut;
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};
use postgres::{Client, Statement};

use super::LedgerError;
use super::database::{Database, Row, Value};
use crate::home::LedgerServer;

/// The ledger on a server.
pub(super) struct Postgresql(RefCell<Connection>);

struct Connection {
    client: Client,
    /// What was asked before is not parsed again.
    prepared: HashMap<&'static str, Statement>,
}

impl std::fmt::Debug for Postgresql {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Postgresql").finish_non_exhaustive()
    }
}

impl From<postgres::Error> for LedgerError {
    fn from(error: postgres::Error) -> Self {
        Self::Database(error.into())
    }
}

/// What a server may have set otherwise: what is told to be kept is kept, and nobody is waited for without end.
const SESSION: &str =
    "SET synchronous_commit = on; SET lock_timeout = '60s'; SET client_min_messages = warning;";
/// Begins a change alone: the number is this program's among the advisory locks of the database.
const BEGIN: &str = "BEGIN; SELECT pg_advisory_xact_lock(4850196412170)";
/// The types that PostgreSQL calls otherwise. Text is ordered by its bytes, as SQLite does.
const DIALECT: [(&str, &str); 4] =
    [(" STRICT", ""), (" INTEGER", " BIGINT"), (" BLOB", " BYTEA"), (" TEXT", " TEXT COLLATE \"C\"")];

impl Postgresql {
    /// Connects to the server; the database must be there.
    pub(super) fn open(server: &LedgerServer) -> Result<Self, LedgerError> {
        let mut client = server::connect(server)?;
        client.batch_execute(SESSION)?;
        let encoding: String = client.query_one("SHOW server_encoding", &[])?.try_get(0)?;
        if encoding != "UTF8" {
            return Err(LedgerError::Encoding(encoding));
        }
        Ok(Self(RefCell::new(Connection { client, prepared: HashMap::new() })))
    }

    fn batch(&self, sql: &str) -> Result<(), LedgerError> {
        Ok(self.0.borrow_mut().client.batch_execute(sql)?)
    }
}

impl Connection {
    fn prepare(&mut self, sql: &'static str) -> Result<Statement, LedgerError> {
        Ok(match self.prepared.entry(sql) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => new.insert(self.client.prepare(&sql.replace('?', "$"))?).clone(),
        })
    }
}

impl Database for Postgresql {
    fn begin(&self) -> Result<(), LedgerError> {
        self.batch(BEGIN).inspect_err(|_| drop(self.roll_back()))
    }

    fn commit(&self) -> Result<(), LedgerError> {
        self.batch("COMMIT")
    }

    fn roll_back(&self) -> Result<(), LedgerError> {
        self.batch("ROLLBACK")
    }

    fn execute(&self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, LedgerError> {
        let mut connection = self.0.borrow_mut();
        let statement = connection.prepare(sql)?;
        let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|value| value as _).collect();
        Ok(connection.client.execute(&statement, &values)?)
    }

    fn query(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let mut connection = self.0.borrow_mut();
        let statement = connection.prepare(sql)?;
        let mut rows = connection.client.query_raw(&statement, values)?;
        while let Some(row) = rows.next()? {
            let values = (0..row.len()).map(|column| row.try_get::<_, Value<'_>>(column));
            each(&Row(values.collect::<Result<_, _>>()?))?;
        }
        Ok(())
    }

    fn format(&self) -> Result<i64, LedgerError> {
        let client = &mut self.0.borrow_mut().client;
        let is_there = client.query_one("SELECT to_regclass('ledger_format') IS NOT NULL", &[])?;
        if !is_there.try_get::<_, bool>(0)? {
            return Ok(0);
        }
        Ok(client.query_one("SELECT format FROM ledger_format", &[])?.try_get(0)?)
    }

    fn migrate(&self, sql: &'static str, format: i64) -> Result<(), LedgerError> {
        let sql = DIALECT.iter().fold(sql.to_owned(), |sql, (word, ours)| sql.replace(word, ours));
        self.batch(&sql)?;
        let marker =
            "CREATE TABLE IF NOT EXISTS ledger_format (format BIGINT NOT NULL); DELETE FROM ledger_format;";
        self.batch(&format!("{marker} INSERT INTO ledger_format VALUES ({format})"))
    }
}

type Unfit = Box<dyn Error + Sync + Send>;

impl ToSql for Value<'_> {
    fn to_sql(&self, of: &Type, out: &mut BytesMut) -> Result<IsNull, Unfit> {
        match (self, of) {
            (Self::Null, _) => Ok(IsNull::Yes),
            (Self::Integer(number), &Type::INT8) => number.to_sql(of, out),
            (Self::Text(text), &Type::TEXT) => text.to_sql(of, out),
            (Self::Bytes(bytes), &Type::BYTEA) => bytes.to_sql(of, out),
            _ => Err(format!("{self:?} is no {of}").into()),
        }
    }

    fn accepts(of: &Type) -> bool {
        [Type::INT8, Type::TEXT, Type::BYTEA].contains(of)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value<'a> {
    fn from_sql(of: &Type, raw: &'a [u8]) -> Result<Self, Unfit> {
        Ok(match *of {
            Type::INT8 => Self::Integer(i64::from_sql(of, raw)?),
            Type::TEXT => Self::Text(<&str>::from_sql(of, raw)?),
            _ => Self::Bytes(<&[u8]>::from_sql(of, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> Result<Self, Unfit> {
        Ok(Self::Null)
    }

    fn accepts(of: &Type) -> bool {
        <Self as ToSql>::accepts(of)
    }
}

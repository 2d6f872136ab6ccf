use std::fmt::Debug;

use super::LedgerError;

/// What the ledger asks of a database. Queries are written once, in the SQL that SQLite and PostgreSQL share; their
/// parameters are `?1`, `?2` and so on.
pub(super) trait Database: Debug + Send {
    /// Begins a change, and waits for another one that is under way.
    fn begin(&self) -> Result<(), LedgerError>;

    /// Keeps what was changed since [`Database::begin`], durably.
    fn commit(&self) -> Result<(), LedgerError>;

    /// Forgets it.
    fn roll_back(&self) -> Result<(), LedgerError>;

    /// Changes rows, and tells how many.
    fn execute(&self, sql: &'static str, values: &[Value<'_>]) -> Result<u64, LedgerError>;

    /// Reads rows one by one; `each` makes no other use of the database.
    fn query(
        &self,
        sql: &'static str,
        values: &[Value<'_>],
        each: &mut dyn FnMut(&Row<'_>) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError>;

    /// The format of what is in it; 0 where there is nothing yet.
    fn format(&self) -> Result<i64, LedgerError>;

    /// Changes tables, in SQLite's words for types, to those of this format.
    fn migrate(&self, sql: &'static str, format: i64) -> Result<(), LedgerError>;
}

/// A value of a column.
#[derive(Debug, Clone, Copy)]
pub(super) enum Value<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
    Bytes(&'a [u8]),
}

impl From<i64> for Value<'_> {
    fn from(value: i64) -> Self {
        Self::Integer(value)
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Bytes(value)
    }
}

impl<'a, T: Into<Value<'a>>> From<Option<T>> for Value<'a> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// A row that was read. A column of another kind than was asked for is damage.
#[derive(Debug)]
pub(super) struct Row<'a>(pub(super) Vec<Value<'a>>);

impl<'a> Row<'a> {
    pub(super) fn text(&self, column: usize) -> Result<&'a str, LedgerError> {
        self.maybe_text(column)?.ok_or(LedgerError::Damaged("text"))
    }

    pub(super) fn maybe_text(&self, column: usize) -> Result<Option<&'a str>, LedgerError> {
        match self.0.get(column) {
            Some(Value::Text(text)) => Ok(Some(text)),
            Some(Value::Null) => Ok(None),
            _ => Err(LedgerError::Damaged("text")),
        }
    }

    pub(super) fn integer(&self, column: usize) -> Result<i64, LedgerError> {
        self.maybe_integer(column)?.ok_or(LedgerError::Damaged("number"))
    }

    pub(super) fn maybe_integer(&self, column: usize) -> Result<Option<i64>, LedgerError> {
        match self.0.get(column) {
            Some(Value::Integer(number)) => Ok(Some(*number)),
            Some(Value::Null) => Ok(None),
            _ => Err(LedgerError::Damaged("number")),
        }
    }

    /// A count or a counter.
    pub(super) fn natural(&self, column: usize) -> Result<u64, LedgerError> {
        u64::try_from(self.integer(column)?).map_err(|_| LedgerError::Damaged("counter"))
    }

    pub(super) fn bytes(&self, column: usize) -> Result<&'a [u8], LedgerError> {
        match self.0.get(column) {
            Some(Value::Bytes(bytes)) => Ok(bytes),
            _ => Err(LedgerError::Damaged("statement")),
        }
    }

    /// A text that stands for something else.
    pub(super) fn parsed<T: std::str::FromStr>(
        &self,
        column: usize,
        what: &'static str,
    ) -> Result<T, LedgerError> {
        self.text(column)?.parse().map_err(|_| LedgerError::Damaged(what))
    }
}

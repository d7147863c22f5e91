//! What the operations need of a database: one statement in, all of its rows out.

use crate::bindings::exports::restock::domain::types::Fault;
use crate::engine::{Engine, Statements};
use crate::row::Row;

/// A value as both engines know it: a parameter of a statement, or a column of a row.
///
/// A truth value of Postgres is an integer, 0 or 1. JSON is a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing, of whatever type.
    Null,
    /// A number, a moment or a span in ms, or a truth value.
    Integer(i64),
    /// Anything else. As a parameter it is to be made with `From`, which leaves out what Postgres cannot keep.
    Text(String),
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}

impl From<u32> for Value {
    fn from(integer: u32) -> Self {
        Self::Integer(integer.into())
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<String> for Value {
    /// U+0000 becomes U+FFFD. No text of Postgres can hold it, and what the engines keep is to be the same.
    fn from(text: String) -> Self {
        Self::Text(if text.contains('\0') { text.replace('\0', "\u{FFFD}") } else { text })
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

/// Whether a statement may run a second time when the answer to the first run was lost with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// It reads, or it is guarded by a key of its own: running it twice is running it once.
    Harmless,
    /// It would take effect again.
    Never,
}

/// A database that runs statements.
pub trait Database {
    /// The engine whose statements it understands.
    type Engine: Engine;

    /// Runs one statement to its end and returns its rows.
    async fn run(&self, repeat: Repeat, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault>;

    /// The statements that it understands.
    fn sql(&self) -> &'static Statements {
        Self::Engine::SQL
    }

    /// Runs a statement that reads.
    async fn read(&self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        self.run(Repeat::Harmless, sql, parameters).await
    }

    /// Runs a statement that reads most of what there is, for as long as that takes. A server has a longer limit for it.
    async fn read_patiently(&self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        self.read(sql, parameters).await
    }

    /// Runs a statement that reads, and returns its first row.
    async fn read_one(&self, sql: &str, parameters: Vec<Value>) -> Result<Option<Row>, Fault> {
        Ok(self.read(sql, parameters).await?.into_iter().next())
    }

    /// Runs a statement that writes, once.
    async fn write(&self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        self.run(Repeat::Never, sql, parameters).await
    }

    /// Runs a statement that writes what it wrote before when it is run again.
    async fn write_keyed(&self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        self.run(Repeat::Harmless, sql, parameters).await
    }
}

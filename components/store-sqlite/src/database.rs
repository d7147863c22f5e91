//! What the operations need of a database: one statement in, all of its rows out.

use spin_sdk::sqlite::Value;

use crate::restock::types::Fault;
use crate::row::Row;

/// Whether a statement may run a second time when the answer to the first run was lost with its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Repeat {
    /// It reads, or it is guarded by a key of its own: running it twice is running it once.
    Harmless,
    /// It would take effect again.
    Never,
}

/// A database that runs statements.
pub(crate) trait Database {
    /// Runs one statement to its end and returns its rows.
    async fn run(&self, repeat: Repeat, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault>;

    /// Runs a statement that reads.
    async fn read(&self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        self.run(Repeat::Harmless, sql, parameters).await
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

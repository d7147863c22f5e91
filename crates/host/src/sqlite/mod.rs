//! `spin:sqlite` on files, with group commit.
//!
//! Guests open connections and run statements as on Spin. Behind them, per file, one writer runs the waiting
//! statements of all guests under one commit and readers run those that only read; only a guest that leaves state on
//! its connection gets a real one. `session` decides, `writer` groups, `connection` talks to SQLite.

mod classify;
mod connection;
mod database;
mod pragma;
mod session;
#[cfg(test)]
mod tests;
mod value;
mod writer;

use futures::FutureExt;
use wasmtime::component::{Accessor, FutureReader, Resource, StreamReader};

pub(crate) use database::{Database, close};
#[allow(unreachable_pub, reason = "the generated interfaces re-export it")]
pub use session::Session;

use crate::bindings::imports::spin::sqlite::sqlite::{
    Connection, Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
};
use crate::guest::{Guest, Me};

/// Connections a guest instance may have open at one time.
const CONNECTIONS_MAX: usize = 256;

type Opened = Result<Resource<Connection>, Error>;
type Streamed = Result<(Vec<String>, StreamReader<RowResult>, FutureReader<Result<(), Error>>), Error>;

fn open(guest: &mut Guest, label: &str) -> wasmtime::Result<Opened> {
    // Every label that some component lists has a file, so a label that is not listed here is denied, not unknown.
    let Some(database) = guest.runs.databases.get(label) else { return Ok(Err(Error::AccessDenied)) };
    if guest.connections >= CONNECTIONS_MAX {
        return Ok(Err(Error::Io("too many connections opened".to_owned())));
    }
    let session = Session::new(std::sync::Arc::clone(database));
    guest.connections += 1;
    Ok(Ok(guest.table.push(session)?))
}

fn session(guest: &mut Guest, connection: &Resource<Connection>) -> Option<Session> {
    guest.table.get(connection).ok().cloned()
}

impl Host for Guest {}

impl HostConnection for Guest {
    async fn open(&mut self, database: String) -> wasmtime::Result<Opened> {
        open(self, &database)
    }

    async fn execute(
        &mut self,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        let Some(session) = session(self, &connection) else { return Ok(Err(Error::InvalidConnection)) };
        Ok(session.execute(&statement, parameters).await.map(|(columns, rows)| QueryResult { columns, rows }))
    }

    async fn changes(&mut self, connection: Resource<Connection>) -> wasmtime::Result<u64> {
        Ok(self.table.get(&connection)?.changes())
    }

    async fn last_insert_rowid(&mut self, connection: Resource<Connection>) -> wasmtime::Result<i64> {
        Ok(self.table.get(&connection)?.last_insert_rowid())
    }

    async fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        self.connections = self.connections.saturating_sub(1);
        Ok(())
    }
}

impl<T: Send> HostConnectionWithStore<T> for Me {
    async fn open_async(accessor: &Accessor<T, Self>, database: String) -> wasmtime::Result<Opened> {
        accessor.with(|mut access| open(access.get(), &database))
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Streamed> {
        let Some(session) = accessor.with(|mut access| session(access.get(), &connection)) else {
            return Ok(Err(Error::InvalidConnection));
        };
        // A statement that fails says so in the result future, after no columns and no rows.
        let ((columns, rows), result) = match session.execute(&statement, parameters).await {
            Ok(table) => (table, Ok(())),
            Err(error) => ((Vec::new(), Vec::new()), Err(error)),
        };
        accessor.with(|mut access| {
            let rows = StreamReader::new(&mut access, rows)?;
            let result =
                FutureReader::new(&mut access, async move { Ok::<_, wasmtime::Error>(result) }.boxed())?;
            Ok(Ok((columns, rows, result)))
        })
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<u64> {
        accessor.with(|mut access| Ok(access.get().table.get(&connection)?.changes()))
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        accessor.with(|mut access| Ok(access.get().table.get(&connection)?.last_insert_rowid()))
    }
}

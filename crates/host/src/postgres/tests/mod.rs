//! Postgres, as guests get it. Claim: values arrive as the interface says, a connection reaches nobody with somebody else's
//! transaction, session or answer, and what breaks heals by itself. Method: the sessions that guests get, on a real server. Needs:
//! an installed Postgres.

mod lending;
mod outages;
mod security;
mod statements;
mod values;

use std::sync::Arc;

use restock_servers::{SharedPostgres, any_postgres};

use super::address::Address;
use super::connection::Answer;
use super::pool::Pool;
use super::{Session, lend};
use crate::bindings::imports::spin::postgres::postgres::{DbValue, Error, ParameterValue, QueryError};
use crate::cache::random_hex;

/// How many statements sleep in this test's database.
const SLEEPS: &str =
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";

/// A database of its own. It goes with its value.
struct Place {
    cluster: SharedPostgres,
    name: String,
}

impl Place {
    fn new() -> Self {
        let cluster = any_postgres().expect("a Postgres cluster");
        let name = format!("host_{}", random_hex().expect("randomness"));
        cluster.databases.create(&name).expect("a database");
        Self { cluster, name }
    }

    fn url(&self) -> String {
        self.cluster.databases.url(&self.name)
    }

    fn pool(&self) -> Arc<Pool> {
        pool(&self.url())
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // One that could not be removed is in nobody's way.
        let _ = self.cluster.databases.remove(&self.name);
    }
}

fn pool(url: &str) -> Arc<Pool> {
    Pool::new(Address::parse(url).expect("an address"), None).expect("a pool")
}

async fn open(pool: &Arc<Pool>) -> Session {
    lend(Ok(Arc::clone(pool))).await.expect("a connection")
}

/// All rows, which there must be.
async fn rows(session: &Session, sql: &str, values: &[ParameterValue]) -> Vec<Vec<DbValue>> {
    match session.query(sql, values).await {
        Ok(Answer { rows, fault: None, .. }) => rows,
        other => panic!("{sql}: {other:?}"),
    }
}

/// The number in the first row.
async fn number(session: &Session, sql: &str) -> i64 {
    match rows(session, sql, &[]).await.first().map(Vec::as_slice) {
        Some([DbValue::Int64(number)]) => *number,
        other => panic!("{sql}: {other:?}"),
    }
}

/// The text in the first row.
async fn text(session: &Session, sql: &str) -> String {
    match rows(session, sql, &[]).await.first().map(Vec::as_slice) {
        Some([DbValue::Str(text)]) => text.clone(),
        other => panic!("{sql}: {other:?}"),
    }
}

async fn run(session: &Session, sql: &str) -> u64 {
    session.execute(sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
}

/// The code of the error that a statement must fail with.
fn code(error: &Error) -> &str {
    match error {
        Error::QueryFailed(QueryError::DbError(error)) => &error.code,
        other => panic!("{other:?}"),
    }
}

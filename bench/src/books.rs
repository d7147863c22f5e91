//! What a database says at the end, whoever filled it: a fast wrong answer is worth nothing.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use rusqlite::{Connection, OpenFlags};
use tokio_postgres::{Client, NoTls};

use crate::load::OPENING_STOCK;

/// A database of orders, read beside the server that writes it.
pub(crate) enum Books {
    Sqlite(Connection),
    Postgres(Client),
}

/// A connection to a database of a private cluster.
pub(crate) async fn connect(url: &str) -> Result<Client> {
    let (client, connection) =
        tokio_postgres::connect(url, NoTls).await.context("cannot connect to Postgres")?;
    // Its failure is the failure of the statement that waits for it.
    tokio::spawn(connection);
    Ok(client)
}

impl Books {
    pub(crate) fn sqlite(file: &Path) -> Result<Self> {
        let db = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .with_context(|| format!("cannot read {}", file.display()))?;
        Ok(Self::Sqlite(db))
    }

    pub(crate) async fn postgres(url: &str) -> Result<Self> {
        Ok(Self::Postgres(connect(url).await?))
    }

    /// The one row of a statement, all whole numbers of 64 bits.
    pub(crate) async fn numbers<const COLUMNS: usize>(&self, sql: &str) -> Result<[i64; COLUMNS]> {
        let mut numbers = [0; COLUMNS];
        match self {
            Self::Sqlite(db) => db.query_row(sql, [], |row| {
                numbers.iter_mut().enumerate().try_for_each(|(place, number)| {
                    *number = row.get(place)?;
                    Ok(())
                })
            })?,
            Self::Postgres(client) => {
                let row = client.query_one(sql, &[]).await?;
                for (place, number) in numbers.iter_mut().enumerate() {
                    *number = row.try_get(place)?;
                }
            }
        }
        Ok(numbers)
    }

    /// Fails unless there are as many orders as were answered, all of them accepted, and as many units are gone.
    pub(crate) async fn agree(&self, answered: u64) -> Result<()> {
        const SOLD: &str = "
            SELECT (SELECT count(*) FROM sales_order),
                   (SELECT count(*) FROM sales_order WHERE status = 'accepted'),
                   (SELECT count(*) FROM product),
                   (SELECT CAST(sum(on_hand) AS bigint) FROM product)";
        let [orders, accepted, products, on_hand] = self.numbers(SOLD).await?;
        let sold = products * OPENING_STOCK - on_hand;
        let answered = i64::try_from(answered)?;
        ensure!(
            [orders, accepted, sold] == [answered; 3],
            "{answered} orders were answered, but there are {orders}, {accepted} of them accepted, and {sold} units are gone"
        );
        Ok(())
    }
}

//! The baseline on Postgres: a pool with a connection for each client that the measurement has, the statement prepared once on
//! each of them.

use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, Result};
use tokio::sync::Semaphore;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Statement};

use super::{Placed, Placement, VIP_RULE, VIP_UNITS};
use crate::books;

/// The statement that the store runs for an order, from the store's own file.
const PLACE: &str = include_str!("../../../components/store-postgres/src/sql/order_place.sql");

#[derive(clap::Args)]
pub(crate) struct Options {
    /// A database with the store's schema
    #[arg(long)]
    url: String,
    /// Connections of the pool
    #[arg(long)]
    connections: u16,
}

struct Session {
    client: Client,
    place: Statement,
}

/// The pool.
pub(crate) struct Shop {
    idle: Mutex<Vec<Session>>,
    /// One for each idle session.
    places: Semaphore,
}

impl Shop {
    pub(super) async fn open(options: &Options) -> Result<Self> {
        let mut idle = Vec::new();
        for _ in 0..options.connections {
            let client = books::connect(&options.url).await?;
            let place = client.prepare(PLACE).await.context("the store's statement")?;
            idle.push(Session { client, place });
        }
        Ok(Self { idle: Mutex::new(idle), places: Semaphore::new(usize::from(options.connections)) })
    }

    pub(super) async fn place(&self, placement: &Placement) -> Result<Option<Placed>> {
        let _place = self.places.acquire().await?;
        let session = self.idle().pop().context("no session is idle")?;
        let placed = session.place(placement).await;
        self.idle().push(session);
        placed
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Session>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    /// Runs the store's statement with the store's parameters.
    async fn place(&self, placement: &Placement) -> Result<Option<Placed>> {
        let parameters: [&(dyn ToSql + Sync); 12] = [
            &placement.id,
            &None::<String>,
            &placement.request_hash,
            &placement.customer.id,
            &placement.customer.email,
            &placement.customer.name,
            &placement.if_short,
            &placement.items,
            &placement.placed_at_ms,
            &VIP_RULE,
            &VIP_UNITS,
            &None::<String>,
        ];
        let row = self.client.query_one(&self.place, &parameters).await?;
        if row.try_get::<_, &str>("outcome")? != "recorded" {
            return Ok(None);
        }
        Ok(Some(Placed {
            id: row.try_get("sales_order_id")?,
            status: row.try_get("placed_as")?,
            items: row.try_get("items")?,
            amount: row.try_get("total_amount")?,
            currency: row.try_get("currency")?,
        }))
    }
}

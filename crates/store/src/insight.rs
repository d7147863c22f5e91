//! Numbers for people who watch and for monitoring systems.

use crate::Store;
use crate::catalog;
use crate::database::Database;
use crate::engine::Engine;
use crate::history::stock_history;
use crate::restock::insight::{
    Cover, Guest, LeadTimeBucket, Level, Minute, OrderTotals, Pace, ProductionTotals, ShopTotals, StockTotals,
};
use crate::restock::types::Fault;
use crate::row::{AFTER_ALL_TEXTS, Row, items, millis, only};

/// Minutes of orders that are answered.
const MINUTES_MAX: i64 = 180;

impl<E: Engine> Guest for Store<E> {
    async fn orders_by_minute(since: u64) -> Result<Vec<Minute>, Fault> {
        orders_by_minute(E::shop(), since).await
    }

    async fn at_risk(limit: u32, now: u64) -> Result<Vec<Cover>, Fault> {
        at_risk(E::shop(), limit, now).await
    }

    async fn cover_of(sku: String, now: u64) -> Result<Option<Cover>, Fault> {
        cover_of(E::shop(), sku, now).await
    }

    async fn stock_history(sku: String, since: u64, samples: u32) -> Result<Option<Vec<Level>>, Fault> {
        stock_history(E::shop(), sku, since, samples).await
    }

    async fn totals() -> Result<ShopTotals, Fault> {
        totals(E::shop()).await
    }
}

/// Reads the minutes in which orders were placed.
pub async fn orders_by_minute(database: &impl Database, since: u64) -> Result<Vec<Minute>, Fault> {
    let parameters = vec![millis(since), MINUTES_MAX.into()];
    let rows = database.read(database.sql().order_minute_list, parameters).await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Minute {
                begins_at: row.integer()?,
                accepted: row.integer()?,
                backordered: row.integer()?,
                rejected: row.integer()?,
            })
        })
        .collect()
}

/// Reads the products that run out next.
pub async fn at_risk(database: &impl Database, limit: u32, now: u64) -> Result<Vec<Cover>, Fault> {
    let parameters = vec![millis(now), "".into(), AFTER_ALL_TEXTS.into(), 0_i64.into(), items(limit).into()];
    let rows = database.read(database.sql().product_cover, parameters).await?;
    rows.into_iter().map(cover).collect()
}

/// Reads how long one product lasts.
pub async fn cover_of(database: &impl Database, sku: String, now: u64) -> Result<Option<Cover>, Fault> {
    let parameters = vec![millis(now), sku.as_str().into(), sku.into(), 1_i64.into(), 1_i64.into()];
    let row = database.read_one(database.sql().product_cover, parameters).await?;
    row.map(cover).transpose()
}

fn cover(mut row: Row) -> Result<Cover, Fault> {
    Ok(Cover {
        product: catalog::product(&mut row)?,
        pace: Pace { last_hour: row.json()?, last_day: row.json()?, units_per_day: row.json()? },
        days: row.optional_json()?,
    })
}

/// Reads the shop in numbers.
pub async fn totals(database: &impl Database) -> Result<ShopTotals, Fault> {
    let mut row = only(database.read(database.sql().shop_totals, vec![]).await?)?;
    let stock = StockTotals {
        products: row.integer()?,
        depleted: row.integer()?,
        low: row.integer()?,
        on_hand: row.integer()?,
        on_order: row.integer()?,
        backordered: row.integer()?,
    };
    let orders = OrderTotals {
        accepted: row.integer()?,
        backordered: row.integer()?,
        rejected: row.integer()?,
        waiting: row.integer()?,
    };
    let (planned, requested, overdue) = (row.integer()?, row.integer()?, row.integer()?);
    let (failed, received, cancelled) = (row.integer()?, row.integer()?, row.integer()?);
    let buckets: Vec<(Option<u64>, u64)> = row.json()?;
    let lead_times =
        buckets.into_iter().map(|(seconds_max, requests)| LeadTimeBucket { seconds_max, requests }).collect();
    let production = ProductionTotals {
        planned,
        requested,
        overdue,
        failed,
        received,
        cancelled,
        lead_times,
        lead_time_ms_sum: row.integer()?,
    };
    Ok(ShopTotals {
        stock,
        orders,
        production,
        incidents_open: row.integer()?,
        ticked_at: row.optional_integer()?,
    })
}

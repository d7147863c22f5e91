//! How the stock of a product went: samples of its ledger.

use crate::database::Database;
use crate::restock::insight::Level;
use crate::restock::types::Fault;
use crate::row::{Row, millis};

/// Samples of one history, at least and at most.
const SAMPLES_MIN: u32 = 2;
const SAMPLES_MAX: u32 = 500;

/// Reads how the stock of a product went since a moment.
pub async fn stock_history(
    database: &impl Database,
    sku: String,
    since: u64,
    samples: u32,
) -> Result<Option<Vec<Level>>, Fault> {
    let samples = samples.clamp(SAMPLES_MIN, SAMPLES_MAX);
    let rows =
        database.read(database.sql().stock_history, vec![sku.into(), millis(since), samples.into()]).await?;
    let mut levels = Vec::with_capacity(rows.len());
    let mut latest = 0;
    for row in rows {
        let mut level = level(row)?;
        // Callers have clocks of their own, and the order of the ledger is the one that counts: a chart never runs backwards.
        latest = level.at.max(latest);
        level.at = latest;
        levels.push(level);
    }
    // Whatever product there is, its ledger was opened with it.
    Ok((!levels.is_empty()).then_some(levels))
}

fn level(mut row: Row) -> Result<Level, Fault> {
    Ok(Level { at: row.integer()?, on_hand: row.integer()? })
}

//! What collecting, following and reporting returns needs to know.

use crate::partner::Logistics;
use restock_bindings::returns::ToStock;
use restock_edge::Error;
use restock_edge::config::Cached;
use std::time::Duration;

pub(crate) struct Config {
    pub(crate) logistics: Logistics,
    /// Calls to it at a time, and so the messages that are worked on at a time.
    pub(crate) concurrency: u32,
    pub(crate) tracking_interval: Duration,
    pub(crate) to_stock: ToStock,
    pub(crate) attempts_max: u32,
}

/// The configuration; none where there is no partner.
///
/// # Errors
/// Every wrong value.
pub(crate) async fn config() -> Result<Option<&'static Config>, Error> {
    static CONFIG: Cached<Option<Config>> = Cached::new();
    let read = CONFIG.get(async |reader| {
        let rate_per_second = reader.logistics_rate_per_second().await;
        let concurrency = reader.logistics_concurrency().await;
        let tracking_interval = reader.tracking_interval().await;
        let to_stock = reader.return_to_stock().await;
        let attempts_max = reader.attempts_max().await;
        let account = reader.logistics().await?;
        let logistics = Logistics::new(account, rate_per_second, concurrency);
        Some(Config { logistics, concurrency, tracking_interval, to_stock, attempts_max })
    });
    Ok(read.await?.as_ref())
}

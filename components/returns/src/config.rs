//! What collecting, following and reporting returns needs to know.

use crate::partner::Logistics;
use restock_bindings::returns::ToStock;
use restock_domain::attempt::{Failure, Verdict};
use restock_edge::Error;
use restock_edge::config::Cached;
use std::time::Duration;

/// The kind of failure of a message that is left from when there was a partner.
const NOT_CONFIGURED: &str = "logistics-not-configured";

pub(crate) struct Config {
    /// None: there is no partner.
    pub(crate) logistics: Option<Logistics>,
    /// Calls to it at a time, and so the messages that are worked on at a time.
    pub(crate) concurrency: u32,
    pub(crate) tracking_interval: Duration,
    pub(crate) to_stock: ToStock,
    pub(crate) attempts_max: u32,
}

impl Config {
    /// The partner.
    ///
    /// # Errors
    /// The verdict on a message that needs it and cannot have it.
    pub(crate) fn logistics(&self) -> Result<&Logistics, Verdict> {
        self.logistics.as_ref().ok_or_else(|| {
            Verdict::Reject(Failure::new(
                NOT_CONFIGURED,
                "logistics_url is not set; set it, and redrive this",
            ))
        })
    }
}

pub(crate) async fn config() -> Result<&'static Config, Error> {
    static CONFIG: Cached<Config> = Cached::new();
    let read = CONFIG.get(async |reader| {
        let rate_per_second = reader.logistics_rate_per_second().await;
        let concurrency = reader.logistics_concurrency().await;
        let account = reader.logistics().await;
        Config {
            logistics: account.map(|account| Logistics::new(account, rate_per_second, concurrency)),
            concurrency,
            tracking_interval: reader.tracking_interval().await,
            to_stock: reader.return_to_stock().await,
            attempts_max: reader.attempts_max().await,
        }
    });
    read.await
}

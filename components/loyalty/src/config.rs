//! What making and announcing VIP customers needs to know.

use restock_edge::Error;
use restock_edge::config::Cached;
use restock_edge::marketing::Marketing;

pub(crate) struct Config {
    pub(crate) marketing: Option<Marketing>,
    pub(crate) attempts_max: u32,
}

pub(crate) async fn config() -> Result<&'static Config, Error> {
    static CONFIG: Cached<Config> = Cached::new();
    let read = CONFIG.get(async |reader| Config {
        marketing: reader.marketing().await,
        attempts_max: reader.attempts_max().await,
    });
    read.await
}

//! What asking the factory needs to know.

use restock_domain::capability::Signer;
use restock_domain::partner::FACTORY;
use restock_edge::Error;
use restock_edge::config::Cached;
use restock_edge::partner::Partner;
use std::time::Duration;

pub(crate) struct Config {
    pub(crate) signer: Option<Signer>,
    pub(crate) public_url: String,
    pub(crate) factory_url: Option<String>,
    pub(crate) factory: Partner,
    pub(crate) production_due: Duration,
    pub(crate) attempts_max: u32,
}

pub(crate) async fn config() -> Result<&'static Config, Error> {
    static CONFIG: Cached<Config> = Cached::new();
    let read = CONFIG.get(async |reader| Config {
        signer: reader.callback_secret().await,
        public_url: reader.public_url().await,
        factory_url: reader.factory_url().await,
        factory: Partner::new(
            FACTORY,
            reader.factory_rate_per_second().await,
            reader.factory_concurrency().await,
        ),
        production_due: reader.production_due().await,
        attempts_max: reader.attempts_max().await,
    });
    read.await
}

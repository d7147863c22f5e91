//! What asking the factory needs to know.

use restock_bindings::partners::Limits;
use restock_domain::capability::Signer;
use restock_edge::Error;
use restock_edge::config::Cached;
use std::time::Duration;

/// How long a pass through the gate counts as in use when its holder dies. Longer than a call may take.
const PASS_HOLD: Duration = Duration::from_secs(30);

pub(crate) struct Config {
    pub(crate) signer: Option<Signer>,
    pub(crate) public_url: String,
    pub(crate) factory_url: Option<String>,
    pub(crate) limits: Limits,
    pub(crate) production_due: Duration,
    pub(crate) attempts_max: u32,
}

pub(crate) async fn config() -> Result<&'static Config, Error> {
    static CONFIG: Cached<Config> = Cached::new();
    let read = CONFIG.get(async |reader| Config {
        signer: reader.callback_secret().await,
        public_url: reader.public_url().await,
        factory_url: reader.factory_url().await,
        limits: Limits {
            rate_per_second: reader.factory_rate_per_second().await,
            concurrency: reader.factory_concurrency().await,
            hold_ms: u64::try_from(PASS_HOLD.as_millis()).unwrap_or(u64::MAX),
        },
        production_due: reader.production_due().await,
        attempts_max: reader.attempts_max().await,
    });
    read.await
}

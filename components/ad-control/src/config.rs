//! What asking a manager needs to know.

use restock_edge::Error;
use restock_edge::config::Cached;
use restock_edge::post::PostOffice;
use std::time::Duration;

pub(crate) struct Config {
    /// None: email is not configured.
    pub(crate) post_office: Option<PostOffice>,
    /// How long the factory is given, for the time that it has not confirmed.
    pub(crate) production_due: Duration,
    pub(crate) attempts_max: u32,
}

pub(crate) async fn config() -> Result<&'static Config, Error> {
    static CONFIG: Cached<Config> = Cached::new();
    let read = CONFIG.get(async |reader| Config {
        post_office: reader.post_office().await,
        production_due: reader.production_due().await,
        attempts_max: reader.attempts_max().await,
    });
    read.await
}

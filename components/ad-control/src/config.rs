//! What asking a manager needs to know.

use restock_edge::Error;
use restock_edge::config::Cached;
use restock_edge::post::PostOffice;

pub(crate) struct Config {
    /// None: email is not configured.
    pub(crate) post_office: Option<PostOffice>,
    pub(crate) attempts_max: u32,
}

pub(crate) async fn config() -> Result<&'static Config, Error> {
    static CONFIG: Cached<Config> = Cached::new();
    let read = CONFIG.get(async |reader| Config {
        post_office: reader.post_office().await,
        attempts_max: reader.attempts_max().await,
    });
    read.await
}

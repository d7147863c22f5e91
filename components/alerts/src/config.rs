//! What telling people needs to know.

use restock_edge::Error;
use restock_edge::chat::Chat;
use restock_edge::config::Cached;
use restock_edge::post::PostOffice;

pub(crate) struct Config {
    /// None: email is not configured.
    pub(crate) post_office: Option<PostOffice>,
    /// None: there is no chat.
    pub(crate) chat: Option<Chat>,
    /// Who is told where no factory with a manager is concerned; none: nobody.
    pub(crate) stock_manager_email: Option<String>,
    pub(crate) public_url: String,
    pub(crate) attempts_max: u32,
}

pub(crate) async fn config() -> Result<&'static Config, Error> {
    static CONFIG: Cached<Config> = Cached::new();
    let read = CONFIG.get(async |reader| Config {
        post_office: reader.post_office().await,
        chat: reader.slack().await,
        stock_manager_email: reader.stock_manager_email().await,
        public_url: reader.public_url().await,
        attempts_max: reader.attempts_max().await,
    });
    read.await
}

//! Sends a letter to people by the way that was chosen for it.

use crate::config::Config;
use crate::route::{Open, Way, instead};
use restock_domain::attempt::Verdict;
use restock_domain::letter::Letter;
use restock_edge::chat::Chat;
use restock_edge::post::PostOffice;

/// What it takes to write an email to somebody, and what it takes to post in the chat.
pub(crate) type Mail<'a> = (&'a PostOffice, &'a str);

/// The ways that are open, by email to this address.
pub(crate) fn open<'a>(config: &'a Config, to: Option<&'a str>) -> Open<Mail<'a>, &'a Chat> {
    Open { mail: config.post_office.as_ref().zip(to), chat: config.chat.as_ref() }
}

/// Sends a letter. An email that an address refuses for good goes to the stock manager; its id is what the ledger knows it by.
///
/// # Errors
/// The verdict on the message, where nobody took it.
pub(crate) async fn send(
    config: &Config,
    way: Way<Mail<'_>, &Chat>,
    letter_id: &str,
    attempt: u32,
    letter: impl Fn() -> Letter,
) -> Result<(), Verdict> {
    match way {
        Way::Mail((post_office, to)) => {
            let told = post_office.send(letter_id, to, attempt, &letter).await.map(drop);
            match instead(&told, to, config.stock_manager_email.as_deref()) {
                Some(other) => post_office.send(letter_id, other, attempt, &letter).await.map(drop),
                None => told,
            }
        }
        Way::Chat(chat) => chat.post(&letter()).await,
    }
}

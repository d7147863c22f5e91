//! Asks the managers of advertisements to pause them while nothing can be sold, and to resume them.
//!
//! Trigger: the queue `ad-control` (`stock.depleted`, `stock.replenished`, `ad.started`; ordered by SKU); its bell on Redis
//! (channel `restock.ad-control`) or its drain over HTTP.
//! Reads and writes: what is wanted of an advertisement, and that it was asked; the ledger of letters. Sends email through its gate.
//! Guarantees: a message is a hint, and what is asked is what is so now. One letter for each episode in which nothing can be
//! sold, however many orders fail, and one when it is over; a refill that comes before the pause was sent cancels it.
//! Without a manager's address or without email the message becomes a dead letter, because somebody must know.
//! A second delivery of a message finds that nothing is wanted any more, and is done. Where the first one died between the letter
//! and its note, the ledger knows that the letter was sent, and only the note is made.

mod ask;
mod config;
mod words;

use restock_domain::queues;
use restock_edge::Error;
use restock_edge::consumer::Drained;
use restock_edge::drain::{Drain, WINDOW};

restock_edge::consumer!("ad-control", drain);

async fn drain() -> Result<Drained, Error> {
    let config = config::config().await?;
    let drain =
        Drain { queue: queues::AD_CONTROL, attempts_max: config.attempts_max, window: WINDOW, gate: None };
    Ok(drain.run(|delivery| ask::ask(config, delivery)).await?)
}

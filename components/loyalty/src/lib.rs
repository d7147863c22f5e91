//! Makes bulk buyers VIP customers and tells the marketing system of it.
//!
//! Trigger: the queue `loyalty` (events `order.bulk`); its bell on Redis (channel `restock.loyalty`) or its drain over HTTP.
//! Reads and writes: customers, in their own database; calls the marketing system through its gate.
//! Guarantees: a purchase is recorded once and promotes its customer once, however often and in whatever order messages come. The
//! marketing system is told until it takes the news or the message is buried; it can be told more than once, under the same
//! `webhook-id`.
//! The two steps fail and resume apart: a failure of the second leaves the promotion recorded, and a second delivery records
//! nothing and finds the announcement that is still owed, or nothing to do.

mod announce;
mod config;
mod promote;

use restock_domain::queues;
use restock_edge::Error;
use restock_edge::consumer::Drained;
use restock_edge::drain::{Drain, WINDOW};

restock_edge::consumer!("loyalty", drain);

async fn drain() -> Result<Drained, Error> {
    let config = config::config().await?;
    let drain =
        Drain { queue: queues::LOYALTY, attempts_max: config.attempts_max, window: WINDOW, gate: None };
    Ok(drain.run(async |delivery| Ok(promote::promote(config, delivery.event).await)).await?)
}

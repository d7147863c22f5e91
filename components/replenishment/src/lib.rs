//! Asks the factory for goods.
//!
//! Trigger: the queue `replenishment`; its bell on Redis (channel `restock.replenishment`) or its drain over HTTP.
//! Reads and writes: production; calls the factory through its gate.
//! Guarantees: a request that the shop needs is made until the factory takes it or its message is buried. The factory may be
//! asked more than once for one request, because it can take a job and lose the answer; its callback address is the
//! same every time, so the goods count once.
//! A second delivery of a message finds that there is nothing left to ask for, and is done.

mod ask;
mod config;

use restock_domain::queues;
use restock_edge::Error;
use restock_edge::consumer::Drained;
use restock_edge::drain::{Drain, WINDOW};

restock_edge::consumer!("replenishment", drain);

async fn drain() -> Result<Drained, Error> {
    let config = config::config().await?;
    let drain =
        Drain { queue: queues::REPLENISHMENT, attempts_max: config.attempts_max, window: WINDOW, gate: None };
    Ok(drain.run(|delivery| ask::ask(config, delivery.event)).await?)
}

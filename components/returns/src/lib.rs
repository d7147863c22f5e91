//! Collects returns at the logistics partner, follows their parcels, and reports those that are back.
//!
//! Trigger: the queue `returns` (`returns.due`, `return.collected`, `return.delivered`; ordered by collection or return); its bell on
//! Redis (channel `restock.returns`) or its drain over HTTP.
//! Reads and writes: returns, and what the partner said of them; calls the partner through its gate. A return that is received
//! moves stock.
//! Guarantees: every usable record of the partner's list is one return, however often it is listed, and the others are kept for
//! people with their reason. A return is followed until the partner says `delivered` or its message is buried, and then reported
//! until the partner says that it took the report. It can be told more than once, under the same `idempotency-key`, where it
//! took a report and its answer was lost. Goods are received once. Without a partner everything waits for one.
//! Each step is a message of its own and begins by reading how far the return is, so a second delivery finds that its step was
//! done, and calls nobody. A collection that breaks off begins its list anew, and what it stored before stays one.

mod bells;
mod collect;
mod config;
mod partner;
mod report;
mod track;

use bells::Bells;
use config::Config;
use restock_bindings::queue::Event;
use restock_domain::attempt::Verdict;
use restock_domain::queues;
use restock_edge::Error;
use restock_edge::consumer::Drained;
use restock_edge::drain::Drain;
use restock_edge::event;

restock_edge::consumer!("returns", drain);

async fn drain() -> Result<Drained, Error> {
    // What was collected is still to be followed and reported: it waits until there is a partner again.
    let Some(config) = config::config().await? else { return Ok(Drained::default()) };
    let bells = Bells::default();
    let drain = Drain {
        queue: queues::RETURNS,
        attempts_max: config.attempts_max,
        window: config.concurrency,
        gate: Some(&config.logistics.gate),
    };
    let drained = drain.run(async |delivery| Ok(work(config, &bells, &delivery.event).await)).await;
    bells.ring().await;
    Ok(drained?)
}

/// Works on one message.
async fn work(config: &Config, bells: &Bells, event: &Event) -> Verdict {
    let worked = match event.kind.as_str() {
        "returns.due" => collect::collect(config, bells, event).await,
        "return.collected" => track::track(config, bells, event).await,
        "return.delivered" => report::report(config, bells, event).await,
        _ => Err(event::unreadable(format!("an event of the kind {} is for nobody here", event.kind))),
    };
    worked.err().unwrap_or(Verdict::Done)
}

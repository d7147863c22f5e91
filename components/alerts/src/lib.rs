//! Tells people of incidents, by email and in chat, and of what failed in a collection of returns, in chat.
//!
//! Trigger: the queue `alerts` (`incident.opened`, `incident.grew`, `incident.cleared`; ordered by channel and incident;
//! `returns.failed`, in order); its bell on Redis (channel `restock.alerts`) or its drain over HTTP.
//! Reads and writes: the notice that a message names, and that it was told; the collection that it names; the ledger of letters. Sends
//! email and posts to Slack, each through its gate.
//! Guarantees: each notice is told on its channel until that channel took it or its message is buried. Without that channel the notice
//! is noted as told with a line in the log, because the other channel has a notice of its own; where the incident is told
//! on this channel only, it goes by the other one. An address that the email provider refuses is stood in for by the stock
//! manager's. What happens to this queue is no incident, and where the only way is the one that fails, it is not told by that way
//! that it fails more and more, so alerts never feed themselves.
//! A second delivery of a message finds the notice told, and is done. Where the first one died before its note, an email is not sent
//! again (the ledger knows it); a chat message is, because Slack recognises no repetition. One whose outcome nobody knows is
//! posted again until the attempts are used up. The summary of a collection has no note beside its message, so a second delivery of that
//! posts it again.

mod config;
mod message;
mod plain;
mod route;
mod send;
mod summary;
mod tell;
mod words;

use restock_domain::queues;
use restock_edge::Error;
use restock_edge::consumer::Drained;
use restock_edge::drain::{Drain, WINDOW};

restock_edge::consumer!("alerts", drain);

async fn drain() -> Result<Drained, Error> {
    let config = config::config().await?;
    let drain =
        Drain { queue: queues::ALERTS, attempts_max: config.attempts_max, window: WINDOW, gate: None };
    Ok(drain.run(|delivery| async move { Ok(message::work(config, delivery).await) }).await?)
}

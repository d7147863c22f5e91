//! Tells people of incidents, by email and in chat.
//!
//! Trigger: the queue `alerts` (`incident.opened`, `incident.grew`, `incident.cleared`; ordered by channel and incident); its bell
//! on Redis (channel `restock.alerts`) or its drain over HTTP.
//! Reads and writes: the notice that a message names, and that it was told; the ledger of letters. Sends email and posts to Slack,
//! each through its gate.
//! Guarantees: each notice is told on its channel until that channel took it or its message is buried. Without that channel the notice
//! is noted as told with a line in the log, because the other channel has a notice of its own; where the incident is told
//! on this channel only, it goes by the other one. What happens to this queue is no incident, so alerts never feed themselves.
//! A second delivery of a message finds the notice told, and is done. Where the first one died before its note, an email is not sent
//! again (the ledger knows it); a chat message is, because Slack recognises no repetition.

mod config;
mod plain;
mod route;
mod tell;
mod words;

use restock_api::routes::{self, Method, Route};
use restock_domain::keys::Access;
use restock_domain::queues;
use restock_edge::answer::HttpResponse;
use restock_edge::drain::Drain;
use restock_edge::serve::{Handler, serve};
use restock_edge::{Answer, Call, Error, handlers};
use spin_sdk::http::Request;
use spin_sdk::{http_service, redis_subscriber};

/// [`routes::DRAIN_QUEUE`] for this queue.
const DRAIN: Route = Route { method: Method::Post, path: "/internal/alerts/drain", access: Access::Internal };

const HANDLERS: &[(routes::Route, Handler)] = handlers![DRAIN => drain_over_http];

#[http_service]
async fn handle(request: Request) -> HttpResponse {
    serve(request, HANDLERS).await
}

async fn drain_over_http(_call: Call) -> Result<Answer, Error> {
    Ok(Answer::ok(&drain().await?))
}

/// The bell carries nothing: what there is to do is in the queue.
#[redis_subscriber]
async fn on_bell(_bell: bytes::Bytes) -> anyhow::Result<()> {
    // An error goes to the host's log in Debug, which for a wrong configuration names the variables and never a value.
    drain().await.map(drop).map_err(|error| anyhow::anyhow!("draining alerts: {error:?}"))
}

async fn drain() -> Result<restock_api::queue::Drained, Error> {
    let config = config::config().await?;
    let drain = Drain { queue: queues::ALERTS, attempts_max: config.attempts_max };
    Ok(drain.run(|delivery| tell::tell(config, delivery.event)).await?)
}

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
const DRAIN: Route =
    Route { method: Method::Post, path: "/internal/loyalty/drain", access: Access::Internal };

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
    drain().await.map(drop).map_err(|error| anyhow::anyhow!("draining loyalty: {error:?}"))
}

async fn drain() -> Result<restock_api::queue::Drained, Error> {
    let config = config::config().await?;
    let drain = Drain { queue: queues::LOYALTY, attempts_max: config.attempts_max };
    Ok(drain.run(async |delivery| Ok(promote::promote(config, delivery.event).await)).await?)
}

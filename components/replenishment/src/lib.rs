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
    Route { method: Method::Post, path: "/internal/replenishment/drain", access: Access::Internal };

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
    drain().await.map(drop).map_err(|error| anyhow::anyhow!("draining replenishment: {error:?}"))
}

async fn drain() -> Result<restock_api::queue::Drained, Error> {
    let config = config::config().await?;
    let drain = Drain { queue: queues::REPLENISHMENT, attempts_max: config.attempts_max };
    Ok(drain.run(|delivery| ask::ask(config, delivery.event)).await?)
}

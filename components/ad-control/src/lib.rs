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
    Route { method: Method::Post, path: "/internal/ad-control/drain", access: Access::Internal };

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
    drain().await.map(drop).map_err(|error| anyhow::anyhow!("draining ad-control: {error:?}"))
}

async fn drain() -> Result<restock_api::queue::Drained, Error> {
    let config = config::config().await?;
    let drain = Drain { queue: queues::AD_CONTROL, attempts_max: config.attempts_max };
    Ok(drain.run(|delivery| ask::ask(config, delivery.event)).await?)
}

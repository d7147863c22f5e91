//! A component that works off one queue: what is the same for all of them.
//!
//! It has two triggers. Its bell on Redis carries nothing, because what there is to do is in the queue; its drain over HTTP is for
//! whoever has no Redis, and answers with what was done.

pub use anyhow;
pub use bytes::Bytes;
pub use restock_api::queue::Drained;
pub use restock_api::routes::{Method, Route};
pub use restock_domain::keys::Access;

use crate::Error;

/// Makes a component the consumer of the queue of this name: its HTTP handler, with [`restock_api::routes::DRAIN_QUEUE`] for this queue as
/// its only route, and its Redis handler. Both call the async function that is named second, which drains the queue.
#[macro_export]
macro_rules! consumer {
    ($queue:literal, $drain:path) => {
        const HANDLERS: &[($crate::consumer::Route, $crate::serve::Handler)] = $crate::handlers![
            DRAIN => drain_over_http
        ];
        const DRAIN: $crate::consumer::Route = $crate::consumer::Route {
            method: $crate::consumer::Method::Post,
            path: concat!("/internal/", $queue, "/drain"),
            access: $crate::consumer::Access::Internal,
        };

        #[spin_sdk::http_service]
        async fn handle(request: spin_sdk::http::Request) -> $crate::answer::HttpResponse {
            $crate::serve::serve(request, HANDLERS).await
        }

        async fn drain_over_http(_call: $crate::Call) -> Result<$crate::Answer, $crate::Error> {
            Ok($crate::Answer::ok(&$drain().await?))
        }

        #[spin_sdk::redis_subscriber]
        async fn on_bell(_bell: $crate::consumer::Bytes) -> $crate::consumer::anyhow::Result<()> {
            $crate::consumer::heard($queue, $drain().await)
        }
    };
}

/// What the Redis trigger is told of a drain: an error goes to the host's log.
///
/// # Errors
/// The drain's own.
pub fn heard(queue: &str, drained: Result<Drained, Error>) -> anyhow::Result<()> {
    // In Debug a wrong configuration names the variables and never a value.
    drained.map(drop).map_err(|error| anyhow::anyhow!("draining {queue}: {error:?}"))
}

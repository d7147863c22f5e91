//! One message of the queue: a notice of an incident, or the summary of a collection of returns.

use crate::config::Config;
use crate::{summary, tell};
use restock_bindings::queue::Delivery;
use restock_domain::attempt::Verdict;

/// Works on one message.
pub(crate) async fn work(config: &Config, delivery: Delivery) -> Verdict {
    let told = match delivery.event.kind.as_str() {
        summary::TOPIC => summary::tell(config, &delivery).await,
        _ => tell::tell(config, &delivery).await,
    };
    told.err().unwrap_or(Verdict::Done)
}

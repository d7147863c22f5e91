//! One message: what is wanted of the advertisement now, the letter, and the note that it was sent.

use crate::config::Config;
use crate::words;
use anyhow::anyhow;
use restock_bindings::ads::{self, Errand};
use restock_bindings::queue::{Delivery, Event};
use restock_domain::attempt::{Failure, Verdict};
use restock_edge::error::fault_words;
use restock_edge::partner::store_failed;
use restock_edge::{host, note, post};

/// The event that ends an episode.
const REPLENISHED: &str = "stock.replenished";

/// The kind of failure of a letter that nobody knows the recipient of.
const MANAGER_UNKNOWN: &str = "ad-manager-unknown";

/// Works on one message: one errand at most, since two slow letters would not fit into what a handler has. Whatever changes
/// while its letter is on the way (an end of an episode, or an advertisement that starts) wrote a message of its own in the same
/// write, and the queue keeps the order of a product's messages, so that one comes after this one and finds what is wanted then.
///
/// # Errors
/// The store failed; the message is tried again.
pub(crate) async fn ask(config: &Config, delivery: Delivery) -> anyhow::Result<Verdict> {
    let wanted = ads::wanted(delivery.event.subject.clone()).await;
    let Some(errand) = wanted.map_err(|fault| anyhow!(fault_words(&fault)))? else {
        return Ok(Verdict::Done);
    };
    Ok(run(config, &delivery, errand).await.err().unwrap_or(Verdict::Done))
}

/// Sends the letter of an errand, once however often this runs, and notes it.
async fn run(config: &Config, delivery: &Delivery, errand: Errand) -> Result<(), Verdict> {
    let Some(manager) = &errand.manager_email else {
        let words = "the product's advertisement names no manager";
        return Err(Verdict::Reject(Failure::new(MANAGER_UNKNOWN, words)));
    };
    let Some(post_office) = &config.post_office else { return Err(post::not_configured()) };
    let now_ms = host::now_ms();
    let sellable_since_ms = sellable_since_ms(&delivery.event, errand.depleted_since, now_ms);
    let usual_ms = u64::try_from(config.production_due.as_millis()).unwrap_or(u64::MAX);
    let letter = || words::letter(&errand, sellable_since_ms, now_ms, usual_ms);
    post_office.send(&errand.id, manager, delivery.attempt, letter).await?;
    note_asked(errand).await
}

/// When the product could be sold again: the message that came of it knows better than the moment at which somebody looks.
fn sellable_since_ms(event: &Event, depleted_since_ms: u64, now_ms: u64) -> u64 {
    let ended = event.kind == REPLENISHED && event.time >= depleted_since_ms;
    if ended { event.time } else { now_ms }
}

/// Notes that the manager was asked, which moves the advertisement.
async fn note_asked(errand: Errand) -> Result<(), Verdict> {
    let noted = note::make("that a manager was asked", || {
        ads::asked(errand.id.clone(), errand.sku.clone(), errand.request, host::now_ms())
    });
    noted.await.map_err(|fault| store_failed(&fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(kind: &str, time: u64) -> Event {
        Event {
            id: String::new(),
            source: String::new(),
            kind: kind.to_owned(),
            subject: "CP-502101".to_owned(),
            time,
            data: "{}".to_owned(),
            traceparent: None,
        }
    }

    #[test]
    fn an_episode_ends_when_the_goods_came_and_not_when_the_letter_is_written() {
        assert_eq!(sellable_since_ms(&event(REPLENISHED, 2_000), 1_000, 9_000), 2_000);
    }

    #[test]
    fn goods_that_came_before_the_episode_did_not_end_it() {
        assert_eq!(sellable_since_ms(&event(REPLENISHED, 500), 1_000, 9_000), 9_000);
        assert_eq!(sellable_since_ms(&event("stock.depleted", 2_000), 1_000, 9_000), 9_000);
    }
}

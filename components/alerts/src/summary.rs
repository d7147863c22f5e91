//! The summary of a collection of returns in which something failed: told in the chat, or by email where there is none, as what is told
//! on one channel only.

use crate::config::Config;
use crate::route::way;
use crate::send::{open, send};
use restock_bindings::alerts::Channel;
use restock_bindings::queue::Delivery;
use restock_bindings::returns::{self, Collection};
use restock_domain::attempt::Verdict;
use restock_domain::letter::Letter;
use restock_domain::prose::{count, moment};
use restock_edge::partner::store_failed;
use restock_edge::{event, log};

/// The topic of what ends a collection in which something failed.
pub(crate) const TOPIC: &str = "returns.failed";

/// Works on one message. A collection that is not known any more has nobody left to look at it.
///
/// # Errors
/// The verdict on it, where nobody was told.
pub(crate) async fn tell(config: &Config, delivery: &Delivery) -> Result<(), Verdict> {
    let id = event::id(&delivery.event, "collection_id")?;
    let known = returns::get_collection(id).await.map_err(|fault| store_failed(&fault))?;
    let Some(collection) = known else { return Ok(()) };
    let Some(way) = way(Channel::Chat, true, &open(config, config.stock_manager_email.as_deref())) else {
        log!(
            "{} in the collection of returns {}: nobody is told, there is no chat and no email",
            failures(&collection),
            collection.id
        );
        return Ok(());
    };
    let letter_id = format!("returns:{}", collection.id);
    send(config, way, &letter_id, delivery.attempt, || letter(&collection, &config.public_url)).await
}

/// What people are told of a collection. `public_url` is where the reader can look.
fn letter(collection: &Collection, public_url: &str) -> Letter {
    let Collection { collected, fresh, rejected, delivered, reported, failed, .. } = collection;
    let ended = moment(collection.finished_at.unwrap_or(collection.began_at));
    let lead = format!(
        "The collection of returns that ended on {ended} found {}, {fresh} of them new. Since the one before it {delivered} \
         came back and {reported} were reported.",
        count(*collected, "record", "records")
    );
    let facts = [
        ("Collected", *collected),
        ("New", *fresh),
        ("Delivered", *delivered),
        ("Reported", *reported),
        ("Failed", *failed),
        ("Set aside", *rejected),
    ];
    let subject = format!("Returns: {}", failures(collection));
    let letter = facts
        .into_iter()
        .fold(Letter::new(&subject, &lead), |letter, (name, value)| letter.fact(name, &value.to_string()));
    advice(collection, public_url).iter().fold(letter, |letter, paragraph| letter.paragraph(paragraph))
}

/// What failed, as a part of a sentence.
fn failures(collection: &Collection) -> String {
    let aside = count(collection.rejected, "record set aside", "records set aside");
    let dead = count(dead_letters(collection), "dead letter", "dead letters");
    match (collection.rejected, dead_letters(collection)) {
        (_, 0) => aside,
        (0, _) => dead,
        _ => format!("{aside} and {dead}"),
    }
}

fn dead_letters(collection: &Collection) -> u64 {
    collection.failed.saturating_sub(collection.rejected)
}

/// What the reader can do.
fn advice(collection: &Collection, public_url: &str) -> Vec<String> {
    let mut paragraphs = Vec::new();
    if collection.rejected > 0 {
        paragraphs.push(format!(
            "Records set aside: {public_url}/v1/return-rejects lists them, each with its reason. Corrected by the partner, \
             they come with a later collection; to follow one at once: POST {public_url}/v1/returns/replay."
        ));
    }
    if dead_letters(collection) > 0 {
        paragraphs.push(format!(
            "Dead letters: {public_url}/v1/queues/returns/buried shows every attempt. When the cause is gone: \
             POST {public_url}/v1/queues/returns/redrive."
        ));
    }
    paragraphs.push(format!("All collections: {public_url}/v1/return-collections."));
    paragraphs
}

#[cfg(test)]
mod tests {
    use super::*;
    use restock_bindings::returns::Progress;

    fn collection(rejected: u64, failed: u64) -> Collection {
        Collection {
            id: "019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b".to_owned(),
            progress: Progress::Finished,
            // 2026-11-21 09:30 and 09:31 UTC.
            began_at: 1_795_253_400_000,
            finished_at: Some(1_795_253_460_000),
            collected: 30_000,
            fresh: 120,
            rejected,
            delivered: 95,
            reported: 94,
            failed,
            cursor: String::new(),
        }
    }

    fn told(rejected: u64, failed: u64) -> Letter {
        letter(&collection(rejected, failed), "http://shop.example")
    }

    #[test]
    fn a_summary_says_what_failed_and_what_became_of_the_rest() {
        let letter = told(2, 3);
        assert_eq!(letter.subject(), "Returns: 2 records set aside and 1 dead letter");
        assert_eq!(
            letter.lead(),
            "The collection of returns that ended on 2026-11-21 09:31 UTC found 30000 records, 120 of them new. Since the \
             one before it 95 came back and 94 were reported."
        );
        let facts: Vec<_> =
            letter.facts().iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            facts,
            [
                ("Collected", "30000"),
                ("New", "120"),
                ("Delivered", "95"),
                ("Reported", "94"),
                ("Failed", "3"),
                ("Set aside", "2")
            ]
        );
    }

    #[test]
    fn whoever_reads_it_is_sent_only_where_something_is_to_be_seen() {
        let (rejects, buried) = ("http://shop.example/v1/return-rejects ", "/v1/queues/returns/buried ");
        for (rejected, failed, subject, sees_rejects, sees_buried) in [
            (1, 1, "Returns: 1 record set aside", true, false),
            (0, 7, "Returns: 7 dead letters", false, true),
            (1, 2, "Returns: 1 record set aside and 1 dead letter", true, true),
        ] {
            let letter = told(rejected, failed);
            assert_eq!(letter.subject(), subject);
            let advice = letter.paragraphs().join("\n");
            assert_eq!(advice.contains(rejects), sees_rejects, "{advice}");
            assert_eq!(advice.contains(buried), sees_buried, "{advice}");
            assert!(advice.contains("http://shop.example/v1/return-collections"), "{advice}");
        }
    }
}

//! Claim: a message is under one lease at a time, ends by its receipt only, and is kept until it is done or buried.

use std::collections::BTreeSet;

use super::bindings::restock::queue::{Action, Delivery, MessageState, Settlement, Verdict};
use super::shop::{ATTEMPTS_MAX, LEASE_MS, QUEUE, Shop, first_page, page, settlement};
use super::store::Engine;

on_every_engine!(
    a_claim_leases_the_oldest_messages_with_a_receipt_each,
    as_many_are_under_lease_as_the_queue_allows,
    a_queue_that_keeps_an_order_gives_out_the_oldest_message_of_a_subject_only,
    each_verdict_leaves_the_message_where_it_says,
    a_verdict_counts_once_and_under_its_own_receipt_only,
    a_retry_counts_as_an_attempt_and_a_postponement_does_not,
    postponements_in_a_row_for_one_reason_are_one_attempt_on_record,
    a_message_shows_its_newest_hundred_attempts,
    a_worker_that_does_not_come_back_loses_its_lease_and_its_word,
    a_message_that_costs_every_worker_its_lease_is_buried,
    dead_letters_are_read_page_by_page_from_the_newest,
    a_message_nobody_knows_is_none_and_an_unknown_queue_has_nothing,
);

fn subjects(deliveries: &[Delivery]) -> Vec<&str> {
    deliveries.iter().map(|delivery| delivery.event.subject.as_str()).collect()
}

async fn a_claim_leases_the_oldest_messages_with_a_receipt_each(engine: Engine) {
    let shop = Shop::open(engine).await;
    assert!(!shop.due().await);
    for sku in ["C", "A", "B"] {
        shop.define(sku, 2, 10, 1).await;
        shop.wait_ms(1);
    }
    assert!(shop.due().await);
    let first = shop.claim(2).await;
    let second = shop.claim(2).await;
    assert_eq!((subjects(&first), subjects(&second)), (vec!["C", "A"], vec!["B"]));
    assert!(shop.claim(2).await.is_empty() && !shop.due().await);
    let receipts: BTreeSet<_> = first.iter().chain(&second).map(|delivery| &delivery.receipt).collect();
    assert_eq!(receipts.len(), 3);
    let delivery = &first[0];
    assert_eq!((delivery.attempt, delivery.leased_until), (1, shop.now() + LEASE_MS));
    let request = shop.open_request("C").await.expect("low from the start");
    let event = &delivery.event;
    assert_eq!(
        (event.kind.as_str(), event.source.as_str(), event.time),
        ("stock.low", "/restock", request.planned_at)
    );
    let data: serde_json::Value = serde_json::from_str(&event.data).expect("JSON");
    assert_eq!(
        (data["production_id"].as_str(), data["quantity"].as_i64()),
        (Some(request.id.as_str()), Some(9))
    );
    let message = shop.message(&delivery.message_id).await;
    assert_eq!((message.state, message.attempt, &message.event), (MessageState::Leased, 1, event));
}

async fn as_many_are_under_lease_as_the_queue_allows(engine: Engine) {
    let shop = Shop::open(engine).await;
    let allowed = shop.queue().await.in_flight_max;
    for number in 0..=allowed {
        shop.define(&format!("P{number:03}"), 2, 10, 1).await;
    }
    let deliveries = shop.claim(allowed + 1).await;
    assert_eq!(deliveries.len(), allowed as usize);
    assert!(shop.claim(1).await.is_empty());
    assert_eq!((shop.queue().await.leased, shop.queue().await.ready), (u64::from(allowed), 1));
    assert!(shop.settle(&deliveries[0], Verdict::Done).await);
    assert_eq!(subjects(&shop.claim(allowed).await), [format!("P{allowed:03}")]);
}

async fn a_queue_that_keeps_an_order_gives_out_the_oldest_message_of_a_subject_only(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1).await;
    assert!(shop.queue().await.ordered);
    shop.buy(&[("A", 1)]).await;
    shop.define("B", 2, 10, 1).await;
    let kinds = |deliveries: &[Delivery]| -> Vec<String> {
        deliveries
            .iter()
            .map(|delivery| format!("{} {}", delivery.event.subject, delivery.event.kind))
            .collect()
    };
    let first = shop.claim(10).await;
    assert_eq!(kinds(&first), ["A stock.low", "B stock.low"]);
    assert!(shop.claim(10).await.is_empty() && !shop.due().await);
    shop.settle(&first[0], Verdict::Retry(shop.now() + 500)).await;
    assert!(shop.claim(10).await.is_empty() && !shop.due().await, "a head that waits still comes first");
    shop.wait_ms(500);
    assert!(shop.due().await);
    let head = shop.claim_one().await;
    assert_eq!((head.message_id.as_str(), head.attempt), (first[0].message_id.as_str(), 2));
    shop.settle(&head, Verdict::Bury).await;
    assert_eq!(kinds(&shop.claim(10).await), ["A stock.depleted"], "a dead letter holds nobody up");
}

async fn each_verdict_leaves_the_message_where_it_says(engine: Engine) {
    let shop = Shop::with_messages(engine, 4).await;
    shop.wait_ms(3_000);
    let deliveries = shop.claim(10).await;
    shop.ask(&shop.open_request(&deliveries[0].event.subject).await.expect("low from the start").id).await;
    let later = shop.now() + 1_000;
    let verdicts = [Verdict::Done, Verdict::Retry(later), Verdict::Postpone(later), Verdict::Bury];
    let mut batch: Vec<_> =
        deliveries.iter().zip(verdicts).map(|(delivery, verdict)| settlement(delivery, verdict)).collect();
    batch.push(Settlement { message_id: "nobody".into(), ..batch[0].clone() });
    batch[3].error = "가".repeat(10_000);
    let mut settled = shop.store.settle(batch, shop.now()).await.expect("settled");
    settled.sort();
    let mut sent: Vec<_> = deliveries.iter().map(|delivery| delivery.message_id.clone()).collect();
    sent.sort();
    assert_eq!(settled, sent, "each for itself, in one write");

    let mut ends = Vec::new();
    for delivery in &deliveries {
        let message = shop.message(&delivery.message_id).await;
        assert_eq!(message.attempts.len(), 1);
        assert_eq!(message.attempts[0].ended_at, shop.now());
        ends.push((message.state, message.attempt, message.attempts[0].outcome.clone(), message.reason));
    }
    let end =
        |state, attempt, outcome: &str, reason: &str| (state, attempt, outcome.to_owned(), reason.to_owned());
    assert_eq!(
        ends,
        [
            end(MessageState::Done, 1, "done", ""),
            end(MessageState::Ready, 1, "retry", "unreachable"),
            end(MessageState::Ready, 0, "postpone", "unreachable"),
            end(MessageState::Buried, 1, "bury", "unreachable"),
        ]
    );
    let queue = shop.queue().await;
    assert_eq!((queue.ready, queue.leased, queue.buried, queue.done_total), (2, 0, 1, 1));
    assert_eq!(queue.oldest_ready_seconds, 3);
    assert_eq!((queue.due, queue.oldest_due_seconds), (0, 0), "both are to be tried again later");
    let kept = shop.message(&deliveries[3].message_id).await.error;
    assert!(kept.starts_with("가가") && kept.chars().count() <= 10_000);
    shop.audit().await;
}

async fn a_verdict_counts_once_and_under_its_own_receipt_only(engine: Engine) {
    let shop = Shop::with_messages(engine, 2).await;
    let [first, second] = &shop.claim(10).await[..] else { panic!("two are due") };
    let crossed = Delivery { receipt: second.receipt.clone(), ..first.clone() };
    assert!(!shop.settle(&crossed, Verdict::Done).await);
    let empty = Delivery { receipt: String::new(), ..first.clone() };
    assert!(!shop.settle(&empty, Verdict::Done).await);
    assert!(shop.settle(first, Verdict::Done).await);
    assert!(!shop.settle(first, Verdict::Bury).await, "its receipt is spent");
    assert_eq!(shop.message(&first.message_id).await.state, MessageState::Done);
    assert_eq!(shop.message(&second.message_id).await.state, MessageState::Leased);
    let twice = vec![settlement(second, Verdict::Done), settlement(second, Verdict::Done)];
    shop.store.settle(twice, shop.now()).await.expect("settled");
    assert_eq!(shop.queue().await.done_total, 2, "twice in one batch is once");
    assert_eq!(shop.message(&second.message_id).await.attempts.len(), 1);
    assert_eq!(shop.store.settle(Vec::new(), shop.now()).await, Ok(Vec::new()));
}

async fn a_retry_counts_as_an_attempt_and_a_postponement_does_not(engine: Engine) {
    let shop = Shop::with_messages(engine, 1).await;
    let later = shop.now() + 1_000;
    let first = shop.claim_one().await;
    assert!(shop.settle(&first, Verdict::Postpone(later)).await);
    shop.wait_ms(999);
    assert!(shop.claim(10).await.is_empty() && !shop.due().await);
    shop.wait_ms(1);
    let second = shop.claim_one().await;
    assert_eq!(second.attempt, 1);
    assert_ne!(second.receipt, first.receipt);
    assert!(shop.settle(&second, Verdict::Retry(later + 1)).await);
    shop.wait_ms(1);
    assert_eq!(shop.claim_one().await.attempt, 2);
    let history = shop.message(&first.message_id).await.attempts;
    let outcomes: Vec<_> = history.iter().map(|attempt| attempt.outcome.as_str()).collect();
    assert_eq!(outcomes, ["postpone", "retry"], "the history has both");
    assert_eq!((history[1].started_at, history[1].error.as_str()), (later, "connection refused"));
}

/// Ends an attempt at the only message, for a reason and with words.
async fn end_attempt(shop: &Shop, verdict: Verdict, reason: &str, error: &str) -> String {
    let delivery = shop.claim_one().await;
    let word = Settlement { reason: reason.into(), error: error.into(), ..settlement(&delivery, verdict) };
    let settled = shop.store.settle(vec![word], shop.now()).await.expect("answered");
    assert_eq!(settled, [delivery.message_id.as_str()]);
    delivery.message_id
}

async fn postponements_in_a_row_for_one_reason_are_one_attempt_on_record(engine: Engine) {
    let shop = Shop::with_messages(engine, 1).await;
    let begun = shop.now();
    for number in 0..20 {
        end_attempt(&shop, Verdict::Postpone(shop.now() + 10), "factory-circuit-open", &number.to_string())
            .await;
        shop.wait_ms(10);
    }
    end_attempt(&shop, Verdict::Postpone(shop.now()), "factory-rate", "another reason").await;
    end_attempt(&shop, Verdict::Retry(shop.now()), "factory-rate", "tried").await;
    let id = end_attempt(&shop, Verdict::Postpone(shop.now()), "factory-rate", "again").await;
    let attempts = shop.message(&id).await.attempts;
    let said: Vec<_> = attempts
        .iter()
        .map(|attempt| (attempt.outcome.as_str(), attempt.reason.as_str(), attempt.error.as_str()))
        .collect();
    assert_eq!(
        said,
        [
            ("postpone", "factory-circuit-open", "19"),
            ("postpone", "factory-rate", "another reason"),
            ("retry", "factory-rate", "tried"),
            ("postpone", "factory-rate", "again"),
        ]
    );
    assert_eq!((attempts[0].started_at, attempts[0].ended_at), (begun, begun + 190), "the first to the last");
    assert_eq!(shop.message(&id).await.attempt, 1, "the retry");
    shop.audit().await;
}

async fn a_message_shows_its_newest_hundred_attempts(engine: Engine) {
    let shop = Shop::with_messages(engine, 1).await;
    for number in 0..103 {
        end_attempt(&shop, Verdict::Retry(shop.now()), "factory-failing", &number.to_string()).await;
    }
    let id = end_attempt(&shop, Verdict::Bury, "factory-refused", "103").await;
    let expected: Vec<_> = (4..104).map(|number| number.to_string()).collect();
    let message = shop.message(&id).await;
    let errors: Vec<_> = message.attempts.iter().map(|attempt| attempt.error.clone()).collect();
    assert_eq!((errors, message.attempt), (expected, 104), "oldest first");
    assert_eq!(shop.buried().await, std::slice::from_ref(&message));
    let by_reason = shop.store.buried(QUEUE.into(), Some("factory-refused".into()), first_page()).await;
    assert_eq!(by_reason, Ok(Some(vec![message])));
}

async fn a_worker_that_does_not_come_back_loses_its_lease_and_its_word(engine: Engine) {
    let shop = Shop::with_messages(engine, 1).await;
    let dead = shop.claim_one().await;
    shop.wait_ms(LEASE_MS - 1);
    assert_eq!(shop.tick().await.leases_expired, 0);
    shop.wait_ms(1);
    assert_eq!(shop.tick().await.leases_expired, 1);
    assert_eq!(shop.tick().await.leases_expired, 0);
    let second = shop.claim_one().await;
    assert_eq!(
        (second.message_id.as_str(), second.attempt),
        (dead.message_id.as_str(), 2),
        "the attempt counts"
    );
    assert!(!shop.settle(&dead, Verdict::Bury).await, "late");
    assert!(shop.settle(&second, Verdict::Done).await);
    assert_eq!(shop.message(&dead.message_id).await.attempts[0].outcome, "lease-expired");
}

async fn a_message_that_costs_every_worker_its_lease_is_buried(engine: Engine) {
    let shop = Shop::with_messages(engine, 1).await;
    for attempt in 1..=ATTEMPTS_MAX {
        assert_eq!(shop.claim_one().await.attempt, attempt);
        shop.wait_ms(LEASE_MS);
        assert_eq!(shop.tick().await.leases_expired, 1);
    }
    assert!(shop.claim(10).await.is_empty());
    let buried = shop.buried().await;
    assert_eq!(
        (buried.len(), buried[0].state, buried[0].settled_at),
        (1, MessageState::Buried, Some(shop.now()))
    );
    assert!(!buried[0].reason.is_empty(), "dead letters are grouped by it");
    assert_eq!(buried[0].attempts.len(), ATTEMPTS_MAX as usize);
    shop.audit().await;
}

async fn dead_letters_are_read_page_by_page_from_the_newest(engine: Engine) {
    let shop = Shop::with_messages(engine, 5).await;
    let deliveries = shop.claim(10).await;
    for delivery in &deliveries[1..] {
        shop.settle(delivery, Verdict::Bury).await;
    }
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let read = shop.store.buried(QUEUE.into(), None, page(3, after.as_deref())).await;
        let messages = read.expect("read").expect("the queue is known");
        let Some(last) = messages.last() else { break };
        after = Some(last.cursor.clone());
        found.extend(messages.into_iter().map(|message| message.event.subject));
    }
    assert_eq!(found, ["P004", "P003", "P002", "P001"]);
}

async fn a_message_nobody_knows_is_none_and_an_unknown_queue_has_nothing(engine: Engine) {
    let shop = Shop::with_messages(engine, 1).await;
    assert_eq!(shop.store.message("nobody".into()).await, Ok(None));
    assert_eq!(shop.store.claim("nobody".into(), 5, shop.now()).await, Ok(Vec::new()));
    assert_eq!(shop.store.buried("nobody".into(), None, first_page()).await, Ok(None));
    assert_eq!(shop.store.operate(shop.operation("nobody", Action::Pause)).await, Ok(None));
    assert_eq!(shop.buried().await, Vec::new(), "a queue that is known and empty is another answer");
    assert_eq!(shop.claim(1).await.len(), 1);
}

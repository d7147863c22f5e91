//! Claim: a message is leased to one worker at a time, settled by its receipt only, and kept until it is done or
//! an operator acted on record.

use std::collections::BTreeSet;

use super::shop::{ATTEMPTS_MAX, Shop, first_page, wait};
use restock_store::queue;
use restock_store::restock::queue::{
    Action, Message, MessageState, Operation, Selection, Settlement, Status, Verdict,
};

fn due(shop: &Shop) -> Vec<String> {
    wait(queue::due(&shop.database, shop.now.get())).expect("read")
}

/// The queue of the replenishment.
fn status(shop: &Shop) -> Status {
    let queues = wait(queue::list(&shop.database, shop.now.get())).expect("read");
    queues.into_iter().find(|status| status.queue == "replenishment").expect("the queue is there")
}

#[test]
fn a_leased_message_is_not_given_out_again() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let delivery = shop.claim_one();
    assert_eq!((delivery.attempt, delivery.event.kind.as_str()), (1, "stock.low"));
    assert_eq!(delivery.leased_until, shop.now.get() + 30_000);
    assert_eq!(delivery.receipt.len(), 32);
    assert!(shop.claim(10).is_empty());
}

#[test]
fn messages_are_given_out_oldest_first_with_a_receipt_each() {
    let shop = Shop::new();
    for sku in ["C", "A", "B"] {
        shop.product(sku, 2, 10, 1);
        shop.now.set(shop.now.get() + 1);
    }
    let deliveries = shop.claim(10);
    let subjects: Vec<_> = deliveries.iter().map(|delivery| delivery.event.subject.as_str()).collect();
    assert_eq!(subjects, ["C", "A", "B"]);
    let receipts: BTreeSet<_> = deliveries.iter().map(|delivery| &delivery.receipt).collect();
    assert_eq!(receipts.len(), 3);
}

#[test]
fn a_queue_that_keeps_an_order_gives_out_the_oldest_message_of_a_subject_only() {
    let shop = Shop::with_product("A", 2, 10, 3);
    shop.order(&[("A", 1)]);
    shop.order(&[("A", 2)]);
    shop.product("B", 2, 10, 1);
    let kinds = |deliveries: Vec<restock_store::restock::queue::Delivery>| -> Vec<String> {
        deliveries
            .into_iter()
            .map(|delivery| format!("{} {}", delivery.event.subject, delivery.event.kind))
            .collect()
    };
    let first = shop.claim(10);
    let head = first[0].clone();
    assert_eq!(kinds(first), ["A stock.low", "B stock.low"]);
    assert!(shop.claim(10).is_empty());
    shop.settle(&head, Verdict::Retry(shop.now.get() + 500));
    assert!(shop.claim(10).is_empty(), "a head that waits for its next attempt still comes first");
    assert!(!due(&shop).contains(&"replenishment".to_owned()));
    shop.now.set(shop.now.get() + 500);
    assert!(due(&shop).contains(&"replenishment".to_owned()));
    shop.settle(&shop.claim_one(), Verdict::Bury);
    assert_eq!(kinds(shop.claim(10)), ["A stock.depleted"], "a dead letter holds nobody up");
}

#[test]
fn as_many_are_under_lease_as_the_queue_allows() {
    let shop = Shop::new();
    shop.database.0.execute("UPDATE queue SET in_flight_max = 2", []).expect("updated");
    for sku in ["A", "B", "C"] {
        shop.product(sku, 2, 10, 1);
    }
    assert_eq!(shop.claim(10).len(), 2);
    assert!(shop.claim(10).is_empty());
}

#[test]
fn a_queue_that_nobody_knows_has_nothing() {
    let shop = Shop::with_product("A", 2, 10, 1);
    assert!(wait(queue::claim(&shop.database, "nobody".into(), 5, 9_000_000)).expect("answered").is_empty());
    assert!(
        wait(queue::buried(&shop.database, "nobody".into(), None, first_page())).expect("answered").is_none()
    );
    let operation = Operation {
        queue: "nobody".into(),
        action: Action::Pause,
        reason: String::new(),
        operator: "op".into(),
        at: 1,
    };
    assert!(wait(queue::operate(&shop.database, operation)).expect("answered").is_none());
    assert_eq!(shop.database.number("SELECT count(*) FROM operation"), 0);
}

#[test]
fn a_paused_queue_keeps_its_messages_until_it_is_resumed() {
    let shop = Shop::with_product("A", 2, 10, 1);
    assert_eq!(shop.operate(Action::Pause), Some(0));
    assert!(shop.claim(10).is_empty());
    assert!(due(&shop).is_empty());
    assert!(status(&shop).paused);
    shop.operate(Action::Resume);
    assert_eq!(shop.claim(10).len(), 1);
    assert_eq!(shop.database.texts("SELECT kind FROM operation ORDER BY operation_seq"), ["pause", "resume"]);
}

#[test]
fn a_verdict_counts_once_and_only_under_its_receipt() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let delivery = shop.claim_one();
    let mut forged = delivery.clone();
    forged.receipt = "0".repeat(32);
    assert!(!shop.settle(&forged, Verdict::Done));
    assert!(shop.settle(&delivery, Verdict::Done));
    assert!(!shop.settle(&delivery, Verdict::Bury));
    let message = shop.message(&delivery.message_id);
    assert_eq!((message.state, message.attempts.len()), (MessageState::Done, 1));
    assert_eq!(message.attempts[0].outcome, "done");
    let status = status(&shop);
    assert_eq!((status.ready, status.leased, status.done_total), (0, 0, 1));
}

#[test]
fn a_retry_counts_as_an_attempt_and_a_postponement_does_not() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let later = shop.now.get() + 1_000;
    let first = shop.claim_one();
    assert!(shop.settle(&first, Verdict::Postpone(later)));
    assert!(shop.claim(10).is_empty());
    shop.now.set(later);
    let second = shop.claim_one();
    assert_eq!(second.attempt, 1);
    assert!(shop.settle(&second, Verdict::Retry(later)));
    assert_eq!(shop.claim_one().attempt, 2);
    let message = shop.message(&first.message_id);
    let outcomes: Vec<_> = message.attempts.iter().map(|attempt| attempt.outcome.as_str()).collect();
    assert_eq!(outcomes, ["postpone", "retry"]);
    assert_eq!(message.attempts[1].error, "connection refused");
}

/// How the attempts at a message ended, with their reasons.
fn attempts(shop: &Shop, id: &str) -> Vec<String> {
    let attempts = shop.message(id).attempts;
    attempts.iter().map(|attempt| format!("{} {}", attempt.outcome, attempt.reason)).collect()
}

#[test]
fn postponements_in_a_row_for_one_reason_are_one_attempt_on_record() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let begun = shop.now.get();
    let mut id = String::new();
    for reason in ["factory-rate", "factory-circuit-open", "factory-circuit-open", "factory-circuit-open"] {
        let delivery = shop.claim_one();
        shop.now.set(shop.now.get() + 10);
        assert!(shop.settle_for(&delivery, Verdict::Postpone(shop.now.get()), reason));
        id = delivery.message_id;
    }
    assert_eq!(attempts(&shop, &id), ["postpone factory-rate", "postpone factory-circuit-open"]);
    let last = &shop.message(&id).attempts[1];
    assert_eq!(
        (last.started_at, last.ended_at),
        (begun + 10, begun + 40),
        "from the first to the last of them"
    );
    shop.settle_for(&shop.claim_one(), Verdict::Retry(shop.now.get()), "factory-circuit-open");
    shop.settle_for(&shop.claim_one(), Verdict::Postpone(shop.now.get()), "factory-circuit-open");
    assert_eq!(
        attempts(&shop, &id)[1..],
        ["postpone factory-circuit-open", "retry factory-circuit-open", "postpone factory-circuit-open"],
        "what was tried in between begins a new one, and is one of its own"
    );
    shop.assert_sound();
    shop.settle(&shop.claim_one(), Verdict::Done);
    assert_eq!(status(&shop).done_total, 1);
}

#[test]
fn a_postponed_message_says_why_it_was_postponed_last() {
    let shop = Shop::with_product("A", 2, 10, 1);
    for error in ["first", "second"] {
        let delivery = shop.claim_one();
        let settlement = Settlement {
            message_id: delivery.message_id.clone(),
            receipt: delivery.receipt,
            verdict: Verdict::Postpone(shop.now.get()),
            reason: "factory-rate".into(),
            error: error.into(),
        };
        wait(queue::settle(&shop.database, vec![settlement], shop.now.get())).expect("settled");
        let attempts = shop.message(&delivery.message_id).attempts;
        assert_eq!((attempts.len(), attempts[0].error.as_str()), (1, error));
    }
}

#[test]
fn a_message_shows_its_newest_hundred_attempts_oldest_first() {
    let shop = Shop::with_product("A", 2, 10, 1);
    for number in 0..149 {
        shop.settle_for(&shop.claim_one(), Verdict::Retry(shop.now.get()), &format!("r-{number}"));
    }
    let last = shop.claim_one();
    shop.settle_for(&last, Verdict::Bury, "r-149");
    let expected: Vec<_> = (50..150).map(|number| format!("r-{number}")).collect();
    let reasons = |message: &Message| -> Vec<String> {
        message.attempts.iter().map(|attempt| attempt.reason.clone()).collect()
    };
    assert_eq!(reasons(&shop.message(&last.message_id)), expected);
    for reason in [None, Some("r-149".to_owned())] {
        let buried = wait(queue::buried(&shop.database, "replenishment".into(), reason, first_page()));
        let buried = buried.expect("read").expect("the queue is there");
        assert_eq!((buried.len(), reasons(&buried[0])), (1, expected.clone()));
    }
}

#[test]
fn a_batch_is_settled_message_by_message() {
    let shop = Shop::new();
    for sku in ["A", "B", "C"] {
        shop.product(sku, 2, 10, 1);
    }
    let deliveries = shop.claim(10);
    let verdicts = [Verdict::Done, Verdict::Retry(5), Verdict::Bury];
    let mut settlements: Vec<_> = deliveries
        .iter()
        .zip(verdicts)
        .map(|(delivery, verdict)| Settlement {
            message_id: delivery.message_id.clone(),
            receipt: delivery.receipt.clone(),
            verdict,
            reason: "r".into(),
            error: "가".repeat(5_000),
        })
        .collect();
    settlements.push(Settlement { message_id: "nobody".into(), ..settlements[0].clone() });
    let settled = wait(queue::settle(&shop.database, settlements, shop.now.get())).expect("settled");
    assert_eq!(settled.len(), 3);
    let states: Vec<_> = deliveries.iter().map(|delivery| shop.message(&delivery.message_id).state).collect();
    assert_eq!(states, [MessageState::Done, MessageState::Ready, MessageState::Buried]);
    assert_eq!(shop.message(&deliveries[2].message_id).error.chars().count(), 2_000);
}

#[test]
fn a_worker_that_does_not_come_back_loses_its_lease_and_its_word() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let dead = shop.claim_one();
    assert_eq!(shop.tick_after(29_999).leases_expired, 0);
    assert_eq!(shop.tick_after(1).leases_expired, 1);
    let second = shop.claim_one();
    assert_eq!(second.attempt, 2);
    assert_ne!(second.receipt, dead.receipt);
    assert!(!shop.settle(&dead, Verdict::Done), "late");
    assert!(shop.settle(&second, Verdict::Done));
    assert_eq!(shop.message(&dead.message_id).attempts[0].outcome, "lease-expired");
}

#[test]
fn a_message_that_costs_every_worker_its_lease_is_buried() {
    let shop = Shop::with_product("A", 2, 10, 1);
    for attempt in 1..=ATTEMPTS_MAX {
        assert_eq!(shop.claim_one().attempt, attempt);
        assert_eq!(shop.tick_after(30_000).leases_expired, 1);
    }
    let buried =
        wait(queue::buried(&shop.database, "replenishment".into(), None, first_page())).expect("read");
    let buried = buried.expect("known");
    assert_eq!((buried.len(), buried[0].reason.as_str()), (1, "attempts-exhausted"));
    assert_eq!(buried[0].attempts.len(), 3);
    assert!(shop.events().contains(&"message.buried".to_owned()));
    shop.assert_sound();
}

#[test]
fn a_queue_that_sets_its_own_limit_of_attempts_keeps_it() {
    let shop = Shop::with_product("A", 2, 10, 1);
    shop.database.0.execute("UPDATE queue SET attempts_max = 1", []).expect("updated");
    let delivery = shop.claim_one();
    shop.tick_after(30_000);
    assert_eq!(shop.message(&delivery.message_id).state, MessageState::Buried);
}

#[test]
fn a_redriven_message_starts_over_with_its_history() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let delivery = shop.claim_one();
    shop.settle(&delivery, Verdict::Bury);
    assert_eq!(shop.redrive_all(), 1);
    assert_eq!(shop.redrive_all(), 0);
    let again = shop.claim_one();
    assert_eq!((again.message_id.as_str(), again.attempt), (delivery.message_id.as_str(), 1));
    let message = shop.message(&delivery.message_id);
    assert_eq!((message.redrives, message.attempts.len()), (1, 1));
    assert_eq!(shop.purge_all(), 0, "only dead letters are purged");
}

#[test]
fn an_operator_means_messages_by_id_by_reason_or_all_up_to_a_number() {
    let shop = Shop::new();
    for sku in ["A", "B", "C", "D"] {
        shop.product(sku, 2, 10, 1);
    }
    let deliveries = shop.claim(10);
    for delivery in &deliveries {
        shop.settle(delivery, Verdict::Bury);
    }
    let ids = vec![deliveries[1].message_id.clone(), "nobody".into()];
    assert_eq!(shop.operate(Action::Redrive((Selection::Ids(ids), 10))), Some(1));
    assert_eq!(shop.operate(Action::Redrive((Selection::Reason("no such".into()), 10))), Some(0));
    assert_eq!(shop.operate(Action::Redrive((Selection::Reason("unreachable".into()), 2))), Some(2));
    assert_eq!(shop.operate(Action::Purge((Selection::All, 10))), Some(1));
    let states: Vec<_> = deliveries.iter().map(|delivery| shop.message(&delivery.message_id).state).collect();
    use MessageState::{Purged, Ready};
    assert_eq!(states, [Ready, Ready, Ready, Purged], "the oldest come first");
    assert_eq!(shop.database.texts("SELECT reason FROM operation WHERE affected = 1").len(), 2);
    shop.assert_sound();
}

#[test]
fn a_dead_letter_of_the_alerts_is_no_event_of_its_own() {
    let shop = Shop::with_product("A", 2, 10, 1);
    shop.settle(&shop.claim_one(), Verdict::Bury);
    let claimed = wait(queue::claim(&shop.database, "alerts".into(), 5, shop.now.get())).expect("claimed");
    assert_eq!(claimed.len(), 2, "one notice for each channel");
    for notice in &claimed {
        assert_eq!(notice.event.kind, "incident.opened");
        shop.settle(notice, Verdict::Bury);
    }
    let buried = shop.events().into_iter().filter(|kind| kind == "message.buried").count();
    assert_eq!(buried, 1);
}

#[test]
fn finished_messages_go_after_their_retention_and_everything_else_stays() {
    const WEEK: u64 = 604_800_000;
    let shop = Shop::with_product("A", 2, 10, 1);
    shop.product("B", 2, 10, 1);
    let [done, dead] = &shop.claim(10)[..] else { panic!("two are due") };
    shop.request(&shop.productions()[0].id);
    shop.settle(done, Verdict::Done);
    shop.settle(dead, Verdict::Bury);
    assert_eq!(shop.tick_after(WEEK - 1).removed, 0);
    assert_eq!(shop.tick_after(1).removed, 1);
    assert!(wait(queue::get(&shop.database, done.message_id.clone())).expect("read").is_none());
    assert_eq!(shop.message(&dead.message_id).attempts.len(), 1);
    shop.tick_after(WEEK);
    let subjects = shop.database.texts("SELECT subject FROM event WHERE type = 'stock.low'");
    assert_eq!(subjects, ["B"], "an event goes with its last message");
    let orphans =
        "SELECT count(*) FROM message_attempt WHERE message_seq NOT IN (SELECT message_seq FROM message)";
    assert_eq!(shop.database.number(orphans), 0);
    shop.assert_sound();
}

#[test]
fn identifiers_are_valid_and_different_in_a_write_that_makes_many() {
    let shop = Shop::new();
    let queues = "INSERT INTO queue (queue_id, paused, ordered, lease_ms, in_flight_max, retention_ms)
                  WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 50)
                  SELECT 'q' || value, 0, 0, 1000, 10, 1000 FROM n;
                  INSERT INTO subscription SELECT 'stock.low', queue_id FROM queue WHERE queue_id LIKE 'q%'";
    shop.database.0.execute_batch(queues).expect("inserted");
    shop.product("A", 2, 10, 1);
    let mut ids = shop.database.texts("SELECT message_id FROM message");
    assert_eq!(ids.len(), 51);
    ids.extend(shop.database.texts("SELECT event_id FROM event"));
    ids.extend(shop.database.texts("SELECT production_id FROM production"));
    for id in &ids {
        let parts: Vec<_> = id.split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12], "{id}");
        assert!(id.chars().all(|digit| digit == '-' || matches!(digit, '0'..='9' | 'a'..='f')), "{id}");
        assert_eq!(&id[14..15], "7", "{id}");
        assert!("89ab".contains(&id[19..20]), "{id}");
    }
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
}

#[test]
fn dead_letters_are_read_page_by_page_from_the_newest() {
    let shop = Shop::new();
    for sku in ["A", "B", "C"] {
        shop.product(sku, 2, 10, 1);
    }
    for delivery in shop.claim(10) {
        shop.settle(&delivery, Verdict::Bury);
    }
    let mut page = first_page();
    page.limit = 2;
    let read = |page| {
        wait(queue::buried(&shop.database, "replenishment".into(), None, page)).expect("read").expect("known")
    };
    let first = read(page.clone());
    page.after = Some(first[1].cursor.clone());
    let second = read(page);
    let subjects: Vec<_> =
        first.iter().chain(&second).map(|message| message.event.subject.as_str()).collect();
    assert_eq!(subjects, ["C", "B", "A"]);
}

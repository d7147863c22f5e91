//! Claim: operators stop a queue and decide about dead letters, and nothing else about its messages.

use super::bindings::restock::production::Status;
use super::bindings::restock::queue::{Action, BuriedGroup, MessageState, Selection, Verdict};
use super::shop::{QUEUE, Shop, first_page, page, settlement};
use super::store::Engine;

on_every_engine!(
    a_paused_queue_keeps_its_messages_until_it_is_resumed,
    a_redriven_message_starts_over_with_its_history,
    dead_letters_are_meant_by_id_by_reason_or_all_and_never_more_than_so_many,
    a_purged_message_is_gone_from_the_queue_and_stays_on_record,
    dead_letters_are_grouped_by_their_last_failure_most_numerous_first,
    no_more_than_a_hundred_kinds_of_failure_are_told,
    dead_letters_of_one_kind_are_read_page_by_page,
    a_dry_run_says_what_the_operation_would_touch_and_changes_nothing,
);

async fn a_paused_queue_keeps_its_messages_until_it_is_resumed(engine: Engine) {
    let shop = Shop::with_messages(engine, 2).await;
    let held = shop.claim_one().await;
    shop.operate(Action::Pause).await;
    shop.operate(Action::Pause).await;
    assert!(shop.queue().await.paused);
    assert!(shop.claim(10).await.is_empty() && !shop.due().await);
    assert!(shop.settle(&held, Verdict::Done).await, "what is under way is finished");
    shop.define("Z", 2, 10, 1).await;
    assert_eq!(shop.queue().await.ready, 2, "a paused queue still takes messages");
    shop.operate(Action::Resume).await;
    assert!(!shop.queue().await.paused && shop.due().await);
    assert_eq!(shop.claim(10).await.len(), 2);
}

async fn a_redriven_message_starts_over_with_its_history(engine: Engine) {
    let shop = Shop::with_messages(engine, 1).await;
    let request = shop.only_request().await.id;
    let first = shop.claim_one().await;
    shop.settle(&first, Verdict::Retry(shop.now())).await;
    shop.settle(&shop.claim_one().await, Verdict::Bury).await;
    assert_eq!(shop.request(&request).await.status, Status::Failed);
    assert_eq!(shop.redrive_all().await, 1);
    assert_eq!(shop.redrive_all().await, 0);
    assert_eq!(shop.request(&request).await.status, Status::Planned, "its request is planned again");
    assert_eq!(shop.levels("P000").await, (1, 9, 0));
    let again = shop.claim_one().await;
    assert_eq!((again.message_id.as_str(), again.attempt), (first.message_id.as_str(), 1));
    shop.settle(&again, Verdict::Bury).await;
    let message = shop.message(&first.message_id).await;
    assert_eq!((message.state, message.redrives, message.attempts.len()), (MessageState::Buried, 1, 3));
    shop.audit().await;
}

async fn dead_letters_are_meant_by_id_by_reason_or_all_and_never_more_than_so_many(engine: Engine) {
    let shop = Shop::with_messages(engine, 6).await;
    let deliveries = shop.claim(10).await;
    let mut batch: Vec<_> = deliveries.iter().map(|delivery| settlement(delivery, Verdict::Bury)).collect();
    batch[4].reason = "refused".into();
    batch[5].verdict = Verdict::Retry(shop.now() + 1_000_000);
    shop.store.settle(batch, shop.now()).await.expect("settled");
    let id = |index: usize| deliveries[index].message_id.clone();
    let states = async || {
        let mut states = Vec::new();
        for index in 0..6 {
            states.push(shop.message(&id(index)).await.state);
        }
        states
    };
    use MessageState::{Buried, Purged, Ready};

    let ids = Selection::Ids(vec![id(1), id(5), "nobody".into()]);
    assert_eq!(shop.operate(Action::Redrive((ids.clone(), 10))).await, 1, "only dead letters are redriven");
    assert_eq!(states().await, [Buried, Ready, Buried, Buried, Buried, Ready]);
    assert_eq!(shop.operate(Action::Purge((ids, 10))).await, 0, "only dead letters are purged");
    assert_eq!(shop.operate(Action::Redrive((Selection::Ids(vec![id(0), id(2)]), 1))).await, 1);
    assert_eq!(shop.buried().await.len(), 3);
    assert_eq!(shop.operate(Action::Purge((Selection::Reason("refused".into()), 10))).await, 1);
    assert_eq!(states().await[4], Purged);
    assert_eq!(shop.operate(Action::Redrive((Selection::Reason("refused".into()), 10))).await, 0);
    assert_eq!(shop.operate(Action::Redrive((Selection::Reason("unreachable".into()), 1))).await, 1);
    assert_eq!(shop.operate(Action::Purge((Selection::All, 0))).await, 0);
    assert_eq!(shop.operate(Action::Purge((Selection::All, 10))).await, 1);
    assert!(shop.buried().await.is_empty());
    shop.audit().await;
}

async fn a_purged_message_is_gone_from_the_queue_and_stays_on_record(engine: Engine) {
    let shop = Shop::with_messages(engine, 1).await;
    let request = shop.only_request().await.id;
    let delivery = shop.claim_one().await;
    shop.settle(&delivery, Verdict::Bury).await;
    assert_eq!(shop.purge_all().await, 1);
    let message = shop.message(&delivery.message_id).await;
    assert_eq!(
        (message.state, message.settled_at, message.attempts.len()),
        (MessageState::Purged, Some(shop.now()), 1)
    );
    assert_eq!((shop.redrive_all().await, shop.purge_all().await), (0, 0), "for good");
    let queue = shop.queue().await;
    assert_eq!((queue.ready, queue.leased, queue.buried, queue.done_total), (0, 0, 0, 0));
    assert_eq!(shop.request(&request).await.status, Status::Cancelled);
    shop.buy(&[("P000", 1)]).await;
    let next = shop.open_request("P000").await.expect("the next sale asks again");
    assert_ne!(next.id, request);
    shop.audit().await;
}

async fn groups(shop: &Shop) -> Vec<BuriedGroup> {
    shop.store.buried_groups(QUEUE.into()).await.expect("read").expect("the queue is known")
}

async fn dead_letters_are_grouped_by_their_last_failure_most_numerous_first(engine: Engine) {
    let shop = Shop::with_messages(engine, 5).await;
    assert!(groups(&shop).await.is_empty());
    assert_eq!(shop.store.buried_groups("nobody".into()).await, Ok(None));
    let deliveries = shop.claim(10).await;
    let first = shop.now();
    for (number, reason) in ["refused", "failing", "refused", "refused"].into_iter().enumerate() {
        shop.bury(&deliveries[number], reason, &format!("answer {number}")).await;
        shop.wait_ms(1);
    }
    let group = |reason: &str, count, oldest_at, newest_at, error: &str| BuriedGroup {
        reason: reason.into(),
        count,
        oldest_at,
        newest_at,
        error: error.into(),
    };
    assert_eq!(
        groups(&shop).await,
        [
            group("refused", 3, first, first + 3, "answer 3"),
            group("failing", 1, first + 1, first + 1, "answer 1")
        ],
        "the newest one's words"
    );
    // The last failure counts: two of them change over.
    let ids = Selection::Ids(vec![deliveries[0].message_id.clone(), deliveries[3].message_id.clone()]);
    assert_eq!(shop.operate(Action::Redrive((ids, 10))).await, 2);
    let again = shop.claim(10).await;
    for delivery in &again {
        shop.bury(delivery, "failing", "no answer").await;
    }
    assert_eq!(
        groups(&shop).await,
        [
            group("failing", 3, first + 1, first + 4, "no answer"),
            group("refused", 1, first + 2, first + 2, "answer 2")
        ]
    );
    shop.purge_all().await;
    assert!(groups(&shop).await.is_empty());
}

async fn no_more_than_a_hundred_kinds_of_failure_are_told(engine: Engine) {
    const KINDS: usize = 101;
    let shop = Shop::with_messages(engine, KINDS + 1).await;
    let mut number = 0;
    loop {
        let deliveries = shop.claim(100).await;
        if deliveries.is_empty() {
            break;
        }
        for delivery in deliveries {
            // One kind has two dead letters.
            shop.bury(&delivery, &format!("kind-{}", number % KINDS), "e").await;
            number += 1;
        }
    }
    let told = groups(&shop).await;
    assert_eq!((number, told.len()), (KINDS + 1, 100));
    assert_eq!((told[0].reason.as_str(), told[0].count), ("kind-0", 2));
}

async fn dead_letters_of_one_kind_are_read_page_by_page(engine: Engine) {
    let shop = Shop::with_messages(engine, 6).await;
    for (number, delivery) in shop.claim(10).await.iter().enumerate() {
        shop.bury(delivery, if number % 2 == 0 { "refused" } else { "failing" }, "e").await;
    }
    let read = async |reason: &str| {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let read = shop.store.buried(QUEUE.into(), Some(reason.into()), page(2, after.as_deref())).await;
            let messages = read.expect("read").expect("the queue is known");
            assert!(messages.len() <= 2);
            let Some(last) = messages.last() else { return found };
            after = Some(last.cursor.clone());
            assert!(messages.iter().all(|message| message.reason == reason));
            found.extend(messages.into_iter().map(|message| message.event.subject));
        }
    };
    assert_eq!(read("refused").await, ["P004", "P002", "P000"]);
    assert_eq!(read("failing").await, ["P005", "P003", "P001"]);
    assert_eq!(read("").await, [""; 0], "no reason is not every reason");
    assert_eq!(shop.store.buried("nobody".into(), Some("refused".into()), first_page()).await, Ok(None));
}

async fn a_dry_run_says_what_the_operation_would_touch_and_changes_nothing(engine: Engine) {
    let shop = Shop::with_messages(engine, 6).await;
    let deliveries = shop.claim(5).await;
    for (number, delivery) in deliveries.iter().enumerate() {
        shop.bury(delivery, if number < 3 { "refused" } else { "failing" }, "e").await;
    }
    let id = |number: usize| deliveries[number].message_id.clone();
    let named = Selection::Ids(vec![id(0), id(4), "nobody".into(), id(0)]);
    let selections =
        [named, Selection::Reason("refused".into()), Selection::Reason("nothing".into()), Selection::All];
    for selection in selections {
        for limit in [0, 1, 2, 100] {
            let actions = shop.store.actions(first_page()).await.expect("read");
            let before = shop.buried().await;
            let selected = shop.store.selected(QUEUE.into(), selection.clone(), limit).await;
            assert_eq!(shop.buried().await, before);
            assert_eq!(shop.store.actions(first_page()).await, Ok(actions), "a dry run is not on record");
            let touched = shop.operate(Action::Redrive((selection.clone(), limit))).await;
            assert_eq!(selected, Ok(Some(touched)), "{selection:?}, at most {limit}");
            assert_eq!(shop.buried().await.len(), before.len() - touched as usize);
            for delivery in shop.claim(10).await {
                if let Some(dead) = before.iter().find(|dead| dead.id == delivery.message_id) {
                    shop.bury(&delivery, &dead.reason, "e").await;
                }
            }
            assert_eq!(shop.buried().await.len(), before.len());
        }
    }
    let all = shop.store.selected(QUEUE.into(), Selection::All, 3).await;
    assert_eq!(all, Ok(Some(3)));
    assert_eq!(shop.operate(Action::Purge((Selection::All, 3))).await, 3);
    assert_eq!(shop.store.selected("nobody".into(), Selection::All, 3).await, Ok(None));
}

//! Claim: operators stop a queue and decide about dead letters, and nothing else about its messages.

use super::bindings::restock::production::Status;
use super::bindings::restock::queue::{Action, MessageState, Selection, Verdict};
use super::shop::{Shop, settlement};
use super::store::Engine;

on_every_engine!(
    a_paused_queue_keeps_its_messages_until_it_is_resumed,
    a_redriven_message_starts_over_with_its_history,
    dead_letters_are_meant_by_id_by_reason_or_all_and_never_more_than_so_many,
    a_purged_message_is_gone_from_the_queue_and_stays_on_record,
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

//! Claim: a replay makes the next step of a return due, whatever became of its message, takes nothing away from a worker, and is on
//! record.

use super::bindings::restock::queue::{Action, MessageState, Selection, Verdict};
use super::bindings::restock::returns::{Replaying, Return, Status, ToStock};
use super::parcels::{RETURNS, carried, parcel, shipped};
use super::shop::{OPERATOR, Shop, first_page};
use super::store::Engine;

on_every_engine!(
    a_replay_of_an_unknown_parcel_follows_it_from_now_on,
    a_replay_makes_a_message_that_waits_due_now,
    a_replay_redrives_a_dead_letter_with_its_history,
    a_replay_makes_up_for_a_message_that_was_purged,
    a_replay_leaves_what_a_worker_holds_to_it,
    a_replay_asks_for_the_step_that_is_next_whatever_became_of_the_one_before,
    a_replay_corrects_the_shipment_number_of_a_parcel_on_its_way_only,
    an_answer_about_a_number_that_was_corrected_meanwhile_does_not_count,
    a_corrected_number_is_asked_for_at_once_and_once_whatever_the_clock_of_the_operator,
    a_return_that_was_reported_is_over,
    replays_are_on_record,
);

fn begun(replaying: Replaying) -> Return {
    match replaying {
        Replaying::Begun(entry) => entry,
        other => panic!("not begun: {other:?}"),
    }
}

fn resumed(replaying: Replaying) -> Return {
    match replaying {
        Replaying::Resumed(entry) => entry,
        other => panic!("not resumed: {other:?}"),
    }
}

/// What is due in the queue: kinds, and the return each is about.
async fn due(shop: &Shop) -> Vec<(String, String)> {
    let deliveries = shop.claim_from(RETURNS, 100).await;
    deliveries.into_iter().map(|delivery| (delivery.event.kind, delivery.event.subject)).collect()
}

fn message(kind: &str, entry: &Return) -> (String, String) {
    (kind.to_owned(), entry.id.clone())
}

/// A shop that follows one parcel, whose message is due.
async fn following(engine: Engine) -> (Shop, Return) {
    let shop = Shop::open(engine).await;
    let entry = shop.follow(&[shipped("o", "1", "SHP-1")]).await.remove(0);
    (shop, entry)
}

async fn a_replay_of_an_unknown_parcel_follows_it_from_now_on(engine: Engine) {
    let shop = Shop::open(engine).await;
    let entry = begun(shop.replay(shipped("o", "1", "SHP-1")).await);
    assert_eq!(
        (entry.order_number.as_str(), entry.order_item_number.as_str(), entry.shipment_number.as_str()),
        ("o", "1", "SHP-1")
    );
    assert_eq!((entry.status, entry.collected_at), (Status::Collected, shop.now()));
    assert_eq!(shop.one_return(&entry.id).await, entry);
    shop.audit().await;
    let again = resumed(shop.replay(shipped("o", "1", "SHP-1")).await);
    assert_eq!(again, entry);
    let messages = shop.claim_from(RETURNS, 10).await;
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(
        (messages[0].event.kind.as_str(), carried(&messages[0], "return_id")),
        ("return.collected", entry.id.clone())
    );
    // The partner's list knows it too, some day.
    let collection = shop.begin_collection().await;
    shop.collect(&collection, &[shipped("o", "1", "SHP-1")]).await;
    assert_eq!(shop.finish(&collection, 1).await.fresh, 0);
    assert_eq!(shop.all_returns().await, [entry]);
    shop.audit().await;
}

async fn a_replay_makes_a_message_that_waits_due_now(engine: Engine) {
    let (shop, entry) = following(engine).await;
    for step in ["return.collected", "return.delivered"] {
        let delivery = shop.claim_from(RETURNS, 10).await.remove(0);
        assert_eq!(delivery.event.kind, step);
        assert!(shop.settle(&delivery, Verdict::Postpone(shop.now() + 21_600_000)).await);
        assert_eq!(due(&shop).await, []);
        shop.wait_ms(10);
        assert_eq!(resumed(shop.replay(shipped("o", "1", "SHP-1")).await), shop.one_return(&entry.id).await);
        let waiting = shop.message(&delivery.message_id).await;
        assert_eq!(
            (waiting.state, waiting.available_at, waiting.redrives),
            (MessageState::Ready, shop.now(), 0)
        );
        let again = shop.claim_from(RETURNS, 10).await;
        assert_eq!((again.len(), &again[0].message_id), (1, &delivery.message_id), "the same one");
        shop.track(&entry.id, &["delivered"]).await;
        assert!(shop.settle(&again[0], Verdict::Done).await);
        if step == "return.delivered" {
            shop.report(&entry, ToStock::Ask).await;
        }
        shop.audit().await;
    }
}

async fn a_replay_redrives_a_dead_letter_with_its_history(engine: Engine) {
    let (shop, entry) = following(engine).await;
    for step in ["return.collected", "return.delivered"] {
        let delivery = shop.claim_from(RETURNS, 10).await.remove(0);
        assert_eq!(delivery.event.kind, step);
        shop.bury(&delivery, "logistics-refused", "no").await;
        shop.wait_ms(10);
        resumed(shop.replay(shipped("o", "1", "SHP-1")).await);
        let message = shop.message(&delivery.message_id).await;
        assert_eq!(
            (message.state, message.available_at, message.redrives, message.attempt),
            (MessageState::Ready, shop.now(), 1, 0)
        );
        assert_eq!((message.settled_at, message.attempts.len()), (None, 1), "its history is kept");
        let again = shop.claim_from(RETURNS, 10).await;
        assert_eq!((again.len(), &again[0].message_id), (1, &delivery.message_id), "no other one");
        assert_eq!(again[0].attempt, 1, "it starts over");
        shop.track(&entry.id, &["delivered"]).await;
        assert!(shop.settle(&again[0], Verdict::Done).await);
        if step == "return.delivered" {
            shop.report(&entry, ToStock::Ask).await;
        }
        shop.audit().await;
    }
}

async fn a_replay_makes_up_for_a_message_that_was_purged(engine: Engine) {
    let (shop, entry) = following(engine).await;
    for step in ["return.collected", "return.delivered"] {
        let delivery = shop.claim_from(RETURNS, 10).await.remove(0);
        assert_eq!(delivery.event.kind, step);
        shop.bury(&delivery, "logistics-refused", "no").await;
        assert_eq!(shop.purge_returns().await, 1);
        shop.audit().await;
        shop.wait_ms(10);
        resumed(shop.replay(shipped("o", "1", "SHP-1")).await);
        assert_eq!(shop.message(&delivery.message_id).await.state, MessageState::Purged, "for good");
        shop.audit().await;
        resumed(shop.replay(shipped("o", "1", "SHP-1")).await);
        let anew = shop.claim_from(RETURNS, 10).await;
        assert_eq!(anew.len(), 1, "{anew:?}");
        assert_ne!(anew[0].message_id, delivery.message_id);
        assert_eq!((anew[0].event.kind.as_str(), carried(&anew[0], "return_id")), (step, entry.id.clone()));
        shop.track(&entry.id, &["delivered"]).await;
        assert!(shop.settle(&anew[0], Verdict::Done).await);
        if step == "return.delivered" {
            shop.report(&entry, ToStock::Ask).await;
        }
        shop.audit().await;
    }
}

async fn a_replay_leaves_what_a_worker_holds_to_it(engine: Engine) {
    let (shop, entry) = following(engine).await;
    let held = shop.claim_from(RETURNS, 10).await.remove(0);
    let before = shop.message(&held.message_id).await;
    assert_eq!(resumed(shop.replay(shipped("o", "1", "SHP-1")).await), entry);
    assert_eq!(shop.message(&held.message_id).await, before);
    assert_eq!(due(&shop).await, [], "nobody else gets it meanwhile");
    shop.deliver(&entry).await;
    assert!(shop.settle(&held, Verdict::Done).await, "its receipt still counts");
    assert_eq!(due(&shop).await, [message("return.delivered", &entry)]);
    shop.audit().await;
}

async fn a_replay_asks_for_the_step_that_is_next_whatever_became_of_the_one_before(engine: Engine) {
    // The message that followed the parcel was given up although the parcel came; what becomes of it does not matter any more.
    for (purged, redriven) in [(true, false), (false, true), (false, false)] {
        let (shop, entry) = following(engine).await;
        let follow = shop.claim_from(RETURNS, 10).await.remove(0);
        shop.deliver(&entry).await;
        shop.bury(&follow, "store-failing", "the answer was lost").await;
        let report = shop.claim_from(RETURNS, 10).await.remove(0);
        assert_eq!(report.event.kind, "return.delivered");
        if redriven {
            assert_eq!(shop.redrive_returns().await, 1);
        }
        shop.bury(&report, "logistics-refused", "no").await;
        if purged {
            let selection = Selection::Ids(vec![report.message_id]);
            let purge = shop.operation(RETURNS, Action::Purge((selection, 10)));
            assert_eq!(shop.store.operate(purge).await, Ok(Some(1)));
        }
        resumed(shop.replay(shipped("o", "1", "SHP-1")).await);
        let mut deliveries = shop.claim_from(RETURNS, 10).await;
        if redriven {
            // The older message of the same return comes first, and finds that there is nothing to do.
            assert_eq!((deliveries.len(), &deliveries[0].message_id), (1, &follow.message_id));
            assert!(shop.settle(&deliveries[0], Verdict::Done).await);
            deliveries = shop.claim_from(RETURNS, 10).await;
        }
        let kinds: Vec<_> = deliveries.iter().map(|delivery| delivery.event.kind.as_str()).collect();
        assert_eq!(kinds, ["return.delivered"], "purged: {purged}, redriven: {redriven}");
        shop.audit().await;
    }
}

async fn a_replay_corrects_the_shipment_number_of_a_parcel_on_its_way_only(engine: Engine) {
    let (shop, entry) = following(engine).await;
    shop.track(&entry.id, &[]).await;
    shop.wait_ms(10);
    let corrected = resumed(shop.replay(shipped("o", "1", "SHP-2")).await);
    assert_eq!((corrected.shipment_number.as_str(), corrected.unknown_since), ("SHP-2", None));
    assert_eq!(shop.one_return(&entry.id).await, corrected);
    shop.track(&entry.id, &["delivered"]).await;
    let delivered = shop.one_return(&entry.id).await;
    assert_eq!((delivered.status, delivered.shipment_number.as_str()), (Status::Delivered, "SHP-2"));
    assert_eq!(resumed(shop.replay(shipped("o", "1", "SHP-3")).await), delivered, "it is back");
    shop.report(&entry, ToStock::Ask).await;
    let Replaying::Over(over) = shop.replay(shipped("o", "1", "SHP-4")).await else { panic!("not over") };
    assert_eq!(over.shipment_number, "SHP-2");
    shop.audit().await;
}

async fn an_answer_about_a_number_that_was_corrected_meanwhile_does_not_count(engine: Engine) {
    let (shop, entry) = following(engine).await;
    let mut held = shop.claim_from(RETURNS, 10).await.remove(0);
    for (number, before) in [("SHP-2", "SHP-1"), ("SHP-3", "SHP-2")] {
        let corrected = resumed(shop.replay(shipped("o", "1", number)).await);
        for answer in [&["delivered"][..], &[]] {
            shop.track_as(&entry.id, before, answer).await;
            assert_eq!(shop.one_return(&entry.id).await, corrected, "it is about the number of before");
        }
        assert!(shop.settle(&held, Verdict::Postpone(shop.now() + 21_600_000)).await);
        let again = shop.claim_from(RETURNS, 10).await;
        assert_eq!(again.len(), 1, "what it was to wait for was said of the number of before");
        assert_eq!(again[0].message_id, held.message_id);
        held = again[0].clone();
    }
    // A worker that took it later and comes back with an old answer is no better.
    shop.track_as(&entry.id, "SHP-1", &["delivered"]).await;
    assert_eq!(shop.one_return(&entry.id).await.status, Status::Collected);
    shop.deliver(&entry).await;
    assert!(shop.settle(&held, Verdict::Done).await);
    shop.audit().await;
}

async fn a_corrected_number_is_asked_for_at_once_and_once_whatever_the_clock_of_the_operator(engine: Engine) {
    for ahead_ms in [-3_600_000, 3_600_000] {
        let (shop, entry) = following(engine).await;
        let held = shop.claim_from(RETURNS, 10).await.remove(0);
        let mut wish = shop.wish(shipped("o", "1", "SHP-2"));
        wish.at = wish.at.saturating_add_signed(ahead_ms);
        resumed(shop.store.replay(wish).await.expect("answered"));
        shop.track_as(&entry.id, "SHP-1", &["delivered"]).await;
        assert_eq!(shop.one_return(&entry.id).await.status, Status::Collected);
        assert!(shop.settle(&held, Verdict::Postpone(shop.now() + 21_600_000)).await);
        let again = shop.claim_from(RETURNS, 10).await;
        assert_eq!(again.len(), 1, "its number was corrected");
        assert!(shop.settle(&again[0], Verdict::Retry(shop.now() + 10)).await);
        assert_eq!(due(&shop).await, [], "it was asked for once");
        shop.wait_ms(10);
        let again = shop.claim_from(RETURNS, 10).await;
        // One that is corrected before it is asked for has its answer.
        resumed(shop.replay(shipped("o", "1", "SHP-3")).await);
        shop.track_as(&entry.id, "SHP-3", &["in transit"]).await;
        assert!(shop.settle(&again[0], Verdict::Postpone(shop.now() + 21_600_000)).await);
        assert_eq!(due(&shop).await, []);
        shop.audit().await;
    }
}

async fn a_return_that_was_reported_is_over(engine: Engine) {
    let shop = Shop::open(engine).await;
    let entry = shop.bring_back(parcel("o", "1"), ToStock::Ask).await;
    shop.drain(RETURNS).await;
    let Replaying::Over(over) = shop.replay(parcel("o", "1")).await else { panic!("not over") };
    assert_eq!(over, entry);
    assert_eq!(due(&shop).await, [], "nothing is left to do");
    shop.audit().await;
}

async fn replays_are_on_record(engine: Engine) {
    let shop = Shop::open(engine).await;
    let entry = begun(shop.replay(shipped("o", "1", "SHP-1")).await);
    shop.wait_ms(10);
    resumed(shop.replay(shipped("o", "1", "SHP-2")).await);
    let mut actions = shop.store.actions(first_page()).await.expect("read");
    actions.retain(|action| action.kind == "return.replay");
    assert_eq!(actions.len(), 2);
    for (action, (shipment, at)) in actions.iter().zip([("SHP-2", shop.now()), ("SHP-1", shop.now() - 10)]) {
        assert_eq!((&action.subject, action.operator.as_str(), action.at), (&entry.id, OPERATOR, at));
        assert!(action.detail.contains(shipment), "{action:?}");
    }
}

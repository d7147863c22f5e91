//! Claim: collections of the partner's list come one after the other, each is counted once, and what nothing can be done with is
//! kept once.

use super::bindings::restock::queue::Verdict;
use super::bindings::restock::returns::{Collection, Progress, ToStock};
use super::parcels::{EVERY_MS, RETURNS, carried, oddity, parcel, shipped};
use super::shop::{Shop, first_page, page};
use super::store::Engine;

on_every_engine!(
    a_collection_begins_when_it_is_due_and_none_is_under_way,
    runs_that_were_missed_are_made_up_for_by_one,
    a_clock_that_was_ahead_keeps_no_collection_from_beginning,
    a_collection_is_begun_with_the_message_that_carries_it_out,
    a_collection_that_failed_does_not_keep_the_next_one_from_beginning,
    a_failed_collection_that_is_redriven_can_still_finish,
    a_collection_counts_what_happened_since_the_one_before_it,
    a_collection_that_finished_stays_as_it_is,
    people_are_told_of_a_collection_in_which_something_failed_and_of_no_other,
    what_cannot_be_used_is_kept_once_and_counted_once_for_each_collection,
    another_shipment_number_is_set_aside_while_the_parcel_is_on_its_way,
    collections_and_rejects_are_read_page_by_page_from_the_newest,
    old_collections_and_old_rejects_are_removed_some_day_and_returns_never,
);

async fn begin(shop: &Shop) -> Option<String> {
    shop.store.begin_collection(EVERY_MS, shop.now()).await.expect("answered")
}

/// The kinds of the messages that the queue `alerts` holds about collections, with the collection each is about.
async fn told(shop: &Shop) -> Vec<String> {
    let mut told = shop.drain("alerts").await;
    told.retain(|delivery| delivery.event.kind == "returns.failed");
    told.iter().map(|delivery| carried(delivery, "collection_id")).collect()
}

/// Collected, fresh, rejected, delivered, reported, failed.
fn figures(collection: &Collection) -> [u64; 6] {
    let Collection { collected, fresh, rejected, delivered, reported, failed, .. } = collection;
    [*collected, *fresh, *rejected, *delivered, *reported, *failed]
}

async fn a_collection_begins_when_it_is_due_and_none_is_under_way(engine: Engine) {
    let shop = Shop::open(engine).await;
    let first = begin(&shop).await.expect("a first one is due at once");
    let began_at = shop.now();
    assert_eq!(begin(&shop).await, None, "it is not over");
    shop.wait_ms(10 * EVERY_MS);
    assert_eq!(begin(&shop).await, None, "however long it takes");
    let running = shop.collection(&first).await;
    assert_eq!(
        (running.progress, running.began_at, running.finished_at),
        (Progress::Running, began_at, None)
    );
    shop.finish(&first, 0).await;

    let second = begin(&shop).await.expect("due for long");
    assert_ne!(second, first);
    shop.finish(&second, 0).await;
    assert_eq!(begin(&shop).await, None, "each begins so long after the one before it began");
    shop.wait_ms(EVERY_MS - 1);
    assert_eq!(begin(&shop).await, None);
    shop.wait_ms(1);
    assert!(begin(&shop).await.is_some());
    assert_eq!(shop.store.collections(first_page()).await.expect("read").len(), 3);
}

async fn runs_that_were_missed_are_made_up_for_by_one(engine: Engine) {
    let shop = Shop::open(engine).await;
    let first = begin(&shop).await.expect("due");
    shop.finish(&first, 0).await;
    shop.wait_ms(10 * EVERY_MS + 7);
    let second = begin(&shop).await.expect("due");
    shop.finish(&second, 0).await;
    assert_eq!(begin(&shop).await, None, "ten missed runs are one");
    shop.wait_ms(EVERY_MS - 1);
    assert_eq!(begin(&shop).await, None);
    shop.wait_ms(1);
    let third = begin(&shop).await.expect("due");
    shop.finish(&third, 0).await;
    let soon = shop.store.begin_collection(EVERY_MS / 2, shop.now() + EVERY_MS / 2).await.expect("answered");
    assert!(soon.is_some(), "how often may change");
}

async fn a_clock_that_was_ahead_keeps_no_collection_from_beginning(engine: Engine) {
    let shop = Shop::open(engine).await;
    let ahead = shop.store.begin_collection(EVERY_MS, shop.now() + 86_400_000).await.expect("answered");
    shop.finish(&ahead.expect("due"), 0).await;
    let next = begin(&shop).await.expect("the last one that did begin is none");
    shop.finish(&next, 0).await;
    assert_eq!(begin(&shop).await, None, "this one began just now");
}

async fn a_collection_is_begun_with_the_message_that_carries_it_out(engine: Engine) {
    let shop = Shop::open(engine).await;
    let first = begin(&shop).await.expect("due");
    let messages = shop.claim_from(RETURNS, 10).await;
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!((messages[0].event.kind.as_str(), messages[0].event.time), ("returns.due", shop.now()));
    assert_eq!(carried(&messages[0], "collection_id"), first);
    assert_eq!(begin(&shop).await, None);
    assert!(shop.claim_from(RETURNS, 10).await.is_empty(), "what is not begun needs no message");
    shop.finish(&first, 0).await;
    assert!(shop.settle(&messages[0], Verdict::Done).await);
    shop.wait_ms(EVERY_MS);
    let second = begin(&shop).await.expect("due");
    let messages = shop.claim_from(RETURNS, 10).await;
    assert_eq!(
        messages.iter().map(|message| carried(message, "collection_id")).collect::<Vec<_>>(),
        [second]
    );
    shop.audit().await;
}

async fn a_collection_that_failed_does_not_keep_the_next_one_from_beginning(engine: Engine) {
    let shop = Shop::open(engine).await;
    for purged in [false, true] {
        let id = begin(&shop).await.expect("due");
        let message = shop.claim_from(RETURNS, 10).await.remove(0);
        assert!(shop.settle(&message, Verdict::Retry(shop.now() + 1)).await);
        assert_eq!(shop.collection(&id).await.progress, Progress::Running, "it is tried again");
        shop.wait_ms(1);
        let again = shop.claim_from(RETURNS, 10).await.remove(0);
        shop.bury(&again, "logistics-failing", "an error page").await;
        if purged {
            assert!(shop.purge_returns().await > 0);
        }
        let failed = shop.collection(&id).await;
        assert_eq!((failed.progress, failed.finished_at), (Progress::Failed, None));
        assert_eq!(begin(&shop).await, None, "the next one is not due yet");
        shop.wait_ms(EVERY_MS - 1);
    }
    assert!(begin(&shop).await.is_some());
    shop.audit().await;
}

async fn a_failed_collection_that_is_redriven_can_still_finish(engine: Engine) {
    let shop = Shop::open(engine).await;
    let id = begin(&shop).await.expect("due");
    let message = shop.claim_from(RETURNS, 10).await.remove(0);
    shop.bury(&message, "logistics-failing", "an error page").await;
    shop.wait_ms(EVERY_MS);
    let next = begin(&shop).await.expect("due");
    assert_eq!(shop.redrive_returns().await, 1);
    let again = shop.claim_from(RETURNS, 1).await.remove(0);
    assert_eq!((&again.message_id, carried(&again, "collection_id")), (&message.message_id, id.clone()));
    shop.collect(&id, &[parcel("o", "1")]).await;
    let finished = shop.finish(&id, 1).await;
    assert_eq!((finished.progress, finished.finished_at), (Progress::Finished, Some(shop.now())));
    assert_eq!(figures(&finished), [1, 1, 0, 0, 0, 0], "it is no dead letter any more");
    assert!(shop.settle(&again, Verdict::Done).await);
    assert_eq!(shop.collection(&next).await.progress, Progress::Running, "the next one is another");
    shop.audit().await;
}

async fn a_collection_counts_what_happened_since_the_one_before_it(engine: Engine) {
    let shop = Shop::open(engine).await;
    let first = begin(&shop).await.expect("due");
    let parcels = [parcel("o", "1"), parcel("o", "2"), parcel("o", "3")];
    let odd = oddity("no-shipment-number", "{\"id\":4}");
    let due = shop.claim_from(RETURNS, 10).await.remove(0);
    for _ in 0..2 {
        shop.collect(&first, &parcels).await;
        shop.set_aside(&first, std::slice::from_ref(&odd)).await;
    }
    let finished = shop.finish(&first, 4).await;
    assert_eq!(figures(&finished), [4, 3, 1, 0, 0, 1]);
    assert!(shop.settle(&due, Verdict::Done).await);
    assert_eq!(shop.collection(&first).await, finished);

    // Two are delivered, one of them reported; the messages of two are given up, one of them for a while.
    shop.wait_ms(1);
    let messages = shop.claim_from(RETURNS, 10).await;
    shop.track(&messages[0].event.subject, &["delivered"]).await;
    shop.track(&messages[1].event.subject, &["delivered"]).await;
    shop.store.reported(messages[0].event.subject.clone(), ToStock::Off, shop.now()).await.expect("noted");
    shop.bury(&messages[1], "logistics-refused", "e").await;
    assert_eq!(shop.redrive_returns().await, 1);
    shop.bury(&messages[2], "logistics-refused", "e").await;
    shop.wait_ms(EVERY_MS);
    let second = begin(&shop).await.expect("due");
    shop.collect(&second, &parcels).await;
    shop.collect(&second, &[parcel("o", "5")]).await;
    shop.set_aside(&second, &[odd]).await;
    assert_eq!(figures(&shop.finish(&second, 5).await), [5, 1, 0, 2, 1, 1], "each is counted once");

    shop.wait_ms(EVERY_MS);
    let third = begin(&shop).await.expect("due");
    assert_eq!(figures(&shop.finish(&third, 5).await), [5, 0, 0, 0, 0, 0], "and never again");
    assert_eq!(figures(&shop.collection(&first).await), [4, 3, 1, 0, 0, 1]);
}

async fn a_collection_that_finished_stays_as_it_is(engine: Engine) {
    let shop = Shop::open(engine).await;
    let id = begin(&shop).await.expect("due");
    shop.set_aside(&id, &[oddity("no-order-number", "{}")]).await;
    let finished = shop.finish(&id, 1).await;
    assert_eq!((finished.progress, finished.finished_at), (Progress::Finished, Some(shop.now())));
    assert_eq!(told(&shop).await, [id.as_str()]);
    shop.wait_ms(1);
    shop.set_aside(&id, &[oddity("no-order-number", "{\"id\":2}")]).await;
    assert_eq!(shop.finish(&id, 9).await, finished);
    assert!(told(&shop).await.is_empty(), "told once");
    let due = shop.claim_from(RETURNS, 10).await.remove(0);
    shop.bury(&due, "logistics-failing", "e").await;
    assert_eq!(shop.collection(&id).await, finished, "what was done is not undone");
    assert_eq!(shop.store.finished("nobody".into(), 1, shop.now()).await, Ok(None));
    assert_eq!(shop.store.collection("nobody".into()).await, Ok(None));
}

async fn people_are_told_of_a_collection_in_which_something_failed_and_of_no_other(engine: Engine) {
    let shop = Shop::open(engine).await;
    let run = async || {
        shop.wait_ms(EVERY_MS);
        begin(&shop).await.expect("due")
    };
    let good = run().await;
    shop.collect(&good, &[parcel("o", "1")]).await;
    assert_eq!(shop.finish(&good, 1).await.failed, 0);
    assert!(told(&shop).await.is_empty());

    let odd = run().await;
    shop.set_aside(&odd, &[oddity("no-order-number", "{}")]).await;
    assert!(told(&shop).await.is_empty(), "in a summary, not one by one");
    assert_eq!(shop.finish(&odd, 1).await.failed, 1);
    assert_eq!(told(&shop).await, [odd]);

    let again = run().await;
    assert_eq!(shop.finish(&again, 1).await.failed, 0);
    assert!(told(&shop).await.is_empty());

    shop.wait_ms(1);
    let mut messages = shop.claim_from(RETURNS, 10).await;
    messages.retain(|message| message.event.kind == "return.collected");
    shop.bury(&messages[0], "logistics-refused", "e").await;
    let dead = run().await;
    assert_eq!(shop.finish(&dead, 1).await.failed, 1);
    assert_eq!(told(&shop).await, [dead]);
}

async fn what_cannot_be_used_is_kept_once_and_counted_once_for_each_collection(engine: Engine) {
    let shop = Shop::open(engine).await;
    let first = begin(&shop).await.expect("due");
    let first_at = shop.now();
    let odd = [oddity("no-order-number", "{\"id\":1}"), oddity("no-order-number", "{\"id\":2}")];
    shop.set_aside(&first, &odd).await;
    shop.set_aside(&first, &odd).await;
    shop.set_aside(&first, &[oddity("no-item-number", "{\"id\":1}"), odd[0].clone(), odd[0].clone()]).await;
    let kept = async || -> Vec<_> {
        let rejects = shop.rejects().await.into_iter().rev();
        rejects
            .map(|reject| (reject.reason, reject.text, reject.first_at, reject.last_at, reject.times))
            .collect()
    };
    let expected = |reason: &str, text: &str, last_at, times| {
        (reason.to_owned(), text.to_owned(), first_at, last_at, times)
    };
    assert_eq!(
        kept().await,
        [
            expected("no-order-number", "{\"id\":1}", first_at, 1),
            expected("no-order-number", "{\"id\":2}", first_at, 1),
            expected("no-item-number", "{\"id\":1}", first_at, 1),
        ],
        "a part of the list may come again"
    );
    assert_eq!(shop.finish(&first, 3).await.rejected, 3);
    shop.wait_ms(EVERY_MS);
    let second = begin(&shop).await.expect("due");
    shop.set_aside(&second, &odd[..1]).await;
    shop.set_aside(&second, &odd[..1]).await;
    assert_eq!(kept().await[0], expected("no-order-number", "{\"id\":1}", shop.now(), 2));
    assert_eq!(kept().await[1], expected("no-order-number", "{\"id\":2}", first_at, 1));
    assert_eq!(shop.finish(&second, 1).await.rejected, 0, "it had been set aside before");
    assert!(shop.all_returns().await.is_empty());
}

async fn another_shipment_number_is_set_aside_while_the_parcel_is_on_its_way(engine: Engine) {
    let shop = Shop::open(engine).await;
    let entries = shop.follow(&[shipped("o", "1", "SHP-1"), shipped("o", "2", "SHP-2")]).await;
    shop.deliver(&entries[1]).await;
    let before = [shop.one_return(&entries[0].id).await, shop.one_return(&entries[1].id).await];
    for times in 1..3 {
        shop.wait_ms(EVERY_MS);
        let collection = begin(&shop).await.expect("due");
        let listed = [shipped("o", "1", "SHP-9"), shipped("o", "2", "SHP-9")];
        shop.collect(&collection, &listed).await;
        shop.collect(&collection, &listed).await;
        let rejects = shop.rejects().await;
        assert_eq!(rejects.len(), 1, "of the one that was delivered it does not matter: {rejects:?}");
        assert_eq!(rejects[0].times, times, "once for each collection");
        for known in ["\"o\"", "\"1\"", "SHP-1", "SHP-9"] {
            assert!(rejects[0].text.contains(known), "people find {known} in it: {rejects:?}");
        }
        let now = [shop.one_return(&entries[0].id).await, shop.one_return(&entries[1].id).await];
        assert_eq!(now, before, "which number is right, a person has to say");
        let finished = shop.finish(&collection, 2).await;
        assert_eq!((finished.fresh, finished.rejected), (0, u64::from(times == 1)));
    }
    shop.audit().await;
}

async fn collections_and_rejects_are_read_page_by_page_from_the_newest(engine: Engine) {
    let shop = Shop::open(engine).await;
    let mut begun = Vec::new();
    for number in 0..5 {
        let id = begin(&shop).await.expect("due");
        shop.set_aside(&id, &[oddity("no-order-number", &number.to_string())]).await;
        shop.finish(&id, 1).await;
        begun.insert(0, id);
        shop.wait_ms(EVERY_MS);
    }
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let found = shop.store.collections(page(2, after.as_deref())).await.expect("read");
        assert!(found.len() <= 2);
        let Some(last) = found.last() else { break };
        after = Some(last.cursor.clone());
        ids.extend(found.into_iter().map(|collection| collection.id));
        // What is added at the front shifts nothing.
        let more = begin(&shop).await.expect("due");
        shop.finish(&more, 0).await;
        shop.wait_ms(EVERY_MS);
    }
    assert_eq!(ids, begun);
    let (mut texts, mut after) = (Vec::new(), None);
    loop {
        let found = shop.store.rejects(page(2, after.as_deref())).await.expect("read");
        assert!(found.len() <= 2);
        let Some(last) = found.last() else { break };
        after = Some(last.cursor.clone());
        texts.extend(found.into_iter().map(|reject| reject.text));
    }
    assert_eq!(texts, ["4", "3", "2", "1", "0"]);
}

async fn old_collections_and_old_rejects_are_removed_some_day_and_returns_never(engine: Engine) {
    let shop = Shop::open(engine).await;
    let entry = shop.bring_back(parcel("o", "1"), ToStock::Off).await;
    shop.wait_ms(EVERY_MS);
    let old = begin(&shop).await.expect("due");
    shop.set_aside(&old, &[oddity("r", "seen once"), oddity("r", "seen again")]).await;
    shop.finish(&old, 2).await;
    shop.wait_ms(EVERY_MS);
    let newer = begin(&shop).await.expect("due");
    shop.finish(&newer, 0).await;
    shop.wait_ms(EVERY_MS);
    let running = begin(&shop).await.expect("due");
    shop.wait_ms(1_000 * 86_400_000);
    shop.set_aside(&running, &[oddity("r", "seen again")]).await;
    shop.tick().await;
    assert_eq!(shop.store.collection(old).await, Ok(None));
    assert_eq!(shop.collection(&running).await.progress, Progress::Running, "it is not over");
    let left: Vec<_> = shop.rejects().await.into_iter().map(|reject| (reject.text, reject.times)).collect();
    assert_eq!(left, [("seen again".to_owned(), 2)], "it was on the list a moment ago");
    assert_eq!(shop.one_return(&entry.id).await, entry);
    shop.audit().await;
}

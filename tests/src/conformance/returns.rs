//! Claim: a parcel is followed once from the moment it is first listed, what the partner says of it is history, and each step is
//! taken once and published once.

use std::collections::BTreeSet;

use super::bindings::restock::alerts::{Channel, Occasion};
use super::bindings::restock::queue::Verdict;
use super::bindings::restock::returns::{Filter, Goods, Return, Sighting, Status, ToStock};
use super::parcels::{RETURNS, carried, parcel, shipped};
use super::shop::{MINUTE_MS, Shop, page};
use super::store::Engine;

on_every_engine!(
    a_new_return_is_followed_and_a_known_one_stays_as_it_is,
    a_thousand_records_of_one_return_are_one_return,
    a_list_that_comes_in_parts_and_again_is_taken_once,
    each_new_return_is_one_message,
    what_the_partner_says_is_history_in_the_order_in_which_it_first_came,
    no_more_than_32_statuses_are_kept_and_delivered_still_counts,
    a_delivered_parcel_is_one_message_and_is_past_that_step,
    nothing_becomes_of_what_is_said_about_an_unknown_return,
    a_number_that_the_partner_does_not_know_is_told_once_in_chat_until_it_does,
    a_number_is_no_incident_while_its_parcel_is_given_up,
    a_look_that_went_well_forgives_the_failures_before_it,
    the_report_ends_a_return_and_nothing_before_it_can_be_skipped,
    returns_are_read_page_by_page_from_the_newest_under_any_filter,
    the_audit_finds_a_return_that_nothing_carries,
    the_audit_finds_a_received_return_that_moved_no_stock,
);

async fn a_new_return_is_followed_and_a_known_one_stays_as_it_is(engine: Engine) {
    let shop = Shop::open(engine).await;
    let mut listed = shipped("o-1", "1", "SHP-1");
    listed.partner_ref = Some("ref".into());
    let entry = shop.follow(&[listed.clone()]).await.remove(0);
    let expected = Return {
        id: entry.id.clone(),
        order_number: "o-1".into(),
        order_item_number: "1".into(),
        shipment_number: "SHP-1".into(),
        partner_ref: Some("ref".into()),
        status: Status::Collected,
        goods: Goods::Pending,
        partner_status: None,
        received: None,
        collected_at: shop.now(),
        tracked_at: None,
        trackings: 0,
        unknown_since: None,
        delivered_at: None,
        reported_at: None,
        settled_at: None,
        settled_by: String::new(),
        settled_because: String::new(),
        cursor: entry.cursor.clone(),
    };
    assert_eq!(entry, expected);
    assert_eq!(shop.one_return(&entry.id).await, entry);

    shop.wait_ms(1_000_000);
    let second = shop.begin_collection().await;
    listed.partner_ref = Some("another".into());
    shop.collect(&second, &[listed]).await;
    assert_eq!(shop.one_return(&entry.id).await, entry);
    // Item 1 of another order and another item of this one are others.
    shop.collect(&second, &[parcel("o-2", "1"), parcel("o-1", "2")]).await;
    let ids: BTreeSet<_> = shop.all_returns().await.into_iter().map(|entry| entry.id).collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(shop.store.one_return("nobody".into()).await, Ok(None));
    assert_eq!(shop.store.return_history("nobody".into()).await, Ok(None));
    shop.audit().await;
}

async fn a_thousand_records_of_one_return_are_one_return(engine: Engine) {
    let shop = Shop::open(engine).await;
    let collection = shop.begin_collection().await;
    shop.collect(&collection, &vec![parcel("o", "1"); 1_000]).await;
    assert_eq!(shop.all_returns().await.len(), 1);
    assert!(shop.rejects().await.is_empty(), "they say the same");
    let messages = shop.claim_from(RETURNS, 100).await;
    let kinds: Vec<_> = messages.iter().map(|message| message.event.kind.as_str()).collect();
    assert_eq!(kinds, ["returns.due", "return.collected"]);
    assert_eq!(shop.finish(&collection, 1_000).await.fresh, 1);
    shop.audit().await;
}

async fn a_list_that_comes_in_parts_and_again_is_taken_once(engine: Engine) {
    const PART: usize = 200;
    let shop = Shop::open(engine).await;
    let collection = shop.begin_collection().await;
    let list: Vec<_> = (0..3 * PART).map(|number| parcel("o", &number.to_string())).collect();
    for again in 0..2 {
        // The parts overlap, as where the list grew between two tries.
        for part in list.chunks(PART - again) {
            shop.collect(&collection, part).await;
        }
        shop.collect(&collection, &[]).await;
    }
    let mut found = BTreeSet::new();
    let mut after = None;
    loop {
        let entries = shop.store.returns(Filter::All, page(200, after.as_deref())).await.expect("read");
        let Some(last) = entries.last() else { break };
        after = Some(last.cursor.clone());
        for entry in entries {
            assert!(found.insert(entry.order_item_number), "each is stored once");
        }
    }
    assert_eq!(found, list.iter().map(|parcel| parcel.order_item_number.clone()).collect());
    assert_eq!(shop.queue_named(RETURNS).await.ready, 1 + list.len() as u64);
    assert_eq!(shop.finish(&collection, list.len() as u64).await.fresh, list.len() as u64);
    shop.audit().await;
}

async fn each_new_return_is_one_message(engine: Engine) {
    let shop = Shop::open(engine).await;
    let entries = shop.follow(&[parcel("o", "1"), parcel("o", "2")]).await;
    let messages = shop.claim_from(RETURNS, 10).await;
    for (message, entry) in messages.iter().zip(&entries) {
        assert_eq!(
            (message.event.kind.as_str(), &message.event.subject, message.event.time),
            ("return.collected", &entry.id, entry.collected_at)
        );
        assert_eq!(carried(message, "return_id"), entry.id);
    }
    assert_eq!(messages.len(), 2);
    shop.wait_ms(1_000_000);
    let again = shop.begin_collection().await;
    shop.collect(&again, &[parcel("o", "1"), parcel("o", "2")]).await;
    let more = shop.claim_from(RETURNS, 10).await;
    assert!(more.iter().all(|message| message.event.kind == "returns.due"), "{more:?}");
    shop.audit().await;
}

/// What the partner said of a return: the words, first, last, how often.
async fn sightings(shop: &Shop, id: &str) -> Vec<(String, u64, u64, u64)> {
    let history = shop.store.return_history(id.into()).await.expect("read").expect("known");
    assert_eq!(history.entry, shop.one_return(id).await);
    let told = |Sighting { status, first_at, last_at, times }| (status, first_at, last_at, times);
    history.sightings.into_iter().map(told).collect()
}

async fn what_the_partner_says_is_history_in_the_order_in_which_it_first_came(engine: Engine) {
    let shop = Shop::open(engine).await;
    let begun = shop.follow(&[parcel("o", "1"), parcel("o", "2")]).await;
    let id = begun[0].id.as_str();
    assert!(sightings(&shop, id).await.is_empty());
    let start = shop.now();
    shop.track(id, &["registered", "zoll"]).await;
    shop.wait_ms(10);
    shop.track(id, &["registered", "zoll", "하역"]).await;
    shop.wait_ms(10);
    shop.track(id, &["하역", "registered"]).await;
    let said = |words: &str, first, last, times| (words.to_owned(), start + first, start + last, times);
    assert_eq!(
        sightings(&shop, id).await,
        [said("registered", 0, 20, 3), said("zoll", 0, 10, 2), said("하역", 10, 20, 2)]
    );
    let entry = shop.one_return(id).await;
    assert_eq!((entry.status, entry.delivered_at), (Status::Collected, None));
    assert_eq!((entry.tracked_at, entry.trackings), (Some(shop.now()), 3));
    assert_eq!(entry.partner_status.as_deref(), Some("registered"), "what it said last");
    assert!(sightings(&shop, &begun[1].id).await.is_empty(), "of this one nothing was said");
    shop.audit().await;
}

async fn no_more_than_32_statuses_are_kept_and_delivered_still_counts(engine: Engine) {
    let shop = Shop::open(engine).await;
    let entry = shop.follow(&[parcel("o", "1")]).await.remove(0);
    let names: Vec<_> = (0..40).map(|number| format!("status {number}")).collect();
    let first: Vec<_> = names[..31].iter().map(String::as_str).collect();
    shop.track(&entry.id, &first).await;
    shop.wait_ms(1);
    let rest: Vec<_> = names[30..].iter().map(String::as_str).collect();
    shop.track(&entry.id, &rest).await;
    let kept: Vec<_> = sightings(&shop, &entry.id).await;
    let words: Vec<_> = kept.iter().map(|(words, ..)| words.as_str()).collect();
    assert_eq!(words, names[..32]);
    assert_eq!((kept[30].3, kept[31].3), (2, 1));
    shop.track(&entry.id, &["status 0"]).await;
    assert_eq!(sightings(&shop, &entry.id).await[0].3, 2, "those that are kept go on");
    shop.track(&entry.id, &["delivered"]).await;
    let entry = shop.one_return(&entry.id).await;
    assert_eq!((entry.status, entry.partner_status.as_deref()), (Status::Delivered, Some("delivered")));
    assert_eq!(sightings(&shop, &entry.id).await.len(), 32);
    shop.audit().await;
}

async fn a_delivered_parcel_is_one_message_and_is_past_that_step(engine: Engine) {
    let shop = Shop::open(engine).await;
    let entry = shop.follow(&[parcel("o", "1")]).await.remove(0);
    let follow = shop.claim_from(RETURNS, 10).await.remove(0);
    shop.wait_ms(5);
    shop.track(&entry.id, &["undelivered", "delivered to a neighbour"]).await;
    assert_eq!(shop.one_return(&entry.id).await.status, Status::Collected, "other words are other words");
    // The last word is not what counts: it was delivered, whatever was noted after that.
    shop.track(&entry.id, &["Delivered", "archived"]).await;
    let delivered = shop.one_return(&entry.id).await;
    assert_eq!(
        (delivered.status, delivered.delivered_at, delivered.goods),
        (Status::Delivered, Some(shop.now()), Goods::Pending)
    );
    assert!(shop.settle(&follow, Verdict::Done).await);
    let history = sightings(&shop, &entry.id).await;
    shop.wait_ms(5);
    shop.track(&entry.id, &["delivered"]).await;
    shop.track(&entry.id, &["lost"]).await;
    shop.track(&entry.id, &[]).await;
    assert_eq!(shop.one_return(&entry.id).await, delivered, "what comes too late changes nothing");
    assert_eq!(sightings(&shop, &entry.id).await, history);
    let messages = shop.claim_from(RETURNS, 10).await;
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(
        (messages[0].event.kind.as_str(), &messages[0].event.subject, messages[0].event.time),
        ("return.delivered", &entry.id, shop.now() - 5)
    );
    assert_eq!(carried(&messages[0], "return_id"), entry.id);
    shop.audit().await;
}

async fn nothing_becomes_of_what_is_said_about_an_unknown_return(engine: Engine) {
    let shop = Shop::open(engine).await;
    for statuses in [vec![], vec!["delivered".to_owned()]] {
        assert_eq!(shop.store.tracked("nobody".into(), "SHP-1".into(), statuses, shop.now()).await, Ok(()));
    }
    assert_eq!(shop.store.reported("nobody".into(), ToStock::On, shop.now()).await, Ok(false));
    assert!(shop.all_returns().await.is_empty());
    assert!(shop.claim_from(RETURNS, 10).await.is_empty());
    assert!(shop.open_incidents().await.is_empty());
}

async fn a_number_that_the_partner_does_not_know_is_told_once_in_chat_until_it_does(engine: Engine) {
    let shop = Shop::open(engine).await;
    let entry = shop.follow(&[shipped("o-7", "1", "SHP-7")]).await.remove(0);
    shop.track(&entry.id, &["registered"]).await;
    assert!(shop.open_incidents().await.is_empty());
    shop.wait_ms(10);
    shop.track(&entry.id, &[]).await;
    let since = shop.now();
    let unknown = async || {
        let entry = shop.one_return(&entry.id).await;
        (entry.status, entry.unknown_since, entry.partner_status, entry.trackings)
    };
    assert_eq!(unknown().await, (Status::Collected, Some(since), None, 2));
    let incident = shop.only_incident().await;
    assert_eq!((incident.kind.as_str(), incident.partner.as_str()), ("return.unknown", "logistics"));
    assert_eq!((incident.cases_total, &incident.cases[0].id), (1, &entry.id));
    assert!(incident.cases[0].words.contains("SHP-7"), "{incident:?}");
    let notices = shop.notices().await;
    let [notice] = &notices[..] else { panic!("in the chat alone: {notices:?}") };
    assert_eq!((notice.channel, notice.occasion), (Channel::Chat, Occasion::Opened));
    shop.tell(notice).await;

    for trackings in 3..6 {
        shop.wait_ms(20 * MINUTE_MS);
        shop.track(&entry.id, &[]).await;
        assert_eq!(unknown().await, (Status::Collected, Some(since), None, trackings));
        assert_eq!(shop.tick().await.notices, 0, "people were told");
        assert_eq!(shop.only_incident().await, incident, "and nothing is new");
    }
    assert_eq!(sightings(&shop, &entry.id).await.len(), 1);
    shop.track(&entry.id, &["registered"]).await;
    assert_eq!(unknown().await, (Status::Collected, None, Some("registered".into()), 6));
    assert_eq!(shop.tick().await.notices, 1);
    let notices = shop.notices().await;
    assert_eq!((notices[0].channel, notices[0].occasion), (Channel::Chat, Occasion::Cleared));
    assert!(shop.open_incidents().await.is_empty());
    shop.audit().await;
}

async fn a_number_is_no_incident_while_its_parcel_is_given_up(engine: Engine) {
    let shop = Shop::open(engine).await;
    let entry = shop.follow(&[shipped("o", "1", "SHP-1")]).await.remove(0);
    let follow = shop.claim_from(RETURNS, 10).await.remove(0);
    shop.track(&entry.id, &[]).await;
    shop.bury(&follow, "logistics-undelivered", "e").await;
    assert_eq!(shop.purge_returns().await, 1);
    shop.wait_ms(20 * MINUTE_MS);
    shop.tick().await;
    assert!(shop.open_incidents().await.is_empty(), "nobody asks for it any more");
    shop.replay(shipped("o", "1", "SHP-1")).await;
    shop.track(&entry.id, &[]).await;
    assert_eq!(shop.open_incidents().await[0].kind, "return.unknown", "somebody asks for it again");
    shop.audit().await;
}

async fn a_look_that_went_well_forgives_the_failures_before_it(engine: Engine) {
    let shop = Shop::open(engine).await;
    let entry = shop.follow(&[shipped("o", "1", "SHP-1")]).await.remove(0);
    let look = async || {
        let mut deliveries = shop.claim_from(RETURNS, 10).await;
        assert_eq!(deliveries.len(), 1, "{deliveries:?}");
        deliveries.remove(0)
    };
    for answer in [&["in transit"][..], &[]] {
        for attempt in 1..6 {
            let failing = look().await;
            assert_eq!(failing.attempt, attempt);
            assert!(shop.settle(&failing, Verdict::Retry(shop.now())).await);
        }
        let well = look().await;
        shop.track(&entry.id, answer).await;
        assert!(shop.settle(&well, Verdict::Postpone(shop.now())).await);
        assert_eq!(shop.message(&well.message_id).await.attempt, 0);
    }
    // A call that fails behind it is the first one again, and one about another parcel forgives nothing.
    assert!(shop.settle(&look().await, Verdict::Retry(shop.now())).await);
    let other = look().await;
    shop.track_as(&entry.id, "SHP-2", &["in transit"]).await;
    assert!(shop.settle(&other, Verdict::Retry(shop.now())).await);
    assert_eq!(look().await.attempt, 3);
    shop.audit().await;
}

async fn the_report_ends_a_return_and_nothing_before_it_can_be_skipped(engine: Engine) {
    let shop = Shop::open(engine).await;
    let entry = shop.follow(&[parcel("o", "1")]).await.remove(0);
    assert!(!shop.report(&entry, ToStock::On).await);
    assert_eq!(shop.one_return(&entry.id).await, entry, "it is not delivered yet");
    shop.deliver(&entry).await;
    shop.wait_ms(5);
    shop.report(&entry, ToStock::Off).await;
    let reported = shop.one_return(&entry.id).await;
    assert_eq!(
        (reported.status, reported.reported_at, reported.delivered_at),
        (Status::Reported, Some(shop.now()), Some(shop.now() - 5))
    );
    assert_ne!(reported.goods, Goods::Pending);
    shop.wait_ms(5);
    for rule in [ToStock::Off, ToStock::On, ToStock::Ask] {
        assert!(!shop.report(&entry, rule).await);
    }
    shop.track(&entry.id, &["delivered"]).await;
    assert_eq!(shop.one_return(&entry.id).await, reported);
    shop.audit().await;
}

async fn returns_are_read_page_by_page_from_the_newest_under_any_filter(engine: Engine) {
    let shop = Shop::open(engine).await;
    let numbers = ["1", "2", "3", "4", "5"];
    let list = numbers.map(|item| shipped(if item < "4" { "o-1" } else { "o-2" }, item, "SHP-0"));
    let entries = shop.follow(&list).await;
    shop.deliver(&entries[1]).await;
    shop.deliver(&entries[3]).await;
    shop.deliver(&entries[4]).await;
    shop.report(&entries[4], ToStock::Ask).await;
    let read = async |filter: Filter| {
        let mut items = Vec::new();
        let mut after = None;
        loop {
            let found = shop.store.returns(filter.clone(), page(2, after.as_deref())).await.expect("read");
            assert!(found.len() <= 2);
            let Some(last) = found.last() else { return items };
            after = Some(last.cursor.clone());
            for entry in found {
                assert_eq!(shop.one_return(&entry.id).await, entry, "a list says what reading one says");
                items.push(entry.order_item_number);
            }
        }
    };
    assert_eq!(read(Filter::All).await, ["5", "4", "3", "2", "1"]);
    assert_eq!(read(Filter::ByStatus(Status::Collected)).await, ["3", "1"]);
    assert_eq!(read(Filter::ByStatus(Status::Delivered)).await, ["4", "2"]);
    assert_eq!(read(Filter::ByStatus(Status::Reported)).await, ["5"]);
    assert_eq!(read(Filter::ByGoods(Goods::Pending)).await, ["4", "3", "2", "1"]);
    assert_eq!(read(Filter::ByGoods(Goods::NotOurs)).await, ["5"]);
    assert_eq!(read(Filter::ByGoods(Goods::Received)).await, [""; 0]);
    assert_eq!(read(Filter::ByOrderNumber("o-1".into())).await, ["3", "2", "1"]);
    assert_eq!(read(Filter::ByOrderNumber("o".into())).await, [""; 0], "the whole number");
    assert_eq!(read(Filter::ByShipmentNumber("SHP-0".into())).await, ["5", "4", "3", "2", "1"]);
    assert_eq!(read(Filter::ByShipmentNumber("SHP".into())).await, [""; 0]);
}

async fn the_audit_finds_a_return_that_nothing_carries(engine: Engine) {
    for delivered in [false, true] {
        let shop = Shop::open(engine).await;
        let entry = shop.follow(&[parcel("o", "1")]).await.remove(0);
        let follow = shop.claim_from(RETURNS, 10).await.remove(0);
        let mut lost = follow;
        if delivered {
            shop.deliver(&entry).await;
            assert!(shop.settle(&lost, Verdict::Done).await);
            lost = shop.claim_from(RETURNS, 10).await.remove(0);
        }
        shop.audit().await;
        assert!(shop.settle(&lost, Verdict::Done).await, "of what was not done");
        let found = shop.store.audit().await.expect("audited").violations;
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains(&entry.id), "{found:?}");
        shop.replay(parcel("o", "1")).await;
        shop.audit().await;
    }
}

async fn the_audit_finds_a_received_return_that_moved_no_stock(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    let order = shop.buy(&[("A", 2)]).await.order.id;
    let entry = shop.bring_back(parcel(&order, "A"), ToStock::On).await;
    assert_eq!(entry.goods, Goods::Received);
    shop.audit().await;
    shop.place.tamper("UPDATE stock_movement SET sales_return_id = NULL WHERE kind = 'returned'");
    let found = shop.store.audit().await.expect("audited").violations;
    assert!(found.iter().any(|violation| violation.contains(&entry.id)), "{found:?}");
}

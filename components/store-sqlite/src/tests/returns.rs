//! Claim: a return is collected and followed once, whoever repeats what, what is odd is kept, and the audit notices what is missing.
//! Method: each rule by hand.

use super::incidents::{FLAPPING_QUIET_MS, incidents, tell};
use super::shop::{Shop, first_page, wait};
use restock_store::restock::orders::IfShort;
use restock_store::restock::queue::{Action, Delivery, Operation, Selection, Verdict};
use restock_store::restock::returns::{
    Collection, Decision, Filter, Goods, History, Oddity, Parcel, Progress, Reject, Replaying, Return,
    Settling, Status, ToStock, Wish,
};
use restock_store::{queue, returns};

pub(super) const DAY_MS: u64 = 86_400_000;
const EVERY_MS: u64 = 60_000;

pub(super) fn parcel(order: &str, item: &str, shipment: &str) -> Parcel {
    Parcel {
        order_number: order.into(),
        order_item_number: item.into(),
        shipment_number: shipment.into(),
        partner_ref: None,
    }
}

/// Begins a collection, if one is due.
pub(super) fn begin(shop: &Shop) -> Option<String> {
    wait(returns::begin(&shop.database, EVERY_MS, shop.now.get())).expect("answered")
}

pub(super) fn collect(shop: &Shop, collection: &str, parcels: &[Parcel]) {
    wait(returns::collected(&shop.database, collection.into(), parcels.to_vec(), shop.now.get()))
        .expect("collected");
}

pub(super) fn finish(shop: &Shop, collection: &str, listed: u64) -> Option<Collection> {
    wait(returns::finished(&shop.database, collection.into(), listed, shop.now.get())).expect("answered")
}

/// The partner says this of the shipment.
pub(super) fn track(shop: &Shop, id: &str, statuses: &[&str]) {
    let known = wait(returns::get(&shop.database, id.into())).expect("read");
    track_as(shop, id, &known.map_or_else(String::new, |entry| entry.shipment_number), statuses);
}

/// The partner says this of the shipment of this number.
pub(super) fn track_as(shop: &Shop, id: &str, number: &str, statuses: &[&str]) {
    let statuses = statuses.iter().map(|status| (*status).to_owned()).collect();
    wait(returns::tracked(&shop.database, id.into(), number.into(), statuses, shop.now.get()))
        .expect("noted");
}

pub(super) fn report(shop: &Shop, id: &str, to_stock: ToStock) -> bool {
    wait(returns::reported(&shop.database, id.into(), to_stock, shop.now.get())).expect("noted")
}

pub(super) fn replay(shop: &Shop, parcel: Parcel) -> Replaying {
    let wish = Wish { parcel, operator: "op".into(), at: shop.now.get() };
    wait(returns::replay(&shop.database, wish)).expect("replayed")
}

pub(super) fn decision(shop: &Shop, id: &str) -> Decision {
    Decision { return_id: id.into(), reason: "seen".into(), operator: "op".into(), at: shop.now.get() }
}

pub(super) fn receive(shop: &Shop, id: &str, sku: Option<&str>, quantity: Option<i64>) -> Settling {
    wait(returns::receive(&shop.database, decision(shop, id), sku.map(Into::into), quantity))
        .expect("decided")
}

pub(super) fn discard(shop: &Shop, id: &str) -> Settling {
    wait(returns::discard(&shop.database, decision(shop, id))).expect("decided")
}

pub(super) fn find(shop: &Shop, id: &str) -> Return {
    wait(returns::get(&shop.database, id.into())).expect("read").expect("the return is there")
}

pub(super) fn describe(shop: &Shop, id: &str) -> History {
    wait(returns::describe(&shop.database, id.into())).expect("read").expect("the return is there")
}

pub(super) fn list(shop: &Shop, filter: Filter) -> Vec<Return> {
    wait(returns::list(&shop.database, filter, first_page())).expect("read")
}

fn rejects(shop: &Shop) -> Vec<Reject> {
    wait(returns::rejects(&shop.database, first_page())).expect("read")
}

/// Every message that is due, under lease.
pub(super) fn claim(shop: &Shop) -> Vec<Delivery> {
    shop.claim_from("returns", 100)
}

/// Kinds of the messages that are due, which are given back untouched.
pub(super) fn due(shop: &Shop) -> Vec<String> {
    let deliveries = claim(shop);
    for delivery in &deliveries {
        shop.settle(delivery, Verdict::Postpone(shop.now.get()));
    }
    deliveries.into_iter().map(|delivery| delivery.event.kind).collect()
}

/// What an operator does to the queue.
pub(super) fn operate(shop: &Shop, action: Action) {
    let (queue, reason, operator) = ("returns".into(), "on purpose".into(), "op".into());
    let operation = Operation { queue, action, reason, operator, at: shop.now.get() };
    wait(queue::operate(&shop.database, operation)).expect("operated");
}

/// A return of its own collection.
pub(super) fn known(shop: &Shop, order: &str, item: &str) -> String {
    collect(shop, "c", &[parcel(order, item, "SHP-1")]);
    list(shop, Filter::ByOrderNumber(order.into()))
        .into_iter()
        .find(|entry| entry.order_item_number == item)
        .expect("it is listed")
        .id
}

/// A return that is back at the partner.
pub(super) fn delivered(shop: &Shop, order: &str, item: &str) -> String {
    let id = known(shop, order, item);
    track(shop, &id, &["delivered"]);
    id
}

/// A return whose goods wait for an operator, or whatever the shop does with them.
pub(super) fn reported(shop: &Shop, order: &str, item: &str, to_stock: ToStock) -> String {
    let id = delivered(shop, order, item);
    report(shop, &id, to_stock);
    id
}

/// A shop that sold 4 of 10 A, then 2 of 10 B, in one order.
pub(super) fn sold() -> Shop {
    let shop = Shop::new();
    shop.product("A", 2, 50, 10);
    shop.product("B", 2, 50, 10);
    let mut placement = shop.placement(&[("A", 4), ("B", 2)], IfShort::Reject);
    placement.idempotency_key = Some("key-1".into());
    shop.place(placement);
    shop
}

#[test]
fn one_collection_runs_at_a_time_and_missed_ones_are_made_up_for_by_one() {
    let shop = Shop::new();
    let first = begin(&shop).expect("the first one is due");
    shop.now.set(shop.now.get() + 10 * EVERY_MS);
    assert_eq!(begin(&shop), None, "the first one is not over");
    finish(&shop, &first, 0);
    let second = begin(&shop).expect("due for long");
    assert_eq!(begin(&shop), None);
    finish(&shop, &second, 0);
    assert_eq!(begin(&shop), None, "the second one began just now");
    shop.now.set(shop.now.get() + EVERY_MS);
    assert!(begin(&shop).is_some());
    let collections = wait(returns::collections(&shop.database, first_page())).expect("read");
    let ids: Vec<_> = collections.iter().map(|collection| collection.id.as_str()).skip(1).collect();
    assert_eq!(ids, [second, first], "newest first");
    assert_eq!(due(&shop), ["returns.due"], "the messages of one subject come one after the other");
}

#[test]
fn a_collection_that_began_by_a_clock_that_was_ahead_keeps_none_from_beginning() {
    let shop = Shop::new();
    let now = shop.now.get();
    shop.now.set(now + DAY_MS);
    let ahead = begin(&shop).expect("due");
    finish(&shop, &ahead, 0);
    shop.now.set(now);
    let next = begin(&shop).expect("the last one that did begin is none");
    finish(&shop, &next, 0);
    assert_eq!(begin(&shop), None, "this one began just now");
    shop.now.set(now + EVERY_MS);
    assert!(begin(&shop).is_some());
}

#[test]
fn a_second_collection_cannot_come_to_be_beside_one_that_runs() {
    let shop = Shop::new();
    begin(&shop);
    let second = shop.database.0.execute("INSERT INTO return_collection (began_at_ms) VALUES (1)", []);
    assert!(second.is_err());
}

#[test]
fn a_return_is_stored_and_followed_once_however_often_it_is_listed() {
    let shop = Shop::new();
    let twice = [parcel("1", "2", "SHP-1"), parcel("1", "3", "SHP-1"), parcel("1", "2", "SHP-1")];
    collect(&shop, "c", &twice);
    collect(&shop, "c", &twice);
    collect(&shop, "d", &twice);
    assert_eq!(list(&shop, Filter::All).len(), 2);
    assert_eq!(due(&shop), ["return.collected", "return.collected"]);
    assert!(rejects(&shop).is_empty());
    shop.assert_sound();
}

#[test]
fn a_return_on_its_way_with_another_shipment_number_is_set_aside_and_stays_as_it_is() {
    let shop = Shop::new();
    let id = known(&shop, "1", "2");
    let listed = [parcel("1", "2", "SHP-2"), parcel("1", "2", "SHP-3")];
    for (collection, times) in [("d", 1), ("d", 1), ("e", 2)] {
        shop.now.set(shop.now.get() + 1);
        collect(&shop, collection, &listed);
        let rejects = rejects(&shop);
        let seen: Vec<_> = rejects.iter().map(|reject| (reject.times, reject.last_at)).collect();
        assert_eq!(seen, [(times, shop.now.get()); 2]);
        assert_eq!(rejects[0].reason, "shipment-differs");
        assert!(rejects[0].text.contains("SHP-3") && rejects[0].text.contains(r#""known_as":"SHP-1""#));
    }
    assert_eq!(find(&shop, &id).shipment_number, "SHP-1");
    track(&shop, &id, &["delivered"]);
    collect(&shop, "f", &[parcel("1", "2", "SHP-4")]);
    assert_eq!(rejects(&shop).len(), 2, "it is back: the number does not matter any more");
}

#[test]
fn a_record_that_is_set_aside_is_one_row_and_counted_once_in_each_collection() {
    let shop = Shop::new();
    let long = "ö".repeat(5_000);
    let odd = |text: &str| Oddity { reason: "no-shipment-number".into(), text: text.into() };
    for (collection, times) in [("c", 1), ("c", 1), ("d", 2)] {
        let oddities = vec![odd("{}"), odd(&long), odd("{}")];
        wait(returns::set_aside(&shop.database, collection.into(), oddities, shop.now.get())).expect("kept");
        let rejects = rejects(&shop);
        assert_eq!(rejects.iter().map(|reject| reject.times).collect::<Vec<_>>(), [times; 2]);
        assert_eq!((rejects[0].text.chars().count(), rejects[1].text.as_str()), (4_096, "{}"));
    }
}

#[test]
fn a_collection_counts_what_happened_since_the_one_before() {
    let shop = Shop::new();
    let first = begin(&shop).expect("due");
    let parcels: Vec<_> = (0..5).map(|item| parcel("1", &item.to_string(), "SHP")).collect();
    collect(&shop, &first, &parcels);
    let ids: Vec<_> = list(&shop, Filter::All).into_iter().map(|entry| entry.id).collect();
    track(&shop, &ids[0], &["delivered"]);
    report(&shop, &ids[0], ToStock::Off);
    let counted = finish(&shop, &first, 7).expect("there");
    let counts =
        |it: &Collection| [it.collected, it.fresh, it.rejected, it.delivered, it.reported, it.failed];
    assert_eq!((counted.progress, counts(&counted)), (Progress::Finished, [7, 5, 0, 1, 1, 0]));
    assert!(!shop.events().contains(&"returns.failed".into()), "nothing failed");

    shop.now.set(shop.now.get() + EVERY_MS);
    let second = begin(&shop).expect("due");
    collect(&shop, &second, &parcels);
    collect(&shop, &second, &[parcel("2", "1", "SHP"), parcel("1", "0", "OTHER")]);
    let odd = vec![Oddity { reason: "no-order-number".into(), text: "{}".into() }];
    wait(returns::set_aside(&shop.database, second.clone(), odd, shop.now.get())).expect("kept");
    track(&shop, &ids[1], &["delivered"]);
    track(&shop, &ids[2], &["delivered"]);
    report(&shop, &ids[1], ToStock::Off);
    let dead = claim(&shop).into_iter().find(|delivery| delivery.event.subject == ids[3]).expect("due");
    shop.settle_for(&dead, Verdict::Bury, "logistics-refused");
    let counted = finish(&shop, &second, 8).expect("there");
    assert_eq!(counts(&counted), [8, 1, 2, 2, 1, 3]);
    assert_eq!(shop.events().last().map(String::as_str), Some("returns.failed"));
    let told = shop.claim_from("alerts", 16);
    assert!(told.iter().any(|told| told.event.kind == "returns.failed" && told.event.data.contains(&second)));

    shop.now.set(shop.now.get() + 1);
    let again = finish(&shop, &second, 99).expect("there");
    assert_eq!((counts(&again), again.finished_at), (counts(&counted), counted.finished_at));
    assert!(finish(&shop, "nobody", 1).is_none());
    shop.now.set(shop.now.get() + EVERY_MS);
    let third = begin(&shop).expect("due");
    assert_eq!(counts(&finish(&shop, &third, 0).expect("there")), [0; 6], "all of it was counted");
}

#[test]
fn a_collection_fails_with_its_message_and_can_still_finish_when_that_is_redriven() {
    let shop = Shop::new();
    let id = begin(&shop).expect("due");
    let progress =
        || wait(returns::get_collection(&shop.database, id.clone())).expect("read").expect("there").progress;
    shop.settle(&claim(&shop)[0], Verdict::Bury);
    assert_eq!(progress(), Progress::Failed);
    shop.now.set(shop.now.get() + EVERY_MS);
    let next = begin(&shop).expect("the one that failed is over");
    operate(&shop, Action::Redrive((Selection::All, 9)));
    let redriven = claim(&shop);
    assert!(redriven.len() == 1 && redriven[0].event.data.contains(&id), "the older message comes first");
    assert_eq!(finish(&shop, &id, 3).expect("there").progress, Progress::Finished);
    shop.settle(&redriven[0], Verdict::Done);
    assert_eq!(progress(), Progress::Finished);
    shop.settle(&claim(&shop)[0], Verdict::Bury);
    operate(&shop, Action::Purge((Selection::All, 9)));
    let purged = wait(returns::get_collection(&shop.database, next)).expect("read").expect("there");
    assert_eq!(purged.progress, Progress::Failed);
}

#[test]
fn every_status_is_kept_in_the_order_in_which_it_first_came() {
    let shop = Shop::new();
    let id = known(&shop, "1", "2");
    for statuses in
        [&["registered"][..], &["registered", "in transit", "registered"], &["lost?", "in transit"]]
    {
        shop.now.set(shop.now.get() + 10);
        track(&shop, &id, statuses);
    }
    let now = shop.now.get();
    let sightings: Vec<_> = describe(&shop, &id)
        .sightings
        .into_iter()
        .map(|sighting| (sighting.status, now - sighting.first_at, now - sighting.last_at, sighting.times))
        .collect();
    let expected = [("registered", 20, 10, 2), ("in transit", 10, 0, 2), ("lost?", 0, 0, 1)];
    assert_eq!(
        sightings,
        expected.map(|(status, first, last, times)| (status.to_owned(), first, last, times))
    );
    let entry = find(&shop, &id);
    assert_eq!(entry.partner_status.as_deref(), Some("in transit"));
    assert_eq!((entry.status, entry.trackings, entry.tracked_at), (Status::Collected, 3, Some(now)));
}

#[test]
fn a_history_keeps_the_first_32_statuses_and_counts_these_on() {
    let shop = Shop::new();
    let id = known(&shop, "1", "2");
    let names: Vec<_> = (0..40).map(|number| format!("status {number}")).collect();
    for upto in [20, 31, 40] {
        let statuses: Vec<_> = names[upto - 20.min(upto)..upto].iter().map(String::as_str).collect();
        track(&shop, &id, &statuses);
    }
    let kept: Vec<_> = describe(&shop, &id).sightings.into_iter().map(|sighting| sighting.status).collect();
    assert_eq!(kept, names[..32]);
    track(&shop, &id, &["status 0", "status 39"]);
    let sightings = describe(&shop, &id).sightings;
    assert_eq!((sightings.len(), sightings[0].times), (32, 2));
}

#[test]
fn a_number_that_is_not_known_is_told_once_in_the_chat_until_it_is() {
    let shop = Shop::new();
    let id = known(&shop, "1", "2");
    let since = shop.now.get();
    track(&shop, &id, &[]);
    shop.now.set(since + 5);
    track(&shop, &id, &[]);
    let entry = find(&shop, &id);
    assert_eq!(
        (entry.unknown_since, entry.partner_status, entry.status),
        (Some(since), None, Status::Collected)
    );
    let open = incidents(&shop, true);
    assert_eq!((open.len(), open[0].kind.as_str(), open[0].occurrences), (1, "return.unknown", 1));
    assert_eq!(
        (open[0].cases[0].id.as_str(), open[0].cases[0].words.as_str()),
        (id.as_str(), "SHP-1: order 1, item 2")
    );
    assert_eq!(tell(&shop), ["Channel::Chat Occasion::Opened"]);
    shop.tick_after(10 * FLAPPING_QUIET_MS);
    assert_eq!(incidents(&shop, true).len(), 1, "it is still not known");
    track(&shop, &id, &["registered"]);
    assert_eq!(find(&shop, &id).unknown_since, None);
    shop.tick_after(1);
    assert!(incidents(&shop, true).is_empty());
    assert_eq!(tell(&shop), ["Channel::Chat Occasion::Cleared"]);
    shop.assert_sound();
}

#[test]
fn shipments_that_become_known_and_others_that_do_not_are_one_incident_within_a_digest() {
    let shop = Shop::new();
    let ids: Vec<_> = ["1", "2", "3"].map(|item| known(&shop, "1", item)).into();
    for id in &ids {
        track(&shop, id, &[]);
        shop.tick_after(FLAPPING_QUIET_MS - 2);
        track(&shop, id, &["registered"]);
        shop.tick_after(1);
    }
    assert_eq!(incidents(&shop, false).len(), 1);
    track(&shop, &ids[0], &[]);
    track(&shop, &ids[0], &["delivered"]);
    shop.tick_after(FLAPPING_QUIET_MS);
    assert!(incidents(&shop, true).is_empty(), "one that is back is not unknown");
}

#[test]
fn an_unknown_number_is_no_incident_while_its_parcel_is_given_up() {
    let shop = Shop::new();
    let id = known(&shop, "1", "2");
    let following = claim(&shop);
    track(&shop, &id, &[]);
    shop.settle(&following[0], Verdict::Bury);
    operate(&shop, Action::Purge((Selection::All, 9)));
    let unknown = |shop: &Shop| {
        let open = incidents(shop, true);
        open.iter().filter(|incident| incident.kind == "return.unknown").count()
    };
    assert_eq!(unknown(&shop), 1);
    shop.tick_after(FLAPPING_QUIET_MS);
    assert_eq!(unknown(&shop), 0, "nobody asks for it any more");
    shop.assert_sound();
    replay(&shop, parcel("1", "2", "SHP-1"));
    track(&shop, &id, &[]);
    assert_eq!(unknown(&shop), 1, "somebody asks for it again");
    shop.tick_after(FLAPPING_QUIET_MS);
    assert_eq!(unknown(&shop), 1);
    shop.assert_sound();
}

#[test]
fn a_look_that_went_well_forgives_the_failures_before_it() {
    for answer in [&["in transit"][..], &[]] {
        let shop = Shop::new();
        let id = known(&shop, "1", "2");
        known(&shop, "1", "3");
        let look = || claim(&shop).into_iter().find(|delivery| delivery.event.subject == id).expect("due");
        let attempts = |message: &str| shop.message(message).attempt;
        for expected in 1..5 {
            let failing = look();
            assert_eq!(failing.attempt, expected);
            shop.settle(&failing, Verdict::Retry(shop.now.get()));
        }
        let well = look();
        track_as(&shop, &id, "SHP-9", answer);
        assert_eq!(attempts(&well.message_id), 5, "that answer was about another parcel");
        track(&shop, &id, answer);
        assert_eq!(attempts(&well.message_id), 1);
        shop.settle(&well, Verdict::Postpone(shop.now.get()));
        assert_eq!(attempts(&well.message_id), 0);
        assert_eq!(look().attempt, 1, "it starts over");
        let others = "SELECT sum(attempts) FROM message WHERE queue_id = 'returns' AND state = 'leased'";
        assert_eq!(shop.database.number(others), 1 + 1, "another parcel is not concerned");
        shop.assert_sound();
    }
}

#[test]
fn an_answer_that_comes_when_nobody_holds_the_message_forgives_nothing() {
    let shop = Shop::new();
    let id = known(&shop, "1", "2");
    for _ in 0..2 {
        shop.settle(&claim(&shop)[0], Verdict::Retry(shop.now.get()));
    }
    track(&shop, &id, &["in transit"]);
    let held = claim(&shop);
    assert_eq!(held[0].attempt, 3, "a word that comes late is none of the worker that looks now");
    shop.settle(&held[0], Verdict::Bury);
    track(&shop, &id, &["in transit"]);
    assert_eq!(shop.message(&held[0].message_id).attempt, 3, "a dead letter tells how often it was tried");
}

#[test]
fn a_delivered_return_is_to_be_reported_once_and_not_before_the_worker_that_heard_of_it_is_done() {
    for word in ["delivered", " Delivered "] {
        let shop = Shop::new();
        let id = known(&shop, "1", "2");
        let following = claim(&shop);
        track(&shop, &id, &["registered", word, "handed over"]);
        track(&shop, &id, &["delivered"]);
        assert!(claim(&shop).is_empty(), "the older message of the return is under lease");
        shop.settle(&following[0], Verdict::Done);
        assert_eq!(due(&shop), ["return.delivered"]);
        let entry = find(&shop, &id);
        assert_eq!((entry.status, entry.trackings, entry.goods), (Status::Delivered, 1, Goods::Pending));
        assert_eq!(entry.partner_status.as_deref(), Some("handed over"));
        shop.assert_sound();
    }
    let shop = Shop::new();
    track(&shop, "nobody", &["delivered"]);
    assert!(shop.events().is_empty());
}

#[test]
fn returns_are_listed_newest_first_page_by_page_by_whatever_they_are_looked_for() {
    let shop = sold();
    for order in ["1", "2"] {
        let parcels: Vec<_> =
            (0..5).map(|item| parcel(order, &item.to_string(), &format!("SHP-{order}"))).collect();
        collect(&shop, "c", &parcels);
    }
    reported(&shop, "order-1", "A", ToStock::Ask);
    let read = |filter: Filter| {
        let mut page = first_page();
        page.limit = 3;
        let mut items: Vec<String> = Vec::new();
        loop {
            let entries = wait(returns::list(&shop.database, filter.clone(), page.clone())).expect("read");
            items.extend(
                entries.iter().map(|entry| format!("{}/{}", entry.order_number, entry.order_item_number)),
            );
            match entries.last() {
                Some(last) => page.after = Some(last.cursor.clone()),
                None => return items.join(" "),
            }
        }
    };
    assert_eq!(read(Filter::All), "order-1/A 2/4 2/3 2/2 2/1 2/0 1/4 1/3 1/2 1/1 1/0");
    assert_eq!(read(Filter::ByOrderNumber("1".into())), "1/4 1/3 1/2 1/1 1/0");
    assert_eq!(read(Filter::ByShipmentNumber("SHP-2".into())), "2/4 2/3 2/2 2/1 2/0");
    assert_eq!(read(Filter::ByStatus(Status::Reported)), "order-1/A");
    assert_eq!(read(Filter::ByGoods(Goods::Waiting)), "order-1/A");
    assert_eq!(read(Filter::ByStatus(Status::Collected)), "2/4 2/3 2/2 2/1 2/0 1/4 1/3 1/2 1/1 1/0");
}

#[test]
fn collections_and_records_go_after_thirty_days_and_the_last_collection_that_finished_stays() {
    let shop = Shop::new();
    let odd = || vec![Oddity { reason: "no-order-number".into(), text: "{}".into() }];
    for _ in 0..2 {
        let id = begin(&shop).expect("due");
        wait(returns::set_aside(&shop.database, id.clone(), odd(), shop.now.get())).expect("kept");
        finish(&shop, &id, 1);
        shop.now.set(shop.now.get() + EVERY_MS);
    }
    let failed = begin(&shop).expect("due");
    let message = claim(&shop).into_iter().next().expect("due");
    shop.settle(&message, Verdict::Done);
    for _ in 0..2 {
        let message = claim(&shop).into_iter().next().expect("due");
        shop.settle(
            &message,
            if message.event.data.contains(&failed) { Verdict::Bury } else { Verdict::Done },
        );
    }
    assert_eq!(shop.tick_after(30 * DAY_MS - 2 * EVERY_MS - 1).removed, 2, "the messages that are done");
    let kept = || (shop.database.number("SELECT count(*) FROM return_collection"), rejects(&shop).len());
    assert_eq!(kept(), (3, 1));
    assert_eq!(shop.tick_after(1).removed, 1);
    assert_eq!(kept(), (2, 1), "the first collection");
    assert_eq!(shop.tick_after(EVERY_MS).removed, 1);
    assert_eq!(kept(), (2, 0), "the record, which the second one saw last");
    assert_eq!(shop.tick_after(100 * EVERY_MS).removed, 1);
    assert_eq!(kept(), (1, 0), "the one that failed; the second one finished last");
    begin(&shop).expect("due");
    shop.tick_after(90 * DAY_MS);
    assert_eq!(kept(), (2, 0), "one that runs stays, however long it takes");
}

#[test]
fn the_audit_notices_a_return_that_nothing_follows() {
    let shop = Shop::new();
    let id = known(&shop, "1", "2");
    shop.database
        .0
        .execute("UPDATE message SET state = 'done' WHERE queue_id = 'returns'", [])
        .expect("updated");
    assert!(shop.violations().contains(&format!("return {id}: is collected and no message carries it")));
    shop.database
        .0
        .execute("UPDATE message SET state = 'ready' WHERE queue_id = 'returns'", [])
        .expect("updated");
    let tamper = "DROP TRIGGER delivered_return_is_to_be_reported;
                  UPDATE sales_return SET status = 'delivered', delivered_at_ms = 1, unknown_since_ms = 1";
    shop.database.0.execute_batch(tamper).expect("updated");
    let found = shop.violations();
    assert_eq!(
        found[0],
        format!("return {id}: is delivered with goods pending, and its moments say otherwise")
    );
    assert_eq!(found[1], format!("return {id}: is delivered and no message carries it"));
}

#[test]
fn the_audit_notices_goods_that_were_booked_otherwise_than_they_came() {
    let shop = sold();
    let id = reported(&shop, "order-1", "A", ToStock::On);
    shop.assert_sound();
    for (tamper, words) in [
        (
            "UPDATE sales_return SET quantity = 3",
            format!("return {id}: 3 units of A came back, the ledger has 4 in 1 movements"),
        ),
        (
            "UPDATE sales_return SET sku = 'B', quantity = 4",
            format!("return {id}: 4 units of B came back, the ledger has 0 in 0 movements"),
        ),
        (
            "UPDATE sales_return SET goods = 'left', sku = NULL, quantity = NULL, settled_at_ms = NULL",
            format!("return {id}: 0 units of A came back, the ledger has 4 in 1 movements"),
        ),
        (
            "UPDATE stock_movement SET sales_return_id = NULL",
            "return : 0 units of A came back, the ledger has 4 in 1 movements".into(),
        ),
    ] {
        shop.database.0.execute(tamper, []).expect("updated");
        assert!(shop.violations().contains(&words), "{tamper}: {:?}", shop.violations());
    }
}

//! Claim: goods of a return are booked once, as the shop or an operator decides, and a replay brings a return on without losing or
//! doubling anything. Method: each rule by hand.

use super::returns::{
    DAY_MS, claim, collect, delivered, describe, discard, due, find, known, list, operate, parcel, receive,
    replay, report, reported, sold, track, track_as,
};
use super::shop::Shop;
use restock_store::restock::orders::Status as OrderStatus;
use restock_store::restock::queue::{Action, Selection, Verdict};
use restock_store::restock::returns::{Filter, Goods, Replaying, Return, Settling, Status, ToStock};
use restock_store::restock::stock::MovementKind;

fn received(entry: &Return) -> Option<(&str, i64)> {
    entry.received.as_ref().map(|item| (item.sku.as_str(), item.quantity))
}

#[test]
fn a_report_counts_once_and_only_of_what_is_back() {
    let shop = sold();
    let id = known(&shop, "order-1", "A");
    assert!(!report(&shop, &id, ToStock::On), "it is on its way");
    track(&shop, &id, &["delivered"]);
    let at = shop.now.get();
    assert!(report(&shop, &id, ToStock::On));
    shop.now.set(at + 5);
    assert!(!report(&shop, &id, ToStock::On));
    assert!(!report(&shop, "nobody", ToStock::On));
    let entry = find(&shop, &id);
    assert_eq!((entry.status, entry.reported_at, entry.settled_at), (Status::Reported, Some(at), Some(at)));
    assert_eq!(
        (entry.goods, received(&entry), entry.settled_by.as_str()),
        (Goods::Received, Some(("A", 4)), "")
    );
    let movement = &shop.movements("A")[0];
    assert_eq!((movement.kind, movement.delta, movement.on_hand_after), (MovementKind::Returned, 4, 10));
    assert_eq!(movement.return_id.as_deref(), Some(id.as_str()));
    assert!(shop.movements("A")[1].return_id.is_none());
    assert!(
        !shop.actions().iter().any(|action| action.kind.starts_with("return.")),
        "no operator did anything"
    );
    shop.assert_sound();
}

#[test]
fn the_shop_says_what_becomes_of_goods_that_are_back() {
    for (to_stock, item, goods, on_hand) in [
        (ToStock::Off, "A", Goods::Left, 6),
        (ToStock::Ask, "A", Goods::Waiting, 6),
        (ToStock::On, "A", Goods::Received, 10),
        (ToStock::Off, "Z", Goods::Left, 6),
        (ToStock::Ask, "Z", Goods::NotOurs, 6),
        (ToStock::On, "Z", Goods::NotOurs, 6),
    ] {
        let shop = sold();
        let id = reported(&shop, "order-1", item, to_stock);
        assert_eq!((find(&shop, &id).goods, shop.levels("A").0), (goods, on_hand), "{to_stock:?} {item}");
        shop.assert_sound();
    }
}

#[test]
fn an_order_is_known_by_its_id_or_key_and_an_item_by_its_name_or_place_and_more_than_was_sold_never_comes_back()
 {
    let shop = sold();
    for (order, item, expected) in [
        ("key-1", "2", Some(("B", 2))),
        ("order-1", "B", None),
        ("order-1", "2", None),
        ("order-1", "1", Some(("A", 4))),
        ("key-1", "A", None),
        ("order-1", "3", None),
        ("order-1", "0", None),
        ("order-2", "A", None),
    ] {
        let id = reported(&shop, order, item, ToStock::On);
        let entry = find(&shop, &id);
        assert_eq!(received(&entry), expected, "{order} {item}");
        assert_eq!(entry.goods, if expected.is_some() { Goods::Received } else { Goods::NotOurs });
    }
    assert_eq!((shop.levels("A").0, shop.levels("B").0), (10, 10));
    shop.assert_sound();
}

#[test]
fn an_order_that_sold_nothing_brings_nothing_back() {
    let shop = Shop::with_product("A", 2, 50, 3);
    shop.order(&[("A", 9)]);
    shop.backorder(&[("A", 9)]);
    for order in ["order-1", "order-2"] {
        let id = reported(&shop, order, "A", ToStock::On);
        assert_eq!(find(&shop, &id).goods, Goods::NotOurs);
    }
}

#[test]
fn goods_that_come_back_fill_waiting_orders() {
    let shop = Shop::with_product("A", 0, 50, 4);
    shop.order(&[("A", 4)]);
    let waiting = shop.backorder(&[("A", 3)]).order.id;
    reported(&shop, "order-1", "A", ToStock::On);
    assert_eq!(shop.find_order(&waiting).status, OrderStatus::Accepted);
    assert_eq!(shop.levels("A").0, 1);
    shop.assert_sound();
}

#[test]
fn an_operator_receives_what_is_left_of_the_order_or_less_once() {
    let shop = sold();
    let id = known(&shop, "order-1", "A");
    assert!(matches!(receive(&shop, &id, None, None), Settling::TooEarly(_)));
    track(&shop, &id, &["delivered"]);
    report(&shop, &id, ToStock::Ask);
    assert_eq!(describe(&shop, &id).item.map(|item| (item.sku, item.quantity)), Some(("A".into(), 4)));
    assert!(matches!(receive(&shop, &id, None, Some(5)), Settling::TooMany(4)));
    assert!(matches!(receive(&shop, &id, Some("A"), Some(5)), Settling::TooMany(4)));
    assert!(matches!(receive(&shop, &id, None, Some(0)), Settling::QuantityNeeded));
    assert!(matches!(receive(&shop, &id, Some("Z"), Some(1)), Settling::UnknownSku));
    assert_eq!(shop.levels("A").0, 6, "nothing was changed");
    let Settling::Settled(entry) = receive(&shop, &id, None, Some(3)) else { panic!("it waits") };
    assert_eq!((entry.goods, received(&entry)), (Goods::Received, Some(("A", 3))));
    assert_eq!((entry.settled_by.as_str(), entry.settled_because.as_str()), ("op", "seen"));
    assert!(matches!(receive(&shop, &id, None, None), Settling::Repeated(_)));
    assert!(matches!(receive(&shop, &id, Some("A"), Some(3)), Settling::Repeated(_)));
    assert!(matches!(receive(&shop, &id, None, Some(4)), Settling::Otherwise(_)));
    assert!(matches!(receive(&shop, &id, Some("B"), None), Settling::Otherwise(_)));
    assert!(matches!(discard(&shop, &id), Settling::Otherwise(_)));
    assert_eq!(shop.levels("A").0, 9);
    let action = &shop.actions()[0];
    assert_eq!(
        (action.kind.as_str(), action.subject.as_str(), action.reason.as_str()),
        ("return.receive", id.as_str(), "seen")
    );
    let rest = reported(&shop, "key-1", "A", ToStock::Ask);
    assert!(
        matches!(receive(&shop, &rest, None, None), Settling::Settled(entry) if received(&entry) == Some(("A", 1)))
    );
    shop.assert_sound();
}

#[test]
fn of_another_product_than_the_order_s_the_operator_says_how_many() {
    let shop = sold();
    shop.product("C", 2, 50, 5);
    let id = reported(&shop, "elsewhere", "9", ToStock::On);
    assert!(matches!(receive(&shop, &id, None, None), Settling::NothingMatches(_)));
    assert!(matches!(receive(&shop, &id, None, Some(2)), Settling::NothingMatches(_)));
    assert!(matches!(receive(&shop, &id, Some("C"), None), Settling::QuantityNeeded));
    assert!(matches!(receive(&shop, &id, Some("C"), Some(0)), Settling::QuantityNeeded));
    assert!(matches!(receive(&shop, &id, Some("C"), Some(7)), Settling::Settled(_)));
    assert_eq!(shop.levels("C").0, 12);
    let other = reported(&shop, "order-1", "A", ToStock::Off);
    assert!(
        matches!(receive(&shop, &other, Some("C"), Some(1)), Settling::Settled(_)),
        "left goods can be received"
    );
    shop.assert_sound();
}

#[test]
fn goods_of_which_all_came_back_before_can_be_received_as_another_product_only() {
    let shop = sold();
    reported(&shop, "order-1", "A", ToStock::On);
    let id = reported(&shop, "key-1", "A", ToStock::On);
    assert!(matches!(receive(&shop, &id, None, None), Settling::NothingMatches(_)));
    assert!(matches!(receive(&shop, &id, Some("A"), None), Settling::TooMany(0)));
    assert!(matches!(receive(&shop, &id, Some("A"), Some(1)), Settling::TooMany(0)));
    assert!(matches!(receive(&shop, &id, Some("B"), Some(1)), Settling::Settled(_)));
    shop.assert_sound();
}

#[test]
fn discarded_goods_never_reach_the_shelf() {
    let shop = sold();
    let id = delivered(&shop, "order-1", "A");
    assert!(matches!(discard(&shop, &id), Settling::TooEarly(_)));
    report(&shop, &id, ToStock::Ask);
    assert!(matches!(discard(&shop, &id), Settling::Settled(entry) if entry.goods == Goods::Discarded));
    assert!(matches!(discard(&shop, &id), Settling::Repeated(_)));
    assert!(matches!(receive(&shop, &id, None, None), Settling::Otherwise(_)));
    assert!(matches!(discard(&shop, "nobody"), Settling::UnknownReturn));
    assert!(matches!(receive(&shop, "nobody", None, None), Settling::UnknownReturn));
    assert_eq!((shop.levels("A").0, shop.actions()[0].kind.as_str()), (6, "return.discard"));
    let on = reported(&shop, "key-1", "A", ToStock::On);
    assert!(matches!(discard(&shop, &on), Settling::Otherwise(_)));
    assert!(matches!(receive(&shop, &on, None, None), Settling::Otherwise(_)), "the shop's rule decided");
    shop.assert_sound();
}

#[test]
fn a_replay_begins_what_is_not_known_and_makes_due_what_waits() {
    let shop = Shop::new();
    let Replaying::Begun(entry) = replay(&shop, parcel("1", "2", "SHP-1")) else { panic!("it is new") };
    for delivery in claim(&shop) {
        shop.settle(&delivery, Verdict::Postpone(shop.now.get() + 6 * 3_600_000));
    }
    assert!(due(&shop).is_empty());
    assert!(matches!(replay(&shop, parcel("1", "2", "SHP-1")), Replaying::Resumed(_)));
    assert_eq!(due(&shop), ["return.collected"]);
    collect(&shop, "c", &[parcel("1", "2", "SHP-1")]);
    assert_eq!(list(&shop, Filter::All).len(), 1);
    let action = &shop.actions()[0];
    assert_eq!((action.kind.as_str(), action.subject.as_str()), ("return.replay", entry.id.as_str()));
    assert!(action.detail.contains("resumed"));
    shop.assert_sound();
}

#[test]
fn a_replay_never_puts_off_what_is_due_already() {
    let shop = Shop::new();
    let first = known(&shop, "1", "1");
    shop.now.set(shop.now.get() + 10);
    known(&shop, "1", "2");
    replay(&shop, parcel("1", "1", "SHP-1"));
    assert_eq!(shop.claim_from("returns", 1)[0].event.subject, first);
}

#[test]
fn a_replay_redrives_the_dead_letter_and_replaces_the_one_that_was_purged() {
    for done in [&[][..], &["delivered"]] {
        let shop = Shop::new();
        let id = known(&shop, "1", "2");
        let step = if done.is_empty() { "return.collected" } else { "return.delivered" };
        if !done.is_empty() {
            let following = claim(&shop);
            track(&shop, &id, done);
            // The letter of the step before is dead as well, and is not the one to redrive.
            shop.settle(&following[0], Verdict::Bury);
        }
        shop.settle(&claim(&shop)[0], Verdict::Bury);
        assert!(due(&shop).is_empty());
        shop.assert_sound();
        replay(&shop, parcel("1", "2", "SHP-1"));
        assert_eq!(due(&shop), [step]);
        let again = claim(&shop);
        assert_eq!((again[0].attempt, shop.message(&again[0].message_id).redrives), (1, 1));
        shop.settle(&again[0], Verdict::Bury);
        operate(&shop, Action::Purge((Selection::All, 9)));
        shop.assert_sound();
        shop.tick_after(8 * DAY_MS);
        shop.assert_sound();
        replay(&shop, parcel("1", "2", "SHP-1"));
        replay(&shop, parcel("1", "2", "SHP-1"));
        assert_eq!(due(&shop), [step], "one message carries it");
        shop.assert_sound();
    }
}

#[test]
fn a_replay_of_what_was_reported_writes_nothing_at_all() {
    let shop = Shop::new();
    let id = reported(&shop, "1", "2", ToStock::Ask);
    let writes = shop.database.number("SELECT total_changes()");
    let Replaying::Over(entry) = replay(&shop, parcel("1", "2", "SHP-9")) else { panic!("it is over") };
    assert_eq!((entry.id, entry.shipment_number.as_str()), (id, "SHP-1"));
    assert_eq!(shop.database.number("SELECT total_changes()"), writes);
}

#[test]
fn a_replay_with_another_number_follows_that_one_and_believes_no_word_about_the_old_one() {
    let shop = Shop::new();
    let id = known(&shop, "1", "2");
    track(&shop, &id, &[]);
    let asking = claim(&shop);
    let Replaying::Resumed(entry) = replay(&shop, parcel("1", "2", "SHP-2")) else {
        panic!("it is on its way")
    };
    assert_eq!((entry.shipment_number.as_str(), entry.unknown_since), ("SHP-2", None));
    track_as(&shop, &id, "SHP-1", &["delivered"]);
    assert_eq!(find(&shop, &id).trackings, 1, "that was said of SHP-1");
    assert_eq!(find(&shop, &id).status, Status::Collected);
    shop.settle(&asking[0], Verdict::Postpone(shop.now.get() + 6 * 3_600_000));
    let asking = claim(&shop);
    assert_eq!(asking.len(), 1, "it is asked for again at once");
    track(&shop, &id, &["registered"]);
    shop.settle(&asking[0], Verdict::Postpone(shop.now.get() + 60_000));
    assert_eq!(find(&shop, &id).partner_status.as_deref(), Some("registered"));
    assert!(claim(&shop).is_empty());
    replay(&shop, parcel("1", "2", "SHP-2"));
    let asking = claim(&shop);
    track(&shop, &id, &["delivered"]);
    shop.settle(&asking[0], Verdict::Done);
    assert!(matches!(replay(&shop, parcel("1", "2", "SHP-3")), Replaying::Resumed(_)));
    assert_eq!(find(&shop, &id).shipment_number, "SHP-2", "it is back already");
    shop.assert_sound();
}

#[test]
fn an_answer_is_about_the_number_that_was_asked_for_whatever_clocks_say() {
    for ahead_ms in [-60_000, 0, 60_000] {
        let shop = Shop::new();
        let id = known(&shop, "1", "2");
        let now = shop.now.get();
        let mut asking = claim(&shop).remove(0);
        for number in ["SHP-2", "SHP-1", "SHP-3"] {
            let asked = find(&shop, &id).shipment_number;
            shop.now.set(now.saturating_add_signed(ahead_ms));
            replay(&shop, parcel("1", "2", number));
            shop.now.set(now);
            track_as(&shop, &id, &asked, &["delivered"]);
            let entry = find(&shop, &id);
            assert_eq!((entry.status, entry.trackings), (Status::Collected, 0), "of {asked}, not {number}");
            let verdict =
                if number == "SHP-1" { Verdict::Retry(now + 9_000) } else { Verdict::Postpone(now + 9_000) };
            assert!(shop.settle(&asking, verdict));
            let mut again = claim(&shop);
            assert_eq!(again.len(), 1, "{number} is asked for at once");
            asking = again.remove(0);
        }
        // Once: from here on what the worker says counts.
        shop.settle(&asking, Verdict::Postpone(now + 9_000));
        assert!(claim(&shop).is_empty(), "{ahead_ms}: asked for over and over");
        shop.now.set(now + 9_000);
        let asking = claim(&shop);
        track(&shop, &id, &["delivered"]);
        shop.settle(&asking[0], Verdict::Done);
        assert_eq!(due(&shop), ["return.delivered"]);
        shop.assert_sound();
    }
}

#[test]
fn what_was_asked_under_the_new_number_already_is_not_asked_again_at_once() {
    let shop = Shop::new();
    let id = known(&shop, "1", "2");
    let held = claim(&shop);
    replay(&shop, parcel("1", "2", "SHP-2"));
    track(&shop, &id, &["in transit"]);
    assert!(shop.settle(&held[0], Verdict::Postpone(shop.now.get() + 60_000)));
    assert!(claim(&shop).is_empty(), "the partner was just asked for it");
    // Nor where nobody held it: then it was due, and the worker that came read the new number.
    replay(&shop, parcel("1", "2", "SHP-3"));
    let held = claim(&shop);
    assert_eq!(held.len(), 1);
    assert!(shop.settle(&held[0], Verdict::Postpone(shop.now.get() + 60_000)));
    assert!(claim(&shop).is_empty());
}

#[test]
fn what_a_worker_holds_is_left_to_it_by_a_replay() {
    let shop = Shop::new();
    known(&shop, "1", "2");
    let held = claim(&shop);
    replay(&shop, parcel("1", "2", "SHP-1"));
    assert!(claim(&shop).is_empty());
    assert!(shop.settle(&held[0], Verdict::Postpone(shop.now.get() + 60_000)));
    assert!(claim(&shop).is_empty(), "the partner was just asked");
}

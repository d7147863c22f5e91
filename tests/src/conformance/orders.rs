//! Claim: an order is all or nothing, is answered once for each key, and never sells what is not there.

use std::collections::BTreeSet;

use super::bindings::restock::orders::{
    Buyer, Customer, IfShort, Placement, Placing, Recording, Shortage, Status, VipPolicy, VipRule,
};
use super::bindings::restock::queue::{Delivery, Verdict};
use super::bindings::restock::stock::MovementKind;
use super::shop::{QUEUE, Shop, VIP, definition};
use super::store::Engine;

on_every_engine!(
    an_accepted_order_takes_its_units_and_is_read_back_as_it_was_answered,
    an_order_that_is_short_of_one_item_is_turned_down_whole_and_on_record,
    a_backorder_waits_and_is_filled_when_goods_arrive,
    waiting_customers_come_first_and_nobody_overtakes,
    a_repeated_key_gets_the_first_answer_and_changes_nothing,
    a_key_of_another_order_is_refused,
    unknown_products_are_all_named_and_nothing_is_written,
    an_order_in_two_currencies_is_refused,
    an_order_that_empties_the_shelf_asks_for_goods_once,
    under_single_order_each_order_of_so_many_units_is_bulk,
    under_cumulative_the_order_that_reaches_the_units_is_bulk_and_none_after_it,
    an_order_that_is_not_accepted_is_not_bulk_until_it_is_filled,
    a_backorder_keeps_the_rule_it_was_placed_under,
    a_bulk_order_tells_who_bought_how_much,
    a_buyer_is_the_sum_of_what_was_accepted,
    rings_name_every_queue_that_the_write_gave_work,
);

async fn an_accepted_order_takes_its_units_and_is_read_back_as_it_was_answered(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    shop.define("B", 0, 10, 5).await;
    let placement = shop.placement(&[("A", 2), ("B", 1)], IfShort::Reject);
    let recording = shop.recorded(placement.clone()).await;
    assert!(!recording.replayed && recording.rings.is_empty(), "no queue has anything to do: {recording:?}");
    let order = recording.order;
    assert_eq!((order.status, order.placed_as, order.filled_at), (Status::Accepted, Status::Accepted, None));
    assert_eq!((order.id.as_str(), order.placed_at), (placement.id.as_str(), placement.placed_at));
    assert_eq!((order.total.amount, order.total.currency.as_str()), (3_000, "KRW"));
    assert_eq!(
        (order.customer.email.as_deref(), order.customer.name.as_deref()),
        (Some("c@example.com"), Some("김"))
    );
    assert!(order.short.is_empty());
    let lines: Vec<_> =
        order.lines.iter().map(|line| (line.sku.as_str(), line.quantity, line.unit_price.amount)).collect();
    assert_eq!(lines, [("A", 2, 1_000), ("B", 1, 1_000)]);
    assert_eq!((shop.levels("A").await, shop.levels("B").await), ((3, 0, 0), (4, 0, 0)));
    let movement = &shop.movements("A").await[0];
    assert_eq!((movement.kind, movement.delta, movement.on_hand_after), (MovementKind::Sold, -2, 3));
    assert_eq!(movement.order_id.as_deref(), Some(order.id.as_str()));

    let mut dearer = definition("A", 0, 10, 0);
    dearer.price.amount = 9_999;
    shop.redefine(dearer).await;
    assert_eq!(shop.order(&order.id).await, order, "an order keeps the prices it was placed at");
    assert_eq!(shop.store.order("nobody".into()).await, Ok(None));
    shop.audit().await;
}

async fn an_order_that_is_short_of_one_item_is_turned_down_whole_and_on_record(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    shop.define("B", 0, 10, 1).await;
    let recording = shop.buy(&[("A", 1), ("B", 2)]).await;
    assert!(recording.rings.is_empty(), "{recording:?}");
    assert_eq!(recording.order.placed_as, Status::Rejected);
    assert_eq!(recording.order.short, [Shortage { sku: "B".into(), requested: 2, available: 1 }]);
    assert_eq!(shop.order(&recording.order.id).await, recording.order);
    assert_eq!((shop.levels("A").await, shop.levels("B").await), ((5, 0, 0), (1, 0, 0)));
    assert!(shop.requests(None).await.is_empty());
    shop.audit().await;
}

async fn a_backorder_waits_and_is_filled_when_goods_arrive(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 2).await;
    let recording = shop.backorder(&[("A", 3)]).await;
    assert!(recording.rings.contains(&QUEUE.into()), "the shelf is promised away: goods are asked for");
    let order = recording.order;
    assert_eq!(
        (order.status, order.placed_as, order.short[0].available),
        (Status::Backordered, Status::Backordered, 2)
    );
    assert_eq!(shop.levels("A").await, (2, 11, 3));
    assert!(shop.product("A").await.depleted_since.is_some());
    shop.wait_ms(500);
    shop.receive(&shop.only_request().await.id, 11).await;
    let filled = shop.order(&order.id).await;
    assert_eq!(
        (filled.status, filled.placed_as, filled.filled_at),
        (Status::Accepted, Status::Backordered, Some(shop.now()))
    );
    assert_eq!(shop.levels("A").await, (10, 0, 0));
    assert_eq!(shop.product("A").await.depleted_since, None);
    shop.audit().await;
}

async fn waiting_customers_come_first_and_nobody_overtakes(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 1).await;
    shop.define("B", 0, 10, 0).await;
    let both = shop.backorder(&[("A", 3), ("B", 1)]).await.order.id;
    let small = shop.backorder(&[("A", 1)]).await.order.id;
    let impatient = shop.buy(&[("A", 1)]).await.order;
    assert_eq!(impatient.status, Status::Rejected, "what is on the shelf is promised to those who wait");
    assert_eq!(impatient.short[0].available, 0);
    let waits = async |id: &str| shop.order(id).await.status == Status::Backordered;
    shop.adjust("A", 2, None).await;
    assert!(waits(&both).await && waits(&small).await, "the first still lacks B, and nobody takes its A");
    shop.adjust("B", 1, None).await;
    assert!(!waits(&both).await && waits(&small).await);
    assert_eq!((shop.levels("A").await.0, shop.levels("B").await.0), (0, 0));
    shop.adjust("A", 1, None).await;
    assert!(!waits(&small).await);
    shop.audit().await;
}

async fn a_repeated_key_gets_the_first_answer_and_changes_nothing(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 4, 10, 5).await;
    let first = shop.recorded(shop.keyed("k", &[("A", 1)], IfShort::Reject)).await;
    assert!(first.rings.contains(&QUEUE.into()) && !first.replayed);
    let again = shop.recorded(shop.keyed("k", &[("A", 1)], IfShort::Reject)).await;
    assert!(again.replayed && again.rings.is_empty());
    assert_eq!(again.order, first.order);
    assert_eq!(shop.levels("A").await, (4, 6, 0));

    let refused = shop.recorded(shop.keyed("refused", &[("A", 9)], IfShort::Reject)).await;
    shop.adjust("A", 20, None).await;
    let again = shop.recorded(shop.keyed("refused", &[("A", 9)], IfShort::Reject)).await;
    assert!(again.replayed);
    assert_eq!(
        again.order, refused.order,
        "a rejection is an answer too, also when the goods are there by now"
    );
    assert_eq!(again.order.short[0].available, 4);

    let waiting = shop.recorded(shop.keyed("waiting", &[("A", 30)], IfShort::Backorder)).await;
    shop.adjust("A", 20, None).await;
    let again = shop.recorded(shop.keyed("waiting", &[("A", 30)], IfShort::Backorder)).await.order;
    assert_eq!(
        (again.id, again.placed_as, again.status),
        (waiting.order.id, Status::Backordered, Status::Accepted)
    );
    shop.audit().await;
}

async fn a_key_of_another_order_is_refused(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    shop.recorded(shop.keyed("k", &[("A", 1)], IfShort::Reject)).await;
    let other = shop.keyed("k", &[("A", 2)], IfShort::Reject);
    assert_eq!(shop.place(other.clone()).await, Placing::KeyReused);
    assert_eq!(shop.store.order(other.id).await, Ok(None));
    let unknown = shop.keyed("k", &[("X", 1)], IfShort::Reject);
    assert_eq!(shop.place(unknown).await, Placing::KeyReused, "whatever else is wrong with it");
    assert_eq!(shop.levels("A").await, (4, 0, 0));
}

async fn unknown_products_are_all_named_and_nothing_is_written(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    let placement = shop.keyed("k", &[("X", 1), ("A", 1), ("Y", 1)], IfShort::Backorder);
    let Placing::UnknownSkus(mut unknown) = shop.place(placement.clone()).await else { panic!("refused") };
    unknown.sort();
    assert_eq!(unknown, ["X", "Y"]);
    assert_eq!(shop.store.order(placement.id).await, Ok(None));
    assert_eq!(shop.levels("A").await, (5, 0, 0));
    let free = shop.recorded(shop.keyed("k", &[("A", 1)], IfShort::Reject)).await;
    assert!(!free.replayed, "a refusal does not use the key up");
}

async fn an_order_in_two_currencies_is_refused(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    let mut foreign = definition("B", 0, 10, 5);
    foreign.price.currency = "EUR".into();
    shop.redefine(foreign).await;
    let placement = shop.placement(&[("A", 1), ("B", 1)], IfShort::Reject);
    assert_eq!(shop.place(placement.clone()).await, Placing::MixedCurrencies);
    assert_eq!(shop.store.order(placement.id).await, Ok(None));
    assert_eq!((shop.levels("A").await.0, shop.levels("B").await.0), (5, 5));
}

async fn an_order_that_empties_the_shelf_asks_for_goods_once(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 3).await;
    assert!(shop.buy(&[("A", 1)]).await.rings.contains(&QUEUE.into()));
    let request = shop.only_request().await;
    assert_eq!(
        (request.quantity, request.because.on_hand, request.because.on_order),
        (8, 2, 0),
        "up to the level"
    );
    assert_eq!((request.because.reorder_point, request.because.order_up_to), (2, 10));
    let last = shop.buy(&[("A", 2)]).await;
    for queue in [QUEUE, "ad-control"] {
        assert!(last.rings.contains(&queue.into()), "nothing is left to sell, that is news: {last:?}");
    }
    for _ in 0..5 {
        assert!(shop.buy(&[("A", 1)]).await.rings.is_empty());
    }
    assert_eq!(shop.requests(None).await.len(), 1, "however many orders fail");
    let kinds = |deliveries: Vec<Delivery>| -> Vec<String> {
        deliveries.into_iter().map(|delivery| delivery.event.kind).collect()
    };
    let first = shop.claim(10).await;
    let head = first[0].clone();
    assert_eq!(kinds(first), ["stock.low"]);
    shop.settle(&head, Verdict::Done).await;
    assert_eq!(kinds(shop.claim(10).await), ["stock.depleted"]);
}

const SINGLE: VipPolicy = VipPolicy { rule: VipRule::SingleOrder, units: 100 };
const CUMULATIVE: VipPolicy = VipPolicy { rule: VipRule::Cumulative, units: 100 };

/// A shop with enough of two products.
async fn full(engine: Engine) -> Shop {
    let shop = Shop::with_product(engine, "A", 0, 10, 10_000).await;
    shop.define("B", 0, 10, 10_000).await;
    shop
}

/// An order of this customer under this rule.
async fn order(
    shop: &Shop,
    customer: &str,
    vip: VipPolicy,
    items: &[(&str, u32)],
    if_short: IfShort,
) -> Recording {
    shop.wait_ms(1);
    let customer = Customer { id: customer.into(), email: None, name: None };
    shop.recorded(Placement { customer, vip, ..shop.placement(items, if_short) }).await
}

/// The orders and customers that the messages of bulk orders speak of, oldest first.
async fn bulk(shop: &Shop) -> Vec<String> {
    let told = shop.drain("loyalty").await;
    told.into_iter()
        .map(|delivery| {
            assert_eq!(delivery.event.kind, "order.bulk");
            let data: serde_json::Value = serde_json::from_str(&delivery.event.data).expect("JSON");
            let of = |name: &str| data[name].as_str().expect("a text").to_owned();
            format!("{} {}", of("order_id"), of("customer_id"))
        })
        .collect()
}

async fn under_single_order_each_order_of_so_many_units_is_bulk(engine: Engine) {
    let shop = full(engine).await;
    let buy = async |items: &[(&str, u32)]| order(&shop, "c", SINGLE, items, IfShort::Reject).await;
    for _ in 0..3 {
        let below = buy(&[("A", 99)]).await;
        assert!(below.rings.is_empty(), "{below:?}");
    }
    assert_eq!(bulk(&shop).await, [""; 0], "99 are not enough, however often");
    let exactly = buy(&[("A", 100)]).await;
    assert_eq!(exactly.rings, ["loyalty"]);
    assert_eq!(bulk(&shop).await, [format!("{} c", exactly.order.id)]);
    let together = buy(&[("A", 60), ("B", 40)]).await;
    assert_eq!(together.rings, ["loyalty"]);
    let apart = buy(&[("A", 60), ("B", 39)]).await;
    assert!(apart.rings.is_empty());
    assert_eq!(
        bulk(&shop).await,
        [format!("{} c", together.order.id)],
        "all items count, and each order again"
    );
    shop.audit().await;
}

async fn under_cumulative_the_order_that_reaches_the_units_is_bulk_and_none_after_it(engine: Engine) {
    let shop = full(engine).await;
    let buy =
        async |customer, units| order(&shop, customer, CUMULATIVE, &[("A", units)], IfShort::Reject).await;
    buy("c", 60).await;
    assert!(buy("d", 99).await.rings.is_empty(), "another customer's units");
    assert!(buy("c", 39).await.rings.is_empty());
    assert_eq!(bulk(&shop).await, [""; 0], "99 in total");
    let reached = buy("c", 1).await;
    assert_eq!(reached.rings, ["loyalty"]);
    assert_eq!(bulk(&shop).await, [format!("{} c", reached.order.id)]);
    for units in [1, 100, 1_000] {
        assert!(buy("c", units).await.rings.is_empty());
    }
    assert_eq!(bulk(&shop).await, [""; 0], "once");
    let at_once = buy("d", 100).await;
    assert_eq!(bulk(&shop).await, [format!("{} d", at_once.order.id)]);

    let keyed = || Placement {
        customer: Customer { id: "e".into(), email: None, name: None },
        vip: CUMULATIVE,
        ..shop.keyed("k", &[("A", 100)], IfShort::Reject)
    };
    let first = shop.recorded(keyed()).await;
    assert_eq!(first.rings, ["loyalty"]);
    let again = shop.recorded(keyed()).await;
    assert!(again.replayed && again.rings.is_empty());
    assert_eq!(bulk(&shop).await, [format!("{} e", first.order.id)], "a repeated key buys nothing");
    shop.audit().await;
}

async fn an_order_that_is_not_accepted_is_not_bulk_until_it_is_filled(engine: Engine) {
    for vip in [SINGLE, CUMULATIVE] {
        let shop = Shop::with_product(engine, "A", 0, 10, 50).await;
        order(&shop, "c", vip, &[("A", 200)], IfShort::Reject).await;
        let waiting = order(&shop, "c", vip, &[("A", 100)], IfShort::Backorder).await;
        assert!(!waiting.rings.contains(&"loyalty".into()), "{waiting:?}");
        assert_eq!(bulk(&shop).await, [""; 0]);
        assert_eq!(shop.store.bought("c".into()).await, Ok(None), "nothing was accepted");
        shop.wait_ms(1);
        shop.adjust("A", 50, None).await;
        assert_eq!(shop.order(&waiting.order.id).await.status, Status::Accepted);
        assert_eq!(bulk(&shop).await, [format!("{} c", waiting.order.id)], "{vip:?}");
        shop.audit().await;
    }
}

async fn a_backorder_keeps_the_rule_it_was_placed_under(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 0).await;
    let demanding = VipPolicy { units: 1_000, ..SINGLE };
    order(&shop, "c", demanding, &[("A", 300)], IfShort::Backorder).await;
    order(&shop, "d", VipPolicy { units: 5, ..SINGLE }, &[("A", 5)], IfShort::Backorder).await;
    order(&shop, "e", CUMULATIVE, &[("A", 60)], IfShort::Backorder).await;
    order(&shop, "e", CUMULATIVE, &[("A", 40)], IfShort::Backorder).await;
    shop.adjust("A", 1_000, None).await;
    let told = bulk(&shop).await;
    // In which order one delivery fills several orders is the store's own affair.
    let mut customers: Vec<_> = told.iter().filter_map(|told| told.split(' ').next_back()).collect();
    customers.sort_unstable();
    assert_eq!(customers, ["d", "e"], "{told:?}");
    shop.audit().await;
}

async fn a_bulk_order_tells_who_bought_how_much(engine: Engine) {
    let shop = full(engine).await;
    order(&shop, "c-1", CUMULATIVE, &[("A", 60)], IfShort::Reject).await;
    let placement = Placement { vip: CUMULATIVE, ..shop.placement(&[("A", 30), ("B", 20)], IfShort::Reject) };
    let recording = shop.recorded(placement).await;
    let told = shop.drain("loyalty").await;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].event.subject.as_str(), told[0].event.time), ("c-1", recording.order.placed_at));
    let data: serde_json::Value = serde_json::from_str(&told[0].event.data).expect("JSON");
    let text = |name: &str| data[name].as_str();
    assert_eq!(
        (text("order_id"), text("customer_id"), text("email"), text("name")),
        (Some(recording.order.id.as_str()), Some("c-1"), Some("c@example.com"), Some("김"))
    );
    assert_eq!((data["units"].as_i64(), data["units_bought"].as_i64()), (Some(50), Some(110)));
}

async fn a_buyer_is_the_sum_of_what_was_accepted(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 100).await;
    assert_eq!(shop.store.bought("c".into()).await, Ok(None));
    let named = |name: &str, email: &str| Customer {
        id: "c".into(),
        email: Some(email.into()),
        name: Some(name.into()),
    };
    let buy = async |customer: Customer, units, if_short| {
        shop.wait_ms(1);
        shop.recorded(Placement { customer, ..shop.placement(&[("A", units)], if_short) }).await.order.id
    };
    let buyer = async || shop.store.bought("c".into()).await.expect("read").expect("known");
    buy(named("first", "1@example.com"), 7, IfShort::Reject).await;
    buy(named("second", "2@example.com"), 3, IfShort::Reject).await;
    let expected = Buyer {
        customer_id: "c".into(),
        email: Some("2@example.com".into()),
        name: Some("second".into()),
        orders: 2,
        units_bought: 10,
    };
    assert_eq!(buyer().await, expected, "as the latest accepted order had them");
    buy(named("rejected", "r@example.com"), 999, IfShort::Reject).await;
    buy(Customer { id: "d".into(), email: None, name: None }, 5, IfShort::Reject).await;
    assert_eq!(buyer().await, expected, "a rejected order and another customer change nothing");
    buy(Customer { id: "c".into(), email: None, name: None }, 1, IfShort::Reject).await;
    assert_eq!(
        buyer().await,
        Buyer { orders: 3, units_bought: 11, ..expected.clone() },
        "an order that named nobody leaves what was known"
    );
    let waiting = buy(named("waiting", "w@example.com"), 100, IfShort::Backorder).await;
    assert_eq!(buyer().await.orders, 3);
    shop.adjust("A", 50, None).await;
    assert_eq!(shop.order(&waiting).await.status, Status::Accepted);
    assert_eq!((buyer().await.orders, buyer().await.units_bought), (4, 111));
    assert_eq!(buyer().await.name.as_deref(), Some("waiting"), "it was accepted last");
}

async fn rings_name_every_queue_that_the_write_gave_work(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 3, 10, 120).await;
    assert_eq!(VIP.units, 100);
    let mut work = Vec::new();
    for (units, if_short) in [
        (100, IfShort::Reject),
        (10, IfShort::Reject),
        (8, IfShort::Reject),
        (5, IfShort::Reject),
        (2, IfShort::Reject),
        (1, IfShort::Backorder),
    ] {
        let placement = shop.placement(&[("A", units)], if_short);
        let rings = shop.recorded(placement).await.rings;
        for queue in BTreeSet::from_iter(shop.store.due(shop.now()).await.expect("read")) {
            assert!(rings.contains(&queue), "{queue} has work after {units} units: {rings:?}");
            for delivery in shop.claim_from(&queue, 10).await {
                work.push(format!("{queue} {}", delivery.event.kind));
                shop.settle(&delivery, Verdict::Done).await;
            }
        }
    }
    assert_eq!(
        work,
        [
            "loyalty order.bulk",
            "replenishment stock.low",
            "ad-control stock.depleted",
            "replenishment stock.depleted"
        ]
    );
}

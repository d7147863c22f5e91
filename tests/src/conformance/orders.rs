//! Claim: an order is all or nothing, is answered once for each key, and never sells what is not there.

use super::bindings::restock::orders::{IfShort, Placing, Shortage, Status};
use super::bindings::restock::queue::{Delivery, Verdict};
use super::bindings::restock::stock::MovementKind;
use super::shop::{Shop, definition};
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
);

async fn an_accepted_order_takes_its_units_and_is_read_back_as_it_was_answered(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    shop.define("B", 0, 10, 5).await;
    let placement = shop.placement(&[("A", 2), ("B", 1)], IfShort::Reject);
    let recording = shop.recorded(placement.clone()).await;
    assert!(!recording.replayed && !recording.ring, "no queue has anything to do: {recording:?}");
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
    shop.store.define(dearer, shop.now()).await.expect("defined");
    assert_eq!(shop.order(&order.id).await, order, "an order keeps the prices it was placed at");
    assert_eq!(shop.store.order("nobody".into()).await, Ok(None));
    shop.audit().await;
}

async fn an_order_that_is_short_of_one_item_is_turned_down_whole_and_on_record(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    shop.define("B", 0, 10, 1).await;
    let recording = shop.buy(&[("A", 1), ("B", 2)]).await;
    assert!(!recording.ring);
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
    assert!(recording.ring, "the shelf is promised away: goods are asked for");
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
    assert!(first.ring && !first.replayed);
    let again = shop.recorded(shop.keyed("k", &[("A", 1)], IfShort::Reject)).await;
    assert!(again.replayed && !again.ring);
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
    shop.store.define(foreign, shop.now()).await.expect("defined");
    let placement = shop.placement(&[("A", 1), ("B", 1)], IfShort::Reject);
    assert_eq!(shop.place(placement.clone()).await, Placing::MixedCurrencies);
    assert_eq!(shop.store.order(placement.id).await, Ok(None));
    assert_eq!((shop.levels("A").await.0, shop.levels("B").await.0), (5, 5));
}

async fn an_order_that_empties_the_shelf_asks_for_goods_once(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 3).await;
    assert!(shop.buy(&[("A", 1)]).await.ring);
    let request = shop.only_request().await;
    assert_eq!(
        (request.quantity, request.because.on_hand, request.because.on_order),
        (8, 2, 0),
        "up to the level"
    );
    assert_eq!((request.because.reorder_point, request.because.order_up_to), (2, 10));
    assert!(shop.buy(&[("A", 2)]).await.ring, "nothing is left to sell: that is news");
    for _ in 0..5 {
        assert!(!shop.buy(&[("A", 1)]).await.ring);
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

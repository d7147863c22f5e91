//! Claim: goods that come back reach the shelf once, through the ledger, never more of them than were sold, by the rule of the shop
//! or by the word of an operator, which is on record.

use super::bindings::restock::orders::{IfShort, Status};
use super::bindings::restock::returns::{Goods, Item, Parcel, Return, Settling, ToStock};
use super::bindings::restock::stock::MovementKind;
use super::parcels::{parcel, settled, units};
use super::shop::{OPERATOR, Shop, first_page};
use super::store::Engine;

on_every_engine!(
    a_shop_that_puts_returns_back_receives_them_with_the_report,
    a_shop_that_does_not_leaves_its_stock_alone_and_one_that_asks_waits,
    a_product_is_found_by_the_order_or_its_key_and_by_the_sku_or_its_place,
    what_was_not_sold_under_the_numbers_is_not_ours,
    no_more_comes_back_than_was_sold_however_many_returns_name_it,
    goods_that_come_back_fill_waiting_orders_and_can_be_sold_again,
    an_operator_receives_what_waits_once,
    an_operator_receives_fewer_units_never_more,
    an_operator_names_the_product_and_the_units_that_came_instead,
    an_operator_decides_on_goods_that_the_shop_left_or_that_are_not_ours,
    goods_that_were_discarded_never_come_back,
    what_was_decided_otherwise_before_stays,
    a_decision_that_cannot_be_carried_out_changes_nothing_and_is_not_on_record,
    decisions_of_operators_are_on_record_and_those_of_the_shop_are_not,
    describing_a_return_tells_what_receiving_it_would_bring,
);

/// A shop that sells A and B, ten of each.
async fn shop(engine: Engine) -> Shop {
    let shop = Shop::with_product(engine, "A", 0, 100, 10).await;
    shop.define("B", 0, 100, 10).await;
    shop
}

/// An order of these items, which is accepted.
async fn sell(shop: &Shop, items: &[(&str, u32)]) -> String {
    let order = shop.buy(items).await.order;
    assert_eq!(order.status, Status::Accepted);
    order.id
}

/// Collects, follows and reports all of these.
async fn bring_all(shop: &Shop, parcels: &[Parcel], to_stock: ToStock) -> Vec<Return> {
    let mut reported = Vec::new();
    for entry in shop.follow(parcels).await {
        shop.deliver(&entry).await;
        shop.report(&entry, to_stock).await;
        reported.push(shop.one_return(&entry.id).await);
    }
    reported
}

fn some(sku: &str, quantity: i64) -> Option<(String, i64)> {
    Some((sku.into(), quantity))
}

/// The kind and subject of everything operators did to returns, newest first.
async fn on_record(shop: &Shop) -> Vec<(String, String)> {
    let mut actions = shop.store.actions(first_page()).await.expect("read");
    actions.retain(|action| action.kind.starts_with("return."));
    actions.into_iter().map(|action| (action.kind, action.subject)).collect()
}

async fn a_shop_that_puts_returns_back_receives_them_with_the_report(engine: Engine) {
    let shop = shop(engine).await;
    let order = sell(&shop, &[("A", 3), ("B", 1)]).await;
    let entry = shop.follow(&[parcel(&order, "A")]).await.remove(0);
    shop.deliver(&entry).await;
    assert!(shop.brought_back("A").await.is_empty(), "the report comes first");
    shop.wait_ms(5);
    assert!(shop.report(&entry, ToStock::On).await);
    let reported = shop.one_return(&entry.id).await;
    assert_eq!(
        (reported.goods, reported.received.as_ref().map(units), reported.settled_at),
        (Goods::Received, some("A", 3), Some(shop.now()))
    );
    assert_eq!(
        (reported.settled_by.as_str(), reported.settled_because.as_str()),
        ("", ""),
        "nobody decided it"
    );
    let movement = shop.movements("A").await.remove(0);
    assert_eq!((movement.kind, movement.delta, movement.on_hand_after), (MovementKind::Returned, 3, 10));
    assert_eq!((movement.return_id.as_ref(), movement.at), (Some(&entry.id), shop.now()));
    let others = shop.movements("A").await.split_off(1);
    assert!(others.iter().all(|movement| movement.return_id.is_none()), "{others:?}");
    for rule in [ToStock::On, ToStock::Ask, ToStock::Off] {
        assert!(!shop.report(&entry, rule).await);
    }
    assert_eq!(shop.one_return(&entry.id).await, reported);
    assert_eq!((shop.levels("A").await.0, shop.levels("B").await.0), (10, 9));
    assert_eq!(shop.brought_back("A").await.len(), 1);
    shop.audit().await;
}

async fn a_shop_that_does_not_leaves_its_stock_alone_and_one_that_asks_waits(engine: Engine) {
    for (rule, goods) in [(ToStock::Off, Goods::Left), (ToStock::Ask, Goods::Waiting)] {
        let shop = shop(engine).await;
        let order = sell(&shop, &[("A", 3)]).await;
        let entry = shop.follow(&[parcel(&order, "A")]).await.remove(0);
        shop.deliver(&entry).await;
        assert!(!shop.report(&entry, rule).await);
        assert_eq!(shop.goods(&entry.id).await, (goods, None));
        assert_eq!(shop.one_return(&entry.id).await.settled_at, None);
        assert!(!shop.report(&entry, ToStock::On).await, "the rule is that of the moment it was reported");
        assert_eq!(shop.goods(&entry.id).await, (goods, None));
        assert_eq!(shop.levels("A").await.0, 7);
        shop.audit().await;
    }
}

async fn a_product_is_found_by_the_order_or_its_key_and_by_the_sku_or_its_place(engine: Engine) {
    let shop = shop(engine).await;
    shop.define("2", 0, 100, 10).await;
    let keyed = async |key: &str| {
        let placement = shop.keyed(key, &[("A", 1), ("B", 2)], IfShort::Reject);
        shop.recorded(placement).await.order.id
    };
    let ids = [keyed("k-1").await, keyed("k-2").await, keyed("k-3").await, keyed("k-4").await];
    let named = sell(&shop, &[("A", 1), ("B", 1), ("2", 1)]).await;
    let parcels = [
        parcel(&ids[0], "B"),
        parcel(&ids[1], "2"),
        parcel("k-3", "B"),
        parcel("k-4", "2"),
        parcel(&named, "2"),
    ];
    let found = bring_all(&shop, &parcels, ToStock::On).await;
    let found: Vec<_> = found.iter().map(|entry| entry.received.as_ref().map(units)).collect();
    let two = some("B", 2);
    assert_eq!(found[..4], [two.clone(), two.clone(), two.clone(), two]);
    assert_eq!(found[4], some("2", 1), "a SKU goes before a place");
    assert_eq!(shop.brought_back("B").await.len(), 4);
    shop.audit().await;
}

async fn what_was_not_sold_under_the_numbers_is_not_ours(engine: Engine) {
    let shop = shop(engine).await;
    let order = sell(&shop, &[("A", 1)]).await;
    let rejected = shop.buy(&[("A", 100)]).await.order.id;
    let waiting = shop.backorder(&[("A", 50)]).await.order.id;
    let parcels = [
        parcel("elsewhere", "A"),
        parcel(&order, "B"),
        parcel(&order, "2"),
        parcel(&order, "0"),
        parcel(&order, "01"),
        parcel(&order, "a"),
        parcel(&rejected, "A"),
        parcel(&waiting, "1"),
    ];
    for (entry, rule) in
        shop.follow(&parcels).await.iter().zip([ToStock::On, ToStock::Ask].into_iter().cycle())
    {
        shop.deliver(entry).await;
        assert!(!shop.report(entry, rule).await);
        assert_eq!(shop.goods(&entry.id).await, (Goods::NotOurs, None), "{entry:?}");
        assert_eq!(shop.item(&entry.id).await, None);
    }
    assert!(shop.brought_back("A").await.is_empty() && shop.brought_back("B").await.is_empty());
    shop.audit().await;
}

async fn no_more_comes_back_than_was_sold_however_many_returns_name_it(engine: Engine) {
    let shop = shop(engine).await;
    let placement = shop.keyed("k", &[("A", 5)], IfShort::Reject);
    let order = shop.recorded(placement).await.order.id;
    let other = sell(&shop, &[("A", 2)]).await;
    let parcels =
        [parcel(&order, "A"), parcel(&order, "1"), parcel("k", "A"), parcel("k", "1"), parcel(&other, "A")];
    let entries = shop.follow(&parcels).await;
    for entry in &entries {
        shop.deliver(entry).await;
    }
    shop.report(&entries[0], ToStock::Ask).await;
    shop.report(&entries[1], ToStock::Ask).await;
    let first = settled(shop.accept(&entries[0].id, None, Some(2)).await);
    assert_eq!(first.received.as_ref().map(units), some("A", 2));
    assert_eq!(shop.item(&entries[1].id).await, some("A", 3), "what is left of it");
    assert!(shop.report(&entries[2], ToStock::On).await);
    assert_eq!(shop.goods(&entries[2].id).await, (Goods::Received, some("A", 3)));
    assert!(!shop.report(&entries[3], ToStock::On).await);
    assert_eq!(shop.goods(&entries[3].id).await, (Goods::NotOurs, None), "all of it was received before");
    let late = shop.accept(&entries[1].id, None, None).await;
    assert!(matches!(&late, Settling::NothingMatches(entry) if entry.goods == Goods::Waiting), "{late:?}");
    assert!(shop.report(&entries[4], ToStock::On).await, "another order is another matter");
    assert_eq!(shop.goods(&entries[4].id).await, (Goods::Received, some("A", 2)));
    let back: Vec<_> = shop.brought_back("A").await.iter().map(|movement| movement.delta).collect();
    assert_eq!(back, [2, 3, 2]);
    assert_eq!(shop.levels("A").await.0, 10);
    shop.audit().await;
}

async fn goods_that_come_back_fill_waiting_orders_and_can_be_sold_again(engine: Engine) {
    for by_operator in [false, true] {
        let shop = Shop::with_product(engine, "A", 0, 10, 3).await;
        let order = sell(&shop, &[("A", 3)]).await;
        let waiting = shop.backorder(&[("A", 2)]).await.order.id;
        shop.drain("ad-control").await;
        let entry = shop.follow(&[parcel(&order, "A")]).await.remove(0);
        shop.deliver(&entry).await;
        if by_operator {
            assert!(!shop.report(&entry, ToStock::Ask).await);
            settled(shop.accept(&entry.id, None, None).await);
        } else {
            assert!(shop.report(&entry, ToStock::On).await);
        }
        assert_eq!(shop.order(&waiting).await.status, Status::Accepted);
        let (on_hand, _, backordered) = shop.levels("A").await;
        assert_eq!((on_hand, backordered), (1, 0));
        let moved: Vec<_> =
            shop.movements("A").await.iter().map(|movement| (movement.kind, movement.delta)).collect();
        assert_eq!(moved[..2], [(MovementKind::Sold, -2), (MovementKind::Returned, 3)]);
        assert_eq!(shop.product("A").await.depleted_since, None);
        let kinds: Vec<_> =
            shop.drain("ad-control").await.into_iter().map(|delivery| delivery.event.kind).collect();
        assert_eq!(kinds, ["stock.replenished"]);
        shop.audit().await;
    }
}

async fn an_operator_receives_what_waits_once(engine: Engine) {
    let shop = shop(engine).await;
    let order = sell(&shop, &[("A", 3)]).await;
    let entry = shop.bring_back(parcel(&order, "A"), ToStock::Ask).await;
    shop.wait_ms(5);
    let received = settled(shop.accept(&entry.id, None, None).await);
    assert_eq!(received, shop.one_return(&entry.id).await);
    assert_eq!(
        (received.goods, received.received.as_ref().map(units), received.settled_at),
        (Goods::Received, some("A", 3), Some(shop.now()))
    );
    assert_eq!((received.settled_by.as_str(), received.settled_because.as_str()), (OPERATOR, "looked at it"));
    let movement = shop.movements("A").await.remove(0);
    assert_eq!((movement.kind, movement.delta, movement.on_hand_after), (MovementKind::Returned, 3, 10));
    assert_eq!((movement.return_id.as_ref(), movement.at), (Some(&entry.id), shop.now()));
    shop.wait_ms(5);
    for (sku, quantity) in [(None, None), (Some("A"), None), (None, Some(3)), (Some("A"), Some(3))] {
        let again = shop.accept(&entry.id, sku, quantity).await;
        assert_eq!(again, Settling::Repeated(received.clone()), "what is not given counts as the same");
    }
    for (sku, quantity) in [(Some("B"), None), (None, Some(2)), (Some("A"), Some(4))] {
        let other = shop.accept(&entry.id, sku, quantity).await;
        assert_eq!(other, Settling::Otherwise(received.clone()));
    }
    assert_eq!(shop.one_return(&entry.id).await, received);
    assert_eq!((shop.brought_back("A").await.len(), shop.brought_back("B").await.len()), (1, 0));
    shop.audit().await;
}

async fn an_operator_receives_fewer_units_never_more(engine: Engine) {
    let shop = shop(engine).await;
    let order = sell(&shop, &[("A", 3)]).await;
    let entry = shop.bring_back(parcel(&order, "A"), ToStock::Ask).await;
    for sku in [None, Some("A")] {
        assert_eq!(shop.accept(&entry.id, sku, Some(4)).await, Settling::TooMany(3));
        for none in [0, -1] {
            assert_eq!(shop.accept(&entry.id, sku, Some(none)).await, Settling::QuantityNeeded);
        }
    }
    assert_eq!(shop.one_return(&entry.id).await, entry);
    let received = settled(shop.accept(&entry.id, None, Some(2)).await);
    assert_eq!(received.received.as_ref().map(units), some("A", 2));
    assert_eq!(shop.levels("A").await.0, 9);
    shop.audit().await;
}

async fn an_operator_names_the_product_and_the_units_that_came_instead(engine: Engine) {
    let shop = shop(engine).await;
    let order = sell(&shop, &[("A", 3)]).await;
    let entry = shop.bring_back(parcel(&order, "A"), ToStock::Ask).await;
    assert_eq!(shop.accept(&entry.id, Some("X"), Some(1)).await, Settling::UnknownSku);
    assert_eq!(shop.accept(&entry.id, Some("B"), None).await, Settling::QuantityNeeded);
    assert_eq!(shop.accept(&entry.id, Some("B"), Some(0)).await, Settling::QuantityNeeded);
    assert_eq!(shop.one_return(&entry.id).await, entry);
    let received = settled(shop.accept(&entry.id, Some("B"), Some(7)).await);
    assert_eq!((received.goods, received.received.as_ref().map(units)), (Goods::Received, some("B", 7)));
    assert_eq!((shop.levels("A").await.0, shop.levels("B").await.0), (7, 17));
    assert_eq!(shop.brought_back("B").await[0].return_id.as_ref(), Some(&entry.id));
    shop.audit().await;
}

async fn an_operator_decides_on_goods_that_the_shop_left_or_that_are_not_ours(engine: Engine) {
    let shop = shop(engine).await;
    let order = sell(&shop, &[("A", 3), ("B", 2)]).await;
    let parcels =
        [parcel(&order, "A"), parcel("elsewhere", "1"), parcel(&order, "B"), parcel("elsewhere", "2")];
    let entries = shop.follow(&parcels).await;
    for (entry, rule) in entries.iter().zip([ToStock::Off, ToStock::On, ToStock::Off, ToStock::Ask]) {
        shop.deliver(entry).await;
        shop.report(entry, rule).await;
    }
    let left = settled(shop.accept(&entries[0].id, None, None).await);
    assert_eq!((left.goods, left.received.as_ref().map(units)), (Goods::Received, some("A", 3)));
    let foreign = settled(shop.accept(&entries[1].id, Some("B"), Some(1)).await);
    assert_eq!((foreign.goods, foreign.received.as_ref().map(units)), (Goods::Received, some("B", 1)));
    for entry in &entries[2..] {
        assert_eq!(settled(shop.discard(&entry.id).await).goods, Goods::Discarded);
    }
    assert_eq!((shop.levels("A").await.0, shop.levels("B").await.0), (10, 9));
    shop.audit().await;
}

async fn goods_that_were_discarded_never_come_back(engine: Engine) {
    let shop = shop(engine).await;
    let order = sell(&shop, &[("A", 3)]).await;
    let entry = shop.bring_back(parcel(&order, "A"), ToStock::Ask).await;
    shop.wait_ms(5);
    let discarded = settled(shop.discard(&entry.id).await);
    assert_eq!(discarded, shop.one_return(&entry.id).await);
    assert_eq!(
        (discarded.goods, &discarded.received, discarded.settled_at),
        (Goods::Discarded, &None, Some(shop.now()))
    );
    assert_eq!(
        (discarded.settled_by.as_str(), discarded.settled_because.as_str()),
        (OPERATOR, "looked at it")
    );
    shop.wait_ms(5);
    assert_eq!(shop.discard(&entry.id).await, Settling::Repeated(discarded.clone()));
    for (sku, quantity) in [(None, None), (Some("A"), Some(1)), (Some("B"), Some(1))] {
        let late = shop.accept(&entry.id, sku, quantity).await;
        assert_eq!(late, Settling::Otherwise(discarded.clone()));
    }
    assert_eq!(shop.levels("A").await.0, 7);
    shop.audit().await;
}

async fn what_was_decided_otherwise_before_stays(engine: Engine) {
    let shop = shop(engine).await;
    let order = sell(&shop, &[("A", 3), ("B", 2)]).await;
    let entries = shop.follow(&[parcel(&order, "A"), parcel(&order, "B")]).await;
    for (entry, rule) in entries.iter().zip([ToStock::On, ToStock::Ask]) {
        shop.deliver(entry).await;
        shop.report(entry, rule).await;
    }
    settled(shop.accept(&entries[1].id, None, None).await);
    for entry in &entries {
        let before = shop.one_return(&entry.id).await;
        assert_eq!(shop.discard(&entry.id).await, Settling::Otherwise(before.clone()));
        assert_eq!(shop.one_return(&entry.id).await, before);
    }
    let by_rule = shop.one_return(&entries[0].id).await;
    let late = shop.accept(&by_rule.id, None, None).await;
    assert_eq!(late, Settling::Otherwise(by_rule), "it was received under the rule of the shop");
    assert_eq!((shop.levels("A").await.0, shop.levels("B").await.0), (10, 10));
    shop.audit().await;
}

async fn a_decision_that_cannot_be_carried_out_changes_nothing_and_is_not_on_record(engine: Engine) {
    let shop = shop(engine).await;
    let order = sell(&shop, &[("A", 3)]).await;
    let parcels = [parcel(&order, "A"), parcel("elsewhere", "1")];
    let entries = shop.follow(&parcels).await;
    assert_eq!(shop.accept("nobody", Some("A"), Some(1)).await, Settling::UnknownReturn);
    assert_eq!(shop.discard("nobody").await, Settling::UnknownReturn);
    for delivered in [false, true] {
        if delivered {
            shop.deliver(&entries[0]).await;
        }
        let early = shop.one_return(&entries[0].id).await;
        assert_eq!(shop.accept(&early.id, None, None).await, Settling::TooEarly(early.clone()));
        assert_eq!(shop.accept(&early.id, Some("A"), Some(1)).await, Settling::TooEarly(early.clone()));
        assert_eq!(shop.discard(&early.id).await, Settling::TooEarly(early.clone()));
        assert_eq!(shop.one_return(&early.id).await, early);
    }
    shop.deliver(&entries[1]).await;
    shop.report(&entries[1], ToStock::Ask).await;
    let foreign = shop.one_return(&entries[1].id).await;
    for quantity in [None, Some(1)] {
        let answer = shop.accept(&foreign.id, None, quantity).await;
        assert_eq!(answer, Settling::NothingMatches(foreign.clone()));
    }
    assert_eq!(shop.one_return(&foreign.id).await, foreign);
    assert_eq!(on_record(&shop).await, []);
    assert_eq!(shop.levels("A").await.0, 7);
    shop.audit().await;
}

async fn decisions_of_operators_are_on_record_and_those_of_the_shop_are_not(engine: Engine) {
    let shop = shop(engine).await;
    let order = sell(&shop, &[("A", 3), ("B", 2)]).await;
    let entries = shop.follow(&[parcel(&order, "A"), parcel(&order, "B"), parcel("elsewhere", "1")]).await;
    for (entry, rule) in entries.iter().zip([ToStock::On, ToStock::Ask, ToStock::Ask]) {
        shop.deliver(entry).await;
        shop.report(entry, rule).await;
    }
    assert_eq!(on_record(&shop).await, []);
    shop.wait_ms(5);
    for _ in 0..2 {
        shop.accept(&entries[1].id, None, Some(1)).await;
        shop.discard(&entries[2].id).await;
    }
    assert_eq!(
        on_record(&shop).await,
        [
            ("return.discard".to_owned(), entries[2].id.clone()),
            ("return.receive".to_owned(), entries[1].id.clone())
        ],
        "each once"
    );
    let actions = shop.store.actions(first_page()).await.expect("read");
    for action in &actions[..2] {
        assert_eq!(
            (action.operator.as_str(), action.reason.as_str(), action.at),
            (OPERATOR, "looked at it", shop.now())
        );
    }
    let detail: serde_json::Value = serde_json::from_str(&actions[1].detail).expect("JSON");
    assert_eq!((&detail["sku"], &detail["quantity"]), (&"B".into(), &1.into()), "what it changed");
}

async fn describing_a_return_tells_what_receiving_it_would_bring(engine: Engine) {
    let shop = shop(engine).await;
    let order = sell(&shop, &[("A", 3)]).await;
    let entries = shop.follow(&[parcel(&order, "A"), parcel(&order, "1")]).await;
    for entry in &entries {
        assert_eq!(shop.item(&entry.id).await, some("A", 3));
        shop.deliver(entry).await;
        shop.report(entry, ToStock::Ask).await;
        assert_eq!(shop.item(&entry.id).await, some("A", 3));
    }
    settled(shop.accept(&entries[0].id, None, Some(1)).await);
    assert_eq!(shop.item(&entries[1].id).await, some("A", 2));
    let last = settled(shop.accept(&entries[1].id, None, None).await);
    assert_eq!(last.received, Some(Item { sku: "A".into(), quantity: 2 }), "as it was told");
    assert_eq!(shop.item(&entries[1].id).await, None);
    shop.audit().await;
}

//! Claim: an order is all or nothing, answered once, and never sells what is not there.

use super::shop::{STOCK, Shop, definition, wait};
use restock_store::catalog;
use restock_store::restock::orders::{IfShort, Placing, Status};

#[test]
fn an_order_takes_its_units_and_leaves_a_movement() {
    let shop = Shop::with_product("A", 2, 10, 5);
    let order = shop.order(&[("A", 2)]).order;
    assert_eq!(order.status, Status::Accepted);
    assert_eq!((order.total.amount, order.total.currency.as_str()), (2_000, "KRW"));
    assert_eq!((order.lines[0].quantity, order.lines[0].unit_price.amount), (2, 1_000));
    assert_eq!(shop.levels("A"), (3, 0, 0));
    let movement = &shop.movements("A")[0];
    assert_eq!((movement.delta, movement.on_hand_after), (-2, 3));
    assert_eq!(movement.order_id.as_deref(), Some(order.id.as_str()));
    shop.assert_sound();
}

#[test]
fn an_order_that_is_short_of_one_item_takes_none() {
    let shop = Shop::with_product("A", 0, 10, 5);
    shop.product("B", 0, 10, 1);
    let recording = shop.order(&[("A", 1), ("B", 2)]);
    assert_eq!(recording.order.status, Status::Rejected);
    assert!(recording.rings.is_empty());
    let short = &recording.order.short;
    assert_eq!((short.len(), short[0].sku.as_str(), short[0].requested, short[0].available), (1, "B", 2, 1));
    assert_eq!((shop.levels("A"), shop.levels("B")), ((5, 0, 0), (1, 0, 0)));
    shop.assert_sound();
}

#[test]
fn the_last_units_are_sold_once() {
    let shop = Shop::with_product("A", 0, 100, 50);
    let accepted = (0..200).filter(|_| shop.order(&[("A", 1)]).order.status == Status::Accepted).count();
    assert_eq!(accepted, 50);
    assert_eq!(shop.productions().len(), 1);
    shop.assert_sound();
}

#[test]
fn a_repeated_key_gets_the_first_answer_and_changes_nothing() {
    let shop = Shop::with_product("A", 4, 10, 5);
    let mut first = shop.placement(&[("A", 1)], IfShort::Reject);
    first.idempotency_key = Some("k".into());
    let mut second = first.clone();
    second.id = "another".into();
    let Placing::Recorded(recorded) = shop.place(first) else { panic!("recorded") };
    assert!(recorded.rings == STOCK && !recorded.replayed);
    let Placing::Recorded(replayed) = shop.place(second) else { panic!("recorded") };
    assert!(replayed.replayed && replayed.rings.is_empty(), "a replay never rings");
    assert_eq!(replayed.order.id, recorded.order.id);
    assert_eq!(shop.levels("A").0, 4);
    shop.assert_sound();
}

#[test]
fn a_key_that_is_used_for_another_order_is_refused() {
    let shop = Shop::with_product("A", 0, 10, 5);
    let mut first = shop.placement(&[("A", 1)], IfShort::Reject);
    first.idempotency_key = Some("k".into());
    let mut second = shop.placement(&[("A", 2)], IfShort::Reject);
    second.idempotency_key = Some("k".into());
    shop.place(first);
    assert!(matches!(shop.place(second), Placing::KeyReused));
    assert_eq!(shop.levels("A").0, 4);
}

#[test]
fn a_rejected_order_answers_its_key_as_rejected_when_the_goods_are_there_again() {
    let shop = Shop::with_product("A", 0, 10, 0);
    let mut placement = shop.placement(&[("A", 1)], IfShort::Reject);
    placement.idempotency_key = Some("k".into());
    shop.place(placement.clone());
    shop.adjust("A", 5, None);
    let Placing::Recorded(replayed) = shop.place(placement) else { panic!("recorded") };
    assert_eq!(replayed.order.placed_as, Status::Rejected);
    assert_eq!(shop.levels("A").0, 5);
}

#[test]
fn unknown_products_are_all_named_and_nothing_is_written() {
    let shop = Shop::with_product("A", 0, 10, 5);
    let placement = shop.placement(&[("X", 1), ("A", 1), ("Y", 1)], IfShort::Backorder);
    let Placing::UnknownSkus(unknown) = shop.place(placement) else { panic!("refused") };
    assert_eq!(unknown, ["X", "Y"]);
    assert_eq!(shop.database.number("SELECT count(*) FROM sales_order"), 0);
    assert_eq!(shop.levels("A"), (5, 0, 0));
}

#[test]
fn an_order_in_two_currencies_has_no_total_and_is_refused() {
    let shop = Shop::with_product("A", 0, 10, 5);
    let mut other = definition("B", 0, 10, 5);
    other.price.currency = "EUR".into();
    wait(catalog::define(&shop.database, other, "op".into(), 1)).expect("defined");
    let placement = shop.placement(&[("A", 1), ("B", 1)], IfShort::Reject);
    assert!(matches!(shop.place(placement), Placing::MixedCurrencies));
}

#[test]
fn a_first_answer_stands_when_the_prices_have_moved_apart_since() {
    let shop = Shop::with_product("A", 0, 10, 5);
    shop.product("B", 0, 10, 5);
    let mut placement = shop.placement(&[("A", 1), ("B", 1)], IfShort::Reject);
    placement.idempotency_key = Some("k".into());
    shop.place(placement.clone());
    let mut other = definition("B", 0, 10, 5);
    other.price.currency = "EUR".into();
    wait(catalog::define(&shop.database, other, "op".into(), 1)).expect("defined");
    placement.id = "another".into();
    let Placing::Recorded(replayed) = shop.place(placement) else { panic!("recorded") };
    assert!(replayed.replayed);
}

#[test]
fn a_sku_that_looks_like_json_or_sql_is_only_a_sku() {
    let sku = r#"a"},{"sku":"b' OR 1=1 --"#;
    let shop = Shop::with_product(sku, 0, 10, 5);
    shop.order(&[(sku, 1)]);
    assert_eq!(shop.levels(sku), (4, 0, 0));
    assert_eq!(shop.find_order("order-1").lines[0].sku, sku);
    shop.backorder(&[(sku, 9)]);
    shop.assert_sound();
}

#[test]
fn units_that_wait_for_others_are_not_sold_to_a_newcomer() {
    let shop = Shop::with_product("A", 0, 10, 3);
    shop.product("B", 0, 10, 0);
    shop.backorder(&[("A", 2), ("B", 1)]);
    assert_eq!(shop.order(&[("A", 2)]).order.status, Status::Rejected);
    assert_eq!(shop.order(&[("A", 1)]).order.status, Status::Accepted);
    shop.assert_sound();
}

#[test]
fn backorders_are_filled_first_come_first_served() {
    let shop = Shop::with_product("A", 0, 10, 0);
    let ids: Vec<_> = [3, 2, 1].map(|units| shop.backorder(&[("A", units)]).order.id).into();
    shop.adjust("A", 4, None);
    let status = |index: usize| shop.find_order(&ids[index]).status;
    assert_eq!(status(0), Status::Accepted);
    assert_eq!(status(1), Status::Backordered);
    assert_eq!(status(2), Status::Backordered, "one unit is there, but it is the second order's");
    shop.adjust("A", 2, None);
    assert_eq!((status(1), status(2)), (Status::Accepted, Status::Accepted));
    assert_eq!(shop.levels("A").0, 0);
    shop.assert_sound();
}

#[test]
fn an_order_of_two_products_waits_for_both_and_keeps_its_place_in_both_lines() {
    let shop = Shop::with_product("A", 0, 10, 0);
    shop.product("B", 0, 10, 0);
    let both = shop.backorder(&[("A", 1), ("B", 1)]).order.id;
    let later = shop.backorder(&[("A", 1)]).order.id;
    shop.adjust("A", 1, None);
    assert_eq!(shop.find_order(&later).status, Status::Backordered, "the unit is kept for the first");
    shop.adjust("A", 1, None);
    assert_eq!(shop.find_order(&later).status, Status::Accepted, "there is one for each now");
    assert_eq!(shop.find_order(&both).status, Status::Backordered);
    shop.now.set(7_000_000);
    shop.adjust("B", 1, None);
    let filled = shop.find_order(&both);
    assert_eq!((filled.status, filled.placed_as), (Status::Accepted, Status::Backordered));
    assert_eq!(filled.filled_at, Some(7_000_000));
    assert_eq!((shop.levels("A").0, shop.levels("B").0), (0, 0));
    shop.assert_sound();
}

#[test]
fn a_fill_that_moves_no_stock_is_undone_as_a_whole() {
    let shop = Shop::with_product("A", 0, 10, 0);
    shop.backorder(&[("A", 1)]);
    shop.database.0.execute_batch("PRAGMA recursive_triggers = OFF").expect("the setting is taken");
    let goods = "INSERT INTO stock_movement (sku, kind, delta, on_hand_after, at_ms) VALUES ('A', 'adjusted', 1, 1, 1)";
    assert!(shop.database.0.execute(goods, []).is_err());
    assert_eq!(shop.levels("A").0, 0);
}

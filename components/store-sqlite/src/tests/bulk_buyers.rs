//! Claim: the order that meets the rule for VIPs says so in its own write, once for each customer under `cumulative`, and what
//! a customer bought is what was accepted.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::Value;

use super::shop::Shop;
use restock_store::restock::orders::{IfShort, Placing, Recording, VipPolicy, VipRule};

fn shop(rule: VipRule, units: u32) -> Shop {
    let shop = Shop::with_product("A", 0, 1_000, 10_000);
    shop.vip.set(VipPolicy { rule, units });
    shop
}

fn order(shop: &Shop, customer: &str, items: &[(&str, u32)], if_short: IfShort) -> Recording {
    let mut placement = shop.placement(items, if_short);
    placement.customer.id = customer.into();
    placement.customer.email = Some(format!("{customer}@c.example"));
    match shop.place(placement) {
        Placing::Recorded(recording) => recording,
        other => panic!("not recorded: {other:?}"),
    }
}

fn buy(shop: &Shop, customer: &str, units: u32) -> Recording {
    order(shop, customer, &[("A", units)], IfShort::Reject)
}

/// What `order.bulk` said, oldest first.
fn told(shop: &Shop) -> Vec<Value> {
    let told = shop.database.texts("SELECT data FROM event WHERE type = 'order.bulk' ORDER BY rowid");
    told.iter().map(|data| serde_json::from_str(data).expect("JSON")).collect()
}

#[test]
fn ninety_nine_units_in_one_order_are_not_bulk_and_a_hundred_are() {
    let shop = shop(VipRule::SingleOrder, 100);
    assert!(buy(&shop, "c-1", 99).rings.is_empty());
    assert!(buy(&shop, "c-1", 60).rings.is_empty(), "orders do not add up under this rule");
    assert_eq!(told(&shop), Vec::<Value>::new());
    let bulk = buy(&shop, "c-1", 100);
    assert_eq!(bulk.rings, ["loyalty"]);
    let told = told(&shop);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["order_id"], bulk.order.id);
    assert_eq!((&told[0]["units"], &told[0]["units_bought"]), (&100.into(), &259.into()));
    assert_eq!(told[0]["email"], "c-1@c.example");
    shop.assert_sound();
}

#[test]
fn every_bulk_order_is_told_under_single_order() {
    let shop = shop(VipRule::SingleOrder, 100);
    buy(&shop, "c-1", 100);
    buy(&shop, "c-1", 130);
    assert_eq!(told(&shop).len(), 2);
}

#[test]
fn the_units_of_all_items_of_an_order_count_together() {
    let shop = shop(VipRule::SingleOrder, 100);
    shop.product("B", 0, 1_000, 500);
    assert_eq!(order(&shop, "c-1", &[("A", 50), ("B", 49)], IfShort::Reject).rings.len(), 0);
    assert_eq!(order(&shop, "c-1", &[("A", 50), ("B", 50)], IfShort::Reject).rings, ["loyalty"]);
    assert_eq!(told(&shop).len(), 1);
}

#[test]
fn ninety_nine_units_in_total_are_not_bulk_and_a_hundred_are_once() {
    let shop = shop(VipRule::Cumulative, 100);
    assert!(buy(&shop, "c-1", 60).rings.is_empty());
    assert!(buy(&shop, "c-2", 60).rings.is_empty(), "customers do not add up");
    assert!(buy(&shop, "c-1", 39).rings.is_empty());
    assert_eq!(told(&shop).len(), 0);
    assert_eq!(buy(&shop, "c-1", 1).rings, ["loyalty"]);
    assert!(buy(&shop, "c-1", 500).rings.is_empty(), "told before");
    let told = told(&shop);
    assert_eq!((told.len(), &told[0]["units_bought"]), (1, &100.into()));
    shop.assert_sound();
}

#[test]
fn sixty_and_forty_make_a_vip_under_cumulative_and_not_under_single_order() {
    for (rule, times) in [(VipRule::Cumulative, 1), (VipRule::SingleOrder, 0)] {
        let shop = shop(rule, 100);
        buy(&shop, "c-1", 60);
        buy(&shop, "c-1", 40);
        assert_eq!(told(&shop).len(), times, "{rule:?}");
    }
}

#[test]
fn an_order_that_sells_nothing_counts_for_nothing_until_it_is_filled() {
    let shop = shop(VipRule::Cumulative, 100);
    shop.product("B", 0, 1_000, 0);
    order(&shop, "c-1", &[("B", 150)], IfShort::Reject);
    let waiting = order(&shop, "c-1", &[("B", 120)], IfShort::Backorder);
    assert!(!waiting.rings.contains(&"loyalty".to_owned()));
    assert!(shop.buyer("c-1").is_none());
    assert_eq!(told(&shop).len(), 0);
    shop.now.set(shop.now.get() + 9);
    shop.receive_for("B", 1_000);
    assert_eq!(told(&shop).len(), 1);
    let buyer = shop.buyer("c-1").expect("filled");
    assert_eq!((buyer.orders, buyer.units_bought), (1, 120));
    let times = "SELECT time_ms - placed_at_ms FROM event, sales_order WHERE type = 'order.bulk' AND status = 'accepted'";
    assert_eq!(shop.database.number(times), 9, "it was bulk when it was accepted");
    shop.assert_sound();
}

#[test]
fn a_backorder_keeps_the_rule_that_it_was_placed_under() {
    let shop = shop(VipRule::SingleOrder, 100);
    shop.product("B", 0, 1_000, 0);
    order(&shop, "c-1", &[("B", 120)], IfShort::Backorder);
    shop.vip.set(VipPolicy { rule: VipRule::SingleOrder, units: 200 });
    shop.receive_for("B", 1_000);
    assert_eq!((told(&shop).len(), &told(&shop)[0]["vip_units"]), (1, &100.into()));
}

#[test]
fn an_order_that_empties_the_shelf_and_makes_a_vip_rings_for_both() {
    let shop = Shop::with_product("A", 0, 1_000, 100);
    assert_eq!(buy(&shop, "c-1", 100).rings, ["replenishment", "ad-control", "loyalty"]);
}

#[test]
fn a_repeated_key_counts_once() {
    let shop = shop(VipRule::Cumulative, 100);
    let mut placement = shop.placement(&[("A", 60)], IfShort::Reject);
    placement.idempotency_key = Some("k".into());
    shop.place(placement.clone());
    shop.place(placement);
    assert_eq!(shop.buyer("c-1").expect("known").units_bought, 60);
    assert_eq!(told(&shop).len(), 0);
}

#[test]
fn the_audit_notices_totals_that_are_wrong_and_a_vip_that_nobody_was_told_of() {
    let shop = shop(VipRule::Cumulative, 100);
    buy(&shop, "c-1", 100);
    let broken =
        "UPDATE buyer SET bulk_orders = 0, bulk_order_id = NULL, bulk_at_ms = NULL, units_bought = 101";
    shop.database.0.execute(broken, []).expect("updated");
    let found = shop.violations();
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found[0].starts_with("customer c-1: 1 orders of 100 units are accepted, the totals are 1 of 101")
    );
    assert!(found[1].starts_with("customer c-1: met the rule"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    /// Purchases of three customers over orders of two products, some accepted at once, some filled when goods come.
    #[test]
    fn a_total_is_told_exactly_when_it_first_reaches_the_number(
        vip_units in 1_u32..120,
        steps in proptest::collection::vec((0_usize..3, 1_u32..60, 0_u32..40, any::<bool>(), proptest::option::weighted(0.3, 1_i64..80)), 1..40),
    ) {
        let shop = Shop::with_product("A", 0, 1_000, 300);
        shop.product("B", 0, 1_000, 60);
        shop.vip.set(VipPolicy { rule: VipRule::Cumulative, units: vip_units });
        for (customer, a, b, backorder, goods) in steps {
            shop.now.set(shop.now.get() + 1);
            let items: Vec<_> = [("A", a), ("B", b)].into_iter().filter(|(_, units)| *units > 0).collect();
            let if_short = if backorder { IfShort::Backorder } else { IfShort::Reject };
            let customer = format!("c-{customer}");
            let before = told(&shop).len();
            let recording = order(&shop, &customer, &items, if_short);
            let rang = recording.rings.contains(&"loyalty".to_owned());
            prop_assert_eq!(rang, told(&shop).len() > before, "the bell foretells the write");
            if let Some(goods) = goods {
                shop.receive_for("B", goods);
                shop.adjust("A", goods, None);
            }
            shop.assert_sound();

            // What was told, against the accepted orders alone.
            let accepted = "SELECT json_array(customer_id, sum(quantity)) FROM sales_order JOIN sales_order_line USING (sequence)
                             WHERE status = 'accepted' GROUP BY customer_id";
            let totals: BTreeMap<String, i64> = shop.database.texts(accepted).iter()
                .map(|row| serde_json::from_str::<(String, i64)>(row).expect("JSON"))
                .collect();
            let mut times = BTreeMap::new();
            for data in told(&shop) {
                let (units, total) = (data["units"].as_i64().expect("units"), data["units_bought"].as_i64().expect("a total"));
                prop_assert!(total >= i64::from(vip_units) && total - units < i64::from(vip_units), "the first to reach it");
                *times.entry(data["customer_id"].as_str().expect("an id").to_owned()).or_insert(0) += 1;
            }
            for (customer, total) in totals {
                let expected = i32::from(total >= i64::from(vip_units));
                prop_assert_eq!(times.get(&customer).copied().unwrap_or(0), expected, "{} bought {}", customer, total);
                prop_assert_eq!(shop.buyer(&customer).expect("known").units_bought, total);
            }
        }
    }
}

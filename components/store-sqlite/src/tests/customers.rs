//! Claim: a customer becomes a VIP once and stays one, and the news is owed until it was taken, however often and in whatever order
//! the messages come.

use proptest::prelude::*;

use super::shop::{Customers, Shop, wait};
use restock_store::customers;
use restock_store::restock::customers::{Customer, Kind, Outcome, Purchase};
use restock_store::restock::orders::{VipPolicy, VipRule};

fn purchase(order_id: &str, units: i64, units_bought: i64) -> Purchase {
    Purchase {
        order_id: order_id.into(),
        customer_id: "c-1".into(),
        email: Some("c@c.example".into()),
        name: None,
        units,
        units_bought,
        purchased_at: 5,
    }
}

fn note(customers: &Customers, purchase: &Purchase, now: u64) -> Outcome {
    wait(customers::note_purchase(&customers.database, purchase.clone(), now)).expect("noted")
}

fn announced(customers: &Customers, id: &str, now: u64) {
    wait(customers::announced(&customers.database, id.into(), now)).expect("noted");
}

fn find(customers: &Customers) -> Option<Customer> {
    wait(customers::get(&customers.database, "c-1".into())).expect("read")
}

#[test]
fn a_bulk_purchase_makes_a_vip_and_the_news_is_owed_until_it_is_taken() {
    let customers = Customers::new();
    assert!(find(&customers).is_none());
    let first = note(&customers, &purchase("o-1", 100, 100), 7);
    let announcement = first.announcement.expect("owed");
    assert!(first.promoted);
    assert_eq!((announcement.order_id.as_str(), announcement.customer.vip_since), ("o-1", Some(7)));
    let again = note(&customers, &purchase("o-1", 100, 100), 8);
    assert!(!again.promoted);
    assert_eq!(again.announcement.expect("still owed").id, announcement.id);
    announced(&customers, &announcement.id, 9);
    announced(&customers, &announcement.id, 10);
    assert!(note(&customers, &purchase("o-1", 100, 100), 11).announcement.is_none());
    let customer = find(&customers).expect("known");
    assert_eq!((customer.kind, customer.announced_at), (Kind::Vip, Some(9)));
}

#[test]
fn a_second_bulk_purchase_promotes_nobody_and_its_total_counts() {
    let customers = Customers::new();
    note(&customers, &purchase("o-2", 150, 250), 7);
    let older = note(&customers, &purchase("o-1", 100, 100), 8);
    assert!(!older.promoted);
    assert_eq!(older.announcement.expect("owed").order_id, "o-2", "one customer has one announcement");
    let customer = find(&customers).expect("known");
    assert_eq!(
        (customer.units_bought, customer.vip_since),
        (250, Some(7)),
        "a message that overtook another"
    );
    assert_eq!(customer.email.as_deref(), Some("c@c.example"));
}

#[test]
fn an_announcement_that_nobody_owes_changes_nothing() {
    let customers = Customers::new();
    note(&customers, &purchase("o-1", 100, 100), 7);
    announced(&customers, "vip_o-2", 8);
    announced(&customers, "o-1", 8);
    assert_eq!(find(&customers).expect("known").announced_at, None);
}

#[test]
fn a_vip_stays_one_whatever_is_tried() {
    let customers = Customers::new();
    note(&customers, &purchase("o-1", 100, 100), 7);
    for change in [
        "kind = 'normal', vip_order_id = NULL, vip_since_ms = NULL",
        "vip_since_ms = 1",
        "vip_order_id = 'o-2'",
    ] {
        assert!(
            customers.database.0.execute(&format!("UPDATE customer SET {change}"), []).is_err(),
            "{change}"
        );
    }
}

/// The purchase that a shop tells of under the rule `cumulative`.
fn sixty_and_forty() -> Purchase {
    let shop = Shop::with_product("A", 0, 1_000, 500);
    shop.vip.set(VipPolicy { rule: VipRule::Cumulative, units: 100 });
    shop.order(&[("A", 60)]);
    shop.order(&[("A", 40)]);
    let told = shop.database.texts("SELECT data FROM event WHERE type = 'order.bulk'");
    assert_eq!(told.len(), 1);
    let data: serde_json::Value = serde_json::from_str(&told[0]).expect("JSON");
    let told = purchase(
        data["order_id"].as_str().expect("an id"),
        data["units"].as_i64().expect("units"),
        data["units_bought"].as_i64().expect("a total"),
    );
    assert_eq!((told.order_id.as_str(), told.units, told.units_bought), ("order-2", 40, 100));
    assert_eq!(data["customer_id"], told.customer_id);
    told
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    /// 60 + 40 units are told by the second order. Another bulk purchase of the same customer comes in between.
    #[test]
    fn a_thousand_deliveries_in_any_order_promote_once(
        deliveries in proptest::collection::vec(0_usize..2, 1_000),
        taken in proptest::collection::btree_set(0_usize..1_000, 0..5),
    ) {
        let customers = Customers::new();
        let purchases = [sixty_and_forty(), purchase("o-9", 130, 230)];
        let mut promotions = 0;
        let mut news = std::collections::BTreeSet::new();
        let mut told = false;
        for (number, which) in deliveries.into_iter().enumerate() {
            let now = 10 + number as u64;
            let outcome = note(&customers, &purchases[which], now);
            promotions += u32::from(outcome.promoted);
            prop_assert_eq!(outcome.announcement.is_some(), !told, "owed until it was taken, then never again");
            news.extend(outcome.announcement.map(|announcement| announcement.id));
            if taken.contains(&number) {
                let id = news.first().expect("it was owed at first").clone();
                announced(&customers, &id, now);
                told = true;
            }
            let customer = find(&customers).expect("known");
            prop_assert_eq!((customer.kind, customer.vip_since), (Kind::Vip, Some(10)));
        }
        prop_assert_eq!((promotions, news.len()), (1, 1));
    }
}

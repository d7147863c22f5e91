//! Claim: each change of stock is one movement, corrections included; products keep what the operator did not change.

use super::shop::{Shop, definition, first_page, wait};
use restock_store::catalog;
use restock_store::restock::catalog::{AdStatus, Defined, Policy};
use restock_store::restock::stock::{Adjusting, MovementKind};
use restock_store::restock::types::Page;
use restock_store::stock;

#[test]
fn a_product_opens_its_ledger_with_its_stock() {
    let shop = Shop::with_product("A", 2, 10, 5);
    let movements = shop.movements("A");
    assert_eq!((movements.len(), movements[0].kind, movements[0].delta), (1, MovementKind::Opening, 5));
    assert!(shop.productions().is_empty());
}

#[test]
fn a_product_without_stock_is_ordered_when_it_is_created() {
    let shop = Shop::with_product("A", 2, 10, 0);
    assert_eq!(shop.levels("A"), (0, 10, 0));
    assert_eq!(shop.events(), ["stock.depleted"]);
    shop.assert_sound();
}

#[test]
fn a_repeated_definition_keeps_stock_and_asks_for_nothing_again() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let before = shop.events();
    let again = shop.product("A", 2, 10, 99);
    assert_eq!((again.on_hand, again.on_order), (1, 9));
    assert_eq!(shop.events(), before);
    shop.assert_sound();
}

#[test]
fn a_higher_reorder_point_asks_for_goods_in_the_same_write() {
    let shop = Shop::with_product("A", 2, 10, 5);
    shop.product("A", 5, 20, 0);
    assert_eq!(shop.levels("A"), (5, 15, 0));
}

#[test]
fn a_definition_without_its_factory_changes_nothing() {
    let shop = Shop::with_product("A", 2, 10, 5);
    let mut orphan = definition("A", 3, 20, 5);
    orphan.factory_id = "nobody".into();
    let defined = wait(catalog::define(&shop.database, orphan, "op".into(), 2)).expect("answered");
    assert!(matches!(defined, Defined::UnknownFactory));
    assert_eq!(shop.find_product("A").reorder_point, 2);
}

#[test]
fn a_running_advertisement_keeps_the_request_to_pause_it() {
    let shop = Shop::with_product("A", 2, 10, 5);
    assert_eq!(shop.find_product("A").ad.status, AdStatus::Running);
    let pause = "UPDATE product SET ad_status = 'pause-requested'";
    shop.database.0.execute(pause, []).expect("updated");
    assert_eq!(shop.product("A", 2, 10, 5).ad.status, AdStatus::PauseRequested);
    let mut none = definition("A", 2, 10, 5);
    none.ad = None;
    wait(catalog::define(&shop.database, none, "op".into(), 2)).expect("defined");
    assert_eq!(shop.find_product("A").ad.status, AdStatus::None);
}

#[test]
fn computed_levels_are_taken_by_automatic_products_only_and_outlive_a_repeated_definition() {
    let shop = Shop::with_product("A", 2, 10, 50);
    let set = |point, up_to| {
        wait(catalog::set_levels(&shop.database, "A".into(), point, up_to, 3)).expect("answered")
    };
    assert!(!set(7, 9), "an operator's levels stand");
    let mut automatic = definition("A", 2, 10, 50);
    automatic.policy = Policy::Auto;
    wait(catalog::define(&shop.database, automatic.clone(), "op".into(), 2)).expect("defined");
    assert!(set(7, 9) && set(7, 9));
    wait(catalog::define(&shop.database, automatic, "op".into(), 4)).expect("defined");
    assert_eq!(shop.find_product("A").reorder_point, 7);
    shop.product("A", 2, 10, 50);
    assert_eq!(shop.find_product("A").reorder_point, 2);
}

#[test]
fn demand_counts_rejected_units_and_days_without_orders_but_not_today() {
    const DAY: u64 = 86_400_000;
    let shop = Shop::new();
    let mut automatic = definition("A", 0, 10, 5);
    automatic.policy = Policy::Auto;
    wait(catalog::define(&shop.database, automatic, "op".into(), 1)).expect("defined");
    for (day, units) in [(100, 2), (100, 1), (102, 90), (103, 1)] {
        shop.now.set(day * DAY + 5);
        shop.order(&[("A", units)]);
    }
    let opened = shop.database.texts("SELECT production_id FROM production");
    assert!(opened.is_empty());
    let demand = wait(catalog::auto_demand(&shop.database, first_page(), 103 * DAY + 9)).expect("read");
    assert_eq!(demand[0].daily_units, [3, 0, 90]);
    assert!(demand[0].lead_times_days.is_empty());
    let later = wait(catalog::auto_demand(&shop.database, first_page(), 200 * DAY)).expect("read");
    assert_eq!(later[0].daily_units.len(), 60);
}

#[test]
fn lead_times_run_from_the_request_to_the_goods() {
    let shop = Shop::new();
    let mut automatic = definition("A", 0, 10, 0);
    automatic.policy = Policy::Auto;
    wait(catalog::define(&shop.database, automatic, "op".into(), 1)).expect("defined");
    let id = shop.last_production().id;
    shop.request(&id);
    shop.now.set(shop.now.get() + 43_200_000);
    shop.receive(&id, 10);
    let demand = wait(catalog::auto_demand(&shop.database, first_page(), shop.now.get())).expect("read");
    assert_eq!(demand[0].lead_times_days, [0.5]);
}

#[test]
fn a_correction_never_takes_more_than_there_is() {
    let shop = Shop::with_product("A", 0, 10, 5);
    assert!(matches!(shop.adjust("A", -6, None), Adjusting::WouldGoNegative(5)));
    assert!(matches!(shop.adjust("X", 1, None), Adjusting::UnknownSku));
    let Adjusting::Adjusted(movement) = shop.adjust("A", -5, None) else { panic!("adjusted") };
    assert_eq!((movement.on_hand_after, movement.reason.as_deref()), (0, Some("recount")));
    assert_eq!(shop.levels("A"), (0, 10, 0), "what vanished is asked for");
    shop.assert_sound();
}

#[test]
fn a_correction_with_a_used_key_gets_the_first_answer() {
    let shop = Shop::with_product("A", 0, 10, 5);
    let Adjusting::Adjusted(first) = shop.adjust("A", -4, Some("k")) else { panic!("adjusted") };
    let Adjusting::Adjusted(again) = shop.adjust("A", -4, Some("k")) else { panic!("answered") };
    assert_eq!((first.id, again.on_hand_after), (again.id, 1));
    assert!(matches!(shop.adjust("A", -1, Some("k")), Adjusting::KeyReused));
    assert_eq!(shop.levels("A").0, 1);
}

#[test]
fn the_ledger_is_read_page_by_page_from_the_newest() {
    let shop = Shop::with_product("A", 0, 10, 5);
    for _ in 0..4 {
        shop.adjust("A", 1, None);
    }
    let mut after = None;
    let mut levels = Vec::new();
    loop {
        let page = Page { limit: 2, after: after.take() };
        let movements =
            wait(stock::movements(&shop.database, "A".into(), page)).expect("read").expect("known");
        let Some(last) = movements.last() else { break };
        after = Some(last.id.to_string());
        levels.extend(movements.iter().map(|movement| movement.on_hand_after));
    }
    assert_eq!(levels, [9, 8, 7, 6, 5]);
    let unknown = wait(stock::movements(&shop.database, "X".into(), first_page())).expect("read");
    assert!(unknown.is_none());
}

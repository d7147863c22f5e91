//! Claim: a definition is what the operator decided, and repeating it is harmless.

use super::bindings::restock::catalog::{AdStatus, Defined, Factory, Policy};
use super::bindings::restock::orders::IfShort;
use super::bindings::restock::stock::MovementKind;
use super::shop::{FACTORY, OPERATOR, Shop, definition, first_page, page};
use super::store::Engine;

/// One UTC day.
const DAY_MS: u64 = 86_400_000;

on_every_engine!(
    a_new_product_opens_its_ledger_and_is_ordered_where_it_is_low,
    a_repeated_definition_changes_neither_stock_nor_requests,
    a_product_without_its_factory_is_refused_and_a_factory_is_created_once,
    products_are_read_page_by_page_in_the_order_of_their_skus,
    computed_levels_are_taken_under_the_auto_policy_only,
    demand_is_counted_by_whole_days_and_lead_times_by_requests,
);

async fn a_new_product_opens_its_ledger_and_is_ordered_where_it_is_low(engine: Engine) {
    let shop = Shop::open(engine).await;
    let defined = shop.store.define(definition("A", 2, 10, 5), OPERATOR.into(), shop.now()).await;
    let Ok(Defined::Created(product)) = defined else { panic!("{defined:?}") };
    assert_eq!((product.on_hand, product.on_order, product.backordered), (5, 0, 0));
    assert_eq!(
        (product.name.as_str(), product.price.amount, product.ad.status),
        ("부산도너츠", 1_000, AdStatus::Running)
    );
    assert_eq!(product.depleted_since, None);
    assert_eq!(shop.product("A").await, product);
    let ledger = shop.movements("A").await;
    assert_eq!(
        (ledger.len(), ledger[0].kind, ledger[0].delta, ledger[0].on_hand_after),
        (1, MovementKind::Opening, 5, 5)
    );
    assert!(shop.requests(None).await.is_empty());

    shop.wait_ms(1);
    let low = shop.define("B", 2, 10, 2).await;
    assert_eq!(
        (low.on_hand, low.on_order, low.depleted_since),
        (2, 8, None),
        "at the reorder point goods are asked for"
    );
    let empty = shop.define("C", 2, 10, 0).await;
    assert_eq!((empty.on_hand, empty.on_order, empty.depleted_since), (0, 10, Some(shop.now())));
    let kinds: Vec<_> = shop.claim(10).await.into_iter().map(|delivery| delivery.event.kind).collect();
    assert_eq!(kinds, ["stock.low", "stock.depleted"], "the request and its message are one write");
    shop.audit().await;
}

async fn a_repeated_definition_changes_neither_stock_nor_requests(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1).await;
    let before = (shop.product("A").await, shop.movements("A").await, shop.requests(None).await);
    let again = shop.store.define(definition("A", 2, 10, 1), OPERATOR.into(), shop.now()).await;
    assert!(matches!(again, Ok(Defined::Updated(_))), "{again:?}");
    assert_eq!((shop.product("A").await, shop.movements("A").await, shop.requests(None).await), before);
    shop.define("A", 2, 10, 99).await;
    assert_eq!(shop.levels("A").await, (1, 9, 0), "a product that exists keeps its stock");
    shop.receive(&before.2[0].id, 9).await;
    shop.define("A", 10, 30, 0).await;
    assert_eq!(
        shop.levels("A").await,
        (10, 20, 0),
        "a higher reorder point asks for goods in the same write"
    );
    shop.audit().await;
}

async fn a_product_without_its_factory_is_refused_and_a_factory_is_created_once(engine: Engine) {
    let shop = Shop::open(engine).await;
    let mut orphan = definition("A", 2, 10, 5);
    orphan.factory_id = "nobody".into();
    assert_eq!(
        shop.store.define(orphan.clone(), OPERATOR.into(), shop.now()).await,
        Ok(Defined::UnknownFactory)
    );
    assert_eq!(shop.store.product("A".into()).await, Ok(None), "nothing was changed");
    let factory =
        |name: &str| Factory { id: "nobody".into(), name: name.into(), manager_email: None, url: None };
    assert_eq!(shop.store.define_factory(factory("first"), OPERATOR.into(), shop.now()).await, Ok(true));
    assert_eq!(shop.store.define_factory(factory("second"), OPERATOR.into(), shop.now()).await, Ok(false));
    let defined = shop.store.define(orphan, OPERATOR.into(), shop.now()).await;
    assert!(matches!(defined, Ok(Defined::Created(_))), "{defined:?}");
}

async fn products_are_read_page_by_page_in_the_order_of_their_skus(engine: Engine) {
    let shop = Shop::open(engine).await;
    for sku in ["C", "A-2", "E", "A-10", "B"] {
        shop.define(sku, 0, 10, 5).await;
    }
    let mut skus = Vec::new();
    let mut after = None;
    loop {
        let products = shop.store.products(page(2, after.as_deref())).await.expect("read");
        assert!(products.len() <= 2);
        let Some(last) = products.last() else { break };
        after = Some(last.sku.clone());
        skus.extend(products.into_iter().map(|product| product.sku));
        if skus.len() == 2 {
            shop.define("A-1", 0, 10, 5).await;
        }
    }
    assert_eq!(skus, ["A-10", "A-2", "B", "C", "E"], "what comes in behind the cursor shifts nothing");
}

async fn computed_levels_are_taken_under_the_auto_policy_only(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 5).await;
    let set = async |sku: &str, point, up_to| {
        shop.store.set_levels(sku.into(), point, up_to, shop.now()).await.expect("answered")
    };
    assert!(!set("A", 7, 20).await, "an operator's levels stand");
    assert!(!set("nobody", 7, 20).await);
    assert_eq!((shop.product("A").await.reorder_point, shop.product("A").await.order_up_to), (2, 10));
    let automatic = || {
        let mut definition = definition("A", 2, 10, 5);
        definition.policy = Policy::Auto;
        shop.redefine(definition)
    };
    automatic().await;
    assert!(set("A", 7, 20).await);
    assert_eq!(shop.levels("A").await, (5, 15, 0), "computed levels ask for goods too");
    automatic().await;
    assert_eq!(
        shop.product("A").await.reorder_point,
        7,
        "a repeated definition keeps what was computed since"
    );
    shop.define("A", 2, 10, 5).await;
    assert_eq!(shop.product("A").await.reorder_point, 2);
}

async fn demand_is_counted_by_whole_days_and_lead_times_by_requests(engine: Engine) {
    let shop = Shop::with_product(engine, "B", 0, 10, 50).await;
    let mut automatic = definition("A", 0, 10, 4);
    automatic.policy = Policy::Auto;
    shop.redefine(automatic).await;
    shop.wait_ms(DAY_MS - shop.now() % DAY_MS);
    shop.buy(&[("A", 1)]).await;
    shop.wait_ms(DAY_MS - 1);
    shop.buy(&[("A", 3)]).await;
    shop.wait_ms(DAY_MS + 1);
    shop.buy(&[("A", 90), ("B", 1)]).await;
    shop.wait_ms(DAY_MS);
    shop.recorded(shop.placement(&[("A", 5)], IfShort::Backorder)).await;
    let id = shop.open_request("A").await.expect("the shelf is empty").id;
    shop.ask(&id).await;
    shop.wait_ms(DAY_MS / 2);
    shop.receive(&id, 20).await;
    let demand = shop.store.auto_demand(first_page(), shop.now()).await.expect("read");
    assert_eq!(demand.len(), 1, "only the product under the auto policy: {demand:?}");
    assert_eq!(demand[0].daily_units, [4, 0, 90], "rejected units are demand, today is left out");
    assert_eq!(demand[0].lead_times_days, [0.5]);
    let later = shop.store.auto_demand(first_page(), shop.now() + 100 * DAY_MS).await.expect("read");
    assert_eq!(later[0].daily_units.len(), 60);
    assert_eq!(shop.product("A").await.factory_id, FACTORY);
}

//! Claim: waiting orders are filled first come first served, in the write that receives the goods, and nobody overtakes.
//! Method: backorders of different sizes, deliveries that fill some of them.
//! Needs: the built components.

use serde_json::{Value, json};

use crate::support::{OPERATOR, SKU, STOREFRONT, Shop, backorder};

async fn wait_for(shop: &Shop, items: &[(&str, u64)]) -> String {
    let order = shop.client.post(STOREFRONT, "/v1/orders", backorder(items)).await.expect(202);
    order["id"].as_str().unwrap().to_owned()
}

async fn statuses(shop: &Shop, ids: &[&String]) -> Vec<Value> {
    let mut statuses = Vec::new();
    for id in ids {
        let order = shop.client.get(STOREFRONT, &format!("/v1/orders/{id}")).await.expect(200);
        statuses.push(order["status"].clone());
    }
    statuses
}

async fn add(shop: &Shop, sku: &str, delta: i64) {
    let path = format!("/v1/stock/{sku}/adjustments");
    let answer = shop.client.post(OPERATOR, &path, json!({"delta": delta, "reason": "found"})).await;
    assert!(answer.status.is_success(), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_go_to_those_who_wait_in_the_order_they_came() {
    let shop = Shop::with_product(0, 0, 10).await;
    let big = wait_for(&shop, &[(SKU, 6)]).await;
    let small = wait_for(&shop, &[(SKU, 2)]).await;
    let last = wait_for(&shop, &[(SKU, 5)]).await;
    assert_eq!(shop.product(SKU).await["backordered"], 13);

    add(&shop, SKU, 5).await;
    assert_eq!(
        statuses(&shop, &[&big, &small, &last]).await,
        ["backordered"; 3],
        "five units are kept for the first, who needs six"
    );
    shop.client.order(SKU, 1).await.expect(409);

    add(&shop, SKU, 3).await;
    assert_eq!(statuses(&shop, &[&big, &small, &last]).await, ["accepted", "accepted", "backordered"]);
    let product = shop.product(SKU).await;
    assert_eq!((&product["on_hand"], &product["backordered"]), (&json!(0), &json!(5)));
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_for_two_products_waits_for_both_and_keeps_its_place() {
    let shop = Shop::open().await;
    shop.define("a", 0, 0, 10).await;
    shop.define("b", 3, 0, 10).await;
    let both = wait_for(&shop, &[("a", 2), ("b", 3)]).await;
    let later = wait_for(&shop, &[("b", 1)]).await;
    assert_eq!(shop.product("b").await["available"], 0, "three units are kept for the first");
    add(&shop, "b", 1).await;
    assert_eq!(statuses(&shop, &[&both, &later]).await, ["backordered", "accepted"]);
    add(&shop, "a", 2).await;
    assert_eq!(statuses(&shop, &[&both]).await, ["accepted"]);
    assert_eq!((shop.on_hand("a").await, shop.on_hand("b").await), (0, 0));
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_delivery_fills_backorders_and_asks_for_more_than_was_waiting() {
    let shop = Shop::with_product(0, 2, 10).await;
    let waiting = wait_for(&shop, &[(SKU, 25)]).await;
    shop.finish_jobs(1).await;
    assert_eq!(statuses(&shop, &[&waiting]).await, ["backordered"], "ten came, 25 are needed");
    // One request at a time: the next one is opened by the delivery and covers what still waits.
    shop.finish_jobs(2).await;
    assert_eq!(statuses(&shop, &[&waiting]).await, ["accepted"]);
    let product = shop.product(SKU).await;
    assert_eq!((&product["on_hand"], &product["backordered"]), (&json!(10), &json!(0)), "{product}");
    shop.audit().await;
}

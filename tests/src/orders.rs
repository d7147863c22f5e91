//! Claim: an order is taken whole or not at all, and a repeated key changes nothing.
//! Method: orders over HTTP, the stock before and after.
//! Needs: the built components.

use serde_json::json;

use crate::support::{SKU, STOREFRONT, Shop, VIEWER, backorder, order};

#[tokio::test(flavor = "multi_thread")]
async fn all_items_are_sold_or_none() {
    let shop = Shop::with_product(5, 0, 10).await;
    shop.define("scarce", 1, 0, 10).await;
    let answer = shop.client.post(STOREFRONT, "/v1/orders", order(&[(SKU, 2), ("scarce", 2)])).await;
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    let problem = answer.expect(409);
    assert_eq!(problem["status"], 409);
    assert_eq!(problem["short"], json!([{"sku": "scarce", "requested": 2, "available": 1}]));
    assert_eq!((shop.on_hand(SKU).await, shop.on_hand("scarce").await), (5, 1));

    let answer = shop.client.post(STOREFRONT, "/v1/orders", order(&[(SKU, 2), ("scarce", 1)])).await;
    let sold = answer.expect(201);
    assert_eq!((shop.on_hand(SKU).await, shop.on_hand("scarce").await), (3, 0));
    assert_eq!(sold["items"].as_array().unwrap().len(), 2);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sku_named_twice_is_counted_together() {
    let shop = Shop::with_product(5, 0, 10).await;
    shop.client.post(STOREFRONT, "/v1/orders", order(&[(SKU, 3), (SKU, 3)])).await.expect(409);
    shop.client.post(STOREFRONT, "/v1/orders", order(&[(SKU, 2), (SKU, 3)])).await.expect(201);
    assert_eq!(shop.on_hand(SKU).await, 0);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_order_delivered_twice_lowers_stock_once_and_gets_the_first_answer() {
    let shop = Shop::with_product(5, 0, 10).await;
    let body = order(&[(SKU, 4)]);
    let first = shop.client.order_with_key("k-1", &body).await.expect(201);
    let second = shop.client.order_with_key("k-1", &body).await.expect(201);
    assert_eq!(first, second);
    assert_eq!(shop.on_hand(SKU).await, 1);

    // A rejection is an answer too: it stays one after the goods came.
    let short = order(&[(SKU, 3)]);
    let first = shop.client.order_with_key("k-2", &short).await.expect(409);
    let path = format!("/v1/stock/{SKU}/adjustments");
    shop.client.post(crate::support::OPERATOR, &path, json!({"delta": 50, "reason": "found"})).await;
    assert_eq!(shop.client.order_with_key("k-2", &short).await.expect(409), first);

    let other = shop.client.order_with_key("k-1", &order(&[(SKU, 1)])).await;
    assert_eq!(other.header("content-type"), Some("application/problem+json"));
    other.expect(422);
    assert_eq!(shop.on_hand(SKU).await, 51);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backorder_replayed_after_it_was_filled_gets_its_first_answer() {
    let shop = Shop::with_product(0, 0, 10).await;
    let body = backorder(&[(SKU, 4)]);
    let first = shop.client.order_with_key("k", &body).await.expect(202);
    assert_eq!(first["status"], "backordered");
    shop.finish_jobs(1).await;
    let path = format!("/v1/orders/{}", first["id"].as_str().unwrap());
    assert_eq!(shop.client.get(STOREFRONT, &path).await.expect(200)["status"], "accepted");
    assert_eq!(shop.client.order_with_key("k", &body).await.expect(202), first);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_product_is_named_and_nothing_is_recorded() {
    let shop = Shop::with_product(5, 0, 10).await;
    let answer = shop.client.post(STOREFRONT, "/v1/orders", order(&[(SKU, 1), ("no-such", 1)])).await;
    assert_eq!(answer.pointers(), ["/items/1/sku"], "{}", answer.text);
    answer.expect(422);
    assert_eq!(shop.on_hand(SKU).await, 5);
    assert_eq!(shop.rows().number("SELECT count(*) FROM sales_order"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_orders_are_kept_as_demand() {
    let shop = Shop::with_product(1, 0, 10).await;
    let rejected = shop.client.order(SKU, 5).await.expect(409);
    let sql = "SELECT status, quantity FROM sales_order JOIN sales_order_line USING (sequence)";
    assert_eq!(shop.rows().table(sql), [["rejected", "5"]], "{rejected}");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn prices_are_those_of_the_moment_of_the_order() {
    let shop = Shop::with_product(5, 0, 10).await;
    let sold = shop.client.order(SKU, 1).await.expect(201);
    let mut dearer = crate::support::definition(0, 0, 10);
    dearer["price"]["amount"] = json!(25000);
    shop.client.put(crate::support::OPERATOR, &format!("/v1/products/{SKU}"), dearer).await.expect(200);
    assert_eq!(shop.on_hand(SKU).await, 4, "a definition leaves the stock alone");
    let path = format!("/v1/orders/{}", sold["id"].as_str().unwrap());
    assert_eq!(shop.client.get(VIEWER, &path).await.expect(200)["total"]["amount"], 19900);
    assert_eq!(shop.client.order(SKU, 1).await.expect(201)["total"]["amount"], 25000);
}

#[tokio::test(flavor = "multi_thread")]
async fn products_of_two_currencies_have_no_total() {
    let shop = Shop::with_product(5, 0, 10).await;
    let mut euros = crate::support::definition(5, 0, 10);
    euros["price"] = json!({"amount": 990, "currency": "EUR"});
    shop.client.put(crate::support::OPERATOR, "/v1/products/imported", euros).await.expect(201);
    shop.client.post(STOREFRONT, "/v1/orders", order(&[(SKU, 1), ("imported", 1)])).await.expect(422);
    assert_eq!((shop.on_hand(SKU).await, shop.on_hand("imported").await), (5, 5));
}

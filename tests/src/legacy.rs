//! Claim: the shop and the factory that called the old system can call this one.
//! Method: the old client's requests, word for word, with `legacy_api` on and off.
//! Needs: the built components.

use http::Method;
use serde_json::{Value, json};

use crate::support::{Answer, FACTORY, OPERATOR, SKU, Shop};

async fn old_shop(stock: u64) -> Shop {
    let shop = Shop::open_with(|options| {
        options.variables.insert("legacy_api".into(), "on".into());
        options.variables.insert("legacy_sku".into(), SKU.into());
    })
    .await;
    shop.define(SKU, stock, 0, 10).await;
    shop
}

async fn post(shop: &Shop, path: &str, body: Value) -> Answer {
    shop.client.send(Method::POST, path, &[("content-type", "application/json")], body.to_string()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_checkout_sells_until_nothing_is_left_and_says_so() {
    let shop = old_shop(3).await;
    for left in [2, 1, 0, 0, 0] {
        let answer =
            post(&shop, "/checkout", json!({"MessageAttributeFactoryId": FACTORY})).await.expect(200);
        let message = answer["message"].as_str().expect("a message");
        assert!(message.contains(&left.to_string()), "{left}: {message}");
    }
    let product = shop.client.send(Method::GET, "/product/donut", &[], "").await.expect(200);
    assert_eq!(product["stock"], 0);
    assert_eq!(product["name"], "부산도너츠");
    assert_eq!(product["price"], 19900);
    assert!(product["product_id"].is_string(), "{product}");
    shop.settle().await;
    assert_eq!(shop.factory.stats().requests, 1);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_factorys_echo_is_taken_at_the_old_address_with_a_number_or_a_string() {
    for as_string in [false, true] {
        let shop = old_shop(1).await;
        post(&shop, "/checkout", json!({"MessageAttributeFactoryId": FACTORY})).await.expect(200);
        shop.factory.wait_until(|stats| stats.accepted == 1).await.unwrap();
        shop.rest().await;
        let mut echo = shop.factory.requests()[0].body.clone();
        if as_string {
            echo["MessageAttributeProductCnt"] = json!("10");
        }
        let first = post(&shop, "/product/donut", echo.clone()).await.expect(200);
        assert!(first["message"].as_str().is_some_and(|message| message.contains("10")), "{first}");
        assert_eq!(shop.on_hand(SKU).await, 10);
        assert_eq!(shop.only_production().await["status"], "received");
        post(&shop, "/product/donut", echo).await.expect(200);
        assert_eq!(shop.on_hand(SKU).await, 10, "its address proves that it is the same report");
        shop.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_nobody_asked_for_are_booked_at_the_old_address() {
    let shop = old_shop(3).await;
    let body = json!({
        "MessageGroupId": "stock-arrival-group", "MessageAttributeProductId": SKU, "MessageAttributeProductCnt": "5",
        "MessageAttributeFactoryId": FACTORY, "MessageAttributeRequester": "누군가", "CallbackUrl": "http://old.example/",
    });
    post(&shop, "/product/donut", body).await.expect(200);
    assert_eq!(shop.on_hand(SKU).await, 8);
    post(&shop, "/product/donut", json!({"MessageAttributeProductId": SKU})).await.expect(422);
    assert_eq!(shop.on_hand(SKU).await, 8);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_slug_is_not_found() {
    let shop = old_shop(3).await;
    let answer = shop.client.send(Method::GET, "/product/croissant", &[], "").await;
    assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    answer.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_addresses_are_closed_unless_they_are_switched_on() {
    let shop = Shop::with_product(3, 0, 10).await;
    shop.client.get(OPERATOR, "/product/donut").await.expect(404);
    post(&shop, "/checkout", json!({"MessageAttributeFactoryId": FACTORY})).await.expect(404);
    post(&shop, "/product/donut", json!({"MessageAttributeProductCnt": 5})).await.expect(404);
    assert_eq!(shop.on_hand(SKU).await, 3);
}

//! Claim: goods that the factory reports are booked once, whatever the report looks like and however often it comes.
//! Method: reports of every kind seen in the wild, sent by the sandbox factory or by hand.
//! Needs: the built components.

use std::time::Duration;

use http::Method;
use restock_sandbox::factory::{CallbackShape, Partial};
use serde_json::{Value, json};

use crate::support::{Answer, SKU, Shop, VIEWER, items};

/// A shop whose factory has taken one job for ten units; with the address it will report to.
async fn ordered() -> (Shop, String) {
    let shop = Shop::with_product(1, 0, 10).await;
    shop.client.order(SKU, 1).await.expect(201);
    shop.factory.wait_until(|stats| stats.accepted == 1).await.unwrap();
    shop.rest().await;
    let url = shop.factory.requests()[0].body["CallbackUrl"].as_str().unwrap().to_owned();
    (shop, url)
}

async fn report(shop: &Shop, url: &str, body: Value) -> Answer {
    shop.client.send(Method::POST, url, &[("content-type", "application/json")], body.to_string()).await
}

fn count(units: impl Into<Value>) -> Value {
    json!({"MessageAttributeProductId": SKU, "MessageAttributeProductCnt": units.into()})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_delivered_twice_raises_stock_once_and_gets_the_same_answer() {
    let (shop, url) = ordered().await;
    let first = report(&shop, &url, count(10)).await.expect(200);
    assert_eq!((&first["sku"], &first["on_hand"]), (&json!(SKU), &json!(10)));
    assert_eq!(first["production_id"], shop.only_production().await["id"]);
    assert!(first["message"].as_str().is_some_and(|text| !text.is_empty()));
    shop.client.order(SKU, 4).await.expect(201);
    assert_eq!(report(&shop, &url, count(10)).await.expect(200), first);
    assert_eq!(report(&shop, &url, count(3)).await.expect(200), first);
    assert_eq!(shop.on_hand(SKU).await, 6);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_shape_of_count_seen_in_the_wild_is_understood() {
    for body in [
        count(10),
        count("10"),
        json!({"OrderStockCnt": 10}),
        json!({"MessageAttributeProductCnt": "10", "never": {"heard": "of"}}),
    ] {
        let (shop, url) = ordered().await;
        let answer = report(&shop, &url, body.clone()).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.text);
        assert_eq!(shop.on_hand(SKU).await, 10, "{body}");
    }
    let (shop, _) = ordered().await;
    shop.factory
        .turn(|knobs| {
            knobs.callback_shape = CallbackShape::OrderStockCnt;
            knobs.duplicate_callbacks = 2;
        })
        .unwrap();
    let callbacks = shop.factory.finish(None).await;
    assert_eq!(callbacks.iter().map(|callback| callback.status).collect::<Vec<_>>(), [Some(200); 3]);
    assert_eq!(shop.on_hand(SKU).await, 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_without_a_usable_count_is_refused_and_changes_nothing() {
    let (shop, url) = ordered().await;
    for body in [
        json!({}),
        json!([10]),
        count(0),
        count(-4),
        count(2.5),
        count("ten"),
        count(""),
        count(Value::Null),
        count(true),
        count(1_000_000_000_000_u64),
        json!({"OrderStockCnt": {"n": 1}}),
    ] {
        let answer = report(&shop, &url, body.clone()).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    let answer =
        shop.client.send(Method::POST, &url, &[("content-type", "application/json")], "{no json").await;
    answer.expect(400);
    shop.rest().await;
    assert_eq!(shop.on_hand(SKU).await, 0);
    assert_eq!(shop.only_production().await["status"], "requested");
    report(&shop, &url, count(10)).await.expect(200);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_report_is_not_found_and_changes_nothing() {
    let (shop, url) = ordered().await;
    let (address, mac) = url.rsplit_once('.').unwrap();
    let other = if mac.starts_with('A') { "B" } else { "A" };
    let forged = [
        address.to_owned(),
        format!("{address}."),
        format!("{address}.{}", "A".repeat(mac.len())),
        format!("{address}.{other}{}", &mac[1..]),
        format!("{address}.{mac}x"),
        format!("{address}.{}", &mac[..mac.len() - 1]),
        url.replace(address.rsplit_once('/').unwrap().1, "01890000-0000-7000-8000-000000000000"),
    ];
    for forged in forged {
        let answer = report(&shop, &forged, count(10)).await;
        assert_eq!(answer.status, 404, "{forged}: {}", answer.text);
    }
    assert_eq!(shop.on_hand(SKU).await, 0);
    report(&shop, &url, count(10)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partial_delivery_is_booked_and_the_rest_is_asked_for_once_more() {
    let (shop, _) = ordered().await;
    shop.factory.turn(|knobs| knobs.partial = Some(Partial::Count(4))).unwrap();
    shop.factory.finish(None).await;
    assert_eq!(shop.on_hand(SKU).await, 4);
    assert_eq!(shop.product(SKU).await["on_order"], 6);
    shop.factory.turn(|knobs| knobs.partial = None).unwrap();
    shop.finish_jobs(2).await;
    assert_eq!(shop.factory.requests()[1].body["MessageAttributeProductCnt"], 6);
    assert_eq!(shop.on_hand(SKU).await, 10);
    let statuses: Vec<_> = shop.production().await.iter().map(|request| request["status"].clone()).collect();
    assert_eq!(statuses, ["received", "received"]);
    shop.settle().await;
    assert_eq!(shop.factory.stats().requests, 2);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_was_asked_for_is_booked_and_flagged() {
    let (shop, url) = ordered().await;
    report(&shop, &url, count(25)).await.expect(200);
    assert_eq!(shop.on_hand(SKU).await, 25);
    let request = shop.only_production().await;
    assert_eq!((&request["over_delivered"], &request["received_quantity"]), (&json!(true), &json!(25)));
    assert_eq!(shop.product(SKU).await["on_order"], 0);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_comes_after_the_second_request_counts_once_whichever_it_answers() {
    let (shop, url) = ordered().await;
    shop.clock.advance(Duration::from_secs(121));
    shop.tick().await;
    shop.factory.wait_until(|stats| stats.accepted == 2).await.unwrap();
    shop.rest().await;
    let callbacks = shop.factory.finish(None).await;
    assert_eq!(callbacks.iter().map(|callback| callback.status).collect::<Vec<_>>(), [Some(200); 2]);
    assert!(callbacks.iter().all(|callback| callback.url == url), "the same production id");
    assert_eq!(shop.on_hand(SKU).await, 10);
    let movements = items(shop.client.get(VIEWER, &format!("/v1/stock/{SKU}/movements")).await.expect(200));
    assert_eq!(movements.iter().filter(|movement| movement["kind"] == "received").count(), 1);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_of_a_request_that_failed_are_still_goods() {
    let shop = Shop::with_product(1, 0, 10).await;
    shop.factory.turn(|knobs| knobs.refuse = Some(400)).unwrap();
    shop.client.order(SKU, 1).await.expect(201);
    shop.settle().await;
    assert_eq!(shop.only_production().await["status"], "failed");
    let url = shop.factory.requests()[0].body["CallbackUrl"].as_str().unwrap().to_owned();
    report(&shop, &url, count(10)).await.expect(200);
    assert_eq!(shop.on_hand(SKU).await, 10);
    assert_eq!(shop.only_production().await["status"], "received");
    shop.audit().await;
}

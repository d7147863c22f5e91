//! Claim: the main loop closes. A sale empties the shelf, the factory is asked once and fills it again.
//! Method: the whole application with the sandbox factory, observed from outside.
//! Needs: the built components.

use std::time::Duration;

use serde_json::json;

use crate::support::{FACTORY, OPERATOR, SKU, STOREFRONT, Shop, VIEWER, items};

#[tokio::test(flavor = "multi_thread")]
async fn a_sale_empties_the_shelf_and_the_factory_fills_it_again() {
    let shop = Shop::with_product(3, 0, 10).await;

    let sold = shop.client.order(SKU, 3).await.expect(201);
    assert_eq!(sold["status"], "accepted");
    assert_eq!(sold["total"], json!({"amount": 59700, "currency": "KRW"}));
    let product = shop.product(SKU).await;
    assert_eq!((&product["on_hand"], &product["on_order"]), (&json!(0), &json!(10)));

    // The bell woke the consumer; nobody called its drain.
    shop.factory.wait_until(|stats| stats.accepted == 1).await.unwrap();
    shop.rest().await;
    let request = shop.only_production().await;
    assert_eq!((&request["status"], &request["quantity"]), (&json!("requested"), &json!(10)));
    assert_eq!(request["factory_job_id"], json!(shop.factory.requests()[0].job_id));

    let sold_out = shop.client.order(SKU, 1).await;
    assert_eq!(sold_out.json["short"], json!([{"sku": SKU, "requested": 1, "available": 0}]));
    sold_out.expect(409);

    let callbacks = shop.factory.finish(None).await;
    assert_eq!(callbacks.len(), 1);
    assert_eq!(callbacks[0].status, Some(200), "{callbacks:?}");
    assert_eq!(shop.on_hand(SKU).await, 10);
    assert_eq!(shop.only_production().await["status"], "received");
    shop.client.order(SKU, 1).await.expect(201);

    let movements = items(shop.client.get(VIEWER, &format!("/v1/stock/{SKU}/movements")).await.expect(200));
    let ledger: Vec<_> = movements
        .iter()
        .rev()
        .map(|m| {
            (m["kind"].as_str().unwrap(), m["delta"].as_i64().unwrap(), m["on_hand_after"].as_i64().unwrap())
        })
        .collect();
    assert_eq!(ledger, [("opening", 3, 3), ("sold", -3, 0), ("received", 10, 10), ("sold", -1, 9)]);
    assert_eq!(shop.factory.stats().requests, 1);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_are_asked_for_before_the_shelf_is_empty_and_once_however_many_orders_follow() {
    let shop = Shop::with_product(10, 5, 20).await;
    for _ in 0..4 {
        shop.client.order(SKU, 1).await.expect(201);
    }
    assert_eq!(shop.production().await.len(), 0, "the position is above the reorder point");
    shop.client.order(SKU, 1).await.expect(201);
    let request = shop.only_production().await;
    assert_eq!(request["quantity"], 15, "up to 20, from a position of 5");
    for _ in 0..5 {
        shop.client.order(SKU, 1).await.expect(201);
    }
    for _ in 0..20 {
        shop.client.order(SKU, 1).await.expect(409);
    }
    shop.settle().await;
    assert_eq!(shop.production().await.len(), 1);
    assert_eq!(shop.factory.stats().requests, 1);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_factory_is_asked_in_its_own_words() {
    let shop = Shop::with_product(1, 0, 7).await;
    shop.client.order(SKU, 1).await.expect(201);
    shop.factory.wait_until(|stats| stats.accepted == 1).await.unwrap();
    let body = shop.factory.requests()[0].body.clone();
    assert_eq!(body["MessageGroupId"], "stock-arrival-group");
    assert_eq!(body["MessageAttributeProductId"], SKU);
    assert_eq!(body["MessageAttributeProductCnt"], json!(7), "a number");
    assert_eq!(body["MessageAttributeFactoryId"], FACTORY);
    assert!(body["MessageAttributeRequester"].as_str().is_some_and(|name| !name.is_empty()), "{body}");
    let id = shop.only_production().await["id"].as_str().unwrap().to_owned();
    let callback = body["CallbackUrl"].as_str().unwrap();
    assert!(callback.starts_with(&format!("{}/v1/factory/callbacks/{id}.", shop.host.url())), "{callback}");
    assert_eq!(body.as_object().unwrap().len(), 6, "{body}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_start_on_the_same_data_carries_on_where_the_first_stopped() {
    let mut shop = Shop::with_product(2, 0, 10).await;
    shop.factory.turn(|knobs| knobs.refuse = Some(503)).unwrap();
    let order = shop.client.order(SKU, 2).await.expect(201);
    shop.factory.wait_until(|stats| stats.requests >= 1).await.unwrap();
    shop = shop.restart().await;

    let path = format!("/v1/orders/{}", order["id"].as_str().unwrap());
    assert_eq!(shop.client.get(STOREFRONT, &path).await.expect(200)["status"], "accepted");
    assert_eq!(shop.on_hand(SKU).await, 0);
    shop.factory.turn(|knobs| knobs.refuse = None).unwrap();
    // A worker that the stop cut off keeps its lease until it runs out.
    shop.clock.advance(Duration::from_secs(60));
    shop.tick().await;
    shop.settle().await;
    assert_eq!(shop.factory.stats().accepted, 1);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_adjustment_moves_the_stock_reorders_and_is_refused_below_zero() {
    let shop = Shop::with_product(10, 5, 20).await;
    let path = format!("/v1/stock/{SKU}/adjustments");
    let broken = json!({"delta": -5, "reason": "water damage"});
    let movement = shop.client.post(OPERATOR, &path, broken).await;
    assert!(movement.status.is_success(), "{}", movement.text);
    assert_eq!(shop.on_hand(SKU).await, 5);
    assert_eq!(shop.only_production().await["quantity"], 15);
    shop.client.post(OPERATOR, &path, json!({"delta": -6, "reason": "a typo"})).await.expect(409);
    assert_eq!(shop.on_hand(SKU).await, 5);
    let movements = items(shop.client.get(VIEWER, &format!("/v1/stock/{SKU}/movements")).await.expect(200));
    assert_eq!(
        (&movements[0]["kind"], &movements[0]["reason"]),
        (&json!("adjusted"), &json!("water damage"))
    );
    shop.audit().await;
}

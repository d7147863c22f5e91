//! Claim: stock is never oversold, however many buy at once.
//! Method: many clients released at one moment onto the last units.
//! Needs: the built components.

use std::sync::Arc;

use futures::future::join_all;
use serde_json::json;
use tokio::sync::Barrier;

use crate::support::{SKU, Shop, VIEWER, items, order};

/// Lets `clients` place one order for one unit each, all at once; returns the statuses.
async fn rush(shop: &Shop, clients: usize) -> Vec<u16> {
    let barrier = Arc::new(Barrier::new(clients));
    let orders = (0..clients).map(|_| {
        let (client, barrier) = (shop.client.clone(), Arc::clone(&barrier));
        tokio::spawn(async move {
            barrier.wait().await;
            let answer = client.order(SKU, 1).await;
            if answer.status == 409 {
                assert_eq!(answer.header("content-type"), Some("application/problem+json"));
                assert_eq!(answer.json["short"][0]["sku"], SKU);
            }
            answer.status.as_u16()
        })
    });
    join_all(orders).await.into_iter().map(|status| status.expect("a client")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_clients_share_fifty_units_and_the_factory_is_asked_once() {
    let shop = Shop::with_product(50, 0, 100).await;
    let statuses = rush(&shop, 200).await;
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 50);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 150);
    shop.settle().await;
    assert_eq!(shop.factory.stats().requests, 1);
    assert_eq!(shop.only_production().await["quantity"], 100);
    let movements =
        items(shop.client.get(VIEWER, &format!("/v1/stock/{SKU}/movements?limit=200")).await.expect(200));
    assert_eq!(movements.len(), 51);
    assert_eq!(movements.iter().map(|movement| movement["delta"].as_i64().unwrap()).sum::<i64>(), 0);
    assert_eq!(shop.on_hand(SKU).await, 0);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_four_clients_sell_exactly_the_last_units_while_goods_arrive() {
    let shop = Shop::with_product(20, 0, 30).await;
    let first = rush(&shop, 64).await;
    assert_eq!(first.iter().filter(|status| **status == 201).count(), 20);
    shop.finish_jobs(1).await;
    let second = rush(&shop, 64).await;
    assert_eq!(second.iter().filter(|status| **status == 201).count(), 30);
    assert_eq!(shop.on_hand(SKU).await, 0);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_used_by_many_at_once_makes_one_order() {
    let shop = Shop::with_product(50, 0, 100).await;
    let body = order(&[(SKU, 2)]);
    let barrier = Arc::new(Barrier::new(32));
    let answers = (0..32).map(|_| {
        let (client, barrier, body) = (shop.client.clone(), Arc::clone(&barrier), body.clone());
        tokio::spawn(async move {
            barrier.wait().await;
            client.order_with_key("the-same-key", &body).await.expect(201)
        })
    });
    let answers: Vec<_> =
        join_all(answers).await.into_iter().map(|answer| answer.expect("a client")).collect();
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    assert_eq!(shop.on_hand(SKU).await, 48);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_of_many_at_once_count_once() {
    let shop = Shop::with_product(1, 0, 10).await;
    shop.client.order(SKU, 1).await.expect(201);
    shop.factory.wait_until(|stats| stats.accepted == 1).await.unwrap();
    let request = shop.factory.requests()[0].body.clone();
    let url = request["CallbackUrl"].as_str().unwrap().to_owned();
    let barrier = Arc::new(Barrier::new(32));
    let answers = (0..32).map(|_| {
        let (client, barrier, url, body) =
            (shop.client.clone(), Arc::clone(&barrier), url.clone(), request.to_string());
        tokio::spawn(async move {
            barrier.wait().await;
            client
                .send(http::Method::POST, &url, &[("content-type", "application/json")], body)
                .await
                .expect(200)
        })
    });
    let answers: Vec<_> =
        join_all(answers).await.into_iter().map(|answer| answer.expect("a caller")).collect();
    assert!(answers.iter().all(|answer| answer["on_hand"] == json!(10)), "{answers:?}");
    assert_eq!(shop.on_hand(SKU).await, 10);
    shop.audit().await;
}

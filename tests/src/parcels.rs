//! What the tests of returns share: a shop whose partner holds returns, and hands to work on them.

use serde_json::Value;

use crate::support::{SKU, Shop, VIEWER, items};

/// A collection begins so often in these tests, and so long is the first wait between two looks at a parcel, in seconds.
pub(crate) const EVERY_SECONDS: u64 = 60;
pub(crate) const TRACKING_SECONDS: u64 = 300;

/// A shop whose partner holds so many returns.
pub(crate) async fn holding(returns: usize) -> Shop {
    let shop = Shop::with_returns(|_, _| {}).await;
    shop.define(SKU, 5, 0, 100).await;
    shop.world().logistics.set_returns(returns).unwrap();
    shop
}

/// Works off what is due, until nothing is. A bell calls a worker of its own, so one look at an empty queue is none: what the other
/// one holds can lead to more.
pub(crate) async fn work(shop: &Shop) {
    let mut idle = 0;
    for _ in 0..40 {
        shop.rest().await;
        idle = if shop.drain_of("returns").await["claimed"] == 0 { idle + 1 } else { 0 };
        shop.rest().await;
        if idle == 2 {
            return;
        }
    }
    panic!("there is always something due: {}", shop.client.get(VIEWER, "/v1/queues/returns").await.text);
}

/// Begins a collection and works off what is due.
pub(crate) async fn collect(shop: &Shop) {
    shop.pass(EVERY_SECONDS).await;
    work(shop).await;
}

/// Works until every return is reported, moving the clock past every backoff.
pub(crate) async fn settle(shop: &Shop, returns: u64) {
    for _ in 0..100 {
        if shop.world().logistics.stats().reported >= returns {
            work(shop).await;
            return;
        }
        shop.pass(31).await;
        shop.drain_of("returns").await;
    }
    panic!("{:?}", shop.world().logistics.stats());
}

pub(crate) async fn returns(shop: &Shop, query: &str) -> Vec<Value> {
    items(shop.client.get(VIEWER, &format!("/v1/returns?limit=200{query}")).await.expect(200))
}

/// The only return, as a whole.
pub(crate) async fn only(shop: &Shop) -> Value {
    let all = returns(shop, "").await;
    assert_eq!(all.len(), 1, "{all:?}");
    one(shop, &all[0]).await
}

pub(crate) async fn one(shop: &Shop, of: &Value) -> Value {
    let id = of["id"].as_str().expect("an id");
    shop.client.get(VIEWER, &format!("/v1/returns/{id}")).await.expect(200)
}

pub(crate) async fn rejects(shop: &Shop) -> Vec<Value> {
    items(shop.client.get(VIEWER, "/v1/return-rejects").await.expect(200))
}

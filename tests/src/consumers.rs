//! Claim: every queue is worked off through both of its triggers: the bell, and the drain over HTTP.
//! Method: one message for each queue, held by a pause. Resuming rings the bell, and spin.toml permits it over Redis only; or it permits no
//! bell, and only the drain is left.
//! Needs: the built components.

use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{OPERATOR, SKU, STOREFRONT, Shop, VIEWER, advertised, eventually, manifest, order};

const QUEUES: [&str; 5] = ["replenishment", "ad-control", "loyalty", "returns", "alerts"];

/// A connected shop with one message in each queue, all of them paused.
async fn with_one_in_each(shop: Shop) -> Shop {
    for queue in QUEUES {
        operate(&shop, queue, "pause").await;
    }
    shop.client.put(OPERATOR, &format!("/v1/products/{SKU}"), advertised(100, 0, 200)).await.expect(201);
    shop.client.post(STOREFRONT, "/v1/orders", order(&[(SKU, 100)])).await.expect(201);
    // A parcel that is back, followed by hand.
    shop.world().logistics.set_returns(1).unwrap();
    shop.world().logistics.deliver_all();
    let parcel = shop.world().logistics.returns().remove(0);
    let replay = json!({"body": {"Attribute": {
        "shipment_number": parcel.shipment_number, "order_number": parcel.order_number,
        "order_item_number": parcel.order_item_number}}});
    shop.client.post(OPERATOR, "/v1/returns/replay", replay).await.expect(202);
    // The factory refuses, so that there is an incident.
    shop.factory.turn(|knobs| knobs.refuse = Some(400)).unwrap();
    shop
}

async fn operate(shop: &Shop, queue: &str, what: &str) -> Value {
    shop.client.post(OPERATOR, &format!("/v1/queues/{queue}/{what}"), json!({})).await.expect(200)
}

/// spin.toml with no way to ring over HTTP, and over Redis only where there is one.
pub(crate) fn with_bells(over_redis: bool) -> (PathBuf, TempDir) {
    let addresses: &[&str] =
        if over_redis { &["{{ public_url }}"] } else { &["{{ public_url }}", "{{ redis_origin }}"] };
    manifest(|mut manifest| {
        for address in addresses {
            for (listed, left) in [
                (format!(", \"{address}\""), ""),
                (format!("[\"{address}\", "), "["),
                (format!("  \"{address}\",\n"), ""),
            ] {
                manifest = manifest.replace(&listed, left);
            }
            assert!(!manifest.contains(&format!("\"{address}\",")), "{address} is still permitted");
        }
        manifest
    })
}

/// Fails unless each workflow did its work.
fn all_told(shop: &Shop) {
    assert_eq!(shop.factory.stats().requests, 1);
    assert_eq!(shop.world().marketing.events().len(), 1);
    assert_eq!(shop.world().logistics.stats().reported, 1);
    assert_eq!(shop.world().slack.messages().len(), 1);
    assert_eq!(shop.world().mail.mails().len(), 2, "the pause, and the alert to the factory's manager");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_queue_is_worked_off_when_its_bell_rings() {
    let (manifest, _folder) = with_bells(true);
    let shop = Shop::connected_as(|options, _| options.manifest = manifest).await;
    let shop = with_one_in_each(shop).await;
    for queue in QUEUES {
        operate(&shop, queue, "resume").await;
        eventually(&format!("{queue} hears its bell"), || async {
            let state = shop.queue_of(queue).await;
            (state["ready"] == 0 && state["leased"] == 0).then_some(())
        })
        .await;
    }
    all_told(&shop);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_queue_is_worked_off_when_it_is_drained_over_http() {
    let (manifest, _folder) = with_bells(false);
    let shop = Shop::connected_as(|options, _| options.manifest = manifest).await;
    let shop = with_one_in_each(shop).await;
    for queue in QUEUES {
        operate(&shop, queue, "resume").await;
        let drained = shop.drain_of(queue).await;
        assert!(drained["claimed"].as_u64() >= Some(1), "{queue}: {drained}");
        shop.settle_queues(&[queue]).await;
    }
    all_told(&shop);
    for queue in QUEUES {
        let path = format!("/internal/{queue}/drain");
        for key in [STOREFRONT, VIEWER] {
            shop.client.post(key, &path, json!({})).await.expect(403);
        }
    }
}

//! Claim: people can see why messages were given up, try a repair dry, carry it out, and see later who did what.
//! Method: a factory that refuses some and fails for others; the operator's interface.
//! Needs: the built components.

use serde_json::{Value, json};

use crate::support::{INTERNAL, OPERATOR, SKU, STOREFRONT, Shop, VIEWER, definition, items};

/// A shop with dead letters of two kinds: refused ones, and some that failed to the end.
pub(crate) async fn with_two_kinds() -> Shop {
    let shop = Shop::open_with(|options| {
        options.variables.insert("attempts_max".into(), "2".into());
    })
    .await;
    shop.factory.turn(|knobs| knobs.refuse = Some(400)).unwrap();
    for n in 0..3 {
        shop.define(&format!("refused-{n}"), 0, 0, 10).await;
    }
    shop.settle().await;
    shop.factory.turn(|knobs| knobs.refuse = Some(500)).unwrap();
    for n in 0..2 {
        shop.define(&format!("failed-{n}"), 0, 0, 10).await;
    }
    shop.settle().await;
    shop
}

async fn page(shop: &Shop, query: &str) -> Value {
    shop.client.get(VIEWER, &format!("/v1/queues/replenishment/buried{query}")).await.expect(200)
}

async fn redrive(shop: &Shop, body: Value) -> Value {
    shop.client.post(OPERATOR, "/v1/queues/replenishment/redrive", body).await.expect(200)
}

async fn operations(shop: &Shop) -> Vec<Value> {
    items(shop.client.get(VIEWER, "/v1/operations").await.expect(200))
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_grouped_by_reason_and_can_be_listed_by_it() {
    let shop = with_two_kinds().await;
    let all = page(&shop, "").await;
    let groups: Vec<(Value, Value)> = all["groups"]
        .as_array()
        .expect("groups")
        .iter()
        .map(|group| (group["reason"].clone(), group["count"].clone()))
        .collect();
    assert_eq!(groups, [(json!("factory-refused"), json!(3)), (json!("factory-failing"), json!(2))], "{all}");
    for group in all["groups"].as_array().unwrap() {
        assert!(group["error"].as_str().is_some_and(|error| error.contains("answered")), "{group}");
        assert!(group["oldest_at"].as_str() <= group["newest_at"].as_str(), "{group}");
    }
    let failing = page(&shop, "?reason=factory-failing&limit=1").await;
    assert_eq!(failing["items"].as_array().unwrap().len(), 1);
    assert_eq!(failing["items"][0]["reason"], "factory-failing");
    let cursor = failing["next_cursor"].as_str().expect("one more");
    let rest = page(&shop, &format!("?reason=factory-failing&cursor={cursor}")).await;
    assert_eq!(items(rest).len(), 1);
    let attempts = failing["items"][0]["attempts"].as_array().unwrap().clone();
    let counted = attempts.iter().filter(|attempt| attempt["outcome"] != "postpone").count();
    assert_eq!(counted, 2, "{attempts:?}");
    for attempt in attempts {
        assert!(attempt["duration_ms"].is_u64() && attempt["started_at"].is_string(), "{attempt}");
    }
    assert!(items(page(&shop, "?reason=no-such").await).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_counts_and_changes_nothing() {
    let shop = with_two_kinds().await;
    let before = shop.queue().await;
    let recorded = operations(&shop).await.len();
    for (body, count) in [
        (json!({"all": true}), 5),
        (json!({"reason": "factory-refused"}), 3),
        (json!({"reason": "factory-refused", "limit": 2}), 2),
        (json!({"reason": "no-such"}), 0),
    ] {
        let mut dry = body.clone();
        dry["dry_run"] = json!(true);
        let answer = redrive(&shop, dry).await;
        assert_eq!((&answer["redriven"], &answer["dry_run"]), (&json!(count), &json!(true)), "{body}");
    }
    let purge = json!({"all": true, "reason": "just looking", "dry_run": true});
    let answer = shop.client.post(OPERATOR, "/v1/queues/replenishment/purge", purge).await.expect(200);
    assert_eq!((&answer["purged"], &answer["dry_run"]), (&json!(5), &json!(true)));
    assert_eq!(shop.queue().await, before);
    assert_eq!(operations(&shop).await.len(), recorded, "nothing was done, nothing is on record");
    let path = "/v1/queues/replenishment/redrive";
    shop.client.post(VIEWER, path, json!({"all": true, "dry_run": true})).await.expect(403);
    shop.client.post(OPERATOR, path, json!({"all": true, "dry_run": "yes"})).await.expect(422);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redriven_message_keeps_its_history_and_can_be_buried_again() {
    let shop = with_two_kinds().await;
    let letter = page(&shop, "?reason=factory-failing").await["items"][0].clone();
    let path = format!("/v1/messages/{}", letter["id"].as_str().unwrap());
    let before = letter["attempts"].as_array().unwrap().clone();
    assert_eq!(redrive(&shop, json!({"ids": [letter["id"]]})).await["redriven"], 1);
    shop.settle().await;
    let again = shop.client.get(VIEWER, &path).await.expect(200);
    assert_eq!((&again["state"], &again["redrives"]), (&json!("buried"), &json!(1)));
    let after = again["attempts"].as_array().unwrap();
    assert_eq!(&after[..before.len()], &before[..], "the first attempts are still there");
    assert!(after.len() >= before.len() + 2, "{again}");

    shop.factory.turn(|knobs| knobs.refuse = None).unwrap();
    redrive(&shop, json!({"ids": [letter["id"]]})).await;
    shop.settle().await;
    let done = shop.client.get(VIEWER, &path).await.expect(200);
    assert_eq!((&done["state"], &done["redrives"]), (&json!("done"), &json!(2)));
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_action_of_an_operator_is_on_record_with_who_when_and_what() {
    let shop = with_two_kinds().await;
    let queue = "/v1/queues/replenishment";
    shop.client
        .post(OPERATOR, &format!("{queue}/pause"), json!({"reason": "the factory moves"}))
        .await
        .expect(200);
    shop.client.post(OPERATOR, &format!("{queue}/resume"), json!({})).await.expect(200);
    redrive(&shop, json!({"reason": "factory-refused", "limit": 1})).await;
    let purge = json!({"all": true, "reason": "season is over"});
    shop.client.post(OPERATOR, &format!("{queue}/purge"), purge).await.expect(200);
    shop.client.put(OPERATOR, &format!("/v1/products/{SKU}"), definition(5, 0, 10)).await.expect(201);
    shop.client.put(OPERATOR, &format!("/v1/products/{SKU}"), definition(5, 1, 20)).await.expect(200);
    let adjusted = json!({"delta": -2, "reason": "broken in the rain"});
    shop.client.post(OPERATOR, &format!("/v1/stock/{SKU}/adjustments"), adjusted).await.expect(200);
    shop.client.put(OPERATOR, "/v1/factories/F-2", json!({"name": "another"})).await.expect(201);

    let recorded = operations(&shop).await;
    let kinds: Vec<&str> = recorded.iter().take(8).map(|action| action["kind"].as_str().unwrap()).collect();
    let expected = [
        "factory.create",
        "stock.adjust",
        "product.change",
        "product.create",
        "queue.purge",
        "queue.redrive",
        "queue.resume",
        "queue.pause",
    ];
    assert_eq!(kinds, expected, "newest first");
    for action in &recorded {
        let operator = action["operator"].as_str().unwrap();
        assert_eq!(operator.len(), 12, "the fingerprint of a key: {action}");
        assert!(action["at"].is_string(), "{action}");
        assert!(!action.to_string().contains(OPERATOR), "never the key: {action}");
    }
    assert_eq!(recorded[7]["reason"], "the factory moves");
    assert_eq!(
        (&recorded[4]["reason"], &recorded[4]["subject"]),
        (&json!("season is over"), &json!("replenishment"))
    );
    assert_eq!(recorded[5]["detail"]["affected"], 1);
    assert_eq!(recorded[1]["detail"]["delta"], -2);

    let first = shop.client.get(VIEWER, "/v1/operations?limit=3").await.expect(200);
    let cursor = first["next_cursor"].as_str().expect("more");
    let second =
        shop.client.get(VIEWER, &format!("/v1/operations?limit=3&cursor={cursor}")).await.expect(200);
    assert_eq!(items(second)[0], recorded[3]);
    for key in [STOREFRONT, INTERNAL] {
        shop.client.get(key, "/v1/operations").await.expect(403);
    }
    // A refused action did nothing and is not on record.
    shop.client.post(VIEWER, &format!("{queue}/pause"), json!({})).await.expect(403);
    shop.client.post(OPERATOR, &format!("{queue}/purge"), json!({"all": true})).await.expect(422);
    assert_eq!(operations(&shop).await.len(), recorded.len());
}

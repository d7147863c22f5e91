//! Claim: a message leaves its queue only as done, as buried, or by a recorded operator action.
//! Method: a factory that refuses makes dead letters; operators list, redrive and purge them.
//! Needs: the built components.

use serde_json::{Value, json};

use crate::support::{OPERATOR, SKU, Shop, VIEWER, items};

/// A shop with so many dead letters, one for each product.
async fn with_dead_letters(n: usize) -> Shop {
    let shop = Shop::open().await;
    shop.factory.turn(|knobs| knobs.refuse = Some(400)).unwrap();
    for n in 0..n {
        shop.define(&format!("sku-{n}"), 0, 0, 10).await;
    }
    shop.settle().await;
    assert_eq!(shop.queue().await["buried"], n);
    shop
}

async fn buried(shop: &Shop) -> Vec<Value> {
    items(shop.client.get(VIEWER, "/v1/queues/replenishment/buried").await.expect(200))
}

async fn operate(shop: &Shop, what: &str, body: Value) -> Value {
    shop.client.post(OPERATOR, &format!("/v1/queues/replenishment/{what}"), body).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_tells_what_it_was_and_how_each_attempt_failed() {
    let shop = with_dead_letters(1).await;
    let letter = buried(&shop).await.remove(0);
    assert_eq!(letter["queue"], "replenishment");
    assert_eq!(letter["state"], "buried");
    let attempts = letter["attempts"].as_array().unwrap();
    assert_eq!(attempts.len(), 1, "{letter}");
    assert!(attempts[0]["error"].as_str().is_some_and(|error| error.contains("400")), "{letter}");
    assert!(letter.to_string().contains("sku-0"), "{letter}");
    let path = format!("/v1/messages/{}", letter["id"].as_str().unwrap());
    assert_eq!(shop.client.get(VIEWER, &path).await.expect(200)["id"], letter["id"]);
    shop.client.get(VIEWER, "/v1/messages/01890000-0000-7000-8000-000000000000").await.expect(404);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_are_redriven_one_by_reason_or_all_and_keep_their_history() {
    let shop = with_dead_letters(4).await;
    let letters = buried(&shop).await;
    let id = letters[0]["id"].clone();
    let reason = letters[0]["reason"].clone();
    assert_eq!(operate(&shop, "redrive", json!({"ids": [id]})).await["redriven"], 1);
    shop.settle().await;
    let again = buried(&shop).await;
    assert_eq!(again.len(), 4, "refused again, buried again");
    let letter = again.iter().find(|letter| letter["id"] == id).unwrap();
    assert_eq!(letter["attempts"].as_array().unwrap().len(), 2, "{letter}");

    assert_eq!(operate(&shop, "redrive", json!({"reason": "no such reason"})).await["redriven"], 0);
    shop.factory.turn(|knobs| knobs.refuse = None).unwrap();
    assert_eq!(operate(&shop, "redrive", json!({"reason": reason, "limit": 1})).await["redriven"], 1);
    assert_eq!(operate(&shop, "redrive", json!({"all": true})).await["redriven"], 3);
    shop.settle().await;
    assert_eq!(shop.factory.stats().accepted, 4);
    assert_eq!(shop.queue().await["buried"], 0);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_purge_needs_a_reason_and_is_on_record() {
    let shop = with_dead_letters(3).await;
    let path = "/v1/queues/replenishment/purge";
    let refused = shop.client.post(OPERATOR, path, json!({"all": true})).await;
    assert_eq!(refused.pointers(), ["/reason"], "{}", refused.text);
    refused.expect(422);
    let id = buried(&shop).await[0]["id"].clone();
    assert_eq!(operate(&shop, "purge", json!({"ids": [id], "reason": "test order"})).await["purged"], 1);
    assert_eq!(operate(&shop, "purge", json!({"all": true, "reason": "season is over"})).await["purged"], 2);
    assert_eq!(shop.queue().await["buried"], 0);
    let message =
        shop.client.get(VIEWER, &format!("/v1/messages/{}", id.as_str().unwrap())).await.expect(200);
    assert_eq!(message["state"], "purged");
    let recorded = shop
        .rows()
        .table("SELECT affected, reason FROM operation WHERE kind = 'purge' ORDER BY operation_seq");
    assert_eq!(recorded, [["1", "test order"], ["2", "season is over"]]);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_queue_keeps_its_messages_until_it_is_resumed() {
    let shop = Shop::with_product(1, 0, 10).await;
    operate(&shop, "pause", json!({})).await;
    assert_eq!(shop.queue().await["paused"], true);
    shop.client.order(SKU, 1).await.expect(201);
    shop.tick().await;
    assert_eq!(shop.drain().await["claimed"], 0);
    assert_eq!(shop.factory.stats().requests, 0);
    assert_eq!(shop.queue().await["ready"], 1);
    operate(&shop, "resume", json!({})).await;
    shop.factory.wait_until(|stats| stats.accepted == 1).await.unwrap();
    shop.settle().await;
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn queues_are_listed_and_unknown_ones_are_not_found() {
    let shop = Shop::with_product(1, 0, 10).await;
    shop.client.order(SKU, 1).await.expect(201);
    shop.settle().await;
    let queues = items(shop.client.get(VIEWER, "/v1/queues").await.expect(200));
    let queue = queues.iter().find(|queue| queue["queue"] == "replenishment").expect("the queue");
    for (name, value) in [
        ("ready", 0),
        ("leased", 0),
        ("buried", 0),
        ("done_total", 1),
        ("oldest_ready_seconds", 0),
        ("due", 0),
        ("oldest_due_seconds", 0),
    ] {
        assert_eq!(queue[name], value, "{name}: {queue}");
    }
    for path in ["/v1/queues/no-such", "/v1/queues/no-such/buried"] {
        shop.client.get(VIEWER, path).await.expect(404);
    }
    for what in ["pause", "resume", "redrive", "purge"] {
        let body = json!({"all": true, "reason": "x"});
        let body = if what == "redrive" {
            json!({"all": true})
        } else if what == "purge" {
            body
        } else {
            json!({})
        };
        shop.client.post(OPERATOR, &format!("/v1/queues/no-such/{what}"), body).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_fans_out_to_every_queue_that_subscribes() {
    let shop = Shop::with_product(1, 0, 10).await;
    shop.rows().change(
        "INSERT INTO queue (queue_id, ordered, lease_ms, in_flight_max, retention_ms) \
         VALUES ('another', 1 = 0, 30000, 64, 1000);
         INSERT INTO subscription (topic, queue_id) VALUES ('stock.depleted', 'another');",
    );
    shop.client.order(SKU, 1).await.expect(201);
    shop.settle().await;
    let another = shop.client.get(VIEWER, "/v1/queues/another").await.expect(200);
    assert_eq!(another["ready"], 1, "{another}");
    assert_eq!(shop.factory.stats().accepted, 1);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_buried_after_its_last_attempt_with_every_error_kept() {
    let shop = Shop::open_with(|options| {
        options.variables.insert("attempts_max".into(), "3".into());
    })
    .await;
    shop.factory.turn(|knobs| knobs.refuse = Some(500)).unwrap();
    shop.define(SKU, 0, 0, 10).await;
    shop.settle().await;
    let letter = buried(&shop).await.remove(0);
    let failed = letter["attempts"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|attempt| attempt["outcome"] != "postpone")
        .inspect(|attempt| {
            assert!(attempt["error"].as_str().is_some_and(|error| error.contains("500")), "{letter}")
        })
        .count();
    assert_eq!(failed, 3, "{letter}");
    assert_eq!(shop.factory.stats().requests, 3);
    assert_eq!(shop.only_production().await["status"], "failed");
    shop.audit().await;
}

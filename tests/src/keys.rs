//! Claim: each role can do what it is for and nothing else; a role without keys is closed.
//! Method: every guarded path with every key.
//! Needs: the built components.

use http::Method;
use serde_json::json;

use crate::support::{INTERNAL, OPERATOR, SKU, STOREFRONT, Shop, VIEWER, definition, order};

/// Path, method, body, and the roles that are let in, in the order storefront, viewer, operator, internal.
fn guarded() -> Vec<(Method, String, String, [bool; 4])> {
    const READ: [bool; 4] = [false, true, true, false];
    const WRITE: [bool; 4] = [false, false, true, false];
    let get = |path: &str, who| (Method::GET, path.to_owned(), String::new(), who);
    let post =
        |path: &str, body: serde_json::Value, who| (Method::POST, path.to_owned(), body.to_string(), who);
    let queue = "/v1/queues/replenishment";
    vec![
        post("/v1/orders", order(&[(SKU, 1)]), [true, false, true, false]),
        get("/v1/orders/01890000-0000-7000-8000-000000000000", [true, true, true, false]),
        get("/v1/products", [true, true, true, false]),
        get(&format!("/v1/products/{SKU}"), [true, true, true, false]),
        (Method::PUT, format!("/v1/products/{SKU}"), definition(5, 0, 10).to_string(), WRITE),
        (Method::PUT, "/v1/factories/f-1".into(), json!({"name": "f"}).to_string(), WRITE),
        get(&format!("/v1/stock/{SKU}/movements"), READ),
        post(&format!("/v1/stock/{SKU}/adjustments"), json!({"delta": 1, "reason": "r"}), WRITE),
        get("/v1/production", READ),
        get("/v1/production/01890000-0000-7000-8000-000000000000", READ),
        get("/v1/audit", READ),
        get("/v1/partners", READ),
        get("/v1/queues", READ),
        get(queue, READ),
        get(&format!("{queue}/buried"), READ),
        get("/v1/messages/01890000-0000-7000-8000-000000000000", READ),
        post(&format!("{queue}/pause"), json!({}), WRITE),
        post(&format!("{queue}/resume"), json!({}), WRITE),
        post(&format!("{queue}/redrive"), json!({"all": true}), WRITE),
        post(&format!("{queue}/purge"), json!({"all": true, "reason": "r"}), WRITE),
        post("/internal/tick", json!({}), [false, false, true, true]),
        post("/internal/replenishment/drain", json!({}), [false, false, true, true]),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn each_role_reaches_what_it_is_for_and_nothing_else() {
    let shop = Shop::with_product(50, 0, 100).await;
    for (method, path, body, allowed) in guarded() {
        let send = |key: Option<&str>| {
            let authorization = key.map(|key| format!("Bearer {key}"));
            let (client, method, path, body) =
                (shop.client.clone(), method.clone(), path.clone(), body.clone());
            async move {
                let mut headers = vec![("content-type", "application/json")];
                if let Some(authorization) = &authorization {
                    headers.push(("authorization", authorization));
                }
                client.send(method, &path, &headers, body).await
            }
        };
        for key in [None, Some(""), Some("unknown"), Some("storefront-ke"), Some("storefront-keyx")] {
            let answer = send(key).await;
            assert_eq!(answer.status, 401, "{method} {path} with {key:?}: {}", answer.text);
            assert!(answer.header("www-authenticate").is_some(), "{method} {path}");
        }
        for (key, allowed) in [STOREFRONT, VIEWER, OPERATOR, INTERNAL].into_iter().zip(allowed) {
            let answer = send(Some(key)).await;
            if allowed {
                assert!(!matches!(answer.status.as_u16(), 401 | 403), "{method} {path} with {key}");
                assert!(answer.status.as_u16() < 500, "{method} {path} with {key}: {}", answer.text);
            } else {
                assert_eq!(answer.status, 403, "{method} {path} with {key}: {}", answer.text);
            }
        }
    }
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_storefront_sees_what_customers_may_see() {
    let shop = Shop::with_product(5, 0, 10).await;
    let path = format!("/v1/products/{SKU}");
    let public = shop.client.get(STOREFRONT, &path).await.expect(200);
    assert_eq!(
        public,
        json!({"sku": SKU, "name": "부산도너츠", "price": {"amount": 19900, "currency": "KRW"}, "available": 5})
    );
    let full = shop.client.get(VIEWER, &path).await.expect(200);
    for name in [
        "available",
        "on_hand",
        "on_order",
        "backordered",
        "reorder_point",
        "order_up_to",
        "policy",
        "factory_id",
    ] {
        assert!(!full[name].is_null(), "{name}: {full}");
    }
    assert!(full["ad"]["status"].is_string(), "{full}");
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_can_be_rotated_and_a_role_without_keys_is_closed() {
    let shop = Shop::open_with(|options| {
        options.variables.insert("operator_keys".into(), format!("new-operator-key {OPERATOR}"));
        options.variables.insert("viewer_keys".into(), String::new());
    })
    .await;
    for key in ["new-operator-key", OPERATOR] {
        shop.client.get(key, "/v1/queues").await.expect(200);
    }
    for key in [VIEWER, "", " "] {
        shop.client.get(key, "/v1/queues").await.expect(401);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_outside_the_networks_are_refused_and_cannot_pretend() {
    let shop = Shop::open().await;
    let inside = shop.client.get(OPERATOR, "/v1/queues").await;
    inside.expect(200);
    let mut shop = Shop::open_with(|options| {
        options.variables.insert("operator_networks".into(), "127.0.0.0/8 ::1/128".into());
    })
    .await;
    shop.client.get(OPERATOR, "/v1/queues").await.expect(200);
    shop = Shop::open_elsewhere().await;
    shop.client.get(OPERATOR, "/v1/queues").await.expect(403);
    let headers = [
        ("authorization", "Bearer operator-key"),
        ("spin-client-addr", "10.1.2.3:4711"),
        ("x-forwarded-for", "10.1.2.3"),
        ("forwarded", "for=10.1.2.3"),
    ];
    shop.client.send(Method::GET, "/v1/queues", &headers, "").await.expect(403);
    let callback =
        format!("/v1/factory/callbacks/{}.{}", "01890000-0000-7000-8000-000000000000", "A".repeat(43));
    let body = json!({"OrderStockCnt": 1}).to_string();
    let headers = [("content-type", "application/json"), ("spin-client-addr", "10.1.2.3:4711")];
    shop.client.send(Method::POST, &callback, &headers, body).await.expect(403);
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_appear_in_no_answer() {
    let shop = Shop::with_product(1, 0, 10).await;
    shop.factory.turn(|knobs| knobs.refuse = Some(400)).unwrap();
    shop.client.order(SKU, 1).await.expect(201);
    shop.settle().await;
    for path in
        ["/v1/queues/replenishment/buried", "/v1/production", "/readyz", "/v1/partners", "/openapi.json"]
    {
        let text = shop.client.get(VIEWER, path).await.text;
        for secret in [STOREFRONT, VIEWER, OPERATOR, INTERNAL, "a secret of the tests", "/callbacks/0"] {
            assert!(!text.contains(secret), "{path}: {text}");
        }
    }
}

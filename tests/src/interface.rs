//! Claim: the interface describes itself truthfully, and every answer carries what clients rely on.
//! Method: the served description against the running application; health of sound and unsound databases.
//! Needs: the built components.

use http::Method;
use serde_json::{Value, json};

use crate::support::{OPERATOR, SKU, STOREFRONT, Shop, VIEWER, items};

#[tokio::test(flavor = "multi_thread")]
async fn every_described_operation_exists() {
    let shop = Shop::with_product(5, 0, 10).await;
    let description = shop.client.send(Method::GET, "/openapi.json", &[], "").await.expect(200);
    assert!(
        description["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")),
        "{description}"
    );
    let paths = description["paths"].as_object().expect("paths");
    for path in [
        "/v1/orders",
        "/v1/orders/{id}",
        "/v1/products",
        "/v1/products/{sku}",
        "/v1/factories/{id}",
        "/v1/factory/callbacks/{token}",
        "/v1/production",
        "/v1/production/{id}",
        "/v1/stock/{sku}/movements",
        "/v1/stock/{sku}/adjustments",
        "/v1/audit",
        "/v1/queues",
        "/v1/queues/{queue}",
        "/v1/queues/{queue}/pause",
        "/v1/queues/{queue}/resume",
        "/v1/queues/{queue}/buried",
        "/v1/queues/{queue}/redrive",
        "/v1/queues/{queue}/purge",
        "/v1/messages/{id}",
        "/healthz",
        "/readyz",
        "/internal/tick",
        "/internal/{queue}/drain",
    ] {
        assert!(paths.contains_key(path), "{path} is not described");
    }
    for (path, operations) in paths {
        let known = path.replace("{sku}", SKU).replace("{queue}", "replenishment");
        let known = known.replace("{id}", "x").replace("{token}", "x").replace("{slug}", "x");
        for method in operations.as_object().expect("operations").keys().filter(|name| *name != "parameters")
        {
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
            let headers = [("authorization", "Bearer operator-key"), ("content-type", "application/json")];
            let answer = shop.client.send(method.clone(), &known, &headers, "not json").await;
            assert_ne!(answer.status, 405, "{method} {path}");
            assert!(answer.status.as_u16() < 500, "{method} {path}: {}", answer.text);
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_carries_its_length_and_the_id_of_the_request() {
    let shop = Shop::with_product(5, 0, 10).await;
    for path in ["/healthz", "/readyz", "/openapi.json", "/", "/v1/products", "/v1/nothing", "/v1/orders/x"] {
        let headers = [("authorization", "Bearer operator-key"), ("x-request-id", "a-request-of-mine")];
        let answer = shop.client.send(Method::GET, path, &headers, "").await;
        assert_eq!(answer.header("x-request-id"), Some("a-request-of-mine"), "{path}");
        assert_eq!(answer.header("content-length"), Some(answer.text.len().to_string().as_str()), "{path}");
        let answer = shop.client.get(OPERATOR, path).await;
        assert!(answer.header("x-request-id").is_some_and(|id| id.len() >= 16), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_walked_page_by_page() {
    let shop = Shop::open().await;
    for n in 0..7 {
        shop.define(&format!("sku-{n}"), 10, 0, 20).await;
    }
    let mut seen = Vec::new();
    let mut path = "/v1/products?limit=3".to_owned();
    for _ in 0..3 {
        let page = shop.client.get(STOREFRONT, &path).await.expect(200);
        seen.extend(items(page.clone()).iter().map(|item| item["sku"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("/v1/products?limit=3&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(seen, (0..7).map(|n| format!("sku-{n}")).collect::<Vec<_>>());

    for _ in 0..5 {
        shop.client.order("sku-0", 1).await.expect(201);
    }
    let page = shop.client.get(VIEWER, "/v1/stock/sku-0/movements?limit=4").await.expect(200);
    let cursor = page["next_cursor"].as_str().expect("more").to_owned();
    let rest = shop
        .client
        .get(VIEWER, &format!("/v1/stock/sku-0/movements?limit=4&cursor={cursor}"))
        .await
        .expect(200);
    let levels: Vec<_> = items(page)
        .iter()
        .chain(&items(rest.clone()))
        .map(|m| m["on_hand_after"].as_i64().unwrap())
        .collect();
    assert_eq!(levels, [5, 6, 7, 8, 9, 10]);
    assert_eq!(rest["next_cursor"], Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_from_the_future_is_not_touched_and_said_to_be_one() {
    let mut shop = Shop::with_product(5, 0, 10).await;
    shop.client.send(Method::GET, "/readyz", &[], "").await.expect(200);
    shop.rows()
        .change("INSERT INTO schema_migration (version, name, applied_at_ms) VALUES (9999, 'tomorrow', 0)");
    shop = shop.restart().await;
    let ready = shop.client.send(Method::GET, "/readyz", &[], "").await;
    assert!(ready.text.contains("9999"), "{}", ready.text);
    ready.expect(503);
    shop.client.send(Method::GET, "/healthz", &[], "").await.expect(200);
    let answer = shop.client.order(SKU, 1).await;
    assert!(answer.header("retry-after").is_some(), "{:?}", answer.headers);
    answer.expect(503);
    shop.client.get(VIEWER, "/v1/queues").await.expect(503);
    assert_eq!(shop.rows().number("SELECT on_hand FROM product"), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn text_of_any_script_arrives_as_it_was_sent() {
    let shop = Shop::open().await;
    let name = "부산도너츠 <b>\"quoted\"</b> 🍩 \u{202e}abc '; DROP TABLE product; --";
    let mut body = crate::support::definition(5, 0, 10);
    body["name"] = json!(name);
    shop.client.put(OPERATOR, "/v1/products/any.script_1:x-y", body).await.expect(201);
    assert_eq!(shop.product("any.script_1:x-y").await["name"], name);
}

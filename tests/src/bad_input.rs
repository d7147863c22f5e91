//! Claim: bad input changes nothing, and the answer names what is wrong with it.
//! Method: one table of requests, each with the status and the field that must be named; the stock before and after.
//! Needs: the built components.

use http::Method;
use serde_json::{Value, json};

use crate::support::{OPERATOR, SKU, STOREFRONT, Shop, VIEWER, definition, order};

fn changed(mut body: Value, pointer: &str, value: Value) -> Value {
    *body.pointer_mut(pointer).expect("the field is there") = value;
    body
}

fn with(mut body: Value, name: &str, value: Value) -> Value {
    body[name] = value;
    body
}

fn without(mut body: Value, name: &str) -> Value {
    body.as_object_mut().expect("an object").remove(name);
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_field_of_an_order_is_named() {
    let shop = Shop::with_product(5, 0, 10).await;
    let good = order(&[(SKU, 1)]);
    let too_many = json!(vec![json!({"sku": SKU, "quantity": 1}); 101]);
    let table = [
        (json!([]), ""),
        (json!("order"), ""),
        (json!({}), "/customer"),
        (without(good.clone(), "items"), "/items"),
        (without(good.clone(), "customer"), "/customer"),
        (with(good.clone(), "coupon", json!("x")), "/coupon"),
        (with(good.clone(), "if_short", json!("wait")), "/if_short"),
        (with(good.clone(), "if_short", json!(1)), "/if_short"),
        (changed(good.clone(), "/items", json!([])), "/items"),
        (changed(good.clone(), "/items", json!({})), "/items"),
        (changed(good.clone(), "/items", too_many), "/items"),
        (changed(good.clone(), "/items/0", json!(7)), "/items/0"),
        (changed(good.clone(), "/items/0/quantity", json!(0)), "/items/0/quantity"),
        (changed(good.clone(), "/items/0/quantity", json!(-1)), "/items/0/quantity"),
        (changed(good.clone(), "/items/0/quantity", json!(10001)), "/items/0/quantity"),
        (changed(good.clone(), "/items/0/quantity", json!(1.5)), "/items/0/quantity"),
        (changed(good.clone(), "/items/0/quantity", json!("1")), "/items/0/quantity"),
        (changed(good.clone(), "/items/0/quantity", json!(1e30)), "/items/0/quantity"),
        (changed(good.clone(), "/items/0/sku", json!("")), "/items/0/sku"),
        (changed(good.clone(), "/items/0/sku", json!("a b")), "/items/0/sku"),
        (changed(good.clone(), "/items/0/sku", json!("x".repeat(65))), "/items/0/sku"),
        (changed(good.clone(), "/items/0/sku", json!("도너츠")), "/items/0/sku"),
        (changed(good.clone(), "/customer/id", json!("' OR 1=1 --")), "/customer/id"),
        (changed(good.clone(), "/customer/id", json!(null)), "/customer/id"),
        (changed(good.clone(), "/customer/email", json!(5)), "/customer/email"),
    ];
    for (body, pointer) in table {
        let answer = shop.client.post(STOREFRONT, "/v1/orders", body.clone()).await;
        assert_eq!(answer.status, 422, "{body}: {}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{body}");
        assert!(answer.pointers().iter().any(|named| named == pointer), "{body}: {}", answer.text);
    }
    let twice = changed(with(good.clone(), "coupon", json!(1)), "/items/0/quantity", json!(0));
    let mut named = shop.client.post(STOREFRONT, "/v1/orders", twice).await.pointers();
    named.sort();
    assert_eq!(named, ["/coupon", "/items/0/quantity"], "every fault is named, not only the first");

    for key in ["", "x\u{7f}", &"k".repeat(256), "a b"] {
        let authorization = format!("Bearer {STOREFRONT}");
        let headers = [
            ("authorization", authorization.as_str()),
            ("content-type", "application/json"),
            ("idempotency-key", key),
        ];
        let request = shop.client.try_send(Method::POST, "/v1/orders", &headers, good.to_string()).await;
        // A key that HTTP itself cannot carry never leaves the client.
        if let Ok(answer) = request {
            assert_eq!(answer.status, 422, "{key:?}: {}", answer.text);
        }
    }
    assert_eq!(shop.on_hand(SKU).await, 5);
    assert_eq!(shop.rows().number("SELECT count(*) FROM sales_order"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn each_wrong_field_of_a_definition_or_an_action_is_named() {
    let shop = Shop::with_product(5, 0, 10).await;
    let product = format!("/v1/products/{SKU}");
    let good = definition(5, 0, 10);
    let table = [
        (Method::PUT, product.as_str(), without(good.clone(), "name"), "/name"),
        (Method::PUT, &product, with(good.clone(), "name", json!("")), "/name"),
        (Method::PUT, &product, with(good.clone(), "price", json!(5)), "/price"),
        (Method::PUT, &product, changed(good.clone(), "/price/amount", json!(-1)), "/price/amount"),
        (Method::PUT, &product, changed(good.clone(), "/price/amount", json!(1.5)), "/price/amount"),
        (Method::PUT, &product, changed(good.clone(), "/price/currency", json!("won")), "/price/currency"),
        (Method::PUT, &product, with(good.clone(), "factory_id", json!("no-such")), "/factory_id"),
        (Method::PUT, &product, with(good.clone(), "reorder_point", json!(-1)), "/reorder_point"),
        (Method::PUT, &product, with(good.clone(), "order_up_to", json!(0)), "/order_up_to"),
        (Method::PUT, &product, with(good.clone(), "policy", json!("magic")), "/policy"),
        (Method::PUT, &product, with(good.clone(), "opening_stock", json!(-1)), "/opening_stock"),
        (Method::PUT, &product, with(good.clone(), "colour", json!("pink")), "/colour"),
        (Method::PUT, "/v1/factories/f-1", json!({}), "/name"),
        (Method::PUT, "/v1/factories/f-1", json!({"name": "f", "url": "ftp://x"}), "/url"),
        (Method::POST, "/v1/stock/CP-502101/adjustments", json!({"reason": "r"}), "/delta"),
        (Method::POST, "/v1/stock/CP-502101/adjustments", json!({"delta": 0, "reason": "r"}), "/delta"),
        (Method::POST, "/v1/stock/CP-502101/adjustments", json!({"delta": 1}), "/reason"),
        (Method::POST, "/v1/stock/CP-502101/adjustments", json!({"delta": 1, "reason": ""}), "/reason"),
        (Method::POST, "/v1/queues/replenishment/redrive", json!({}), ""),
        (Method::POST, "/v1/queues/replenishment/redrive", json!({"ids": ["x"], "all": true}), ""),
        (Method::POST, "/v1/queues/replenishment/redrive", json!({"all": false}), "/all"),
        (Method::POST, "/v1/queues/replenishment/redrive", json!({"all": true, "limit": 0}), "/limit"),
        (Method::POST, "/v1/queues/replenishment/purge", json!({"reason": "r"}), ""),
    ];
    let before = shop.product(SKU).await;
    for (method, path, body, pointer) in table {
        let headers = [("authorization", "Bearer operator-key"), ("content-type", "application/json")];
        let answer = shop.client.send(method, path, &headers, body.to_string()).await;
        assert_eq!(answer.status, 422, "{path} {body}: {}", answer.text);
        assert!(answer.pointers().iter().any(|named| named == pointer), "{path} {body}: {}", answer.text);
    }
    shop.client.put(OPERATOR, "/v1/products/a%20b", good).await.expect(422);
    assert_eq!(shop.product(SKU).await, before);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_cannot_be_read_is_refused_before_anything_else() {
    let shop = Shop::with_product(5, 0, 10).await;
    let authorization = format!("Bearer {STOREFRONT}");
    let send = |kind: &'static str, body: String| {
        let (client, authorization) = (shop.client.clone(), authorization.clone());
        async move {
            let headers = [("authorization", authorization.as_str()), ("content-type", kind)];
            client.send(Method::POST, "/v1/orders", &headers, body).await
        }
    };
    let good = order(&[(SKU, 1)]).to_string();
    for body in ["", "{", "{} {}", "\u{feff}{}", "nonsense", "{\"a\":01}"] {
        let answer = send("application/json", body.to_owned()).await;
        assert_eq!(answer.status, 400, "{body:?}: {}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
    }
    send("text/plain", good.clone()).await.expect(415);
    send("application/x-www-form-urlencoded", good.clone()).await.expect(415);
    send("application/json", format!("{}{}", " ".repeat(1 << 20), good)).await.expect(413);
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    let answer = send("application/json", deep).await;
    assert!(matches!(answer.status.as_u16(), 400 | 422), "{}", answer.status);
    assert_eq!(shop.on_hand(SKU).await, 5);
    send("application/json; charset=utf-8", good).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_paths_wrong_methods_and_bad_queries_are_told_apart() {
    let shop = Shop::with_product(5, 0, 10).await;
    for path in
        ["/v1", "/v1/nothing", "/v2/orders", "/v1/orders/x/y", "/index.php", "/internal/nothing/drain"]
    {
        let answer = shop.client.get(OPERATOR, path).await;
        assert_eq!(answer.status, 404, "{path}: {}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path}");
    }
    for (method, path, allowed) in [
        (Method::DELETE, "/v1/orders", "POST"),
        (Method::POST, "/v1/products", "GET"),
        (Method::DELETE, "/v1/products/x", "PUT"),
        (Method::PUT, "/v1/queues", "GET"),
        (Method::GET, "/v1/queues/replenishment/redrive", "POST"),
        (Method::GET, "/internal/tick", "POST"),
        (Method::GET, "/internal/replenishment/drain", "POST"),
        (Method::POST, "/healthz", "GET"),
    ] {
        let headers = [("authorization", "Bearer operator-key")];
        let answer = shop.client.send(method.clone(), path, &headers, "").await;
        assert_eq!(answer.status, 405, "{method} {path}: {}", answer.text);
        assert!(answer.header("allow").is_some_and(|allow| allow.contains(allowed)), "{method} {path}");
    }
    for query in ["limit=0", "limit=201", "limit=x", "limit=-1", "cursor=%21%21"] {
        let answer = shop.client.get(VIEWER, &format!("/v1/products?{query}")).await;
        assert_eq!(answer.status, 422, "{query}: {}", answer.text);
    }
    shop.client.get(VIEWER, "/v1/production?status=lost").await.expect(422);
    for path in [
        "/v1/products/no-such",
        "/v1/stock/no-such/movements",
        "/v1/orders/no-such",
        "/v1/production/no-such",
    ] {
        shop.client.get(OPERATOR, path).await.expect(404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_is_turned_away_hears_why_however_much_it_still_sends() {
    let shop = Shop::with_product(5, 0, 10).await;
    let much = vec![b' '; 8 << 20];
    let storefront = format!("Bearer {STOREFRONT}");
    for (status, path, authorization, kind) in [
        (401, "/v1/orders", "Bearer nobody", "application/json"),
        (403, "/v1/queues/replenishment/pause", storefront.as_str(), "application/json"),
        (404, "/v1/no-such-thing", storefront.as_str(), "application/json"),
        (413, "/v1/orders", storefront.as_str(), "application/json"),
        (415, "/v1/orders", storefront.as_str(), "text/plain"),
    ] {
        for _ in 0..3 {
            let headers = [("authorization", authorization), ("content-type", kind)];
            let answer = shop.client.try_send(Method::POST, path, &headers, much.clone()).await;
            let answer = answer.unwrap_or_else(|error| panic!("{status} was lost: {error:#}"));
            assert_eq!(answer.status, status, "{path}: {}", answer.text);
        }
    }
    shop.audit().await;
}

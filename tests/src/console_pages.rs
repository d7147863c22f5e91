//! Claim: the pages of production, orders, customers and returns show what the shop knows, all of it, to whoever may look; what operators do
//! there is asked for first, done once, and refused to everybody else.
//! Method: a real shop with orders, goods, VIPs and returns, and its pages over HTTP as a browser without scripts asks for them.
//! Needs: the built components.

use http::Method;
use restock_sandbox::logistics::{Flaw, FlawKind, Return};
use serde_json::{Value, json};

use crate::parcels::{collect, holding, only, returns, settle};
use crate::support::{OPERATOR, SKU, STOREFRONT, Shop, VIEWER, backorder, items, order};
use crate::visitor::Visitor;

/// A name that would break out of a page.
const HOSTILE: &str = "<script>alert(1)</script>";

fn id(value: &Value) -> &str {
    value["id"].as_str().expect("an id")
}

/// The addresses of links, in the order of the page.
fn links(page: &str) -> Vec<String> {
    page.split("href=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(|link| link.replace("&amp;", "&"))
        .collect()
}

/// Where the next page of the list is.
fn next(page: &str) -> Option<String> {
    let (_, rest) = page.split_once("rel=\"next\" href=\"")?;
    rest.split('"').next().map(|link| link.replace("&amp;", "&"))
}

/// Walks a list from page to page, and says what its links that begin so lead to.
async fn walk(visitor: &Visitor, first: &str, prefix: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut at = Some(first.to_owned());
    while let Some(path) = at {
        let page = visitor.page(&path).await;
        let rows = links(&page).into_iter().filter_map(|link| link.strip_prefix(prefix).map(str::to_owned));
        found.extend(rows.filter(|id| id.len() == 36));
        at = next(&page).map(|next| format!("{next}&limit=2"));
        assert!(found.len() < 100, "the list has an end");
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_production_request_shows_every_number_that_led_to_it() {
    let shop = Shop::with_product(10, 4, 50).await;
    let visitor = Visitor::of(&shop, VIEWER).await;
    let nothing = visitor.page("/production").await;
    assert!(nothing.contains("Nothing was asked of a factory yet."), "{nothing}");
    let placed = shop.client.order(SKU, 7).await.expect(201);
    let request = shop.only_production().await;
    let path = format!("/production/{}", id(&request));
    let list = visitor.page("/production").await;
    assert!(links(&list).contains(&path), "{list}");
    assert!(visitor.page(&format!("/production?sku={SKU}")).await.contains(&path));
    assert!(!visitor.page("/production?status=received").await.contains(&path));

    let one = visitor.page(&path).await;
    let why =
        one.split("<ol class=\"why\">").nth(1).expect("a reason").split("</ol>").next().expect("an end");
    let numbers: Vec<_> = why
        .split("<data")
        .skip(1)
        .filter_map(|rest| rest.split("value=\"").nth(1)?.split('"').next())
        .collect();
    // 3 + 0 - 0 = 3; 3 <= 4; 50 - 3 = 47; so 47 were asked for.
    assert_eq!(numbers, ["3", "0", "0", "3", "3", "4", "50", "3", "47", "47"], "{why}");
    let trace = id(&placed).replace('-', "");
    assert!(one.contains(&trace), "the request is of the trace of its order: {one}");

    shop.settle().await;
    shop.finish_jobs(1).await;
    assert!(visitor.page("/production?status=received").await.contains(&path));
    assert!(visitor.page(&path).await.contains("The goods came and are on the shelf."));
    for (path, status, says) in [
        ("/production/019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b", 404, "There is no production request"),
        ("/production/a%20b", 404, "There is no production request"),
        ("/production?sku=a%20b", 422, "A SKU is 1 to 64"),
        ("/production?sku=other", 200, "No request of product"),
    ] {
        let answer = visitor.get(path).await;
        assert!(answer.status.as_u16() == status && answer.text.contains(says), "{path}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn orders_are_listed_found_and_shown_with_what_was_short() {
    let shop = Shop::with_product(5, 0, 50).await;
    let visitor = Visitor::of(&shop, VIEWER).await;
    assert!(visitor.page("/orders").await.contains("No order was placed yet."));
    let accepted = shop.client.order(SKU, 3).await.expect(201);
    let rejected = shop.client.order(SKU, 9).await.expect(409);
    let mut named = backorder(&[(SKU, 8)]);
    named["customer"] = json!({"id": "c-2", "name": HOSTILE});
    let waiting = shop.client.post(STOREFRONT, "/v1/orders", named).await.expect(202);
    let (accepted, waiting) = (id(&accepted), id(&waiting));
    let rejected = rejected["order_id"].as_str().expect("an id");

    assert_eq!(
        walk(&visitor, "/orders?limit=2", "/orders/").await,
        [waiting, rejected, accepted],
        "newest first"
    );
    assert_eq!(walk(&visitor, "/orders?show=waiting", "/orders/").await, [waiting]);
    assert_eq!(walk(&visitor, "/orders?show=rejected", "/orders/").await, [rejected]);
    assert_eq!(walk(&visitor, "/orders?customer=c-1&limit=1", "/orders/").await, [rejected, accepted]);

    let found = visitor.get(&format!("/orders?id=+{}", waiting.to_uppercase())).await;
    assert_eq!(
        (found.status.as_u16(), found.header("location")),
        (303, Some(format!("/orders/{waiting}").as_str()))
    );
    let one = visitor.page(&format!("/orders/{waiting}")).await;
    assert!(one.contains("&lt;script&gt;") && !one.contains(HOSTILE), "{one}");
    assert!(one.contains("What was short") && one.contains(&waiting.replace('-', "")), "{one}");
    assert!(links(&one).contains(&"/customers/c-2".to_owned()), "{one}");
    assert!(one.contains("It waits for goods."), "{one}");
    shop.settle().await;
    shop.finish_jobs(1).await;
    assert!(visitor.page(&format!("/orders/{waiting}")).await.contains("was filled when they came"));
    assert!(visitor.page("/orders?show=waiting").await.contains("No order waits for goods."));

    for (path, status, says) in [
        ("/orders?id=019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b", 404, "There is no order"),
        ("/orders?id=%3Cb%3E", 422, "An order id is a UUID"),
        ("/orders?customer=a+b", 422, "A customer id is 1 to 64"),
        ("/orders?customer=nobody", 200, "No order of customer"),
        ("/orders/nothing", 404, "There is no order"),
        ("/orders?show=lost", 422, "?show"),
        ("/orders?cursor=lost", 422, "?cursor"),
    ] {
        let answer = visitor.get(path).await;
        assert!(answer.status.as_u16() == status && answer.text.contains(says), "{path}: {}", answer.text);
    }
    let korean = visitor.in_korean("/orders?id=nothing").await;
    assert!(korean.contains("주문 ") && !korean.contains("There is no order"), "{korean}");
}

#[tokio::test(flavor = "multi_thread")]
async fn customers_are_shown_with_the_vips_first_and_with_their_orders() {
    let shop = Shop::connected().await;
    let visitor = Visitor::of(&shop, VIEWER).await;
    assert!(visitor.page("/customers").await.contains("Nobody bought in bulk yet."));
    assert!(visitor.page("/customers?show=buyers").await.contains("Nobody bought anything yet."));
    shop.define(SKU, 500, 0, 100).await;
    for (customer, units) in [("few", 1), ("many", 120), ("many", 2)] {
        let mut body = order(&[(SKU, units)]);
        body["customer"] = json!({"id": customer, "name": HOSTILE});
        shop.client.post(STOREFRONT, "/v1/orders", body).await.expect(201);
    }
    let mut refused = order(&[(SKU, 9_000)]);
    refused["customer"] = json!({"id": "unlucky"});
    shop.client.post(STOREFRONT, "/v1/orders", refused).await.expect(409);
    shop.settle_all().await;

    let vips = visitor.page("/customers").await;
    assert!(links(&vips).contains(&"/customers/many".to_owned()), "{vips}");
    assert!(!links(&vips).contains(&"/customers/few".to_owned()), "{vips}");
    let buyers = visitor.page("/customers?show=buyers").await;
    let rows: Vec<_> = links(&buyers).into_iter().filter(|link| link.starts_with("/customers/")).collect();
    assert_eq!(rows, ["/customers/few", "/customers/many"]);
    let one = visitor.page("/customers/many?limit=1").await;
    assert!(one.contains("VIP since") && one.contains("122"), "{one}");
    assert!(one.contains("&lt;script&gt;") && !one.contains(HOSTILE), "{one}");
    assert_eq!(walk(&visitor, "/customers/many?limit=1", "/orders/").await.len(), 2);
    let unlucky = visitor.page("/customers/unlucky").await;
    assert!(unlucky.contains("No order of theirs was accepted so far."), "{unlucky}");

    let found = visitor.get("/customers?id=unlucky").await;
    assert_eq!((found.status.as_u16(), found.header("location")), (303, Some("/customers/unlucky")));
    for (path, status, says) in [
        ("/customers?id=nobody", 404, "Nothing is known of a customer"),
        ("/customers?id=a/b", 422, "A customer id is 1 to 64"),
        ("/customers/nobody", 404, "Nothing is known of a customer"),
    ] {
        let answer = visitor.get(path).await;
        assert!(answer.status.as_u16() == status && answer.text.contains(says), "{path}: {}", answer.text);
    }
}

/// A shop whose goods of two orders came back and wait for an operator.
async fn with_goods_that_wait() -> (Shop, Vec<Value>) {
    let shop = Shop::with_returns(|_, _| {}).await;
    shop.define(SKU, 20, 0, 100).await;
    for (key, units) in [("order-1", 4), ("order-2", 3)] {
        shop.client.order_with_key(key, &order(&[(SKU, units)])).await.expect(201);
        let wish = Return {
            order_number: key.to_owned(),
            order_item_number: "1".to_owned(),
            shipment_number: format!("SHP_{key}"),
        };
        shop.world().logistics.add_return(wish).unwrap();
    }
    shop.world().logistics.deliver_all();
    collect(&shop).await;
    settle(&shop, 2).await;
    let mut waiting = returns(&shop, "&goods=waiting").await;
    waiting.sort_by_key(|one| one["order_number"].to_string());
    assert_eq!(waiting.len(), 2);
    (shop, waiting)
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_are_listed_found_and_shown_with_what_the_partner_said() {
    let (shop, waiting) = with_goods_that_wait().await;
    let visitor = Visitor::of(&shop, VIEWER).await;
    let mut all: Vec<_> = waiting.iter().map(|one| id(one).to_owned()).collect();
    all.sort();
    for first in ["/returns?limit=1", "/returns?status=reported&limit=1", "/returns?goods=waiting&limit=1"] {
        let mut found = walk(&visitor, first, "/returns/").await;
        found.sort();
        assert_eq!(found, all, "{first}");
    }
    for search in ["/returns?order_number=order-1", "/returns?shipment_number=+SHP_order-1"] {
        assert_eq!(walk(&visitor, search, "/returns/").await, [id(&waiting[0])], "{search}");
    }
    let one = visitor.page(&format!("/returns/{}", id(&waiting[0]))).await;
    assert!(one.contains("What the partner said") && one.contains("delivered"), "{one}");
    assert!(
        !one.contains("/receive\"") && !one.contains("/discard\"") && !one.contains("/returns/replay"),
        "{one}"
    );
    for (path, status, says) in [
        ("/returns?order_number=lost", 200, "No return has the number"),
        ("/returns?order_number=%00", 422, "A number is a text"),
        ("/returns?order_number=a&status=reported", 422, "Only one of"),
        ("/returns?status=lost", 422, "?status"),
        ("/returns?status=collected", 200, "No return is in this state."),
        ("/returns/nothing", 404, "There is no return"),
    ] {
        let answer = visitor.get(path).await;
        assert!(answer.status.as_u16() == status && answer.text.contains(says), "{path}: {}", answer.text);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_is_asked_and_then_receives_or_discards_goods_once() {
    let (shop, waiting) = with_goods_that_wait().await;
    let operator = Visitor::of(&shop, OPERATOR).await;
    let path = |nth: usize, action: &str| format!("/returns/{}{action}", id(&waiting[nth]));
    let one = operator.page(&path(0, "")).await;
    assert!(
        links(&one).contains(&path(0, "/receive")) && links(&one).contains(&path(0, "/discard")),
        "{one}"
    );
    let asked = operator.page(&path(0, "/receive")).await;
    assert!(asked.contains("is not back yet") && asked.contains("value=\"4\""), "{asked}");
    assert_eq!(shop.on_hand(SKU).await, 13, "a question changes nothing");

    for (fields, status, says) in [
        (
            [("sku", SKU), ("quantity", "5"), ("reason", "")],
            409,
            "of what the order sold are still to come back",
        ),
        ([("sku", "other"), ("quantity", "1"), ("reason", "")], 422, "There is no product with this SKU."),
        ([("sku", SKU), ("quantity", "two"), ("reason", "")], 422, "The units must be a whole number"),
        ([("sku", "a b"), ("quantity", "1"), ("reason", "")], 422, "The product must be a SKU"),
    ] {
        let answer = operator.send(&path(0, "/receive"), &fields).await;
        assert!(answer.status.as_u16() == status && answer.text.contains(says), "{}", answer.text);
        assert!(
            answer.text.contains(&format!("value=\"{}\"", fields[1].1)),
            "what was typed stays: {}",
            answer.text
        );
    }
    assert_eq!(shop.on_hand(SKU).await, 13);
    for _ in 0..2 {
        let fields = [("sku", SKU), ("quantity", "3"), ("reason", HOSTILE)];
        let done = operator.send(&path(0, "/receive"), &fields).await;
        assert_eq!(done.status.as_u16(), 303, "{}", done.text);
        let after = operator.page(done.header("location").expect("the return")).await;
        assert!(after.contains("The goods are on the shelf."), "{after}");
        assert!(after.contains("&lt;script&gt;") && !after.contains(HOSTILE), "{after}");
    }
    assert_eq!(shop.on_hand(SKU).await, 16);
    let late = operator.send(&path(0, "/discard"), &[]).await;
    assert!(late.status.as_u16() == 409 && late.text.contains("were received before"), "{}", late.text);
    assert_eq!(operator.get(&path(0, "/receive")).await.status.as_u16(), 409);

    let asked = operator.page(&path(1, "/discard")).await;
    assert!(asked.contains("It cannot be undone."), "{asked}");
    let done = operator.send(&path(1, "/discard"), &[("reason", "mould")]).await;
    let after = operator.page(done.header("location").expect("the return")).await;
    assert!(after.contains("never go back on the shelf") && after.contains("mould"), "{after}");
    assert_eq!(shop.on_hand(SKU).await, 16);
    let done = items(shop.client.get(VIEWER, "/v1/operations").await.expect(200));
    let count = |kind: &str| done.iter().filter(|one| one["kind"] == kind).count();
    assert_eq!((count("return.receive"), count("return.discard")), (1, 1), "{done:?}");
    assert_eq!(operator.send("/returns/nothing/receive", &[]).await.status.as_u16(), 404);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_and_forged_forms_change_nothing_of_returns() {
    let (shop, waiting) = with_goods_that_wait().await;
    let viewer = Visitor::of(&shop, VIEWER).await;
    let operator = Visitor::of(&shop, OPERATOR).await;
    let numbers =
        [("order_number", "order-1"), ("order_item_number", "1"), ("shipment_number", "SHP_order-1")];
    let receive = format!("/returns/{}/receive", id(&waiting[0]));
    let discard = format!("/returns/{}/discard", id(&waiting[0]));
    for path in [receive.as_str(), discard.as_str(), "/returns/replay"] {
        for answer in [viewer.send(path, &numbers).await, viewer.get(path).await] {
            assert_eq!(answer.status.as_u16(), 403, "{path}: {}", answer.text);
            assert!(answer.text.contains("change nothing"), "{path}: {}", answer.text);
        }
        let forged = operator.send_without_token(path, &numbers).await;
        assert_eq!(forged.status.as_u16(), 403, "{path}: {}", forged.text);
        let stranger = shop.client.send(Method::POST, path, &[("accept", "text/html")], "").await;
        assert!(stranger.status.is_client_error(), "{path}: {}", stranger.text);
    }
    assert_eq!(shop.on_hand(SKU).await, 13);
    assert_eq!(returns(&shop, "&goods=waiting").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parcel_is_followed_after_what_will_happen_was_said() {
    let shop = holding(1).await;
    collect(&shop).await;
    let known = only(&shop).await;
    let operator = Visitor::of(&shop, OPERATOR).await;
    let path = format!("/returns/{}", id(&known));
    let early = operator.get(&format!("{path}/receive")).await;
    assert!(early.status.as_u16() == 409 && early.text.contains("not reported yet"), "{}", early.text);

    let number = |name: &str| known[name].as_str().expect("a number").to_owned();
    let (order, item, shipment) =
        (number("order_number"), number("order_item_number"), number("shipment_number"));
    let form = operator.page(&path).await;
    let form = links(&form).into_iter().find(|link| link.starts_with("/returns/replay?")).expect("a way");
    let form = operator.page(&form).await;
    assert!(form.contains(&format!("value=\"{shipment}\"")), "{form}");
    let with = |shipment: &str| {
        format!("/returns/replay?order_number={order}&order_item_number={item}&shipment_number={shipment}")
    };
    assert!(operator.page(&with(&shipment)).await.contains("is asked for its shipment now"));
    assert!(operator.page(&with("SHP_other")).await.contains("is followed instead"));
    assert!(
        operator
            .page("/returns/replay?order_number=new&order_item_number=1&shipment_number=S")
            .await
            .contains("becomes a return")
    );
    let wrong = operator.get("/returns/replay?order_number=new").await;
    assert!(wrong.status.as_u16() == 422 && wrong.text.contains("Shipment number"), "{}", wrong.text);
    assert_eq!(
        only(&shop).await["shipment_number"].as_str(),
        Some(shipment.as_str()),
        "a question changes nothing"
    );

    let numbers =
        |order| [("order_number", order), ("order_item_number", "1"), ("shipment_number", "SHP_new")];
    let done = operator.send("/returns/replay", &numbers("new")).await;
    let begun = operator.page(done.header("location").expect("the return")).await;
    assert!(begun.contains("The return is new here") && begun.contains("SHP_new"), "{begun}");
    let done = operator.send("/returns/replay", &numbers("new")).await;
    let resumed = operator.page(done.header("location").expect("the return")).await;
    assert!(resumed.contains("followed again"), "{resumed}");
    let faulty = operator.send("/returns/replay", &numbers("")).await;
    assert_eq!(faulty.status.as_u16(), 422, "{}", faulty.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn collections_and_records_that_were_set_aside_are_listed() {
    let shop = holding(8).await;
    let visitor = Visitor::of(&shop, VIEWER).await;
    assert!(visitor.page("/returns/collections").await.contains("was not read yet"));
    assert!(visitor.page("/returns/set-aside").await.contains("No record was set aside."));
    let flaw = Flaw { kind: FlawKind::NoShipmentNumber, every: 4, first: 0 };
    shop.world().logistics.turn(|knobs| knobs.flaws = vec![flaw]).unwrap();
    collect(&shop).await;
    let collections = visitor.page("/returns/collections").await;
    assert!(collections.contains("finished"), "{collections}");
    let aside = visitor.page("/returns/set-aside?limit=1").await;
    assert!(aside.contains("no-shipment-number"), "{aside}");
    let second = visitor.page(&next(&aside).expect("another page")).await;
    assert_ne!(second, aside);
    assert!(second.contains("no-shipment-number") && second.contains("First page"), "{second}");
}

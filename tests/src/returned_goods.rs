//! Claim: goods that are back are received at most once and never more often than they were sold, by the shop itself or by an operator;
//! a replay follows a parcel again, whatever became of it.
//! Method: a logistics stand-in whose returns are of orders that were just placed; the clock moved by hand.
//! Needs: the built components.

use restock_sandbox::logistics::{Call, Return};
use serde_json::{Value, json};

use crate::parcels::{TRACKING_SECONDS, collect, holding, one, only, rejects, returns, settle, work};
use crate::support::{OPERATOR, SKU, STOREFRONT, Shop, VIEWER, backorder, eventually, items, order};

/// A return of what was bought of us: one line of an order that was just placed.
async fn return_of(shop: &Shop, key: &str, units: u64, item: &str) {
    shop.client.order_with_key(key, &order(&[(SKU, units)])).await.expect(201);
    let wish = Return {
        order_number: key.to_owned(),
        order_item_number: item.to_owned(),
        shipment_number: format!("SHP_{key}_{item}"),
    };
    shop.world().logistics.add_return(wish).unwrap();
    shop.world().logistics.deliver_all();
}

async fn on_hand(shop: &Shop) -> i64 {
    shop.product(SKU).await["on_hand"].as_i64().expect("units")
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_of_ours_go_back_on_the_shelf_once_and_fill_an_order_that_waits() {
    let shop = Shop::with_returns(|variables, _| {
        variables.insert("return_to_stock".into(), "on".into());
    })
    .await;
    shop.define(SKU, 5, 0, 100).await;
    return_of(&shop, "order-1", 5, "1").await;
    let waiting = shop.client.post(STOREFRONT, "/v1/orders", backorder(&[(SKU, 3)])).await.expect(202);
    assert_eq!(on_hand(&shop).await, 0);
    collect(&shop).await;
    settle(&shop, 1).await;
    let back = only(&shop).await;
    assert_eq!(
        (&back["goods"], &back["sku"], &back["quantity"]),
        (&json!("received"), &json!(SKU), &json!(5))
    );
    let path = format!("/v1/orders/{}", waiting["id"].as_str().expect("an id"));
    assert_eq!(shop.client.get(STOREFRONT, &path).await.expect(200)["status"], "accepted");
    assert_eq!(on_hand(&shop).await, 2);
    let ledger = items(shop.client.get(VIEWER, &format!("/v1/stock/{SKU}/movements")).await.expect(200));
    let returned: Vec<_> = ledger.iter().filter(|row| row["kind"] == "returned").collect();
    assert_eq!(returned.len(), 1, "{ledger:?}");
    assert_eq!((&returned[0]["delta"], &returned[0]["return_id"]), (&json!(5), &back["id"]));
    for _ in 0..2 {
        collect(&shop).await;
    }
    assert_eq!(on_hand(&shop).await, 2);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_two_returns_name_of_one_line_is_received_no_more_often_than_it_was_sold() {
    let shop = Shop::with_returns(|variables, _| {
        variables.insert("return_to_stock".into(), "on".into());
    })
    .await;
    shop.define(SKU, 5, 0, 100).await;
    return_of(&shop, "order-1", 5, "1").await;
    let again = Return {
        order_number: "order-1".into(),
        order_item_number: SKU.into(),
        shipment_number: "SHP_again".into(),
    };
    shop.world().logistics.add_return(again).unwrap();
    shop.world().logistics.deliver_all();
    collect(&shop).await;
    settle(&shop, 2).await;
    assert_eq!(on_hand(&shop).await, 5);
    assert_eq!(returns(&shop, "&goods=received").await.len(), 1);
    assert_eq!(returns(&shop, "&goods=not-ours").await.len(), 1);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_an_operator_receives_or_discards_once() {
    let shop = Shop::with_returns(|_, _| {}).await;
    shop.define(SKU, 20, 0, 100).await;
    return_of(&shop, "order-1", 4, "1").await;
    return_of(&shop, "order-2", 3, SKU).await;
    collect(&shop).await;
    settle(&shop, 2).await;
    assert_eq!(on_hand(&shop).await, 13);
    let waiting = returns(&shop, "&goods=waiting").await;
    assert_eq!(waiting.len(), 2);
    let path = |order: &str, action: &str| {
        let one = waiting.iter().find(|one| one["order_number"] == order).expect("a return");
        format!("/v1/returns/{}/{action}", one["id"].as_str().expect("an id"))
    };
    let seen = one(&shop, waiting.iter().find(|one| one["order_number"] == "order-1").unwrap()).await;
    assert_eq!(seen["match"], json!({"sku": SKU, "quantity": 4}), "{seen}");
    shop.client.post(VIEWER, &path("order-1", "receive"), json!({})).await.expect(403);
    for _ in 0..2 {
        let body = json!({"quantity": 3, "reason": "one is broken"});
        let back = shop.client.post(OPERATOR, &path("order-1", "receive"), body).await.expect(200);
        assert_eq!((&back["goods"], &back["quantity"]), (&json!("received"), &json!(3)));
        assert_eq!(on_hand(&shop).await, 16);
    }
    shop.client.post(OPERATOR, &path("order-1", "discard"), json!({"reason": "no"})).await.expect(409);
    for _ in 0..2 {
        let gone = shop.client.post(OPERATOR, &path("order-2", "discard"), json!({"reason": "mould"})).await;
        assert_eq!(gone.expect(200)["goods"], "discarded");
    }
    shop.client.post(OPERATOR, &path("order-2", "receive"), json!({})).await.expect(409);
    assert_eq!(on_hand(&shop).await, 16);
    let done = items(shop.client.get(VIEWER, "/v1/operations").await.expect(200));
    let kinds: Vec<_> = done.iter().filter_map(|one| one["kind"].as_str()).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == "return.receive").count(), 1, "{kinds:?}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "return.discard").count(), 1, "{kinds:?}");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn goods_sold_elsewhere_are_received_by_naming_them_and_nothing_before_the_report() {
    let shop = holding(1).await;
    collect(&shop).await;
    let path = format!("/v1/returns/{}/receive", only(&shop).await["id"].as_str().expect("an id"));
    let named = json!({"sku": SKU, "quantity": 2});
    shop.client.post(OPERATOR, &path, named.clone()).await.expect(409);
    shop.world().logistics.deliver_all();
    shop.pass(TRACKING_SECONDS).await;
    settle(&shop, 1).await;
    shop.client.post(OPERATOR, &path, json!({})).await.expect(409);
    let unknown = shop.client.post(OPERATOR, &path, json!({"sku": "nothing", "quantity": 2})).await;
    assert!(unknown.status.is_client_error(), "{}", unknown.text);
    shop.client.post(OPERATOR, &path, named).await.expect(200);
    assert_eq!(on_hand(&shop).await, 7);
    shop.client.post(OPERATOR, "/v1/returns/nothing/receive", json!({})).await.expect(404);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn with_the_shelf_left_alone_nothing_moves() {
    let shop = Shop::with_returns(|variables, _| {
        variables.insert("return_to_stock".into(), "off".into());
    })
    .await;
    shop.define(SKU, 5, 0, 100).await;
    return_of(&shop, "order-1", 4, "1").await;
    collect(&shop).await;
    settle(&shop, 1).await;
    assert_eq!((only(&shop).await["goods"].as_str(), on_hand(&shop).await), (Some("left"), 1));
}

/// The event form of a replay.
fn replay(shipment: &str, order: &str, item: &str) -> Value {
    json!({"body": {"Attribute": {
        "shipment_number": shipment, "order_number": order, "order_item_number": item}}})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_follows_a_parcel_now_whatever_became_of_it() {
    let shop = holding(2).await;
    let path = "/v1/returns/replay";
    // Before anything was collected: it begins here.
    let held = shop.world().logistics.returns().remove(0);
    let event = replay(&held.shipment_number, &held.order_number, &held.order_item_number);
    let begun = shop.client.post(OPERATOR, path, event.clone()).await;
    assert!(begun.status.is_success(), "{}", begun.text);
    assert_eq!(begun.json["outcome"], "begun");
    work(&shop).await;
    let known = &returns(&shop, &format!("&order_number={}", held.order_number)).await;
    assert_eq!(known.len(), 1, "{known:?}");
    collect(&shop).await;
    assert_eq!(returns(&shop, "").await.len(), 2, "the list does not make it a second one");

    // Hours away from the next look: it is looked at now.
    shop.world().logistics.deliver_all();
    let looks = shop.world().logistics.stats().calls.tracking;
    let resumed = shop.client.post(OPERATOR, path, event.clone()).await;
    assert_eq!(resumed.json["outcome"], "resumed", "{}", resumed.text);
    eventually("it is reported", async || {
        shop.drain_of("returns").await;
        (shop.world().logistics.stats().reported >= 1).then_some(())
    })
    .await;
    work(&shop).await;
    assert_eq!(shop.world().logistics.stats().calls.tracking, looks + 1);

    // Done is done.
    let over = shop.client.post(OPERATOR, path, event.clone()).await;
    assert_eq!(over.expect(200)["outcome"], "over");
    work(&shop).await;
    assert_eq!(shop.world().logistics.stats().repeated, 0);

    shop.client.post(VIEWER, path, event).await.expect(403);
    let wrong = shop.client.post(OPERATOR, path, replay("", "1", "2")).await;
    assert!(wrong.text.contains("shipment_number"), "{}", wrong.text);
    wrong.expect(422);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replay_redrives_a_dead_letter_and_corrects_its_number() {
    let shop = holding(0).await;
    let logistics = &shop.world().logistics;
    let right = Return {
        order_number: "1234".into(),
        order_item_number: "123123".into(),
        shipment_number: "SHP_00000579".into(),
    };
    logistics.add_return(right).unwrap();
    logistics.deliver_all();
    logistics.turn(|knobs| (knobs.faults_on, knobs.refuse) = (vec![Call::Tracking], Some(422))).unwrap();
    let wrong = replay("SHP_wrong", "1234", "123123");
    shop.client.post(OPERATOR, "/v1/returns/replay", wrong).await;
    work(&shop).await;
    assert_eq!(shop.buried("returns").await.len(), 1);
    logistics.turn(|knobs| knobs.refuse = None).unwrap();
    let answer =
        shop.client.post(OPERATOR, "/v1/returns/replay", replay("SHP_00000579", "1234", "123123")).await;
    assert_eq!(answer.json["outcome"], "resumed", "{}", answer.text);
    settle(&shop, 1).await;
    assert_eq!(only(&shop).await["shipment_number"], "SHP_00000579");
    assert_eq!(shop.buried("returns").await.len(), 0);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_return_that_is_listed_with_another_shipment_is_set_aside_for_a_person() {
    let shop = holding(1).await;
    collect(&shop).await;
    let held = shop.world().logistics.returns().remove(0);
    shop.client
        .post(
            OPERATOR,
            "/v1/returns/replay",
            replay("SHP_by_hand", &held.order_number, &held.order_item_number),
        )
        .await;
    collect(&shop).await;
    collect(&shop).await;
    let aside = rejects(&shop).await;
    assert_eq!(aside.len(), 1, "{aside:?}");
    assert_eq!(aside[0]["reason"], "shipment-differs");
    assert_eq!(only(&shop).await["shipment_number"], "SHP_by_hand");
}

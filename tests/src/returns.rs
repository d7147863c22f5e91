//! Claim: every return on the partner's list is followed, reported once it is back, and received at most once, whatever the partner
//! answers in between; what nobody can follow is kept aside for people.
//! Method: a logistics stand-in with its faults, the clock moved by hand.
//! Needs: the built components.

use std::time::Duration;

use restock_sandbox::logistics::{Busy, Call, Flaw, FlawKind, Garbage, Return};
use serde_json::{Value, json};

use crate::support::{OPERATOR, SKU, STOREFRONT, Shop, VIEWER, backorder, eventually, items, order};

/// A collection begins so often in these tests, and so long is the first wait between two looks at a parcel, in seconds.
const EVERY_SECONDS: u64 = 60;
const TRACKING_SECONDS: u64 = 300;
/// The wait grows to so many times the first one, and the parcel is given up after so many days.
const WAIT_GROWS_TO: u64 = 72;
const AGE_MAX_DAYS: u64 = 45;

/// A shop whose partner holds so many returns.
async fn holding(returns: usize) -> Shop {
    let shop = Shop::with_returns(|_, _| {}).await;
    shop.define(SKU, 5, 0, 100).await;
    shop.world().logistics.set_returns(returns).unwrap();
    shop
}

/// The same, all of them back already.
async fn holding_delivered(returns: usize) -> Shop {
    let shop = holding(returns).await;
    shop.world().logistics.deliver_all();
    shop
}

/// Works off what is due, until nothing is. A bell calls a worker of its own, so one look at an empty queue is none: what the other
/// one holds can lead to more.
async fn work(shop: &Shop) {
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
async fn collect(shop: &Shop) {
    shop.pass(EVERY_SECONDS).await;
    work(shop).await;
}

/// Works until every return is reported, moving the clock past every backoff.
async fn settle(shop: &Shop, returns: u64) {
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

async fn returns(shop: &Shop, query: &str) -> Vec<Value> {
    items(shop.client.get(VIEWER, &format!("/v1/returns?limit=200{query}")).await.expect(200))
}

/// The only return, as a whole.
async fn only(shop: &Shop) -> Value {
    let all = returns(shop, "").await;
    assert_eq!(all.len(), 1, "{all:?}");
    one(shop, &all[0]).await
}

async fn one(shop: &Shop, of: &Value) -> Value {
    let id = of["id"].as_str().expect("an id");
    shop.client.get(VIEWER, &format!("/v1/returns/{id}")).await.expect(200)
}

/// The newest collection.
async fn collection(shop: &Shop) -> Value {
    items(shop.client.get(VIEWER, "/v1/return-collections").await.expect(200)).remove(0)
}

async fn rejects(shop: &Shop) -> Vec<Value> {
    items(shop.client.get(VIEWER, "/v1/return-rejects").await.expect(200))
}

fn said(shop: &Shop) -> Vec<String> {
    let messages = shop.world().slack.messages();
    messages.into_iter().map(|message| format!("{} {}", message.text, message.blocks)).collect()
}

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
async fn a_return_is_collected_followed_and_reported_once() {
    let shop = holding(3).await;
    collect(&shop).await;
    let all = returns(&shop, "&status=collected").await;
    assert_eq!(all.len(), 3);
    assert!(all.iter().all(|one| one["goods"] == "pending" && one["reported_at"] == Value::Null), "{all:?}");
    shop.world().logistics.advance();
    shop.pass(TRACKING_SECONDS).await;
    work(&shop).await;
    shop.world().logistics.deliver_all();
    shop.pass(TRACKING_SECONDS).await;
    work(&shop).await;

    let all = returns(&shop, "&status=reported").await;
    assert_eq!(all.len(), 3, "{}", shop.client.get(VIEWER, "/v1/returns").await.text);
    let whole = one(&shop, &all[0]).await;
    assert_eq!((&whole["goods"], &whole["partner_status"]), (&json!("not-ours"), &json!("delivered")));
    let words: Vec<&str> = whole["partner_statuses"]
        .as_array()
        .expect("a history")
        .iter()
        .map(|seen| seen["status"].as_str().expect("a status"))
        .collect();
    assert_eq!(words, ["registered", "collected", "in_transit", "delivered"]);
    for moment in ["collected_at", "tracked_at", "delivered_at", "reported_at"] {
        assert!(whole[moment].is_string(), "{moment}: {whole}");
    }
    for _ in 0..3 {
        collect(&shop).await;
    }
    let stats = shop.world().logistics.stats();
    assert_eq!((stats.reported, stats.repeated, stats.early), (3, 0, 0));
    assert_eq!(returns(&shop, "").await.len(), 3, "the list is the same, and so are its returns");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_look_at_a_parcel_is_minutes_away_at_first_and_hours_later_and_there_is_an_end() {
    let shop = holding(1).await;
    collect(&shop).await;
    let looks = || shop.world().logistics.stats().calls.tracking;
    assert_eq!(looks(), 1);
    shop.pass(TRACKING_SECONDS - 1).await;
    work(&shop).await;
    assert_eq!(looks(), 1, "too early");
    shop.pass(2).await;
    work(&shop).await;
    assert_eq!(looks(), 2);
    let mut days = Vec::new();
    for _ in 0..AGE_MAX_DAYS {
        let before = looks();
        for _ in 0..8 {
            shop.pass(3 * 60 * 60).await;
            work(&shop).await;
        }
        days.push(looks() - before);
    }
    assert!(days[0] > days[2], "{days:?}");
    let most_a_day = 24 * 60 * 60 / (TRACKING_SECONDS * WAIT_GROWS_TO);
    assert!(days[10..].iter().all(|looks| (1..=most_a_day).contains(looks)), "{days:?}");
    for _ in 0..8 {
        shop.pass(3 * 60 * 60).await;
        work(&shop).await;
    }
    let end = shop.buried("returns").await;
    assert_eq!(end.len(), 1);
    assert_eq!(end[0]["reason"], "logistics-undelivered");
    shop.settle_queues(&["alerts"]).await;
    assert!(said(&shop).iter().any(|words| words.contains("SHP_00000001")), "{:?}", said(&shop));

    // It comes back after all.
    shop.world().logistics.deliver_all();
    shop.redrive("returns").await;
    settle(&shop, 1).await;
    assert_eq!(only(&shop).await["status"], "reported");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_that_the_partner_does_not_know_is_told_once_and_tried_again() {
    let shop = holding(2).await;
    shop.world().logistics.turn(|knobs| (knobs.unknown_first, knobs.unknown_every) = (3, 2)).unwrap();
    collect(&shop).await;
    for _ in 0..2 {
        shop.pass(2 * TRACKING_SECONDS).await;
        work(&shop).await;
        shop.drain_of("alerts").await;
    }
    let unknown = &returns(&shop, "&shipment_number=SHP_00000002").await[0];
    assert!(unknown["unknown_since"].is_string(), "{unknown}");
    let told: Vec<_> = said(&shop).into_iter().filter(|words| words.contains("SHP_00000002")).collect();
    assert_eq!(told.len(), 1, "{:?}", said(&shop));
    assert!(!said(&shop).iter().any(|words| words.contains("SHP_00000001")), "{:?}", said(&shop));
    assert_eq!(shop.world().mail.mails().len(), 0, "talk for the chat");

    shop.world().logistics.deliver_all();
    shop.pass(2 * TRACKING_SECONDS).await;
    settle(&shop, 2).await;
    let known = &returns(&shop, "&shipment_number=SHP_00000002").await[0];
    assert_eq!((&known["unknown_since"], &known["status"]), (&Value::Null, &json!("reported")));
    shop.pass(120).await;
    shop.settle_queues(&["alerts"]).await;
    let open = items(shop.client.get(VIEWER, "/v1/incidents?open=true").await.expect(200));
    assert!(open.is_empty(), "{open:?}");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_records_are_kept_aside_with_their_reason_and_the_rest_go_on() {
    let shop = holding(40).await;
    let flaw = |kind, first| Flaw { kind, every: 8, first };
    shop.world()
        .logistics
        .turn(|knobs| {
            knobs.flaws = vec![
                flaw(FlawKind::NoShipmentNumber, 0),
                flaw(FlawKind::NullOrderNumber, 1),
                flaw(FlawKind::EmptyOrderItemNumber, 2),
                flaw(FlawKind::NoObject, 3),
                flaw(FlawKind::Duplicate, 4),
                flaw(FlawKind::NullId, 5),
                flaw(FlawKind::Numbers, 6),
            ];
        })
        .unwrap();
    shop.world().logistics.deliver_all();
    collect(&shop).await;
    settle(&shop, 20).await;
    assert_eq!(returns(&shop, "").await.len(), 20, "doubles, numbers and missing ids are no fault");
    let aside = rejects(&shop).await;
    let count = |reason: &str| aside.iter().filter(|one| one["reason"] == reason).count();
    for reason in ["no-shipment-number", "no-order-number", "no-order-item-number", "not-an-object"] {
        assert_eq!(count(reason), 5, "{reason}: {aside:?}");
    }
    assert!(aside.iter().all(|one| !one["record"].as_str().expect("its words").is_empty()));
    let run =
        items(shop.client.get(VIEWER, "/v1/return-collections").await.expect(200)).pop().expect("a run");
    assert_eq!((&run["collected"], &run["new"]), (&json!(45), &json!(20)), "{run}");
    assert_eq!((&run["rejected"], &run["failed"]), (&json!(20), &json!(20)), "{run}");
    shop.settle_queues(&["alerts"]).await;
    assert_eq!(said(&shop).len(), 1, "{:?}", said(&shop));
    assert!(said(&shop)[0].contains("20"), "{:?}", said(&shop));

    // The same list again is no news.
    collect(&shop).await;
    shop.settle_queues(&["alerts"]).await;
    assert_eq!(said(&shop).len(), 1, "{:?}", said(&shop));
    assert_eq!(rejects(&shop).await.len(), 20);
    assert_eq!(collection(&shop).await["failed"], 0);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_stands_in_place_of_the_list_the_collection_goes_on_later() {
    let shop = holding_delivered(5).await;
    let list = |page, garbage, refuse| {
        shop.world()
            .logistics
            .turn(|knobs| {
                knobs.faults_on = vec![Call::Returns];
                (knobs.list_page, knobs.garbage, knobs.refuse) = (page, garbage, refuse);
            })
            .unwrap();
    };
    let mut calls = 0;
    for (page, garbage, refuse) in [
        (Some(200), None, None),
        (Some(500), None, None),
        (None, Some(Garbage::Html), None),
        (None, Some(Garbage::BrokenJson), None),
        (None, Some(Garbage::Empty), None),
        (None, None, Some(502)),
        (None, None, Some(404)),
        (None, None, Some(401)),
    ] {
        list(page, garbage, refuse);
        shop.pass(301).await;
        shop.drain_of("returns").await;
        shop.rest().await;
        let now = shop.world().logistics.stats().calls.returns;
        assert!(now > calls, "{page:?} {garbage:?} {refuse:?}");
        calls = now;
        assert!(returns(&shop, "").await.is_empty());
        assert_eq!(collection(&shop).await["progress"], "running");
    }
    list(None, None, None);
    settle(&shop, 5).await;
    assert_eq!(shop.buried("returns").await.len(), 0);
    let runs = items(shop.client.get(VIEWER, "/v1/return-collections").await.expect(200));
    let first = runs.last().expect("the first run");
    assert_eq!((&first["progress"], &first["new"]), (&json!("finished"), &json!(5)), "{runs:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_list_is_a_collection_of_nothing() {
    let shop = holding(0).await;
    collect(&shop).await;
    let run = collection(&shop).await;
    assert_eq!(
        (&run["progress"], &run["collected"], &run["failed"]),
        (&json!("finished"), &json!(0), &json!(0))
    );
    assert!(returns(&shop, "").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_thousand_returns_on_one_list_are_collected_at_once_and_kept_once() {
    let shop = holding(30_000).await;
    // Only the list is answered: the rest can wait.
    let busy = Busy { status: 503, retry_after_seconds: Some(3_600) };
    shop.world()
        .logistics
        .turn(|knobs| (knobs.faults_on, knobs.busy) = (vec![Call::Tracking], Some(busy)))
        .unwrap();
    collect(&shop).await;
    let run = collection(&shop).await;
    assert_eq!(
        (&run["progress"], &run["collected"], &run["new"]),
        (&json!("finished"), &json!(30_000), &json!(30_000))
    );
    let count = |sql: &str| shop.database().query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM sales_return"), 30_000);
    assert_eq!(count("SELECT count(DISTINCT subject) FROM message WHERE subject <> 'collection'"), 30_000);
    let calls = shop.world().logistics.stats().calls.tracking;
    assert!(calls <= 64, "{calls} calls of a partner that wants to be left alone");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_result_that_is_true_is_a_report() {
    let shop = holding_delivered(2).await;
    shop.world().logistics.turn(|knobs| knobs.results_false_first = 2).unwrap();
    collect(&shop).await;
    assert_eq!(returns(&shop, "&status=delivered").await.len(), 2);
    settle(&shop, 2).await;
    let stats = shop.world().logistics.stats();
    assert_eq!((stats.not_taken, stats.reported, stats.repeated), (4, 2, 0));
    assert_eq!(returns(&shop, "&status=reported").await.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_is_never_taken_is_a_dead_letter_and_can_be_redriven() {
    let shop = Shop::with_returns(|variables, _| {
        variables.insert("attempts_max".into(), "3".into());
    })
    .await;
    shop.define(SKU, 1, 0, 100).await;
    shop.world().logistics.set_returns(1).unwrap();
    shop.world().logistics.deliver_all();
    shop.world().logistics.turn(|knobs| knobs.results_false_first = 4).unwrap();
    collect(&shop).await;
    for _ in 0..4 {
        shop.pass(61).await;
        work(&shop).await;
    }
    let letters = shop.buried("returns").await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(only(&shop).await["status"], "delivered");
    // The next summary counts it.
    collect(&shop).await;
    shop.settle_queues(&["alerts"]).await;
    assert!(!said(&shop).is_empty());
    shop.redrive("returns").await;
    settle(&shop, 1).await;
    assert_eq!(only(&shop).await["status"], "reported");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_token_makes_no_dead_letters_of_what_is_on_its_way() {
    let shop = holding_delivered(30).await;
    shop.world().logistics.turn(|knobs| knobs.faults_on = vec![Call::Tracking, Call::Results]).unwrap();
    shop.world().logistics.turn(|knobs| knobs.refuse = Some(401)).unwrap();
    collect(&shop).await;
    for _ in 0..10 {
        shop.pass(31).await;
        shop.drain_of("returns").await;
    }
    assert_eq!(shop.buried("returns").await.len(), 0);
    shop.world().logistics.turn(|knobs| knobs.refuse = None).unwrap();
    settle(&shop, 30).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collection_never_overlaps_another_and_missed_ones_are_made_up_for_by_one() {
    let shop = holding(1).await;
    shop.world().logistics.turn(|knobs| knobs.list_page = Some(500)).unwrap();
    for _ in 0..5 {
        shop.pass(EVERY_SECONDS).await;
    }
    let runs = items(shop.client.get(VIEWER, "/v1/return-collections").await.expect(200));
    assert_eq!(runs.len(), 1, "the first one is not over: {runs:?}");
    shop.world().logistics.turn(|knobs| knobs.list_page = None).unwrap();
    eventually("the first one ends", async || {
        shop.pass(31).await;
        work(&shop).await;
        let runs = items(shop.client.get(VIEWER, "/v1/return-collections").await.expect(200));
        (runs.last()?["progress"] == "finished").then_some(())
    })
    .await;
    work(&shop).await;
    let before = items(shop.client.get(VIEWER, "/v1/return-collections").await.expect(200)).len();
    // An hour without a tick.
    shop.clock.advance(Duration::from_secs(60 * 60));
    for _ in 0..3 {
        shop.tick().await;
        work(&shop).await;
    }
    let after = items(shop.client.get(VIEWER, "/v1/return-collections").await.expect(200)).len();
    assert_eq!(after, before + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_partner_or_with_collections_off_nothing_is_collected_and_the_shop_is_ready() {
    let shop = Shop::connected().await;
    for _ in 0..3 {
        shop.pass(3_600).await;
    }
    assert!(items(shop.client.get(VIEWER, "/v1/return-collections").await.expect(200)).is_empty());
    shop.client.get(VIEWER, "/readyz").await.expect(200);
    let shop = Shop::with_returns(|variables, _| {
        variables.insert("returns_every_seconds".into(), "0".into());
    })
    .await;
    for _ in 0..3 {
        shop.pass(3_600).await;
    }
    assert_eq!(shop.world().logistics.stats().requests, 0);
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

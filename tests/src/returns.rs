//! Claim: every return on the partner's list is followed and reported once it is back, whatever the partner answers in between; what
//! nobody can follow is kept aside for people.
//! Method: a logistics stand-in with its faults, the clock moved by hand.
//! Needs: the built components.

use std::time::Duration;

use restock_sandbox::logistics::{Busy, Call, Flaw, FlawKind, Garbage};
use serde_json::{Value, json};

use crate::parcels::{
    EVERY_SECONDS, TRACKING_SECONDS, collect, holding, one, only, rejects, returns, settle, work,
};
use crate::support::{SKU, Shop, VIEWER, eventually, items, manifest};

/// The wait grows to so many times the first one, and the parcel is given up after so many days.
const WAIT_GROWS_TO: u64 = 72;
const AGE_MAX_DAYS: u64 = 45;

/// A shop whose partner holds so many returns, all of them back already.
async fn holding_delivered(returns: usize) -> Shop {
    let shop = holding(returns).await;
    shop.world().logistics.deliver_all();
    shop
}

/// The newest collection.
async fn collection(shop: &Shop) -> Value {
    items(shop.client.get(VIEWER, "/v1/return-collections").await.expect(200)).remove(0)
}

fn said(shop: &Shop) -> Vec<String> {
    let messages = shop.world().slack.messages();
    messages.into_iter().map(|message| format!("{} {}", message.text, message.blocks)).collect()
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
    // A machine that is busy takes more than one attempt; none begins anew what another one stored.
    let run = eventually("the list is collected", || async {
        let run = collection(&shop).await;
        if run["progress"] == "finished" {
            return Some(run);
        }
        shop.pass(31).await;
        shop.drain_of("returns").await;
        None
    })
    .await;
    assert_eq!((&run["collected"], &run["new"]), (&json!(30_000), &json!(30_000)));
    let count = |sql: &str| shop.rows().number(sql);
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
async fn a_report_that_is_refused_is_tried_again_and_held_against_the_partner_by_nobody() {
    let shop = holding_delivered(20).await;
    let logistics = &shop.world().logistics;
    logistics.turn(|knobs| (knobs.faults_on, knobs.refuse) = (vec![Call::Results], Some(422))).unwrap();
    collect(&shop).await;
    // Nothing but reports, and more of them than failures open a circuit.
    for _ in 0..3 {
        shop.pass(31).await;
        work(&shop).await;
    }
    assert!(logistics.stats().calls.results > 20, "{:?}", logistics.stats());
    let partners = items(shop.client.get(VIEWER, "/v1/partners").await.expect(200));
    let gate = partners.iter().find(|partner| partner["partner"] == "logistics").expect("its gate");
    assert_eq!((&gate["circuit"], &gate["failures_total"]), (&json!("closed"), &json!(0)), "{gate}");
    // The others go on meanwhile.
    logistics.add_returns(5).unwrap();
    logistics.deliver_all();
    collect(&shop).await;
    assert_eq!(returns(&shop, "&status=delivered").await.len(), 25);
    assert_eq!(shop.buried("returns").await.len(), 0);
    logistics.turn(|knobs| knobs.refuse = None).unwrap();
    settle(&shop, 25).await;
    assert_eq!(returns(&shop, "&status=reported").await.len(), 25);
    let stats = logistics.stats();
    assert_eq!((stats.reported, stats.repeated, stats.early), (25, 0, 0), "{stats:?}");
    shop.audit().await;
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
async fn returns_wait_while_there_is_no_partner_and_go_on_when_there_is_one_again() {
    let shop = holding(3).await;
    collect(&shop).await;
    // One of them waits for its report, the others for their parcels.
    shop.world().logistics.turn(|knobs| knobs.results_false_first = 1).unwrap();
    for _ in 0..3 {
        assert!(shop.world().logistics.advance_shipment("SHP_00000001"));
    }
    shop.pass(TRACKING_SECONDS).await;
    work(&shop).await;
    assert_eq!(returns(&shop, "&status=delivered").await.len(), 1);

    let shop = shop.restart_with(|variables| drop(variables.remove("logistics_url"))).await;
    shop.world().logistics.deliver_all();
    let before = shop.world().logistics.stats().requests;
    for _ in 0..3 {
        shop.pass(2 * TRACKING_SECONDS).await;
        assert_eq!(shop.drain_of("returns").await["claimed"], 0);
    }
    assert_eq!(shop.world().logistics.stats().requests, before);
    let queue = shop.queue_of("returns").await;
    assert_eq!((&queue["ready"], &queue["buried"]), (&json!(3), &json!(0)), "{queue}");
    shop.client.get(VIEWER, "/readyz").await.expect(200);

    let url = shop.world().logistics.url();
    let shop = shop.restart_with(|variables| drop(variables.insert("logistics_url".into(), url))).await;
    settle(&shop, 3).await;
    let stats = shop.world().logistics.stats();
    assert_eq!((stats.reported, stats.repeated), (3, 0), "{stats:?}");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_address_of_the_partner_stops_collections_and_nothing_else_that_time_makes_necessary() {
    // A host that asks nobody whether the variables are right would start. Here the clock alone has the wrong one.
    let (manifest, _folder) = manifest(|text| {
        let clock = text.find("[component.clock.variables]").expect("the clock");
        let (before, after) = text.split_at(clock);
        let wrong = after.replacen("\"{{ logistics_url }}\"", "\"logistics.example/api\"", 1);
        assert_ne!(wrong, after);
        format!("{before}{wrong}")
    });
    let shop = Shop::connected_as(|options, _| {
        options.manifest = manifest;
        options.variables.insert("returns_every_seconds".into(), EVERY_SECONDS.to_string());
        options.variables.insert("production_due_seconds".into(), (2 * EVERY_SECONDS).to_string());
    })
    .await;
    shop.define(SKU, 1, 0, 10).await;
    shop.client.order(SKU, 1).await.expect(201);
    shop.settle().await;
    shop.rest().await;
    shop.clock.advance(Duration::from_secs(2 * EVERY_SECONDS + 1));
    assert_eq!(shop.tick().await["overdue"], 1);
    assert!(items(shop.client.get(VIEWER, "/v1/return-collections").await.expect(200)).is_empty());
}

//! Claim: whoever must know of an incident is told once when it opens, at most every quarter of an hour while it grows, and once
//! when it is over; never by what fails, and never about the telling itself.
//! Method: partners that refuse, fail and come back; mail and chat stand-ins; the clock moved by hand.
//! Needs: the built components.

use std::time::Duration;

use restock_host::Clock;
use restock_sandbox::factory::Busy;
use serde_json::{Value, json};

use crate::support::{OPERATOR, SKU, STOCK_MANAGER, Shop, VIEWER, advertised, definition, eventually, items};

/// A digest comes so many seconds after the last notice at the earliest.
const DIGEST_SECONDS: u64 = 15 * 60;
/// Open circuits and overdue goods are over after so many quiet seconds.
const FLAPPING_QUIET_SECONDS: u64 = 15 * 60;

/// What was said in the chat, oldest first.
fn said(shop: &Shop) -> Vec<String> {
    shop.world()
        .slack
        .messages()
        .into_iter()
        .map(|message| format!("{} {}", message.text, message.blocks))
        .collect()
}

/// The letters to this address, oldest first.
fn letters(shop: &Shop, to: &str) -> Vec<String> {
    let mails = shop.world().mail.mails();
    mails
        .into_iter()
        .filter(|mail| mail.to.iter().any(|address| address.contains(to)))
        .map(|mail| format!("{}\n{}", mail.subject, mail.text))
        .collect()
}

async fn incidents(shop: &Shop) -> Vec<Value> {
    items(shop.client.get(VIEWER, "/v1/incidents?open=true").await.expect(200))
}

/// So many products whose requests the factory refuses. Nobody is told in between: a notice that overtakes the next dead letter
/// leaves that one to the digest.
async fn refused(shop: &Shop, from: usize, to: usize) {
    let turn = async |action: &str| {
        shop.client.post(OPERATOR, &format!("/v1/queues/alerts/{action}"), json!({})).await.expect(200);
    };
    turn("pause").await;
    shop.factory.turn(|knobs| knobs.refuse = Some(400)).unwrap();
    for n in from..to {
        shop.define(&format!("sku-{n}"), 0, 0, 10).await;
    }
    shop.settle_queues(&["replenishment"]).await;
    turn("resume").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn dead_letters_of_a_kind_are_one_incident_told_to_the_factorys_manager_and_in_chat() {
    let shop = Shop::connected().await;
    refused(&shop, 0, 12).await;
    shop.settle_all().await;
    let open = incidents(&shop).await;
    assert_eq!(open.len(), 1, "{open:?}");
    assert_eq!((&open[0]["queue"], &open[0]["reason"]), (&json!("replenishment"), &json!("factory-refused")));
    assert_eq!((&open[0]["occurrences"], &open[0]["partner"]), (&json!(12), &json!("factory")));
    assert_eq!(said(&shop).len(), 1, "{:?}", said(&shop));
    assert_eq!(letters(&shop, "factory@example.com").len(), 1);
    assert_eq!(letters(&shop, STOCK_MANAGER).len(), 0, "the factory's manager is the one concerned");
    assert!(said(&shop)[0].contains("replenishment"), "{:?}", said(&shop));
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_incident_that_grows_is_told_again_after_a_quarter_of_an_hour_and_one_that_does_not_is_not() {
    let shop = Shop::connected().await;
    refused(&shop, 0, 2).await;
    shop.settle_all().await;
    assert_eq!(said(&shop).len(), 1);
    shop.pass(60).await;
    refused(&shop, 2, 5).await;
    shop.settle_all().await;
    assert_eq!(said(&shop).len(), 1, "no digest so soon");
    shop.pass(DIGEST_SECONDS).await;
    shop.settle_all().await;
    assert_eq!(said(&shop).len(), 2, "a digest");
    assert_eq!(letters(&shop, "factory@example.com").len(), 2);
    let digest = said(&shop).remove(1);
    assert!(digest.contains("3 more dead letters") && digest.contains("5 in all"), "{digest}");
    for _ in 0..3 {
        shop.pass(DIGEST_SECONDS).await;
        shop.settle_all().await;
    }
    assert_eq!(said(&shop).len(), 2, "nothing new, nothing said");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_an_incident_is_told_once_its_last_dead_letter_is_done() {
    let shop = Shop::connected().await;
    refused(&shop, 0, 3).await;
    shop.settle_all().await;
    shop.pass(120).await;
    shop.settle_all().await;
    assert_eq!(incidents(&shop).await.len(), 1, "dead letters do not go away by themselves");

    shop.factory.turn(|knobs| knobs.refuse = None).unwrap();
    let ids: Vec<Value> =
        shop.buried("replenishment").await.into_iter().map(|letter| letter["id"].clone()).collect();
    let path = "/v1/queues/replenishment/redrive";
    shop.client.post(OPERATOR, path, json!({"ids": &ids[..2]})).await.expect(200);
    shop.settle_all().await;
    shop.pass(120).await;
    shop.settle_all().await;
    assert_eq!(said(&shop).len(), 1, "one is left");
    shop.client.post(OPERATOR, path, json!({"ids": &ids[2..]})).await.expect(200);
    shop.settle_all().await;
    for _ in 0..3 {
        shop.pass(120).await;
        shop.settle_all().await;
    }
    assert_eq!(said(&shop).len(), 2, "{:?}", said(&shop));
    assert_eq!(letters(&shop, "factory@example.com").len(), 2);
    assert!(incidents(&shop).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn overdue_goods_are_told_to_the_factorys_manager_and_so_is_their_arrival() {
    let shop = Shop::connected_with(|variables, _| {
        variables.insert("production_due_seconds".into(), "120".into());
    })
    .await;
    shop.define(SKU, 1, 0, 10).await;
    shop.client.order(SKU, 1).await.expect(201);
    shop.settle_all().await;
    assert_eq!(said(&shop), Vec::<String>::new());
    shop.pass(121).await;
    shop.settle_all().await;
    let told = letters(&shop, "factory@example.com");
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains(SKU), "{told:?}");
    shop.finish_jobs(2).await;
    for _ in 0..2 {
        shop.pass(FLAPPING_QUIET_SECONDS).await;
        shop.settle_all().await;
    }
    assert_eq!(letters(&shop, "factory@example.com").len(), 2);
    assert_eq!(said(&shop).len(), 2);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_circuit_is_an_incident_until_it_closes() {
    let shop = Shop::connected().await;
    shop.factory.turn(|knobs| knobs.refuse = Some(500)).unwrap();
    for n in 0..8 {
        shop.define(&format!("sku-{n}"), 0, 0, 10).await;
    }
    for _ in 0..4 {
        shop.drain().await;
        shop.pass(5).await;
    }
    shop.settle_queues(&["alerts"]).await;
    let open = incidents(&shop).await;
    assert!(open.iter().any(|incident| incident["kind"] == "circuit.opened"), "{open:?}");
    shop.factory.turn(|knobs| knobs.refuse = None).unwrap();
    shop.settle_all().await;
    for _ in 0..3 {
        shop.pass(FLAPPING_QUIET_SECONDS).await;
        shop.settle_all().await;
    }
    assert!(incidents(&shop).await.is_empty());
    assert_eq!(said(&shop).len(), 2, "{:?}", said(&shop));
    assert_eq!(shop.factory.stats().accepted, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn failing_mail_is_told_in_chat_only_and_failing_chat_by_mail_only() {
    let shop = Shop::connected().await;
    shop.client.put(OPERATOR, &format!("/v1/products/{SKU}"), advertised(1, 0, 10)).await.expect(201);
    shop.world().mail.turn(|knobs| knobs.refuse = Some(422)).unwrap();
    shop.client.order(SKU, 1).await.expect(201);
    shop.settle_all().await;
    assert_eq!(shop.buried("ad-control").await[0]["reason"], "mail-refused");
    assert_eq!(said(&shop).len(), 1, "{:?}", said(&shop));
    assert_eq!(shop.world().mail.stats().requests, 1, "nobody mails that mail fails");
    assert_eq!(shop.queue_of("alerts").await["buried"], 0);

    // The chat fails now, for an incident that is told on both channels.
    shop.world().mail.turn(|knobs| knobs.refuse = None).unwrap();
    shop.world().slack.turn(|knobs| knobs.refuse = Some(404)).unwrap();
    refused(&shop, 0, 1).await;
    shop.settle_all().await;
    assert_eq!(letters(&shop, "factory@example.com").len(), 1, "mail does not wait for the chat");
    let buried = shop.buried("alerts").await;
    assert_eq!(buried.len(), 1, "{buried:?}");
    assert_eq!(buried[0]["reason"], "slack-refused");
    for _ in 0..5 {
        shop.pass(DIGEST_SECONDS).await;
        shop.settle_all().await;
    }
    assert_eq!(shop.buried("alerts").await.len(), 1, "a dead letter about dead letters is no incident");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_fails_opens_an_incident_that_is_told_by_mail() {
    let shop = Shop::connected().await;
    shop.world().slack.turn(|knobs| knobs.down = true).unwrap();
    refused(&shop, 0, 1).await;
    for _ in 0..12 {
        shop.drain_of("alerts").await;
        shop.pass(31).await;
    }
    let told = letters(&shop, STOCK_MANAGER);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("slack"), "{told:?}");
    shop.world().slack.turn(|knobs| knobs.down = false).unwrap();
    shop.settle_all().await;
    assert_eq!(said(&shop).len(), 1, "what was owed is said when the chat is back");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_chat_mail_takes_its_place_and_without_both_nothing_is_stuck() {
    let shop = Shop::connected_with(|variables, _| {
        variables.insert("slack_webhook_url".into(), String::new());
    })
    .await;
    shop.client.put(OPERATOR, &format!("/v1/products/{SKU}"), advertised(1, 0, 10)).await.expect(201);
    shop.world().mail.turn(|knobs| knobs.refuse_addresses = vec![crate::support::AD_MANAGER.into()]).unwrap();
    shop.client.order(SKU, 1).await.expect(201);
    shop.settle_all().await;
    assert_eq!(letters(&shop, STOCK_MANAGER).len(), 1, "meant for the chat, which there is none");

    let shop = Shop::open().await;
    refused(&shop, 0, 2).await;
    shop.settle_all().await;
    let alerts = shop.queue_of("alerts").await;
    assert_eq!((&alerts["ready"], &alerts["buried"]), (&json!(0), &json!(0)), "{alerts}");
    assert_eq!(incidents(&shop).await.len(), 1, "there to be seen");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_violation_of_the_audit_is_told_until_an_audit_finds_none() {
    let shop = Shop::connected().await;
    shop.define(SKU, 5, 0, 10).await;
    shop.client.order(SKU, 1).await.expect(201);
    shop.rows().change("UPDATE product SET on_hand = on_hand + 7");
    shop.pass(3_601).await;
    shop.settle_all().await;
    assert_eq!(said(&shop).len(), 1, "{:?}", said(&shop));
    assert_eq!(letters(&shop, STOCK_MANAGER).len(), 1);
    assert_eq!(incidents(&shop).await[0]["kind"], "audit.violation");
    shop.rows().change("UPDATE product SET on_hand = on_hand - 7");
    shop.pass(3_601).await;
    shop.settle_all().await;
    assert_eq!(said(&shop).len(), 2, "{:?}", said(&shop));
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_chat_is_sent_no_more_than_one_message_a_second() {
    // In real time: the chat counts by its own clock.
    let shop = Shop::connected_as(|options, _| {
        options.clock = Clock::system();
        options.tick = Some(Duration::from_millis(100));
    })
    .await;
    // Calls leave a second apart; on their way one may take a little longer than the next.
    let limit = |knobs: &mut restock_sandbox::slack::Knobs| {
        knobs.rate_limit = true;
        knobs.rate_limit_every_ms = 900;
    };
    shop.world().slack.turn(limit).unwrap();
    shop.factory.turn(|knobs| knobs.refuse = Some(400)).unwrap();
    // One incident for each factory.
    for n in 0..4 {
        let name = json!({"name": format!("factory {n}")});
        shop.client.put(OPERATOR, &format!("/v1/factories/F-{n}"), name).await.expect(201);
        let mut body = definition(0, 0, 10);
        body["factory_id"] = json!(format!("F-{n}"));
        shop.client.put(OPERATOR, &format!("/v1/products/sku-{n}"), body).await.expect(201);
    }
    shop.world().slack.wait_until(|stats| stats.accepted == 4).await.unwrap();
    assert_eq!(shop.world().slack.stats().limited, 0, "{:?}", shop.world().slack.stats());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_that_asks_for_patience_gets_it() {
    let shop = Shop::connected().await;
    shop.world()
        .slack
        .turn(|knobs| knobs.busy = Some(Busy { status: 429, retry_after_seconds: Some(300) }))
        .unwrap();
    refused(&shop, 0, 1).await;
    shop.world().slack.wait_until(|stats| stats.requests >= 1).await.unwrap();
    shop.world().slack.turn(|knobs| knobs.busy = None).unwrap();
    shop.pass(200).await;
    shop.drain_of("alerts").await;
    assert_eq!(shop.world().slack.stats().requests, 1, "not before the time it named");
    shop.settle_all().await;
    for _ in 0..10 {
        shop.pass(31).await;
        shop.drain_of("alerts").await;
    }
    assert_eq!(said(&shop).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_chat_took_the_notice_and_it_was_noted_nobody_is_told_again() {
    let mut shop = Shop::connected().await;
    refused(&shop, 0, 1).await;
    let told = || async {
        let sql = "SELECT count(*) FROM incident_notice WHERE told_at_ms IS NOT NULL";
        (shop.rows().number(sql) == 2).then_some(())
    };
    shop.drain_of("alerts").await;
    eventually("both notices are told", told).await;
    shop = shop.kill().await;
    // Whether or not the messages were settled, their leases run out and they are looked at again.
    shop.rows().change(
        "UPDATE message SET state = 'ready', settled_at_ms = NULL WHERE queue_id = 'alerts' AND state = 'done'",
    );
    shop.clock.advance(Duration::from_secs(31));
    shop.tick().await;
    shop.settle_all().await;
    assert_eq!(said(&shop).len(), 1);
    assert_eq!(letters(&shop, "factory@example.com").len(), 1);
}

//! Claim: the manager of an advertisement is asked to pause it once an episode, and to resume it once, whatever fails, repeats
//! or dies in between.
//! Method: orders beyond the shelf, a mail stand-in with its faults, the clock moved by hand, the host killed between steps.
//! Needs: the built components.

use std::time::Duration;

use futures::future::join_all;
use restock_sandbox::factory::Busy;
use serde_json::{Value, json};

use crate::support::{
    AD_MANAGER, OPERATOR, SKU, STOREFRONT, Shop, advertised, backorder, definition, eventually,
};

/// A connected shop with one unit of an advertised product.
async fn advertising() -> Shop {
    let shop = Shop::connected().await;
    advertise(&shop).await;
    shop
}

async fn advertise(shop: &Shop) {
    shop.client.put(OPERATOR, &format!("/v1/products/{SKU}"), advertised(1, 0, 10)).await.expect(201);
}

async fn ad_status(shop: &Shop) -> Value {
    shop.product(SKU).await["ad"]["status"].clone()
}

/// The subjects of the letters to the advertisement's manager, oldest first.
fn asked(shop: &Shop) -> Vec<String> {
    let mails = shop.world().mail.mails();
    mails
        .into_iter()
        .filter(|mail| mail.to.contains(&AD_MANAGER.to_owned()))
        .map(|mail| mail.subject)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_failed_orders_are_one_pause_and_one_request_and_a_refill_is_one_resumption() {
    let shop = advertising().await;
    let mut statuses = Vec::new();
    for _ in 0..77 {
        let orders = (0..13).map(|_| shop.client.order(SKU, 1));
        statuses.extend(join_all(orders).await.into_iter().map(|answer| answer.status.as_u16()));
    }
    assert_eq!(statuses.iter().filter(|status| **status == 201).count(), 1);
    assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 1_000);
    shop.settle_all().await;

    assert_eq!(asked(&shop).len(), 1, "{:?}", asked(&shop));
    assert_eq!(shop.factory.stats().requests, 1);
    assert_eq!(ad_status(&shop).await, "pause-requested");
    let letter = shop.world().mail.mails().remove(0);
    for text in [&letter.text, &letter.html] {
        assert!(text.contains("부산도너츠") && text.contains(SKU), "{text}");
    }

    shop.finish_jobs(1).await;
    shop.settle_all().await;
    let asked = asked(&shop);
    assert_eq!(asked.len(), 2, "{asked:?}");
    assert!(asked[1].to_lowercase().contains("resume"), "{asked:?}");
    assert_eq!(ad_status(&shop).await, "running");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_names_the_orders_lost_and_the_expected_refill() {
    let shop = advertising().await;
    // The advertisement's manager is not asked yet: the queue is held until three orders are lost.
    shop.client.post(OPERATOR, "/v1/queues/ad-control/pause", json!({})).await.expect(200);
    shop.client.order(SKU, 1).await.expect(201);
    shop.settle().await;
    for _ in 0..3 {
        shop.client.order(SKU, 2).await.expect(409);
    }
    shop.client.post(STOREFRONT, "/v1/orders", backorder(&[(SKU, 4)])).await.expect(202);
    shop.client.post(OPERATOR, "/v1/queues/ad-control/resume", json!({})).await.expect(200);
    shop.settle_all().await;
    let letter = shop.world().mail.mails().remove(0);
    let due = shop.only_production().await["due_at"].as_str().expect("a time").to_owned();
    let due = format!("by {} {} UTC", &due[..10], &due[11..16]);
    let says = |what: &str| assert!(letter.text.contains(what), "{what} in {}", letter.text);
    says(&format!("Refill expected: {due}"));
    says("Orders lost so far: 3 orders for 6 units");
    says("Waiting in backorders: 4 units");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_sent_for_a_product_that_is_not_advertised() {
    let shop = Shop::connected().await;
    shop.define(SKU, 1, 0, 10).await;
    let mut stopped = definition(1, 0, 10);
    stopped["ad"] = json!({"running": false, "manager_email": AD_MANAGER});
    shop.client.put(OPERATOR, "/v1/products/stopped", stopped).await.expect(201);
    for sku in [SKU, "stopped"] {
        shop.client.order(sku, 1).await.expect(201);
        shop.client.order(sku, 1).await.expect(409);
    }
    shop.settle_all().await;
    shop.finish_jobs(2).await;
    shop.settle_all().await;
    assert_eq!(shop.queue_of("ad-control").await["done_total"], 4, "each was looked at");
    assert_eq!(shop.world().mail.stats().requests, 0);
    assert_eq!(ad_status(&shop).await, "none");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refill_that_overtakes_an_unsent_pause_cancels_it() {
    let shop = advertising().await;
    shop.world()
        .mail
        .turn(|knobs| knobs.busy = Some(Busy { status: 503, retry_after_seconds: None }))
        .unwrap();
    shop.client.order(SKU, 1).await.expect(201);
    called(&shop, 1).await;
    shop.finish_jobs(1).await;
    assert_eq!(shop.on_hand(SKU).await, 10);
    shop.world().mail.turn(|knobs| knobs.busy = None).unwrap();
    shop.settle_all().await;
    assert_eq!(asked(&shop), Vec::<String>::new());
    assert_eq!(ad_status(&shop).await, "running");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refill_that_overtakes_a_pause_of_unknown_outcome_leaves_nobody_paused() {
    let shop = advertising().await;
    shop.world().mail.turn(|knobs| knobs.lose_answer = true).unwrap();
    shop.client.order(SKU, 1).await.expect(201);
    shop.world().mail.wait_until(|stats| stats.accepted >= 1).await.unwrap();
    shop.finish_jobs(1).await;
    shop.world().mail.turn(|knobs| knobs.lose_answer = false).unwrap();
    shop.settle_all().await;
    let asked = asked(&shop);
    assert_eq!(asked.len(), 2, "the manager got the pause, so the resumption is owed: {asked:?}");
    assert_eq!(ad_status(&shop).await, "running");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advertisement_that_starts_while_nothing_can_be_sold_is_paused() {
    let shop = Shop::connected().await;
    shop.define(SKU, 1, 0, 10).await;
    shop.client.order(SKU, 1).await.expect(201);
    shop.settle_all().await;
    let path = format!("/v1/products/{SKU}");
    shop.client.put(OPERATOR, &path, advertised(1, 0, 10)).await.expect(200);
    shop.settle_all().await;
    assert_eq!(asked(&shop).len(), 1);
    assert_eq!(ad_status(&shop).await, "pause-requested");

    let mut stopped = advertised(1, 0, 10);
    stopped["ad"]["running"] = json!(false);
    shop.client.put(OPERATOR, &path, stopped).await.expect(200);
    shop.client.put(OPERATOR, &path, advertised(1, 0, 10)).await.expect(200);
    shop.settle_all().await;
    assert_eq!(asked(&shop).len(), 2, "it was started again, so it has to be paused again");
    shop.client.put(OPERATOR, &path, advertised(1, 0, 10)).await.expect(200);
    shop.settle_all().await;
    assert_eq!(asked(&shop).len(), 2, "the same definition again starts nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_episode_has_its_own_letters() {
    let shop = advertising().await;
    for episode in 1..=3_u64 {
        let units = if episode == 1 { 1 } else { 10 };
        shop.pass(1).await;
        shop.client.order(SKU, units).await.expect(201);
        shop.settle_all().await;
        assert_eq!(ad_status(&shop).await, "pause-requested", "episode {episode}");
        shop.finish_jobs(episode).await;
        shop.settle_all().await;
        assert_eq!(ad_status(&shop).await, "running", "episode {episode}");
        assert_eq!(asked(&shop).len() as u64, 2 * episode);
    }
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_advertisement_without_a_manager_is_a_dead_letter_until_somebody_names_one() {
    let shop = Shop::connected().await;
    let path = format!("/v1/products/{SKU}");
    let mut orphan = advertised(1, 0, 10);
    orphan["ad"] = json!({"running": true});
    shop.client.put(OPERATOR, &path, orphan).await.expect(201);
    shop.client.order(SKU, 1).await.expect(201);
    shop.settle_all().await;
    let letters = shop.buried("ad-control").await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["reason"], "ad-manager-unknown");
    shop.client.put(OPERATOR, &path, advertised(1, 0, 10)).await.expect(200);
    assert_eq!(shop.redrive("ad-control").await["redriven"], 1);
    shop.settle_all().await;
    assert_eq!(asked(&shop).len(), 1);
    assert_eq!(ad_status(&shop).await, "pause-requested");
}

/// Waits until the mail stand-in has been called so often.
async fn called(shop: &Shop, times: u64) {
    shop.world().mail.wait_until(|stats| stats.requests >= times).await.expect("the mail is called");
}

/// Sells the last unit, lets `until` see a step, kills the host there, starts it again and brings everything to its end, twice:
/// for the pause and for the resumption.
async fn killed_after(step: &str) {
    let mut shop = advertising().await;
    // The queue stands still until the test lets it go.
    for (round, letters) in [("pause", 1), ("resume", 2)] {
        shop.client.post(OPERATOR, "/v1/queues/ad-control/pause", json!({})).await.expect(200);
        if round == "pause" {
            shop.client.order(SKU, 1).await.expect(201);
            for _ in 0..10 {
                shop.client.order(SKU, 1).await.expect(409);
            }
        } else {
            shop.finish_jobs(1).await;
        }
        let calls = shop.world().mail.stats().requests;
        match step {
            // The event is there, nobody has looked at it.
            "written" => {}
            // The worker is in the call, the provider has not taken the letter.
            "calling" => shop.world().mail.turn(|knobs| knobs.hang = true).unwrap(),
            // The provider took the letter, the answer is on its way for longer than the host lives.
            "taken" => shop.world().mail.turn(|knobs| knobs.answer_delay_ms = 60_000).unwrap(),
            // The provider took the letter, the connection broke.
            "answer lost" => shop.world().mail.turn(|knobs| knobs.lose_answer = true).unwrap(),
            _ => {}
        }
        if step == "written" {
            shop = shop.kill().await;
        }
        shop.client.post(OPERATOR, "/v1/queues/ad-control/resume", json!({})).await.expect(200);
        match step {
            "calling" | "answer lost" => called(&shop, calls + 1).await,
            "taken" => {
                shop.world()
                    .mail
                    .wait_until(|stats| stats.accepted >= letters)
                    .await
                    .expect("the mail is taken");
            }
            // The letter is noted as sent; the advertisement may or may not have moved, the message may or may not be done.
            "noted" => {
                eventually("the letter is noted", || async {
                    let sent = shop.rows().number("SELECT count(*) FROM letter WHERE state = 'sent'");
                    (sent >= i64::try_from(letters).unwrap()).then_some(())
                })
                .await;
            }
            _ => {}
        }
        shop = shop.kill().await;
        shop.world()
            .mail
            .turn(|knobs| {
                knobs.hang = false;
                knobs.lose_answer = false;
                knobs.answer_delay_ms = 0;
            })
            .unwrap();
        // The leases of the dead worker run out.
        shop.clock.advance(Duration::from_secs(31));
        shop.tick().await;
        shop.settle_all().await;
        assert_eq!(asked(&shop).len() as u64, letters, "{step}, {round}: {:?}", asked(&shop));
        let status = if round == "pause" { "pause-requested" } else { "running" };
        assert_eq!(ad_status(&shop).await, status, "{step}");
        assert_eq!(shop.factory.stats().accepted, 1, "{step}");
    }
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_order_was_written_the_manager_is_asked_once() {
    killed_after("written").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_the_provider_is_called_the_manager_is_asked_once() {
    killed_after("calling").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_provider_took_the_letter_the_manager_is_asked_once() {
    killed_after("taken").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_answer_was_lost_the_manager_is_asked_once() {
    killed_after("answer lost").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_letter_was_noted_the_manager_is_asked_once() {
    killed_after("noted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_delivered_again_and_again_asks_for_nothing_more() {
    let shop = advertising().await;
    shop.client.order(SKU, 1).await.expect(201);
    shop.settle_all().await;
    assert_eq!(asked(&shop).len(), 1);
    for _ in 0..20 {
        // As a bug or a restored backup would have it: the finished message is there again.
        shop.rows().change(
            "UPDATE message SET state = 'ready', settled_at_ms = NULL WHERE queue_id = 'ad-control' AND state = 'done'",
        );
        shop.settle_all().await;
    }
    assert_eq!(asked(&shop).len(), 1);
    assert!(shop.queue_of("ad-control").await["done_total"].as_u64() > Some(10));
}

//! Claim: an email is sent once whatever its provider does, by another provider where the first surely did not take it, and a refusal is
//! kept with the provider's words.
//! Method: a pause letter through mail stand-ins that speak like SES, Resend and Mailpit, with their faults.
//! Needs: the built components.

use std::time::Duration;

use restock_sandbox::factory::Busy;
use serde_json::json;

use crate::support::{AD_MANAGER, OPERATOR, SKU, Shop, World, advertised, eventually};

type Variables = std::collections::BTreeMap<String, String>;

fn set(variables: &mut Variables, values: &[(&str, &str)]) {
    for (name, value) in values {
        variables.insert((*name).to_owned(), (*value).to_owned());
    }
}

fn with_ses(variables: &mut Variables, _: &World) {
    set(
        variables,
        &[
            ("mail_provider", "ses"),
            ("aws_access_key_id", "sandbox"),
            ("aws_secret_access_key", "sandbox-secret"),
        ],
    );
}

fn with_mailpit(variables: &mut Variables, _: &World) {
    set(variables, &[("mail_provider", "mailpit"), ("mail_key", "")]);
}

fn with_resend(_: &mut Variables, _: &World) {}

fn with_fallback(variables: &mut Variables, world: &World) {
    let url = world.fallback.url();
    set(variables, &[("mail_fallback_provider", "mailpit"), ("mail_fallback_url", &url)]);
}

/// Sells the last unit of an advertised product.
async fn sell_out(shop: &Shop) {
    shop.client.put(OPERATOR, &format!("/v1/products/{SKU}"), advertised(1, 0, 10)).await.expect(201);
    shop.client.order(SKU, 1).await.expect(201);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_arrives_intact_through_every_provider() {
    for (name, change) in
        [("ses", with_ses as fn(&mut Variables, &World)), ("resend", with_resend), ("mailpit", with_mailpit)]
    {
        let shop = Shop::connected_with(change).await;
        sell_out(&shop).await;
        shop.settle_all().await;
        let mails = shop.world().mail.mails();
        assert_eq!(mails.len(), 1, "{name}");
        let mail = &mails[0];
        assert_eq!(json!(mail.provider), name);
        assert!(mail.subject.contains("부산도너츠"), "{name}: {}", mail.subject);
        assert!(mail.text.contains("부산도너츠") && mail.html.contains("부산도너츠"), "{name}");
        assert!(mail.from.contains("shop@example.com"), "{name}: {}", mail.from);
        assert_eq!(mail.to, [AD_MANAGER], "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_for_ten_minutes_is_sent_every_letter_once_when_it_is_back() {
    for (name, change) in
        [("ses", with_ses as fn(&mut Variables, &World)), ("resend", with_resend), ("mailpit", with_mailpit)]
    {
        let shop = Shop::connected_with(change).await;
        // It breaks the connections off, without taking anything; after a while it says that it is busy.
        shop.world().mail.turn(|knobs| knobs.down = true).unwrap();
        sell_out(&shop).await;
        for round in 0..20 {
            if round == 10 {
                let busy = Busy { status: 503, retry_after_seconds: None };
                let turned = shop.world().mail.turn(|knobs| (knobs.down, knobs.busy) = (false, Some(busy)));
                turned.unwrap();
            }
            shop.drain_of("ad-control").await;
            shop.pass(30).await;
        }
        assert!(shop.world().mail.stats().requests >= 3, "{name}: it was tried");
        assert!(shop.buried("ad-control").await.is_empty(), "{name}: nothing is given up");
        shop.world().mail.turn(|knobs| knobs.busy = None).unwrap();
        shop.settle_all().await;
        assert_eq!(shop.world().mail.mails().len(), 1, "{name}");
        assert_eq!(shop.product(SKU).await["ad"]["status"], "pause-requested", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_whose_answers_are_lost_for_ten_minutes_sends_every_letter_once() {
    let shop = Shop::connected().await;
    shop.world().mail.turn(|knobs| knobs.lose_answer = true).unwrap();
    sell_out(&shop).await;
    for _ in 0..20 {
        shop.drain_of("ad-control").await;
        shop.pass(30).await;
    }
    assert!(shop.world().mail.stats().repeated >= 2, "{:?}", shop.world().mail.stats());
    shop.world().mail.turn(|knobs| knobs.lose_answer = false).unwrap();
    shop.settle_all().await;
    assert_eq!(shop.world().mail.mails().len(), 1);
    assert_eq!(shop.product(SKU).await["ad"]["status"], "pause-requested");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_address_is_buried_at_once_told_once_and_goes_through_when_it_is_corrected() {
    let shop = Shop::connected().await;
    shop.world().mail.turn(|knobs| knobs.refuse_addresses = vec![AD_MANAGER.into()]).unwrap();
    sell_out(&shop).await;
    shop.settle_all().await;
    let buried = shop.buried("ad-control").await;
    assert_eq!(buried.len(), 1);
    assert_eq!(buried[0]["reason"], "mail-refused");
    assert_eq!(
        buried[0]["attempts"].as_array().map(Vec::len),
        Some(1),
        "after the first refusal: {}",
        buried[0]
    );
    assert_eq!(shop.world().slack.messages().len(), 1);
    assert_eq!(shop.world().mail.mails().len(), 0);

    let mut corrected = advertised(1, 0, 10);
    corrected["ad"]["manager_email"] = json!("right@example.com");
    shop.client.put(OPERATOR, &format!("/v1/products/{SKU}"), corrected).await.expect(200);
    assert_eq!(shop.redrive("ad-control").await["redriven"], 1);
    shop.settle_all().await;
    let mails = shop.world().mail.mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].to, ["right@example.com"]);
    for _ in 0..2 {
        shop.pass(61).await;
        shop.settle_all().await;
    }
    assert_eq!(shop.world().slack.messages().len(), 2, "it opened, and it is over");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_surely_takes_nothing_is_stood_in_for() {
    let shop = Shop::connected_with(with_fallback).await;
    shop.world()
        .mail
        .turn(|knobs| knobs.busy = Some(Busy { status: 503, retry_after_seconds: Some(60) }))
        .unwrap();
    sell_out(&shop).await;
    shop.settle_all().await;
    assert_eq!(shop.world().mail.mails().len(), 0);
    assert_eq!(shop.world().fallback.mails().len(), 1);
    // It named a time, so until then no letter is offered to it.
    let offered = shop.world().mail.stats().requests;
    shop.client.put(OPERATOR, "/v1/products/another", advertised(1, 0, 10)).await.expect(201);
    shop.client.order("another", 1).await.expect(201);
    shop.drain_of("ad-control").await;
    eventually("the other letter goes by the fallback as well", || async {
        (shop.world().fallback.mails().len() == 2).then_some(())
    })
    .await;
    assert_eq!(shop.world().mail.stats().requests, offered);
    shop.world().mail.turn(|knobs| knobs.busy = None).unwrap();
    shop.settle_all().await;
    assert_eq!(shop.world().mail.mails().len(), 0, "sent is sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_a_provider_may_have_sent_goes_to_no_other() {
    let shop = Shop::connected_with(with_fallback).await;
    shop.world().mail.turn(|knobs| knobs.lose_answer = true).unwrap();
    sell_out(&shop).await;
    shop.world().mail.wait_until(|stats| stats.accepted >= 1).await.unwrap();
    // The provider cannot even be reached for a while: now would be the time for the other one, were the letter not there.
    shop.world()
        .mail
        .turn(|knobs| knobs.busy = Some(Busy { status: 503, retry_after_seconds: None }))
        .unwrap();
    for _ in 0..5 {
        shop.drain_of("ad-control").await;
        shop.pass(31).await;
    }
    assert_eq!(shop.world().fallback.mails().len(), 0);
    shop.world().mail.turn(|knobs| *knobs = restock_sandbox::mail::Knobs::default()).unwrap();
    shop.settle_all().await;
    assert_eq!(shop.world().mail.mails().len(), 1, "repeated under its key, known again");
    assert_eq!(shop.world().fallback.mails().len(), 0);
    assert_eq!(shop.product(SKU).await["ad"]["status"], "pause-requested");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_asks_for_patience_gets_it() {
    let shop = Shop::connected().await;
    shop.world()
        .mail
        .turn(|knobs| knobs.busy = Some(Busy { status: 429, retry_after_seconds: Some(600) }))
        .unwrap();
    sell_out(&shop).await;
    shop.world().mail.wait_until(|stats| stats.requests == 1).await.unwrap();
    shop.world().mail.turn(|knobs| knobs.busy = None).unwrap();
    for _ in 0..9 {
        shop.pass(60).await;
        shop.drain_of("ad-control").await;
    }
    assert_eq!(shop.world().mail.stats().requests, 1, "not before the time it named");
    shop.clock.advance(Duration::from_secs(120));
    shop.settle_all().await;
    assert_eq!(shop.world().mail.mails().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_letter_that_cannot_be_sent_for_lack_of_a_provider_is_kept() {
    let shop = Shop::open().await;
    sell_out(&shop).await;
    shop.settle_all().await;
    let buried = shop.buried("ad-control").await;
    assert_eq!(buried.len(), 1);
    assert_eq!(buried[0]["reason"], "mail-not-configured");
    assert_eq!(shop.product(SKU).await["ad"]["status"], "running");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_settings_of_mail_and_chat_are_all_named_before_anything_starts() {
    let world = World::start().await;
    let refused = Shop::try_open(|options| {
        options.variables.extend(world.variables());
        set(
            &mut options.variables,
            &[
                ("mail_provider", "pigeon"),
                ("mail_from", "no address"),
                ("slack_webhook_url", "not an address"),
                ("marketing_secret", "not base64!"),
                ("vip_units", "0"),
                ("vip_rule", "often"),
                ("audit_every_seconds", "now and then"),
            ],
        );
    })
    .await
    .expect_err("seven wrong values");
    for name in [
        "mail_provider",
        "mail_from",
        "slack_webhook_url",
        "marketing_secret",
        "vip_units",
        "vip_rule",
        "audit_every_seconds",
    ] {
        assert!(refused.contains(name), "{name} in {refused}");
    }
    assert!(!refused.contains("not base64!"), "{refused}");
}

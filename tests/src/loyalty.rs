//! Claim: an order that meets the rule makes its customer a VIP once and for ever, and the marketing system is told once; the
//! two steps fail and resume apart.
//! Method: orders around the limit under both rules, a marketing stand-in with its faults, messages delivered again.
//! Needs: the built components.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{OPERATOR, SKU, STOREFRONT, Shop, VIEWER, definition, eventually, order};

/// A connected shop under a rule, with plenty on the shelf.
async fn under(rule: &str) -> Shop {
    let shop = Shop::connected_with(|variables, _| {
        variables.insert("vip_rule".into(), rule.into());
    })
    .await;
    shop.define(SKU, 5_000, 0, 100).await;
    shop
}

async fn buy(shop: &Shop, customer: &str, units: u64) {
    let mut body = order(&[(SKU, units)]);
    body["customer"] = json!({"id": customer, "email": format!("{customer}@example.com"), "name": "김 고객"});
    shop.client.post(STOREFRONT, "/v1/orders", body).await.expect(201);
}

async fn customer(shop: &Shop, id: &str) -> Value {
    shop.client.get(VIEWER, &format!("/v1/customers/{id}")).await.expect(200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_order_of_a_hundred_units_makes_a_vip_and_one_of_ninety_nine_does_not() {
    let shop = under("single-order").await;
    buy(&shop, "almost", 99).await;
    buy(&shop, "almost", 99).await;
    buy(&shop, "enough", 100).await;
    shop.settle_all().await;

    let almost = customer(&shop, "almost").await;
    assert_eq!(
        (&almost["type"], &almost["units_bought"], &almost["vip_since"]),
        (&json!("normal"), &json!(198), &Value::Null)
    );
    let enough = customer(&shop, "enough").await;
    assert_eq!((&enough["type"], &enough["units_bought"]), (&json!("vip"), &json!(100)));
    assert!(enough["vip_since"].is_string(), "{enough}");
    assert_eq!((&enough["email"], &enough["name"]), (&json!("enough@example.com"), &json!("김 고객")));

    let events = shop.world().marketing.events();
    assert_eq!(events.len(), 1, "{events:?}");
    let told = events[0].body.to_string();
    assert!(told.contains("enough") && told.contains("김 고객"), "{told}");
    shop.client.get(VIEWER, "/v1/customers/nobody").await.expect(404);
    shop.client.get(STOREFRONT, "/v1/customers/enough").await.expect(403);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sixty_and_forty_units_make_a_vip_under_the_cumulative_rule_and_not_under_the_other() {
    for (rule, kind, told) in [("cumulative", "vip", 1), ("single-order", "normal", 0)] {
        let shop = under(rule).await;
        buy(&shop, "c", 60).await;
        shop.settle_all().await;
        assert_eq!(customer(&shop, "c").await["type"], "normal", "{rule}");
        buy(&shop, "c", 40).await;
        shop.settle_all().await;
        assert_eq!(customer(&shop, "c").await["type"], kind, "{rule}");
        assert_eq!(shop.world().marketing.events().len(), told, "{rule}");
        buy(&shop, "c", 500).await;
        shop.settle_all().await;
        assert_eq!(
            customer(&shop, "c").await["type"],
            "vip",
            "{rule}: the third order is a bulk order by any rule"
        );
        assert_eq!(shop.world().marketing.events().len(), 1, "{rule}");
        shop.audit().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ninety_nine_units_in_all_are_not_enough_and_the_hundredth_is() {
    let shop = under("cumulative").await;
    for _ in 0..33 {
        buy(&shop, "c", 3).await;
    }
    shop.settle_all().await;
    assert_eq!(customer(&shop, "c").await["type"], "normal");
    buy(&shop, "c", 1).await;
    shop.settle_all().await;
    assert_eq!(customer(&shop, "c").await["type"], "vip");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backorder_counts_when_it_is_filled_and_a_rejected_order_never() {
    let shop = Shop::connected().await;
    shop.define(SKU, 10, 0, 200).await;
    let mut body = order(&[(SKU, 120)]);
    body["customer"]["id"] = json!("rejected");
    shop.client.post(STOREFRONT, "/v1/orders", body.clone()).await.expect(409);
    body["customer"]["id"] = json!("waiting");
    body["if_short"] = json!("backorder");
    shop.client.post(STOREFRONT, "/v1/orders", body).await.expect(202);
    shop.settle_all().await;
    shop.client.get(VIEWER, "/v1/customers/waiting").await.expect(404);
    shop.finish_jobs(1).await;
    shop.settle_all().await;
    assert_eq!(customer(&shop, "waiting").await["type"], "vip");
    shop.client.get(VIEWER, "/v1/customers/rejected").await.expect(404);
    assert_eq!(shop.world().marketing.events().len(), 1);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn marketing_that_is_down_neither_loses_nor_repeats_the_promotion() {
    let shop = under("single-order").await;
    shop.world().marketing.turn(|knobs| knobs.down = true).unwrap();
    buy(&shop, "c", 100).await;
    shop.world().marketing.wait_until(|stats| stats.requests >= 1).await.unwrap();
    let since = customer(&shop, "c").await;
    assert_eq!(since["type"], "vip", "the first step is done whatever the second does");
    for _ in 0..3 {
        shop.pass(31).await;
        shop.drain_of("loyalty").await;
    }
    shop.world().marketing.turn(|knobs| knobs.down = false).unwrap();
    shop.settle_all().await;
    let events = shop.world().marketing.events();
    assert_eq!(events.len(), 1);
    assert_eq!(customer(&shop, "c").await["vip_since"], since["vip_since"]);
    assert_eq!(shop.customer_rows().number("SELECT count(*) FROM purchase"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn news_whose_answer_was_lost_is_repeated_under_the_same_id() {
    let shop = under("single-order").await;
    shop.world().marketing.turn(|knobs| knobs.lose_answer = true).unwrap();
    buy(&shop, "c", 100).await;
    shop.world().marketing.wait_until(|stats| stats.requests >= 1).await.unwrap();
    shop.pass(31).await;
    shop.drain_of("loyalty").await;
    shop.world().marketing.turn(|knobs| knobs.lose_answer = false).unwrap();
    shop.settle_all().await;
    let events = shop.world().marketing.events();
    assert_eq!(events.len(), 1, "the receiver knows a repetition by its id: {events:?}");
    assert!(shop.world().marketing.stats().repeated >= 1, "{:?}", shop.world().marketing.stats());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_the_marketing_system_is_a_dead_letter_and_its_redrive_tells_it() {
    let shop = under("single-order").await;
    shop.world().marketing.turn(|knobs| knobs.refuse = Some(400)).unwrap();
    buy(&shop, "c", 100).await;
    shop.settle_all().await;
    let letters = shop.buried("loyalty").await;
    assert_eq!(letters.len(), 1);
    assert_eq!(letters[0]["reason"], "marketing-refused");
    assert_eq!(customer(&shop, "c").await["type"], "vip");
    shop.world().marketing.turn(|knobs| knobs.refuse = None).unwrap();
    shop.redrive("loyalty").await;
    shop.settle_all().await;
    assert_eq!(shop.world().marketing.events().len(), 1);
    assert!(shop.buried("loyalty").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_order_that_is_delivered_again_and_again_promotes_and_tells_once() {
    let shop = under("single-order").await;
    buy(&shop, "c", 100).await;
    shop.settle_all().await;
    for _ in 0..20 {
        shop.rows().change(
            "UPDATE message SET state = 'ready', settled_at_ms = NULL WHERE queue_id = 'loyalty' AND state = 'done'",
        );
        shop.settle_all().await;
    }
    assert_eq!(shop.world().marketing.stats().requests, 1);
    let deliveries = shop.customer_rows().number("SELECT deliveries FROM purchase");
    assert!(deliveries > 10, "{deliveries}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_without_a_marketing_system_has_vips_all_the_same() {
    let shop = Shop::open().await;
    let path = format!("/v1/products/{SKU}");
    shop.client.put(OPERATOR, &path, definition(500, 0, 100)).await.expect(201);
    buy(&shop, "c", 100).await;
    shop.settle_all().await;
    assert_eq!(customer(&shop, "c").await["type"], "vip");
    assert!(shop.buried("loyalty").await.is_empty());
}

/// Buys in bulk, kills the host when `seen` says so, starts it again and brings everything to its end: one promotion, one piece of news.
async fn killed_when(prepare: impl FnOnce(&Shop), seen: impl AsyncFn(&Shop) -> bool) {
    let mut shop = under("single-order").await;
    prepare(&shop);
    buy(&shop, "c", 100).await;
    eventually("the step is reached", || async { seen(&shop).await.then_some(()) }).await;
    shop = shop.kill().await;
    shop.world()
        .marketing
        .turn(|knobs| {
            *knobs = restock_sandbox::marketing::Knobs { tolerance_seconds: None, ..Default::default() }
        })
        .unwrap();
    // The lease of the dead worker runs out.
    shop.clock.advance(Duration::from_secs(31));
    shop.tick().await;
    shop.settle_all().await;
    let events = shop.world().marketing.events();
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(!events[0].changed, "a repetition says the same: {events:?}");
    assert_eq!(customer(&shop, "c").await["type"], "vip");
    assert_eq!(shop.customer_rows().number("SELECT count(*) FROM purchase"), 1);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_purchase_was_recorded_the_customer_is_promoted_and_told_of_once() {
    let prepare = |shop: &Shop| shop.world().marketing.turn(|knobs| knobs.hang = true).unwrap();
    killed_when(prepare, async |shop: &Shop| shop.world().marketing.stats().requests == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_marketing_system_took_the_news_it_is_told_of_once() {
    let prepare = |shop: &Shop| shop.world().marketing.turn(|knobs| knobs.answer_delay_ms = 60_000).unwrap();
    killed_when(prepare, async |shop: &Shop| shop.world().marketing.stats().accepted == 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_after_the_news_was_noted_nobody_is_told_again() {
    let noted = async |shop: &Shop| {
        let sql = "SELECT count(*) FROM customer WHERE announced_at_ms IS NOT NULL";
        shop.customer_rows().number_so_far(sql, "customer") == Some(1)
    };
    killed_when(|_| {}, noted).await;
}

//! Claim: whatever the factory does, orders go on, and the goods are asked for once it can be asked.
//! Method: the sandbox factory with its faults; the clock moved by hand past every backoff.
//! Needs: the built components.

use std::time::Duration;

use restock_sandbox::factory::{Busy, Garbage, Knobs};
use serde_json::{Value, json};

use crate::support::{OPERATOR, SKU, Shop, VIEWER, eventually, items};

/// Sells the last unit while the factory has this fault, lets it fail a few times, lifts it, and checks the outcome.
async fn recovers_from(fault: impl Fn(&mut Knobs)) -> Shop {
    let shop = Shop::with_product(2, 0, 10).await;
    shop.factory.turn(&fault).unwrap();
    shop.client.order(SKU, 2).await.expect(201);
    shop.factory.wait_until(|stats| stats.requests >= 1).await.unwrap();
    for _ in 0..3 {
        shop.clock.advance(Duration::from_secs(31));
        shop.tick().await;
        shop.drain().await;
        shop.client.order(SKU, 1).await.expect(409);
    }
    assert_eq!(shop.factory.stats().accepted, 0);
    assert_eq!(shop.only_production().await["status"], "planned");
    shop.factory.turn(|knobs| *knobs = Knobs { stage_ms: None, ..Knobs::default() }).unwrap();
    shop.settle().await;
    assert_eq!(shop.factory.stats().accepted, 1, "asked once it is back, and once only");
    shop.finish_jobs(1).await;
    assert_eq!(shop.on_hand(SKU).await, 10);
    shop.audit().await;
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn a_factory_that_is_down_is_asked_when_it_is_back() {
    recovers_from(|knobs| knobs.down = true).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_factory_that_answers_500_is_asked_again() {
    recovers_from(|knobs| knobs.refuse = Some(500)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_factory_that_answers_garbage_is_asked_again() {
    recovers_from(|knobs| knobs.garbage = Some(Garbage::Html)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_factory_that_is_busy_is_asked_again() {
    recovers_from(|knobs| knobs.busy = Some(Busy { status: 429, retry_after_seconds: Some(20) })).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_factory_that_hangs_holds_up_no_order_and_is_given_up_in_time() {
    let shop = Shop::with_product(2, 0, 10).await;
    shop.factory.turn(|knobs| knobs.hang = true).unwrap();
    shop.client.order(SKU, 2).await.expect(201);
    shop.factory.wait_until(|stats| stats.requests == 1).await.unwrap();
    shop.client.order(SKU, 1).await.expect(409);
    let failed = eventually("the call is given up", || async {
        let queue = shop.queue().await;
        (queue["leased"] == 0).then_some(queue)
    })
    .await;
    assert_eq!(failed["ready"], 1, "{failed}");
    shop.factory.turn(|knobs| knobs.hang = false).unwrap();
    shop.settle().await;
    assert_eq!(shop.factory.stats().accepted, 1);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_hangs_holds_up_no_other() {
    let shop = Shop::open().await;
    shop.factory.turn(|knobs| (knobs.hang, knobs.faults_max) = (true, Some(1))).unwrap();
    shop.define("sku-0", 0, 0, 10).await;
    shop.factory.wait_until(|stats| stats.requests == 1).await.unwrap();
    // Its worker hears no bell while it waits for that call, and sees them all the same.
    for n in 1..4 {
        shop.define(&format!("sku-{n}"), 0, 0, 10).await;
    }
    eventually("the others are asked for", || async {
        let requested = shop.production().await.iter().filter(|one| one["status"] == "requested").count();
        (requested == 3).then_some(())
    })
    .await;
    assert_eq!(shop.factory.stats().concurrent, 1, "the first call hangs still");
    shop.factory.turn(|knobs| knobs.hang = false).unwrap();
    shop.settle().await;
    assert_eq!(shop.factory.stats().accepted, 4);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_factory_that_asks_for_patience_is_asked_for_no_product_before_the_time_it_named() {
    let shop = Shop::open().await;
    shop.factory
        .turn(|knobs| knobs.busy = Some(Busy { status: 429, retry_after_seconds: Some(60) }))
        .unwrap();
    shop.define("sku-0", 0, 0, 10).await;
    shop.factory.wait_until(|stats| stats.requests == 1).await.unwrap();
    shop.rest().await;
    shop.factory.turn(|knobs| knobs.busy = None).unwrap();
    for n in 1..4 {
        shop.define(&format!("sku-{n}"), 0, 0, 10).await;
    }
    shop.drain().await;
    shop.pass(50).await;
    shop.drain().await;
    assert_eq!(shop.factory.stats().requests, 1);
    assert_eq!(partner(&shop).await["circuit"], "closed", "it is well");
    shop.settle().await;
    assert_eq!(shop.factory.stats().accepted, 4);
    assert_eq!(shop.factory.stats().requests, 5);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_factory_that_took_the_job_but_lost_the_answer_delivers_once() {
    let shop = Shop::with_product(2, 0, 10).await;
    shop.factory.turn(|knobs| knobs.lose_answer = true).unwrap();
    shop.client.order(SKU, 2).await.expect(201);
    shop.factory.wait_until(|stats| stats.requests >= 1).await.unwrap();
    shop.factory.turn(|knobs| knobs.lose_answer = false).unwrap();
    shop.settle().await;
    let callbacks = shop.factory.finish(None).await;
    assert_eq!(callbacks.len(), 2, "the factory recognises nothing, it makes the goods twice");
    assert_eq!(shop.on_hand(SKU).await, 10, "the second report is the same request's");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_factory_that_forgets_is_asked_again_under_the_same_id_and_delivers_once() {
    let shop = Shop::with_product(1, 0, 10).await;
    shop.client.order(SKU, 1).await.expect(201);
    shop.factory.wait_until(|stats| stats.accepted == 1).await.unwrap();
    shop.rest().await;
    assert_eq!(shop.factory.forget(), 1);

    shop.clock.advance(Duration::from_secs(119));
    shop.tick().await;
    shop.drain().await;
    assert_eq!(shop.factory.stats().requests, 1, "not yet overdue");
    shop.clock.advance(Duration::from_secs(2));
    let ticked = shop.tick().await;
    assert_eq!(ticked["overdue"], 1, "{ticked}");
    for name in ["claimed", "done", "retried", "postponed", "buried"] {
        assert_eq!(ticked[name], 0, "{name}: {ticked}");
    }
    shop.finish_jobs(2).await;

    let requests = shop.factory.requests();
    assert_eq!(requests[0].body["CallbackUrl"], requests[1].body["CallbackUrl"]);
    assert_eq!(shop.on_hand(SKU).await, 10);
    let request = shop.only_production().await;
    assert_eq!((&request["status"], &request["attempts"]), (&json!("received"), &json!(2)));
    shop.settle().await;
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_is_buried_at_once_and_goes_through_when_it_is_redriven() {
    let shop = Shop::with_product(1, 0, 10).await;
    shop.factory.turn(|knobs| knobs.refuse = Some(400)).unwrap();
    shop.client.order(SKU, 1).await.expect(201);
    shop.settle().await;
    assert_eq!(shop.factory.stats().requests, 1, "a refusal is not repeated");
    assert_eq!(shop.only_production().await["status"], "failed");
    assert_eq!(shop.product(SKU).await["on_order"], 0);
    for _ in 0..3 {
        shop.client.order(SKU, 1).await.expect(409);
    }
    assert_eq!(shop.production().await.len(), 1, "asking again is an operator's decision");

    shop.factory.turn(|knobs| knobs.refuse = None).unwrap();
    let redriven = shop
        .client
        .post(OPERATOR, "/v1/queues/replenishment/redrive", json!({"all": true}))
        .await
        .expect(200);
    assert_eq!(redriven, json!({"redriven": 1}));
    shop.finish_jobs(1).await;
    assert_eq!(shop.on_hand(SKU).await, 10);
    shop.audit().await;
}

async fn partner(shop: &Shop) -> Value {
    let partners = items(shop.client.get(VIEWER, "/v1/partners").await.expect(200));
    partners.into_iter().find(|partner| partner["partner"] == "factory").expect("the factory's gate")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_factory_is_left_alone_but_for_probes_and_work_goes_on_when_it_is_well() {
    let shop = Shop::open().await;
    shop.factory.turn(|knobs| knobs.refuse = Some(500)).unwrap();
    for n in 0..12 {
        shop.define(&format!("sku-{n}"), 0, 0, 10).await;
    }
    eventually("the circuit opens", || async {
        shop.clock.advance(Duration::from_millis(100));
        shop.drain().await;
        (partner(&shop).await["circuit"] != "closed").then_some(())
    })
    .await;
    let calls = shop.factory.stats().requests;
    for _ in 0..10 {
        shop.drain().await;
    }
    assert_eq!(shop.factory.stats().requests, calls, "nobody calls through an open circuit");

    shop.clock.advance(Duration::from_secs(31));
    shop.tick().await;
    shop.drain().await;
    eventually("the probe is over", || async {
        // Before the probe the gate looks as it does after it.
        let probed = shop.factory.stats().requests > calls;
        let state = partner(&shop).await;
        (probed && state["circuit"] == "open" && state["in_flight"] == 0).then_some(())
    })
    .await;
    assert_eq!(shop.factory.stats().requests, calls + 1, "one probe");

    shop.factory.turn(|knobs| knobs.refuse = None).unwrap();
    shop.settle().await;
    assert_eq!(partner(&shop).await["circuit"], "closed");
    assert_eq!(shop.factory.stats().accepted, 12);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_more_calls_run_at_a_time_than_the_factory_is_given() {
    let shop = Shop::open_with(|options| {
        options.variables.insert("factory_concurrency".into(), "2".into());
    })
    .await;
    shop.factory.turn(|knobs| knobs.answer_delay_ms = 20).unwrap();
    for n in 0..12 {
        shop.define(&format!("sku-{n}"), 0, 0, 10).await;
    }
    eventually("all are asked", || async {
        shop.clock.advance(Duration::from_millis(500));
        shop.drain().await;
        (shop.factory.stats().accepted == 12).then_some(())
    })
    .await;
    assert!(shop.factory.stats().concurrent_max <= 2, "{:?}", shop.factory.stats());
    shop.audit().await;
}

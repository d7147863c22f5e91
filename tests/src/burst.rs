//! Claim: a burst of returns is held while the partner is slow, limited, down or failing: every return is reported once, no limit
//! is exceeded, a partner in trouble is left alone, and a kill in the middle changes nothing.
//! Method: hundreds of returns, a logistics stand-in with its faults; its own counts are the measure.
//! Needs: the built components.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use restock_host::Clock;
use restock_sandbox::logistics::{Busy, Call};
use serde_json::json;

use crate::support::{SKU, Shop, VIEWER, eventually};

/// A shop with this many returns that are back at the partner.
async fn back(returns: usize) -> Shop {
    let shop = Shop::with_returns(|_, _| {}).await;
    shop.define(SKU, 10, 0, 100).await;
    shop.world().logistics.set_returns(returns).unwrap();
    shop.world().logistics.deliver_all();
    shop
}

/// Works until the partner has so many reports, moving the clock past every backoff.
async fn settle(shop: &Shop, reported: u64) {
    for _ in 0..300 {
        shop.pass(31).await;
        shop.drain_of("returns").await;
        if shop.world().logistics.stats().reported >= reported {
            shop.rest().await;
            return;
        }
    }
    panic!("{:?}", shop.world().logistics.stats());
}

/// Every one of so many returns was reported once, and nothing is left over.
async fn all_is_well(shop: &Shop, returns: u64) {
    let stats = shop.world().logistics.stats();
    assert_eq!((stats.reported, stats.repeated, stats.early), (returns, 0, 0), "{stats:?}");
    let count = |sql: &str| shop.rows().number(sql).unsigned_abs();
    assert_eq!(count("SELECT count(*) FROM sales_return WHERE status = 'reported'"), returns);
    assert_eq!(count("SELECT count(*) FROM message WHERE queue_id = 'returns' AND state = 'buried'"), 0);
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_are_reported_once_by_a_partner_that_fails_now_and_then_in_every_way() {
    let shop = back(400).await;
    let logistics = &shop.world().logistics;
    logistics.turn(|knobs| (knobs.answer_delay_ms, knobs.busy_rate) = (5, 0.05)).unwrap();
    settle(&shop, 100).await;
    logistics.turn(|knobs| (knobs.busy_rate, knobs.error_rate) = (0.0, 0.1)).unwrap();
    settle(&shop, 200).await;
    logistics.turn(|knobs| (knobs.error_rate, knobs.busy_rate) = (0.0, 0.05)).unwrap();
    logistics.turn(|knobs| knobs.busy_retry_after_seconds = Some(2)).unwrap();
    settle(&shop, 300).await;
    logistics.turn(|knobs| (knobs.busy_rate, knobs.results_false_first) = (0.0, 1)).unwrap();
    settle(&shop, 400).await;
    all_is_well(&shop, 400).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_is_down_for_the_first_half_gets_probes_only_and_everything_later() {
    let shop = back(300).await;
    let logistics = &shop.world().logistics;
    settle(&shop, 1).await;
    settle_nothing_more(&shop).await;
    logistics.add_returns(300).unwrap();
    logistics.deliver_all();
    logistics.turn(|knobs| knobs.down = true).unwrap();
    let before = logistics.stats().requests;
    // Ten minutes; a probe every thirty seconds at most, the calls that opened the circuit, and those under way with them.
    for _ in 0..120 {
        shop.pass(5).await;
        shop.drain_of("returns").await;
    }
    let meanwhile = logistics.stats().requests - before;
    assert!((10..=10 + 32 + 2 * 20 + 5).contains(&meanwhile), "{meanwhile} calls");
    assert_eq!(shop.buried("returns").await.len(), 0);
    // While a probe is on its way the circuit is half open.
    shop.rest().await;
    let partners = shop.client.get(VIEWER, "/v1/partners").await;
    assert!(partners.text.contains("\"open\""), "{}", partners.text);
    logistics.turn(|knobs| knobs.down = false).unwrap();
    settle(&shop, 600).await;
    all_is_well(&shop, 600).await;
}

/// Works until everything that was collected so far is reported.
async fn settle_nothing_more(shop: &Shop) {
    let held = u64::try_from(shop.world().logistics.stats().returns).unwrap();
    settle(shop, held).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_that_hang_hold_up_nothing_but_themselves() {
    // With few places, so that nothing but the filling of each as it becomes free gets the others done.
    let shop = Shop::with_returns(|variables, _| {
        variables.insert("logistics_concurrency".into(), "8".into());
    })
    .await;
    shop.define(SKU, 10, 0, 100).await;
    let logistics = &shop.world().logistics;
    logistics.set_returns(40).unwrap();
    logistics.deliver_all();
    logistics
        .turn(|knobs| {
            knobs.faults_on = vec![Call::Tracking];
            (knobs.hang, knobs.faults_max) = (true, Some(3));
        })
        .unwrap();
    // Its worker is left alone: to wait for it is to wait for the calls that hang.
    shop.pass(60).await;
    logistics.wait_until(|stats| stats.reported >= 37).await.unwrap();
    eventually("all others are done with", || async {
        (shop.queue_of("returns").await["leased"] == 3).then_some(())
    })
    .await;
    let stats = logistics.stats();
    assert_eq!((stats.reported, stats.concurrent), (37, 3), "the three hang still: {stats:?}");
    logistics.turn(|knobs| knobs.hang = false).unwrap();
    settle(&shop, 40).await;
    all_is_well(&shop, 40).await;
}

/// Watches how long this process, in which the shop and its partner run, is held up by others at most.
struct HeldUp {
    watch: tokio::task::JoinHandle<()>,
    longest_us: Arc<AtomicU64>,
}

impl HeldUp {
    const BEAT: Duration = Duration::from_millis(2);

    fn begin() -> Self {
        let longest_us = Arc::new(AtomicU64::new(0));
        let longest = Arc::clone(&longest_us);
        let watch = tokio::spawn(async move {
            loop {
                let before = Instant::now();
                tokio::time::sleep(Self::BEAT).await;
                let late = before.elapsed().saturating_sub(Self::BEAT);
                longest.fetch_max(u64::try_from(late.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
            }
        });
        Self { watch, longest_us }
    }

    async fn end(self) -> Duration {
        self.watch.abort();
        let _ = self.watch.await;
        Duration::from_micros(self.longest_us.load(Ordering::Relaxed))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_spread_over_the_seconds_as_the_rate_says() {
    let shop = Shop::connected_as(|options, _| {
        options.clock = Clock::system();
        options.variables.insert("returns_every_seconds".into(), "60".into());
        options.variables.insert("logistics_rate_per_second".into(), "50".into());
        options.variables.insert("logistics_concurrency".into(), "32".into());
    })
    .await;
    shop.define(SKU, 10, 0, 100).await;
    let logistics = &shop.world().logistics;
    logistics.set_returns(100).unwrap();
    logistics.deliver_all();
    logistics.turn(|knobs| knobs.answer_delay_ms = 100).unwrap();
    let held_up = HeldUp::begin();
    eventually("all are reported", async || {
        shop.tick().await;
        shop.drain_of("returns").await;
        (logistics.stats().reported == 100).then_some(())
    })
    .await;
    let stats = logistics.stats();
    // That no second holds more than 50 starts is proven where they are decided. What was held up on its way arrives together
    // with what was sent later, and nobody can tell how long each call was; without a gate, 200 and more would arrive in a second.
    let held_up = held_up.end().await;
    let most = 75 + (2.0 * held_up.as_secs_f64() * 50.0).ceil() as usize;
    assert!(stats.per_second_max <= most, "held up for {held_up:?}: {stats:?}");
    assert!(stats.concurrent_max <= 32, "{stats:?}");
    shop.rest().await;
    all_is_well(&shop, 100).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partner_that_limits_us_itself_is_left_alone_as_long_as_it_says() {
    let shop = back(50).await;
    let logistics = &shop.world().logistics;
    settle(&shop, 1).await;
    settle_nothing_more(&shop).await;
    logistics.add_returns(200).unwrap();
    logistics.deliver_all();
    let busy = Busy { status: 429, retry_after_seconds: Some(120) };
    logistics.turn(|knobs| knobs.busy = Some(busy)).unwrap();
    let before = logistics.stats().requests;
    shop.pass(60).await;
    for _ in 0..20 {
        shop.drain_of("returns").await;
        shop.pass(5).await;
    }
    let meanwhile = logistics.stats().requests - before;
    assert!((1..=32).contains(&meanwhile), "{meanwhile} calls within the two minutes that it asked for");
    logistics.turn(|knobs| knobs.busy = None).unwrap();
    settle(&shop, 250).await;
    all_is_well(&shop, 250).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_changes_no_total() {
    let mut shop = back(600).await;
    let mut unheard = HashMap::new();
    shop.world().logistics.turn(|knobs| knobs.answer_delay_ms = 20).unwrap();
    shop.pass(60).await;
    for stop in [1, 150, 300, 450] {
        let working = shop.client.clone();
        let drain = tokio::spawn(async move {
            let authorization = format!("Bearer {}", crate::support::INTERNAL);
            let headers = [("authorization", authorization.as_str()), ("content-type", "application/json")];
            // It dies with the application.
            let _ = working
                .try_send(http::Method::POST, "/internal/returns/drain", &headers, json!({}).to_string())
                .await;
        });
        shop.world().logistics.wait_until(|stats| stats.reported >= stop).await.unwrap();
        shop = shop.kill().await;
        let _ = drain.await;
        // What the partner took and the dead did not live to note: it is said again, and nothing else is.
        let noted = noted(&shop);
        for seen in shop.world().logistics.reported() {
            if !noted.contains(&seen.order_item_number) {
                *unheard.entry(seen.order_item_number).or_insert(0) += 1;
            }
        }
        // The leases of the dead run out.
        shop.clock.advance(Duration::from_secs(31));
        shop.tick().await;
    }
    settle(&shop, 600).await;
    let stats = shop.world().logistics.stats();
    assert_eq!((stats.reported, stats.early), (600, 0), "{stats:?}");
    for seen in shop.world().logistics.reported() {
        let right = 1 + unheard.get(&seen.order_item_number).copied().unwrap_or(0);
        assert!((1..=right).contains(&seen.times), "{seen:?}");
    }
    let count = |sql: &str| shop.rows().number(sql).unsigned_abs();
    assert_eq!(count("SELECT count(*) FROM sales_return WHERE status = 'reported'"), 600);
    assert_eq!(count("SELECT count(*) FROM event WHERE type = 'return.delivered'"), 600);
    assert_eq!(count("SELECT count(*) FROM event WHERE type = 'return.collected'"), 600);
    shop.audit().await;
}

/// The items whose returns are noted as reported.
fn noted(shop: &Shop) -> HashSet<String> {
    let sql = "SELECT order_item_number FROM sales_return WHERE status = 'reported'";
    shop.rows().column(sql).into_iter().collect()
}

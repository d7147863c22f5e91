//! Claim: the numbers that people watch are those of what happened: each order in its minute, each sale in its window, each attempt in
//! its queue, once, whatever is repeated or removed and whatever the clock does.

use super::bindings::restock::insight::{Cover, Minute, ShopTotals};
use super::bindings::restock::ops::TickLimits;
use super::bindings::restock::orders::{IfShort, Status};
use super::bindings::restock::production::Delivery;
use super::bindings::restock::queue::Verdict;
use super::shop::{ATTEMPTS_MAX, DUE_MS, LEASE_MS, MINUTE_MS, QUEUE, Shop, settlement};
use super::store::Engine;

on_every_engine!(
    orders_are_counted_in_their_minute_by_their_first_answer_and_repetitions_are_not,
    minutes_are_kept_for_three_hours_and_count_for_ever,
    an_order_in_a_minute_that_was_removed_still_counts,
    minutes_are_read_from_a_moment_on_and_the_newest_where_there_are_too_many,
    a_sale_counts_for_the_last_hour_and_the_last_day_and_fades_from_both,
    an_hour_counts_from_five_units_on,
    what_waits_is_sold_once_and_what_moves_otherwise_is_not,
    a_clock_that_is_put_back_makes_no_pace_negative_and_one_that_was_ahead_leaves_nothing,
    products_that_run_out_next_come_first,
    lead_times_go_into_their_buckets_once_for_each_request,
    requests_and_levels_are_counted_by_what_they_are,
    attempts_are_counted_by_how_they_ended,
    what_was_done_within_the_last_minute_fades,
    the_latest_tick_is_known_also_after_a_clock_was_put_back,
);

const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Rounding of the engines' own floating point.
const ALMOST: f64 = 1e-9;

impl Shop {
    async fn totals(&self) -> ShopTotals {
        self.store.totals().await.expect("read")
    }

    async fn minutes(&self, since: u64) -> Vec<(u64, [u64; 3])> {
        let minutes = self.store.orders_by_minute(since).await.expect("read");
        minutes
            .into_iter()
            .map(|Minute { begins_at, accepted, backordered, rejected }| {
                (begins_at, [accepted, backordered, rejected])
            })
            .collect()
    }

    async fn cover(&self, sku: &str) -> Cover {
        self.store.cover_of(sku.into(), self.now()).await.expect("read").expect("the product is there")
    }

    /// Units of the last hour, of the last day and a day at the faster of both.
    async fn assert_pace(&self, sku: &str, expected: [f64; 3]) {
        let pace = self.cover(sku).await.pace;
        let found = [pace.last_hour, pace.last_day, pace.units_per_day];
        assert!(
            found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() < ALMOST),
            "{found:?} instead of {expected:?}"
        );
    }

    /// Goes on to the beginning of the next minute, hour or day.
    fn wait_for_next(&self, period_ms: u64) {
        self.wait_ms(period_ms - self.now() % period_ms);
    }
}

async fn orders_are_counted_in_their_minute_by_their_first_answer_and_repetitions_are_not(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    shop.wait_for_next(MINUTE_MS);
    let first = shop.now();
    shop.wait_ms(MINUTE_MS - 1);
    for _ in 0..3 {
        shop.place(shop.keyed("k", &[("A", 2)], IfShort::Reject)).await;
    }
    shop.buy(&[("A", 9)]).await;
    shop.buy(&[("A", 8)]).await;
    shop.place(shop.placement(&[("Z", 1)], IfShort::Reject)).await;
    assert_eq!(shop.minutes(first).await, [(first, [1, 0, 2])]);

    shop.wait_ms(1);
    let waiting = shop.backorder(&[("A", 9)]).await.order.id;
    assert_eq!(shop.minutes(first).await, [(first, [1, 0, 2]), (first + MINUTE_MS, [0, 1, 0])]);
    assert_eq!(shop.totals().await.orders.waiting, 1);

    shop.receive_for("A", 20).await;
    assert_eq!(shop.order(&waiting).await.status, Status::Accepted);
    assert_eq!(shop.minutes(first).await.len(), 2, "it was answered when it was placed");
    let orders = shop.totals().await.orders;
    assert_eq!((orders.accepted, orders.backordered, orders.rejected, orders.waiting), (1, 1, 2, 0));
    shop.audit().await;
}

async fn minutes_are_kept_for_three_hours_and_count_for_ever(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 3).await;
    shop.wait_for_next(MINUTE_MS);
    let first = shop.now();
    shop.buy(&[("A", 1)]).await;
    shop.buy(&[("A", 9)]).await;
    shop.wait_ms(MINUTE_MS);
    shop.buy(&[("A", 1)]).await;
    let before = shop.totals().await.orders;

    shop.wait_ms(3 * HOUR_MS - MINUTE_MS - 1);
    shop.tick().await;
    assert_eq!(shop.minutes(0).await.len(), 2, "none is old yet");
    shop.wait_ms(1);
    shop.tick().await;
    assert_eq!(shop.minutes(0).await, [(first + MINUTE_MS, [1, 0, 0])]);
    assert_eq!(shop.totals().await.orders, before);
    shop.wait_ms(DAY_MS);
    for _ in 0..2 {
        shop.tick().await;
        assert_eq!(shop.minutes(0).await, []);
        assert_eq!(shop.totals().await.orders, before);
    }
    assert_eq!((before.accepted, before.rejected), (2, 1));
}

async fn an_order_in_a_minute_that_was_removed_still_counts(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 9).await;
    let mut late = shop.placement(&[("A", 1)], IfShort::Reject);
    shop.buy(&[("A", 1)]).await;
    shop.wait_ms(4 * HOUR_MS);
    shop.tick().await;
    late.placed_at -= late.placed_at % MINUTE_MS;
    let minute = late.placed_at;
    shop.place(late).await;
    assert_eq!(shop.minutes(0).await, [(minute, [1, 0, 0])]);
    assert_eq!(shop.totals().await.orders.accepted, 2);
    shop.tick().await;
    assert_eq!(shop.totals().await.orders.accepted, 2);
}

async fn minutes_are_read_from_a_moment_on_and_the_newest_where_there_are_too_many(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 1_000, 1_000).await;
    shop.wait_for_next(MINUTE_MS);
    let first = shop.now();
    for _ in 0..182 {
        shop.buy(&[("A", 1)]).await;
        shop.wait_ms(MINUTE_MS);
    }
    let begin = async |since| shop.minutes(since).await.into_iter().map(|(at, _)| at).collect::<Vec<_>>();
    let expected: Vec<_> = (2..182).map(|minute| first + minute * MINUTE_MS).collect();
    assert_eq!(begin(0).await, expected);
    assert_eq!(begin(first + 170 * MINUTE_MS).await, expected[168..]);
    assert_eq!(begin(first + 170 * MINUTE_MS + 1).await, expected[169..], "it began before");
    assert_eq!(begin(u64::MAX).await, [0; 0]);
}

async fn a_sale_counts_for_the_last_hour_and_the_last_day_and_fades_from_both(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 1_000, 1_000).await;
    shop.assert_pace("A", [0.0, 0.0, 0.0]).await;
    shop.wait_for_next(DAY_MS);
    shop.buy(&[("A", 10)]).await;
    shop.assert_pace("A", [10.0, 10.0, 240.0]).await;
    shop.wait_ms(HOUR_MS / 2);
    shop.buy(&[("A", 2)]).await;
    shop.assert_pace("A", [12.0, 12.0, 288.0]).await;
    shop.wait_ms(HOUR_MS / 2);
    shop.assert_pace("A", [12.0, 12.0, 288.0]).await;
    shop.wait_ms(HOUR_MS / 4);
    shop.assert_pace("A", [9.0, 12.0, 216.0]).await;
    shop.wait_ms(HOUR_MS / 4);
    shop.buy(&[("A", 6)]).await;
    shop.assert_pace("A", [12.0, 18.0, 288.0]).await;
    // Nothing was sold in the hour between.
    shop.wait_ms(HOUR_MS);
    shop.assert_pace("A", [3.0, 18.0, 18.0]).await;
    shop.wait_ms(HOUR_MS / 2);
    shop.assert_pace("A", [0.0, 18.0, 18.0]).await;
    shop.wait_ms(21 * HOUR_MS + DAY_MS / 3);
    shop.assert_pace("A", [0.0, 12.0, 12.0]).await;
    shop.buy(&[("A", 1)]).await;
    shop.assert_pace("A", [1.0, 13.0, 13.0]).await;
    let cover = shop.cover("A").await;
    assert_eq!(cover.product.on_hand, 981);
    assert!((cover.days.expect("it sells") - 981.0 / 13.0).abs() < ALMOST);
    // Two days without a sale: neither window knows of any.
    shop.wait_ms(2 * DAY_MS);
    shop.assert_pace("A", [0.0, 0.0, 0.0]).await;
    assert_eq!(shop.cover("A").await.days, None);
    shop.buy(&[("A", 4)]).await;
    shop.assert_pace("A", [4.0, 4.0, 4.0]).await;
}

async fn an_hour_counts_from_five_units_on(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 1_000, 1_000).await;
    shop.wait_for_next(DAY_MS);
    shop.buy(&[("A", 4)]).await;
    shop.assert_pace("A", [4.0, 4.0, 4.0]).await;
    shop.buy(&[("A", 1)]).await;
    shop.assert_pace("A", [5.0, 5.0, 120.0]).await;
    assert!((shop.cover("A").await.days.expect("it sells") - 995.0 / 120.0).abs() < ALMOST);
    shop.wait_ms(HOUR_MS + 1);
    assert!((shop.cover("A").await.days.expect("it sells") - 995.0 / 5.0).abs() < ALMOST);
}

async fn what_waits_is_sold_once_and_what_moves_otherwise_is_not(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 100, 10).await;
    shop.define("B", 0, 100, 10).await;
    shop.wait_for_next(DAY_MS);
    shop.buy(&[("A", 11)]).await;
    shop.adjust("A", -3, None).await;
    shop.adjust("A", 2, None).await;
    shop.assert_pace("A", [0.0, 0.0, 0.0]).await;
    let order = shop.backorder(&[("A", 20), ("B", 1)]).await.order;
    assert_eq!(order.status, Status::Backordered);
    shop.assert_pace("A", [20.0, 20.0, 480.0]).await;
    shop.assert_pace("B", [1.0, 1.0, 1.0]).await;
    shop.wait_ms(HOUR_MS);
    shop.receive_for("A", 50).await;
    assert_eq!(shop.order(&order.id).await.status, Status::Accepted);
    shop.assert_pace("A", [20.0, 20.0, 480.0]).await;
    shop.assert_pace("B", [1.0, 1.0, 1.0]).await;
    shop.wait_ms(HOUR_MS);
    shop.assert_pace("A", [0.0, 20.0, 20.0]).await;
}

async fn a_clock_that_is_put_back_makes_no_pace_negative_and_one_that_was_ahead_leaves_nothing(
    engine: Engine,
) {
    let shop = Shop::with_product(engine, "A", 0, 1_000, 1_000).await;
    shop.wait_for_next(DAY_MS);
    let day = shop.now();
    let sell_at = async |units, at| {
        let mut placement = shop.placement(&[("A", units)], IfShort::Reject);
        placement.placed_at = at;
        shop.recorded(placement).await;
    };
    let pace_at = async |at| {
        let cover = shop.store.cover_of("A".into(), at).await.expect("read").expect("the product is there");
        [cover.pace.last_hour, cover.pace.last_day, cover.pace.units_per_day]
    };
    sell_at(10, day).await;
    assert_eq!(pace_at(day - 1).await, [10.0, 10.0, 240.0], "of a moment to come, all of it");
    sell_at(3, day - HOUR_MS / 2).await;
    assert_eq!(pace_at(day - 1).await, [13.0, 13.0, 312.0]);
    assert_eq!(pace_at(day).await, [13.0, 13.0, 312.0]);
    assert_eq!(pace_at(day + HOUR_MS / 2).await[0], 11.5);
    // A day is nothing new to the window of the day, and hours before the hour's.
    sell_at(2, day - 2 * HOUR_MS).await;
    assert_eq!(pace_at(day - 2 * HOUR_MS).await, [2.0, 15.0, 15.0]);

    // A clock that is years ahead, for one order.
    sell_at(7, day + 3_650 * DAY_MS).await;
    assert_eq!(pace_at(day).await, [0.0, 0.0, 0.0]);
    assert_eq!(shop.cover("A").await.days, None);
    sell_at(1, day).await;
    assert_eq!(pace_at(day).await, [1.0, 1.0, 1.0]);
    for at in [0, 1, day - DAY_MS, day + 1, u64::MAX] {
        assert!(pace_at(at).await.iter().all(|units| (0.0..=24.0 * 15.0).contains(units)), "{at}");
        shop.store.at_risk(10, at).await.expect("read");
        shop.store.queues(at).await.expect("read");
    }
    shop.audit().await;
}

async fn products_that_run_out_next_come_first(engine: Engine) {
    let shop = Shop::open(engine).await;
    shop.wait_for_next(DAY_MS);
    for (sku, stock) in [("idle", 5), ("late", 2), ("early", 2), ("slow", 100), ("fast", 100), ("empty", 0)] {
        shop.define(sku, 0, 500, stock).await;
    }
    shop.wait_ms(1);
    shop.buy(&[("early", 2)]).await;
    shop.wait_ms(1);
    shop.backorder(&[("late", 3)]).await;
    shop.buy(&[("slow", 1), ("fast", 2)]).await;
    let at_risk = async |limit| {
        let covers = shop.store.at_risk(limit, shop.now()).await.expect("read");
        covers.into_iter().map(|cover| (cover.product.sku, cover.days)).collect::<Vec<_>>()
    };
    let expected = [
        ("empty", Some(0.0)),
        ("early", Some(0.0)),
        ("late", Some(0.0)),
        ("fast", Some(98.0 / 2.0)),
        ("slow", Some(99.0)),
    ]
    .map(|(sku, days)| (sku.to_owned(), days));
    assert_eq!(at_risk(200).await, expected);
    assert_eq!(at_risk(2).await, expected[..2]);
    assert_eq!(at_risk(0).await.len(), 1, "as a page");
    let idle = shop.cover("idle").await;
    assert_eq!((idle.days, idle.product.on_hand), (None, 5));
    assert_eq!(shop.cover("late").await.product, shop.product("late").await);
    assert_eq!(shop.store.cover_of("nobody's".into(), shop.now()).await, Ok(None));
}

/// How many requests are in each bucket that has any: its upper bound in seconds, and the number.
fn buckets(totals: &ShopTotals) -> Vec<(Option<u64>, u64)> {
    let all = &totals.production.lead_times;
    all.iter()
        .filter(|bucket| bucket.requests > 0)
        .map(|bucket| (bucket.seconds_max, bucket.requests))
        .collect()
}

async fn lead_times_go_into_their_buckets_once_for_each_request(engine: Engine) {
    let shop = Shop::open(engine).await;
    let empty = shop.totals().await.production;
    let bounds: Vec<_> = empty.lead_times.iter().map(|bucket| bucket.seconds_max).collect();
    let (last, bounded) = bounds.split_last().expect("there are buckets");
    assert_eq!(*last, None);
    assert!(bounded.is_sorted_by(|a, b| a.is_some() && a < b), "{bounds:?}");
    assert_eq!((bounded.first(), bounded.last()), (Some(&Some(10)), Some(&Some(604_800))));
    assert_eq!((empty.received, empty.lead_time_ms_sum), (0, 0));

    let mut sum = 0;
    for (number, took_ms) in [0, 10_000, 10_001, 604_800_000, 604_800_001].into_iter().enumerate() {
        let sku = format!("P{number}");
        shop.define(&sku, 2, 10, 1).await;
        let id = shop.open_request(&sku).await.expect("it is low").id;
        shop.wait_ms(took_ms);
        shop.receive(&id, 9).await;
        sum += took_ms;
        shop.wait_ms(1);
        assert!(shop.receive(&id, 9).await.repeated);
    }
    let expected = [(Some(10), 2), (Some(30), 1), (Some(604_800), 1), (None, 1)];
    let totals = shop.totals().await;
    assert_eq!(buckets(&totals), expected);
    assert_eq!((totals.production.received, totals.production.lead_time_ms_sum), (5, sum));

    // A clock that was put back: at once, not before.
    shop.define("back", 2, 10, 1).await;
    let id = shop.open_request("back").await.expect("it is low").id;
    let delivery = Delivery::OfRequest(id);
    shop.store.receive(delivery, 9, shop.now() - DAY_MS).await.expect("booked");
    let totals = shop.totals().await;
    assert_eq!(buckets(&totals)[0], (Some(10), 3));
    assert_eq!(totals.production.lead_time_ms_sum, sum);
}

async fn requests_and_levels_are_counted_by_what_they_are(engine: Engine) {
    let shop = Shop::with_messages(engine, 5).await;
    let ids: Vec<_> = {
        let mut requests = shop.requests(None).await;
        requests.sort_by(|a, b| a.sku.cmp(&b.sku));
        requests.into_iter().map(|request| request.id).collect()
    };
    let deliveries = shop.claim(5).await;
    shop.ask(&ids[0]).await;
    shop.ask(&ids[1]).await;
    shop.bury(&deliveries[2], "factory-refused", "no").await;
    shop.bury(&deliveries[3], "factory-refused", "no").await;
    shop.purge_all().await;
    shop.receive(&ids[3], 9).await;
    let production = shop.totals().await.production;
    let states = (production.planned, production.requested, production.overdue, production.failed);
    assert_eq!((states, production.received, production.cancelled), ((1, 2, 0, 0), 1, 1));
    shop.settle(&deliveries[4], Verdict::Bury).await;
    shop.wait_ms(DUE_MS);
    shop.tick().await;
    let totals = shop.totals().await;
    let production = &totals.production;
    let states = (production.planned, production.requested, production.overdue, production.failed);
    assert_eq!((states, production.received, production.cancelled), ((0, 0, 2, 1), 1, 1));
    let open = shop.open_incidents().await.len();
    assert_eq!(totals.incidents_open, u64::try_from(open).expect("few"));
    assert!(open > 0);

    let stock = totals.stock;
    assert_eq!((stock.products, stock.on_hand, stock.on_order, stock.backordered), (5, 14, 18, 0));
    assert_eq!((stock.depleted, stock.low), (0, 2), "whose goods are not on order");
    shop.backorder(&[("P000", 3)]).await;
    let stock = shop.totals().await.stock;
    assert_eq!((stock.depleted, stock.low, stock.backordered), (1, 2, 3));
}

async fn attempts_are_counted_by_how_they_ended(engine: Engine) {
    let shop = Shop::with_messages(engine, 5).await;
    let counted = async || {
        let queue = shop.queue().await;
        [
            queue.done_total,
            queue.retried_total,
            queue.postponed_total,
            queue.buried_total,
            queue.expired_total,
        ]
    };
    let deliveries = shop.claim(5).await;
    assert_eq!(counted().await, [0; 5]);
    assert!(shop.settle(&deliveries[0], Verdict::Done).await);
    assert!(!shop.settle(&deliveries[0], Verdict::Done).await, "said before");
    assert!(shop.settle(&deliveries[1], Verdict::Bury).await);
    assert!(shop.settle(&deliveries[2], Verdict::Retry(shop.now())).await);
    // One attempt on record however often, and each time counted.
    let mut postponed = deliveries[3].clone();
    for _ in 0..3 {
        assert!(shop.settle(&postponed, Verdict::Postpone(shop.now())).await);
        let again = shop.claim(5).await;
        let mut same = again.into_iter().filter(|delivery| delivery.message_id == deliveries[3].message_id);
        postponed = same.next().expect("it is due");
    }
    assert_eq!(counted().await, [1, 1, 3, 1, 0]);
    // Three are held by workers that never come back.
    for round in 1..=ATTEMPTS_MAX {
        shop.wait_ms(LEASE_MS);
        shop.tick().await;
        assert_eq!(counted().await[..4], [1, 1, 3, 1], "{round}");
        shop.claim(5).await;
    }
    let queue = shop.queue().await;
    assert_eq!(queue.ready + queue.leased, 0, "all were given up");
    let attempts: i64 =
        shop.place.count("SELECT count(*) FROM message_attempt WHERE outcome = 'lease-expired'");
    assert_eq!(counted().await[4], u64::try_from(attempts).expect("few"));
    assert!(attempts >= 3);
    assert_eq!(shop.queue_named("alerts").await.buried_total, 0, "each queue for itself");
}

async fn what_was_done_within_the_last_minute_fades(engine: Engine) {
    let shop = Shop::with_messages(engine, 9).await;
    let lately = async || shop.queue().await.done_last_minute;
    shop.wait_for_next(MINUTE_MS);
    let deliveries = shop.claim(9).await;
    for delivery in &deliveries[..4] {
        shop.settle(delivery, Verdict::Done).await;
    }
    shop.settle(&deliveries[8], Verdict::Bury).await;
    assert_eq!(lately().await, 4.0);
    shop.wait_ms(MINUTE_MS + MINUTE_MS / 2);
    assert_eq!(lately().await, 2.0);
    shop.settle(&deliveries[4], Verdict::Done).await;
    assert_eq!(lately().await, 3.0);
    shop.settle(&deliveries[5], Verdict::Retry(shop.now())).await;
    assert_eq!(lately().await, 3.0);
    // The clock is put back into the minute before, and then by an hour.
    let back = |delivery: &_| vec![settlement(delivery, Verdict::Done)];
    shop.store.settle(back(&deliveries[6]), shop.now() - MINUTE_MS).await.expect("settled");
    assert_eq!(lately().await, 3.5);
    shop.store.settle(back(&deliveries[7]), shop.now() - HOUR_MS).await.expect("settled");
    assert_eq!(lately().await, 0.0, "that was an hour ago");
    let queues = shop.store.queues(shop.now() - HOUR_MS).await.expect("read");
    let queue = queues.iter().find(|queue| queue.queue == QUEUE).expect("the queue is there");
    assert_eq!((queue.done_last_minute, queue.done_total), (1.0, 7));
}

async fn the_latest_tick_is_known_also_after_a_clock_was_put_back(engine: Engine) {
    let shop = Shop::open(engine).await;
    assert_eq!(shop.totals().await.ticked_at, None);
    shop.tick().await;
    assert_eq!(shop.totals().await.ticked_at, Some(shop.now()));
    shop.wait_ms(5);
    shop.tick().await;
    assert_eq!(shop.totals().await.ticked_at, Some(shop.now()));
    let limits = TickLimits { attempts_max: ATTEMPTS_MAX, batch: 10 };
    shop.store.tick(limits, shop.now() - HOUR_MS).await.expect("ticked");
    assert_eq!(shop.totals().await.ticked_at, Some(shop.now() - HOUR_MS));
}

//! The shop in numbers, for a monitoring system.
//!
//! Every value comes from the store, so whichever instance or replica is asked says the same, and a counter never goes back when one of them
//! starts again. Only how long the store took is measured here, by the very request that tells it.
//!
//! Labels are bounded: states and outcomes are words of the interface, queues and partners are those of the schema, and products are told
//! one by one only in a small shop ([`PRODUCTS_MAX`]).

mod text;

use http::StatusCode;
use restock_bindings::catalog::{self, Product};
use restock_bindings::insight::{self, OrderTotals, ProductionTotals, ShopTotals, StockTotals};
use restock_bindings::ops::{self, Readiness};
use restock_bindings::partners::{self, Circuit, State};
use restock_bindings::queue::{self, Status};
use restock_bindings::types::{Fault, Page};
use restock_edge::{Answer, Call, Error};
use std::time::{Duration, Instant};
use text::{Exposition, Sample};

/// A shop with more products than this tells their sums only: a series for each level of each product would be too many to keep.
const PRODUCTS_MAX: u32 = 200;
/// The job whose turn is the small write that is timed.
const WRITE_JOB: &str = "metrics";
/// A write is made and timed at most so often, by all who ask together, ms.
const WRITE_EVERY_MS: u64 = 1_000;
const MS_PER_SECOND: f64 = 1_000.0;

/// How long the store took for a small read and a small write.
struct Latency {
    read: Duration,
    /// None: somebody else's request has just written.
    write: Option<Duration>,
}

/// Everything that is told.
struct Numbers {
    now_ms: u64,
    store: Readiness,
    latency: Latency,
    shop: ShopTotals,
    /// Empty in a large shop.
    products: Vec<Product>,
    queues: Vec<Status>,
    partners: Vec<State>,
}

/// `GET /metrics`
pub(crate) async fn show(call: Call) -> Result<Answer, Error> {
    let numbers = read(call.now_ms()).await?;
    let mut exposition = Exposition::default();
    stock(&mut exposition, &numbers.shop.stock, &numbers.products);
    orders(&mut exposition, &numbers.shop.orders);
    production(&mut exposition, &numbers.shop.production);
    queues(&mut exposition, &numbers.queues);
    partner_gates(&mut exposition, &numbers.partners);
    watch(&mut exposition, &numbers.shop, numbers.now_ms);
    store(&mut exposition, &numbers.store, &numbers.latency);
    Ok(Answer::of(StatusCode::OK, text::MEDIA_TYPE, exposition.write()?))
}

async fn read(now_ms: u64) -> Result<Numbers, Fault> {
    // Opens the store first: what that takes is not what its work takes.
    let store = ops::ready().await?;
    let began = Instant::now();
    let partners = partners::list(now_ms).await?;
    let read = began.elapsed();
    let began = Instant::now();
    let wrote = ops::take_turn(WRITE_JOB.to_owned(), WRITE_EVERY_MS, now_ms).await?;
    let write = wrote.then(|| began.elapsed());
    let shop = insight::totals().await?;
    let products = if shop.stock.products <= u64::from(PRODUCTS_MAX) {
        catalog::list(Page { limit: PRODUCTS_MAX, after: None }).await?
    } else {
        Vec::new()
    };
    let queues = queue::list(now_ms).await?;
    Ok(Numbers { now_ms, store, latency: Latency { read, write }, shop, products, queues, partners })
}

fn stock(exposition: &mut Exposition, totals: &StockTotals, products: &[Product]) {
    let in_stock = totals.products.saturating_sub(totals.depleted).saturating_sub(totals.low);
    exposition.gauge(
        "restock_products",
        "Products: of depleted ones nothing is available; of low ones something is, and the inventory position is at the reorder \
         point or below it.",
        Sample::by(
            "state",
            [("in-stock", count(in_stock)), ("low", count(totals.low)), ("depleted", count(totals.depleted))],
        ),
    );
    exposition.gauge(
        "restock_stock_units",
        "Units of all products together: on the shelf, on order, and owed to waiting orders.",
        levels(totals.on_hand, totals.on_order, totals.backordered),
    );
    exposition.gauge(
        "restock_product_stock_units",
        "Units of each product, in a shop with at most 200 products.",
        products.iter().flat_map(|product| {
            let levels = levels(product.on_hand, product.on_order, product.backordered);
            levels.map(|level| level.with("sku", &product.sku))
        }),
    );
}

/// Units by level.
fn levels(on_hand: i64, on_order: i64, backordered: i64) -> impl Iterator<Item = Sample> {
    let units = [("on-hand", on_hand), ("on-order", on_order), ("backordered", backordered)];
    Sample::by("level", units.map(|(level, units)| (level, units as f64)))
}

fn orders(exposition: &mut Exposition, totals: &OrderTotals) {
    let OrderTotals { accepted, backordered, rejected, waiting } = *totals;
    exposition.counter(
        "restock_orders_total",
        "Orders by their first answer.",
        counts("outcome", [("accepted", accepted), ("backordered", backordered), ("rejected", rejected)]),
    );
    exposition.gauge("restock_orders_waiting", "Orders that wait for goods.", [Sample::of(count(waiting))]);
}

fn production(exposition: &mut Exposition, totals: &ProductionTotals) {
    let ProductionTotals { planned, requested, overdue, failed, received, cancelled, .. } = *totals;
    exposition.gauge(
        "restock_production_requests",
        "Production requests whose goods are not there. Failed ones could not be asked for; cancelled ones were given up, and their goods \
         may come all the same.",
        counts(
            "state",
            [
                ("planned", planned),
                ("requested", requested),
                ("overdue", overdue),
                ("failed", failed),
                ("cancelled", cancelled),
            ],
        ),
    );
    exposition.counter(
        "restock_production_received_total",
        "Production requests whose goods came.",
        [Sample::of(count(received))],
    );
    exposition.histogram(
        "restock_production_lead_time_seconds",
        "Time from the plan of a production request to its goods.",
        totals.lead_times.iter().map(|bucket| (bucket.seconds_max.map(count), bucket.requests)),
        seconds(totals.lead_time_ms_sum),
    );
}

fn queues(exposition: &mut Exposition, queues: &[Status]) {
    exposition.gauge(
        "restock_messages",
        "Messages that are not done: ready ones wait, be it for a later time; leased ones are in work; buried ones are dead letters.",
        queues.iter().flat_map(|queue| {
            let states = [("ready", queue.ready), ("leased", queue.leased), ("buried", queue.buried)];
            counts("state", states).map(|sample| sample.with("queue", &queue.queue))
        }),
    );
    exposition.gauge(
        "restock_message_oldest_age_seconds",
        "Age of the oldest message that waits, be it for a later time; zero where none does.",
        queues.iter().map(|queue| Sample::of(count(queue.oldest_ready_seconds)).with("queue", &queue.queue)),
    );
    exposition.gauge(
        "restock_message_due_age_seconds",
        "For how long the first of the messages that are due has been due; zero where none is.",
        queues.iter().map(|queue| Sample::of(count(queue.oldest_due_seconds)).with("queue", &queue.queue)),
    );
    exposition.counter(
        "restock_messages_done_total",
        "Messages that were done.",
        queues.iter().map(|queue| Sample::of(count(queue.done_total)).with("queue", &queue.queue)),
    );
    exposition.counter(
        "restock_message_attempts_total",
        "Attempts at messages, by how they ended. Those whose lease expired had a worker that did not come back in time.",
        queues.iter().flat_map(|queue| {
            let outcomes = [
                ("done", queue.done_total),
                ("retry", queue.retried_total),
                ("postpone", queue.postponed_total),
                ("bury", queue.buried_total),
                ("lease-expired", queue.expired_total),
            ];
            counts("outcome", outcomes).map(|sample| sample.with("queue", &queue.queue))
        }),
    );
    exposition.gauge(
        "restock_queue_paused",
        "1 where an operator stopped the queue from giving out messages.",
        queues.iter().map(|queue| Sample::of(yes(queue.paused)).with("queue", &queue.queue)),
    );
}

fn partner_gates(exposition: &mut Exposition, partners: &[State]) {
    exposition.gauge(
        "restock_partner_circuit",
        "1 for the state that the circuit to the partner is in, 0 for the others.",
        partners.iter().flat_map(|partner| {
            let states =
                [("closed", Circuit::Closed), ("open", Circuit::Open), ("half-open", Circuit::HalfOpen)];
            let states = states.map(|(word, state)| (word, yes(partner.circuit == state)));
            Sample::by("state", states).map(|sample| sample.with("partner", &partner.partner))
        }),
    );
    let each = |number: fn(&State) -> u64| {
        partners
            .iter()
            .map(move |partner| Sample::of(count(number(partner))).with("partner", &partner.partner))
    };
    exposition.gauge(
        "restock_partner_calls_in_flight",
        "Calls to the partner that run now.",
        each(|partner| u64::from(partner.in_flight)),
    );
    exposition.counter(
        "restock_partner_calls_total",
        "Calls that the gate in front of the partner let through.",
        each(|partner| partner.calls_total),
    );
    exposition.counter(
        "restock_partner_call_failures_total",
        "Calls after which the partner counted as failing; the refusal of one request is no such thing.",
        each(|partner| partner.failures_total),
    );
}

/// Incidents and the tick. A shop that never had a tick has no moment to tell.
fn watch(exposition: &mut Exposition, totals: &ShopTotals, now_ms: u64) {
    exposition.gauge(
        "restock_incidents_open",
        "Incidents that go on.",
        [Sample::of(count(totals.incidents_open))],
    );
    exposition.gauge(
        "restock_tick_begun_timestamp_seconds",
        "When a tick last began, in seconds since 1970.",
        totals.ticked_at.map(|at| Sample::of(seconds(at))),
    );
    exposition.gauge(
        "restock_tick_lateness_seconds",
        "How long ago a tick last began: what time makes necessary is at most so late.",
        totals.ticked_at.map(|at| Sample::of(seconds(now_ms.saturating_sub(at)))),
    );
}

fn store(exposition: &mut Exposition, store: &Readiness, latency: &Latency) {
    let timed = [("read", Some(latency.read)), ("write", latency.write)];
    exposition.gauge(
        "restock_store_latency_seconds",
        "How long this very scrape waited for a small read and for a small write; no write where another scrape had made one within \
         a second.",
        Sample::by(
            "operation",
            timed.into_iter().filter_map(|(word, took)| Some((word, took?.as_secs_f64()))),
        ),
    );
    let schema_version = store.schema_version.to_string();
    exposition.gauge(
        "restock_store_info",
        "The engine of the store and the newest migration that was applied to it.",
        [Sample::of(1.0).with("engine", &store.engine).with("schema_version", &schema_version)],
    );
    exposition.gauge(
        "restock_build_info",
        "The release of the program that answered.",
        [Sample::of(1.0).with("version", env!("CARGO_PKG_VERSION"))],
    );
}

/// Counts by the words of one label.
fn counts<const N: usize>(
    label: &'static str,
    counts: [(&'static str, u64); N],
) -> impl Iterator<Item = Sample> {
    Sample::by(label, counts.map(|(word, number)| (word, count(number))))
}

/// A number as the format has it: exact up to 2^53, beyond whatever a shop counts.
fn count(number: u64) -> f64 {
    number as f64
}

fn seconds(ms: u64) -> f64 {
    count(ms) / MS_PER_SECOND
}

fn yes(is: bool) -> f64 {
    f64::from(u8::from(is))
}

//! Claim: whatever happens in whatever order, no request and no event has a trace but that of what caused it.
//! Method: random histories in which every step has a moment of its own. At the end each request and each event must have its trace from
//! what happened at its moment, and those that say whose they are, from that.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::any_history::{in_any_history, in_any_history_on_every_engine};
use super::bindings::restock::orders::{IfShort, Placement, VipPolicy, VipRule};
use super::bindings::restock::queue::{Delivery, Verdict};
use super::shop::{DUE_MS, Shop};
use super::store::{Engine, Label};
use super::traces::trace;

const SKUS: [&str; 3] = ["A", "B", "C"];

#[derive(Clone, Debug)]
enum Step {
    Place { items: Vec<(usize, u32)>, wait: bool, traced: bool },
    Adjust { sku: usize, delta: i64 },
    Define { sku: usize, reorder_point: i64 },
    Receive { which: usize, quantity: i64 },
    ReceiveFor { sku: usize, quantity: i64 },
    Work { verdict: u8 },
    Tick,
    Redrive,
    Purge,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sku = 0..SKUS.len();
    let items = (proptest::sample::subsequence(vec![0, 1, 2], 1..=3), proptest::collection::vec(1_u32..6, 3))
        .prop_map(|(skus, units)| skus.into_iter().zip(units).collect::<Vec<_>>());
    let step = prop_oneof![
        7 => (items, any::<bool>(), proptest::bool::weighted(0.8))
            .prop_map(|(items, wait, traced)| Step::Place { items, wait, traced }),
        2 => (sku.clone(), prop_oneof![-6_i64..0, 1_i64..8]).prop_map(|(sku, delta)| Step::Adjust { sku, delta }),
        1 => (sku.clone(), 0_i64..6).prop_map(|(sku, reorder_point)| Step::Define { sku, reorder_point }),
        3 => (any::<usize>(), 1_i64..14).prop_map(|(which, quantity)| Step::Receive { which, quantity }),
        1 => (sku, 1_i64..6).prop_map(|(sku, quantity)| Step::ReceiveFor { sku, quantity }),
        3 => (0_u8..3).prop_map(|verdict| Step::Work { verdict }),
        2 => Just(Step::Tick),
        1 => Just(Step::Redrive),
        1 => Just(Step::Purge),
    ];
    proptest::collection::vec(step, 10..45)
}

/// Lets one step happen, at a moment of its own.
async fn happen(shop: &Shop, number: usize, step: Step) {
    shop.wait_ms(1);
    match step {
        Step::Place { items, wait, traced } => {
            let named: Vec<_> = items.iter().map(|(sku, units)| (SKUS[*sku], *units)).collect();
            let if_short = if wait { IfShort::Backorder } else { IfShort::Reject };
            let placement = shop.placement(&named, if_short);
            let vip = VipPolicy { rule: VipRule::SingleOrder, units: 8 };
            let traceparent = traced.then(|| trace(number));
            shop.recorded(Placement { traceparent, vip, ..placement }).await;
        }
        Step::Adjust { sku, delta } => {
            shop.adjust(SKUS[sku], delta, None).await;
        }
        Step::Define { sku, reorder_point } => {
            shop.define(SKUS[sku], reorder_point, reorder_point + 8, 0).await;
        }
        Step::Receive { which, quantity } => {
            let requests = shop.requests(None).await;
            if !requests.is_empty() {
                let request = &requests[which % requests.len()];
                let receipt = shop.receive(&request.id, quantity).await;
                assert_eq!(receipt.traceparent, request.traceparent);
            }
        }
        Step::ReceiveFor { sku, quantity } => {
            shop.receive_for(SKUS[sku], quantity).await;
        }
        Step::Work { verdict } => {
            for delivery in shop.claim(2).await {
                work(shop, &delivery, verdict).await;
            }
        }
        Step::Tick => {
            shop.wait_ms(DUE_MS);
            shop.tick().await;
        }
        Step::Redrive => {
            shop.redrive_all().await;
        }
        Step::Purge => {
            shop.purge_all().await;
        }
    }
}

async fn work(shop: &Shop, delivery: &Delivery, verdict: u8) {
    let data: serde_json::Value = serde_json::from_str(&delivery.event.data).expect("JSON");
    let id = data["production_id"].as_str().expect("the request it is about");
    let verdict = match verdict {
        0 => Verdict::Bury,
        1 => Verdict::Retry(shop.now()),
        _ => {
            if shop.store.begin(id.into(), shop.now()).await.expect("begun").is_some() {
                shop.ask(id).await;
            }
            Verdict::Done
        }
    };
    shop.settle(delivery, verdict).await;
}

/// The traces of what happened, by the moment at which it did; an empty one for none.
struct Moments(BTreeMap<String, BTreeSet<String>>);

impl Moments {
    fn of(shop: &Shop, queries: &[&str]) -> Self {
        let mut moments = BTreeMap::<String, BTreeSet<String>>::new();
        for query in queries {
            for row in shop.place.rows(Label::Default).table(query) {
                moments.entry(row[0].clone()).or_default().insert(row[1].clone());
            }
        }
        Self(moments)
    }

    /// Fails unless each row, a moment and a trace, has a trace of its moment.
    fn assert_explain(&self, rows: Vec<Vec<String>>) {
        for row in rows {
            let traces = self.0.get(&row[0]);
            assert!(traces.is_some_and(|traces| traces.contains(&row[1])), "{row:?} beside {traces:?}");
        }
    }
}

const ORDERS_PLACED: &str = "SELECT placed_at_ms, traceparent FROM sales_order WHERE placed_as <> 'rejected'";
const ORDERS_FILLED: &str =
    "SELECT filled_at_ms, traceparent FROM sales_order WHERE filled_at_ms IS NOT NULL";
const GOODS_RECEIVED: &str = "SELECT received_at_ms, traceparent FROM production WHERE status = 'received'";
/// What has no trace: corrections, definitions, goods without a request.
const REST: &str =
    "SELECT at_ms, '' FROM stock_movement WHERE sales_order_id IS NULL AND production_id IS NULL
                    UNION ALL SELECT at_ms, '' FROM operator_action WHERE kind LIKE 'product.%'";

fn whatever_happens_each_trace_is_that_of_a_cause(engine: Engine) {
    in_any_history(&steps(), async |steps| {
        let shop = Shop::open(engine).await;
        for (sku, opening) in SKUS.into_iter().zip([5, 3, 0]) {
            shop.define(sku, 2, 8, opening).await;
        }
        for (number, step) in steps.into_iter().enumerate() {
            happen(&shop, number, step).await;
        }
        shop.audit().await;
        let rows = |query: &str| shop.place.rows(Label::Default).table(query);
        let any = Moments::of(&shop, &[ORDERS_PLACED, ORDERS_FILLED, GOODS_RECEIVED, REST]);
        any.assert_explain(rows("SELECT planned_at_ms, traceparent FROM production"));
        any.assert_explain(rows(
            "SELECT time_ms, traceparent FROM event WHERE type IN ('stock.low', 'stock.depleted')",
        ));
        let goods = Moments::of(&shop, &[GOODS_RECEIVED, REST]);
        goods.assert_explain(rows("SELECT time_ms, traceparent FROM event WHERE type = 'stock.replenished'"));
        let accepted = Moments::of(&shop, &[ORDERS_PLACED, ORDERS_FILLED]);
        accepted.assert_explain(rows("SELECT time_ms, traceparent FROM event WHERE type = 'order.bulk'"));

        // These say whose they are.
        let wrong = "FROM event AS told WHERE coalesce(told.traceparent, '') <> coalesce((SELECT";
        for (kind, source) in [
            ("order.bulk", "traceparent FROM sales_order WHERE sales_order_id = told.data ->> 'order_id'"),
            (
                "production.overdue",
                "traceparent FROM production WHERE production_id = told.data ->> 'production_id'",
            ),
            ("stock.low", "traceparent FROM production WHERE production_id = told.data ->> 'production_id'"),
            (
                "message.buried",
                "event.traceparent FROM message JOIN event ON event.event_id = message.event_id \
                 WHERE message_id = told.data ->> 'message_id'",
            ),
        ] {
            let found = rows(&format!("SELECT data, traceparent {wrong} {source}), '') AND type = '{kind}'"));
            assert_eq!(found, Vec::<Vec<String>>::new(), "{kind}");
        }
        let rest = "SELECT production_id FROM production AS rest WHERE follows IS NOT NULL AND coalesce(traceparent, '') <>
                    coalesce((SELECT traceparent FROM production WHERE production_id = rest.follows), '')";
        assert_eq!(rows(rest), Vec::<Vec<String>>::new(), "what is left of a request");
        let others = "SELECT type, traceparent FROM event
                       WHERE type NOT IN ('stock.low', 'stock.depleted', 'stock.replenished', 'order.bulk', 'production.overdue',
                                          'message.buried', 'incident.opened') AND traceparent IS NOT NULL";
        assert_eq!(rows(others), Vec::<Vec<String>>::new());
    });
}

in_any_history_on_every_engine!(whatever_happens_each_trace_is_that_of_a_cause);

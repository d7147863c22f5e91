//! Sample data for the tests of pages: what a store could say, with hostile text wherever it has text.

use restock_bindings::catalog::{AdStatus, Advertisement, Policy, Product};
use restock_bindings::insight::{Cover, OrderTotals, Pace, ProductionTotals, ShopTotals, StockTotals};
use restock_bindings::production::{Cause, Request, Status};
use restock_bindings::queue;
use restock_bindings::types::Money;

pub(crate) fn product(hostile: &str, now: u64) -> Product {
    Product {
        sku: hostile.to_owned(),
        name: hostile.to_owned(),
        price: Money { amount: 19_900, currency: hostile.to_owned() },
        factory_id: hostile.to_owned(),
        policy: Policy::Auto,
        reorder_point: 10,
        order_up_to: 50,
        ad: Advertisement { status: AdStatus::Running, manager_email: Some(hostile.to_owned()) },
        on_hand: 3,
        on_order: 40,
        backordered: 4,
        depleted_since: Some(now - 61_000),
    }
}

pub(crate) fn cover(hostile: &str, now: u64, days: Option<f64>) -> Cover {
    let mut product = product(hostile, now);
    if days != Some(0.0) {
        product.depleted_since = None;
    }
    Cover { product, pace: Pace { last_hour: 4.25, last_day: 80.5, units_per_day: 102.0 }, days }
}

/// One request in every state, and one that follows another.
pub(crate) fn requests(hostile: &str, now: u64) -> Vec<Request> {
    let states = [
        Status::Planned,
        Status::Requested,
        Status::Overdue,
        Status::Received,
        Status::Failed,
        Status::Cancelled,
    ];
    let request = |(index, status): (usize, Status)| Request {
        id: format!("{hostile}{index}"),
        sku: hostile.to_owned(),
        factory_id: hostile.to_owned(),
        quantity: 48,
        status,
        attempts: 2,
        planned_at: now - 120_000,
        requested_at: Some(now - 100_000),
        due_at: (status != Status::Planned).then_some(now - 1_000),
        received_at: (status == Status::Received).then_some(now),
        received_quantity: (status == Status::Received).then_some(40),
        over_delivered: false,
        factory_job_id: Some(hostile.to_owned()),
        follows: (index == 5).then(|| hostile.to_owned()),
        because: Cause { on_hand: 7, on_order: 0, backordered: 5, reorder_point: 10, order_up_to: 50 },
        traceparent: Some(format!("00-{hostile}-1-00")),
    };
    states.into_iter().enumerate().map(request).collect()
}

pub(crate) fn queue(hostile: &str) -> queue::Status {
    queue::Status {
        queue: hostile.to_owned(),
        paused: true,
        ordered: true,
        ready: 12,
        leased: 1,
        buried: 3,
        done_total: 1_000,
        done_last_minute: 12.5,
        retried_total: 4,
        postponed_total: 5,
        buried_total: 6,
        expired_total: 7,
        oldest_ready_seconds: 3_700,
        due: 7,
        oldest_due_seconds: 61,
        lease_ms: 30_000,
        in_flight_max: 16,
        retention_ms: 86_400_000,
        attempts_max: None,
    }
}

pub(crate) fn totals(wrong: u64, ticked_at: Option<u64>) -> ShopTotals {
    ShopTotals {
        stock: StockTotals {
            products: 10,
            depleted: wrong,
            low: wrong,
            on_hand: 5,
            on_order: 6,
            backordered: 7,
        },
        orders: OrderTotals { accepted: 1, backordered: 2, rejected: 3, waiting: wrong },
        production: ProductionTotals {
            planned: 0,
            requested: 0,
            overdue: 0,
            failed: 0,
            received: 0,
            cancelled: 0,
            lead_times: Vec::new(),
            lead_time_ms_sum: 0,
        },
        incidents_open: wrong,
        ticked_at,
    }
}

//! What is told of the demo's shop while it trades: only news.

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::Value;

use super::goods::{Customer, Product};

/// What was told last, so that only news are told.
#[derive(Default)]
pub(super) struct Story {
    last: String,
    levels: BTreeMap<&'static str, (i64, i64)>,
    sold_out: BTreeMap<&'static str, u32>,
    vip: bool,
    bought: u32,
    returns: Option<Returns>,
}

/// How far the newest returns are.
#[derive(PartialEq, Eq)]
struct Returns {
    under_way: usize,
    reported: usize,
    waiting: usize,
}

impl Story {
    pub(super) fn tell(&mut self, line: String) {
        if line != self.last {
            println!("  {line}");
            self.last = line;
        }
    }

    pub(super) fn bought(&mut self, product: &Product, quantity: u32, status: StatusCode) {
        match status {
            StatusCode::CREATED => {
                self.sold_out.remove(product.sku);
            }
            StatusCode::ACCEPTED => self.tell(format!("{}: a customer waits for {quantity}", product.name)),
            StatusCode::CONFLICT => {
                let turned_away = self.sold_out.entry(product.sku).or_default();
                *turned_away += 1;
                if *turned_away == 1 {
                    self.tell(format!(
                        "{}: fewer than {quantity} left, a customer is turned away",
                        product.name
                    ));
                }
            }
            status => self.tell(format!("an order for {} was answered {status}", product.name)),
        }
    }

    /// Whether what was just bought comes back: every so many-th.
    pub(super) fn comes_back(&mut self, every: u32) -> bool {
        self.bought += 1;
        self.bought.is_multiple_of(every)
    }

    pub(super) fn returns(&mut self, seen: &[Value]) {
        let count = |field: &str, value: &str| {
            seen.iter().filter(|one| one.get(field).and_then(Value::as_str) == Some(value)).count()
        };
        let reported = count("status", "reported");
        let now = Returns { under_way: seen.len() - reported, reported, waiting: count("goods", "waiting") };
        if !seen.is_empty() && self.returns.as_ref() != Some(&now) {
            let Returns { under_way, reported, waiting } = now;
            self.tell(format!(
                "returns: {under_way} under way, {reported} back and reported, {waiting} wait for your decision"
            ));
            self.returns = Some(now);
        }
    }

    pub(super) fn customer(&mut self, customer: &Customer, vip: bool) {
        if vip && !self.vip {
            self.tell(format!("{} is a VIP now", customer.name));
        }
        self.vip = vip;
    }

    /// What the factory is asked for and brings. Sales are not told one by one: there are too many.
    pub(super) fn level(&mut self, product: &'static Product, on_hand: i64, on_order: i64) {
        let Some((was_on_hand, was_on_order)) = self.levels.insert(product.sku, (on_hand, on_order)) else {
            return;
        };
        if on_order > was_on_order {
            self.tell(format!("{}: the factory is asked for {} more", product.name, on_order - was_on_order));
        }
        if on_hand > was_on_hand {
            self.tell(format!("{}: refilled, {on_hand} on the shelf", product.name));
        } else if on_hand == 0 && was_on_hand > 0 {
            self.tell(format!("{}: sold out", product.name));
        }
    }
}

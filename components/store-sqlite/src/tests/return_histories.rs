//! Claim: whatever is listed, heard, reported, replayed, received, discarded, buried and purged in whatever order, the audit finds
//! nothing, a return is reported once, stock moves at most once for each and never more than was sold, and every return can still
//! be brought to its end. Method: random histories with workers that work, fail or die.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::returns::{
    claim, collect, discard, find, operate, parcel, receive, replay, report, track, track_as,
};
use super::shop::{Shop, first_page, wait};
use restock_store::restock::orders::IfShort;
use restock_store::restock::queue::{Action, Delivery, Selection, Verdict};
use restock_store::restock::returns::{Filter, Goods, Replaying, Return, Settling, Status, ToStock};
use restock_store::returns;

/// Names of the same four items, and of some that are not ours.
const ORDERS: [&str; 3] = ["order-1", "key-1", "elsewhere"];
const ITEMS: [&str; 4] = ["A", "1", "B", "2"];
const SHIPMENTS: [&str; 2] = ["SHP-1", "SHP-2"];
const ANSWERS: [&[&str]; 4] =
    [&[], &["registered"], &["registered", "in transit"], &["in transit", "delivered"]];
const RULES: [ToStock; 3] = [ToStock::On, ToStock::Off, ToStock::Ask];
/// What was sold, of A and of B.
const SOLD: [(&str, i64); 2] = [("A", 4), ("B", 2)];
const ON_HAND: i64 = 10;

type Name = (usize, usize);

#[derive(Clone, Debug)]
enum Step {
    Collect {
        names: Vec<Name>,
        shipment: usize,
    },
    Claim {
        limit: u32,
    },
    /// A worker comes back with a delivery, perhaps too late.
    Work {
        which: usize,
        answer: usize,
        rule: usize,
        verdict: u8,
    },
    /// Calls that come from nowhere: a worker whose lease ran out, a repeated call. Perhaps about the number of before.
    Track {
        name: Name,
        shipment: usize,
        answer: usize,
    },
    Report {
        name: Name,
        rule: usize,
    },
    Replay {
        name: Name,
        shipment: usize,
    },
    Receive {
        name: Name,
        other: bool,
        quantity: Option<i64>,
    },
    Discard {
        name: Name,
    },
    Redrive,
    Purge,
    Tick {
        ms: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let name = || (0..ORDERS.len(), 0..ITEMS.len());
    prop_oneof![
        4 => (proptest::collection::vec(name(), 1..4), 0..SHIPMENTS.len()).prop_map(|(names, shipment)| Step::Collect { names, shipment }),
        5 => (1_u32..4).prop_map(|limit| Step::Claim { limit }),
        9 => (0_usize..8, 0..ANSWERS.len(), 0..RULES.len(), 0_u8..8)
            .prop_map(|(which, answer, rule, verdict)| Step::Work { which, answer, rule, verdict }),
        2 => (name(), 0..SHIPMENTS.len(), 0..ANSWERS.len())
            .prop_map(|(name, shipment, answer)| Step::Track { name, shipment, answer }),
        2 => (name(), 0..RULES.len()).prop_map(|(name, rule)| Step::Report { name, rule }),
        3 => (name(), 0..SHIPMENTS.len()).prop_map(|(name, shipment)| Step::Replay { name, shipment }),
        4 => (name(), proptest::bool::weighted(0.2), proptest::option::of(0_i64..6))
            .prop_map(|(name, other, quantity)| Step::Receive { name, other, quantity }),
        1 => name().prop_map(|name| Step::Discard { name }),
        1 => Just(Step::Redrive),
        1 => Just(Step::Purge),
        2 => prop_oneof![1_u64..1_000, Just(30_000), Just(8 * 86_400_000)].prop_map(|ms| Step::Tick { ms }),
    ]
}

/// What is decided once and must stay so.
#[derive(Default)]
struct End {
    reported_at: Option<u64>,
    received: Option<(String, i64)>,
}

struct History {
    shop: Shop,
    held: Vec<Delivery>,
    ends: BTreeMap<String, End>,
}

impl History {
    fn new() -> Self {
        let shop = Shop::new();
        for sku in ["A", "B", "C"] {
            shop.product(sku, 0, 50, ON_HAND);
        }
        let items = SOLD.map(|(sku, units)| (sku, u32::try_from(units).expect("few")));
        let mut placement = shop.placement(&items, IfShort::Reject);
        placement.idempotency_key = Some("key-1".into());
        shop.place(placement);
        Self { shop, held: Vec::new(), ends: BTreeMap::new() }
    }

    fn id(&self, (order, item): Name) -> Option<String> {
        let filter = Filter::ByOrderNumber(ORDERS[order].into());
        let found = wait(returns::list(&self.shop.database, filter, first_page())).expect("read");
        found.into_iter().find(|entry| entry.order_item_number == ITEMS[item]).map(|entry| entry.id)
    }

    fn happen(&mut self, step: Step) {
        let shop = &self.shop;
        shop.now.set(shop.now.get() + 1);
        let shipped =
            |(order, item): Name, shipment: usize| parcel(ORDERS[order], ITEMS[item], SHIPMENTS[shipment]);
        match step {
            Step::Collect { names, shipment } => {
                let parcels: Vec<_> = names.into_iter().map(|name| shipped(name, shipment)).collect();
                collect(shop, "c", &parcels);
            }
            Step::Claim { limit } => {
                let claimed = shop.claim_from("returns", limit);
                for (index, delivery) in claimed.iter().enumerate() {
                    let twin = |other: &Delivery| other.event.subject == delivery.event.subject;
                    assert!(!claimed[..index].iter().any(twin), "one message of a return at a time");
                }
                self.held.extend(claimed);
            }
            Step::Work { which, answer, rule, verdict } => {
                if !self.held.is_empty() {
                    let delivery = self.held.swap_remove(which % self.held.len());
                    work(shop, &delivery, ANSWERS[answer], RULES[rule], verdict);
                }
            }
            Step::Track { name, shipment, answer } => {
                if let Some(id) = self.id(name) {
                    let before = find(shop, &id);
                    track_as(shop, &id, SHIPMENTS[shipment], ANSWERS[answer]);
                    let counts =
                        before.status == Status::Collected && before.shipment_number == SHIPMENTS[shipment];
                    assert_eq!(find(shop, &id).trackings, before.trackings + u64::from(counts));
                }
            }
            Step::Report { name, rule } => {
                if let Some(id) = self.id(name) {
                    let before = find(shop, &id).status;
                    let moved = report(shop, &id, RULES[rule]);
                    assert!(!moved || before == Status::Delivered);
                }
            }
            Step::Replay { name, shipment } => {
                let before = self.id(name).map(|id| find(shop, &id).status);
                let over = matches!(replay(shop, shipped(name, shipment)), Replaying::Over(_));
                assert_eq!(over, before == Some(Status::Reported));
            }
            Step::Receive { name, other, quantity } => {
                if let Some(id) = self.id(name) {
                    let before = find(shop, &id);
                    let settling = receive(shop, &id, other.then_some("C"), quantity);
                    let decided = matches!(before.goods, Goods::Received | Goods::Discarded | Goods::Pending);
                    assert!(!(decided && matches!(settling, Settling::Settled(_))), "{settling:?}");
                }
            }
            Step::Discard { name } => {
                if let Some(id) = self.id(name) {
                    discard(shop, &id);
                }
            }
            Step::Redrive => operate(shop, Action::Redrive((Selection::All, 2))),
            Step::Purge => operate(shop, Action::Purge((Selection::All, 1))),
            Step::Tick { ms } => drop(shop.tick_after(ms)),
        }
    }

    fn entries(&self) -> Vec<Return> {
        wait(returns::list(&self.shop.database, Filter::All, first_page())).expect("read")
    }

    fn check(&mut self) {
        self.shop.assert_sound();
        for entry in self.entries() {
            let received = entry.received.map(|item| (item.sku, item.quantity));
            let end = self.ends.entry(entry.id).or_default();
            assert!(
                end.reported_at.is_none() || end.reported_at == entry.reported_at,
                "it was reported once"
            );
            assert!(end.received.is_none() || end.received == received, "its goods were received once");
            *end = End { reported_at: entry.reported_at, received };
        }
        for (sku, sold) in SOLD {
            let sum = format!(
                "SELECT coalesce(sum(delta), 0) FROM stock_movement WHERE kind = 'returned' AND sku = '{sku}'"
            );
            let back = self.shop.database.number(&sum);
            assert!((0..=sold).contains(&back), "{back} of {sold} {sku} came back");
            assert_eq!(self.shop.levels(sku).0, ON_HAND - sold + back);
        }
    }

    /// An operator replays what is left, and workers that nothing happens to work it off.
    fn end(&mut self) {
        self.shop.tick_after(30_000);
        for entry in self.entries() {
            if entry.status != Status::Reported {
                replay(
                    &self.shop,
                    parcel(&entry.order_number, &entry.order_item_number, &entry.shipment_number),
                );
            }
        }
        loop {
            self.shop.now.set(self.shop.now.get() + 1);
            let claimed = claim(&self.shop);
            if claimed.is_empty() {
                break;
            }
            for delivery in claimed {
                work(&self.shop, &delivery, &["delivered"], ToStock::On, 0);
            }
        }
        self.check();
        assert!(self.entries().iter().all(|entry| entry.status == Status::Reported), "{:?}", self.entries());
    }
}

/// What the worker of the queue does: it looks first, then does the step that its message is about.
fn work(shop: &Shop, delivery: &Delivery, answer: &[&str], rule: ToStock, verdict: u8) {
    let entry = find(shop, &delivery.event.subject);
    let now = shop.now.get();
    let following = delivery.event.kind == "return.collected" && entry.status == Status::Collected;
    // 5 fails before its effect, 6 and 7 after it.
    if verdict != 5 {
        if following {
            track(shop, &entry.id, answer);
        } else if delivery.event.kind == "return.delivered" && entry.status == Status::Delivered {
            report(shop, &entry.id, rule);
        }
    }
    let is_over = find(shop, &entry.id).status != Status::Collected || !following;
    let verdict = match verdict {
        5 => Verdict::Retry(now + 10),
        6 => Verdict::Bury,
        7 => return,
        _ if is_over => Verdict::Done,
        _ => Verdict::Postpone(now + 20),
    };
    shop.settle(delivery, verdict);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_of_returns_keeps_the_books_and_can_come_to_its_end(steps in proptest::collection::vec(step(), 1..60)) {
        let mut history = History::new();
        for step in steps {
            history.happen(step);
            history.check();
        }
        history.end();
    }
}

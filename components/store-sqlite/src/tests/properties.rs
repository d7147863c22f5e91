//! Claim: whatever happens in whatever order, the audit finds nothing, nothing is oversold, no message is lost or settled
//! twice. Method: random histories of orders, corrections, deliveries, workers that work, fail or die, and operators.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::shop::{Shop, wait};
use restock_store::restock::orders::{IfShort, Placing, Status};
use restock_store::restock::queue::{Action, Delivery, MessageState, Selection, Verdict};
use restock_store::restock::stock::Adjusting;
use restock_store::{production, queue};

const SKUS: [&str; 3] = ["A", "B", "C"];

#[derive(Clone, Debug)]
enum Step {
    Place { items: Vec<(usize, u32)>, backorder: bool, key: Option<u8> },
    Adjust { sku: usize, delta: i64, key: Option<u8> },
    Define { sku: usize, reorder_point: i64, more: i64 },
    Claim { limit: u32 },
    Work { which: usize, verdict: u8 },
    Receive { which: usize, quantity: i64 },
    ReceiveFor { sku: usize, quantity: i64 },
    Tick { ms: u64 },
    Redrive { limit: u32 },
    Purge { limit: u32 },
}

fn step() -> impl Strategy<Value = Step> {
    let sku = 0..SKUS.len();
    let key = proptest::option::weighted(0.2, 0_u8..4);
    prop_oneof![
        6 => (proptest::sample::subsequence(vec![0, 1, 2], 1..=3), proptest::collection::vec(1_u32..6, 3), any::<bool>(), key.clone())
            .prop_map(|(skus, units, backorder, key)| Step::Place { items: skus.into_iter().zip(units).collect(), backorder, key }),
        2 => (sku.clone(), (-6_i64..8).prop_filter("moves something", |delta| *delta != 0), key)
            .prop_map(|(sku, delta, key)| Step::Adjust { sku, delta, key }),
        1 => (sku.clone(), 0_i64..6, 1_i64..8).prop_map(|(sku, reorder_point, more)| Step::Define { sku, reorder_point, more }),
        4 => (1_u32..4).prop_map(|limit| Step::Claim { limit }),
        5 => (0_usize..8, 0_u8..6).prop_map(|(which, verdict)| Step::Work { which, verdict }),
        3 => (0_usize..8, 1_i64..12).prop_map(|(which, quantity)| Step::Receive { which, quantity }),
        1 => (sku, 1_i64..8).prop_map(|(sku, quantity)| Step::ReceiveFor { sku, quantity }),
        3 => prop_oneof![1_u64..1_000, Just(30_000), Just(60_000), Just(604_800_000)].prop_map(|ms| Step::Tick { ms }),
        1 => (1_u32..3).prop_map(|limit| Step::Redrive { limit }),
        1 => (1_u32..3).prop_map(|limit| Step::Purge { limit }),
    ]
}

/// The history of a shop, with what is known about it apart from its database.
struct History {
    shop: Shop,
    /// Units that came and went by every answer that was given, orders aside.
    moved: [i64; 3],
    /// Orders by id, with their items.
    orders: BTreeMap<String, Vec<(usize, u32)>>,
    /// Deliveries in the hands of workers, some of them no longer under lease.
    held: Vec<Delivery>,
    /// The receipt under which each message may be settled.
    leases: BTreeMap<String, (String, u64)>,
    /// Messages that are still to be worked off or looked at.
    unfinished: BTreeMap<String, ()>,
}

impl History {
    fn new() -> Self {
        let shop = Shop::new();
        for (sku, opening) in SKUS.into_iter().zip([5, 3, 0]) {
            shop.product(sku, 2, 8, opening);
        }
        Self {
            shop,
            moved: [5, 3, 0],
            orders: BTreeMap::new(),
            held: Vec::new(),
            leases: BTreeMap::new(),
            unfinished: BTreeMap::new(),
        }
    }

    fn happen(&mut self, step: Step) {
        self.shop.now.set(self.shop.now.get() + 1);
        match step {
            Step::Place { items, backorder, key } => {
                let if_short = if backorder { IfShort::Backorder } else { IfShort::Reject };
                let named: Vec<_> = items.iter().map(|(sku, units)| (SKUS[*sku], *units)).collect();
                let mut placement = self.shop.placement(&named, if_short);
                placement.idempotency_key = key.map(|key| key.to_string());
                match self.shop.place(placement) {
                    Placing::Recorded(recording) => {
                        assert!(!recording.replayed || recording.rings.is_empty());
                        let first = self.orders.entry(recording.order.id).or_insert_with(|| items.clone());
                        assert_eq!(*first, items);
                    }
                    Placing::KeyReused => assert!(key.is_some()),
                    other => panic!("{other:?}"),
                }
            }
            Step::Adjust { sku, delta, key } => {
                let before = self.shop.levels(SKUS[sku]).0;
                let key = key.map(|key| key.to_string());
                let known = self.shop.movements(SKUS[sku]).first().map_or(0, |movement| movement.id);
                match self.shop.adjust(SKUS[sku], delta, key.as_deref()) {
                    Adjusting::Adjusted(movement) if movement.id > known => self.moved[sku] += delta,
                    Adjusting::Adjusted(_) | Adjusting::KeyReused => assert!(key.is_some()),
                    Adjusting::WouldGoNegative(on_hand) => {
                        assert_eq!(on_hand, before);
                        assert!(on_hand + delta < 0);
                    }
                    Adjusting::UnknownSku => panic!("the product is known"),
                }
            }
            Step::Define { sku, reorder_point, more } => {
                self.shop.product(SKUS[sku], reorder_point, reorder_point + more, 7);
            }
            Step::Claim { limit } => {
                for delivery in self.shop.claim(limit) {
                    let lease = (delivery.receipt.clone(), delivery.leased_until);
                    let earlier = self.leases.insert(delivery.message_id.clone(), lease);
                    assert!(earlier.is_none(), "a message is under one lease at a time");
                    self.unfinished.insert(delivery.message_id.clone(), ());
                    self.held.push(delivery);
                }
            }
            Step::Work { which, verdict } => self.work(which, verdict),
            Step::Receive { which, quantity } => {
                let requests = self.shop.productions();
                if requests.is_empty() {
                    return;
                }
                let request = &requests[which % requests.len()];
                let receipt = self.shop.receive(&request.id, quantity);
                if !receipt.repeated {
                    self.moved[place(&receipt.sku)] += quantity;
                }
            }
            Step::ReceiveFor { sku, quantity } => {
                self.shop.receive_for(SKUS[sku], quantity).expect("the product is known");
                self.moved[sku] += quantity;
            }
            Step::Tick { ms } => {
                self.shop.tick_after(ms);
                let now = self.shop.now.get();
                self.leases.retain(|_, (_, until)| *until > now);
            }
            Step::Redrive { limit } => {
                self.shop.operate(Action::Redrive((Selection::All, limit)));
            }
            Step::Purge { limit } => {
                self.shop.operate(Action::Purge((Selection::Reason("unreachable".into()), limit)));
            }
        }
    }

    /// A worker comes back with a delivery, perhaps too late.
    fn work(&mut self, which: usize, verdict: u8) {
        if self.held.is_empty() {
            return;
        }
        let delivery = self.held.swap_remove(which % self.held.len());
        let now = self.shop.now.get();
        let verdict = match verdict {
            0..=2 => {
                let data: serde_json::Value = serde_json::from_str(&delivery.event.data).expect("JSON");
                let id = data["production_id"].as_str().expect("an id").to_owned();
                if wait(production::begin(&self.shop.database, id.clone())).expect("begun").is_some() {
                    let noted = production::requested(&self.shop.database, id, None, now, now + 60_000);
                    wait(noted).expect("noted");
                }
                Verdict::Done
            }
            3 => Verdict::Retry(now + 10),
            4 => Verdict::Postpone(now + 10),
            _ => Verdict::Bury,
        };
        let finishes = matches!(verdict, Verdict::Done);
        let valid =
            self.leases.get(&delivery.message_id).is_some_and(|(receipt, _)| *receipt == delivery.receipt);
        assert_eq!(self.shop.settle(&delivery, verdict), valid, "the receipt decides");
        if valid {
            self.leases.remove(&delivery.message_id);
            if finishes {
                self.unfinished.remove(&delivery.message_id);
            }
        }
    }

    fn check(&self) {
        self.shop.assert_sound();
        let mut sold = [0; 3];
        for (id, items) in &self.orders {
            if self.shop.find_order(id).status == Status::Accepted {
                for (sku, units) in items {
                    sold[*sku] += i64::from(*units);
                }
            }
        }
        for (index, sku) in SKUS.into_iter().enumerate() {
            let on_hand = self.shop.levels(sku).0;
            assert_eq!(
                self.moved[index] - sold[index],
                on_hand,
                "{sku}: what came less what was sold is on hand"
            );
        }
        for id in self.unfinished.keys() {
            let message = wait(queue::get(&self.shop.database, id.clone())).expect("read");
            match message {
                Some(message) => assert_ne!(message.state, MessageState::Done, "nobody said so"),
                None => {
                    let purges = "SELECT count(*) FROM operation WHERE kind = 'purge' AND affected > 0";
                    assert!(self.shop.database.number(purges) > 0, "a message is lost");
                }
            }
        }
    }
}

fn place(sku: &str) -> usize {
    SKUS.iter().position(|known| *known == sku).expect("a product of ours")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_keeps_the_books(steps in proptest::collection::vec(step(), 1..60)) {
        let mut history = History::new();
        for step in steps {
            history.happen(step);
            history.check();
        }
    }
}

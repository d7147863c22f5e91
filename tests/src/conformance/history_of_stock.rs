//! Claim: whatever is ordered, corrected and delivered, in whatever order, the shelf, the ledger, the waiting orders and the
//! requests are what the rules of the interface make them, and a repeated call changes nothing.
//! Method: random histories, each step compared with a model of the rules.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::any_history::{in_any_history, in_any_history_on_every_engine};
use super::bindings::restock::orders::{IfShort, Order, Placement, Placing, Status, VipPolicy, VipRule};
use super::bindings::restock::stock::{Adjusting, Movement};
use super::shop::Shop;
use super::store::Engine;

const SKUS: [&str; 3] = ["A", "B", "C"];
const OPENING: [i64; 3] = [5, 3, 0];
const REORDER_POINT: i64 = 2;
const ORDER_UP_TO: i64 = 8;
/// About half of the histories sell as much.
const BULK: VipPolicy = VipPolicy { rule: VipRule::Cumulative, units: 30 };

#[derive(Clone, Debug)]
enum Step {
    Place {
        items: Vec<(usize, u32)>,
        wait: bool,
        key: Option<u8>,
    },
    Adjust {
        sku: usize,
        delta: i64,
        key: Option<u8>,
    },
    /// The goods of the open request come, some of them or more.
    Receive {
        sku: usize,
        quantity: i64,
    },
    /// A report that was counted before comes again.
    ReceiveAgain {
        which: usize,
        quantity: i64,
    },
    /// Goods come without saying for which request.
    ReceiveFor {
        sku: usize,
        quantity: i64,
    },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let sku = 0..SKUS.len();
    let key = proptest::option::weighted(0.3, 0_u8..3);
    let items = (proptest::sample::subsequence(vec![0, 1, 2], 1..=3), proptest::collection::vec(1_u32..6, 3))
        .prop_map(|(skus, units)| skus.into_iter().zip(units).collect::<Vec<_>>());
    let step = prop_oneof![
        7 => (items, any::<bool>(), key.clone()).prop_map(|(items, wait, key)| Step::Place { items, wait, key }),
        3 => (sku.clone(), prop_oneof![-6_i64..0, 1_i64..8], key)
            .prop_map(|(sku, delta, key)| Step::Adjust { sku, delta, key }),
        4 => (sku.clone(), 1_i64..14).prop_map(|(sku, quantity)| Step::Receive { sku, quantity }),
        1 => (any::<usize>(), 1_i64..14).prop_map(|(which, quantity)| Step::ReceiveAgain { which, quantity }),
        1 => (sku, 1_i64..6).prop_map(|(sku, quantity)| Step::ReceiveFor { sku, quantity }),
    ];
    proptest::collection::vec(step, 10..45)
}

/// A product as the rules make it.
#[derive(Default)]
struct Shelf {
    on_hand: i64,
    backordered: i64,
    /// The quantity of the open request.
    open: Option<i64>,
    requests: usize,
    /// Of the ledger, oldest first.
    deltas: Vec<i64>,
}

impl Shelf {
    fn moves(&mut self, delta: i64) {
        self.on_hand += delta;
        self.deltas.push(delta);
    }

    fn available(&self) -> i64 {
        (self.on_hand - self.backordered).max(0)
    }

    fn reorder(&mut self) {
        let position = self.on_hand - self.backordered;
        if self.open.is_none() && position <= REORDER_POINT {
            self.ask(ORDER_UP_TO - position);
        }
    }

    fn ask(&mut self, quantity: i64) {
        self.open = Some(quantity);
        self.requests += 1;
    }
}

/// A shop beside its model.
struct History {
    shop: Shop,
    shelves: [Shelf; 3],
    /// Orders that wait, first come first.
    waiting: Vec<(String, Vec<(usize, i64)>)>,
    status: BTreeMap<String, Status>,
    /// The units of each order.
    ordered: BTreeMap<String, i64>,
    placed: BTreeMap<u8, (Placement, Order)>,
    adjusted: BTreeMap<u8, (usize, i64, Movement)>,
    /// Requests whose goods came, with what the first report was answered.
    received: Vec<(String, i64)>,
}

impl History {
    async fn begin(engine: Engine) -> Self {
        let shop = Shop::open(engine).await;
        let mut shelves: [Shelf; 3] = Default::default();
        for ((sku, opening), shelf) in SKUS.into_iter().zip(OPENING).zip(&mut shelves) {
            shop.define(sku, REORDER_POINT, ORDER_UP_TO, opening).await;
            shelf.moves(opening);
            shelf.reorder();
        }
        Self {
            shop,
            shelves,
            waiting: Vec::new(),
            status: BTreeMap::new(),
            ordered: BTreeMap::new(),
            placed: BTreeMap::new(),
            adjusted: BTreeMap::new(),
            received: Vec::new(),
        }
    }

    async fn happen(&mut self, step: Step) {
        self.shop.wait_ms(1);
        match step {
            Step::Place { items, wait, key } => self.order(&items, wait, key).await,
            Step::Adjust { sku, delta, key } => self.adjust(sku, delta, key).await,
            Step::Receive { sku, quantity } => {
                if let Some(open) = self.shop.open_request(SKUS[sku]).await {
                    assert_eq!(Some(open.quantity), self.shelves[sku].open);
                    let receipt = self.shop.receive(&open.id, quantity).await;
                    self.goods_for_the_request(sku, quantity);
                    assert_eq!((receipt.on_hand, receipt.repeated), (self.shelves[sku].on_hand, false));
                    self.received.push((open.id, receipt.on_hand));
                } else {
                    assert_eq!(self.shelves[sku].open, None);
                }
            }
            Step::ReceiveAgain { which, quantity } => {
                if !self.received.is_empty() {
                    let (id, first) = &self.received[which % self.received.len()];
                    let receipt = self.shop.receive(id, quantity).await;
                    assert_eq!((receipt.on_hand, receipt.repeated), (*first, true));
                }
            }
            Step::ReceiveFor { sku, quantity } => {
                let receipt = self.shop.receive_for(SKUS[sku], quantity).await.expect("the product is known");
                assert_eq!(receipt.production_id.is_some(), self.shelves[sku].open.is_some());
                if let Some(id) = receipt.production_id {
                    self.goods_for_the_request(sku, quantity);
                    self.received.push((id, receipt.on_hand));
                } else {
                    self.goods(sku, quantity);
                }
                assert_eq!((receipt.on_hand, receipt.repeated), (self.shelves[sku].on_hand, false));
            }
        }
    }

    async fn order(&mut self, items: &[(usize, u32)], wait: bool, key: Option<u8>) {
        let named: Vec<_> = items.iter().map(|(sku, units)| (SKUS[*sku], *units)).collect();
        let if_short = if wait { IfShort::Backorder } else { IfShort::Reject };
        let placement = Placement {
            idempotency_key: key.map(|key| key.to_string()),
            vip: BULK,
            ..self.shop.placement(&named, if_short)
        };
        let placing = self.shop.place(placement.clone()).await;
        if let Some((first, order)) = key.and_then(|key| self.placed.get(&key)) {
            if first.request_hash != placement.request_hash {
                assert_eq!(placing, Placing::KeyReused);
                return;
            }
            let Placing::Recorded(again) = placing else { panic!("{placing:?}") };
            assert!(again.replayed && again.rings.is_empty());
            assert_eq!(
                (again.order.id, again.order.placed_as, again.order.short),
                (order.id.clone(), order.placed_as, order.short.clone())
            );
            return;
        }
        let Placing::Recorded(recording) = placing else { panic!("{placing:?}") };
        assert!(!recording.replayed);
        let items: Vec<_> = items.iter().map(|(sku, units)| (*sku, i64::from(*units))).collect();
        let short: Vec<_> = items
            .iter()
            .filter(|(sku, units)| *units > self.shelves[*sku].available())
            .map(|(sku, units)| (SKUS[*sku].to_owned(), *units, self.shelves[*sku].available()))
            .collect();
        let status = match (short.is_empty(), wait) {
            (true, _) => Status::Accepted,
            (false, true) => Status::Backordered,
            (false, false) => Status::Rejected,
        };
        let order = recording.order;
        assert_eq!((order.placed_as, order.status), (status, status));
        let said: Vec<_> =
            order.short.iter().map(|short| (short.sku.clone(), short.requested, short.available)).collect();
        assert_eq!(said, short);
        for (sku, units) in &items {
            let shelf = &mut self.shelves[*sku];
            match status {
                Status::Accepted => shelf.moves(-units),
                Status::Backordered => shelf.backordered += units,
                Status::Rejected => continue,
            }
            shelf.reorder();
        }
        self.status.insert(order.id.clone(), status);
        self.ordered.insert(order.id.clone(), items.iter().map(|(_, units)| units).sum());
        if status == Status::Backordered {
            self.waiting.push((order.id.clone(), items));
        }
        if let Some(key) = key {
            self.placed.insert(key, (placement, order));
        }
    }

    async fn adjust(&mut self, sku: usize, delta: i64, key: Option<u8>) {
        let text = key.map(|key| key.to_string());
        let adjusting = self.shop.adjust(SKUS[sku], delta, text.as_deref()).await;
        if let Some((first_sku, first_delta, movement)) = key.and_then(|key| self.adjusted.get(&key)) {
            let same = (*first_sku, *first_delta) == (sku, delta);
            let expected = if same { Adjusting::Adjusted(movement.clone()) } else { Adjusting::KeyReused };
            assert_eq!(adjusting, expected);
            return;
        }
        let on_hand = self.shelves[sku].on_hand;
        if on_hand + delta < 0 {
            assert_eq!(adjusting, Adjusting::WouldGoNegative(on_hand));
            return;
        }
        let Adjusting::Adjusted(movement) = adjusting else { panic!("{adjusting:?}") };
        assert_eq!((movement.delta, movement.on_hand_after), (delta, on_hand + delta));
        self.goods(sku, delta);
        if let Some(key) = key {
            self.adjusted.insert(key, (sku, delta, movement));
        }
    }

    /// Goods that a request asked for. A missing rest stays on order, as a request of its own.
    fn goods_for_the_request(&mut self, sku: usize, quantity: i64) {
        let asked = self.shelves[sku].open.take().expect("a request is open");
        if quantity < asked {
            self.shelves[sku].ask(asked - quantity);
        }
        self.goods(sku, quantity);
    }

    /// Units come or go. Where they come they fill, first come first served, every waiting order that can be filled without
    /// taking from one before it.
    fn goods(&mut self, sku: usize, delta: i64) {
        self.shelves[sku].moves(delta);
        if delta > 0 {
            let mut wanted = [0; 3];
            let mut waiting = Vec::new();
            let on_hand = [0, 1, 2].map(|sku: usize| self.shelves[sku].on_hand);
            for (id, items) in std::mem::take(&mut self.waiting) {
                for (sku, units) in &items {
                    wanted[*sku] += units;
                }
                let concerned = items.iter().any(|(other, _)| *other == sku);
                if concerned && items.iter().all(|(sku, _)| wanted[*sku] <= on_hand[*sku]) {
                    for (sku, units) in &items {
                        self.shelves[*sku].moves(-units);
                        self.shelves[*sku].backordered -= units;
                    }
                    self.status.insert(id, Status::Accepted);
                } else {
                    waiting.push((id, items));
                }
            }
            self.waiting = waiting;
        }
        self.shelves[sku].reorder();
    }

    async fn check(&self) {
        for (sku, shelf) in SKUS.into_iter().zip(&self.shelves) {
            let levels = (shelf.on_hand, shelf.open.unwrap_or_default(), shelf.backordered);
            assert_eq!(self.shop.levels(sku).await, levels, "{sku}");
        }
        self.shop.audit().await;
    }

    /// Everybody here is one customer, who bought what was sold, and became a bulk buyer when it was enough.
    async fn check_buyer(&self) {
        let accepted = self.status.values().filter(|status| **status == Status::Accepted).count() as u64;
        let sold: i64 = self
            .ordered
            .iter()
            .filter(|(id, _)| self.status[*id] == Status::Accepted)
            .map(|(_, units)| units)
            .sum();
        let buyer = self.shop.store.bought("c-1".into()).await.expect("read");
        let bought = buyer.map(|buyer| (buyer.orders, buyer.units_bought)).unwrap_or_default();
        assert_eq!(bought, (accepted, sold));
        let told = self.shop.drain("loyalty").await;
        assert_eq!(
            told.len(),
            usize::from(sold >= i64::from(BULK.units)),
            "told once, when it was enough: {told:?}"
        );
    }

    /// What was tallied on the way is what the rows sum to.
    async fn check_tallies(&self) {
        let totals = self.shop.store.totals().await.expect("read");
        let rows = |sql: &str| u64::try_from(self.shop.place.count(sql)).expect("a count");
        let placed =
            |outcome: &str| rows(&format!("SELECT count(*) FROM sales_order WHERE placed_as = '{outcome}'"));
        let (orders, production) = (&totals.orders, &totals.production);
        assert_eq!(orders.accepted, placed("accepted"));
        assert_eq!(orders.backordered, placed("backordered"));
        assert_eq!(orders.rejected, placed("rejected"));
        assert_eq!(orders.waiting, u64::try_from(self.waiting.len()).expect("few"));
        let minutes = self.shop.store.orders_by_minute(0).await.expect("read");
        let answered = minutes.iter().map(|minute| minute.accepted + minute.backordered + minute.rejected);
        assert_eq!(answered.sum::<u64>(), orders.accepted + orders.backordered + orders.rejected);

        let received = rows("SELECT count(*) FROM production WHERE status = 'received'");
        assert_eq!(production.received, received);
        assert_eq!(production.lead_times.iter().map(|bucket| bucket.requests).sum::<u64>(), received);
        let took = "SELECT coalesce(sum(received_at_ms - planned_at_ms), 0) FROM production WHERE status = 'received'";
        assert_eq!(production.lead_time_ms_sum, rows(took));

        let sum = |of: fn(&Shelf) -> i64| self.shelves.iter().map(of).sum::<i64>();
        assert_eq!(totals.stock.on_hand, sum(|shelf| shelf.on_hand));
        assert_eq!(totals.stock.on_order, sum(|shelf| shelf.open.unwrap_or_default()));
        assert_eq!(totals.stock.backordered, sum(|shelf| shelf.backordered));
        // A history takes less than a second: what was sold or waits was asked for within the hour.
        for sku in SKUS {
            let cover = self.shop.store.cover_of(sku.into(), self.shop.now()).await.expect("read");
            let asked = self.shop.place.count(&format!(
                "SELECT coalesce(sum(quantity), 0) FROM sales_order_line WHERE sku = '{sku}' AND state <> 'rejected'"
            ));
            let pace = cover.expect("the product is there").pace;
            assert!((pace.last_hour - pace.last_day).abs() < f64::EPSILON);
            assert_eq!(pace.last_hour.to_string(), asked.to_string());
        }
    }

    /// What takes many reads: once, at the end.
    async fn check_all(&self) {
        for (sku, shelf) in SKUS.into_iter().zip(&self.shelves) {
            let mut ledger = self.shop.movements(sku).await;
            ledger.reverse();
            let mut deltas: Vec<_> = ledger.iter().map(|movement| movement.delta).collect();
            let mut sum = 0;
            for movement in &ledger {
                sum += movement.delta;
                assert_eq!(movement.on_hand_after, sum, "{sku}");
                assert!(sum >= 0, "{sku} was oversold");
            }
            // In which order one delivery fills several orders is the store's own affair.
            let mut expected = shelf.deltas.clone();
            deltas.sort_unstable();
            expected.sort_unstable();
            assert_eq!(deltas, expected, "{sku}");
        }
        for (id, status) in &self.status {
            assert_eq!(self.shop.order(id).await.status, *status, "{id}");
        }
        self.check_buyer().await;
        self.check_tallies().await;
        let requests: usize = self.shelves.iter().map(|shelf| shelf.requests).sum();
        assert_eq!(self.shop.requests(None).await.len(), requests);
    }
}

fn every_history_keeps_the_books(engine: Engine) {
    in_any_history(&steps(), async |steps| {
        let mut history = History::begin(engine).await;
        for step in steps {
            history.happen(step).await;
            history.check().await;
        }
        history.check_all().await;
    });
}

in_any_history_on_every_engine!(every_history_keeps_the_books);

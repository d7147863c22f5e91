//! A shop on a store: short words for what happens in it, and a time that the test moves.

use std::sync::atomic::{AtomicU64, Ordering};

use super::bindings::restock::alerts::{Incident, Notice};
use super::bindings::restock::catalog::{AdDefinition, Defined, Factory, Policy, Product, ProductDefinition};
use super::bindings::restock::ops::{TickLimits, TickReport};
use super::bindings::restock::orders::{
    Customer, IfShort, Item, Order, Placement, Placing, Recording, VipPolicy, VipRule,
};
use super::bindings::restock::partners::{Admission, Health, Limits};
use super::bindings::restock::production::{self, Receipt, Request, Status};
use super::bindings::restock::queue::{
    self, Action, Delivery, Message, Operation, Selection, Settlement, Verdict,
};
use super::bindings::restock::stock::{Adjusting, Adjustment, Movement};
use super::bindings::restock::types::{Money, Page};
use super::store::{Engine, Place, Store, StoreHost};

/// The only factory.
pub(crate) const FACTORY: &str = "FF-1";
/// The queue that asks it for goods.
pub(crate) const QUEUE: &str = "replenishment";
/// For how long that queue leases a message.
pub(crate) const LEASE_MS: u64 = 30_000;
/// Attempts after which the tick buries.
pub(crate) const ATTEMPTS_MAX: u32 = 3;
/// When a request that the factory took is overdue, after the moment it took it.
pub(crate) const DUE_MS: u64 = 60_000;
/// Who defines and corrects: the fingerprint of a key.
pub(crate) const OPERATOR: &str = "fingerprint";
/// One minute.
pub(crate) const MINUTE_MS: u64 = 60_000;
/// The rule of the shop where a test says none: an order that large is rare.
pub(crate) const VIP: VipPolicy = VipPolicy { rule: VipRule::SingleOrder, units: 100 };
/// Rows that a tick touches at most for each of its duties.
const TICK_BATCH: u32 = 100;
/// The moment every test begins at: some day in 2026.
const START_MS: u64 = 1_780_000_000_000;

/// The first page of a list, as large as pages get.
pub(crate) fn first_page() -> Page {
    page(200, None)
}

pub(crate) fn page(limit: u32, after: Option<&str>) -> Page {
    Page { limit, after: after.map(Into::into) }
}

/// A product with levels set by hand, for 1000 won.
pub(crate) fn definition(
    sku: &str,
    reorder_point: i64,
    order_up_to: i64,
    opening_stock: i64,
) -> ProductDefinition {
    ProductDefinition {
        sku: sku.into(),
        name: "부산도너츠".into(),
        price: Money { amount: 1_000, currency: "KRW".into() },
        factory_id: FACTORY.into(),
        policy: Policy::Manual,
        reorder_point,
        order_up_to,
        ad: Some(AdDefinition { running: true, manager_email: Some("ads@example.com".into()) }),
        opening_stock,
    }
}

/// A shop with one factory on an instance of a store.
pub(crate) struct Shop {
    pub(crate) store: Store,
    /// What the instance runs on.
    pub(crate) host: StoreHost,
    pub(crate) place: Place,
    now: AtomicU64,
    placed: AtomicU64,
}

impl Shop {
    pub(crate) async fn open(engine: Engine) -> Self {
        let place = Place::new(engine);
        let host = place.host();
        let store = host.store().await;
        let shop = Self { store, host, place, now: AtomicU64::new(START_MS), placed: AtomicU64::new(0) };
        let factory = Factory {
            id: FACTORY.into(),
            name: "공장".into(),
            manager_email: Some("factory@example.com".into()),
            url: None,
        };
        assert_eq!(shop.store.define_factory(factory, OPERATOR.into(), START_MS).await, Ok(true));
        shop
    }

    /// A shop that sells one product.
    pub(crate) async fn with_product(
        engine: Engine,
        sku: &str,
        reorder_point: i64,
        order_up_to: i64,
        opening: i64,
    ) -> Self {
        let shop = Self::open(engine).await;
        shop.define(sku, reorder_point, order_up_to, opening).await;
        shop
    }

    /// A shop in which each of so many products is low from the start, so each has one message, oldest first.
    pub(crate) async fn with_messages(engine: Engine, count: usize) -> Self {
        let shop = Self::open(engine).await;
        for number in 0..count {
            shop.define(&format!("P{number:03}"), 2, 10, 1).await;
        }
        shop
    }

    pub(crate) fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }

    pub(crate) fn wait_ms(&self, ms: u64) {
        self.now.fetch_add(ms, Ordering::Relaxed);
    }

    pub(crate) async fn define(
        &self,
        sku: &str,
        reorder_point: i64,
        order_up_to: i64,
        opening: i64,
    ) -> Product {
        self.redefine(definition(sku, reorder_point, order_up_to, opening)).await
    }

    /// Creates or changes a product.
    pub(crate) async fn redefine(&self, definition: ProductDefinition) -> Product {
        match self.store.define(definition, OPERATOR.into(), self.now()).await {
            Ok(Defined::Created(product) | Defined::Updated(product)) => product,
            other => panic!("not defined: {other:?}"),
        }
    }

    pub(crate) async fn product(&self, sku: &str) -> Product {
        self.store.product(sku.into()).await.expect("read").expect("the product is there")
    }

    /// On hand, on order, backordered.
    pub(crate) async fn levels(&self, sku: &str) -> (i64, i64, i64) {
        let product = self.product(sku).await;
        (product.on_hand, product.on_order, product.backordered)
    }

    pub(crate) fn placement(&self, items: &[(&str, u32)], if_short: IfShort) -> Placement {
        let number = self.placed.fetch_add(1, Ordering::Relaxed);
        Placement {
            id: format!("order-{number:04}"),
            idempotency_key: None,
            request_hash: format!("{items:?} {if_short:?}"),
            customer: Customer {
                id: "c-1".into(),
                email: Some("c@example.com".into()),
                name: Some("김".into()),
            },
            items: items
                .iter()
                .map(|(sku, quantity)| Item { sku: (*sku).into(), quantity: *quantity })
                .collect(),
            if_short,
            vip: VIP,
            placed_at: self.now(),
            traceparent: None,
        }
    }

    /// The same under an idempotency key.
    pub(crate) fn keyed(&self, key: &str, items: &[(&str, u32)], if_short: IfShort) -> Placement {
        Placement { idempotency_key: Some(key.into()), ..self.placement(items, if_short) }
    }

    pub(crate) async fn place(&self, placement: Placement) -> Placing {
        self.store.place(placement).await.expect("answered")
    }

    pub(crate) async fn recorded(&self, placement: Placement) -> Recording {
        match self.place(placement).await {
            Placing::Recorded(recording) => recording,
            other => panic!("not recorded: {other:?}"),
        }
    }

    /// Orders what must be on the shelf.
    pub(crate) async fn buy(&self, items: &[(&str, u32)]) -> Recording {
        self.recorded(self.placement(items, IfShort::Reject)).await
    }

    /// Orders what may come later.
    pub(crate) async fn backorder(&self, items: &[(&str, u32)]) -> Recording {
        self.recorded(self.placement(items, IfShort::Backorder)).await
    }

    pub(crate) async fn order(&self, id: &str) -> Order {
        self.store.order(id.into()).await.expect("read").expect("the order is there")
    }

    pub(crate) async fn adjust(&self, sku: &str, delta: i64, key: Option<&str>) -> Adjusting {
        let adjustment = Adjustment {
            sku: sku.into(),
            delta,
            reason: "recount".into(),
            operator: OPERATOR.into(),
            idempotency_key: key.map(Into::into),
            at: self.now(),
        };
        self.store.adjust(adjustment).await.expect("answered")
    }

    /// The ledger of a product, newest first.
    pub(crate) async fn movements(&self, sku: &str) -> Vec<Movement> {
        self.store.movements(sku.into(), first_page()).await.expect("read").expect("the product is there")
    }

    /// All production requests of a state.
    pub(crate) async fn requests(&self, status: Option<Status>) -> Vec<Request> {
        let filter = status.map_or(production::Filter::All, production::Filter::ByStatus);
        self.store.productions(filter, first_page()).await.expect("read")
    }

    /// The open request of a product.
    pub(crate) async fn open_request(&self, sku: &str) -> Option<Request> {
        let open = [Status::Planned, Status::Requested, Status::Overdue, Status::Failed];
        let mut found = self.requests(None).await;
        found.retain(|request| request.sku == sku && open.contains(&request.status));
        assert!(found.len() <= 1, "a product has at most one open request: {found:?}");
        found.pop()
    }

    /// The only production request.
    pub(crate) async fn only_request(&self) -> Request {
        let mut all = self.requests(None).await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub(crate) async fn request(&self, id: &str) -> Request {
        self.store.production(id.into()).await.expect("read").expect("the request is there")
    }

    /// Has the factory take the job.
    pub(crate) async fn ask(&self, id: &str) {
        let now = self.now();
        self.store.begin(id.into(), now).await.expect("begun").expect("there is something to ask for");
        self.store.requested(id.into(), Some("job".into()), now, now + DUE_MS).await.expect("noted");
    }

    pub(crate) async fn receive(&self, id: &str, quantity: i64) -> Receipt {
        let delivery = production::Delivery::OfRequest(id.into());
        let receipt = self.store.receive(delivery, quantity, self.now()).await;
        receipt.expect("booked").expect("the request is known")
    }

    pub(crate) async fn receive_for(&self, sku: &str, quantity: i64) -> Option<Receipt> {
        let delivery = production::Delivery::OfProduct(sku.into());
        self.store.receive(delivery, quantity, self.now()).await.expect("booked")
    }

    pub(crate) async fn claim(&self, limit: u32) -> Vec<Delivery> {
        self.claim_from(QUEUE, limit).await
    }

    pub(crate) async fn claim_from(&self, queue: &str, limit: u32) -> Vec<Delivery> {
        self.store.claim(queue.into(), limit, self.now()).await.expect("claimed")
    }

    /// Works off a queue to its end; returns what was in it, in the order in which it was given out.
    pub(crate) async fn drain(&self, queue: &str) -> Vec<Delivery> {
        let mut all = Vec::new();
        loop {
            let deliveries = self.claim_from(queue, 100).await;
            if deliveries.is_empty() {
                return all;
            }
            for delivery in &deliveries {
                assert!(self.settle(delivery, Verdict::Done).await);
            }
            all.extend(deliveries);
        }
    }

    /// Works off the queue `alerts`; returns the notices that its messages carried, in the order in which they came.
    pub(crate) async fn notices(&self) -> Vec<Notice> {
        let mut notices = Vec::new();
        for delivery in self.drain("alerts").await {
            let data: serde_json::Value = serde_json::from_str(&delivery.event.data).expect("JSON");
            let id = data["notice_id"].as_str().expect("the notice it is about");
            let notice = self.store.owed(id.into()).await.expect("read").expect("it is owed");
            assert_eq!(notice.id, id);
            notices.push(notice);
        }
        notices
    }

    /// Notes that people were told all there is to tell now.
    pub(crate) async fn tell(&self, notice: &Notice) {
        let occurrences = notice.incident.occurrences;
        self.store.told(notice.id.clone(), occurrences, self.now()).await.expect("noted");
    }

    /// Incidents that go on, newest first.
    pub(crate) async fn open_incidents(&self) -> Vec<Incident> {
        self.store.incidents(true, first_page()).await.expect("read")
    }

    /// The only incident there ever was.
    pub(crate) async fn only_incident(&self) -> Incident {
        let mut all = self.store.incidents(false, first_page()).await.expect("read");
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    pub(crate) async fn claim_one(&self) -> Delivery {
        let mut deliveries = self.claim(1).await;
        assert_eq!(deliveries.len(), 1, "a message is due");
        deliveries.remove(0)
    }

    /// True where the verdict counted.
    pub(crate) async fn settle(&self, delivery: &Delivery, verdict: Verdict) -> bool {
        let settled =
            self.store.settle(vec![settlement(delivery, verdict)], self.now()).await.expect("answered");
        assert!(settled.is_empty() || settled == [delivery.message_id.as_str()], "{settled:?}");
        !settled.is_empty()
    }

    /// Buries a delivery for this kind of failure.
    pub(crate) async fn bury(&self, delivery: &Delivery, reason: &str, error: &str) {
        let word =
            Settlement { reason: reason.into(), error: error.into(), ..settlement(delivery, Verdict::Bury) };
        let settled = self.store.settle(vec![word], self.now()).await.expect("answered");
        assert_eq!(settled, [delivery.message_id.as_str()]);
    }

    pub(crate) async fn message(&self, id: &str) -> Message {
        self.store.message(id.into()).await.expect("read").expect("the message is there")
    }

    /// The state of the queue.
    pub(crate) async fn queue(&self) -> queue::Status {
        self.queue_named(QUEUE).await
    }

    pub(crate) async fn queue_named(&self, name: &str) -> queue::Status {
        let queues = self.store.queues(self.now()).await.expect("read");
        queues.into_iter().find(|queue| queue.queue == name).expect("the queue is there")
    }

    pub(crate) async fn due(&self) -> bool {
        self.store.due(self.now()).await.expect("read").contains(&QUEUE.to_owned())
    }

    pub(crate) async fn buried(&self) -> Vec<Message> {
        self.store.buried(QUEUE.into(), None, first_page()).await.expect("read").expect("the queue is known")
    }

    /// Lets an operator act; returns how many messages that touched.
    pub(crate) async fn operate(&self, action: Action) -> u32 {
        self.store.operate(self.operation(QUEUE, action)).await.expect("done").expect("the queue is known")
    }

    pub(crate) fn operation(&self, queue: &str, action: Action) -> Operation {
        Operation {
            queue: queue.into(),
            action,
            reason: "on purpose".into(),
            operator: OPERATOR.into(),
            at: self.now(),
        }
    }

    pub(crate) async fn redrive_all(&self) -> u32 {
        self.operate(Action::Redrive((Selection::All, 100))).await
    }

    pub(crate) async fn purge_all(&self) -> u32 {
        self.operate(Action::Purge((Selection::All, 100))).await
    }

    /// Has a partner fail until its circuit is open.
    pub(crate) async fn break_circuit(&self, partner: &str) {
        let limits = Limits { rate_per_second: 1_000, concurrency: 100, hold_ms: 5_000 };
        loop {
            let entered = self.store.enter(partner.into(), limits, self.now()).await.expect("answered");
            let Admission::Admitted(pass) = entered else { return };
            self.store.leave(pass.id, Health::Failing, self.now()).await.expect("answered");
        }
    }

    /// Has the next call to a partner go well, which must be let through.
    pub(crate) async fn mend_circuit(&self, partner: &str) {
        let limits = Limits { rate_per_second: 1_000, concurrency: 100, hold_ms: 5_000 };
        let entered = self.store.enter(partner.into(), limits, self.now()).await.expect("answered");
        let Admission::Admitted(pass) = entered else { panic!("not let through: {entered:?}") };
        self.store.leave(pass.id, Health::Well, self.now()).await.expect("answered");
    }

    /// Does what time makes necessary.
    pub(crate) async fn tick(&self) -> TickReport {
        let limits = TickLimits { attempts_max: ATTEMPTS_MAX, batch: TICK_BATCH };
        self.store.tick(limits, self.now()).await.expect("ticked")
    }

    /// Fails the test unless the store's own audit finds nothing.
    pub(crate) async fn audit(&self) {
        let report = self.store.audit().await.expect("audited");
        assert_eq!(report.violations, Vec::<String>::new());
    }
}

/// A worker's word on a delivery.
pub(crate) fn settlement(delivery: &Delivery, verdict: Verdict) -> Settlement {
    let failed = verdict != Verdict::Done;
    Settlement {
        message_id: delivery.message_id.clone(),
        receipt: delivery.receipt.clone(),
        verdict,
        reason: if failed { "unreachable".into() } else { String::new() },
        error: if failed { "connection refused".into() } else { String::new() },
    }
}

//! A shop in a database of its own, and short words for what happens in it.

use std::cell::Cell;
use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use restock_store::{Database, Repeat, Row, Value};
use rusqlite::config::DbConfig;
use rusqlite::types::{Value as Stored, ValueRef};

use crate::migration;
use restock_store::restock::catalog::{AdDefinition, Defined, Factory, Policy, Product, ProductDefinition};
use restock_store::restock::ops::{OperatorAction, TickLimits, TickReport};
use restock_store::restock::orders::{
    Buyer, Customer, IfShort, Item, Order, Placement, Placing, Recording, VipPolicy, VipRule,
};
use restock_store::restock::production::{Delivery as Goods, Receipt, Request, Status};
use restock_store::restock::queue::{Action, Delivery, Message, Operation, Selection, Settlement, Verdict};
use restock_store::restock::stock::{Adjusting, Adjustment, Movement};
use restock_store::restock::types::{Fault, Money, Page};
use restock_store::{catalog, ops, orders, production, queue, stock};

/// Attempts after which the tick buries, where the queue says nothing.
pub(crate) const ATTEMPTS_MAX: u32 = 3;

/// The queues that an order rings which asks for goods or empties the shelf.
pub(crate) const STOCK: [&str; 2] = ["replenishment", "ad-control"];

/// SQLite, as the operations see it.
pub(crate) struct Sqlite(pub(crate) rusqlite::Connection);

impl Sqlite {
    /// With what `connection` sets on Spin.
    pub(crate) fn new(connection: rusqlite::Connection) -> Self {
        let settings = "PRAGMA foreign_keys = ON; PRAGMA recursive_triggers = ON; PRAGMA busy_timeout = 5000; PRAGMA temp_store = MEMORY;";
        connection.execute_batch(settings).expect("the settings are taken");
        // As the host does: a plan does not depend on what is bound.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true).expect("the setting is taken");
        Self(connection)
    }

    /// Texts of the first column.
    pub(crate) fn texts(&self, sql: &str) -> Vec<String> {
        let mut rows = wait(self.read(sql, vec![])).expect("the statement runs");
        rows.iter_mut().map(|row| row.text().expect("a text")).collect()
    }

    /// The integer in the first column of the first row.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        let row = wait(self.read_one(sql, vec![])).expect("the statement runs");
        row.expect("a row").integer().expect("an integer")
    }
}

impl Database for Sqlite {
    type Engine = crate::engine::Sqlite;

    async fn run(&self, _: Repeat, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        let unavailable = |error: rusqlite::Error| Fault::Unavailable(error.to_string());
        let mut statement = self.0.prepare_cached(sql).map_err(unavailable)?;
        let columns = statement.column_count();
        let parameters = parameters.into_iter().map(|value| match value {
            Value::Integer(integer) => Stored::Integer(integer),
            Value::Text(text) => Stored::Text(text),
            Value::Null => Stored::Null,
        });
        let mut rows = statement.query(rusqlite::params_from_iter(parameters)).map_err(unavailable)?;
        let mut answer = Vec::new();
        while let Some(row) = rows.next().map_err(unavailable)? {
            let values = (0..columns).map(|column| match row.get_ref(column).expect("the column is there") {
                ValueRef::Null => Value::Null,
                ValueRef::Integer(integer) => Value::Integer(integer),
                ValueRef::Text(text) => Value::Text(String::from_utf8_lossy(text).into_owned()),
                other => panic!("a column holds {other:?}"),
            });
            answer.push(Row::new(values.collect()));
        }
        Ok(answer)
    }
}

/// The outcome of an operation. On SQLite itself none of them ever waits.
pub(crate) fn wait<T>(operation: impl Future<Output = T>) -> T {
    match pin!(operation).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => panic!("an operation waited for something that is not the database"),
    }
}

/// The first page of a list.
pub(crate) fn first_page() -> Page {
    Page { limit: 200, after: None }
}

/// The customers of a shop, in a database of their own.
pub(crate) struct Customers {
    pub(crate) database: Sqlite,
}

impl Customers {
    pub(crate) fn new() -> Self {
        let database = Sqlite::new(rusqlite::Connection::open_in_memory().expect("a database opens"));
        wait(migration::CUSTOMERS.inspect(&database)).expect("the database can be looked at");
        wait(migration::CUSTOMERS.apply(&database)).expect("the migrations apply");
        Self { database }
    }
}

/// A shop with one factory.
pub(crate) struct Shop {
    pub(crate) database: Sqlite,
    /// The moment of whatever happens next, ms.
    pub(crate) now: Cell<u64>,
    /// The rule for VIPs that orders are placed under.
    pub(crate) vip: Cell<VipPolicy>,
    placed: Cell<u64>,
}

impl Shop {
    pub(crate) fn new() -> Self {
        Self::at(&migration::SHOP)
    }

    /// A shop in a database that only these migrations were applied to.
    pub(crate) fn at(plan: &migration::Plan) -> Self {
        let database = Sqlite::new(rusqlite::Connection::open_in_memory().expect("a database opens"));
        wait(plan.inspect(&database)).expect("the database can be looked at");
        wait(plan.apply(&database)).expect("the migrations apply");
        let shop = Self::of(database);
        let factory = Factory { id: "FF-1".into(), name: "공장".into(), manager_email: None, url: None };
        assert!(
            wait(catalog::define_factory(&shop.database, factory, "op".into(), shop.now.get()))
                .expect("defined")
        );
        shop
    }

    /// A shop in a database that is ready.
    pub(crate) fn of(database: Sqlite) -> Self {
        let vip = Cell::new(VipPolicy { rule: VipRule::SingleOrder, units: 100 });
        Self { database, now: Cell::new(1_000_000), vip, placed: Cell::new(0) }
    }

    /// A shop that sells one product.
    pub(crate) fn with_product(sku: &str, reorder_point: i64, order_up_to: i64, opening_stock: i64) -> Self {
        let shop = Self::new();
        shop.product(sku, reorder_point, order_up_to, opening_stock);
        shop
    }

    pub(crate) fn product(
        &self,
        sku: &str,
        reorder_point: i64,
        order_up_to: i64,
        opening_stock: i64,
    ) -> Product {
        let definition = definition(sku, reorder_point, order_up_to, opening_stock);
        match wait(catalog::define(&self.database, definition, "op".into(), self.now.get())).expect("defined")
        {
            Defined::Created(product) | Defined::Updated(product) => product,
            Defined::UnknownFactory => panic!("the factory is there"),
        }
    }

    pub(crate) fn placement(&self, items: &[(&str, u32)], if_short: IfShort) -> Placement {
        self.placed.set(self.placed.get() + 1);
        Placement {
            id: format!("order-{}", self.placed.get()),
            idempotency_key: None,
            request_hash: format!("{items:?}"),
            customer: Customer { id: "c-1".into(), email: None, name: Some("김".into()) },
            items: items
                .iter()
                .map(|(sku, quantity)| Item { sku: (*sku).into(), quantity: *quantity })
                .collect(),
            if_short,
            vip: self.vip.get(),
            placed_at: self.now.get(),
            traceparent: None,
        }
    }

    pub(crate) fn place(&self, placement: Placement) -> Placing {
        wait(orders::place(&self.database, placement)).expect("placed")
    }

    fn recorded(&self, placement: Placement) -> Recording {
        match self.place(placement) {
            Placing::Recorded(recording) => recording,
            other => panic!("not recorded: {other:?}"),
        }
    }

    /// Orders what must be on the shelf.
    pub(crate) fn order(&self, items: &[(&str, u32)]) -> Recording {
        self.recorded(self.placement(items, IfShort::Reject))
    }

    /// Orders what may come later.
    pub(crate) fn backorder(&self, items: &[(&str, u32)]) -> Recording {
        self.recorded(self.placement(items, IfShort::Backorder))
    }

    pub(crate) fn find_order(&self, id: &str) -> Order {
        wait(orders::get(&self.database, id.into())).expect("read").expect("the order is there")
    }

    pub(crate) fn buyer(&self, customer_id: &str) -> Option<Buyer> {
        wait(orders::bought(&self.database, customer_id.into())).expect("read")
    }

    /// What operators did, newest first.
    pub(crate) fn actions(&self) -> Vec<OperatorAction> {
        wait(ops::actions(&self.database, first_page())).expect("read")
    }

    pub(crate) fn find_product(&self, sku: &str) -> Product {
        wait(catalog::get(&self.database, sku.into())).expect("read").expect("the product is there")
    }

    /// On hand, on order, backordered.
    pub(crate) fn levels(&self, sku: &str) -> (i64, i64, i64) {
        let product = self.find_product(sku);
        (product.on_hand, product.on_order, product.backordered)
    }

    pub(crate) fn adjust(&self, sku: &str, delta: i64, key: Option<&str>) -> Adjusting {
        let adjustment = Adjustment {
            sku: sku.into(),
            delta,
            reason: "recount".into(),
            operator: "op".into(),
            idempotency_key: key.map(Into::into),
            at: self.now.get(),
        };
        wait(stock::adjust(&self.database, adjustment)).expect("adjusted")
    }

    /// The ledger, newest first.
    pub(crate) fn movements(&self, sku: &str) -> Vec<Movement> {
        wait(stock::movements(&self.database, sku.into(), first_page()))
            .expect("read")
            .expect("the product is there")
    }

    /// Production requests, oldest first.
    pub(crate) fn productions(&self) -> Vec<Request> {
        let ids = self.database.texts("SELECT production_id FROM production ORDER BY rowid");
        ids.into_iter().map(|id| self.find_production(&id)).collect()
    }

    pub(crate) fn find_production(&self, id: &str) -> Request {
        wait(production::get(&self.database, id.into())).expect("read").expect("the request is there")
    }

    /// The newest request.
    pub(crate) fn last_production(&self) -> Request {
        self.productions().pop().expect("there is a request")
    }

    pub(crate) fn receive(&self, id: &str, quantity: i64) -> Receipt {
        let goods = Goods::OfRequest(id.into());
        wait(production::receive(&self.database, goods, quantity, self.now.get()))
            .expect("received")
            .expect("the request is there")
    }

    pub(crate) fn receive_for(&self, sku: &str, quantity: i64) -> Option<Receipt> {
        let goods = Goods::OfProduct(sku.into());
        wait(production::receive(&self.database, goods, quantity, self.now.get())).expect("received")
    }

    /// Has the factory take the job.
    pub(crate) fn request(&self, id: &str) {
        let (now, job) = (self.now.get(), Some("job".into()));
        wait(production::begin(&self.database, id.into()))
            .expect("begun")
            .expect("there is something to ask for");
        wait(production::requested(&self.database, id.into(), job, now, now + 60_000)).expect("noted");
    }

    /// Kinds of all events, oldest first.
    pub(crate) fn events(&self) -> Vec<String> {
        self.database.texts("SELECT type FROM event ORDER BY rowid")
    }

    pub(crate) fn claim(&self, limit: u32) -> Vec<Delivery> {
        self.claim_from("replenishment", limit)
    }

    pub(crate) fn claim_from(&self, queue: &str, limit: u32) -> Vec<Delivery> {
        wait(queue::claim(&self.database, queue.into(), limit, self.now.get())).expect("claimed")
    }

    pub(crate) fn claim_one(&self) -> Delivery {
        let mut deliveries = self.claim(1);
        assert_eq!(deliveries.len(), 1, "one message is due");
        deliveries.pop().expect("a delivery")
    }

    pub(crate) fn settle(&self, delivery: &Delivery, verdict: Verdict) -> bool {
        self.settle_for(delivery, verdict, "unreachable")
    }

    /// With the kind of failure.
    pub(crate) fn settle_for(&self, delivery: &Delivery, verdict: Verdict, reason: &str) -> bool {
        let settlement = Settlement {
            message_id: delivery.message_id.clone(),
            receipt: delivery.receipt.clone(),
            verdict,
            reason: reason.into(),
            error: "connection refused".into(),
        };
        let settled = wait(queue::settle(&self.database, vec![settlement], self.now.get())).expect("settled");
        settled.contains(&delivery.message_id)
    }

    pub(crate) fn message(&self, id: &str) -> Message {
        wait(queue::get(&self.database, id.into())).expect("read").expect("the message is there")
    }

    pub(crate) fn operate(&self, action: Action) -> Option<u32> {
        let operation = Operation {
            queue: "replenishment".into(),
            action,
            reason: "on purpose".into(),
            operator: "op".into(),
            at: self.now.get(),
        };
        wait(queue::operate(&self.database, operation)).expect("operated")
    }

    pub(crate) fn redrive_all(&self) -> u32 {
        self.operate(Action::Redrive((Selection::All, 100))).expect("the queue is there")
    }

    pub(crate) fn purge_all(&self) -> u32 {
        self.operate(Action::Purge((Selection::All, 100))).expect("the queue is there")
    }

    /// Lets time pass, then does what it makes necessary.
    pub(crate) fn tick_after(&self, ms: u64) -> TickReport {
        self.now.set(self.now.get() + ms);
        let limits = TickLimits { attempts_max: ATTEMPTS_MAX, batch: 100 };
        wait(ops::tick(&self.database, limits, self.now.get())).expect("ticked")
    }

    /// What the audit finds.
    pub(crate) fn violations(&self) -> Vec<String> {
        wait(ops::audit(&self.database)).expect("audited").violations
    }

    pub(crate) fn assert_sound(&self) {
        assert_eq!(self.violations(), Vec::<String>::new());
    }
}

/// A product by hand, for 1000 won.
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
        factory_id: "FF-1".into(),
        policy: Policy::Manual,
        reorder_point,
        order_up_to,
        ad: Some(AdDefinition { running: true, manager_email: None }),
        opening_stock,
    }
}

/// The one open request of a status.
pub(crate) fn assert_status(shop: &Shop, id: &str, status: Status) {
    assert_eq!(shop.find_production(id).status, status);
}

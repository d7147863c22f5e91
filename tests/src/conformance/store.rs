//! A store under test: its database, its component, and the functions of its interface.

use std::path::PathBuf;

use futures::future::join_all;
use restock_host::library::{Guest, Library};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::bindings;
use super::bindings::restock::catalog::{Defined, Demand, Factory, Product, ProductDefinition};
use super::bindings::restock::ops::{Readiness, Report, TickLimits, TickReport};
use super::bindings::restock::orders::{Order, Placement, Placing};
use super::bindings::restock::partners::{Admission, Health, Limits, State};
use super::bindings::restock::production::{self, Errand, Receipt, Request};
use super::bindings::restock::queue::{Delivery, Message, Operation, Settlement, Status};
use super::bindings::restock::stock::{Adjusting, Adjustment, Movement};
use super::bindings::restock::types::{Fault, Page};
use crate::support::root;

/// What a store keeps its rows in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Engine {
    Sqlite,
}

impl Engine {
    /// As a store calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
        }
    }

    fn component(self) -> PathBuf {
        let file = match self {
            Self::Sqlite => "store_sqlite.wasm",
        };
        root().join("target/wasm32-wasip2/component").join(file)
    }
}

/// An empty database of its own. It goes with its value.
pub(crate) struct Place {
    engine: Engine,
    folder: TempDir,
}

impl Place {
    pub(crate) fn new(engine: Engine) -> Self {
        Self { engine, folder: TempDir::new().expect("a folder") }
    }

    fn file(&self) -> PathBuf {
        self.folder.path().join("default.db")
    }

    /// A host on this database, as a process of its own would be.
    pub(crate) fn host(&self) -> StoreHost {
        let databases = match self.engine {
            Engine::Sqlite => [("default".to_owned(), self.file())].into(),
        };
        StoreHost(
            Library::load(&self.engine.component(), &databases).expect("the store loads: build it first"),
        )
    }

    /// Runs statements around the store.
    pub(crate) fn tamper(&self, sql: &str) {
        match self.engine {
            Engine::Sqlite => {
                let database = rusqlite::Connection::open(self.file()).expect("the database opens");
                database.busy_timeout(std::time::Duration::from_secs(30)).expect("a timeout");
                database.execute_batch(sql).expect("the statements run");
            }
        }
    }

    /// The number a query finds around the store.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        match self.engine {
            Engine::Sqlite => {
                let database = rusqlite::Connection::open(self.file()).expect("the database opens");
                database.query_one(sql, [], |row| row.get(0)).expect("the query finds a number")
            }
        }
    }
}

/// A host that gives out instances of the store, all on one database.
pub(crate) struct StoreHost(Library);

impl StoreHost {
    pub(crate) async fn store(&self) -> Store {
        let (mut store, instance) = self.0.instantiate().await.expect("the store starts");
        let exports = bindings::Store::new(&mut store, &instance).expect("it exports the whole interface");
        Store(Mutex::new((store, exports)))
    }
}

/// One instance of a store. Its methods are the functions of its interface.
pub(crate) struct Store(Mutex<(wasmtime::Store<Guest>, bindings::Store)>);

macro_rules! functions {
    ($($method:ident = $interface:ident.$function:ident($($parameter:ident: $kind:ty),*) -> $answer:ty;)*) => {
        impl Store {
            $(
                pub(crate) async fn $method(&self, $($parameter: $kind),*) -> Result<$answer, Fault> {
                    let mut both = self.0.lock().await;
                    let (store, exports) = &mut *both;
                    store
                        .run_concurrent(async |accessor| exports.$interface().$function(accessor, $($parameter),*).await)
                        .await
                        .flatten()
                        .expect("the store does not trap")
                }
            )*
        }
    };
}

functions! {
    product = restock_domain_catalog.call_get(sku: String) -> Option<Product>;
    products = restock_domain_catalog.call_list(page: Page) -> Vec<Product>;
    define = restock_domain_catalog.call_define(definition: ProductDefinition, now: u64) -> Defined;
    define_factory = restock_domain_catalog.call_define_factory(factory: Factory, now: u64) -> bool;
    auto_demand = restock_domain_catalog.call_auto_demand(page: Page, now: u64) -> Vec<Demand>;
    set_levels = restock_domain_catalog.call_set_levels(sku: String, reorder_point: i64, order_up_to: i64, now: u64) -> bool;
    place = restock_domain_orders.call_place(placement: Placement) -> Placing;
    order = restock_domain_orders.call_get(id: String) -> Option<Order>;
    movements = restock_domain_stock.call_movements(sku: String, page: Page) -> Option<Vec<Movement>>;
    adjust = restock_domain_stock.call_adjust(adjustment: Adjustment) -> Adjusting;
    production = restock_domain_production.call_get(id: String) -> Option<Request>;
    productions = restock_domain_production.call_list(status: Option<production::Status>, page: Page) -> Vec<Request>;
    begin = restock_domain_production.call_begin(id: String, now: u64) -> Option<Errand>;
    requested = restock_domain_production.call_requested(id: String, factory_job_id: Option<String>, now: u64, due_at: u64) -> ();
    receive = restock_domain_production.call_receive(delivery: production::Delivery, quantity: i64, at: u64) -> Option<Receipt>;
    claim = restock_domain_queue.call_claim(queue: String, limit: u32, now: u64) -> Vec<Delivery>;
    settle = restock_domain_queue.call_settle(settlements: Vec<Settlement>, now: u64) -> Vec<String>;
    due = restock_domain_queue.call_due(now: u64) -> Vec<String>;
    queues = restock_domain_queue.call_list(now: u64) -> Vec<Status>;
    buried = restock_domain_queue.call_buried(queue: String, page: Page) -> Option<Vec<Message>>;
    message = restock_domain_queue.call_get(id: String) -> Option<Message>;
    operate = restock_domain_queue.call_operate(operation: Operation) -> Option<u32>;
    enter = restock_domain_partners.call_enter(partner: String, limits: Limits, now: u64) -> Admission;
    leave = restock_domain_partners.call_leave(pass_id: String, health: Health, now: u64) -> ();
    partners = restock_domain_partners.call_list(now: u64) -> Vec<State>;
    ready = restock_domain_ops.call_ready() -> Readiness;
    audit = restock_domain_ops.call_audit() -> Report;
    tick = restock_domain_ops.call_tick(limits: TickLimits, now: u64) -> TickReport;
}

impl Store {
    /// Places all of these orders at once in this one instance.
    pub(crate) async fn place_at_once(&self, placements: Vec<Placement>) -> Vec<Result<Placing, Fault>> {
        let mut both = self.0.lock().await;
        let (store, exports) = &mut *both;
        let placing = store
            .run_concurrent(async |accessor| {
                let orders = exports.restock_domain_orders();
                join_all(placements.into_iter().map(|placement| orders.call_place(accessor, placement))).await
            })
            .await
            .expect("the store does not trap");
        placing.into_iter().map(|placing| placing.expect("the store does not trap")).collect()
    }
}

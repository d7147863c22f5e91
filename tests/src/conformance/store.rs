//! A store under test: its database, its component, and the functions of its interface.

use std::path::PathBuf;

use futures::future::join_all;
use restock_host::library::{Guest, Library, Surroundings};
use tempfile::TempDir;
use tokio::sync::Mutex;

use super::bindings;
use super::bindings::restock::ads;
use super::bindings::restock::alerts::{Incident, Notice};
use super::bindings::restock::catalog::{Defined, Demand, Factory, Product, ProductDefinition};
use super::bindings::restock::customers::{Customer, Outcome, Purchase};
use super::bindings::restock::insight::{Cover, Level, Minute, ShopTotals};
use super::bindings::restock::letters::Standing;
use super::bindings::restock::ops::{OperatorAction, Readiness, Report, TickLimits, TickReport};
use super::bindings::restock::orders::{self, Buyer, Order, Placement, Placing};
use super::bindings::restock::partners::{Admission, Health, Limits, State};
use super::bindings::restock::production::{self, Errand, Receipt, Request};
use super::bindings::restock::queue::{
    BuriedGroup, Delivery, Message, Operation, Selection, Settlement, Status,
};
use super::bindings::restock::returns::{
    Collection, Decision, Filter, History, Oddity, Parcel, Reject, Replaying, Return, Settling, ToStock, Wish,
};
use super::bindings::restock::stock::{Adjusting, Adjustment, Movement};
use super::bindings::restock::types::{Fault, Page};
use super::cluster::Cluster;
use crate::rows::Rows;
use crate::support::root;

/// What a store keeps its rows in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Engine {
    Sqlite,
    Postgres,
}

impl Engine {
    /// As a store calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        }
    }

    fn component(self) -> PathBuf {
        let file = match self {
            Self::Sqlite => "store_sqlite.wasm",
            Self::Postgres => "store_postgres.wasm",
        };
        root().join("target/wasm32-wasip2/component").join(file)
    }

    /// A host of the store with these surroundings.
    pub(crate) fn host(self, surroundings: Surroundings) -> StoreHost {
        StoreHost(Library::load(&self.component(), surroundings).expect("the store loads: build it first"))
    }
}

/// One of the databases of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Label {
    /// The shop: everything but its customers.
    Default,
    Customers,
}

impl Label {
    /// What a component of this engine knows it by: the name of a SQLite database, or the variable with an address.
    pub(crate) fn name(self, engine: Engine) -> &'static str {
        match (engine, self) {
            (Engine::Sqlite, Self::Default) => "default",
            (Engine::Sqlite, Self::Customers) => "customers",
            (Engine::Postgres, Self::Default) => "postgres_url",
            (Engine::Postgres, Self::Customers) => "customers_url",
        }
    }
}

/// Databases of its own. They go with their value.
pub(crate) enum Place {
    /// A folder with their files.
    Sqlite(TempDir),
    Postgres(Cluster),
}

impl Place {
    /// Without rows, and on a cluster that many tests share with the schema of this program.
    pub(crate) fn new(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::empty(engine),
            Engine::Postgres => Self::Postgres(Cluster::migrated()),
        }
    }

    /// With nothing at all.
    pub(crate) fn empty(engine: Engine) -> Self {
        match engine {
            Engine::Sqlite => Self::Sqlite(TempDir::new().expect("a folder")),
            Engine::Postgres => Self::Postgres(Cluster::empty()),
        }
    }

    fn engine(&self) -> Engine {
        match self {
            Self::Sqlite(_) => Engine::Sqlite,
            Self::Postgres(_) => Engine::Postgres,
        }
    }

    /// The rows of one of its databases.
    pub(crate) fn rows(&self, label: Label) -> Rows {
        match self {
            Self::Sqlite(folder) => {
                let name = label.name(Engine::Sqlite);
                Rows::Sqlite(folder.path().join(format!("{name}.db")))
            }
            Self::Postgres(cluster) => Rows::Postgres(cluster.url(label)),
        }
    }

    /// A host on these databases, as a process of its own would be.
    pub(crate) fn host(&self) -> StoreHost {
        self.host_with(&[Label::Default, Label::Customers])
    }

    /// A host that gives the store these databases only.
    pub(crate) fn host_with(&self, labels: &[Label]) -> StoreHost {
        let engine = self.engine();
        let mut surroundings = Surroundings::default();
        for label in labels {
            let name = label.name(engine).to_owned();
            match self.rows(*label) {
                Rows::Sqlite(file) => {
                    surroundings.databases.insert(name, file);
                }
                Rows::Postgres(url) => {
                    surroundings.variables.insert(name, url);
                }
            }
        }
        if let Self::Postgres(cluster) = self {
            surroundings.allowed_outbound_hosts.push(cluster.origin());
        }
        engine.host(surroundings)
    }

    /// Runs a statement around the store.
    pub(crate) fn tamper(&self, sql: &str) {
        self.tamper_with(Label::Default, sql);
    }

    /// Runs a statement around the store, in one of its databases.
    pub(crate) fn tamper_with(&self, label: Label, sql: &str) {
        self.rows(label).change(sql);
    }

    /// The number a query finds around the store.
    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.rows(Label::Default).number(sql)
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
    define = restock_domain_catalog.call_define(definition: ProductDefinition, operator: String, now: u64) -> Defined;
    define_factory = restock_domain_catalog.call_define_factory(factory: Factory, operator: String, now: u64) -> bool;
    auto_demand = restock_domain_catalog.call_auto_demand(page: Page, now: u64) -> Vec<Demand>;
    set_levels = restock_domain_catalog.call_set_levels(sku: String, reorder_point: i64, order_up_to: i64, now: u64) -> bool;
    place = restock_domain_orders.call_place(placement: Placement) -> Placing;
    order = restock_domain_orders.call_get(id: String) -> Option<Order>;
    bought = restock_domain_orders.call_bought(customer_id: String) -> Option<Buyer>;
    orders = restock_domain_orders.call_list(filter: orders::Filter, page: Page) -> Vec<Order>;
    buyers = restock_domain_orders.call_buyers(page: Page) -> Vec<Buyer>;
    movements = restock_domain_stock.call_movements(sku: String, page: Page) -> Option<Vec<Movement>>;
    adjust = restock_domain_stock.call_adjust(adjustment: Adjustment) -> Adjusting;
    production = restock_domain_production.call_get(id: String) -> Option<Request>;
    productions = restock_domain_production.call_list(filter: production::Filter, page: Page) -> Vec<Request>;
    open_requests = restock_domain_production.call_open(limit: u32) -> Vec<Request>;
    begin = restock_domain_production.call_begin(id: String, now: u64) -> Option<Errand>;
    requested = restock_domain_production.call_requested(id: String, factory_job_id: Option<String>, now: u64, due_at: u64) -> ();
    receive = restock_domain_production.call_receive(delivery: production::Delivery, quantity: i64, at: u64) -> Option<Receipt>;
    claim = restock_domain_queue.call_claim(queue: String, limit: u32, now: u64) -> Vec<Delivery>;
    settle = restock_domain_queue.call_settle(settlements: Vec<Settlement>, now: u64) -> Vec<String>;
    due = restock_domain_queue.call_due(now: u64) -> Vec<String>;
    queues = restock_domain_queue.call_list(now: u64) -> Vec<Status>;
    buried = restock_domain_queue.call_buried(queue: String, reason: Option<String>, page: Page) -> Option<Vec<Message>>;
    buried_groups = restock_domain_queue.call_buried_groups(queue: String) -> Option<Vec<BuriedGroup>>;
    selected = restock_domain_queue.call_selected(queue: String, selection: Selection, limit: u32) -> Option<u32>;
    message = restock_domain_queue.call_get(id: String) -> Option<Message>;
    operate = restock_domain_queue.call_operate(operation: Operation) -> Option<u32>;
    enter = restock_domain_partners.call_enter(partner: String, limits: Limits, now: u64) -> Admission;
    leave = restock_domain_partners.call_leave(pass_id: String, health: Health, now: u64) -> ();
    partners = restock_domain_partners.call_list(now: u64) -> Vec<State>;
    wanted = restock_domain_ads.call_wanted(sku: String) -> Option<ads::Errand>;
    asked = restock_domain_ads.call_asked(errand_id: String, sku: String, request: ads::Request, now: u64) -> ();
    note_purchase = restock_domain_customers.call_note_purchase(purchase: Purchase, now: u64) -> Outcome;
    announced = restock_domain_customers.call_announced(announcement_id: String, now: u64) -> ();
    customer = restock_domain_customers.call_get(id: String) -> Option<Customer>;
    customers = restock_domain_customers.call_list(page: Page) -> Vec<Customer>;
    look = restock_domain_letters.call_look(id: String) -> Standing;
    entrust = restock_domain_letters.call_entrust(id: String, provider: String, content: String, now: u64) -> bool;
    release = restock_domain_letters.call_release(id: String, provider: String) -> ();
    sent = restock_domain_letters.call_sent(id: String, provider: String, provider_ref: String, now: u64) -> ();
    owed = restock_domain_alerts.call_owed(id: String) -> Option<Notice>;
    told = restock_domain_alerts.call_told(notice_id: String, occurrences: u64, now: u64) -> ();
    incidents = restock_domain_alerts.call_list(open_only: bool, page: Page) -> Vec<Incident>;
    audited = restock_domain_alerts.call_audited(violations: Vec<String>, now: u64) -> ();
    begin_collection = restock_domain_returns.call_begin(every_ms: u64, now: u64) -> Option<String>;
    collected = restock_domain_returns.call_collected(collection_id: String, parcels: Vec<Parcel>, now: u64) -> ();
    set_aside = restock_domain_returns.call_set_aside(collection_id: String, oddities: Vec<Oddity>, now: u64) -> ();
    finished = restock_domain_returns.call_finished(collection_id: String, listed: u64, now: u64) -> Option<Collection>;
    collection = restock_domain_returns.call_get_collection(id: String) -> Option<Collection>;
    collections = restock_domain_returns.call_collections(page: Page) -> Vec<Collection>;
    rejects = restock_domain_returns.call_rejects(page: Page) -> Vec<Reject>;
    one_return = restock_domain_returns.call_get(id: String) -> Option<Return>;
    return_history = restock_domain_returns.call_describe(id: String) -> Option<History>;
    returns = restock_domain_returns.call_list(filter: Filter, page: Page) -> Vec<Return>;
    tracked = restock_domain_returns.call_tracked(id: String, shipment_number: String, statuses: Vec<String>, now: u64) -> ();
    reported = restock_domain_returns.call_reported(id: String, to_stock: ToStock, now: u64) -> bool;
    replay = restock_domain_returns.call_replay(wish: Wish) -> Replaying;
    receive_return = restock_domain_returns.call_receive(decision: Decision, sku: Option<String>, quantity: Option<i64>) -> Settling;
    discard_return = restock_domain_returns.call_discard(decision: Decision) -> Settling;
    orders_by_minute = restock_domain_insight.call_orders_by_minute(since: u64) -> Vec<Minute>;
    at_risk = restock_domain_insight.call_at_risk(limit: u32, now: u64) -> Vec<Cover>;
    cover_of = restock_domain_insight.call_cover_of(sku: String, now: u64) -> Option<Cover>;
    totals = restock_domain_insight.call_totals() -> ShopTotals;
    stock_history = restock_domain_insight.call_stock_history(sku: String, since: u64, samples: u32) -> Option<Vec<Level>>;
    ready = restock_domain_ops.call_ready() -> Readiness;
    audit = restock_domain_ops.call_audit() -> Report;
    tick = restock_domain_ops.call_tick(limits: TickLimits, now: u64) -> TickReport;
    take_turn = restock_domain_ops.call_take_turn(job: String, every_ms: u64, now: u64) -> bool;
    actions = restock_domain_ops.call_actions(page: Page) -> Vec<OperatorAction>;
}

/// Functions that are called many times at once in one instance.
macro_rules! functions_at_once {
    ($($method:ident = $interface:ident.$function:ident($($parameter:ident: $kind:ty),*) -> $answer:ty;)*) => {
        impl Store {
            $(
                /// All of these calls at once in this one instance.
                pub(crate) async fn $method(&self, calls: Vec<($($kind,)*)>) -> Vec<Result<$answer, Fault>> {
                    let mut both = self.0.lock().await;
                    let (store, exports) = &mut *both;
                    let answers = store
                        .run_concurrent(async |accessor| {
                            let interface = exports.$interface();
                            join_all(calls.into_iter().map(|($($parameter,)*)| {
                                interface.$function(accessor, $($parameter),*)
                            }))
                            .await
                        })
                        .await
                        .expect("the store does not trap");
                    answers.into_iter().map(|answer| answer.expect("the store does not trap")).collect()
                }
            )*
        }
    };
}

functions_at_once! {
    place_at_once = restock_domain_orders.call_place(placement: Placement) -> Placing;
    asked_at_once = restock_domain_ads.call_asked(errand_id: String, sku: String, request: ads::Request, now: u64) -> ();
    note_purchases_at_once = restock_domain_customers.call_note_purchase(purchase: Purchase, now: u64) -> Outcome;
    entrust_at_once = restock_domain_letters.call_entrust(id: String, provider: String, content: String, now: u64) -> bool;
    begin_collections_at_once = restock_domain_returns.call_begin(every_ms: u64, now: u64) -> Option<String>;
    collected_at_once = restock_domain_returns.call_collected(collection_id: String, parcels: Vec<Parcel>, now: u64) -> ();
    report_at_once = restock_domain_returns.call_reported(id: String, to_stock: ToStock, now: u64) -> bool;
    replay_at_once = restock_domain_returns.call_replay(wish: Wish) -> Replaying;
    receive_returns_at_once = restock_domain_returns.call_receive(decision: Decision, sku: Option<String>, quantity: Option<i64>) -> Settling;
    discard_returns_at_once = restock_domain_returns.call_discard(decision: Decision) -> Settling;
    take_turns_at_once = restock_domain_ops.call_take_turn(job: String, every_ms: u64, now: u64) -> bool;
}

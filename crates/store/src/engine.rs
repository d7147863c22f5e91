//! What an engine brings along: its connections, its statements, and what it does in its own way.

use crate::customers::Buyer;
use crate::database::{Database, Value};
use crate::orders::{Asked, Placed};
use crate::partners::{Caller, Entered};
use crate::restock::catalog::Product;
use crate::restock::production::{Delivery, Receipt};
use crate::restock::returns::{Decision, Replaying, Settling};
use crate::restock::stock::{Adjusting, Adjustment};
use crate::restock::types::Fault;
use crate::row::Row;

/// Writes the list of statements down once: for the struct, and for the macro that fills it.
macro_rules! declare {
    ($($name:ident)*) => {
        /// The statements of an engine, each the file of its name in the engine's folder `sql`.
        ///
        /// A file of one engine takes the same parameters as that of the other, and answers with the same columns where [`Engine`] has
        /// no function that reads the answer.
        #[derive(Debug)]
        pub struct Statements {
            $(#[doc = concat!("`", stringify!($name), ".sql`")] pub $name: &'static str,)*
        }

        /// The [`Statements`] in the folder `sql` beside the file that calls this.
        #[macro_export]
        macro_rules! statements {
            () => {
                $crate::Statements { $($name: include_str!(concat!("sql/", stringify!($name), ".sql")),)* }
            };
        }
    };
}

declare! {
    ad_errand ad_request_insert ad_request_remove audit_bulk audit_buyers audit_counts audit_incidents
    audit_ledger audit_messages audit_order_lines audit_order_movements audit_product_levels
    audit_product_stock audit_production_goods audit_production_messages audit_production_open
    audit_return_goods audit_return_messages audit_return_steps audit_violation_insert buyer_get
    buyer_list customer_announced customer_get customer_list_normal customer_list_vip event_remove
    factory_define incident_clear incident_clear_audit incident_list incident_list_open
    incident_notice_get incident_notice_told incident_remind incident_remove letter_entrust letter_get
    letter_release letter_remove letter_sent message_buried_groups message_claim message_expire_lease
    message_get message_list_buried message_list_buried_by_reason message_remove message_selected
    message_settle movement_list operation_insert operator_action_list order_get order_list
    order_list_by_customer order_list_rejected order_list_waiting order_minute_list order_minute_remove
    order_place partner_enter partner_leave partner_list product_cover product_define product_demand
    product_get product_list product_set_levels production_begin production_get production_list
    production_list_by_product production_list_by_status production_mark_overdue production_open
    production_receive production_receive_open production_requested purchase_insert queue_due queue_get
    queue_list return_collected return_collection_begin return_collection_finish return_collection_get
    return_collection_list return_collection_remove return_describe return_discard return_get
    return_list return_list_by_goods return_list_by_order return_list_by_shipment return_list_by_status
    return_receive return_reject_insert return_reject_list return_reject_remove return_replay
    return_reported return_tracked shop_totals stock_adjust stock_get stock_history tick_note turn_take
}

/// A database engine, as a store uses it.
///
/// Most operations are one statement, and the engines differ in nothing but its words. The functions here are about the others. On
/// Postgres a statement can call a function that decides, writes and tells all that is asked for, so each is one round trip; on
/// SQLite a statement writes or does not, and another one, which costs next to nothing there, finds out why.
pub trait Engine: Sized + 'static {
    /// What runs its statements.
    type Database: Database<Engine = Self>;

    /// What readiness calls it.
    const NAME: &'static str;
    /// Its statements.
    const SQL: &'static Statements;

    /// The shop: everything but its customers.
    fn shop() -> &'static Self::Database;

    /// Customers, apart from the shop.
    fn customers() -> &'static Self::Database;

    /// Looks whether this program can work with the shop's database, and returns the version of its schema.
    async fn schema_version() -> Result<u32, Fault>;

    /// What became of a placement, from the answer of `order_place`.
    async fn placed(
        database: &impl Database<Engine = Self>,
        answer: Option<Row>,
        asked: Asked,
    ) -> Result<Placed, Fault>;

    /// What became of a correction, from the answer of `stock_adjust`.
    async fn adjusted(
        database: &impl Database<Engine = Self>,
        answer: Option<Row>,
        adjustment: Adjustment,
    ) -> Result<Adjusting, Fault>;

    /// Books delivered goods.
    async fn receive(
        database: &impl Database<Engine = Self>,
        delivery: Delivery,
        quantity: i64,
        at: u64,
    ) -> Result<Option<Receipt>, Fault>;

    /// The product that was defined, from what `product_define` answered after its first column.
    async fn defined(
        database: &impl Database<Engine = Self>,
        answer: Row,
        sku: String,
    ) -> Result<Product, Fault>;

    /// Whether an automatic product has these levels now (SKU, reorder point, order-up-to level), from the answer of
    /// `product_set_levels`.
    async fn levels_set(
        database: &impl Database<Engine = Self>,
        answer: Option<Row>,
        levels: Vec<Value>,
    ) -> Result<bool, Fault>;

    /// What a caller met at a partner's gate, from the answer of `partner_enter`.
    async fn entered(
        database: &impl Database<Engine = Self>,
        answer: Option<Row>,
        caller: Caller,
    ) -> Result<Entered, Fault>;

    /// The customer of a purchase, from what `purchase_insert` answered after its first column.
    async fn buyer(
        database: &impl Database<Engine = Self>,
        answer: Row,
        customer_id: String,
    ) -> Result<Option<Buyer>, Fault>;

    /// Puts the goods of a return on the shelf.
    async fn return_received(
        database: &impl Database<Engine = Self>,
        decision: Decision,
        sku: Option<String>,
        quantity: Option<i64>,
    ) -> Result<Settling, Fault>;

    /// Decides that the goods of a return never go back on the shelf.
    async fn return_discarded(
        database: &impl Database<Engine = Self>,
        decision: Decision,
    ) -> Result<Settling, Fault>;

    /// What became of an operator's word to follow a parcel, from the answer of `return_replay`; `item` is the order's number and that
    /// of the item in it.
    async fn replayed(
        database: &impl Database<Engine = Self>,
        answer: Option<Row>,
        item: Vec<Value>,
    ) -> Result<Replaying, Fault>;
}

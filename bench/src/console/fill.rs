//! A shop that has been open for a while, in SQLite, made by the store's own statements: its triggers carry out what follows, so the
//! audit finds everything in order.
//!
//! They run in the files of a host that made them and has ended, without durability, which is what makes a million orders a matter of
//! a minute or two.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use rusqlite::config::DbConfig;
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use serde_json::json;
use uuid::Uuid;

use crate::load::sku;

/// Products of the shop; the last ones are scarce.
pub(crate) const PRODUCTS: u32 = 1_000;
/// Those of which there is enough for every order.
pub(crate) const PLENTIFUL: u32 = 700;
/// Levels of the scarce ones: they run out before the goods come, so orders are turned down and others wait.
const SCARCE_REORDER_POINT: i64 = 5;
const SCARCE_ORDER_UP_TO: i64 = 60;
const SCARCE_OPENING_STOCK: i64 = 50;
/// Who buys.
pub(crate) const CUSTOMERS: u32 = 100_000;
/// The time in which the orders came.
const DAYS: i64 = 3;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;
/// After so many orders the factory delivers what it was asked for before, and the queues are worked off.
const ORDERS_BETWEEN_DELIVERIES: u32 = 5_000;
/// A factory says when it will deliver. Nothing is overdue while pages are measured.
const DUE_IN_MS: i64 = DAY_MS;
/// Units from which on an order makes its customer a VIP, as it is by default.
const VIP_UNITS: u32 = 100;
/// Returns, and those of them that ended as a dead letter: one in so many.
const RETURNS: u32 = 20_000;
const RETURNS_PER_DEAD_LETTER: u32 = 10;
/// Rows of one call of the operations that take a list.
const BATCH: usize = 50;
/// Messages that a worker claims at a time.
const CLAIM: u32 = 64;
/// Stock that was corrected by hand: rows of the list of what operators did.
const CORRECTIONS: u32 = 5_000;
/// Why messages end as dead letters.
const REASONS: [&str; 6] = [
    "marketing-refused",
    "marketing-unauthorized",
    "marketing-unreachable",
    "marketing-unreadable-answer",
    "marketing-server-error",
    "marketing-timeout",
];

/// How much there is to make.
#[derive(Clone, Copy)]
pub(crate) struct Size {
    pub(crate) orders: u32,
    pub(crate) dead_letters: u32,
}

macro_rules! statement {
    ($name:literal) => {
        include_str!(concat!("../../../components/store-sqlite/src/sql/", $name, ".sql"))
    };
}

/// Fills the databases in this folder of a host's data.
pub(crate) fn fill(data: &Path, size: Size) -> Result<()> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    let shop = Filler::open(&data.join("sqlite/default.db"), now)?;
    shop.scarce_products()?;
    shop.orders(size)?;
    shop.corrections()?;
    shop.returns()?;
    shop.close()?;
    let customers = Filler::open(&data.join("sqlite/customers.db"), now)?;
    customers.customers(size.dead_letters)?;
    customers.close()
}

struct Filler {
    db: Connection,
    /// The end of everything that is made here.
    now: i64,
}

impl Filler {
    fn open(file: &Path, now: i64) -> Result<Self> {
        let db = Connection::open(file).with_context(|| format!("cannot open {}", file.display()))?;
        db.set_prepared_statement_cache_capacity(32);
        // Without it a statement whose plan could depend on a bound value is compiled anew whenever one is bound.
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        db.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
             PRAGMA cache_size = -400000; PRAGMA temp_store = MEMORY; PRAGMA foreign_keys = ON;
             PRAGMA recursive_triggers = ON; BEGIN;",
        )?;
        Ok(Self { db, now })
    }

    fn close(self) -> Result<()> {
        self.db.execute_batch(
            "COMMIT; PRAGMA locking_mode = NORMAL; PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL;",
        )?;
        Ok(())
    }

    /// Runs a statement of the store to its end; its rows.
    fn run(&self, sql: &str, parameters: impl rusqlite::Params) -> Result<Vec<Vec<Value>>> {
        let mut statement = self.db.prepare_cached(sql)?;
        let columns = statement.column_count();
        let rows =
            statement.query_map(parameters, |row| (0..columns).map(|place| row.get(place)).collect())?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    fn scarce_products(&self) -> Result<()> {
        for number in PLENTIFUL + 1..=PRODUCTS {
            self.run(
                statement!("product_define"),
                params![
                    sku(number),
                    "도너츠 <b>",
                    100,
                    "KRW",
                    "BENCH-F",
                    "manual",
                    SCARCE_REORDER_POINT,
                    SCARCE_ORDER_UP_TO,
                    "running",
                    "ads@example.com",
                    SCARCE_OPENING_STOCK,
                    self.now - DAYS * DAY_MS,
                    "0123456789abcdef",
                ],
            )?;
        }
        Ok(())
    }

    fn orders(&self, size: Size) -> Result<()> {
        let mut chance = Rng::with_seed(6);
        let begin = self.now - DAYS * DAY_MS;
        let bulk_every = (size.orders / size.dead_letters.max(1)).max(1);
        let mut bulk = 0;
        for number in 0..size.orders {
            let at = begin + i64::from(number) * DAYS * DAY_MS / i64::from(size.orders);
            let bulky = number % bulk_every == 0 && bulk < size.dead_letters;
            let (customer, items) = if bulky {
                bulk += 1;
                let product = sku(chance.u32(1..=PLENTIFUL));
                (format!("bulk-{bulk}"), json!([{"sku": product, "quantity": VIP_UNITS}]))
            } else {
                let product = sku(chance.u32(1..=PRODUCTS));
                let quantity = chance.u32(1..=3);
                (
                    format!("customer-{}", chance.u32(1..=CUSTOMERS)),
                    json!([{"sku": product, "quantity": quantity}]),
                )
            };
            let if_short = if chance.u32(0..10) == 0 { "backorder" } else { "reject" };
            let placed = self.run(
                statement!("order_place"),
                params![
                    Uuid::now_v7().to_string(),
                    None::<String>,
                    "hash",
                    customer,
                    format!("{customer}@example.com"),
                    "Somebody",
                    if_short,
                    items.to_string(),
                    at,
                    "single-order",
                    VIP_UNITS,
                    None::<String>,
                ],
            )?;
            ensure!(placed.len() == 1, "an order was not taken");
            if number % ORDERS_BETWEEN_DELIVERIES == 0 {
                self.deliver(at)?;
                self.work_off(at)?;
                eprint!("\r{number} orders");
            }
        }
        eprintln!("\r{} orders", size.orders);
        // What runs low last stays open; nobody has to be asked for it.
        self.work_off(self.now)?;
        let planned = self.run("SELECT production_id FROM production WHERE status = 'planned'", [])?;
        for [id] in planned.into_iter().filter_map(|row| <[Value; 1]>::try_from(row).ok()) {
            self.request(&id, self.now)?;
        }
        self.bury(size.dead_letters - self.dead_letters_of_returns(size))
    }

    /// The goods that were asked for come, and what is planned is asked for.
    fn deliver(&self, at: i64) -> Result<()> {
        let open = self.run(
            "SELECT production_id, quantity, status FROM production WHERE status IN ('planned', 'requested')",
            [],
        )?;
        for [id, quantity, status] in open.into_iter().filter_map(|row| <[Value; 3]>::try_from(row).ok()) {
            if status == Value::Text("planned".to_owned()) {
                self.request(&id, at)?;
            } else {
                self.run(statement!("production_receive"), params![id, quantity, at])?;
            }
        }
        Ok(())
    }

    fn request(&self, id: &Value, at: i64) -> Result<()> {
        self.run(statement!("production_begin"), params![id])?;
        self.run(statement!("production_requested"), params![id, "job", at, at + DUE_IN_MS])?;
        Ok(())
    }

    /// Works off the queues of goods and advertisements.
    fn work_off(&self, at: i64) -> Result<()> {
        for queue in ["replenishment", "ad-control"] {
            while self.settle(queue, at, |_| ("done", ""))? > 0 {}
        }
        Ok(())
    }

    /// Makes dead letters of so many purchases that are to be told, and works off the alarm about it.
    fn bury(&self, dead_letters: u32) -> Result<()> {
        let mut left = usize::try_from(dead_letters)?;
        let mut place = 0_usize;
        loop {
            let settled = self.settle("loyalty", self.now, |_| {
                place += 1;
                if left == 0 {
                    return ("done", "");
                }
                left -= 1;
                ("bury", REASONS.get(place % REASONS.len()).copied().unwrap_or_default())
            })?;
            if settled == 0 {
                break;
            }
        }
        ensure!(left == 0, "{left} dead letters are missing");
        while self.settle("alerts", self.now, |_| ("done", ""))? > 0 {}
        Ok(())
    }

    /// Claims messages and settles them with the verdict and the reason that `judge` has for the subject of each; how many there were.
    fn settle(
        &self,
        queue: &str,
        at: i64,
        mut judge: impl FnMut(&str) -> (&'static str, &'static str),
    ) -> Result<usize> {
        const SUBJECT: usize = 6;
        let claimed = self.run(statement!("message_claim"), params![queue, CLAIM, at])?;
        let words = claimed
            .iter()
            .map(|row| {
                let text = |place: usize| match row.get(place) {
                    Some(Value::Text(text)) => text.as_str(),
                    _ => "",
                };
                let (verdict, reason) = judge(text(SUBJECT));
                let error = if reason.is_empty() { "" } else { "the partner said no, at some length: 로봇이 아닙니다" };
                json!({
                    "message_id": text(1), "receipt": text(2), "verdict": verdict, "until": null, "reason": reason,
                    "error": error,
                })
            })
            .collect::<Vec<_>>();
        if words.is_empty() {
            return Ok(0);
        }
        let settled = self.run(statement!("message_settle"), params![json!(words).to_string(), at])?;
        ensure!(settled.len() == words.len(), "a message of {queue} was not settled");
        Ok(settled.len())
    }

    /// Operators count the shelves.
    fn corrections(&self) -> Result<()> {
        for number in 0..CORRECTIONS {
            let product = sku(1 + number % PLENTIFUL);
            let delta = if number % 2 == 0 { 3 } else { -3 };
            self.run(
                statement!("stock_adjust"),
                params![product, delta, "counted again", "0123456789abcdef", None::<String>, self.now],
            )?;
        }
        Ok(())
    }

    fn dead_letters_of_returns(&self, size: Size) -> u32 {
        (RETURNS / RETURNS_PER_DEAD_LETTER).min(size.dead_letters)
    }

    /// Returns that were collected, followed and reported; one in so many got stuck on its way.
    fn returns(&self) -> Result<()> {
        let at = self.now;
        let collection = self.run(statement!("return_collection_begin"), params![0, at])?;
        let collection = collection.into_iter().flatten().next().context("no collection began")?;
        let orders = self.run(
            "SELECT sales_order_id, items ->> '$[0].sku' FROM sales_order WHERE status = 'accepted'
              ORDER BY sequence DESC LIMIT ?1",
            params![RETURNS],
        )?;
        let parcels = orders
            .iter()
            .enumerate()
            .filter_map(|(number, row)| match row.as_slice() {
                [Value::Text(order), Value::Text(product)] => Some(json!({
                    "order_number": order, "order_item_number": product, "shipment_number": format!("S-{number}"),
                    "partner_ref": null,
                })),
                _ => None,
            })
            .collect::<Vec<_>>();
        for batch in parcels.chunks(BATCH) {
            self.run(statement!("return_collected"), params![collection, json!(batch).to_string(), at])?;
        }
        self.run(
            statement!("return_collection_finish"),
            params![collection, i64::try_from(parcels.len())?, at],
        )?;

        let returns = self.run("SELECT sales_return_id, shipment_number FROM sales_return", [])?;
        let mut dead = BTreeSet::new();
        for (number, row) in (0..).zip(returns) {
            let Ok([id, shipment]) = <[Value; 2]>::try_from(row) else { continue };
            // Half of those that are stuck are somewhere in the post, the others cannot be reported.
            if number % (2 * RETURNS_PER_DEAD_LETTER) > 0 {
                let heard = r#"["accepted", "in transit", "delivered"]"#;
                self.run(statement!("return_tracked"), params![id, shipment, heard, 1, at])?;
            }
            if number % RETURNS_PER_DEAD_LETTER > 0 {
                self.run(statement!("return_reported"), params![id, "off", at])?;
            } else if let Value::Text(id) = id {
                dead.insert(id);
            }
        }
        // Two messages of one return come one after the other; what is stuck is stuck with its last one.
        let last = "SELECT 1 FROM message WHERE queue_id = 'returns' AND subject = ?1 AND state IN ('ready', 'leased')
                     LIMIT 1 OFFSET 1";
        loop {
            let mut fault = None;
            let settled = self.settle("returns", at, |subject| {
                let more = self.run(last, params![subject]).map_err(|error| fault = Some(error));
                let more = more.is_ok_and(|rows| !rows.is_empty());
                if dead.contains(subject) && !more { ("bury", "logistics-timeout") } else { ("done", "") }
            })?;
            if let Some(fault) = fault {
                return Err(fault);
            }
            if settled == 0 {
                break;
            }
        }
        while self.settle("alerts", at, |_| ("done", ""))? > 0 {}
        Ok(())
    }

    /// Those who bought in bulk are VIPs.
    fn customers(&self, count: u32) -> Result<()> {
        for number in 1..=count {
            let customer = format!("bulk-{number}");
            self.run(
                statement!("purchase_insert"),
                params![
                    Uuid::now_v7().to_string(),
                    customer,
                    format!("{customer}@example.com"),
                    "Somebody",
                    VIP_UNITS,
                    VIP_UNITS,
                    self.now,
                    self.now - i64::from(count) + i64::from(number),
                ],
            )?;
        }
        Ok(())
    }
}

//! Orders against stock that is really there.

use serde::{Deserialize, Serialize};

use crate::Store;
use crate::database::{Database, Repeat, Value};
use crate::engine::Engine;
use crate::restock::orders::{
    Buyer, Customer, Filter, Guest, IfShort, Line, Order, Placement, Placing, Recording, Shortage, Status,
    VipRule,
};
use crate::restock::types::{Fault, Money, Page};
use crate::row::{Row, after, before, corrupt, json_parameter, limit, millis};

impl<E: Engine> Guest for Store<E> {
    async fn place(placement: Placement) -> Result<Placing, Fault> {
        place(E::shop(), placement).await
    }

    async fn get(id: String) -> Result<Option<Order>, Fault> {
        get(E::shop(), id).await
    }

    async fn bought(customer_id: String) -> Result<Option<Buyer>, Fault> {
        bought(E::shop(), customer_id).await
    }

    async fn list(filter: Filter, page: Page) -> Result<Vec<Order>, Fault> {
        list(E::shop(), filter, page).await
    }

    async fn buyers(page: Page) -> Result<Vec<Buyer>, Fault> {
        buyers(E::shop(), page).await
    }
}

/// What `ring` says of an order, and the queues that it means.
const RINGS: [(u32, &[&str]); 2] = [(1, &["replenishment", "ad-control"]), (2, &["loyalty"])];

/// An item as the statement reads it.
#[derive(Serialize)]
struct AskedItem<'a> {
    sku: &'a str,
    quantity: u32,
}

/// An item as the order keeps it.
#[derive(Deserialize)]
struct KeptItem {
    sku: String,
    quantity: u32,
    unit_amount: i64,
}

/// A shortage as the order keeps it.
#[derive(Deserialize)]
struct KeptShortage {
    sku: String,
    requested: i64,
    available: i64,
}

/// What an engine may want to know of a placement again.
#[derive(Debug)]
pub struct Asked {
    /// The key of the client, where it sent one.
    pub idempotency_key: Option<String>,
    /// The items as `order_place` takes them.
    pub items: Value,
}

/// What became of a placement in the database.
#[derive(Debug)]
pub enum Placed {
    /// It holds this order: the placement's own, or the one that used its key first.
    Kept(Box<Found>),
    /// Nothing was written: these products are not sold here.
    UnknownSkus(Vec<String>),
    /// Nothing was written: the prices do not sum to one amount.
    MixedCurrencies,
}

/// An order with what only the answer to its placement needs.
#[derive(Debug)]
pub struct Found {
    order: Order,
    request_hash: String,
    ring: u32,
}

/// Places an order.
pub async fn place<D: Database>(database: &D, placement: Placement) -> Result<Placing, Fault> {
    let Placement {
        id,
        idempotency_key,
        request_hash,
        customer,
        items,
        if_short,
        vip,
        placed_at,
        traceparent,
    } = placement;
    let asked: Vec<_> =
        items.iter().map(|item| AskedItem { sku: &item.sku, quantity: item.quantity }).collect();
    let asked = json_parameter(&asked)?;
    let parameters = vec![
        id.as_str().into(),
        idempotency_key.clone().into(),
        request_hash.as_str().into(),
        customer.id.into(),
        customer.email.into(),
        customer.name.into(),
        if_short_word(if_short).into(),
        asked.clone(),
        millis(placed_at),
        vip_rule_word(vip.rule).into(),
        vip.units.into(),
        traceparent.into(),
    ];
    let repeat = if idempotency_key.is_some() { Repeat::Harmless } else { Repeat::Never };
    let answer = database.run(repeat, database.sql().order_place, parameters).await?.into_iter().next();
    Ok(match D::Engine::placed(database, answer, Asked { idempotency_key, items: asked }).await? {
        Placed::Kept(found) => recorded(*found, &id, &request_hash),
        Placed::UnknownSkus(skus) => Placing::UnknownSkus(skus),
        Placed::MixedCurrencies => Placing::MixedCurrencies,
    })
}

/// Reads one order.
pub async fn get(database: &impl Database, id: String) -> Result<Option<Order>, Fault> {
    let row = database.read_one(database.sql().order_get, vec![id.into()]).await?;
    Ok(row.map(found).transpose()?.map(|found| found.order))
}

/// Reads what a customer bought.
pub async fn bought(database: &impl Database, customer_id: String) -> Result<Option<Buyer>, Fault> {
    let row = database.read_one(database.sql().buyer_get, vec![customer_id.into()]).await?;
    row.map(buyer).transpose()
}

/// Reads a page of orders.
pub async fn list(database: &impl Database, filter: Filter, page: Page) -> Result<Vec<Order>, Fault> {
    let mut parameters = vec![before(&page), limit(&page)];
    let sql = match filter {
        Filter::All => database.sql().order_list,
        Filter::Waiting => database.sql().order_list_waiting,
        Filter::Rejected => database.sql().order_list_rejected,
        Filter::ByCustomer(id) => {
            parameters.push(id.into());
            database.sql().order_list_by_customer
        }
    };
    let rows = database.read(sql, parameters).await?;
    rows.into_iter().map(|row| found(row).map(|found| found.order)).collect()
}

/// Reads a page of buyers.
pub async fn buyers(database: &impl Database, page: Page) -> Result<Vec<Buyer>, Fault> {
    let rows = database.read(database.sql().buyer_list, vec![after(&page), limit(&page)]).await?;
    rows.into_iter().map(buyer).collect()
}

fn buyer(mut row: Row) -> Result<Buyer, Fault> {
    Ok(Buyer {
        customer_id: row.text()?,
        email: row.optional_text()?,
        name: row.optional_text()?,
        orders: row.integer()?,
        units_bought: row.integer()?,
    })
}

/// The answer to a placement for which the database holds this order, the placement's own or the one that used its key first.
fn recorded(found: Found, id: &str, request_hash: &str) -> Placing {
    if found.request_hash != request_hash {
        return Placing::KeyReused;
    }
    let replayed = found.order.id != id;
    let ring = if replayed { 0 } else { found.ring };
    let queues = RINGS.iter().filter(|(bit, _)| ring & bit != 0).flat_map(|(_, queues)| *queues);
    let rings = queues.map(|queue| (*queue).to_owned()).collect();
    Placing::Recorded(Recording { order: found.order, replayed, rings })
}

/// Reads the columns of `order_get` and of `order_place`.
pub fn found(mut row: Row) -> Result<Box<Found>, Fault> {
    let id = row.text()?;
    let request_hash = row.text()?;
    let customer = Customer { id: row.text()?, email: row.optional_text()?, name: row.optional_text()? };
    let if_short = row.word(|word| match word {
        "reject" => Some(IfShort::Reject),
        "backorder" => Some(IfShort::Backorder),
        _ => None,
    })?;
    let placed_as = row.word(status)?;
    let status = row.word(status)?;
    let items: Vec<KeptItem> = row.json()?;
    let short: Vec<KeptShortage> = row.json()?;
    let total = Money { amount: row.integer()?, currency: row.text()? };
    if items.is_empty() {
        return Err(corrupt(format!("order {id} has no items")));
    }
    let (placed_at, filled_at) = (row.integer()?, row.optional_integer()?);
    let ring = row.integer()?;
    let order = Order {
        lines: items
            .into_iter()
            .map(|item| Line {
                sku: item.sku,
                quantity: item.quantity,
                unit_price: Money { amount: item.unit_amount, currency: total.currency.clone() },
            })
            .collect(),
        short: short
            .into_iter()
            .map(|short| Shortage { sku: short.sku, requested: short.requested, available: short.available })
            .collect(),
        id,
        customer,
        total,
        if_short,
        status,
        placed_as,
        placed_at,
        filled_at,
        cursor: row.integer::<i64>()?.to_string(),
        traceparent: row.optional_text()?,
    };
    Ok(Box::new(Found { order, request_hash, ring }))
}

fn if_short_word(if_short: IfShort) -> &'static str {
    match if_short {
        IfShort::Reject => "reject",
        IfShort::Backorder => "backorder",
    }
}

fn vip_rule_word(rule: VipRule) -> &'static str {
    match rule {
        VipRule::SingleOrder => "single-order",
        VipRule::Cumulative => "cumulative",
    }
}

fn status(word: &str) -> Option<Status> {
    Some(match word {
        "accepted" => Status::Accepted,
        "backordered" => Status::Backordered,
        "rejected" => Status::Rejected,
        _ => return None,
    })
}

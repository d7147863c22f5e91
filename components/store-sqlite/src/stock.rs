//! The ledger: why the shelf holds what it holds.

use crate::Store;
use crate::connection::SHOP;
use crate::database::{Database, Repeat};
use crate::restock::stock::{Adjusting, Adjustment, Guest, Movement, MovementKind};
use crate::restock::types::{Fault, Page};
use crate::row::{Row, before, limit, millis};

impl Guest for Store {
    async fn movements(sku: String, page: Page) -> Result<Option<Vec<Movement>>, Fault> {
        movements(&SHOP, sku, page).await
    }

    async fn adjust(adjustment: Adjustment) -> Result<Adjusting, Fault> {
        adjust(&SHOP, adjustment).await
    }
}

/// Reads a page of a product's movements.
pub(crate) async fn movements(
    database: &impl Database,
    sku: String,
    page: Page,
) -> Result<Option<Vec<Movement>>, Fault> {
    let parameters = vec![sku.as_str().into(), before(&page), limit(&page)];
    let rows = database.read(include_str!("sql/movement_list.sql"), parameters).await?;
    if rows.is_empty() && on_hand(database, sku).await?.is_none() {
        return Ok(None);
    }
    rows.into_iter().map(movement).collect::<Result<_, _>>().map(Some)
}

/// Corrects the stock by hand.
pub(crate) async fn adjust(database: &impl Database, adjustment: Adjustment) -> Result<Adjusting, Fault> {
    let Adjustment { sku, delta, reason, operator, idempotency_key, at } = adjustment;
    let parameters = vec![
        sku.as_str().into(),
        delta.into(),
        reason.into(),
        operator.into(),
        idempotency_key.clone().into(),
        millis(at),
    ];
    let repeat = if idempotency_key.is_some() { Repeat::Harmless } else { Repeat::Never };
    let rows = database.run(repeat, include_str!("sql/stock_adjust.sql"), parameters).await?;
    if let Some(row) = rows.into_iter().next() {
        return Ok(Adjusting::Adjusted(movement(row)?));
    }
    if let Some(key) = idempotency_key
        && let Some(mut row) =
            database.read_one(include_str!("sql/movement_get_by_key.sql"), vec![key.into()]).await?
    {
        let first_sku = row.text()?;
        let first = movement(row)?;
        let same = first_sku == sku && first.delta == delta;
        return Ok(if same { Adjusting::Adjusted(first) } else { Adjusting::KeyReused });
    }
    Ok(match on_hand(database, sku).await? {
        Some(on_hand) => Adjusting::WouldGoNegative(on_hand),
        None => Adjusting::UnknownSku,
    })
}

/// Reads the units on hand of a product.
pub(crate) async fn on_hand(database: &impl Database, sku: String) -> Result<Option<i64>, Fault> {
    let row = database.read_one(include_str!("sql/stock_get.sql"), vec![sku.into()]).await?;
    row.map(|mut row| row.integer()).transpose()
}

fn movement(mut row: Row) -> Result<Movement, Fault> {
    Ok(Movement {
        id: row.integer()?,
        kind: row.word(|word| {
            Some(match word {
                "opening" => MovementKind::Opening,
                "sold" => MovementKind::Sold,
                "received" => MovementKind::Received,
                "returned" => MovementKind::Returned,
                "adjusted" => MovementKind::Adjusted,
                _ => return None,
            })
        })?,
        delta: row.integer()?,
        on_hand_after: row.integer()?,
        order_id: row.optional_text()?,
        production_id: row.optional_text()?,
        return_id: row.optional_text()?,
        reason: row.optional_text()?,
        at: row.integer()?,
    })
}

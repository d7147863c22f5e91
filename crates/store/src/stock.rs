//! The ledger: why the shelf holds what it holds.

use crate::Store;
use crate::database::{Database, Repeat};
use crate::engine::Engine;
use crate::restock::stock::{Adjusting, Adjustment, Guest, Movement, MovementKind};
use crate::restock::types::{Fault, Page};
use crate::row::{Row, before, limit, listed, millis};

impl<E: Engine> Guest for Store<E> {
    async fn movements(sku: String, page: Page) -> Result<Option<Vec<Movement>>, Fault> {
        movements(E::shop(), sku, page).await
    }

    async fn adjust(adjustment: Adjustment) -> Result<Adjusting, Fault> {
        adjust(E::shop(), adjustment).await
    }
}

/// Reads a page of a product's movements.
pub async fn movements(
    database: &impl Database,
    sku: String,
    page: Page,
) -> Result<Option<Vec<Movement>>, Fault> {
    let parameters = vec![sku.as_str().into(), before(&page), limit(&page)];
    let rows = database.read(database.sql().movement_list, parameters).await?;
    if rows.is_empty() && on_hand(database, sku).await?.is_none() {
        return Ok(None);
    }
    listed(rows).map(movement).collect::<Result<_, _>>().map(Some)
}

/// Corrects the stock by hand.
pub async fn adjust<D: Database>(database: &D, adjustment: Adjustment) -> Result<Adjusting, Fault> {
    let Adjustment { sku, delta, reason, operator, idempotency_key, at } = adjustment.clone();
    let repeat = if idempotency_key.is_some() { Repeat::Harmless } else { Repeat::Never };
    let parameters =
        vec![sku.into(), delta.into(), reason.into(), operator.into(), idempotency_key.into(), millis(at)];
    let rows = database.run(repeat, database.sql().stock_adjust, parameters).await?;
    D::Engine::adjusted(database, rows.into_iter().next(), adjustment).await
}

/// What a correction is answered whose key was used before, for the product `sku` and the movement `first`.
pub fn repeated(sku: &str, first: Movement, adjustment: &Adjustment) -> Adjusting {
    let same = sku == adjustment.sku && first.delta == adjustment.delta;
    if same { Adjusting::Adjusted(first) } else { Adjusting::KeyReused }
}

/// Reads the units on hand of a product.
pub async fn on_hand(database: &impl Database, sku: String) -> Result<Option<i64>, Fault> {
    let row = database.read_one(database.sql().stock_get, vec![sku.into()]).await?;
    row.map(|mut row| row.integer()).transpose()
}

/// Reads the columns of `movement_list`.
pub fn movement(mut row: Row) -> Result<Movement, Fault> {
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

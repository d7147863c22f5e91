//! Advertisements of products that cannot be sold for a while.

use crate::Store;
use crate::database::Database;
use crate::engine::Engine;
use crate::restock::ads::{Errand, Guest, Request};
use crate::restock::types::Fault;
use crate::row::{Row, corrupt, millis};

impl<E: Engine> Guest for Store<E> {
    async fn wanted(sku: String) -> Result<Option<Errand>, Fault> {
        wanted(E::shop(), sku).await
    }

    async fn asked(errand_id: String, sku: String, request: Request, now: u64) -> Result<(), Fault> {
        asked(E::shop(), errand_id, sku, request, now).await
    }
}

/// Reads what a manager is to be asked now.
pub async fn wanted(database: &impl Database, sku: String) -> Result<Option<Errand>, Fault> {
    let row = database.read_one(database.sql().ad_errand, vec![sku.into()]).await?;
    row.map(read).transpose()
}

/// Notes that a manager was asked.
pub async fn asked(
    database: &impl Database,
    errand_id: String,
    sku: String,
    request: Request,
    now: u64,
) -> Result<(), Fault> {
    let request = request_word(request);
    let Some((depleted_since, ad_starts)) = episode(&errand_id, request, &sku) else {
        return Err(corrupt(format!("{errand_id:?} is no errand to {request} the advertisement of {sku:?}")));
    };
    let parameters = vec![
        errand_id.into(),
        sku.into(),
        request.into(),
        millis(depleted_since),
        millis(ad_starts),
        millis(now),
    ];
    database.write_keyed(database.sql().ad_request_insert, parameters).await?;
    Ok(())
}

/// The last two parts of `{request}:{sku}:{depleted_since_ms}:{ad_starts}`.
fn episode(errand_id: &str, request: &str, sku: &str) -> Option<(u64, u64)> {
    let rest = errand_id.strip_prefix(request)?.strip_prefix(':')?.strip_prefix(sku)?.strip_prefix(':')?;
    let (depleted_since, ad_starts) = rest.split_once(':')?;
    Some((depleted_since.parse().ok()?, ad_starts.parse().ok()?))
}

fn read(mut row: Row) -> Result<Errand, Fault> {
    Ok(Errand {
        id: row.text()?,
        sku: row.text()?,
        name: row.text()?,
        request: row.word(|word| match word {
            "pause" => Some(Request::Pause),
            "resume" => Some(Request::Resume),
            _ => None,
        })?,
        manager_email: row.optional_text()?,
        depleted_since: row.integer()?,
        orders_lost: row.integer()?,
        units_lost: row.integer()?,
        backordered: row.integer()?,
        on_hand: row.integer()?,
        refill_due_at: row.optional_integer()?,
    })
}

fn request_word(request: Request) -> &'static str {
    match request {
        Request::Pause => "pause",
        Request::Resume => "resume",
    }
}

//! Goods on order: what was asked of a factory and what came.

use crate::Store;
use crate::database::Database;
use crate::engine::Engine;
use crate::restock::production::{Cause, Delivery, Errand, Filter, Guest, Receipt, Request, Status};
use crate::restock::types::{Fault, Page};
use crate::row::{AFTER_ALL_IDS, Row, items, limit, millis};

impl<E: Engine> Guest for Store<E> {
    async fn get(id: String) -> Result<Option<Request>, Fault> {
        get(E::shop(), id).await
    }

    async fn list(filter: Filter, page: Page) -> Result<Vec<Request>, Fault> {
        list(E::shop(), filter, page).await
    }

    async fn open(limit: u32) -> Result<Vec<Request>, Fault> {
        open(E::shop(), limit).await
    }

    async fn begin(id: String, _now: u64) -> Result<Option<Errand>, Fault> {
        begin(E::shop(), id).await
    }

    async fn requested(
        id: String,
        factory_job_id: Option<String>,
        now: u64,
        due_at: u64,
    ) -> Result<(), Fault> {
        requested(E::shop(), id, factory_job_id, now, due_at).await
    }

    async fn receive(delivery: Delivery, quantity: i64, at: u64) -> Result<Option<Receipt>, Fault> {
        receive(E::shop(), delivery, quantity, at).await
    }
}

/// Reads one request.
pub async fn get(database: &impl Database, id: String) -> Result<Option<Request>, Fault> {
    let row = database.read_one(database.sql().production_get, vec![id.into()]).await?;
    row.map(request).transpose()
}

/// Reads a page of requests.
pub async fn list(database: &impl Database, filter: Filter, page: Page) -> Result<Vec<Request>, Fault> {
    let limit = limit(&page);
    let before = page.after.unwrap_or_else(|| AFTER_ALL_IDS.into()).into();
    let rows = match filter {
        Filter::All => database.read(database.sql().production_list, vec![before, limit]).await?,
        Filter::ByStatus(status) => {
            let parameters = vec![before, limit, status_word(status).into()];
            database.read(database.sql().production_list_by_status, parameters).await?
        }
        Filter::ByProduct(sku) => {
            let parameters = vec![before, limit, sku.into()];
            database.read(database.sql().production_list_by_product, parameters).await?
        }
    };
    rows.into_iter().map(request).collect()
}

/// Reads open requests.
pub async fn open(database: &impl Database, limit: u32) -> Result<Vec<Request>, Fault> {
    let rows = database.read(database.sql().production_open, vec![items(limit).into()]).await?;
    rows.into_iter().map(request).collect()
}

/// Counts one more call to the factory.
pub async fn begin(database: &impl Database, id: String) -> Result<Option<Errand>, Fault> {
    let rows = database.write(database.sql().production_begin, vec![id.into()]).await?;
    rows.into_iter().next().map(errand).transpose()
}

/// Notes that the factory took the job.
pub async fn requested(
    database: &impl Database,
    id: String,
    factory_job_id: Option<String>,
    now: u64,
    due_at: u64,
) -> Result<(), Fault> {
    let parameters = vec![id.into(), factory_job_id.into(), millis(now), millis(due_at)];
    database.write_keyed(database.sql().production_requested, parameters).await?;
    Ok(())
}

/// Books delivered goods.
pub async fn receive<D: Database>(
    database: &D,
    delivery: Delivery,
    quantity: i64,
    at: u64,
) -> Result<Option<Receipt>, Fault> {
    D::Engine::receive(database, delivery, quantity, at).await
}

fn errand(mut row: Row) -> Result<Errand, Fault> {
    Ok(Errand {
        id: row.text()?,
        sku: row.text()?,
        quantity: row.integer()?,
        factory_id: row.text()?,
        factory_name: row.text()?,
        factory_url: row.optional_text()?,
        attempts: row.integer()?,
    })
}

fn request(mut row: Row) -> Result<Request, Fault> {
    let (id, sku, factory_id) = (row.text()?, row.text()?, row.text()?);
    let quantity = row.integer()?;
    let status = row.word(status)?;
    let attempts = row.integer()?;
    let planned_at = row.integer()?;
    let requested_at = row.optional_integer()?;
    let due_at = row.optional_integer()?;
    let received_at = row.optional_integer()?;
    let received_quantity = row.optional_integer()?;
    Ok(Request {
        id,
        sku,
        factory_id,
        quantity,
        status,
        attempts,
        planned_at,
        requested_at,
        due_at,
        received_at,
        received_quantity,
        over_delivered: received_quantity.is_some_and(|received: i64| received > quantity),
        factory_job_id: row.optional_text()?,
        follows: row.optional_text()?,
        because: Cause {
            on_hand: row.integer()?,
            on_order: row.integer()?,
            backordered: row.integer()?,
            reorder_point: row.integer()?,
            order_up_to: row.integer()?,
        },
        traceparent: row.optional_text()?,
    })
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Planned => "planned",
        Status::Requested => "requested",
        Status::Overdue => "overdue",
        Status::Received => "received",
        Status::Failed => "failed",
        Status::Cancelled => "cancelled",
    }
}

fn status(word: &str) -> Option<Status> {
    Some(match word {
        "planned" => Status::Planned,
        "requested" => Status::Requested,
        "overdue" => Status::Overdue,
        "received" => Status::Received,
        "failed" => Status::Failed,
        "cancelled" => Status::Cancelled,
        _ => return None,
    })
}

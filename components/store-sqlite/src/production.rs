//! Goods on order: what was asked of a factory and what came.

use crate::Store;
use crate::connection::SHOP;
use crate::database::Database;
use crate::restock::production::{Cause, Delivery, Errand, Guest, Receipt, Request, Status};
use crate::restock::types::{Fault, Page};
use crate::row::{AFTER_ALL_IDS, Row, corrupt, limit, millis};
use crate::stock;

/// How often a delivery for a product looks for the right door while requests open and close.
const DOORS_TRIED_MAX: u32 = 4;

impl Guest for Store {
    async fn get(id: String) -> Result<Option<Request>, Fault> {
        get(&SHOP, id).await
    }

    async fn list(status: Option<Status>, page: Page) -> Result<Vec<Request>, Fault> {
        list(&SHOP, status, page).await
    }

    async fn begin(id: String, _now: u64) -> Result<Option<Errand>, Fault> {
        begin(&SHOP, id).await
    }

    async fn requested(
        id: String,
        factory_job_id: Option<String>,
        now: u64,
        due_at: u64,
    ) -> Result<(), Fault> {
        requested(&SHOP, id, factory_job_id, now, due_at).await
    }

    async fn receive(delivery: Delivery, quantity: i64, at: u64) -> Result<Option<Receipt>, Fault> {
        receive(&SHOP, delivery, quantity, at).await
    }
}

/// Reads one request.
pub(crate) async fn get(database: &impl Database, id: String) -> Result<Option<Request>, Fault> {
    let row = database.read_one(include_str!("sql/production_get.sql"), vec![id.into()]).await?;
    row.map(request).transpose()
}

/// Reads a page of requests.
pub(crate) async fn list(
    database: &impl Database,
    status: Option<Status>,
    page: Page,
) -> Result<Vec<Request>, Fault> {
    let limit = limit(&page);
    let before = page.after.unwrap_or_else(|| AFTER_ALL_IDS.into()).into();
    let rows = match status {
        None => database.read(include_str!("sql/production_list.sql"), vec![before, limit]).await?,
        Some(status) => {
            let parameters = vec![before, limit, status_word(status).into()];
            database.read(include_str!("sql/production_list_by_status.sql"), parameters).await?
        }
    };
    rows.into_iter().map(request).collect()
}

/// Counts one more call to the factory.
pub(crate) async fn begin(database: &impl Database, id: String) -> Result<Option<Errand>, Fault> {
    let rows = database.write(include_str!("sql/production_begin.sql"), vec![id.into()]).await?;
    rows.into_iter().next().map(errand).transpose()
}

/// Notes that the factory took the job.
pub(crate) async fn requested(
    database: &impl Database,
    id: String,
    factory_job_id: Option<String>,
    now: u64,
    due_at: u64,
) -> Result<(), Fault> {
    let parameters = vec![id.into(), factory_job_id.into(), millis(now), millis(due_at)];
    database.write_keyed(include_str!("sql/production_requested.sql"), parameters).await?;
    Ok(())
}

/// Books delivered goods.
pub(crate) async fn receive(
    database: &impl Database,
    delivery: Delivery,
    quantity: i64,
    at: u64,
) -> Result<Option<Receipt>, Fault> {
    match delivery {
        Delivery::OfRequest(id) => {
            let parameters = vec![id.as_str().into(), quantity.into(), millis(at)];
            let rows = database.write_keyed(include_str!("sql/production_receive.sql"), parameters).await?;
            receipt(database, id, rows.is_empty()).await
        }
        Delivery::OfProduct(sku) => receive_for_product(database, sku, quantity, at).await,
    }
}

/// Books goods for whichever request is open, or for none. Each door is one statement that looks before it writes, so
/// at most one of them takes the goods, whoever opens or closes a request in between.
async fn receive_for_product(
    database: &impl Database,
    sku: String,
    quantity: i64,
    at: u64,
) -> Result<Option<Receipt>, Fault> {
    for _ in 0..DOORS_TRIED_MAX {
        let parameters = vec![sku.as_str().into(), quantity.into(), millis(at)];
        let open =
            database.write(include_str!("sql/production_receive_open.sql"), parameters.clone()).await?;
        if let Some(mut row) = open.into_iter().next() {
            return receipt(database, row.text()?, false).await;
        }
        let booked = database.write(include_str!("sql/stock_receive.sql"), parameters).await?;
        let Some(on_hand) = stock::on_hand(database, sku.clone()).await? else {
            return Ok(None);
        };
        if !booked.is_empty() {
            return Ok(Some(Receipt { production_id: None, sku, on_hand, repeated: false }));
        }
    }
    Err(Fault::Unavailable("requests for the product open and close too fast to book its goods".into()))
}

/// What the report of a received request is answered with: the number that its first report got.
async fn receipt(database: &impl Database, id: String, repeated: bool) -> Result<Option<Receipt>, Fault> {
    let row = database.read_one(include_str!("sql/production_receipt.sql"), vec![id.as_str().into()]).await?;
    let Some(mut row) = row else {
        return Ok(None);
    };
    let sku = row.text()?;
    let on_hand = row
        .optional_integer()?
        .ok_or_else(|| corrupt(format!("production {id} was received and has no level to show for it")))?;
    Ok(Some(Receipt { production_id: Some(id), sku, on_hand, repeated }))
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

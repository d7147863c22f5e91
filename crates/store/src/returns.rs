//! Returns: collected from the partner's list, followed, reported, and put on the shelf again.

use serde::{Deserialize, Serialize};

use crate::Store;
use crate::database::{Database, Value};
use crate::engine::Engine;
use crate::restock::returns::{
    Collection, Decision, Filter, Goods, Guest, History, Item, Oddity, Parcel, Progress, Reject, Replaying,
    Return, Settling, Sighting, Status, ToStock, Wish,
};
use crate::restock::types::{Fault, Page};
use crate::row::{Row, before, json_parameter, limit, millis};

/// Characters of a record that was set aside that are kept.
const RECORD_CHARS_MAX: usize = 4_096;
/// Characters of the reason for it that are kept.
const REASON_CHARS_MAX: usize = 100;
/// Statuses of one answer that are kept, the latest.
const STATUSES_MAX: usize = 32;
/// Characters of a status that are kept.
const STATUS_CHARS_MAX: usize = 200;
/// The status that ends a parcel's way, in letters of either case.
const DELIVERED: &str = "delivered";

impl<E: Engine> Guest for Store<E> {
    async fn begin(every_ms: u64, now: u64) -> Result<Option<String>, Fault> {
        begin(E::shop(), every_ms, now).await
    }

    async fn collected(collection_id: String, parcels: Vec<Parcel>, now: u64) -> Result<(), Fault> {
        collected(E::shop(), collection_id, parcels, now).await
    }

    async fn set_aside(collection_id: String, oddities: Vec<Oddity>, now: u64) -> Result<(), Fault> {
        set_aside(E::shop(), collection_id, oddities, now).await
    }

    async fn finished(collection_id: String, listed: u64, now: u64) -> Result<Option<Collection>, Fault> {
        finished(E::shop(), collection_id, listed, now).await
    }

    async fn get_collection(id: String) -> Result<Option<Collection>, Fault> {
        get_collection(E::shop(), id).await
    }

    async fn collections(page: Page) -> Result<Vec<Collection>, Fault> {
        collections(E::shop(), page).await
    }

    async fn rejects(page: Page) -> Result<Vec<Reject>, Fault> {
        rejects(E::shop(), page).await
    }

    async fn get(id: String) -> Result<Option<Return>, Fault> {
        get(E::shop(), id).await
    }

    async fn describe(id: String) -> Result<Option<History>, Fault> {
        describe(E::shop(), id).await
    }

    async fn list(filter: Filter, page: Page) -> Result<Vec<Return>, Fault> {
        list(E::shop(), filter, page).await
    }

    async fn tracked(
        id: String,
        shipment_number: String,
        statuses: Vec<String>,
        now: u64,
    ) -> Result<(), Fault> {
        tracked(E::shop(), id, shipment_number, statuses, now).await
    }

    async fn reported(id: String, to_stock: ToStock, now: u64) -> Result<bool, Fault> {
        reported(E::shop(), id, to_stock, now).await
    }

    async fn replay(wish: Wish) -> Result<Replaying, Fault> {
        replay(E::shop(), wish).await
    }

    async fn receive(
        decision: Decision,
        sku: Option<String>,
        quantity: Option<i64>,
    ) -> Result<Settling, Fault> {
        receive(E::shop(), decision, sku, quantity).await
    }

    async fn discard(decision: Decision) -> Result<Settling, Fault> {
        discard(E::shop(), decision).await
    }
}

/// Begins a collection where one is due.
pub async fn begin(database: &impl Database, every_ms: u64, now: u64) -> Result<Option<String>, Fault> {
    let parameters = vec![millis(every_ms), millis(now)];
    // Run again, it finds the one that it began. That one's message is due, whoever hears of it.
    let rows = database.write_keyed(database.sql().return_collection_begin, parameters).await?;
    rows.into_iter().next().map(|mut row| row.text()).transpose()
}

/// A record of the list as the statement reads it.
#[derive(Serialize)]
struct Listed {
    order_number: String,
    order_item_number: String,
    shipment_number: String,
    partner_ref: Option<String>,
}

/// Takes a part of the list.
pub async fn collected(
    database: &impl Database,
    collection_id: String,
    parcels: Vec<Parcel>,
    now: u64,
) -> Result<(), Fault> {
    if parcels.is_empty() {
        return Ok(());
    }
    let listed: Vec<_> = parcels
        .into_iter()
        .map(|Parcel { order_number, order_item_number, shipment_number, partner_ref }| Listed {
            order_number,
            order_item_number,
            shipment_number,
            partner_ref,
        })
        .collect();
    let parameters = vec![collection_id.into(), json_parameter(&listed)?, millis(now)];
    database.write_keyed(database.sql().return_collected, parameters).await?;
    Ok(())
}

/// A record that is set aside as the statement reads it.
#[derive(Serialize)]
struct Odd {
    reason: String,
    record: String,
}

/// Keeps records that nothing can be done with.
pub async fn set_aside(
    database: &impl Database,
    collection_id: String,
    oddities: Vec<Oddity>,
    now: u64,
) -> Result<(), Fault> {
    if oddities.is_empty() {
        return Ok(());
    }
    let odd: Vec<_> = oddities
        .into_iter()
        .map(|Oddity { reason, text }| Odd {
            reason: reason.chars().take(REASON_CHARS_MAX).collect(),
            record: text.chars().take(RECORD_CHARS_MAX).collect(),
        })
        .collect();
    let parameters = vec![collection_id.into(), json_parameter(&odd)?, millis(now)];
    database.write_keyed(database.sql().return_reject_insert, parameters).await?;
    Ok(())
}

/// Ends a collection.
pub async fn finished(
    database: &impl Database,
    collection_id: String,
    listed: u64,
    now: u64,
) -> Result<Option<Collection>, Fault> {
    let parameters = vec![collection_id.as_str().into(), millis(listed), millis(now)];
    let rows = database.write_keyed(database.sql().return_collection_finish, parameters).await?;
    match rows.into_iter().next() {
        Some(row) => collection(row).map(Some),
        None => get_collection(database, collection_id).await,
    }
}

/// Reads a collection.
pub async fn get_collection(database: &impl Database, id: String) -> Result<Option<Collection>, Fault> {
    let row = database.read_one(database.sql().return_collection_get, vec![id.into()]).await?;
    row.map(collection).transpose()
}

/// Reads a page of collections.
pub async fn collections(database: &impl Database, page: Page) -> Result<Vec<Collection>, Fault> {
    let parameters = vec![before(&page), limit(&page)];
    let rows = database.read(database.sql().return_collection_list, parameters).await?;
    rows.into_iter().map(collection).collect()
}

/// Reads a page of records that were set aside.
pub async fn rejects(database: &impl Database, page: Page) -> Result<Vec<Reject>, Fault> {
    let parameters = vec![before(&page), limit(&page)];
    let rows = database.read(database.sql().return_reject_list, parameters).await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(Reject {
                reason: row.text()?,
                text: row.text()?,
                first_at: row.integer()?,
                last_at: row.integer()?,
                times: row.integer()?,
                cursor: row.integer::<i64>()?.to_string(),
            })
        })
        .collect()
}

/// Reads a return.
pub async fn get(database: &impl Database, id: String) -> Result<Option<Return>, Fault> {
    let row = database.read_one(database.sql().return_get, vec![id.into()]).await?;
    row.map(|mut row| entry(&mut row)).transpose()
}

/// A sighting as the statement writes it.
#[derive(Deserialize)]
struct KeptSighting {
    status: String,
    first_at: u64,
    last_at: u64,
    times: u64,
}

/// An item as the statement writes it.
#[derive(Deserialize)]
struct FoundItem {
    sku: String,
    quantity: i64,
}

/// Reads a return with its history.
pub async fn describe(database: &impl Database, id: String) -> Result<Option<History>, Fault> {
    let row = database.read_one(database.sql().return_describe, vec![id.into()]).await?;
    row.map(|mut row| {
        let entry = entry(&mut row)?;
        let sightings: Vec<KeptSighting> = row.json()?;
        let item: Option<FoundItem> = row.optional_json()?;
        Ok(History {
            entry,
            sightings: sightings
                .into_iter()
                .map(|KeptSighting { status, first_at, last_at, times }| Sighting {
                    status,
                    first_at,
                    last_at,
                    times,
                })
                .collect(),
            item: item.map(|FoundItem { sku, quantity }| Item { sku, quantity }),
        })
    })
    .transpose()
}

/// Reads a page of returns.
pub async fn list(database: &impl Database, filter: Filter, page: Page) -> Result<Vec<Return>, Fault> {
    let (sql, value): (_, Option<Value>) = match filter {
        Filter::All => (database.sql().return_list, None),
        Filter::ByStatus(status) => (database.sql().return_list_by_status, Some(status_word(status).into())),
        Filter::ByGoods(goods) => (database.sql().return_list_by_goods, Some(goods_word(goods).into())),
        Filter::ByOrderNumber(number) => (database.sql().return_list_by_order, Some(number.into())),
        Filter::ByShipmentNumber(number) => (database.sql().return_list_by_shipment, Some(number.into())),
    };
    let mut parameters = vec![before(&page), limit(&page)];
    parameters.extend(value);
    let rows = database.read(sql, parameters).await?;
    rows.into_iter().map(|mut row| entry(&mut row)).collect()
}

/// Notes what the partner said of a shipment.
pub async fn tracked(
    database: &impl Database,
    id: String,
    shipment_number: String,
    statuses: Vec<String>,
    now: u64,
) -> Result<(), Fault> {
    let delivered = statuses.iter().any(|status| status.trim().eq_ignore_ascii_case(DELIVERED));
    let older = statuses.len().saturating_sub(STATUSES_MAX);
    let heard: Vec<String> = statuses
        .into_iter()
        .skip(older)
        .map(|status| status.chars().take(STATUS_CHARS_MAX).collect())
        .collect();
    let parameters = vec![
        id.into(),
        shipment_number.into(),
        json_parameter(&heard)?,
        i64::from(delivered).into(),
        millis(now),
    ];
    database.write_keyed(database.sql().return_tracked, parameters).await?;
    Ok(())
}

/// Notes that the partner took a report.
pub async fn reported(
    database: &impl Database,
    id: String,
    to_stock: ToStock,
    now: u64,
) -> Result<bool, Fault> {
    let to_stock = match to_stock {
        ToStock::On => "on",
        ToStock::Off => "off",
        ToStock::Ask => "ask",
    };
    let parameters = vec![id.into(), to_stock.into(), millis(now)];
    let rows = database.write_keyed(database.sql().return_reported, parameters).await?;
    rows.into_iter().next().map_or(Ok(false), |mut row| row.flag())
}

/// Follows a parcel by hand.
pub async fn replay<D: Database>(database: &D, wish: Wish) -> Result<Replaying, Fault> {
    let Wish { parcel, operator, at } = wish;
    let Parcel { order_number, order_item_number, shipment_number, partner_ref } = parcel;
    let item: Vec<Value> = vec![order_number.into(), order_item_number.into()];
    let mut parameters = item.clone();
    parameters.extend([shipment_number.into(), partner_ref.into(), operator.into(), millis(at)]);
    let rows = database.write(database.sql().return_replay, parameters).await?;
    D::Engine::replayed(database, rows.into_iter().next(), item).await
}

/// Puts the goods of a return on the shelf.
pub async fn receive<D: Database>(
    database: &D,
    decision: Decision,
    sku: Option<String>,
    quantity: Option<i64>,
) -> Result<Settling, Fault> {
    D::Engine::return_received(database, decision, sku, quantity).await
}

/// Runs `return_receive` once.
pub async fn try_to_receive(
    database: &impl Database,
    decision: &Decision,
    sku: Option<&String>,
    quantity: Option<i64>,
) -> Result<Option<Row>, Fault> {
    let Decision { return_id, reason, operator, at } = decision.clone();
    let parameters = vec![
        return_id.into(),
        sku.cloned().into(),
        quantity.into(),
        reason.into(),
        operator.into(),
        millis(at),
    ];
    Ok(database.write_keyed(database.sql().return_receive, parameters).await?.into_iter().next())
}

/// Decides that the goods never go back on the shelf.
pub async fn discard<D: Database>(database: &D, decision: Decision) -> Result<Settling, Fault> {
    D::Engine::return_discarded(database, decision).await
}

/// Runs `return_discard` once.
pub async fn try_to_discard(database: &impl Database, decision: &Decision) -> Result<Option<Row>, Fault> {
    let Decision { return_id, reason, operator, at } = decision.clone();
    let parameters = vec![return_id.into(), reason.into(), operator.into(), millis(at)];
    Ok(database.write_keyed(database.sql().return_discard, parameters).await?.into_iter().next())
}

fn collection(mut row: Row) -> Result<Collection, Fault> {
    Ok(Collection {
        id: row.text()?,
        progress: row.word(|word| {
            Some(match word {
                "running" => Progress::Running,
                "finished" => Progress::Finished,
                "failed" => Progress::Failed,
                _ => return None,
            })
        })?,
        began_at: row.integer()?,
        finished_at: row.optional_integer()?,
        collected: row.integer()?,
        fresh: row.integer()?,
        rejected: row.integer()?,
        delivered: row.integer()?,
        reported: row.integer()?,
        failed: row.integer()?,
        cursor: row.integer::<i64>()?.to_string(),
    })
}

/// Reads the columns of `return_get`; what follows them is left to the caller.
pub fn entry(row: &mut Row) -> Result<Return, Fault> {
    let id = row.text()?;
    let (order_number, order_item_number, shipment_number) = (row.text()?, row.text()?, row.text()?);
    let partner_ref = row.optional_text()?;
    let (status, goods) = (row.word(status)?, row.word(goods)?);
    let partner_status = row.optional_text()?;
    let (sku, quantity) = (row.optional_text()?, row.optional_integer()?);
    Ok(Return {
        id,
        order_number,
        order_item_number,
        shipment_number,
        partner_ref,
        status,
        goods,
        partner_status,
        received: sku.zip(quantity).map(|(sku, quantity)| Item { sku, quantity }),
        collected_at: row.integer()?,
        tracked_at: row.optional_integer()?,
        trackings: row.integer()?,
        unknown_since: row.optional_integer()?,
        delivered_at: row.optional_integer()?,
        reported_at: row.optional_integer()?,
        settled_at: row.optional_integer()?,
        settled_by: row.text()?,
        settled_because: row.text()?,
        cursor: row.integer::<i64>()?.to_string(),
    })
}

fn status_word(status: Status) -> &'static str {
    match status {
        Status::Collected => "collected",
        Status::Delivered => "delivered",
        Status::Reported => "reported",
    }
}

fn status(word: &str) -> Option<Status> {
    Some(match word {
        "collected" => Status::Collected,
        "delivered" => Status::Delivered,
        "reported" => Status::Reported,
        _ => return None,
    })
}

fn goods_word(goods: Goods) -> &'static str {
    match goods {
        Goods::Pending => "pending",
        Goods::NotOurs => "not-ours",
        Goods::Left => "left",
        Goods::Waiting => "waiting",
        Goods::Received => "received",
        Goods::Discarded => "discarded",
    }
}

fn goods(word: &str) -> Option<Goods> {
    Some(match word {
        "pending" => Goods::Pending,
        "not-ours" => Goods::NotOurs,
        "left" => Goods::Left,
        "waiting" => Goods::Waiting,
        "received" => Goods::Received,
        "discarded" => Goods::Discarded,
        _ => return None,
    })
}

//! Returns: collected from the partner's list, followed, reported, and put on the shelf again.

use serde::{Deserialize, Serialize};
use spin_sdk::sqlite::Value;

use crate::Store;
use crate::connection::SHOP;
use crate::database::Database;
use crate::restock::returns::{
    Collection, Decision, Filter, Goods, Guest, History, Item, Oddity, Parcel, Progress, Reject, Replaying,
    Return, Settling, Sighting, Status, ToStock, Wish,
};
use crate::restock::types::{Fault, Page};
use crate::row::{Row, before, corrupt, json_parameter, limit, millis};
use crate::stock;

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
/// How often a decision is tried while others decide on the same goods.
const DECISIONS_TRIED_MAX: u32 = 4;

impl Guest for Store {
    async fn begin(every_ms: u64, now: u64) -> Result<Option<String>, Fault> {
        begin(&SHOP, every_ms, now).await
    }

    async fn collected(collection_id: String, parcels: Vec<Parcel>, now: u64) -> Result<(), Fault> {
        collected(&SHOP, collection_id, parcels, now).await
    }

    async fn set_aside(collection_id: String, oddities: Vec<Oddity>, now: u64) -> Result<(), Fault> {
        set_aside(&SHOP, collection_id, oddities, now).await
    }

    async fn finished(collection_id: String, listed: u64, now: u64) -> Result<Option<Collection>, Fault> {
        finished(&SHOP, collection_id, listed, now).await
    }

    async fn get_collection(id: String) -> Result<Option<Collection>, Fault> {
        get_collection(&SHOP, id).await
    }

    async fn collections(page: Page) -> Result<Vec<Collection>, Fault> {
        collections(&SHOP, page).await
    }

    async fn rejects(page: Page) -> Result<Vec<Reject>, Fault> {
        rejects(&SHOP, page).await
    }

    async fn get(id: String) -> Result<Option<Return>, Fault> {
        get(&SHOP, id).await
    }

    async fn describe(id: String) -> Result<Option<History>, Fault> {
        describe(&SHOP, id).await
    }

    async fn list(filter: Filter, page: Page) -> Result<Vec<Return>, Fault> {
        list(&SHOP, filter, page).await
    }

    async fn tracked(
        id: String,
        shipment_number: String,
        statuses: Vec<String>,
        now: u64,
    ) -> Result<(), Fault> {
        tracked(&SHOP, id, shipment_number, statuses, now).await
    }

    async fn reported(id: String, to_stock: ToStock, now: u64) -> Result<bool, Fault> {
        reported(&SHOP, id, to_stock, now).await
    }

    async fn replay(wish: Wish) -> Result<Replaying, Fault> {
        replay(&SHOP, wish).await
    }

    async fn receive(
        decision: Decision,
        sku: Option<String>,
        quantity: Option<i64>,
    ) -> Result<Settling, Fault> {
        receive(&SHOP, decision, sku, quantity).await
    }

    async fn discard(decision: Decision) -> Result<Settling, Fault> {
        discard(&SHOP, decision).await
    }
}

/// Begins a collection where one is due.
pub(crate) async fn begin(
    database: &impl Database,
    every_ms: u64,
    now: u64,
) -> Result<Option<String>, Fault> {
    let parameters = vec![millis(every_ms), millis(now)];
    // Run again, it finds the one that it began. That one's message is due, whoever hears of it.
    let rows = database.write_keyed(include_str!("sql/return_collection_begin.sql"), parameters).await?;
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
pub(crate) async fn collected(
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
    database.write_keyed(include_str!("sql/return_collected.sql"), parameters).await?;
    Ok(())
}

/// A record that is set aside as the statement reads it.
#[derive(Serialize)]
struct Odd {
    reason: String,
    record: String,
}

/// Keeps records that nothing can be done with.
pub(crate) async fn set_aside(
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
    database.write_keyed(include_str!("sql/return_reject_insert.sql"), parameters).await?;
    Ok(())
}

/// Ends a collection.
pub(crate) async fn finished(
    database: &impl Database,
    collection_id: String,
    listed: u64,
    now: u64,
) -> Result<Option<Collection>, Fault> {
    let parameters = vec![collection_id.as_str().into(), millis(listed), millis(now)];
    let rows = database.write_keyed(include_str!("sql/return_collection_finish.sql"), parameters).await?;
    match rows.into_iter().next() {
        Some(row) => collection(row).map(Some),
        None => get_collection(database, collection_id).await,
    }
}

/// Reads a collection.
pub(crate) async fn get_collection(
    database: &impl Database,
    id: String,
) -> Result<Option<Collection>, Fault> {
    let row = database.read_one(include_str!("sql/return_collection_get.sql"), vec![id.into()]).await?;
    row.map(collection).transpose()
}

/// Reads a page of collections.
pub(crate) async fn collections(database: &impl Database, page: Page) -> Result<Vec<Collection>, Fault> {
    let parameters = vec![before(&page), limit(&page)];
    let rows = database.read(include_str!("sql/return_collection_list.sql"), parameters).await?;
    rows.into_iter().map(collection).collect()
}

/// Reads a page of records that were set aside.
pub(crate) async fn rejects(database: &impl Database, page: Page) -> Result<Vec<Reject>, Fault> {
    let parameters = vec![before(&page), limit(&page)];
    let rows = database.read(include_str!("sql/return_reject_list.sql"), parameters).await?;
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
pub(crate) async fn get(database: &impl Database, id: String) -> Result<Option<Return>, Fault> {
    let row = database.read_one(include_str!("sql/return_get.sql"), vec![id.into()]).await?;
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
pub(crate) async fn describe(database: &impl Database, id: String) -> Result<Option<History>, Fault> {
    let row = database.read_one(include_str!("sql/return_describe.sql"), vec![id.into()]).await?;
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
pub(crate) async fn list(database: &impl Database, filter: Filter, page: Page) -> Result<Vec<Return>, Fault> {
    let (sql, value): (_, Option<Value>) = match filter {
        Filter::All => (include_str!("sql/return_list.sql"), None),
        Filter::ByStatus(status) => {
            (include_str!("sql/return_list_by_status.sql"), Some(status_word(status).into()))
        }
        Filter::ByGoods(goods) => {
            (include_str!("sql/return_list_by_goods.sql"), Some(goods_word(goods).into()))
        }
        Filter::ByOrderNumber(number) => (include_str!("sql/return_list_by_order.sql"), Some(number.into())),
        Filter::ByShipmentNumber(number) => {
            (include_str!("sql/return_list_by_shipment.sql"), Some(number.into()))
        }
    };
    let mut parameters = vec![before(&page), limit(&page)];
    parameters.extend(value);
    let rows = database.read(sql, parameters).await?;
    rows.into_iter().map(|mut row| entry(&mut row)).collect()
}

/// Notes what the partner said of a shipment.
pub(crate) async fn tracked(
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
    database.write_keyed(include_str!("sql/return_tracked.sql"), parameters).await?;
    Ok(())
}

/// Notes that the partner took a report.
pub(crate) async fn reported(
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
    let rows = database.write_keyed(include_str!("sql/return_reported.sql"), parameters).await?;
    rows.into_iter().next().map_or(Ok(false), |mut row| row.flag())
}

/// Follows a parcel by hand.
pub(crate) async fn replay(database: &impl Database, wish: Wish) -> Result<Replaying, Fault> {
    let Wish { parcel, operator, at } = wish;
    let Parcel { order_number, order_item_number, shipment_number, partner_ref } = parcel;
    let item: Vec<Value> = vec![order_number.into(), order_item_number.into()];
    let mut parameters = item.clone();
    parameters.extend([shipment_number.into(), partner_ref.into(), operator.into(), millis(at)]);
    let rows = database.write(include_str!("sql/return_replay.sql"), parameters).await?;
    let begun = rows.into_iter().next().map(|mut row| Ok::<_, Fault>(row.text()? == "begun")).transpose()?;
    let row = database.read_one(include_str!("sql/return_get_by_item.sql"), item).await?;
    let entry = row
        .map(|mut row| entry(&mut row))
        .transpose()?
        .ok_or_else(|| corrupt("a return that was replayed is not there"))?;
    Ok(match begun {
        Some(true) => Replaying::Begun(entry),
        Some(false) => Replaying::Resumed(entry),
        None => Replaying::Over(entry),
    })
}

/// Puts the goods of a return on the shelf.
pub(crate) async fn receive(
    database: &impl Database,
    decision: Decision,
    sku: Option<String>,
    quantity: Option<i64>,
) -> Result<Settling, Fault> {
    for _ in 0..DECISIONS_TRIED_MAX {
        let Decision { return_id, reason, operator, at } = decision.clone();
        let parameters = vec![
            return_id.as_str().into(),
            sku.clone().into(),
            quantity.into(),
            reason.into(),
            operator.into(),
            millis(at),
        ];
        let rows = database.write_keyed(include_str!("sql/return_receive.sql"), parameters).await?;
        if let Some(mut row) = rows.into_iter().next() {
            return Ok(Settling::Settled(entry(&mut row)?));
        }
        let Some(entry) = get(database, return_id.clone()).await? else {
            return Ok(Settling::UnknownReturn);
        };
        match entry.goods {
            Goods::Pending => return Ok(Settling::TooEarly(entry)),
            Goods::Discarded => return Ok(Settling::Otherwise(entry)),
            Goods::Received => {
                let same = |item: &Item| {
                    sku.as_ref().is_none_or(|sku| item.sku == *sku)
                        && quantity.is_none_or(|quantity| item.quantity == quantity)
                };
                let by_operator = !entry.settled_by.is_empty();
                let repeated = by_operator && entry.received.as_ref().is_some_and(same);
                return Ok(if repeated { Settling::Repeated(entry) } else { Settling::Otherwise(entry) });
            }
            Goods::NotOurs | Goods::Left | Goods::Waiting => {}
        }
        if let Some(sku) = &sku
            && stock::on_hand(database, sku.clone()).await?.is_none()
        {
            return Ok(Settling::UnknownSku);
        }
        let parameters = vec![return_id.into(), sku.clone().into()];
        let left = database.read_one(include_str!("sql/return_settling.sql"), parameters).await?;
        let left: Option<i64> = left.map(|mut row| row.integer()).transpose()?;
        match (left, quantity) {
            (None, _) if sku.is_none() => return Ok(Settling::NothingMatches(entry)),
            (None, None) => return Ok(Settling::QuantityNeeded),
            (_, Some(quantity)) if quantity < 1 => return Ok(Settling::QuantityNeeded),
            (Some(left), Some(quantity)) if quantity > left => return Ok(Settling::TooMany(left)),
            (Some(0), None) => return Ok(Settling::TooMany(0)),
            // It could be carried out now: somebody else's decision came in between.
            _ => {}
        }
    }
    Err(Fault::Unavailable("returns of the same order are received too fast to decide on this one".into()))
}

/// Decides that the goods never go back on the shelf.
pub(crate) async fn discard(database: &impl Database, decision: Decision) -> Result<Settling, Fault> {
    for _ in 0..DECISIONS_TRIED_MAX {
        let Decision { return_id, reason, operator, at } = decision.clone();
        let parameters = vec![return_id.as_str().into(), reason.into(), operator.into(), millis(at)];
        let rows = database.write_keyed(include_str!("sql/return_discard.sql"), parameters).await?;
        if let Some(mut row) = rows.into_iter().next() {
            return Ok(Settling::Settled(entry(&mut row)?));
        }
        let Some(entry) = get(database, return_id).await? else {
            return Ok(Settling::UnknownReturn);
        };
        match entry.goods {
            Goods::Pending => return Ok(Settling::TooEarly(entry)),
            Goods::Discarded => return Ok(Settling::Repeated(entry)),
            Goods::Received => return Ok(Settling::Otherwise(entry)),
            // It was reported in between.
            Goods::NotOurs | Goods::Left | Goods::Waiting => {}
        }
    }
    Err(Fault::Unavailable("the return changes too fast to decide on it".into()))
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

/// The columns of return_get.sql; what follows them is left to the caller.
fn entry(row: &mut Row) -> Result<Return, Fault> {
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

//! A collection: the partner's list is fetched once, and stored part by part, so that orders need not wait for all of it.

use crate::bells::Bells;
use crate::config::Config;
use restock_bindings::queue::Event;
use restock_bindings::returns::{self, Oddity, Progress};
use restock_domain::attempt::Verdict;
use restock_edge::outbound::CallLimits;
use restock_edge::partner::store_failed;
use restock_edge::{event, host, note};
use restock_logistics::list::{self, List, Parcel, Reject};
use std::time::Duration;

/// What the call may take. The rest of a handler's time is for storing what it brought.
const LIST_LIMITS: CallLimits =
    CallLimits { time_max: Duration::from_secs(8), answer_bytes_max: 16 * 1_024 * 1_024 };
/// Records that are stored in one write. Each takes some 100 us, in which no order is written.
const CHUNK_RECORDS: usize = 50;

/// Works on a collection's message.
///
/// # Errors
/// The verdict on it, where the collection is not over.
pub(crate) async fn collect(config: &Config, bells: &Bells, event: &Event) -> Result<(), Verdict> {
    let id = event::id(event, "collection_id")?;
    let collection = returns::get_collection(id.clone()).await.map_err(|fault| store_failed(&fault))?;
    if collection.is_none_or(|collection| collection.progress == Progress::Finished) {
        return Ok(());
    }
    let logistics = &config.logistics;
    let list = logistics.ask(logistics.account().returns(), LIST_LIMITS, list::read).await?;
    store(&id, &list).await?;
    let listed = u64::try_from(list.records).unwrap_or(u64::MAX);
    let finished =
        returns::finished(id, listed, host::now_ms()).await.map_err(|fault| store_failed(&fault))?;
    if finished.is_some_and(|collection| collection.failed > 0) {
        bells.something_to_tell();
    }
    Ok(())
}

/// Stores a list. A part that was stored before changes nothing.
async fn store(id: &str, list: &List) -> Result<(), Verdict> {
    for parcels in list.parcels.chunks(CHUNK_RECORDS) {
        let stored = note::make("a part of the partner's list", || {
            let parcels = parcels.iter().map(parcel).collect();
            returns::collected(id.to_owned(), parcels, host::now_ms())
        });
        stored.await.map_err(|fault| store_failed(&fault))?;
    }
    for rejects in list.rejects.chunks(CHUNK_RECORDS) {
        let stored = note::make("records that were set aside", || {
            let oddities = rejects.iter().map(oddity).collect();
            returns::set_aside(id.to_owned(), oddities, host::now_ms())
        });
        stored.await.map_err(|fault| store_failed(&fault))?;
    }
    Ok(())
}

fn parcel(parcel: &Parcel) -> returns::Parcel {
    let Parcel { order_number, order_item_number, shipment_number, partner_ref } = parcel.clone();
    returns::Parcel { order_number, order_item_number, shipment_number, partner_ref }
}

fn oddity(reject: &Reject) -> Oddity {
    Oddity { reason: reject.reason.to_owned(), text: reject.record.clone() }
}

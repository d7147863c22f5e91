//! Returns, the collections of the partner's list, and what operators decide.

use http::StatusCode;
use restock_api::problem::FieldFault;
use restock_api::returns::{
    self as api, CollectionProgress, DiscardRequest, Filter, Goods, PartnerStatus, ReceiveRequest,
    ReplayOutcome, ReplayRequest, Replayed, Return, ReturnCollection, ReturnHistory, ReturnItem,
    ReturnReject, ReturnStatus,
};
use restock_api::{Page, Time};
use restock_bindings::returns::{self, Decision, Parcel, Replaying, Settling, Wish};
use restock_bindings::types::{self, Fault};
use restock_domain::{name, queues};
use restock_edge::doorbell;
use restock_edge::{Answer, Call, Error};

fn unknown() -> Error {
    Error::NotFound("there is no such return")
}

fn id(call: &Call) -> Result<String, Error> {
    if name::is_identifier(call.value()) { Ok(call.value().to_owned()) } else { Err(unknown()) }
}

/// `GET /v1/returns`
pub(crate) async fn list(call: Call) -> Result<Answer, Error> {
    let filter = wanted(Filter::read(call.query())?);
    let page = call.page()?;
    let entries = returns::list(filter, types::Page { limit: page.limit, after: page.after }).await?;
    Ok(Answer::ok(&Page::of(entries, page.limit, |entry| entry.cursor.clone(), view)))
}

/// `GET /v1/returns/{id}`
pub(crate) async fn show(call: Call) -> Result<Answer, Error> {
    let history = returns::describe(id(&call)?).await?.ok_or_else(unknown)?;
    Ok(Answer::ok(&detail(history)))
}

/// `POST /v1/returns/replay`
pub(crate) async fn replay(mut call: Call) -> Result<Answer, Error> {
    let named = ReplayRequest::decode(&call.json_body().await?)?.body.attribute;
    let parcel = Parcel {
        order_number: named.order_number,
        order_item_number: named.order_item_number,
        shipment_number: named.shipment_number,
        partner_ref: None,
    };
    let wish = Wish { parcel, operator: call.operator(), at: call.now_ms() };
    let (outcome, entry, status) = match follow(wish).await? {
        Replaying::Begun(entry) => (ReplayOutcome::Begun, entry, StatusCode::ACCEPTED),
        Replaying::Resumed(entry) => (ReplayOutcome::Resumed, entry, StatusCode::ACCEPTED),
        Replaying::Over(entry) => (ReplayOutcome::Over, entry, StatusCode::OK),
    };
    Ok(Answer::json(status, &Replayed { entry: view(entry), outcome }))
}

/// Follows a parcel by hand, and rings where there is work to do for it.
pub(crate) async fn follow(wish: Wish) -> Result<Replaying, Fault> {
    let replaying = returns::replay(wish).await?;
    if !matches!(replaying, Replaying::Over(_)) {
        doorbell::ring_later([queues::RETURNS]);
    }
    Ok(replaying)
}

/// `POST /v1/returns/{id}/receive`
pub(crate) async fn receive(mut call: Call) -> Result<Answer, Error> {
    let request = ReceiveRequest::decode(&call.optional_json_body().await?)?;
    settled(put_on_shelf(decision(&call, request.reason.clone())?, request).await?)
}

/// Puts the goods of a return on the shelf, and rings for what that makes possible.
pub(crate) async fn put_on_shelf(decision: Decision, asked: ReceiveRequest) -> Result<Settling, Fault> {
    let settling = returns::receive(decision, asked.sku, asked.quantity).await?;
    if matches!(settling, Settling::Settled(_)) {
        doorbell::ring_later(queues::AFTER_GOODS);
    }
    Ok(settling)
}

/// `POST /v1/returns/{id}/discard`
pub(crate) async fn discard(mut call: Call) -> Result<Answer, Error> {
    let request = DiscardRequest::decode(&call.optional_json_body().await?)?;
    settled(returns::discard(decision(&call, request.reason)?).await?)
}

fn decision(call: &Call, reason: Option<String>) -> Result<Decision, Error> {
    Ok(Decision {
        return_id: id(call)?,
        reason: reason.unwrap_or_default(),
        operator: call.operator(),
        at: call.now_ms(),
    })
}

fn settled(settling: Settling) -> Result<Answer, Error> {
    match settling {
        Settling::Settled(entry) | Settling::Repeated(entry) => Ok(Answer::ok(&view(entry))),
        Settling::Otherwise(entry) => Err(view(entry).settled_otherwise().into()),
        Settling::TooEarly(entry) => Err(view(entry).not_reported().into()),
        Settling::NothingMatches(entry) => Err(view(entry).matches_nothing().into()),
        Settling::TooMany(left) => Err(api::too_many(left).into()),
        Settling::QuantityNeeded => Err(vec![api::quantity_needed()].into()),
        Settling::UnknownSku => Err(vec![FieldFault::new("/sku", "is not the SKU of a product")].into()),
        Settling::UnknownReturn => Err(unknown()),
    }
}

/// `GET /v1/return-collections`
pub(crate) async fn collections(call: Call) -> Result<Answer, Error> {
    let page = call.page()?;
    let collections = returns::collections(types::Page { limit: page.limit, after: page.after }).await?;
    Ok(Answer::ok(&Page::of(collections, page.limit, |collection| collection.cursor.clone(), collection)))
}

/// `GET /v1/return-rejects`
pub(crate) async fn rejects(call: Call) -> Result<Answer, Error> {
    let page = call.page()?;
    let rejects = returns::rejects(types::Page { limit: page.limit, after: page.after }).await?;
    Ok(Answer::ok(&Page::of(rejects, page.limit, |reject| reject.cursor.clone(), reject)))
}

/// What the store is asked for.
pub(crate) fn wanted(filter: Filter) -> returns::Filter {
    match filter {
        Filter::All => returns::Filter::All,
        Filter::Status(status) => returns::Filter::ByStatus(meant_status(status)),
        Filter::Goods(goods) => returns::Filter::ByGoods(meant_goods(goods)),
        Filter::OrderNumber(number) => returns::Filter::ByOrderNumber(number),
        Filter::ShipmentNumber(number) => returns::Filter::ByShipmentNumber(number),
    }
}

/// The store's word for it.
pub(crate) fn meant_status(status: ReturnStatus) -> returns::Status {
    match status {
        ReturnStatus::Collected => returns::Status::Collected,
        ReturnStatus::Delivered => returns::Status::Delivered,
        ReturnStatus::Reported => returns::Status::Reported,
    }
}

/// The store's word for it.
pub(crate) fn meant_goods(goods: Goods) -> returns::Goods {
    match goods {
        Goods::Pending => returns::Goods::Pending,
        Goods::NotOurs => returns::Goods::NotOurs,
        Goods::Left => returns::Goods::Left,
        Goods::Waiting => returns::Goods::Waiting,
        Goods::Received => returns::Goods::Received,
        Goods::Discarded => returns::Goods::Discarded,
    }
}

fn view(entry: returns::Return) -> Return {
    let (sku, quantity) = entry.received.map(|item| (item.sku, item.quantity)).unzip();
    Return {
        id: entry.id,
        order_number: entry.order_number,
        order_item_number: entry.order_item_number,
        shipment_number: entry.shipment_number,
        status: match entry.status {
            returns::Status::Collected => ReturnStatus::Collected,
            returns::Status::Delivered => ReturnStatus::Delivered,
            returns::Status::Reported => ReturnStatus::Reported,
        },
        goods: match entry.goods {
            returns::Goods::Pending => Goods::Pending,
            returns::Goods::NotOurs => Goods::NotOurs,
            returns::Goods::Left => Goods::Left,
            returns::Goods::Waiting => Goods::Waiting,
            returns::Goods::Received => Goods::Received,
            returns::Goods::Discarded => Goods::Discarded,
        },
        partner_status: entry.partner_status,
        sku,
        quantity,
        collected_at: Time(entry.collected_at),
        tracked_at: entry.tracked_at.map(Time),
        delivered_at: entry.delivered_at.map(Time),
        reported_at: entry.reported_at.map(Time),
        unknown_since: entry.unknown_since.map(Time),
    }
}

fn detail(history: returns::History) -> ReturnHistory {
    let mut entry = history.entry;
    ReturnHistory {
        partner_ref: entry.partner_ref.take(),
        trackings: entry.trackings,
        partner_statuses: history
            .sightings
            .into_iter()
            .map(|sighting| PartnerStatus {
                status: sighting.status,
                first_at: Time(sighting.first_at),
                last_at: Time(sighting.last_at),
                times: sighting.times,
            })
            .collect(),
        matching: history.item.map(|item| ReturnItem { sku: item.sku, quantity: item.quantity }),
        settled_at: entry.settled_at.map(Time),
        settled_by: given(std::mem::take(&mut entry.settled_by)),
        reason: given(std::mem::take(&mut entry.settled_because)),
        entry: view(entry),
    }
}

/// The store says "none" with an empty text.
fn given(text: String) -> Option<String> {
    Some(text).filter(|text| !text.is_empty())
}

fn collection(collection: returns::Collection) -> ReturnCollection {
    ReturnCollection {
        id: collection.id,
        progress: match collection.progress {
            returns::Progress::Running => CollectionProgress::Running,
            returns::Progress::Finished => CollectionProgress::Finished,
            returns::Progress::Failed => CollectionProgress::Failed,
        },
        began_at: Time(collection.began_at),
        finished_at: collection.finished_at.map(Time),
        collected: collection.collected,
        new: collection.fresh,
        rejected: collection.rejected,
        delivered: collection.delivered,
        reported: collection.reported,
        failed: collection.failed,
    }
}

fn reject(reject: returns::Reject) -> ReturnReject {
    ReturnReject {
        reason: reject.reason,
        record: reject.text,
        first_at: Time(reject.first_at),
        last_at: Time(reject.last_at),
        times: reject.times,
    }
}

//! Production requests.

use restock_api::production::{Cause, ProductionRequest, ProductionStatus};
use restock_api::{Page, Time};
use restock_bindings::production::{self, Filter, Request, Status};
use restock_bindings::types;
use restock_domain::name;
use restock_edge::{Answer, Call, Error};

/// `GET /v1/production`
pub(crate) async fn list(call: Call) -> Result<Answer, Error> {
    let wanted = call.query().choice("status", &ProductionStatus::WORDS)?;
    let page = call.page()?;
    let filter = wanted.map_or(Filter::All, |status| Filter::ByStatus(meant(status)));
    let requests = production::list(filter, types::Page { limit: page.limit, after: page.after }).await?;
    Ok(Answer::ok(&Page::of(requests, page.limit, |request| request.id.clone(), view)))
}

/// The store's word for it.
pub(crate) fn meant(status: ProductionStatus) -> Status {
    match status {
        ProductionStatus::Planned => Status::Planned,
        ProductionStatus::Requested => Status::Requested,
        ProductionStatus::Overdue => Status::Overdue,
        ProductionStatus::Received => Status::Received,
        ProductionStatus::Failed => Status::Failed,
        ProductionStatus::Cancelled => Status::Cancelled,
    }
}

/// `GET /v1/production/{id}`
pub(crate) async fn show(call: Call) -> Result<Answer, Error> {
    let unknown = || Error::NotFound("there is no such production request");
    if !name::is_identifier(call.value()) {
        return Err(unknown());
    }
    let request = production::get(call.value().to_owned()).await?.ok_or_else(unknown)?;
    Ok(Answer::ok(&view(request)))
}

fn view(request: Request) -> ProductionRequest {
    ProductionRequest {
        id: request.id,
        sku: request.sku,
        factory_id: request.factory_id,
        quantity: request.quantity,
        status: match request.status {
            Status::Planned => ProductionStatus::Planned,
            Status::Requested => ProductionStatus::Requested,
            Status::Overdue => ProductionStatus::Overdue,
            Status::Received => ProductionStatus::Received,
            Status::Failed => ProductionStatus::Failed,
            Status::Cancelled => ProductionStatus::Cancelled,
        },
        attempts: request.attempts,
        planned_at: Time(request.planned_at),
        requested_at: request.requested_at.map(Time),
        due_at: request.due_at.map(Time),
        received_at: request.received_at.map(Time),
        received_quantity: request.received_quantity,
        over_delivered: request.over_delivered,
        factory_job_id: request.factory_job_id,
        follows: request.follows,
        because: Cause {
            on_hand: request.because.on_hand,
            on_order: request.because.on_order,
            backordered: request.because.backordered,
            reorder_point: request.because.reorder_point,
            order_up_to: request.because.order_up_to,
        },
        traceparent: request.traceparent,
    }
}

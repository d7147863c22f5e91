//! Orders: placed and shown.

use http::StatusCode;
use http::header::{HeaderName, LOCATION};
use restock_api::order::{
    Customer, IfShort, Order, OrderLine, OrderRequest, OrderStatus, PlacedOrder, Shortage,
};
use restock_api::problem::{FieldFault, Kind};
use restock_api::{Money, Problem, Time};
use restock_bindings::orders::{self, Placement, Placing, Recording, VipPolicy};
use restock_bindings::types;
use restock_domain::{name, order};
use restock_edge::config::Cached;
use restock_edge::doorbell;
use restock_edge::{Answer, Call, Error, host, log, trace};

/// Tells a client that this is the answer to its first request with the key.
const IDEMPOTENT_REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");

/// When an order makes its customer a VIP.
pub(crate) async fn vip_policy() -> Result<VipPolicy, Error> {
    static POLICY: Cached<VipPolicy> = Cached::new();
    Ok(*POLICY.get(async |reader| reader.vip_policy().await).await?)
}

/// `POST /v1/orders`
pub(crate) async fn place(mut call: Call) -> Result<Answer, Error> {
    let idempotency_key = call.idempotency_key()?;
    let request = OrderRequest::decode(&call.json_body().await?)?;
    let now_ms = call.now_ms();
    let vip = vip_policy().await?;
    match record(placement(&request, idempotency_key, vip, now_ms)).await? {
        Placing::Recorded(recording) => Ok(answer(recording)),
        Placing::KeyReused => Err(key_reused()),
        Placing::UnknownSkus(skus) => Err(unknown_skus(&request, &skus)),
        Placing::MixedCurrencies => Err(mixed_currencies()),
    }
}

fn placement(
    request: &OrderRequest,
    idempotency_key: Option<String>,
    vip: VipPolicy,
    now_ms: u64,
) -> Placement {
    let items = request.merged_items();
    let customer = &request.customer;
    let parts = [
        Some(customer.id.as_str()),
        customer.email.as_deref(),
        customer.name.as_deref(),
        Some(request.if_short.word()),
    ];
    Placement {
        id: host::fresh_id(now_ms),
        idempotency_key,
        request_hash: order::digest(&parts, &items),
        customer: orders::Customer {
            id: customer.id.clone(),
            email: customer.email.clone(),
            name: customer.name.clone(),
        },
        items: items
            .into_iter()
            .map(|item| orders::Item { sku: item.sku, quantity: item.quantity })
            .collect(),
        if_short: match request.if_short {
            IfShort::Reject => orders::IfShort::Reject,
            IfShort::Backorder => orders::IfShort::Backorder,
        },
        vip,
        placed_at: now_ms,
        traceparent: None,
    }
}

/// Places an order in the trace of its request; where that brought none, in the one that has the order's own id. A repeated order goes on
/// in the trace of the first. The log tells of orders that make work for others, and of those whose caller wants a record.
pub(crate) async fn record(placement: Placement) -> Result<Placing, Error> {
    let step = trace::current_or_of(&placement.id);
    let placing = orders::place(Placement { traceparent: Some(step.to_string()), ..placement }).await?;
    if let Placing::Recorded(Recording { order, replayed, rings }) = &placing {
        trace::take_up(order.traceparent.as_deref());
        if step.is_sampled() || *replayed || !rings.is_empty() {
            let (id, status, rings) = (&order.id, status(order.placed_as).word(), rings.join(","));
            log!("order placed: order={id} status={status} repeated={replayed} rings={rings}");
        }
    }
    Ok(placing)
}

/// The answer depends on how the order was placed, not on what became of it since: a repeated key gets the first answer.
fn answer(recording: Recording) -> Answer {
    let Recording { order, replayed, rings } = recording;
    doorbell::ring_later(rings);
    let location = format!("/v1/orders/{}", order.id);
    let answer = match order.placed_as {
        orders::Status::Accepted => Answer::json(StatusCode::CREATED, &placed(order)),
        orders::Status::Backordered => Answer::json(StatusCode::ACCEPTED, &placed(order)),
        orders::Status::Rejected => Answer::problem(&out_of_stock(order)),
    };
    let answer = answer.header(LOCATION, &location);
    if replayed { answer.header(IDEMPOTENT_REPLAYED, "true") } else { answer }
}

fn placed(order: orders::Order) -> PlacedOrder {
    PlacedOrder {
        id: order.id,
        status: status(order.placed_as),
        items: order.lines.into_iter().map(line).collect(),
        total: money(order.total),
        placed_at: Time(order.placed_at),
    }
}

fn out_of_stock(order: orders::Order) -> Problem {
    let mut problem =
        Problem::new(Kind::OutOfStock, 409, "the order was recorded as rejected; nothing was sold");
    problem.short = order.short.into_iter().map(shortage).collect();
    problem.order_id = Some(order.id);
    problem
}

pub(crate) fn key_reused() -> Error {
    let detail = "this idempotency key was used for another order before; nothing was changed";
    Problem::new(Kind::IdempotencyKeyReused, 422, detail).into()
}

pub(crate) fn mixed_currencies() -> Error {
    let detail = "an order needs products that are priced in one currency; nothing was changed";
    Problem::new(Kind::MixedCurrencies, 422, detail).into()
}

fn unknown_skus(request: &OrderRequest, skus: &[String]) -> Error {
    let faults: Vec<_> = skus
        .iter()
        .flat_map(|sku| request.pointers_of(sku))
        .map(|pointer| FieldFault::new(pointer, "is not the SKU of a product"))
        .collect();
    faults.into()
}

/// `GET /v1/orders/{id}`
pub(crate) async fn show(call: Call) -> Result<Answer, Error> {
    let unknown = || Error::NotFound("there is no such order");
    if !name::is_identifier(call.value()) {
        return Err(unknown());
    }
    let order = orders::get(call.value().to_owned()).await?.ok_or_else(unknown)?;
    Ok(Answer::ok(&view(order)))
}

fn view(order: orders::Order) -> Order {
    Order {
        id: order.id,
        status: status(order.status),
        customer: Customer { id: order.customer.id, email: order.customer.email, name: order.customer.name },
        items: order.lines.into_iter().map(line).collect(),
        total: money(order.total),
        if_short: match order.if_short {
            orders::IfShort::Reject => IfShort::Reject,
            orders::IfShort::Backorder => IfShort::Backorder,
        },
        short: order.short.into_iter().map(shortage).collect(),
        placed_at: Time(order.placed_at),
        filled_at: order.filled_at.map(Time),
        traceparent: order.traceparent,
    }
}

fn line(line: orders::Line) -> OrderLine {
    OrderLine { sku: line.sku, quantity: line.quantity, unit_price: money(line.unit_price) }
}

fn shortage(shortage: orders::Shortage) -> Shortage {
    Shortage { sku: shortage.sku, requested: shortage.requested, available: shortage.available }
}

fn status(status: orders::Status) -> OrderStatus {
    match status {
        orders::Status::Accepted => OrderStatus::Accepted,
        orders::Status::Backordered => OrderStatus::Backordered,
        orders::Status::Rejected => OrderStatus::Rejected,
    }
}

pub(crate) fn money(money: types::Money) -> Money {
    Money { amount: money.amount, currency: money.currency }
}

//! The ledger and corrections of it.

use http::StatusCode;
use restock_api::problem::{FieldFault, Kind};
use restock_api::stock::{AdjustmentRequest, Movement, MovementKind};
use restock_api::{Page, Problem, Time};
use restock_bindings::stock::{self, Adjusting, Adjustment};
use restock_bindings::types;
use restock_domain::{name, queues};
use restock_edge::doorbell;
use restock_edge::{Answer, Call, Error};

fn unknown() -> Error {
    Error::NotFound("there is no such product")
}

fn sku(call: &Call) -> Result<String, Error> {
    if name::is_identifier(call.value()) { Ok(call.value().to_owned()) } else { Err(unknown()) }
}

/// `GET /v1/stock/{sku}/movements`
pub(crate) async fn movements(call: Call) -> Result<Answer, Error> {
    let page = call.page()?;
    if page.after.as_deref().is_some_and(|after| after.parse::<u64>().is_err()) {
        return Err(vec![FieldFault::new("?cursor", "must be the next_cursor of an earlier answer")].into());
    }
    let movements = stock::movements(sku(&call)?, types::Page { limit: page.limit, after: page.after })
        .await?
        .ok_or_else(unknown)?;
    Ok(Answer::ok(&Page::of(movements, page.limit, |movement| movement.id.to_string(), view)))
}

/// `POST /v1/stock/{sku}/adjustments`
pub(crate) async fn adjust(mut call: Call) -> Result<Answer, Error> {
    let idempotency_key = call.idempotency_key()?;
    let request = AdjustmentRequest::decode(&call.json_body().await?)?;
    let adjustment = Adjustment {
        sku: sku(&call)?,
        delta: request.delta,
        reason: request.reason,
        operator: call.operator(),
        idempotency_key,
        at: call.now_ms(),
    };
    match stock::adjust(adjustment).await? {
        Adjusting::Adjusted(movement) => {
            doorbell::ring_later(queues::AFTER_GOODS);
            Ok(Answer::json(StatusCode::OK, &view(movement)))
        }
        Adjusting::WouldGoNegative(on_hand) => {
            let detail = format!("{on_hand} are on hand; nothing was changed");
            Err(Problem::new(Kind::StockNegative, 409, detail).into())
        }
        Adjusting::UnknownSku => Err(unknown()),
        Adjusting::KeyReused => {
            let detail = "this idempotency key was used for another correction before; nothing was changed";
            Err(Problem::new(Kind::IdempotencyKeyReused, 422, detail).into())
        }
    }
}

fn view(movement: stock::Movement) -> Movement {
    Movement {
        id: movement.id,
        kind: match movement.kind {
            stock::MovementKind::Opening => MovementKind::Opening,
            stock::MovementKind::Sold => MovementKind::Sold,
            stock::MovementKind::Received => MovementKind::Received,
            stock::MovementKind::Returned => MovementKind::Returned,
            stock::MovementKind::Adjusted => MovementKind::Adjusted,
        },
        delta: movement.delta,
        on_hand_after: movement.on_hand_after,
        order_id: movement.order_id,
        production_id: movement.production_id,
        return_id: movement.return_id,
        reason: movement.reason,
        at: Time(movement.at),
    }
}

//! The partner's paths: three that its customers call, and the rest for those who test them.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Json, State as Extract};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, Uri};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::BASE;
use super::holdings::Return;
use super::knobs::Call;
use super::state::{Decision, Received, State};
use crate::control::{delay, fail, message, no_answer};
use crate::stand_in::Partner as _;

type Shared = Extract<Arc<State>>;

pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route(&format!("{BASE}/returns"), get(returns))
        .route(&format!("{BASE}/tracking"), get(tracking))
        .route(&format!("{BASE}/results"), post(results))
        .route("/", get(|Extract(state): Shared| async move { state.page() }))
        .route(
            "/sandbox/returns",
            get(|Extract(state): Shared| async move { Json(state.returns(|_| true)) })
                .put(set_returns)
                .post(add_returns),
        )
        .route(
            "/sandbox/reported",
            get(|Extract(state): Shared| async move { Json(state.returns(|seen| seen.times > 0)) }),
        )
        .route("/sandbox/statuses", get(statuses))
        .route("/sandbox/advance", post(advance))
        .route("/sandbox/deliver", post(deliver))
        .route("/sandbox/requests", get(|Extract(state): Shared| async move { Json(state.requests()) }))
        .fallback(async || message(StatusCode::NOT_FOUND, "no such path"))
}

async fn returns(state: Shared, uri: Uri, headers: HeaderMap) -> Response {
    receive(state, Call::Returns, &uri, &headers, &[]).await
}

async fn tracking(state: Shared, uri: Uri, headers: HeaderMap) -> Response {
    receive(state, Call::Tracking, &uri, &headers, &[]).await
}

async fn results(state: Shared, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    receive(state, Call::Results, &uri, &headers, &body).await
}

async fn receive(
    Extract(state): Shared,
    call: Call,
    uri: &Uri,
    headers: &HeaderMap,
    body: &[u8],
) -> Response {
    let _answering = state.panel().answering();
    let decision = state.decide(&Received { call, uri, headers, body });
    delay(state.panel()).await;
    match decision {
        Decision::Answer(response) => response,
        Decision::NoAnswer => no_answer(),
        Decision::Fault(fault) => fail(state.panel(), fault, message).await,
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Count {
    count: usize,
}

/// Bodies are read without regard to their media type: `curl -d` says that they are forms.
async fn set_returns(Extract(state): Shared, text: Bytes) -> Response {
    let set = parse::<Count>(&text).and_then(|Count { count }| state.set_returns(count));
    held(&state, set)
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "neither {\"count\":n} nor the three fields of a return")]
enum More {
    Count(Count),
    One(Return),
}

async fn add_returns(Extract(state): Shared, text: Bytes) -> Response {
    let added = parse(&text).and_then(|more| match more {
        More::Count(Count { count }) => state.add_returns(count),
        More::One(wish) => state.add_return(wish),
    });
    held(&state, added)
}

fn held(state: &State, changed: Result<(), String>) -> Response {
    match changed {
        Ok(()) => Json(json!({"returns": state.stats().returns})).into_response(),
        Err(wrong) => message(StatusCode::UNPROCESSABLE_ENTITY, &wrong),
    }
}

async fn statuses(Extract(state): Shared) -> Response {
    Json(state.statuses()).into_response()
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    #[serde(default)]
    shipment_number: Option<String>,
}

async fn advance(Extract(state): Shared, text: Bytes) -> Response {
    let wish = if text.is_empty() { Ok(Advance::default()) } else { parse(&text) };
    match wish.map(|Advance { shipment_number }| shipment_number) {
        Ok(None) => state.advance(),
        Ok(Some(number)) if state.advance_shipment(&number) => {}
        Ok(Some(_)) => return message(StatusCode::NOT_FOUND, "no such shipment"),
        Err(wrong) => return message(StatusCode::UNPROCESSABLE_ENTITY, &wrong),
    }
    statuses(Extract(state)).await
}

async fn deliver(Extract(state): Shared) -> Response {
    state.deliver_all();
    statuses(Extract(state)).await
}

fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, String> {
    serde_json::from_slice(text).map_err(|error| error.to_string())
}

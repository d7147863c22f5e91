//! The factory's paths: one that the shop calls, and the rest for those who test the shop.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Json, State as Extract};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::state::{Decision, State};
use crate::control::{delay, fail, message, no_answer};
use crate::stand_in::Partner as _;

pub(crate) fn routes() -> Router<Arc<State>> {
    Router::new()
        .route("/api/manufactures", post(manufacture))
        .route("/sandbox/forget", post(forget))
        .route("/sandbox/finish", post(finish))
        .route("/sandbox/jobs", get(|Extract(state): Extract<Arc<State>>| async move { Json(state.jobs()) }))
        .route(
            "/sandbox/requests",
            get(|Extract(state): Extract<Arc<State>>| async move { Json(state.requests()) }),
        )
        .route(
            "/sandbox/callbacks",
            get(|Extract(state): Extract<Arc<State>>| async move { Json(state.callbacks()) }),
        )
}

async fn manufacture(Extract(state): Extract<Arc<State>>, headers: HeaderMap, text: Bytes) -> Response {
    let _answering = state.panel().answering();
    let decision = state.take(&headers, &text);
    delay(state.panel()).await;
    match decision {
        Decision::Accepted(id) => accepted(id, &text),
        Decision::AnswerLost(_) => no_answer(),
        Decision::Fault(fault) => fail(state.panel(), fault, message).await,
        Decision::Malformed => message(StatusCode::BAD_REQUEST, "not JSON"),
        Decision::Full => message(StatusCode::SERVICE_UNAVAILABLE, "too many jobs"),
    }
}

/// The original's answer, with its misspelling. The echo is the text as it was sent: a parsed copy could differ in
/// the order of fields and the form of numbers.
fn accepted(id: Uuid, text: &[u8]) -> Response {
    let echo = String::from_utf8_lossy(text);
    let requester = serde_json::from_slice::<Value>(text)
        .ok()
        .and_then(|body| body.get("MessageAttributeRequester").cloned())
        .unwrap_or(Value::Null);
    let answer = format!(r#"{{"data":{{"id":"{id}","reqestor":{requester},"data":{echo}}}}}"#);
    (StatusCode::CREATED, [(header::CONTENT_TYPE, "application/json")], answer).into_response()
}

async fn forget(Extract(state): Extract<Arc<State>>) -> Json<Value> {
    Json(json!({"forgotten": state.forget()}))
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Finish {
    #[serde(default)]
    id: Option<Uuid>,
}

async fn finish(Extract(state): Extract<Arc<State>>, text: Bytes) -> Response {
    let wish = if text.is_empty() { Ok(Finish::default()) } else { serde_json::from_slice(&text) };
    match wish {
        Ok(Finish { id }) => Json(json!({"callbacks": state.finish(id).await})).into_response(),
        Err(error) => message(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    }
}

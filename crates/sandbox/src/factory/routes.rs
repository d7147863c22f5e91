//! The factory's paths: one that the shop calls, and the rest for those who test the shop.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Json, State as Extract};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use bytes::Bytes;
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::knobs::{Busy, Fault, Garbage, Knobs};
use super::serve::NoAnswer;
use super::state::{Decision, State};

/// Largest body that is read; beyond it the answer is 413.
const BODY_BYTES_MAX: usize = 1024 * 1024;
/// How long a hanging factory holds a connection.
const HANG_SECONDS_MAX: u64 = 120;

pub(crate) fn router(state: Arc<State>) -> Router {
    Router::new()
        .route("/api/manufactures", post(manufacture))
        .route("/sandbox/knobs", get(knobs).put(replace_knobs).patch(change_knobs))
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
        .route(
            "/sandbox/stats",
            get(|Extract(state): Extract<Arc<State>>| async move { Json(state.stats()) }),
        )
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        .with_state(state)
}

async fn manufacture(Extract(state): Extract<Arc<State>>, text: Bytes) -> Response {
    let _answering = state.answering();
    let decision = state.take(&text);
    let delay_ms = state.knobs().answer_delay_ms;
    if delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
    match decision {
        Decision::Accepted(id) => accepted(id, &text),
        Decision::AnswerLost => no_answer(),
        Decision::Fault(fault) => fail(&state, fault).await,
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

async fn fail(state: &State, fault: Fault) -> Response {
    match fault {
        Fault::Down | Fault::AnswerLost => no_answer(),
        Fault::Hang => {
            let mut knobs = state.watch_knobs();
            let lifted = knobs.wait_for(|knobs| !knobs.hang);
            // Either way the connection is closed, so it does not matter which came first.
            let _ = tokio::time::timeout(Duration::from_secs(HANG_SECONDS_MAX), lifted).await;
            no_answer()
        }
        Fault::Refused(status) => {
            message(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), "refused by the knob")
        }
        Fault::Busy(Busy { status, retry_after_seconds }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            let mut response = message(status, "busy by the knob");
            if let Some(seconds) = retry_after_seconds {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
        Fault::Error => message(StatusCode::INTERNAL_SERVER_ERROR, "failed by the knob"),
        Fault::Garbage(garbage) => {
            let (kind, text) = match garbage {
                Garbage::Html => {
                    ("text/html", "<!doctype html><title>Bad gateway</title><p>Come back later.")
                }
                Garbage::BrokenJson => ("application/json", r#"{"data":{"id":"8c3f"#),
                Garbage::Empty => ("application/json", ""),
            };
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
    }
}

async fn knobs(Extract(state): Extract<Arc<State>>) -> Json<Knobs> {
    Json(state.knobs())
}

/// Bodies are read without regard to their media type: `curl -d` says that they are forms.
async fn replace_knobs(Extract(state): Extract<Arc<State>>, text: Bytes) -> Response {
    set(&state, serde_json::from_slice(&text))
}

async fn change_knobs(Extract(state): Extract<Arc<State>>, text: Bytes) -> Response {
    let merged = serde_json::from_slice::<Map<String, Value>>(&text).and_then(|changes| {
        let mut knobs = serde_json::to_value(state.knobs())?;
        if let Some(fields) = knobs.as_object_mut() {
            fields.extend(changes);
        }
        serde_json::from_value(knobs)
    });
    set(&state, merged)
}

fn set(state: &State, knobs: serde_json::Result<Knobs>) -> Response {
    match knobs.map_err(|error| error.to_string()).and_then(|knobs| state.set_knobs(knobs)) {
        Ok(()) => Json(state.knobs()).into_response(),
        Err(wrong) => message(StatusCode::UNPROCESSABLE_ENTITY, &wrong),
    }
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

fn no_answer() -> Response {
    Extension(NoAnswer).into_response()
}

fn message(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"message": text}))).into_response()
}

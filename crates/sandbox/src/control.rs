//! What every stand-in answers alike: the paths by which its knobs are turned, and its faults.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Json, State as Extract};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use bytes::Bytes;
use http::{StatusCode, header};
use serde_json::{Map, Value, json};

use crate::faults::{Busy, Fault, Garbage, Turn};
use crate::panel::Panel;
use crate::serve::NoAnswer;
use crate::stand_in::Partner;

/// Largest body that is read; beyond it the answer is 413.
pub(crate) const BODY_BYTES_MAX: usize = 1024 * 1024;
/// How long a hanging partner holds a connection.
const HANG_SECONDS_MAX: u64 = 120;

/// `/sandbox/knobs` and `/sandbox/stats`.
pub(crate) fn routes<P: Partner>() -> Router<Arc<P>> {
    Router::new()
        .route("/sandbox/knobs", get(knobs::<P>).put(replace_knobs::<P>).patch(change_knobs::<P>))
        .route(
            "/sandbox/stats",
            get(|Extract(partner): Extract<Arc<P>>| async move { Json(partner.stats()) }),
        )
}

async fn knobs<P: Partner>(Extract(partner): Extract<Arc<P>>) -> Json<P::Knobs> {
    Json(partner.panel().knobs())
}

/// Bodies are read without regard to their media type: `curl -d` says that they are forms.
async fn replace_knobs<P: Partner>(Extract(partner): Extract<Arc<P>>, text: Bytes) -> Response {
    set(partner.panel(), serde_json::from_slice(&text))
}

async fn change_knobs<P: Partner>(Extract(partner): Extract<Arc<P>>, text: Bytes) -> Response {
    let merged = serde_json::from_slice::<Map<String, Value>>(&text).and_then(|changes| {
        let mut knobs = serde_json::to_value(partner.panel().knobs())?;
        if let Some(fields) = knobs.as_object_mut() {
            fields.extend(changes);
        }
        serde_json::from_value(knobs)
    });
    set(partner.panel(), merged)
}

fn set<K: Turn>(panel: &Panel<K>, knobs: serde_json::Result<K>) -> Response {
    match knobs.map_err(|error| error.to_string()).and_then(|knobs| panel.set_knobs(knobs)) {
        Ok(()) => Json(panel.knobs()).into_response(),
        Err(wrong) => message(StatusCode::UNPROCESSABLE_ENTITY, &wrong),
    }
}

/// Waits as long as `answer_delay_ms` says.
pub(crate) async fn delay<K: Turn>(panel: &Panel<K>) {
    let delay_ms = panel.knobs().faults().answer_delay_ms;
    if delay_ms > 0 {
        tokio::time::sleep(Duration::from_millis(delay_ms)).await;
    }
}

/// Answers with a fault; `say` puts a status and its reason into the partner's own form.
pub(crate) async fn fail<K: Turn>(
    panel: &Panel<K>,
    fault: Fault,
    say: impl FnOnce(StatusCode, &str) -> Response,
) -> Response {
    match fault {
        Fault::Down | Fault::AnswerLost => no_answer(),
        Fault::Hang => {
            let mut knobs = panel.watch_knobs();
            let lifted = knobs.wait_for(|knobs| !knobs.faults().hang);
            // Either way the connection is closed, so it does not matter which came first.
            let _ = tokio::time::timeout(Duration::from_secs(HANG_SECONDS_MAX), lifted).await;
            no_answer()
        }
        Fault::Refused(status) => {
            say(StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST), "refused by the knob")
        }
        Fault::Busy(Busy { status, retry_after_seconds }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
            let mut response = say(status, "busy by the knob");
            if let Some(seconds) = retry_after_seconds {
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
            }
            response
        }
        Fault::Error => say(StatusCode::INTERNAL_SERVER_ERROR, "failed by the knob"),
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

/// Closes the connection in place of an answer.
pub(crate) fn no_answer() -> Response {
    Extension(NoAnswer).into_response()
}

/// How the sandbox itself, and the factory, say what is wrong.
pub(crate) fn message(status: StatusCode, text: &str) -> Response {
    (status, Json(json!({"message": text}))).into_response()
}

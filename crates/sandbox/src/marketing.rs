//! The marketing system: a receiver of signed webhooks as the Standard Webhooks specification describes it.
//!
//! | path | meaning |
//! | --- | --- |
//! | `POST /hooks/restock` | an event, signed with [`Marketing::SECRET`]; 401 where the signature does not hold |
//! | `GET /` | the events, for people |
//! | `GET /sandbox/events` | the events, oldest first, each id once, see [`EventSeen`] |
//! | `GET /sandbox/requests` | every request, whatever became of it |
//! | `GET /sandbox/stats` | counts since the start: `accepted` distinct ids, `repeated` repetitions, `refused` bad ones |
//! | `GET`, `PUT`, `PATCH /sandbox/knobs` | see [`Knobs`] |
//!
//! It checks signatures with code of its own: a receiver that shared the sender's would agree with it in every mistake.

use std::collections::VecDeque;

use axum::extract::Json;
use axum::response::{IntoResponse, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::StatusCode;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::desk::{Desk, Office, Outcome, Received};
use crate::faults::knobs;
use crate::page::{ENTRIES_SHOWN_MAX, Entry, Page, traced};
use crate::panel::keep;

pub use crate::desk::{RequestSeen, Stats};
pub use crate::faults::{Busy, Garbage};
pub use crate::stand_in::StandIn;

/// Events kept, and so the ids that are recognised; the oldest go first.
const EVENTS_KEPT_MAX: usize = 5_000;
/// What every secret starts with.
const SECRET_PREFIX: &str = "whsec_";
/// What every signature of the version in use starts with.
const SIGNATURE_PREFIX: &str = "v1,";

/// A running marketing system. It takes events at [`Marketing::hook_url`].
pub type Marketing = StandIn<Office<Campaigns>>;

knobs! {
    /// What the marketing system does wrong. The default is the system on a good day.
    pub struct Knobs {
        /// How far an event's time may be from now, in seconds; `null`: as far as it likes, for senders whose clock is
        /// moved by a test.
        pub tolerance_seconds: Option<u64> = Some(300),
    }
}

impl Knobs {
    fn own_out_of_range(&self) -> Vec<String> {
        Vec::new()
    }
}

/// An event that was taken.
#[derive(Clone, Debug, Serialize)]
pub struct EventSeen {
    /// The number of its first request, from 1.
    pub seq: u64,
    /// When it had first been read (RFC 3339).
    pub received_at: String,
    /// Its `webhook-id`.
    pub id: String,
    /// The `webhook-timestamp` of its first delivery, in seconds since 1970.
    pub timestamp: i64,
    /// The header `traceparent` of its first delivery.
    pub traceparent: Option<String>,
    /// Its JSON.
    pub body: Value,
    /// How often it was delivered.
    pub deliveries: u64,
    /// A repetition said something else than the first delivery, which no sender should do.
    pub changed: bool,
}

/// What the marketing system knows of its customers.
#[derive(Default)]
pub struct Campaigns {
    events: VecDeque<EventSeen>,
}

impl Marketing {
    /// The secret that events are signed with, as the variable `marketing_secret` wants it.
    pub const SECRET: &'static str = "whsec_cmVzdG9jay1zYW5kYm94LW1hcmtldGluZy1zZWNyZXQ=";

    /// Where it takes events, as the variable `marketing_url` wants it.
    #[must_use]
    pub fn hook_url(&self) -> String {
        format!("{}/hooks/restock", self.url())
    }

    /// The events taken, oldest first, each id once.
    #[must_use]
    pub fn events(&self) -> Vec<EventSeen> {
        self.partner.taken()
    }
}

impl Desk for Campaigns {
    const NAME: &'static str = "marketing";
    const PATHS: &'static [&'static str] = &["/hooks/restock"];
    const LIST: &'static str = "/sandbox/events";
    type Knobs = Knobs;
    type Taken = EventSeen;

    #[expect(private_interfaces, reason = "nothing outside this crate can be a desk")]
    fn take(&mut self, knobs: &Knobs, request: &Received) -> (Outcome, Response) {
        let (id, timestamp) = match verified(knobs, request) {
            Ok(signed) => signed,
            Err(reason) => return (Outcome::Refused, error(StatusCode::UNAUTHORIZED, reason)),
        };
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else {
            return (Outcome::Refused, error(StatusCode::BAD_REQUEST, "the body is not JSON"));
        };
        let known = self.events.iter_mut().find(|event| event.id == id);
        let repeated = known.is_some();
        match known {
            Some(event) => {
                event.deliveries += 1;
                event.changed |= event.body != body;
            }
            None => {
                let event = EventSeen {
                    seq: request.seq,
                    received_at: request.received_at(),
                    id: id.to_owned(),
                    timestamp,
                    traceparent: request.traceparent(),
                    body,
                    deliveries: 1,
                    changed: false,
                };
                keep(&mut self.events, event, EVENTS_KEPT_MAX);
            }
        }
        let outcome = if repeated { Outcome::Repeated } else { Outcome::Accepted };
        (outcome, Json(json!({"received": true, "repeated": repeated})).into_response())
    }

    fn taken(&self) -> Vec<EventSeen> {
        self.events.iter().cloned().collect()
    }

    fn say(_: &str, status: StatusCode, reason: &str) -> Response {
        error(status, reason)
    }

    #[expect(private_interfaces, reason = "nothing outside this crate can be a desk")]
    fn page(&self) -> Page {
        let entries = self.events.iter().rev().take(ENTRIES_SHOWN_MAX);
        Page {
            title: "Marketing",
            count: self.events.len(),
            entries: entries
                .map(|event| Entry {
                    heading: event.body.get("type").and_then(Value::as_str).unwrap_or("event").to_owned(),
                    facts: [
                        ("time", event.received_at.clone()),
                        ("id", event.id.clone()),
                        ("deliveries", event.deliveries.to_string()),
                    ]
                    .into_iter()
                    .chain(traced(event.traceparent.as_deref()))
                    .collect(),
                    text: serde_json::to_string_pretty(&event.body).unwrap_or_default(),
                })
                .collect(),
        }
    }
}

/// The id and the time of an event that is signed as it should be; otherwise what is wrong with it.
fn verified<'a>(knobs: &Knobs, request: &'a Received) -> Result<(&'a str, i64), &'static str> {
    let header = |name| request.header(name).filter(|value| !value.is_empty());
    let id = header("webhook-id").ok_or("webhook-id is missing")?;
    let timestamp = header("webhook-timestamp").ok_or("webhook-timestamp is missing")?;
    let signatures = header("webhook-signature").ok_or("webhook-signature is missing")?;
    let seconds = timestamp.parse::<i64>().map_err(|_| "webhook-timestamp is no number of seconds")?;
    let age = request.at.as_second().abs_diff(seconds);
    if knobs.tolerance_seconds.is_some_and(|max| age > max) {
        return Err("webhook-timestamp is too far from now");
    }
    let key = Marketing::SECRET.strip_prefix(SECRET_PREFIX).and_then(|key| BASE64.decode(key).ok());
    let mut mac = key
        .and_then(|key| Hmac::<Sha256>::new_from_slice(&key).ok())
        .ok_or("the sandbox's own secret is no secret")?;
    mac.update(format!("{id}.{timestamp}.").as_bytes());
    mac.update(&request.body);
    // Several signatures stand there while a secret is being changed.
    let good = signatures
        .split(' ')
        .filter_map(|signature| BASE64.decode(signature.strip_prefix(SIGNATURE_PREFIX)?).ok())
        .any(|signature| mac.clone().verify_slice(&signature).is_ok());
    if good { Ok((id, seconds)) } else { Err("webhook-signature does not match") }
}

fn error(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({"error": reason}))).into_response()
}

//! Slack: an incoming webhook that takes what Slack takes, within Slack's limits, and shows it.
//!
//! | path | meaning |
//! | --- | --- |
//! | `POST /services/…` | a message; any path below `/services` is a webhook |
//! | `GET /` | the messages, for people |
//! | `GET /sandbox/messages` | the messages, oldest first, see [`MessageSeen`] |
//! | `GET /sandbox/requests` | every request, whatever became of it |
//! | `GET /sandbox/stats` | counts since the start |
//! | `GET`, `PUT`, `PATCH /sandbox/knobs` | see [`Knobs`] |

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Serialize;
use serde_json::Value;

use crate::desk::{Desk, Office, Outcome, Received};
use crate::faults::{DELAY_MS_MAX, knobs};
use crate::page::{ENTRIES_SHOWN_MAX, Entry, Page, traced};
use crate::panel::keep;

pub use crate::desk::{RequestSeen, Stats};
pub use crate::faults::{Busy, Garbage};
pub use crate::stand_in::StandIn;

/// Messages kept; the oldest go first.
const MESSAGES_KEPT_MAX: usize = 5_000;
/// Blocks in a message. This limit and those below are Slack's.
const BLOCKS_MAX: usize = 50;
/// Characters in a header.
const HEADER_CHARACTERS_MAX: usize = 150;
/// Characters in the text of a section.
const SECTION_CHARACTERS_MAX: usize = 3_000;
/// Fields of a section, and characters in one.
const FIELDS_MAX: usize = 10;
const FIELD_CHARACTERS_MAX: usize = 2_000;
/// Elements of a context.
const ELEMENTS_MAX: usize = 10;
/// The types of a text object.
const ANY_TEXT: [&str; 2] = ["plain_text", "mrkdwn"];

/// A running Slack. Its webhook is [`Slack::webhook_url`].
pub type Slack = StandIn<Office<Channel>>;

knobs! {
    /// What Slack does wrong. The default is Slack on a good day.
    pub struct Knobs {
        /// Answers 429 with `Retry-After` where a message comes too soon after the last one that was taken.
        pub rate_limit: bool = false,
        /// What too soon means, in milliseconds.
        pub rate_limit_every_ms: u64 = 1_000,
    }
}

impl Knobs {
    fn own_out_of_range(&self) -> Vec<String> {
        let wrong = self.rate_limit_every_ms > DELAY_MS_MAX;
        wrong.then(|| format!("rate_limit_every_ms is more than {DELAY_MS_MAX}")).into_iter().collect()
    }
}

/// A message that was taken.
#[derive(Clone, Debug, Serialize)]
pub struct MessageSeen {
    /// The number of its request, from 1.
    pub seq: u64,
    /// When it had been read (RFC 3339).
    pub received_at: String,
    /// The webhook it came by.
    pub path: String,
    /// The header `traceparent`.
    pub traceparent: Option<String>,
    /// Its text, escaped as it was sent; empty where there is none.
    pub text: String,
    /// Its blocks; null where there are none.
    pub blocks: Value,
}

/// The channel that messages are posted to.
#[derive(Default)]
pub struct Channel {
    messages: VecDeque<MessageSeen>,
    last: Option<Instant>,
}

impl Slack {
    /// A webhook to post to, as the variable `slack_webhook_url` wants it.
    #[must_use]
    pub fn webhook_url(&self) -> String {
        format!("{}/services/T0RESTOCK/B0SANDBOX/demo", self.url())
    }

    /// The messages taken, oldest first.
    #[must_use]
    pub fn messages(&self) -> Vec<MessageSeen> {
        self.partner.taken()
    }
}

impl Desk for Channel {
    const NAME: &'static str = "slack";
    const PATHS: &'static [&'static str] = &["/services/{*webhook}"];
    const LIST: &'static str = "/sandbox/messages";
    type Knobs = Knobs;
    type Taken = MessageSeen;

    #[expect(private_interfaces, reason = "nothing outside this crate can be a desk")]
    fn take(&mut self, knobs: &Knobs, request: &Received) -> (Outcome, Response) {
        if knobs.rate_limit
            && let Some(last) = self.last
        {
            let every = Duration::from_millis(knobs.rate_limit_every_ms);
            let wait = every.saturating_sub(last.elapsed());
            if !wait.is_zero() {
                let mut response = text(StatusCode::TOO_MANY_REQUESTS, "rate_limited");
                let seconds = wait.as_millis().div_ceil(1_000);
                let seconds = u64::try_from(seconds).unwrap_or(u64::MAX);
                response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
                return (Outcome::Limited, response);
            }
        }
        let message = serde_json::from_slice::<Value>(&request.body).ok().filter(is_message);
        let Some(mut message) = message else {
            return (Outcome::Refused, text(StatusCode::BAD_REQUEST, "invalid_payload"));
        };
        let seen = MessageSeen {
            seq: request.seq,
            received_at: request.received_at(),
            path: request.uri.path().to_owned(),
            traceparent: request.traceparent(),
            text: message.get("text").and_then(Value::as_str).unwrap_or_default().to_owned(),
            blocks: message.get_mut("blocks").map(Value::take).unwrap_or_default(),
        };
        keep(&mut self.messages, seen, MESSAGES_KEPT_MAX);
        self.last = Some(Instant::now());
        (Outcome::Accepted, text(StatusCode::OK, "ok"))
    }

    fn taken(&self) -> Vec<MessageSeen> {
        self.messages.iter().cloned().collect()
    }

    fn say(_: &str, status: StatusCode, reason: &str) -> Response {
        text(status, reason)
    }

    fn unknown() -> Response {
        text(StatusCode::NOT_FOUND, "no_service")
    }

    #[expect(private_interfaces, reason = "nothing outside this crate can be a desk")]
    fn page(&self) -> Page {
        let entries = self.messages.iter().rev().take(ENTRIES_SHOWN_MAX);
        Page {
            title: "Slack",
            count: self.messages.len(),
            entries: entries
                .map(|message| Entry {
                    heading: heading(message),
                    facts: [("time", message.received_at.clone()), ("webhook", message.path.clone())]
                        .into_iter()
                        .chain(traced(message.traceparent.as_deref()))
                        .collect(),
                    text: shown(message),
                })
                .collect(),
        }
    }
}

/// Whether Slack would post it: it says something, in blocks of the right form and size.
fn is_message(message: &Value) -> bool {
    let says = message.get("text").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
    match message.get("blocks") {
        None => says,
        Some(Value::Array(blocks)) => {
            (says || !blocks.is_empty()) && blocks.len() <= BLOCKS_MAX && blocks.iter().all(is_block)
        }
        Some(_) => false,
    }
}

fn is_block(block: &Value) -> bool {
    let list = |name: &str| block.get(name).and_then(Value::as_array);
    let text = block.get("text");
    match block.get("type").and_then(Value::as_str) {
        Some("header") => text.is_some_and(|text| is_text(text, &["plain_text"], HEADER_CHARACTERS_MAX)),
        Some("section") => {
            let fields_fit = list("fields").is_none_or(|fields| {
                (1..=FIELDS_MAX).contains(&fields.len())
                    && fields.iter().all(|field| is_text(field, &ANY_TEXT, FIELD_CHARACTERS_MAX))
            });
            let text_fits = text.is_none_or(|text| is_text(text, &ANY_TEXT, SECTION_CHARACTERS_MAX));
            (text.is_some() || block.get("fields").is_some()) && fields_fit && text_fits
        }
        Some("context") => {
            list("elements").is_some_and(|elements| (1..=ELEMENTS_MAX).contains(&elements.len()))
        }
        Some(_) => true,
        None => false,
    }
}

/// Whether this is a text object of one of these types that says something in so many characters.
fn is_text(text: &Value, types: &[&str], characters_max: usize) -> bool {
    let field = |name: &str| text.get(name).and_then(Value::as_str).unwrap_or_default();
    types.contains(&field("type")) && (1..=characters_max).contains(&field("text").chars().count())
}

/// What stands above a message: its header, or the first line of its text.
fn heading(message: &MessageSeen) -> String {
    let header = blocks(message).find(|block| is_a("header", block)).map(|block| words(block.get("text")));
    header.unwrap_or_else(|| unescaped(message.text.lines().next().unwrap_or_default()))
}

/// The rest of a message, as people see it: the blocks where there are some, two fields to a line as Slack sets them, else the text.
fn shown(message: &MessageSeen) -> String {
    if blocks(message).next().is_none() {
        return unescaped(&message.text);
    }
    let listed = |block: &Value, name: &str| -> Vec<String> {
        let list = block.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        list.iter().map(|text| words(Some(text))).collect()
    };
    let mut parts = Vec::new();
    for block in blocks(message).filter(|block| !is_a("header", block)) {
        parts.push(words(block.get("text")));
        let fields = listed(block, "fields");
        parts.push(fields.chunks(2).map(|pair| pair.join(": ")).collect::<Vec<_>>().join("\n"));
        parts.extend(listed(block, "elements"));
    }
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

fn blocks(message: &MessageSeen) -> impl Iterator<Item = &Value> {
    message.blocks.as_array().into_iter().flatten()
}

fn is_a(kind: &str, block: &Value) -> bool {
    block.get("type").and_then(Value::as_str) == Some(kind)
}

/// What a text object says.
fn words(text: Option<&Value>) -> String {
    unescaped(text.and_then(|text| text.get("text")).and_then(Value::as_str).unwrap_or_default())
}

/// Slack's three entities, as Slack shows them.
fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

fn text(status: StatusCode, text: &str) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text.to_owned()).into_response()
}

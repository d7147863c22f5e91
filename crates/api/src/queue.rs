//! Queues, messages, and what operators do to them.

use crate::Time;
use crate::decode::{self, Fields, Invalid};
use crate::stock::REASON;
use restock_domain::name::{self, REASON_CHARACTERS_MAX};
use serde::Serialize;
use serde_json::Value;

/// Dead letters that one redrive or purge touches where the operator does not say.
pub const SELECTION_LIMIT_DEFAULT: u32 = 1_000;
/// Dead letters that one redrive or purge touches at most.
pub const SELECTION_LIMIT_MAX: u32 = 10_000;
/// Ids in one redrive or purge at most.
pub const SELECTION_IDS_MAX: usize = 1_000;

/// A queue at one moment, with its limits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Queue {
    /// Its name.
    pub queue: String,
    /// Gives out nothing while true.
    pub paused: bool,
    /// Messages that wait.
    pub ready: u64,
    /// Messages that a worker has.
    pub leased: u64,
    /// Dead letters.
    pub buried: u64,
    /// Messages that were finished since the queue exists.
    pub done_total: u64,
    /// Age of the oldest message that waits, seconds.
    pub oldest_ready_seconds: u64,
    /// Keeps the order of messages with the same subject.
    pub ordered: bool,
    /// How long a worker may keep a message, ms.
    pub lease_ms: u64,
    /// Messages that workers may have at a time.
    pub in_flight_max: u32,
    /// How long finished messages are kept, ms.
    pub retention_ms: u64,
    /// Attempts before a message is buried; null: the application's `attempts_max`.
    pub attempts_max: Option<u32>,
}

/// The state of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MessageState {
    /// It waits.
    Ready,
    /// A worker has it.
    Leased,
    /// It is finished.
    Done,
    /// It is a dead letter.
    Buried,
    /// An operator removed it, on record.
    Purged,
}

/// What happened: a CloudEvents 1.0 record in its JSON form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Event {
    /// Always `1.0`.
    pub specversion: &'static str,
    /// Identifies the event.
    pub id: String,
    /// Who says so.
    pub source: String,
    /// The topic.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about.
    pub subject: String,
    /// When it happened.
    pub time: Time,
    /// Always `application/json`.
    pub datacontenttype: &'static str,
    /// What is said.
    pub data: Value,
}

/// One attempt at a message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Attempt {
    /// When a worker took it.
    pub started_at: Time,
    /// When the attempt ended.
    pub ended_at: Time,
    /// `done`, `retry`, `postpone`, `bury` or `lease-expired`.
    pub outcome: String,
    /// The kind of failure; empty where there was none.
    pub reason: String,
    /// The failure in words; empty where there was none.
    pub error: String,
}

/// A message with its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Message {
    /// Identifies the message.
    pub id: String,
    /// The queue it is in.
    pub queue: String,
    /// Its state.
    pub state: MessageState,
    /// What it carries.
    pub event: Event,
    /// Attempts since it was published or last redriven.
    pub attempt: u32,
    /// When it is next due.
    pub available_at: Time,
    /// How often it was redriven.
    pub redrives: u32,
    /// When it was published.
    pub created_at: Time,
    /// When it was finished, buried or purged.
    pub settled_at: Option<Time>,
    /// The kind of its last failure.
    pub reason: String,
    /// Its last failure in words.
    pub error: String,
    /// Every attempt, oldest first, across redrives.
    pub attempts: Vec<Attempt>,
}

/// Which dead letters an operator means: exactly one of the fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// These.
    Ids(Vec<String>),
    /// All whose last failure is of this kind.
    Reason(String),
    /// All.
    All,
}

/// Makes dead letters ready again. Exactly one of `ids`, `reason` and `all`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct RedriveRequest {
    /// These messages.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 1000))]
    pub ids: Option<Vec<String>>,
    /// All whose last failure is of this kind.
    pub reason: Option<String>,
    /// `true`: all.
    pub all: Option<bool>,
    /// At most so many; 1000 where it is left out.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 10000))]
    pub limit: Option<u32>,
}

impl RedriveRequest {
    /// Reads which dead letters are meant, and how many at most.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(body: &[u8]) -> Result<(Selection, u32), Invalid> {
        decode::object(body, |fields| {
            let named = ["ids", "reason", "all"].iter().filter(|name| fields.has(name)).count();
            if named != 1 {
                fields.whole("must hold exactly one of ids, reason and all");
            }
            let ids = ids(fields);
            let reason = fields.optional_text("reason", |text| name::is_text(text, 100), "a kind of failure");
            let all = all(fields);
            let limit = limit(fields);
            let chosen = ids.map(Selection::Ids).or(reason.map(Selection::Reason)).or(all);
            Some((chosen?, limit))
        })
    }
}

/// Removes dead letters for good. Exactly one of `ids` and `all`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PurgeRequest {
    /// These messages.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 1000))]
    pub ids: Option<Vec<String>>,
    /// `true`: all.
    pub all: Option<bool>,
    /// Why; goes on record.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    pub reason: String,
    /// At most so many; 1000 where it is left out.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 10000))]
    pub limit: Option<u32>,
}

impl PurgeRequest {
    /// Reads which dead letters are meant, how many at most, and why.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(body: &[u8]) -> Result<(Selection, u32, String), Invalid> {
        decode::object(body, |fields| {
            if fields.has("ids") == fields.has("all") {
                fields.whole("must hold exactly one of ids and all");
            }
            let ids = ids(fields);
            let all = all(fields);
            let reason = fields.text("reason", |text| name::is_text(text, REASON_CHARACTERS_MAX), REASON);
            let limit = limit(fields);
            Some((ids.map(Selection::Ids).or(all)?, limit, reason?))
        })
    }
}

/// Why a queue is paused or resumed. The body may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct PauseRequest {
    /// Why; goes on record.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    pub reason: Option<String>,
}

impl PauseRequest {
    /// Reads why; an empty body says nothing.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(body: &[u8]) -> Result<Self, Invalid> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        decode::object(body, |fields| {
            let reason =
                fields.optional_text("reason", |text| name::is_text(text, REASON_CHARACTERS_MAX), REASON);
            Some(Self { reason })
        })
    }
}

fn ids(fields: &mut Fields) -> Option<Vec<String>> {
    fields.optional_texts("ids", 1..=SELECTION_IDS_MAX, name::is_identifier, "the id of a message")
}

fn all(fields: &mut Fields) -> Option<Selection> {
    if !fields.has("all") {
        return None;
    }
    let all = fields.boolean("all");
    if all == Some(false) {
        fields.fault("all", "must be true, or be left out");
    }
    Some(Selection::All)
}

fn limit(fields: &mut Fields) -> u32 {
    fields
        .optional_integer("limit", 1..=i64::from(SELECTION_LIMIT_MAX))
        .and_then(|limit| u32::try_from(limit).ok())
        .unwrap_or(SELECTION_LIMIT_DEFAULT)
}

/// The answer to a redrive.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Redriven {
    /// Dead letters that were made ready again.
    pub redriven: u32,
}

/// The answer to a purge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Purged {
    /// Dead letters that were removed.
    pub purged: u32,
}

/// The answer to pausing or resuming.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Paused {
    /// The queue.
    pub queue: String,
    /// Whether it gives out nothing now.
    pub paused: bool,
}

/// What a drain did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Drained {
    /// Messages that were taken.
    pub claimed: u32,
    /// Finished.
    pub done: u32,
    /// To be tried again; the attempt counts.
    pub retried: u32,
    /// To be tried again; the attempt does not count.
    pub postponed: u32,
    /// Made dead letters.
    pub buried: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers<T: std::fmt::Debug>(decoded: Result<T, Invalid>) -> Vec<String> {
        match decoded {
            Err(Invalid::Faulty(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
            other => panic!("no faults: {other:?}"),
        }
    }

    #[test]
    fn a_redrive_means_exactly_one_selection() {
        assert_eq!(RedriveRequest::decode(br#"{"all":true}"#), Ok((Selection::All, 1_000)));
        assert_eq!(
            RedriveRequest::decode(br#"{"reason":"factory-failing","limit":5}"#),
            Ok((Selection::Reason("factory-failing".to_owned()), 5))
        );
        assert_eq!(
            RedriveRequest::decode(br#"{"ids":["a"]}"#),
            Ok((Selection::Ids(vec!["a".to_owned()]), 1_000))
        );
        assert_eq!(pointers(RedriveRequest::decode(b"{}")), [""]);
        assert_eq!(pointers(RedriveRequest::decode(br#"{"all":true,"reason":"x"}"#)), [""]);
        assert_eq!(pointers(RedriveRequest::decode(br#"{"all":false}"#)), ["/all"]);
        assert_eq!(pointers(RedriveRequest::decode(br#"{"ids":[],"limit":0}"#)), ["/ids", "/limit"]);
        assert_eq!(pointers(RedriveRequest::decode(br#"{"ids":["a",7]}"#)), ["/ids/1"]);
    }

    #[test]
    fn a_purge_needs_a_reason() {
        assert!(PurgeRequest::decode(br#"{"all":true,"reason":"test data"}"#).is_ok());
        assert_eq!(pointers(PurgeRequest::decode(br#"{"all":true}"#)), ["/reason"]);
        assert_eq!(pointers(PurgeRequest::decode(br#"{"reason":"x"}"#)), [""]);
    }

    #[test]
    fn pausing_needs_no_body() {
        assert_eq!(PauseRequest::decode(b""), Ok(PauseRequest::default()));
        assert_eq!(pointers(PauseRequest::decode(br#"{"why":"x"}"#)), ["/why"]);
    }
}

//! Queues, messages, and what operators do to them.

use crate::decode::{self, Fields, Invalid};
use crate::stock::REASON;
use crate::{Page, Time};
use restock_domain::name::{self, REASON_CHARACTERS_MAX};
use serde::Serialize;
use serde_json::Value;

/// Dead letters that one redrive or purge touches where the operator does not say.
pub const SELECTION_LIMIT_DEFAULT: u32 = 1_000;
/// Dead letters that one redrive or purge touches at most.
pub const SELECTION_LIMIT_MAX: u32 = 10_000;
/// Ids in one redrive or purge at most.
pub const SELECTION_IDS_MAX: usize = 1_000;
/// The longest kind of failure, in characters.
const FAILURE_CHARACTERS_MAX: usize = 100;
/// What a kind of failure is, after "must be".
pub const FAILURE: &str = "a kind of failure, such as `mail-refused`";

/// Whether a text can be a kind of failure.
#[must_use]
pub fn is_failure(text: &str) -> bool {
    name::is_text(text, FAILURE_CHARACTERS_MAX)
}

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
    /// Those of the ready ones that are due; the others were postponed, or are to be tried again later.
    pub due: u64,
    /// For how long the first of them has been due, seconds.
    pub oldest_due_seconds: u64,
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
    /// The W3C trace context of what led to it: the extension for distributed tracing. Absent where nothing is known of it.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    )]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
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
    /// How long it took, ms. Where the worker did not come back: how long it took to be noticed.
    #[cfg_attr(feature = "openapi", schema(example = 183))]
    pub duration_ms: u64,
    /// `done`, `retry`, `postpone`, `bury` or `lease-expired`.
    #[cfg_attr(feature = "openapi", schema(example = "bury"))]
    pub outcome: String,
    /// The kind of failure; empty where there was none. `<partner>-<kind>` where a partner is concerned.
    #[cfg_attr(feature = "openapi", schema(example = "mail-refused"))]
    pub reason: String,
    /// What was answered: the partner's status and the beginning of its own words. In our words where it did not answer or
    /// was not called; empty where nothing failed.
    #[cfg_attr(feature = "openapi", schema(example = "answered 400: no such address"))]
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
    #[cfg_attr(feature = "openapi", schema(example = "mail-refused"))]
    pub reason: String,
    /// Its last failure in words: what was answered, as in its attempts.
    #[cfg_attr(feature = "openapi", schema(example = "answered 400: no such address"))]
    pub error: String,
    /// The newest 100 attempts, oldest first, across redrives. Waits in a row for one reason are one.
    pub attempts: Vec<Attempt>,
}

/// Dead letters whose last failure is of the same kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct BuriedGroup {
    /// The kind of failure; what a redrive of all of them selects by.
    #[cfg_attr(feature = "openapi", schema(example = "mail-refused"))]
    pub reason: String,
    /// How many.
    #[cfg_attr(feature = "openapi", schema(example = 12))]
    pub count: u64,
    /// When the oldest of them was buried.
    pub oldest_at: Time,
    /// When the newest of them was buried.
    pub newest_at: Time,
    /// What was answered to the newest one, in words.
    #[cfg_attr(feature = "openapi", schema(example = "answered 400: no such address"))]
    pub error: String,
}

/// One page of a queue's dead letters, and the kinds that all of them fall into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Buried {
    /// Those of this page.
    #[serde(flatten)]
    pub page: Page<Message>,
    /// All dead letters of the queue by kind of failure, whatever the page and the filter, most numerous first, at most 100
    /// kinds. Counted beside the page, so that they can differ by what happens at that moment.
    pub groups: Vec<BuriedGroup>,
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

/// What a redrive or a purge is to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Which dead letters.
    pub selection: Selection,
    /// How many of them at most.
    pub limit: u32,
    /// Only count them.
    pub dry_run: bool,
    /// Why, in the operator's words; empty where none were given.
    pub words: String,
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
    #[cfg_attr(feature = "openapi", schema(example = "mail-refused"))]
    pub reason: Option<String>,
    /// `true`: all.
    pub all: Option<bool>,
    /// At most so many; 1000 where it is left out.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 10000))]
    pub limit: Option<u32>,
    /// `true`: only count them. Nothing is changed, and nothing goes on record.
    pub dry_run: Option<bool>,
    /// Why; goes on record as the operation's `reason`.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    pub note: Option<String>,
}

impl RedriveRequest {
    /// Reads what is to be done.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(body: &[u8]) -> Result<Choice, Invalid> {
        decode::object(body, |fields| {
            let named = ["ids", "reason", "all"].iter().filter(|name| fields.has(name)).count();
            if named != 1 {
                fields.whole("must hold exactly one of ids, reason and all");
            }
            let ids = ids(fields);
            let reason = fields.optional_text("reason", is_failure, FAILURE);
            let all = all(fields);
            let limit = limit(fields);
            let dry_run = fields.optional_boolean("dry_run").unwrap_or_default();
            let note =
                fields.optional_text("note", |text| name::is_text(text, REASON_CHARACTERS_MAX), REASON);
            let selection = ids.map(Selection::Ids).or(reason.map(Selection::Reason)).or(all);
            Some(Choice { selection: selection?, limit, dry_run, words: note.unwrap_or_default() })
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
    /// `true`: only count them. Nothing is changed, and nothing goes on record.
    pub dry_run: Option<bool>,
}

impl PurgeRequest {
    /// Reads what is to be done. A dry run needs a reason as well: what it accepts is what the purge accepts.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(body: &[u8]) -> Result<Choice, Invalid> {
        decode::object(body, |fields| {
            if fields.has("ids") == fields.has("all") {
                fields.whole("must hold exactly one of ids and all");
            }
            let ids = ids(fields);
            let all = all(fields);
            let reason = fields.text("reason", |text| name::is_text(text, REASON_CHARACTERS_MAX), REASON);
            let limit = limit(fields);
            let dry_run = fields.optional_boolean("dry_run").unwrap_or_default();
            Some(Choice { selection: ids.map(Selection::Ids).or(all)?, limit, dry_run, words: reason? })
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
    /// Dead letters that were made ready again; in a dry run, that would be.
    #[cfg_attr(feature = "openapi", schema(example = 12))]
    pub redriven: u32,
    /// `true`: nothing was changed. Left out otherwise.
    #[serde(skip_serializing_if = "is_false")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub dry_run: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes every field by reference")]
fn is_false(value: &bool) -> bool {
    !value
}

/// The answer to a purge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Purged {
    /// Dead letters that were removed; in a dry run, that would be.
    #[cfg_attr(feature = "openapi", schema(example = 12))]
    pub purged: u32,
    /// `true`: nothing was changed. Left out otherwise.
    #[serde(skip_serializing_if = "is_false")]
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub dry_run: bool,
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
    use serde_json::json;

    fn pointers<T: std::fmt::Debug>(decoded: Result<T, Invalid>) -> Vec<String> {
        match decoded {
            Err(Invalid::Faulty(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
            other => panic!("no faults: {other:?}"),
        }
    }

    #[test]
    fn a_redrive_means_exactly_one_selection() {
        let plain = |selection, limit| Choice { selection, limit, dry_run: false, words: String::new() };
        assert_eq!(RedriveRequest::decode(br#"{"all":true}"#), Ok(plain(Selection::All, 1_000)));
        assert_eq!(
            RedriveRequest::decode(br#"{"reason":"factory-failing","limit":5}"#),
            Ok(plain(Selection::Reason("factory-failing".to_owned()), 5))
        );
        assert_eq!(
            RedriveRequest::decode(br#"{"ids":["a"]}"#),
            Ok(plain(Selection::Ids(vec!["a".to_owned()]), 1_000))
        );
        assert_eq!(pointers(RedriveRequest::decode(b"{}")), [""]);
        assert_eq!(pointers(RedriveRequest::decode(br#"{"all":true,"reason":"x"}"#)), [""]);
        assert_eq!(pointers(RedriveRequest::decode(br#"{"all":false}"#)), ["/all"]);
        assert_eq!(pointers(RedriveRequest::decode(br#"{"ids":[],"limit":0}"#)), ["/ids", "/limit"]);
        assert_eq!(pointers(RedriveRequest::decode(br#"{"ids":["a",7]}"#)), ["/ids/1"]);
    }

    #[test]
    fn a_redrive_is_dry_only_where_it_says_so_and_its_note_is_no_selection() {
        let decode = |body: &[u8]| RedriveRequest::decode(body).map(|choice| (choice.dry_run, choice.words));
        assert_eq!(decode(br#"{"all":true,"dry_run":true}"#), Ok((true, String::new())));
        for not_dry in
            [r#"{"all":true}"#, r#"{"all":true,"dry_run":false}"#, r#"{"all":true,"dry_run":null}"#]
        {
            assert_eq!(decode(not_dry.as_bytes()), Ok((false, String::new())), "{not_dry}");
        }
        assert_eq!(
            decode(br#"{"reason":"mail-refused","note":"the address was corrected"}"#),
            Ok((false, "the address was corrected".to_owned()))
        );
        assert_eq!(pointers(RedriveRequest::decode(br#"{"note":"x"}"#)), [""]);
        // What is not understood must not become the real thing.
        assert_eq!(pointers(RedriveRequest::decode(br#"{"all":true,"dry_run":"yes"}"#)), ["/dry_run"]);
        assert_eq!(pointers(RedriveRequest::decode(br#"{"all":true,"dry-run":true}"#)), ["/dry-run"]);
    }

    #[test]
    fn a_dry_run_is_told_apart_from_the_real_thing() {
        let redriven = |dry_run| serde_json::to_value(Redriven { redriven: 2, dry_run }).expect("JSON");
        assert_eq!(redriven(true), json!({"redriven": 2, "dry_run": true}));
        assert_eq!(redriven(false), json!({"redriven": 2}));
        let purged = |dry_run| serde_json::to_value(Purged { purged: 2, dry_run }).expect("JSON");
        assert_eq!(purged(true), json!({"purged": 2, "dry_run": true}));
        assert_eq!(purged(false), json!({"purged": 2}));
    }

    #[test]
    fn dead_letters_are_a_page_with_their_groups_beside_it() {
        let group = BuriedGroup {
            reason: "mail-refused".to_owned(),
            count: 2,
            oldest_at: Time(0),
            newest_at: Time(1_000),
            error: "answered 400: no".to_owned(),
        };
        let buried = Buried { page: Page::whole(Vec::new()), groups: vec![group] };
        assert_eq!(
            serde_json::to_value(buried).expect("JSON"),
            json!({
                "items": [],
                "next_cursor": null,
                "groups": [{"reason": "mail-refused", "count": 2, "oldest_at": "1970-01-01T00:00:00.000Z",
                    "newest_at": "1970-01-01T00:00:01.000Z", "error": "answered 400: no"}],
            })
        );
    }

    #[test]
    fn a_purge_needs_a_reason() {
        let choice =
            PurgeRequest::decode(br#"{"all":true,"reason":"test data","dry_run":true}"#).expect("a choice");
        assert_eq!((choice.dry_run, choice.words.as_str()), (true, "test data"));
        assert_eq!(pointers(PurgeRequest::decode(br#"{"all":true,"dry_run":true}"#)), ["/reason"]);
        assert_eq!(pointers(PurgeRequest::decode(br#"{"all":true}"#)), ["/reason"]);
        assert_eq!(pointers(PurgeRequest::decode(br#"{"reason":"x"}"#)), [""]);
    }

    #[test]
    fn pausing_needs_no_body() {
        assert_eq!(PauseRequest::decode(b""), Ok(PauseRequest::default()));
        assert_eq!(pointers(PauseRequest::decode(br#"{"why":"x"}"#)), ["/why"]);
    }
}

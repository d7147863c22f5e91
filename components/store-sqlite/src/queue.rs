//! Messages that must not be lost.

use serde::{Deserialize, Serialize};
use spin_sdk::sqlite::Value;

use crate::Store;
use crate::connection::Shared;
use crate::database::Database;
use crate::restock::queue::{
    Action, Attempt, Delivery, Event, Guest, Message, MessageState, Operation, Selection, Settlement, Status,
    Verdict,
};
use crate::restock::types::{Fault, Page};
use crate::row::{Row, before, json_parameter, limit, millis};

/// Characters of a failure's words that are kept.
const ERROR_CHARS_MAX: usize = 2_000;
/// Characters of a failure's kind that are kept.
const REASON_CHARS_MAX: usize = 100;

impl Guest for Store {
    async fn claim(queue: String, limit: u32, now: u64) -> Result<Vec<Delivery>, Fault> {
        claim(&Shared, queue, limit, now).await
    }

    async fn settle(settlements: Vec<Settlement>, now: u64) -> Result<Vec<String>, Fault> {
        settle(&Shared, settlements, now).await
    }

    async fn due(now: u64) -> Result<Vec<String>, Fault> {
        due(&Shared, now).await
    }

    async fn list(now: u64) -> Result<Vec<Status>, Fault> {
        list(&Shared, now).await
    }

    async fn buried(queue: String, page: Page) -> Result<Option<Vec<Message>>, Fault> {
        buried(&Shared, queue, page).await
    }

    async fn get(id: String) -> Result<Option<Message>, Fault> {
        get(&Shared, id).await
    }

    async fn operate(operation: Operation) -> Result<Option<u32>, Fault> {
        operate(&Shared, operation).await
    }
}

/// Takes due messages under lease.
pub(crate) async fn claim(
    database: &impl Database,
    queue: String,
    limit: u32,
    now: u64,
) -> Result<Vec<Delivery>, Fault> {
    let parameters = vec![queue.into(), limit.into(), millis(now)];
    let rows = database.write(include_str!("sql/message_claim.sql"), parameters).await?;
    let mut deliveries = rows.into_iter().map(delivery).collect::<Result<Vec<_>, _>>()?;
    deliveries.sort_by_key(|(sequence, _)| *sequence);
    Ok(deliveries.into_iter().map(|(_, delivery)| delivery).collect())
}

/// A settlement as the statement reads it.
#[derive(Serialize)]
struct Word {
    message_id: String,
    receipt: String,
    verdict: &'static str,
    until: Option<u64>,
    reason: String,
    error: String,
}

impl From<Settlement> for Word {
    fn from(settlement: Settlement) -> Self {
        let (verdict, until) = match settlement.verdict {
            Verdict::Done => ("done", None),
            Verdict::Retry(at) => ("retry", Some(at)),
            Verdict::Postpone(at) => ("postpone", Some(at)),
            Verdict::Bury => ("bury", None),
        };
        Self {
            message_id: settlement.message_id,
            receipt: settlement.receipt,
            verdict,
            until: until.map(|at| at.min(i64::MAX.unsigned_abs())),
            reason: settlement.reason.chars().take(REASON_CHARS_MAX).collect(),
            error: settlement.error.chars().take(ERROR_CHARS_MAX).collect(),
        }
    }
}

/// Ends a batch of attempts.
pub(crate) async fn settle(
    database: &impl Database,
    settlements: Vec<Settlement>,
    now: u64,
) -> Result<Vec<String>, Fault> {
    if settlements.is_empty() {
        return Ok(Vec::new());
    }
    let words: Vec<Word> = settlements.into_iter().map(Word::from).collect();
    let parameters = vec![json_parameter(&words)?, millis(now)];
    let rows = database.write(include_str!("sql/message_settle.sql"), parameters).await?;
    rows.into_iter().map(|mut row| row.text()).collect()
}

/// Reads the queues that have work.
pub(crate) async fn due(database: &impl Database, now: u64) -> Result<Vec<String>, Fault> {
    let rows = database.read(include_str!("sql/queue_due.sql"), vec![millis(now)]).await?;
    rows.into_iter().map(|mut row| row.text()).collect()
}

/// Reads all queues.
pub(crate) async fn list(database: &impl Database, now: u64) -> Result<Vec<Status>, Fault> {
    let rows = database.read(include_str!("sql/queue_list.sql"), vec![millis(now)]).await?;
    rows.into_iter().map(status).collect()
}

/// Reads a page of dead letters.
pub(crate) async fn buried(
    database: &impl Database,
    queue: String,
    page: Page,
) -> Result<Option<Vec<Message>>, Fault> {
    let parameters = vec![queue.as_str().into(), before(&page), limit(&page)];
    let rows = database.read(include_str!("sql/message_list_buried.sql"), parameters).await?;
    if rows.is_empty()
        && database.read_one(include_str!("sql/queue_get.sql"), vec![queue.into()]).await?.is_none()
    {
        return Ok(None);
    }
    rows.into_iter().map(message).collect::<Result<_, _>>().map(Some)
}

/// Reads one message.
pub(crate) async fn get(database: &impl Database, id: String) -> Result<Option<Message>, Fault> {
    let row = database.read_one(include_str!("sql/message_get.sql"), vec![id.into()]).await?;
    row.map(message).transpose()
}

/// Carries out an operator's action.
pub(crate) async fn operate(database: &impl Database, operation: Operation) -> Result<Option<u32>, Fault> {
    let Operation { queue, action, reason, operator, at } = operation;
    let (kind, selection) = match action {
        Action::Pause => ("pause", None),
        Action::Resume => ("resume", None),
        Action::Redrive(selection) => ("redrive", Some(selection)),
        Action::Purge(selection) => ("purge", Some(selection)),
    };
    let (which, limit) = match selection {
        None => (None, 0),
        Some((selection, limit)) => (Some(selection), limit),
    };
    let (which, ids, last_reason) = match which {
        None => ("none", Value::Null, Value::Null),
        Some(Selection::All) => ("all", Value::Null, Value::Null),
        Some(Selection::Reason(reason)) => ("reason", Value::Null, reason.into()),
        Some(Selection::Ids(ids)) => ("ids", json_parameter(&ids)?, Value::Null),
    };
    let parameters = vec![
        kind.into(),
        queue.into(),
        which.into(),
        ids,
        last_reason,
        limit.into(),
        reason.into(),
        operator.into(),
        millis(at),
    ];
    let rows = database.write(include_str!("sql/operation_insert.sql"), parameters).await?;
    rows.into_iter().next().map(|mut row| row.integer()).transpose()
}

fn delivery(mut row: Row) -> Result<(i64, Delivery), Fault> {
    let sequence = row.integer()?;
    let (message_id, receipt) = (row.text()?, row.text()?);
    let (attempt, leased_until) = (row.integer()?, row.integer()?);
    let (id, subject) = (row.text()?, row.text()?);
    let event = Event {
        id,
        subject,
        source: row.text()?,
        kind: row.text()?,
        time: row.integer()?,
        data: row.text()?,
    };
    Ok((sequence, Delivery { message_id, receipt, attempt, leased_until, event }))
}

fn status(mut row: Row) -> Result<Status, Fault> {
    Ok(Status {
        queue: row.text()?,
        paused: row.flag()?,
        ordered: row.flag()?,
        ready: row.integer()?,
        leased: row.integer()?,
        buried: row.integer()?,
        done_total: row.integer()?,
        oldest_ready_seconds: row.integer()?,
        lease_ms: row.integer()?,
        in_flight_max: row.integer()?,
        retention_ms: row.integer()?,
        attempts_max: row.optional_integer()?,
    })
}

/// An attempt as the statement writes it.
#[derive(Deserialize)]
struct KeptAttempt {
    started_at: u64,
    ended_at: u64,
    outcome: String,
    reason: String,
    error: String,
}

fn message(mut row: Row) -> Result<Message, Fault> {
    let (id, queue) = (row.text()?, row.text()?);
    let state = row.word(message_state)?;
    let (attempt, available_at, redrives) = (row.integer()?, row.integer()?, row.integer()?);
    let (created_at, settled_at) = (row.integer()?, row.optional_integer()?);
    let (reason, error) = (row.text()?, row.text()?);
    let cursor = row.integer::<i64>()?.to_string();
    let event = Event {
        id: row.text()?,
        source: row.text()?,
        kind: row.text()?,
        subject: row.text()?,
        time: row.integer()?,
        data: row.text()?,
    };
    let attempts: Vec<KeptAttempt> = row.json()?;
    let attempts = attempts
        .into_iter()
        .map(|KeptAttempt { started_at, ended_at, outcome, reason, error }| Attempt {
            started_at,
            ended_at,
            outcome,
            reason,
            error,
        })
        .collect();
    Ok(Message {
        id,
        queue,
        state,
        event,
        attempt,
        available_at,
        redrives,
        created_at,
        settled_at,
        reason,
        error,
        attempts,
        cursor,
    })
}

fn message_state(word: &str) -> Option<MessageState> {
    Some(match word {
        "ready" => MessageState::Ready,
        "leased" => MessageState::Leased,
        "done" => MessageState::Done,
        "buried" => MessageState::Buried,
        "purged" => MessageState::Purged,
        _ => return None,
    })
}

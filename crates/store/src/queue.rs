//! Messages that must not be lost.

use serde::{Deserialize, Serialize};

use crate::Store;
use crate::database::{Database, Value};
use crate::engine::Engine;
use crate::restock::queue::{
    Action, Attempt, BuriedGroup, Delivery, Event, Guest, Message, MessageState, Operation, Selection,
    Settlement, Status, Verdict,
};
use crate::restock::types::{Fault, Page};
use crate::row::{Row, before, json_parameter, limit, listed, millis};

/// Characters of a failure's words that are kept.
const ERROR_CHARS_MAX: usize = 2_000;
/// Characters of a failure's kind that are kept.
const REASON_CHARS_MAX: usize = 100;
/// Kinds of failure that dead letters are grouped by.
const BURIED_GROUPS_MAX: i64 = 100;
/// Attempts that a message shows.
const ATTEMPTS_SHOWN_MAX: i64 = 100;

impl<E: Engine> Guest for Store<E> {
    async fn claim(queue: String, limit: u32, now: u64) -> Result<Vec<Delivery>, Fault> {
        claim(E::shop(), queue, limit, now).await
    }

    async fn settle(settlements: Vec<Settlement>, now: u64) -> Result<Vec<String>, Fault> {
        settle(E::shop(), settlements, now).await
    }

    async fn due(now: u64) -> Result<Vec<String>, Fault> {
        due(E::shop(), now).await
    }

    async fn list(now: u64) -> Result<Vec<Status>, Fault> {
        list(E::shop(), now).await
    }

    async fn buried(
        queue: String,
        reason: Option<String>,
        page: Page,
    ) -> Result<Option<Vec<Message>>, Fault> {
        buried(E::shop(), queue, reason, page).await
    }

    async fn buried_groups(queue: String) -> Result<Option<Vec<BuriedGroup>>, Fault> {
        buried_groups(E::shop(), queue).await
    }

    async fn get(id: String) -> Result<Option<Message>, Fault> {
        get(E::shop(), id).await
    }

    async fn operate(operation: Operation) -> Result<Option<u32>, Fault> {
        operate(E::shop(), operation).await
    }

    async fn selected(queue: String, selection: Selection, limit: u32) -> Result<Option<u32>, Fault> {
        selected(E::shop(), queue, selection, limit).await
    }
}

/// Takes due messages under lease.
pub async fn claim(
    database: &impl Database,
    queue: String,
    limit: u32,
    now: u64,
) -> Result<Vec<Delivery>, Fault> {
    let parameters = vec![queue.into(), limit.into(), millis(now)];
    let rows = database.write(database.sql().message_claim, parameters).await?;
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
pub async fn settle(
    database: &impl Database,
    settlements: Vec<Settlement>,
    now: u64,
) -> Result<Vec<String>, Fault> {
    if settlements.is_empty() {
        return Ok(Vec::new());
    }
    let words: Vec<Word> = settlements.into_iter().map(Word::from).collect();
    let parameters = vec![json_parameter(&words)?, millis(now)];
    let rows = database.write(database.sql().message_settle, parameters).await?;
    rows.into_iter().map(|mut row| row.text()).collect()
}

/// Reads the queues that have work.
pub async fn due(database: &impl Database, now: u64) -> Result<Vec<String>, Fault> {
    let rows = database.read(database.sql().queue_due, vec![millis(now)]).await?;
    rows.into_iter().map(|mut row| row.text()).collect()
}

/// Reads all queues.
pub async fn list(database: &impl Database, now: u64) -> Result<Vec<Status>, Fault> {
    let rows = database.read(database.sql().queue_list, vec![millis(now)]).await?;
    rows.into_iter().map(status).collect()
}

/// Reads a page of dead letters.
pub async fn buried(
    database: &impl Database,
    queue: String,
    reason: Option<String>,
    page: Page,
) -> Result<Option<Vec<Message>>, Fault> {
    let mut parameters =
        vec![queue.as_str().into(), before(&page), limit(&page), Value::Integer(ATTEMPTS_SHOWN_MAX)];
    let sql = match reason {
        None => database.sql().message_list_buried,
        Some(reason) => {
            parameters.push(reason.into());
            database.sql().message_list_buried_by_reason
        }
    };
    let rows = database.read(sql, parameters).await?;
    if rows.is_empty() && !is_known(database, queue).await? {
        return Ok(None);
    }
    listed(rows).map(message).collect::<Result<_, _>>().map(Some)
}

/// Groups dead letters by the kind of their last failure.
pub async fn buried_groups(
    database: &impl Database,
    queue: String,
) -> Result<Option<Vec<BuriedGroup>>, Fault> {
    let parameters = vec![queue.as_str().into(), Value::Integer(BURIED_GROUPS_MAX)];
    let rows = database.read(database.sql().message_buried_groups, parameters).await?;
    if rows.is_empty() && !is_known(database, queue).await? {
        return Ok(None);
    }
    let groups = listed(rows).map(|mut row| {
        Ok(BuriedGroup {
            reason: row.text()?,
            count: row.integer()?,
            oldest_at: row.integer()?,
            newest_at: row.integer()?,
            error: row.text()?,
        })
    });
    groups.collect::<Result<_, _>>().map(Some)
}

async fn is_known(database: &impl Database, queue: String) -> Result<bool, Fault> {
    Ok(database.read_one(database.sql().queue_get, vec![queue.into()]).await?.is_some())
}

/// Reads one message.
pub async fn get(database: &impl Database, id: String) -> Result<Option<Message>, Fault> {
    let parameters = vec![id.into(), Value::Integer(ATTEMPTS_SHOWN_MAX)];
    let row = database.read_one(database.sql().message_get, parameters).await?;
    row.map(message).transpose()
}

/// Carries out an operator's action.
pub async fn operate(database: &impl Database, operation: Operation) -> Result<Option<u32>, Fault> {
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
    let [which, ids, last_reason] = match which {
        None => ["none".into(), Value::Null, Value::Null],
        Some(selection) => selection_parameters(selection)?,
    };
    let parameters = vec![
        kind.into(),
        queue.into(),
        which,
        ids,
        last_reason,
        limit.into(),
        reason.into(),
        operator.into(),
        millis(at),
    ];
    let rows = database.write(database.sql().operation_insert, parameters).await?;
    rows.into_iter().next().map(|mut row| row.integer()).transpose()
}

/// Counts the dead letters that an action would touch.
pub async fn selected(
    database: &impl Database,
    queue: String,
    selection: Selection,
    limit: u32,
) -> Result<Option<u32>, Fault> {
    let [which, ids, last_reason] = selection_parameters(selection)?;
    let parameters = vec![queue.into(), which, ids, last_reason, limit.into()];
    let row = database.read_one(database.sql().message_selected, parameters).await?;
    row.map(|mut row| row.integer()).transpose()
}

/// Which dead letters, their ids and their reason, as the statements take them.
fn selection_parameters(selection: Selection) -> Result<[Value; 3], Fault> {
    Ok(match selection {
        Selection::All => ["all".into(), Value::Null, Value::Null],
        Selection::Reason(reason) => ["reason".into(), Value::Null, reason.into()],
        Selection::Ids(ids) => ["ids".into(), json_parameter(&ids)?, Value::Null],
    })
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
        traceparent: row.optional_text()?,
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
        due: row.integer()?,
        oldest_due_seconds: row.integer()?,
        lease_ms: row.integer()?,
        in_flight_max: row.integer()?,
        retention_ms: row.integer()?,
        attempts_max: row.optional_integer()?,
        retried_total: row.integer()?,
        postponed_total: row.integer()?,
        buried_total: row.integer()?,
        expired_total: row.integer()?,
        done_last_minute: row.json()?,
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
        traceparent: row.optional_text()?,
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

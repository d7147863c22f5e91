//! Incidents, and the notices that people get of them.

use serde::Deserialize;

use crate::Store;
use crate::database::{Database, Value};
use crate::engine::Engine;
use crate::restock::alerts::{Channel, Guest, Incident, IncidentCase, Notice, Occasion};
use crate::restock::types::{Fault, Page};
use crate::row::{Row, before, limit, millis};

/// Cases that an incident names.
const CASES_MAX: i64 = 5;
/// Violations of an audit that an incident names.
const VIOLATIONS_NAMED_MAX: usize = 5;
/// Characters of a violation's words that an incident keeps.
const VIOLATION_CHARS_MAX: usize = 200;

impl<E: Engine> Guest for Store<E> {
    async fn owed(id: String) -> Result<Option<Notice>, Fault> {
        owed(E::shop(), id).await
    }

    async fn told(notice_id: String, occurrences: u64, now: u64) -> Result<(), Fault> {
        told(E::shop(), notice_id, occurrences, now).await
    }

    async fn list(open_only: bool, page: Page) -> Result<Vec<Incident>, Fault> {
        list(E::shop(), open_only, page).await
    }

    async fn audited(violations: Vec<String>, now: u64) -> Result<(), Fault> {
        audited(E::shop(), violations, now).await
    }
}

/// Reads a notice.
pub async fn owed(database: &impl Database, id: String) -> Result<Option<Notice>, Fault> {
    let Ok(number) = id.parse::<i64>() else {
        return Ok(None);
    };
    let parameters = vec![number.into(), Value::Integer(CASES_MAX)];
    let row = database.read_one(database.sql().incident_notice_get, parameters).await?;
    row.map(|mut row| {
        Ok(Notice {
            id,
            channel: row.word(|word| match word {
                "mail" => Some(Channel::Mail),
                "chat" => Some(Channel::Chat),
                _ => None,
            })?,
            occasion: row.word(|word| match word {
                "opened" => Some(Occasion::Opened),
                "grew" => Some(Occasion::Grew),
                "cleared" => Some(Occasion::Cleared),
                _ => None,
            })?,
            only_channel: row.flag()?,
            told_at: row.optional_integer()?,
            occurrences_told: row.integer()?,
            incident: incident(row)?,
        })
    })
    .transpose()
}

/// Notes that people were told.
pub async fn told(
    database: &impl Database,
    notice_id: String,
    occurrences: u64,
    now: u64,
) -> Result<(), Fault> {
    let Ok(number) = notice_id.parse::<i64>() else {
        return Ok(());
    };
    let parameters = vec![number.into(), millis(occurrences), millis(now)];
    database.write_keyed(database.sql().incident_notice_told, parameters).await?;
    Ok(())
}

/// Reads a page of incidents.
pub async fn list(database: &impl Database, open_only: bool, page: Page) -> Result<Vec<Incident>, Fault> {
    let sql = if open_only { database.sql().incident_list_open } else { database.sql().incident_list };
    let parameters = vec![before(&page), limit(&page), Value::Integer(CASES_MAX)];
    database.read(sql, parameters).await?.into_iter().map(incident).collect()
}

/// Notes what an audit found.
pub async fn audited(database: &impl Database, violations: Vec<String>, now: u64) -> Result<(), Fault> {
    if violations.is_empty() {
        database.write_keyed(database.sql().incident_clear_audit, vec![millis(now)]).await?;
        return Ok(());
    }
    let named: Vec<String> = violations
        .iter()
        .take(VIOLATIONS_NAMED_MAX)
        .map(|violation| violation.chars().take(VIOLATION_CHARS_MAX).collect())
        .collect();
    let more = violations.len().saturating_sub(VIOLATIONS_NAMED_MAX);
    let mut words = named.join("; ");
    if more > 0 {
        words.push_str(&format!("; and {more} more"));
    }
    let found = i64::try_from(violations.len()).unwrap_or(i64::MAX);
    let parameters = vec![found.into(), words.into(), millis(now)];
    database.write(database.sql().audit_violation_insert, parameters).await?;
    Ok(())
}

/// A case as the statement writes it.
#[derive(Deserialize)]
struct KeptCase {
    id: String,
    times: u64,
    last_at: u64,
    words: String,
}

fn incident(mut row: Row) -> Result<Incident, Fault> {
    let (id, kind, queue) = (row.text()?, row.text()?, row.text()?);
    let (partner, reason, factory_id) = (row.text()?, row.text()?, row.text()?);
    let manager_email = row.optional_text()?;
    let (opened_at, last_at, cleared_at) = (row.integer()?, row.integer()?, row.optional_integer()?);
    let (occurrences, cases_total) = (row.integer()?, row.integer()?);
    let cases: Vec<KeptCase> = row.json()?;
    let cases = cases
        .into_iter()
        .map(|KeptCase { id, times, last_at, words }| IncidentCase { id, times, last_at, words })
        .collect();
    Ok(Incident {
        id,
        kind,
        queue,
        partner,
        reason,
        factory_id: Some(factory_id).filter(|id| !id.is_empty()),
        manager_email,
        opened_at,
        last_at,
        cleared_at,
        occurrences,
        cases_total,
        cases,
        cursor: row.integer::<i64>()?.to_string(),
    })
}

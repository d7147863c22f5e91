//! Keeping the store itself in order.

use crate::Store;
use crate::database::{Database, Value};
use crate::engine::{Engine, Statements};
use crate::restock::ops::{Guest, OperatorAction, Readiness, Report, TickLimits, TickReport};
use crate::restock::types::{Fault, Page};
use crate::row::{before, limit, millis, only};

/// Violations that a report names.
const VIOLATIONS_MAX: usize = 100;
/// For how long an event is kept after the last message that carried it is gone. As long as queues keep theirs.
const EVENT_RETENTION_MS: u64 = 7 * DAY_MS;
/// The job that removes them, among those that take turns, and how often it runs.
const EVENT_REMOVAL: &str = "event-removal";
const EVENT_REMOVAL_EVERY_MS: u64 = 10_000;
/// For how long a letter is known after it was entrusted. Longer than anybody redrives the message that it came from.
const LETTER_RETENTION_MS: u64 = 30 * DAY_MS;
/// For how long an incident can be looked at after it was cleared.
const INCIDENT_RETENTION_MS: u64 = 90 * DAY_MS;
/// For how long it is known what advertising managers were asked: a year can be compared with the one before.
const AD_REQUEST_RETENTION_MS: u64 = 400 * DAY_MS;
/// For how long an incident is quiet before it can be over. What fails now and then is one incident, not many.
const INCIDENT_QUIET_MS: u64 = 60_000;
/// The same of what mends by itself and fails again: open circuits, overdue goods and shipments that are not known. As long as a digest takes, so that a
/// partner that fails for seconds every few minutes is told of no more often than one that fails all the time.
const FLAPPING_QUIET_MS: u64 = DIGEST_EVERY_MS;
/// The least time between two notices of one incident on one channel, its end aside.
const DIGEST_EVERY_MS: u64 = 15 * 60_000;
/// For how long collections of returns can be looked at, and records that are on no list any more.
const COLLECTION_RETENTION_MS: u64 = 30 * DAY_MS;
/// For how long orders are known minute by minute; then they count towards all orders ever.
const ORDER_MINUTE_RETENTION_MS: u64 = 3 * 60 * 60_000;
const DAY_MS: u64 = 86_400_000;

impl<E: Engine> Guest for Store<E> {
    /// Of the shop's database. The customers' is another matter: without it the shop sells, and what cannot be done is said by
    /// the message that needs it.
    async fn ready() -> Result<Readiness, Fault> {
        Ok(Readiness { engine: E::NAME.into(), schema_version: E::schema_version().await? })
    }

    async fn audit() -> Result<Report, Fault> {
        audit(E::shop()).await
    }

    async fn tick(limits: TickLimits, now: u64) -> Result<TickReport, Fault> {
        tick(E::shop(), limits, now).await
    }

    async fn take_turn(job: String, every_ms: u64, now: u64) -> Result<bool, Fault> {
        take_turn(E::shop(), job, every_ms, now).await
    }

    async fn actions(page: Page) -> Result<Vec<OperatorAction>, Fault> {
        actions(E::shop(), page).await
    }
}

/// Recomputes the invariants. Each statement sees one moment of the whole database, so writers do not disturb it.
pub async fn audit(database: &impl Database) -> Result<Report, Fault> {
    let mut counts = only(database.read_patiently(database.sql().audit_counts, vec![]).await?)?;
    let mut violations = Vec::new();
    for sql in audits(database.sql()) {
        let left = VIOLATIONS_MAX - violations.len().min(VIOLATIONS_MAX);
        let left = Value::Integer(i64::try_from(left).unwrap_or_default());
        for mut row in database.read_patiently(sql, vec![left]).await? {
            violations.push(row.text()?);
        }
    }
    Ok(Report {
        products_checked: counts.integer()?,
        orders_checked: counts.integer()?,
        messages_checked: counts.integer()?,
        violations,
    })
}

/// The audit: each statement finds the violations of one invariant and says them in words.
fn audits(sql: &Statements) -> [&str; 15] {
    [
        sql.audit_product_stock,
        sql.audit_product_levels,
        sql.audit_ledger,
        sql.audit_order_movements,
        sql.audit_order_lines,
        sql.audit_production_goods,
        sql.audit_production_open,
        sql.audit_production_messages,
        sql.audit_messages,
        sql.audit_buyers,
        sql.audit_bulk,
        sql.audit_incidents,
        sql.audit_return_steps,
        sql.audit_return_messages,
        sql.audit_return_goods,
    ]
}

/// Does what time makes necessary. Every duty is a statement of its own that finds what is left to do, so a tick that is
/// cut short or runs beside another one loses and doubles nothing.
pub async fn tick(database: &impl Database, limits: TickLimits, now: u64) -> Result<TickReport, Fault> {
    let batch = Value::from(limits.batch);
    database.write_keyed(database.sql().tick_note, vec![millis(now)]).await?;
    let mut expired = database
        .write_keyed(
            database.sql().message_expire_lease,
            vec![millis(now), limits.attempts_max.into(), batch.clone()],
        )
        .await?;
    let mut buried = 0_u32;
    for row in &mut expired {
        buried += u32::from(row.text()? == "buried");
    }
    let overdue = database
        .write_keyed(database.sql().production_mark_overdue, vec![millis(now), batch.clone()])
        .await?;
    let mut removed =
        database.write_keyed(database.sql().message_remove, vec![millis(now), batch.clone()]).await?.len();
    let notices = notices(database, &batch, now).await?;
    for (sql, retention_ms) in retention(database.sql()) {
        let old = millis(now.saturating_sub(retention_ms));
        removed += database.write_keyed(sql, vec![old, batch.clone()]).await?.len();
    }
    // It looks at every old event that a message still carries: tens of thousands, where many parcels are long on their way.
    if take_turn(database, EVENT_REMOVAL.to_owned(), EVENT_REMOVAL_EVERY_MS, now).await? {
        let old = millis(now.saturating_sub(EVENT_RETENTION_MS));
        database.write_keyed(database.sql().event_remove, vec![old, batch]).await?;
    }
    Ok(TickReport {
        leases_expired: count(expired.len()),
        buried,
        overdue: count(overdue.len()),
        removed: count(removed),
        notices,
    })
}

/// What is removed when it is old, and when that is, ms. Messages aside: each queue has a retention of its own. The statements that
/// answer with a row for each are those whose rows a tick counts.
fn retention(sql: &Statements) -> [(&str, u64); 6] {
    [
        (sql.incident_remove, INCIDENT_RETENTION_MS),
        (sql.letter_remove, LETTER_RETENTION_MS),
        (sql.ad_request_remove, AD_REQUEST_RETENTION_MS),
        (sql.return_collection_remove, COLLECTION_RETENTION_MS),
        (sql.return_reject_remove, COLLECTION_RETENTION_MS),
        (sql.order_minute_remove, ORDER_MINUTE_RETENTION_MS),
    ]
}

/// Clears incidents that are over, then reminds of those that grow. Returns how many notices became due.
async fn notices(database: &impl Database, batch: &Value, now: u64) -> Result<u32, Fault> {
    let parameters = vec![
        millis(now),
        millis(now.saturating_sub(INCIDENT_QUIET_MS)),
        millis(now.saturating_sub(FLAPPING_QUIET_MS)),
        batch.clone(),
    ];
    let cleared = database.write_keyed(database.sql().incident_clear, parameters).await?;
    let told_before = millis(now.saturating_sub(DIGEST_EVERY_MS));
    let grew = database
        .write_keyed(database.sql().incident_remind, vec![millis(now), told_before, batch.clone()])
        .await?;
    let mut notices = 0_u32;
    // An engine counts them in one row, or in a row for each incident.
    for mut row in cleared.into_iter().chain(grew) {
        notices = notices.saturating_add(row.integer()?);
    }
    Ok(notices)
}

/// Takes the turn of a job.
pub async fn take_turn(
    database: &impl Database,
    job: String,
    every_ms: u64,
    now: u64,
) -> Result<bool, Fault> {
    let parameters = vec![job.into(), millis(every_ms), millis(now)];
    // Not repeated by itself: a turn that was taken and lost on its way is nobody's until the next one.
    let taken = database.write(database.sql().turn_take, parameters).await?;
    Ok(!taken.is_empty())
}

/// Reads a page of what operators did.
pub async fn actions(database: &impl Database, page: Page) -> Result<Vec<OperatorAction>, Fault> {
    let parameters = vec![before(&page), limit(&page)];
    let rows = database.read(database.sql().operator_action_list, parameters).await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(OperatorAction {
                kind: row.text()?,
                subject: row.text()?,
                detail: row.text()?,
                reason: row.text()?,
                operator: row.text()?,
                at: row.integer()?,
                cursor: row.integer::<i64>()?.to_string(),
            })
        })
        .collect()
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

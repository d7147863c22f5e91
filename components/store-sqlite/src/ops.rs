//! Keeping the store itself in order.

use spin_sdk::sqlite::Value;

use crate::Store;
use crate::connection::{self, Shared};
use crate::database::Database;
use crate::restock::ops::{Guest, Readiness, Report, TickLimits, TickReport};
use crate::restock::types::Fault;
use crate::row::{millis, only};

/// Violations that a report names.
const VIOLATIONS_MAX: usize = 100;
/// For how long an event is kept after the last message that carried it is gone. As long as queues keep theirs.
const EVENT_RETENTION_MS: u64 = 7 * 86_400_000;

/// The audit: each statement finds the violations of one invariant and says them in words.
const AUDIT: [&str; 9] = [
    include_str!("sql/audit_product_stock.sql"),
    include_str!("sql/audit_product_levels.sql"),
    include_str!("sql/audit_ledger.sql"),
    include_str!("sql/audit_order_movements.sql"),
    include_str!("sql/audit_order_lines.sql"),
    include_str!("sql/audit_production_goods.sql"),
    include_str!("sql/audit_production_open.sql"),
    include_str!("sql/audit_production_messages.sql"),
    include_str!("sql/audit_messages.sql"),
];

impl Guest for Store {
    async fn ready() -> Result<Readiness, Fault> {
        Ok(Readiness { engine: "sqlite".into(), schema_version: connection::check().await? })
    }

    async fn audit() -> Result<Report, Fault> {
        audit(&Shared).await
    }

    async fn tick(limits: TickLimits, now: u64) -> Result<TickReport, Fault> {
        tick(&Shared, limits, now).await
    }
}

/// Recomputes the invariants. Each statement sees one moment of the whole database, so writers do not disturb it.
pub(crate) async fn audit(database: &impl Database) -> Result<Report, Fault> {
    let mut counts = only(database.read(include_str!("sql/audit_counts.sql"), vec![]).await?)?;
    let mut violations = Vec::new();
    for sql in AUDIT {
        let left = VIOLATIONS_MAX - violations.len().min(VIOLATIONS_MAX);
        let left = Value::Integer(i64::try_from(left).unwrap_or_default());
        for mut row in database.read(sql, vec![left]).await? {
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

/// Does what time makes necessary. Every duty is a statement of its own that finds what is left to do, so a tick that is
/// cut short or runs beside another one loses and doubles nothing.
pub(crate) async fn tick(
    database: &impl Database,
    limits: TickLimits,
    now: u64,
) -> Result<TickReport, Fault> {
    let batch = Value::from(limits.batch);
    let mut expired = database
        .write_keyed(
            include_str!("sql/message_expire_lease.sql"),
            vec![millis(now), limits.attempts_max.into(), batch.clone()],
        )
        .await?;
    let mut buried = 0_u32;
    for row in &mut expired {
        buried += u32::from(row.text()? == "buried");
    }
    let overdue = database
        .write_keyed(include_str!("sql/production_mark_overdue.sql"), vec![millis(now), batch.clone()])
        .await?;
    let removed = database
        .write_keyed(include_str!("sql/message_remove.sql"), vec![millis(now), batch.clone()])
        .await?;
    let old = millis(now.saturating_sub(EVENT_RETENTION_MS));
    database.write_keyed(include_str!("sql/event_remove.sql"), vec![old, batch]).await?;
    Ok(TickReport {
        leases_expired: count(expired.len()),
        buried,
        overdue: count(overdue.len()),
        removed: count(removed.len()),
    })
}

fn count(rows: usize) -> u32 {
    u32::try_from(rows).unwrap_or(u32::MAX)
}

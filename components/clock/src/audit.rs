//! The audit that runs by itself, now and then: what it finds becomes an incident, and what it finds no more ends one.

use restock_bindings::types::Fault;
use restock_bindings::{alerts, ops};
use restock_domain::queues;
use restock_edge::{doorbell, log};
use std::time::Duration;

/// The job's name among those that take turns.
const JOB: &str = "audit";

/// Runs the audit where it is due. Of several ticks at once one runs it.
pub(crate) async fn run(every: Option<Duration>, now_ms: u64) -> Result<(), Fault> {
    let Some(every) = every else { return Ok(()) };
    let every_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
    if !ops::take_turn(JOB.to_owned(), every_ms, now_ms).await? {
        return Ok(());
    }
    let report = ops::audit().await?;
    for violation in &report.violations {
        log!("the audit found: {violation}");
    }
    alerts::audited(report.violations, now_ms).await?;
    doorbell::ring_later([queues::ALERTS]);
    Ok(())
}

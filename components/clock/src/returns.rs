//! The beginning of a collection of returns, where one is due. Of several ticks at once one begins it; its message does the rest.

use restock_bindings::returns;
use restock_bindings::types::Fault;
use restock_edge::config::Cached;
use std::time::Duration;

/// Begins a collection, where there is a partner to collect from and it is time. The bell of its queue is rung with the others that
/// have due work.
pub(crate) async fn begin(now_ms: u64) -> Result<(), Fault> {
    let Some(every) = every().await else { return Ok(()) };
    let every_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
    returns::begin(every_ms, now_ms).await.map(drop)
}

/// How often returns are collected; none where never. Read apart from what the rest of the tick needs: a wrong value here, which
/// readiness names, is no reason for dead workers and overdue goods to go unnoticed.
async fn every() -> Option<Duration> {
    static EVERY: Cached<Option<Duration>> = Cached::new();
    let read = EVERY.get(async |reader| {
        let logistics = reader.logistics().await;
        reader.returns_every().await.filter(|_| logistics.is_some())
    });
    read.await.ok().copied().flatten()
}

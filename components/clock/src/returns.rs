//! The beginning of a collection of returns, where one is due. Of several ticks at once one begins it; its message does the rest.

use crate::Config;
use restock_bindings::returns;
use restock_bindings::types::Fault;

/// Begins a collection, where there is a partner to collect from and it is time. The bell of its queue is rung with the others that
/// have due work.
pub(crate) async fn begin(config: &Config, now_ms: u64) -> Result<(), Fault> {
    let Some(every) = config.returns_every else { return Ok(()) };
    let every_ms = u64::try_from(every.as_millis()).unwrap_or(u64::MAX);
    returns::begin(every_ms, now_ms).await.map(drop)
}

//! Writing down what a partner did. A note that is lost costs a second call, so it is tried a few times before the message is.

use crate::error::fault_words;
use restock_bindings::types::Fault;
use std::future::Future;
use std::time::Duration;

/// How often it is tried.
const TRIES_MAX: u32 = 3;
/// The wait before it is tried again.
const RETRY_WAIT: Duration = Duration::from_millis(100);

/// Makes a note, again where the store fails. `what` names it in the log.
///
/// # Errors
/// The store's last fault.
pub async fn make<T, F>(what: &str, note: impl Fn() -> F) -> Result<T, Fault>
where
    F: Future<Output = Result<T, Fault>>,
{
    let mut tried = 1;
    loop {
        match note().await {
            Ok(noted) => return Ok(noted),
            Err(fault) if tried == TRIES_MAX => return Err(fault),
            Err(fault) => crate::log!("noting {what}, try {tried}: {}", fault_words(&fault)),
        }
        tried += 1;
        spin_sdk::time::sleep(RETRY_WAIT).await;
    }
}

//! What the host gives: the time, random numbers, sleep. Kept in one place so that the rest can be read as rules.

use restock_domain::id;
use spin_sdk::wasip3::random::random;
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The current moment, ms since 1970. Comes from the host's system clock, so a host can move it.
#[must_use]
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The same in microseconds.
#[must_use]
pub fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

/// A random number.
#[must_use]
pub fn random_u64() -> u64 {
    random::get_random_u64()
}

/// Random bytes that nobody can guess.
#[must_use]
pub fn random_bytes<const COUNT: usize>() -> [u8; COUNT] {
    let mut bytes = [0; COUNT];
    let asked = u64::try_from(COUNT).unwrap_or_default();
    for (byte, random) in bytes.iter_mut().zip(random::get_random_bytes(asked)) {
        *byte = random;
    }
    bytes
}

/// A fresh UUID v7.
#[must_use]
pub fn fresh_id(now_ms: u64) -> String {
    id::new(now_ms, random_bytes())
}

/// The time was up before the work was done. The work was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeUp;

/// Runs work for so long at most.
///
/// # Errors
/// The time was up.
pub async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Result<T, TimeUp> {
    let (work, timer) = (pin!(work), pin!(spin_sdk::time::sleep(limit)));
    match futures::future::select(work, timer).await {
        futures::future::Either::Left((done, _)) => Ok(done),
        futures::future::Either::Right(_) => Err(TimeUp),
    }
}

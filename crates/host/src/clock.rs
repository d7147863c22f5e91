//! The wall clock that guests read, so that tests can move time instead of waiting for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use wasmtime_wasi::HostWallClock;

/// The time of day as guests see it. Clones share one time.
///
/// Only the wall clock is replaced: the monotonic clock, and with it every time limit inside a guest, stays real.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    System,
    /// Milliseconds since the Unix epoch.
    Manual(Arc<AtomicU64>),
}

impl Clock {
    /// The machine's own clock.
    pub fn system() -> Self {
        Self(Source::System)
    }

    /// A clock that stands at `start` until it is advanced. Times before 1970 count as 1970.
    pub fn manual(start: SystemTime) -> Self {
        let since = start.duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(Source::Manual(Arc::new(AtomicU64::new(millis(since)))))
    }

    /// Moves a manual clock forward, for every clone of it. Does nothing to the system clock.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual(now) = &self.0 {
            now.fetch_add(millis(by), Ordering::SeqCst);
        }
    }

    /// The present moment, to the millisecond on a manual clock.
    pub fn now(&self) -> SystemTime {
        UNIX_EPOCH + self.since_epoch()
    }

    fn since_epoch(&self) -> Duration {
        match &self.0 {
            Source::System => SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
            Source::Manual(now) => Duration::from_millis(now.load(Ordering::SeqCst)),
        }
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::system()
    }
}

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_millis(1)
    }

    fn now(&self) -> Duration {
        self.since_epoch()
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manual_clock_moves_for_all_its_clones_and_only_when_told() {
        let clock = Clock::manual(UNIX_EPOCH + Duration::from_secs(100));
        let guest = clock.clone();
        assert_eq!(HostWallClock::now(&guest), Duration::from_secs(100));
        clock.advance(Duration::from_secs(3600));
        assert_eq!(HostWallClock::now(&guest), Duration::from_secs(3700));
    }
}

//! What people who look at the same page at the same time share: one look at the store, for less than a second.

use restock_edge::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// How old what is shown may be. With the time between two looks of a browser it stays below 2 s.
const AGE_MAX: Duration = Duration::from_millis(700);

/// Something that was read a moment ago, the same for everybody who may see it. An instance has its own, and forgets it with itself.
pub(super) struct Shared<T>(Mutex<Option<(Instant, Arc<T>)>>);

impl<T> Shared<T> {
    pub(super) const fn new() -> Self {
        Self(Mutex::new(None))
    }

    /// What was read less than [`AGE_MAX`] ago, or is read now. Requests that find nothing at the same time each read: none waits for
    /// another one's call.
    ///
    /// # Errors
    /// Those of the reading, which are not kept.
    pub(super) async fn get(&self, read: impl AsyncFnOnce() -> Result<T, Error>) -> Result<Arc<T>, Error> {
        // The host's clock of the day may be moved by hand; this one goes on.
        let now = Instant::now();
        if let Some(known) = self.known(now) {
            return Ok(known);
        }
        let fresh = Arc::new(read().await?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&fresh)));
        Ok(fresh)
    }

    fn known(&self, now: Instant) -> Option<Arc<T>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (read_at, value) = known.as_ref()?;
        (now.duration_since(*read_at) < AGE_MAX).then(|| Arc::clone(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_read_is_shared_for_a_moment_and_not_longer() {
        let shared = Shared::new();
        let now = Instant::now();
        assert!(shared.known(now).is_none());
        *shared.0.lock().expect("a lock") = Some((now, Arc::new(7)));
        assert_eq!(shared.known(now + AGE_MAX / 2).as_deref(), Some(&7));
        assert_eq!(shared.known(now + AGE_MAX), None);
    }
}

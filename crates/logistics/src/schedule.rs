//! When a parcel is looked at again: often while it is young, and less and less often as it grows older.

use std::time::Duration;

/// After so long a parcel that was not delivered is no longer followed: people have to look for it (45 days).
pub const RETURN_AGE_MAX: Duration = Duration::from_secs(45 * 24 * 60 * 60);
/// A parcel is looked at again after this part of its age.
const AGE_PART: u32 = 4;
/// The longest wait, in intervals: six hours, where the interval is five minutes.
const INTERVALS_MAX: u32 = 72;

/// How long to wait for the next look at a parcel of this age, where the first looks are so far apart: a quarter of its age, at
/// least one interval and at most 72. None where it is older than [`RETURN_AGE_MAX`].
#[must_use]
pub fn next_look(age: Duration, interval: Duration) -> Option<Duration> {
    let longest = interval.saturating_mul(INTERVALS_MAX);
    (age <= RETURN_AGE_MAX).then(|| (age / AGE_PART).clamp(interval, longest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const INTERVAL: Duration = Duration::from_secs(300);

    fn hours(hours: u64) -> Duration {
        Duration::from_secs(hours * 60 * 60)
    }

    #[test]
    fn minutes_at_first_and_hours_later() {
        let next = |age| next_look(age, INTERVAL);
        assert_eq!(next(Duration::ZERO), Some(INTERVAL));
        assert_eq!(next(Duration::from_secs(1_200)), Some(INTERVAL));
        assert_eq!(next(hours(2)), Some(Duration::from_secs(1_800)));
        assert_eq!(next(hours(24)), Some(hours(6)));
        assert_eq!(next(hours(45 * 24)), Some(hours(6)));
        assert_eq!(next(hours(45 * 24) + Duration::from_millis(1)), None);
    }

    #[test]
    fn a_parcel_is_looked_at_a_few_hundred_times_and_then_no_more() {
        let (mut age, mut looks) = (Duration::ZERO, 0);
        while let Some(wait) = next_look(age, INTERVAL) {
            (age, looks) = (age + wait, looks + 1);
            assert!(looks < 1_000);
        }
        assert_eq!(looks, 200);
    }

    proptest! {
        #[test]
        fn the_wait_never_shrinks_and_keeps_its_bounds(
            age_ms in 0u64..5_000_000_000, older_ms in 0u64..5_000_000_000, interval_s in 1u64..100_000,
        ) {
            let interval = Duration::from_secs(interval_s);
            let (age, older) = (Duration::from_millis(age_ms), Duration::from_millis(age_ms + older_ms));
            match (next_look(age, interval), next_look(older, interval)) {
                (Some(wait), Some(longer)) => {
                    prop_assert!(interval <= wait && wait <= longer && longer <= 72 * interval);
                }
                (Some(_), None) => prop_assert!(age <= RETURN_AGE_MAX && older > RETURN_AGE_MAX),
                (None, longer) => prop_assert!(age > RETURN_AGE_MAX && longer.is_none()),
            }
        }

        #[test]
        fn no_age_and_no_interval_is_too_much(age_s: u64, interval_s: u64) {
            let (age, interval) = (Duration::from_secs(age_s), Duration::from_secs(interval_s));
            prop_assert_eq!(next_look(age, interval).is_none(), age > RETURN_AGE_MAX);
        }
    }
}

//! How long to wait before the next attempt: exponential, with full jitter, so that messages which failed together
//! do not come back together.

/// The ceiling of the wait after the first failed attempt, ms.
pub const BACKOFF_BASE_MS: u64 = 1_000;
/// No wait is longer, ms.
pub const BACKOFF_MAX_MS: u64 = 5 * 60 * 1_000;

/// The wait after the failure of attempt number `attempt` (1 for the first), ms. `random` is any random number; the
/// wait is spread evenly from zero to the ceiling of that attempt.
#[must_use]
pub fn delay_ms(attempt: u32, random: u64) -> u64 {
    let ceiling = ceiling_ms(attempt);
    // The remainder's bias is below 2^-45 for these ceilings.
    random.checked_rem(ceiling.saturating_add(1)).unwrap_or(ceiling)
}

fn ceiling_ms(attempt: u32) -> u64 {
    let doublings = attempt.saturating_sub(1);
    1u64.checked_shl(doublings)
        .map_or(BACKOFF_MAX_MS, |factor| BACKOFF_BASE_MS.saturating_mul(factor).min(BACKOFF_MAX_MS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ceilings_double_until_the_limit() {
        assert_eq!([1, 2, 3, 4].map(ceiling_ms), [1_000, 2_000, 4_000, 8_000]);
        assert_eq!(ceiling_ms(9), 256_000);
        assert_eq!(ceiling_ms(10), BACKOFF_MAX_MS);
        assert_eq!(ceiling_ms(u32::MAX), BACKOFF_MAX_MS);
        assert_eq!(ceiling_ms(0), 1_000);
    }

    #[test]
    fn jitter_is_full_both_ends_are_reached() {
        assert_eq!(delay_ms(1, 0), 0);
        assert_eq!(delay_ms(1, 1_000), 1_000);
        assert_eq!(delay_ms(1, 1_001), 0);
    }

    proptest! {
        #[test]
        fn no_wait_exceeds_its_ceiling(attempt: u32, random: u64) {
            prop_assert!(delay_ms(attempt, random) <= ceiling_ms(attempt));
            prop_assert!(ceiling_ms(attempt) <= BACKOFF_MAX_MS);
        }

        #[test]
        fn ceilings_never_shrink(attempt in 0u32..u32::MAX) {
            prop_assert!(ceiling_ms(attempt) <= ceiling_ms(attempt + 1));
        }
    }
}

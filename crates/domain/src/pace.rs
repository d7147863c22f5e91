//! Keeps calls apart. A partner's gate hands out slots that are evenly spaced, but a worker that was held up (a slow disk, a busy
//! machine) finds several of its slots past, and would make those calls all at once.

/// A clock that was put back keeps nobody waiting for longer than this, us.
const AHEAD_US_MAX: u64 = 10_000_000;

/// When the next call of a worker may start.
#[derive(Debug, Default)]
pub struct Pace {
    next_us: u64,
}

impl Pace {
    /// No call was made yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { next_us: 0 }
    }

    /// The moment for a call whose slot begins at `slot_us` (both us since 1970): not before its slot, and not sooner behind the call
    /// before it than `spacing_us`.
    pub fn next(&mut self, slot_us: u64, now_us: u64, spacing_us: u64) -> u64 {
        let apart_us = self.next_us.min(now_us.saturating_add(AHEAD_US_MAX));
        let start_us = slot_us.max(now_us).max(apart_us);
        self.next_us = start_us.saturating_add(spacing_us);
        start_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SPACING_US: u64 = 21_000;

    #[test]
    fn a_call_in_time_starts_with_its_slot() {
        let mut pace = Pace::new();
        for call in 0..5 {
            let slot = 1_000_000 + call * SPACING_US;
            assert_eq!(pace.next(slot, slot - 500, SPACING_US), slot);
        }
    }

    #[test]
    fn calls_whose_slots_are_past_do_not_start_together() {
        let mut pace = Pace::new();
        let starts: Vec<u64> = (0..4).map(|_| pace.next(0, 1_000_000, SPACING_US)).collect();
        assert_eq!(starts, [1_000_000, 1_021_000, 1_042_000, 1_063_000]);
    }

    #[test]
    fn a_clock_that_was_put_back_holds_nobody_up_for_long() {
        let mut pace = Pace::new();
        pace.next(0, 3_600_000_000, SPACING_US);
        assert_eq!(pace.next(0, 1_000, SPACING_US), 10_001_000);
    }

    proptest! {
        #[test]
        fn no_second_holds_more_calls_than_the_rate(
            rate in 1_u64..200,
            waits in prop::collection::vec(0_u64..400_000, 1..300),
        ) {
            let spacing_us = 1_050_000_u64.div_ceil(rate);
            let (mut pace, mut now, mut slot) = (Pace::new(), 0, 0);
            let mut starts = Vec::new();
            for wait in waits {
                // Whole bursts are held up together: only some calls take time.
                now += if wait > 300_000 { wait } else { 0 };
                slot = now.max(slot + spacing_us);
                starts.push(pace.next(slot.min(now), now, spacing_us));
                now = now.max(starts.last().copied().unwrap_or(0).saturating_sub(500_000));
            }
            for first in &starts {
                let within = starts.iter().filter(|start| (*first..first + 1_000_000).contains(start)).count();
                prop_assert!(within as u64 <= rate, "{within} calls in a second");
            }
        }
    }
}

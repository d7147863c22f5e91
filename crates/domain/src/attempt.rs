//! What becomes of a message after one attempt at it.

use crate::backoff;
use std::borrow::Cow;

/// A handler's word on one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Finished; also where there was nothing left to do.
    Done,
    /// Failed, and another attempt can help. Counts.
    Retry {
        /// What went wrong.
        failure: Failure,
        /// The partner asked not to be called before (ms since 1970).
        not_before_ms: Option<u64>,
    },
    /// Not yet possible. Does not count.
    Postpone {
        /// Why.
        failure: Failure,
        /// When to try again (ms since 1970).
        until_ms: u64,
    },
    /// Never going to work: a dead letter at once.
    Reject(Failure),
}

/// Why an attempt did not finish its message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Failure {
    /// The kind, short and stable: dead letters are grouped by it.
    pub reason: Cow<'static, str>,
    /// In words, for people. Never carries a secret.
    pub error: String,
}

impl Failure {
    /// A failure of a kind, in words.
    pub fn new(reason: impl Into<Cow<'static, str>>, error: impl Into<String>) -> Self {
        Self { reason: reason.into(), error: error.into() }
    }
}

/// How a message is settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settlement {
    /// It leaves its queue.
    Done,
    /// It becomes ready at this moment (ms since 1970), and the attempt counts.
    Retry(u64, Failure),
    /// It becomes ready at this moment (ms since 1970), and the attempt does not count.
    Postpone(u64, Failure),
    /// It becomes a dead letter.
    Bury(Failure),
}

/// The longest time that a partner's wish can put a message off, ms. A partner that says "come back in a year" is asked again
/// within the hour.
pub const PUT_OFF_MAX_MS: u64 = 60 * 60 * 1_000;
/// The longest time that a handler can postpone a message for, ms (one day). Its word is better than a partner's: it knows that
/// a parcel takes days.
pub const POSTPONE_MAX_MS: u64 = 24 * 60 * 60 * 1_000;

/// Decides how a message is settled: the verdict on attempt number `attempt`, the queue's limit of attempts, the current
/// moment (ms since 1970) and a random number.
#[must_use]
pub fn settle(verdict: Verdict, attempt: u32, attempts_max: u32, now_ms: u64, random: u64) -> Settlement {
    let latest = |put_off_ms| now_ms.saturating_add(put_off_ms);
    match verdict {
        Verdict::Done => Settlement::Done,
        Verdict::Reject(failure) => Settlement::Bury(failure),
        Verdict::Postpone { failure, until_ms } => {
            Settlement::Postpone(until_ms.clamp(now_ms, latest(POSTPONE_MAX_MS)), failure)
        }
        Verdict::Retry { failure, .. } if attempt >= attempts_max => Settlement::Bury(failure),
        Verdict::Retry { failure, not_before_ms } => {
            let backoff = backoff::delay_ms(attempt, random);
            // Jitter on top of the partner's moment, or everyone comes back exactly then.
            let earliest = not_before_ms.unwrap_or(now_ms).clamp(now_ms, latest(PUT_OFF_MAX_MS));
            Settlement::Retry(earliest.saturating_add(backoff), failure)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn retry(not_before_ms: Option<u64>) -> Verdict {
        Verdict::Retry { failure: Failure::new("factory-failing", "answered 500"), not_before_ms }
    }

    #[test]
    fn an_attempt_before_the_last_is_tried_again() {
        assert!(matches!(settle(retry(None), 19, 20, 0, 7), Settlement::Retry(7, _)));
    }

    #[test]
    fn the_last_attempt_buries_with_its_failure() {
        let settled = settle(retry(None), 20, 20, 0, 7);
        assert_eq!(settled, Settlement::Bury(Failure::new("factory-failing", "answered 500")));
    }

    #[test]
    fn a_rejected_message_is_buried_at_the_first_attempt() {
        let rejected = Verdict::Reject(Failure::new("unreadable", "no production_id"));
        assert!(matches!(settle(rejected, 1, 20, 0, 7), Settlement::Bury(_)));
    }

    #[test]
    fn a_postponed_message_is_never_buried_however_often() {
        let postponed = Verdict::Postpone { failure: Failure::default(), until_ms: 5_000 };
        assert!(matches!(settle(postponed, 1_000, 20, 1_000, 7), Settlement::Postpone(5_000, _)));
    }

    #[test]
    fn a_postponement_can_take_hours_and_ends_within_a_day() {
        let settled =
            |until_ms| settle(Verdict::Postpone { failure: Failure::default(), until_ms }, 1, 20, 1_000, 7);
        let in_six_hours = 1_000 + 6 * 60 * 60 * 1_000;
        assert!(matches!(settled(in_six_hours), Settlement::Postpone(at, _) if at == in_six_hours));
        assert!(matches!(settled(u64::MAX), Settlement::Postpone(at, _) if at == 1_000 + POSTPONE_MAX_MS));
    }

    #[test]
    fn a_partners_wish_is_honoured_but_not_for_ever() {
        assert!(matches!(settle(retry(Some(9_000)), 1, 20, 1_000, 0), Settlement::Retry(9_000, _)));
        let settled = settle(retry(Some(u64::MAX)), 1, 20, 1_000, 0);
        assert!(matches!(settled, Settlement::Retry(at, _) if at == 1_000 + PUT_OFF_MAX_MS));
    }

    proptest! {
        #[test]
        fn nothing_is_ever_put_into_the_past(
            attempt in 1u32..50, now_ms in 0u64..1 << 45, random: u64, at: Option<u64>,
        ) {
            match settle(retry(at), attempt, 20, now_ms, random) {
                Settlement::Retry(at, _) => prop_assert!(at >= now_ms),
                other => prop_assert!(attempt >= 20 && matches!(other, Settlement::Bury(_))),
            }
        }
    }
}

//! The other systems that Restock calls, and what a call that came to nothing is called. An incident finds its partner by the
//! beginning of the reason, so reasons are made here and nowhere else.

use crate::attempt::{Failure, Verdict};
use crate::reply::Reply;

/// The factory. One gate for all of them: factories without an address of their own share one server.
pub const FACTORY: &str = "factory";
/// The email provider.
pub const MAIL: &str = "mail";
/// The email provider that takes over.
pub const MAIL_FALLBACK: &str = "mail-fallback";
/// The chat.
pub const SLACK: &str = "slack";
/// The marketing system.
pub const MARKETING: &str = "marketing";
/// The partner that takes returned parcels in.
pub const LOGISTICS: &str = "logistics";

/// How a call came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The partner will never do it.
    Refused,
    /// The partner says that it failed.
    Failing,
    /// No answer in time.
    Timeout,
    /// No connection, or one that broke.
    Unreachable,
    /// The partner wants to be left alone for a while.
    Busy,
    /// An answer that nobody can read.
    UnusableAnswer,
    /// An answer with more than is ever taken.
    TooLarge,
    /// The gate's next slot is too far away.
    Rate,
    /// Enough calls are running.
    Concurrency,
    /// The partner failed too often and is left alone.
    CircuitOpen,
}

impl Kind {
    /// The word for it in reasons.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Failing => "failing",
            Self::Timeout => "timeout",
            Self::Unreachable => "unreachable",
            Self::Busy => "busy",
            Self::UnusableAnswer => "unusable-answer",
            Self::TooLarge => "too-large",
            Self::Rate => "rate",
            Self::Concurrency => "concurrency",
            Self::CircuitOpen => "circuit-open",
        }
    }

    /// The failure of a call to a partner: its reason is `<partner>-<kind>`.
    #[must_use]
    pub fn of(self, partner: &str, words: impl Into<String>) -> Failure {
        Failure::new(format!("{partner}-{}", self.word()), words)
    }
}

/// A wait for a slot that is longer than this is a partner's wish to be left alone, ms. At one call a second, the fewest that a gate
/// is given, the rate alone makes nobody wait longer.
const RATE_WAIT_MS_MAX: u64 = 2_000;

/// How a partner is, as its answer to one call tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It works. So does one that refuses a request.
    Well,
    /// It failed.
    Failing,
    /// It works, and wants to be left alone until this moment (ms since 1970).
    Busy(u64),
}

/// What an answer says of the partner's health.
#[must_use]
pub fn health(reply: &Reply, now_ms: u64) -> Health {
    match reply {
        Reply::Good | Reply::Refused(_) => Health::Well,
        Reply::Busy { retry_after_ms, .. } => Health::Busy(now_ms.saturating_add(*retry_after_ms)),
        Reply::Failing { .. } => Health::Failing,
    }
}

/// Why a gate has no slot before this moment (both ms since 1970): its rate, or the partner's own wish.
#[must_use]
pub fn no_slot_before(until_ms: u64, now_ms: u64) -> Kind {
    if until_ms > now_ms.saturating_add(RATE_WAIT_MS_MAX) { Kind::Busy } else { Kind::Rate }
}

/// What an answer means for the message that led to the call.
///
/// # Errors
/// The verdict on the message, where the partner did not do what was asked.
pub fn done(partner: &str, reply: Reply, now_ms: u64) -> Result<(), Verdict> {
    match reply {
        Reply::Good => Ok(()),
        // The attempt counts, so a partner that is busy for ever ends in an alert and not in silence.
        Reply::Busy { retry_after_ms, words } => Err(Verdict::Retry {
            failure: Kind::Busy.of(partner, words),
            not_before_ms: Some(now_ms.saturating_add(retry_after_ms)),
        }),
        Reply::Refused(words) => Err(Verdict::Reject(Kind::Refused.of(partner, words))),
        Reply::Failing { words, .. } => {
            Err(Verdict::Retry { failure: Kind::Failing.of(partner, words), not_before_ms: None })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reply::Done;

    #[test]
    fn a_reason_begins_with_its_partner() {
        assert_eq!(Kind::Refused.of(MAIL, "no").reason, "mail-refused");
        assert_eq!(Kind::CircuitOpen.of(MAIL_FALLBACK, "").reason, "mail-fallback-circuit-open");
        assert_eq!(Kind::UnusableAnswer.of(FACTORY, "").reason, "factory-unusable-answer");
    }

    #[test]
    fn only_a_good_answer_is_done() {
        assert_eq!(done(SLACK, Reply::Good, 0), Ok(()));
        let refused = done(SLACK, Reply::Refused("answered 404: no_service".to_owned()), 0);
        let failure = Failure::new("slack-refused", "answered 404: no_service");
        assert_eq!(refused, Err(Verdict::Reject(failure)));
    }

    #[test]
    fn a_partner_that_answers_is_well_whatever_it_says() {
        for reply in [Reply::Good, Reply::Refused(String::new())] {
            assert_eq!(health(&reply, 0), Health::Well);
        }
    }

    #[test]
    fn whoever_waits_longer_than_a_rate_makes_waits_for_the_partner() {
        assert_eq!(no_slot_before(1_000 + RATE_WAIT_MS_MAX, 1_000), Kind::Rate);
        assert_eq!(no_slot_before(1_001 + RATE_WAIT_MS_MAX, 1_000), Kind::Busy);
        assert_eq!(no_slot_before(0, 1_000), Kind::Rate);
    }

    #[test]
    fn a_busy_partner_is_asked_again_when_it_said() {
        let busy = Reply::Busy { retry_after_ms: 30_000, words: String::new() };
        assert_eq!(health(&busy, 1_000), Health::Busy(31_000));
        let verdict = done(SLACK, busy, 1_000);
        assert!(matches!(verdict, Err(Verdict::Retry { not_before_ms: Some(31_000), .. })), "{verdict:?}");
    }

    #[test]
    fn a_failing_partner_is_asked_again_and_is_not_well() {
        for done_all_the_same in [Done::SurelyNot, Done::Unknown] {
            let failing = Reply::Failing { words: String::new(), done: done_all_the_same };
            assert_eq!(health(&failing, 0), Health::Failing);
            let verdict = done(MARKETING, failing, 0);
            assert!(matches!(verdict, Err(Verdict::Retry { not_before_ms: None, .. })), "{verdict:?}");
        }
    }
}

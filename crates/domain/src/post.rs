//! The way of one letter: which provider may be given it, what is written down before and after, and what becomes of its message.
//!
//! A letter is entrusted to a provider before it is sent. While nobody knows whether that provider sent it, it stays there: it is
//! offered again to the same provider, in the same words. Only a letter that a provider surely did not take is taken back and
//! may go to the fallback. So a letter never goes out through both, and through one that recognises repeated letters it goes out
//! once.
//!
//! [`Course`] decides and does nothing: it names a step, is told how that went, and names the next one.

use crate::attempt::{Failure, Verdict};
use crate::hex;
use crate::partner::{self, Kind};
use crate::reply::Done;
use sha2::{Digest, Sha256};

/// The reason where the ledger gave the letter to somebody else in between.
const CONTENDED: &str = "letter-contended";
/// The reason where the provider that may have sent the letter is not configured any more.
const PROVIDER_GONE: &str = "mail-provider-gone";

/// How much of the recipient's digest is part of a letter's key, bytes. It keeps the few addresses of one letter apart.
const RECIPIENT_BYTES: usize = 8;

/// What the ledger and the providers know a letter by: its id and a digest of the recipient's address, so that a letter to a
/// corrected address is another one to a provider that recognises repeated letters. The store finds the letters of an
/// advertisement by what stands before the last dot.
#[must_use]
pub fn key(letter_id: &str, address: &str) -> String {
    let digest = Sha256::digest(address.as_bytes());
    let recipient: Vec<u8> = digest.iter().copied().take(RECIPIENT_BYTES).collect();
    format!("{letter_id}.{}", hex::encode(&recipient))
}

/// A provider, by its part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The one that letters are for.
    First,
    /// The one that takes over.
    Fallback,
}

impl Which {
    /// The name of its gate, with which reasons begin.
    #[must_use]
    pub fn partner(self) -> &'static str {
        match self {
            Self::First => partner::MAIL,
            Self::Fallback => partner::MAIL_FALLBACK,
        }
    }
}

/// Where the ledger says that a letter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nowhere.
    Unsent,
    /// With this provider, outcome unknown.
    With(Which),
    /// With a provider that is not configured any more, outcome unknown.
    Elsewhere,
    /// Sent.
    Sent,
}

/// What came of offering a letter to a provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took the letter.
    Accepted,
    /// It did not take it, and wants to be left alone until this moment (ms since 1970). In its words.
    Busy(u64, String),
    /// It will never take it. In its words.
    Refused(String),
    /// There was no answer, or one that says that it failed: how, whether it took the letter all the same, and in words.
    Failed(Kind, Done, String),
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Enter the provider's gate, then tell [`Course::entered`] or [`Course::closed`].
    Enter(Which),
    /// Entrust the letter to it and read the ledger again, then tell [`Course::entrusted`].
    Entrust(Which),
    /// Offer it what the ledger holds, then tell [`Course::offered`].
    Offer(Which),
    /// Take the letter back from it, then tell [`Course::released`].
    Release(Which),
    /// Note that it sent the letter. Then all is done.
    Note(Which),
    /// The letter is sent, or this becomes of its message.
    End(Result<(), Verdict>),
}

/// When the letter may be offered again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Again {
    /// Not before this moment; nothing was tried yet, so the attempt does not count.
    Wait(u64),
    /// After the usual wait, and not before this moment, where there is one.
    Retry(Option<u64>),
    /// Never.
    Never,
}

/// Why a provider did not take the letter.
#[derive(Clone, Debug)]
struct Setback {
    failure: Failure,
    again: Again,
}

/// One attempt at a letter.
#[derive(Debug)]
pub struct Course {
    has_fallback: bool,
    /// An earlier attempt left it with a provider, outcome unknown. What that provider says now does not say what it did then.
    bound: bool,
    first: Option<Setback>,
    fallback: Option<Setback>,
}

impl Course {
    /// Begins with where the letter is.
    #[must_use]
    pub fn begin(standing: Standing, has_fallback: bool) -> (Self, Step) {
        let mut course = Self { has_fallback, bound: false, first: None, fallback: None };
        let step = match standing {
            Standing::Unsent => Step::Enter(Which::First),
            Standing::With(which) => {
                course.bound = true;
                Step::Enter(which)
            }
            Standing::Elsewhere => {
                let words = "a provider that is not configured any more may have sent it; configure that one again \
                             and redrive, or purge";
                Step::End(Err(Verdict::Reject(Failure::new(PROVIDER_GONE, words))))
            }
            Standing::Sent => Step::End(Ok(())),
        };
        (course, step)
    }

    /// The gate let the letter through.
    #[must_use]
    pub fn entered(&self, which: Which) -> Step {
        if self.bound { Step::Offer(which) } else { Step::Entrust(which) }
    }

    /// The gate did not: why, and when to come back (ms since 1970).
    #[must_use]
    pub fn closed(&mut self, which: Which, kind: Kind, until_ms: u64) -> Step {
        let failure = kind.of(which.partner(), "the gate did not let the letter through");
        self.set_back(which, Setback { failure, again: Again::Wait(until_ms) });
        // For a slot one waits; only a provider that fails is passed over.
        if kind == Kind::CircuitOpen && !self.bound { self.next(which) } else { self.end() }
    }

    /// Where the ledger says that the letter is, after it was entrusted to a provider.
    #[must_use]
    pub fn entrusted(&self, which: Which, standing: Standing) -> Step {
        match standing {
            Standing::With(holder) if holder == which => Step::Offer(which),
            Standing::Sent => Step::End(Ok(())),
            Standing::Unsent | Standing::With(_) | Standing::Elsewhere => {
                let failure = Failure::new(CONTENDED, "someone else is sending the letter");
                Step::End(Err(Verdict::Retry { failure, not_before_ms: None }))
            }
        }
    }

    /// What came of offering the letter.
    #[must_use]
    pub fn offered(&mut self, which: Which, outcome: Outcome) -> Step {
        let partner = which.partner();
        let (setback, surely_not) = match outcome {
            Outcome::Accepted => return Step::Note(which),
            Outcome::Busy(until_ms, words) => {
                let again = Again::Retry(Some(until_ms));
                (Setback { failure: Kind::Busy.of(partner, words), again }, true)
            }
            Outcome::Refused(words) => {
                (Setback { failure: Kind::Refused.of(partner, words), again: Again::Never }, true)
            }
            Outcome::Failed(kind, sent, words) => {
                let again = Again::Retry(None);
                (Setback { failure: kind.of(partner, words), again }, sent == Done::SurelyNot)
            }
        };
        self.set_back(which, setback);
        if surely_not && !self.bound {
            return Step::Release(which);
        }
        if which == Which::Fallback {
            // It is with the fallback now, so what the first one said does not matter any more.
            self.first = None;
        }
        self.end()
    }

    /// The letter was taken back.
    #[must_use]
    pub fn released(&mut self, which: Which) -> Step {
        // What one provider refuses for good is not hawked around: the dead letter says why.
        let refused = self.first.as_ref().is_some_and(|setback| setback.again == Again::Never);
        if refused { self.end() } else { self.next(which) }
    }

    fn next(&mut self, after: Which) -> Step {
        match after {
            Which::First if self.has_fallback => Step::Enter(Which::Fallback),
            Which::First | Which::Fallback => self.end(),
        }
    }

    fn set_back(&mut self, which: Which, setback: Setback) {
        match which {
            Which::First => self.first = Some(setback),
            Which::Fallback => self.fallback = Some(setback),
        }
    }

    fn end(&mut self) -> Step {
        let setback = match (self.first.take(), self.fallback.take()) {
            (Some(first), Some(fallback)) => both(first, fallback),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => Setback { failure: Failure::default(), again: Again::Retry(None) },
        };
        let failure = setback.failure;
        Step::End(Err(match setback.again {
            Again::Wait(until_ms) => Verdict::Postpone { failure, until_ms },
            Again::Retry(not_before_ms) => Verdict::Retry { failure, not_before_ms },
            Again::Never => Verdict::Reject(failure),
        }))
    }
}

/// What it means that neither took the letter: either may take it later.
fn both(first: Setback, fallback: Setback) -> Setback {
    let words = format!("{}; the fallback: {}", first.failure.error, fallback.failure.error);
    let (reason, again) = match (first.again, fallback.again) {
        (Again::Wait(one), Again::Wait(other)) => (first.failure.reason, Again::Wait(one.min(other))),
        // The fallback was really called, so the attempt counts.
        (Again::Wait(_), Again::Retry(at)) => (fallback.failure.reason, Again::Retry(at)),
        // None is at once, and the least.
        (Again::Retry(one), Again::Retry(other)) => (first.failure.reason, Again::Retry(one.min(other))),
        // The fallback's refusal is not the last word: the letter is for the first one, once that is back.
        (again, Again::Never | Again::Wait(_)) => (first.failure.reason, again),
        (Again::Never, again) => (first.failure.reason, again),
    };
    Setback { failure: Failure::new(reason, words), again }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn unsent(has_fallback: bool) -> Course {
        let (course, step) = Course::begin(Standing::Unsent, has_fallback);
        assert_eq!(step, Step::Enter(Which::First));
        course
    }

    fn timeout() -> Outcome {
        Outcome::Failed(Kind::Timeout, Done::Unknown, "no answer within 5 s".to_owned())
    }

    fn refused_connection() -> Outcome {
        Outcome::Failed(Kind::Unreachable, Done::SurelyNot, "the connection was refused".to_owned())
    }

    fn reason(step: &Step) -> &str {
        match step {
            Step::End(Err(
                Verdict::Retry { failure, .. } | Verdict::Postpone { failure, .. } | Verdict::Reject(failure),
            )) => &failure.reason,
            other => panic!("not an end: {other:?}"),
        }
    }

    #[test]
    fn a_letter_to_another_address_is_another_letter() {
        let first = key("pause-1", "ads@example.com");
        assert_eq!(first, key("pause-1", "ads@example.com"));
        assert_ne!(first, key("pause-1", "adds@example.com"));
        assert!(first.starts_with("pause-1.") && first.len() == "pause-1.".len() + 2 * RECIPIENT_BYTES);
    }

    #[test]
    fn a_letter_that_was_sent_is_not_sent_again() {
        assert_eq!(Course::begin(Standing::Sent, true).1, Step::End(Ok(())));
    }

    #[test]
    fn a_letter_is_entrusted_before_it_is_offered_and_noted_after() {
        let mut course = unsent(false);
        assert_eq!(course.entered(Which::First), Step::Entrust(Which::First));
        let standing = Standing::With(Which::First);
        assert_eq!(course.entrusted(Which::First, standing), Step::Offer(Which::First));
        assert_eq!(course.offered(Which::First, Outcome::Accepted), Step::Note(Which::First));
    }

    #[test]
    fn what_nobody_knows_stays_where_it_is_even_beside_a_fallback() {
        let mut course = unsent(true);
        let step = course.offered(Which::First, timeout());
        assert_eq!(reason(&step), "mail-timeout");
        let (mut course, step) = Course::begin(Standing::With(Which::First), true);
        assert_eq!(step, Step::Enter(Which::First));
        assert_eq!(course.entered(Which::First), Step::Offer(Which::First));
        // The second call surely did nothing, but the first may have.
        let step = course.offered(Which::First, refused_connection());
        assert_eq!(reason(&step), "mail-unreachable");
        let (mut course, _) = Course::begin(Standing::With(Which::First), true);
        let step = course.closed(Which::First, Kind::CircuitOpen, 7);
        assert!(matches!(step, Step::End(Err(Verdict::Postpone { until_ms: 7, .. }))), "{step:?}");
    }

    #[test]
    fn a_letter_that_was_surely_not_taken_goes_to_the_fallback() {
        for outcome in [refused_connection(), Outcome::Busy(9, "answered 429".to_owned())] {
            let mut course = unsent(true);
            assert_eq!(course.offered(Which::First, outcome), Step::Release(Which::First));
            assert_eq!(course.released(Which::First), Step::Enter(Which::Fallback));
        }
        let mut course = unsent(true);
        assert_eq!(course.closed(Which::First, Kind::CircuitOpen, 7), Step::Enter(Which::Fallback));
    }

    #[test]
    fn for_a_slot_of_the_first_provider_one_waits() {
        for kind in [Kind::Rate, Kind::Concurrency] {
            let step = unsent(true).closed(Which::First, kind, 7);
            assert!(matches!(step, Step::End(Err(Verdict::Postpone { until_ms: 7, .. }))), "{step:?}");
        }
    }

    #[test]
    fn a_refused_letter_is_a_dead_letter_with_the_providers_words() {
        let mut course = unsent(true);
        let step = course.offered(Which::First, Outcome::Refused("answered 422: no such box".to_owned()));
        assert_eq!(step, Step::Release(Which::First));
        let failure = Failure::new("mail-refused", "answered 422: no such box");
        assert_eq!(course.released(Which::First), Step::End(Err(Verdict::Reject(failure))));
    }

    #[test]
    fn a_busy_provider_is_asked_again_when_it_said() {
        let mut course = unsent(false);
        assert_eq!(
            course.offered(Which::First, Outcome::Busy(9, String::new())),
            Step::Release(Which::First)
        );
        let step = course.released(Which::First);
        assert!(matches!(step, Step::End(Err(Verdict::Retry { not_before_ms: Some(9), .. }))), "{step:?}");
    }

    #[test]
    fn the_refusal_of_the_fallback_is_not_the_last_word() {
        let mut course = unsent(true);
        assert_eq!(course.offered(Which::First, refused_connection()), Step::Release(Which::First));
        assert_eq!(course.released(Which::First), Step::Enter(Which::Fallback));
        let refused = Outcome::Refused("answered 403: not verified".to_owned());
        assert_eq!(course.offered(Which::Fallback, refused), Step::Release(Which::Fallback));
        let step = course.released(Which::Fallback);
        let Step::End(Err(Verdict::Retry { failure, .. })) = step else { panic!("{step:?}") };
        assert_eq!(failure.reason, "mail-unreachable");
        assert!(failure.error.contains("the fallback: answered 403: not verified"), "{failure:?}");
    }

    #[test]
    fn a_letter_that_is_with_the_fallback_speaks_of_the_fallback() {
        let mut course = unsent(true);
        assert_eq!(course.closed(Which::First, Kind::CircuitOpen, 7), Step::Enter(Which::Fallback));
        assert_eq!(reason(&course.offered(Which::Fallback, timeout())), "mail-fallback-timeout");
    }

    #[test]
    fn two_closed_circuits_wait_for_the_first_to_open() {
        let mut course = unsent(true);
        assert_eq!(course.closed(Which::First, Kind::CircuitOpen, 9), Step::Enter(Which::Fallback));
        let step = course.closed(Which::Fallback, Kind::CircuitOpen, 7);
        assert!(matches!(step, Step::End(Err(Verdict::Postpone { until_ms: 7, .. }))), "{step:?}");
        assert_eq!(reason(&step), "mail-circuit-open");
    }

    #[test]
    fn a_provider_that_was_taken_away_keeps_its_letter_and_somebody_is_told() {
        let (_, step) = Course::begin(Standing::Elsewhere, true);
        assert!(matches!(step, Step::End(Err(Verdict::Reject(_)))), "{step:?}");
    }

    /// A world of two providers, a ledger, gates, and everything that goes wrong, as a tape of numbers says. Where the tape ends, all goes
    /// well.
    struct World {
        tape: std::vec::IntoIter<u8>,
        standing: Standing,
        /// Whether a provider recognises a letter that it took before.
        recognises: [bool; 2],
        deliveries: [u32; 2],
        refusals: u32,
    }

    /// The program ended in the middle, or the store failed: the attempt is over and another one begins.
    struct Crash;

    fn index(which: Which) -> usize {
        match which {
            Which::First => 0,
            Which::Fallback => 1,
        }
    }

    impl World {
        fn chance(&mut self, of: u8) -> u8 {
            self.tape.next().map_or(0, |number| number % of)
        }

        fn may_crash(&mut self) -> Result<(), Crash> {
            if self.chance(8) == 1 { Err(Crash) } else { Ok(()) }
        }

        fn take(&mut self, which: Which) {
            let index = index(which);
            if !(self.recognises[index] && self.deliveries[index] > 0) {
                self.deliveries[index] += 1;
            }
        }

        fn offer(&mut self, which: Which) -> Outcome {
            let words = String::new;
            match self.chance(9) {
                1 => refused_connection(),
                2 => Outcome::Busy(5, words()),
                3 => Outcome::Failed(Kind::Failing, Done::SurelyNot, words()),
                4 => timeout(),
                5 => {
                    self.take(which);
                    timeout()
                }
                6 => {
                    self.take(which);
                    Outcome::Failed(Kind::UnusableAnswer, Done::Unknown, words())
                }
                7 => Outcome::Failed(Kind::Failing, Done::Unknown, words()),
                8 => {
                    self.refusals += 1;
                    Outcome::Refused(words())
                }
                _ => {
                    self.take(which);
                    Outcome::Accepted
                }
            }
        }

        fn attempt(&mut self, has_fallback: bool) -> Result<Result<(), Verdict>, Crash> {
            let (mut course, mut step) = Course::begin(self.standing, has_fallback);
            loop {
                self.may_crash()?;
                step = match step {
                    Step::Enter(which) => match self.chance(5) {
                        1 => course.closed(which, Kind::CircuitOpen, 3),
                        2 => course.closed(which, Kind::Rate, 3),
                        _ => course.entered(which),
                    },
                    Step::Entrust(which) => {
                        assert_eq!(self.standing, Standing::Unsent, "only what is nowhere is given away");
                        self.standing = Standing::With(which);
                        course.entrusted(which, self.standing)
                    }
                    Step::Offer(which) => {
                        assert_eq!(self.standing, Standing::With(which), "only what it has is offered");
                        let outcome = self.offer(which);
                        self.may_crash()?;
                        course.offered(which, outcome)
                    }
                    Step::Release(which) => {
                        self.standing = Standing::Unsent;
                        course.released(which)
                    }
                    Step::Note(_) => {
                        self.standing = Standing::Sent;
                        Step::End(Ok(()))
                    }
                    Step::End(end) => return Ok(end),
                };
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn whatever_goes_wrong_a_letter_goes_out_through_one_provider_and_is_not_lost(
            tape: Vec<u8>, recognises: [bool; 2], has_fallback: bool,
        ) {
            let attempts_max = tape.len() + 2;
            let mut world = World {
                tape: tape.into_iter(),
                standing: Standing::Unsent,
                recognises,
                deliveries: [0, 0],
                refusals: 0,
            };
            let mut end = None;
            for _ in 0..attempts_max {
                match world.attempt(has_fallback) {
                    Ok(Ok(())) => end = Some(true),
                    Ok(Err(Verdict::Reject(_))) => end = Some(false),
                    Ok(Err(Verdict::Retry { .. } | Verdict::Postpone { .. })) | Err(Crash) => continue,
                    Ok(Err(Verdict::Done)) => panic!("an end that is no end"),
                }
                break;
            }
            let [first, fallback] = world.deliveries;
            prop_assert!(first == 0 || fallback == 0, "{first} and {fallback}");
            for (deliveries, recognises) in world.deliveries.into_iter().zip(recognises) {
                prop_assert!(!recognises || deliveries <= 1);
            }
            match end {
                Some(true) => {
                    prop_assert_eq!(world.standing, Standing::Sent);
                    prop_assert!(first + fallback >= 1);
                    let again = world.attempt(has_fallback);
                    prop_assert!(matches!(again, Ok(Ok(())) | Err(Crash)));
                    prop_assert_eq!(world.deliveries, [first, fallback]);
                }
                Some(false) => prop_assert!(world.refusals > 0),
                None => prop_assert!(false, "the letter never came to an end"),
            }
        }
    }
}

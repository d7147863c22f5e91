//! The way of one letter: which provider may be given it, what is written down before and after, and what becomes of its message.
//!
//! A letter is entrusted to a provider before it is sent. While nobody knows whether that provider sent it, it stays there: it is
//! offered again to the same provider, in the same words. Only a letter that a provider surely did not take is taken back and
//! may go to the fallback. So a letter never goes out through both, and through one that recognises repeated letters it goes out
//! once. One that recognises none may send a letter of unknown outcome again with each offer, because one that comes twice is better
//! than one that nobody gets; the queue's limit of attempts ends that, and an operator's redrive sends it anew.
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
    /// With this provider, outcome unknown; so many times it was given to it since it was last unsent.
    With(Which, u32),
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

/// What an attempt at a letter depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Whether the first provider recognises a letter that it was offered before.
    pub first_recognises: bool,
    /// Whether the fallback does; none where there is no fallback.
    pub fallback_recognises: Option<bool>,
    /// Whether this is the first attempt at the message since it was published or an operator redrove it.
    pub is_first_attempt: bool,
}

impl Setting {
    fn recognises(&self, which: Which) -> bool {
        match which {
            Which::First => self.first_recognises,
            Which::Fallback => self.fallback_recognises.unwrap_or_default(),
        }
    }
}

/// One attempt at a letter.
#[derive(Debug)]
pub struct Course {
    setting: Setting,
    /// What an earlier attempt left behind is taken back before anything else, because an operator decided so.
    is_renewed: bool,
    /// An earlier attempt left it with a provider, outcome unknown. What that provider says now does not say what it did then.
    bound: bool,
    first: Option<Setback>,
    fallback: Option<Setback>,
}

impl Course {
    /// Begins with where the letter is.
    #[must_use]
    pub fn begin(standing: Standing, setting: Setting) -> (Self, Step) {
        let mut course = Self { setting, is_renewed: false, bound: false, first: None, fallback: None };
        let step = match standing {
            Standing::Unsent => Step::Enter(Which::First),
            Standing::With(which, _) => course.resume(which),
            Standing::Elsewhere => {
                let words = "a provider that is not configured any more may have sent it; configure that one again \
                             and redrive, or purge";
                Step::End(Err(Verdict::Reject(Failure::new(PROVIDER_GONE, words))))
            }
            Standing::Sent => Step::End(Ok(())),
        };
        (course, step)
    }

    fn resume(&mut self, which: Which) -> Step {
        let recognises = self.setting.recognises(which);
        // Every offer of unknown outcome ends its attempt as one that counts, so at a first attempt it was an earlier message, or
        // this one before an operator redrove it. The letter is taken back only now and not when its message was buried: until then
        // it counts as one that may have been sent, and no crash between the two gives it away once more.
        self.is_renewed = !recognises && self.setting.is_first_attempt;
        if self.is_renewed {
            return Step::Release(which);
        }
        self.bound = true;
        Step::Enter(which)
    }

    /// The gate let the letter through. What the provider has already is entrusted to it once more, which counts the offer.
    #[must_use]
    pub fn entered(&self, which: Which) -> Step {
        Step::Entrust(which)
    }

    /// The gate did not: why, and when to come back (ms since 1970).
    #[must_use]
    pub fn closed(&mut self, which: Which, kind: Kind, until_ms: u64) -> Step {
        let failure = kind.of(which.partner(), "the gate did not let the letter through");
        self.set_back(which, Setback { failure, again: Again::Wait(until_ms) });
        // For a slot one waits; a provider that fails, or wants to be left alone, is passed over.
        let is_passed_over = matches!(kind, Kind::CircuitOpen | Kind::Busy) && !self.bound;
        if is_passed_over { self.next(which) } else { self.end() }
    }

    /// Where the ledger says that the letter is, after it was entrusted to a provider.
    #[must_use]
    pub fn entrusted(&mut self, which: Which, standing: Standing) -> Step {
        match standing {
            Standing::With(holder, offers) if holder == which => {
                // Somebody else entrusted it in between, and may have offered it.
                self.bound |= offers > 1;
                Step::Offer(which)
            }
            Standing::Sent => Step::End(Ok(())),
            Standing::Unsent | Standing::With(..) | Standing::Elsewhere => {
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
        let is_refused = setback.again == Again::Never;
        if self.bound && !self.setting.recognises(which) {
            return repeated_in_vain(setback);
        }
        self.set_back(which, setback);
        // One that recognises repetitions would have said so of a letter that it took: its refusal speaks for the first offer too.
        let is_surely_unsent = if self.bound { is_refused } else { surely_not };
        if is_surely_unsent {
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
        if self.is_renewed {
            self.is_renewed = false;
            return Step::Enter(Which::First);
        }
        if self.bound
            && which == Which::Fallback
            && let Some(setback) = &mut self.fallback
        {
            // The fallback's refusal is not the last word: the first one has not been asked since.
            setback.again = Again::Retry(None);
        }
        // What one provider refuses for good is not hawked around: the dead letter says why.
        let refused = self.first.as_ref().is_some_and(|setback| setback.again == Again::Never);
        if refused { self.end() } else { self.next(which) }
    }

    fn next(&mut self, after: Which) -> Step {
        match after {
            Which::First if self.setting.fallback_recognises.is_some() => Step::Enter(Which::Fallback),
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

/// The end of a repetition at a provider that recognises none. Whatever it says of this offer, nobody knows what came of the ones
/// before, so the letter stays with it.
fn repeated_in_vain(setback: Setback) -> Step {
    let Setback { failure, again } = setback;
    Step::End(Err(match again {
        Again::Wait(until_ms) => Verdict::Postpone { failure, until_ms },
        Again::Retry(not_before_ms) => Verdict::Retry { failure, not_before_ms },
        Again::Never => {
            let words = format!("{}; what came of an earlier try is unknown", failure.error);
            Verdict::Reject(Failure::new(failure.reason, words))
        }
    }))
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
mod tests;

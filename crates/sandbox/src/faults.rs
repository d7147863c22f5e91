//! What any partner may do wrong: the knobs that all stand-ins share, and the pure rules of whom they hit.

use serde::{Deserialize, Serialize};

/// Longest delay of an answer, and of anything else that a knob slows down.
pub(crate) const DELAY_MS_MAX: u64 = 600_000;

/// Too much to do.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Busy {
    /// 503 or 429.
    #[serde(default = "Busy::default_status")]
    pub status: u16,
    /// The value of `Retry-After`, in seconds; `null`: no such header.
    #[serde(default)]
    pub retry_after_seconds: Option<u32>,
}

impl Busy {
    fn default_status() -> u16 {
        503
    }
}

/// What stands where an answer should.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Garbage {
    /// An HTML page, as a proxy in between would send.
    Html,
    /// JSON that breaks off in the middle.
    BrokenJson,
    /// Nothing at all.
    Empty,
}

/// What a request is in for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Fault {
    Down,
    Hang,
    Refused(u16),
    Busy(Busy),
    Error,
    Garbage(Garbage),
    AnswerLost,
}

impl Fault {
    /// Its name in the list of requests.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Hang => "hang",
            Self::Refused(_) => "refused",
            Self::Busy(_) => "busy",
            Self::Error => "error",
            Self::Garbage(_) => "garbage",
            Self::AnswerLost => "answer_lost",
        }
    }
}

/// The knobs that every stand-in has, as the macro `knobs!` describes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Faults {
    pub(crate) answer_delay_ms: u64,
    pub(crate) down: bool,
    pub(crate) hang: bool,
    pub(crate) refuse: Option<u16>,
    pub(crate) busy: Option<Busy>,
    pub(crate) error_rate: f64,
    pub(crate) busy_rate: f64,
    pub(crate) busy_retry_after_seconds: Option<u32>,
    pub(crate) seed: u64,
    pub(crate) garbage: Option<Garbage>,
    pub(crate) lose_answer: bool,
    pub(crate) faults_max: Option<u64>,
}

impl Faults {
    /// Names every value that is out of its range.
    pub(crate) fn out_of_range(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.answer_delay_ms > DELAY_MS_MAX {
            wrong.push(format!("answer_delay_ms is more than {DELAY_MS_MAX}"));
        }
        if !(0.0..=1.0).contains(&self.error_rate) {
            wrong.push("error_rate is not between 0 and 1".to_owned());
        }
        if !(0.0..=1.0).contains(&self.busy_rate) {
            wrong.push("busy_rate is not between 0 and 1".to_owned());
        }
        if self.refuse.is_some_and(|status| !(400..600).contains(&status)) {
            wrong.push("refuse is not a status between 400 and 599".to_owned());
        }
        if self.busy.as_ref().is_some_and(|busy| !matches!(busy.status, 429 | 503)) {
            wrong.push("busy.status is neither 429 nor 503".to_owned());
        }
        wrong
    }

    /// The fault for request number `nth` (from 0) since the knobs were set, of which `hits` have met one already.
    pub(crate) fn fault(&self, nth: u64, hits: u64) -> Option<Fault> {
        if self.faults_max.is_some_and(|max| hits >= max) {
            return None;
        }
        let drawn = draw(self.seed, nth);
        if self.down {
            Some(Fault::Down)
        } else if self.hang {
            Some(Fault::Hang)
        } else if let Some(status) = self.refuse {
            Some(Fault::Refused(status))
        } else if let Some(busy) = &self.busy {
            Some(Fault::Busy(busy.clone()))
        } else if drawn < self.error_rate {
            Some(Fault::Error)
        } else if drawn < self.error_rate + self.busy_rate {
            Some(Fault::Busy(Busy { status: 503, retry_after_seconds: self.busy_retry_after_seconds }))
        } else if let Some(garbage) = self.garbage {
            Some(Fault::Garbage(garbage))
        } else if self.lose_answer {
            Some(Fault::AnswerLost)
        } else {
            None
        }
    }
}

/// The `nth` number of the series `seed`, in `[0, 1)`: the finaliser of SplitMix64, which spreads neighbours well.
fn draw(seed: u64, nth: u64) -> f64 {
    let mut x = seed.wrapping_add(nth.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^= x >> 31;
    (x >> 11) as f64 / (1_u64 << 53) as f64
}

/// The knobs of one stand-in: those that all share, and its own.
pub trait Turn:
    Clone
    + std::fmt::Debug
    + Default
    + serde::de::DeserializeOwned
    + PartialEq
    + Send
    + Serialize
    + Sync
    + 'static
{
    /// The knobs that all share.
    fn faults(&self) -> Faults;

    /// Names every value of the stand-in's own knobs that is out of its range.
    fn out_of_range(&self) -> Vec<String>;

    /// Fails with every value that is out of its range.
    fn check(&self) -> Result<(), String> {
        let mut wrong = self.faults().out_of_range();
        wrong.extend(self.out_of_range());
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }
}

/// Defines the `Knobs` of a stand-in: the shared ones beside its own, each of which comes with its default. They stand
/// in one flat struct, and a JSON object with one level, because that is how they are turned; serde cannot both flatten
/// and refuse a knob that does not exist.
///
/// The stand-in adds `fn own_out_of_range(&self) -> Vec<String>`.
macro_rules! knobs {
    (
        $(#[$about:meta])*
        pub struct Knobs { $($(#[$doc:meta])* pub $field:ident: $type:ty = $default:expr,)* }
    ) => {
        $(#[$about])*
        ///
        /// Where several faults of the answer are on, the first of this order is taken: `down`, `hang`, `refuse`,
        /// `busy`, `error_rate`, `busy_rate`, `garbage`, `lose_answer`. Only `lose_answer` does what was asked for.
        #[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
        #[serde(default, deny_unknown_fields)]
        pub struct Knobs {
            /// Milliseconds between taking a request and answering it. What was asked for is done before the wait.
            pub answer_delay_ms: u64,
            /// Closes the connection without an answer, as a process that is about to crash does.
            pub down: bool,
            /// Reads the request and does not answer until the knob is lifted or 120 s have passed; then it closes the
            /// connection.
            pub hang: bool,
            /// Answers with this status (400 to 599).
            pub refuse: Option<u16>,
            /// Answers 503 or 429 with `Retry-After`.
            pub busy: Option<$crate::Busy>,
            /// Share of requests answered 500, from 0 to 1; which ones depends on `seed` alone.
            pub error_rate: f64,
            /// Share of requests answered 503, beside those of `error_rate`, from 0 to 1.
            pub busy_rate: f64,
            /// The value of `Retry-After` in the answers of `busy_rate`, in seconds; `null`: no such header.
            pub busy_retry_after_seconds: Option<u32>,
            /// Chooses the requests that `error_rate` and `busy_rate` hit. Setting knobs starts its series anew.
            pub seed: u64,
            /// Answers 200 with something that is no answer.
            pub garbage: Option<$crate::Garbage>,
            /// Does what was asked for, then closes the connection without an answer.
            pub lose_answer: bool,
            /// The faults above spare every request after this many hits; `null`: they last. Counted from the setting
            /// of the knobs.
            pub faults_max: Option<u64>,
            $($(#[$doc])* pub $field: $type,)*
        }

        impl Default for Knobs {
            fn default() -> Self {
                Self {
                    answer_delay_ms: 0,
                    down: false,
                    hang: false,
                    refuse: None,
                    busy: None,
                    error_rate: 0.0,
                    busy_rate: 0.0,
                    busy_retry_after_seconds: None,
                    seed: 0,
                    garbage: None,
                    lose_answer: false,
                    faults_max: None,
                    $($field: $default,)*
                }
            }
        }

        impl $crate::faults::Turn for Knobs {
            fn faults(&self) -> $crate::faults::Faults {
                $crate::faults::Faults {
                    answer_delay_ms: self.answer_delay_ms,
                    down: self.down,
                    hang: self.hang,
                    refuse: self.refuse,
                    busy: self.busy.clone(),
                    error_rate: self.error_rate,
                    busy_rate: self.busy_rate,
                    busy_retry_after_seconds: self.busy_retry_after_seconds,
                    seed: self.seed,
                    garbage: self.garbage,
                    lose_answer: self.lose_answer,
                    faults_max: self.faults_max,
                }
            }

            fn out_of_range(&self) -> Vec<String> {
                self.own_out_of_range()
            }
        }
    };
}
pub(crate) use knobs;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_rate_hits_the_same_requests_for_the_same_seed() {
        let faults = Faults { error_rate: 0.3, seed: 7, ..Faults::default() };
        let hits = |faults: &Faults| (0..1000).filter(|n| faults.fault(*n, 0).is_some()).collect::<Vec<_>>();
        assert_eq!(hits(&faults), hits(&faults));
        assert!((250..350).contains(&hits(&faults).len()), "{} of 1000", hits(&faults).len());
        assert_ne!(hits(&faults), hits(&Faults { seed: 8, ..faults.clone() }));
        assert_eq!(hits(&Faults { error_rate: 1.0, ..faults.clone() }).len(), 1000);
        assert_eq!(hits(&Faults { error_rate: 0.0, ..faults }).len(), 0);
    }

    #[test]
    fn a_busy_rate_hits_its_share_beside_that_of_the_errors() {
        let faults = Faults {
            error_rate: 0.3,
            busy_rate: 0.2,
            busy_retry_after_seconds: Some(1),
            ..Faults::default()
        };
        let met = (0..1000).filter_map(|n| faults.fault(n, 0)).collect::<Vec<_>>();
        let errors = met.iter().filter(|fault| **fault == Fault::Error).count();
        let busy = Fault::Busy(Busy { status: 503, retry_after_seconds: Some(1) });
        assert!((250..350).contains(&errors), "{errors} errors");
        assert!((150..250).contains(&(met.len() - errors)), "{} busy", met.len() - errors);
        assert!(met.iter().all(|fault| *fault == Fault::Error || *fault == busy));
    }

    #[test]
    fn faults_end_after_their_number() {
        let faults = Faults { refuse: Some(400), faults_max: Some(2), ..Faults::default() };
        assert_eq!(faults.fault(1, 1), Some(Fault::Refused(400)));
        assert_eq!(faults.fault(2, 2), None);
    }
}

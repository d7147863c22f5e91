//! The knobs of the factory: which faults are on, and the pure rules of what they do to an answer and to a callback.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Copies of one callback beyond the first.
pub(crate) const DUPLICATES_MAX: u32 = 100;
/// Longest stage and longest delay of an answer.
pub(crate) const DELAY_MS_MAX: u64 = 600_000;

/// The field of the request that says how many units to make.
pub(crate) const COUNT: &str = "MessageAttributeProductCnt";
/// What some factories call it in their callback.
const OTHER_COUNT: &str = "OrderStockCnt";

/// What the factory does wrong. The default is the factory on a good day.
///
/// Where several faults of the answer are on, the first of this order is taken: `down`, `hang`, `refuse`, `busy`,
/// `error_rate`, `garbage`, `lose_answer`. Only `lose_answer` starts a job.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Knobs {
    /// Milliseconds for each of the five stages; `null`: a job waits for `POST /sandbox/finish`. A change counts from
    /// a job's next stage on, and at once for jobs that wait.
    pub stage_ms: Option<u64>,
    /// Milliseconds between taking a request and answering it. The job starts before the wait.
    pub answer_delay_ms: u64,
    /// Closes the connection without an answer, as a process that is about to crash does.
    pub down: bool,
    /// Reads the request and does not answer until the knob is lifted or 120 s have passed; then it closes the connection.
    pub hang: bool,
    /// Answers with this status (400 to 599).
    pub refuse: Option<u16>,
    /// Answers 503 or 429 with `Retry-After`.
    pub busy: Option<Busy>,
    /// Share of requests answered 500, from 0 to 1; which ones depends on `seed` alone.
    pub error_rate: f64,
    /// Chooses the requests that `error_rate` hits. Setting knobs starts its series anew.
    pub seed: u64,
    /// Answers 200 with something that is no answer.
    pub garbage: Option<Garbage>,
    /// Starts the job, then closes the connection without an answer.
    pub lose_answer: bool,
    /// The faults above spare every request after this many hits; `null`: they last. Counted from the setting of the knobs.
    pub faults_max: Option<u64>,
    /// Completes jobs without a callback.
    pub drop_callbacks: bool,
    /// Copies of each callback beyond the first, sent one after the other (0 to 100).
    pub duplicate_callbacks: u32,
    /// Reports another count than the one asked for.
    pub partial: Option<Partial>,
    /// Reports the count as a string, whatever was sent.
    pub count_as_string: bool,
    /// The form of the callback's body.
    pub callback_shape: CallbackShape,
}

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

/// What stands where JSON should.
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

/// A count other than the one asked for.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Partial {
    /// This share of it, rounded down; above 1 is an over-delivery.
    Fraction(f64),
    /// Exactly this many.
    Count(u64),
}

/// The forms of a callback that have been seen in the wild.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CallbackShape {
    /// The request, echoed.
    #[default]
    Echo,
    /// The request with `OrderStockCnt` in place of the count.
    OrderStockCnt,
    /// The request without any count.
    NoCount,
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

impl Default for Knobs {
    fn default() -> Self {
        Self {
            stage_ms: Some(Self::STAGE_MS),
            answer_delay_ms: 0,
            down: false,
            hang: false,
            refuse: None,
            busy: None,
            error_rate: 0.0,
            seed: 0,
            garbage: None,
            lose_answer: false,
            faults_max: None,
            drop_callbacks: false,
            duplicate_callbacks: 0,
            partial: None,
            count_as_string: false,
            callback_shape: CallbackShape::Echo,
        }
    }
}

impl Knobs {
    /// How long the real factory needs for one stage.
    pub const STAGE_MS: u64 = 10_000;

    /// Names every value that is out of its range.
    pub(crate) fn check(&self) -> Result<(), String> {
        let mut wrong = Vec::new();
        if self.stage_ms.is_some_and(|ms| ms > DELAY_MS_MAX) {
            wrong.push(format!("stage_ms is more than {DELAY_MS_MAX}"));
        }
        if self.answer_delay_ms > DELAY_MS_MAX {
            wrong.push(format!("answer_delay_ms is more than {DELAY_MS_MAX}"));
        }
        if !(0.0..=1.0).contains(&self.error_rate) {
            wrong.push("error_rate is not between 0 and 1".to_owned());
        }
        if self.refuse.is_some_and(|status| !(400..600).contains(&status)) {
            wrong.push("refuse is not a status between 400 and 599".to_owned());
        }
        if self.busy.as_ref().is_some_and(|busy| !matches!(busy.status, 429 | 503)) {
            wrong.push("busy.status is neither 429 nor 503".to_owned());
        }
        if self.duplicate_callbacks > DUPLICATES_MAX {
            wrong.push(format!("duplicate_callbacks is more than {DUPLICATES_MAX}"));
        }
        if matches!(self.partial, Some(Partial::Fraction(share)) if !(0.0..=1000.0).contains(&share)) {
            wrong.push("partial.fraction is not between 0 and 1000".to_owned());
        }
        if wrong.is_empty() { Ok(()) } else { Err(wrong.join("; ")) }
    }

    /// The fault for request number `nth` (from 0) since the knobs were set, of which `hits` have met one already.
    pub(crate) fn fault(&self, nth: u64, hits: u64) -> Option<Fault> {
        if self.faults_max.is_some_and(|max| hits >= max) {
            return None;
        }
        if self.down {
            Some(Fault::Down)
        } else if self.hang {
            Some(Fault::Hang)
        } else if let Some(status) = self.refuse {
            Some(Fault::Refused(status))
        } else if let Some(busy) = &self.busy {
            Some(Fault::Busy(busy.clone()))
        } else if draw(self.seed, nth) < self.error_rate {
            Some(Fault::Error)
        } else if let Some(garbage) = self.garbage {
            Some(Fault::Garbage(garbage))
        } else if self.lose_answer {
            Some(Fault::AnswerLost)
        } else {
            None
        }
    }

    /// The body of the callback for `request`. With no knob turned it is the request, untouched to the last field.
    pub(crate) fn callback_body(&self, request: &Value) -> Value {
        let mut body = request.clone();
        let Some(fields) = body.as_object_mut() else { return body };
        if let Some(count) = fields.get_mut(COUNT) {
            if let (Some(partial), Some(asked)) = (self.partial, units(count)) {
                let made = match partial {
                    Partial::Count(made) => made,
                    // Counts are far below 2^53, and a negative or endless share is refused when it is set.
                    Partial::Fraction(share) => (asked as f64 * share) as u64,
                };
                *count = if count.is_string() { made.to_string().into() } else { made.into() };
            }
            if self.count_as_string && count.is_number() {
                *count = count.to_string().into();
            }
        }
        match self.callback_shape {
            CallbackShape::Echo => {}
            CallbackShape::NoCount => {
                fields.remove(COUNT);
            }
            CallbackShape::OrderStockCnt => {
                if let Some(count) = fields.remove(COUNT) {
                    let number = units(&count).filter(|_| !self.count_as_string).map(Value::from);
                    fields.insert(OTHER_COUNT.to_owned(), number.unwrap_or(count));
                }
            }
        }
        body
    }
}

/// A count in either of the two forms in use.
fn units(count: &Value) -> Option<u64> {
    count.as_u64().or_else(|| count.as_str()?.trim().parse().ok())
}

/// The `nth` number of the series `seed`, in `[0, 1)`: the finaliser of SplitMix64, which spreads neighbours well.
fn draw(seed: u64, nth: u64) -> f64 {
    let mut x = seed.wrapping_add(nth.wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^= x >> 31;
    (x >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn request(count: Value) -> Value {
        json!({"MessageAttributeProductId": "CP-502101", COUNT: count, "unheard": [1, null]})
    }

    #[test]
    fn a_good_day_echoes_the_request_untouched() {
        for count in [json!(5), json!("5"), json!(null), json!({"odd": 1})] {
            assert_eq!(Knobs::default().callback_body(&request(count.clone())), request(count));
        }
        assert_eq!(Knobs::default().callback_body(&json!("no object")), json!("no object"));
    }

    #[test]
    fn a_partial_delivery_keeps_the_type_of_the_count() {
        let knobs = Knobs { partial: Some(Partial::Fraction(0.5)), ..Knobs::default() };
        assert_eq!(knobs.callback_body(&request(json!(5)))[COUNT], json!(2));
        assert_eq!(knobs.callback_body(&request(json!("5")))[COUNT], json!("2"));
        let knobs = Knobs { partial: Some(Partial::Count(9)), count_as_string: true, ..Knobs::default() };
        assert_eq!(knobs.callback_body(&request(json!(5)))[COUNT], json!("9"));
    }

    #[test]
    fn each_shape_carries_the_count_where_it_says() {
        let knobs = Knobs { callback_shape: CallbackShape::OrderStockCnt, ..Knobs::default() };
        let body = knobs.callback_body(&request(json!("5")));
        assert_eq!(body["OrderStockCnt"], json!(5));
        assert_eq!(body.get(COUNT), None);
        let knobs = Knobs { callback_shape: CallbackShape::NoCount, ..Knobs::default() };
        let body = knobs.callback_body(&request(json!(5)));
        assert_eq!(body, json!({"MessageAttributeProductId": "CP-502101", "unheard": [1, null]}));
    }

    #[test]
    fn an_error_rate_hits_the_same_requests_for_the_same_seed() {
        let knobs = Knobs { error_rate: 0.3, seed: 7, ..Knobs::default() };
        let hits = |knobs: &Knobs| (0..1000).filter(|n| knobs.fault(*n, 0).is_some()).collect::<Vec<_>>();
        assert_eq!(hits(&knobs), hits(&knobs));
        assert!((250..350).contains(&hits(&knobs).len()), "{} of 1000", hits(&knobs).len());
        assert_ne!(hits(&knobs), hits(&Knobs { seed: 8, ..knobs.clone() }));
        assert_eq!(hits(&Knobs { error_rate: 1.0, ..knobs.clone() }).len(), 1000);
        assert_eq!(hits(&Knobs { error_rate: 0.0, ..knobs }).len(), 0);
    }

    #[test]
    fn faults_end_after_their_number() {
        let knobs = Knobs { refuse: Some(400), faults_max: Some(2), ..Knobs::default() };
        assert_eq!(knobs.fault(1, 1), Some(Fault::Refused(400)));
        assert_eq!(knobs.fault(2, 2), None);
    }

    #[test]
    fn every_value_out_of_range_is_named() {
        let knobs =
            Knobs { error_rate: f64::NAN, refuse: Some(201), duplicate_callbacks: 101, ..Knobs::default() };
        let wrong = knobs.check().unwrap_err();
        for name in ["error_rate", "refuse", "duplicate_callbacks"] {
            assert!(wrong.contains(name), "{wrong}");
        }
        assert_eq!(Knobs::default().check(), Ok(()));
    }
}

//! The knobs of the factory: which faults are on, and the pure rules of what they do to a callback.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::faults::{DELAY_MS_MAX, knobs};

/// Copies of one callback beyond the first.
pub(crate) const DUPLICATES_MAX: u32 = 100;

/// The field of the request that says how many units to make.
pub(crate) const COUNT: &str = "MessageAttributeProductCnt";
/// What some factories call it in their callback.
const OTHER_COUNT: &str = "OrderStockCnt";

knobs! {
    /// What the factory does wrong. The default is the factory on a good day.
    pub struct Knobs {
        /// Milliseconds for each of the five stages; `null`: a job waits for `POST /sandbox/finish`. A change counts
        /// from a job's next stage on, and at once for jobs that wait.
        pub stage_ms: Option<u64> = Some(Self::STAGE_MS),
        /// Completes jobs without a callback.
        pub drop_callbacks: bool = false,
        /// Copies of each callback beyond the first, sent one after the other (0 to 100).
        pub duplicate_callbacks: u32 = 0,
        /// Reports another count than the one asked for.
        pub partial: Option<Partial> = None,
        /// Reports the count as a string, whatever was sent.
        pub count_as_string: bool = false,
        /// The form of the callback's body.
        pub callback_shape: CallbackShape = CallbackShape::Echo,
    }
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

impl Knobs {
    /// How long the real factory needs for one stage.
    pub const STAGE_MS: u64 = 10_000;

    fn own_out_of_range(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.stage_ms.is_some_and(|ms| ms > DELAY_MS_MAX) {
            wrong.push(format!("stage_ms is more than {DELAY_MS_MAX}"));
        }
        if self.duplicate_callbacks > DUPLICATES_MAX {
            wrong.push(format!("duplicate_callbacks is more than {DUPLICATES_MAX}"));
        }
        if matches!(self.partial, Some(Partial::Fraction(share)) if !(0.0..=1000.0).contains(&share)) {
            wrong.push("partial.fraction is not between 0 and 1000".to_owned());
        }
        wrong
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::faults::Turn as _;

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

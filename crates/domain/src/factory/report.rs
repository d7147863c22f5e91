//! What the factory reports as finished.

use serde_json::Value;

/// The most units that one report can bring. More is a mistake, and a mistake in the stock is worse than a question.
pub const REPORTED_UNITS_MAX: i64 = 1_000_000;

/// The fields that carry the count, in the order in which they are believed.
const COUNT_FIELDS: [&str; 2] = ["MessageAttributeProductCnt", "OrderStockCnt"];

/// A factory's report: the echo of our request, or what older factories send instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Units that were made, 1 or more.
    pub quantity: i64,
    /// What the factory says was made; not to be trusted without a capability.
    pub sku: Option<String>,
    /// The address it was told to report to.
    pub callback_url: Option<String>,
}

/// Why a report cannot be used. Nothing is booked then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// It is not JSON.
    NotJson,
    /// It is JSON, but not an object.
    NotAnObject,
    /// None of the fields that carry a count is there.
    NoCount,
    /// The count is neither an integer nor a string of digits.
    NotACount,
    /// The count is below 1 or above [`REPORTED_UNITS_MAX`].
    OutOfRange,
}

impl Unusable {
    /// The field at fault: a JSON pointer.
    #[must_use]
    pub fn pointer(self) -> &'static str {
        match self {
            Self::NotJson | Self::NotAnObject => "",
            Self::NoCount | Self::NotACount | Self::OutOfRange => "/MessageAttributeProductCnt",
        }
    }

    /// The fault in words.
    #[must_use]
    pub fn detail(self) -> &'static str {
        match self {
            Self::NotJson => "the body is not JSON",
            Self::NotAnObject => "the body must be a JSON object",
            Self::NoCount => "no count: MessageAttributeProductCnt or OrderStockCnt is needed",
            Self::NotACount => "the count must be an integer or a string of digits",
            Self::OutOfRange => "the count must be from 1 to 1000000",
        }
    }
}

/// Reads a report.
///
/// # Errors
/// Says why it cannot be used.
pub fn read(body: &[u8]) -> Result<Report, Unusable> {
    let body: Value = serde_json::from_slice(body).map_err(|_| Unusable::NotJson)?;
    let Value::Object(fields) = body else { return Err(Unusable::NotAnObject) };
    let count = COUNT_FIELDS
        .iter()
        .filter_map(|name| fields.get(*name))
        .find(|value| !value.is_null())
        .ok_or(Unusable::NoCount)?;
    let text = |name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    Ok(Report {
        quantity: quantity(count)?,
        sku: text("MessageAttributeProductId"),
        callback_url: text("CallbackUrl"),
    })
}

fn quantity(count: &Value) -> Result<i64, Unusable> {
    let quantity = match count {
        Value::Number(number) if number.is_i64() => number.as_i64(),
        Value::Number(number) if number.is_u64() => return Err(Unusable::OutOfRange),
        Value::String(text) => {
            let digits = text.trim();
            let digits = digits.strip_prefix('-').unwrap_or(digits);
            if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(Unusable::NotACount);
            }
            // All digits, so the only failure left is a number too large.
            Some(text.trim().parse().map_err(|_| Unusable::OutOfRange)?)
        }
        _ => None,
    }
    .ok_or(Unusable::NotACount)?;
    if (1..=REPORTED_UNITS_MAX).contains(&quantity) { Ok(quantity) } else { Err(Unusable::OutOfRange) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn count(body: &str) -> Result<i64, Unusable> {
        read(body.as_bytes()).map(|report| report.quantity)
    }

    #[test]
    fn every_form_of_the_count_that_factories_send_is_read() {
        assert_eq!(count(r#"{"MessageAttributeProductCnt":30}"#), Ok(30));
        assert_eq!(count(r#"{"MessageAttributeProductCnt":"30"}"#), Ok(30));
        assert_eq!(count(r#"{"OrderStockCnt":30,"unknown":{"x":[1]}}"#), Ok(30));
        assert_eq!(count(r#"{"MessageAttributeProductCnt":null,"OrderStockCnt":"7"}"#), Ok(7));
        assert_eq!(count(r#"{"MessageAttributeProductCnt":1000000}"#), Ok(1_000_000));
    }

    #[test]
    fn a_count_that_cannot_be_used_is_named() {
        use Unusable::{NoCount, NotACount, NotAnObject, NotJson, OutOfRange};
        for (body, fault) in [
            ("", NotJson),
            ("{", NotJson),
            ("[30]", NotAnObject),
            ("{}", NoCount),
            (r#"{"MessageAttributeProductCnt":30.5}"#, NotACount),
            (r#"{"MessageAttributeProductCnt":"many"}"#, NotACount),
            (r#"{"MessageAttributeProductCnt":""}"#, NotACount),
            (r#"{"MessageAttributeProductCnt":"1e3"}"#, NotACount),
            (r#"{"MessageAttributeProductCnt":true}"#, NotACount),
            (r#"{"MessageAttributeProductCnt":0}"#, OutOfRange),
            (r#"{"MessageAttributeProductCnt":-3}"#, OutOfRange),
            (r#"{"MessageAttributeProductCnt":"-3"}"#, OutOfRange),
            (r#"{"MessageAttributeProductCnt":1000001}"#, OutOfRange),
            (r#"{"MessageAttributeProductCnt":18446744073709551615}"#, OutOfRange),
            (r#"{"MessageAttributeProductCnt":"99999999999999999999"}"#, OutOfRange),
        ] {
            assert_eq!(count(body), Err(fault), "{body}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_read_is_within_the_limits(body: Vec<u8>) {
            if let Ok(report) = read(&body) {
                prop_assert!((1..=REPORTED_UNITS_MAX).contains(&report.quantity));
            }
        }

        #[test]
        fn a_number_and_its_text_mean_the_same(number: i64) {
            let as_number = count(&format!(r#"{{"OrderStockCnt":{number}}}"#));
            let as_text = count(&format!(r#"{{"OrderStockCnt":"{number}"}}"#));
            prop_assert_eq!(as_number, as_text);
        }
    }
}

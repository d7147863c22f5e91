//! Values that many documents use: moments and money.

use crate::decode::{Fields, INTEGER_MAX};
use jiff::Timestamp;
use restock_domain::name;
use serde::{Serialize, Serializer};

/// The largest amount of money, minor units.
pub const AMOUNT_MAX: i64 = 1_000_000_000_000;

/// A moment, written as RFC 3339 in UTC with milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(value_type = String, format = DateTime, example = "2026-11-21T09:30:00.000Z"))]
pub struct Time(
    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub u64,
);

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // A moment that no calendar holds can only come from a broken store; it is shown as the last one.
        let moment = i64::try_from(self.0).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        serializer.collect_str(&format_args!("{:.3}", moment.unwrap_or(Timestamp::MAX)))
    }
}

/// An amount of money in the smallest unit of its currency, never a fraction.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Money {
    /// Minor units (won, cent), 0 to 1000000000000 in requests.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, example = 19900))]
    pub amount: i64,
    /// ISO 4217, three capital letters.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Z]{3}$", example = "KRW"))]
    pub currency: String,
}

impl Money {
    /// Reads an amount.
    pub(crate) fn decode(fields: &mut Fields) -> Option<Self> {
        let amount = fields.integer("amount", 0..=AMOUNT_MAX.min(INTEGER_MAX));
        let currency = fields.text("currency", name::is_currency, "a currency code of three capital letters");
        Some(Self { amount: amount?, currency: currency? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_utc_with_milliseconds() {
        let text = |ms| serde_json::to_value(Time(ms)).expect("JSON");
        assert_eq!(text(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(text(1_795_253_400_007), "2026-11-21T09:30:00.007Z");
        assert_eq!(text(1_795_253_400_120), "2026-11-21T09:30:00.120Z");
        assert!(text(u64::MAX).is_string());
    }
}

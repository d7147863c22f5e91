//! The numbers that a return and its parcel are known by: what the logistics partner lists, and operators write after it. One rule
//! for both, so that neither knows a parcel under a name that the other refuses.

use crate::text::one_line;
use serde_json::Value;

/// The longest number of an order, an item or a shipment, in characters.
pub const NUMBER_CHARACTERS_MAX: usize = 128;
/// What such a number must be, behind "must be".
pub const NUMBER_EXPECTED: &str = "a whole number, or a text of 1 to 128 characters on one line";

/// What a broken encoding leaves behind: two different texts can have become the same.
const REPLACEMENT: char = '\u{fffd}';

/// A number that a return or its parcel is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// The order that the return is from.
    OrderNumber,
    /// The item of that order. Together they name one return.
    OrderItemNumber,
    /// The shipment that it comes back in.
    ShipmentNumber,
}

impl Field {
    /// All of them, in the order in which they are looked at.
    pub const ALL: [Self; 3] = [Self::OrderNumber, Self::OrderItemNumber, Self::ShipmentNumber];

    /// What it is called in JSON.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OrderNumber => "order_number",
            Self::OrderItemNumber => "order_item_number",
            Self::ShipmentNumber => "shipment_number",
        }
    }
}

/// A number as it is kept: without spaces around it. None where it is empty, too long, or holds what cannot be shown on one line.
#[must_use]
pub fn usable(text: &str) -> Option<&str> {
    let number = text.trim();
    let is_usable = !number.is_empty()
        && !number.contains(REPLACEMENT)
        && one_line(number, NUMBER_CHARACTERS_MAX) == number;
    is_usable.then_some(number)
}

/// A number from JSON: a text, or a whole number, which becomes its decimal text. None where it is unusable or of another type.
#[must_use]
pub fn from_json(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => usable(text).map(str::to_owned),
        // One that is not held exactly is a fraction by now, and would name another return.
        Value::Number(number) => (number.is_u64() || number.is_i64()).then(|| number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_number_and_its_text_are_the_same() {
        assert_eq!(from_json(&json!(1_000_579)), Some("1000579".to_owned()));
        assert_eq!(from_json(&json!("1000579")), Some("1000579".to_owned()));
        assert_eq!(from_json(&json!(u64::MAX)), Some("18446744073709551615".to_owned()));
    }

    #[test]
    fn a_text_is_kept_without_the_spaces_around_it_and_otherwise_as_it_is() {
        assert_eq!(usable(" SHP_00000579\n"), Some("SHP_00000579"));
        assert_eq!(usable("주문 0012/가"), Some("주문 0012/가"));
        assert_eq!(usable(&"가".repeat(128)), Some("가".repeat(128).as_str()));
    }

    #[test]
    fn what_cannot_name_a_parcel_is_unusable() {
        for wrong in ["", "  ", "a\nb", "a\0", "a\u{2028}b", "a\u{202e}b", "a\u{fffd}", &"x".repeat(129)] {
            assert_eq!(usable(wrong), None, "{wrong:?}");
        }
        let too_large: Value = serde_json::from_str("100000000000000000000001").expect("JSON");
        for wrong in [json!(null), json!(true), json!(1.5), json!(1e30), json!([1]), json!({}), too_large] {
            assert_eq!(from_json(&wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_usable_stays_the_same_when_it_is_read_again(text: String) {
            if let Some(number) = usable(&text) {
                prop_assert_eq!(usable(number), Some(number));
                prop_assert!((1..=NUMBER_CHARACTERS_MAX).contains(&number.chars().count()));
                prop_assert!(!number.chars().any(char::is_control));
            }
        }
    }
}

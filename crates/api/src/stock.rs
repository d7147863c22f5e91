//! The ledger and corrections of it.

use crate::Time;
use crate::decode::{self, Invalid};
use crate::product::UNITS_MAX;
use restock_domain::name::{self, REASON_CHARACTERS_MAX};
use serde::Serialize;

/// What moved the stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum MovementKind {
    /// The stock a product was created with.
    Opening,
    /// Taken for an order.
    Sold,
    /// Brought by a factory.
    Received,
    /// Brought back by a customer.
    Returned,
    /// Corrected by an operator.
    Adjusted,
}

/// One line of the ledger. For every product, the deltas sum to the units on hand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Movement {
    /// Orders the ledger.
    pub id: u64,
    /// What moved the stock.
    pub kind: MovementKind,
    /// Units that came (above zero) or went (below zero).
    pub delta: i64,
    /// Units on the shelf afterwards.
    pub on_hand_after: i64,
    /// The order that took them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// The production request that brought them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub production_id: Option<String>,
    /// The return that brought them back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub return_id: Option<String>,
    /// The operator's words, for a correction.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When.
    pub at: Time,
}

/// A correction by hand: breakage, a recount.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AdjustmentRequest {
    /// Units that appeared (above zero) or vanished (below zero); not zero.
    #[cfg_attr(feature = "openapi", schema(minimum = -1000000000, maximum = 1000000000))]
    pub delta: i64,
    /// Why.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    pub reason: String,
}

impl AdjustmentRequest {
    /// Reads a correction.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(body: &[u8]) -> Result<Self, Invalid> {
        decode::object(body, |fields| {
            let delta = fields.integer("delta", -UNITS_MAX..=UNITS_MAX);
            if delta == Some(0) {
                fields.fault("delta", "must not be zero");
            }
            let reason = fields.text("reason", |text| name::is_text(text, REASON_CHARACTERS_MAX), REASON);
            Some(Self { delta: delta?, reason: reason? })
        })
    }
}

pub(crate) const REASON: &str = "a text of 1 to 500 characters on one line";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_correction_changes_something_and_says_why() {
        assert!(AdjustmentRequest::decode(br#"{"delta":-3,"reason":"broken"}"#).is_ok());
        for wrong in [
            r#"{"delta":0,"reason":"x"}"#,
            r#"{"delta":1}"#,
            r#"{"delta":1,"reason":" "}"#,
            r#"{"delta":1000000001,"reason":"x"}"#,
            r#"{"delta":1,"reason":"x","sku":"a"}"#,
        ] {
            assert!(
                matches!(AdjustmentRequest::decode(wrong.as_bytes()), Err(Invalid::Faulty(_))),
                "{wrong}"
            );
        }
    }
}

//! The old shop's documents.

use crate::decode::{self, Invalid};
use crate::order::IDENTIFIER;
use restock_domain::name;
use restock_domain::order::ITEM_QUANTITY_MAX;
use serde::Serialize;

/// A product as the old shop shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LegacyProduct {
    /// The SKU.
    pub product_id: String,
    /// The SKU.
    pub sku: String,
    /// What customers call it.
    pub name: String,
    /// Price of one unit, in the smallest unit of its currency.
    pub price: i64,
    /// Units that can be sold.
    pub stock: i64,
    /// Who makes it.
    pub factory_id: String,
}

/// A sale as the old shop's page asks for it. Other fields are ignored.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CheckoutRequest {
    /// Who makes the product; the catalogue knows better, so this is only read.
    #[serde(rename = "MessageAttributeFactoryId")]
    #[cfg_attr(feature = "openapi", schema(example = "FF-500293"))]
    pub factory_id: Option<String>,
    /// Units, as a number or as a text of digits; 1 where it is left out.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 10000))]
    pub count: Option<u32>,
    /// The product; the one that `legacy_sku` names where it is left out.
    pub sku: Option<String>,
}

impl CheckoutRequest {
    /// Reads a sale.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(body: &[u8]) -> Result<Self, Invalid> {
        decode::lenient(body, |fields| {
            let factory_id =
                fields.optional_text("MessageAttributeFactoryId", name::is_identifier, IDENTIFIER);
            let count = fields.optional_lenient_integer("count", 1..=i64::from(ITEM_QUANTITY_MAX));
            let sku = fields.optional_text("sku", name::is_identifier, IDENTIFIER);
            Some(Self { factory_id, count: count.and_then(|count| u32::try_from(count).ok()), sku })
        })
    }
}

/// The old shop's answer to a sale and to a factory's report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct LegacyAnswer {
    /// What happened, for people.
    pub message: String,
    /// Units that can be sold now.
    pub stock: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_old_page_sends_little_and_may_send_more() {
        let body = r#"{"MessageAttributeFactoryId":"FF-500293","count":"2","page":"/donut"}"#;
        let request = CheckoutRequest::decode(body.as_bytes()).expect("a sale");
        assert_eq!((request.count, request.sku), (Some(2), None));
    }

    #[test]
    fn a_wrong_count_is_named() {
        for wrong in [r#"{"count":0}"#, r#"{"count":"two"}"#, r#"{"count":1.5}"#, r#"{"count":10001}"#] {
            assert!(matches!(CheckoutRequest::decode(wrong.as_bytes()), Err(Invalid::Faulty(_))), "{wrong}");
        }
    }
}

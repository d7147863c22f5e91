//! Customers: what is known of one, and what the marketing system is told when one becomes a VIP.

use crate::Time;
use crate::decode::{self, Invalid};
use crate::order::IDENTIFIER;
use restock_domain::name;
use serde::Serialize;

/// The most units that one customer can have bought: far above what orders allow, and exact in every JSON reader.
const UNITS_BOUGHT_MAX: i64 = decode::INTEGER_MAX;

/// How a customer is treated. A VIP stays one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum CustomerType {
    /// Like everyone.
    Normal,
    /// Bought in bulk, by the rule that the shop had at that moment.
    Vip,
}

/// What is known of a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct KnownCustomer {
    /// The shop's own identifier.
    #[cfg_attr(feature = "openapi", schema(example = "c-1001"))]
    pub id: String,
    /// Where to write to, as the latest accepted order that named it had it.
    #[cfg_attr(feature = "openapi", schema(example = "kim@customer.example"))]
    pub email: Option<String>,
    /// How to address them, as the latest accepted order that named it had it.
    #[cfg_attr(feature = "openapi", schema(example = "김하나"))]
    pub name: Option<String>,
    /// How they are treated.
    #[serde(rename = "type")]
    pub kind: CustomerType,
    /// Units of all their accepted orders. An order that waits for goods counts once it is filled.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, example = 130))]
    pub units_bought: i64,
    /// Since when they are a VIP; null where they are none.
    pub vip_since: Option<Time>,
}

/// What the event `order.bulk` says: an accepted order that makes its customer a VIP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkPurchase {
    /// The order.
    pub order_id: String,
    /// Whose it is.
    pub customer_id: String,
    /// Where to write to.
    pub email: Option<String>,
    /// How to address them.
    pub name: Option<String>,
    /// Units of this order, 1 or more.
    pub units: i64,
    /// Units of all their accepted orders, this one included.
    pub units_bought: i64,
}

impl BulkPurchase {
    /// Reads the data of an event. Fields that are not used here are ignored, so that an event can come to say more.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(data: &[u8]) -> Result<Self, Invalid> {
        decode::lenient(data, |fields| {
            let order_id = fields.text("order_id", name::is_identifier, IDENTIFIER);
            let customer_id = fields.text("customer_id", name::is_identifier, IDENTIFIER);
            // The order was accepted with these; what they must look like was judged there.
            let email = fields.optional_text("email", |_| true, "a text");
            let name = fields.optional_text("name", |_| true, "a text");
            let units = fields.integer("units", 1..=UNITS_BOUGHT_MAX);
            // A total below its own part is as unreadable as no total.
            let least = units.unwrap_or(1);
            let units_bought = fields.integer("units_bought", least..=UNITS_BOUGHT_MAX);
            Some(Self {
                order_id: order_id?,
                customer_id: customer_id?,
                email,
                name,
                units: units?,
                units_bought: units_bought?,
            })
        })
    }
}

/// What the marketing system is told when a customer becomes a VIP: the body of a webhook as Standard Webhooks recommends it.
///
/// It says when things became so and nothing of when it is sent, so a repetition is the same text as long as the
/// customer's email, name and units are the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CustomerPromoted {
    /// Always `customer.promoted`.
    #[serde(rename = "type")]
    #[cfg_attr(feature = "openapi", schema(example = "customer.promoted"))]
    kind: &'static str,
    /// When the customer became a VIP.
    timestamp: Time,
    /// Who, and by what.
    data: Promotion,
}

/// A customer who became a VIP.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Promotion {
    /// The customer, as they are known when this is sent.
    customer: KnownCustomer,
    /// The order that made them a VIP.
    #[cfg_attr(feature = "openapi", schema(example = "019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b"))]
    order_id: String,
}

impl CustomerPromoted {
    /// The event's type, which is also its name in the description of the interface.
    pub const TYPE: &'static str = "customer.promoted";

    /// Tells of the customer whom this order made a VIP at that moment.
    #[must_use]
    pub fn new(customer: KnownCustomer, vip_since: Time, order_id: String) -> Self {
        Self { kind: Self::TYPE, timestamp: vip_since, data: Promotion { customer, order_id } }
    }

    /// The body of the webhook.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        // Only a map with keys that are no texts cannot be written, and there is none here.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn pointers(data: &str) -> Vec<String> {
        match BulkPurchase::decode(data.as_bytes()) {
            Err(Invalid::Faulty(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
            other => panic!("no faults: {other:?}"),
        }
    }

    #[test]
    fn a_bulk_purchase_is_read_and_what_is_not_needed_is_ignored() {
        let data = json!({"order_id": "o-1", "customer_id": "c-1", "email": null, "name": "김하나", "units": 40,
            "units_bought": 100, "vip_rule": "cumulative", "vip_units": 100});
        assert_eq!(
            BulkPurchase::decode(data.to_string().as_bytes()),
            Ok(BulkPurchase {
                order_id: "o-1".to_owned(),
                customer_id: "c-1".to_owned(),
                email: None,
                name: Some("김하나".to_owned()),
                units: 40,
                units_bought: 100,
            })
        );
    }

    #[test]
    fn a_bulk_purchase_without_its_order_its_customer_or_its_units_is_unreadable() {
        assert_eq!(pointers("{}"), ["/order_id", "/customer_id", "/units", "/units_bought"]);
        let impossible = json!({"order_id": "o-1", "customer_id": "c 1", "units": 0, "units_bought": 1});
        assert_eq!(pointers(&impossible.to_string()), ["/customer_id", "/units"]);
        let total_below_its_part =
            json!({"order_id": "o", "customer_id": "c", "units": 2, "units_bought": 1});
        assert_eq!(pointers(&total_below_its_part.to_string()), ["/units_bought"]);
        assert!(matches!(BulkPurchase::decode(b"order"), Err(Invalid::Malformed(_))));
    }

    #[test]
    fn the_marketing_system_is_told_who_became_a_vip_when_and_by_which_order() {
        let since = Time(1_795_253_400_007);
        let customer = KnownCustomer {
            id: "c-1".to_owned(),
            email: None,
            name: Some("김하나".to_owned()),
            kind: CustomerType::Vip,
            units_bought: 100,
            vip_since: Some(since),
        };
        let told = CustomerPromoted::new(customer, since, "o-1".to_owned());
        assert_eq!(
            serde_json::from_slice::<serde_json::Value>(&told.to_json()).expect("JSON"),
            json!({
                "type": "customer.promoted",
                "timestamp": "2026-11-21T09:30:00.007Z",
                "data": {
                    "customer": {"id": "c-1", "email": null, "name": "김하나", "type": "vip", "units_bought": 100,
                        "vip_since": "2026-11-21T09:30:00.007Z"},
                    "order_id": "o-1",
                },
            })
        );
    }

    proptest! {
        #[test]
        fn any_data_is_read_without_a_panic(data: Vec<u8>) {
            let _ = BulkPurchase::decode(&data);
        }
    }
}

//! Orders: how they come in and how they are shown.

use crate::decode::{self, Fields, Invalid};
use crate::{Money, Time};
use restock_domain::name::{self, NAME_CHARACTERS_MAX};
use restock_domain::order::{ITEM_QUANTITY_MAX, Item, ORDER_ITEMS_MAX};
use serde::Serialize;

/// What to do with an order that the shelf cannot fill.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum IfShort {
    /// Turn it down. It is still recorded: it is demand.
    #[default]
    Reject,
    /// Let it wait; it is filled first come first served when goods arrive.
    Backorder,
}

impl IfShort {
    /// The word in documents.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Backorder => "backorder",
        }
    }
}

/// Who orders.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct Customer {
    /// The shop's own identifier.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Za-z0-9._:-]{1,64}$", example = "c-1001"))]
    pub id: String,
    /// Where to write to.
    pub email: Option<String>,
    /// How to address them.
    pub name: Option<String>,
}

impl Customer {
    fn decode(fields: &mut Fields) -> Option<Self> {
        let id = fields.text("id", name::is_identifier, IDENTIFIER);
        let email = fields.optional_text("email", name::is_email, "an email address");
        let name = fields.optional_text("name", |text| name::is_text(text, NAME_CHARACTERS_MAX), NAME);
        Some(Self { id: id?, email, name })
    }
}

/// One product of an order as it comes in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderItem {
    /// The product.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Za-z0-9._:-]{1,64}$", example = "CP-502101"))]
    pub sku: String,
    /// Units.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 10000, example = 1))]
    pub quantity: u32,
}

/// An order as it comes in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct OrderRequest {
    /// Who orders.
    pub customer: Customer,
    /// All of these or none. The same SKU twice counts as one line with the sum of both.
    #[cfg_attr(feature = "openapi", schema(min_items = 1, max_items = 100))]
    pub items: Vec<OrderItem>,
    /// What to do when the shelf cannot fill it; `reject` where it is left out.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub if_short: IfShort,
}

impl OrderRequest {
    /// Reads an order.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(body: &[u8]) -> Result<Self, Invalid> {
        decode::object(body, |fields| {
            let customer = fields.object("customer", Customer::decode);
            let items = fields.objects("items", 1..=ORDER_ITEMS_MAX, |fields| {
                let sku = fields.text("sku", name::is_identifier, IDENTIFIER);
                let quantity = fields.integer("quantity", 1..=i64::from(ITEM_QUANTITY_MAX));
                Some(OrderItem { sku: sku?, quantity: u32::try_from(quantity?).ok()? })
            });
            let choices = [("reject", IfShort::Reject), ("backorder", IfShort::Backorder)];
            let if_short = fields.optional_choice("if_short", &choices);
            Some(Self { customer: customer?, items: items?, if_short: if_short.unwrap_or_default() })
        })
    }

    /// The items, each SKU once.
    #[must_use]
    pub fn merged_items(&self) -> Vec<Item> {
        let items = self.items.iter().map(|item| Item { sku: item.sku.clone(), quantity: item.quantity });
        restock_domain::order::merge(items)
    }

    /// Where in the document a SKU is asked for: JSON pointers.
    pub fn pointers_of<'a>(&'a self, sku: &'a str) -> impl Iterator<Item = String> + 'a {
        let items = self.items.iter().enumerate();
        items.filter(move |(_, item)| item.sku == sku).map(|(index, _)| format!("/items/{index}/sku"))
    }
}

pub(crate) const IDENTIFIER: &str = "1 to 64 letters, digits, `.`, `_`, `-` or `:`";
pub(crate) const NAME: &str = "a text of 1 to 200 characters on one line";

/// The state of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum OrderStatus {
    /// All of its units were taken from the shelf for it.
    Accepted,
    /// It waits for goods.
    Backordered,
    /// It was turned down for lack of stock.
    Rejected,
}

impl OrderStatus {
    /// The word for it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Backordered => "backordered",
            Self::Rejected => "rejected",
        }
    }
}

/// One line of an order, at the price of the moment it was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct OrderLine {
    /// The product.
    pub sku: String,
    /// Units.
    pub quantity: u32,
    /// Price of one unit.
    pub unit_price: Money,
}

/// The answer to an order that was taken. A repeated idempotency key gets exactly this again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PlacedOrder {
    /// UUID v7.
    pub id: String,
    /// Its state when it was placed: `accepted` or `backordered`.
    pub status: OrderStatus,
    /// Its lines, each SKU once.
    pub items: Vec<OrderLine>,
    /// What it costs.
    pub total: Money,
    /// When it was placed.
    pub placed_at: Time,
}

/// A SKU that could not be filled, as it was when the order was placed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Shortage {
    /// The product.
    pub sku: String,
    /// Units the order asked for.
    pub requested: i64,
    /// Units it could have had.
    pub available: i64,
}

/// An order as it is now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Order {
    /// UUID v7.
    pub id: String,
    /// Its state now.
    pub status: OrderStatus,
    /// Who ordered.
    pub customer: Customer,
    /// Its lines, each SKU once.
    pub items: Vec<OrderLine>,
    /// What it costs.
    pub total: Money,
    /// What was to happen if the shelf could not fill it.
    pub if_short: IfShort,
    /// What was short when it was placed.
    pub short: Vec<Shortage>,
    /// When it was placed.
    pub placed_at: Time,
    /// When a backorder was filled.
    pub filled_at: Option<Time>,
    /// The W3C trace context that it was placed in, as `traceparent` is written. What it caused is of the same trace.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    )]
    pub traceparent: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pointers(body: &str) -> Vec<String> {
        match OrderRequest::decode(body.as_bytes()) {
            Err(Invalid::Faulty(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
            other => panic!("no faults: {other:?}"),
        }
    }

    #[test]
    fn an_order_is_read() {
        let body = r#"{"customer":{"id":"c-1","email":null},"items":[{"sku":"a","quantity":2},{"sku":"b","quantity":1},
            {"sku":"a","quantity":1}],"if_short":"backorder"}"#;
        let order = OrderRequest::decode(body.as_bytes()).expect("an order");
        assert_eq!(order.if_short, IfShort::Backorder);
        let merged: Vec<_> = order.merged_items().into_iter().map(|item| (item.sku, item.quantity)).collect();
        assert_eq!(merged, [("a".to_owned(), 3), ("b".to_owned(), 1)]);
        assert_eq!(order.pointers_of("a").collect::<Vec<_>>(), ["/items/0/sku", "/items/2/sku"]);
    }

    #[test]
    fn every_fault_of_an_order_is_named() {
        let body = r#"{"customer":{"email":"x","age":3},"items":[{"sku":"a b","quantity":0},{"quantity":1.5},7],
            "if_short":"wait","coupon":"x"}"#;
        assert_eq!(
            pointers(body),
            [
                "/customer/id",
                "/customer/email",
                "/customer/age",
                "/items/0/sku",
                "/items/0/quantity",
                "/items/1/sku",
                "/items/1/quantity",
                "/items/2",
                "/if_short",
                "/coupon",
            ]
        );
    }

    #[test]
    fn an_order_has_1_to_100_items_of_1_to_10000_units() {
        let with = |items: String| format!(r#"{{"customer":{{"id":"c"}},"items":[{items}]}}"#);
        let many = |count| vec![r#"{"sku":"a","quantity":10000}"#; count].join(",");
        assert!(OrderRequest::decode(with(many(100)).as_bytes()).is_ok());
        assert_eq!(pointers(&with(many(101))), ["/items"]);
        assert_eq!(pointers(&with(String::new())), ["/items"]);
        assert_eq!(pointers(&with(r#"{"sku":"a","quantity":10001}"#.to_owned())), ["/items/0/quantity"]);
    }
}

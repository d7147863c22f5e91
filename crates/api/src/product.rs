//! Products and factories: how they are defined and how they are shown.

use crate::decode::{self, Fields, Invalid};
use crate::order::{IDENTIFIER, NAME};
use crate::{Money, Time};
use restock_domain::name::{self, NAME_CHARACTERS_MAX};
use restock_domain::settings;
use serde::Serialize;

/// The largest level or stock of a product, units.
pub const UNITS_MAX: i64 = 1_000_000_000;

/// How a product's levels come about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Set by hand.
    #[default]
    Manual,
    /// Computed from demand and measured lead time.
    Auto,
}

/// The state of a product's advertisement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AdStatus {
    /// The product has no advertisement.
    None,
    /// It has one that does not run.
    Stopped,
    /// It runs.
    Running,
    /// It runs, and its manager was asked to pause it because nothing can be sold.
    PauseRequested,
}

/// The advertisement of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Ad {
    /// Its state.
    pub status: AdStatus,
    /// Who is asked to pause and to resume it.
    pub manager_email: Option<String>,
}

/// What the operator decides about an advertisement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct AdDefinition {
    /// Whether it runs.
    pub running: bool,
    /// Who is asked to pause and to resume it.
    pub manager_email: Option<String>,
}

/// What the operator decides about a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ProductDefinition {
    /// What customers call it.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub name: String,
    /// Price of one unit.
    pub price: Money,
    /// Who makes it; a factory that was defined before.
    #[cfg_attr(feature = "openapi", schema(pattern = "^[A-Za-z0-9._:-]{1,64}$"))]
    pub factory_id: String,
    /// At this inventory position or below, goods are asked for.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1000000000))]
    pub reorder_point: i64,
    /// Up to this inventory position; above the reorder point.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 1000000000))]
    pub order_up_to: i64,
    /// How the two levels come about; `manual` where it is left out.
    #[cfg_attr(feature = "openapi", schema(required = false))]
    pub policy: Policy,
    /// Its advertisement; none where it is left out.
    pub ad: Option<AdDefinition>,
    /// Units on the shelf when the product is created, 0 where it is left out. A product that exists keeps its stock.
    #[cfg_attr(feature = "openapi", schema(minimum = 0, maximum = 1000000000, required = false))]
    pub opening_stock: i64,
}

impl ProductDefinition {
    /// Reads a definition.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(body: &[u8]) -> Result<Self, Invalid> {
        decode::object(body, |fields| {
            let name = fields.text("name", |text| name::is_text(text, NAME_CHARACTERS_MAX), NAME);
            let price = fields.object("price", Money::decode);
            let factory_id = fields.text("factory_id", name::is_identifier, IDENTIFIER);
            let reorder_point = fields.integer("reorder_point", 0..=UNITS_MAX);
            let order_up_to = fields.integer("order_up_to", 1..=UNITS_MAX);
            let policy =
                fields.optional_choice("policy", &[("manual", Policy::Manual), ("auto", Policy::Auto)]);
            let ad = fields.optional_object("ad", |fields| {
                let running = fields.boolean("running");
                let manager_email = manager_email(fields);
                Some(AdDefinition { running: running?, manager_email })
            });
            let opening_stock = fields.optional_integer("opening_stock", 0..=UNITS_MAX);
            let (reorder_point, order_up_to) = (reorder_point?, order_up_to?);
            if order_up_to <= reorder_point {
                fields.fault("order_up_to", "must be above reorder_point");
            }
            Some(Self {
                name: name?,
                price: price?,
                factory_id: factory_id?,
                reorder_point,
                order_up_to,
                policy: policy.unwrap_or_default(),
                ad,
                opening_stock: opening_stock.unwrap_or_default(),
            })
        })
    }
}

/// What the operator decides about a factory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct FactoryDefinition {
    /// What it is called; also the requester of what is asked of it.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 200))]
    pub name: String,
    /// Who is told when it is overdue.
    pub manager_email: Option<String>,
    /// Where it listens, when that is not the application's `factory_url`.
    pub url: Option<String>,
}

impl FactoryDefinition {
    /// Reads a definition.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(body: &[u8]) -> Result<Self, Invalid> {
        decode::object(body, |fields| {
            let name = fields.text("name", |text| name::is_text(text, NAME_CHARACTERS_MAX), NAME);
            let manager_email = manager_email(fields);
            let url = fields.optional_text(
                "url",
                |text| text.len() <= URL_BYTES_MAX && settings::http_url(text).is_ok(),
                "an address such as http://host:8080, without user, query and fragment",
            );
            Some(Self { name: name?, manager_email, url })
        })
    }
}

/// The longest address of a factory, bytes.
const URL_BYTES_MAX: usize = 1_000;

fn manager_email(fields: &mut Fields) -> Option<String> {
    let is_address = |text: &str| name::address(text).is_ok();
    fields.optional_text("manager_email", is_address, "one plain email address in ASCII")
}

/// A factory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Factory {
    /// The shop's own identifier.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// Who is told when it is overdue.
    pub manager_email: Option<String>,
    /// Where it listens, when that is not the application's `factory_url`.
    pub url: Option<String>,
}

/// A product as the shop's visitors may see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductSummary {
    /// The shop's own identifier.
    pub sku: String,
    /// What customers call it.
    pub name: String,
    /// Price of one unit.
    pub price: Money,
    /// Units that a new order can have now.
    pub available: i64,
}

/// A product with its levels at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Product {
    /// The shop's own identifier.
    pub sku: String,
    /// What customers call it.
    pub name: String,
    /// Price of one unit.
    pub price: Money,
    /// Units that a new order can have now: on hand less backordered, never below zero.
    pub available: i64,
    /// Units on the shelf.
    pub on_hand: i64,
    /// Units that open production requests will bring.
    pub on_order: i64,
    /// Units that waiting orders will take.
    pub backordered: i64,
    /// At this inventory position (on hand + on order - backordered) or below, goods are asked for.
    pub reorder_point: i64,
    /// Up to this inventory position.
    pub order_up_to: i64,
    /// How the two levels come about.
    pub policy: Policy,
    /// Who makes it.
    pub factory_id: String,
    /// Its advertisement.
    pub ad: Ad,
    /// Since when nothing can be sold; null while something can.
    pub depleted_since: Option<Time>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const PRODUCT: &str = r#"{"name":"부산도너츠","price":{"amount":19900,"currency":"KRW"},"factory_id":"FF-500293",
        "reorder_point":10,"order_up_to":50}"#;

    fn pointers<T: std::fmt::Debug>(decoded: Result<T, Invalid>) -> Vec<String> {
        match decoded {
            Err(Invalid::Faulty(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
            other => panic!("no faults: {other:?}"),
        }
    }

    #[test]
    fn what_is_left_out_of_a_product_has_a_default() {
        let product = ProductDefinition::decode(PRODUCT.as_bytes()).expect("a product");
        assert_eq!((product.policy, product.opening_stock, product.ad), (Policy::Manual, 0, None));
    }

    #[test]
    fn the_order_up_to_level_must_be_above_the_reorder_point() {
        let body = PRODUCT.replace("50}", "10}");
        assert_eq!(pointers(ProductDefinition::decode(body.as_bytes())), ["/order_up_to"]);
    }

    #[test]
    fn every_fault_of_a_product_is_named() {
        let body = r#"{"name":"","price":{"amount":-1,"currency":"won"},"reorder_point":-1,"order_up_to":1000000001,
            "policy":"guess","ad":{"running":"yes","manager_email":"x"},"opening_stock":"3"}"#;
        let expected = [
            "/name",
            "/price/amount",
            "/price/currency",
            "/factory_id",
            "/reorder_point",
            "/order_up_to",
            "/policy",
            "/ad/running",
            "/ad/manager_email",
            "/opening_stock",
        ];
        assert_eq!(pointers(ProductDefinition::decode(body.as_bytes())), expected);
    }

    #[test]
    fn a_manager_who_could_not_be_written_to_is_named_at_once() {
        for wrong in ["x", "a,b@example.com", "Ads <a@example.com>", "a@example.com.", "광고@example.com"] {
            let ad = format!(r#""ad":{{"running":true,"manager_email":"{wrong}"}},"policy":"manual""#);
            let body = PRODUCT.replace(r#""reorder_point""#, &format!(r#"{ad},"reorder_point""#));
            assert_eq!(
                pointers(ProductDefinition::decode(body.as_bytes())),
                ["/ad/manager_email"],
                "{wrong}"
            );
            let body = format!(r#"{{"name":"f","manager_email":"{wrong}"}}"#);
            assert_eq!(pointers(FactoryDefinition::decode(body.as_bytes())), ["/manager_email"], "{wrong}");
        }
    }

    #[test]
    fn a_factory_needs_a_name_and_a_plain_address() {
        let body = r#"{"manager_email":"a@b","url":"ftp://x"}"#;
        assert_eq!(pointers(FactoryDefinition::decode(body.as_bytes())), ["/name", "/url"]);
    }
}

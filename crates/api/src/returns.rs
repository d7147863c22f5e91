//! Returns: what customers send back by way of the logistics partner, the collections of its list, and what operators do to both.

use crate::Time;
use crate::decode::{self, Fields, Invalid};
use crate::order::IDENTIFIER;
use crate::problem::{FieldFault, Kind, Problem};
use crate::query::Query;
use crate::stock::REASON;
use restock_domain::name::{self, REASON_CHARACTERS_MAX};
use restock_domain::order::ITEM_QUANTITY_MAX;
use restock_domain::parcel::{self, Field};
use serde::Serialize;

/// The filters of the list of returns.
const FILTERS: [&str; 4] = ["status", "goods", "order_number", "shipment_number"];
/// What is said to whoever gives more than one of them.
const ONE_FILTER: &str = "cannot be combined: give one of status, goods, order_number and shipment_number";

/// How far a return is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReturnStatus {
    /// Known, and on its way as far as anybody knows.
    Collected,
    /// Back at the partner; not reported yet.
    Delivered,
    /// The partner took our report.
    Reported,
}

impl ReturnStatus {
    /// The words of a query parameter.
    pub const WORDS: [(&'static str, Self); 3] =
        [("collected", Self::Collected), ("delivered", Self::Delivered), ("reported", Self::Reported)];
}

/// What became of the goods of a return.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Goods {
    /// The return is not reported yet.
    Pending,
    /// Nothing of ours was sold under its order and item number, or all of it was received before.
    NotOurs,
    /// The shop does not put returns back on the shelf.
    Left,
    /// An operator decides.
    Waiting,
    /// Back on the shelf.
    Received,
    /// Never going back on the shelf.
    Discarded,
}

impl Goods {
    /// The words of a query parameter.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("pending", Self::Pending),
        ("not-ours", Self::NotOurs),
        ("left", Self::Left),
        ("waiting", Self::Waiting),
        ("received", Self::Received),
        ("discarded", Self::Discarded),
    ];
}

/// Which returns a list holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Filter {
    /// All of them.
    All,
    /// Those that are so far.
    Status(ReturnStatus),
    /// Those whose goods are there.
    Goods(Goods),
    /// Those of an order.
    OrderNumber(String),
    /// Those of a shipment.
    ShipmentNumber(String),
}

impl Filter {
    /// Reads the one filter that a query may have.
    ///
    /// # Errors
    /// More than one filter, each named; or a value that its filter cannot have.
    pub fn read(query: &Query) -> Result<Self, Vec<FieldFault>> {
        let given: Vec<_> = FILTERS.into_iter().filter(|name| query.get(name).is_some()).collect();
        if given.len() > 1 {
            let fault = |name| FieldFault::new(format!("?{name}"), ONE_FILTER);
            return Err(given.into_iter().map(fault).collect());
        }
        let status = query.choice("status", &ReturnStatus::WORDS)?.map(Self::Status);
        let goods = query.choice("goods", &Goods::WORDS)?.map(Self::Goods);
        let order = number(query, Field::OrderNumber)?.map(Self::OrderNumber);
        let shipment = number(query, Field::ShipmentNumber)?.map(Self::ShipmentNumber);
        Ok(status.or(goods).or(order).or(shipment).unwrap_or(Self::All))
    }
}

/// A number as it is kept, so that the list is asked for what the store holds.
fn number(query: &Query, field: Field) -> Result<Option<String>, Vec<FieldFault>> {
    let is_usable = |text: &str| parcel::usable(text).is_some();
    let number = query.text(field.name(), is_usable, parcel::NUMBER_EXPECTED)?;
    Ok(number.as_deref().and_then(parcel::usable).map(str::to_owned))
}

/// A return. Order number and item number name it; whatever repeats them is the same return.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Return {
    /// UUID v7.
    #[cfg_attr(feature = "openapi", schema(example = "019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b"))]
    pub id: String,
    /// The order, as the partner calls it. It is one of ours where it is the order's id, or the idempotency key that it was
    /// placed with.
    #[cfg_attr(feature = "openapi", schema(example = "1234"))]
    pub order_number: String,
    /// The item of that order, as the partner calls it. It is one of ours where it is a SKU of the order, or the item's place in
    /// it, from 1.
    #[cfg_attr(feature = "openapi", schema(example = "123123"))]
    pub order_item_number: String,
    /// The shipment that it comes back in.
    #[cfg_attr(feature = "openapi", schema(example = "SHP_00000579"))]
    pub shipment_number: String,
    /// How far it is.
    pub status: ReturnStatus,
    /// What became of the goods.
    pub goods: Goods,
    /// The last status that the partner sent, in its own words; null while it does not know the shipment.
    #[cfg_attr(feature = "openapi", schema(example = "delivered"))]
    pub partner_status: Option<String>,
    /// The product that was received; null while none was.
    #[cfg_attr(feature = "openapi", schema(example = "CP-502101"))]
    pub sku: Option<String>,
    /// Units that were received; null while none were.
    #[cfg_attr(feature = "openapi", schema(example = 1))]
    pub quantity: Option<i64>,
    /// When it was first heard of.
    pub collected_at: Time,
    /// When the partner was last asked for the shipment.
    pub tracked_at: Option<Time>,
    /// When the partner first said that it was delivered.
    pub delivered_at: Option<Time>,
    /// When the partner took our report.
    pub reported_at: Option<Time>,
    /// Since when the partner has been saying that it does not know the shipment; null while it knows it.
    pub unknown_since: Option<Time>,
}

impl Return {
    /// Why goods are not received or discarded: the other was decided before.
    #[must_use]
    pub fn settled_otherwise(&self) -> Problem {
        let before = match (self.goods, &self.sku, self.quantity) {
            (Goods::Received, Some(sku), Some(quantity)) => {
                format!("{quantity} of {sku} were received for this return before")
            }
            (Goods::Received, ..) => "the goods of this return were received before".to_owned(),
            (Goods::Discarded, ..) => "the goods of this return were discarded before".to_owned(),
            _ => "another decision on the goods of this return was made before".to_owned(),
        };
        Problem::new(Kind::ReturnSettledOtherwise, 409, format!("{before}; nothing was changed"))
    }

    /// Why goods are not received or discarded: the return is not reported yet.
    #[must_use]
    pub fn not_reported(&self) -> Problem {
        let so_far = match self.status {
            ReturnStatus::Collected => "this return is still on its way",
            ReturnStatus::Delivered | ReturnStatus::Reported => {
                "this return is delivered, and the partner has not taken the report yet"
            }
        };
        let detail = format!("{so_far}; its goods wait for the report, and nothing was changed");
        Problem::new(Kind::ReturnNotReported, 409, detail)
    }

    /// Why goods are not received: nobody knows which.
    #[must_use]
    pub fn matches_nothing(&self) -> Problem {
        let detail = format!(
            "nothing of order {}, item {} was sold here and is still to come back: name sku and quantity; nothing was changed",
            self.order_number, self.order_item_number
        );
        Problem::new(Kind::ReturnMatchesNothing, 409, detail)
    }
}

/// Why goods are not received: so many units at most are left of what the order sold of the product.
#[must_use]
pub fn too_many(left: i64) -> Problem {
    let detail = match left {
        0 => "all that the order sold of this product came back before".to_owned(),
        1 => "1 unit of what the order sold is still to come back".to_owned(),
        more => format!("{more} units of what the order sold are still to come back"),
    };
    Problem::new(Kind::ReturnTooMany, 409, format!("{detail}; nothing was changed"))
}

/// Why goods are not received: the order did not sell the product, so nobody but the operator knows how many came.
#[must_use]
pub fn quantity_needed() -> FieldFault {
    FieldFault::new("/quantity", "is needed for a product that the order of the return did not sell")
}

/// What the partner said of a shipment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct PartnerStatus {
    /// In its own words.
    #[cfg_attr(feature = "openapi", schema(example = "in_transit"))]
    pub status: String,
    /// When it first said so.
    pub first_at: Time,
    /// When it last did.
    pub last_at: Time,
    /// How often.
    #[cfg_attr(feature = "openapi", schema(example = 7))]
    pub times: u64,
}

/// So many units of a product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReturnItem {
    /// The product.
    #[cfg_attr(feature = "openapi", schema(example = "CP-502101"))]
    pub sku: String,
    /// Units.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, example = 1))]
    pub quantity: i64,
}

/// A return with its history.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReturnHistory {
    /// The return.
    #[serde(flatten)]
    pub entry: Return,
    /// The partner's own id of it.
    #[cfg_attr(feature = "openapi", schema(example = "88001"))]
    pub partner_ref: Option<String>,
    /// How often the partner was asked for the shipment.
    #[cfg_attr(feature = "openapi", schema(example = 9))]
    pub trackings: u64,
    /// Every status that the partner sent, in the order in which they first came, at most 32.
    pub partner_statuses: Vec<PartnerStatus>,
    /// What receiving it would bring where no product is named: what was sold under its numbers and is not back yet; null where
    /// nothing is.
    #[serde(rename = "match")]
    pub matching: Option<ReturnItem>,
    /// When the goods were received or discarded.
    pub settled_at: Option<Time>,
    /// Who decided that: the fingerprint of the key; null where it was the rule of the shop.
    #[cfg_attr(feature = "openapi", schema(example = "037aeaeaf4bb"))]
    pub settled_by: Option<String>,
    /// Why, in the operator's words.
    #[cfg_attr(feature = "openapi", schema(example = "unopened"))]
    pub reason: Option<String>,
}

/// What became of a replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReplayOutcome {
    /// The return was not known; it is followed from now on.
    Begun,
    /// Its next step is due now, with this shipment number. A dead letter of it was redriven.
    Resumed,
    /// It was reported before: nothing is left to do.
    Over,
}

/// The answer to a replay: the return, and what became of the wish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Replayed {
    /// The return.
    #[serde(flatten)]
    pub entry: Return,
    /// What became of the wish.
    pub outcome: ReplayOutcome,
}

/// The event form by which one shipment is replayed by hand. Other fields are ignored, as in everything that was written for another
/// interface.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplayRequest {
    /// The event.
    pub body: ReplayBody,
}

/// The event of a replay.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplayBody {
    /// What it is about.
    #[serde(rename = "Attribute")]
    pub attribute: ReplayAttribute,
}

/// The parcel that is to be followed. Each number is a text of 1 to 128 characters on one line, or a whole number, which means its decimal
/// text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReplayAttribute {
    /// The shipment that it comes back in.
    #[cfg_attr(feature = "openapi", schema(schema_with = number::shipment))]
    pub shipment_number: String,
    /// The order that it is from.
    #[cfg_attr(feature = "openapi", schema(schema_with = number::order))]
    pub order_number: String,
    /// The item of that order.
    #[cfg_attr(feature = "openapi", schema(schema_with = number::order_item))]
    pub order_item_number: String,
}

/// Schemas of numbers that may be written as either type, which no attribute of a field can say; nor is its description taken then.
#[cfg(feature = "openapi")]
mod number {
    use super::parcel::NUMBER_CHARACTERS_MAX;
    use utoipa::openapi::schema::{SchemaType, Type};
    use utoipa::openapi::{Object, ObjectBuilder};

    fn schema(description: &str, example: &str) -> Object {
        ObjectBuilder::new()
            .schema_type(SchemaType::from_iter([Type::String, Type::Integer]))
            .min_length(Some(1))
            .max_length(Some(NUMBER_CHARACTERS_MAX))
            .description(Some(description))
            .examples([example])
            .build()
    }

    pub(super) fn shipment() -> Object {
        schema("The shipment that it comes back in.", "SHP_00000579")
    }

    pub(super) fn order() -> Object {
        schema("The order that it is from.", "1234")
    }

    pub(super) fn order_item() -> Object {
        schema("The item of that order.", "123123")
    }
}

impl ReplayRequest {
    /// Reads a replay.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(body: &[u8]) -> Result<Self, Invalid> {
        decode::lenient(body, |fields| {
            let body = fields.object("body", |fields| {
                let attribute = fields.object("Attribute", |fields| {
                    let attribute = ReplayAttribute::decode(fields);
                    fields.ignore_others();
                    attribute
                });
                fields.ignore_others();
                Some(ReplayBody { attribute: attribute? })
            });
            Some(Self { body: body? })
        })
    }
}

impl ReplayAttribute {
    fn decode(fields: &mut Fields) -> Option<Self> {
        let mut number =
            |field: Field| fields.value(field.name(), parcel::from_json, parcel::NUMBER_EXPECTED);
        let shipment_number = number(Field::ShipmentNumber);
        let order_number = number(Field::OrderNumber);
        let order_item_number = number(Field::OrderItemNumber);
        Some(Self {
            shipment_number: shipment_number?,
            order_number: order_number?,
            order_item_number: order_item_number?,
        })
    }
}

/// Puts the goods of a return on the shelf. The body may be left out: then it is all that was sold under the numbers of the
/// return and is not back yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct ReceiveRequest {
    /// The product, where it is another one than that which matches, or nothing does.
    #[cfg_attr(feature = "openapi", schema(example = "CP-502101"))]
    pub sku: Option<String>,
    /// Units. Of a product of the order they can be fewer than what is left of it, and not more; of any other one they have to
    /// be given.
    #[cfg_attr(feature = "openapi", schema(minimum = 1, maximum = 10000))]
    pub quantity: Option<i64>,
    /// Why; goes on record.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    pub reason: Option<String>,
}

impl ReceiveRequest {
    /// Reads what is to be received; an empty body leaves everything to the order.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(body: &[u8]) -> Result<Self, Invalid> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        decode::object(body, |fields| {
            let sku = fields.optional_text("sku", name::is_identifier, IDENTIFIER);
            let quantity = fields.optional_integer("quantity", 1..=i64::from(ITEM_QUANTITY_MAX));
            Some(Self { sku, quantity, reason: reason(fields) })
        })
    }
}

/// Decides that the goods of a return never go back on the shelf. The body may be left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct DiscardRequest {
    /// Why; goes on record.
    #[cfg_attr(feature = "openapi", schema(min_length = 1, max_length = 500))]
    pub reason: Option<String>,
}

impl DiscardRequest {
    /// Reads why; an empty body says nothing.
    ///
    /// # Errors
    /// Not JSON, or all faults.
    pub fn decode(body: &[u8]) -> Result<Self, Invalid> {
        if body.is_empty() {
            return Ok(Self::default());
        }
        decode::object(body, |fields| Some(Self { reason: reason(fields) }))
    }
}

fn reason(fields: &mut Fields) -> Option<String> {
    fields.optional_text("reason", |text| name::is_text(text, REASON_CHARACTERS_MAX), REASON)
}

/// How a collection stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CollectionProgress {
    /// It is being carried out, or waits for its turn or for the partner.
    Running,
    /// The whole list was read.
    Finished,
    /// Its message is a dead letter, or was purged. Redriven, it can still finish.
    Failed,
}

/// A collection of the partner's list, and what happened to returns since the one before it finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReturnCollection {
    /// UUID v7.
    #[cfg_attr(feature = "openapi", schema(example = "019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b"))]
    pub id: String,
    /// How it stands. The counts are those of its end; while it runs they are 0.
    pub progress: CollectionProgress,
    /// When it began.
    pub began_at: Time,
    /// When the whole list was read.
    pub finished_at: Option<Time>,
    /// Records on the list, those that were set aside among them.
    #[cfg_attr(feature = "openapi", schema(example = 30000))]
    pub collected: u64,
    /// Returns that were not known before.
    #[cfg_attr(feature = "openapi", schema(example = 120))]
    pub new: u64,
    /// Records that were set aside and had not been before.
    #[cfg_attr(feature = "openapi", schema(example = 2))]
    pub rejected: u64,
    /// Returns that came back.
    #[cfg_attr(feature = "openapi", schema(example = 95))]
    pub delivered: u64,
    /// Returns that were reported.
    #[cfg_attr(feature = "openapi", schema(example = 95))]
    pub reported: u64,
    /// Records that were set aside, and messages of the queue `returns` that became dead letters and still are.
    #[cfg_attr(feature = "openapi", schema(example = 3))]
    pub failed: u64,
}

/// A record of the partner's list that nothing can be done with. The same record, list after list, is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReturnReject {
    /// Why, short and stable.
    #[cfg_attr(feature = "openapi", schema(example = "no-shipment-number"))]
    pub reason: String,
    /// The beginning of the record, as the partner sent it.
    #[cfg_attr(
        feature = "openapi",
        schema(example = r#"{"id":7,"order_number":"1234","order_item_number":"123123"}"#)
    )]
    pub record: String,
    /// When it was first on the list.
    pub first_at: Time,
    /// When it was last on the list.
    pub last_at: Time,
    /// In how many collections it was on the list.
    #[cfg_attr(feature = "openapi", schema(example = 4))]
    pub times: u64,
}

#[cfg(test)]
mod tests;

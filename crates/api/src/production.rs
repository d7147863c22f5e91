//! Production requests and the factory's reports.

use crate::Time;
use serde::Serialize;

/// The state of a production request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ProductionStatus {
    /// Stock was seen to run low; the factory does not know yet.
    Planned,
    /// The factory took the job.
    Requested,
    /// The goods did not come in time; the factory is asked again under the same id.
    Overdue,
    /// The goods came.
    Received,
    /// The factory could not be asked and its message was buried.
    Failed,
    /// An operator gave it up.
    Cancelled,
}

impl ProductionStatus {
    /// The words of a query parameter.
    pub const WORDS: [(&'static str, Self); 6] = [
        ("planned", Self::Planned),
        ("requested", Self::Requested),
        ("overdue", Self::Overdue),
        ("received", Self::Received),
        ("failed", Self::Failed),
        ("cancelled", Self::Cancelled),
    ];
}

/// The levels at the moment a request was planned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Cause {
    /// Units on the shelf.
    pub on_hand: i64,
    /// Units that open requests would have brought.
    pub on_order: i64,
    /// Units that waiting orders would have taken.
    pub backordered: i64,
    /// The reorder point.
    pub reorder_point: i64,
    /// The order-up-to level.
    pub order_up_to: i64,
}

/// A production request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ProductionRequest {
    /// UUID v7.
    pub id: String,
    /// The product.
    pub sku: String,
    /// Who is asked.
    pub factory_id: String,
    /// Units that are asked for.
    pub quantity: i64,
    /// Its state.
    pub status: ProductionStatus,
    /// How often the factory was called for it.
    pub attempts: u32,
    /// When stock was seen to run low.
    pub planned_at: Time,
    /// When the factory last took the job.
    pub requested_at: Option<Time>,
    /// When the goods are overdue.
    pub due_at: Option<Time>,
    /// When the goods came.
    pub received_at: Option<Time>,
    /// Units that came.
    pub received_quantity: Option<i64>,
    /// More came than was asked for.
    pub over_delivered: bool,
    /// The factory's own identifier of the job.
    pub factory_job_id: Option<String>,
    /// The request whose missing rest this one is for.
    pub follows: Option<String>,
    /// The numbers that led to it.
    pub because: Cause,
    /// The W3C trace context of what led to it, as `traceparent` is written.
    #[cfg_attr(
        feature = "openapi",
        schema(example = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")
    )]
    pub traceparent: Option<String>,
}

/// The answer to a factory's report. A repeated report gets the same one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct ReportAnswer {
    /// What happened, for people.
    pub message: String,
    /// The product.
    pub sku: String,
    /// Units on the shelf after the delivery and the waiting orders it filled.
    pub on_hand: i64,
    /// The production request that was answered.
    pub production_id: Option<String>,
}

/// What a factory reports: the echo of what it was asked, of which only the count is used. Other fields are ignored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FactoryReport {
    /// Units that were made, 1 to 1000000, as a number or as a text of digits.
    #[serde(rename = "MessageAttributeProductCnt")]
    pub count: Option<i64>,
    /// The count where older factories put it.
    #[serde(rename = "OrderStockCnt")]
    pub older_count: Option<i64>,
}

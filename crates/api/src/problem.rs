//! Problem documents: RFC 9457, `application/problem+json`.

use crate::order::Shortage;
use serde::Serialize;

/// The media type of a problem document.
pub const PROBLEM_JSON: &str = "application/problem+json";

/// What a client or an operator can tell problems apart by, whatever the words say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The status says it all.
    Plain,
    /// Fields are at fault.
    InvalidRequest,
    /// Not enough on the shelf.
    OutOfStock,
    /// An idempotency key was used for something else before.
    IdempotencyKeyReused,
    /// The products of an order are priced in different currencies.
    MixedCurrencies,
    /// The stock would go below zero.
    StockNegative,
    /// The other was decided on the goods of a return before.
    ReturnSettledOtherwise,
    /// The goods of a return wait for its report.
    ReturnNotReported,
    /// Nothing that was sold matches the numbers of a return.
    ReturnMatchesNothing,
    /// More would come back than was sold.
    ReturnTooMany,
    /// The store could not do its work.
    StoreUnavailable,
    /// Variables of the application have wrong values.
    Configuration,
}

impl Kind {
    /// The stable identifier of this kind.
    #[must_use]
    pub fn uri(self) -> &'static str {
        match self {
            Self::Plain => "about:blank",
            Self::InvalidRequest => "urn:restock:problem:invalid-request",
            Self::OutOfStock => "urn:restock:problem:out-of-stock",
            Self::IdempotencyKeyReused => "urn:restock:problem:idempotency-key-reused",
            Self::MixedCurrencies => "urn:restock:problem:mixed-currencies",
            Self::StockNegative => "urn:restock:problem:stock-negative",
            Self::ReturnSettledOtherwise => "urn:restock:problem:return-settled-otherwise",
            Self::ReturnNotReported => "urn:restock:problem:return-not-reported",
            Self::ReturnMatchesNothing => "urn:restock:problem:return-matches-nothing",
            Self::ReturnTooMany => "urn:restock:problem:return-too-many",
            Self::StoreUnavailable => "urn:restock:problem:store-unavailable",
            Self::Configuration => "urn:restock:problem:configuration",
        }
    }
}

/// A field, a query parameter or a header at fault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct FieldFault {
    /// A JSON pointer into the body (RFC 6901); `?name` for a query parameter, the name for a header.
    #[cfg_attr(feature = "openapi", schema(example = "/items/0/quantity"))]
    pub pointer: String,
    /// What is wrong with it.
    #[cfg_attr(feature = "openapi", schema(example = "must be a whole number from 1 to 10000"))]
    pub detail: String,
}

impl FieldFault {
    /// Names a fault.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into() }
    }
}

/// Why a request was not answered with what it asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// The kind of problem; stable.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The kind in words; the same for every problem of a kind.
    pub title: &'static str,
    /// The HTTP status.
    pub status: u16,
    /// This problem in words.
    pub detail: String,
    /// The fields at fault, where fields are.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldFault>,
    /// The products that are short, where stock is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub short: Vec<Shortage>,
    /// The order that was recorded as rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub order_id: Option<String>,
    /// The faults of the application's configuration.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<String>,
}

impl Problem {
    /// A problem of a kind, in words.
    pub fn new(kind: Kind, status: u16, detail: impl Into<String>) -> Self {
        Self {
            kind: kind.uri(),
            title: title(kind, status),
            status,
            detail: detail.into(),
            errors: Vec::new(),
            short: Vec::new(),
            order_id: None,
            faults: Vec::new(),
        }
    }

    /// The problem of a request whose fields are at fault.
    #[must_use]
    pub fn invalid(errors: Vec<FieldFault>) -> Self {
        let detail = match errors.as_slice() {
            [only] => format!("{}: {}", only.pointer, only.detail),
            all => format!("{} fields are at fault", all.len()),
        };
        Self { errors, ..Self::new(Kind::InvalidRequest, 422, detail) }
    }
}

fn title(kind: Kind, status: u16) -> &'static str {
    match kind {
        Kind::InvalidRequest => "The request is not valid",
        Kind::OutOfStock => "Not enough in stock",
        Kind::IdempotencyKeyReused => "The idempotency key was used for another request",
        Kind::MixedCurrencies => "The products are priced in different currencies",
        Kind::StockNegative => "The stock would go below zero",
        Kind::ReturnSettledOtherwise => "The goods of the return were settled otherwise",
        Kind::ReturnNotReported => "The return is not reported yet",
        Kind::ReturnMatchesNothing => "Nothing that was sold matches the return",
        Kind::ReturnTooMany => "More would come back than was sold",
        Kind::StoreUnavailable => "The store is not available",
        Kind::Configuration => "The application is not configured correctly",
        // RFC 9457: for about:blank, the title is the status's own phrase.
        Kind::Plain => match status {
            400 => "Bad Request",
            401 => "Unauthorized",
            403 => "Forbidden",
            404 => "Not Found",
            405 => "Method Not Allowed",
            408 => "Request Timeout",
            409 => "Conflict",
            413 => "Content Too Large",
            415 => "Unsupported Media Type",
            422 => "Unprocessable Content",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_problem_shows_only_the_members_it_has() {
        let problem = Problem::new(Kind::Plain, 404, "no such order");
        assert_eq!(
            serde_json::to_value(problem).expect("JSON"),
            json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "no such order"})
        );
    }

    #[test]
    fn a_single_fault_is_told_in_the_detail() {
        let problem = Problem::invalid(vec![FieldFault::new("/customer/id", "is missing")]);
        assert_eq!((problem.status, problem.detail.as_str()), (422, "/customer/id: is missing"));
    }
}

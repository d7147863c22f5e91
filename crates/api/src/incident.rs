//! Incidents: what somebody must know, grouped by what is wrong.

use crate::Time;
use serde::Serialize;

/// Something that is or was wrong: dead letters of one kind, overdue goods, a partner that is left alone, shipments that a partner
/// does not know, an audit that found something. People are told when it begins, now and then while it grows, and when it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Incident {
    /// Identifies the incident.
    #[cfg_attr(feature = "openapi", schema(example = "019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b"))]
    pub id: String,
    /// What led to it: `message.buried`, `production.overdue`, `circuit.opened`, `return.unknown` or `audit.violation`.
    #[cfg_attr(feature = "openapi", schema(example = "message.buried"))]
    pub kind: String,
    /// The queue concerned; null where none is.
    #[cfg_attr(feature = "openapi", schema(example = "ad-control"))]
    pub queue: Option<String>,
    /// The partner concerned; null where none is.
    #[cfg_attr(feature = "openapi", schema(example = "mail"))]
    pub partner: Option<String>,
    /// The kind of error. That of dead letters is what a redrive of all of them selects by.
    #[cfg_attr(feature = "openapi", schema(example = "mail-refused"))]
    pub reason: String,
    /// The factory concerned; null where none is.
    pub factory_id: Option<String>,
    /// Who is told for that factory; null: the stock manager.
    pub manager_email: Option<String>,
    /// When it began.
    pub opened_at: Time,
    /// When it last grew.
    pub last_at: Time,
    /// When it was over; null: it goes on.
    pub cleared_at: Option<Time>,
    /// How often it happened.
    #[cfg_attr(feature = "openapi", schema(example = 12))]
    pub occurrences: u64,
    /// How many different cases it has or had.
    #[cfg_attr(feature = "openapi", schema(example = 3))]
    pub cases_total: u64,
    /// The latest cases, newest first, at most 5.
    pub cases: Vec<IncidentCase>,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct IncidentCase {
    /// The id of the message, the production request or the return, or the name of the partner; `audit` for what an audit
    /// found.
    #[cfg_attr(feature = "openapi", schema(example = "019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b"))]
    pub id: String,
    /// How often it went wrong.
    #[cfg_attr(feature = "openapi", schema(example = 4))]
    pub times: u64,
    /// When it last did.
    pub last_at: Time,
    /// What is wrong, in words.
    #[cfg_attr(feature = "openapi", schema(example = "CP-502101: answered 400: no such address"))]
    pub words: String,
}

//! Health, readiness, the audit, partners, what operators did, and the tick.

use crate::Time;
use crate::queue::Drained;
use serde::Serialize;
use serde_json::Value;

/// The answer to `GET /healthz`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Health {
    /// Always `ok`: the program answers.
    pub status: &'static str,
}

/// Whether work can be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Readiness {
    /// `ready`, or `not-ready`.
    pub status: &'static str,
    /// What stands in the way, each in words; empty where nothing does.
    pub faults: Vec<String>,
    /// Those of the faults that are wrong values of variables: they do not go away by waiting.
    pub wrong_variables: Vec<String>,
    /// What the store runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub store: Option<String>,
    /// The newest migration that was applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schema_version: Option<u32>,
}

/// What the audit found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Audit {
    /// Whether every invariant holds.
    pub ok: bool,
    /// Products that were recomputed.
    pub products_checked: u64,
    /// Orders that were recomputed.
    pub orders_checked: u64,
    /// Messages that were looked at.
    pub messages_checked: u64,
    /// What does not hold, in words, at most 100.
    pub violations: Vec<String>,
}

/// The state of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    /// Calls go through.
    Closed,
    /// The partner is left alone.
    Open,
    /// A probe is on its way.
    HalfOpen,
}

/// A partner at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Partner {
    /// Its name.
    pub partner: String,
    /// Whether it is called.
    pub circuit: Circuit,
    /// Failures in a row.
    pub failures: u32,
    /// So many failures in a row open the circuit.
    pub failures_max: u32,
    /// Since when the circuit is not closed.
    pub opened_at: Option<Time>,
    /// When the next probe may go.
    pub probe_at: Option<Time>,
    /// Calls that run now.
    pub in_flight: u32,
    /// Calls since the partner is known.
    pub calls_total: u64,
    /// Failures since the partner is known.
    pub failures_total: u64,
}

/// What an operator did. The record was made in the write that carried it out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[cfg_attr(feature = "openapi", schema(example = json!({
    "kind": "queue.redrive",
    "subject": "ad-control",
    "detail": {"affected": 1, "messages": ["019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b"]},
    "reason": "the address was corrected",
    "operator": "037aeaeaf4bb",
    "at": "2026-11-21T09:30:00.000Z",
})))]
pub struct OperatorAction {
    /// What: `queue.pause`, `queue.resume`, `queue.redrive`, `queue.purge`, `stock.adjust`, `product.create`,
    /// `product.change`, `factory.create`, `factory.change`, `return.replay`, `return.receive` or `return.discard`.
    pub kind: String,
    /// What it was done to: a queue, a SKU, a factory, a return.
    pub subject: String,
    /// What it changed; its fields are those of the kind.
    #[cfg_attr(feature = "openapi", schema(value_type = Object))]
    pub detail: Value,
    /// Why, in the operator's words; empty where none were given.
    pub reason: String,
    /// Who: the fingerprint of the key, never the key.
    pub operator: String,
    /// When.
    pub at: Time,
}

/// What a tick did.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct TickReport {
    /// What the tick itself did to messages, in the words of a drain. It claims none: those of dead workers are
    /// tried again, or are made dead letters where no attempt is left.
    #[serde(flatten)]
    pub messages: Drained,
    /// Messages of dead workers that were freed.
    pub leases_expired: u32,
    /// Production requests that were found overdue.
    pub overdue: u32,
    /// Finished messages, collections of returns, and records that these set aside, that retention removed.
    pub removed: u32,
    /// Notices of incidents that became due: of those that grow, and of those that are over.
    pub notices: u32,
    /// Products whose levels were computed anew.
    pub levels_set: u32,
    /// Queues whose bell was rung.
    pub rung: Vec<String>,
}

//! Partners and the audit.

use restock_api::operations::{Audit, Circuit, Partner};
use restock_api::{Page, Time};
use restock_bindings::{ops, partners};
use restock_edge::{Answer, Call, Error};

/// `GET /v1/partners`
pub(crate) async fn partners(call: Call) -> Result<Answer, Error> {
    let partners = partners::list(call.now_ms()).await?;
    Ok(Answer::ok(&Page::whole(partners.into_iter().map(partner).collect())))
}

fn partner(state: partners::State) -> Partner {
    Partner {
        partner: state.partner,
        circuit: match state.circuit {
            partners::Circuit::Closed => Circuit::Closed,
            partners::Circuit::Open => Circuit::Open,
            partners::Circuit::HalfOpen => Circuit::HalfOpen,
        },
        failures: state.failures,
        failures_max: state.failures_max,
        opened_at: state.opened_at.map(Time),
        probe_at: state.probe_at.map(Time),
        in_flight: state.in_flight,
        calls_total: state.calls_total,
        failures_total: state.failures_total,
    }
}

/// `GET /v1/audit`
pub(crate) async fn audit(_call: Call) -> Result<Answer, Error> {
    let report = ops::audit().await?;
    Ok(Answer::ok(&Audit {
        ok: report.violations.is_empty(),
        products_checked: report.products_checked,
        orders_checked: report.orders_checked,
        messages_checked: report.messages_checked,
        violations: report.violations,
    }))
}

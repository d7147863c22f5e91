//! What operators did, partners, and the audit.

use restock_api::operations::{Audit, Circuit, OperatorAction, Partner};
use restock_api::{Page, Time};
use restock_bindings::types;
use restock_bindings::{alerts, ops, partners};
use restock_domain::queues;
use restock_edge::doorbell;
use restock_edge::error::fault_words;
use restock_edge::{Answer, Call, Error, log};

/// `GET /v1/operations`
pub(crate) async fn list(call: Call) -> Result<Answer, Error> {
    let page = call.page()?;
    let actions = ops::actions(types::Page { limit: page.limit, after: page.after }).await?;
    Ok(Answer::ok(&Page::of(actions, page.limit, |action| action.cursor.clone(), action)))
}

fn action(action: ops::OperatorAction) -> OperatorAction {
    OperatorAction {
        kind: action.kind,
        subject: action.subject,
        // The store keeps nothing but JSON here; if it ever did, what it keeps is shown as it is.
        detail: serde_json::from_str(&action.detail).unwrap_or(serde_json::Value::String(action.detail)),
        reason: action.reason,
        operator: action.operator,
        at: Time(action.at),
    }
}

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
pub(crate) async fn audit(call: Call) -> Result<Answer, Error> {
    let report = ops::audit().await?;
    match alerts::audited(report.violations.clone(), call.now_ms()).await {
        Ok(()) if report.violations.is_empty() => {}
        Ok(()) => doorbell::ring_later([queues::ALERTS]),
        // Whoever asked learns what was found all the same, and the clock's own audits note it later.
        Err(fault) => {
            log!("request {}: the audit was not noted: {}", call.request_id(), fault_words(&fault));
        }
    }
    Ok(Answer::ok(&Audit {
        ok: report.violations.is_empty(),
        products_checked: report.products_checked,
        orders_checked: report.orders_checked,
        messages_checked: report.messages_checked,
        violations: report.violations,
    }))
}

//! Incidents.

use restock_api::incident::{Incident, IncidentCase};
use restock_api::{Page, Time};
use restock_bindings::{alerts, types};
use restock_edge::{Answer, Call, Error};

/// `GET /v1/incidents`
pub(crate) async fn list(call: Call) -> Result<Answer, Error> {
    let open_only = call.query().only("open")?;
    let page = call.page()?;
    let incidents = alerts::list(open_only, types::Page { limit: page.limit, after: page.after }).await?;
    Ok(Answer::ok(&Page::of(incidents, page.limit, |incident| incident.cursor.clone(), view)))
}

fn view(incident: alerts::Incident) -> Incident {
    Incident {
        id: incident.id,
        kind: incident.kind,
        queue: named(incident.queue),
        partner: named(incident.partner),
        reason: incident.reason,
        factory_id: incident.factory_id,
        manager_email: incident.manager_email,
        opened_at: Time(incident.opened_at),
        last_at: Time(incident.last_at),
        cleared_at: incident.cleared_at.map(Time),
        occurrences: incident.occurrences,
        cases_total: incident.cases_total,
        cases: incident
            .cases
            .into_iter()
            .map(|case| IncidentCase {
                id: case.id,
                times: case.times,
                last_at: Time(case.last_at),
                words: case.words,
            })
            .collect(),
    }
}

/// The store says "none" with an empty name.
fn named(name: String) -> Option<String> {
    Some(name).filter(|name| !name.is_empty())
}

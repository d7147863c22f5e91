//! What is wrong, and what was.

use super::parts::{self, Column, Rows, Table, Tone, badge};
use super::visit::listed;
use super::words::Words;
use super::{Reader, Reply, Section, View, Visit};
use maud::{Markup, html};
use restock_bindings::alerts::{self, Incident};
use restock_bindings::types;
use restock_edge::Error;

/// `GET /incidents`: those that go on, or with `?all=true` all.
pub(crate) async fn list(visit: Visit) -> Result<Reply, Error> {
    let all = visit.query().only("all")?;
    let page = visit.page()?;
    let first = page.after.is_none();
    let rows = alerts::list(!all, types::Page { limit: page.limit, after: page.after.clone() }).await?;
    let rows = listed(rows, &page, |incident| incident.cursor.clone());
    Ok(Reply::Page(view(visit.reader(), all, first, &rows)))
}

fn view(reader: &Reader, all: bool, first: bool, rows: &Rows<Incident>) -> View {
    let said = &reader.words.incidents;
    let here = |cursor: Option<&str>| {
        let all = if all { "true" } else { "" };
        parts::address(&["incidents"], &[("all", all), ("cursor", cursor.unwrap_or_default())])
    };
    let body = html! {
        p { (said.lead) }
        nav aria-label=(said.which) {
            ul class="tabs" {
                li { a href="/incidents" aria-current=[(!all).then_some("page")] { (said.open_only) } }
                li { a href="/incidents?all=true" aria-current=[all.then_some("page")] { (said.all) } }
            }
        }
        section class="panel" data-key="list" { (table(reader, &rows.items, !all)) (parts::pager(reader.words, rows, first, here)) }
    };
    let view = View::new(Section::Incidents, said.title, body);
    // Behind the first page nothing is new.
    if first { view.live() } else { view }
}

/// Incidents as a table, or what to say where there are none.
pub(super) fn table(reader: &Reader, incidents: &[Incident], open_only: bool) -> Markup {
    let words = reader.words;
    let said = &words.incidents;
    let mut table = Table::new(
        said.title,
        [
            Column::text(said.what),
            Column::text(said.state),
            Column::wide(said.about),
            Column::text(said.since),
            Column::text(said.last),
            Column::number(said.how_often),
        ],
    )
    .headed();
    for incident in incidents {
        let state = match incident.cleared_at {
            None => badge(Tone::Bad, said.open),
            Some(at) => {
                html! { (badge(Tone::Good, said.cleared)) br; small { (parts::since(words, at, reader.now_ms)) } }
            }
        };
        table.row(
            &incident.id,
            [
                html! { (kind(words, incident)) br; (parts::code(&incident.reason)) },
                state,
                html! { div { (about(words, incident)) (cases(reader, incident)) } },
                parts::since(words, incident.opened_at, reader.now_ms),
                parts::since(words, incident.last_at, reader.now_ms),
                (said.times)(incident.occurrences, parts::number(incident.occurrences)),
            ],
        );
    }
    table.or(if open_only {
        parts::empty(said.none_open, html! { (said.none_open_next) })
    } else {
        parts::empty(said.none_ever, html! { (said.none_ever_next) })
    })
}

fn kind(words: &Words, incident: &Incident) -> Markup {
    let said = &words.incidents;
    match incident.kind.as_str() {
        "message.buried" => html! { (said.buried) },
        "production.overdue" => html! { (said.overdue) },
        "circuit.opened" => html! { (said.circuit) },
        "audit.violation" => html! { (said.audit) },
        "return.unknown" => html! { (said.unknown_return) },
        other => parts::code(other),
    }
}

fn about(words: &Words, incident: &Incident) -> Markup {
    let said = &words.incidents;
    let queue = parts::address(&["queues", &incident.queue], &[("reason", &incident.reason)]);
    html! {
        @if !incident.queue.is_empty() { p { (said.queue) " " a href=(queue) { (incident.queue) } } }
        @if !incident.partner.is_empty() { p { (said.partner) " " a href="/partners" { (incident.partner) } } }
        @if let Some(factory) = &incident.factory_id { p { (said.factory) " " (parts::named(factory)) } }
    }
}

fn cases(reader: &Reader, incident: &Incident) -> Markup {
    let said = &reader.words.incidents;
    if incident.cases.is_empty() {
        return html! {};
    }
    let shown = parts::number(i128::try_from(incident.cases.len()).unwrap_or_default());
    html! {
        details data-key="cases" {
            summary { ((said.cases)(shown, parts::number(incident.cases_total))) }
            ul {
                @for case in &incident.cases {
                    li data-key=(case.id) {
                        (case_link(incident, &case.id)) " "
                        ((said.case_times)(parts::number(case.times))) ", "
                        (parts::since(reader.words, case.last_at, reader.now_ms)) ": "
                        (parts::named(&case.words))
                    }
                }
            }
        }
    }
}

/// A case is a dead letter, a production request, a return, or the name of something that has no page of its own.
fn case_link(incident: &Incident, id: &str) -> Markup {
    let page = match incident.kind.as_str() {
        "message.buried" => "messages",
        "production.overdue" => "production",
        "return.unknown" => "returns",
        _ => return parts::code(id),
    };
    html! { a href=(parts::address(&[page, id], &[])) { (parts::short_id(id)) } }
}

#[cfg(test)]
pub(super) fn sample(hostile: &str, now: u64) -> Vec<Incident> {
    let kinds = [
        "message.buried",
        "production.overdue",
        "circuit.opened",
        "audit.violation",
        "return.unknown",
        hostile,
    ];
    let incident = |(index, kind): (usize, &str)| Incident {
        id: format!("incident-{index}"),
        kind: kind.to_owned(),
        queue: hostile.to_owned(),
        partner: hostile.to_owned(),
        reason: hostile.to_owned(),
        factory_id: Some(hostile.to_owned()),
        manager_email: Some(hostile.to_owned()),
        opened_at: now - 90_000,
        last_at: now - 5_000,
        cleared_at: (index % 2 == 1).then_some(now),
        occurrences: 1_200,
        cases_total: 70,
        cases: vec![alerts::IncidentCase {
            id: hostile.to_owned(),
            times: 3,
            last_at: now,
            words: hostile.to_owned(),
        }],
        cursor: "c".to_owned(),
    };
    kinds.into_iter().enumerate().map(incident).collect()
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    let rows = |items, next: Option<&str>| Rows { items, next_cursor: next.map(str::to_owned) };
    vec![
        view(reader, false, true, &rows(Vec::new(), None)),
        view(reader, true, true, &rows(Vec::new(), None)),
        view(reader, true, false, &rows(sample(hostile, reader.now_ms), Some(hostile))),
    ]
}

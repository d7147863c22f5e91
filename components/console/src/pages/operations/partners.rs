//! The gates in front of other companies' systems: whether calls go through, and what they wait for.

use crate::pages::parts::{self, Column, Table, Tone};
use crate::pages::{Reader, Reply, Section, View, Visit};
use maud::html;
use restock_bindings::partners::{self, Circuit, State};
use restock_edge::Error;

/// `GET /partners`
pub(crate) async fn list(visit: Visit) -> Result<Reply, Error> {
    let partners = partners::list(visit.now_ms()).await?;
    Ok(Reply::Page(view(visit.reader(), &partners)))
}

fn view(reader: &Reader, partners: &[State]) -> View {
    let words = reader.words;
    let said = &words.partners;
    let mut table = Table::new(
        said.caption,
        [
            Column::text(said.partner),
            Column::text(said.circuit),
            Column::number(said.failures),
            Column::text(said.opened),
            Column::text(said.probe),
            Column::number(said.in_flight),
            Column::number(said.calls),
            Column::number(said.failed),
        ],
    );
    let none = || html! { (words.shared.none) };
    for state in partners {
        let tone = match state.circuit {
            Circuit::Closed => Tone::Good,
            Circuit::Open => Tone::Bad,
            Circuit::HalfOpen => Tone::Warn,
        };
        let probe = match state.probe_at.filter(|_| state.circuit == Circuit::Open) {
            None => none(),
            Some(at) if at <= reader.now_ms => html! { (said.probe_due) },
            Some(at) => parts::due(words, at, reader.now_ms),
        };
        table.row(
            &state.partner,
            [
                parts::named(&state.partner),
                parts::badge(tone, said.circuit_of(state.circuit)),
                (said.of)(parts::number(state.failures), parts::number(state.failures_max)),
                state.opened_at.map_or_else(none, |at| parts::since(words, at, reader.now_ms)),
                probe,
                parts::number(state.in_flight),
                parts::number(state.calls_total),
                parts::number(state.failures_total),
            ],
        );
    }
    let troubled = partners.iter().filter(|state| state.circuit != Circuit::Closed).count();
    let body = html! {
        p { (said.lead) }
        @if troubled > 0 { p data-announce { ((said.some_fail)(parts::number(troubled as i128))) } }
        section class="panel" { (table.or(parts::empty(said.none, html! { (said.none_next) }))) }
        p { a href="/queues" { (words.queues.title) } }
    };
    View::new(Section::Queues, said.title, body).live()
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    let state = |circuit, probe_at| State {
        partner: hostile.to_owned(),
        circuit,
        failures: 5,
        failures_max: 5,
        opened_at: (circuit != Circuit::Closed).then_some(1_795_299_000_000),
        probe_at,
        next_slot_at: 0,
        in_flight: 1,
        calls_total: 1_234,
        failures_total: 56,
    };
    let all = [
        state(Circuit::Closed, None),
        state(Circuit::Open, Some(1_795_300_030_000)),
        state(Circuit::Open, Some(1_795_299_000_000)),
        state(Circuit::HalfOpen, Some(1_795_300_030_000)),
    ];
    vec![view(reader, &[]), view(reader, &all)]
}

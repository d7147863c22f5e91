//! Queues and their dead letters: how work flows, where it stands still, and the ways to repair it.

mod confirm;
mod letters;
mod pause;

pub(crate) use confirm::{ask_purge, ask_redrive, purge, redrive};
pub(crate) use pause::{ask_pause, ask_resume, pause, resume};

use super::parts::{self, Column, Rows, Table, Tone};
use super::words::Words;
use super::{Reader, Reply, Section, View, Visit};
use crate::queues::Desk;
use letters::Letters;
use maud::{Markup, html};
use restock_api::queue as api;
use restock_bindings::queue::{self, Status};
use restock_edge::Error;

/// `GET /queues`
pub(crate) async fn list(visit: Visit) -> Result<Reply, Error> {
    let queues = queue::list(visit.now_ms()).await?;
    Ok(Reply::Page(list_view(visit.reader(), &queues)))
}

/// `GET /queues/{queue}`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Error> {
    let reason = visit.query().text("reason", api::is_failure, api::FAILURE)?;
    let page = visit.page()?;
    let desk = desk(&visit)?;
    let status = desk.status().await?;
    // Counted by an index: most queues have none, and then there is nothing to read.
    let (groups, rows) = if status.buried == 0 {
        (Vec::new(), Rows::whole(Vec::new()))
    } else {
        let rows = desk.buried(reason.clone(), &page).await?;
        let rows = Rows::of(rows, page.limit, |message| message.cursor.clone(), |message| message);
        (desk.groups().await?, rows)
    };
    let letters = Letters { queue: &status.queue, groups, rows, reason, is_first: page.after.is_none() };
    Ok(Reply::Page(view(visit.reader(), &status, &letters)))
}

/// The visitor at the queue that the path names.
fn desk(visit: &Visit) -> Result<Desk, Error> {
    Desk::at(visit.value(), visit.operator(), visit.now_ms())
}

/// The address of a queue.
pub(super) fn path_to(queue: &str) -> String {
    parts::address(&["queues", queue], &[])
}

fn list_view(reader: &Reader, queues: &[Status]) -> View {
    let words = reader.words;
    let said = &words.queues;
    let mut table = Table::new(
        said.caption,
        [
            Column::text(said.queue),
            Column::text(said.state),
            Column::number(said.ready),
            Column::number(said.later),
            Column::number(said.leased),
            Column::number(said.buried),
            Column::number(said.oldest),
            Column::number(said.per_minute),
            Column::text(said.limits),
        ],
    );
    for status in queues {
        let name = html! {
            div {
                a href=(path_to(&status.queue)) { (status.queue) }
                @let purpose = said.purpose(&status.queue);
                @if !purpose.is_empty() { br; small { (purpose) } }
            }
        };
        table.row(
            &status.queue,
            [
                name,
                state(words, status),
                parts::number(status.due),
                parts::number(status.ready.saturating_sub(status.due)),
                parts::number(status.leased),
                buried(status),
                oldest(words, status),
                parts::decimal(status.done_last_minute),
                html! {
                    div {
                        ((said.limits_are)(parts::span(words, status.lease_ms), parts::number(status.in_flight_max)))
                    }
                },
            ],
        );
    }
    let body = html! {
        p { (said.lead) }
        section class="panel" { (table.or(parts::empty(said.none, html! { (said.none_next) }))) }
        p { a href="/partners" { (said.partners) } }
    };
    View::new(Section::Queues, said.title, body).live()
}

fn state(words: &Words, status: &Status) -> Markup {
    let said = &words.queues;
    if status.paused { parts::badge(Tone::Warn, said.paused) } else { parts::badge(Tone::Good, said.running) }
}

fn buried(status: &Status) -> Markup {
    html! {
        @if status.buried == 0 { (parts::number(0)) }
        @else { a href={ (path_to(&status.queue)) "#dead-letters" } { (parts::number(status.buried)) } }
    }
}

fn oldest(words: &Words, status: &Status) -> Markup {
    if status.due == 0 {
        return html! { (words.shared.none) };
    }
    parts::span(words, status.oldest_due_seconds.saturating_mul(1_000))
}

fn view(reader: &Reader, status: &Status, letters: &Letters<'_>) -> View {
    let words = reader.words;
    let said = &words.queues;
    let queue = status.queue.as_str();
    let now = [
        (said.ready, parts::number(status.due)),
        (said.later, parts::number(status.ready.saturating_sub(status.due))),
        (said.leased, parts::number(status.leased)),
        (said.buried, parts::number(status.buried)),
        (said.oldest, oldest(words, status)),
        (said.per_minute, parts::decimal(status.done_last_minute)),
    ];
    let so_far = [
        (said.done_total, parts::number(status.done_total)),
        (said.retried_total, parts::number(status.retried_total)),
        (said.postponed_total, parts::number(status.postponed_total)),
        (said.buried_total, parts::number(status.buried_total)),
        (said.expired_total, parts::number(status.expired_total)),
    ];
    let attempts_max = match status.attempts_max {
        Some(attempts) => parts::number(attempts),
        None => html! { (said.attempts_max_default) },
    };
    let limits = [
        (said.lease, parts::span(words, status.lease_ms)),
        (said.in_flight_max, parts::number(status.in_flight_max)),
        (said.attempts_max, attempts_max),
        (said.retention, parts::span(words, status.retention_ms)),
        (said.ordered, html! { (if status.ordered { words.shared.yes } else { words.shared.no }) }),
    ];
    let body = html! {
        section class="panel" {
            header {
                p { (said.purpose(queue)) }
                p { (state(words, status)) }
            }
            (parts::facts(&now))
            @if status.paused { p { (said.paused_means) } }
            @if reader.operator {
                div class="actions" {
                    @if status.paused { a href=(parts::address(&["queues", queue, "resume"], &[])) { (said.resume) } }
                    @else { a href=(parts::address(&["queues", queue, "pause"], &[])) { (said.pause) } }
                }
            }
        }
        section class="panel" id="dead-letters" {
            header { h2 { (said.dead_letters) } }
            (letters.markup(reader))
        }
        div class="pair" {
            section class="panel" { header { h2 { (said.so_far) } } (parts::facts(&so_far)) }
            section class="panel" { header { h2 { (said.limits) } } (parts::facts(&limits)) }
        }
    };
    View::new(Section::Queues, queue, body).live()
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::pages::messages::samples::message;
    use restock_bindings::queue::{BuriedGroup, MessageState};

    /// A queue with, or without, dead letters.
    pub(crate) fn status(queue: &str, buried: u64) -> Status {
        Status {
            queue: queue.to_owned(),
            paused: buried > 0,
            ordered: true,
            ready: buried,
            leased: 1,
            buried,
            done_total: 1_234_567,
            done_last_minute: 12.34,
            retried_total: 2,
            postponed_total: 3,
            buried_total: 4,
            expired_total: 5,
            oldest_ready_seconds: 61,
            due: 2,
            oldest_due_seconds: 61,
            lease_ms: 60_000,
            in_flight_max: 64,
            retention_ms: 604_800_000,
            attempts_max: (buried > 0).then_some(7),
        }
    }

    fn shown<'a>(queue: &'a str, hostile: &str, reason: Option<&str>) -> Letters<'a> {
        let group = |reason: &str| BuriedGroup {
            reason: reason.to_owned(),
            count: 12,
            oldest_at: 1_795_000_000_000,
            newest_at: 1_795_200_000_000,
            error: hostile.to_owned(),
        };
        Letters {
            queue,
            groups: vec![group(hostile), group("")],
            rows: Rows {
                items: vec![message(MessageState::Buried, hostile)],
                next_cursor: Some("6162".to_owned()),
            },
            reason: reason.map(str::to_owned),
            is_first: reason.is_none(),
        }
    }

    /// Every state of the pages of queues.
    pub(crate) fn views(reader: &Reader, hostile: &str) -> Vec<View> {
        let none = |queue| Letters {
            queue,
            groups: Vec::new(),
            rows: Rows::whole(Vec::new()),
            reason: None,
            is_first: true,
        };
        let mut gone = none("alerts");
        gone.reason = Some(hostile.to_owned());
        let mut views = vec![
            list_view(reader, &[]),
            list_view(reader, &[status("alerts", 0), status(hostile, 3)]),
            view(reader, &status("alerts", 0), &none("alerts")),
            view(reader, &status("alerts", 3), &gone),
            view(reader, &status(hostile, 3), &shown(hostile, hostile, None)),
            view(reader, &status("returns", 3), &shown("returns", hostile, Some(hostile))),
        ];
        // Nobody else gets to see them.
        if reader.operator {
            views.extend(pause::samples(reader, hostile));
            views.extend(confirm::samples(reader, hostile));
        }
        views
    }
}

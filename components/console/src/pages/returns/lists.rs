//! The collections of the partner's list, and the records of it that were set aside.

use crate::pages::parts::{self, Column, Rows, Table, Tone};
use crate::pages::visit::listed;
use crate::pages::words::Words;
use crate::pages::{Reader, Reply, Section, View, Visit};
use maud::{Markup, html};
use restock_bindings::returns::{self, Collection, Progress, Reject};
use restock_bindings::types;
use restock_edge::Error;

/// `GET /returns/collections`
pub(crate) async fn collections(visit: Visit) -> Result<Reply, Error> {
    let page = visit.page()?;
    let asked = types::Page { limit: page.limit, after: page.after.clone() };
    let rows = listed(returns::collections(asked).await?, &page, |collection| collection.cursor.clone());
    Ok(Reply::Page(collections_view(visit.reader(), &rows, page.after.is_none())))
}

/// `GET /returns/set-aside`
pub(crate) async fn rejects(visit: Visit) -> Result<Reply, Error> {
    let page = visit.page()?;
    let asked = types::Page { limit: page.limit, after: page.after.clone() };
    let rows = listed(returns::rejects(asked).await?, &page, |reject| reject.cursor.clone());
    Ok(Reply::Page(rejects_view(visit.reader(), &rows, page.after.is_none())))
}

fn here(list: &str, cursor: Option<&str>) -> String {
    parts::address(&["returns", list], &[("cursor", cursor.unwrap_or_default())])
}

fn badge(words: &Words, progress: Progress) -> Markup {
    let words = &words.returns.lists;
    match progress {
        Progress::Running => parts::badge(Tone::Busy, words.running),
        Progress::Finished => parts::badge(Tone::Good, words.finished),
        Progress::Failed => parts::badge(Tone::Bad, words.failed),
    }
}

fn collections_view(reader: &Reader, rows: &Rows<Collection>, is_first: bool) -> View {
    let words = reader.words;
    let ours = &words.returns.lists;
    let mut table = Table::new(
        ours.collections,
        [
            Column::text(ours.began),
            Column::text(ours.progress),
            Column::text(ours.took),
            Column::number(ours.listed),
            Column::number(ours.fresh),
            Column::number(ours.set_aside),
            Column::number(ours.delivered),
            Column::number(ours.reported),
            Column::number(ours.failed_count),
        ],
    )
    .headed();
    for collection in &rows.items {
        let took = collection.finished_at.map(|at| at.saturating_sub(collection.began_at));
        table.row(
            &collection.id,
            [
                parts::moment(collection.began_at),
                badge(words, collection.progress),
                took.map_or_else(|| html! { "–" }, |ms| parts::span(words, ms)),
                parts::number(collection.collected),
                parts::number(collection.fresh),
                parts::number(collection.rejected),
                parts::number(collection.delivered),
                parts::number(collection.reported),
                parts::number(collection.failed),
            ],
        );
    }
    let table = table.or(parts::empty(ours.no_collections, html! { (ours.no_collections_next) }));
    let pager = parts::pager(words, rows, is_first, |cursor| here("collections", cursor));
    listing(words, ours.collections, ours.collections_lead, table, pager)
}

fn rejects_view(reader: &Reader, rows: &Rows<Reject>, is_first: bool) -> View {
    let words = reader.words;
    let ours = &words.returns.lists;
    let mut table = Table::new(
        ours.rejects,
        [
            Column::text(ours.why),
            Column::wide(ours.record),
            Column::text(ours.first_at),
            Column::text(ours.last_at),
            Column::number(ours.lists),
        ],
    )
    .headed();
    for reject in &rows.items {
        table.row(
            &reject.cursor,
            [
                parts::code(&reject.reason),
                html! { code dir="auto" { (reject.text) } },
                parts::since(words, reject.first_at, reader.now_ms),
                parts::since(words, reject.last_at, reader.now_ms),
                parts::number(reject.times),
            ],
        );
    }
    let table = table.or(parts::empty(ours.no_rejects, html! { (ours.no_rejects_next) }));
    let pager = parts::pager(words, rows, is_first, |cursor| here("set-aside", cursor));
    let operator =
        reader.operator.then(|| (parts::address(&["returns", "replay"], &[]), words.returns.replay.open));
    let table = html! { (table) @if let Some(way) = operator { (parts::ways(&[way])) } };
    listing(words, ours.rejects, ours.rejects_lead, table, pager)
}

fn listing(words: &Words, title: &str, lead: &str, table: Markup, pager: Markup) -> View {
    let body = html! {
        p { (lead) }
        section class="panel" { (table) (pager) }
        (parts::ways(&[(parts::address(&["returns"], &[]), words.returns.back)]))
    };
    View::new(Section::Returns, title, body).live()
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    let text = || hostile.to_owned();
    let collection = |progress: Progress| Collection {
        id: text(),
        progress,
        began_at: reader.now_ms - 61_000,
        finished_at: (progress == Progress::Finished).then_some(reader.now_ms),
        collected: 30_000,
        fresh: 120,
        rejected: 2,
        delivered: 95,
        reported: 94,
        failed: 3,
        cursor: text(),
    };
    let reject = Reject {
        reason: text(),
        text: text(),
        first_at: reader.now_ms - 61_000,
        last_at: reader.now_ms,
        times: 4,
        cursor: text(),
    };
    let all = [Progress::Running, Progress::Finished, Progress::Failed].map(collection).to_vec();
    vec![
        collections_view(reader, &Rows { items: all, next_cursor: Some(text()) }, false),
        collections_view(reader, &Rows { items: Vec::new(), next_cursor: None }, true),
        rejects_view(reader, &Rows { items: vec![reject], next_cursor: Some(text()) }, false),
        rejects_view(reader, &Rows { items: Vec::new(), next_cursor: None }, true),
    ]
}

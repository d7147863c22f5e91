//! One product: its levels, how long it lasts, how its stock went, what was asked for and why, and its ledger.

use super::{advertisement, available};
use crate::pages::overview::lasts;
use crate::pages::parts::{self, Column, Rows, Table, Tone, badge};
use crate::pages::visit::listed;
use crate::pages::words::Words;
use crate::pages::{Reader, Reply, Section, View, Visit, chart};
use maud::{Markup, html};
use restock_bindings::catalog::Policy;
use restock_bindings::insight::{self, Cover, Level};
use restock_bindings::production::{self, Request};
use restock_bindings::stock::{self, Movement, MovementKind};
use restock_bindings::types;
use restock_domain::name;
use restock_edge::Error;

/// Samples of the ledger that the chart is drawn from.
const SAMPLES: u32 = 400;
/// Movements on the product's page; the whole ledger has a page of its own.
const MOVEMENTS: u32 = 12;
/// Production requests on the product's page.
const REQUESTS: u32 = 5;
/// Rows of the chart's table.
const TABLE_ROWS: usize = 30;
/// An hour, ms.
const HOUR_MS: u64 = 60 * 60 * 1_000;

/// How far back the chart goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Span {
    Hour,
    Day,
    Week,
}

impl Span {
    const WORDS: [(&'static str, Self); 3] = [("hour", Self::Hour), ("day", Self::Day), ("week", Self::Week)];

    fn ms(self) -> u64 {
        match self {
            Self::Hour => HOUR_MS,
            Self::Day => 24 * HOUR_MS,
            Self::Week => 7 * 24 * HOUR_MS,
        }
    }

    fn name(self, words: &Words) -> &'static str {
        match self {
            Self::Hour => words.products.hour,
            Self::Day => words.products.day,
            Self::Week => words.products.week,
        }
    }
}

/// Everything the page shows.
struct One {
    cover: Cover,
    span: Span,
    levels: Vec<Level>,
    requests: Vec<Request>,
    movements: Vec<Movement>,
}

fn unknown() -> Error {
    Error::NotFound("there is no such product")
}

fn sku(visit: &Visit) -> Result<String, Error> {
    if name::is_identifier(visit.value()) { Ok(visit.value().to_owned()) } else { Err(unknown()) }
}

/// `GET /products/{sku}`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Error> {
    let sku = sku(&visit)?;
    let now_ms = visit.now_ms();
    let span = visit.query().choice("span", &Span::WORDS)?.unwrap_or(Span::Day);
    let cover = insight::cover_of(sku.clone(), now_ms).await?.ok_or_else(unknown)?;
    let since = now_ms.saturating_sub(span.ms());
    let first = |limit| types::Page { limit, after: None };
    let one = One {
        cover,
        span,
        levels: insight::stock_history(sku.clone(), since, SAMPLES).await?.ok_or_else(unknown)?,
        requests: production::list(production::Filter::ByProduct(sku.clone()), first(REQUESTS)).await?,
        movements: stock::movements(sku, first(MOVEMENTS)).await?.ok_or_else(unknown)?,
    };
    Ok(Reply::Page(view(visit.reader(), &one)))
}

/// `GET /products/{sku}/ledger`
pub(crate) async fn ledger(visit: Visit) -> Result<Reply, Error> {
    let sku = sku(&visit)?;
    let mut page = visit.page()?;
    // A cursor that is no number comes from no ledger: its list begins anew.
    page.after = page.after.filter(|after| after.parse::<u64>().is_ok());
    let first = page.after.is_none();
    let rows = stock::movements(sku.clone(), types::Page { limit: page.limit, after: page.after.clone() })
        .await?
        .ok_or_else(unknown)?;
    let rows = listed(rows, &page, |movement| movement.id.to_string());
    Ok(Reply::Page(ledger_view(visit.reader(), &sku, first, &rows)))
}

fn view(reader: &Reader, one: &One) -> View {
    let words = reader.words;
    let said = &words.products;
    let product = &one.cover.product;
    let requests = parts::address(&["production"], &[("sku", &product.sku)]);
    let ledger = parts::address(&["products", &product.sku, "ledger"], &[]);
    let body = html! {
        p { (parts::named(&product.name)) }
        (tiles(reader, &one.cover))
        section class="panel" data-key="chart" aria-labelledby="chart" {
            header { h2 id="chart" { (said.stock_over_time) } (spans(words, &product.sku, one.span)) }
            (history(reader, one))
        }
        section class="panel" data-key="levels" aria-labelledby="levels" {
            header { h2 id="levels" { (said.levels) } }
            (facts(reader, &one.cover))
        }
        section class="panel" data-key="requests" aria-labelledby="requests" {
            header { h2 id="requests" { (said.requests) } a href=(requests) { (said.all_requests) } }
            (requests_of(reader, &one.requests))
        }
        section class="panel" data-key="ledger" aria-labelledby="ledger" {
            header { h2 id="ledger" { (said.ledger) } a href=(ledger) { (said.whole_ledger) } }
            (movements(reader, &one.movements))
        }
    };
    View::new(Section::Products, product.sku.as_str(), body).live()
}

fn tiles(reader: &Reader, cover: &Cover) -> Markup {
    let words = reader.words;
    let said = &words.products;
    let product = &cover.product;
    let tile = |class: &str, value: Markup, name: &str| {
        html! { li class={ "tile " (class) } { strong { (value) } span { (name) } } }
    };
    let gone = product.depleted_since.map(|_| "bad").unwrap_or_default();
    html! {
        // In one sentence for those who hear it.
        p class="unseen" data-announce {
            @if product.depleted_since.is_some() { (product.sku) ": " (said.sold_out) }
            @else { (product.sku) ": " (said.available) }
        }
        ul class="tiles" {
            (tile(gone, parts::number(available(product)), said.available))
            (tile("", parts::number(product.on_hand), said.on_hand))
            (tile("", parts::number(product.on_order), said.on_order))
            (tile("", parts::number(product.backordered), said.backordered))
            (tile(gone, lasts(reader, cover), said.lasts))
        }
    }
}

fn facts(reader: &Reader, cover: &Cover) -> Markup {
    let words = reader.words;
    let said = &words.products;
    let product = &cover.product;
    let position = product.on_hand.saturating_add(product.on_order).saturating_sub(product.backordered);
    let policy = match product.policy {
        Policy::Manual => said.manual,
        Policy::Auto => said.auto,
    };
    let mut pairs = vec![
        (said.position, parts::number(position)),
        (said.reorder_point, parts::number(product.reorder_point)),
        (said.order_up_to, parts::number(product.order_up_to)),
        (said.policy, html! { (policy) }),
        (said.sold_last_hour, parts::decimal(cover.pace.last_hour)),
        (said.sold_last_day, parts::decimal(cover.pace.last_day)),
        (said.units_per_day, parts::decimal(cover.pace.units_per_day)),
        (said.price, parts::money(&product.price)),
        (said.factory, parts::named(&product.factory_id)),
        (said.advertisement, advertisement(words, product.ad.status)),
    ];
    if let Some(manager) = &product.ad.manager_email {
        pairs.push((said.ad_manager, parts::named(manager)));
    }
    parts::facts(&pairs)
}

fn spans(words: &Words, sku: &str, chosen: Span) -> Markup {
    html! {
        nav aria-label=(words.products.span) {
            ul class="tabs" {
                @for (word, span) in Span::WORDS {
                    li {
                        a href=(parts::address(&["products", sku], &[("span", word)]))
                            aria-current=[(span == chosen).then_some("true")] { (span.name(words)) }
                    }
                }
            }
        }
    }
}

fn history(reader: &Reader, one: &One) -> Markup {
    let said = &reader.words.products;
    let product = &one.cover.product;
    let on_hand = || one.levels.iter().map(|level| level.on_hand);
    let (low, high) = (on_hand().min().unwrap_or_default(), on_hand().max().unwrap_or_default());
    let since = reader.now_ms.saturating_sub(one.span.ms());
    let mut table =
        Table::new(said.stock_over_time, [Column::text(said.time), Column::number(said.on_hand)]).headed();
    // Every so many, the latest one among them.
    let step = one.levels.len().div_ceil(TABLE_ROWS).max(1);
    for level in one.levels.iter().rev().step_by(step) {
        table.row(&level.at.to_string(), [parts::moment(level.at), parts::number(level.on_hand)]);
    }
    html! {
        figure {
            figcaption {
                ((said.chart_says)(parts::number(product.reorder_point), parts::number(low), parts::number(high)))
                // Between samples the level may have been anywhere.
                @if u32::try_from(one.levels.len()).unwrap_or(u32::MAX) > SAMPLES { " " (said.chart_samples) }
            }
            (chart::stock(&one.levels, product.reorder_point, since, reader.now_ms))
            details data-key="table" { summary { (reader.words.shared.as_table) } (table.markup()) }
        }
    }
}

fn requests_of(reader: &Reader, requests: &[Request]) -> Markup {
    let words = reader.words;
    let said = &words.products;
    let mut table = Table::new(
        said.requests,
        [
            Column::text(said.request),
            Column::number(said.quantity),
            Column::text(said.state),
            Column::text(said.planned),
            Column::wide(words.requests.why),
        ],
    )
    .headed();
    for (index, request) in requests.iter().enumerate() {
        let when = match (request.received_at, request.due_at) {
            (None, Some(due)) => html! { " " small { (parts::due(words, due, reader.now_ms)) } },
            _ => html! {},
        };
        table.row(
            &request.id,
            [
                html! { a href=(parts::address(&["production", &request.id], &[])) { (parts::short_id(&request.id)) } },
                parts::number(request.quantity),
                html! { (parts::production_badge(words, request.status)) (when) },
                parts::since(words, request.planned_at, reader.now_ms),
                html! {
                    details data-key="why" open[index == 0] {
                        summary { (words.requests.why) }
                        (parts::why(words, request))
                    }
                },
            ],
        );
    }
    table.or(parts::empty(said.no_requests, html! { (said.no_requests_next) }))
}

fn movements(reader: &Reader, movements: &[Movement]) -> Markup {
    let said = &reader.words.products;
    let mut table = Table::new(
        said.ledger,
        [
            Column::text(said.time),
            Column::text(said.movement),
            Column::number(said.change),
            Column::number(said.after),
            Column::wide(said.because),
        ],
    )
    .headed();
    for movement in movements {
        let sign = if movement.delta > 0 { "+" } else { "" };
        table.row(
            &movement.id.to_string(),
            [
                parts::moment(movement.at),
                kind(reader.words, movement.kind),
                html! { (sign) (parts::number(movement.delta)) },
                parts::number(movement.on_hand_after),
                because(reader.words, movement),
            ],
        );
    }
    table.or(parts::empty(said.empty_ledger, html! { (said.empty_ledger_next) }))
}

fn kind(words: &Words, kind: MovementKind) -> Markup {
    let said = &words.products;
    match kind {
        MovementKind::Opening => badge(Tone::Plain, said.opening),
        MovementKind::Sold => badge(Tone::Busy, said.sold),
        MovementKind::Received => badge(Tone::Good, said.received),
        MovementKind::Returned => badge(Tone::Good, said.returned),
        MovementKind::Adjusted => badge(Tone::Warn, said.adjusted),
    }
}

fn because(words: &Words, movement: &Movement) -> Markup {
    let said = &words.products;
    let link = |page: &str, name: &str, id: &str| {
        html! { (name) " " a href=(parts::address(&[page, id], &[])) { (parts::short_id(id)) } " " }
    };
    html! {
        @if let Some(id) = &movement.order_id { (link("orders", said.order, id)) }
        @if let Some(id) = &movement.production_id { (link("production", said.production, id)) }
        @if let Some(id) = &movement.return_id { (link("returns", said.return_of, id)) }
        @if let Some(reason) = &movement.reason { (parts::named(reason)) }
    }
}

fn ledger_view(reader: &Reader, sku: &str, first: bool, rows: &Rows<Movement>) -> View {
    let words = reader.words;
    let said = &words.products;
    let here = |cursor: Option<&str>| {
        parts::address(&["products", sku, "ledger"], &[("cursor", cursor.unwrap_or_default())])
    };
    let body = html! {
        p { (said.ledger_lead) " " a href=(parts::address(&["products", sku], &[])) { (said.back) } }
        section class="panel" data-key="list" {
            (movements(reader, &rows.items))
            (parts::pager(words, rows, first, here))
        }
    };
    let view = View::new(Section::Products, (said.ledger_of)(sku), body);
    if first { view.live() } else { view }
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    use super::sample;

    let now = reader.now_ms;
    let kinds = [
        MovementKind::Opening,
        MovementKind::Sold,
        MovementKind::Received,
        MovementKind::Returned,
        MovementKind::Adjusted,
    ];
    let movement = |kind| Movement {
        id: kind as u64 + 1,
        kind,
        delta: 3,
        on_hand_after: 7,
        order_id: Some(hostile.to_owned()),
        production_id: Some(hostile.to_owned()),
        return_id: Some(hostile.to_owned()),
        reason: Some(hostile.to_owned()),
        at: now,
    };
    let empty = One {
        cover: sample::cover("a", now, None),
        span: Span::Week,
        levels: Vec::new(),
        requests: Vec::new(),
        movements: Vec::new(),
    };
    let full = One {
        cover: sample::cover(hostile, now, Some(0.2)),
        span: Span::Hour,
        levels: (0..100)
            .map(|n| Level { at: now - 1_000 * (100 - n), on_hand: i64::try_from(n % 13).unwrap() })
            .collect(),
        requests: sample::requests(hostile, now),
        movements: kinds.map(movement).into(),
    };
    let rows = Rows { items: full.movements.clone(), next_cursor: Some(hostile.to_owned()) };
    vec![view(reader, &empty), view(reader, &full), ledger_view(reader, hostile, false, &rows)]
}

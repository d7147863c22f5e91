//! The shop at a glance: what sells, what runs out next, what comes, and what is wrong.
//!
//! Reads: the last hour's orders, the products at risk, open production, queues, partners, incidents and the totals; none of it is counted
//! when it is asked for. People who watch at the same time share one look.

use super::cache::Shared;
use super::chart;
use super::incidents;
use super::parts::{self, Column, Table, Tone, badge};
use super::words::Words;
use super::{Reader, Reply, Section, View, Visit};
use maud::{Markup, html};
use restock_bindings::insight::{self, Cover, Minute, ShopTotals};
use restock_bindings::{alerts, partners, production, queue, types};
use restock_edge::Error;

/// Minutes that the chart shows.
const MINUTES: u64 = 60;
/// A minute, ms.
const MINUTE_MS: u64 = 60_000;
/// What a row of the chart's table sums up, ms.
const TABLE_STEP_MS: u64 = 5 * MINUTE_MS;
/// A day, ms.
const DAY_MS: f64 = 86_400_000.0;
/// Products at risk that are shown.
const AT_RISK_MAX: u32 = 10;
/// Open production requests that are shown.
const PRODUCTION_MAX: u32 = 10;
/// Incidents that are shown.
const INCIDENTS_MAX: u32 = 5;
/// When a tick is so late that somebody must know, ms.
const TICK_LATE_MS: u64 = 5 * MINUTE_MS;

/// Everything the page shows, read at one moment.
struct Snapshot {
    minutes: Vec<Minute>,
    at_risk: Vec<Cover>,
    totals: ShopTotals,
    production: Vec<production::Request>,
    queues: Vec<queue::Status>,
    partners: Vec<partners::State>,
    incidents: Vec<alerts::Incident>,
}

static SNAPSHOT: Shared<Snapshot> = Shared::new();

/// `GET /`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Error> {
    let now_ms = visit.now_ms();
    let snapshot = SNAPSHOT.get(async || read(now_ms).await).await?;
    Ok(Reply::Page(view(visit.reader(), &snapshot)))
}

async fn read(now_ms: u64) -> Result<Snapshot, Error> {
    let since = now_ms.saturating_sub((MINUTES - 1) * MINUTE_MS) / MINUTE_MS * MINUTE_MS;
    let first = types::Page { limit: INCIDENTS_MAX, after: None };
    Ok(Snapshot {
        minutes: insight::orders_by_minute(since).await?,
        at_risk: insight::at_risk(AT_RISK_MAX, now_ms).await?,
        totals: insight::totals().await?,
        production: production::open(PRODUCTION_MAX).await?,
        queues: queue::list(now_ms).await?,
        partners: partners::list(now_ms).await?,
        incidents: alerts::list(true, first).await?,
    })
}

fn view(reader: &Reader, snapshot: &Snapshot) -> View {
    let words = reader.words;
    let said = &words.overview;
    let totals = &snapshot.totals;
    let state = (said.state)(totals.stock.depleted, totals.stock.low, totals.incidents_open);
    let body = html! {
        p data-announce { (state) }
        (tiles(reader, snapshot))
        section class="panel" data-key="orders" aria-labelledby="orders" {
            header { h2 id="orders" { (said.orders) } (legend(words)) }
            (orders(reader, &snapshot.minutes))
        }
        div class="pair" data-key="goods" {
            section class="panel" data-key="at-risk" aria-labelledby="at-risk" {
                header { h2 id="at-risk" { (said.at_risk) } a href="/products" { (said.all_products) } }
                p class="aside" { (said.at_risk_hint) }
                (at_risk(reader, &snapshot.at_risk))
            }
            section class="panel" data-key="production" aria-labelledby="production" {
                header { h2 id="production" { (said.production) } a href="/production" { (said.all_production) } }
                (open_production(reader, &snapshot.production))
            }
        }
        div class="pair" data-key="work" {
            section class="panel" data-key="queues" aria-labelledby="queues" {
                header { h2 id="queues" { (said.queues) } a href="/queues" { (said.all_queues) } }
                (queues(words, &snapshot.queues))
            }
            section class="panel" data-key="partners" aria-labelledby="partners" {
                header { h2 id="partners" { (said.partners) } a href="/partners" { (words.partners.caption) } }
                (gates(reader, &snapshot.partners))
            }
        }
        section class="panel" data-key="incidents" aria-labelledby="incidents" {
            header { h2 id="incidents" { (said.incidents) } a href="/incidents" { (said.all_incidents) } }
            (incidents::table(reader, &snapshot.incidents, true))
        }
    };
    View::new(Section::Overview, said.title, body).live()
}

fn tiles(reader: &Reader, snapshot: &Snapshot) -> Markup {
    let words = reader.words;
    let said = &words.overview;
    let totals = &snapshot.totals;
    let this_minute = reader.now_ms / MINUTE_MS;
    let total = |minute: &Minute| minute.accepted + minute.backordered + minute.rejected;
    let last_hour: u64 = snapshot.minutes.iter().map(total).sum();
    let whole = snapshot.minutes.iter().filter(|minute| minute.begins_at / MINUTE_MS + 1 == this_minute);
    let last_minute: u64 = whole.map(total).sum();
    let dead: u64 = snapshot.queues.iter().map(|queue| queue.buried).sum();
    let late = totals.ticked_at.is_none_or(|at| at + TICK_LATE_MS < reader.now_ms);
    let wrong = |count: u64, class: &'static str| if count > 0 { class } else { "" };
    let tile = |class: &str, value: Markup, name: Markup| {
        html! { li class={ "tile " (class) } { strong { (value) } span { (name) } } }
    };
    let link = |path: &str, text: &str| html! { a href=(path) { (text) } };
    html! {
        ul class="tiles" {
            (tile("", parts::number(last_minute), html! { (said.orders_last_minute) }))
            (tile("", parts::number(last_hour), html! { (said.orders_last_hour) }))
            (tile(wrong(totals.stock.depleted, "bad"), parts::number(totals.stock.depleted), html! { (said.sold_out) }))
            (tile(wrong(totals.stock.low, "warn"), parts::number(totals.stock.low), html! { (said.low) }))
            (tile("", parts::number(totals.orders.waiting), link("/orders?show=waiting", said.waiting_orders)))
            (tile(wrong(dead, "warn"), parts::number(dead), link("/queues", said.dead_letters)))
            (tile(wrong(totals.incidents_open, "bad"), parts::number(totals.incidents_open), link("/incidents", said.open_incidents)))
            (tile(
                if late { "warn" } else { "" },
                match totals.ticked_at {
                    Some(at) => parts::since(words, at, reader.now_ms),
                    None => html! { (said.never) },
                },
                html! { (said.last_tick) @if late { " — " (said.tick_late) } },
            ))
        }
    }
}

/// What the kinds of bars are called.
fn kinds(words: &Words) -> [&'static str; 3] {
    let said = &words.overview;
    [said.accepted, said.backordered, said.rejected]
}

fn legend(words: &Words) -> Markup {
    html! {
        ul class="legend" {
            @for (class, name) in chart::KINDS.into_iter().zip(kinds(words)) { li { (chart::swatch(class)) (name) } }
        }
    }
}

fn orders(reader: &Reader, minutes: &[Minute]) -> Markup {
    let said = &reader.words.overview;
    let total: u64 =
        minutes.iter().map(|minute| minute.accepted + minute.backordered + minute.rejected).sum();
    if total == 0 {
        return parts::empty(said.no_orders, html! { (said.no_orders_next) });
    }
    let ago =
        |minutes: u64| if minutes == 0 { said.this_minute.to_owned() } else { (said.minutes_ago)(minutes) };
    let mut table = Table::new(
        said.orders,
        [
            Column::text(said.minute),
            Column::number(said.accepted),
            Column::number(said.backordered),
            Column::number(said.rejected),
        ],
    )
    .headed();
    for minute in summed(minutes).iter().rev() {
        let cells = [
            parts::moment(minute.begins_at),
            parts::number(minute.accepted),
            parts::number(minute.backordered),
            parts::number(minute.rejected),
        ];
        table.row(&minute.begins_at.to_string(), cells);
    }
    html! {
        figure {
            figcaption { ((said.orders_caption)(total, parts::number(total))) }
            (chart::orders(minutes, reader.now_ms, MINUTES, kinds(reader.words), ago))
            details data-key="table" { summary { (reader.words.shared.as_table) } (table.markup()) }
        }
    }
}

/// Minutes put together: a table is read, and nobody reads sixty rows.
fn summed(minutes: &[Minute]) -> Vec<Minute> {
    let mut sums: Vec<Minute> = Vec::new();
    for minute in minutes {
        let begins_at = minute.begins_at / TABLE_STEP_MS * TABLE_STEP_MS;
        match sums.last_mut() {
            Some(sum) if sum.begins_at == begins_at => {
                sum.accepted += minute.accepted;
                sum.backordered += minute.backordered;
                sum.rejected += minute.rejected;
            }
            _ => sums.push(Minute { begins_at, ..*minute }),
        }
    }
    sums
}

fn at_risk(reader: &Reader, covers: &[Cover]) -> Markup {
    let words = reader.words;
    let said = &words.overview;
    let mut table = Table::new(
        said.at_risk,
        [
            Column::text(said.product),
            Column::number(said.available),
            Column::number(said.lasts),
            Column::number(said.sells),
            Column::number(said.on_order),
        ],
    )
    .headed();
    for cover in covers {
        let product = &cover.product;
        let available = product.on_hand.saturating_sub(product.backordered).max(0);
        table.row(
            &product.sku,
            [
                html! {
                    a href=(parts::address(&["products", &product.sku], &[])) { (product.sku) }
                    " " (parts::named(&product.name))
                    (chart::shelf(product.on_hand, product.reorder_point, product.order_up_to))
                },
                parts::number(available),
                lasts(reader, cover),
                parts::decimal(cover.pace.units_per_day),
                parts::number(product.on_order),
            ],
        );
    }
    table.or(parts::empty(said.nothing_at_risk, html! { (said.nothing_at_risk_next) }))
}

/// How long a product lasts, in words.
pub(super) fn lasts(reader: &Reader, cover: &Cover) -> Markup {
    let words = reader.words;
    match (cover.product.depleted_since, cover.days) {
        (Some(since), _) => html! {
            (badge(Tone::Bad, words.products.sold_out))
            br; small { (parts::since(words, since, reader.now_ms)) }
        },
        (None, Some(days)) => parts::span(words, (days.clamp(0.0, 100_000.0) * DAY_MS) as u64),
        (None, None) => html! { (words.products.does_not_sell) },
    }
}

fn open_production(reader: &Reader, requests: &[production::Request]) -> Markup {
    let words = reader.words;
    let said = &words.overview;
    let mut table = Table::new(
        said.production,
        [
            Column::text(said.product),
            Column::number(said.quantity),
            Column::text(said.state_of),
            Column::number(said.due),
        ],
    )
    .headed();
    for request in requests {
        table.row(
            &request.id,
            [
                html! { a href=(parts::address(&["production", &request.id], &[])) { (request.sku) } },
                parts::number(request.quantity),
                parts::production_badge(words, request.status),
                match request.due_at {
                    Some(due) => parts::due(words, due, reader.now_ms),
                    None => html! { small { (said.not_asked_yet) } },
                },
            ],
        );
    }
    table.or(parts::empty(said.no_production, html! { (said.no_production_next) }))
}

fn queues(words: &Words, queues: &[queue::Status]) -> Markup {
    let said = &words.overview;
    let mut table = Table::new(
        said.queues,
        [
            Column::text(said.queue),
            Column::number(said.waiting),
            Column::number(said.oldest),
            Column::number(said.in_work),
            Column::number(said.done_per_minute),
            Column::number(said.dead),
        ],
    )
    .headed();
    for queue in queues {
        let address = parts::address(&["queues", &queue.queue], &[]);
        table.row(
            &queue.queue,
            [
                html! {
                    a href=(address) { (queue.queue) }
                    @if queue.paused { " " (badge(Tone::Warn, said.paused)) }
                },
                parts::number(queue.due),
                match queue.due {
                    0 => html! { "–" },
                    _ => parts::span(words, queue.oldest_due_seconds.saturating_mul(1_000)),
                },
                parts::number(queue.leased),
                parts::decimal(queue.done_last_minute),
                match queue.buried {
                    0 => parts::number(0),
                    buried => html! { strong class="late" { (parts::number(buried)) } },
                },
            ],
        );
    }
    table.markup()
}

fn gates(reader: &Reader, states: &[partners::State]) -> Markup {
    let words = reader.words;
    let said = &words.overview;
    let mut table = Table::new(
        said.partners,
        [
            Column::text(said.partner),
            Column::text(said.gate),
            Column::number(said.calls_now),
            Column::number(said.calls),
            Column::number(said.failed_calls),
        ],
    )
    .headed();
    for state in states {
        let gate = match state.circuit {
            partners::Circuit::Closed => badge(Tone::Good, said.gate_closed),
            partners::Circuit::HalfOpen => badge(Tone::Busy, said.gate_half_open),
            partners::Circuit::Open => html! {
                (badge(Tone::Bad, said.gate_open))
                @if let Some(at) = state.probe_at {
                    " " small { (said.next_probe) " " (parts::due(words, at.max(reader.now_ms), reader.now_ms)) }
                }
            },
        };
        table.row(
            &state.partner,
            [
                html! { (state.partner) },
                gate,
                parts::number(state.in_flight),
                parts::number(state.calls_total),
                parts::number(state.failures_total),
            ],
        );
    }
    table.or(parts::empty(said.no_partners, html! { (said.no_partners_next) }))
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    use super::products::sample;

    let now = reader.now_ms;
    let minute =
        |ago: u64| Minute { begins_at: now - ago * MINUTE_MS, accepted: 40, backordered: 2, rejected: 1 };
    let nothing = Snapshot {
        minutes: Vec::new(),
        at_risk: Vec::new(),
        totals: sample::totals(0, None),
        production: Vec::new(),
        queues: Vec::new(),
        partners: Vec::new(),
        incidents: Vec::new(),
    };
    let state = |circuit| partners::State {
        partner: hostile.to_owned(),
        circuit,
        failures: 10,
        failures_max: 10,
        opened_at: Some(now - 1),
        probe_at: Some(now + 5_000),
        next_slot_at: now,
        in_flight: 1,
        calls_total: 1_000_000,
        failures_total: 12,
    };
    let busy = Snapshot {
        minutes: vec![minute(3), minute(2), minute(0)],
        at_risk: vec![
            sample::cover(hostile, now, Some(0.0)),
            sample::cover("b", now, Some(1.5)),
            sample::cover("c", now, None),
        ],
        totals: sample::totals(2, Some(now - 1)),
        production: sample::requests(hostile, now),
        queues: vec![sample::queue(hostile)],
        partners: [partners::Circuit::Open, partners::Circuit::HalfOpen, partners::Circuit::Closed]
            .map(state)
            .into(),
        incidents: incidents::sample(hostile, now),
    };
    vec![view(reader, &nothing), view(reader, &busy)]
}

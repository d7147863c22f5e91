//! Production requests: what was asked of factories, why, and what came.

use super::parts::{self, Column, Rows, Tab, Table};
use super::visit::listed;
use super::words::Words;
use super::{Reader, Reply, Section, View, Visit};
use crate::production::meant;
use http::StatusCode;
use maud::{Markup, html};
use restock_api::production::ProductionStatus;
use restock_bindings::production::{self, Filter, Request, Status};
use restock_bindings::types;
use restock_domain::name;
use restock_domain::queues::REPLENISHMENT;
use restock_edge::Error;

/// Which requests are listed.
#[derive(Clone, Debug)]
enum Wanted {
    All,
    ByStatus(Status),
    /// By SKU.
    ByProduct(String),
    /// By something that is no SKU.
    Nonsense(String),
}

/// `GET /production`
pub(crate) async fn list(visit: Visit) -> Result<Reply, Error> {
    let wanted = wanted(&visit)?;
    let page = visit.page()?;
    let filter = match &wanted {
        Wanted::All => Filter::All,
        Wanted::ByStatus(status) => Filter::ByStatus(*status),
        Wanted::ByProduct(sku) => Filter::ByProduct(sku.clone()),
        Wanted::Nonsense(_) => return Ok(Reply::Page(nonsense_view(visit.reader(), &wanted))),
    };
    let is_first = page.after.is_none();
    let requests =
        production::list(filter, types::Page { limit: page.limit, after: page.after.clone() }).await?;
    let rows = listed(requests, &page, |request| request.id.clone());
    Ok(Reply::Page(list_view(visit.reader(), &wanted, &rows, is_first)))
}

fn wanted(visit: &Visit) -> Result<Wanted, Error> {
    if let Some(sku) = visit.query().get("sku").map(str::trim).filter(|sku| !sku.is_empty()) {
        let is_sku = name::is_identifier(sku);
        return Ok(if is_sku { Wanted::ByProduct(sku.to_owned()) } else { Wanted::Nonsense(sku.to_owned()) });
    }
    let status = visit.query().choice("status", &ProductionStatus::WORDS)?;
    Ok(status.map_or(Wanted::All, |status| Wanted::ByStatus(meant(status))))
}

/// `GET /production/{id}`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Error> {
    let id = visit.value();
    let request = if name::is_identifier(id) { production::get(id.to_owned()).await? } else { None };
    Ok(Reply::Page(match request {
        Some(request) => one_view(visit.reader(), &request),
        None => absent_view(visit.reader(), id),
    }))
}

fn absent_view(reader: &Reader, id: &str) -> View {
    let words = &reader.words.production;
    let ways = [(parts::address(&["production"], &[]), words.back)];
    parts::absent(Section::Production, words.request, (words.unknown)(parts::named(id)), &ways)
}

fn nonsense_view(reader: &Reader, wanted: &Wanted) -> View {
    let words = reader.words;
    let body = html! {
        (finding(words, wanted))
        (parts::wrong(words.production.bad_sku))
    };
    View::new(Section::Production, title(words), body).status(StatusCode::UNPROCESSABLE_ENTITY)
}

fn title(words: &Words) -> &'static str {
    words.frame.section(Section::Production)
}

/// The states, and the search.
fn finding(words: &Words, wanted: &Wanted) -> Markup {
    let all = Tab {
        address: parts::address(&["production"], &[]),
        text: words.production.all,
        current: matches!(wanted, Wanted::All),
    };
    let of_status = |(word, status): (&str, ProductionStatus)| {
        let status = meant(status);
        Tab {
            address: parts::address(&["production"], &[("status", word)]),
            text: state(words, status),
            current: matches!(wanted, Wanted::ByStatus(current) if *current == status),
        }
    };
    let tabs: Vec<_> =
        std::iter::once(all).chain(ProductionStatus::WORDS.into_iter().map(of_status)).collect();
    let sku = match wanted {
        Wanted::ByProduct(sku) | Wanted::Nonsense(sku) => sku,
        _ => "",
    };
    html! {
        (parts::tabs(words.production.by_state, &tabs))
        (parts::search(words, "/production", "find-sku", "sku", words.production.find_sku, sku))
    }
}

fn state(words: &Words, status: Status) -> &'static str {
    let words = &words.requests;
    match status {
        Status::Planned => words.planned,
        Status::Requested => words.requested,
        Status::Overdue => words.overdue,
        Status::Received => words.received,
        Status::Failed => words.failed,
        Status::Cancelled => words.cancelled,
    }
}

fn list_view(reader: &Reader, wanted: &Wanted, rows: &Rows<Request>, is_first: bool) -> View {
    let words = reader.words;
    let ours = &words.production;
    let mut table = Table::new(
        ours.caption,
        [
            Column::text(ours.request),
            Column::text(ours.product),
            Column::text(ours.state),
            Column::number(ours.quantity),
            Column::text(ours.came),
            Column::text(ours.due),
            Column::text(ours.planned),
        ],
    );
    for request in &rows.items {
        table.row(
            &request.id,
            [
                html! { a href=(parts::address(&["production", &request.id], &[])) { (parts::short_id(&request.id)) } },
                product_link(&request.sku),
                parts::production_badge(words, request.status),
                parts::number(request.quantity),
                came(reader, request).unwrap_or_else(|| html! { "–" }),
                due(reader, request).unwrap_or_else(|| html! { "–" }),
                parts::since(words, request.planned_at, reader.now_ms),
            ],
        );
    }
    let body = html! {
        p { (ours.lead) }
        (finding(words, wanted))
        section class="panel" {
            (table.or(empty(words, wanted)))
            (parts::pager(words, rows, is_first, |cursor| here(wanted, cursor)))
        }
    };
    View::new(Section::Production, title(words), body).live()
}

fn here(wanted: &Wanted, cursor: Option<&str>) -> String {
    let cursor = ("cursor", cursor.unwrap_or_default());
    let parameters = match wanted {
        Wanted::All | Wanted::Nonsense(_) => [("", ""), cursor],
        Wanted::ByStatus(status) => {
            let word = ProductionStatus::WORDS
                .into_iter()
                .find(|(_, known)| meant(*known) == *status)
                .map_or("", |(word, _)| word);
            [("status", word), cursor]
        }
        Wanted::ByProduct(sku) => [("sku", sku.as_str()), cursor],
    };
    parts::address(&["production"], &parameters)
}

fn empty(words: &Words, wanted: &Wanted) -> Markup {
    let ours = &words.production;
    let (says, next) = match wanted {
        Wanted::All | Wanted::Nonsense(_) => (
            html! { (ours.nothing) },
            html! { (ours.nothing_next) " " a href="/products" { (ours.to_products) } },
        ),
        Wanted::ByStatus(_) => {
            (html! { (ours.nothing_such) }, html! { a href="/production" { (words.shared.show_all) } })
        }
        Wanted::ByProduct(sku) => (
            (ours.nothing_of)(product_link(sku)),
            html! {
                (ours.nothing_next) " " a href="/production" { (words.shared.show_all) }
            },
        ),
    };
    html! { div class="empty" { p { strong { (says) } } p { (next) } } }
}

fn product_link(sku: &str) -> Markup {
    html! { a href=(parts::address(&["products", sku], &[])) { (parts::code(sku)) } }
}

/// What came, and when; nothing before it did.
fn came(reader: &Reader, request: &Request) -> Option<Markup> {
    let when = parts::since(reader.words, request.received_at?, reader.now_ms);
    let units = parts::units(reader.words, request.received_quantity.unwrap_or_default());
    Some((reader.words.production.came_so)(units, when))
}

/// When the goods are due; nothing where none are awaited.
fn due(reader: &Reader, request: &Request) -> Option<Markup> {
    let is_awaited = matches!(request.status, Status::Requested | Status::Overdue);
    let at = request.due_at.filter(|_| is_awaited)?;
    Some(parts::due(reader.words, at, reader.now_ms))
}

fn one_view(reader: &Reader, request: &Request) -> View {
    let words = reader.words;
    let ours = &words.production;
    let moment = |at: u64| html! { (parts::moment(at)) " (" (parts::since(words, at, reader.now_ms)) ")" };
    let mut facts = vec![
        (ours.request, parts::code(&request.id)),
        (ours.product, product_link(&request.sku)),
        (ours.factory, parts::code(&request.factory_id)),
        (ours.quantity, parts::units(words, request.quantity)),
        (ours.calls, parts::number(request.attempts)),
        (ours.planned, moment(request.planned_at)),
    ];
    facts.extend(request.requested_at.map(|at| (ours.requested_at, moment(at))));
    facts.extend(
        request.due_at.map(|at| (ours.due, due(reader, request).unwrap_or_else(|| parts::moment(at)))),
    );
    facts.extend(request.received_at.map(|at| (ours.received_at, moment(at))));
    facts.extend(request.received_quantity.map(|units| (ours.came, parts::units(words, units))));
    facts.extend(request.factory_job_id.as_deref().map(|job| (ours.job, parts::code(job))));
    facts.extend(request.follows.as_deref().map(|id| {
        (ours.follows, html! { a href=(parts::address(&["production", id], &[])) { (parts::short_id(id)) } })
    }));
    facts.extend(parts::trace(request.traceparent.as_deref()).map(|trace| (ours.trace, trace)));
    let less_came = request.received_quantity.is_some_and(|came| came < request.quantity);
    let mut ways = vec![
        (parts::address(&["production"], &[("sku", &request.sku)]), ours.of_this_product),
        (parts::address(&["production"], &[]), ours.back),
    ];
    if matches!(request.status, Status::Planned | Status::Overdue | Status::Failed) {
        ways.insert(0, (parts::address(&["queues", REPLENISHMENT], &[]), ours.to_queue));
    }
    let body = html! {
        section class="panel" {
            p { (parts::production_badge(words, request.status)) " " (explained(words, request.status)) }
            @if request.over_delivered { p { (ours.more_came) } }
            @if less_came { p { (ours.less_came) } }
            (parts::facts(&facts))
            (parts::ways(&ways))
        }
        section class="panel" {
            header { h2 { (words.requests.why) } }
            (parts::why(words, request))
        }
    };
    View::new(Section::Production, format!("{}: {}", ours.request, request.sku), body).live()
}

fn explained(words: &Words, status: Status) -> &'static str {
    let words = &words.production;
    match status {
        Status::Planned => words.is_planned,
        Status::Requested => words.is_requested,
        Status::Overdue => words.is_overdue,
        Status::Received => words.is_received,
        Status::Failed => words.is_failed,
        Status::Cancelled => words.is_cancelled,
    }
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    let text = || hostile.to_owned();
    let request = |status: Status| Request {
        id: text(),
        sku: text(),
        factory_id: text(),
        quantity: 12,
        status,
        attempts: 2,
        planned_at: reader.now_ms - 90_000,
        requested_at: Some(reader.now_ms - 80_000),
        due_at: Some(reader.now_ms - 1_000),
        received_at: (status == Status::Received).then_some(reader.now_ms - 500),
        received_quantity: (status == Status::Received).then_some(7),
        over_delivered: status == Status::Cancelled,
        factory_job_id: Some(text()),
        follows: (status == Status::Planned).then(text),
        because: production::Cause {
            on_hand: 1,
            on_order: 2,
            backordered: 4,
            reorder_point: 3,
            order_up_to: 11,
        },
        traceparent: Some(format!("00-{hostile}-0-01")),
    };
    let statuses = ProductionStatus::WORDS.map(|(_, status)| meant(status));
    let rows = |count: usize| Rows {
        items: statuses.into_iter().take(count).map(request).collect(),
        next_cursor: (count > 0).then(text),
    };
    let mut views: Vec<_> = statuses.into_iter().map(|status| one_view(reader, &request(status))).collect();
    for wanted in [Wanted::All, Wanted::ByStatus(Status::Overdue), Wanted::ByProduct(text())] {
        views.push(list_view(reader, &wanted, &rows(0), true));
        views.push(list_view(reader, &wanted, &rows(6), false));
    }
    views.push(nonsense_view(reader, &Wanted::Nonsense(text())));
    views.push(absent_view(reader, hostile));
    views
}

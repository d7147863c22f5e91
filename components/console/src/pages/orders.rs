//! Orders: the latest, those that wait, those that were turned down, those of a customer, and one with all that is known of it.

use super::parts::{self, Column, Rows, Tab, Table, Tone};
use super::visit::listed;
use super::words::Words;
use super::{Reader, Reply, Section, View, Visit};
use http::StatusCode;
use maud::{Markup, html};
use restock_bindings::orders::{self, Filter, IfShort, Order, Status};
use restock_bindings::types::{self, Money};
use restock_domain::name;
use restock_edge::Error;

/// The parameter that narrows the list, and its words.
const SHOW: &str = "show";
const KINDS: [(&str, Kind); 2] = [("waiting", Kind::Waiting), ("rejected", Kind::Rejected)];

/// Kinds of orders that have a list of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Waiting,
    Rejected,
}

/// Which orders are listed.
#[derive(Clone, Debug)]
enum Wanted {
    All,
    Of(Kind),
    /// Those of a customer, by id.
    OfCustomer(String),
}

/// What a search got that no list has.
#[derive(Clone, Debug)]
enum Miss {
    /// An id of no order.
    Unknown(String),
    /// No id of an order.
    NoOrder(String),
    /// No id of a customer.
    NoCustomer(String),
}

/// `GET /orders`
pub(crate) async fn list(visit: Visit) -> Result<Reply, Error> {
    let typed = |name: &str| visit.query().get(name).map(str::trim).filter(|text| !text.is_empty());
    if let Some(id) = typed("id") {
        return find(visit.reader(), id).await;
    }
    let wanted = match typed("customer") {
        Some(customer) if !name::is_identifier(customer) => {
            return Ok(Reply::Page(miss_view(visit.reader(), &Miss::NoCustomer(customer.to_owned()))));
        }
        Some(customer) => Wanted::OfCustomer(customer.to_owned()),
        None => visit.query().choice(SHOW, &KINDS)?.map_or(Wanted::All, Wanted::Of),
    };
    let filter = match &wanted {
        Wanted::All => Filter::All,
        Wanted::Of(Kind::Waiting) => Filter::Waiting,
        Wanted::Of(Kind::Rejected) => Filter::Rejected,
        Wanted::OfCustomer(id) => Filter::ByCustomer(id.clone()),
    };
    let page = visit.page()?;
    let is_first = page.after.is_none();
    let orders = orders::list(filter, types::Page { limit: page.limit, after: page.after.clone() }).await?;
    let rows = listed(orders, &page, |order| order.cursor.clone());
    Ok(Reply::Page(list_view(visit.reader(), &wanted, &rows, is_first)))
}

/// Goes to an order, or says that there is none.
async fn find(reader: &Reader, id: &str) -> Result<Reply, Error> {
    // Ids are kept in small letters; some tools write them in large ones.
    let id = id.to_ascii_lowercase();
    if !name::is_identifier(&id) {
        return Ok(Reply::Page(miss_view(reader, &Miss::NoOrder(id))));
    }
    Ok(match orders::get(id.clone()).await? {
        Some(order) => Reply::Go(parts::address(&["orders", &order.id], &[])),
        None => Reply::Page(miss_view(reader, &Miss::Unknown(id))),
    })
}

/// `GET /orders/{id}`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Error> {
    let id = visit.value();
    let order = if name::is_identifier(id) { orders::get(id.to_owned()).await? } else { None };
    Ok(Reply::Page(match order {
        Some(order) => one_view(visit.reader(), &order),
        None => absent_view(visit.reader(), id),
    }))
}

fn absent_view(reader: &Reader, id: &str) -> View {
    let words = &reader.words.orders;
    let ways = [(parts::address(&["orders"], &[]), words.back)];
    parts::absent(Section::Orders, words.order, (words.unknown)(parts::named(id)), &ways)
}

/// The state of an order.
pub(super) fn badge(words: &Words, status: Status) -> Markup {
    let words = &words.orders;
    match status {
        Status::Accepted => parts::badge(Tone::Good, words.accepted),
        Status::Backordered => parts::badge(Tone::Busy, words.backordered),
        Status::Rejected => parts::badge(Tone::Warn, words.rejected),
    }
}

fn title(words: &Words) -> &'static str {
    words.frame.section(Section::Orders)
}

/// The kinds, and the searches with what was typed into them.
fn finding(words: &Words, wanted: Option<&Wanted>, id: &str, customer: &str) -> Markup {
    let ours = &words.orders;
    let kind = |text, show, is_current: fn(&Wanted) -> bool| Tab {
        address: parts::address(&["orders"], &[(SHOW, show)]),
        text,
        current: wanted.is_some_and(is_current),
    };
    let tabs = [
        kind(ours.all, "", |wanted| matches!(wanted, Wanted::All)),
        kind(ours.waiting, "waiting", |wanted| matches!(wanted, Wanted::Of(Kind::Waiting))),
        kind(ours.rejected_ones, "rejected", |wanted| matches!(wanted, Wanted::Of(Kind::Rejected))),
    ];
    html! {
        (parts::tabs(ours.which, &tabs))
        div class="pair" {
            (parts::search(words, "/orders", "find-id", "id", ours.find_id, id))
            (parts::search(words, "/orders", "find-customer", "customer", ours.find_customer, customer))
        }
    }
}

fn miss_view(reader: &Reader, miss: &Miss) -> View {
    let words = reader.words;
    let ours = &words.orders;
    let (status, id, customer, says) = match miss {
        Miss::Unknown(id) => {
            let says = html! { div class="empty" { p { strong { ((ours.unknown)(parts::named(id))) } } p { (ours.unknown_next) } } };
            (StatusCode::NOT_FOUND, id.as_str(), "", says)
        }
        Miss::NoOrder(id) => (StatusCode::UNPROCESSABLE_ENTITY, id.as_str(), "", parts::wrong(ours.bad_id)),
        Miss::NoCustomer(id) => {
            (StatusCode::UNPROCESSABLE_ENTITY, "", id.as_str(), parts::wrong(ours.bad_customer))
        }
    };
    let body = html! { (finding(words, None, id, customer)) (says) };
    View::new(Section::Orders, title(words), body).status(status)
}

fn list_view(reader: &Reader, wanted: &Wanted, rows: &Rows<Order>, is_first: bool) -> View {
    let words = reader.words;
    let customer = match wanted {
        Wanted::OfCustomer(id) => id.as_str(),
        _ => "",
    };
    let body = html! {
        @if customer.is_empty() {
            p { (words.orders.lead) }
        } @else {
            p { ((words.orders.of_customer)(customer_link(customer))) }
        }
        (finding(words, Some(wanted), "", customer))
        section class="panel" {
            (table(reader, rows, words.orders.caption, empty(words, wanted)))
            (parts::pager(words, rows, is_first, |cursor| here(wanted, cursor)))
        }
    };
    View::new(Section::Orders, title(words), body).live()
}

/// A page of orders, or what to say where there are none.
pub(super) fn table(reader: &Reader, rows: &Rows<Order>, caption: &'static str, empty: Markup) -> Markup {
    let words = reader.words;
    let ours = &words.orders;
    let mut table = Table::new(
        caption,
        [
            Column::text(ours.order),
            Column::text(ours.state),
            Column::text(ours.customer),
            Column::number(ours.units),
            Column::number(ours.total),
            Column::text(ours.placed),
        ],
    );
    for order in &rows.items {
        table.row(
            &order.id,
            [
                html! { a href=(parts::address(&["orders", &order.id], &[])) { (parts::short_id(&order.id)) } },
                badge(words, order.status),
                customer_link(&order.customer.id),
                parts::number(order.lines.iter().map(|line| i128::from(line.quantity)).sum::<i128>()),
                parts::money(&order.total),
                parts::since(words, order.placed_at, reader.now_ms),
            ],
        );
    }
    table.or(empty)
}

fn here(wanted: &Wanted, cursor: Option<&str>) -> String {
    let narrowed = match wanted {
        Wanted::All => (SHOW, ""),
        Wanted::Of(kind) => {
            (SHOW, KINDS.iter().find(|(_, known)| known == kind).map_or("", |(word, _)| word))
        }
        Wanted::OfCustomer(id) => ("customer", id.as_str()),
    };
    parts::address(&["orders"], &[narrowed, ("cursor", cursor.unwrap_or_default())])
}

fn empty(words: &Words, wanted: &Wanted) -> Markup {
    let ours = &words.orders;
    match wanted {
        Wanted::All => parts::empty(
            ours.nothing,
            html! { (ours.nothing_next) " " a href="/openapi.json" { (ours.interface) } },
        ),
        Wanted::Of(Kind::Waiting) => parts::empty(ours.nobody_waits, html! { (ours.nobody_waits_next) }),
        Wanted::Of(Kind::Rejected) => parts::empty(ours.none_rejected, html! { (ours.none_rejected_next) }),
        Wanted::OfCustomer(id) => html! {
            div class="empty" { p { strong { ((ours.none_of)(customer_link(id))) } } p { (ours.none_of_next) } }
        },
    }
}

fn customer_link(id: &str) -> Markup {
    html! { a href=(parts::address(&["customers", id], &[])) { (parts::code(id)) } }
}

fn product_link(sku: &str) -> Markup {
    html! { a href=(parts::address(&["products", sku], &[])) { (parts::code(sku)) } }
}

fn one_view(reader: &Reader, order: &Order) -> View {
    let words = reader.words;
    let ours = &words.orders;
    let moment = |at: u64| html! { (parts::moment(at)) " (" (parts::since(words, at, reader.now_ms)) ")" };
    let mut facts =
        vec![(ours.order, parts::code(&order.id)), (ours.customer, customer_link(&order.customer.id))];
    facts.extend(order.customer.name.as_deref().map(|name| (ours.customer_name, parts::named(name))));
    facts.extend(order.customer.email.as_deref().map(|email| (ours.customer_email, parts::named(email))));
    facts.push((ours.total, parts::money(&order.total)));
    facts.push((ours.placed, moment(order.placed_at)));
    facts.push((
        ours.if_short,
        html! {
            (match order.if_short { IfShort::Reject => ours.would_reject, IfShort::Backorder => ours.would_wait })
        },
    ));
    if let Some(at) = order.filled_at {
        facts.push((ours.filled, moment(at)));
        facts.push((ours.waited, parts::span(words, at.saturating_sub(order.placed_at))));
    }
    facts.extend(parts::trace(order.traceparent.as_deref()).map(|trace| (ours.trace, trace)));
    let ways = [
        (parts::address(&["returns"], &[("order_number", &order.id)]), ours.returns),
        (parts::address(&["orders"], &[]), ours.back),
    ];
    let body = html! {
        section class="panel" {
            p { (badge(words, order.status)) " " (explained(words, order)) }
            (parts::facts(&facts))
            (parts::ways(&ways))
        }
        section class="panel" {
            header { h2 { (ours.lines) } }
            (lines(words, order))
        }
        @if !order.short.is_empty() {
            section class="panel" {
                header { h2 { (ours.short) } p class="aside" { (ours.short_lead) } }
                (shortages(words, order))
            }
        }
    };
    View::new(Section::Orders, ours.order, body).live()
}

fn explained(words: &Words, order: &Order) -> &'static str {
    let words = &words.orders;
    match order.status {
        Status::Accepted if order.filled_at.is_some() => words.is_filled,
        Status::Accepted => words.is_accepted,
        Status::Backordered => words.is_backordered,
        Status::Rejected => words.is_rejected,
    }
}

fn lines(words: &Words, order: &Order) -> Markup {
    let ours = &words.orders;
    let mut table = Table::new(
        ours.lines,
        [
            Column::text(ours.product),
            Column::number(ours.quantity),
            Column::number(ours.unit_price),
            Column::number(ours.amount),
        ],
    )
    .headed();
    for line in &order.lines {
        let amount = Money {
            amount: line.unit_price.amount.saturating_mul(i64::from(line.quantity)),
            currency: line.unit_price.currency.clone(),
        };
        table.row(
            &line.sku,
            [
                product_link(&line.sku),
                parts::number(line.quantity),
                parts::money(&line.unit_price),
                parts::money(&amount),
            ],
        );
    }
    table.markup()
}

fn shortages(words: &Words, order: &Order) -> Markup {
    let ours = &words.orders;
    let columns = [Column::text(ours.product), Column::number(ours.asked), Column::number(ours.available)];
    let mut table = Table::new(ours.short, columns).headed();
    for short in &order.short {
        let cells =
            [product_link(&short.sku), parts::number(short.requested), parts::number(short.available)];
        table.row(&short.sku, cells);
    }
    table.markup()
}

/// An order for tests, with this text wherever one can be.
#[cfg(test)]
pub(super) fn sample(status: Status, now_ms: u64, text: &str) -> Order {
    let price = Money { amount: 19_900, currency: "KRW".to_owned() };
    let waited = status == Status::Accepted;
    let line = |sku: &str| orders::Line { sku: sku.to_owned(), quantity: 3, unit_price: price.clone() };
    Order {
        id: text.to_owned(),
        customer: orders::Customer {
            id: text.to_owned(),
            email: Some(text.to_owned()),
            name: Some(text.to_owned()),
        },
        lines: vec![line(text), line("CP-1")],
        total: Money { amount: 119_400, currency: "KRW".to_owned() },
        if_short: if status == Status::Rejected { IfShort::Reject } else { IfShort::Backorder },
        status,
        placed_as: if waited { Status::Backordered } else { status },
        short: vec![orders::Shortage { sku: text.to_owned(), requested: 3, available: 1 }],
        placed_at: now_ms - 61_000,
        filled_at: waited.then_some(now_ms - 1_000),
        traceparent: Some(format!("00-{text}-0-01")),
        cursor: text.to_owned(),
    }
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    let text = || hostile.to_owned();
    let statuses = [Status::Accepted, Status::Backordered, Status::Rejected];
    let order = |status| sample(status, reader.now_ms, hostile);
    let rows = |count: usize| Rows {
        items: statuses.into_iter().take(count).map(order).collect(),
        next_cursor: (count > 0).then(text),
    };
    let mut views: Vec<_> = statuses.into_iter().map(|status| one_view(reader, &order(status))).collect();
    views.push(one_view(reader, &Order { filled_at: None, short: Vec::new(), ..order(Status::Accepted) }));
    for wanted in
        [Wanted::All, Wanted::Of(Kind::Waiting), Wanted::Of(Kind::Rejected), Wanted::OfCustomer(text())]
    {
        views.push(list_view(reader, &wanted, &rows(0), true));
        views.push(list_view(reader, &wanted, &rows(3), false));
    }
    for miss in [Miss::Unknown(text()), Miss::NoOrder(text()), Miss::NoCustomer(text())] {
        views.push(miss_view(reader, &miss));
    }
    views.push(absent_view(reader, hostile));
    views
}

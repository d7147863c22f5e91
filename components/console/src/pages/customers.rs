//! Customers: those who buy in bulk with the VIPs first, everybody who bought, and one with their orders.

use super::parts::{self, Column, Rows, Tab, Table, Tone};
use super::visit::listed;
use super::words::Words;
use super::{Reader, Reply, Section, View, Visit, orders as order_pages};
use http::StatusCode;
use maud::{Markup, html};
use restock_bindings::customers::{self, Customer, Kind};
use restock_bindings::orders::{self, Buyer, Filter, Order};
use restock_bindings::types;
use restock_domain::name;
use restock_domain::queues::LOYALTY;
use restock_edge::Error;

/// The parameter that says which customers are listed, and its word.
const SHOW: &str = "show";
const BUYERS: &str = "buyers";

/// What a search got that no list has.
enum Miss {
    /// An id that nobody has.
    Unknown(String),
    /// No id of a customer.
    NoCustomer(String),
}

/// What is known of one customer, from both databases.
struct Known {
    id: String,
    buyer: Option<Buyer>,
    bulk_buyer: Option<Customer>,
    orders: Rows<Order>,
    is_first: bool,
}

/// `GET /customers`
pub(crate) async fn list(visit: Visit) -> Result<Reply, Error> {
    let reader = visit.reader();
    if let Some(id) = visit.query().get("id").map(str::trim).filter(|id| !id.is_empty()) {
        return find(reader, id).await;
    }
    let page = visit.page()?;
    let is_first = page.after.is_none();
    let asked = types::Page { limit: page.limit, after: page.after.clone() };
    Ok(Reply::Page(match visit.query().choice(SHOW, &[(BUYERS, ())])? {
        None => {
            let rows = listed(customers::list(asked).await?, &page, |customer| customer.cursor.clone());
            bulk_view(reader, &rows, is_first)
        }
        Some(()) => {
            let rows = listed(orders::buyers(asked).await?, &page, |buyer| buyer.customer_id.clone());
            buyers_view(reader, &rows, is_first)
        }
    }))
}

/// Goes to a customer, or says that there is none.
async fn find(reader: &Reader, id: &str) -> Result<Reply, Error> {
    if !name::is_identifier(id) {
        return Ok(Reply::Page(miss_view(reader, &Miss::NoCustomer(id.to_owned()))));
    }
    let first = types::Page { limit: 1, after: None };
    let is_known = orders::bought(id.to_owned()).await?.is_some()
        || customers::get(id.to_owned()).await?.is_some()
        || !orders::list(Filter::ByCustomer(id.to_owned()), first).await?.is_empty();
    Ok(if is_known {
        Reply::Go(parts::address(&["customers", id], &[]))
    } else {
        Reply::Page(miss_view(reader, &Miss::Unknown(id.to_owned())))
    })
}

/// `GET /customers/{id}`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Error> {
    let reader = visit.reader();
    let id = visit.value();
    if !name::is_identifier(id) {
        return Ok(Reply::Page(absent_view(reader, id)));
    }
    let page = visit.page()?;
    let asked = types::Page { limit: page.limit, after: page.after.clone() };
    let known = Known {
        id: id.to_owned(),
        buyer: orders::bought(id.to_owned()).await?,
        bulk_buyer: customers::get(id.to_owned()).await?,
        orders: listed(orders::list(Filter::ByCustomer(id.to_owned()), asked).await?, &page, |order| {
            order.cursor.clone()
        }),
        is_first: page.after.is_none(),
    };
    let is_known = known.buyer.is_some() || known.bulk_buyer.is_some() || !known.orders.items.is_empty();
    Ok(Reply::Page(if is_known { one_view(reader, &known) } else { absent_view(reader, id) }))
}

fn absent_view(reader: &Reader, id: &str) -> View {
    let words = &reader.words.customers;
    let ways = [(parts::address(&["customers"], &[]), words.back)];
    parts::absent(Section::Customers, words.customer, (words.unknown)(parts::named(id)), &ways)
}

fn miss_view(reader: &Reader, miss: &Miss) -> View {
    let words = reader.words;
    let ours = &words.customers;
    let (status, id, says) = match miss {
        Miss::Unknown(id) => {
            let says = html! { div class="empty" { p { strong { ((ours.unknown)(parts::named(id))) } } p { (ours.unknown_next) } } };
            (StatusCode::NOT_FOUND, id, says)
        }
        Miss::NoCustomer(id) => (StatusCode::UNPROCESSABLE_ENTITY, id, parts::wrong(ours.bad_id)),
    };
    let body = html! { (finding(words, None, id)) (says) };
    View::new(Section::Customers, title(words), body).status(status)
}

fn title(words: &Words) -> &'static str {
    words.frame.section(Section::Customers)
}

/// The two lists, and the search with what was typed into it.
fn finding(words: &Words, buyers: Option<bool>, id: &str) -> Markup {
    let ours = &words.customers;
    let tabs = [
        Tab { address: here(false, None), text: ours.bulk, current: buyers == Some(false) },
        Tab { address: here(true, None), text: ours.buyers, current: buyers == Some(true) },
    ];
    html! {
        (parts::tabs(ours.which, &tabs))
        (parts::search(words, "/customers", "find-id", "id", ours.find, id))
    }
}

fn here(buyers: bool, cursor: Option<&str>) -> String {
    let show = if buyers { BUYERS } else { "" };
    parts::address(&["customers"], &[(SHOW, show), ("cursor", cursor.unwrap_or_default())])
}

fn bulk_view(reader: &Reader, rows: &Rows<Customer>, is_first: bool) -> View {
    let words = reader.words;
    let ours = &words.customers;
    let mut table = Table::new(
        ours.caption,
        [
            Column::text(ours.customer),
            Column::text(ours.treated_as),
            Column::text(ours.name),
            Column::text(ours.email),
            Column::number(ours.units),
            Column::text(ours.vip_since),
            Column::text(ours.announced),
        ],
    );
    for customer in &rows.items {
        table.row(
            &customer.id,
            [
                link(&customer.id),
                badge(words, customer.kind),
                given(customer.name.as_deref()),
                given(customer.email.as_deref()),
                parts::number(customer.units_bought),
                customer.vip_since.map_or_else(|| given(None), |at| parts::since(words, at, reader.now_ms)),
                announced(reader, customer),
            ],
        );
    }
    let next = html! { (ours.no_bulk_next) " " a href=(here(true, None)) { (ours.buyers) } };
    let table = table.or(parts::empty(ours.no_bulk, next));
    let pager = parts::pager(words, rows, is_first, |cursor| here(false, cursor));
    listing(words, false, ours.bulk_lead, table, pager)
}

fn buyers_view(reader: &Reader, rows: &Rows<Buyer>, is_first: bool) -> View {
    let words = reader.words;
    let ours = &words.customers;
    let mut table = Table::new(
        ours.caption,
        [
            Column::text(ours.customer),
            Column::text(ours.name),
            Column::text(ours.email),
            Column::number(ours.orders_count),
            Column::number(ours.units),
        ],
    );
    for buyer in &rows.items {
        table.row(
            &buyer.customer_id,
            [
                link(&buyer.customer_id),
                given(buyer.name.as_deref()),
                given(buyer.email.as_deref()),
                parts::number(buyer.orders),
                parts::number(buyer.units_bought),
            ],
        );
    }
    let next = html! { (ours.no_buyers_next) " " a href="/orders" { (ours.to_orders) } };
    let table = table.or(parts::empty(ours.no_buyers, next));
    let pager = parts::pager(words, rows, is_first, |cursor| here(true, cursor));
    listing(words, true, ours.buyers_lead, table, pager)
}

fn listing(words: &Words, buyers: bool, lead: &str, table: Markup, pager: Markup) -> View {
    let body = html! {
        p { (lead) }
        (finding(words, Some(buyers), ""))
        section class="panel" { (table) (pager) }
    };
    View::new(Section::Customers, title(words), body).live()
}

fn link(id: &str) -> Markup {
    html! { a href=(parts::address(&["customers", id], &[])) { (parts::code(id)) } }
}

/// A text that may be missing.
fn given(text: Option<&str>) -> Markup {
    text.map_or_else(|| html! { "–" }, parts::named)
}

fn badge(words: &Words, kind: Kind) -> Markup {
    match kind {
        Kind::Vip => parts::badge(Tone::Good, words.customers.vip),
        Kind::Normal => parts::badge(Tone::Plain, words.customers.normal),
    }
}

/// When the marketing system took the news. It gets news of VIPs only.
fn announced(reader: &Reader, customer: &Customer) -> Markup {
    match (customer.kind, customer.announced_at) {
        (_, Some(at)) => parts::since(reader.words, at, reader.now_ms),
        (Kind::Vip, None) => parts::badge(Tone::Warn, reader.words.customers.not_announced),
        (Kind::Normal, None) => given(None),
    }
}

fn one_view(reader: &Reader, known: &Known) -> View {
    let words = reader.words;
    let ours = &words.customers;
    let bulk = known.bulk_buyer.as_ref();
    let kind = bulk.map_or(Kind::Normal, |customer| customer.kind);
    // The shop's own database knows every accepted order; the customers' database stands in where it knows nothing.
    let buyer = known.buyer.as_ref();
    let name =
        buyer.map_or_else(|| bulk.and_then(|bulk| bulk.name.as_deref()), |buyer| buyer.name.as_deref());
    let email =
        buyer.map_or_else(|| bulk.and_then(|bulk| bulk.email.as_deref()), |buyer| buyer.email.as_deref());
    let units = buyer.map(|buyer| buyer.units_bought).or(bulk.map(|bulk| bulk.units_bought));
    let mut facts = vec![(ours.customer, parts::code(&known.id))];
    facts.extend(name.map(|name| (ours.name, parts::named(name))));
    facts.extend(email.map(|email| (ours.email, parts::named(email))));
    facts.extend(buyer.map(|buyer| (ours.orders_count, parts::number(buyer.orders))));
    facts.extend(units.map(|units| (ours.units, parts::number(units))));
    facts.extend(bulk.and_then(|bulk| bulk.vip_since).map(|at| (ours.vip_since, parts::moment(at))));
    facts.extend(
        bulk.filter(|bulk| bulk.kind == Kind::Vip).map(|bulk| (ours.announced, announced(reader, bulk))),
    );
    let owes_news = bulk.is_some_and(|bulk| bulk.kind == Kind::Vip && bulk.announced_at.is_none());
    let mut ways = vec![(parts::address(&["customers"], &[]), ours.back)];
    if owes_news {
        ways.insert(0, (parts::address(&["queues", LOYALTY], &[]), ours.to_queue));
    }
    let explained = match kind {
        Kind::Vip => ours.is_vip,
        Kind::Normal => ours.is_normal,
    };
    let body = html! {
        section class="panel" {
            p { (badge(words, kind)) " " (explained) }
            @if units.is_none() { p { (ours.bought_nothing) } }
            (parts::facts(&facts))
            (parts::ways(&ways))
        }
        section class="panel" {
            header { h2 { (ours.orders) } }
            (order_pages::table(reader, &known.orders, ours.orders, parts::empty(ours.no_orders, html! { (ours.no_orders_next) })))
            (parts::pager(words, &known.orders, known.is_first, |cursor| {
                parts::address(&["customers", &known.id], &[("cursor", cursor.unwrap_or_default())])
            }))
        }
    };
    View::new(Section::Customers, format!("{}: {}", ours.customer, known.id), body).live()
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    let text = || hostile.to_owned();
    let customer = |kind: Kind, announced: bool| Customer {
        id: text(),
        email: Some(text()),
        name: Some(text()),
        kind,
        units_bought: 130,
        vip_since: (kind == Kind::Vip).then_some(reader.now_ms - 61_000),
        announced_at: announced.then_some(reader.now_ms - 1_000),
        cursor: text(),
    };
    let buyer =
        || Buyer { customer_id: text(), email: None, name: Some(text()), orders: 2, units_bought: 130 };
    let known = |buyer, bulk_buyer, orders: Vec<Order>| Known {
        id: text(),
        buyer,
        bulk_buyer,
        orders: Rows { next_cursor: orders.first().map(|_| text()), items: orders },
        is_first: true,
    };
    let order = || order_pages::sample(orders::Status::Rejected, reader.now_ms, hostile);
    let all = vec![customer(Kind::Vip, true), customer(Kind::Vip, false), customer(Kind::Normal, false)];
    vec![
        bulk_view(reader, &Rows { items: all, next_cursor: Some(text()) }, true),
        bulk_view(reader, &Rows { items: Vec::new(), next_cursor: None }, true),
        buyers_view(reader, &Rows { items: vec![buyer()], next_cursor: Some(text()) }, false),
        buyers_view(reader, &Rows { items: Vec::new(), next_cursor: None }, true),
        one_view(reader, &known(Some(buyer()), Some(customer(Kind::Vip, false)), vec![order()])),
        one_view(reader, &known(None, Some(customer(Kind::Vip, true)), Vec::new())),
        one_view(reader, &known(Some(buyer()), Some(customer(Kind::Normal, false)), vec![order()])),
        one_view(reader, &known(None, None, vec![order()])),
        miss_view(reader, &Miss::Unknown(text())),
        miss_view(reader, &Miss::NoCustomer(text())),
        absent_view(reader, hostile),
    ]
}

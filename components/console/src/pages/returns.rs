//! Returns: by status, by what became of the goods, by number; one with its history; and the partner's list.

mod decide;
mod lists;
mod replay;

pub(crate) use decide::{ask_discard, ask_receive, discard, receive};
pub(crate) use lists::{collections, rejects};
pub(crate) use replay::{ask as ask_replay, replay};

use super::parts::{self, Column, Rows, Tab, Table, Tone};
use super::visit::listed;
use super::words::Words;
use super::{Reader, Reply, Section, View, Visit};
use crate::returns::{meant_goods, meant_status, wanted};
use http::StatusCode;
use maud::{Markup, html};
use restock_api::returns::{self as api, Filter, ReturnStatus};
use restock_bindings::orders;
use restock_bindings::returns::{self, Goods, History, Return, Status};
use restock_bindings::types;
use restock_domain::name;
use restock_domain::parcel::Field;
use restock_domain::queues::RETURNS;
use restock_edge::Error;

/// `GET /returns`
pub(crate) async fn list(visit: Visit) -> Result<Reply, Error> {
    let reader = visit.reader();
    let filter = match Filter::read(visit.query()) {
        Ok(filter) => filter,
        Err(faults) if faults.iter().all(|fault| matches!(fault.pointer.as_str(), "?status" | "?goods")) => {
            return Err(faults.into());
        }
        Err(faults) => {
            let typed = |field: Field| visit.query().get(field.name()).unwrap_or_default();
            let typed = (typed(Field::OrderNumber), typed(Field::ShipmentNumber));
            // One value has one fault; more than one is a search for more than one thing.
            return Ok(Reply::Page(nonsense_view(reader, typed, faults.len() > 1)));
        }
    };
    let page = visit.page()?;
    let is_first = page.after.is_none();
    let asked = types::Page { limit: page.limit, after: page.after.clone() };
    let rows =
        listed(returns::list(wanted(filter.clone()), asked).await?, &page, |entry| entry.cursor.clone());
    Ok(Reply::Page(list_view(reader, &filter, &rows, is_first)))
}

/// `GET /returns/{id}`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Error> {
    let Some(history) = history(&visit).await? else {
        return Ok(Reply::Page(absent_view(visit.reader(), visit.value())));
    };
    let number = &history.entry.order_number;
    let is_order = name::is_identifier(number) && orders::get(number.clone()).await?.is_some();
    Ok(Reply::Page(one_view(visit.reader(), &history, is_order)))
}

/// The return that the path names.
async fn history(visit: &Visit) -> Result<Option<History>, Error> {
    let id = visit.value();
    if !name::is_identifier(id) {
        return Ok(None);
    }
    Ok(returns::describe(id.to_owned()).await?)
}

fn absent_view(reader: &Reader, id: &str) -> View {
    let words = &reader.words.returns;
    let ways = [(parts::address(&["returns"], &[]), words.back)];
    parts::absent(Section::Returns, words.one, (words.unknown)(parts::named(id)), &ways)
}

fn title(words: &Words) -> &'static str {
    words.frame.section(Section::Returns)
}

fn page_of(entry: &Return) -> String {
    parts::address(&["returns", &entry.id], &[])
}

fn nonsense_view(reader: &Reader, (order, shipment): (&str, &str), several: bool) -> View {
    let words = reader.words;
    let says = if several { words.returns.one_search } else { words.returns.bad_number };
    let body = html! { (finding(reader, None, order, shipment)) (parts::wrong(says)) };
    View::new(Section::Returns, title(words), body).status(StatusCode::UNPROCESSABLE_ENTITY)
}

fn here(filter: &Filter, cursor: Option<&str>) -> String {
    let narrowed = match filter {
        Filter::All => ("", ""),
        Filter::Status(status) => ("status", word(&ReturnStatus::WORDS, *status)),
        Filter::Goods(goods) => ("goods", word(&api::Goods::WORDS, *goods)),
        Filter::OrderNumber(number) => (Field::OrderNumber.name(), number.as_str()),
        Filter::ShipmentNumber(number) => (Field::ShipmentNumber.name(), number.as_str()),
    };
    parts::address(&["returns"], &[narrowed, ("cursor", cursor.unwrap_or_default())])
}

fn word<T: Copy + PartialEq>(words: &[(&'static str, T)], wanted: T) -> &'static str {
    words.iter().find(|(_, known)| *known == wanted).map_or("", |(word, _)| word)
}

/// The lists beside this one, the kinds, and the searches with what was typed into them.
fn finding(reader: &Reader, current: Option<&Filter>, order: &str, shipment: &str) -> Markup {
    let words = reader.words;
    let ours = &words.returns;
    let tab =
        |filter: Filter, text| Tab { address: here(&filter, None), text, current: current == Some(&filter) };
    let by_status: Vec<_> = std::iter::once(tab(Filter::All, ours.all))
        .chain(ReturnStatus::WORDS.map(|(_, status)| {
            let text = status_word(words, meant_status(status));
            tab(Filter::Status(status), text)
        }))
        .collect();
    let by_goods = api::Goods::WORDS
        .map(|(_, goods)| tab(Filter::Goods(goods), goods_word(words, meant_goods(goods)).1));
    let mut more = vec![
        (parts::address(&["returns", "collections"], &[]), ours.lists.collections),
        (parts::address(&["returns", "set-aside"], &[]), ours.lists.rejects),
    ];
    if reader.operator {
        more.push((parts::address(&["returns", "replay"], &[]), ours.replay.open));
    }
    html! {
        (parts::tabs(ours.by_status, &by_status))
        (parts::tabs(ours.by_goods, &by_goods))
        div class="pair" {
            (parts::search(words, "/returns", "find-order", Field::OrderNumber.name(), ours.find_order, order))
            (parts::search(words, "/returns", "find-shipment", Field::ShipmentNumber.name(), ours.find_shipment, shipment))
        }
        nav aria-label=(ours.more) { (parts::ways(&more)) }
    }
}

fn status_word(words: &Words, status: Status) -> &'static str {
    let words = &words.returns;
    match status {
        Status::Collected => words.collected,
        Status::Delivered => words.delivered,
        Status::Reported => words.reported,
    }
}

fn status_badge(words: &Words, status: Status) -> Markup {
    let tone = match status {
        Status::Collected | Status::Delivered => Tone::Busy,
        Status::Reported => Tone::Good,
    };
    parts::badge(tone, status_word(words, status))
}

fn goods_word(words: &Words, goods: Goods) -> (Tone, &'static str) {
    let words = &words.returns;
    match goods {
        Goods::Pending => (Tone::Plain, words.pending),
        Goods::NotOurs => (Tone::Warn, words.not_ours),
        Goods::Left => (Tone::Plain, words.left),
        Goods::Waiting => (Tone::Warn, words.waiting),
        Goods::Received => (Tone::Good, words.received),
        Goods::Discarded => (Tone::Plain, words.discarded),
    }
}

fn goods_badge(words: &Words, goods: Goods) -> Markup {
    let (tone, word) = goods_word(words, goods);
    parts::badge(tone, word)
}

fn list_view(reader: &Reader, filter: &Filter, rows: &Rows<Return>, is_first: bool) -> View {
    let words = reader.words;
    let ours = &words.returns;
    let (order, shipment) = match filter {
        Filter::OrderNumber(number) => (number.as_str(), ""),
        Filter::ShipmentNumber(number) => ("", number.as_str()),
        _ => ("", ""),
    };
    let mut table = Table::new(
        ours.caption,
        [
            Column::text(ours.a_return),
            Column::text(ours.status),
            Column::text(ours.goods),
            Column::text(ours.order_number),
            Column::text(ours.item_number),
            Column::text(ours.shipment_number),
            Column::text(ours.partner_says),
            Column::text(ours.heard_of),
        ],
    );
    for entry in &rows.items {
        table.row(
            &entry.id,
            [
                html! { a href=(page_of(entry)) { (parts::short_id(&entry.id)) } },
                status_badge(words, entry.status),
                goods_badge(words, entry.goods),
                parts::named(&entry.order_number),
                parts::named(&entry.order_item_number),
                parts::named(&entry.shipment_number),
                partner_says(words, entry),
                parts::since(words, entry.collected_at, reader.now_ms),
            ],
        );
    }
    let body = html! {
        p { (ours.lead) }
        (finding(reader, Some(filter), order, shipment))
        section class="panel" {
            (table.or(empty(words, filter)))
            (parts::pager(words, rows, is_first, |cursor| here(filter, cursor)))
        }
    };
    View::new(Section::Returns, title(words), body).live()
}

/// The partner's last word on the shipment.
fn partner_says(words: &Words, entry: &Return) -> Markup {
    match (&entry.partner_status, entry.unknown_since) {
        (_, Some(_)) => parts::badge(Tone::Warn, words.returns.unknown_there),
        (Some(status), None) => parts::named(status),
        (None, None) => html! { "–" },
    }
}

fn empty(words: &Words, filter: &Filter) -> Markup {
    let ours = &words.returns;
    match filter {
        Filter::All => parts::empty(
            ours.nothing,
            html! { (ours.nothing_next) " " a href="/returns/collections" { (ours.lists.collections) } },
        ),
        Filter::Status(_) | Filter::Goods(_) => {
            parts::empty(ours.nothing_such, html! { a href="/returns" { (words.shared.show_all) } })
        }
        Filter::OrderNumber(number) | Filter::ShipmentNumber(number) => html! {
            div class="empty" {
                p { strong { ((ours.nothing_found)(parts::named(number))) } }
                p { (ours.nothing_found_next) }
            }
        },
    }
}

fn one_view(reader: &Reader, history: &History, is_order: bool) -> View {
    let words = reader.words;
    let ours = &words.returns;
    let entry = &history.entry;
    let mut ways = vec![
        (here(&Filter::OrderNumber(entry.order_number.clone()), None), ours.others_of_order),
        (parts::address(&["returns"], &[]), ours.back),
    ];
    if entry.status != Status::Reported {
        ways.insert(0, (parts::address(&["queues", RETURNS], &[]), ours.to_queue));
    }
    let body = html! {
        section class="panel" {
            p { (status_badge(words, entry.status)) " " (status_explained(words, entry.status)) }
            p { (goods_badge(words, entry.goods)) " " (goods_explained(words, entry.goods)) }
            (parts::facts(&facts(reader, history, is_order)))
            (parts::ways(&ways))
        }
        @if reader.operator { (actions(words, entry)) }
        section class="panel" {
            header { h2 { (ours.history) } p class="aside" { (ours.history_lead) } }
            (sightings(reader, history))
        }
    };
    View::new(Section::Returns, format!("{}: {}", ours.one, entry.order_number), body).live()
}

fn facts<'a>(reader: &Reader, history: &History, is_order: bool) -> Vec<(&'a str, Markup)> {
    let words = reader.words;
    let ours = &words.returns;
    let entry = &history.entry;
    let moment = |at: u64| html! { (parts::moment(at)) " (" (parts::since(words, at, reader.now_ms)) ")" };
    let order = if is_order {
        html! { a href=(parts::address(&["orders", &entry.order_number], &[])) { (parts::code(&entry.order_number)) } }
    } else {
        parts::named(&entry.order_number)
    };
    let of = |item: &returns::Item| {
        let sku =
            html! { a href=(parts::address(&["products", &item.sku], &[])) { (parts::code(&item.sku)) } };
        (ours.of_product)(parts::units(words, item.quantity), sku)
    };
    let mut facts = vec![
        (ours.a_return, parts::code(&entry.id)),
        (ours.order_number, order),
        (ours.item_number, parts::named(&entry.order_item_number)),
        (ours.shipment_number, parts::named(&entry.shipment_number)),
    ];
    facts.extend(entry.partner_ref.as_deref().map(|id| (ours.partner_ref, parts::named(id))));
    facts.push((ours.partner_says, partner_says(words, entry)));
    facts.push((ours.heard_of, moment(entry.collected_at)));
    facts.push((ours.asked, (ours.times)(entry.trackings, parts::number(entry.trackings))));
    facts.extend(entry.tracked_at.map(|at| (ours.tracked_at, moment(at))));
    facts.extend(entry.unknown_since.map(|at| (ours.unknown_since, moment(at))));
    facts.extend(entry.delivered_at.map(|at| (ours.delivered_at, moment(at))));
    facts.extend(entry.reported_at.map(|at| (ours.reported_at, moment(at))));
    let is_open = !matches!(entry.goods, Goods::Received | Goods::Discarded);
    if is_open {
        let matching = history.item.as_ref().map_or_else(|| html! { (ours.matches_nothing) }, of);
        facts.push((ours.matches, matching));
    }
    facts.extend(entry.received.as_ref().map(|item| (ours.brought, of(item))));
    if let Some(at) = entry.settled_at {
        let by_rule = entry.settled_by.is_empty();
        let who = if by_rule {
            html! { (ours.by_rule) }
        } else {
            parts::code(&entry.settled_by)
        };
        facts.push((ours.settled_at, moment(at)));
        facts.push((ours.settled_by, who));
    }
    if !entry.settled_because.is_empty() {
        facts.push((ours.because, parts::named(&entry.settled_because)));
    }
    facts
}

fn status_explained(words: &Words, status: Status) -> &'static str {
    let words = &words.returns;
    match status {
        Status::Collected => words.is_collected,
        Status::Delivered => words.is_delivered,
        Status::Reported => words.is_reported,
    }
}

fn goods_explained(words: &Words, goods: Goods) -> &'static str {
    let words = &words.returns;
    match goods {
        Goods::Pending => words.is_pending,
        Goods::NotOurs => words.is_not_ours,
        Goods::Left => words.is_left,
        Goods::Waiting => words.is_waiting,
        Goods::Received => words.is_received,
        Goods::Discarded => words.is_discarded,
    }
}

/// What an operator can do with a return as it stands.
fn actions(words: &Words, entry: &Return) -> Markup {
    let ours = &words.returns;
    let mut ways = Vec::new();
    if decide::is_open(entry.goods) {
        ways.push((parts::address(&["returns", &entry.id, "receive"], &[]), ours.decide.receive));
        ways.push((parts::address(&["returns", &entry.id, "discard"], &[]), ours.decide.discard));
    }
    if entry.status != Status::Reported {
        ways.push((replay::address(entry), ours.replay.open));
    }
    html! {
        @if !ways.is_empty() {
            section class="panel" { header { h2 { (ours.decide.heading) } } (parts::ways(&ways)) }
        }
    }
}

fn sightings(reader: &Reader, history: &History) -> Markup {
    let words = reader.words;
    let ours = &words.returns;
    let mut table = Table::new(
        ours.history,
        [
            Column::text(ours.said),
            Column::text(ours.first_at),
            Column::text(ours.last_at),
            Column::number(ours.how_often),
        ],
    )
    .headed();
    for sighting in &history.sightings {
        let cells = [
            parts::named(&sighting.status),
            parts::moment(sighting.first_at),
            parts::moment(sighting.last_at),
            parts::number(sighting.times),
        ];
        table.row(&sighting.status, cells);
    }
    table.or(parts::empty(ours.nothing_said, html! { (ours.nothing_said_next) }))
}

/// A return for tests, with this text wherever one can be.
#[cfg(test)]
fn sample(status: Status, goods: Goods, now_ms: u64, text: &str) -> History {
    let item = || returns::Item { sku: text.to_owned(), quantity: 2 };
    let is_settled = matches!(goods, Goods::Received | Goods::Discarded);
    History {
        entry: Return {
            id: text.to_owned(),
            order_number: text.to_owned(),
            order_item_number: text.to_owned(),
            shipment_number: text.to_owned(),
            partner_ref: Some(text.to_owned()),
            status,
            goods,
            partner_status: (status != Status::Collected).then(|| text.to_owned()),
            received: (goods == Goods::Received).then(item),
            collected_at: now_ms - 90_000,
            tracked_at: Some(now_ms - 80_000),
            trackings: 2,
            unknown_since: (status == Status::Collected).then_some(now_ms - 70_000),
            delivered_at: (status != Status::Collected).then_some(now_ms - 60_000),
            reported_at: (status == Status::Reported).then_some(now_ms - 50_000),
            settled_at: is_settled.then_some(now_ms - 40_000),
            settled_by: if goods == Goods::Received { text.to_owned() } else { String::new() },
            settled_because: if is_settled { text.to_owned() } else { String::new() },
            cursor: text.to_owned(),
        },
        sightings: vec![returns::Sighting {
            status: text.to_owned(),
            first_at: now_ms - 80_000,
            last_at: now_ms - 60_000,
            times: 3,
        }],
        item: (goods != Goods::NotOurs).then(item),
    }
}

/// Every state that a return can be in.
#[cfg(test)]
const STATES: [(Status, Goods); 7] = [
    (Status::Collected, Goods::Pending),
    (Status::Delivered, Goods::Pending),
    (Status::Reported, Goods::NotOurs),
    (Status::Reported, Goods::Left),
    (Status::Reported, Goods::Waiting),
    (Status::Reported, Goods::Received),
    (Status::Reported, Goods::Discarded),
];

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    let text = || hostile.to_owned();
    let history = |(status, goods)| sample(status, goods, reader.now_ms, hostile);
    let rows = |count: usize| Rows {
        items: STATES.into_iter().take(count).map(|state| history(state).entry).collect(),
        next_cursor: (count > 0).then(text),
    };
    let mut views: Vec<_> = STATES
        .into_iter()
        .map(|state| one_view(reader, &history(state), state.1 == Goods::Waiting))
        .collect();
    let silent = History { sightings: Vec::new(), ..history((Status::Collected, Goods::Pending)) };
    views.push(one_view(reader, &silent, false));
    for filter in [
        Filter::All,
        Filter::Status(ReturnStatus::Delivered),
        Filter::Goods(api::Goods::Waiting),
        Filter::OrderNumber(text()),
        Filter::ShipmentNumber(text()),
    ] {
        views.push(list_view(reader, &filter, &rows(0), true));
        views.push(list_view(reader, &filter, &rows(STATES.len()), false));
    }
    views.push(nonsense_view(reader, (hostile, ""), false));
    views.push(nonsense_view(reader, ("", hostile), true));
    views.push(absent_view(reader, hostile));
    views.extend(lists::samples(reader, hostile));
    if reader.operator {
        views.extend(decide::samples(reader, hostile));
        views.extend(replay::samples(reader, hostile));
    }
    views
}

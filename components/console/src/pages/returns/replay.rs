//! Following a parcel by hand: the numbers are given, what will happen is said, and then it is done, by the code that serves programs.

use super::page_of;
use crate::pages::parts::{self, Confirmation, Field};
use crate::pages::words::Words;
use crate::pages::{Notice, Reader, Reply, Section, View, Visit};
use crate::returns::follow;
use http::StatusCode;
use maud::{Markup, html};
use restock_api::Invalid;
use restock_api::page::LIMIT_MAX;
use restock_api::query::Query;
use restock_api::returns::{ReplayAttribute, ReplayRequest};
use restock_bindings::returns::{self, Filter, Parcel, Replaying, Return, Status, Wish};
use restock_bindings::types;
use restock_domain::parcel::{self, NUMBER_CHARACTERS_MAX};
use restock_edge::Error;
use serde_json::json;

/// The parameter that shows the form although its numbers are given.
const EDIT: &str = "edit";

/// What will happen to a parcel.
enum Plan {
    /// It becomes a return.
    Begin,
    /// It is looked at now.
    Look,
    /// It is looked at now, under another number than this return has.
    Renumber(Return),
    /// Its report is sent now.
    Report(Return),
    /// Nothing.
    Over(Return),
}

/// The address of the form for a return, with its numbers.
pub(super) fn address(entry: &Return) -> String {
    form_address(&entry.order_number, &entry.order_item_number, &entry.shipment_number)
}

fn form_address(order: &str, item: &str, shipment: &str) -> String {
    let [order_number, order_item_number, shipment_number] = names();
    let numbers =
        [(order_number, order), (order_item_number, item), (shipment_number, shipment), (EDIT, "true")];
    parts::address(&["returns", "replay"], &numbers)
}

/// The fields: what the interface for programs calls them.
fn names() -> [&'static str; 3] {
    [parcel::Field::OrderNumber, parcel::Field::OrderItemNumber, parcel::Field::ShipmentNumber]
        .map(parcel::Field::name)
}

/// `GET /returns/replay`
pub(crate) async fn ask(visit: Visit) -> Result<Reply, Error> {
    let reader = visit.reader();
    let query = visit.query();
    let is_given = names().into_iter().any(|name| query.get(name).is_some());
    if !is_given || query.only(EDIT)? {
        return Ok(Reply::Page(form_view(reader, query, &[])));
    }
    Ok(Reply::Page(match read(query)? {
        Ok(numbers) => {
            let plan = plan(&numbers).await?;
            plan_view(reader, &numbers, &plan)
        }
        Err(wrong) => form_view(reader, query, &wrong),
    }))
}

/// `POST /returns/replay`
pub(crate) async fn replay(visit: Visit) -> Result<Reply, Error> {
    let numbers = match read(visit.form())? {
        Ok(numbers) => numbers,
        Err(wrong) => return Ok(Reply::Page(form_view(visit.reader(), visit.form(), &wrong))),
    };
    let parcel = Parcel {
        order_number: numbers.order_number,
        order_item_number: numbers.order_item_number,
        shipment_number: numbers.shipment_number,
        partner_ref: None,
    };
    let wish = Wish { parcel, operator: visit.operator(), at: visit.now_ms() };
    let (entry, notice) = match follow(wish).await? {
        Replaying::Begun(entry) => (entry, Notice::ReturnBegun),
        Replaying::Resumed(entry) => (entry, Notice::ReturnFollowed),
        Replaying::Over(entry) => (entry, Notice::ReturnOver),
    };
    Ok(Reply::Done(page_of(&entry), notice))
}

/// The numbers that were given, by the rules of the interface for programs; or the fields that are at fault.
fn read(typed: &Query) -> Result<Result<ReplayAttribute, Vec<&'static str>>, Error> {
    let numbers: serde_json::Map<_, _> = names()
        .into_iter()
        .map(|name| (name.to_owned(), typed.get(name).unwrap_or_default().into()))
        .collect();
    let event = json!({"body": {"Attribute": numbers}}).to_string();
    match ReplayRequest::decode(event.as_bytes()) {
        Ok(request) => Ok(Ok(request.body.attribute)),
        Err(Invalid::Faulty(faults)) => Ok(Err(names()
            .into_iter()
            .filter(|name| faults.iter().any(|fault| fault.pointer.rsplit('/').next() == Some(name)))
            .collect())),
        Err(invalid) => Err(invalid.into()),
    }
}

/// What will happen, as things stand.
async fn plan(numbers: &ReplayAttribute) -> Result<Plan, Error> {
    let page = types::Page { limit: LIMIT_MAX, after: None };
    let of_order = returns::list(Filter::ByOrderNumber(numbers.order_number.clone()), page).await?;
    let known = of_order.into_iter().find(|entry| entry.order_item_number == numbers.order_item_number);
    Ok(match known {
        None => Plan::Begin,
        Some(entry) => match entry.status {
            Status::Collected if entry.shipment_number == numbers.shipment_number => Plan::Look,
            Status::Collected => Plan::Renumber(entry),
            Status::Delivered => Plan::Report(entry),
            Status::Reported => Plan::Over(entry),
        },
    })
}

fn labels(words: &Words) -> [(&'static str, &'static str); 3] {
    let [order, item, shipment] = names();
    let words = &words.returns;
    [(order, words.order_number), (item, words.item_number), (shipment, words.shipment_number)]
}

fn form_view(reader: &Reader, typed: &Query, wrong: &[&str]) -> View {
    let words = reader.words;
    let ours = &words.returns;
    let at_fault = labels(words).into_iter().filter(|(name, _)| wrong.contains(name));
    let says: Vec<_> = at_fault.map(|(_, label)| html! { (label) ": " (ours.bad_number) }).collect();
    let body = html! {
        (parts::wrongs(words.shared.faulty, &says))
        form class="confirmation" method="get" action="/returns/replay" {
            p { (ours.replay.lead) }
            @for (name, label) in labels(words) {
                (parts::field(&Field {
                    name, label, value: typed.get(name).unwrap_or_default(), required: true, wrong: wrong.contains(&name),
                    number: false, characters_max: NUMBER_CHARACTERS_MAX,
                }))
            }
            div class="actions" {
                button type="submit" { (ours.replay.go_on) }
                a href="/returns" { (words.shared.cancel) }
            }
        }
    };
    let status = if wrong.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    View::new(Section::Returns, ours.replay.title, body).status(status)
}

fn plan_view(reader: &Reader, numbers: &ReplayAttribute, plan: &Plan) -> View {
    let words = reader.words;
    let ours = &words.returns.replay;
    let back = form_address(&numbers.order_number, &numbers.order_item_number, &numbers.shipment_number);
    let body = if let Plan::Over(entry) = plan {
        html! {
            div class="empty" {
                p { strong { (ours.is_over) } }
                (parts::ways(&[(page_of(entry), words.returns.to_return)]))
            }
        }
    } else {
        parts::confirmation(
            reader,
            &Confirmation {
                action: "/returns/replay",
                says: html! { (says(words, numbers, plan)) (chosen(words, numbers)) },
                fields: hidden(numbers),
                reason: None,
                reason_given: "",
                button: ours.button,
                danger: false,
                back: &back,
            },
        )
    };
    View::new(Section::Returns, ours.title, body)
}

fn says(words: &Words, numbers: &ReplayAttribute, plan: &Plan) -> Markup {
    let ours = &words.returns.replay;
    html! {
        @match plan {
            Plan::Begin => { p { (ours.begins) } p { (ours.begins_so) } }
            Plan::Look => { p { (ours.is_looked_at) } p { (ours.dead_letter) } }
            Plan::Renumber(entry) => {
                p { ((ours.is_renumbered)(parts::named(&entry.shipment_number), parts::named(&numbers.shipment_number))) }
                p { (ours.dead_letter) }
            }
            Plan::Report(entry) => {
                p { (ours.is_to_be_reported) }
                @if entry.shipment_number != numbers.shipment_number {
                    p { ((ours.keeps_its_number)(parts::named(&entry.shipment_number))) }
                }
                p { (ours.dead_letter) }
            }
            Plan::Over(_) => { p { (ours.is_over) } }
        }
    }
}

fn chosen(words: &Words, numbers: &ReplayAttribute) -> Markup {
    let [order, item, shipment] = values(numbers);
    let words = &words.returns;
    parts::facts(&[
        (words.order_number, parts::named(order)),
        (words.item_number, parts::named(item)),
        (words.shipment_number, parts::named(shipment)),
    ])
}

fn hidden(numbers: &ReplayAttribute) -> Markup {
    html! { @for (name, value) in names().into_iter().zip(values(numbers)) { (parts::hidden(name, value)) } }
}

fn values(numbers: &ReplayAttribute) -> [&str; 3] {
    [&numbers.order_number, &numbers.order_item_number, &numbers.shipment_number]
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    let numbers = ReplayAttribute {
        shipment_number: "SHP_1".to_owned(),
        order_number: hostile.to_owned(),
        order_item_number: hostile.to_owned(),
    };
    let entry = |status| super::sample(status, returns::Goods::Pending, reader.now_ms, hostile).entry;
    let address = form_address(hostile, hostile, hostile);
    let typed = Query::parse(address.split_once('?').map(|(_, query)| query));
    let mut views = vec![form_view(reader, &Query::default(), &[]), form_view(reader, &typed, &names())];
    for plan in [
        Plan::Begin,
        Plan::Look,
        Plan::Renumber(entry(Status::Collected)),
        Plan::Report(entry(Status::Delivered)),
        Plan::Over(entry(Status::Reported)),
    ] {
        views.push(plan_view(reader, &numbers, &plan));
    }
    views
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_by_the_rules_of_the_interface_for_programs() {
        let numbers = |query| read(&Query::parse(Some(query))).map_err(|_| "not faults of fields");
        let read = numbers("order_number=+1234&order_item_number=%EB%B6%80&shipment_number=SHP+1")
            .expect("an answer");
        let read = read.expect("numbers");
        assert_eq!(values(&read), ["1234", "부", "SHP 1"]);
        let faults = numbers("order_number=%00&order_item_number=1").expect("an answer");
        assert_eq!(faults, Err(vec!["order_number", "shipment_number"]));
    }

    #[test]
    fn the_form_of_a_return_holds_its_numbers() {
        let address = form_address("a&b", "부 1", "SHP?");
        let query = Query::parse(address.split_once('?').map(|(_, query)| query));
        assert_eq!(names().map(|name| query.get(name)), [Some("a&b"), Some("부 1"), Some("SHP?")]);
        assert_eq!(query.only(EDIT), Ok(true));
    }
}

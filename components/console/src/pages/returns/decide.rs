//! What an operator decides of goods that are back: they are received, or discarded. Each is asked for first and done then, by the code
//! that serves programs.

use super::{absent_view, history, page_of};
use crate::pages::parts::{self, Confirmation, Field};
use crate::pages::words::Words;
use crate::pages::{Notice, Reader, Reply, Section, View, Visit};
use crate::returns::put_on_shelf;
use http::StatusCode;
use maud::{Markup, html};
use restock_api::Invalid;
use restock_api::query::Query;
use restock_api::returns::{DiscardRequest, ReceiveRequest};
use restock_bindings::returns::{self, Decision, Goods, History, Return, Settling};
use restock_domain::name::IDENTIFIER_CHARACTERS_MAX;
use restock_edge::Error;
use serde_json::{Map, Value};

/// The fields of the forms. They are called what the interface for programs calls them, whose rules they are read by.
const SKU: &str = "sku";
const QUANTITY: &str = "quantity";
const REASON: &str = "reason";
/// The most digits of a number of units that can be typed.
const QUANTITY_DIGITS_MAX: usize = 6;

/// What stands in the form.
#[derive(Debug, Default)]
struct Typed {
    sku: String,
    quantity: String,
    reason: String,
}

/// Why goods are not received as the form says.
struct Refusal {
    status: StatusCode,
    says: Vec<Markup>,
    /// The fields that are at fault.
    fields: Vec<&'static str>,
}

/// Whether there is something to decide.
pub(super) fn is_open(goods: Goods) -> bool {
    matches!(goods, Goods::Waiting | Goods::Left | Goods::NotOurs)
}

/// `GET /returns/{id}/receive`
pub(crate) async fn ask_receive(visit: Visit) -> Result<Reply, Error> {
    let reader = visit.reader();
    Ok(Reply::Page(match history(&visit).await? {
        None => absent_view(reader, visit.value()),
        Some(history) if !is_open(history.entry.goods) => closed_view(reader, &history.entry),
        Some(history) => receive_view(reader, &history, &Typed::matching(&history), None),
    }))
}

/// `POST /returns/{id}/receive`
pub(crate) async fn receive(visit: Visit) -> Result<Reply, Error> {
    let reader = visit.reader();
    let Some(history) = history(&visit).await? else {
        return Ok(Reply::Page(absent_view(reader, visit.value())));
    };
    let typed = Typed::read(visit.form());
    let again = |refusal| Reply::Page(receive_view(reader, &history, &typed, Some(refusal)));
    let request = match ReceiveRequest::decode(&document(visit.form(), &[SKU, QUANTITY, REASON])) {
        Ok(request) => request,
        Err(invalid) => return Ok(again(unreadable(reader.words, invalid)?)),
    };
    let settling = put_on_shelf(decision(&visit, request.reason.clone()), request).await?;
    Ok(match refusal(reader.words, &settling) {
        Some(refusal) => again(refusal),
        None => settled(reader, &visit, settling, Notice::ReturnReceived),
    })
}

/// `GET /returns/{id}/discard`
pub(crate) async fn ask_discard(visit: Visit) -> Result<Reply, Error> {
    let reader = visit.reader();
    Ok(Reply::Page(match history(&visit).await? {
        None => absent_view(reader, visit.value()),
        Some(history) if !is_open(history.entry.goods) => closed_view(reader, &history.entry),
        Some(history) => discard_view(reader, &history.entry, "", None),
    }))
}

/// `POST /returns/{id}/discard`
pub(crate) async fn discard(visit: Visit) -> Result<Reply, Error> {
    let reader = visit.reader();
    let Some(history) = history(&visit).await? else {
        return Ok(Reply::Page(absent_view(reader, visit.value())));
    };
    let request = match DiscardRequest::decode(&document(visit.form(), &[REASON])) {
        Ok(request) => request,
        Err(invalid) => {
            let refusal = unreadable(reader.words, invalid)?;
            let reason = visit.form().get(REASON).unwrap_or_default();
            return Ok(Reply::Page(discard_view(reader, &history.entry, reason, Some(refusal))));
        }
    };
    let settling = returns::discard(decision(&visit, request.reason)).await?;
    Ok(settled(reader, &visit, settling, Notice::ReturnDiscarded))
}

fn decision(visit: &Visit, reason: Option<String>) -> Decision {
    Decision {
        return_id: visit.value().to_owned(),
        reason: reason.unwrap_or_default(),
        operator: visit.operator(),
        at: visit.now_ms(),
    }
}

impl Typed {
    /// What the return would bring, so that what is agreed to is what stands there.
    fn matching(history: &History) -> Self {
        match &history.item {
            Some(item) => {
                Self { sku: item.sku.clone(), quantity: item.quantity.to_string(), reason: String::new() }
            }
            None => Self::default(),
        }
    }

    fn read(form: &Query) -> Self {
        let field = |name| form.get(name).unwrap_or_default().to_owned();
        Self { sku: field(SKU), quantity: field(QUANTITY), reason: field(REASON) }
    }
}

/// The form as the document that a program would send.
fn document(form: &Query, fields: &[&str]) -> Vec<u8> {
    let mut document = Map::new();
    for name in fields {
        let Some(text) = form.get(name).map(str::trim).filter(|text| !text.is_empty()) else { continue };
        let number = (*name == QUANTITY).then(|| text.parse::<i64>().ok()).flatten();
        document.insert((*name).to_owned(), number.map_or_else(|| text.into(), Value::from));
    }
    Value::Object(document).to_string().into_bytes()
}

/// What is wrong with what was typed.
fn unreadable(words: &Words, invalid: Invalid) -> Result<Refusal, Error> {
    let Invalid::Faulty(faults) = invalid else { return Err(invalid.into()) };
    let words = &words.returns.decide;
    let mut refusal =
        Refusal { status: StatusCode::UNPROCESSABLE_ENTITY, says: Vec::new(), fields: Vec::new() };
    for fault in faults {
        let (field, says) = match fault.pointer.trim_start_matches('/') {
            SKU => (SKU, words.bad_sku),
            QUANTITY => (QUANTITY, words.bad_quantity),
            _ => (REASON, words.bad_reason),
        };
        refusal.says.push(html! { (says) });
        refusal.fields.push(field);
    }
    Ok(refusal)
}

/// Why what was typed cannot be received, where it is that which has to be changed.
fn refusal(words: &Words, settling: &Settling) -> Option<Refusal> {
    let words = &words.returns.decide;
    let (status, says, fields) = match settling {
        Settling::NothingMatches(_) => {
            (StatusCode::CONFLICT, html! { (words.name_them) }, vec![SKU, QUANTITY])
        }
        Settling::TooMany(left) => (
            StatusCode::CONFLICT,
            (words.too_many)(left.unsigned_abs(), parts::number(*left)),
            vec![QUANTITY],
        ),
        Settling::QuantityNeeded => {
            (StatusCode::UNPROCESSABLE_ENTITY, html! { (words.quantity_needed) }, vec![QUANTITY])
        }
        Settling::UnknownSku => (StatusCode::UNPROCESSABLE_ENTITY, html! { (words.unknown_sku) }, vec![SKU]),
        _ => return None,
    };
    Some(Refusal { status, says: vec![says], fields })
}

fn settled(reader: &Reader, visit: &Visit, settling: Settling, notice: Notice) -> Reply {
    match settling {
        Settling::Settled(entry) | Settling::Repeated(entry) => Reply::Done(page_of(&entry), notice),
        Settling::Otherwise(entry) | Settling::TooEarly(entry) | Settling::NothingMatches(entry) => {
            Reply::Page(closed_view(reader, &entry))
        }
        Settling::UnknownReturn | Settling::TooMany(_) | Settling::QuantityNeeded | Settling::UnknownSku => {
            Reply::Page(absent_view(reader, visit.value()))
        }
    }
}

/// There is nothing to decide, or not yet.
fn closed_view(reader: &Reader, entry: &Return) -> View {
    let words = &reader.words.returns;
    let says = match entry.goods {
        Goods::Received => words.decide.received_before,
        Goods::Discarded => words.decide.discarded_before,
        _ => words.decide.too_early,
    };
    let body = html! { (parts::wrong(says)) (parts::ways(&[(page_of(entry), words.to_return)])) };
    View::new(Section::Returns, words.decide.heading, body).status(StatusCode::CONFLICT)
}

/// What is wrong, above the form, and the status that says so.
fn faulty(reader: &Reader, refusal: Option<&Refusal>) -> (Markup, StatusCode) {
    match refusal {
        Some(refusal) => (parts::wrongs(reader.words.shared.faulty, &refusal.says), refusal.status),
        None => (html! {}, StatusCode::OK),
    }
}

fn receive_view(reader: &Reader, history: &History, typed: &Typed, refusal: Option<Refusal>) -> View {
    let words = reader.words;
    let ours = &words.returns.decide;
    let entry = &history.entry;
    let (above, status) = faulty(reader, refusal.as_ref());
    let is_wrong = |field| refusal.as_ref().is_some_and(|refusal| refusal.fields.contains(&field));
    let is_named = history.item.is_none();
    let body = html! {
        (above)
        (parts::confirmation(reader, &Confirmation {
            action: &parts::address(&["returns", &entry.id, "receive"], &[]),
            says: html! {
                @match &history.item {
                    Some(item) => { p { ((ours.will_receive)(parts::units(words, item.quantity), parts::code(&item.sku))) } }
                    None => { p { (ours.will_receive_named) } }
                }
                p { (ours.fills_first) }
                (numbers(words, entry))
            },
            fields: html! {
                (parts::field(&Field {
                    name: SKU, label: ours.sku, value: &typed.sku, required: is_named, wrong: is_wrong(SKU), number: false,
                    characters_max: IDENTIFIER_CHARACTERS_MAX,
                }))
                (parts::field(&Field {
                    name: QUANTITY, label: ours.quantity, value: &typed.quantity, required: is_named, wrong: is_wrong(QUANTITY),
                    number: true, characters_max: QUANTITY_DIGITS_MAX,
                }))
            },
            reason: Some(false),
            reason_given: &typed.reason,
            button: ours.receive_button,
            danger: false,
            back: &page_of(entry),
        }))
    };
    View::new(Section::Returns, ours.receive_button, body).status(status)
}

fn discard_view(reader: &Reader, entry: &Return, reason: &str, refusal: Option<Refusal>) -> View {
    let ours = &reader.words.returns.decide;
    let (above, status) = faulty(reader, refusal.as_ref());
    let body = html! {
        (above)
        (parts::confirmation(reader, &Confirmation {
            action: &parts::address(&["returns", &entry.id, "discard"], &[]),
            says: html! {
                p { (ours.will_discard) " " strong { (ours.for_good) } }
                (numbers(reader.words, entry))
            },
            fields: html! {},
            reason: Some(false),
            reason_given: reason,
            button: ours.discard_button,
            danger: true,
            back: &page_of(entry),
        }))
    };
    View::new(Section::Returns, ours.discard_button, body).status(status)
}

/// Which return it is about.
fn numbers(words: &Words, entry: &Return) -> Markup {
    let ours = &words.returns;
    parts::facts(&[
        (ours.order_number, parts::named(&entry.order_number)),
        (ours.item_number, parts::named(&entry.order_item_number)),
        (ours.shipment_number, parts::named(&entry.shipment_number)),
    ])
}

#[cfg(test)]
pub(super) fn samples(reader: &Reader, hostile: &str) -> Vec<View> {
    let mut views = Vec::new();
    for (status, goods) in super::STATES {
        let history = super::sample(status, goods, reader.now_ms, hostile);
        let entry = history.entry.clone();
        if !is_open(goods) {
            views.push(closed_view(reader, &entry));
            continue;
        }
        views.push(receive_view(reader, &history, &Typed::matching(&history), None));
        views.push(discard_view(reader, &entry, hostile, None));
        let typed = || Typed { sku: hostile.into(), quantity: hostile.into(), reason: hostile.into() };
        for settling in [
            Settling::NothingMatches(entry.clone()),
            Settling::TooMany(0),
            Settling::TooMany(2),
            Settling::QuantityNeeded,
            Settling::UnknownSku,
        ] {
            views.push(receive_view(reader, &history, &typed(), refusal(reader.words, &settling)));
        }
    }
    views
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::ENGLISH;

    fn read(form: &str) -> Result<ReceiveRequest, Invalid> {
        ReceiveRequest::decode(&document(&Query::parse(Some(form)), &[SKU, QUANTITY, REASON]))
    }

    #[test]
    fn a_form_is_read_by_the_rules_of_the_interface_for_programs() {
        let request = read("sku=+CP-1+&quantity=3&reason=one+is+broken&form_token=x").expect("a request");
        let expected = ReceiveRequest {
            sku: Some("CP-1".into()),
            quantity: Some(3),
            reason: Some("one is broken".into()),
        };
        assert_eq!(request, expected);
        assert_eq!(read("sku=&quantity=++&reason="), Ok(ReceiveRequest::default()));
    }

    #[test]
    fn every_fault_of_a_form_is_told_with_its_field() {
        let invalid = read("sku=a/b&quantity=1.5&reason=%00").expect_err("faults");
        let Ok(refusal) = unreadable(&ENGLISH, invalid) else { panic!("these are faults of fields") };
        assert_eq!(refusal.fields, [SKU, QUANTITY, REASON]);
        assert_eq!(refusal.says.len(), 3);
        for wrong in ["quantity=0", "quantity=10001", "quantity=-1", "quantity=two"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}

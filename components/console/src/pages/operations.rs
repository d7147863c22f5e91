//! What operators did.

mod partners;

pub(crate) use partners::list as partners;

use super::parts::{self, Column, Rows, Table};
use super::words::Words;
use super::{Reader, Reply, Section, View, Visit, messages};
use maud::{Markup, html};
use restock_bindings::ops::{self, OperatorAction};
use restock_bindings::types::{self, Money};
use restock_edge::Error;
use serde_json::{Map, Value};

/// `GET /operations`
pub(crate) async fn list(visit: Visit) -> Result<Reply, Error> {
    let page = visit.page()?;
    let is_first = page.after.is_none();
    let actions = ops::actions(types::Page { limit: page.limit, after: page.after }).await?;
    let rows = Rows::of(actions, page.limit, |action| action.cursor.clone(), |action| action);
    Ok(Reply::Page(view(visit.reader(), &rows, is_first)))
}

fn view(reader: &Reader, rows: &Rows<OperatorAction>, is_first: bool) -> View {
    let words = reader.words;
    let said = &words.operations;
    let mut table = Table::new(
        said.caption,
        [
            Column::text(said.when),
            Column::text(said.who),
            Column::text(said.what),
            Column::text(said.subject),
            Column::wide(said.detail),
            Column::text(said.reason),
        ],
    );
    for action in &rows.items {
        let reason = match action.reason.as_str() {
            "" => html! { small { (said.no_reason) } },
            reason => parts::named(reason),
        };
        table.row(
            &action.cursor,
            [
                parts::moment(action.at),
                parts::code(&action.operator),
                html! { div { (said.kind(&action.kind)) br; small { (action.kind) } } },
                subject(action),
                html! { div { (detail(words, action)) } },
                reason,
            ],
        );
    }
    let body = html! {
        p { (said.lead) }
        section class="panel" {
            (table.or(parts::empty(said.none, html! { (said.none_next) })))
            (parts::pager(words, rows, is_first, |cursor| {
                parts::address(&["operations"], &[("cursor", cursor.unwrap_or_default())])
            }))
        }
    };
    View::new(Section::Operations, said.title, body).live()
}

/// What it was done to, with the way there.
fn subject(action: &OperatorAction) -> Markup {
    let name = parts::named(&action.subject);
    let area = action.kind.split('.').next().unwrap_or_default();
    let section = match area {
        "queue" => "queues",
        "stock" | "product" => "products",
        "return" => "returns",
        _ => return name,
    };
    html! { a href=(parts::address(&[section, &action.subject], &[])) { (name) } }
}

/// What was changed, as people say it: every value under the name of its field, and what belongs together beside each other.
fn detail(words: &Words, action: &OperatorAction) -> Markup {
    let said = &words.operations;
    let Ok(Value::Object(fields)) = serde_json::from_str(&action.detail) else {
        return html! { pre { (action.detail) } };
    };
    match action.kind.as_str() {
        // That it was done is all there is.
        "queue.pause" | "queue.resume" => html! {},
        "queue.redrive" | "queue.purge" => letters(words, &fields),
        "stock.adjust" => match (integer(&fields, "delta"), integer(&fields, "on_hand")) {
            (Some(delta), Some(after)) => (said.adjusted)(signed(delta), parts::number(after)),
            _ => every(words, &fields),
        },
        _ => every(words, &fields),
    }
}

fn integer(fields: &Map<String, Value>, name: &str) -> Option<i64> {
    fields.get(name)?.as_i64()
}

fn signed(delta: i64) -> Markup {
    html! { @if delta > 0 { "+" } (parts::number(delta)) }
}

/// How many dead letters, and the first of them.
fn letters(words: &Words, fields: &Map<String, Value>) -> Markup {
    let said = &words.operations;
    let affected = fields.get("affected").and_then(Value::as_u64).unwrap_or_default();
    let messages: Vec<&str> = fields
        .get("messages")
        .and_then(Value::as_array)
        .map(|messages| messages.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    html! {
        ((said.affected)(affected, parts::number(affected)))
        @if !messages.is_empty() {
            details {
                summary { (said.first_messages) }
                ul { @for id in messages { li { a href=(messages::path_to(id)) { (parts::short_id(id)) } } } }
            }
        }
    }
}

/// Every field that has a value, by its name. An amount and its currency are one value.
fn every(words: &Words, fields: &Map<String, Value>) -> Markup {
    let said = &words.operations;
    let price = integer(fields, "price_amount")
        .zip(fields.get("price_currency").and_then(Value::as_str))
        .map(|(amount, currency)| Money { amount, currency: currency.to_owned() });
    html! {
        dl class="facts" {
            @if let Some(price) = &price { div { dt { (said.price) } dd { (parts::money(price)) } } }
            @for (name, value) in fields {
                @if !(value.is_null() || price.is_some() && matches!(name.as_str(), "price_amount" | "price_currency")) {
                    div { dt { (said.field(name)) } dd { (written(words, value)) } }
                }
            }
        }
    }
}

fn written(words: &Words, value: &Value) -> Markup {
    match value {
        Value::Null => html! {},
        Value::Bool(true) => html! { (words.shared.yes) },
        Value::Bool(false) => html! { (words.shared.no) },
        Value::String(text) => parts::named(text),
        Value::Number(number) => match number.as_i64() {
            Some(number) => parts::number(number),
            None => html! { (number) },
        },
        Value::Array(_) | Value::Object(_) => html! { pre { (value) } },
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use serde_json::json;

    pub(super) fn action(kind: &str, detail: &str, hostile: &str) -> OperatorAction {
        OperatorAction {
            kind: kind.to_owned(),
            subject: hostile.to_owned(),
            detail: detail.to_owned(),
            reason: if kind.starts_with("queue") { hostile.to_owned() } else { String::new() },
            operator: "0123456789ab".to_owned(),
            at: 1_795_000_000_000,
            cursor: kind.to_owned(),
        }
    }

    /// Every kind of action, and one that this program does not know.
    pub(crate) fn views(reader: &Reader, hostile: &str) -> Vec<View> {
        let details = [
            ("queue.pause", json!({"affected": 0, "messages": []})),
            ("queue.purge", json!({"affected": 1, "messages": [hostile]})),
            ("queue.redrive", json!({"affected": 12})),
            ("stock.adjust", json!({"delta": 5, "on_hand": 12})),
            ("stock.adjust", json!({"delta": hostile})),
            ("product.create", json!({"name": hostile, "price_amount": 19_900, "price_currency": "KRW"})),
            ("factory.change", json!({"name": hostile, "url": null, "x": 1.5, "y": [hostile], "z": true})),
            ("return.replay", json!({"order_number": hostile, "outcome": "resumed"})),
        ];
        let mut items: Vec<_> = details
            .into_iter()
            .enumerate()
            .map(|(n, (kind, detail))| {
                let mut action = action(kind, &detail.to_string(), hostile);
                action.cursor = n.to_string();
                action
            })
            .collect();
        items.push(action(hostile, hostile, hostile));
        let rows = Rows { items, next_cursor: Some("61".to_owned()) };
        let mut views = vec![view(reader, &Rows::whole(Vec::new()), true), view(reader, &rows, false)];
        views.extend(partners::samples(reader, hostile));
        views
    }
}

#[cfg(test)]
mod tests {
    use super::samples::action;
    use super::*;
    use crate::pages::words::{ENGLISH, KOREAN};

    fn told(words: &Words, kind: &str, json: &str) -> String {
        let text = detail(words, &action(kind, json, "x")).into_string();
        let untagged = text.split('<').filter_map(|piece| piece.split_once('>')).map(|(_, text)| text);
        let words: String = untagged.collect::<Vec<_>>().join(" ");
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn details_are_told_in_words_and_not_in_the_names_of_columns() {
        let product = r#"{"name":"도너츠","price_amount":1990,"price_currency":"EUR","reorder_point":3,"policy":"auto"}"#;
        assert_eq!(
            told(&ENGLISH, "product.change", product),
            "Price EUR 19.90 Name 도너츠 Policy auto Reorder point 3"
        );
        assert!(told(&KOREAN, "product.change", product).contains("재주문점 3"));
        assert_eq!(told(&ENGLISH, "queue.pause", r#"{"affected":0,"messages":[]}"#), "");
        assert!(told(&ENGLISH, "queue.purge", r#"{"affected":2,"messages":["a"]}"#).contains("messages"));
    }

    #[test]
    fn a_kind_and_a_field_that_are_new_are_shown_by_their_own_names() {
        assert_eq!(ENGLISH.operations.kind("queue.drain"), "queue.drain");
        assert_eq!(told(&ENGLISH, "queue.drain", r#"{"colour":"red"}"#), "colour red");
    }
}

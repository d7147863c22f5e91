//! One message: what it says, where it came from, and every attempt at it.

use super::parts::{self, Column, Table, Tone};
use super::words::Words;
use super::{Reader, Reply, Section, View, Visit, queues};
use crate::queues::{event, find_message};
use maud::{Markup, html};
use restock_bindings::queue::{Event, Message, MessageState};
use restock_edge::Error;
use serde_json::Value;

/// `GET /messages/{id}`
pub(crate) async fn show(visit: Visit) -> Result<Reply, Error> {
    let message = find_message(visit.value()).await?;
    Ok(Reply::Page(view(visit.reader(), &message)))
}

/// The address of a message.
pub(super) fn path_to(id: &str) -> String {
    parts::address(&["messages", id], &[])
}

/// The state of a message.
pub(super) fn badge(words: &Words, state: MessageState) -> Markup {
    let tone = match state {
        MessageState::Ready | MessageState::Leased => Tone::Busy,
        MessageState::Done => Tone::Good,
        MessageState::Buried => Tone::Bad,
        MessageState::Purged => Tone::Plain,
    };
    parts::badge(tone, words.messages.state_of(state).0)
}

fn view(reader: &Reader, message: &Message) -> View {
    let words = reader.words;
    let said = &words.messages;
    let (_, means) = said.state_of(message.state);
    let body = html! {
        section class="panel" {
            header { p { (badge(words, message.state)) " " (means) } }
            (facts(reader, message))
            @if !message.reason.is_empty() || !message.error.is_empty() {
                p {
                    strong { (said.failure) } " "
                    @if !message.reason.is_empty() { (parts::code(&message.reason)) " " }
                    (parts::named(&message.error))
                }
                @if message.state == MessageState::Buried {
                    @if let Some(advice) = words.advice.on(&message.reason) { p class="aside" { (advice) } }
                }
            }
            @if reader.operator && message.state == MessageState::Buried {
                @let deed = |deed| parts::address(&["queues", &message.queue, deed], &[("ids", &message.id)]);
                div class="actions" {
                    a href=(deed("redrive")) { (said.redrive) }
                    a href=(deed("purge")) { (said.purge) }
                }
            }
        }
        section class="panel" {
            header { h2 { (said.attempts) } }
            (attempts(reader, message))
        }
        section class="panel" {
            header { h2 { (said.event) } p class="aside" { ((said.event_lead)(parts::code(&message.event.kind))) } }
            (said_by(words, &message.event))
        }
    };
    let title = format!("{} {}", message.event.kind, message.event.subject);
    View::new(Section::Queues, title, body).live()
}

fn facts(reader: &Reader, message: &Message) -> Markup {
    let words = reader.words;
    let said = &words.messages;
    let mut facts = vec![
        (said.queue, html! { a href=(queues::path_to(&message.queue)) { (message.queue) } }),
        (said.id, parts::code(&message.id)),
        (said.published, parts::moment(message.created_at)),
    ];
    if message.state == MessageState::Ready {
        facts.push((said.next_due, parts::due(words, message.available_at, reader.now_ms)));
    }
    if let Some(settled_at) = message.settled_at {
        facts.push((said.settled, parts::moment(settled_at)));
    }
    facts.push((said.attempts_so_far, parts::number(message.attempt)));
    facts.push((said.redriven, parts::number(message.redrives)));
    parts::facts(&facts)
}

fn attempts(reader: &Reader, message: &Message) -> Markup {
    let words = reader.words;
    let said = &words.messages;
    let mut table = Table::new(
        said.attempts_caption,
        [
            Column::text(said.started),
            Column::number(said.took),
            Column::text(said.outcome),
            Column::text(said.failure),
            Column::wide(said.error),
        ],
    );
    for attempt in message.attempts.iter().rev() {
        let tone = match attempt.outcome.as_str() {
            "done" => Tone::Good,
            "bury" => Tone::Bad,
            "postpone" => Tone::Plain,
            _ => Tone::Warn,
        };
        let failure = match attempt.reason.as_str() {
            "" => html! { (words.shared.none) },
            reason => parts::code(reason),
        };
        table.row(
            &format!("{}-{}", attempt.started_at, attempt.outcome),
            [
                parts::moment(attempt.started_at),
                parts::span(words, attempt.ended_at.saturating_sub(attempt.started_at)),
                parts::badge(tone, said.outcome_of(&attempt.outcome)),
                failure,
                parts::named(&attempt.error),
            ],
        );
    }
    table.or(parts::empty(said.no_attempts, html! { (said.no_attempts_next) }))
}

/// The event as CloudEvents, and the ways on from it.
fn said_by(words: &Words, about: &Event) -> Markup {
    let said = &words.messages;
    let data = serde_json::from_str::<Value>(&about.data).ok();
    let trace = parts::trace(about.traceparent.as_deref()).unwrap_or(html! { (said.no_trace) });
    let facts = [
        (said.kind, parts::code(&about.kind)),
        (said.subject, parts::named(&about.subject)),
        (said.time, parts::moment(about.time)),
        (said.source, parts::code(&about.source)),
        (said.trace, trace),
    ];
    let related = data.as_ref().map(|data| related(words, data)).unwrap_or_default();
    html! {
        (parts::facts(&facts))
        @if !related.is_empty() {
            h3 { (said.related) }
            ul { @for (name, link) in related { li { (name) " " (link) } } }
        }
        h3 { (said.data) }
        @if data.is_none() { p { (said.data_is_no_json) } }
        pre tabindex="0" aria-label=(said.data) dir="ltr" { (pretty(data.as_ref(), &about.data)) }
        details {
            summary { (said.whole_event) }
            pre tabindex="0" aria-label=(said.whole_event) dir="ltr" {
                (pretty(serde_json::to_value(event(about.clone())).ok().as_ref(), &about.data))
            }
        }
    }
}

/// JSON as people read it; the text as it is where it is none.
fn pretty(value: Option<&Value>, text: &str) -> String {
    value.and_then(|value| serde_json::to_string_pretty(value).ok()).unwrap_or_else(|| text.to_owned())
}

/// What the data of an event speaks of and has a page here.
fn related(words: &Words, data: &Value) -> Vec<(&'static str, Markup)> {
    let said = &words.messages;
    let pages = [
        ("sku", said.product, "products"),
        ("production_id", said.production, "production"),
        ("order_id", said.order, "orders"),
        ("customer_id", said.customer, "customers"),
        ("return_id", said.return_, "returns"),
        ("message_id", said.message, "messages"),
        ("queue", said.queue, "queues"),
    ];
    let found = pages.into_iter().filter_map(|(field, name, section)| {
        let id = data.get(field)?.as_str()?;
        Some((name, html! { a href=(parts::address(&[section, id], &[])) { (parts::named(id)) } }))
    });
    found.collect()
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use restock_bindings::queue::Attempt;

    /// A message in this state.
    pub(crate) fn message(state: MessageState, hostile: &str) -> Message {
        let outcomes = ["lease-expired", "retry", "postpone", "bury", "done", hostile];
        let attempt = |(n, outcome): (usize, &str)| Attempt {
            started_at: 1_795_000_000_000 + n as u64 * 1_000,
            ended_at: 1_795_000_000_183 + n as u64 * 1_000,
            outcome: outcome.to_owned(),
            reason: if outcome == "done" { String::new() } else { hostile.to_owned() },
            error: hostile.to_owned(),
        };
        Message {
            id: hostile.to_owned(),
            queue: hostile.to_owned(),
            state,
            event: Event {
                id: hostile.to_owned(),
                source: hostile.to_owned(),
                kind: hostile.to_owned(),
                subject: hostile.to_owned(),
                time: 1_795_000_000_000,
                data:
                    serde_json::json!({"sku": hostile, "production_id": hostile, "queue": 5, "text": hostile})
                        .to_string(),
                traceparent: Some(format!("00-{hostile}-00f067aa0ba902b7-00")),
            },
            attempt: 3,
            available_at: 1_795_300_060_000,
            redrives: 2,
            created_at: 1_795_000_000_000,
            settled_at: (state != MessageState::Ready).then_some(1_795_100_000_000),
            reason: hostile.to_owned(),
            error: hostile.to_owned(),
            attempts: outcomes.into_iter().enumerate().map(attempt).collect(),
            cursor: "1".to_owned(),
        }
    }

    /// A message in every state, and one that nobody tried, that is no JSON and that nothing is known of.
    pub(crate) fn views(reader: &Reader, hostile: &str) -> Vec<View> {
        let states = [
            MessageState::Ready,
            MessageState::Leased,
            MessageState::Done,
            MessageState::Buried,
            MessageState::Purged,
        ];
        let mut views: Vec<_> =
            states.into_iter().map(|state| view(reader, &message(state, hostile))).collect();
        let mut bare = message(MessageState::Ready, hostile);
        bare.attempts.clear();
        bare.event.data = hostile.to_owned();
        bare.event.traceparent = None;
        (bare.reason, bare.error) = (String::new(), String::new());
        views.push(view(reader, &bare));
        views
    }
}

#[cfg(test)]
mod tests {
    use super::samples::message;
    use super::*;
    use crate::pages::layout;
    use crate::pages::words::{ENGLISH, KOREAN};

    #[test]
    fn every_state_and_every_end_of_an_attempt_is_told_in_both_languages() {
        let states = [
            MessageState::Ready,
            MessageState::Leased,
            MessageState::Done,
            MessageState::Buried,
            MessageState::Purged,
        ];
        let mut told = Vec::new();
        for words in [&ENGLISH, &KOREAN] {
            let reader = Reader {
                words,
                operator: true,
                fingerprint: String::new(),
                form_token: String::new(),
                now_ms: 1_795_300_000_000,
                notice: None,
            };
            for state in states {
                let page = layout::document(&reader, &view(&reader, &message(state, "x"))).into_string();
                let (name, means) = words.messages.state_of(state);
                assert!(page.contains(&format!(">{name}<")) && page.contains(means), "{name}: {page}");
                let can_be_repaired = page.contains(words.messages.redrive);
                assert_eq!(can_be_repaired, state == MessageState::Buried, "{name}");
                told.extend([name, means]);
                for outcome in ["done", "retry", "postpone", "bury", "lease-expired"] {
                    let said = words.messages.outcome_of(outcome);
                    assert!(page.contains(&format!(">{said}<")), "{outcome}: {page}");
                }
            }
        }
        told.sort_unstable();
        told.dedup();
        assert_eq!(told.len(), 2 * 2 * states.len(), "each in words of its own");
    }

    #[test]
    fn what_a_message_speaks_of_is_one_step_away() {
        let data =
            serde_json::json!({"sku": "CP/1", "production_id": "p-1", "order_id": null, "quantity": 3});
        let links: Vec<_> =
            related(&ENGLISH, &data).into_iter().map(|(_, link)| link.into_string()).collect();
        assert_eq!(links.len(), 2, "{links:?}");
        assert!(
            links[0].contains("/products/CP%2F1\"") && links[1].contains("/production/p-1\""),
            "{links:?}"
        );
        assert!(related(&ENGLISH, &Value::String("sku".to_owned())).is_empty());
    }

    #[test]
    fn data_that_is_no_json_is_shown_as_it_is() {
        assert_eq!(pretty(None, "{not json"), "{not json");
        assert_eq!(pretty(Some(&serde_json::json!({"a": 1})), "{}"), "{\n  \"a\": 1\n}");
    }
}

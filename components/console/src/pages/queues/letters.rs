//! The dead letters of a queue: by kind of failure, and one by one with a box to select each.

use crate::pages::Reader;
use crate::pages::messages;
use crate::pages::parts::{self, Column, Rows, Table};
use maud::{Markup, html};
use restock_bindings::queue::{BuriedGroup, Message};

/// The dead letters that a page shows.
pub(super) struct Letters<'a> {
    pub(super) queue: &'a str,
    /// All of them by kind of failure.
    pub(super) groups: Vec<BuriedGroup>,
    /// One page of them.
    pub(super) rows: Rows<Message>,
    /// The kind of failure that the page is narrowed to.
    pub(super) reason: Option<String>,
    pub(super) is_first: bool,
}

impl Letters<'_> {
    pub(super) fn markup(&self, reader: &Reader) -> Markup {
        let words = reader.words;
        let said = &words.queues;
        if self.groups.is_empty() && self.rows.items.is_empty() {
            return parts::empty(said.no_dead_letters, html! { (said.no_dead_letters_next) });
        }
        let all = self.address(&[]);
        html! {
            (self.groups(reader))
            @if let Some(reason) = &self.reason {
                p { ((said.only_of)(parts::code(reason))) " " a href=(all) { (words.shared.show_all) } }
            }
            @if self.rows.items.is_empty() {
                (parts::empty(said.none_of_this_kind, html! { a href=(all) { (words.shared.show_all) } }))
            } @else if reader.operator {
                form method="get" action=(self.deed("redrive", "", "")) {
                    (self.rows(reader))
                    div class="actions" {
                        button type="submit" { (said.redrive_selected) }
                        button class="danger" type="submit" formaction=(self.deed("purge", "", "")) { (said.purge_selected) }
                    }
                }
            } @else {
                (self.rows(reader))
            }
            (parts::pager(words, &self.rows, self.is_first, |cursor| {
                self.address(&[("reason", self.reason.as_deref().unwrap_or_default()), ("cursor", cursor.unwrap_or_default())])
            }))
        }
    }

    fn groups(&self, reader: &Reader) -> Markup {
        let words = reader.words;
        let said = &words.queues;
        let mut table = Table::new(
            said.by_reason,
            [
                Column::text(said.failure),
                Column::number(said.count),
                Column::text(said.oldest_letter),
                Column::text(said.newest_letter),
                Column::wide(said.newest_error),
            ],
        );
        for group in &self.groups {
            let failure = match group.reason.as_str() {
                "" => html! { (said.no_failure) },
                reason => html! { a href=(self.address(&[("reason", reason)])) { (parts::code(reason)) } },
            };
            let error = html! {
                div {
                    (parts::named(&group.error))
                    @if let Some(advice) = words.advice.on(&group.reason) { br; small { (advice) } }
                    @if reader.operator && !group.reason.is_empty() {
                        (self.deeds(said.redrive, said.purge, "failure", &group.reason))
                    }
                }
            };
            table.row(
                &group.reason,
                [
                    failure,
                    parts::number(group.count),
                    parts::since(words, group.oldest_at, reader.now_ms),
                    parts::since(words, group.newest_at, reader.now_ms),
                    error,
                ],
            );
        }
        html! {
            (table.markup())
            @if reader.operator { (self.deeds(said.redrive_all, said.purge_all, "all", "true")) }
        }
    }

    fn rows(&self, reader: &Reader) -> Markup {
        let words = reader.words;
        let said = &words.queues;
        let mut table = Table::new(
            said.letters,
            [
                Column::text(said.message),
                Column::text(said.about),
                Column::text(said.given_up),
                Column::text(said.attempts),
                Column::wide(said.failure),
            ],
        );
        for message in &self.rows.items {
            let about = format!("{} {}", message.event.kind, message.event.subject);
            let name = html! {
                @if reader.operator {
                    input type="checkbox" name="ids" value=(message.id) aria-label=((said.select)(&about));
                    " "
                }
                a href=(messages::path_to(&message.id)) { (parts::short_id(&message.id)) }
            };
            let settled = message.settled_at.unwrap_or(message.created_at);
            let attempts = html! {
                div {
                    (parts::number(message.attempt))
                    @if message.redrives > 0 {
                        br; small { ((said.redrives)(message.redrives.into(), parts::number(message.redrives))) }
                    }
                }
            };
            table.row(
                &message.id,
                [
                    name,
                    html! { div { (parts::named(&message.event.subject)) br; small { (message.event.kind) } } },
                    parts::since(words, settled, reader.now_ms),
                    attempts,
                    html! {
                        div {
                            @if !message.reason.is_empty() { (parts::code(&message.reason)) br; }
                            (parts::named(&message.error))
                        }
                    },
                ],
            );
        }
        table.markup()
    }

    fn address(&self, parameters: &[(&str, &str)]) -> String {
        parts::address(&["queues", self.queue], parameters)
    }

    /// The address of the confirmation before something is done to some of them.
    fn deed(&self, deed: &str, name: &str, value: &str) -> String {
        parts::address(&["queues", self.queue, deed], &[(name, value)])
    }

    fn deeds(&self, redrive: &str, purge: &str, name: &str, value: &str) -> Markup {
        html! {
            div class="actions" {
                a href=(self.deed("redrive", name, value)) { (redrive) }
                a href=(self.deed("purge", name, value)) { (purge) }
            }
        }
    }
}

//! Forms: searches, and the confirmations that stand before everything an operator does.

use super::lookup::FAULT;
use crate::pages::visit::{Reader, TOKEN_FIELD};
use crate::pages::words::Words;
use maud::{Markup, html};
use restock_domain::name::{self, REASON_CHARACTERS_MAX};

/// The hidden field that proves whose page a form is on. Every form that is posted has it.
pub(crate) fn form_token(reader: &Reader) -> Markup {
    hidden(TOKEN_FIELD, &reader.form_token)
}

/// A hidden field.
pub(crate) fn hidden(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// A search: one field that narrows a list. `id` is unique on the page.
pub(crate) fn search(words: &Words, action: &str, id: &str, name: &str, label: &str, value: &str) -> Markup {
    html! {
        form class="search" role="search" aria-label=(label) method="get" action=(action) {
            label for=(id) { (label) }
            input id=(id) name=(name) type="search" value=(value) maxlength="128" autocomplete="off" spellcheck="false";
            button type="submit" { (words.shared.find) }
            @if !value.is_empty() { a href=(action) { (words.shared.show_all) } }
        }
    }
}

/// What an operator is asked before something is done.
pub(crate) struct Confirmation<'a> {
    /// Where the form goes.
    pub(crate) action: &'a str,
    /// What will happen, in sentences, with the count of a dry run.
    pub(crate) says: Markup,
    /// What was chosen, as hidden fields or as fields with labels.
    pub(crate) fields: Markup,
    /// Whether a reason must be given; none where none is asked for.
    pub(crate) reason: Option<bool>,
    /// What was typed before, where the form comes back with a fault.
    pub(crate) reason_given: &'a str,
    /// The button that does it. A verb and its object.
    pub(crate) button: &'a str,
    /// It cannot be undone.
    pub(crate) danger: bool,
    /// The way back.
    pub(crate) back: &'a str,
}

/// Asks before something is done.
pub(crate) fn confirmation(reader: &Reader, asked: &Confirmation<'_>) -> Markup {
    let words = reader.words;
    html! {
        form class={ "confirmation" @if asked.danger { " danger" } } method="post" action=(asked.action) {
            (form_token(reader))
            div class="says" { (asked.says) }
            (asked.fields)
            @if let Some(required) = asked.reason {
                @let wrong = !is_reason(asked.reason_given, required);
                label for="reason" {
                    (words.shared.reason)
                    @if !required { " (" (words.shared.optional) ")" }
                }
                input id="reason" name="reason" type="text" maxlength=(REASON_CHARACTERS_MAX) required[required]
                    value=(asked.reason_given) aria-invalid=[wrong.then_some("true")]
                    aria-describedby={ @if wrong { (FAULT) " " } "reason-hint" } autofocus[wrong] autocomplete="off";
                p class="aside" id="reason-hint" { (words.shared.reason_hint) }
            }
            div class="actions" {
                button class=[asked.danger.then_some("danger")] type="submit" { (asked.button) }
                a href=(asked.back) { (words.shared.cancel) }
            }
        }
    }
}

/// Whether what was typed can be kept as a reason. Nothing was typed where a form is shown for the first time.
fn is_reason(given: &str, required: bool) -> bool {
    let words = given.trim();
    given.is_empty() || words.is_empty() && !required || name::is_text(words, REASON_CHARACTERS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::ENGLISH;

    fn form(reason_given: &str, required: bool) -> String {
        let reader = Reader {
            words: &ENGLISH,
            operator: true,
            fingerprint: String::new(),
            form_token: String::new(),
            now_ms: 0,
            notice: None,
        };
        let asked = Confirmation {
            action: "/",
            says: html! {},
            fields: html! {},
            reason: Some(required),
            reason_given,
            button: "do it",
            danger: false,
            back: "/",
        };
        confirmation(&reader, &asked).into_string()
    }

    #[test]
    fn a_reason_that_cannot_be_one_points_to_what_is_wrong_with_it() {
        let long = "x".repeat(REASON_CHARACTERS_MAX + 1);
        for (given, required, wrong) in [
            ("", true, false),
            ("broken", true, false),
            ("  ", false, false),
            ("  ", true, true),
            (&long, false, true),
        ] {
            let form = form(given, required);
            assert_eq!(form.contains(r#"aria-invalid="true""#), wrong, "{given:?}: {form}");
            assert_eq!(form.contains(r#"aria-describedby="fault reason-hint""#), wrong, "{given:?}: {form}");
        }
    }
}

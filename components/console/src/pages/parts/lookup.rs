//! Finding things: the kinds of a list, what a search did not find, and fields with labels.

use crate::pages::{Section, View};
use http::StatusCode;
use maud::{Markup, html};

/// The id of what says what is wrong, for the fields that are to point to it. It is there once on a page.
pub(super) const FAULT: &str = "fault";

/// A kind of the things in a list: its address, its name, and whether it is the one that is shown.
pub(crate) struct Tab {
    /// The address of the list.
    pub(crate) address: String,
    /// What it is called.
    pub(crate) text: &'static str,
    /// It is the one that is shown.
    pub(crate) current: bool,
}

/// The kinds of a list, one of which is shown. `label` names them as a whole.
pub(crate) fn tabs(label: &str, tabs: &[Tab]) -> Markup {
    html! {
        nav aria-label=(label) {
            ul class="tabs" {
                @for tab in tabs { li { a href=(tab.address) aria-current=[tab.current.then_some("page")] { (tab.text) } } }
            }
        }
    }
}

/// Why a search has no answer, above it.
pub(crate) fn wrong(says: &str) -> Markup {
    html! { p class="fault" id=(FAULT) role="alert" { (says) } }
}

/// What is wrong with a form, in the reader's language, above it.
pub(crate) fn wrongs(heading: &str, says: &[Markup]) -> Markup {
    html! {
        @if !says.is_empty() {
            div class="fault" id=(FAULT) role="alert" { p { (heading) } ul { @for one in says { li { (one) } } } }
        }
    }
}

/// Links below a text.
pub(crate) fn ways(ways: &[(String, &str)]) -> Markup {
    html! { div class="actions" { @for (address, text) in ways { a href=(address) { (text) } } } }
}

/// A field with a label. Its name is its id too, so it is there once on a page.
pub(crate) struct Field<'a> {
    /// What the form calls it.
    pub(crate) name: &'a str,
    /// What people call it.
    pub(crate) label: &'a str,
    /// What it holds.
    pub(crate) value: &'a str,
    /// Must be filled in.
    pub(crate) required: bool,
    /// What it holds is wrong.
    pub(crate) wrong: bool,
    /// It holds a number.
    pub(crate) number: bool,
    /// The most characters that it takes.
    pub(crate) characters_max: usize,
}

/// A field with a label.
pub(crate) fn field(field: &Field<'_>) -> Markup {
    html! {
        label for=(field.name) { (field.label) }
        input id=(field.name) name=(field.name) type="text" value=(field.value) maxlength=(field.characters_max)
            required[field.required] aria-invalid=[field.wrong.then_some("true")]
            aria-describedby=[field.wrong.then_some(FAULT)] inputmode=[field.number.then_some("numeric")]
            dir=[(!field.number).then_some("auto")] autocomplete="off" spellcheck="false";
    }
}

/// A page for what does not exist: which, and where to go on.
pub(crate) fn absent(section: Section, title: &str, says: Markup, next: &[(String, &str)]) -> View {
    let body = html! {
        div class="empty" { p { strong { (says) } } (ways(next)) }
    };
    View::new(section, title, body).status(StatusCode::NOT_FOUND)
}

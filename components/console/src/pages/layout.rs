//! The frame around every page, and the headers that hold a browser to it.

use super::assets;
use super::notice::Notice;
use super::parts;
use super::visit::Reader;
use super::words::Words;
use http::StatusCode;
use http::header::{CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS};
use maud::{DOCTYPE, Markup, html};
use restock_edge::Answer;

/// The media type of a page.
pub(super) const HTML: &str = "text/html; charset=utf-8";
/// A page loads and sends to nobody but us, runs no script but ours, and is shown in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// How long a browser waits between two looks at a live page, ms. With the age of what the overview may show, a change is seen within 2 s.
const REFRESH_MS: u32 = 1_000;

/// What a page is about, and so which entry of the navigation is the current one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Section {
    Overview,
    Products,
    Production,
    Orders,
    Customers,
    Returns,
    Queues,
    Incidents,
    Operations,
    /// None of them.
    None,
}

const NAVIGATION: [(Section, &str); 9] = [
    (Section::Overview, "/"),
    (Section::Products, "/products"),
    (Section::Production, "/production"),
    (Section::Orders, "/orders"),
    (Section::Customers, "/customers"),
    (Section::Returns, "/returns"),
    (Section::Queues, "/queues"),
    (Section::Incidents, "/incidents"),
    (Section::Operations, "/operations"),
];

/// A page without its frame.
pub(crate) struct View {
    section: Section,
    title: String,
    body: Markup,
    live: bool,
    status: StatusCode,
}

impl View {
    /// A page with this heading.
    pub(crate) fn new(section: Section, title: impl Into<String>, body: Markup) -> Self {
        Self { section, title: title.into(), body, live: false, status: StatusCode::OK }
    }

    /// Keeps itself fresh.
    pub(crate) fn live(mut self) -> Self {
        self.live = true;
        self
    }

    /// Is answered with this status.
    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }
}

/// The answer with a page, or with the part of it that changes.
pub(super) fn answer(reader: &Reader, view: View, part: bool) -> Answer {
    let text = if part { inner(&view) } else { document(reader, &view) };
    dressed(Answer::of(view.status, HTML, text.into_string()))
}

/// The headers of every page.
pub(super) fn dressed(answer: Answer) -> Answer {
    answer
        .header(CONTENT_SECURITY_POLICY, POLICY)
        .header(X_CONTENT_TYPE_OPTIONS, "nosniff")
        // With `no-referrer` a browser would say of our own forms that it does not know where they come from.
        .header(REFERRER_POLICY, "same-origin")
        .header(OPENER_POLICY, "same-origin")
        .header(RESOURCE_POLICY, "same-origin")
        .header(VARY, "accept, accept-language, cookie, x-restock-part")
}

/// The whole page of somebody who signed in.
pub(super) fn document(reader: &Reader, view: &View) -> Markup {
    let words = reader.words;
    let frame = html! {
        header class="top" {
            a class="brand" href="/" { (mark()) "Restock" }
            nav aria-label=(words.frame.navigation) {
                ul {
                    @for (section, path) in NAVIGATION {
                        li { a href=(path) aria-current=[(section == view.section).then_some("page")] { (words.frame.section(section)) } }
                    }
                }
            }
            div class="who" {
                span class="role" title=(reader.fingerprint) {
                    @if reader.operator { (words.frame.operator) } @else { (words.frame.viewer) }
                }
                form method="post" action="/sign-out" {
                    (parts::form_token(reader))
                    button class="quiet" type="submit" { (words.frame.sign_out) }
                }
            }
        }
    };
    shell(words, view, Some(frame), reader.notice)
}

/// The whole page of somebody who did not sign in.
pub(super) fn stranger(words: &Words, view: &View) -> Markup {
    stranger_told(words, view, None)
}

/// The same, with what was just done.
pub(super) fn stranger_told(words: &Words, view: &View, notice: Option<Notice>) -> Markup {
    let frame = html! { header class="top" { a class="brand" href="/" { (mark()) "Restock" } } };
    shell(words, view, Some(frame), notice)
}

fn shell(words: &Words, view: &View, frame: Option<Markup>, notice: Option<Notice>) -> Markup {
    html! {
        (DOCTYPE)
        html lang=(words.language) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (view.title) " · Restock" }
                link rel="icon" type="image/svg+xml" href=(assets::icon_address());
                link rel="stylesheet" href=(assets::style_address());
                script defer src=(assets::script_address()) {}
            }
            body data-lost=(words.frame.lost) data-back=(words.frame.back) {
                a class="skip" href="#main" { (words.frame.skip) }
                @if let Some(frame) = frame { (frame) }
                div id="told" role="status" {
                    @if let Some(notice) = notice { p class="notice" { (notice.text(words)) } }
                }
                p id="said" class="unseen" role="status" {}
                main id="main" tabindex="-1" data-live=[view.live.then_some(REFRESH_MS)] { (inner(view)) }
            }
        }
    }
}

/// What changes when the page is looked at again.
fn inner(view: &View) -> Markup {
    html! {
        h1 dir="auto" { (view.title) }
        (view.body)
    }
}

/// A shelf with a gap, and what fills it.
fn mark() -> Markup {
    html! {
        svg class="mark" viewBox="0 0 24 24" aria-hidden="true" focusable="false" {
            rect x="3" y="13" width="5" height="6" rx="1" {}
            rect x="9.5" y="13" width="5" height="6" rx="1" {}
            rect class="coming" x="16" y="8" width="5" height="6" rx="1" {}
            rect x="2" y="20" width="20" height="2" rx="1" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_no_inline_script_and_no_inline_style() {
        assert!(POLICY.starts_with("default-src 'none';"));
        for needed in ["script-src 'self';", "style-src 'self';", "base-uri 'none'", "frame-ancestors 'none'"]
        {
            assert!(POLICY.contains(needed), "{needed}");
        }
        assert!(!POLICY.contains("unsafe") && !POLICY.contains('*'));
    }
}

//! The frame around every page, and the headers that hold a browser to it.

use super::assets;
use super::notice::Notice;
use super::parts;
use super::visit::Reader;
use super::words::Words;
use http::StatusCode;
use http::header::{
    CONTENT_SECURITY_POLICY, ETAG, HeaderName, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS,
};
use maud::{DOCTYPE, Markup, html};
use restock_domain::hex;
use restock_edge::Answer;
use sha2::{Digest, Sha256};

/// The media type of a page.
pub(super) const HTML: &str = "text/html; charset=utf-8";
/// A page loads and sends to nobody but us, runs no script but ours, and is shown in no frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
/// How long a browser waits between two looks at a live page, ms. With the age of what the overview may show, a change is seen within 2 s.
const REFRESH_MS: u32 = 1_000;

/// How many characters of its digest tell a version of a page from others.
const VERSION_CHARACTERS: usize = 32;

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

    fn is_faulty(&self) -> bool {
        self.status.is_client_error() || self.status.is_server_error()
    }
}

/// The answer with a page.
pub(super) fn answer(reader: &Reader, view: &View) -> Answer {
    dressed(Answer::of(view.status, HTML, document(reader, view).into_string()))
}

/// The answer with the part of a page that changes, or that it is still the version that the browser knows.
pub(super) fn part(view: &View, known: Option<&str>) -> Answer {
    let text = inner(view).into_string();
    let version: String = hex::encode(&Sha256::digest(&text)).chars().take(VERSION_CHARACTERS).collect();
    let version = format!("\"{version}\"");
    let answer = if view.status == StatusCode::OK && known == Some(version.as_str()) {
        Answer::of(StatusCode::NOT_MODIFIED, HTML, String::new())
    } else {
        Answer::of(view.status, HTML, text)
    };
    dressed(answer.header(ETAG, &version))
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
                title { @if view.is_faulty() { (words.frame.fault) ": " } (view.title) " · Restock" }
                link rel="icon" type="image/svg+xml" href=(assets::icon_address());
                link rel="stylesheet" href=(assets::style_address());
                script defer src=(assets::script_address()) {}
            }
            body data-lost=(words.frame.lost) data-trouble=(words.frame.trouble) data-back=(words.frame.back)
                data-pause=(words.frame.pause) data-waits=(words.frame.waits) data-unchosen=(words.frame.unchosen) {
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
    use super::super::words::ENGLISH;
    use super::*;

    fn view(text: &str) -> View {
        View::new(Section::None, "Orders", html! { (text) })
    }

    #[test]
    fn a_part_that_is_known_is_not_sent_again() {
        let part_of = |text, known: Option<&str>| {
            let answer = part(&view(text), known);
            let version = answer.get(ETAG).unwrap_or_default().to_owned();
            (answer.status(), answer.is_empty(), version)
        };
        let (status, empty, version) = part_of("a", None);
        assert!(status == StatusCode::OK && !empty);
        assert_eq!(part_of("a", Some(&version)), (StatusCode::NOT_MODIFIED, true, version.clone()));
        let (status, empty, other) = part_of("b", Some(&version));
        assert!(status == StatusCode::OK && !empty && other != version);
    }

    #[test]
    fn the_title_of_a_page_begins_with_the_fault() {
        let title = |status| stranger(&ENGLISH, &view("").status(status)).into_string();
        assert!(title(StatusCode::CONFLICT).contains("<title>Error: Orders · Restock</title>"));
        assert!(title(StatusCode::OK).contains("<title>Orders · Restock</title>"));
    }

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

//! The way in and out: a key for a session, and its end.

use super::layout::{self, Section, View};
use super::notice::Notice;
use super::parts;
use super::visit::{Reply, Visit};
use super::words::{self, Words};
use http::header::{HeaderName, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use maud::{Markup, html};
use restock_domain::web;
use restock_edge::session::{self, SignIn};
use restock_edge::{Answer, Call, Error};

/// Where a browser says what kind of page led here.
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const CROSS_SITE: HeaderValue = HeaderValue::from_static("cross-site");
/// The field and the parameter with the path to go on to.
const NEXT: &str = "next";
/// The field with the key.
const KEY: &str = "key";

/// Why nobody was let in.
#[derive(Clone, Copy)]
enum Refusal {
    Unknown,
    NotForPeople,
    Elsewhere,
    Foreign,
}

/// The path of the sign-in that leads back to where somebody wanted to go.
pub(super) fn path_to(call: &Call) -> String {
    match call.path_and_query() {
        "/" => "/sign-in".to_owned(),
        wanted => parts::address(&["sign-in"], &[(NEXT, wanted)]),
    }
}

/// A path of ours that is not the door itself.
fn onward(text: Option<&str>) -> &str {
    let path = text.and_then(web::own_path).unwrap_or("/");
    if path.starts_with("/sign-") { "/" } else { path }
}

/// `GET /sign-in`
pub(super) async fn show(call: Call) -> Result<Answer, Error> {
    let words = words::of(&call);
    let next = onward(call.query().get(NEXT));
    // A browser that followed a link on another site kept the cookie of a session back. From this page on it sends it.
    let came_from_elsewhere = call.header(SEC_FETCH_SITE).is_some_and(|site| CROSS_SITE == site);
    let view = form(words, next, None, came_from_elsewhere);
    let page = layout::stranger_told(words, &view, Notice::read(call.query()));
    Ok(layout::dressed(Answer::of(StatusCode::OK, layout::HTML, page.into_string())))
}

/// `POST /sign-in`
pub(super) async fn open(mut call: Call) -> Result<Answer, Error> {
    let words = words::of(&call);
    let own = session::is_own_form(&call).await?;
    let fields = call.form().await?;
    let next = onward(fields.get(NEXT));
    let (refusal, status) = if !own {
        (Refusal::Foreign, StatusCode::FORBIDDEN)
    } else {
        match session::sign_in(&call, fields.get(KEY).unwrap_or_default()).await? {
            SignIn::Opened(cookie) => return Ok(Answer::see_other(next).header(SET_COOKIE, &cookie)),
            SignIn::Unknown => (Refusal::Unknown, StatusCode::UNAUTHORIZED),
            SignIn::NotForPeople => (Refusal::NotForPeople, StatusCode::FORBIDDEN),
            SignIn::Elsewhere => (Refusal::Elsewhere, StatusCode::FORBIDDEN),
        }
    };
    let view = form(words, next, Some(refusal), false).status(status);
    let page = layout::stranger(words, &view);
    Ok(layout::dressed(Answer::of(status, layout::HTML, page.into_string())))
}

/// `POST /sign-out`
pub(super) async fn close(_visit: Visit) -> Result<Reply, Error> {
    let gone = Notice::SignedOut.on("/sign-in");
    Ok(Reply::Other(Answer::see_other(&gone).header(SET_COOKIE, &session::sign_out().await?)))
}

fn form(words: &'static Words, next: &str, refusal: Option<Refusal>, came_from_elsewhere: bool) -> View {
    let ours = &words.sign_in;
    let says = refusal.map(|refusal| match refusal {
        Refusal::Unknown => ours.unknown,
        Refusal::NotForPeople => ours.not_for_people,
        Refusal::Elsewhere => words.faults.wrong_network,
        Refusal::Foreign => words.faults.foreign_form,
    });
    let body: Markup = html! {
        div class="door" {
            p { (ours.lead) }
            @if came_from_elsewhere { p { a href=(next) { (ours.go_on) } } }
            @if let Some(says) = says { p class="fault" id="fault" role="alert" { (says) } }
            form method="post" action="/sign-in" {
                input type="hidden" name=(NEXT) value=(next);
                label for="key" { (ours.key) }
                input id="key" name=(KEY) type="password" autocomplete="current-password" required autofocus
                    spellcheck="false" aria-invalid=[says.map(|_| "true")] aria-describedby=[says.map(|_| "fault")];
                p class="aside" { (ours.hint) }
                button type="submit" { (ours.sign_in) }
            }
            p class="aside" {
                a href="/openapi.json" { (ours.interface) }
                " · "
                a href="/readyz" { (ours.readiness) }
            }
        }
    };
    View::new(Section::None, ours.title, body)
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;

    pub(crate) fn pages(words: &'static Words, hostile: &str) -> Vec<Markup> {
        [
            None,
            Some(Refusal::Unknown),
            Some(Refusal::NotForPeople),
            Some(Refusal::Elsewhere),
            Some(Refusal::Foreign),
        ]
        .into_iter()
        .map(|refusal| layout::stranger(words, &form(words, hostile, refusal, refusal.is_none())))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere_or_round_in_circles() {
        assert_eq!(onward(Some("/products?cursor=61")), "/products?cursor=61");
        for other in [
            None,
            Some("//evil.example"),
            Some("https://evil.example"),
            Some("/sign-in?next=/"),
            Some("/sign-out"),
        ] {
            assert_eq!(onward(other), "/", "{other:?}");
        }
    }
}

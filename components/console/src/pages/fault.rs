//! What went wrong, as a page for people or as a problem document for programs.

use super::layout::{self, Section, View};
use super::visit::{FOREIGN_FORM, PART, Reader, VIEWERS_LOOK};
use super::words::{self, Words};
use http::StatusCode;
use http::header::ACCEPT;
use maud::{Markup, html};
use restock_domain::web;
use restock_edge::{Answer, Call, Error};

/// Who is told, and how.
pub(super) struct Whose {
    words: &'static Words,
    request_id: String,
    /// A browser that follows a link or sends a form.
    page: bool,
    /// `console.js`, which wants the part of a page that changes.
    pub(super) part: bool,
}

impl Whose {
    pub(super) fn of(call: &Call) -> Self {
        Self {
            words: words::of(call),
            request_id: call.request_id().to_owned(),
            page: call.header(ACCEPT).is_some_and(web::wants_page),
            part: call.header(PART).is_some(),
        }
    }

    /// A page, or the error as it is, where it is no browser that asks.
    pub(super) fn answer(&self, error: Error, reader: Option<&Reader>) -> Result<Answer, Error> {
        if !self.page && !self.part {
            return Err(error);
        }
        error.log(&self.request_id);
        let body = self.body(&error, reader.is_some());
        let answer = error.into_answer();
        let title = self.words.faults.title(answer.status());
        let view = View::new(Section::None, title, body).status(answer.status());
        let page = match reader {
            Some(reader) => layout::document(reader, &view),
            None => layout::stranger(self.words, &view),
        };
        Ok(layout::dressed(answer.with_document(layout::HTML, page.into_string())))
    }

    fn body(&self, error: &Error, signed_in: bool) -> Markup {
        let words = &self.words.faults;
        let says = match error {
            Error::Unauthorized => words.session_over,
            Error::Forbidden(VIEWERS_LOOK) => words.viewers_look,
            Error::Forbidden(FOREIGN_FORM) => words.foreign_form,
            Error::Forbidden(_) => words.wrong_network,
            Error::NotFound(_) => words.not_found,
            Error::MethodNotAllowed(_) => words.wrong_method,
            Error::Slow => words.slow,
            Error::TooLarge(_) => words.too_large,
            Error::Malformed(_) | Error::NotJson | Error::NotForm | Error::Invalid(_) => words.unreadable,
            Error::Problem(_) => words.refused,
            Error::Store(_) => words.store,
            Error::Configuration(_) => words.configuration,
            Error::Internal(_) => words.internal,
        };
        html! {
            p { (says) }
            @match error {
                Error::Invalid(faults) => {
                    ul lang="en" { @for fault in faults { li { code { (fault.pointer) } " " (fault.detail) } } }
                }
                Error::Problem(problem) => { p lang="en" { (problem.detail) } }
                Error::Configuration(faults) if signed_in => { ul lang="en" { @for fault in faults { li { (fault) } } } }
                _ => {}
            }
            p class="aside" { (words.request) " " code { (self.request_id) } }
            p {
                @if signed_in || matches!(error, Error::NotFound(_)) { a href="/" { (words.to_overview) } }
                @else { a href="/sign-in" { (words.to_sign_in) } }
            }
        }
    }
}

impl words::Faults {
    fn title(&self, status: StatusCode) -> &'static str {
        match status {
            StatusCode::UNAUTHORIZED => self.sign_in_first,
            StatusCode::FORBIDDEN => self.not_allowed,
            StatusCode::NOT_FOUND => self.nothing_here,
            StatusCode::SERVICE_UNAVAILABLE => self.not_now,
            StatusCode::INTERNAL_SERVER_ERROR => self.our_fault,
            _ => self.not_understood,
        }
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use restock_api::problem::{FieldFault, Kind, Problem};
    use restock_bindings::types::Fault;

    /// Pages for every kind of error.
    pub(crate) fn pages(words: &'static Words, hostile: &str) -> Vec<Markup> {
        let whose = Whose { words, request_id: hostile.to_owned(), page: true, part: false };
        [
            Error::Malformed(hostile.to_owned()),
            Error::Unauthorized,
            Error::Forbidden(VIEWERS_LOOK),
            Error::Forbidden(FOREIGN_FORM),
            Error::Forbidden("x"),
            Error::NotFound("x"),
            Error::MethodNotAllowed(Vec::new()),
            Error::Slow,
            Error::TooLarge(1),
            Error::NotJson,
            Error::NotForm,
            Error::Invalid(vec![FieldFault::new(hostile, hostile)]),
            Problem::new(Kind::StockNegative, 409, hostile).into(),
            Error::Store(Fault::Corrupt(hostile.to_owned())),
            Error::Configuration(vec![hostile.to_owned()]),
        ]
        .iter()
        .map(|error| {
            let view = View::new(Section::None, "", whose.body(error, false));
            layout::stranger(words, &view)
        })
        .collect()
    }
}

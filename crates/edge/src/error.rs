//! Why a request is not answered with what it asked for. Each case is one status; none shows what happens inside.

use crate::answer::Answer;
use http::header::{ALLOW, RETRY_AFTER, WWW_AUTHENTICATE};
use restock_api::problem::{FieldFault, Kind, Problem};
use restock_api::{Invalid, routes::Method};
use restock_bindings::types::Fault;

/// When a client may try again after a 503, seconds.
const RETRY_AFTER_SECONDS: &str = "1";

/// Why a request is not answered with what it asked for.
#[derive(Debug)]
pub enum Error {
    /// 400: it cannot be read.
    Malformed(String),
    /// 401: it has no key, or an unknown one.
    Unauthorized,
    /// 403: its key or its address is not good for this.
    Forbidden(&'static str),
    /// 404: there is no such thing.
    NotFound(&'static str),
    /// 405: there is, but not with this method.
    MethodNotAllowed(Vec<Method>),
    /// 408: its body did not arrive in time.
    Slow,
    /// 413: its body has more bytes than that.
    TooLarge(usize),
    /// 415: its body is not JSON.
    NotJson,
    /// 415: its body is not a form.
    NotForm,
    /// 422: fields are at fault.
    Invalid(Vec<FieldFault>),
    /// Any other problem that the workflow itself describes.
    Problem(Box<Problem>),
    /// 503: the store could not do its work.
    Store(Fault),
    /// 503: variables have wrong values.
    Configuration(Vec<String>),
    /// 500: something that must not happen.
    Internal(anyhow::Error),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Store(fault)
    }
}

impl From<Invalid> for Error {
    fn from(invalid: Invalid) -> Self {
        match invalid {
            Invalid::Malformed(words) => Self::Malformed(words),
            Invalid::Faulty(faults) => Self::Invalid(faults),
        }
    }
}

impl From<Vec<FieldFault>> for Error {
    fn from(faults: Vec<FieldFault>) -> Self {
        Self::Invalid(faults)
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        Self::Problem(Box::new(problem))
    }
}

impl From<anyhow::Error> for Error {
    fn from(error: anyhow::Error) -> Self {
        Self::Internal(error)
    }
}

/// What a fault of the store is called, in words for operators.
#[must_use]
pub fn fault_words(fault: &Fault) -> String {
    match fault {
        Fault::Unavailable(words) => format!("the store is unavailable: {words}"),
        Fault::Corrupt(words) => format!("the store answered something unreadable: {words}"),
    }
}

impl Error {
    /// Writes a line to the log where an operator should know.
    pub fn log(&self, request_id: &str) {
        let line = match self {
            Self::Store(fault) => fault_words(fault),
            Self::Configuration(faults) => format!("the configuration has faults: {}", faults.join("; ")),
            Self::Internal(error) => format!("{error:#}"),
            _ => return,
        };
        crate::log!("request {request_id}: {line}");
    }

    /// The problem document that says so, with the headers that belong to it.
    #[must_use]
    pub fn into_answer(self) -> Answer {
        let plain = |status: u16, detail: &str| Problem::new(Kind::Plain, status, detail);
        match self {
            Self::Malformed(words) => Answer::problem(&Problem::new(Kind::InvalidRequest, 400, words)),
            Self::Unauthorized => {
                let problem = plain(401, "a known key is needed: Authorization: Bearer <key>");
                Answer::problem(&problem).header(WWW_AUTHENTICATE, r#"Bearer realm="restock""#)
            }
            Self::Forbidden(words) => Answer::problem(&plain(403, words)),
            Self::NotFound(words) => Answer::problem(&plain(404, words)),
            Self::MethodNotAllowed(methods) => {
                let allow = allow(&methods);
                let problem = plain(405, &format!("this path answers {allow}"));
                Answer::problem(&problem).header(ALLOW, &allow)
            }
            Self::Slow => Answer::problem(&plain(408, "the body did not arrive in time")),
            Self::TooLarge(limit) => {
                Answer::problem(&plain(413, &format!("the body may have {limit} bytes at most")))
            }
            Self::NotJson => Answer::problem(&plain(415, "the body must be application/json")),
            Self::NotForm => {
                Answer::problem(&plain(415, "the body must be application/x-www-form-urlencoded"))
            }
            Self::Invalid(faults) => Answer::problem(&Problem::invalid(faults)),
            Self::Problem(problem) => Answer::problem(&problem),
            Self::Store(_) => {
                let problem =
                    Problem::new(Kind::StoreUnavailable, 503, "nothing was changed; try again later");
                Answer::problem(&problem).header(RETRY_AFTER, RETRY_AFTER_SECONDS)
            }
            Self::Configuration(faults) => {
                let mut problem = Problem::new(Kind::Configuration, 503, "variables have wrong values");
                problem.faults = faults;
                Answer::problem(&problem).header(RETRY_AFTER, RETRY_AFTER_SECONDS)
            }
            Self::Internal(_) => Answer::problem(&plain(500, "something went wrong here")),
        }
    }
}

fn allow(methods: &[Method]) -> String {
    let mut names: Vec<_> = methods.iter().map(|method| method.name()).collect();
    if methods.contains(&Method::Get) {
        names.push("HEAD");
    }
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

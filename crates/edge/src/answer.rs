//! Answers. Every one of them states its length: without it the host would send it in pieces and the client would wait.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION};
use http::{HeaderMap, StatusCode};
use restock_api::problem::{PROBLEM_JSON, Problem};
use serde::Serialize;
use spin_sdk::http::FullBody;

/// What a component's entry point returns.
pub type HttpResponse = http::Response<FullBody<Bytes>>;

/// An answer to a request.
#[derive(Debug)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// A JSON document.
    pub fn json(status: StatusCode, document: &impl Serialize) -> Self {
        Self::json_of_type(status, "application/json", document)
    }

    /// 200 with a JSON document.
    pub fn ok(document: &impl Serialize) -> Self {
        Self::json(StatusCode::OK, document)
    }

    /// A problem document, with its own status.
    #[must_use]
    pub fn problem(problem: &Problem) -> Self {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Self::json_of_type(status, PROBLEM_JSON, problem)
    }

    fn json_of_type(status: StatusCode, media_type: &'static str, document: &impl Serialize) -> Self {
        match serde_json::to_vec(document) {
            Ok(body) => Self::of(status, media_type, body),
            // Only a map with keys that are no texts cannot be written, and no document has one.
            Err(_) => Self::of(StatusCode::INTERNAL_SERVER_ERROR, media_type, Bytes::new()),
        }
    }

    /// Any document.
    pub fn of(status: StatusCode, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        // Stock and queues change with every call; a cache in between would show what was.
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        Self { status, headers, body: body.into() }
    }

    /// 303: what was asked for is done; go on there.
    #[must_use]
    pub fn see_other(path: &str) -> Self {
        Self::of(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", Bytes::new()).header(LOCATION, path)
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// A header, where it has one that is text.
    #[must_use]
    pub fn get(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Whether it has no document.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.body.is_empty()
    }

    /// Gives it another document and keeps its status and its other headers.
    #[must_use]
    pub fn with_document(mut self, media_type: &'static str, body: impl Into<Bytes>) -> Self {
        self.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        self.body = body.into();
        self
    }

    /// Adds a header. A value that cannot be sent is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.insert(name, value);
        }
        self
    }

    pub(crate) fn into_response(self) -> HttpResponse {
        let mut response = http::Response::new(FullBody::new(self.body.clone()));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        // That nothing changed says nothing of the length of what did not.
        if self.status != StatusCode::NOT_MODIFIED {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(self.body.len()));
        }
        response
    }
}

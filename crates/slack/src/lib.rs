//! Messages for Slack's incoming webhooks, and what its answers mean.
//!
//! Pure: it builds requests and reads answers, and others carry them. Slack takes one message a second; keeping to that is the
//! caller's work.

mod message;
mod outcome;

pub use message::{
    BLOCKS_BYTES_MAX, BLOCKS_MAX, CONTEXT_ELEMENTS_MAX, FIELD_CHARACTERS_MAX, HEADER_CHARACTERS_MAX,
    SECTION_CHARACTERS_MAX, SECTION_FIELDS_MAX, TEXT_CHARACTERS_MAX, body,
};
pub use outcome::{Outcome, read};

use bytes::Bytes;
use http::Request;
use http::header::{CONTENT_TYPE, USER_AGENT};
use restock_domain::letter::Letter;
use std::fmt;

const AGENT: &str = concat!("restock/", env!("CARGO_PKG_VERSION"));

/// Why there is no request: the webhook's address is not one. It is not repeated, because it is a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoAddress;

impl fmt::Display for NoAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the address of the Slack webhook cannot be read")
    }
}

impl std::error::Error for NoAddress {}

/// The request that posts a letter to an incoming webhook. It carries no `Content-Length`: whoever sends it adds that.
///
/// # Errors
/// The address cannot be read.
pub fn request(webhook_url: &str, letter: &Letter) -> Result<Request<Bytes>, NoAddress> {
    let request = Request::post(webhook_url)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, AGENT)
        .body(Bytes::from(body(letter).to_string()))
        .map_err(|_| NoAddress)?;
    if request.uri().scheme().is_some() { Ok(request) } else { Err(NoAddress) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_json_to_the_webhook() {
        let letter = Letter::new("부산도너츠", "품절");
        let request = request("https://hooks.slack.com/services/T/B/x", &letter).expect("a request");
        assert_eq!(request.uri().to_string(), "https://hooks.slack.com/services/T/B/x");
        assert_eq!(
            (request.method().as_str(), &request.headers()["content-type"]),
            ("POST", &"application/json".parse().expect("a value"))
        );
        let sent: serde_json::Value = serde_json::from_slice(request.body()).expect("JSON");
        assert_eq!(sent, body(&letter));
    }

    #[test]
    fn an_address_that_is_none_is_not_repeated() {
        for wrong in ["", "hooks.slack.com", "/services/T/B/x", "https://", "https://a b/x"] {
            let fault = request(wrong, &Letter::new("s", "l")).expect_err(wrong);
            assert!(!fault.to_string().contains("services"));
        }
    }
}

//! Resend.

use crate::outcome::{accepted, spoken};
use crate::provider::{ID_HEADER, authorization, post};
use crate::{Fault, Mail, Mailbox, Outcome, Secret};
use bytes::Bytes;
use http::Request;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use restock_domain::reply;
use serde_json::{Value, json};

/// Where Resend listens.
pub const RESEND_ORIGIN: &str = "https://api.resend.com";

const PATH: &str = "/emails";
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// What it calls a second request under a key whose first is not finished.
const CONCURRENT: &str = "concurrent_idempotent_requests";
/// What it calls a request under a key that another body has.
const KNOWN: &str = "invalid_idempotent_request";
/// Characters that have a meaning in a header beside names, so that a name with one of them is put into quotes.
const SPECIALS: [char; 13] = ['(', ')', '<', '>', '[', ']', ':', ';', '@', '\\', ',', '.', '"'];

pub(crate) fn request(origin: &str, key: &Secret, mail: &Mail) -> Result<Request<Bytes>, Fault> {
    let body = json!({
        "from": written(&mail.from),
        "to": [written(&mail.to)],
        "subject": mail.letter.subject(),
        "text": mail.text(),
        "html": mail.html(),
        "headers": { ID_HEADER: mail.id },
    });
    let mut request = post(origin, PATH, &body)?;
    let headers = request.headers_mut();
    headers.insert(AUTHORIZATION, authorization(&format!("Bearer {}", key.expose()))?);
    headers.insert(IDEMPOTENCY_KEY, HeaderValue::from_str(&mail.id).map_err(|_| Fault::Id)?);
    Ok(request)
}

/// A mailbox in Resend's form, which takes names in any script as they are.
fn written(mailbox: &Mailbox) -> String {
    let address = mailbox.address();
    match mailbox.name() {
        Some(name) if name.contains(SPECIALS) => {
            format!("\"{}\" <{address}>", name.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Some(name) => format!("{name} <{address}>"),
        None => address.to_owned(),
    }
}

pub(crate) fn read(status: u16, retry_after: Option<&str>, body: &[u8], now_ms: u64) -> Outcome {
    if (200..=299).contains(&status) {
        return accepted(body, "id");
    }
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let field = |name: &str| answer.get(name).and_then(Value::as_str);
    let kind = field("name");
    let words = spoken(body, kind, field("message"));
    match (status, kind) {
        (409, Some(CONCURRENT)) => Outcome::Unfinished(reply::words(status, &words)),
        // The key is made of the errand and the recipient, so only this very mail can have it: it was taken, in other words than
        // ours of today.
        (409, Some(KNOWN)) => Outcome::Accepted { provider_id: String::new() },
        _ => reply::read(status, retry_after, &words, now_ms).into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use restock_domain::letter::Letter;
    use restock_domain::reply::Done;

    fn mail(id: &str) -> Mail {
        Mail {
            id: id.to_owned(),
            from: Mailbox::parse("부산도너츠 <shop@example.com>").expect("a mailbox"),
            to: Mailbox::new("ads@example.com", Some("Ads, Inc.")).expect("a mailbox"),
            letter: Letter::new("부산도너츠 품절", "품절입니다."),
        }
    }

    #[test]
    fn the_request_is_what_resend_reads() {
        let request = request(RESEND_ORIGIN, &Secret::new("re_1"), &mail("m-1")).expect("a request");
        assert_eq!(request.uri().to_string(), "https://api.resend.com/emails");
        assert_eq!(request.headers()["authorization"], "Bearer re_1");
        assert_eq!(request.headers()["idempotency-key"], "m-1");
        assert!(request.headers().contains_key("user-agent"));
        let body: Value = serde_json::from_slice(request.body()).expect("JSON");
        assert_eq!(body["from"], "부산도너츠 <shop@example.com>");
        assert_eq!(body["to"], json!(["\"Ads, Inc.\" <ads@example.com>"]));
        assert_eq!(body["subject"], "부산도너츠 품절");
        assert_eq!(body["text"], "품절입니다.\n");
        assert!(body["html"].as_str().expect("text").contains("품절입니다."));
        assert_eq!(body["headers"], json!({ "X-Entity-Ref-ID": "m-1" }));
    }

    #[test]
    fn a_mail_is_the_same_request_at_every_try() {
        let once = request(RESEND_ORIGIN, &Secret::new("re_1"), &mail("m-1")).expect("a request");
        let again = request(RESEND_ORIGIN, &Secret::new("re_1"), &mail("m-1")).expect("a request");
        assert_eq!(once.body(), again.body());
        assert_eq!(once.headers(), again.headers());
    }

    #[test]
    fn a_key_that_is_none_is_named() {
        assert_eq!(request(RESEND_ORIGIN, &Secret::new("re\r\nx"), &mail("m")).err(), Some(Fault::Key));
    }

    #[test]
    fn an_id_is_an_acceptance() {
        let outcome = read(200, None, br#"{"id":"49a3999c"}"#, 0);
        assert_eq!(outcome, Outcome::Accepted { provider_id: "49a3999c".to_owned() });
        assert!(matches!(read(200, None, b"{}", 0), Outcome::Unusable(_)));
    }

    #[test]
    fn a_second_request_under_a_key_waits_for_the_first() {
        let body = br#"{"statusCode":409,"name":"concurrent_idempotent_requests","message":"in progress"}"#;
        assert!(matches!(read(409, None, body, 0), Outcome::Unfinished(_)));
    }

    #[test]
    fn a_key_that_another_body_has_is_that_of_a_mail_that_was_taken() {
        let body =
            br#"{"statusCode":409,"name":"invalid_idempotent_request","message":"used with another body"}"#;
        assert_eq!(read(409, None, body, 0), Outcome::Accepted { provider_id: String::new() });
        assert!(matches!(read(400, None, body, 0), Outcome::Refused(_)));
        let other = br#"{"statusCode":409,"name":"conflict","message":"no"}"#;
        assert!(matches!(read(409, None, other, 0), Outcome::Refused(_)));
    }

    #[test]
    fn too_many_requests_are_not_a_refusal() {
        let body = br#"{"statusCode":429,"name":"rate_limit_exceeded","message":"Too many requests."}"#;
        assert!(matches!(read(429, Some("1"), body, 0), Outcome::Busy { retry_after_ms: 1_000, .. }));
        assert!(matches!(read(429, None, body, 0), Outcome::Failing { sent: Done::SurelyNot, .. }));
        assert!(matches!(read(500, None, body, 0), Outcome::Failing { sent: Done::SurelyNot, .. }));
    }
}

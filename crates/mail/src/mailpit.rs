//! Mailpit, which keeps mails for developers to look at.

use crate::outcome::{accepted, spoken};
use crate::provider::{ID_HEADER, authorization, post};
use crate::{Fault, Mail, Mailbox, Outcome, Secret};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use restock_domain::reply;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/send";

pub(crate) fn request(origin: &str, key: Option<&Secret>, mail: &Mail) -> Result<Request<Bytes>, Fault> {
    let mailbox =
        |mailbox: &Mailbox| json!({ "Email": mailbox.address(), "Name": mailbox.name().unwrap_or_default() });
    let body = json!({
        "From": mailbox(&mail.from),
        "To": [mailbox(&mail.to)],
        "Subject": mail.letter.subject(),
        "Text": mail.text(),
        "HTML": mail.html(),
        "Headers": { ID_HEADER: mail.id },
    });
    let mut request = post(origin, PATH, &body)?;
    if let Some(key) = key {
        let value = authorization(&format!("Basic {}", STANDARD.encode(key.expose())))?;
        request.headers_mut().insert(AUTHORIZATION, value);
    }
    Ok(request)
}

pub(crate) fn read(status: u16, retry_after: Option<&str>, body: &[u8], now_ms: u64) -> Outcome {
    if (200..=299).contains(&status) {
        return accepted(body, "ID");
    }
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let words = spoken(body, None, answer.get("Error").and_then(Value::as_str));
    reply::read(status, retry_after, &words, now_ms).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use restock_domain::letter::Letter;

    fn mail() -> Mail {
        Mail {
            id: "m-1".to_owned(),
            from: Mailbox::parse("부산도너츠 <shop@example.com>").expect("a mailbox"),
            to: Mailbox::parse("ads@example.com").expect("a mailbox"),
            letter: Letter::new("부산도너츠 품절", "품절입니다."),
        }
    }

    #[test]
    fn the_request_is_what_mailpit_reads() {
        let request = request("http://127.0.0.1:8025", None, &mail()).expect("a request");
        assert_eq!(request.uri().to_string(), "http://127.0.0.1:8025/api/v1/send");
        assert!(!request.headers().contains_key("authorization"));
        let body: Value = serde_json::from_slice(request.body()).expect("JSON");
        assert_eq!(body["From"], json!({ "Email": "shop@example.com", "Name": "부산도너츠" }));
        assert_eq!(body["To"], json!([{ "Email": "ads@example.com", "Name": "" }]));
        assert_eq!(body["Subject"], "부산도너츠 품절");
        assert_eq!(body["Text"], "품절입니다.\n");
        assert!(body["HTML"].as_str().expect("text").contains("품절입니다."));
        assert_eq!(body["Headers"], json!({ "X-Entity-Ref-ID": "m-1" }));
    }

    #[test]
    fn a_key_is_a_user_and_a_password() {
        let key = Secret::new("user:pass");
        let request = request("http://127.0.0.1:8025", Some(&key), &mail()).expect("a request");
        assert_eq!(request.headers()["authorization"], "Basic dXNlcjpwYXNz");
    }

    #[test]
    fn answers_mean_what_mailpit_says() {
        let accepted = Outcome::Accepted { provider_id: "iAfZVVe2UQfNSG5BAjgYwa".to_owned() };
        assert_eq!(read(200, None, br#"{"ID":"iAfZVVe2UQfNSG5BAjgYwa"}"#, 0), accepted);
        let refused = Outcome::Refused("answered 400: invalid To address: x".to_owned());
        assert_eq!(read(400, None, br#"{"Error":"invalid To address: x"}"#, 0), refused);
        assert!(matches!(read(200, None, b"ok", 0), Outcome::Unusable(_)));
        assert!(matches!(read(502, None, b"", 0), Outcome::Failing { .. }));
    }
}

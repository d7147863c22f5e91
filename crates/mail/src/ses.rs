//! Amazon SES, version 2 of its interface.

use crate::outcome::{accepted, spoken};
use crate::provider::{ID_HEADER, post, text};
use crate::sigv4::{self, Credentials};
use crate::{Fault, Mail, Mailbox, Outcome, encoded_word};
use bytes::Bytes;
use http::header::RETRY_AFTER;
use http::{HeaderMap, Request};
use restock_domain::reply;
use serde_json::{Value, json};

const PATH: &str = "/v2/email/outbound-emails";
const SERVICE: &str = "ses";
const CHARSET: &str = "UTF-8";
/// The longest mailbox with its name, in bytes: what SES takes for an address as a whole.
const MAILBOX_BYTES_MAX: usize = 320;
/// The header that names an error.
const ERROR_TYPE: &str = "x-amzn-errortype";
/// What SES calls an error that only says that there are too many requests. It has answered each of them with 400.
const THROTTLING: [&str; 3] = ["TooManyRequestsException", "ThrottlingException", "Throttling"];

/// Where SES listens in a region.
#[must_use]
pub fn ses_origin(region: &str) -> String {
    format!("https://email.{region}.amazonaws.com")
}

pub(crate) fn request(
    origin: &str,
    region: &str,
    credentials: &Credentials,
    mail: &Mail,
    now_ms: u64,
) -> Result<Request<Bytes>, Fault> {
    let data = |text: &str| json!({ "Data": text, "Charset": CHARSET });
    let body = json!({
        "FromEmailAddress": header_form(&mail.from),
        "Destination": { "ToAddresses": [header_form(&mail.to)] },
        "Content": { "Simple": {
            "Subject": data(mail.letter.subject()),
            "Body": { "Text": data(&mail.text()), "Html": data(&mail.html()) },
            "Headers": [{ "Name": ID_HEADER, "Value": mail.id }],
        } },
    });
    let mut request = post(origin, PATH, &body)?;
    sigv4::sign(&mut request, credentials, region, SERVICE, now_ms)?;
    Ok(request)
}

/// A mailbox as it stands in the header of a mail, where SES puts it as it comes: ASCII only. A name for which there is no room
/// beside a long address is left out.
fn header_form(mailbox: &Mailbox) -> String {
    let address = mailbox.address();
    let whole = match mailbox.name() {
        Some(name) if name.is_ascii() => {
            format!("\"{}\" <{address}>", name.replace('\\', "\\\\").replace('"', "\\\""))
        }
        Some(name) => format!("{} <{address}>", encoded_word::encode(name)),
        None => address.to_owned(),
    };
    if whole.len() > MAILBOX_BYTES_MAX { address.to_owned() } else { whole }
}

pub(crate) fn read(status: u16, headers: &HeaderMap, body: &[u8], now_ms: u64) -> Outcome {
    if (200..=299).contains(&status) {
        return accepted(body, "MessageId");
    }
    let retry_after = text(headers.get(RETRY_AFTER));
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    let field = |name: &str| answer.get(name).and_then(Value::as_str);
    let kind = text(headers.get(ERROR_TYPE)).or_else(|| field("__type")).map(bare);
    let words = spoken(body, kind, field("message").or_else(|| field("Message")));
    if (400..=499).contains(&status) && kind.is_some_and(|kind| THROTTLING.contains(&kind)) {
        return reply::unready(status, retry_after, &words, now_ms).into();
    }
    reply::read(status, retry_after, &words, now_ms).into()
}

/// The bare name of an error, which can come with a namespace in front and an address behind.
fn bare(kind: &str) -> &str {
    let kind = kind.rsplit('#').next().unwrap_or(kind);
    kind.split(':').next().unwrap_or(kind).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use restock_domain::letter::Letter;
    use restock_domain::reply::Done;

    fn mail() -> Mail {
        Mail {
            id: "m-1".to_owned(),
            from: Mailbox::parse("부산도너츠 <shop@example.com>").expect("a mailbox"),
            to: Mailbox::parse("ads@example.com").expect("a mailbox"),
            letter: Letter::new("부산도너츠 품절", "품절입니다."),
        }
    }

    fn answer(status: u16, errortype: Option<&'static str>, body: &str) -> Outcome {
        let mut headers = HeaderMap::new();
        if let Some(kind) = errortype {
            headers.insert(ERROR_TYPE, HeaderValue::from_static(kind));
        }
        read(status, &headers, body.as_bytes(), 0)
    }

    #[test]
    fn the_request_is_what_ses_reads() {
        let credentials = Credentials::new("AKIDEXAMPLE", "secret");
        let origin = ses_origin("ap-northeast-2");
        let request =
            request(&origin, "ap-northeast-2", &credentials, &mail(), 1_440_938_160_000).expect("a request");
        assert_eq!(request.method(), "POST");
        let address = "https://email.ap-northeast-2.amazonaws.com/v2/email/outbound-emails";
        assert_eq!(request.uri().to_string(), address);
        let authorization = request.headers()["authorization"].to_str().expect("text");
        let beginning = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/ap-northeast-2/ses/aws4_request, \
                         SignedHeaders=content-type;host;x-amz-date, Signature=";
        assert!(authorization.starts_with(beginning), "{authorization}");
        assert!(request.headers()["authorization"].is_sensitive());
        let body: Value = serde_json::from_slice(request.body()).expect("JSON");
        assert_eq!(body["FromEmailAddress"], "=?UTF-8?B?67aA7IKw64+E64SI7Lig?= <shop@example.com>");
        assert_eq!(body["Destination"], json!({ "ToAddresses": ["ads@example.com"] }));
        let content = &body["Content"]["Simple"];
        assert_eq!(content["Subject"], json!({ "Data": "부산도너츠 품절", "Charset": "UTF-8" }));
        assert_eq!(content["Body"]["Text"], json!({ "Data": "품절입니다.\n", "Charset": "UTF-8" }));
        assert_eq!(content["Body"]["Html"]["Charset"], "UTF-8");
        assert_eq!(content["Headers"], json!([{ "Name": "X-Entity-Ref-ID", "Value": "m-1" }]));
    }

    #[test]
    fn a_name_is_quoted_or_encoded() {
        let form = |name| header_form(&Mailbox::new("a@example.com", Some(name)).expect("a mailbox"));
        assert_eq!(form("Shop, Inc."), "\"Shop, Inc.\" <a@example.com>");
        assert_eq!(form("The \"\\\" shop"), "\"The \\\"\\\\\\\" shop\" <a@example.com>");
        assert_eq!(form("<b@example.com>"), "\"<b@example.com>\" <a@example.com>");
        assert_eq!(form("부산도너츠"), "=?UTF-8?B?67aA7IKw64+E64SI7Lig?= <a@example.com>");
        let long = "가".repeat(200);
        assert!(form(&long).starts_with("=?UTF-8?B?") && form(&long).len() <= MAILBOX_BYTES_MAX);
        let address = format!("a@{}example.com", "sub.".repeat(55));
        let mailbox = Mailbox::new(&address, Some(&long)).expect("a mailbox");
        assert_eq!(header_form(&mailbox), address);
    }

    #[test]
    fn a_message_id_is_an_acceptance() {
        let outcome = answer(200, None, r#"{"MessageId":"0100"}"#);
        assert_eq!(outcome, Outcome::Accepted { provider_id: "0100".to_owned() });
        for body in ["", "<html>", "{}", r#"{"MessageId":""}"#, r#"{"MessageId":7}"#] {
            assert!(matches!(answer(200, None, body), Outcome::Unusable(_)), "{body}");
        }
    }

    #[test]
    fn a_rejection_keeps_the_words_of_ses() {
        let body = r#"{"message":"Email address is not verified."}"#;
        let words = "answered 400: MessageRejected: Email address is not verified.".to_owned();
        assert_eq!(answer(400, Some("MessageRejected"), body), Outcome::Refused(words.clone()));
        assert_eq!(
            answer(400, Some("MessageRejected:http://internal/"), body),
            Outcome::Refused(words.clone())
        );
        let in_body =
            r#"{"__type":"com.amazonaws#MessageRejected","message":"Email address is not verified."}"#;
        assert_eq!(answer(400, None, in_body), Outcome::Refused(words));
    }

    #[test]
    fn throttling_is_not_a_refusal_whatever_its_status() {
        let surely_not = |outcome| matches!(outcome, Outcome::Failing { sent: Done::SurelyNot, .. });
        let body = r#"{"message":"Maximum sending rate exceeded."}"#;
        assert!(surely_not(answer(429, Some("TooManyRequestsException"), body)));
        assert!(surely_not(answer(400, Some("TooManyRequestsException"), body)));
        assert!(surely_not(answer(400, Some("ThrottlingException"), body)));
        assert!(surely_not(answer(400, None, r#"{"__type":"Throttling","Message":"Rate exceeded"}"#)));
        let mut headers = HeaderMap::new();
        headers.insert(ERROR_TYPE, HeaderValue::from_static("ThrottlingException"));
        headers.insert(RETRY_AFTER, HeaderValue::from_static("2"));
        assert!(matches!(read(400, &headers, b"", 0), Outcome::Busy { retry_after_ms: 2_000, .. }));
    }

    #[test]
    fn a_signature_that_ses_does_not_take_is_a_refusal_in_its_words() {
        let body =
            r#"{"message":"Signature expired: 20150830T123600Z is now earlier than 20150830T125000Z"}"#;
        let Outcome::Refused(words) = answer(403, Some("InvalidSignatureException"), body) else {
            panic!("a refusal")
        };
        assert!(words.starts_with("answered 403: InvalidSignatureException: Signature expired"), "{words}");
    }

    #[test]
    fn nobody_knows_what_a_broken_ses_did() {
        assert!(matches!(answer(500, None, "{}"), Outcome::Failing { sent: Done::SurelyNot, .. }));
        assert!(matches!(answer(503, None, "{}"), Outcome::Failing { sent: Done::SurelyNot, .. }));
    }
}

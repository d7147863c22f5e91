//! Amazon SES v2's `SendEmail`.
//!
//! Two habits of the original are kept because they are easy to trip over: addresses are ASCII to the last character,
//! names included, and a text that does not name its character set is taken for ASCII, so that the rest becomes `?`.

use std::collections::BTreeMap;

use axum::extract::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::signature::{Account, verify};
use super::{Fault, Inbox, Knobs, Letter, Mail, Mailbox, Provider, RECIPIENTS_MAX, SUBJECT_CHARACTERS_MAX};
use crate::desk::{Outcome, Received};

pub(super) const PATH: &str = "/v2/email/outbound-emails";
/// The one account that SES knows.
const ACCOUNT: Account =
    Account { access_key_id: Mail::ACCESS_KEY_ID, secret: Mail::SECRET_ACCESS_KEY, service: "ses" };

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct SendEmail {
    from_email_address: String,
    #[serde(default)]
    destination: Destination,
    content: Content,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Destination {
    to_addresses: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Content {
    simple: Simple,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Simple {
    subject: Data,
    body: Body,
    #[serde(default)]
    headers: Vec<Header>,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Body {
    text: Data,
    html: Data,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Data {
    data: String,
    #[serde(default)]
    charset: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Header {
    name: String,
    value: String,
}

pub(super) fn take(inbox: &mut Inbox, knobs: &Knobs, request: &Received) -> (Outcome, Response) {
    let refuse = |status, kind, reason: &str| (Outcome::Refused, error(status, kind, reason));
    if let Err(wrong) = verify(request, &ACCOUNT) {
        return refuse(StatusCode::FORBIDDEN, wrong.kind, &wrong.reason);
    }
    let bad_request = |reason: &str| refuse(StatusCode::BAD_REQUEST, "BadRequestException", reason);
    let letter = match serde_json::from_slice::<SendEmail>(&request.body) {
        Ok(send) => letter(send),
        Err(error) => return bad_request(&error.to_string()),
    };
    let letter = match letter {
        Ok(letter) => letter,
        Err(reason) => return bad_request(&reason),
    };
    if let Some(address) = knobs.refused(&letter.to) {
        let reason = format!("Address is not verified and cannot be sent to: {address}");
        return refuse(StatusCode::BAD_REQUEST, "MessageRejected", &reason);
    }
    let id = format!("0100{}-000000", Uuid::new_v4());
    inbox.put(Provider::Ses, id.clone(), letter, request);
    (Outcome::Accepted, Json(json!({"MessageId": id})).into_response())
}

pub(super) fn say(status: StatusCode, reason: &str) -> Response {
    let kind = match status {
        StatusCode::TOO_MANY_REQUESTS => "TooManyRequestsException",
        StatusCode::SERVICE_UNAVAILABLE => "ServiceUnavailableException",
        StatusCode::FORBIDDEN => "AccessDeniedException",
        status if status.is_server_error() => "InternalServiceErrorException",
        _ => "BadRequestException",
    };
    error(status, kind, reason)
}

fn error(status: StatusCode, kind: &'static str, reason: &str) -> Response {
    let mut response = (status, Json(json!({"message": reason}))).into_response();
    response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(kind));
    response
}

fn letter(send: SendEmail) -> Result<Letter, String> {
    let mailbox = |text: &str, field| {
        let mailbox = Mailbox::parse(text).filter(|_| text.is_ascii());
        mailbox.ok_or(Fault::Address(field))
    };
    let simple = send.content.simple;
    let read = || {
        Letter {
            from: mailbox(&send.from_email_address, "FromEmailAddress")?,
            to: send
                .destination
                .to_addresses
                .iter()
                .map(|to| mailbox(to, "Destination.ToAddresses"))
                .collect::<Result<_, _>>()?,
            subject: simple.subject.text(),
            text: simple.body.text.text(),
            html: simple.body.html.text(),
            headers: simple
                .headers
                .iter()
                .map(|header| (header.name.clone(), header.value.clone()))
                .collect::<BTreeMap<_, _>>(),
        }
        .check()
    };
    read().map_err(|fault| match fault {
        Fault::Address(field) => {
            format!("{field} is no address in ASCII (RFC 5322, names encoded by RFC 2047)")
        }
        Fault::NoRecipient => "Destination has no address".to_owned(),
        Fault::TooManyRecipients => format!("Destination has more than {RECIPIENTS_MAX} addresses"),
        Fault::Subject => {
            format!("Subject has a control character or more than {SUBJECT_CHARACTERS_MAX} characters")
        }
        Fault::NoBody => "Body has neither Text nor Html".to_owned(),
    })
}

impl Data {
    fn text(&self) -> String {
        if self.charset.eq_ignore_ascii_case("utf-8") {
            return self.data.clone();
        }
        self.data.chars().map(|c| if c.is_ascii() { c } else { '?' }).collect()
    }
}

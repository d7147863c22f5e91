//! Mailpit's `POST /api/v1/send`.

use std::collections::BTreeMap;

use axum::extract::Json;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use super::{Fault, Inbox, Knobs, Letter, Mailbox, Provider, SUBJECT_CHARACTERS_MAX};
use crate::desk::{Outcome, Received};

pub(super) const PATH: &str = "/api/v1/send";

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Send {
    from: Address,
    #[serde(default)]
    to: Vec<Address>,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    text: String,
    #[serde(default, rename = "HTML")]
    html: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Address {
    email: String,
    #[serde(default)]
    name: String,
}

pub(super) fn take(inbox: &mut Inbox, knobs: &Knobs, request: &Received) -> (Outcome, Response) {
    let refuse = |reason: String| (Outcome::Refused, say(StatusCode::BAD_REQUEST, &reason));
    let letter = match serde_json::from_slice::<Send>(&request.body) {
        Ok(send) => letter(send),
        Err(error) => return refuse(format!("failed to decode JSON: {error}")),
    };
    let letter = match letter {
        Ok(letter) => letter,
        Err(reason) => return refuse(reason),
    };
    if let Some(address) = knobs.refused(&letter.to) {
        return refuse(format!("550 5.1.1 <{address}>: recipient address rejected"));
    }
    let id = Uuid::new_v4().simple().to_string();
    inbox.put(Provider::Mailpit, id.clone(), letter, request);
    (Outcome::Accepted, Json(json!({"ID": id})).into_response())
}

pub(super) fn say(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({"Error": reason}))).into_response()
}

fn letter(send: Send) -> Result<Letter, String> {
    let mailbox = |Address { email, name }: Address| {
        Mailbox::new(&name, &email).ok_or_else(|| format!("invalid email address: {email}"))
    };
    let letter = Letter {
        from: mailbox(send.from)?,
        to: send.to.into_iter().map(mailbox).collect::<Result<_, _>>()?,
        subject: send.subject,
        text: send.text,
        html: send.html,
        headers: send.headers,
    };
    letter.check().map_err(|fault| match fault {
        Fault::Address(field) => format!("invalid email address in {field}"),
        Fault::NoRecipient => "no recipient addresses".to_owned(),
        Fault::TooManyRecipients => "too many recipient addresses".to_owned(),
        Fault::Subject => {
            format!("the subject has a control character or more than {SUBJECT_CHARACTERS_MAX} characters")
        }
        Fault::NoBody => "either Text or HTML is required".to_owned(),
    })
}

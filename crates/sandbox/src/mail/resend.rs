//! Resend's `POST /emails`.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use axum::extract::Json;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde::Deserialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{Fault, Inbox, Knobs, Letter, Mailbox, Provider, RECIPIENTS_MAX, SUBJECT_CHARACTERS_MAX};
use crate::desk::{Outcome, Received};

pub(super) const PATH: &str = "/emails";
/// Longest `Idempotency-Key`.
const KEY_CHARACTERS_MAX: usize = 256;
/// Keys remembered; the one that was used first is forgotten first.
const KEYS_KEPT_MAX: usize = 10_000;

/// What was sent under each `Idempotency-Key`.
pub(super) type Keys = BTreeMap<String, Sent>;

pub(super) struct Sent {
    at: Instant,
    body: Value,
    id: String,
}

#[derive(Deserialize)]
struct Email {
    from: String,
    to: OneOrMore,
    subject: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    html: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum OneOrMore {
    One(String),
    More(Vec<String>),
}

/// What is wrong, by Resend's own name for it.
struct Refusal {
    status: StatusCode,
    name: &'static str,
    message: String,
}

impl Refusal {
    fn new(status: StatusCode, name: &'static str, message: impl Into<String>) -> Self {
        Self { status, name, message: message.into() }
    }

    fn invalid(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, name, message)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self { status, name, message } = self;
        let body = json!({"statusCode": status.as_u16(), "name": name, "message": message});
        (status, Json(body)).into_response()
    }
}

pub(super) fn take(inbox: &mut Inbox, knobs: &Knobs, request: &Received) -> (Outcome, Response) {
    match send(inbox, knobs, request) {
        Ok((outcome, id)) => (outcome, Json(json!({"id": id})).into_response()),
        Err(refusal) => (Outcome::Refused, refusal.into_response()),
    }
}

fn send(inbox: &mut Inbox, knobs: &Knobs, request: &Received) -> Result<(Outcome, String), Refusal> {
    check_sender(request)?;
    let body = serde_json::from_slice::<Value>(&request.body)
        .map_err(|error| Refusal::invalid("validation_error", format!("The body is not JSON: {error}")))?;
    let key = request.header("idempotency-key");
    if let Some(key) = key {
        if key.is_empty() || key.chars().count() > KEY_CHARACTERS_MAX {
            let message = format!("The key must be between 1-{KEY_CHARACTERS_MAX} chars.");
            return Err(Refusal::new(StatusCode::BAD_REQUEST, "invalid_idempotency_key", message));
        }
        if let Some(sent) = inbox.keys.get(key)
            && sent.at.elapsed() < Duration::from_secs(knobs.idempotency_seconds)
        {
            if sent.body == body {
                return Ok((Outcome::Repeated, sent.id.clone()));
            }
            let message = "Same idempotency key used with a different request payload.";
            return Err(Refusal::new(StatusCode::CONFLICT, "invalid_idempotent_request", message));
        }
    }
    let letter = letter(&body)?;
    if let Some(address) = knobs.refused(&letter.to) {
        let message = format!("Invalid `to` field. The address {address} cannot be sent to.");
        return Err(Refusal::invalid("validation_error", message));
    }
    let id = Uuid::new_v4().to_string();
    if let Some(key) = key {
        remember(&mut inbox.keys, key, Sent { at: Instant::now(), body, id: id.clone() });
    }
    inbox.put(Provider::Resend, id.clone(), letter, request);
    Ok((Outcome::Accepted, id))
}

pub(super) fn say(status: StatusCode, reason: &str) -> Response {
    let name = match status {
        StatusCode::TOO_MANY_REQUESTS => "rate_limit_exceeded",
        StatusCode::FORBIDDEN => "invalid_api_key",
        status if status.is_server_error() => "internal_server_error",
        _ => "validation_error",
    };
    Refusal::new(status, name, reason).into_response()
}

/// Resend turns away who does not say what program it is, before it looks at anything else.
fn check_sender(request: &Received) -> Result<(), Refusal> {
    if request.header(header::USER_AGENT.as_str()).is_none_or(str::is_empty) {
        let message = "The header User-Agent is missing (1010).";
        return Err(Refusal::new(StatusCode::FORBIDDEN, "validation_error", message));
    }
    let token =
        request.header(header::AUTHORIZATION.as_str()).and_then(|value| value.strip_prefix("Bearer "));
    if token.is_none_or(|token| token.trim().is_empty()) {
        let message = "Missing API key in the authorization header.";
        return Err(Refusal::new(StatusCode::UNAUTHORIZED, "missing_api_key", message));
    }
    Ok(())
}

fn letter(body: &Value) -> Result<Letter, Refusal> {
    for field in ["from", "to", "subject"] {
        if body.get(field).is_none_or(Value::is_null) {
            return Err(Refusal::invalid("missing_required_field", format!("Missing `{field}` field.")));
        }
    }
    let email = Email::deserialize(body)
        .map_err(|error| Refusal::invalid("validation_error", format!("Invalid field: {error}.")))?;
    let to = match email.to {
        OneOrMore::One(to) => vec![to],
        OneOrMore::More(to) => to,
    };
    let mailbox = |text: &String, field| Mailbox::parse(text).ok_or(Fault::Address(field));
    let read = || {
        Letter {
            from: mailbox(&email.from, "from")?,
            to: to.iter().map(|to| mailbox(to, "to")).collect::<Result<_, _>>()?,
            subject: email.subject,
            text: email.text,
            html: email.html,
            headers: email.headers,
        }
        .check()
    };
    read().map_err(|fault| match fault {
        Fault::Address(field) => Refusal::invalid(
            "validation_error",
            format!(
                "Invalid `{field}` field. The email address needs to follow the `email@example.com` or \
                 `Name <email@example.com>` format."
            ),
        ),
        Fault::NoRecipient => Refusal::invalid("missing_required_field", "Missing `to` field."),
        Fault::TooManyRecipients => Refusal::invalid(
            "validation_error",
            format!("Invalid `to` field. There are more than {RECIPIENTS_MAX} addresses."),
        ),
        Fault::Subject => Refusal::invalid(
            "validation_error",
            format!(
                "Invalid `subject` field. It has a line break or more than {SUBJECT_CHARACTERS_MAX} characters."
            ),
        ),
        Fault::NoBody => Refusal::invalid("missing_required_field", "Missing `html` or `text` field."),
    })
}

fn remember(keys: &mut Keys, key: &str, sent: Sent) {
    if keys.len() >= KEYS_KEPT_MAX
        && let Some(oldest) = keys.iter().min_by_key(|(_, sent)| sent.at).map(|(key, _)| key.clone())
    {
        keys.remove(&oldest);
    }
    keys.insert(key.to_owned(), sent);
}

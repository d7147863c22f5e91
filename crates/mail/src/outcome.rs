//! What a provider's answer means for the mail.

use restock_domain::reply::{Done, Reply};
use restock_domain::text::one_line;
use serde_json::Value;

/// The longest id of a provider that is kept, in characters.
const PROVIDER_ID_CHARACTERS_MAX: usize = 256;

/// What a provider's answer means for the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took the mail.
    Accepted {
        /// What it calls the mail; empty where it does not say.
        provider_id: String,
    },
    /// It is alive, did not take the mail, and wants to be left alone for so long.
    Busy {
        /// How long, ms.
        retry_after_ms: u64,
        /// Its words.
        words: String,
    },
    /// It is alive and still at work on an earlier request for this mail, so whether it takes it is open; trying again tells.
    /// In its words.
    Unfinished(String),
    /// It will never take this mail: trying again is useless. In its words.
    Refused(String),
    /// It failed; trying again can help.
    Failing {
        /// Its words.
        words: String,
        /// Whether it took the mail, all the same. Only where it surely did not may another provider be given it.
        sent: Done,
    },
    /// It claims success in a form that nobody can read, so it may well have taken the mail; trying again can help.
    Unusable(String),
}

impl From<Reply> for Outcome {
    /// A good reply says nothing here: what was accepted stands in its body.
    fn from(reply: Reply) -> Self {
        match reply {
            Reply::Good => Self::Unusable("the answer names no mail".to_owned()),
            Reply::Busy { retry_after_ms, words } => Self::Busy { retry_after_ms, words },
            Reply::Refused(words) => Self::Refused(words),
            Reply::Failing { words, done } => Self::Failing { words, sent: done },
        }
    }
}

/// What a success says, where it should name the mail in a field of its body.
pub(crate) fn accepted(body: &[u8], field: &str) -> Outcome {
    let answer: Value = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(error) => return Outcome::Unusable(format!("the answer is not JSON: {error}")),
    };
    match answer.get(field).and_then(Value::as_str).map(|id| one_line(id, PROVIDER_ID_CHARACTERS_MAX)) {
        Some(provider_id) if !provider_id.is_empty() => Outcome::Accepted { provider_id },
        _ => Outcome::Unusable(format!("the answer names no mail under {field}")),
    }
}

/// The body of an error in a provider's own form, as `kind: message`; the body as it is where it has another.
pub(crate) fn spoken(body: &[u8], kind: Option<&str>, message: Option<&str>) -> Vec<u8> {
    match (kind, message) {
        (Some(kind), Some(message)) => format!("{kind}: {message}").into_bytes(),
        (None, Some(message)) => message.as_bytes().to_vec(),
        (Some(kind), None) => [kind.as_bytes(), b": ", body].concat(),
        (None, None) => body.to_vec(),
    }
}

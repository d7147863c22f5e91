//! Mail: three providers on one port, each with its own words, and an inbox that nothing ever leaves.
//!
//! | path | meaning |
//! | --- | --- |
//! | `POST /v2/email/outbound-emails` | Amazon SES v2; the signature is verified with [`Mail::SECRET_ACCESS_KEY`] |
//! | `POST /emails` | Resend; any bearer token will do; `Idempotency-Key` is honoured |
//! | `POST /api/v1/send` | Mailpit, which asks for no credentials |
//! | `GET /` | the inbox, for people |
//! | `GET /sandbox/mails` | the inbox, oldest first, see [`MailSeen`] |
//! | `GET /sandbox/requests` | every request, whatever became of it |
//! | `GET /sandbox/stats` | counts since the start |
//! | `GET`, `PUT`, `PATCH /sandbox/knobs` | see [`Knobs`] |

mod mailpit;
mod resend;
mod ses;
mod signature;

use std::collections::{BTreeMap, VecDeque};

use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::StatusCode;
use serde::Serialize;

use crate::desk::{Desk, Office, Outcome, Received};
use crate::faults::knobs;
use crate::page::{ENTRIES_SHOWN_MAX, Entry, Page, traced};
use crate::panel::keep;

pub use crate::desk::{RequestSeen, Stats};
pub use crate::faults::{Busy, Garbage};
pub use crate::stand_in::StandIn;

/// Mails kept; the oldest go first.
const MAILS_KEPT_MAX: usize = 5_000;
/// Recipients of one mail, as SES and Resend have it.
const RECIPIENTS_MAX: usize = 50;
/// Longest subject, in characters: what fits a header line (RFC 5322).
const SUBJECT_CHARACTERS_MAX: usize = 998;

/// How an encoded word starts in the one form that is read here.
const ENCODED_WORD: &str = "=?UTF-8?B?";

/// A running mail server. Its URL is what the variable `mail_url` wants, whatever the provider.
pub type Mail = StandIn<Office<Inbox>>;

knobs! {
    /// What the mail server does wrong. The default is the server on a good day.
    pub struct Knobs {
        /// Addresses, without a name, that are refused for good with a 4xx in the words of each provider. This is no
        /// fault: it is not drawn, and `faults_max` does not end it.
        pub refuse_addresses: Vec<String> = Vec::new(),
        /// How long Resend knows an `Idempotency-Key`, in seconds.
        pub idempotency_seconds: u64 = Self::IDEMPOTENCY_SECONDS,
    }
}

impl Knobs {
    /// How long the real Resend knows an `Idempotency-Key`: a day.
    pub const IDEMPOTENCY_SECONDS: u64 = 24 * 60 * 60;

    fn own_out_of_range(&self) -> Vec<String> {
        let wrong = self.refuse_addresses.iter().filter(|address| !address.contains('@'));
        wrong.map(|address| format!("refuse_addresses: {address:?} is no address")).collect()
    }

    /// The first of these recipients that is refused for good.
    fn refused<'a>(&self, to: &'a [Mailbox]) -> Option<&'a str> {
        let refused = |to: &&Mailbox| {
            self.refuse_addresses.iter().any(|refused| refused.eq_ignore_ascii_case(&to.address))
        };
        to.iter().find(refused).map(|to| to.address.as_str())
    }
}

/// Whose interface a mail came in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Provider {
    /// Amazon SES v2.
    Ses,
    /// Resend.
    Resend,
    /// Mailpit.
    Mailpit,
}

impl Provider {
    fn of(path: &str) -> Self {
        match path {
            ses::PATH => Self::Ses,
            resend::PATH => Self::Resend,
            _ => Self::Mailpit,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Ses => "SES",
            Self::Resend => "Resend",
            Self::Mailpit => "Mailpit",
        }
    }
}

/// A mail that was taken.
#[derive(Clone, Debug, Serialize)]
pub struct MailSeen {
    /// The number of its request, from 1.
    pub seq: u64,
    /// When it had been read (RFC 3339).
    pub received_at: String,
    /// Whose interface it came in by.
    pub provider: Provider,
    /// The id that was answered.
    pub id: String,
    /// The header `Idempotency-Key`, which only Resend honours.
    pub idempotency_key: Option<String>,
    /// The header `traceparent`.
    pub traceparent: Option<String>,
    /// The sender, as `name <address>` or `address`; the name as a mail reader shows it.
    pub from: String,
    /// The recipients' addresses, without names.
    pub to: Vec<String>,
    /// The subject.
    pub subject: String,
    /// The plain text; empty where there is none.
    pub text: String,
    /// The HTML; empty where there is none.
    pub html: String,
    /// The headers that the sender asked for.
    pub headers: BTreeMap<String, String>,
}

/// The mails that were taken, and what Resend remembers.
#[derive(Default)]
pub struct Inbox {
    mails: VecDeque<MailSeen>,
    keys: resend::Keys,
}

/// A name and an address, of which the name may be empty.
struct Mailbox {
    name: String,
    address: String,
}

/// A mail as a provider read it.
struct Letter {
    from: Mailbox,
    to: Vec<Mailbox>,
    subject: String,
    text: String,
    html: String,
    headers: BTreeMap<String, String>,
}

/// What is wrong with a mail whoever carries it.
enum Fault {
    /// The field that holds no usable address.
    Address(&'static str),
    NoRecipient,
    TooManyRecipients,
    Subject,
    NoBody,
}

impl Mail {
    /// The access key id that SES knows, as the variable `aws_access_key_id` wants it.
    pub const ACCESS_KEY_ID: &'static str = "sandbox";
    /// Its secret, as the variable `aws_secret_access_key` wants it.
    pub const SECRET_ACCESS_KEY: &'static str = "sandbox-secret";
    /// A token for Resend, as the variable `mail_key` wants it. Any other would do as well.
    pub const RESEND_KEY: &'static str = "re_sandbox";

    /// The mails taken, oldest first.
    #[must_use]
    pub fn mails(&self) -> Vec<MailSeen> {
        self.partner.taken()
    }
}

impl Desk for Inbox {
    const NAME: &'static str = "mail";
    const PATHS: &'static [&'static str] = &[ses::PATH, resend::PATH, mailpit::PATH];
    const LIST: &'static str = "/sandbox/mails";
    type Knobs = Knobs;
    type Taken = MailSeen;

    #[expect(private_interfaces, reason = "nothing outside this crate can be a desk")]
    fn take(&mut self, knobs: &Knobs, request: &Received) -> (Outcome, Response) {
        match Provider::of(request.uri.path()) {
            Provider::Ses => ses::take(self, knobs, request),
            Provider::Resend => resend::take(self, knobs, request),
            Provider::Mailpit => mailpit::take(self, knobs, request),
        }
    }

    fn taken(&self) -> Vec<MailSeen> {
        self.mails.iter().cloned().collect()
    }

    fn say(path: &str, status: StatusCode, reason: &str) -> Response {
        match Provider::of(path) {
            Provider::Ses => ses::say(status, reason),
            Provider::Resend => resend::say(status, reason),
            Provider::Mailpit => mailpit::say(status, reason),
        }
    }

    #[expect(private_interfaces, reason = "nothing outside this crate can be a desk")]
    fn page(&self) -> Page {
        let entries = self.mails.iter().rev().take(ENTRIES_SHOWN_MAX);
        Page {
            title: "Inbox",
            count: self.mails.len(),
            entries: entries
                .map(|mail| Entry {
                    heading: mail.subject.clone(),
                    facts: [
                        ("to", mail.to.join(", ")),
                        ("from", mail.from.clone()),
                        ("time", mail.received_at.clone()),
                        ("provider", mail.provider.name().to_owned()),
                    ]
                    .into_iter()
                    .chain(traced(mail.traceparent.as_deref()))
                    .collect(),
                    text: if mail.text.is_empty() { mail.html.clone() } else { mail.text.clone() },
                })
                .collect(),
        }
    }
}

impl Inbox {
    fn put(&mut self, provider: Provider, id: String, letter: Letter, request: &Received) {
        let mail = MailSeen {
            seq: request.seq,
            received_at: request.received_at(),
            provider,
            id,
            idempotency_key: request.header("idempotency-key").map(str::to_owned),
            traceparent: request.traceparent(),
            from: letter.from.to_string(),
            to: letter.to.into_iter().map(|to| to.address).collect(),
            subject: letter.subject,
            text: letter.text,
            html: letter.html,
            headers: letter.headers,
        };
        keep(&mut self.mails, mail, MAILS_KEPT_MAX);
    }
}

impl Letter {
    fn check(self) -> Result<Self, Fault> {
        if self.to.is_empty() {
            Err(Fault::NoRecipient)
        } else if self.to.len() > RECIPIENTS_MAX {
            Err(Fault::TooManyRecipients)
        } else if self.subject.contains(char::is_control)
            || self.subject.chars().count() > SUBJECT_CHARACTERS_MAX
        {
            Err(Fault::Subject)
        } else if self.text.is_empty() && self.html.is_empty() {
            Err(Fault::NoBody)
        } else {
            Ok(self)
        }
    }
}

impl Mailbox {
    /// Reads `address` or `name <address>`; the name may be quoted or stand in encoded words.
    fn parse(text: &str) -> Option<Self> {
        if text.contains(char::is_control) {
            return None;
        }
        let (name, address) = match text.trim().strip_suffix('>') {
            Some(text) => text.rsplit_once('<')?,
            None => ("", text.trim()),
        };
        let name = name.trim();
        match name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) {
            Some(quoted) => Self::new(&quoted.replace("\\\"", "\"").replace("\\\\", "\\"), address),
            None => Self::new(&decoded(name), address),
        }
    }

    /// Nothing where mail could not be sent there.
    fn new(name: &str, address: &str) -> Option<Self> {
        let (local, domain) = address.split_once('@')?;
        let odd = |c: char| c.is_control() || c.is_whitespace() || "@<>,;:\"()[]\\".contains(c);
        let usable = !local.is_empty()
            && !domain.is_empty()
            && !local.contains(odd)
            && !domain.contains(odd)
            && !name.contains(char::is_control);
        usable.then(|| Self { name: name.to_owned(), address: address.to_owned() })
    }
}

impl std::fmt::Display for Mailbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.name.is_empty() {
            f.write_str(&self.address)
        } else {
            write!(f, "{} <{}>", self.name, self.address)
        }
    }
}

/// A name as a mail reader shows it: encoded words (RFC 2047) in UTF-8 and base64 are read, and the space between two of
/// them is none. A name with anything else in it stays as it is.
fn decoded(name: &str) -> String {
    let mut bytes = Vec::new();
    for word in name.split(' ') {
        let text = word
            .get(..ENCODED_WORD.len())
            .filter(|start| start.eq_ignore_ascii_case(ENCODED_WORD))
            .and_then(|start| word.get(start.len()..)?.strip_suffix("?="));
        match text.and_then(|text| BASE64.decode(text).ok()) {
            Some(text) => bytes.extend(text),
            None => return name.to_owned(),
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_with_or_without_a_name_and_never_with_a_line_break() {
        let read = |text| Mailbox::parse(text).map(|mailbox| (mailbox.name, mailbox.address));
        let pair = |name: &str, address: &str| Some((name.to_owned(), address.to_owned()));
        assert_eq!(read("a@b.example"), pair("", "a@b.example"));
        assert_eq!(read("\"부산 도너츠\" <a@b.example>"), pair("부산 도너츠", "a@b.example"));
        assert_eq!(read(r#""a \" \\ b" <a@b.example>"#), pair(r#"a " \ b"#, "a@b.example"));
        assert_eq!(
            read("=?UTF-8?B?67aA7IKw?= =?utf-8?b?64+E64SI7Lig?= <a@b.example>"),
            pair("부산도너츠", "a@b.example")
        );
        assert_eq!(read("=?UTF-8?B?!?= <a@b.example>"), pair("=?UTF-8?B?!?=", "a@b.example"));
        for bad in ["", "a", "@b", "a@", "a b@c", "a@b\r\nBcc: c@d", "<a@b", "a@b, c@d", "x\n <a@b>"] {
            assert_eq!(read(bad), None, "{bad:?}");
        }
    }
}

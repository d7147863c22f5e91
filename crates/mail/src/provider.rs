//! The providers, behind one interface.

use crate::sigv4::Credentials;
use crate::{ID_CHARACTERS_MAX, Mail, Outcome, mailpit, resend, ses};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::uri::Scheme;
use http::{HeaderMap, Request, Uri};
use std::fmt;

/// Who is calling. Resend turns away callers that do not say.
const AGENT: &str = concat!("restock/", env!("CARGO_PKG_VERSION"));
/// The header of a mail that carries its id, where the provider lets us set one. Mail programs that put mails with the same
/// subject together leave two with different ids apart.
pub(crate) const ID_HEADER: &str = "X-Entity-Ref-ID";

/// A value that must not be shown. It has no way to print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a value from being shown.
    #[must_use]
    pub fn new(value: &str) -> Self {
        Self(value.to_owned())
    }

    /// The value, for the one header that needs it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// Whoever takes mail from us.
#[derive(Clone, Debug)]
pub enum Provider {
    /// Amazon SES, version 2 of its interface.
    Ses {
        /// Scheme, host and port; see [`crate::ses_origin`].
        origin: String,
        /// The region that the signature is for.
        region: String,
        /// Who signs.
        credentials: Credentials,
    },
    /// Resend.
    Resend {
        /// Scheme, host and port; usually [`crate::RESEND_ORIGIN`].
        origin: String,
        /// The API key.
        key: Secret,
    },
    /// Mailpit, which keeps mails for developers to look at.
    Mailpit {
        /// Scheme, host and port.
        origin: String,
        /// `user:password`, where it asks for one.
        key: Option<Secret>,
    },
}

/// Why there is no request: something in the configuration or in the mail's id cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The provider's address is not a scheme, a host and perhaps a port.
    Origin,
    /// The key or the credentials hold something that cannot stand in a header.
    Key,
    /// The region is not the name of one.
    Region,
    /// The mail's id is not 1 to [`ID_CHARACTERS_MAX`] visible ASCII characters.
    Id,
    /// The time is out of the calendar's range, or the body cannot be written. Neither happens.
    Unwritable,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Origin => "the mail provider's address must be a scheme and a host",
            Self::Key => "the mail provider's key holds characters that no key has",
            Self::Region => "the region must be a name such as eu-central-1",
            Self::Id => "the mail's id must be 1 to 255 visible ASCII characters",
            Self::Unwritable => "the mail cannot be written as a request",
        })
    }
}

impl std::error::Error for Fault {}

impl Provider {
    /// What this provider is called in the configuration.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Ses { .. } => "ses",
            Self::Resend { .. } => "resend",
            Self::Mailpit { .. } => "mailpit",
        }
    }

    /// Whether a mail that is sent twice under the same id arrives once. Resend promises it for 24 hours after the first time.
    #[must_use]
    pub fn offers_idempotency(&self) -> bool {
        matches!(self, Self::Resend { .. })
    }

    /// The request that gives a mail to this provider at a moment (ms since 1970). It carries no `Content-Length`: whoever
    /// sends it adds that.
    ///
    /// # Errors
    /// What cannot be sent; trying again does not help.
    pub fn request(&self, mail: &Mail, now_ms: u64) -> Result<Request<Bytes>, Fault> {
        let is_id = (1..=ID_CHARACTERS_MAX).contains(&mail.id.len())
            && mail.id.bytes().all(|byte| byte.is_ascii_graphic());
        if !is_id {
            return Err(Fault::Id);
        }
        match self {
            Self::Ses { origin, region, credentials } => {
                ses::request(origin, region, credentials, mail, now_ms)
            }
            Self::Resend { origin, key } => resend::request(origin, key, mail),
            Self::Mailpit { origin, key } => mailpit::request(origin, key.as_ref(), mail),
        }
    }

    /// What an answer means: its status, its headers, its body, and the current moment (ms since 1970).
    #[must_use]
    pub fn read(&self, status: u16, headers: &HeaderMap, body: &[u8], now_ms: u64) -> Outcome {
        let retry_after = text(headers.get(RETRY_AFTER));
        match self {
            Self::Ses { .. } => ses::read(status, headers, body, now_ms),
            Self::Resend { .. } => resend::read(status, retry_after, body, now_ms),
            Self::Mailpit { .. } => mailpit::read(status, retry_after, body, now_ms),
        }
    }
}

/// The text of a header; none where it is absent or not a text.
pub(crate) fn text(value: Option<&HeaderValue>) -> Option<&str> {
    value.and_then(|value| value.to_str().ok())
}

/// A POST of a JSON body to a path of a provider.
pub(crate) fn post(
    origin: &str,
    path: &'static str,
    body: &impl serde::Serialize,
) -> Result<Request<Bytes>, Fault> {
    let body = serde_json::to_vec(body).map_err(|_| Fault::Unwritable)?;
    Request::post(address(origin, path)?)
        .header(CONTENT_TYPE, "application/json")
        .header(USER_AGENT, AGENT)
        .body(body.into())
        .map_err(|_| Fault::Unwritable)
}

/// The whole address. A scheme's own port is left out, as HTTP clients leave it out of `Host`, which SES's signature covers.
fn address(origin: &str, path: &'static str) -> Result<Uri, Fault> {
    let parts = origin.parse::<Uri>().map_err(|_| Fault::Origin)?.into_parts();
    let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else { return Err(Fault::Origin) };
    let default_port = if scheme == Scheme::HTTPS { 443 } else { 80 };
    let is_alone = parts.path_and_query.is_none_or(|path| path == "/");
    if !is_alone || authority.as_str().contains('@') || authority.host().is_empty() {
        return Err(Fault::Origin);
    }
    let authority = match authority.port_u16() {
        Some(port) if port != default_port => format!("{}:{port}", authority.host()),
        _ => authority.host().to_owned(),
    };
    Uri::builder().scheme(scheme).authority(authority).path_and_query(path).build().map_err(|_| Fault::Origin)
}

/// The value of `Authorization`, kept out of whatever prints headers.
pub(crate) fn authorization(value: &str) -> Result<HeaderValue, Fault> {
    let mut value = HeaderValue::from_str(value).map_err(|_| Fault::Key)?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_an_origin_and_a_path() {
        let address = |origin| address(origin, "/emails").map(|uri| uri.to_string());
        assert_eq!(address("https://mail.example"), Ok("https://mail.example/emails".to_owned()));
        assert_eq!(address("https://mail.example:443/"), Ok("https://mail.example/emails".to_owned()));
        assert_eq!(address("http://127.0.0.1:8025"), Ok("http://127.0.0.1:8025/emails".to_owned()));
        assert_eq!(address("http://[::1]:8025"), Ok("http://[::1]:8025/emails".to_owned()));
        for wrong in
            ["", "mail.example", "https://mail.example/api", "https://u:p@mail.example", "https:///x"]
        {
            assert_eq!(address(wrong), Err(Fault::Origin), "{wrong}");
        }
    }

    #[test]
    fn a_secret_does_not_print_itself() {
        let provider =
            Provider::Resend { origin: "https://mail.example".to_owned(), key: Secret::new("re_1") };
        assert!(!format!("{provider:?}").contains("re_1"));
        let credentials = Credentials::new("AKIDEXAMPLE", "hunter2");
        assert!(!format!("{credentials:?}").contains("hunter2"));
    }
}

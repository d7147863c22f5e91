//! Calls to other systems over HTTP: one time limit for the whole of a call, one size limit for its answer, no redirects.

use crate::{host, trace};
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{HeaderMap, Request, Uri};
use http_body_util::BodyExt;
use restock_domain::partner::Kind;
use restock_domain::redact;
use restock_domain::reply::Done;
use spin_sdk::http::FullBody;
use spin_sdk::wasip3::http::types::{ErrorCode, RequestOptions};
use spin_sdk::wasip3::http_compat::RequestOptionsExtension;
use std::fmt;
use std::time::Duration;

/// The largest answer of another system that is read where its call has no limit of its own, bytes.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// How long a connection may take to come about. Shorter than a call, so that an address where nobody listens is told apart from a
/// system that is slow: the one surely did nothing, of the other nobody knows.
const CONNECT_TIME_MAX: Duration = Duration::from_secs(3);

/// What one call may take. A time alone is one that reads [`ANSWER_BYTES_MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallLimits {
    /// How long all of it may take.
    pub time_max: Duration,
    /// The largest answer that is read, bytes.
    pub answer_bytes_max: usize,
}

impl From<Duration> for CallLimits {
    fn from(time_max: Duration) -> Self {
        Self { time_max, answer_bytes_max: ANSWER_BYTES_MAX }
    }
}

/// Another system's answer.
#[derive(Debug)]
pub struct Incoming {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: Bytes,
}

impl Incoming {
    /// The answer without the address that it came from, where that address is a secret and the other system repeats it.
    #[must_use]
    pub fn without_address(self, address: &str) -> Self {
        let body = redact::without_address(&String::from_utf8_lossy(&self.body), address);
        Self { body: body.into(), ..self }
    }

    /// The text of a header; none where it is absent or not a text.
    #[must_use]
    pub fn header(&self, name: &http::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Why there is no answer. It shows in words what went wrong, without the path of the address, which can be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The time was up after so long. The other system may or may not have done what was asked.
    TimedOut(Duration),
    /// The application is not permitted to call it. Nothing was sent.
    NotPermitted(String),
    /// There was no connection. Nothing was sent.
    Unreachable(String),
    /// The connection broke. The other system may or may not have done what was asked.
    Broken(String),
    /// Its answer has more than so many bytes.
    TooLarge(usize),
}

impl Failed {
    /// How the call came to nothing.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::TimedOut(_) => Kind::Timeout,
            Self::NotPermitted(_) | Self::Unreachable(_) | Self::Broken(_) => Kind::Unreachable,
            Self::TooLarge(_) => Kind::TooLarge,
        }
    }

    /// Whether the other system did what was asked, all the same.
    #[must_use]
    pub fn done(&self) -> Done {
        match self {
            Self::NotPermitted(_) | Self::Unreachable(_) => Done::SurelyNot,
            Self::TimedOut(_) | Self::Broken(_) | Self::TooLarge(_) => Done::Unknown,
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TimedOut(limit) => write!(formatter, "no answer within {} ms", limit.as_millis()),
            Self::NotPermitted(origin) => {
                write!(formatter, "spin.toml does not permit this component to call {origin}")
            }
            Self::Unreachable(words) | Self::Broken(words) => formatter.write_str(words),
            Self::TooLarge(limit) => write!(formatter, "the answer has more than {limit} bytes"),
        }
    }
}

/// Sends a request and reads its answer, all of it within limits. The other system is told what the call is a step of.
///
/// # Errors
/// Says why there is no answer.
pub async fn send(mut request: Request<Bytes>, limits: impl Into<CallLimits>) -> Result<Incoming, Failed> {
    let CallLimits { time_max, answer_bytes_max } = limits.into();
    // Old servers cannot read a body in chunks.
    let length = HeaderValue::from(request.body().len());
    request.headers_mut().insert(CONTENT_LENGTH, length);
    trace::stamp(request.headers_mut());
    request.extensions_mut().insert(RequestOptionsExtension(options(time_max)));
    let origin = origin(request.uri());
    let call = async {
        let response = spin_sdk::http::send(request.map(FullBody::new)).await;
        let (parts, mut body) = response.map_err(|code| failed(&code, origin))?.into_parts();
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame =
                frame.map_err(|code| Failed::Broken(format!("the answer broke off: {}", words(&code))))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > answer_bytes_max {
                return Err(Failed::TooLarge(answer_bytes_max));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Incoming { status: parts.status.as_u16(), headers: parts.headers, body: bytes.freeze() })
    };
    host::within(time_max, call).await.unwrap_or(Err(Failed::TimedOut(time_max)))
}

fn options(time_max: Duration) -> RequestOptions {
    let options = RequestOptions::new();
    let connect = u64::try_from(CONNECT_TIME_MAX.min(time_max).as_nanos()).unwrap_or(u64::MAX);
    // A host that knows no such limit has one of its own.
    let _ = options.set_connect_timeout(Some(connect));
    options
}

/// Scheme, host and port.
fn origin(uri: &Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or("http");
    // Whatever stands before an `@` is a user and a password.
    let authority = uri.authority().map_or("", http::uri::Authority::as_str);
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    format!("{scheme}://{host}")
}

/// What a failed call is. Only where the request cannot have left is it surely not done: everything that can also happen behind a
/// connection counts as broken.
fn failed(code: &ErrorCode, origin: String) -> Failed {
    match code {
        ErrorCode::HttpRequestDenied => Failed::NotPermitted(origin),
        ErrorCode::DnsTimeout
        | ErrorCode::DnsError(_)
        | ErrorCode::DestinationNotFound
        | ErrorCode::DestinationUnavailable
        | ErrorCode::DestinationIpProhibited
        | ErrorCode::DestinationIpUnroutable
        | ErrorCode::ConnectionRefused
        | ErrorCode::ConnectionTimeout
        | ErrorCode::ConnectionLimitReached
        | ErrorCode::TlsCertificateError
        | ErrorCode::HttpRequestMethodInvalid
        | ErrorCode::HttpRequestUriInvalid => Failed::Unreachable(format!("{origin}: {}", words(code))),
        _ => Failed::Broken(format!("{origin}: {}", words(code))),
    }
}

fn words(code: &ErrorCode) -> String {
    match code {
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) => "the name cannot be looked up".to_owned(),
        ErrorCode::ConnectionRefused => "the connection was refused".to_owned(),
        ErrorCode::ConnectionTimeout => "no connection came about in time".to_owned(),
        ErrorCode::ConnectionTerminated => "the connection was cut".to_owned(),
        ErrorCode::TlsCertificateError => "the certificate is not trusted".to_owned(),
        ErrorCode::DestinationIpProhibited => "the host does not allow calls to this network".to_owned(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(code: &ErrorCode) -> Done {
        failed(code, "http://a.example".to_owned()).done()
    }

    #[test]
    fn only_what_cannot_have_left_is_surely_not_done() {
        for code in [
            ErrorCode::HttpRequestDenied,
            ErrorCode::ConnectionRefused,
            ErrorCode::ConnectionTimeout,
            ErrorCode::DnsTimeout,
            ErrorCode::DestinationUnavailable,
        ] {
            assert_eq!(done(&code), Done::SurelyNot, "{code:?}");
        }
        for code in [
            ErrorCode::ConnectionTerminated,
            ErrorCode::ConnectionReadTimeout,
            ErrorCode::ConnectionWriteTimeout,
            ErrorCode::HttpResponseTimeout,
            ErrorCode::HttpResponseIncomplete,
            ErrorCode::HttpProtocolError,
            ErrorCode::TlsProtocolError,
            ErrorCode::InternalError(None),
        ] {
            assert_eq!(done(&code), Done::Unknown, "{code:?}");
        }
        assert_eq!(Failed::TimedOut(Duration::from_secs(5)).done(), Done::Unknown);
        assert_eq!(Failed::TooLarge(ANSWER_BYTES_MAX).done(), Done::Unknown);
    }

    #[test]
    fn an_answer_that_is_too_large_is_told_the_limit_that_it_broke() {
        let usual = CallLimits::from(Duration::from_secs(5));
        let failed = Failed::TooLarge(usual.answer_bytes_max);
        assert_eq!(failed.to_string(), "the answer has more than 65536 bytes");
        assert_eq!(Failed::TooLarge(1_000).to_string(), "the answer has more than 1000 bytes");
    }

    #[test]
    fn a_call_that_is_not_permitted_names_the_file_that_says_so() {
        let words = failed(&ErrorCode::HttpRequestDenied, "http://a.example".to_owned()).to_string();
        assert_eq!(words, "spin.toml does not permit this component to call http://a.example");
    }

    #[test]
    fn no_words_hold_a_path_or_a_password() {
        let origin = |address: &str| origin(&address.parse().expect("an address"));
        assert_eq!(origin("https://hooks.example/services/T0/secret"), "https://hooks.example");
        assert_eq!(origin("http://user:hunter2@a.example:81/x"), "http://a.example:81");
    }
}

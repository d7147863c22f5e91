//! Calls to other systems over HTTP: one time limit for the whole of a call, one size limit for its answer, no redirects.

use crate::host;
use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_LENGTH, HeaderValue};
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use spin_sdk::http::FullBody;
use std::time::Duration;

/// The largest answer of another system that is read, bytes.
pub const ANSWER_BYTES_MAX: usize = 64 * 1024;

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
    /// The text of a header; none where it is absent or not a text.
    #[must_use]
    pub fn header(&self, name: &http::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failed {
    /// The time was up. The other system may or may not have done what was asked.
    TimedOut,
    /// It could not be reached, or the connection broke.
    Unreachable(String),
    /// Its answer has more than [`ANSWER_BYTES_MAX`] bytes.
    TooLarge,
}

/// Sends a request and reads its answer, all of it within a time limit.
///
/// # Errors
/// Says why there is no answer.
pub async fn send(mut request: Request<Bytes>, limit: Duration) -> Result<Incoming, Failed> {
    // Old servers cannot read a body in chunks.
    let length = HeaderValue::from(request.body().len());
    request.headers_mut().insert(CONTENT_LENGTH, length);
    let call = async {
        let response = spin_sdk::http::send(request.map(FullBody::new))
            .await
            .map_err(|error| Failed::Unreachable(format!("{error:?}")))?;
        let (parts, mut body) = response.into_parts();
        let mut bytes = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| Failed::Unreachable(format!("{error:?}")))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > ANSWER_BYTES_MAX {
                return Err(Failed::TooLarge);
            }
            bytes.extend_from_slice(&data);
        }
        Ok(Incoming { status: parts.status.as_u16(), headers: parts.headers, body: bytes.freeze() })
    };
    host::within(limit, call).await.unwrap_or(Err(Failed::TimedOut))
}

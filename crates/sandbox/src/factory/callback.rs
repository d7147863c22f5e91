//! The factory's one outbound call: a POST to a `CallbackUrl`, tried once.
//!
//! Plain HTTP only: a stand-in talks to the machine it runs on, and the original speaks nothing else either.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::sync::Semaphore;

/// How long a callback may take, from the connection to the last byte of the answer.
const CALLBACK_SECONDS_MAX: u64 = 30;
/// The part of an answer that is kept.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Callbacks on their way at one time; the others wait.
const CALLBACKS_AT_ONCE_MAX: usize = 64;

/// Sends callbacks and keeps their connections.
pub(crate) struct Sender {
    client: Client<HttpConnector, Full<Bytes>>,
    permits: Semaphore,
}

impl Sender {
    pub(crate) fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            client: Client::builder(TokioExecutor::new()).build(connector),
            permits: Semaphore::new(CALLBACKS_AT_ONCE_MAX),
        }
    }

    /// Posts `body` to `url`: the status and the answer's text, or why there is none.
    pub(crate) async fn send(&self, url: &str, body: String) -> Result<(u16, String), String> {
        let _permit = self.permits.acquire().await.map_err(|error| error.to_string())?;
        tokio::time::timeout(Duration::from_secs(CALLBACK_SECONDS_MAX), self.exchange(url, body))
            .await
            .map_err(|_| format!("no answer within {CALLBACK_SECONDS_MAX} s"))?
    }

    async fn exchange(&self, url: &str, body: String) -> Result<(u16, String), String> {
        let request = Request::post(url)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body)))
            .map_err(|error| format!("unusable CallbackUrl: {error}"))?;
        let answer = self.client.request(request).await.map_err(|error| with_causes(&error))?;
        let status = answer.status().as_u16();
        let text = match Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await {
            Ok(body) => String::from_utf8_lossy(&body.to_bytes()).into_owned(),
            Err(error) => format!("(unreadable: {error})"),
        };
        Ok((status, text))
    }
}

/// hyper's own message is only "client error (Connect)".
fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

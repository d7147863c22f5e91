//! Claim: mail, Slack, the marketing system and the logistics partner take what the real ones take, refuse what they
//! refuse, in their words, and each knob does what it says.
//! Method: real HTTP to a stand-in on a free port; what happens in the background is waited for by its signal.
//! Needs: nothing but a loopback interface.

#![allow(clippy::unwrap_used, reason = "a test reports a surprise by failing, in its helpers too")]

mod logistics;
mod mail;
mod marketing;
mod slack;

use std::net::SocketAddr;

use anyhow::Result;
use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// An answer, read whole.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }
}

async fn call(method: Method, url: &str, headers: &[(&str, &str)], body: &str) -> Result<Answer> {
    let client = Client::builder(TokioExecutor::new()).build_http::<Full<Bytes>>();
    let mut request = Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let (head, body) =
        client.request(request.body(Full::new(Bytes::from(body.to_owned())))?).await?.into_parts();
    let text = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
    Ok(Answer { status: head.status, headers: head.headers, text })
}

async fn get(url: &str) -> Result<Answer> {
    call(Method::GET, url, &[], "").await
}

async fn post(url: &str, headers: &[(&str, &str)], body: &Value) -> Result<Answer> {
    call(Method::POST, url, headers, &body.to_string()).await
}

//! The question at the start whether the application can work with its variables. A wrong one stops the start, with one message that
//! lists every fault; what can go away by itself, such as a database that is busy, does not.

use std::time::Duration;

use anyhow::bail;
use bytes::Bytes;
use http::{Method, header};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use wasmtime_wasi_http::Error;

use crate::application::{Answer, Application, CHAINED_CLIENT, Request};
use crate::http::{REQUEST_ID, request_id};

/// The application's path for readiness.
const PATH: &str = "/readyz";
/// The member of its answer that lists variables with wrong values, each in words.
const WRONG_VARIABLES: &str = "wrong_variables";
/// How long the answer may take, ms. The first one opens the database and applies migrations.
const READY_MS_MAX: u64 = 10_000;

/// Asks the application for its wrong variables. An application that cannot say has none.
///
/// # Errors
/// All of them in one message.
pub(crate) async fn check(application: &Application, authority: &str) -> anyhow::Result<()> {
    let limit = Duration::from_millis(READY_MS_MAX);
    let wrong = tokio::time::timeout(limit, wrong_variables(application, authority)).await.ok().flatten();
    match wrong {
        Some(wrong) if !wrong.is_empty() => {
            // The instance that answered is given up with the rest.
            application.end();
            bail!("these variables cannot be used:\n  - {}", wrong.join("\n  - "))
        }
        _ => Ok(()),
    }
}

async fn wrong_variables(application: &Application, authority: &str) -> Option<Vec<String>> {
    let Answer::From(_, Ok(response)) = application.answer(request(authority).ok()?, CHAINED_CLIENT).await
    else {
        return None;
    };
    let body = response.into_body().collect().await.ok()?.to_bytes();
    let answer: Value = serde_json::from_slice(&body).ok()?;
    let wrong = answer.get(WRONG_VARIABLES)?.as_array()?;
    Some(wrong.iter().filter_map(|fault| fault.as_str().map(str::to_owned)).collect())
}

fn request(authority: &str) -> http::Result<Request> {
    http::Request::builder()
        .method(Method::GET)
        .uri(format!("http://{authority}{PATH}"))
        .header(header::HOST, authority)
        .header(REQUEST_ID, request_id(None))
        .body(Full::new(Bytes::new()).map_err(Error::from).boxed_unsync())
}

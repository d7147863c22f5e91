//! The tick: what an outside timer does for the application elsewhere, the host does itself.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode, header};
use http_body_util::{BodyExt, Full};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use wasmtime_wasi_http::Error;

use crate::application::{Answer, Application, CHAINED_CLIENT, Request};
use crate::host::stopped;
use crate::http::{REQUEST_ID, request_id};

/// The application's path for the tick.
const PATH: &str = "/internal/tick";

/// Calls the tick every `interval`, the first time at once, one call after the other, until told to stop.
pub(crate) async fn run(
    application: Arc<Application>,
    interval: Duration,
    authority: String,
    key: String,
    mut stop: watch::Receiver<bool>,
) {
    let mut timer = tokio::time::interval(interval);
    timer.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = None;
    loop {
        tokio::select! {
            () = stopped(&mut stop) => return,
            _ = timer.tick() => {}
        }
        let now = tick(&application, &authority, &key).await;
        // A tick that goes on failing is one event, not one a second.
        if last.as_ref() != Some(&now) {
            match &now {
                Ok(()) if last.is_some() => tracing::info!("the tick works again"),
                Ok(()) => tracing::debug!("the tick works"),
                Err(fault) => tracing::error!("the tick fails: {fault}"),
            }
            last = Some(now);
        }
    }
}

async fn tick(application: &Application, authority: &str, key: &str) -> Result<(), String> {
    let request = request(authority, key).map_err(|error| error.to_string())?;
    match application.answer(request, CHAINED_CLIENT).await {
        Answer::From(_, Ok(response)) => {
            let status = response.status();
            // An answer is complete when its body is; what it says is counted by the application itself.
            let read = response.into_body().collect().await;
            match (status, read) {
                (StatusCode::OK | StatusCode::ACCEPTED | StatusCode::NO_CONTENT, Ok(_)) => Ok(()),
                (status, Ok(_)) => Err(format!("{PATH} answered {status}")),
                (_, Err(error)) => Err(format!("the answer of {PATH} broke off: {error}")),
            }
        }
        Answer::From(component, Err(error)) => Err(format!("component `{component}`: {error}")),
        Answer::Own(_) | Answer::NotFound => Err(format!("no component answers {PATH}")),
    }
}

fn request(authority: &str, key: &str) -> http::Result<Request> {
    http::Request::builder()
        .method(Method::POST)
        .uri(format!("http://{authority}{PATH}"))
        .header(header::HOST, authority)
        .header(header::AUTHORIZATION, format!("Bearer {key}"))
        .header(header::CONTENT_LENGTH, 0)
        .header(REQUEST_ID, request_id(None))
        .body(Full::new(Bytes::new()).map_err(Error::from).boxed_unsync())
}

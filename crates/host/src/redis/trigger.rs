//! Redis triggers: listening, and handling one message after the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::StreamExt;
use futures::future::join_all;
use tokio::sync::watch;

use super::backlog::{Backlog, Message};
use super::remote::{CONNECT_MS_MAX, client};
use crate::application::Application;
use crate::host::stopped;

/// How long a handler may take. Spin has no limit, and one handler that hangs stops all messages of its address.
const HANDLER_MS_MAX: u64 = 60_000;
/// The first pause after a lost connection, doubled up to the longest.
const PAUSE_MS_MIN: u64 = 100;
const PAUSE_MS_MAX: u64 = 5_000;

/// Handles the messages of one address until told to stop.
pub(super) async fn work(
    application: Arc<Application>,
    channels: BTreeMap<String, Vec<String>>,
    backlog: Arc<Backlog>,
    mut stop: watch::Receiver<bool>,
) {
    loop {
        let message = tokio::select! {
            () = stopped(&mut stop) => return,
            message = backlog.pop() => message,
        };
        let components = channels.get(&message.channel).map(Vec::as_slice).unwrap_or_default();
        join_all(components.iter().map(|component| handle(&application, component, &message))).await;
    }
}

async fn handle(application: &Application, component: &str, message: &Message) {
    let start = Instant::now();
    let limit = Duration::from_millis(HANDLER_MS_MAX);
    let result = tokio::time::timeout(limit, application.deliver(component, message.payload.clone())).await;
    let ms = u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let channel = &message.channel;
    match result {
        Ok(Ok(())) => tracing::debug!(target: "restock::message", channel, component, ms),
        Ok(Err(error)) => {
            tracing::error!(target: "restock::message", channel, component, ms, "failed: {error:#}")
        }
        Err(_) => {
            tracing::error!(target: "restock::message", channel, component, ms, "given up: it took too long")
        }
    }
}

/// Listens at a real Redis until told to stop, connecting again whenever the connection is lost.
pub(super) async fn listen(
    address: String,
    channels: Vec<String>,
    backlog: Arc<Backlog>,
    mut stop: watch::Receiver<bool>,
) {
    let mut pause = PAUSE_MS_MIN;
    loop {
        let mut heard = false;
        let listening = connect_and_hear(&address, &channels, &backlog, &mut heard);
        let lost = tokio::select! {
            () = stopped(&mut stop) => return,
            lost = listening => lost,
        };
        pause = if heard { PAUSE_MS_MIN } else { pause.saturating_mul(2).min(PAUSE_MS_MAX) };
        // Messages of the time between are lost, as pub/sub is; the tick finds what they spoke of.
        tracing::warn!("the Redis trigger is not connected and tries again in {pause} ms: {lost}");
        tokio::select! {
            () = stopped(&mut stop) => return,
            () = tokio::time::sleep(Duration::from_millis(pause)) => {}
        }
    }
}

/// Returns why the connection ended.
async fn connect_and_hear(address: &str, channels: &[String], backlog: &Backlog, heard: &mut bool) -> String {
    let client = match client(address) {
        Ok(client) => client,
        Err(error) => return error.to_string(),
    };
    let limit = Duration::from_millis(CONNECT_MS_MAX);
    let mut pubsub = match tokio::time::timeout(limit, client.get_async_pubsub()).await {
        Ok(Ok(pubsub)) => pubsub,
        Ok(Err(error)) => return error.to_string(),
        Err(_) => return "connecting took too long".to_owned(),
    };
    let subscribing = async {
        for channel in channels {
            pubsub.subscribe(channel).await?;
        }
        Ok::<_, redis::RedisError>(())
    };
    match tokio::time::timeout(limit, subscribing).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => return error.to_string(),
        Err(_) => return "subscribing took too long".to_owned(),
    }
    *heard = true;
    tracing::info!(channels = channels.len(), "the Redis trigger listens");
    let mut messages = pubsub.on_message();
    while let Some(message) = messages.next().await {
        backlog.push(message.get_channel_name(), message.get_payload_bytes());
    }
    "the connection was closed".to_owned()
}

//! The doorbell: "there may be work in this queue". A bell that nobody hears costs time until the next tick, never work, so
//! ringing never fails a request and is never waited for by one.
//!
//! It goes over Redis, and over HTTP to the consumer where Redis does not answer or is not there: at the application's public
//! address, because Spin refuses its own internal addresses to components with a Redis trigger, and to any component whose
//! consumer runs in another process.

use crate::config::{Cached, Secret};
use crate::{host, log, outbound, trace};
use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use spin_sdk::redis;
use std::time::Duration;

/// How long one ring may take on one way.
const RING_TIME_MAX: Duration = Duration::from_secs(1);

/// Rings queues after the answer. The work is dropped with the instance, which is all right for a hint.
pub fn ring_later(queues: impl IntoIterator<Item = impl Into<String>>) {
    for queue in queues {
        let queue = queue.into();
        spin_sdk::wasip3::spawn(trace::carried(async move { ring(&queue).await }));
    }
}

/// Rings a queue and waits until it was heard, for two seconds at most. A failure is logged and forgotten.
pub async fn ring(queue: &str) {
    static BELL: Cached<Doorbell> = Cached::new();
    match BELL.get(async |reader| reader.doorbell().await).await {
        Ok(bell) => bell.ring(queue).await,
        Err(error) => log!("the bell of {queue} cannot be rung: {error:?}"),
    }
}

/// How queues are rung, as configured.
#[derive(Clone, Debug)]
pub struct Doorbell {
    redis_url: Option<Secret>,
    base: String,
    key: Option<Secret>,
}

impl Doorbell {
    pub(crate) fn new(redis_url: Option<Secret>, base: String, key: Option<Secret>) -> Self {
        Self { redis_url, base, key }
    }

    async fn ring(&self, queue: &str) {
        let over_redis = match &self.redis_url {
            Some(address) => ring_over_redis(address, queue).await,
            None => Err("no redis_url is set".to_owned()),
        };
        let Err(redis_words) = over_redis else { return };
        if let Err(http_words) = self.ring_over_http(queue).await {
            log!("the bell of {queue} was not heard: {redis_words}; {http_words}");
        }
    }

    async fn ring_over_http(&self, queue: &str) -> Result<(), String> {
        let key = self.key.as_ref().ok_or("no internal_keys are set")?;
        let url = format!("{}/internal/{queue}/drain", self.base);
        let request = Request::post(url)
            .header(AUTHORIZATION, format!("Bearer {}", key.expose()))
            .body(Bytes::new())
            .map_err(|error| error.to_string())?;
        match outbound::send(request, RING_TIME_MAX).await {
            // A drain that works longer than the bell rings was heard.
            Ok(outbound::Incoming { status: 200..=299, .. }) | Err(outbound::Failed::TimedOut(_)) => Ok(()),
            Ok(outbound::Incoming { status, .. }) => Err(format!("answered {status}")),
            Err(failed) => Err(failed.to_string()),
        }
    }
}

async fn ring_over_redis(address: &Secret, queue: &str) -> Result<(), String> {
    let publish = async {
        let redis = redis::Connection::open(address.expose()).await?;
        redis.publish(format!("restock.{queue}"), []).await
    };
    match host::within(RING_TIME_MAX, publish).await {
        Ok(Ok(())) => Ok(()),
        // Redis repeats the address in its words, and the address can hold a password.
        Ok(Err(_)) => Err("redis refused it".to_owned()),
        Err(host::TimeUp) => Err("redis took too long".to_owned()),
    }
}

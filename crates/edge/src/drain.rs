//! The drain loop: claim a batch, work on all of it at once, settle it in one write, until the queue is empty or the time is
//! used.
//!
//! A worker that dies anywhere in here loses nothing: its messages become ready again when their lease runs out.

use crate::doorbell;
use crate::error::fault_words;
use crate::host;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use restock_api::queue::Drained;
use restock_bindings::queue::{self, Delivery};
use restock_bindings::types::Fault;
use restock_domain::attempt::{self, Failure, Settlement, Verdict};
use restock_domain::queues;
use std::future::Future;
use std::time::{Duration, Instant};

/// Messages that are claimed, worked on and settled together.
pub const BATCH_MESSAGES: u32 = 16;
/// After so long no further batch is claimed.
pub const DRAIN_TIME_MAX: Duration = Duration::from_secs(15);
/// How long a handler may work on one message. With [`DRAIN_TIME_MAX`] it stays below the 30 s that some platforms give.
pub const HANDLER_TIME_MAX: Duration = Duration::from_secs(14);
/// A handler ends so long before its lease does, so that its verdict still counts.
const LEASE_MARGIN: Duration = Duration::from_secs(1);
/// How often settling is tried before the lease is left to run out.
const SETTLE_TRIES_MAX: u32 = 4;
/// The wait before settling is tried again; doubles each time.
const SETTLE_RETRY_WAIT: Duration = Duration::from_millis(100);
/// How much of an error is kept, characters.
const ERROR_CHARACTERS_MAX: usize = 2_000;

/// The kind of failure of a handler that broke off.
const HANDLER_FAILED: &str = "handler-failed";
/// The kind of failure of a handler that took too long.
const HANDLER_TIMED_OUT: &str = "handler-timed-out";

/// A queue to work off.
pub struct Drain {
    /// Its name.
    pub queue: &'static str,
    /// Attempts before a message is buried, where the queue has no limit of its own.
    pub attempts_max: u32,
}

impl Drain {
    /// Works off the queue with a handler. A handler's own failure counts as an attempt that can be repeated.
    ///
    /// # Errors
    /// The store could not give out messages. Nothing is lost: they stay in the queue.
    pub async fn run<F>(&self, handler: impl Fn(Delivery) -> F) -> Result<Drained, Fault>
    where
        F: Future<Output = anyhow::Result<Verdict>>,
    {
        let started = Instant::now();
        let mut drained = Drained::default();
        let mut attempts_max = None;
        loop {
            let batch = queue::claim(self.queue.to_owned(), BATCH_MESSAGES, host::now_ms()).await?;
            if batch.is_empty() {
                self.ring(&drained, false).await;
                return Ok(drained);
            }
            let mut settlements = Vec::with_capacity(batch.len());
            let mut running: FuturesUnordered<_> =
                batch.into_iter().map(|delivery| attempt_at(delivery, &handler)).collect();
            while let Some((delivery, verdict)) = running.next().await {
                let limit = match attempts_max {
                    Some(limit) => limit,
                    None => *attempts_max.insert(self.attempts_max().await),
                };
                let now_ms = host::now_ms();
                let settlement =
                    attempt::settle(verdict, delivery.attempt, limit, now_ms, host::random_u64());
                count(&mut drained, &settlement);
                settlements.push(record(delivery, settlement));
            }
            drop(running);
            settle(&settlements).await;
            if started.elapsed() >= DRAIN_TIME_MAX {
                self.ring(&drained, true).await;
                return Ok(drained);
            }
        }
    }

    /// Rings this queue where work may be left, and that of the alerts where something became a dead letter. What becomes of
    /// the alerts themselves is no event, so they never ring for each other.
    async fn ring(&self, drained: &Drained, work_is_left: bool) {
        let itself = work_is_left.then_some(self.queue);
        let alerts = (drained.buried > 0 && self.queue != queues::ALERTS).then_some(queues::ALERTS);
        futures::future::join_all(itself.into_iter().chain(alerts).map(doorbell::ring)).await;
    }

    async fn attempts_max(&self) -> u32 {
        let queues = queue::list(host::now_ms()).await.unwrap_or_default();
        let own = queues
            .into_iter()
            .find(|status| status.queue == self.queue)
            .and_then(|status| status.attempts_max);
        own.unwrap_or(self.attempts_max)
    }
}

/// What settling needs to know of a message.
struct Attempted {
    message_id: String,
    receipt: String,
    attempt: u32,
}

async fn attempt_at<F>(delivery: Delivery, handler: impl Fn(Delivery) -> F) -> (Attempted, Verdict)
where
    F: Future<Output = anyhow::Result<Verdict>>,
{
    let attempted = Attempted {
        message_id: delivery.message_id.clone(),
        receipt: delivery.receipt.clone(),
        attempt: delivery.attempt,
    };
    let lease = Duration::from_millis(delivery.leased_until.saturating_sub(host::now_ms()));
    let limit = HANDLER_TIME_MAX.min(lease.saturating_sub(LEASE_MARGIN));
    let failure = match host::within(limit, handler(delivery)).await {
        Ok(Ok(verdict)) => return (attempted, verdict),
        Ok(Err(error)) => Failure::new(HANDLER_FAILED, format!("{error:#}")),
        Err(host::TimeUp) => {
            Failure::new(HANDLER_TIMED_OUT, format!("took longer than {} ms", limit.as_millis()))
        }
    };
    (attempted, Verdict::Retry { failure, not_before_ms: None })
}

fn count(drained: &mut Drained, settlement: &Settlement) {
    drained.claimed += 1;
    match settlement {
        Settlement::Done => drained.done += 1,
        Settlement::Retry(..) => drained.retried += 1,
        Settlement::Postpone(..) => drained.postponed += 1,
        Settlement::Bury(_) => drained.buried += 1,
    }
}

fn record(attempted: Attempted, settlement: Settlement) -> queue::Settlement {
    let (verdict, failure) = match settlement {
        Settlement::Done => (queue::Verdict::Done, Failure::default()),
        Settlement::Retry(at, failure) => (queue::Verdict::Retry(at), failure),
        Settlement::Postpone(at, failure) => (queue::Verdict::Postpone(at), failure),
        Settlement::Bury(failure) => (queue::Verdict::Bury, failure),
    };
    queue::Settlement {
        message_id: attempted.message_id,
        receipt: attempted.receipt,
        verdict,
        reason: failure.reason.into_owned(),
        error: failure.error.chars().take(ERROR_CHARACTERS_MAX).collect(),
    }
}

/// Settles a batch. A store that does not answer is asked again a few times; after that the leases run out, the
/// messages are delivered again, and the handlers find that their work was done.
async fn settle(settlements: &[queue::Settlement]) {
    let mut wait = SETTLE_RETRY_WAIT;
    for tried in 1..=SETTLE_TRIES_MAX {
        match queue::settle(settlements.to_vec(), host::now_ms()).await {
            Ok(_) => return,
            Err(fault) => {
                eprintln!("settling failed, try {tried} of {SETTLE_TRIES_MAX}: {}", fault_words(&fault))
            }
        }
        if tried < SETTLE_TRIES_MAX {
            spin_sdk::time::sleep(wait).await;
            wait *= 2;
        }
    }
}

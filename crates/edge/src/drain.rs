//! The drain loop: works on so many messages of a queue at a time, settles those that finish together in one write, and fills their
//! places at once, until the queue is empty or the time is used. A message that takes long holds its own place and no other.
//!
//! A worker that dies anywhere in here loses nothing: its messages become ready again when their lease runs out.

use crate::doorbell;
use crate::error::fault_words;
use crate::partner::Partner;
use crate::{host, log, trace};
use futures::StreamExt;
use futures::future::{Either, join, select};
use futures::stream::FuturesUnordered;
use restock_api::queue::Drained;
use restock_bindings::queue::{self, Delivery};
use restock_bindings::types::Fault;
use restock_domain::attempt::{self, Failure, Settlement, Verdict};
use restock_domain::queues;
use restock_domain::trace::Context;
use restock_domain::window::{self, Places};
use std::future::Future;
use std::pin::pin;
use std::time::{Duration, Instant};

/// Messages that are worked on at a time, where a queue has no reason for another number.
pub const WINDOW: u32 = 16;
/// After so long no further message is claimed.
pub const DRAIN_TIME_MAX: Duration = Duration::from_secs(15);
/// How long a handler may work on one message. With [`DRAIN_TIME_MAX`] it stays below the 30 s that some platforms give.
pub const HANDLER_TIME_MAX: Duration = Duration::from_secs(14);
/// A handler ends so long before its lease does, so that its verdict still counts.
const LEASE_MARGIN: Duration = Duration::from_secs(1);
/// How long a message that finished waits for others to be settled with it.
const LINGER: Duration = Duration::from_millis(10);
/// This part of the window, once it is finished, waits for nobody else.
const SETTLED_PART: usize = 4;
/// With nothing finished for so long, free places are filled with what came meanwhile.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(1);
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
pub struct Drain<'a> {
    /// Its name.
    pub queue: &'static str,
    /// Attempts before a message is buried, where the queue has no limit of its own.
    pub attempts_max: u32,
    /// Messages that are worked on at a time; [`window::WINDOW_MAX`] at most.
    pub window: u32,
    /// The partner that all messages of the queue are for. While its gate lets nothing through, messages stay in the queue and
    /// are not postponed one by one. None: whatever is due is claimed.
    pub gate: Option<&'a Partner>,
}

impl Drain<'_> {
    /// Works off the queue with a handler. A handler's own failure counts as an attempt that can be repeated.
    ///
    /// # Errors
    /// The store could not give out messages. Nothing is lost: they stay in the queue.
    pub async fn run<F>(&self, handler: impl Fn(Delivery) -> F) -> Result<Drained, Fault>
    where
        F: Future<Output = anyhow::Result<Verdict>>,
    {
        let mut shift = Shift {
            drain: self,
            running: FuturesUnordered::new(),
            ended: Vec::new(),
            rests: Vec::new(),
            attempts_max: None,
            drained: Drained::default(),
        };
        let worked = shift.work(|delivery| attempt_at(delivery, &handler)).await;
        let drained = shift.drained;
        // What becomes of the alerts themselves is no event, so they never ring for each other.
        if drained.buried > 0 && self.queue != queues::ALERTS {
            doorbell::ring(queues::ALERTS).await;
        }
        worked.map(|()| drained)
    }

    async fn attempts_max(&self) -> u32 {
        let queues = queue::list(host::now_ms()).await.unwrap_or_default();
        let own = queues
            .into_iter()
            .find(|status| status.queue == self.queue)
            .and_then(|status| status.attempts_max);
        own.unwrap_or(self.attempts_max)
    }

    /// Claims what there is room for.
    async fn claim(&self, places: Places) -> Result<Vec<Delivery>, Fault> {
        let gate = match self.gate {
            Some(partner) => partner.gate(host::now_ms()).await?,
            None => None,
        };
        let now_ms = host::now_ms();
        match places.to_claim(gate.as_ref(), now_ms) {
            0 => Ok(Vec::new()),
            room => queue::claim(self.queue.to_owned(), room, now_ms).await,
        }
    }
}

/// A drain at work.
struct Shift<'a, A> {
    drain: &'a Drain<'a>,
    /// Messages that are worked on.
    running: FuturesUnordered<A>,
    /// Those that finished and are not settled yet.
    ended: Vec<(Attempted, Verdict)>,
    /// When the places of those that were postponed for a moment become free.
    rests: Vec<Instant>,
    /// Looked up when it is first needed.
    attempts_max: Option<u32>,
    drained: Drained,
}

impl<A: Future<Output = (Attempted, Verdict)>> Shift<'_, A> {
    async fn work(&mut self, start: impl Fn(Delivery) -> A) -> Result<(), Fault> {
        let started = Instant::now();
        while started.elapsed() < DRAIN_TIME_MAX {
            self.fill(&start).await?;
            if !self.is_idle() {
                self.gather().await;
                self.settle().await;
                continue;
            }
            let all_rest = self.places().free() == 0;
            match self.rests.iter().min() {
                Some(rest) if all_rest => {
                    spin_sdk::time::sleep(rest.saturating_duration_since(Instant::now())).await;
                }
                _ => return Ok(()),
            }
        }
        // Not at the end: what still runs may take as long again, and somebody else can take up the rest meanwhile.
        let bell = doorbell::ring(self.drain.queue);
        let finish = async {
            while !self.is_idle() {
                self.gather().await;
                self.settle().await;
            }
        };
        join(bell, finish).await;
        Ok(())
    }

    fn is_idle(&self) -> bool {
        self.running.is_empty() && self.ended.is_empty()
    }

    fn places(&mut self) -> Places {
        let now = Instant::now();
        self.rests.retain(|rest| *rest > now);
        let count = |count| u32::try_from(count).unwrap_or(u32::MAX);
        Places {
            window: self.drain.window,
            running: count(self.running.len()),
            resting: count(self.rests.len()),
        }
    }

    /// Takes up messages for the free places. A store that fails while messages are under way is asked again later: they go on.
    async fn fill(&mut self, start: impl Fn(Delivery) -> A) -> Result<(), Fault> {
        let places = self.places();
        if places.free() == 0 {
            return Ok(());
        }
        match self.meanwhile(self.drain.claim(places)).await {
            Ok(deliveries) => self.running.extend(deliveries.into_iter().map(start)),
            Err(fault) if self.is_idle() => return Err(fault),
            Err(fault) => log!("claiming from {} failed: {}", self.drain.queue, fault_words(&fault)),
        }
        Ok(())
    }

    /// Waits for a message to finish, and a little longer for those that finish with it. Comes back without any after a while, or
    /// when a place becomes free.
    async fn gather(&mut self) {
        let Self { running, ended, rests, .. } = self;
        if ended.is_empty() {
            let now = Instant::now();
            let rest = rests.iter().map(|rest| rest.saturating_duration_since(now)).min();
            let patience = rest.unwrap_or(LOOK_AGAIN_AFTER).min(LOOK_AGAIN_AFTER);
            match host::within(patience, running.next()).await {
                Ok(first) => ended.extend(first),
                Err(host::TimeUp) => return,
            }
        }
        let window = usize::try_from(self.drain.window).unwrap_or(usize::MAX);
        let enough = window.div_ceil(SETTLED_PART);
        let others = async {
            while ended.len() < enough
                && let Some(next) = running.next().await
            {
                ended.push(next);
            }
        };
        // Time that is up is as good an end as any.
        let _ = host::within(LINGER, others).await;
    }

    /// Settles what finished.
    async fn settle(&mut self) {
        if self.ended.is_empty() {
            return;
        }
        let limit = match self.attempts_max {
            Some(limit) => limit,
            None => self.meanwhile(self.drain.attempts_max()).await,
        };
        self.attempts_max = Some(limit);
        let now_ms = host::now_ms();
        let mut settlements = Vec::with_capacity(self.ended.len());
        let mut lines = Vec::with_capacity(self.ended.len());
        for (attempted, verdict) in self.ended.drain(..) {
            let settlement = attempt::settle(verdict, attempted.attempt, limit, now_ms, host::random_u64());
            count(&mut self.drained, &settlement);
            if let Settlement::Postpone(until_ms, _) = &settlement
                && let Some(rest_ms) = window::rest_ms(*until_ms, now_ms)
            {
                self.rests.push(Instant::now() + Duration::from_millis(rest_ms));
            }
            lines.push((attempted.step, line(self.drain.queue, &attempted, &settlement)));
            settlements.push(record(attempted, settlement));
        }
        let settled = self.meanwhile(settle(&settlements)).await;
        for (settlement, (step, line)) in settlements.iter().zip(lines) {
            // The others are given out again, and say so then.
            if settled.contains(&settlement.message_id) {
                trace::log_of(step, format_args!("{line}"));
            }
        }
    }

    /// Does something while the messages under way go on.
    async fn meanwhile<T>(&mut self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        while !self.running.is_empty() {
            match select(work.as_mut(), self.running.next()).await {
                Either::Left((value, _)) => return value,
                Either::Right((ended, _)) => self.ended.extend(ended),
            }
        }
        work.await
    }
}

/// What settling needs to know of a message.
struct Attempted {
    message_id: String,
    receipt: String,
    attempt: u32,
    topic: String,
    /// Which step of its trace the attempt was.
    step: Context,
}

async fn attempt_at<F>(delivery: Delivery, handler: impl Fn(Delivery) -> F) -> (Attempted, Verdict)
where
    F: Future<Output = anyhow::Result<Verdict>>,
{
    let attempted = Attempted {
        message_id: delivery.message_id.clone(),
        receipt: delivery.receipt.clone(),
        attempt: delivery.attempt,
        topic: delivery.event.kind.clone(),
        step: trace::of_event(&delivery.event),
    };
    let lease = Duration::from_millis(delivery.leased_until.saturating_sub(host::now_ms()));
    let limit = HANDLER_TIME_MAX.min(lease.saturating_sub(LEASE_MARGIN));
    let failure = match trace::within(attempted.step, host::within(limit, handler(delivery))).await {
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

/// What the log says of an attempt. Not the error: it can be a partner's words, about people too, and the message keeps it.
fn line(queue: &str, attempted: &Attempted, settlement: &Settlement) -> String {
    let Attempted { message_id, attempt, topic, .. } = attempted;
    let (outcome, reason) = match settlement {
        Settlement::Done => ("done", "-"),
        Settlement::Retry(_, failure) => ("retry", failure.reason.as_ref()),
        Settlement::Postpone(_, failure) => ("postpone", failure.reason.as_ref()),
        Settlement::Bury(failure) => ("bury", failure.reason.as_ref()),
    };
    format!(
        "message settled: queue={queue} topic={topic} message={message_id} attempt={attempt} outcome={outcome} \
         reason={reason}"
    )
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

/// Settles messages in one write. A store that does not answer is asked again a few times; after that the leases run out, the
/// messages are delivered again, and the handlers find that their work was done. Returns the ids of those that were settled.
async fn settle(settlements: &[queue::Settlement]) -> Vec<String> {
    let mut wait = SETTLE_RETRY_WAIT;
    for tried in 1..=SETTLE_TRIES_MAX {
        match queue::settle(settlements.to_vec(), host::now_ms()).await {
            Ok(settled) => return settled,
            Err(fault) => {
                log!("settling failed, try {tried} of {SETTLE_TRIES_MAX}: {}", fault_words(&fault))
            }
        }
        if tried < SETTLE_TRIES_MAX {
            spin_sdk::time::sleep(wait).await;
            wait *= 2;
        }
    }
    Vec::new()
}

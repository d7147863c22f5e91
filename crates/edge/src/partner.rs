//! Calls to another system through its gate: wait for a slot, call within a time limit, give the pass back with the partner's
//! health. Every way not to get an answer becomes a verdict whose reason is `<partner>-<kind>`.

use crate::error::fault_words;
use crate::outbound::{self, CallLimits, Failed, Incoming};
use crate::{host, log, trace};
use bytes::Bytes;
use http::Request;
use restock_bindings::partners::{self, Admission, Circuit, Hindrance, Limits};
use restock_bindings::types::Fault;
use restock_domain::attempt::{Failure, Verdict};
use restock_domain::pace::Pace;
use restock_domain::partner::{self, Kind};
use restock_domain::reply::Reply;
use restock_domain::window;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

pub use restock_bindings::partners::Health;

/// How long a pass counts as in use when its holder dies. Longer than a handler may work on one message, so longer than any call.
const PASS_HOLD: Duration = Duration::from_secs(30);

/// So much longer than a second take the calls of a second, as at the gate itself, microseconds.
const SPACED_SECOND_US: u32 = 1_050_000;
/// A shorter wait is not worth a timer.
const WAIT_MIN: Duration = Duration::from_millis(1);

/// The kind of failure of a store that did not do its work.
const STORE_UNAVAILABLE: &str = "store-unavailable";

/// Another system, behind its gate.
#[derive(Clone, Copy, Debug)]
pub struct Partner {
    id: &'static str,
    limits: Limits,
}

/// Leave to make one call. Dropped, it counts as in use until it expires.
#[derive(Debug)]
#[must_use = "a pass that is not used is given back"]
pub struct Pass {
    partner: &'static str,
    id: String,
    probe: bool,
}

/// Why the gate does not let a call through. Nothing was called.
#[derive(Debug)]
pub enum Closed {
    /// Come back at this moment (ms since 1970).
    Until(u64, Kind),
    /// The store does not know.
    Broken(Fault),
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoAnswer {
    /// The name of the partner's gate.
    pub partner: &'static str,
    /// How the call failed.
    pub failed: Failed,
}

impl NoAnswer {
    /// What it is called in an attempt's record.
    #[must_use]
    pub fn failure(&self) -> Failure {
        self.failed.kind().of(self.partner, self.failed.to_string())
    }
}

impl From<NoAnswer> for Verdict {
    fn from(no_answer: NoAnswer) -> Self {
        Self::Retry { failure: no_answer.failure(), not_before_ms: None }
    }
}

/// What becomes of a message whose handler the store failed.
#[must_use]
pub fn store_failed(fault: &Fault) -> Verdict {
    let failure = Failure::new(STORE_UNAVAILABLE, fault_words(fault));
    Verdict::Retry { failure, not_before_ms: None }
}

impl Partner {
    /// A partner by the name of its gate ([`restock_domain::partner`] has them all), with the most calls a second and at a time.
    #[must_use]
    pub fn new(id: &'static str, rate_per_second: u32, concurrency: u32) -> Self {
        let hold_ms = u64::try_from(PASS_HOLD.as_millis()).unwrap_or(u64::MAX);
        Self { id, limits: Limits { rate_per_second, concurrency, hold_ms } }
    }

    /// A failure of this partner.
    #[must_use]
    pub fn failure(&self, kind: Kind, words: impl Into<String>) -> Failure {
        kind.of(self.id, words)
    }

    /// Enters the gate and waits for the slot. For callers that have something to do between the pass and the call.
    ///
    /// # Errors
    /// The verdict on the message: postponed where the gate is closed, tried again where the store failed.
    pub async fn enter(&self) -> Result<Pass, Verdict> {
        self.knock().await.map_err(|closed| match closed {
            Closed::Until(until_ms, kind) => {
                let failure = self.failure(kind, "the gate did not let the call through");
                Verdict::Postpone { failure, until_ms }
            }
            Closed::Broken(fault) => store_failed(&fault),
        })
    }

    /// As [`Partner::enter`], for callers that go somewhere else where the gate is closed.
    ///
    /// # Errors
    /// Why the gate is closed.
    pub async fn knock(&self) -> Result<Pass, Closed> {
        let admission = partners::enter(self.id.to_owned(), self.limits, host::now_ms()).await;
        match admission.map_err(Closed::Broken)? {
            Admission::Admitted(pass) => {
                self.wait(pass.start_at).await;
                Ok(Pass { partner: self.id, id: pass.id, probe: pass.probe })
            }
            Admission::Wait((until_ms, hindrance)) => Err(Closed::Until(
                until_ms,
                match hindrance {
                    Hindrance::Rate => partner::no_slot_before(until_ms, host::now_ms()),
                    Hindrance::Concurrency => Kind::Concurrency,
                    Hindrance::CircuitOpen => Kind::CircuitOpen,
                },
            )),
        }
    }

    /// Waits for a slot, and for the calls before it to be far enough away. Slots are past when they come where the store took
    /// long to hand them out. Slots are for all workers, this distance is kept by each instance of one for its own calls: two that
    /// were held up together may call at the same moment.
    async fn wait(&self, slot_ms: u64) {
        static PACES: Mutex<BTreeMap<&str, Pace>> = Mutex::new(BTreeMap::new());
        let spacing_us = u64::from(SPACED_SECOND_US.div_ceil(self.limits.rate_per_second.max(1)));
        let now_us = host::now_us();
        let start_us = {
            // What a panic in between would leave is only a moment.
            let mut paces = PACES.lock().unwrap_or_else(PoisonError::into_inner);
            paces.entry(self.id).or_default().next(slot_ms.saturating_mul(1_000), now_us, spacing_us)
        };
        let wait = Duration::from_micros(start_us.saturating_sub(now_us));
        // Shorter ones add up to one that is not.
        if wait >= WAIT_MIN {
            spin_sdk::time::sleep(wait).await;
        }
    }

    /// Enters the gate, calls, and gives the pass back. `read` says what the answer means: how the partner is, and whatever the
    /// caller wants to know.
    ///
    /// # Errors
    /// The verdict on the message, where there is no answer.
    pub async fn call<T>(
        &self,
        request: Request<Bytes>,
        limits: impl Into<CallLimits>,
        read: impl FnOnce(Incoming) -> (Health, T),
    ) -> Result<T, Verdict> {
        Ok(self.enter().await?.call(request, limits, read).await?)
    }

    /// Enters the gate, calls, and says whether the partner did what was asked. `read` says what the answer means, with
    /// the current moment (ms since 1970).
    ///
    /// # Errors
    /// The verdict on the message, where it did not.
    pub async fn tell(
        &self,
        request: Request<Bytes>,
        limits: impl Into<CallLimits>,
        read: impl FnOnce(Incoming, u64) -> Reply,
    ) -> Result<(), Verdict> {
        let reply = self.call(request, limits, |answer| {
            let now_ms = host::now_ms();
            let reply = read(answer, now_ms);
            (health(&reply, now_ms), reply)
        });
        partner::done(self.id, reply.await?, host::now_ms())
    }

    /// The gate at this moment (ms since 1970); none where the store knows no such partner.
    pub(crate) async fn gate(&self, now_ms: u64) -> Result<Option<window::Gate>, Fault> {
        let state = partners::list(now_ms).await?.into_iter().find(|state| state.partner == self.id);
        Ok(state.map(|state| window::Gate {
            circuit: match state.circuit {
                Circuit::Closed => window::Circuit::Closed,
                Circuit::Open => window::Circuit::Open { probe_at_ms: state.probe_at.unwrap_or_default() },
                Circuit::HalfOpen => window::Circuit::HalfOpen,
            },
            next_slot_at_ms: state.next_slot_at,
            rate_per_second: self.limits.rate_per_second,
            calls: state.in_flight,
            calls_max: self.limits.concurrency,
        }))
    }
}

/// What a reply says of its partner's health, in the gate's words, at the current moment (ms since 1970).
#[must_use]
pub fn health(reply: &Reply, now_ms: u64) -> Health {
    match partner::health(reply, now_ms) {
        partner::Health::Well => Health::Well,
        partner::Health::Failing => Health::Failing,
        partner::Health::Busy(until_ms) => Health::Busy(until_ms),
    }
}

impl Pass {
    /// Makes the call and gives the pass back.
    ///
    /// # Errors
    /// There is no answer; the partner counts as failing.
    pub async fn call<T>(
        self,
        request: Request<Bytes>,
        limits: impl Into<CallLimits>,
        read: impl FnOnce(Incoming) -> (Health, T),
    ) -> Result<T, NoAnswer> {
        let partner = self.partner;
        let (health, result) = match trace::step(send(partner, request, limits.into())).await {
            Ok(answer) => {
                let (health, result) = read(answer);
                (health, Ok(result))
            }
            Err(failed) => (Health::Failing, Err(NoAnswer { partner, failed })),
        };
        self.leave(health).await;
        result
    }

    /// Gives the pass back without a call. The gate takes it for a call that went well, so failures in a row are counted anew: a circuit
    /// that was about to open opens a few calls later. That of a probe is left to expire: giving it back as well would close
    /// the circuit of a partner that nobody asked.
    pub async fn give_back(self) {
        if !self.probe {
            self.leave(Health::Well).await;
        }
    }

    /// A pass that cannot be given back expires, so this does not change what becomes of the message.
    async fn leave(self, health: Health) {
        if let Err(fault) = partners::leave(self.id, health, host::now_ms()).await {
            log!("a pass of the gate of {} was not given back: {}", self.partner, fault_words(&fault));
        }
    }
}

/// Makes the call, and notes in the log what came of it and which step of its trace the partner was told.
async fn send(partner: &str, request: Request<Bytes>, limits: CallLimits) -> Result<Incoming, Failed> {
    let began = Instant::now();
    let answered = outbound::send(request, limits).await;
    let ms = began.elapsed().as_millis();
    let span = trace::current().map(|step| step.span().to_string()).unwrap_or_default();
    match &answered {
        Ok(answer) => log!("partner called: partner={partner} status={} ms={ms} span={span}", answer.status),
        Err(failed) => {
            log!("partner called: partner={partner} failure={} ms={ms} span={span}", failed.kind().word());
        }
    }
    answered
}

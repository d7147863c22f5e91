//! What the factory knows: its knobs, its jobs, and what it has seen. All of it is in memory, as in the original.
//!
//! A job belongs to whoever takes it out of `jobs`: its own task after the last stage, `finish` before that, or
//! `forget`. So a job is reported once however these race.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use http::HeaderMap;
use serde::Serialize;
use serde_json::Value;
use tokio::task::{AbortHandle, JoinSet};
use uuid::Uuid;

use super::callback::Sender;
use super::knobs::Knobs;
use super::routes;
use crate::desk::traceparent;
use crate::faults::Fault;
use crate::panel::{Arrival, Panel, Traffic, keep};
use crate::stand_in::Partner;

/// What a job goes through.
pub(crate) const STAGES: [&str; 5] = ["start", "prepare", "make", "pack", "done"];
/// Jobs in progress; a request beyond is answered 503.
pub(crate) const JOBS_MAX: usize = 20_000;
/// Requests kept for `GET /sandbox/requests`; the oldest go first.
const REQUESTS_KEPT_MAX: usize = 20_000;
/// Callbacks kept for `GET /sandbox/callbacks`; the oldest go first.
const CALLBACKS_KEPT_MAX: usize = 20_000;
/// 15 October 1582 to 1 January 1970, in the 100 ns ticks of a UUID of version 1.
const GREGORIAN_TICKS: u64 = 0x01B2_1DD2_1381_4000;

/// A production request that came in.
#[derive(Clone, Debug, Serialize)]
pub struct RequestSeen {
    /// Its number, from 1.
    pub seq: u64,
    /// When it had been read, in milliseconds since 1970.
    pub at_ms: u64,
    /// Its header `traceparent`, which the factory does not know and sends to nobody.
    pub traceparent: Option<String>,
    /// Its JSON, or its text where it is none.
    pub body: Value,
    /// `accepted`, or the fault it met: `down`, `hang`, `refused`, `busy`, `error`, `garbage`, `answer_lost`,
    /// `malformed` (no JSON) or `full` (too many jobs).
    pub outcome: &'static str,
    /// The job it started.
    pub job_id: Option<Uuid>,
}

/// A callback that was sent.
#[derive(Clone, Debug, Serialize)]
pub struct CallbackSeen {
    /// Its number in the order of answers, from 1.
    pub seq: u64,
    /// When it was answered or had failed, in milliseconds since 1970.
    pub at_ms: u64,
    /// The job it reports.
    pub job_id: Uuid,
    /// 0, or the number of the extra copy.
    pub copy: u32,
    /// Where it went.
    pub url: String,
    /// What was sent.
    pub body: Value,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The body of the answer.
    pub answer: Option<String>,
    /// Why there is no answer.
    pub error: Option<String>,
}

/// A job in progress.
#[derive(Clone, Debug, Serialize)]
pub struct JobSeen {
    /// Its id, as answered.
    pub id: Uuid,
    /// The number of the request that started it.
    pub request_seq: u64,
    /// `start`, `prepare`, `make`, `pack` or `done`.
    pub stage: &'static str,
    /// The request.
    pub body: Value,
}

/// Counts since the start of the factory, whatever is still kept of the single events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Production requests read.
    pub requests: u64,
    /// Those that started a job.
    pub accepted: u64,
    /// Those that met a fault.
    pub faults: u64,
    /// Jobs in progress now.
    pub jobs: usize,
    /// Jobs lost by `forget`.
    pub forgotten: u64,
    /// Callbacks answered or failed, extra copies included.
    pub callbacks: u64,
    /// Those of them that were answered with 2xx.
    pub callbacks_ok: u64,
    /// Jobs completed silently under `drop_callbacks`, or without a `CallbackUrl`.
    pub callbacks_dropped: u64,
    /// Requests being answered now.
    pub concurrent: usize,
    /// Most requests that were being answered at one time.
    pub concurrent_max: usize,
    /// Most requests that arrived within one second.
    pub per_second_max: usize,
}

/// The legacy factory.
pub struct State {
    panel: Arc<Panel<Knobs>>,
    inner: Mutex<Inner>,
    tasks: Mutex<JoinSet<()>>,
    sender: Sender,
    clock_seq: AtomicU64,
}

#[derive(Default)]
struct Inner {
    stats: Stats,
    jobs: BTreeMap<u64, Job>,
    requests: VecDeque<RequestSeen>,
    callbacks: VecDeque<CallbackSeen>,
}

struct Job {
    id: Uuid,
    stage: &'static str,
    body: Value,
    task: Option<AbortHandle>,
}

/// What becomes of a request.
pub(crate) enum Decision {
    /// A job was started.
    Accepted(Uuid),
    /// A job was started, and the answer is to be lost.
    AnswerLost(Uuid),
    /// It meets a fault.
    Fault(Fault),
    /// It is not JSON.
    Malformed,
    /// There are [`JOBS_MAX`] jobs already.
    Full,
}

impl Partner for State {
    const NAME: &'static str = "factory";
    type Knobs = Knobs;
    type Stats = Stats;

    fn new() -> Self {
        Self {
            panel: Panel::new(),
            inner: Mutex::default(),
            tasks: Mutex::default(),
            sender: Sender::new(),
            clock_seq: AtomicU64::new(0),
        }
    }

    #[expect(private_interfaces, reason = "nothing outside this crate can be a partner")]
    fn panel(&self) -> &Arc<Panel<Knobs>> {
        &self.panel
    }

    fn stats(&self) -> Stats {
        let inner = self.lock();
        let Traffic { requests, faults, concurrent, concurrent_max, per_second_max } = self.panel.traffic();
        Stats {
            requests,
            faults,
            concurrent,
            concurrent_max,
            per_second_max,
            jobs: inner.jobs.len(),
            ..inner.stats.clone()
        }
    }

    fn routes() -> Router<Arc<Self>> {
        routes::routes()
    }

    /// Ends every job and every callback on its way.
    fn abort(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }
}

impl State {
    /// Records a request, decides its fate and starts its job.
    pub(crate) fn take(self: &Arc<Self>, headers: &HeaderMap, text: &[u8]) -> Decision {
        let body = serde_json::from_slice::<Value>(text);
        let mut inner = self.lock();
        let Arrival { seq, fault, answer_lost } = self.panel.arrived();
        let decision = match (fault, &body) {
            (Some(fault), _) => Decision::Fault(fault),
            (None, Err(_)) => Decision::Malformed,
            (None, Ok(_)) if inner.jobs.len() >= JOBS_MAX => Decision::Full,
            (None, Ok(_)) if answer_lost => Decision::AnswerLost(self.new_id()),
            (None, Ok(_)) => Decision::Accepted(self.new_id()),
        };
        let job_id = match &decision {
            Decision::Accepted(id) | Decision::AnswerLost(id) => Some(*id),
            _ => None,
        };
        let body = body.unwrap_or_else(|_| String::from_utf8_lossy(text).into());
        if let Some(id) = job_id {
            inner.stats.accepted += 1;
            inner.jobs.insert(seq, Job { id, stage: STAGES[0], body: body.clone(), task: None });
            let task = self.spawn(Arc::clone(self).work(seq));
            if let Some(job) = inner.jobs.get_mut(&seq) {
                job.task = Some(task);
            }
        }
        let outcome = match &decision {
            Decision::Accepted(_) => "accepted",
            Decision::AnswerLost(_) => Fault::AnswerLost.name(),
            Decision::Fault(fault) => fault.name(),
            Decision::Malformed => "malformed",
            Decision::Full => "full",
        };
        tracing::info!(seq, outcome, sku = %text_of(&body, "MessageAttributeProductId"), "production request");
        keep(
            &mut inner.requests,
            RequestSeen { seq, at_ms: now_ms(), traceparent: traceparent(headers), body, outcome, job_id },
            REQUESTS_KEPT_MAX,
        );
        drop(inner);
        self.panel.changed();
        decision
    }

    /// Walks a job through its stages and reports it, unless someone has taken it away.
    async fn work(self: Arc<Self>, seq: u64) {
        let mut knobs = self.panel.watch_knobs();
        for stage in STAGES {
            match self.lock().jobs.get_mut(&seq) {
                Some(job) => job.stage = stage,
                None => return,
            }
            let Ok(stage_ms) =
                knobs.wait_for(|knobs| knobs.stage_ms.is_some()).await.map(|knobs| knobs.stage_ms)
            else {
                return;
            };
            tokio::time::sleep(Duration::from_millis(stage_ms.unwrap_or_default())).await;
        }
        let job = self.lock().jobs.remove(&seq);
        if let Some(job) = job {
            self.report(job).await;
        }
    }

    /// Sends what is to be sent for a finished job, each copy once.
    async fn report(&self, job: Job) -> Vec<CallbackSeen> {
        let knobs = self.panel.knobs();
        let url = text_of(&job.body, "CallbackUrl").to_owned();
        if knobs.drop_callbacks || url.is_empty() {
            tracing::info!(job = %job.id, "goods finished, nobody told");
            self.lock().stats.callbacks_dropped += 1;
            self.panel.changed();
            return Vec::new();
        }
        let body = knobs.callback_body(&job.body);
        let mut sent = Vec::new();
        for copy in 0..=knobs.duplicate_callbacks {
            let outcome = self.sender.send(&url, body.to_string()).await;
            let (status, answer, error) = match outcome {
                Ok((status, answer)) => (Some(status), Some(answer), None),
                Err(error) => (None, None, Some(error)),
            };
            tracing::info!(job = %job.id, copy, status, error, "goods finished, callback sent");
            let mut inner = self.lock();
            inner.stats.callbacks += 1;
            inner.stats.callbacks_ok += u64::from(status.is_some_and(|status| (200..300).contains(&status)));
            let seen = CallbackSeen {
                seq: inner.stats.callbacks,
                at_ms: now_ms(),
                job_id: job.id,
                copy,
                url: url.clone(),
                body: body.clone(),
                status,
                answer,
                error,
            };
            sent.push(seen.clone());
            keep(&mut inner.callbacks, seen, CALLBACKS_KEPT_MAX);
            drop(inner);
            self.panel.changed();
        }
        sent
    }

    pub(crate) fn forget(&self) -> usize {
        let jobs = std::mem::take(&mut self.lock().jobs);
        let forgotten = jobs.len();
        jobs.into_values().for_each(|job| job.end_task());
        self.lock().stats.forgotten += forgotten as u64;
        self.panel.changed();
        forgotten
    }

    pub(crate) async fn finish(self: &Arc<Self>, id: Option<Uuid>) -> Vec<CallbackSeen> {
        let wanted = self.lock().take_jobs(id);
        let mut reports = JoinSet::new();
        for (order, job) in wanted {
            job.end_task();
            let state = Arc::clone(self);
            reports.spawn(async move { (order, state.report(job).await) });
        }
        let mut sent = reports.join_all().await;
        sent.sort_by_key(|(order, _)| *order);
        sent.into_iter().flat_map(|(_, sent)| sent).collect()
    }

    pub(crate) fn jobs(&self) -> Vec<JobSeen> {
        let inner = self.lock();
        inner
            .jobs
            .iter()
            .map(|(seq, job)| JobSeen {
                id: job.id,
                request_seq: *seq,
                stage: job.stage,
                body: job.body.clone(),
            })
            .collect()
    }

    pub(crate) fn requests(&self) -> Vec<RequestSeen> {
        self.lock().requests.iter().cloned().collect()
    }

    pub(crate) fn callbacks(&self) -> Vec<CallbackSeen> {
        self.lock().callbacks.iter().cloned().collect()
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(task)
    }

    /// A UUID of version 1, as the original hands out, from a node id that says it is no real one (multicast bit).
    fn new_id(&self) -> Uuid {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ticks = u64::try_from(since_1970.as_nanos() / 100).unwrap_or_default();
        let seq = self.clock_seq.fetch_add(1, Ordering::Relaxed);
        let counter = (seq & 0x3FFF) as u16;
        uuid::Builder::from_gregorian_timestamp(ticks.wrapping_add(GREGORIAN_TICKS), counter, b"\x01fact1")
            .into_uuid()
    }

    /// A panic elsewhere leaves at worst a count that is off by one: go on.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn take_jobs(&mut self, id: Option<Uuid>) -> Vec<(u64, Job)> {
        self.jobs.extract_if(.., |_, job| id.is_none_or(|id| job.id == id)).collect()
    }
}

impl Job {
    fn end_task(&self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

fn text_of<'a>(body: &'a Value, field: &str) -> &'a str {
    body.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn now_ms() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX)
}

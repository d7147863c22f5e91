//! A partner that answers each request on the spot and keeps what it took: mail, chat and marketing differ only in what
//! they make of a request.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Json, State as Extract};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::control::{delay, fail, no_answer};
use crate::faults::{Fault, Turn};
use crate::page::Page;
use crate::panel::{Arrival, Panel, Traffic, keep};
use crate::stand_in::{Partner, StandIn};

/// Requests kept for `GET /sandbox/requests`; the oldest go first.
const REQUESTS_KEPT_MAX: usize = 10_000;
/// The header with a W3C trace context.
const TRACEPARENT: &str = "traceparent";
/// The headers that are kept of a request. None of them is a secret.
const HEADERS_KEPT: [&str; 6] =
    ["content-type", "idempotency-key", TRACEPARENT, "webhook-id", "webhook-signature", "webhook-timestamp"];

/// A request that came in, whatever became of it.
#[derive(Clone, Debug, Serialize)]
pub struct RequestSeen {
    /// Its number, from 1.
    pub seq: u64,
    /// When it had been read (RFC 3339).
    pub received_at: String,
    /// Its path.
    pub path: String,
    /// Those of its headers that tell one delivery from another, by their names in lower case: `idempotency-key`,
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`, `content-type`; and `traceparent`, which tells what it is a
    /// step of.
    pub headers: BTreeMap<String, String>,
    /// Its JSON, or its text where it is none.
    pub body: Value,
    /// `accepted`, `repeated`, `refused`, `limited`, or the fault it met: `down`, `hang`, `refused`, `busy`, `error`,
    /// `garbage`; `answer_lost` where it was taken and not answered.
    pub outcome: &'static str,
}

/// Counts since the start, whatever is still kept of the single requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Requests read.
    pub requests: u64,
    /// Those that were taken for the first time.
    pub accepted: u64,
    /// Those that were recognised as a repetition, so that nothing new was taken.
    pub repeated: u64,
    /// Those that were refused for what they say or who sent them.
    pub refused: u64,
    /// Those that came too soon after another.
    pub limited: u64,
    /// Those that met a fault. One whose answer was lost was taken all the same, and is counted there too.
    pub faults: u64,
    /// Requests being answered now.
    pub concurrent: usize,
    /// Most requests that were being answered at one time.
    pub concurrent_max: usize,
    /// Most requests that arrived within one second.
    pub per_second_max: usize,
}

/// A request, read whole.
pub struct Received {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    pub(crate) method: Method,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Received {
    /// A header's value; nothing where it is missing or no text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The trace context that it came with, as it was sent.
    pub(crate) fn traceparent(&self) -> Option<String> {
        traceparent(&self.headers)
    }

    /// When it had been read (RFC 3339, milliseconds).
    pub(crate) fn received_at(&self) -> String {
        format!("{:.3}", self.at)
    }
}

/// What a request says of the trace that it is a step of. It is kept and never sent on: none of these systems knows it.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<String> {
    headers.get(TRACEPARENT)?.to_str().ok().map(str::to_owned)
}

/// What was made of a request.
pub(crate) enum Outcome {
    Accepted,
    Repeated,
    Refused,
    Limited,
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Repeated => "repeated",
            Self::Refused => "refused",
            Self::Limited => "limited",
        }
    }
}

/// What such a partner makes of a request.
pub trait Desk: Default + Send + Sized + 'static {
    /// The partner's name in errors and in the log.
    const NAME: &'static str;
    /// The paths that take a POST.
    const PATHS: &'static [&'static str];
    /// The path that lists what was taken.
    const LIST: &'static str;
    /// What it can be made to do wrong.
    type Knobs: Turn;
    /// What it keeps of a request that it took.
    type Taken: Clone + Debug + Serialize + Send;

    /// Takes a request, or does not. This is all in memory and quick: requests wait for each other.
    #[expect(private_interfaces, reason = "nothing outside this crate can be a desk")]
    fn take(&mut self, knobs: &Self::Knobs, request: &Received) -> (Outcome, Response);

    /// What was taken, oldest first.
    fn taken(&self) -> Vec<Self::Taken>;

    /// Puts a status and its reason into the form that the partner has for errors on this path.
    fn say(path: &str, status: StatusCode, reason: &str) -> Response;

    /// Answers a path that the partner does not have.
    fn unknown() -> Response {
        StatusCode::NOT_FOUND.into_response()
    }

    /// What was taken, for people.
    #[expect(private_interfaces, reason = "nothing outside this crate can be a desk")]
    fn page(&self) -> Page;
}

/// A partner with a desk.
pub struct Office<D: Desk> {
    panel: Arc<Panel<D::Knobs>>,
    inner: Mutex<Inner<D>>,
}

struct Inner<D> {
    desk: D,
    stats: Stats,
    requests: VecDeque<RequestSeen>,
}

/// What becomes of a request.
enum Decision {
    Answer(Response),
    NoAnswer,
    Fault(Fault),
}

impl<D: Desk> Partner for Office<D> {
    const NAME: &'static str = D::NAME;
    type Knobs = D::Knobs;
    type Stats = Stats;

    fn new() -> Self {
        let inner = Inner { desk: D::default(), stats: Stats::default(), requests: VecDeque::new() };
        Self { panel: Panel::new(), inner: Mutex::new(inner) }
    }

    #[expect(private_interfaces, reason = "nothing outside this crate can be a partner")]
    fn panel(&self) -> &Arc<Panel<D::Knobs>> {
        &self.panel
    }

    fn stats(&self) -> Stats {
        let stats = self.lock().stats.clone();
        let Traffic { requests, faults, concurrent, concurrent_max, per_second_max } = self.panel.traffic();
        Stats { requests, faults, concurrent, concurrent_max, per_second_max, ..stats }
    }

    fn routes() -> Router<Arc<Self>> {
        let router = Router::new()
            .route("/", get(page::<D>))
            .route(D::LIST, get(|Extract(office): Extract<Arc<Self>>| async move { Json(office.taken()) }))
            .route(
                "/sandbox/requests",
                get(|Extract(office): Extract<Arc<Self>>| async move { Json(office.requests()) }),
            )
            .fallback(async || D::unknown());
        D::PATHS.iter().fold(router, |router, path| router.route(path, post(receive::<D>)))
    }
}

impl<D: Desk> Office<D> {
    pub(crate) fn taken(&self) -> Vec<D::Taken> {
        self.lock().desk.taken()
    }

    fn requests(&self) -> Vec<RequestSeen> {
        self.lock().requests.iter().cloned().collect()
    }

    /// Decides the fate of a request and records it.
    fn decide(&self, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Decision {
        let knobs = self.panel.knobs();
        let mut inner = self.lock();
        let Arrival { seq, fault, answer_lost } = self.panel.arrived();
        let request = Received { seq, at: Timestamp::now(), method, uri, headers, body };
        let (outcome, decision) = match fault {
            Some(fault) => (fault.name(), Decision::Fault(fault)),
            None => {
                let (outcome, response) = inner.desk.take(&knobs, &request);
                let count = match outcome {
                    Outcome::Accepted => &mut inner.stats.accepted,
                    Outcome::Repeated => &mut inner.stats.repeated,
                    Outcome::Refused => &mut inner.stats.refused,
                    Outcome::Limited => &mut inner.stats.limited,
                };
                *count += 1;
                if answer_lost {
                    (Fault::AnswerLost.name(), Decision::NoAnswer)
                } else {
                    (outcome.name(), Decision::Answer(response))
                }
            }
        };
        tracing::info!(seq, outcome, path = request.uri.path(), "{} request", D::NAME);
        keep(&mut inner.requests, seen(&request, outcome), REQUESTS_KEPT_MAX);
        drop(inner);
        self.panel.changed();
        decision
    }

    /// A panic elsewhere leaves at worst a count that is off by one: go on.
    fn lock(&self) -> MutexGuard<'_, Inner<D>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Desk> StandIn<Office<D>> {
    /// The requests received, oldest first, whatever became of them.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestSeen> {
        self.partner.requests()
    }
}

fn seen(request: &Received, outcome: &'static str) -> RequestSeen {
    let headers = HEADERS_KEPT
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), request.header(name)?.to_owned())))
        .collect();
    let body = serde_json::from_slice(&request.body)
        .unwrap_or_else(|_| String::from_utf8_lossy(&request.body).into_owned().into());
    RequestSeen {
        seq: request.seq,
        received_at: request.received_at(),
        path: request.uri.path().to_owned(),
        headers,
        body,
        outcome,
    }
}

async fn receive<D: Desk>(
    Extract(office): Extract<Arc<Office<D>>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let _answering = office.panel.answering();
    let path = uri.path().to_owned();
    let decision = office.decide(method, uri, headers, body);
    delay(&office.panel).await;
    match decision {
        Decision::Answer(response) => response,
        Decision::NoAnswer => no_answer(),
        Decision::Fault(fault) => {
            fail(&office.panel, fault, |status, reason| D::say(&path, status, reason)).await
        }
    }
}

async fn page<D: Desk>(Extract(office): Extract<Arc<Office<D>>>) -> Response {
    let page = office.lock().desk.page();
    page.into_response()
}

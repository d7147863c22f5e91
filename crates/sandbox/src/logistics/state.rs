//! What the logistics partner knows: its knobs, what it holds, and what it has seen. All of it is in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Json, Query};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, Uri, header};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::holdings::{Holdings, PLAN, Report, Reported, Return, ReturnSeen};
use super::knobs::{Call, Knobs, LIMIT_PER_SECOND_MAX};
use super::{BASE, Logistics, routes};
use crate::control::message;
use crate::desk::traceparent;
use crate::faults::Fault;
use crate::page::{Entry, Page};
use crate::panel::{Arrival, Panel, Traffic, keep};
use crate::stand_in::Partner;

/// Requests kept for `GET /sandbox/requests`; the oldest go first.
const REQUESTS_KEPT_MAX: usize = 2_000;
/// Returns shown to people; older ones are counted only.
const RETURNS_SHOWN_MAX: usize = 50;
/// The scheme of the header `Authorization`, with the space behind it.
const SCHEME: &str = "bearer ";
/// What `limit_per_second` is counted over.
const SECOND: Duration = Duration::from_secs(1);

/// A request that came in, whatever became of it.
#[derive(Clone, Debug, Serialize)]
pub struct RequestSeen {
    /// Its number, from 1.
    pub seq: u64,
    /// When it had been read (RFC 3339).
    pub received_at: String,
    /// What was asked for.
    pub call: Call,
    /// Its query; empty where there is none.
    pub query: String,
    /// Its header `traceparent`.
    pub traceparent: Option<String>,
    /// Its JSON, or its text where it is none; null where there is nothing.
    pub body: Value,
    /// `listed`, `page`, `tracked`, `unknown`, `reported`, `repeated`, `not_taken`, `unauthorized`, `malformed`,
    /// `limited`, or the fault it met: `down`, `hang`, `refused`, `busy`, `error`, `garbage`; `answer_lost` where it was
    /// done and not answered.
    pub outcome: &'static str,
}

/// Requests by what was asked for, whatever became of them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Calls {
    /// `GET /returns`.
    pub returns: u64,
    /// `GET /tracking`.
    pub tracking: u64,
    /// `POST /results`.
    pub results: u64,
}

/// Counts since the start, whatever is still held or kept.
#[derive(Clone, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Stats {
    /// Requests read.
    pub requests: u64,
    /// The same by what was asked for.
    pub calls: Calls,
    /// Reports of a return that had not been reported before, taken.
    pub reported: u64,
    /// Reports of a return that had been reported before, taken.
    pub repeated: u64,
    /// Reports among these of a shipment that was not delivered yet.
    pub early: u64,
    /// Reports answered `{"data":{"result":false}}`.
    pub not_taken: u64,
    /// Trackings answered with an empty list.
    pub unknown: u64,
    /// Requests without the token, or that say nothing usable.
    pub refused: u64,
    /// Requests beyond `limit_per_second`.
    pub limited: u64,
    /// Requests that met a fault. One whose answer was lost was done all the same, and is counted there too.
    pub faults: u64,
    /// Returns held now.
    pub returns: usize,
    /// Requests being answered now.
    pub concurrent: usize,
    /// Most requests that were being answered at one time.
    pub concurrent_max: usize,
    /// Most requests that arrived within one second, wherever that second begins.
    pub per_second_max: usize,
}

/// The logistics partner.
pub struct State {
    panel: Arc<Panel<Knobs>>,
    inner: Mutex<Inner>,
}

struct Inner {
    holdings: Holdings,
    stats: Stats,
    requests: VecDeque<RequestSeen>,
    /// When those of the last second came that `limit_per_second` let in.
    let_in: VecDeque<Instant>,
}

/// What becomes of a request.
pub(crate) enum Decision {
    Answer(Response),
    NoAnswer,
    Fault(Fault),
}

/// A request, read whole.
pub(crate) struct Received<'a> {
    pub(crate) call: Call,
    pub(crate) uri: &'a Uri,
    pub(crate) headers: &'a HeaderMap,
    pub(crate) body: &'a [u8],
}

#[derive(Deserialize)]
struct Tracking {
    shipment_number: String,
}

impl Partner for State {
    const NAME: &'static str = "logistics partner";
    const BASE: &'static str = BASE;
    type Knobs = Knobs;
    type Stats = Stats;

    fn new() -> Self {
        let inner = Inner {
            holdings: Holdings::new(Instant::now()),
            stats: Stats::default(),
            requests: VecDeque::new(),
            let_in: VecDeque::new(),
        };
        Self { panel: Panel::new(), inner: Mutex::new(inner) }
    }

    #[expect(private_interfaces, reason = "nothing outside this crate can be a partner")]
    fn panel(&self) -> &Arc<Panel<Knobs>> {
        &self.panel
    }

    fn stats(&self) -> Stats {
        let inner = self.lock();
        let Traffic { requests, faults, concurrent, concurrent_max, per_second_max } = self.panel.traffic();
        let returns = inner.holdings.len();
        let stats = inner.stats.clone();
        Stats { requests, faults, concurrent, concurrent_max, per_second_max, returns, ..stats }
    }

    fn routes() -> Router<Arc<Self>> {
        routes::routes()
    }
}

impl State {
    /// Decides the fate of a request and records it.
    pub(crate) fn decide(&self, request: &Received<'_>) -> Decision {
        let call = request.call;
        let (mut inner, knobs) = self.settled();
        let Arrival { seq, fault, answer_lost } =
            self.panel.arrived_where(|knobs| knobs.faults_on.contains(&call));
        let calls = &mut inner.stats.calls;
        *match call {
            Call::Returns => &mut calls.returns,
            Call::Tracking => &mut calls.tracking,
            Call::Results => &mut calls.results,
        } += 1;
        // Also one that meets a fault counts against the limit: it is counted at the door.
        let limited = inner.limited(&knobs);
        let (outcome, decision) = if let Some(fault) = fault {
            (fault.name(), Decision::Fault(fault))
        } else if limited {
            inner.stats.limited += 1;
            let mut response = message(StatusCode::TOO_MANY_REQUESTS, "too many requests");
            response.headers_mut().insert(header::RETRY_AFTER, SECOND.as_secs().into());
            ("limited", Decision::Answer(response))
        } else {
            let (outcome, response) = inner.take(&knobs, request, answer_lost);
            if answer_lost {
                (Fault::AnswerLost.name(), Decision::NoAnswer)
            } else {
                (outcome, Decision::Answer(response))
            }
        };
        // Not at the level of the other stand-ins: here come tens of thousands.
        tracing::debug!(seq, outcome, ?call, "logistics request");
        let seen = RequestSeen {
            seq,
            received_at: format!("{:.3}", Timestamp::now()),
            call,
            query: request.uri.query().unwrap_or_default().to_owned(),
            traceparent: traceparent(request.headers),
            body: body(request.body),
            outcome,
        };
        keep(&mut inner.requests, seen, REQUESTS_KEPT_MAX);
        drop(inner);
        self.panel.changed();
        decision
    }

    pub(crate) fn set_returns(&self, count: usize) -> Result<(), String> {
        self.change(|holdings| {
            // Made first: where that fails, nothing has changed.
            let mut others = Holdings::new(Instant::now());
            others.make(count)?;
            holdings.replace(others);
            Ok(())
        })
    }

    pub(crate) fn add_returns(&self, count: usize) -> Result<(), String> {
        self.change(|holdings| holdings.make(count))
    }

    pub(crate) fn add_return(&self, wish: Return) -> Result<(), String> {
        self.change(|holdings| holdings.add(wish))
    }

    pub(crate) fn advance(&self) {
        self.change(|holdings| holdings.advance());
    }

    pub(crate) fn advance_shipment(&self, number: &str) -> bool {
        self.change(|holdings| holdings.advance_shipment(number))
    }

    pub(crate) fn deliver_all(&self) {
        self.change(|holdings| holdings.deliver_all());
    }

    pub(crate) fn statuses(&self) -> BTreeMap<&'static str, usize> {
        let (inner, knobs) = self.settled();
        inner.holdings.statuses(&knobs)
    }

    pub(crate) fn returns(&self, wanted: impl Fn(&ReturnSeen) -> bool) -> Vec<ReturnSeen> {
        let (inner, knobs) = self.settled();
        inner.holdings.seen(&knobs).filter(wanted).collect()
    }

    pub(crate) fn requests(&self) -> Vec<RequestSeen> {
        self.lock().requests.iter().cloned().collect()
    }

    /// The totals, and the newest returns below them.
    pub(crate) fn page(&self) -> Page {
        let stats = self.stats();
        let (inner, knobs) = self.settled();
        // In the order in which a parcel has them.
        let statuses = inner.holdings.statuses(&knobs);
        let mut facts = PLAN
            .map(|status| (status, statuses.get(status).copied().unwrap_or_default().to_string()))
            .to_vec();
        let Calls { returns, tracking, results } = stats.calls;
        facts.extend([
            ("reported", stats.reported.to_string()),
            ("reported again", stats.repeated.to_string()),
            ("calls", format!("{returns} lists, {tracking} trackings, {results} results")),
            ("most in one second", stats.per_second_max.to_string()),
        ]);
        let totals = Entry { heading: "Totals".to_owned(), facts, text: String::new() };
        let newest = inner.holdings.seen(&knobs).rev().take(RETURNS_SHOWN_MAX).map(|seen| Entry {
            heading: seen.shipment_number,
            facts: vec![
                ("order", seen.order_number),
                ("item", seen.order_item_number),
                ("status", seen.status.to_owned()),
                ("reported", times(seen.times)),
            ],
            text: String::new(),
        });
        Page {
            title: "Returns",
            count: inner.holdings.len(),
            entries: std::iter::once(totals).chain(newest).collect(),
        }
    }

    fn change<T>(&self, change: impl FnOnce(&mut Holdings) -> T) -> T {
        let (mut inner, _) = self.settled();
        let changed = change(&mut inner.holdings);
        drop(inner);
        self.panel.changed();
        changed
    }

    /// What it knows, brought up to now, and the knobs that hold now.
    fn settled(&self) -> (MutexGuard<'_, Inner>, Knobs) {
        let mut inner = self.lock();
        let knobs = self.panel.knobs();
        inner.holdings.settle(Instant::now(), &knobs, self.panel.knobs_set_at());
        (inner, knobs)
    }

    /// A panic elsewhere leaves at worst a count that is off by one: go on.
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Whether one more request now is beyond the limit; if not, it counts against it.
    fn limited(&mut self, knobs: &Knobs) -> bool {
        let Some(limit) = knobs.limit_per_second else {
            self.let_in.clear();
            return false;
        };
        let now = Instant::now();
        while self.let_in.front().is_some_and(|first| now.duration_since(*first) >= SECOND) {
            self.let_in.pop_front();
        }
        let limited = self.let_in.len() >= limit as usize;
        if !limited {
            keep(&mut self.let_in, now, LIMIT_PER_SECOND_MAX as usize);
        }
        limited
    }

    /// Does what was asked for.
    fn take(&mut self, knobs: &Knobs, request: &Received<'_>, answer_lost: bool) -> (&'static str, Response) {
        if !authorized(request.headers) {
            self.stats.refused += 1;
            let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
            let response = (challenge, message(StatusCode::UNAUTHORIZED, "unauthorized"));
            return ("unauthorized", response.into_response());
        }
        match request.call {
            Call::Returns => self.list(knobs),
            Call::Tracking => self.track(knobs, request),
            Call::Results => self.report(knobs, request, answer_lost),
        }
    }

    fn list(&self, knobs: &Knobs) -> (&'static str, Response) {
        if let Some(status) = knobs.list_page {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            let html = "<!doctype html><title>Something went wrong</title><p>Come back later.";
            return ("page", (status, [(header::CONTENT_TYPE, "text/html")], html).into_response());
        }
        match self.holdings.list(knobs) {
            Ok(json) => ("listed", ([(header::CONTENT_TYPE, "application/json")], json).into_response()),
            Err(error) => ("error", message(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string())),
        }
    }

    fn track(&mut self, knobs: &Knobs, request: &Received<'_>) -> (&'static str, Response) {
        let Ok(Query(Tracking { shipment_number })) = Query::try_from_uri(request.uri) else {
            return self.malformed("shipment_number is missing");
        };
        let statuses = self.holdings.track(&shipment_number, knobs);
        let outcome = if statuses.is_empty() { "unknown" } else { "tracked" };
        self.stats.unknown += u64::from(statuses.is_empty());
        let data = statuses.iter().map(|status| json!({"return_status": status})).collect::<Vec<_>>();
        (outcome, Json(json!({"data": data})).into_response())
    }

    fn report(
        &mut self,
        knobs: &Knobs,
        request: &Received<'_>,
        answer_lost: bool,
    ) -> (&'static str, Response) {
        let json = serde_json::from_slice::<Value>(request.body).unwrap_or_default();
        let field = |name| text(json.get(name)?);
        let (Some(order_number), Some(order_item_number), Some(result_object)) =
            (field("order_number"), field("order_item_number"), field("result_object"))
        else {
            return self.malformed("order_number, order_item_number or result_object is missing");
        };
        let report = Report { order_number, order_item_number, result_object };
        let outcome = match self.holdings.report(report, knobs, answer_lost) {
            Reported::Taken { repeated, early } => {
                self.stats.repeated += u64::from(repeated);
                self.stats.reported += u64::from(!repeated);
                self.stats.early += u64::from(early);
                if repeated { "repeated" } else { "reported" }
            }
            Reported::Not => {
                self.stats.not_taken += 1;
                "not_taken"
            }
        };
        (outcome, Json(json!({"data": {"result": outcome != "not_taken"}})).into_response())
    }

    fn malformed(&mut self, reason: &str) -> (&'static str, Response) {
        self.stats.refused += 1;
        ("malformed", message(StatusCode::BAD_REQUEST, reason))
    }
}

fn authorized(headers: &HeaderMap) -> bool {
    let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let Some((scheme, token)) = value.split_at_checked(SCHEME.len()) else { return false };
    scheme.eq_ignore_ascii_case(SCHEME) && token == Logistics::TOKEN
}

/// A text, or a number as one: callers send what they were sent.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn times(times: u32) -> String {
    match times {
        0 => "not yet".to_owned(),
        1 => "once".to_owned(),
        times => format!("{times} times"),
    }
}

fn body(bytes: &[u8]) -> Value {
    if bytes.is_empty() {
        return Value::Null;
    }
    serde_json::from_slice(bytes).unwrap_or_else(|_| String::from_utf8_lossy(bytes).into_owned().into())
}

//! One message: through the factory's gate, one call, and what its answer means.

use crate::config::Config;
use anyhow::anyhow;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use restock_bindings::partners::{self, Admission, Health, Hindrance, Pass};
use restock_bindings::production::{self, Errand, Status};
use restock_bindings::queue::Event;
use restock_bindings::types::Fault;
use restock_domain::attempt::{Failure, Verdict};
use restock_domain::factory::answer::{self, Answer};
use restock_domain::factory::errand::{self, ManufactureRequest};
use restock_domain::name;
use restock_edge::error::fault_words;
use restock_edge::host;
use restock_edge::outbound::{self, Failed};
use std::time::Duration;

/// The gate's name for the factory. One gate for all: factories without an address of their own share one server.
const PARTNER: &str = "factory";
/// How long one call to the factory may take, all of it.
const CALL_TIME_MAX: Duration = Duration::from_secs(10);
/// How often it is tried to note that the factory took a job. A note that is lost costs a second call.
const NOTE_TRIES_MAX: u32 = 3;
/// The wait before it is tried again.
const NOTE_RETRY_WAIT: Duration = Duration::from_millis(100);

/// Works on one message.
///
/// # Errors
/// The store failed; the message is tried again.
pub(crate) async fn ask(config: &Config, event: Event) -> anyhow::Result<Verdict> {
    let Some(production_id) = production_id(&event) else {
        return Ok(Verdict::Reject(Failure::new("unreadable", "the event's data names no production_id")));
    };
    // Before the gate, so that a repeated message takes no pass from one that needs it.
    if !is_wanted(&production_id).await? {
        return Ok(Verdict::Done);
    }
    let pass =
        match partners::enter(PARTNER.to_owned(), config.limits, host::now_ms()).await.map_err(broken)? {
            Admission::Admitted(pass) => pass,
            Admission::Wait((until_ms, hindrance)) => {
                let failure =
                    Failure::new(hindrance_reason(hindrance), "the gate did not let the call through");
                return Ok(Verdict::Postpone { failure, until_ms });
            }
        };
    let wait = Duration::from_millis(pass.start_at.saturating_sub(host::now_ms()));
    spin_sdk::time::sleep(wait).await;
    // Behind the gate, so that what is counted as a call is one.
    let Some(errand) = production::begin(production_id, host::now_ms()).await.map_err(broken)? else {
        give_back_unused(pass).await;
        return Ok(Verdict::Done);
    };
    let Some(request) = request(config, &errand) else {
        give_back_unused(pass).await;
        let words = "the factory has no address, and factory_url is not set";
        return Ok(Verdict::Retry { failure: Failure::new("factory-unknown", words), not_before_ms: None });
    };
    let outcome = outbound::send(request, CALL_TIME_MAX).await;
    let (health, verdict) = judge(config, errand.id, outcome).await;
    give_back(pass.id, health).await;
    Ok(verdict)
}

fn production_id(event: &Event) -> Option<String> {
    let data: serde_json::Value = serde_json::from_str(&event.data).ok()?;
    data.get("production_id")?.as_str().filter(|id| name::is_identifier(id)).map(str::to_owned)
}

async fn is_wanted(production_id: &str) -> anyhow::Result<bool> {
    let request = production::get(production_id.to_owned()).await.map_err(broken)?;
    Ok(request
        .is_some_and(|request| matches!(request.status, Status::Planned | Status::Overdue | Status::Failed)))
}

fn hindrance_reason(hindrance: Hindrance) -> &'static str {
    match hindrance {
        Hindrance::Rate => "factory-rate",
        Hindrance::Concurrency => "factory-concurrency",
        Hindrance::CircuitOpen => "factory-circuit-open",
    }
}

/// The request to the factory; none where nobody knows its address.
fn request(config: &Config, errand: &Errand) -> Option<http::Request<Bytes>> {
    let base = errand.factory_url.as_deref().or(config.factory_url.as_deref())?;
    let capability = config.signer.as_ref()?.sign(&errand.id);
    let callback_url = errand::callback_url(&config.public_url, &capability);
    let body = ManufactureRequest::new(
        &errand.sku,
        errand.quantity,
        &errand.factory_id,
        &errand.factory_name,
        &callback_url,
    );
    http::Request::post(errand::manufactures_url(base))
        .header(CONTENT_TYPE, "application/json")
        // The factory does not know this header; proxies and better factories do.
        .header("idempotency-key", &errand.id)
        .body(Bytes::from(serde_json::to_vec(&body).ok()?))
        .ok()
}

/// What the call says about the factory's health, and about the message.
async fn judge(
    config: &Config,
    production_id: String,
    outcome: Result<outbound::Incoming, Failed>,
) -> (Health, Verdict) {
    let retry =
        |reason, words: String| Verdict::Retry { failure: Failure::new(reason, words), not_before_ms: None };
    let response = match outcome {
        Ok(response) => response,
        Err(Failed::TimedOut) => {
            let words = format!("no answer within {} s", CALL_TIME_MAX.as_secs());
            return (Health::Failing, retry("factory-timeout", words));
        }
        Err(Failed::Unreachable(words)) => return (Health::Failing, retry("factory-unreachable", words)),
        Err(Failed::TooLarge) => {
            let words = format!("the answer has more than {} bytes", outbound::ANSWER_BYTES_MAX);
            return (Health::Failing, retry("factory-unusable-answer", words));
        }
    };
    let now_ms = host::now_ms();
    match answer::classify(response.status, response.header(&RETRY_AFTER), &response.body, now_ms) {
        Answer::Accepted { job_id } => (Health::Well, note(config, production_id, job_id).await),
        Answer::Failing(words) => (Health::Failing, retry("factory-failing", words)),
        Answer::Unusable(words) => (Health::Failing, retry("factory-unusable-answer", words)),
        // It answers, and what it says is about this request: nothing is wrong with the factory.
        Answer::Refused(words) => (Health::Well, Verdict::Reject(Failure::new("factory-refused", words))),
        // It answers and says when: its word is better than a circuit's guess. The attempt counts, so a factory that is
        // busy for ever ends in an alert and not in silence.
        Answer::Busy { retry_after_ms, words } => {
            let failure = Failure::new("factory-busy", words);
            let not_before_ms = Some(now_ms.saturating_add(retry_after_ms));
            (Health::Well, Verdict::Retry { failure, not_before_ms })
        }
    }
}

/// Notes that the factory took the job.
async fn note(config: &Config, production_id: String, job_id: String) -> Verdict {
    let mut words = String::new();
    for tried in 1..=NOTE_TRIES_MAX {
        let now_ms = host::now_ms();
        let due = u64::try_from(config.production_due.as_millis()).unwrap_or(u64::MAX);
        let due_at = now_ms.saturating_add(due);
        let noted = production::requested(production_id.clone(), Some(job_id.clone()), now_ms, due_at);
        match noted.await {
            Ok(()) => return Verdict::Done,
            Err(fault) => words = fault_words(&fault),
        }
        if tried < NOTE_TRIES_MAX {
            spin_sdk::time::sleep(NOTE_RETRY_WAIT).await;
        }
    }
    Verdict::Retry { failure: Failure::new("store-unavailable", words), not_before_ms: None }
}

/// A pass without a call says nothing about the factory's health. That of a probe is left to expire: giving it back as well
/// would close the circuit of a factory that nobody asked.
async fn give_back_unused(pass: Pass) {
    if !pass.probe {
        give_back(pass.id, Health::Well).await;
    }
}

/// A pass that cannot be given back expires, so this does not change what becomes of the message.
async fn give_back(pass_id: String, health: Health) {
    if let Err(fault) = partners::leave(pass_id, health, host::now_ms()).await {
        eprintln!("a pass of the factory's gate was not given back: {}", fault_words(&fault));
    }
}

fn broken(fault: Fault) -> anyhow::Error {
    anyhow!(fault_words(&fault))
}

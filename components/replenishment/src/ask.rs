//! One message: through the factory's gate, one call, and what its answer means.

use crate::config::Config;
use anyhow::anyhow;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use restock_bindings::production::{self, Errand, Status};
use restock_bindings::queue::Event;
use restock_bindings::types::Fault;
use restock_domain::attempt::{Failure, Verdict};
use restock_domain::factory::answer::{self, Answer};
use restock_domain::factory::errand::{self, ManufactureRequest};
use restock_domain::partner::{FACTORY, Kind};
use restock_edge::error::fault_words;
use restock_edge::outbound::Incoming;
use restock_edge::partner::{Health, store_failed};
use restock_edge::{event, host, note};
use std::time::Duration;

/// How long one call to the factory may take, all of it.
const CALL_TIME_MAX: Duration = Duration::from_secs(10);

/// Works on one message.
///
/// # Errors
/// The store failed; the message is tried again.
pub(crate) async fn ask(config: &Config, event: Event) -> anyhow::Result<Verdict> {
    let production_id = match event::id(&event, "production_id") {
        Ok(id) => id,
        Err(verdict) => return Ok(verdict),
    };
    // Before the gate, so that a repeated message takes no pass from one that needs it.
    if !is_wanted(&production_id).await? {
        return Ok(Verdict::Done);
    }
    let pass = match config.factory.enter().await {
        Ok(pass) => pass,
        Err(verdict) => return Ok(verdict),
    };
    // Behind the gate, so that what is counted as a call is one.
    let errand = match production::begin(production_id, host::now_ms()).await {
        Ok(Some(errand)) => errand,
        Ok(None) => {
            pass.give_back().await;
            return Ok(Verdict::Done);
        }
        Err(fault) => {
            pass.give_back().await;
            return Err(broken(fault));
        }
    };
    let Some(request) = request(config, &errand) else {
        pass.give_back().await;
        let words = "the factory has no address, and factory_url is not set";
        return Ok(Verdict::Retry { failure: Failure::new("factory-unknown", words), not_before_ms: None });
    };
    let is_shared = errand.factory_url.is_none();
    Ok(match pass.call(request, CALL_TIME_MAX, |answer| judge(answer, is_shared)).await {
        Ok(Ok(job_id)) => note_accepted(config, errand.id, job_id).await,
        Ok(Err(verdict)) => verdict,
        Err(no_answer) => no_answer.into(),
    })
}

async fn is_wanted(production_id: &str) -> anyhow::Result<bool> {
    let request = production::get(production_id.to_owned()).await.map_err(broken)?;
    Ok(request
        .is_some_and(|request| matches!(request.status, Status::Planned | Status::Overdue | Status::Failed)))
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

/// What an answer says about the factory's health, and about the job: its id, or what becomes of the message. A server that factories
/// share speaks for all of them.
fn judge(answer: Incoming, is_shared: bool) -> (Health, Result<String, Verdict>) {
    let retry = |kind: Kind, words, not_before_ms| {
        Err(Verdict::Retry { failure: kind.of(FACTORY, words), not_before_ms })
    };
    let now_ms = host::now_ms();
    match answer::classify(answer.status, answer.header(&RETRY_AFTER), &answer.body, now_ms) {
        Answer::Accepted { job_id } => (Health::Well, Ok(job_id)),
        Answer::Failing(words) => (Health::Failing, retry(Kind::Failing, words, None)),
        Answer::Unusable(words) => (Health::Failing, retry(Kind::UnusableAnswer, words, None)),
        // It answers, and what it says is about this request: nothing is wrong with the factory.
        Answer::Refused(words) => (Health::Well, Err(Verdict::Reject(Kind::Refused.of(FACTORY, words)))),
        // It answers and says when: its word is better than a circuit's guess. The attempt counts, so a factory that is
        // busy for ever ends in an alert and not in silence.
        Answer::Busy { retry_after_ms, words } => {
            let until_ms = now_ms.saturating_add(retry_after_ms);
            // The gate is one for all factories, and one with an address of its own asks for itself alone.
            let health = if is_shared { Health::Busy(until_ms) } else { Health::Well };
            (health, retry(Kind::Busy, words, Some(until_ms)))
        }
    }
}

/// Notes that the factory took the job.
async fn note_accepted(config: &Config, production_id: String, job_id: String) -> Verdict {
    let due = u64::try_from(config.production_due.as_millis()).unwrap_or(u64::MAX);
    let noted = note::make("that the factory took a job", || {
        let now_ms = host::now_ms();
        production::requested(production_id.clone(), Some(job_id.clone()), now_ms, now_ms.saturating_add(due))
    });
    noted.await.map_or_else(|fault| store_failed(&fault), |()| Verdict::Done)
}

fn broken(fault: Fault) -> anyhow::Error {
    anyhow!(fault_words(&fault))
}

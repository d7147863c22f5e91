//! Whether the program answers, and whether work can be done.

use http::StatusCode;
use http::header::RETRY_AFTER;
use restock_api::operations::{Health, Readiness};
use restock_bindings::ops;
use restock_edge::config::Reader;
use restock_edge::error::fault_words;
use restock_edge::{Answer, Call, Error};

/// When to look again, seconds.
const RETRY_AFTER_SECONDS: &str = "1";

/// `GET /healthz`
pub(crate) async fn alive(_call: Call) -> Result<Answer, Error> {
    Ok(Answer::ok(&Health { status: "ok" }))
}

/// `GET /readyz`: everything that stands in the way at once, wrong variables and the store alike.
pub(crate) async fn ready(_call: Call) -> Result<Answer, Error> {
    let wrong_variables = wrong_variables().await;
    let mut faults = wrong_variables.clone();
    let store = match ops::ready().await {
        Ok(store) => Some(store),
        Err(fault) => {
            faults.push(fault_words(&fault));
            None
        }
    };
    let ready = faults.is_empty();
    let readiness = Readiness {
        status: if ready { "ready" } else { "not-ready" },
        faults,
        wrong_variables,
        schema_version: store.as_ref().map(|store| store.schema_version),
        store: store.map(|store| store.engine),
    };
    Ok(if ready {
        Answer::ok(&readiness)
    } else {
        Answer::json(StatusCode::SERVICE_UNAVAILABLE, &readiness).header(RETRY_AFTER, RETRY_AFTER_SECONDS)
    })
}

/// Reads every variable of the application the way the component does that uses it.
async fn wrong_variables() -> Vec<String> {
    let mut reader = Reader::default();
    reader.keys().await;
    reader.operator_networks().await;
    reader.callback_networks().await;
    reader.callback_secret().await;
    reader.doorbell().await;
    reader.redis_origin().await;
    reader.factory_url().await;
    reader.factory_rate_per_second().await;
    reader.factory_concurrency().await;
    reader.production_due().await;
    reader.attempts_max().await;
    reader.legacy_api().await;
    reader.legacy_slug().await;
    reader.legacy_sku().await;
    reader.vip_policy().await;
    reader.audit_every().await;
    reader.stock_manager_email().await;
    reader.post_office().await;
    reader.slack().await;
    reader.marketing().await;
    reader.logistics().await;
    reader.logistics_rate_per_second().await;
    reader.logistics_concurrency().await;
    reader.returns_every().await;
    reader.tracking_interval().await;
    reader.return_to_stock().await;
    reader.into_faults()
}

//! The factory reports finished goods.
//!
//! Trigger: HTTP, `POST /v1/factory/callbacks/{token}`, the address that the factory was given with its job.
//! Reads and writes: production, and through it stock and waiting orders.
//! Guarantees: without a capability that this application signed nothing changes, and a caller cannot tell a forged
//! capability from one for a request that is not there. The goods, the waiting orders they fill and a request for a missing rest
//! are one write.
//! A second delivery of a report changes nothing and gets the first answer, whichever call of ours it answers.

use restock_api::problem::FieldFault;
use restock_api::production::ReportAnswer;
use restock_api::routes;
use restock_bindings::production::{self, Delivery};
use restock_domain::capability::Signer;
use restock_domain::factory::report;
use restock_domain::networks::Networks;
use restock_domain::queues;
use restock_edge::answer::HttpResponse;
use restock_edge::config::Cached;
use restock_edge::doorbell;
use restock_edge::serve::{Handler, serve};
use restock_edge::{Answer, Call, Error, handlers, log, trace};
use spin_sdk::http::Request;
use spin_sdk::http_service;

const HANDLERS: &[(routes::Route, Handler)] = handlers![routes::REPORT_GOODS => take_report];

struct Config {
    signer: Option<Signer>,
    networks: Networks,
}

#[http_service]
async fn handle(request: Request) -> HttpResponse {
    serve(request, HANDLERS).await
}

async fn config() -> Result<&'static Config, Error> {
    static CONFIG: Cached<Config> = Cached::new();
    let read = CONFIG.get(async |reader| Config {
        signer: reader.callback_secret().await,
        networks: reader.callback_networks().await,
    });
    read.await
}

async fn take_report(mut call: Call) -> Result<Answer, Error> {
    let config = config().await?;
    if !config.networks.allow(call.address()) {
        return Err(Error::Forbidden("factories do not report from this address"));
    }
    // One answer for a forged token and for an unknown request: it must not tell which requests exist.
    let unknown = || Error::NotFound("this address is not known");
    let signer = config.signer.as_ref().ok_or_else(unknown)?;
    let production_id = signer.verify(call.value()).ok_or_else(unknown)?.to_owned();
    // The factory may say anything of its body's type; what counts is whether it can be read.
    let report = report::read(&call.body().await?).map_err(|unusable| match unusable {
        report::Unusable::NotJson => Error::Malformed(unusable.detail().to_owned()),
        _ => Error::from(vec![FieldFault::new(unusable.pointer(), unusable.detail())]),
    })?;
    let receipt = production::receive(Delivery::OfRequest(production_id), report.quantity, call.now_ms())
        .await?
        .ok_or_else(unknown)?;
    // Factories send no trace context: what they report goes on with the trace of what they were asked.
    trace::take_up(receipt.traceparent.as_deref());
    log!(
        "goods received: sku={} units={} on_hand={} production={} repeated={}",
        receipt.sku,
        report.quantity,
        receipt.on_hand,
        receipt.production_id.as_deref().unwrap_or("-"),
        receipt.repeated
    );
    if !receipt.repeated {
        // Goods that came can end an episode without stock, and a partial delivery asks for the rest.
        doorbell::ring_later(queues::AFTER_GOODS);
    }
    Ok(Answer::ok(&ReportAnswer {
        message: "the goods are booked".to_owned(),
        sku: receipt.sku,
        on_hand: receipt.on_hand,
        production_id: receipt.production_id,
    }))
}

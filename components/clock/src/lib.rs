//! The tick: what time makes necessary.
//!
//! Trigger: HTTP, `POST /internal/tick`, called about once a second by the embedded host or by a cron job.
//! Reads and writes: leases, overdue production, retention, notices of incidents; the levels of products under the `auto`
//! policy; collections of returns, which it begins; now and then the audit of everything.
//! Guarantees: a message of a dead worker, an overdue request and a bell that nobody heard are all found here.
//! A second tick at the same time, or a tick that comes late, does no harm: each duty changes only what is due.

mod audit;
mod levels;
mod returns;

use restock_api::operations::TickReport;
use restock_api::queue::Drained;
use restock_api::routes;
use restock_bindings::ops::{self, TickLimits};
use restock_bindings::queue;
use restock_edge::answer::HttpResponse;
use restock_edge::config::Cached;
use restock_edge::doorbell;
use restock_edge::serve::{Handler, serve};
use restock_edge::{Answer, Call, Error, handlers};
use spin_sdk::http::Request;
use spin_sdk::http_service;
use std::time::Duration;

/// How many rows one tick touches at most, for each of its duties. What is left is done by the next one.
const TICK_ROWS_MAX: u32 = 500;

const HANDLERS: &[(routes::Route, Handler)] = handlers![routes::TICK => tick];

#[http_service]
async fn handle(request: Request) -> HttpResponse {
    serve(request, HANDLERS).await
}

struct Config {
    attempts_max: u32,
    audit_every: Option<Duration>,
}

async fn config() -> Result<&'static Config, Error> {
    static CONFIG: Cached<Config> = Cached::new();
    let read = CONFIG.get(async |reader| Config {
        attempts_max: reader.attempts_max().await,
        audit_every: reader.audit_every().await,
    });
    read.await
}

async fn tick(call: Call) -> Result<Answer, Error> {
    let config = config().await?;
    let now_ms = call.now_ms();
    let limits = TickLimits { attempts_max: config.attempts_max, batch: TICK_ROWS_MAX };
    let done = ops::tick(limits, now_ms).await?;
    let levels_set = levels::set(now_ms).await?;
    returns::begin(now_ms).await?;
    let rung = queue::due(now_ms).await?;
    doorbell::ring_later(rung.clone());
    // Last, because it reads everything: no bell waits for it.
    audit::run(config.audit_every, now_ms).await?;
    let retried = done.leases_expired.saturating_sub(done.buried);
    Ok(Answer::ok(&TickReport {
        messages: Drained { retried, buried: done.buried, ..Drained::default() },
        leases_expired: done.leases_expired,
        overdue: done.overdue,
        removed: done.removed,
        notices: done.notices,
        levels_set,
        rung,
    }))
}

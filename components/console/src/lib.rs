//! The pages for people, the operator interface, metrics, health, the description of the interface, and the answer to every path that
//! nothing else serves.
//!
//! Trigger: HTTP, everything that no other component has.
//! Reads and writes: products, orders, factories, the ledger, production, returns, queues and messages, customers, incidents, operator actions, partners,
//! the audit.
//! Guarantees: every operator action is on record with the fingerprint of the key, in the write that carries it out.
//! A second delivery of a correction with the same idempotency key changes nothing; the other actions are harmless to repeat.

mod customers;
mod describe;
mod factories;
mod health;
mod incidents;
mod metrics;
mod operations;
mod pages;
mod production;
mod queues;
mod returns;
mod stock;

use restock_api::routes;
use restock_edge::answer::HttpResponse;
use restock_edge::handlers;
use restock_edge::serve::{Handler, serve_or};
use spin_sdk::http::Request;
use spin_sdk::http_service;

const HANDLERS: &[(routes::Route, Handler)] = handlers![
    routes::DESCRIPTION => describe::description,
    routes::HEALTH => health::alive,
    routes::READINESS => health::ready,
    routes::METRICS => metrics::show,
    routes::PUT_FACTORY => factories::define,
    routes::LIST_PRODUCTION => production::list,
    routes::GET_PRODUCTION => production::show,
    routes::LIST_MOVEMENTS => stock::movements,
    routes::ADJUST_STOCK => stock::adjust,
    routes::LIST_RETURNS => returns::list,
    routes::GET_RETURN => returns::show,
    routes::REPLAY_RETURN => returns::replay,
    routes::RECEIVE_RETURN => returns::receive,
    routes::DISCARD_RETURN => returns::discard,
    routes::LIST_RETURN_COLLECTIONS => returns::collections,
    routes::LIST_RETURN_REJECTS => returns::rejects,
    routes::LIST_QUEUES => queues::list,
    routes::GET_QUEUE => queues::show,
    routes::LIST_BURIED => queues::buried,
    routes::PAUSE_QUEUE => queues::pause,
    routes::RESUME_QUEUE => queues::resume,
    routes::REDRIVE_QUEUE => queues::redrive,
    routes::PURGE_QUEUE => queues::purge,
    routes::GET_MESSAGE => queues::message,
    routes::GET_CUSTOMER => customers::show,
    routes::LIST_INCIDENTS => incidents::list,
    routes::LIST_OPERATIONS => operations::list,
    routes::LIST_PARTNERS => operations::partners,
    routes::AUDIT => operations::audit,
];

#[http_service]
async fn handle(request: Request) -> HttpResponse {
    serve_or(request, HANDLERS, pages::answer).await
}

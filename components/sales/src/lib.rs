//! Takes orders, shows and defines products, and answers the old shop's paths.
//!
//! Trigger: HTTP, `/v1/orders`, `/v1/products`, and with `legacy_api` on `/product/{slug}` and `/checkout`.
//! Reads and writes: orders, products; for the old shop's callback, production.
//! Guarantees: an order, its stock movements, the production request it makes necessary and every message it causes are
//! one write. No order waits for a bell or a factory.
//! A second delivery of an order with the same idempotency key changes nothing and gets the first answer.

mod legacy;
mod orders;
mod products;

use restock_api::routes;
use restock_edge::answer::HttpResponse;
use restock_edge::handlers;
use restock_edge::serve::{Handler, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

const HANDLERS: &[(routes::Route, Handler)] = handlers![
    routes::PLACE_ORDER => orders::place,
    routes::GET_ORDER => orders::show,
    routes::LIST_PRODUCTS => products::list,
    routes::GET_PRODUCT => products::show,
    routes::PUT_PRODUCT => products::define,
    routes::LEGACY_PRODUCT => legacy::show_product,
    routes::LEGACY_REPORT => legacy::take_report,
    routes::LEGACY_CHECKOUT => legacy::check_out,
];

#[http_service]
async fn handle(request: Request) -> HttpResponse {
    serve(request, HANDLERS).await
}

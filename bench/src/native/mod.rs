//! The baseline of `bench orders`: what a careful engineer writes without WebAssembly. axum in front, and behind it the store's
//! own schema and the store's own statement at the same durability.

mod postgres;
mod sqlite;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Json, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{StatusCode, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

pub(crate) use sqlite::FILE;

/// Who becomes a VIP, as it is set by default.
const VIP_RULE: &str = "single-order";
const VIP_UNITS: i64 = 100;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    listen: SocketAddr,
    #[command(subcommand)]
    store: Store,
}

#[derive(clap::Subcommand)]
enum Store {
    Sqlite(sqlite::Options),
    Postgres(postgres::Options),
}

#[derive(Deserialize)]
struct Order {
    customer: Customer,
    items: Vec<Item>,
    #[serde(default)]
    if_short: IfShort,
}

#[derive(Deserialize)]
struct Customer {
    id: String,
    email: Option<String>,
    name: Option<String>,
}

#[derive(Deserialize, Serialize)]
struct Item {
    sku: String,
    quantity: u32,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
enum IfShort {
    #[default]
    Reject,
    Backorder,
}

impl IfShort {
    fn word(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::Backorder => "backorder",
        }
    }
}

/// The store's parameters of an order without an idempotency key.
struct Placement {
    id: String,
    request_hash: String,
    customer: Customer,
    if_short: &'static str,
    /// JSON.
    items: String,
    placed_at_ms: i64,
}

impl Placement {
    fn of(order: Order) -> Self {
        let items = serde_json::to_string(&order.items).unwrap_or_default();
        let hash = Sha256::digest(items.as_bytes());
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            id: Uuid::now_v7().to_string(),
            request_hash: hash.iter().map(|byte| format!("{byte:02x}")).collect(),
            customer: order.customer,
            if_short: order.if_short.word(),
            items,
            placed_at_ms: i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX),
        }
    }
}

struct Placed {
    id: String,
    status: String,
    /// JSON.
    items: String,
    amount: i64,
    currency: String,
}

enum Shop {
    Sqlite(sqlite::Shop),
    Postgres(postgres::Shop),
}

/// Serves until it is killed.
pub(crate) async fn serve(options: Options) -> Result<()> {
    let shop = match options.store {
        Store::Sqlite(options) => Shop::Sqlite(sqlite::Shop::open(options)?),
        Store::Postgres(options) => Shop::Postgres(postgres::Shop::open(&options).await?),
    };
    let router = Router::new()
        .route("/readyz", get(|| async { "ready" }))
        .route("/v1/orders", post(order))
        .with_state(Arc::new(shop));
    let listener = tokio::net::TcpListener::bind(options.listen).await?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // Only speed is lost where it fails, and then for all answers alike.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await.context("the baseline's server ended")
}

async fn order(State(shop): State<Arc<Shop>>, Json(order): Json<Order>) -> Response {
    let placement = Placement::of(order);
    let placed = match shop.as_ref() {
        Shop::Sqlite(shop) => shop.place(placement).await,
        Shop::Postgres(shop) => shop.place(&placement).await,
    };
    match placed {
        Ok(Some(placed)) => answer_with(&placed),
        Ok(None) => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")).into_response(),
    }
}

fn answer_with(placed: &Placed) -> Response {
    let status = match placed.status.as_str() {
        "accepted" => StatusCode::CREATED,
        "backordered" => StatusCode::ACCEPTED,
        _ => StatusCode::CONFLICT,
    };
    // The items are JSON already.
    let body = format!(
        r#"{{"id":"{}","status":"{}","items":{},"total":{{"amount":{},"currency":"{}"}}}}"#,
        placed.id, placed.status, placed.items, placed.amount, placed.currency
    );
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

//! The baseline: what a careful engineer writes without WebAssembly. axum in front, one thread with a rusqlite
//! connection behind, the store's own schema and the store's own statement at the same durability.
//!
//! With `--group 1` every order is a commit of its own. With more, the orders that wait share one, each under its own
//! savepoint, as the embedded host does it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::extract::{Json, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::{StatusCode, header};
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};
use tokio::sync::{mpsc, oneshot};
use uuid::Uuid;

use crate::load::{OPENING_STOCK, SKU};

/// The statement that the store runs for an order, from the store's own file.
const PLACE: &str = include_str!("../../components/store-sqlite/src/sql/order_place.sql");
/// What the store sets on each connection, and the journal mode that it leaves in the file.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                       PRAGMA recursive_triggers = ON; PRAGMA temp_store = MEMORY;";
/// Orders that wait for the writer; the next ones wait for a place.
const WAITING_MAX: usize = 1024;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    listen: SocketAddr,
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    migrations: PathBuf,
    /// Orders that may share a commit
    #[arg(long, default_value_t = 1)]
    group: usize,
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

struct Placed {
    id: String,
    status: String,
    items: String,
    amount: i64,
    currency: String,
}

struct Job {
    order: Order,
    answer: oneshot::Sender<rusqlite::Result<Option<Placed>>>,
}

struct Shop {
    jobs: mpsc::Sender<Job>,
    file: PathBuf,
}

/// Serves until it is killed.
pub(crate) async fn serve(options: Options) -> Result<()> {
    let file = options.data.join("native.db");
    let db = prepare(&file, &options.migrations)?;
    let (jobs, queue) = mpsc::channel(WAITING_MAX);
    std::thread::spawn(move || write(db, queue, options.group));
    let router = Router::new()
        .route("/readyz", get(|| async { "ready" }))
        .route("/v1/products/{sku}", get(product))
        .route("/v1/orders", post(order))
        .with_state(Arc::new(Shop { jobs, file }));
    let listener = tokio::net::TcpListener::bind(options.listen).await?;
    let listener = axum::serve::ListenerExt::tap_io(listener, |stream| {
        // Only speed is lost where it fails, and then for all answers alike.
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await.context("the baseline's server ended")
}

/// A database with the store's schema, a factory and the product.
fn prepare(file: &Path, migrations: &Path) -> Result<Connection> {
    let db = Connection::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    db.execute_batch(PRAGMAS)?;
    let mut scripts = migrations
        .read_dir()
        .with_context(|| format!("cannot read {}", migrations.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<Vec<_>>>()?;
    // Folders are other databases.
    scripts.retain(|path| path.is_file());
    scripts.sort();
    for script in scripts {
        let sql = std::fs::read_to_string(&script)?;
        db.execute_batch(&sql).with_context(|| format!("cannot apply {}", script.display()))?;
    }
    db.execute(
        "INSERT INTO factory (factory_id, name, created_at_ms, updated_at_ms) VALUES ('BENCH-F', 'bench', 0, 0)",
        [],
    )?;
    db.execute(
        "INSERT INTO product (sku, name, price_amount, price_currency, factory_id, policy, reorder_point, order_up_to,
                              ad_status, opening_stock, created_at_ms, updated_at_ms)
         VALUES (?1, 'bench', 100, 'KRW', 'BENCH-F', 'manual', 0, 1, 'none', ?2, 0, 0)",
        params![SKU, OPENING_STOCK],
    )?;
    Ok(db)
}

/// The writer: answers every order after the commit that holds it.
fn write(mut db: Connection, mut queue: mpsc::Receiver<Job>, group: usize) {
    let mut waiting = Vec::new();
    while queue.blocking_recv_many(&mut waiting, group) > 0 {
        let jobs = std::mem::take(&mut waiting);
        let placed = if group == 1 {
            jobs.iter().map(|job| place(&db, &job.order)).collect()
        } else {
            match place_all(&mut db, &jobs) {
                Ok(placed) => placed,
                // The clients see closed connections and end the measurement.
                Err(error) => {
                    eprintln!("a group could not be committed: {error}");
                    return;
                }
            }
        };
        for (job, placed) in jobs.into_iter().zip(placed) {
            // A client that has gone away needs no answer.
            let _ = job.answer.send(placed);
        }
    }
}

fn place_all(db: &mut Connection, jobs: &[Job]) -> rusqlite::Result<Vec<rusqlite::Result<Option<Placed>>>> {
    let mut transaction = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
    let mut answers = Vec::with_capacity(jobs.len());
    for job in jobs {
        let savepoint = transaction.savepoint()?;
        let placed = place(&savepoint, &job.order);
        if placed.is_ok() {
            savepoint.commit()?;
        } else {
            savepoint.finish()?;
        }
        answers.push(placed);
    }
    transaction.commit()?;
    Ok(answers)
}

/// Runs the store's statement with the store's parameters.
fn place(db: &Connection, order: &Order) -> rusqlite::Result<Option<Placed>> {
    let items = serde_json::to_string(&order.items).unwrap_or_default();
    let hash = Sha256::digest(items.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    db.prepare_cached(PLACE)?
        .query_row(
            params![
                Uuid::now_v7().to_string(),
                None::<String>,
                hash,
                order.customer.id,
                order.customer.email,
                order.customer.name,
                order.if_short.word(),
                items,
                now_ms(),
                "single-order",
                100,
            ],
            |row| {
                Ok(Placed {
                    id: row.get("sales_order_id")?,
                    status: row.get("placed_as")?,
                    items: row.get("items")?,
                    amount: row.get("total_amount")?,
                    currency: row.get("currency")?,
                })
            },
        )
        .optional()
}

async fn order(State(shop): State<Arc<Shop>>, Json(order): Json<Order>) -> Response {
    let (answer, placed) = oneshot::channel();
    if shop.jobs.send(Job { order, answer }).await.is_err() {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    match placed.await {
        Ok(Ok(Some(placed))) => answer_with(&placed),
        Ok(Ok(None)) => StatusCode::UNPROCESSABLE_ENTITY.into_response(),
        Ok(Err(error)) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        Err(_) => StatusCode::SERVICE_UNAVAILABLE.into_response(),
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

/// What is left of the product, read beside the writer.
async fn product(State(shop): State<Arc<Shop>>) -> Response {
    let on_hand = Connection::open(&shop.file).and_then(|db| {
        db.query_row("SELECT on_hand FROM product WHERE sku = ?1", [SKU], |row| row.get::<_, i64>(0))
    });
    match on_hand {
        Ok(on_hand) => Json(json!({"sku": SKU, "on_hand": on_hand})).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

fn now_ms() -> i64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX)
}

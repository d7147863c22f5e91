//! The baseline on SQLite: one thread with a rusqlite connection.
//!
//! With `--group 1` every order is a commit of its own. With more, the orders that wait share one, each under its own
//! savepoint, as the embedded host does it.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension as _, params};
use tokio::sync::{mpsc, oneshot};

use super::{Placed, Placement, VIP_RULE, VIP_UNITS};
use crate::load::{OPENING_STOCK, sku};

/// The database, in the folder of data.
pub(crate) const FILE: &str = "native.db";
/// The statement that the store runs for an order, from the store's own file.
const PLACE: &str = include_str!("../../../components/store-sqlite/src/sql/order_place.sql");
/// What the store sets on each connection, and the journal mode that it leaves in the file.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;
                       PRAGMA recursive_triggers = ON; PRAGMA temp_store = MEMORY;";
/// Orders that wait for the writer; the next ones wait for a place.
const WAITING_MAX: usize = 1024;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    data: PathBuf,
    #[arg(long)]
    migrations: PathBuf,
    /// Orders that may share a commit
    #[arg(long, default_value_t = 1)]
    group: usize,
}

struct Job {
    placement: Placement,
    answer: oneshot::Sender<rusqlite::Result<Option<Placed>>>,
}

/// The way to the writer.
pub(crate) struct Shop {
    jobs: mpsc::Sender<Job>,
}

impl Shop {
    pub(super) fn open(options: Options) -> Result<Self> {
        let db = prepare(&options.data.join(FILE), &options.migrations)?;
        let (jobs, queue) = mpsc::channel(WAITING_MAX);
        std::thread::spawn(move || write(db, queue, options.group));
        Ok(Self { jobs })
    }

    pub(super) async fn place(&self, placement: Placement) -> Result<Option<Placed>> {
        let (answer, placed) = oneshot::channel();
        let sent = self.jobs.send(Job { placement, answer }).await;
        sent.ok().context("the writer ended")?;
        Ok(placed.await.context("the writer ended")??)
    }
}

/// A database with the store's schema, a factory and the product.
fn prepare(file: &Path, migrations: &Path) -> Result<Connection> {
    let db = Connection::open(file).with_context(|| format!("cannot open {}", file.display()))?;
    // As the host does: without it a statement whose plan could depend on a bound value is compiled anew whenever one is bound.
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
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
        params![sku(1), OPENING_STOCK],
    )?;
    Ok(db)
}

/// The writer: answers every order after the commit that holds it.
fn write(mut db: Connection, mut queue: mpsc::Receiver<Job>, group: usize) {
    let mut waiting = Vec::new();
    while queue.blocking_recv_many(&mut waiting, group) > 0 {
        let jobs = std::mem::take(&mut waiting);
        let placed = if group == 1 {
            jobs.iter().map(|job| place(&db, &job.placement)).collect()
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
        let placed = place(&savepoint, &job.placement);
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
fn place(db: &Connection, placement: &Placement) -> rusqlite::Result<Option<Placed>> {
    db.prepare_cached(PLACE)?
        .query_row(
            params![
                placement.id,
                None::<String>,
                placement.request_hash,
                placement.customer.id,
                placement.customer.email,
                placement.customer.name,
                placement.if_short,
                placement.items,
                placement.placed_at_ms,
                VIP_RULE,
                VIP_UNITS,
                None::<String>,
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

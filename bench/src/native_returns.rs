//! The baseline of `bench returns`: what a careful engineer writes without WebAssembly and without queues. One process, so many
//! workers with a connection each, one thread with a SQLite connection behind them.
//!
//! It makes the same calls to the same partner under the same limits, waits as long between two attempts, and commits
//! each step by itself at full durability before it takes the next one: the list in one commit, then one for each parcel that
//! arrived and one for each report that was taken. It has no gate, no circuit, no history, no events and no goods.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use bytes::Bytes;
use http::Method;
use restock_domain::backoff;
use restock_sandbox::logistics::BASE;
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::load::{Client, Manner};

/// As the store sets them.
const PRAGMAS: &str = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;";
const SCHEMA: &str = "CREATE TABLE parcel (
    parcel_id INTEGER PRIMARY KEY, order_number TEXT NOT NULL, order_item_number TEXT NOT NULL,
    shipment_number TEXT NOT NULL, status TEXT NOT NULL, UNIQUE (order_number, order_item_number)) STRICT";
/// How long the partner may take for an answer, and how long a list may be.
const ANSWER_SECONDS_MAX: u64 = 10;
const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;
/// Attempts at one step.
const ATTEMPTS_MAX: u32 = 100;
/// How often a worker without work looks for some.
const LOOK_AGAIN: Duration = Duration::from_millis(5);
/// A parcel that is still under way is looked for again after so long.
const TRACK_AGAIN: Duration = Duration::from_secs(5);
/// Steps that wait for their commit; the next ones wait for a place.
const WAITING_MAX: usize = 1024;

#[derive(clap::Args)]
pub(crate) struct Options {
    #[arg(long)]
    partner: SocketAddr,
    #[arg(long)]
    token: String,
    #[arg(long)]
    data: PathBuf,
    /// Calls a second
    #[arg(long)]
    rate: u32,
    /// Calls at a time
    #[arg(long)]
    concurrency: u32,
}

#[derive(Clone, Debug, Deserialize)]
struct Parcel {
    order_number: String,
    order_item_number: String,
    shipment_number: String,
}

#[derive(Deserialize)]
struct List {
    data: Vec<Parcel>,
}

/// What is to be written.
enum Step {
    Collected(Vec<Parcel>),
    Delivered(usize),
    Reported(usize),
}

struct Write {
    step: Step,
    written: oneshot::Sender<rusqlite::Result<()>>,
}

/// What is to be done for a parcel, and when.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Job {
    due: Instant,
    /// What is further along goes first.
    report: Reverse<bool>,
    parcel: usize,
    attempt: u32,
}

struct Works {
    options: Options,
    parcels: Vec<Parcel>,
    jobs: Mutex<BinaryHeap<Reverse<Job>>>,
    left: Mutex<usize>,
    next_slot: Mutex<Instant>,
    writer: mpsc::Sender<Write>,
}

/// Collects, follows and reports; then stays until it is killed, so that one can see what it used.
pub(crate) async fn work(options: Options) -> Result<()> {
    let file = options.data.join("native.db");
    let db = Connection::open(&file).with_context(|| format!("cannot open {}", file.display()))?;
    db.execute_batch(PRAGMAS)?;
    db.execute_batch(SCHEMA)?;
    let (writer, queue) = mpsc::channel(WAITING_MAX);
    std::thread::spawn(move || write(db, queue));
    let mut works = Works {
        options,
        parcels: Vec::new(),
        jobs: Mutex::default(),
        left: Mutex::new(0),
        next_slot: Mutex::new(Instant::now()),
        writer,
    };
    works.parcels = works.collect().await?;
    *lock(&works.left) = works.parcels.len();
    works.save(Step::Collected(works.parcels.clone())).await?;
    let due = Instant::now();
    let first = |parcel| Reverse(Job { due, report: Reverse(false), parcel, attempt: 1 });
    lock(&works.jobs).extend((0..works.parcels.len()).map(first));
    let works = Arc::new(works);
    let mut workers = JoinSet::new();
    for _ in 0..works.options.concurrency {
        workers.spawn(worker(Arc::clone(&works)));
    }
    while let Some(worker) = workers.join_next().await {
        worker.context("a worker was lost")??;
    }
    println!("{} parcels reported", works.parcels.len());
    std::future::pending().await
}

impl Works {
    async fn connect(&self) -> Result<Client> {
        let manner = Manner {
            key: self.options.token.clone(),
            answer_max: Duration::from_secs(ANSWER_SECONDS_MAX),
            answer_bytes_max: LIST_BYTES_MAX,
        };
        Client::connect_as(self.options.partner, manner).await
    }

    async fn collect(&self) -> Result<Vec<Parcel>> {
        for attempt in 1..=ATTEMPTS_MAX {
            self.slot().await;
            let listed: Result<List> = async {
                let mut client = self.connect().await?;
                let (status, body) =
                    client.call(Method::GET, &format!("{BASE}/returns"), Bytes::new()).await?;
                ensure!(status.is_success(), "answered {status}");
                Ok(serde_json::from_slice(&body)?)
            }
            .await;
            match listed {
                Ok(list) => return Ok(list.data),
                Err(_) => tokio::time::sleep(pause(attempt)).await,
            }
        }
        bail!("the partner gave no list")
    }

    /// Waits for the next moment at which a call may begin.
    async fn slot(&self) {
        let spacing = Duration::from_secs(1) / self.options.rate;
        let slot = {
            let mut next = lock(&self.next_slot);
            let slot = (*next).max(Instant::now());
            *next = slot + spacing;
            slot
        };
        tokio::time::sleep_until(slot.into()).await;
    }

    async fn save(&self, step: Step) -> Result<()> {
        let (written, saved) = oneshot::channel();
        let sent = self.writer.send(Write { step, written }).await;
        sent.ok().context("the writer ended")?;
        Ok(saved.await.context("the writer ended")??)
    }

    /// The next job that is due; none where there will be none any more.
    async fn next(&self) -> Option<Job> {
        loop {
            let wait = {
                let mut jobs = lock(&self.jobs);
                match jobs.peek() {
                    Some(Reverse(job)) if job.due <= Instant::now() => {
                        return jobs.pop().map(|Reverse(job)| job);
                    }
                    Some(Reverse(job)) => job.due.saturating_duration_since(Instant::now()).min(LOOK_AGAIN),
                    None => LOOK_AGAIN,
                }
            };
            if *lock(&self.left) == 0 {
                return None;
            }
            tokio::time::sleep(wait).await;
        }
    }

    /// One call and its commit; says what comes next.
    async fn advance(&self, client: &mut Client, job: Job) -> Result<Option<Job>> {
        let parcel = self.parcels.get(job.parcel).context("no such parcel")?;
        let Reverse(report) = job.report;
        let (status, answer) = if report {
            let body = json!({
                "order_number": parcel.order_number,
                "order_item_number": parcel.order_item_number,
                "result_object": "delivered",
            });
            client.call(Method::POST, &format!("{BASE}/results"), body.to_string().into()).await?
        } else {
            let path = format!("{BASE}/tracking?shipment_number={}", parcel.shipment_number);
            client.call(Method::GET, &path, Bytes::new()).await?
        };
        ensure!(status.is_success(), "answered {status}");
        let answer: Value = serde_json::from_slice(&answer)?;
        if report {
            ensure!(answer.pointer("/data/result") == Some(&Value::Bool(true)), "not taken: {answer}");
            self.save(Step::Reported(job.parcel)).await?;
            return Ok(None);
        }
        let statuses = answer.get("data").and_then(Value::as_array).context("no statuses")?;
        let delivered =
            statuses.iter().any(|status| status.get("return_status") == Some(&json!("delivered")));
        if !delivered {
            return Ok(Some(Job { due: Instant::now() + TRACK_AGAIN, attempt: 1, ..job }));
        }
        self.save(Step::Delivered(job.parcel)).await?;
        Ok(Some(Job { due: Instant::now(), report: Reverse(true), parcel: job.parcel, attempt: 1 }))
    }
}

async fn worker(works: Arc<Works>) -> Result<()> {
    let mut connection = None;
    while let Some(job) = works.next().await {
        works.slot().await;
        let advanced = async {
            let mut client = match connection.take() {
                Some(client) => client,
                None => works.connect().await?,
            };
            let next = works.advance(&mut client, job).await;
            // One that failed in any way is not used again.
            if next.is_ok() {
                connection = Some(client);
            }
            next
        }
        .await;
        let next = match advanced {
            Ok(next) => next,
            Err(error) if job.attempt >= ATTEMPTS_MAX => return Err(error),
            Err(_) => Some(Job { due: Instant::now() + pause(job.attempt), attempt: job.attempt + 1, ..job }),
        };
        match next {
            Some(next) => lock(&works.jobs).push(Reverse(next)),
            None => *lock(&works.left) -= 1,
        }
    }
    Ok(())
}

/// The writer: each step is a commit of its own.
fn write(db: Connection, mut queue: mpsc::Receiver<Write>) {
    while let Some(Write { step, written }) = queue.blocking_recv() {
        // A worker that has gone away needs no answer.
        let _ = written.send(save(&db, &step));
    }
}

fn save(db: &Connection, step: &Step) -> rusqlite::Result<()> {
    let mut update = db.prepare_cached("UPDATE parcel SET status = ?2 WHERE parcel_id = ?1")?;
    match step {
        Step::Delivered(parcel) => update.execute(params![id(*parcel), "delivered"]).map(drop),
        Step::Reported(parcel) => update.execute(params![id(*parcel), "reported"]).map(drop),
        Step::Collected(parcels) => {
            let transaction = db.unchecked_transaction()?;
            let mut insert =
                transaction.prepare("INSERT INTO parcel VALUES (?1, ?2, ?3, ?4, 'collected')")?;
            for (place, parcel) in parcels.iter().enumerate() {
                let Parcel { order_number, order_item_number, shipment_number } = parcel;
                insert.execute(params![id(place), order_number, order_item_number, shipment_number])?;
            }
            drop(insert);
            transaction.commit()
        }
    }
}

fn id(place: usize) -> i64 {
    i64::try_from(place).unwrap_or(i64::MAX)
}

/// As long as Restock waits.
fn pause(attempt: u32) -> Duration {
    Duration::from_millis(backoff::delay_ms(attempt, RandomState::new().build_hasher().finish()))
}

/// A panic elsewhere ends the measurement anyway.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

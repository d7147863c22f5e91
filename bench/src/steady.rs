//! Orders at a fixed rate, whatever becomes of those before: an order's latency counts from the moment at which it was meant to be
//! sent. So a server that stands still for a second is charged with every order of that second, and not with one.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use hdrhistogram::Histogram;
use http::{Method, StatusCode};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::load::{Basket, Client, LATENCY_US_MAX};

/// Orders under way at one time; more of them mean that the server is not there any more.
const UNDER_WAY_MAX: usize = 1024;

/// A connection that was not used for so long is given up, before the server does it.
const IDLE_MAX: Duration = Duration::from_secs(1);

/// An answered order.
#[derive(Clone, Copy)]
struct Sample {
    meant_at: Instant,
    latency: Duration,
}

/// A stream of orders.
pub(crate) struct Steady {
    stop: Arc<AtomicBool>,
    samples: oneshot::Receiver<Result<Vec<Sample>>>,
}

/// What became of the orders.
pub(crate) struct Orders {
    samples: Vec<Sample>,
}

impl Steady {
    /// Begins to send `per_second` orders a second, evenly.
    pub(crate) fn begin(addr: SocketAddr, per_second: u32) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (result, samples) = oneshot::channel();
        let pace = Pace { addr, every: Duration::from_secs(1) / per_second.max(1), stop: Arc::clone(&stop) };
        let runtime = tokio::runtime::Handle::current();
        // The timer of the runtime is good for a millisecond, which is a part of what is measured.
        std::thread::spawn(move || {
            // Nobody who wants to know is left where the measurement broke off.
            let _ = result.send(pace.keep(&runtime));
        });
        Self { stop, samples }
    }

    /// Sends no more and waits for the last answers. Fails where one was not 201.
    pub(crate) async fn end(self) -> Result<Orders> {
        self.stop.store(true, Ordering::Relaxed);
        Ok(Orders { samples: self.samples.await.context("the orders were lost")?? })
    }
}

struct Pace {
    addr: SocketAddr,
    every: Duration,
    stop: Arc<AtomicBool>,
}

impl Pace {
    fn keep(&self, runtime: &tokio::runtime::Handle) -> Result<Vec<Sample>> {
        let idle = Arc::new(Mutex::new(Vec::new()));
        let mut under_way = JoinSet::new();
        let mut samples = Vec::new();
        let mut meant_at = Instant::now();
        while !self.stop.load(Ordering::Relaxed) {
            std::thread::sleep(meant_at.saturating_duration_since(Instant::now()));
            ensure!(under_way.len() < UNDER_WAY_MAX, "{UNDER_WAY_MAX} orders wait for an answer");
            under_way.spawn_on(place(self.addr, Arc::clone(&idle), meant_at), runtime);
            while let Some(one) = under_way.try_join_next() {
                samples.push(one.context("an order was lost")??);
            }
            meant_at += self.every;
        }
        while let Some(one) = runtime.block_on(under_way.join_next()) {
            samples.push(one.context("an order was lost")??);
        }
        Ok(samples)
    }
}

/// Connections without an order, and since when; the one used last is on top.
type Idle = Mutex<Vec<(Client, Instant)>>;

async fn place(addr: SocketAddr, idle: Arc<Idle>, meant_at: Instant) -> Result<Sample> {
    let free = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut client = match free {
        Some((client, since)) if since.elapsed() < IDLE_MAX => client,
        _ => Client::connect(addr).await?,
    };
    let (status, body) = client.call(Method::POST, "/v1/orders", Basket::ONE.order()).await?;
    let latency = meant_at.elapsed();
    if status != StatusCode::CREATED {
        bail!("an order was answered {status} instead of 201: {}", String::from_utf8_lossy(&body));
    }
    idle.lock().unwrap_or_else(PoisonError::into_inner).push((client, Instant::now()));
    Ok(Sample { meant_at, latency })
}

impl Orders {
    /// How many were accepted.
    pub(crate) fn accepted(&self) -> usize {
        self.samples.len()
    }

    /// The latencies, µs, of those that were meant to be sent between two moments.
    pub(crate) fn between(&self, from: Instant, to: Instant) -> Result<Histogram<u64>> {
        let mut latency_us = Histogram::new_with_max(LATENCY_US_MAX, 3)?;
        for sample in self.samples.iter().filter(|sample| (from..to).contains(&sample.meant_at)) {
            let us = u64::try_from(sample.latency.as_micros()).unwrap_or(u64::MAX);
            latency_us.saturating_record(us.max(1));
        }
        Ok(latency_us)
    }
}

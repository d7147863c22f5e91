//! The connections to one address: lent to one guest at a time, clean, and few.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::address::Address;
use super::connection::{Condition, Connection};
use super::fault::{is_full, text};
use super::tls::{Root, Security};
use crate::allow::AllowedHosts;

/// Connections to one address. Postgres is fastest with a few for each of its processors, and all hosts on it share what it
/// allows, by default 100.
pub(super) const CONNECTIONS_MAX: u32 = 24;
/// How long a guest may wait for one of them.
const WAIT_MS_MAX: u64 = 5_000;
/// How long a connection may take to come about, names and passwords included, where the address sets no limit.
const CONNECT_MS_MAX: u64 = 5_000;
/// How long to wait until a server that has no room is asked again.
const FULL_PAUSE_MS: u64 = 100;
/// How long a connection that nobody uses is believed in without a second look.
const FRESH_MS_MAX: u64 = 250;
/// How long a guest waits for a connection to be cleaned, until another one is better.
const CLEAN_MS_MAX: u64 = 1_000;
/// How long a connection that nobody uses is kept.
const IDLE_MS_MAX: u64 = 60_000;
/// How old a connection may get: plans and memory of its server process go with it.
const AGE_MS_MAX: u64 = 15 * 60_000;
/// How often that is looked at.
const SWEEP_MS: u64 = 5_000;
/// How long connections that are lent may take to come back when the host stops.
const STOP_MS_MAX: u64 = 5_000;

pub(super) struct Pool {
    address: Address,
    security: Security,
    idle: Mutex<Vec<Idle>>,
    room: Arc<Semaphore>,
    /// Rung when a connection is back.
    back: Notify,
    ended: AtomicBool,
    sweeper: Once,
}

struct Idle {
    connection: Connection,
    since: Instant,
}

/// A connection that a guest has.
pub(super) struct Lent {
    pool: Arc<Pool>,
    connection: Option<Connection>,
    permit: Option<OwnedSemaphorePermit>,
    runtime: Handle,
}

impl Pool {
    pub(super) fn new(mut address: Address, root: Option<&Root>) -> Result<Arc<Self>, String> {
        let security = Security::take(&mut address.config, root)?;
        Ok(Arc::new(Self {
            address,
            security,
            idle: Mutex::default(),
            room: Arc::new(Semaphore::new(usize::try_from(CONNECTIONS_MAX).unwrap_or(usize::MAX))),
            back: Notify::new(),
            ended: AtomicBool::new(false),
            sweeper: Once::new(),
        }))
    }

    /// Whether a component with these permissions may use it.
    pub(super) fn check(&self, allowed: &AllowedHosts) -> Result<(), String> {
        self.address.check(allowed)
    }

    /// Lends a connection, a new one where none is idle. Waits for one to come back where all are lent, but not for long.
    pub(super) async fn lend(self: &Arc<Self>) -> Result<Lent, String> {
        let deadline = tokio::time::Instant::now() + Duration::from_millis(WAIT_MS_MAX);
        let permit = match Arc::clone(&self.room).try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => tokio::time::timeout_at(deadline, Arc::clone(&self.room).acquire_owned())
                .await
                .map_err(|_| format!("all {CONNECTIONS_MAX} connections were in use for {WAIT_MS_MAX} ms"))?
                .map_err(|_| ended())?,
        };
        if self.is_tired() {
            // Lets this thread hear first what the server said meanwhile.
            tokio::task::yield_now().await;
        }
        let mut lent = Lent {
            pool: Arc::clone(self),
            connection: None,
            permit: Some(permit),
            runtime: Handle::current(),
        };
        if !self.reuse(&mut lent).await {
            self.connect(&mut lent, deadline).await?;
        }
        Ok(lent)
    }

    /// Whether the next idle connection was not used for so long that the server may be gone.
    fn is_tired(&self) -> bool {
        let limit = Duration::from_millis(FRESH_MS_MAX);
        lock(&self.idle).last().is_some_and(|idle| idle.since.elapsed() > limit)
    }

    /// Lends an idle connection that is known to be clean. False where there is none.
    async fn reuse(&self, lent: &mut Lent) -> bool {
        while let Some((connection, condition)) = self.idle() {
            // A guest that goes while it waits gives it back too.
            let connection = lent.connection.insert(connection);
            if condition == Condition::Ready {
                return true;
            }
            // What is asked behind a clean-up runs even where that fails, in the session of the guest before.
            let limit = Duration::from_millis(CLEAN_MS_MAX);
            if tokio::time::timeout(limit, connection.quiet()).await == Ok(true) {
                return true;
            }
            lent.connection = None;
        }
        false
    }

    /// An idle connection that works: the one that was used last, whose caches are warm. Where that is still being cleaned, one
    /// that is clean goes before it.
    fn idle(&self) -> Option<(Connection, Condition)> {
        loop {
            let mut last = lock(&self.idle).pop()?;
            // What the server said meanwhile, such as good-bye, is known now.
            match last.connection.look() {
                Condition::Broken => {}
                Condition::Ready => return Some((last.connection, Condition::Ready)),
                Condition::Busy => {
                    let mut idle = lock(&self.idle);
                    let clean = idle.iter_mut().rev().find_map(|idle| {
                        let ready = idle.connection.look() == Condition::Ready;
                        ready.then_some(idle)
                    });
                    let Some(clean) = clean else { return Some((last.connection, Condition::Busy)) };
                    std::mem::swap(clean, &mut last);
                    return Some((last.connection, Condition::Ready));
                }
            }
        }
    }

    async fn connect(
        self: &Arc<Self>,
        lent: &mut Lent,
        deadline: tokio::time::Instant,
    ) -> Result<(), String> {
        let limit = match self.address.config.get_connect_timeout() {
            Some(limit) => (*limit).min(Duration::from_millis(CONNECT_MS_MAX)),
            None => Duration::from_millis(CONNECT_MS_MAX),
        };
        loop {
            if self.ended.load(Ordering::Relaxed) {
                return Err(ended());
            }
            let connecting = Connection::open(&self.address.config, &self.security);
            match tokio::time::timeout(limit, connecting).await {
                Ok(Ok(connection)) => {
                    self.sweep();
                    lent.connection = Some(connection);
                    return Ok(());
                }
                Err(_) => return Err(format!("connecting took longer than {} ms", limit.as_millis())),
                Ok(Err(error)) if is_full(&error) => {
                    // Others use the server too. One of ours may come back, or one of theirs may end.
                    let pause = tokio::time::Instant::now() + Duration::from_millis(FULL_PAUSE_MS);
                    if pause > deadline {
                        return Err(text(&error));
                    }
                    let _ = tokio::time::timeout_at(pause, self.back.notified()).await;
                    if self.reuse(lent).await {
                        return Ok(());
                    }
                }
                Ok(Err(error)) => return Err(text(&error)),
            }
        }
    }

    /// Takes a connection back that is clean or being cleaned.
    fn take_back(&self, connection: Connection) {
        if self.ended.load(Ordering::Relaxed) {
            connection.close();
            return;
        }
        lock(&self.idle).push(Idle { connection, since: Instant::now() });
        self.back.notify_one();
    }

    /// Closes what is idle for long or old, now and then, as long as the pool is there.
    fn sweep(self: &Arc<Self>) {
        self.sweeper.call_once(|| {
            let pool = Arc::downgrade(self);
            tokio::spawn(async move {
                loop {
                    tokio::time::sleep(Duration::from_millis(SWEEP_MS)).await;
                    let Some(pool) = Weak::upgrade(&pool) else { return };
                    if pool.ended.load(Ordering::Relaxed) {
                        return;
                    }
                    for idle in pool.tired() {
                        idle.connection.close();
                    }
                }
            });
        });
    }

    fn tired(&self) -> Vec<Idle> {
        let mut idle = lock(&self.idle);
        idle.extract_if(.., |idle| {
            idle.since.elapsed() > Duration::from_millis(IDLE_MS_MAX)
                || idle.connection.age() > Duration::from_millis(AGE_MS_MAX)
                || idle.connection.look() == Condition::Broken
        })
        .collect()
    }

    /// Lends nothing any more, waits a little for what is lent, and closes everything in order.
    pub(super) async fn stop(&self) {
        self.ended.store(true, Ordering::Relaxed);
        let limit = Duration::from_millis(STOP_MS_MAX);
        // Held to the end: nobody gets a connection any more.
        let all = tokio::time::timeout(limit, self.room.acquire_many(CONNECTIONS_MAX)).await;
        if all.is_err() {
            tracing::warn!("some Postgres connections were still in use after {STOP_MS_MAX} ms");
        }
        self.room.close();
        let idle = std::mem::take(&mut *lock(&self.idle));
        for mut idle in idle {
            // What cleans has to be read: a stream that is closed with bytes in it looks broken to the server.
            let _ = tokio::time::timeout(limit, idle.connection.quiet()).await;
            idle.connection.close();
        }
    }

    /// Drops everything at once, as a crash would.
    pub(super) fn kill(&self) {
        self.ended.store(true, Ordering::Relaxed);
        self.room.close();
        lock(&self.idle).clear();
    }
}

impl Lent {
    pub(super) fn connection(&mut self) -> Option<&mut Connection> {
        self.connection.as_mut()
    }
}

impl Drop for Lent {
    /// Gives the connection back, clean. A guest may have gone in the middle of a statement or of a transaction.
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take() else { return };
        let pool = Arc::clone(&self.pool);
        match connection.look() {
            Condition::Broken => {}
            Condition::Ready => {
                if connection.clean() != Condition::Broken {
                    pool.take_back(connection);
                }
            }
            Condition::Busy if pool.ended.load(Ordering::Relaxed) => {}
            Condition::Busy => {
                // Its place is not free until that is over.
                let permit = self.permit.take();
                self.runtime.spawn(async move {
                    if connection.settle().await && connection.clean() != Condition::Broken {
                        pool.take_back(connection);
                    }
                    drop(permit);
                });
            }
        }
    }
}

fn ended() -> String {
    "the host stops".to_owned()
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

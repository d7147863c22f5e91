//! The legacy factory: `POST /api/manufactures` starts a job, five slow stages later one POST to the job's
//! `CallbackUrl` reports the goods.
//!
//! True to the original it does not authenticate, validate, remember, repeat or recognise a request it has already
//! had. Everything else is under `/sandbox`, for people and tests:
//!
//! | path | meaning |
//! | --- | --- |
//! | `GET /sandbox/knobs` | the faults that are switched on, see [`Knobs`] |
//! | `PUT /sandbox/knobs` | replaces them all; what is left out takes its default |
//! | `PATCH /sandbox/knobs` | changes only what is named |
//! | `POST /sandbox/forget` | loses every job in progress, as a restart would; `{"forgotten":n}` |
//! | `POST /sandbox/finish` | completes all jobs, or `{"id":…}` one, now; answers when the callbacks have been answered |
//! | `GET /sandbox/jobs` | the jobs in progress |
//! | `GET /sandbox/requests` | the production requests, oldest first |
//! | `GET /sandbox/callbacks` | the callbacks sent and what was answered |
//! | `GET /sandbox/stats` | counts since the start |

mod callback;
mod knobs;
mod routes;
mod serve;
mod state;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use uuid::Uuid;

pub use knobs::{Busy, CallbackShape, Garbage, Knobs, Partial};
pub use state::{CallbackSeen, JobSeen, RequestSeen, Stats};

use state::State;

/// How long [`Factory::wait_until`] waits for something that does not happen.
pub const WAIT_SECONDS_MAX: u64 = 60;

/// A running factory. Dropping it stops it and loses its jobs.
pub struct Factory {
    addr: SocketAddr,
    state: Arc<State>,
    server: JoinHandle<()>,
}

impl Factory {
    /// Starts a factory on `listen` (port 0: any free port) with no fault switched on.
    ///
    /// Fails when the address cannot be bound.
    pub async fn start(listen: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("the sandbox factory cannot listen on {listen}"))?;
        let addr = listener.local_addr().context("the sandbox factory has no address")?;
        let state = Arc::new(State::new());
        let server = tokio::spawn(serve::serve(listener, Arc::clone(&state)));
        Ok(Self { addr, state, server })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its base URL without a final slash, as the variable `factory_url` wants it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The faults that are switched on.
    #[must_use]
    pub fn knobs(&self) -> Knobs {
        self.state.knobs()
    }

    /// Changes knobs in place. Fails, changing nothing, where a value is out of its range.
    pub fn turn(&self, change: impl FnOnce(&mut Knobs)) -> anyhow::Result<()> {
        let mut knobs = self.state.knobs();
        change(&mut knobs);
        self.set_knobs(knobs)
    }

    /// Replaces all knobs. Fails, changing nothing, where a value is out of its range.
    pub fn set_knobs(&self, knobs: Knobs) -> anyhow::Result<()> {
        self.state.set_knobs(knobs).map_err(anyhow::Error::msg)
    }

    /// Loses every job in progress, as a restart of the real factory does; answers how many.
    pub fn forget(&self) -> usize {
        self.state.forget()
    }

    /// Completes one job, or all of them, without waiting for the stages; answers when every callback has been
    /// answered or has failed. An unknown id completes nothing.
    pub async fn finish(&self, id: Option<Uuid>) -> Vec<CallbackSeen> {
        self.state.finish(id).await
    }

    /// The jobs in progress, oldest first.
    #[must_use]
    pub fn jobs(&self) -> Vec<JobSeen> {
        self.state.jobs()
    }

    /// The production requests received, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<RequestSeen> {
        self.state.requests()
    }

    /// The callbacks sent, in the order in which they were answered.
    #[must_use]
    pub fn callbacks(&self) -> Vec<CallbackSeen> {
        self.state.callbacks()
    }

    /// Counts since the start.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.state.stats()
    }

    /// Waits until `enough` holds, looking again after every request and every callback, and never in between.
    ///
    /// Fails after [`WAIT_SECONDS_MAX`].
    pub async fn wait_until(&self, enough: impl Fn(&Stats) -> bool) -> anyhow::Result<Stats> {
        let mut changed = self.state.watch();
        let seen = async {
            loop {
                changed.borrow_and_update();
                let stats = self.state.stats();
                if enough(&stats) || changed.changed().await.is_err() {
                    return stats;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(WAIT_SECONDS_MAX), seen).await.with_context(|| {
            format!("waited {WAIT_SECONDS_MAX} s in vain, the factory saw {:?}", self.stats())
        })
    }

    /// Stops at once: the port is free and no callback will be sent when this returns.
    pub async fn stop(mut self) {
        self.state.abort();
        self.server.abort();
        // An aborted task ends with an error that says just that.
        let _ = (&mut self.server).await;
    }
}

impl Drop for Factory {
    fn drop(&mut self) {
        self.state.abort();
        self.server.abort();
    }
}

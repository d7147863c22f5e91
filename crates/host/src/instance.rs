//! How instances of an HTTP component come, share the requests and go.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;
use wasmtime::component::{GuestTaskId, InstancePre};
use wasmtime::{Engine, Store, StoreContextMut};
use wasmtime_wasi_http::WasiHttpView;
use wasmtime_wasi_http::handler::{
    HandlerState, Instance, Proxy, ShouldAccept, WorkerExpiration, WorkerState, WorkerStatus,
};
use wasmtime_wasi_http::p3::bindings::Service;

use crate::guest::{Guest, Runs};

/// Requests one instance serves at a time, as Spin does.
const CONCURRENT_MAX: usize = 16;
/// Requests one instance serves before it is replaced, as Spin does.
const REQUESTS_MAX: usize = 128;
/// How long an instance without requests is kept, as Spin does.
const IDLE_MS_MAX: u64 = 1_000;
/// How long a request may take. Spin has no limit; here a guest that hangs must give its place back some day.
const REQUEST_MS_MAX: u64 = 120_000;

/// What the handler of one component needs to start instances of it.
pub(crate) struct Instances {
    engine: Engine,
    pre: InstancePre<Guest>,
    runs: Arc<Runs>,
}

impl Instances {
    pub(crate) fn new(engine: Engine, pre: InstancePre<Guest>, runs: Arc<Runs>) -> Self {
        Self { engine, pre, runs }
    }
}

impl HandlerState for Instances {
    type StoreData = Guest;
    type WorkerExpiration = Expiration;
    type WorkerState = Worker;

    async fn instantiate(&self) -> wasmtime::Result<Instance<Guest, Expiration, Worker>> {
        let mut store = Guest::store(&self.engine, &self.runs);
        let instance = self.pre.instantiate_async(&mut store).await?;
        let proxy = Proxy::P3(Service::new(&mut store, &instance)?);
        Ok(Instance {
            store,
            proxy,
            view: |guest| guest.http(),
            expiration: Expiration(Box::pin(tokio::time::sleep(Duration::from_millis(IDLE_MS_MAX)))),
            state: Worker { runs: Arc::clone(&self.runs) },
        })
    }
}

/// Ends an instance that idles, or whose requests all took too long.
pub(crate) struct Expiration(Pin<Box<Sleep>>);

impl WorkerExpiration for Expiration {
    fn poll(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        status: WorkerStatus,
        start: Instant,
    ) -> Poll<()> {
        let limit = match status {
            WorkerStatus::Idle => IDLE_MS_MAX,
            WorkerStatus::Requests | WorkerStatus::PostReturn => REQUEST_MS_MAX,
        };
        let deadline = (start + Duration::from_millis(limit)).into();
        if self.0.deadline() != deadline {
            self.0.as_mut().reset(deadline);
        }
        self.0.as_mut().poll(cx)
    }
}

/// Decides which requests an instance takes.
pub(crate) struct Worker {
    runs: Arc<Runs>,
}

impl WorkerState for Worker {
    type StoreData = Guest;
    type RequestData = ();

    fn should_accept_request(&self, concurrent: usize, total: usize) -> ShouldAccept {
        if total >= REQUESTS_MAX {
            ShouldAccept::Never
        } else if concurrent >= CONCURRENT_MAX {
            ShouldAccept::No
        } else {
            ShouldAccept::Yes
        }
    }

    fn on_request_start(
        &self,
        _: StoreContextMut<'_, Guest>,
        (): (),
        _: GuestTaskId,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        Box::pin(tokio::time::sleep(Duration::from_millis(REQUEST_MS_MAX)))
    }

    fn drop(&self, store: Store<Guest>, result: Result<(), wasmtime::Error>) {
        if let Err(error) = result
            && !self.runs.ending.load(Ordering::Relaxed)
        {
            // The backtrace is of no use without the names that the components are stripped of.
            tracing::error!(component = %self.runs.component, "an instance ended: {}", error.root_cause());
            tracing::debug!("{error:?}");
        }
        drop(store);
    }
}

//! A running stand-in: what is the same whichever partner it stands for.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::control::{self, BODY_BYTES_MAX};
use crate::faults::Turn;
use crate::panel::Panel;
use crate::serve;

/// How long [`StandIn::wait_until`] waits for something that does not happen.
pub const WAIT_SECONDS_MAX: u64 = 60;

/// A partner that can be stood in for.
pub trait Partner: Send + Sync + Sized + 'static {
    /// Its name in errors and in the log.
    const NAME: &'static str;
    /// The path that its callers' addresses end in, without a final slash; empty: they have none.
    const BASE: &'static str = "";
    /// What it can be made to do wrong.
    type Knobs: Turn;
    /// What it counts.
    type Stats: Clone + Debug + Serialize + Send;

    /// One that has seen nothing yet.
    fn new() -> Self;
    /// Its control panel.
    #[expect(private_interfaces, reason = "nothing outside this crate can be a partner")]
    fn panel(&self) -> &Arc<Panel<Self::Knobs>>;
    /// Counts since the start.
    fn stats(&self) -> Self::Stats;
    /// Its paths, beside those that all stand-ins have.
    fn routes() -> Router<Arc<Self>>;
    /// Ends what goes on in the background.
    fn abort(&self) {}
}

/// A running stand-in for another company's system. Dropping it stops it, and it forgets everything.
pub struct StandIn<P: Partner> {
    addr: SocketAddr,
    pub(crate) partner: Arc<P>,
    server: JoinHandle<()>,
}

impl<P: Partner> StandIn<P> {
    /// Starts one on `listen` (port 0: any free port) with no fault switched on.
    ///
    /// Fails when the address cannot be bound.
    pub async fn start(listen: SocketAddr) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(listen)
            .await
            .with_context(|| format!("the sandbox {} cannot listen on {listen}", P::NAME))?;
        let addr =
            listener.local_addr().with_context(|| format!("the sandbox {} has no address", P::NAME))?;
        let partner = Arc::new(P::new());
        let router = P::routes()
            .merge(control::routes())
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .with_state(Arc::clone(&partner));
        let server = tokio::spawn(serve::serve(P::NAME, listener, router));
        Ok(Self { addr, partner, server })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Its base URL as its callers want it, with the path where there is one and without a final slash.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}{}", self.addr, P::BASE)
    }

    /// Scheme, host and port: what `/` and `/sandbox` are below, and what a permission to call it names.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The faults that are switched on.
    #[must_use]
    pub fn knobs(&self) -> P::Knobs {
        self.partner.panel().knobs()
    }

    /// Changes knobs in place. Fails, changing nothing, where a value is out of its range.
    pub fn turn(&self, change: impl FnOnce(&mut P::Knobs)) -> anyhow::Result<()> {
        let mut knobs = self.knobs();
        change(&mut knobs);
        self.set_knobs(knobs)
    }

    /// Replaces all knobs. Fails, changing nothing, where a value is out of its range.
    pub fn set_knobs(&self, knobs: P::Knobs) -> anyhow::Result<()> {
        self.partner.panel().set_knobs(knobs).map_err(anyhow::Error::msg)
    }

    /// Counts since the start.
    #[must_use]
    pub fn stats(&self) -> P::Stats {
        self.partner.stats()
    }

    /// Waits until `enough` holds, looking again whenever something has happened, and never in between.
    ///
    /// Fails after [`WAIT_SECONDS_MAX`].
    pub async fn wait_until(&self, enough: impl Fn(&P::Stats) -> bool) -> anyhow::Result<P::Stats> {
        let mut changed = self.partner.panel().watch();
        let seen = async {
            loop {
                changed.borrow_and_update();
                let stats = self.stats();
                if enough(&stats) || changed.changed().await.is_err() {
                    return stats;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(WAIT_SECONDS_MAX), seen).await.with_context(|| {
            format!("waited {WAIT_SECONDS_MAX} s in vain, the {} saw {:?}", P::NAME, self.stats())
        })
    }

    /// Stops at once: the port is free and nothing more is done when this returns.
    pub async fn stop(mut self) {
        self.partner.abort();
        self.server.abort();
        // An aborted task ends with an error that says just that.
        let _ = (&mut self.server).await;
    }
}

impl<P: Partner> Drop for StandIn<P> {
    fn drop(&mut self) {
        self.partner.abort();
        self.server.abort();
    }
}

//! Starting and stopping: from a manifest to an application that listens, and back.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tokio::runtime::Runtime;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

use crate::application::Application;
use crate::cache::random_hex;
use crate::http::{Drain, Server};
use crate::manifest::Manifest;
use crate::options::Options;
use crate::outbound::Client;
use crate::postgres::Postgres;
use crate::readiness;
use crate::redis::Redis;
use crate::sqlite::{Database, close};
use crate::tick;
use crate::variables::{ORIGINS, origin};

/// How long requests and messages in progress may take to finish when the host stops.
const DRAIN_MS_MAX: u64 = 30_000;
/// The variable that holds the keys for the application's internal paths.
const INTERNAL_KEYS: &str = "internal_keys";
/// The variable that says where the application is reached; unset, it is where the host listens.
const PUBLIC_URL: &str = "public_url";

/// A running application.
///
/// It has threads of its own, so that it can be stopped at once whatever its guests are doing. Dropping it is the
/// same as [`Host::kill`].
pub struct Host {
    address: SocketAddr,
    variables: BTreeMap<String, String>,
    stop: watch::Sender<bool>,
    drain: Drain,
    redis: Redis,
    tick: Option<JoinHandle<()>>,
    application: Option<Arc<Application>>,
    databases: Vec<Arc<Database>>,
    postgres: Postgres,
    runtime: Option<Runtime>,
}

impl Host {
    /// Starts the application. It listens when this returns. The error names everything that is wrong with the
    /// manifest, and what to set.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(options.threads.max(1))
            .thread_name("restock")
            .enable_all()
            .build()
            .context("starting the threads")?;
        // Dropping a runtime blocks, which must not happen on this thread.
        let runtime = Owned(Some(runtime));
        let (done, started) = oneshot::channel();
        let Some(handle) = runtime.0.as_ref().map(Runtime::handle) else { anyhow::bail!("no threads") };
        handle.spawn(async move {
            // Nobody waits when the caller gave up.
            let _ = done.send(start(options).await);
        });
        let started = started.await.context("the start was interrupted")??;
        Ok(Self {
            address: started.address,
            variables: started.variables,
            stop: started.stop,
            drain: started.drain,
            redis: started.redis,
            tick: started.tick,
            application: Some(started.application),
            databases: started.databases,
            postgres: started.postgres,
            runtime: runtime.take(),
        })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.address
    }

    /// The address of the application, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The value of an application variable, such as a generated key.
    pub fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// Stops: no new connections, what is in progress is finished within 30 s, connections to databases are given back,
    /// files are checkpointed and closed.
    /// Fails when a database could not be closed in order; what was answered is safe even then.
    pub async fn stop(mut self) -> anyhow::Result<()> {
        // The receivers are gone when everything has ended already.
        let _ = self.stop.send(true);
        let tick = self.tick.take();
        let drained = async {
            self.drain.wait().await;
            self.redis.wait().await;
            if let Some(tick) = tick {
                // A tick that panicked is over as well.
                let _ = tick.await;
            }
        };
        if tokio::time::timeout(Duration::from_millis(DRAIN_MS_MAX), drained).await.is_err() {
            tracing::warn!("some requests took longer than {DRAIN_MS_MAX} ms and are given up");
        }
        self.postgres.stop().await;
        self.end();
        let databases = std::mem::take(&mut self.databases);
        tokio::task::spawn_blocking(move || close(databases)).await.context("closing the databases")?
    }

    /// Ends everything at once, as a crash would: requests in progress get no answer, statements that wait are not
    /// run. What was answered is in the database.
    pub fn kill(mut self) {
        self.kill_now();
    }

    fn kill_now(&mut self) {
        if let Some(application) = &self.application {
            application.kill_databases();
        }
        self.postgres.kill();
        self.end();
        self.databases.clear();
    }

    fn end(&mut self) {
        if let Some(application) = self.application.take() {
            application.end();
        }
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if self.runtime.is_some() {
            self.kill_now();
        }
    }
}

/// Completes when the host stops, or is gone.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is the same news.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A runtime that is shut down in the background when it is dropped.
struct Owned(Option<Runtime>);

impl Owned {
    fn take(mut self) -> Option<Runtime> {
        self.0.take()
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

struct Started {
    address: SocketAddr,
    variables: BTreeMap<String, String>,
    stop: watch::Sender<bool>,
    drain: Drain,
    redis: Redis,
    tick: Option<JoinHandle<()>>,
    application: Arc<Application>,
    databases: Vec<Arc<Database>>,
    postgres: Postgres,
}

async fn start(mut options: Options) -> anyhow::Result<Started> {
    let manifest = Manifest::load(&options.manifest, options.profile.as_deref())?;
    let (stop, stopped) = watch::channel(false);
    let server = Server::bind(options.listen, stopped.clone()).await?;
    let address = server.address()?;
    let key = internal_key(&manifest, &mut options.variables)?;
    let public = SocketAddr::new(reachable(address.ip()), address.port());
    options.variables.entry(PUBLIC_URL.to_owned()).or_insert_with(|| format!("http://{public}"));
    fill_origins(&manifest, &mut options.variables);
    let values = manifest.resolve(&options.variables)?;
    let client = Client::new();
    let redis = Redis::new(&options.variables)?;
    let postgres = Postgres::default();
    let (application, subscriptions) = {
        let (options, values, client, redis, postgres) =
            (options.clone(), values.clone(), client.clone(), redis.clone(), postgres.clone());
        // Compiling takes seconds.
        tokio::task::spawn_blocking(move || {
            Application::load(&options, &manifest, &values, &client, &redis, &postgres)
        })
        .await
        .context("the start was interrupted")??
    };
    redis.check(&subscriptions)?;
    let drain = server.drain();
    tracing::info!(
        name = application.name,
        version = application.version,
        %address,
        redis = redis.kind(),
        "the application starts"
    );
    readiness::check(&application, &address.to_string()).await?;
    tokio::spawn(server.run(Arc::clone(&application)));
    redis.subscribe(&application, subscriptions, &stopped);
    let tick = options.tick.map(|interval| {
        tokio::spawn(tick::run(Arc::clone(&application), interval, address.to_string(), key, stopped))
    });
    Ok(Started {
        address,
        variables: values,
        stop,
        drain,
        redis,
        tick,
        databases: application.databases(),
        application,
        postgres,
    })
}

/// An address that leads to what listens at `address`.
fn reachable(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(any) if any.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(any) if any.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        address => address,
    }
}

/// The key for internal paths: the first of the given ones, else a new one that is then given to the application.
fn internal_key(manifest: &Manifest, variables: &mut BTreeMap<String, String>) -> anyhow::Result<String> {
    let default = manifest.variables.get(INTERNAL_KEYS).and_then(|variable| variable.default.as_deref());
    let given = variables.get(INTERNAL_KEYS).map(String::as_str).or(default).unwrap_or_default();
    if let Some(key) = given.split_whitespace().next() {
        return Ok(key.to_owned());
    }
    let key = random_hex()?;
    variables.insert(INTERNAL_KEYS.to_owned(), key.clone());
    Ok(key)
}

/// Permits the host of each address that is set, where nobody said what to permit.
pub(crate) fn fill_origins(manifest: &Manifest, variables: &mut BTreeMap<String, String>) {
    for (name, origin_name) in ORIGINS {
        let default = manifest.variables.get(name).and_then(|variable| variable.default.as_ref());
        let address = variables.get(name).or(default).map(|address| address.trim());
        let is_said = variables.get(origin_name).is_some_and(|origin| !origin.trim().is_empty());
        if let Some(origin) = address.and_then(origin).filter(|_| !is_said) {
            variables.insert(origin_name.to_owned(), origin);
        }
    }
}

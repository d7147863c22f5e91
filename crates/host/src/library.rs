//! A component on its own, without an application around it, for whoever calls its exports directly: the tests that hold a
//! store to the promises of its interface.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Engine, Store};

use crate::allow::AllowedHosts;
use crate::application::{imports_sqlite, linker};
use crate::cache::{compiled, source};
use crate::clock::Clock;
use crate::engine::{engine, outside};
use crate::guest::Runs;
use crate::options::default_cache;
use crate::outbound::Client;
use crate::postgres::Postgres;
use crate::redis::Redis;
use crate::sqlite::{Database, close};

pub use crate::guest::Guest;

/// What a component finds around it. The default is nothing at all.
#[derive(Clone, Debug, Default)]
pub struct Surroundings {
    /// The files of its SQLite databases, by the label under which it opens them. One that is not there is created.
    pub databases: BTreeMap<String, PathBuf>,
    /// Its variables.
    pub variables: BTreeMap<String, String>,
    /// Whom it may talk to, as `scheme://host:port`.
    pub allowed_outbound_hosts: Vec<String>,
}

/// A component that is ready to be instantiated. It has the surroundings it was loaded with and the system clock.
pub struct Library {
    engine: Engine,
    pre: InstancePre<Guest>,
    runs: Arc<Runs>,
}

impl Library {
    /// Loads the component in the file `component`. Blocks while it compiles, which happens once for its bytes.
    ///
    /// Fails when the file is not there or not a component, when it imports what this host does not offer, when a database
    /// cannot be opened, and when whom it may talk to is not said in the form of `allowed_outbound_hosts`.
    pub fn load(component: &Path, surroundings: Surroundings) -> anyhow::Result<Self> {
        Self::load_cached(component, &default_cache(), surroundings)
    }

    /// The same, with a place of its own for what was compiled.
    pub(crate) fn load_cached(
        component: &Path,
        cache: &Path,
        surroundings: Surroundings,
    ) -> anyhow::Result<Self> {
        let engine = engine()?;
        let name = component.file_stem().map_or_else(|| "library".into(), |stem| stem.to_string_lossy());
        let compiled = compiled(&engine, cache, &name, &source(component)?)?;
        let pre = linker(&engine)?
            .instantiate_pre(&compiled)
            .map_err(outside)
            .with_context(|| format!("{} imports what this host does not offer", component.display()))?;
        let allowed =
            AllowedHosts::parse(surroundings.allowed_outbound_hosts.iter().map(|host| (host.as_str(), true)))
                .map_err(|faults| anyhow::anyhow!("allowed_outbound_hosts: {}", faults.join("; ")))?;
        let uses_sqlite = imports_sqlite(&engine, &compiled);
        let databases = surroundings
            .databases
            .into_iter()
            .filter(|_| uses_sqlite)
            .map(|(label, file)| Ok((label, Database::open(&file)?)))
            .collect::<anyhow::Result<_>>()?;
        let runs = Arc::new(Runs {
            component: name.into(),
            redis: Redis::new(&surroundings.variables)?,
            variables: surroundings.variables,
            environment: Vec::new(),
            databases,
            allowed: Arc::new(allowed),
            clock: Clock::system(),
            client: Client::new(),
            postgres: Postgres::default(),
            application: Arc::new(OnceLock::new()),
            ending: Arc::default(),
        });
        Ok(Self { engine, pre, runs })
    }

    /// Gives connections back in order and closes files, once its instances are gone.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        self.runs.postgres.stop().await;
        let databases: Vec<_> = self.runs.databases.values().cloned().collect();
        drop(self);
        tokio::task::spawn_blocking(move || close(databases)).await.context("closing the databases")?
    }

    /// A new instance with its store, into which bindings generated from the component's world fit. Instances of one
    /// library share its databases as instances on one host do.
    pub async fn instantiate(&self) -> anyhow::Result<(Store<Guest>, Instance)> {
        let mut store = Guest::store(&self.engine, &self.runs);
        let instance = self.pre.instantiate_async(&mut store).await.map_err(outside)?;
        Ok((store, instance))
    }
}

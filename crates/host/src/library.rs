//! A component on its own, without an application around it, for whoever calls its exports directly: the tests that hold a
//! store to the promises of its interface.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::Context;
use wasmtime::component::{Instance, InstancePre};
use wasmtime::{Engine, Store};

use crate::allow::AllowedHosts;
use crate::application::linker;
use crate::cache::{compiled, source};
use crate::clock::Clock;
use crate::engine::{engine, outside};
use crate::guest::Runs;
use crate::options::default_cache;
use crate::outbound::Client;
use crate::redis::Redis;
use crate::sqlite::Database;

pub use crate::guest::Guest;

/// A component that is ready to be instantiated. It has the databases it was loaded with and the system clock, no variables,
/// and nobody it may talk to.
pub struct Library {
    engine: Engine,
    pre: InstancePre<Guest>,
    runs: Arc<Runs>,
}

impl Library {
    /// Loads the component in the file `component` with these databases, by the label under which it opens them. A database
    /// that is not there is created. Blocks while the component compiles, which happens once for its bytes.
    ///
    /// Fails when the file is not there or not a component, when it imports what this host does not offer, and when a
    /// database cannot be opened.
    pub fn load(component: &Path, databases: &BTreeMap<String, PathBuf>) -> anyhow::Result<Self> {
        let engine = engine()?;
        let name = component.file_stem().map_or_else(|| "library".into(), |stem| stem.to_string_lossy());
        let compiled = compiled(&engine, &default_cache(), &name, &source(component)?)?;
        let pre = linker(&engine)?
            .instantiate_pre(&compiled)
            .map_err(outside)
            .with_context(|| format!("{} imports what this host does not offer", component.display()))?;
        let databases = databases
            .iter()
            .map(|(label, file)| Ok((label.clone(), Database::open(file)?)))
            .collect::<anyhow::Result<_>>()?;
        let runs = Arc::new(Runs {
            component: name.into(),
            variables: BTreeMap::new(),
            environment: Vec::new(),
            databases,
            allowed: Arc::new(AllowedHosts::default()),
            clock: Clock::system(),
            client: Client::new(),
            redis: Redis::new(&BTreeMap::new())?,
            application: Arc::new(OnceLock::new()),
            ending: Arc::default(),
        });
        Ok(Self { engine, pre, runs })
    }

    /// A new instance with its store, into which bindings generated from the component's world fit. Instances of one
    /// library share its databases as instances on one host do.
    pub async fn instantiate(&self) -> anyhow::Result<(Store<Guest>, Instance)> {
        let mut store = Guest::store(&self.engine, &self.runs);
        let instance = self.pre.instantiate_async(&mut store).await.map_err(outside)?;
        Ok((store, instance))
    }
}

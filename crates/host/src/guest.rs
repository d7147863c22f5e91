//! What one guest instance holds on the host's side, and what its component may do.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, OnceLock, Weak};

use wasmtime::component::{Accessor, HasData, ResourceTable};
use wasmtime::{Engine, ResourceLimiter, Store};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{WasiHttpCtx, WasiHttpCtxView, WasiHttpView};

use crate::allow::AllowedHosts;
use crate::application::Application;
use crate::bindings::imports::spin::variables::variables;
use crate::clock::Clock;
use crate::engine::INSTANCE_BYTES_MAX;
use crate::logging::Output;
use crate::outbound::{Client, Outbound};
use crate::postgres::{Postgres, Use};
use crate::redis::Redis;
use crate::sqlite::Database;
use crate::variables::check_name;

/// Table elements one guest instance may have.
const TABLE_ELEMENTS_MAX: usize = 100_000;

/// What a component may do: the same for all of its instances.
pub(crate) struct Runs {
    pub(crate) component: Arc<str>,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) environment: Vec<(String, String)>,
    pub(crate) databases: BTreeMap<String, Arc<Database>>,
    pub(crate) allowed: Arc<AllowedHosts>,
    pub(crate) clock: Clock,
    pub(crate) client: Client,
    pub(crate) redis: Redis,
    pub(crate) postgres: Postgres,
    /// The application around it, for calls to itself; set once it is complete.
    pub(crate) application: Arc<OnceLock<Weak<Application>>>,
    /// Instances are being given up because the host ends.
    pub(crate) ending: Arc<AtomicBool>,
}

/// The host's side of one guest instance.
pub struct Guest {
    pub(crate) runs: Arc<Runs>,
    pub(crate) table: ResourceTable,
    /// SQLite connections that are open.
    pub(crate) connections: usize,
    pub(crate) redis: crate::redis::Use,
    pub(crate) postgres: Use,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    outbound: Outbound,
    memory: Memory,
}

/// Gives the generated interfaces access to a [`Guest`].
pub(crate) struct Me;

impl HasData for Me {
    type Data<'a> = &'a mut Guest;
}

impl Guest {
    /// A store for one new instance: no files, no sockets, no arguments, the environment the manifest gives.
    pub(crate) fn store(engine: &Engine, runs: &Arc<Runs>) -> Store<Self> {
        let wasi = WasiCtx::builder()
            .envs(&runs.environment)
            .stdout(Output::new(&runs.component, "stdout"))
            .stderr(Output::new(&runs.component, "stderr"))
            .wall_clock(runs.clock.clone())
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .build();
        let guest = Self {
            runs: Arc::clone(runs),
            table: ResourceTable::new(),
            connections: 0,
            redis: crate::redis::Use::default(),
            postgres: Use::default(),
            wasi,
            http: WasiHttpCtx::new(),
            outbound: Outbound::new(runs),
            memory: Memory::default(),
        };
        let mut store = Store::new(engine, guest);
        store.limiter(|guest| &mut guest.memory);
        store.set_epoch_deadline(1);
        store.epoch_deadline_async_yield_and_update(1);
        store
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Guest {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { ctx: &mut self.http, table: &mut self.table, hooks: &mut self.outbound }
    }
}

impl variables::Host for Guest {}

impl<T: Send> variables::HostWithStore<T> for Me {
    async fn get(
        accessor: &Accessor<T, Self>,
        name: String,
    ) -> wasmtime::Result<Result<String, variables::Error>> {
        if let Err(fault) = check_name(&name) {
            return Ok(Err(variables::Error::InvalidName(fault)));
        }
        let runs = accessor.with(|mut access| Arc::clone(&access.get().runs));
        Ok(runs.variables.get(&name).cloned().ok_or_else(|| {
            variables::Error::Undefined(format!("component {:?} has no variable {name:?}", runs.component))
        }))
    }
}

/// The memory of an instance: all of its linear memories together.
#[derive(Default)]
struct Memory {
    bytes: usize,
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        let bytes = self.bytes.saturating_add(desired.saturating_sub(current));
        let allowed = bytes <= INSTANCE_BYTES_MAX;
        if allowed {
            self.bytes = bytes;
        }
        Ok(allowed)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= TABLE_ELEMENTS_MAX)
    }
}

//! The WebAssembly engine: one for the process, with room set aside for a known number of instances.

use std::sync::OnceLock;
use std::time::Duration;

use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

/// Component instances alive at one time, of all components and hosts of the process.
pub(crate) const INSTANCES_MAX: u32 = 2_048;
/// Core modules, memories and tables one instance may consist of, as an average over all instances.
const PARTS_PER_INSTANCE: u32 = 4;
/// Tasks of guests that may be suspended at one time, as an average over all instances.
const STACKS_PER_INSTANCE: u32 = 4;
/// The memory one guest instance may use.
pub(crate) const INSTANCE_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Memory a slot keeps between two instances instead of giving it back to the system.
const KEEP_BYTES: usize = 256 * 1024;
/// How often a guest that computes without pause lets others run.
const YIELD_MS: u64 = 10;

/// The engine of this process.
///
/// Hosts share it: the room it sets aside is address space, of which several engines would take too much, and code
/// compiled for it serves them all.
pub(crate) fn engine() -> anyhow::Result<Engine> {
    static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
    match ENGINE.get_or_init(|| start().map_err(|error| format!("{error:#}"))) {
        Ok(engine) => Ok(engine.clone()),
        Err(error) => Err(anyhow::anyhow!("the WebAssembly engine cannot start: {error}")),
    }
}

/// The engine's own error type as the one that carries context here.
pub(crate) fn outside(error: wasmtime::Error) -> anyhow::Error {
    anyhow::Error::from_boxed(error.into_boxed_dyn_error())
}

fn start() -> anyhow::Result<Engine> {
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(INSTANCES_MAX)
        .total_core_instances(INSTANCES_MAX * PARTS_PER_INSTANCE * 2)
        .total_memories(INSTANCES_MAX * PARTS_PER_INSTANCE)
        .total_tables(INSTANCES_MAX * PARTS_PER_INSTANCE * 2)
        .total_stacks(INSTANCES_MAX * STACKS_PER_INSTANCE)
        .max_component_instance_size(4 * 1024 * 1024)
        .max_core_instance_size(1024 * 1024)
        .max_memory_size(INSTANCE_BYTES_MAX)
        .linear_memory_keep_resident(KEEP_BYTES)
        .table_keep_resident(KEEP_BYTES / 16)
        .async_stack_keep_resident(KEEP_BYTES / 16);
    let mut config = Config::new();
    config
        .wasm_component_model_async(true)
        .epoch_interruption(true)
        .allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    let engine = Engine::new(&config).map_err(outside)?;
    let weak = engine.weak();
    std::thread::Builder::new().name("epochs".to_owned()).spawn(move || {
        while let Some(engine) = weak.upgrade() {
            engine.increment_epoch();
            drop(engine);
            std::thread::sleep(Duration::from_millis(YIELD_MS));
        }
    })?;
    Ok(engine)
}

//! Compiled components on disk, so that only the first start after a build compiles.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::engine::outside;

/// Bytes of a SHA-256 digest.
const DIGEST_BYTES: usize = 32;

/// The compiled form of `bytes`: from this process, from `folder`, or compiled now and put there.
///
/// A folder that cannot be read or written only costs time.
pub(crate) fn compiled(
    engine: &Engine,
    folder: &Path,
    name: &str,
    bytes: &[u8],
) -> anyhow::Result<Component> {
    static LOADED: Mutex<Option<HashMap<String, Component>>> = Mutex::new(None);
    let key = key(engine, bytes);
    // Held while compiling: hosts that start side by side want the same components.
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    let loaded = loaded.get_or_insert_default();
    if let Some(component) = loaded.get(&key) {
        return Ok(component.clone());
    }
    let path = folder.join(format!("{key}.cwasm"));
    let component = match load(engine, &path) {
        Some(component) => component,
        None => {
            tracing::info!(component = name, "compiling");
            let component = Component::new(engine, bytes)
                .map_err(outside)
                .with_context(|| format!("compiling {name}"))?;
            if let Err(error) = store(&component, &path) {
                tracing::warn!(
                    component = name,
                    "the compiled component is not kept for the next start: {error:#}"
                );
            }
            component
        }
    };
    loaded.insert(key, component.clone());
    Ok(component)
}

/// Names the compiled form: the component's bytes, and everything of the engine that compiled code depends on.
fn key(engine: &Engine, bytes: &[u8]) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    format!("{}-{:016x}", hex(&Sha256::digest(bytes)), hasher.finish())
}

/// Reads a file written by [`store`]. `None` when there is none or it is not whole.
fn load(engine: &Engine, path: &Path) -> Option<Component> {
    let file = std::fs::read(path).ok()?;
    let (digest, code) = file.split_at_checked(DIGEST_BYTES)?;
    if Sha256::digest(code).as_slice() != digest {
        tracing::warn!(path = %path.display(), "a compiled component is damaged and is compiled again");
        return None;
    }
    // SAFETY: deserialising is sound for bytes that `Component::serialize` wrote. The file's name carries the digest of
    // the component and the engine's compatibility hash, it is written whole or not at all, and its content was just
    // checked against the digest stored with it, so these are those bytes unless someone who may already write as this
    // user (to the cache as to this program) forged them.
    unsafe { Component::deserialize(engine, code) }
        .inspect_err(
            |error| tracing::warn!(path = %path.display(), "a compiled component is not usable: {error:#}"),
        )
        .ok()
}

/// Writes the compiled form with its digest, under another name first: a reader sees all of it or nothing.
fn store(component: &Component, path: &Path) -> anyhow::Result<()> {
    let code = component.serialize().map_err(outside)?;
    let folder = path.parent().context("the cache has no folder")?;
    std::fs::create_dir_all(folder)?;
    let temporary = folder.join(format!(".{}-{}", std::process::id(), random_hex()?));
    let mut file = Sha256::digest(&code).to_vec();
    file.extend_from_slice(&code);
    std::fs::write(&temporary, file)?;
    std::fs::rename(&temporary, path).inspect_err(|_| {
        // The reason that counts is the rename's.
        let _ = std::fs::remove_file(&temporary);
    })?;
    Ok(())
}

/// Sixteen random bytes in hexadecimal digits.
pub(crate) fn random_hex() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 16];
    getrandom::fill(&mut bytes).map_err(|error| anyhow::anyhow!("no random numbers: {error}"))?;
    Ok(hex(&bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// The bytes of a component file, or the way to make it.
pub(crate) fn source(path: &Path) -> anyhow::Result<Arc<[u8]>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(bytes.into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            anyhow::bail!("{} is not there: run `cargo xtask build`", path.display())
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_file_is_not_loaded_and_a_whole_one_is() {
        let engine = crate::engine::engine().unwrap();
        let folder = std::env::temp_dir().join(format!("restock-cache-{}", random_hex().unwrap()));
        // The shortest component there is: its magic number and version.
        let component = Component::new(&engine, b"\0asm\x0d\0\x01\0").unwrap();
        let path = folder.join("a.cwasm");
        store(&component, &path).unwrap();
        assert!(load(&engine, &path).is_some());
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        assert!(load(&engine, &path).is_none());
        std::fs::remove_dir_all(folder).unwrap();
    }
}

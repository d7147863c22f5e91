//! Building: the components for WebAssembly, the host for this machine.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};

use crate::step::{Step, cargo, is_there, root, target};

/// What the components are compiled for. It must be the target of the paths in spin.toml.
pub(crate) const WASM_TARGET: &str = "wasm32-wasip2";
/// The profile they are compiled with, likewise.
pub(crate) const WASM_PROFILE: &str = "component";

/// The packages under components/; each is named like its folder.
pub(crate) fn component_names() -> Result<Vec<String>> {
    let folder = root().join("components");
    let mut names = Vec::new();
    for entry in folder.read_dir().with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        if entry.path().join("Cargo.toml").is_file() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    Ok(names)
}

/// `--package NAME` for every component.
pub(crate) fn chosen_components() -> Result<Vec<String>> {
    Ok(component_names()?.into_iter().flat_map(|name| ["--package".to_owned(), name]).collect())
}

/// Builds every component into target/wasm32-wasip2/component.
pub(crate) fn components() -> Result<()> {
    wasm_target()?;
    cargo("build")
        .args(["--profile", WASM_PROFILE, "--target", WASM_TARGET])
        .args(chosen_components()?)
        .or("a component does not compile: see the compiler's message above")
}

/// Builds target/release/restock.
pub(crate) fn host() -> Result<()> {
    native("restock").or("the host does not compile: see the compiler's message above; \
         if a linker or `cc` is missing, install a C compiler (Debian: apt install build-essential)")
}

/// Builds a native program of the workspace.
///
/// With `--workspace` and not with `--package`, as tests and lints do it: cargo unites the features of what is chosen, and another
/// choice would build wasmtime a second time.
pub(crate) fn native(binary: &str) -> Step {
    cargo("build").args(["--release", "--workspace", "--bin", binary])
}

/// Whether there is the test runner that gives each test a process of its own.
pub(crate) fn has_nextest() -> bool {
    is_there("cargo", &["nextest", "--version"])
}

/// Runs one test that others leave out, and shows what it prints.
pub(crate) fn ignored_test(name: &str) -> Step {
    if has_nextest() {
        cargo("nextest")
            .args(["run", "--release", "--workspace", "--run-ignored", "only", "--no-capture"])
            .args(["--filterset", &format!("test(={name})")])
    } else {
        cargo("test").args(["--release", "--workspace", "--lib", "--", "--ignored", "--exact", name])
    }
}

/// Where a native program is left.
pub(crate) fn program(binary: &str) -> Step {
    Step::new(target().join("release").join(format!("{binary}{}", std::env::consts::EXE_SUFFIX)))
}

/// Sees to it that the compiler can make WebAssembly.
///
/// The toolchain file names the target too, but rustup reads that only when it installs the toolchain.
pub(crate) fn wasm_target() -> Result<()> {
    let sysroot = Step::new("rustc").args(["--print", "sysroot"]).output()?;
    if PathBuf::from(sysroot.trim()).join("lib/rustlib").join(WASM_TARGET).join("lib").is_dir() {
        return Ok(());
    }
    if !is_there("rustup", &["--version"]) {
        bail!(
            "this Rust has no target {WASM_TARGET} and there is no rustup to add it: see https://rustup.rs"
        );
    }
    Step::new("rustup")
        .args(["target", "add", WASM_TARGET])
        .or("the target could not be installed: is the network reachable?")
}

//! Writes the `bindgen!` call for the Spin interfaces from the WIT that the spin-sdk package ships.
//!
//! The macro takes a literal path or literal text only, and the place of a downloaded package is known to cargo alone.
//! So the WIT is found through `cargo metadata`, put into one literal and included from `OUT_DIR`: the host can never
//! speak another version of an interface than the components were built against.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The interfaces the host implements, as files below `wit/deps` of spin-sdk.
const INTERFACES: [&str; 4] = [
    "spin-sqlite@3.1.0/sqlite.wit",
    "spin-postgres@4.2.0/postgres.wit",
    "spin-redis@3.0.0/redis.wit",
    "spin-variables@3.0.0/variables.wit",
];

const WORLDS: &str = "package restock:host;
world imports {
  import spin:sqlite/sqlite@3.1.0;
  import spin:postgres/postgres@4.2.0;
  import spin:redis/redis@3.0.0;
  import spin:variables/variables@3.0.0;
}
world subscriber {
  export spin:redis/inbound-redis@3.0.0;
}
";

fn main() -> anyhow::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=../../Cargo.lock");
    let deps = spin_sdk()?.join("wit").join("deps");
    let mut wit = WORLDS.to_owned();
    for interface in INTERFACES {
        let path = deps.join(interface);
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        wit.push_str(&nested(&text).with_context(|| format!("in {}", path.display()))?);
    }
    let code = format!(
        "/// What guests may import from the host.
pub(crate) mod imports {{
    wasmtime::component::bindgen!({{
        inline: r###\"{wit}\"###,
        world: \"imports\",
        imports: {{ default: async | trappable }},
        with: {{
            \"spin:sqlite/sqlite.connection\": crate::sqlite::Session,
            \"spin:postgres/postgres.connection\": crate::postgres::Session,
            \"spin:postgres/postgres.connection-builder\": crate::postgres::Builder,
            \"spin:redis/redis.connection\": crate::redis::Link,
        }},
    }});
}}
/// What a component with a Redis trigger exports.
pub(crate) mod subscriber {{
    wasmtime::component::bindgen!({{
        inline: r###\"{wit}\"###,
        world: \"subscriber\",
        exports: {{ default: async }},
    }});
}}
"
    );
    let out = PathBuf::from(std::env::var_os("OUT_DIR").context("OUT_DIR is not set")?);
    std::fs::write(out.join("bindings.rs"), code)?;
    Ok(())
}

/// The folder of the spin-sdk package that the workspace resolved to.
fn spin_sdk() -> anyhow::Result<PathBuf> {
    let manifest =
        Path::new(&std::env::var_os("CARGO_MANIFEST_DIR").context("CARGO_MANIFEST_DIR is not set")?)
            .join("Cargo.toml");
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--manifest-path"])
        .arg(manifest)
        .output()
        .context("running cargo metadata")?;
    if !output.status.success() {
        bail!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let path = metadata
        .get("packages")
        .and_then(serde_json::Value::as_array)
        .into_iter()
        .flatten()
        .find(|package| package.get("name").is_some_and(|name| name == "spin-sdk"))
        .and_then(|package| package.get("manifest_path"))
        .and_then(serde_json::Value::as_str)
        .context("the workspace does not depend on spin-sdk")?;
    Path::new(path).parent().map(Path::to_path_buf).context("spin-sdk has no folder")
}

/// `package a:b@c; …` as `package a:b@c { … }`, the form in which several packages may stand in one text.
fn nested(text: &str) -> anyhow::Result<String> {
    let start = text.find("package ").context("no package declaration")?;
    let rest = text.get(start..).context("no package declaration")?;
    let (declaration, body) = rest.split_once(';').context("the package declaration has no end")?;
    Ok(format!("{declaration} {{\n{body}\n}}\n"))
}

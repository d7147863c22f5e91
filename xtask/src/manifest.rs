//! `cargo xtask manifest`: spin.toml for one part of the application, or for a cloud that can do less.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use restock_manifest::Options;

use crate::step::root;

#[derive(clap::Args)]
pub(crate) struct Manifest {
    /// Leave the Redis triggers out: bells ring over HTTP
    #[arg(long)]
    http_only: bool,
    /// Resolve a profile into plain dependencies
    #[arg(long)]
    profile: Option<String>,
    /// Keep a part: `web`, `workers`, or the id of a component (may be given several times)
    #[arg(long = "role")]
    roles: Vec<String>,
    /// Write there, with sources relative to that folder; without it to the standard output, relative to spin.toml
    #[arg(long)]
    output: Option<PathBuf>,
}

/// Writes the manifest.
pub(crate) fn manifest(ask: Manifest) -> Result<()> {
    let path = root().join("spin.toml");
    let spin_toml = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let sources = match &ask.output {
        Some(file) => way_to_root(file)?,
        None => String::new(),
    };
    let options = Options { http_only: ask.http_only, profile: ask.profile, roles: ask.roles, sources };
    let text = restock_manifest::write(&spin_toml, &options)?;
    match &ask.output {
        Some(file) => {
            fs::write(file, text).with_context(|| format!("cannot write {}", file.display()))?;
            eprintln!("==> wrote {}", file.display());
            Ok(())
        }
        None => std::io::stdout().write_all(text.as_bytes()).context("cannot write to the standard output"),
    }
}

/// The way from the folder of `file` to the root of the workspace: `../` for each folder below it, absolute from elsewhere.
fn way_to_root(file: &Path) -> Result<String> {
    let folder = std::path::absolute(file)?;
    let folder = folder.parent().context("the output needs a folder")?;
    let folder = folder.canonicalize().with_context(|| format!("there is no folder {}", folder.display()))?;
    let root = root().canonicalize()?;
    Ok(match folder.strip_prefix(&root) {
        Ok(below) => "../".repeat(below.components().count()),
        Err(_) => format!("{}/", root.display()),
    })
}

//! Flattened manifests: spin.toml with one profile applied and only what one place to run needs.
//!
//! spin.toml stays the only description of the application. What runs elsewhere is derived from it, so that a new workflow or a
//! new permission reaches every cloud without being written a second time. The comments of spin.toml come along: a
//! permission without its reason is not reviewed by anybody.

mod edit;
mod select;

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use toml_edit::DocumentMut;

/// The profile whose store is a server, not a file.
const PROFILE_POSTGRES: &str = "postgres";
/// Variables that only mean something where a Redis rings.
const OF_REDIS: [&str; 2] = ["redis_url", "redis_origin"];
/// Variables that only mean something with [`PROFILE_POSTGRES`].
const OF_POSTGRES: [&str; 4] = ["postgres_url", "postgres_origin", "customers_url", "customers_origin"];

/// What to write.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Leaves out the Redis triggers and all that only they need. Every queue is still reached by its drain over HTTP, and
    /// bells ring there.
    pub http_only: bool,
    /// The profile to resolve into plain dependencies; none: what stands outside of profiles.
    pub profile: Option<String>,
    /// The part to keep: `web`, `workers`, or the id of a component; several are united. Empty: everything.
    pub roles: Vec<String>,
    /// What is put before each component's file, with its last `/`: the way from the folder of the new manifest to that of spin.toml.
    pub sources: String,
}

/// Writes the manifest that `options` ask for from the text of spin.toml. The same input gives the same bytes.
///
/// # Errors
///
/// Text that is not a manifest; a profile or role that it does not have; a component that nothing could reach. The words
/// name the fault and what there is instead.
pub fn write(spin_toml: &str, options: &Options) -> Result<String> {
    let mut document: DocumentMut = spin_toml.parse().context("spin.toml is not valid TOML")?;
    let version = document.get("spin_manifest_version").and_then(toml_edit::Item::as_integer);
    if version != Some(2) {
        bail!("spin.toml must be a manifest of version 2");
    }
    let chosen = select::choose(&document, &options.roles)?;
    edit::resolve_profile(&mut document, options.profile.as_deref())?;
    let mut gone = BTreeSet::new();
    if options.http_only {
        select::drop_redis(&mut document, &chosen)?;
        gone.extend(OF_REDIS);
    }
    if options.profile.as_deref() == Some(PROFILE_POSTGRES) {
        edit::drop_sqlite(&mut document);
    } else {
        gone.extend(OF_POSTGRES);
    }
    select::keep(&mut document, &chosen)?;
    edit::forget_variables(&mut document, &gone)?;
    edit::move_sources(&mut document, &options.sources)?;
    edit::drop_unused_variables(&mut document);
    Ok(format!("{}{}", head(options), body(&document)))
}

/// Says what the manifest is and how it came to be, in the place of spin.toml's own words.
fn head(options: &Options) -> String {
    let mut command = "cargo xtask manifest".to_owned();
    if options.http_only {
        command.push_str(" --http-only");
    }
    if let Some(profile) = &options.profile {
        command.push_str(&format!(" --profile {profile}"));
    }
    for role in &options.roles {
        command.push_str(&format!(" --role {role}"));
    }
    let mut lines = vec![
        format!("Written by `{command}` from spin.toml: change that and write this again."),
        String::new(),
        "docs/operating.md explains the variables; those that mean nothing here are left out.".to_owned(),
    ];
    if options.http_only {
        lines.push("There is no Redis trigger: bells ring over HTTP, so `public_url` must lead POST /internal/<queue>/drain to the".into());
        lines.push(
            "queue's component, and `internal_keys` must be set. What a bell missed is found by the tick."
                .into(),
        );
    }
    lines.push(match options.profile.as_deref() {
        Some(PROFILE_POSTGRES) => {
            "The store is Postgres: `postgres_url`, its `postgres_origin`, and the same of `customers`. No database has to be given to Spin.".into()
        }
        Some(profile) => format!("The profile {profile} is resolved: `--profile` has nothing left to do."),
        None => "The store is SQLite: every instance must see the same files, so this is for one machine.".into(),
    });
    if !options.roles.is_empty() {
        lines.push("It is a part of the application. The other parts must run on the same store, with the same variables.".into());
    }
    lines.push(
        "Something outside calls POST /internal/tick of the component `clock`, once a minute or more often."
            .into(),
    );
    lines.iter().map(|line| format!("# {line}").trim_end().to_owned() + "\n").collect()
}

/// The document without the comment that it opened with.
fn body(document: &DocumentMut) -> String {
    let text = document.to_string();
    let start = text
        .split_inclusive('\n')
        .take_while(|line| line.starts_with('#') || line.trim().is_empty())
        .map(str::len)
        .sum::<usize>();
    format!("\n{}", text.get(start..).unwrap_or_default())
}

#[cfg(test)]
mod tests;

//! `restock migrate`: brings the databases to the schema that the application's store knows, without starting the application.
//!
//! It is the store itself that does it, as at its first use, so there is one way in which a schema comes about.

use std::collections::BTreeMap;

use anyhow::{Context, bail};

use crate::cache::random_hex;
use crate::engine::outside;
use crate::host::fill_origins;
use crate::library::{Library, Surroundings};
use crate::manifest::Manifest;
use crate::options::Options;
use bindings::exports::restock::domain::types::Fault;

/// The component that may reach both databases.
const COMPONENT: &str = "console";
/// What its store serves.
const DOMAIN: &str = "restock:domain";
/// The variable with the address of the customers' database, where the store is on Postgres.
const CUSTOMERS_URL: &str = "customers_url";
/// The engine that needs it, as the store calls it.
const POSTGRES: &str = "postgres";
/// A variable that has no default and plays no part here.
const CALLBACK_SECRET: &str = "callback_secret";

mod bindings {
    #![allow(missing_docs, reason = "generated from WIT, which carries the documentation")]
    #![allow(
        clippy::indexing_slicing,
        clippy::panic,
        clippy::todo,
        clippy::unimplemented,
        clippy::unwrap_used,
        clippy::expect_used,
        unreachable_pub,
        reason = "generated code"
    )]

    wasmtime::component::bindgen!({
        inline: "
            package restock:migration;
            world databases {
              export restock:domain/types@0.1.0;
              export restock:domain/ops@0.1.0;
              export restock:domain/customers@0.1.0;
            }
        ",
        path: "../../wit",
        world: "restock:migration/databases",
        exports: { default: async },
    });
}

/// Applies the migrations that are missing, to the shop's database and to that of its customers. Returns what was found
/// afterwards, in words, a line for each.
///
/// # Errors
/// The manifest cannot be run, or a database cannot be brought to its schema; both are tried in any case, and the error has all that
/// went wrong.
pub async fn migrate(mut options: Options) -> anyhow::Result<Vec<String>> {
    let manifest = Manifest::load(&options.manifest, options.profile.as_deref())?;
    if !options.variables.contains_key(CALLBACK_SECRET) {
        options.variables.insert(CALLBACK_SECRET.to_owned(), random_hex()?);
    }
    fill_origins(&manifest, &mut options.variables);
    let values = manifest.resolve(&options.variables)?;
    let component = manifest
        .components
        .get(COMPONENT)
        .with_context(|| format!("the manifest has no component `{COMPONENT}`, whose databases these are"))?;
    let store = component
        .dependencies
        .iter()
        .find(|dependency| dependency.name.starts_with(DOMAIN))
        .with_context(|| format!("component `{COMPONENT}` has no dependency {DOMAIN}"))?;
    let fill = |template: &crate::variables::Template| template.fill(&values).map_err(anyhow::Error::msg);
    let variables: BTreeMap<String, String> = component
        .variables
        .iter()
        .map(|(name, template)| Ok((name.clone(), fill(template)?)))
        .collect::<anyhow::Result<_>>()?;
    let folder =
        std::path::absolute(options.data.join("sqlite")).context("the data folder has no absolute path")?;
    let databases = component.sqlite_databases.iter();
    let surroundings = Surroundings {
        databases: databases.map(|label| (label.clone(), folder.join(format!("{label}.db")))).collect(),
        allowed_outbound_hosts: component
            .allowed_outbound_hosts
            .iter()
            .map(fill)
            .collect::<anyhow::Result<_>>()?,
        variables,
    };
    let has_customers = surroundings.variables.get(CUSTOMERS_URL).is_some_and(|url| !url.trim().is_empty());
    let (file, cache) = (store.source.clone(), options.cache.clone());
    // Compiling takes seconds.
    let library = tokio::task::spawn_blocking(move || Library::load_cached(&file, &cache, surroundings))
        .await
        .context("loading the store was interrupted")??;
    let migrated = run(&library, has_customers).await;
    let closed = library.close().await;
    let migrated = migrated?;
    closed?;
    Ok(migrated)
}

async fn run(library: &Library, has_customers: bool) -> anyhow::Result<Vec<String>> {
    let (mut lines, mut faults) = (Vec::new(), Vec::new());
    let (mut store, instance) = library.instantiate().await?;
    let exports = bindings::Databases::new(&mut store, &instance).map_err(outside)?;
    let ready = store
        .run_concurrent(async |accessor| exports.restock_domain_ops().call_ready(accessor).await)
        .await
        .flatten()
        .map_err(outside)
        .context("the store broke off")?;
    let on_postgres = match ready {
        Ok(ready) => {
            lines.push(format!("shop: schema version {} on {}", ready.schema_version, ready.engine));
            ready.engine == POSTGRES
        }
        Err(fault) => {
            faults.push(format!("shop: {}", words(fault)));
            // Then it is for the store to say what is missing.
            false
        }
    };
    if on_postgres && !has_customers {
        lines.push(format!("customers: {CUSTOMERS_URL} is not set, so there is no such database"));
    } else {
        // Whatever opens this database brings it up to date.
        let look = store
            .run_concurrent(async |accessor| {
                exports.restock_domain_customers().call_get(accessor, String::new()).await
            })
            .await
            .flatten()
            .map_err(outside)
            .context("the store broke off")?;
        match look {
            Ok(_) => lines.push("customers: the schema that this program knows".to_owned()),
            Err(fault) => faults.push(format!("customers: {}", words(fault))),
        }
    }
    if !faults.is_empty() {
        bail!("not every database could be brought to its schema:\n  - {}", faults.join("\n  - "));
    }
    Ok(lines)
}

fn words(fault: Fault) -> String {
    match fault {
        Fault::Unavailable(text) | Fault::Corrupt(text) => text,
    }
}

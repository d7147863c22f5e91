//! Which components and triggers a manifest keeps.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};
use toml_edit::{ArrayOfTables, DocumentMut, Table};

use crate::edit;

/// The role of every component that only HTTP reaches, except for the tick.
const WEB: &str = "web";
/// The role of every component with a queue.
const WORKERS: &str = "workers";
/// Where the component of the tick is bound. It is nobody's customer, so it is not part of [`WEB`].
const TICK: &str = "/internal/tick";

/// The components that a choice of roles means.
///
/// What a role is follows from the triggers, so that a new workflow belongs to one without being named anywhere.
pub(crate) fn choose(document: &DocumentMut, roles: &[String]) -> Result<BTreeSet<String>> {
    let over_http = bound(document, "http")?;
    let workers = bound(document, "redis")?;
    let ticking = bound_where(document, "http", |trigger| route(trigger) == Some(TICK))?;
    let all: BTreeSet<String> = over_http.union(&workers).cloned().collect();
    ensure!(!all.is_empty(), "spin.toml has no triggers: nothing would ever run");
    if roles.is_empty() {
        return Ok(all);
    }
    let mut chosen = BTreeSet::new();
    for role in roles {
        match role.as_str() {
            WEB => chosen
                .extend(all.iter().filter(|id| !workers.contains(*id) && !ticking.contains(*id)).cloned()),
            WORKERS => chosen.extend(workers.iter().cloned()),
            id if all.contains(id) => {
                chosen.insert(id.to_owned());
            }
            other => bail!("there is no role {other:?}: name {WEB}, {WORKERS}, or one of {}", listed(&all)),
        }
    }
    Ok(chosen)
}

/// Takes the Redis triggers out. Every chosen component must still be reached.
pub(crate) fn drop_redis(document: &mut DocumentMut, chosen: &BTreeSet<String>) -> Result<()> {
    let over_http = bound(document, "http")?;
    let unreachable: BTreeSet<String> = chosen.difference(&over_http).cloned().collect();
    ensure!(
        unreachable.is_empty(),
        "nothing could reach {} without Redis: give each an HTTP trigger in spin.toml",
        listed(&unreachable)
    );
    if let Some(triggers) = document.get_mut("trigger").and_then(toml_edit::Item::as_table_like_mut) {
        triggers.remove("redis");
    }
    edit::drop_redis_settings(document);
    Ok(())
}

/// Takes out every trigger and component that is not chosen and not composed into one that is.
pub(crate) fn keep(document: &mut DocumentMut, chosen: &BTreeSet<String>) -> Result<()> {
    for kind in ["http", "redis"] {
        if let Some(triggers) = triggers_mut(document, kind) {
            triggers.retain(|trigger| component(trigger).is_some_and(|id| chosen.contains(id)));
        }
    }
    let triggers = document.get_mut("trigger").and_then(toml_edit::Item::as_table_like_mut);
    if let Some(triggers) = triggers
        && triggers
            .get("redis")
            .and_then(toml_edit::Item::as_array_of_tables)
            .is_some_and(ArrayOfTables::is_empty)
    {
        triggers.remove("redis");
        edit::drop_redis_settings(document);
    }
    let components = document.get("component").and_then(toml_edit::Item::as_table_like);
    let components = components.context("spin.toml has no components")?;
    let mut needed = BTreeSet::new();
    let mut waiting: Vec<String> = chosen.iter().cloned().collect();
    while let Some(id) = waiting.pop() {
        let item =
            components.get(&id).with_context(|| format!("component {id:?} does not exist in spin.toml"))?;
        if !needed.insert(id) {
            continue;
        }
        let dependencies = item.as_table_like().and_then(|component| component.get("dependencies"));
        for (_, dependency) in
            dependencies.and_then(toml_edit::Item::as_table_like).iter().flat_map(|all| all.iter())
        {
            let composed = dependency.as_table_like().and_then(|table| table.get("component"));
            waiting.extend(composed.and_then(toml_edit::Item::as_str).map(str::to_owned));
        }
    }
    let unneeded: Vec<String> =
        components.iter().map(|(id, _)| id.to_owned()).filter(|id| !needed.contains(id)).collect();
    if let Some(components) = document.get_mut("component").and_then(toml_edit::Item::as_table_like_mut) {
        for id in unneeded {
            components.remove(&id);
        }
    }
    Ok(())
}

fn bound(document: &DocumentMut, kind: &str) -> Result<BTreeSet<String>> {
    bound_where(document, kind, |_| true)
}

/// The components of the triggers of a kind.
fn bound_where(
    document: &DocumentMut,
    kind: &str,
    which: impl Fn(&Table) -> bool,
) -> Result<BTreeSet<String>> {
    let triggers = document.get("trigger").and_then(|triggers| triggers.get(kind));
    let Some(triggers) = triggers else { return Ok(BTreeSet::new()) };
    let triggers = triggers.as_array_of_tables();
    let triggers = triggers.with_context(|| format!("[[trigger.{kind}]] must be a list of tables"))?;
    triggers
        .iter()
        .filter(|trigger| which(trigger))
        .map(|trigger| {
            component(trigger)
                .map(str::to_owned)
                .with_context(|| format!("a [[trigger.{kind}]] does not name its component"))
        })
        .collect()
}

fn triggers_mut<'a>(document: &'a mut DocumentMut, kind: &str) -> Option<&'a mut ArrayOfTables> {
    document.get_mut("trigger")?.as_table_like_mut()?.get_mut(kind)?.as_array_of_tables_mut()
}

fn component(trigger: &Table) -> Option<&str> {
    trigger.get("component")?.as_str()
}

fn route(trigger: &Table) -> Option<&str> {
    trigger.get("route")?.as_str()
}

fn listed(ids: &BTreeSet<String>) -> String {
    ids.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

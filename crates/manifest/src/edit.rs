//! What a manifest says about the components that it keeps.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail, ensure};
use toml_edit::{Array, DocumentMut, Item, TableLike, Value};

/// Tables of a component that only matter while it is developed. Their paths are relative to spin.toml's own folder.
const OF_DEVELOPMENT: [&str; 2] = ["build", "tool"];
/// The longest line of a list before it is broken up, characters.
const LINE_CHARS_MAX: usize = 110;

/// Puts what a profile overrides in the place of what it overrides, and takes all profiles out.
pub(crate) fn resolve_profile(document: &mut DocumentMut, profile: Option<&str>) -> Result<()> {
    let mut known = BTreeSet::new();
    for (id, component) in components(document)? {
        for name in OF_DEVELOPMENT {
            component.remove(name);
        }
        let Some(mut profiles) = component.remove("profile") else { continue };
        let profiles = profiles
            .as_table_like_mut()
            .with_context(|| format!("[component.{id}.profile] must be a table"))?;
        known.extend(profiles.iter().map(|(name, _)| name.to_owned()));
        let Some(mut overrides) = profile.and_then(|name| profiles.remove(name)) else { continue };
        let overrides = overrides
            .as_table_like_mut()
            .with_context(|| format!("a profile of component {id} must be a table"))?;
        for (name, with) in overrides.iter_mut() {
            match name.get() {
                "build" => {}
                "source" => {
                    component.insert("source", with.clone());
                }
                name @ ("dependencies" | "environment") => merge(component, name, with)?,
                other => {
                    bail!("a profile of component {id} overrides {other:?}, which this program does not know")
                }
            }
        }
    }
    if let Some(profile) = profile {
        ensure!(
            known.contains(profile),
            "no component of spin.toml has a profile {profile:?}; there is {}",
            known.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
        );
    }
    Ok(())
}

/// Overrides entries of a table. The table keeps its place in the file.
fn merge(component: &mut dyn TableLike, name: &str, with: &Item) -> Result<()> {
    if component.get(name).is_none() {
        component.insert(name, Item::Table(toml_edit::Table::new()));
    }
    let table = component.get_mut(name).and_then(Item::as_table_like_mut);
    let table = table.with_context(|| format!("{name:?} must be a table"))?;
    let with = with.as_table_like().with_context(|| format!("{name:?} of a profile must be a table"))?;
    for (key, value) in with.iter() {
        table.insert(key, value.clone());
    }
    Ok(())
}

/// Takes the permission to open database files out.
pub(crate) fn drop_sqlite(document: &mut DocumentMut) {
    for (_, component) in components(document).into_iter().flatten() {
        component.remove("sqlite_databases");
    }
}

/// Takes out what stands for all Redis triggers.
pub(crate) fn drop_redis_settings(document: &mut DocumentMut) {
    let application = document.get_mut("application").and_then(Item::as_table_like_mut);
    let Some(application) = application else { return };
    if let Some(triggers) = application.get_mut("trigger").and_then(Item::as_table_like_mut) {
        triggers.remove("redis");
        if triggers.is_empty() {
            application.remove("trigger");
        }
    }
}

/// Takes variables of the application out, and with them each permission and each variable of a component that is made
/// of one: empty, a guest takes it for not set.
pub(crate) fn forget_variables(document: &mut DocumentMut, gone: &BTreeSet<&str>) -> Result<()> {
    for (id, component) in components(document)? {
        if let Some(hosts) = component.get_mut("allowed_outbound_hosts") {
            let hosts = hosts
                .as_array_mut()
                .with_context(|| format!("allowed_outbound_hosts of {id} must be a list"))?;
            let before = hosts.len();
            hosts.retain(|host| {
                !host.as_str().is_some_and(|host| names(host).any(|name| gone.contains(name)))
            });
            if hosts.len() < before {
                lay_out(hosts);
            }
        }
        if let Some(variables) = component.get_mut("variables").and_then(Item::as_table_like_mut) {
            let forgotten: Vec<String> = variables
                .iter()
                .filter(|(_, value)| {
                    value.as_str().is_some_and(|text| names(text).any(|name| gone.contains(name)))
                })
                .map(|(name, _)| name.to_owned())
                .collect();
            for name in forgotten {
                variables.remove(&name);
            }
        }
    }
    Ok(())
}

/// Takes out the variables of the application that nothing refers to, so that nobody is asked for a secret that is not used.
pub(crate) fn drop_unused_variables(document: &mut DocumentMut) {
    let mut used = BTreeSet::new();
    for part in ["application", "trigger", "component"] {
        if let Some(item) = document.get(part) {
            collect_names(item, &mut used);
        }
    }
    let Some(variables) = document.get_mut("variables").and_then(Item::as_table_like_mut) else { return };
    let unused: Vec<String> =
        variables.iter().map(|(name, _)| name.to_owned()).filter(|name| !used.contains(name)).collect();
    for name in unused {
        variables.remove(&name);
    }
}

/// Puts `before` in front of every component's file.
pub(crate) fn move_sources(document: &mut DocumentMut, before: &str) -> Result<()> {
    for (id, component) in components(document)? {
        // A file from a registry or an address is where it is.
        let Some(file) = component.get("source").and_then(Item::as_str) else { continue };
        ensure!(!file.is_empty(), "component {id} has an empty source");
        let moved = format!("{before}{file}");
        component.insert("source", toml_edit::value(moved));
    }
    Ok(())
}

type Named<'a> = (String, &'a mut dyn TableLike);

fn components(document: &mut DocumentMut) -> Result<Vec<Named<'_>>> {
    let components = document.get_mut("component").and_then(Item::as_table_like_mut);
    let components = components.context("spin.toml has no components")?;
    let mut all = Vec::new();
    for (id, item) in components.iter_mut() {
        let id = id.get().to_owned();
        let Some(component) = item.as_table_like_mut() else { bail!("[component.{id}] must be a table") };
        all.push((id, component));
    }
    Ok(all)
}

/// The variables that a template names.
fn names(template: &str) -> impl Iterator<Item = &str> {
    template.split("{{").skip(1).filter_map(|rest| rest.split_once("}}")).map(|(name, _)| name.trim())
}

fn collect_names(item: &Item, used: &mut BTreeSet<String>) {
    match item {
        Item::Value(value) => collect_value_names(value, used),
        Item::Table(table) => table.iter().for_each(|(_, item)| collect_names(item, used)),
        Item::ArrayOfTables(tables) => {
            tables.iter().flat_map(|table| table.iter()).for_each(|(_, item)| collect_names(item, used));
        }
        Item::None => {}
    }
}

fn collect_value_names(value: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => used.extend(names(text.value()).map(str::to_owned)),
        Value::Array(array) => array.iter().for_each(|value| collect_value_names(value, used)),
        Value::InlineTable(table) => table.iter().for_each(|(_, value)| collect_value_names(value, used)),
        Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
    }
}

/// Lays a list out again that lost some of its elements: on one line where it fits.
fn lay_out(array: &mut Array) {
    array.set_trailing_comma(false);
    array.fmt();
    if array.to_string().len() <= LINE_CHARS_MAX - "allowed_outbound_hosts = ".len() {
        array.set_trailing("");
        return;
    }
    for value in array.iter_mut() {
        value.decor_mut().set_prefix("\n  ");
    }
    array.set_trailing("\n");
    array.set_trailing_comma(true);
}

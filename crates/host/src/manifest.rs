//! spin.toml, version 2, as far as this host runs it.
//!
//! Whatever is not understood, or understood but not supported, is a fault, and all faults are reported together: an
//! application that starts here means the same as on Spin.

mod component;
mod read;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::route::Route;
use crate::variables::{Template, check_name};
use component::components;
use read::{Faults, Section};

/// A manifest with the overrides of one profile applied.
#[derive(Debug)]
pub(crate) struct Manifest {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) variables: BTreeMap<String, Variable>,
    pub(crate) http: Vec<HttpTrigger>,
    pub(crate) redis: Vec<RedisTrigger>,
    pub(crate) components: BTreeMap<String, Component>,
}

/// An application variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    /// Its value when none is given; without one it is required.
    pub(crate) default: Option<String>,
}

/// A component that answers HTTP requests; without a route it is private to the application.
#[derive(Debug)]
pub(crate) struct HttpTrigger {
    pub(crate) route: Option<Route>,
    pub(crate) component: String,
}

/// A component that takes the messages of a Redis channel.
#[derive(Debug)]
pub(crate) struct RedisTrigger {
    pub(crate) address: Template,
    pub(crate) channel: Template,
    pub(crate) component: String,
}

#[derive(Debug, Default)]
pub(crate) struct Component {
    /// The component's file.
    pub(crate) source: PathBuf,
    pub(crate) variables: BTreeMap<String, Template>,
    pub(crate) environment: BTreeMap<String, String>,
    pub(crate) allowed_outbound_hosts: Vec<Template>,
    pub(crate) sqlite_databases: Vec<String>,
    pub(crate) dependencies: Vec<Dependency>,
}

/// An implementation that is composed into a component.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Dependency {
    /// The imports it serves: `ns:package`, `ns:package/interface`, either with `@version`, or a plain name.
    pub(crate) name: String,
    /// Its file.
    pub(crate) source: PathBuf,
    /// The export that serves the import, where its name differs.
    pub(crate) export: Option<String>,
    /// Whether it may use what the component may use.
    pub(crate) inherit: bool,
}

impl Manifest {
    /// Reads the manifest at `path` with the overrides of `profile`.
    pub(crate) fn load(path: &Path, profile: Option<&str>) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let folder = path.parent().unwrap_or(Path::new("."));
        Self::parse(&text, folder, profile).with_context(|| format!("{} cannot be run", path.display()))
    }

    /// Reads a manifest whose files are relative to `folder`. The error lists every fault.
    pub(crate) fn parse(text: &str, folder: &Path, profile: Option<&str>) -> anyhow::Result<Self> {
        let table: toml::Table = text.parse().context("it is not valid TOML")?;
        let faults = Faults::default();
        let root = Section::new(&table, "", &faults);
        match root.raw("spin_manifest_version").and_then(toml::Value::as_integer) {
            Some(2) => {}
            _ => faults.add("spin_manifest_version", "must be 2"),
        }
        let application = root.section("application");
        let name = application.as_ref().and_then(|section| section.text("name"));
        if name.is_none() {
            faults.add("application.name", "is missing");
        }
        let version = application.as_ref().and_then(|section| section.text("version")).unwrap_or_default();
        let mut redis_address = None;
        if let Some(application) = &application {
            application.ignore(&["description", "authors", "targets", "tool"]);
            if let Some(triggers) = application.section("trigger") {
                if let Some(redis) = triggers.section("redis") {
                    redis_address = redis.text("address");
                    redis.finish();
                }
                if let Some(http) = triggers.section("http") {
                    http.finish();
                }
                triggers.finish();
            }
            application.finish();
        }
        let variables = variables(&root);
        let components = components(&root, folder, profile, &variables);
        let (http, redis) = triggers(&root, redis_address.as_deref(), &components, &variables);
        root.finish();
        faults.check()?;
        Ok(Self { name: name.unwrap_or_default(), version, variables, http, redis, components })
    }

    /// The value of every variable: the given one, else the default. Fails naming all that have neither.
    pub(crate) fn resolve(
        &self,
        given: &BTreeMap<String, String>,
    ) -> anyhow::Result<BTreeMap<String, String>> {
        let mut values = BTreeMap::new();
        let mut missing = Vec::new();
        for (name, variable) in &self.variables {
            match given.get(name).or(variable.default.as_ref()) {
                Some(value) => {
                    values.insert(name.clone(), value.clone());
                }
                None => missing.push(format!("SPIN_VARIABLE_{}", name.to_ascii_uppercase())),
            }
        }
        anyhow::ensure!(missing.is_empty(), "required variables have no value: set {}", missing.join(", "));
        Ok(values)
    }
}

fn variables(root: &Section<'_>) -> BTreeMap<String, Variable> {
    let mut variables = BTreeMap::new();
    let Some(section) = root.section("variables") else { return variables };
    for (name, variable) in section.sections() {
        if let Err(fault) = check_name(&name) {
            section.faults().add(&variable.path(), &fault);
        }
        let default = variable.text("default");
        let required = variable.flag("required").unwrap_or(false);
        variable.flag("secret");
        variable.ignore(&["description"]);
        match (&default, required) {
            (None, false) => variable.fault("needs a `default`, or `required = true`"),
            (Some(_), true) => variable.fault("has a `default` and is `required`: drop one of them"),
            _ => {}
        }
        variable.finish();
        variables.insert(name, Variable { default });
    }
    variables
}

fn triggers(
    root: &Section<'_>,
    redis_address: Option<&str>,
    components: &BTreeMap<String, Component>,
    variables: &BTreeMap<String, Variable>,
) -> (Vec<HttpTrigger>, Vec<RedisTrigger>) {
    let (mut http, mut redis) = (Vec::<HttpTrigger>::new(), Vec::new());
    let Some(section) = root.section("trigger") else {
        root.faults().add("trigger", "the application has no triggers");
        return (http, redis);
    };
    for trigger in section.list("http") {
        trigger.ignore(&["id"]);
        let Some(component) = bound(&trigger, components) else { continue };
        let route = match trigger.raw("route") {
            Some(toml::Value::String(raw)) => match Route::parse(raw) {
                Ok(route) => Some(route),
                Err(fault) => {
                    trigger.fault(&fault);
                    continue;
                }
            },
            Some(toml::Value::Table(table))
                if table.len() == 1 && table.get("private") == Some(&toml::Value::Boolean(true)) =>
            {
                None
            }
            _ => {
                trigger.fault("needs `route = \"/path\"` or `route = { private = true }`");
                continue;
            }
        };
        if let Some(route) = &route
            && let Some(other) = http.iter().find(|other| other.route.as_ref().is_some_and(|r| r.same(route)))
        {
            trigger.fault(&format!(
                "route {:?} already leads to component `{}`",
                route.raw(),
                other.component
            ));
        }
        trigger.finish();
        http.push(HttpTrigger { route, component });
    }
    for trigger in section.list("redis") {
        trigger.ignore(&["id"]);
        let Some(component) = bound(&trigger, components) else { continue };
        let channel = trigger.text("channel");
        let address = trigger.text("address").or_else(|| redis_address.map(str::to_owned));
        trigger.finish();
        match (channel, address) {
            (None, _) => trigger.fault("needs a `channel`"),
            (_, None) => trigger.fault("needs an `address`, here or in `[application.trigger.redis]`"),
            (Some(channel), Some(address)) => {
                let channel = template(&trigger, "channel", &channel, variables);
                let address = template(&trigger, "address", &address, variables);
                if let (Some(channel), Some(address)) = (channel, address) {
                    redis.push(RedisTrigger { address, channel, component });
                }
            }
        }
    }
    section.finish();
    (http, redis)
}

fn bound(trigger: &Section<'_>, components: &BTreeMap<String, Component>) -> Option<String> {
    let component = trigger.text("component");
    match component {
        None => trigger.fault("needs `component`, the id of a component of this manifest"),
        Some(id) if components.contains_key(&id) => return Some(id),
        Some(id) => trigger.fault(&format!("component `{id}` does not exist")),
    }
    None
}

/// Reads a template and checks that its variables exist.
fn template(
    section: &Section<'_>,
    key: &str,
    text: &str,
    variables: &BTreeMap<String, Variable>,
) -> Option<Template> {
    match Template::parse(text) {
        Ok(template) => {
            for name in template.names().filter(|name| !variables.contains_key(*name)) {
                section.fault_at(key, &format!("variable `{name}` is not declared in `[variables]`"));
            }
            Some(template)
        }
        Err(fault) => {
            section.fault_at(key, &fault);
            None
        }
    }
}

#[cfg(test)]
mod tests;

//! The `[component.<id>]` tables of a manifest.

use std::collections::BTreeMap;
use std::path::Path;

use super::read::Section;
use super::{Component, Dependency, Variable, template};
use crate::variables::check_name;

/// A dependency as written, before the component it names is looked up.
struct Written {
    name: String,
    target: Target,
    export: Option<String>,
    inherit: Option<bool>,
}

enum Target {
    Component(String),
    Path(String),
}

/// All components. Faults are noted; what is returned is complete only if there are none.
pub(super) fn components(
    root: &Section<'_>,
    folder: &Path,
    profile: Option<&str>,
    variables: &BTreeMap<String, Variable>,
) -> BTreeMap<String, Component> {
    let mut components = BTreeMap::new();
    let mut written = Vec::new();
    let mut profile_known = profile.is_none();
    for (id, section) in root.section("component").iter().flat_map(Section::sections) {
        if !is_id(&id) {
            section.fault("an id consists of words of letters and digits with a '-' between them");
        }
        let (mut component, mut dependencies) = component(&section, folder, variables);
        let inherit = section.flag("dependencies_inherit_configuration");
        for (name, overrides) in section.section("profile").iter().flat_map(Section::sections) {
            let applies = profile == Some(name.as_str());
            profile_known |= applies;
            apply(&overrides, applies, folder, &mut component, &mut dependencies);
        }
        section.finish();
        for dependency in &mut dependencies {
            match (inherit, dependency.inherit) {
                (Some(_), Some(_)) => section.fault(
                    "has both `dependencies_inherit_configuration` and a dependency's own `inherit_configuration`: use one",
                ),
                (Some(all), None) => dependency.inherit = Some(all),
                _ => {}
            }
        }
        written.push((id.clone(), dependencies));
        components.insert(id, component);
    }
    if let Some(profile) = profile.filter(|_| !profile_known) {
        root.faults().add("profile", &format!("no component has a profile `{profile}`"));
    }
    for (id, dependencies) in written {
        let found = dependencies
            .into_iter()
            .filter_map(|dependency| find(root, &id, dependency, &components, folder));
        let found = found.collect();
        if let Some(component) = components.get_mut(&id) {
            component.dependencies = found;
        }
    }
    components
}

fn component(
    section: &Section<'_>,
    folder: &Path,
    variables: &BTreeMap<String, Variable>,
) -> (Component, Vec<Written>) {
    section.ignore(&["description", "targets", "build", "tool", "exclude_files"]);
    section.unsupported(&["files", "key_value_stores", "ai_models", "allowed_http_hosts"]);
    let mut component = Component::default();
    match section.raw("source") {
        Some(toml::Value::String(path)) => component.source = folder.join(path),
        Some(_) => section.fault_at("source", "only a path to a file is supported by this host"),
        None => section.fault_at("source", "is missing: the path of the component's file"),
    }
    if let Some(table) = section.section("variables") {
        for (name, text) in table.all_texts() {
            if let Err(fault) = check_name(&name) {
                table.fault_at(&name, &fault);
            }
            if let Some(template) = template(&table, &name, &text, variables) {
                component.variables.insert(name, template);
            }
        }
    }
    if let Some(table) = section.section("environment") {
        component.environment = table.all_texts().into_iter().collect();
    }
    for host in section.texts("allowed_outbound_hosts") {
        if let Some(template) = template(section, "allowed_outbound_hosts", &host, variables) {
            component.allowed_outbound_hosts.push(template);
        }
    }
    for label in section.texts("sqlite_databases") {
        // The label becomes the name of a file.
        if label.is_empty() || !label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_') {
            section.fault_at(
                "sqlite_databases",
                &format!("{label:?} must consist of letters, digits, '-' and '_'"),
            );
        }
        component.sqlite_databases.push(label);
    }
    let dependencies = section.section("dependencies").map(|table| dependencies(&table)).unwrap_or_default();
    (component, dependencies)
}

/// The overrides of a profile; also looked through for faults when they do not apply.
fn apply(
    overrides: &Section<'_>,
    applies: bool,
    folder: &Path,
    component: &mut Component,
    dependencies: &mut Vec<Written>,
) {
    overrides.ignore(&["build"]);
    let source = overrides.text("source");
    let environment = overrides.section("environment").map(|table| table.all_texts()).unwrap_or_default();
    let replaced =
        overrides.section("dependencies").map(|table| self::dependencies(&table)).unwrap_or_default();
    overrides.finish();
    if !applies {
        return;
    }
    if let Some(source) = source {
        component.source = folder.join(source);
    }
    component.environment.extend(environment);
    for dependency in replaced {
        dependencies.retain(|old| old.name != dependency.name);
        dependencies.push(dependency);
    }
}

fn dependencies(table: &Section<'_>) -> Vec<Written> {
    let mut dependencies = Vec::new();
    for (name, value) in table.entries() {
        if value.is_str() {
            table.fault_at(
                name,
                "a dependency from a registry is not supported by this host: use `component` or `path`",
            );
            continue;
        }
        let Some(entry) = table.section(name) else { continue };
        let inherit = match entry.raw("inherit_configuration") {
            None => None,
            Some(toml::Value::Boolean(inherit)) => Some(*inherit),
            Some(_) => {
                entry.fault_at("inherit_configuration", "only true and false are supported by this host");
                None
            }
        };
        let export = entry.text("export");
        let target = match (entry.text("component"), entry.text("path")) {
            (Some(id), None) => Target::Component(id),
            (None, Some(path)) => Target::Path(path),
            _ => {
                entry.fault("needs either `component` or `path`");
                entry.ignore(&["url", "digest", "version", "registry", "package"]);
                entry.finish();
                continue;
            }
        };
        entry.finish();
        dependencies.push(Written { name: name.clone(), target, export, inherit });
    }
    dependencies
}

fn find(
    root: &Section<'_>,
    of: &str,
    dependency: Written,
    components: &BTreeMap<String, Component>,
    folder: &Path,
) -> Option<Dependency> {
    let place = format!("component.{of}.dependencies.{:?}", dependency.name);
    let source = match &dependency.target {
        Target::Path(path) => folder.join(path),
        Target::Component(id) => {
            let Some(component) = components.get(id) else {
                root.faults().add(&place, &format!("component `{id}` does not exist"));
                return None;
            };
            let own = [
                ("variables", component.variables.is_empty()),
                ("environment", component.environment.is_empty()),
                ("allowed_outbound_hosts", component.allowed_outbound_hosts.is_empty()),
                ("sqlite_databases", component.sqlite_databases.is_empty()),
            ];
            let own: Vec<&str> = own.into_iter().filter(|(_, empty)| !empty).map(|(key, _)| key).collect();
            if !own.is_empty() {
                let fault =
                    format!("component `{id}` is composed in and may not have its own {}", own.join(", "));
                root.faults().add(&place, &fault);
            }
            component.source.clone()
        }
    };
    Some(Dependency {
        name: dependency.name,
        source,
        export: dependency.export,
        inherit: dependency.inherit.unwrap_or(false),
    })
}

fn is_id(id: &str) -> bool {
    id.split('-').all(|word| {
        word.starts_with(|c: char| c.is_ascii_alphabetic()) && word.chars().all(|c| c.is_ascii_alphanumeric())
    })
}

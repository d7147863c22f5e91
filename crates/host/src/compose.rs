//! Composing implementations into the components that import them.

use anyhow::{Context, bail, ensure};
use wac_graph::types::Package;
use wac_graph::{CompositionGraph, EncodeOptions, NodeId};

use crate::cache::source;
use crate::manifest::{Component, Dependency};

/// Imports that give a dependency what belongs to the component it serves.
const OF_THE_COMPONENT: [&str; 7] = [
    "spin:",
    "fermyon:",
    "wasi:http/client",
    "wasi:http/outgoing-handler",
    "wasi:sockets/",
    "wasi:keyvalue/",
    "wasi:config/",
];

/// The bytes of a component with its dependencies in it. One instance of a dependency serves all imports it matches.
pub(crate) fn compose(id: &str, component: &Component) -> anyhow::Result<Vec<u8>> {
    let main = source(&component.source).with_context(|| format!("component `{id}`"))?;
    if component.dependencies.is_empty() {
        return Ok(main.to_vec());
    }
    let mut graph = CompositionGraph::new();
    let (world, instance) = {
        let package = Package::from_bytes("component:main", None, main.to_vec(), graph.types_mut())
            .with_context(|| format!("component `{id}` is not a WebAssembly component"))?;
        let world = package.ty();
        let package = graph.register_package(package)?;
        (world, graph.instantiate(package))
    };
    let world = &graph.types()[world];
    let imports: Vec<String> = world.imports.keys().cloned().collect();
    let exports: Vec<String> = world.exports.keys().cloned().collect();
    let mut served: Vec<(String, String)> = Vec::new();
    for (number, dependency) in component.dependencies.iter().enumerate() {
        let name = &dependency.name;
        let matched: Vec<&String> = imports.iter().filter(|import| matches(name, import)).collect();
        ensure!(
            !matched.is_empty(),
            "component `{id}` imports nothing that its dependency {name:?} could serve"
        );
        let provider = add(&mut graph, id, dependency, number, !component.environment.is_empty())?;
        for import in matched {
            if let Some((_, other)) = served.iter().find(|(done, _)| done == import) {
                bail!(
                    "import {import:?} of component `{id}` is served by two dependencies: {other:?} and {name:?}"
                );
            }
            served.push((import.clone(), name.clone()));
            let export = dependency.export.as_deref().unwrap_or(import);
            let export = graph.alias_instance_export(provider, export).with_context(|| {
                format!("dependency {name:?} of component `{id}` does not export {export:?}")
            })?;
            graph.set_instantiation_argument(instance, import, export).with_context(|| {
                format!("dependency {name:?} of component `{id}` does not fit the import {import:?}: build both again")
            })?;
        }
    }
    for export in exports {
        let alias = graph.alias_instance_export(instance, &export)?;
        graph.export(alias, &export)?;
    }
    graph.encode(EncodeOptions::default()).with_context(|| format!("composing component `{id}`"))
}

fn add(
    graph: &mut CompositionGraph,
    id: &str,
    dependency: &Dependency,
    number: usize,
    environment: bool,
) -> anyhow::Result<NodeId> {
    let name = &dependency.name;
    let bytes =
        source(&dependency.source).with_context(|| format!("dependency {name:?} of component `{id}`"))?;
    let package = Package::from_bytes(
        &format!("component:dependency{number}"),
        None,
        bytes.to_vec(),
        graph.types_mut(),
    )
    .with_context(|| format!("dependency {name:?} of component `{id}` is not a WebAssembly component"))?;
    if !dependency.inherit {
        let denied = |import: &&String| {
            OF_THE_COMPONENT.iter().any(|prefix| import.starts_with(prefix))
                || (environment && import.starts_with("wasi:cli/environment"))
        };
        let imports = &graph.types()[package.ty()].imports;
        if let Some(import) = imports.keys().find(denied) {
            bail!(
                "dependency {name:?} of component `{id}` uses {import}, which it is not given: \
                 set `dependencies_inherit_configuration = true` in `[component.{id}]`"
            );
        }
    }
    let package = graph.register_package(package)?;
    Ok(graph.instantiate(package))
}

/// Whether the dependency name of a manifest covers an import.
fn matches(dependency: &str, import: &str) -> bool {
    let (Some((package, interface, version)), Some((their_package, their_interface, their_version))) =
        (split(dependency), split(import))
    else {
        return dependency == import;
    };
    package == their_package
        && (interface.is_none() || interface == their_interface)
        && (version.is_none() || version == their_version)
}

/// `ns:package/interface@version`, of which the last two may be absent; `None` for a plain name.
fn split(name: &str) -> Option<(&str, Option<&str>, Option<&str>)> {
    let (name, version) = name.split_once('@').map_or((name, None), |(name, version)| (name, Some(version)));
    let (package, interface) = name.split_once('/').map_or((name, None), |(a, b)| (a, Some(b)));
    package.contains(':').then_some((package, interface, version))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dependency_covers_its_package_its_interface_or_its_version() {
        for name in ["a:b", "a:b@0.1.0", "a:b/c", "a:b/c@0.1.0"] {
            assert!(matches(name, "a:b/c@0.1.0"), "{name}");
        }
        for name in ["a:x", "a:b/d", "a:b@0.2.0", "b", "a:b/c@0.1.1"] {
            assert!(!matches(name, "a:b/c@0.1.0"), "{name}");
        }
        assert!(!matches("a:b@0.1.0", "a:b/c"));
        assert!(matches("plain", "plain"));
    }
}

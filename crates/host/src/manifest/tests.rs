//! The manifest reader: what it takes, and that it names everything it does not.

use std::collections::BTreeMap;
use std::path::Path;

use super::Manifest;

const GOOD: &str = r#"
spin_manifest_version = 2
[application]
name = "shop"
version = "1.0.0"
[application.tool.shop]
anything = true
[application.trigger.redis]
address = "{{ redis_url }}"
[variables]
redis_url = { default = "redis://127.0.0.1:6379" }
token = { required = true, secret = true }
[[trigger.http]]
route = "/v1/..."
component = "sales"
[[trigger.http]]
route = { private = true }
component = "sales"
[[trigger.redis]]
channel = "orders"
address = "{{ redis_url }}/1"
component = "sales"
[component.sales]
source = "sales.wasm"
sqlite_databases = ["default"]
allowed_outbound_hosts = ["{{ redis_url }}", "http://self"]
dependencies_inherit_configuration = true
[component.sales.build]
command = "cargo build"
[component.sales.variables]
token = "{{ token }}"
[component.sales.dependencies]
"shop:domain@0.1.0" = { component = "store" }
[component.sales.profile.postgres.dependencies]
"shop:domain@0.1.0" = { component = "store-postgres" }
[component.store]
source = "store.wasm"
[component.store-postgres]
source = "store_postgres.wasm"
"#;

fn parse(text: &str, profile: Option<&str>) -> anyhow::Result<Manifest> {
    Manifest::parse(text, Path::new("/app"), profile)
}

#[test]
fn a_whole_manifest_is_read() {
    let manifest = parse(GOOD, None).unwrap();
    let sales = &manifest.components["sales"];
    assert_eq!(sales.source, Path::new("/app/sales.wasm"));
    assert_eq!(sales.dependencies[0].source, Path::new("/app/store.wasm"));
    assert!(sales.dependencies[0].inherit);
    assert_eq!(manifest.http.len(), 2);
    assert!(manifest.http[1].route.is_none());
    assert_eq!(manifest.redis[0].component, "sales");
}

#[test]
fn a_profile_swaps_a_dependency_and_an_unknown_profile_is_refused() {
    let manifest = parse(GOOD, Some("postgres")).unwrap();
    let dependencies = &manifest.components["sales"].dependencies;
    assert_eq!(dependencies.len(), 1);
    assert_eq!(dependencies[0].source, Path::new("/app/store_postgres.wasm"));
    assert!(parse(GOOD, Some("other")).unwrap_err().to_string().contains("`other`"));
}

#[test]
fn every_fault_is_named_in_one_message() {
    let text = r#"
spin_manifest_version = 1
surprise = 1
[application]
name = "shop"
[variables]
Bad = { default = "" }
nothing = {}
[[trigger.http]]
route = "/a/.../b"
component = "sales"
[[trigger.http]]
route = "/x"
component = "nobody"
[[trigger.cron]]
component = "sales"
[component.sales]
source = { url = "https://a.example/b.wasm", digest = "sha256:00" }
files = ["data/*"]
allowed_outbound_hosts = ["{{ missing }}"]
[component.sales.dependencies]
"a:b" = { component = "gone" }
"#;
    let message = parse(text, None).unwrap_err().to_string();
    for part in [
        "spin_manifest_version",
        "surprise",
        "variables.Bad",
        "variables.nothing",
        "trigger.http[0]",
        "`nobody`",
        "trigger.cron",
        "component.sales.source",
        "component.sales.files",
        "`missing`",
        "`gone`",
    ] {
        assert!(message.contains(part), "{part} is not in: {message}");
    }
}

#[test]
fn required_variables_without_a_value_are_all_named_and_undeclared_ones_are_ignored() {
    let manifest = parse(GOOD, None).unwrap();
    let message = manifest.resolve(&BTreeMap::new()).unwrap_err().to_string();
    assert!(message.contains("SPIN_VARIABLE_TOKEN"), "{message}");
    let given = BTreeMap::from([("token".to_owned(), "x".to_owned()), ("other".to_owned(), "y".to_owned())]);
    let values = manifest.resolve(&given).unwrap();
    assert_eq!(values["token"], "x");
    assert_eq!(values["redis_url"], "redis://127.0.0.1:6379");
    assert!(!values.contains_key("other"));
}

#[test]
fn a_component_that_is_composed_in_may_not_have_permissions_of_its_own() {
    let text =
        GOOD.replace("source = \"store.wasm\"", "source = \"store.wasm\"\nsqlite_databases = [\"default\"]");
    let message = parse(&text, None).unwrap_err().to_string();
    assert!(message.contains("may not have its own sqlite_databases"), "{message}");
}

#[test]
fn two_routes_for_the_same_paths_are_refused() {
    let text = GOOD.replace("route = { private = true }", "route = \"/v1/...\"");
    assert!(parse(&text, None).unwrap_err().to_string().contains("already leads to component `sales`"));
}

//! What a written manifest keeps and leaves out, on a small manifest; tests/src/deployment.rs runs the real one.

use toml_edit::DocumentMut;

use crate::{Options, write};

const SPIN_TOML: &str = r#"# The whole application.

spin_manifest_version = 2

[application]
name = "shop"

[application.trigger.redis]
address = "{{ redis_url }}"

[variables]
keys = { required = true, secret = true }
letter_key = { default = "" }
redis_url = { default = "redis://127.0.0.1:6379" }
redis_origin = { default = "redis://127.0.0.1:6379" }
postgres_url = { default = "" }
postgres_origin = { default = "postgres://127.0.0.1:5432" }

# Takes orders.
[[trigger.http]]
route = "/orders"
component = "sales"

[component.sales]
source = "target/sales.wasm"
sqlite_databases = ["default"]
# Rings.
allowed_outbound_hosts = ["{{ redis_origin }}", "https://letters.example", "{{ postgres_origin }}"]

[component.sales.dependencies]
"shop:store" = { component = "files" }

[component.sales.profile.postgres.dependencies]
"shop:store" = { component = "server" }

[component.sales.variables]
keys = "{{ keys }}"
redis_url = "{{ redis_url }}"
postgres_url = "{{ postgres_url }}"

[component.sales.build]
command = "make sales"

[[trigger.http]]
route = "/internal/letters"
component = "letters"

[[trigger.redis]]
channel = "letters"
component = "letters"

[component.letters]
source = "target/letters.wasm"

[component.letters.variables]
letter_key = "{{ letter_key }}"

[[trigger.http]]
route = "/internal/tick"
component = "clock"

[component.clock]
source = "target/clock.wasm"

[component.files]
source = "target/files.wasm"

[component.server]
source = "target/server.wasm"
"#;

fn written(options: &Options) -> DocumentMut {
    let text = write(SPIN_TOML, options).expect("a manifest");
    text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"))
}

fn keys(document: &DocumentMut, table: &str) -> Vec<String> {
    document[table].as_table_like().unwrap().iter().map(|(key, _)| key.to_owned()).collect()
}

fn refusal(text: &str, options: &Options) -> String {
    format!("{:#}", write(text, options).expect_err("a refusal"))
}

fn roles(names: &[&str]) -> Options {
    Options { roles: names.iter().map(|&name| name.to_owned()).collect(), ..Options::default() }
}

#[test]
fn without_redis_no_trigger_permission_or_variable_of_it_is_left() {
    let options = Options { http_only: true, ..Options::default() };
    let text = write(SPIN_TOML, &options).unwrap();
    assert!(!text.split_once("\n\n").unwrap().1.contains("redis"), "{text}");
    let document = written(&options);
    assert_eq!(document["trigger"]["http"].as_array_of_tables().unwrap().len(), 3);
    let hosts = document["component"]["sales"]["allowed_outbound_hosts"].as_array().unwrap();
    assert_eq!(
        hosts.iter().map(|host| host.as_str().unwrap()).collect::<Vec<_>>(),
        ["https://letters.example"]
    );
}

#[test]
fn a_queue_that_only_redis_reaches_is_refused_without_redis() {
    let deaf =
        SPIN_TOML.replace("[[trigger.http]]\nroute = \"/internal/letters\"\ncomponent = \"letters\"\n", "");
    let options = Options { http_only: true, ..Options::default() };
    assert!(refusal(&deaf, &options).contains("could reach letters"), "{}", refusal(&deaf, &options));
    // Another part of the application does not need it.
    let web = Options { roles: vec!["web".to_owned()], ..options };
    assert!(write(&deaf, &web).is_ok());
}

#[test]
fn a_profile_becomes_plain_and_takes_its_store_along_alone() {
    let document = written(&Options { profile: Some("postgres".to_owned()), ..Options::default() });
    assert_eq!(keys(&document, "component"), ["sales", "letters", "clock", "server"]);
    let sales = &document["component"]["sales"];
    assert_eq!(sales["dependencies"]["shop:store"]["component"].as_str(), Some("server"));
    for gone in ["profile", "sqlite_databases", "build"] {
        assert!(sales.get(gone).is_none(), "{gone}");
    }
    assert!(keys(&document, "variables").contains(&"postgres_url".to_owned()));

    let document = written(&Options::default());
    assert_eq!(keys(&document, "component"), ["sales", "letters", "clock", "files"]);
    assert_eq!(keys(&document, "variables"), ["keys", "letter_key", "redis_url", "redis_origin"]);
}

#[test]
fn a_part_asks_for_nothing_that_it_does_not_use() {
    let letters = written(&roles(&["workers"]));
    assert_eq!(keys(&letters, "component"), ["letters"]);
    assert_eq!(keys(&letters, "variables"), ["letter_key", "redis_url"], "the triggers' address is used");
    assert_eq!(letters["trigger"]["redis"].as_array_of_tables().unwrap().len(), 1);

    let web = written(&roles(&["web"]));
    assert_eq!(keys(&web, "component"), ["sales", "files"]);
    assert!(web["trigger"].get("redis").is_none() && web["application"].get("trigger").is_none());

    assert_eq!(keys(&written(&roles(&["clock", "letters"])), "component"), ["letters", "clock"]);
}

#[test]
fn the_parts_together_are_the_whole() {
    let mut together = Vec::new();
    for role in ["web", "workers", "clock"] {
        together.extend(keys(&written(&roles(&[role])), "component"));
    }
    together.sort_unstable();
    let mut whole = keys(&written(&Options::default()), "component");
    whole.sort_unstable();
    assert_eq!(together, whole);
}

#[test]
fn comments_come_along_and_sources_are_found_from_elsewhere() {
    let options = Options { sources: "../../".to_owned(), ..Options::default() };
    let text = write(SPIN_TOML, &options).unwrap();
    assert!(text.contains("# Takes orders.") && text.contains("# Rings."), "{text}");
    assert!(!text.contains("# The whole application."), "{text}");
    assert!(text.contains(r#"source = "../../target/sales.wasm""#), "{text}");
    assert_eq!(text, write(SPIN_TOML, &options).unwrap(), "the same bytes");
}

#[test]
fn a_refusal_names_the_fault_and_what_there_is_instead() {
    let wrong = Options { profile: Some("oracle".to_owned()), ..Options::default() };
    assert_eq!(
        refusal(SPIN_TOML, &wrong),
        r#"no component of spin.toml has a profile "oracle"; there is postgres"#
    );
    let fault = refusal(SPIN_TOML, &roles(&["webb"]));
    assert_eq!(fault, r#"there is no role "webb": name web, workers, or one of clock, letters, sales"#);
    assert!(refusal("a = [", &Options::default()).starts_with("spin.toml is not valid TOML"));
    assert!(refusal("a = 1", &Options::default()).contains("version 2"));
    let lost = SPIN_TOML.replace("[component.clock]\nsource", "[component.time]\nsource");
    assert_eq!(refusal(&lost, &Options::default()), r#"component "clock" does not exist in spin.toml"#);
}

//! The cluster: what deploy/spinkube says of components, triggers, variables, addresses and queries.
//!
//! A mistake there is found by nobody before a deployment, because neither SpinKube nor kustomize knows the application.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::machine::{bound, files_below, variables};
use crate::home::{Database, Home};
use crate::support::{INTERNAL, SKU, Shop, root};

/// Has the probes' paths, so it is part of every SpinApp.
const CONSOLE: &str = "console";
/// What the container executor and the shim understand of a SpinApp (core.spinkube.dev/v1alpha1). Kubernetes drops any other
/// field without a word.
const SPIN_APP_FIELDS: [&str; 17] = [
    "checks",
    "components",
    "deploymentAnnotations",
    "enableAutoscaling",
    "executor",
    "image",
    "imagePullSecrets",
    "invocationLimits",
    "podAnnotations",
    "podLabels",
    "replicas",
    "resources",
    "runtimeConfig",
    "serviceAccountName",
    "serviceAnnotations",
    "variables",
    "volumeMounts",
];
/// Who counts for KEDA.
const ROLE: &str = "restock_depth";

fn folder() -> PathBuf {
    root().join("deploy/spinkube")
}

/// The documents of a YAML file.
fn documents(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_saphyr::from_multiple(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// All resources of a kustomization's folder and the folders that it names, patches not applied.
fn resources(kustomization: &str) -> Vec<Value> {
    let folder = folder().join(kustomization);
    let of_it = documents(&folder.join("kustomization.yaml")).remove(0);
    let mut all = Vec::new();
    for name in list(&of_it["resources"]) {
        let path = folder.join(&name);
        assert!(path.exists(), "{kustomization} names {name}, which is not there");
        if path.is_file() {
            all.extend(documents(&path));
        }
    }
    all
}

fn list(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|one| one.as_str().expect("a text").to_owned()).collect()
}

fn of_kind<'a>(resources: &'a [Value], kind: &str) -> Vec<&'a Value> {
    resources.iter().filter(|resource| resource["kind"] == kind).collect()
}

fn name(resource: &Value) -> &str {
    resource["metadata"]["name"].as_str().expect("a name")
}

/// Which SpinApps run a component, the console aside.
fn runners(resources: &[Value]) -> BTreeMap<String, Vec<String>> {
    let mut runners = BTreeMap::<String, Vec<String>>::new();
    for app in of_kind(resources, "SpinApp") {
        for component in list(&app["spec"]["components"]).into_iter().filter(|id| id != CONSOLE) {
            runners.entry(component).or_default().push(name(app).to_owned());
        }
    }
    runners
}

/// Everything that is applied somewhere.
fn everything() -> Vec<Value> {
    let mut all = resources("base");
    all.extend(resources("components/redis"));
    all.extend(resources("migrate"));
    all
}

/// Every text in a document.
fn texts(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => found.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        Value::Object(values) => values.values().for_each(|value| texts(value, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[test]
fn every_component_is_run_by_one_spin_app_and_every_channel_is_heard_by_one() {
    let base = runners(&resources("base"));
    let mut over_http = bound("http");
    over_http.remove(CONSOLE);
    assert_eq!(base.keys().cloned().collect::<BTreeSet<_>>(), over_http);
    let heard = runners(&resources("components/redis"));
    assert_eq!(heard.keys().cloned().collect::<BTreeSet<_>>(), bound("redis"));
    for (component, apps) in base.iter().chain(&heard) {
        assert_eq!(apps.len(), 1, "{component} is run by {apps:?}");
    }
    for app in of_kind(&everything(), "SpinApp") {
        let components = list(&app["spec"]["components"]);
        assert!(components.iter().any(|id| id == CONSOLE), "{} answers no probe", name(app));
        for field in app["spec"].as_object().expect("a spec").keys() {
            assert!(SPIN_APP_FIELDS.contains(&field.as_str()), "{} says {field}", name(app));
        }
        // The operator refuses both, and neither.
        let scaled = app["spec"]["enableAutoscaling"] == true;
        assert_ne!(scaled, app["spec"]["replicas"].as_u64() > Some(0), "{}", name(app));
    }
}

#[test]
fn what_rings_over_redis_runs_the_application_with_redis_and_the_fallback_the_one_without() {
    let image =
        |app: &Value| app["spec"]["image"].as_str().expect("an image").rsplit('/').next().unwrap().to_owned();
    for app in of_kind(&resources("base"), "SpinApp") {
        assert_eq!(image(app), "restock-http", "{}: without Redis a Redis trigger would end it", name(app));
    }
    for app in of_kind(&resources("components/redis"), "SpinApp") {
        assert_eq!(image(app), "restock", "{}", name(app));
    }
    // Beside them the web, and nothing else: what nobody heard on Redis is found over HTTP.
    let patches =
        documents(&folder().join("components/redis/kustomization.yaml")).remove(0)["patches"].clone();
    let to_redis = patches
        .as_array()
        .expect("patches")
        .iter()
        .filter(|patch| patch["patch"].as_str().is_some_and(|text| text.contains("path: /spec/image")));
    let selected: Vec<&str> =
        to_redis.map(|patch| patch["target"]["labelSelector"].as_str().unwrap()).collect();
    assert_eq!(selected, ["app.kubernetes.io/component=web"]);
    let release = fs::read_to_string(root().join(".github/workflows/release.yml")).expect("a workflow");
    for pushed in [
        "restock-host:",
        "for app in restock restock-http;",
        "--http-only --output target/deploy/restock-http.toml",
    ] {
        assert!(release.contains(pushed), "a release pushes what is deployed: {pushed}");
    }
}

#[test]
fn every_variable_is_fed_and_every_secret_comes_from_a_secret() {
    let patch = documents(&folder().join("components/common/variables.yaml")).remove(0);
    let manifest: toml::Table = super::spin_toml().parse().expect("TOML");
    let mut fed = BTreeMap::new();
    for variable in patch["spec"]["variables"].as_array().expect("variables") {
        let variable_name = variable["name"].as_str().expect("a name").to_owned();
        for (kind, source) in [("secretKeyRef", "restock-secrets"), ("configMapKeyRef", "restock-settings")] {
            let from = &variable["valueFrom"][kind];
            if from.is_object() {
                assert_eq!(from["name"], source, "{variable_name}");
                assert_eq!(from["key"], variable_name.as_str());
                fed.insert(variable_name.clone(), (kind == "secretKeyRef", from["optional"] == true));
            }
        }
    }
    for (variable, secret) in variables() {
        if variable == "public_url" {
            // Each part has its own: see the kustomization.
            continue;
        }
        let (from_secret, optional) =
            fed.remove(&variable).unwrap_or_else(|| panic!("nothing feeds {variable}"));
        assert_eq!(from_secret, secret, "{variable}");
        let has_default = manifest["variables"][&variable].get("default").is_some();
        assert!(has_default || !optional, "{variable} must be there");
    }
    assert_eq!(fed, BTreeMap::new(), "spin.toml does not have these");
}

#[test]
fn examples_and_settings_name_variables_that_exist_where_they_belong() {
    let secrets = documents(&folder().join("secrets.example.yaml"));
    let named = |secret: &Value| {
        secret["stringData"].as_object().expect("data").keys().cloned().collect::<BTreeSet<_>>()
    };
    let known: BTreeSet<_> =
        variables().into_iter().filter(|(_, secret)| *secret).map(|(name, _)| name).collect();
    assert_eq!(named(&secrets[0]), known);
    let mut example_names: Vec<&str> = secrets.iter().map(name).collect();

    let plain: BTreeSet<_> =
        variables().into_iter().filter(|(_, secret)| !secret).map(|(name, _)| name).collect();
    for overlay in ["staging", "production"] {
        let file = folder().join(format!("overlays/{overlay}/settings.env"));
        let text = fs::read_to_string(&file).expect("settings");
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty());
        let set: BTreeSet<String> =
            lines.map(|line| line.split_once('=').expect("name=value").0.to_owned()).collect();
        assert!(set.is_subset(&plain), "{overlay}: {:?}", set.difference(&plain));
        for needed in ["public_url", "postgres_origin", "customers_origin"] {
            assert!(set.contains(needed), "{overlay} does not set {needed}");
        }
        let with_redis = list(
            &documents(&folder().join(format!("overlays/{overlay}/kustomization.yaml")))[0]["components"],
        )
        .iter()
        .any(|component| component.ends_with("/redis"));
        assert_eq!(set.contains("redis_origin"), with_redis, "{overlay}");
    }

    // Whatever names a secret names one that somebody is told to make.
    example_names.extend(["restock-runtime", "restock-tls"]);
    let mut all = everything();
    for file in files_below(&folder().join("components")) {
        if file.extension().is_some_and(|extension| extension == "yaml") {
            all.extend(documents(&file));
        }
    }
    for document in &all {
        for key in ["secretKeyRef", "secretTargetRef"] {
            for reference in found(document, key) {
                for one in reference.as_array().cloned().unwrap_or_else(|| vec![reference.clone()]) {
                    let secret = one["name"].as_str().unwrap_or_default();
                    assert!(secret.is_empty() || example_names.contains(&secret), "no secret {secret}");
                }
            }
        }
    }
}

/// The values under a key, wherever it is.
fn found<'a>(value: &'a Value, key: &str) -> Vec<&'a Value> {
    match value {
        Value::Object(fields) => fields
            .iter()
            .flat_map(|(name, value)| if name == key { vec![value] } else { found(value, key) })
            .collect(),
        Value::Array(values) => values.iter().flat_map(|value| found(value, key)).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn everything_that_is_named_is_there() {
    for file in files_below(&folder()) {
        if file.file_name().is_none_or(|name| name != "kustomization.yaml") {
            continue;
        }
        let here = file.parent().expect("a folder");
        let kustomization = documents(&file).remove(0);
        let mut named = Vec::new();
        for field in ["resources", "components", "configurations"] {
            named.extend(list(&kustomization[field]));
        }
        for generator in ["configMapGenerator", "secretGenerator"] {
            for of_it in kustomization[generator].as_array().into_iter().flatten() {
                named.extend(list(&of_it["envs"]));
                named.extend(list(&of_it["files"]));
            }
        }
        for patch in kustomization["patches"].as_array().into_iter().flatten() {
            named.extend(patch["path"].as_str().map(str::to_owned));
        }
        for name in named {
            assert!(here.join(&name).exists(), "{} names {name}", file.display());
        }
        // And nothing lies there that nothing names.
        for entry in fs::read_dir(here).expect("a folder") {
            let entry = entry.expect("an entry").path();
            let entry_name = entry.file_name().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(&file).expect("text");
            let is_part = entry.is_file() && entry_name != "kustomization.yaml";
            assert!(!is_part || text.contains(&entry_name), "{} does not name {entry_name}", file.display());
        }
    }
    let all = everything();
    let apps: BTreeSet<&str> = of_kind(&all, "SpinApp").into_iter().map(name).collect();
    let is_app =
        |what: &str, of: &str| assert!(apps.contains(what), "{of} names {what}, which no SpinApp is");
    for kind in ["HorizontalPodAutoscaler", "ScaledObject"] {
        for scaled in of_kind(&all, kind) {
            is_app(scaled["spec"]["scaleTargetRef"]["name"].as_str().unwrap(), name(scaled));
        }
    }
    for budget in of_kind(&all, "PodDisruptionBudget") {
        is_app(
            budget["spec"]["selector"]["matchLabels"]["core.spinkube.dev/app-name"].as_str().unwrap(),
            name(budget),
        );
    }
    for service in found(&Value::Array(all.clone()), "service") {
        is_app(service["name"].as_str().unwrap(), "the Ingress");
    }
    // Addresses inside the cluster, in jobs and patches.
    let mut words = Vec::new();
    all.iter().for_each(|document| texts(document, &mut words));
    words.push(fs::read_to_string(folder().join("components/common/kustomization.yaml")).expect("text"));
    let mut addresses = 0;
    for word in &words {
        for rest in word.split("http://").skip(1) {
            let host: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-').collect();
            is_app(&host, "an address");
            addresses += 1;
        }
    }
    assert!(addresses >= 2, "the tick's and the bells'");
    // What scales a SpinApp may, and only one does.
    let scaled: Vec<&str> = ["HorizontalPodAutoscaler", "ScaledObject"]
        .into_iter()
        .flat_map(|kind| of_kind(&all, kind))
        .map(|scaler| scaler["spec"]["scaleTargetRef"]["name"].as_str().unwrap())
        .collect();
    let scalable: BTreeSet<&str> = of_kind(&all, "SpinApp")
        .into_iter()
        .filter(|app| app["spec"]["enableAutoscaling"] == true)
        .map(name)
        .collect();
    assert_eq!(scaled.len(), scalable.len());
    assert_eq!(scaled.into_iter().collect::<BTreeSet<_>>(), scalable);
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_tick_and_bells_are_answered_at_the_paths_that_the_cluster_calls() {
    let shop = Shop::open().await;
    let run = documents(&folder().join("components/common/run.yaml")).remove(0);
    for probe in ["liveness", "readiness"] {
        let path = run["spec"]["checks"][probe]["httpGet"]["path"].as_str().expect("a path");
        shop.client.get("", path).await.expect(200);
    }
    let mut words = Vec::new();
    of_kind(&everything(), "CronJob").into_iter().for_each(|job| texts(job, &mut words));
    let (_, path) =
        words.iter().find_map(|word| word.split_once("http://restock-clock")).expect("the tick's address");
    shop.client.post(INTERNAL, path.trim(), json!({})).await.expect(200);
    // What the Ingress leads to the queues is where a queue rings itself.
    let ingress = of_kind(&everything(), "Ingress").remove(0).clone();
    let paths = found(&ingress, "paths").remove(0).as_array().expect("paths").clone();
    let to_queues =
        paths.iter().find(|path| path["backend"]["service"]["name"] == "restock-queues").expect("a path");
    for queue in bound("redis") {
        let drain = format!("/internal/{queue}/drain");
        assert!(drain.starts_with(to_queues["path"].as_str().expect("a prefix")));
        shop.client.post(INTERNAL, &drain, json!({})).await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keda_counts_what_is_due_now_on_the_real_schema_with_a_role_that_may_read_nothing_else() {
    let shop = Shop::open_in(Home::on_servers(), |_| {}).await;
    shop.define(SKU, 1, 0, 10).await;
    let rows = shop.home.rows(Database::Shop);
    let queries: BTreeMap<String, String> = of_kind(&everything(), "ScaledObject")
        .into_iter()
        .map(|scaler| {
            let query =
                scaler["spec"]["triggers"][0]["metadata"]["query"].as_str().expect("a query").to_owned();
            (name(scaler).to_owned(), query)
        })
        .collect();
    assert_eq!(queries.len(), 1 + bound("redis").len());
    // As the role that docs/deploying.md describes, in a transaction that leaves no role behind.
    let text = fs::read_to_string(root().join("docs/deploying.md")).expect("the document");
    let granted: Vec<&str> = text.lines().filter(|line| line.starts_with("GRANT SELECT")).collect();
    assert!(!granted.is_empty(), "docs/deploying.md says what the role may read");
    let granted = granted.join("\n");
    let as_role = |query: &str| {
        let sql = format!("BEGIN; CREATE ROLE {ROLE}; {granted} SET LOCAL ROLE {ROLE}; {query}; ROLLBACK");
        rows.column(&sql)
    };
    // Among the words of psql for the other statements.
    let count =
        |query: &str| as_role(query).iter().find_map(|word| word.parse::<i64>().ok()).expect("a number");
    let readable = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace \
                    AND relkind IN ('r', 'p', 'v', 'm', 'f') AND has_any_column_privilege(oid, 'SELECT')";
    assert_eq!(count(readable), 2, "`queue` and `message`, which the queries need");
    for (scaler, query) in &queries {
        assert_eq!(count(query), 0, "{scaler}");
    }
    // Queues that are held have nothing due, whatever waits in them; let go, one has its message.
    rows.change("UPDATE queue SET paused = true");
    shop.client.order(SKU, 1).await.expect(201);
    for (scaler, query) in &queries {
        assert_eq!(count(query), 0, "{scaler}");
    }
    rows.change("UPDATE queue SET paused = false WHERE queue_id = 'replenishment'");
    assert_eq!(count(&queries["restock-replenishment"]), 1);
    assert_eq!(count(&queries["restock-queues"]), 1);
    assert_eq!(count(&queries["restock-loyalty"]), 0);
    // What waits for a later time is no work now.
    rows.change("UPDATE message SET available_at_ms = available_at_ms + 86400000");
    assert_eq!(count(&queries["restock-queues"]), 0);
}

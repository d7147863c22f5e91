//! Monitoring: what deploy/monitoring says of the metrics that a shop really tells, and what is written about its alerts.
//!
//! That the rules fire when they should is tested by promtool on deploy/monitoring/*_test.yaml, in deploy/check.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};
use tempfile::NamedTempFile;

use crate::metrics::{Told, eventful, promtool, told_by};
use crate::support::{Shop, VIEWER, root};

/// What Prometheus itself knows of those it asks.
const OF_PROMETHEUS: [&str; 2] = ["up", "scrape_duration_seconds"];
/// Grafana's own words in a query, and what they can stand for.
const OF_GRAFANA: [(&str, &str); 2] = [("$__rate_interval", "1m"), ("$job", "restock")];
/// The job that rules and dashboard ask for.
const JOB: &str = "restock";
const PANELS_WIDE: u64 = 24;

fn read(name: &str) -> String {
    let path = root().join("deploy/monitoring").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(name: &str) -> Value {
    serde_saphyr::from_str(&read(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_else(|| panic!("no {field} in {value}"))
}

fn alerts() -> Vec<Value> {
    let rules = yaml("rules.yaml");
    list(&rules["groups"]).iter().flat_map(|group| list(&group["rules"]).to_vec()).collect()
}

fn dashboard() -> Value {
    serde_json::from_str(&read("dashboard.json")).expect("JSON")
}

/// The panels that show something.
fn panels(dashboard: &Value) -> Vec<&Value> {
    list(&dashboard["panels"]).iter().filter(|panel| panel["type"] != "row").collect()
}

/// The queries of rules and dashboard, as Prometheus reads them.
fn queries() -> Vec<String> {
    let dashboard = dashboard();
    let shown = panels(&dashboard).into_iter().flat_map(|panel| list(&panel["targets"]));
    let shown = shown.map(|target| text(target, "expr").to_owned());
    let queries =
        alerts().iter().map(|alert| text(alert, "expr").to_owned()).chain(shown).collect::<Vec<_>>();
    let plain =
        |query: String| OF_GRAFANA.iter().fold(query, |query, (word, value)| query.replace(word, value));
    queries.into_iter().map(plain).collect()
}

/// The words of a query, its texts aside.
fn words(query: &str) -> BTreeSet<&str> {
    let outside = query.split('"').step_by(2);
    outside.flat_map(|part| part.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')).collect()
}

/// `label="value"` and `label!="value"` of a query.
fn matchers(query: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = query.split('"').collect();
    let pairs = parts.chunks_exact(2).filter_map(|pair| Some((pair[0].strip_suffix('=')?, pair[1])));
    pairs.map(|(before, value)| (label(before), value)).collect()
}

fn label(before: &str) -> &str {
    before.trim_end_matches('!').rsplit(['{', ',', ' ']).next().unwrap_or_default()
}

/// The names under which a family can be asked for.
fn names(told: &Told) -> BTreeSet<String> {
    let names = told.types.iter().flat_map(|(name, kind)| {
        let ends: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
        ends.iter().map(move |end| format!("{name}{end}"))
    });
    names.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn rules_and_dashboard_ask_for_what_is_told_and_the_dashboard_shows_all_of_it() {
    let shop = eventful().await;
    let told = told_by(&shop.client).await;
    let known = names(&told);
    let mut asked = BTreeSet::new();
    for query in queries() {
        let of_ours = words(&query).into_iter().filter(|word| word.starts_with("restock_"));
        let of_ours: Vec<String> = of_ours.map(str::to_owned).collect();
        let theirs = words(&query).into_iter().any(|word| OF_PROMETHEUS.contains(&word));
        assert!(theirs || !of_ours.is_empty(), "it asks for nothing: {query}");
        for name in of_ours {
            assert!(known.contains(&name), "nothing tells {name}: {query}");
            asked.insert(name);
        }
        for (label, value) in matchers(&query) {
            if label == "job" {
                assert_eq!(value, JOB, "{query}");
            } else {
                let label = format!("{label}=\"{value}\"");
                assert!(told.text.contains(&label), "nothing is told with {label}: {query}");
            }
        }
    }
    let unseen: Vec<_> = known.difference(&asked).collect();
    assert!(unseen.is_empty(), "nobody sees {unseen:?}");
    // And the documents name them, and none that is not told.
    let documents = fs::read_to_string(root().join("docs/operating.md")).expect("the document");
    for name in told.types.keys() {
        assert!(documents.contains(&format!("`{name}`")), "docs/operating.md does not say what {name} is");
    }
    for word in documents.split('`').skip(1).step_by(2).filter(|word| word.starts_with("restock_")) {
        let is_name = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(!is_name || told.types.contains_key(word), "docs/operating.md speaks of {word}");
    }
}

#[test]
fn every_query_of_the_dashboard_can_be_read_by_prometheus() {
    let rules: Vec<Value> = queries()
        .iter()
        .enumerate()
        .map(|(number, query)| json!({"record": format!("query:{number}"), "expr": query}))
        .collect();
    assert!(rules.len() > 30);
    // JSON is YAML.
    let file = NamedTempFile::new().expect("a file");
    fs::write(file.path(), json!({"groups": [{"name": "queries", "rules": rules}]}).to_string())
        .expect("a file");
    let Some(checked) = promtool(&["check", "rules", &file.path().to_string_lossy()], "") else { return };
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}

#[test]
fn every_alert_is_tested_both_ways_and_says_what_to_do() {
    let cases: Vec<Value> = ["rules_test.yaml", "rules_week_test.yaml"]
        .iter()
        .flat_map(|name| list(&yaml(name)["tests"]).to_vec())
        .flat_map(|test| list(&test["alert_rule_test"]).to_vec())
        .collect();
    let documents = fs::read_to_string(root().join("docs/operating.md")).expect("the document");
    let (_, told) = documents.split_once("## What each alarm means\n").expect("the chapter");
    let (told, _) = told.split_once("\n## ").expect("another chapter");
    let alerts = alerts();
    for alert in &alerts {
        let name = text(alert, "alert");
        let of_it: Vec<_> = cases.iter().filter(|case| case["alertname"] == name).collect();
        let fires = |case: &&&Value| !list(&case["exp_alerts"]).is_empty();
        assert!(of_it.iter().any(|case| fires(&case)), "no test in which {name} fires");
        assert!(of_it.iter().any(|case| !fires(&case)), "no test in which {name} does not fire");
        assert!(["critical", "warning"].contains(&text(&alert["labels"], "severity")), "{name}");
        for annotation in ["summary", "description"] {
            assert!(!text(&alert["annotations"], annotation).is_empty(), "{name}");
        }
        let runbook = text(&alert["annotations"], "runbook_url");
        let anchor = format!("/docs/operating.md#{}", name.to_lowercase());
        assert!(runbook.ends_with(&anchor), "{name}: {runbook}");
        assert!(
            told.contains(&format!("\n#### {name}\n")),
            "docs/operating.md does not say what {name} means"
        );
    }
    let known: BTreeSet<&str> = alerts.iter().map(|alert| text(alert, "alert")).collect();
    assert_eq!(known.len(), alerts.len());
    for case in &cases {
        assert!(known.contains(text(case, "alertname")), "a test of an alert that is not there: {case}");
    }
    for heading in told.lines().filter_map(|line| line.strip_prefix("#### ")) {
        assert!(known.contains(heading), "docs/operating.md speaks of {heading}");
    }
}

#[test]
fn the_dashboard_has_a_row_for_each_part_and_no_panel_over_another() {
    let dashboard = dashboard();
    let rows = list(&dashboard["panels"]).iter().filter(|panel| panel["type"] == "row");
    let rows: Vec<&str> = rows.map(|row| text(row, "title")).collect();
    assert_eq!(rows, ["Shop", "Queues", "Partners", "Machine room"]);
    let variables: Vec<&str> =
        list(&dashboard["templating"]["list"]).iter().map(|variable| text(variable, "name")).collect();
    assert_eq!(variables, ["datasource", "job"]);
    let mut ids = BTreeSet::new();
    let mut places = BTreeSet::new();
    for panel in list(&dashboard["panels"]) {
        let title = text(panel, "title");
        assert!(ids.insert(panel["id"].as_u64().expect("an id")), "{title}: an id of another one");
        let place = |side: &str| panel["gridPos"][side].as_u64().expect("a place");
        assert!(place("x") + place("w") <= PANELS_WIDE, "{title} is too wide");
        for x in place("x")..place("x") + place("w") {
            for y in place("y")..place("y") + place("h") {
                assert!(places.insert((x, y)), "{title} is over another panel");
            }
        }
    }
    for panel in panels(&dashboard) {
        let title = text(panel, "title");
        assert!(!text(panel, "description").is_empty(), "{title}");
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title} has no unit");
        for target in list(&panel["targets"]) {
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
            assert!(text(target, "expr").contains(r#"{job="$job""#), "{title} is about every shop");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_prometheus_is_told_to_ask_is_answered_to_a_viewer() {
    let shop = Shop::open().await;
    let scrape = yaml("prometheus.yaml")["scrape_configs"][0].clone();
    assert_eq!(scrape["job_name"], JOB);
    shop.client.get(VIEWER, text(&scrape, "metrics_path")).await.expect(200);
    let cluster = root().join("deploy/spinkube");
    let read = |name: &str| fs::read_to_string(cluster.join(name)).expect("a file");
    let monitor: Value = serde_saphyr::from_str(&read("components/monitoring/scrape.yaml")).expect("YAML");
    let endpoint = &monitor["spec"]["endpoints"][0];
    shop.client.get(VIEWER, text(endpoint, "path")).await.expect(200);
    assert_eq!(endpoint["relabelings"][0]["replacement"], JOB);
    let secrets: Vec<Value> = serde_saphyr::from_multiple(&read("secrets.example.yaml")).expect("YAML");
    let key = &endpoint["authorization"]["credentials"];
    let secret = secrets.iter().find(|secret| secret["metadata"]["name"] == key["name"]).expect("the secret");
    assert!(secret["stringData"][text(key, "key")].is_string(), "{secret}");
    let limit = scrape["sample_limit"].as_u64().expect("a limit");
    assert_eq!(monitor["spec"]["sampleLimit"].as_u64(), Some(limit));
    // As many products as are told one by one fit.
    assert!(limit >= 200 * 3 + 200);
}

//! Claim: a component can do what spin.toml gives it and nothing else.
//! Method: the manifest with one permission taken away, run; what it guarded must then fail, and nothing half done.
//! Needs: the built components.

use std::fs;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{OPERATOR, SKU, Shop, VIEWER, root};

/// A shop that runs spin.toml with `from` replaced by `to` in the part that begins with `part`.
async fn with_manifest(part: &str, from: &str, to: &str) -> (Shop, TempDir) {
    let manifest = fs::read_to_string(root().join("spin.toml")).expect("the manifest");
    let start = manifest.find(part).unwrap_or_else(|| panic!("spin.toml has no {part}"));
    let (before, rest) = manifest.split_at(start);
    let changed = rest.replacen(from, to, 1);
    assert_ne!(changed, rest, "{part} has no {from}");
    let sources = root().join("target/wasm32-wasip2");
    let manifest = format!("{before}{changed}").replace("target/wasm32-wasip2", &sources.to_string_lossy());
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("spin.toml");
    fs::write(&path, manifest).expect("a manifest");
    (Shop::open_with(|options| options.manifest = path).await, folder)
}

#[tokio::test(flavor = "multi_thread")]
async fn only_replenishment_may_call_the_factory() {
    let hosts = r#"["{{ factory_url }}", "{{ redis_url }}", "{{ public_url }}"]"#;
    let (shop, _folder) =
        with_manifest("[component.replenishment]", hosts, r#"["{{ redis_url }}", "{{ public_url }}"]"#).await;
    shop.define(SKU, 1, 0, 10).await;
    shop.client.order(SKU, 1).await.expect(201);
    shop.drain().await;
    assert_eq!(shop.factory.stats().requests, 0);
    let request = shop.only_production().await;
    assert_eq!(request["status"], "planned", "{request}");
    shop.audit().await;

    let manifest = fs::read_to_string(root().join("spin.toml")).unwrap();
    let allowed: Vec<_> = manifest
        .lines()
        .filter(|line| line.starts_with("allowed_outbound_hosts") && line.contains("factory_url"))
        .collect();
    assert_eq!(allowed.len(), 1, "{allowed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_without_the_database_permission_reaches_no_database() {
    for (component, path) in [("sales", "/v1/products"), ("clock", "/internal/tick")] {
        let (shop, _folder) = with_manifest(
            &format!("[component.{component}]"),
            r#"sqlite_databases = ["default"]"#,
            "sqlite_databases = []",
        )
        .await;
        let answer = if component == "clock" {
            shop.client.post(OPERATOR, path, json!({})).await
        } else {
            shop.client.get(OPERATOR, path).await
        };
        assert_eq!(answer.status, 503, "{component}: {}", answer.text);
        shop.client.get(VIEWER, "/v1/queues").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_bell_costs_time_and_no_work() {
    let hosts = r#"["{{ redis_url }}", "{{ public_url }}"]"#;
    let (shop, _folder) = with_manifest("[component.sales]", hosts, "[]").await;
    shop.define(SKU, 1, 0, 10).await;
    shop.client.order(SKU, 1).await.expect(201);
    assert_eq!(shop.queue().await["ready"], 1);
    assert_eq!(shop.factory.stats().requests, 0);
    shop.tick().await;
    shop.factory.wait_until(|stats| stats.accepted == 1).await.unwrap();
    shop.settle().await;
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_host_does_not_know_stops_the_start_and_is_named() {
    let manifest = fs::read_to_string(root().join("spin.toml")).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("spin.toml");
    let odd = manifest
        .replacen("[component.sales]", "[component.sales]\nai_models = [\"llama\"]\nfrobnicate = true", 1)
        .replacen(
            "[[trigger.http]]",
            "[[trigger.cron]]\nschedule = \"* * * * *\"\ncomponent = \"clock\"\n\n[[trigger.http]]",
            1,
        );
    fs::write(&path, odd).unwrap();
    let mut options = restock_host::Options::new(&path, folder.path().join("data"));
    options.variables = crate::support::variables("http://127.0.0.1:1");
    let error = restock_host::Host::start(options).await.err().expect("the start is refused");
    let text = format!("{error:#}");
    for name in ["ai_models", "frobnicate", "cron"] {
        assert!(text.contains(name), "{name} is not named: {text}");
    }
}

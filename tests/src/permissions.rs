//! Claim: a component can do what spin.toml gives it and nothing else.
//! Method: the manifest with one permission taken away, run; what it guarded must then fail, and nothing half done.
//! Needs: the built components.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use serde_json::json;
use tempfile::TempDir;

use crate::support::{OPERATOR, SKU, STOREFRONT, Shop, VIEWER, advertised, order, root};

/// A shop that runs spin.toml with `from` replaced by `to` in the part that begins with `part`.
async fn with_manifest(part: &str, from: &str, to: &str) -> (Shop, TempDir) {
    let (path, folder) = manifest(part, from, to);
    (Shop::open_with(|options| options.manifest = path).await, folder)
}

/// The same, in a world with mail, chat and marketing.
async fn connected_with_manifest(part: &str, from: &str, to: &str) -> (Shop, TempDir) {
    let (path, folder) = manifest(part, from, to);
    (Shop::connected_as(|options, _| options.manifest = path).await, folder)
}

/// spin.toml with `from` replaced by `to` in the part that begins with `part`, in a folder of its own.
pub(crate) fn manifest(part: &str, from: &str, to: &str) -> (PathBuf, TempDir) {
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
    (path, folder)
}

/// What each component is given: its databases, and the hosts that it may call.
#[test]
fn spin_toml_gives_each_component_what_it_needs_and_nothing_else() {
    let manifest = fs::read_to_string(root().join("spin.toml")).expect("the manifest");
    let manifest: toml::Table = manifest.parse().expect("TOML");
    let listed = |component: &toml::Value, key: &str| -> Vec<String> {
        let list = component.get(key).and_then(|list| list.as_array().cloned()).unwrap_or_default();
        list.iter().map(|item| item.as_str().expect("a text").to_owned()).collect()
    };
    let bells = ["{{ redis_origin }}", "{{ public_url }}"];
    let mail = [
        "{{ mail_url }}",
        "{{ mail_fallback_url }}",
        "https://api.resend.com",
        "https://email.{{ aws_region }}.amazonaws.com",
    ];
    // What Postgres needs; the store that is there without a profile needs none.
    let shop = ["{{ postgres_origin }}"];
    let customers = ["{{ postgres_origin }}", "{{ customers_origin }}"];
    let with = |hosts: &[&str], stores: &[&str]| -> Vec<String> {
        hosts.iter().chain(&bells).chain(stores).map(|host| (*host).to_owned()).collect()
    };
    let chat: Vec<&str> = ["{{ slack_origin }}"].into_iter().chain(mail).collect();
    let expected: BTreeMap<&str, (&[&str], Vec<String>)> = BTreeMap::from([
        ("sales", (&["default"][..], with(&[], &shop))),
        ("callback", (&["default"][..], with(&[], &shop))),
        ("clock", (&["default"][..], with(&[], &shop))),
        ("console", (&["default", "customers"][..], with(&[], &customers))),
        ("replenishment", (&["default"][..], with(&["{{ factory_url }}"], &shop))),
        ("ad-control", (&["default"][..], with(&mail, &shop))),
        ("loyalty", (&["default", "customers"][..], with(&["{{ marketing_origin }}"], &customers))),
        ("alerts", (&["default"][..], with(&chat, &shop))),
        ("returns", (&["default"][..], with(&["{{ logistics_origin }}"], &shop))),
        ("store-sqlite", (&[][..], Vec::new())),
        ("store-postgres", (&[][..], Vec::new())),
    ]);
    let components = manifest["component"].as_table().expect("components");
    assert_eq!(components.keys().map(String::as_str).collect::<Vec<_>>().len(), expected.len());
    for (name, component) in components {
        let (databases, hosts) = &expected[name.as_str()];
        assert_eq!(&listed(component, "sqlite_databases"), databases, "{name}");
        assert_eq!(&listed(component, "allowed_outbound_hosts"), hosts, "{name}");
        for other in ["key_value_stores", "ai_models", "files"] {
            assert!(component.get(other).is_none(), "{name} has {other}");
        }
    }
}

/// A bulk order that empties the shelf of an advertised product: work for every queue.
pub(crate) async fn bulk_order_without_goods(shop: &Shop) {
    shop.client.put(OPERATOR, &format!("/v1/products/{SKU}"), advertised(100, 0, 200)).await.expect(201);
    shop.factory.turn(|knobs| knobs.refuse = Some(400)).unwrap();
    shop.client.post(STOREFRONT, "/v1/orders", order(&[(SKU, 100)])).await.expect(201);
    for queue in ["replenishment", "ad-control", "loyalty", "alerts"] {
        shop.drain_of(queue).await;
    }
    shop.tick().await;
    for queue in ["ad-control", "loyalty", "alerts"] {
        shop.drain_of(queue).await;
    }
}

/// The words of the last failure of a queue's only message.
pub(crate) fn last_error(shop: &Shop, queue: &str) -> String {
    shop.rows().column(&format!("SELECT error FROM message WHERE queue_id = '{queue}'")).join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn ad_control_cannot_send_mail_where_spin_toml_does_not_say_so() {
    let (shop, _folder) =
        connected_with_manifest("[component.ad-control]", "  \"{{ mail_url }}\",\n", "").await;
    bulk_order_without_goods(&shop).await;
    assert_eq!(shop.product(SKU).await["ad"]["status"], "running");
    let asked =
        |mail: &restock_sandbox::mail::MailSeen| mail.to.contains(&crate::support::AD_MANAGER.to_owned());
    assert!(!shop.world().mail.mails().iter().any(asked));
    assert!(last_error(&shop, "ad-control").contains("spin.toml"), "{}", last_error(&shop, "ad-control"));
    // What alerts is given is its own.
    assert!(!shop.world().mail.mails().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn alerts_cannot_reach_the_chat_where_spin_toml_does_not_say_so() {
    let (shop, _folder) =
        connected_with_manifest("[component.alerts]", "  \"{{ slack_origin }}\",\n", "").await;
    bulk_order_without_goods(&shop).await;
    assert_eq!(shop.world().slack.stats().requests, 0);
    assert!(last_error(&shop, "alerts").contains("spin.toml"), "{}", last_error(&shop, "alerts"));
}

#[tokio::test(flavor = "multi_thread")]
async fn loyalty_cannot_reach_marketing_where_spin_toml_does_not_say_so() {
    let (shop, _folder) =
        connected_with_manifest("[component.loyalty]", "  \"{{ marketing_origin }}\",\n", "").await;
    bulk_order_without_goods(&shop).await;
    assert_eq!(shop.world().marketing.stats().requests, 0);
    assert_eq!(shop.client.get(VIEWER, "/v1/customers/c-1").await.expect(200)["type"], "vip");
    assert!(last_error(&shop, "loyalty").contains("spin.toml"), "{}", last_error(&shop, "loyalty"));
}

#[tokio::test(flavor = "multi_thread")]
async fn returns_cannot_reach_logistics_where_spin_toml_does_not_say_so() {
    let (shop, _folder) =
        connected_with_manifest("[component.returns]", "  \"{{ logistics_origin }}\",\n", "").await;
    shop.world().logistics.set_returns(1).unwrap();
    let replay = json!({"body": {"Attribute": {
        "shipment_number": "SHP_00000001", "order_number": "1000001", "order_item_number": "2000001"}}});
    shop.client.post(OPERATOR, "/v1/returns/replay", replay).await.expect(202);
    shop.drain_of("returns").await;
    shop.rest().await;
    assert_eq!(shop.world().logistics.stats().requests, 0);
    assert!(last_error(&shop, "returns").contains("spin.toml"), "{}", last_error(&shop, "returns"));
}

#[tokio::test(flavor = "multi_thread")]
async fn only_replenishment_may_call_the_factory() {
    let (shop, _folder) = with_manifest("[component.replenishment]", "  \"{{ factory_url }}\",\n", "").await;
    shop.define(SKU, 1, 0, 10).await;
    shop.client.order(SKU, 1).await.expect(201);
    shop.drain().await;
    assert_eq!(shop.factory.stats().requests, 0);
    let request = shop.only_production().await;
    assert_eq!(request["status"], "planned", "{request}");
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_bell_costs_time_and_no_work() {
    let bells = r#""{{ redis_origin }}", "{{ public_url }}", "#;
    let (shop, _folder) = with_manifest("[component.sales]", bells, "").await;
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

//! Claim: the application runs from a manifest without Redis triggers, whole or in parts; what deploy/ says about it is true of it.
//! Method: the written manifests on the host, with no Redis anywhere; the files of deploy/ read and held against spin.toml and a
//! running shop. Their form is checked by deploy/check.
//! Needs: the built components.

mod cluster;
mod machine;
mod monitoring;

use std::fs;

use restock_host::Options;
use restock_manifest::Options as Choice;
use serde_json::json;
use tempfile::TempDir;

use crate::home::{Database, Home};
use crate::parcels::{self, EVERY_SECONDS, TRACKING_SECONDS};
use crate::support::{AD_MANAGER, OPERATOR, SKU, Shop, advertised, eventually, root};

/// The text of spin.toml.
fn spin_toml() -> String {
    fs::read_to_string(root().join("spin.toml")).expect("the manifest")
}

/// What of the application to run, without Redis triggers, in the profile of the home.
fn http_only(home: &Home, roles: &[&str]) -> Choice {
    Choice {
        http_only: true,
        profile: home.options().profile,
        roles: roles.iter().map(|&role| role.to_owned()).collect(),
        sources: format!("{}/", root().display()),
    }
}

/// Has the host run a written manifest instead of spin.toml.
fn run_written(options: &mut Options, choice: &Choice, folder: &TempDir) {
    let text = restock_manifest::write(&spin_toml(), choice).expect("a manifest");
    options.manifest = folder.path().join("written.toml");
    // The profile is in the text already, and a Redis that the home has is not to be heard.
    options.profile = None;
    options.variables.remove("redis_url");
    fs::write(&options.manifest, text).expect("a file");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_triggers_bells_over_http_close_the_main_loop() {
    main_loop(Home::on_files()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_triggers_bells_over_http_close_the_main_loop_on_postgres() {
    main_loop(Home::on_servers()).await;
}

async fn main_loop(home: Home) {
    let folder = TempDir::new().expect("a folder");
    let choice = http_only(&home, &[]);
    let shop = Shop::connected_in(home, |options, _| {
        run_written(options, &choice, &folder);
        options.variables.insert("returns_every_seconds".into(), EVERY_SECONDS.to_string());
    })
    .await;
    shop.client.put(OPERATOR, &format!("/v1/products/{SKU}"), advertised(3, 0, 10)).await.expect(201);
    let asked = |shop: &Shop| {
        let to_manager = |mail: &restock_sandbox::mail::MailSeen| mail.to.contains(&AD_MANAGER.to_owned());
        shop.world().mail.mails().iter().filter(|mail| to_manager(mail)).count()
    };

    // Nobody calls a drain: bells over HTTP bring the request to the factory and the pause to the manager. One that a busy machine
    // loses is made up for by the tick, which rings the same way.
    shop.client.order(SKU, 3).await.expect(201);
    ticking(&shop, "the factory is asked", async || shop.factory.stats().accepted == 1).await;
    ticking(&shop, "the advertisement is paused", async || asked(&shop) == 1).await;
    // The factory's report is heard, and its bell resumes the advertisement.
    shop.finish_jobs(1).await;
    assert_eq!(shop.on_hand(SKU).await, 10);
    ticking(&shop, "the advertisement is resumed", async || asked(&shop) == 2).await;

    shop.world().logistics.set_returns(3).expect("returns");
    shop.pass(EVERY_SECONDS).await;
    let collected = async || parcels::returns(&shop, "").await.len() == 3;
    ticking(&shop, "the returns are collected", collected).await;
    shop.world().logistics.deliver_all();
    shop.pass(TRACKING_SECONDS).await;
    let reported = async || shop.world().logistics.stats().reported == 3;
    ticking(&shop, "the returns are reported", reported).await;
    shop.settle_all().await;
    assert_eq!((shop.factory.stats().requests, asked(&shop)), (1, 2));
    shop.audit().await;
}

/// Waits until something holds, ticking meanwhile. Time goes on: what a busy machine made fail is tried again later.
async fn ticking(shop: &Shop, what: &str, holds: impl AsyncFn() -> bool) {
    eventually(what, || async {
        shop.pass(1).await;
        holds().await.then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_part_of_the_application_starts_by_itself() {
    for (roles, path) in [
        (&["web"][..], "/readyz"),
        (&["workers", "console"], "/readyz"),
        (&["clock", "console"], "/readyz"),
        // Without the console a queue says by itself that a key is missing.
        (&["replenishment"], "/internal/replenishment/drain"),
    ] {
        let (home, folder) = (Home::on_files(), TempDir::new().expect("a folder"));
        let mut options = home.options();
        options.variables.extend(crate::support::variables("http://127.0.0.1:9"));
        run_written(&mut options, &http_only(&home, roles), &folder);
        let host = restock_host::Host::start(options).await.expect("the part starts");
        let client = crate::support::Client::new(host.url());
        let answer = if path == "/readyz" {
            client.get("", path).await
        } else {
            client.post("", path, json!({})).await
        };
        let expected = if path == "/readyz" { 200 } else { 401 };
        assert_eq!(answer.status.as_u16(), expected, "{roles:?}: {}", answer.text);
        host.stop().await.expect("the part stops");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_goes_on_beside_a_schema_that_newer_ones_only_added_to_and_stops_before_one_that_took_away() {
    let shop = Shop::open_in(Home::on_servers(), |_| {}).await;
    shop.define(SKU, 5, 0, 10).await;
    let rows = shop.home.rows(Database::Shop);
    let known = rows.number("SELECT max(version) FROM schema_migration");
    let migrate = |version: i64, oldest: i64| {
        let values = format!("({version}, 'of a newer release', {oldest})");
        rows.change(&format!("INSERT INTO schema_migration (version, name, oldest) VALUES {values}"));
    };
    migrate(known + 1, known);
    // No instance is left that has looked at the schema before.
    let shop = shop.restart().await;
    shop.client.get("", "/readyz").await.expect(200);
    shop.client.order(SKU, 1).await.expect(201);
    migrate(known + 2, known + 1);
    let shop = shop.restart().await;
    shop.client.get("", "/readyz").await.expect(503);
    shop.client.order(SKU, 1).await.expect(503);
    assert_eq!(rows.number("SELECT count(*) FROM sales_order"), 1);
}

#[test]
fn every_manifest_that_can_be_asked_for_names_files_that_are_built() {
    for http_only in [false, true] {
        for profile in [None, Some("postgres")] {
            for role in [None, Some("web"), Some("workers"), Some("clock")] {
                let choice = Choice {
                    http_only,
                    profile: profile.map(str::to_owned),
                    roles: role.map(str::to_owned).into_iter().collect(),
                    sources: String::new(),
                };
                let text = restock_manifest::write(&spin_toml(), &choice).expect("a manifest");
                let manifest: toml::Table = text.parse().expect("TOML");
                for (id, component) in manifest["component"].as_table().expect("components") {
                    let file = component["source"].as_str().expect("a file");
                    assert!(root().join(file).is_file(), "{choice:?}: {id} is not built: {file}");
                }
            }
        }
    }
}

//! Claim: what spin.toml gives a component of SQLite is all that it has.
//! Method: the manifest with one database taken away; what needs it must then fail, and nothing half done.
//! Needs: the built components.

use serde_json::json;

use crate::home::Home;
use crate::permissions::{bulk_order_without_goods, last_error, manifest};
use crate::support::{OPERATOR, Shop, VIEWER};

#[tokio::test(flavor = "multi_thread")]
async fn only_loyalty_and_the_console_see_the_customers() {
    let both = r#"sqlite_databases = ["default", "customers"]"#;
    let one = r#"sqlite_databases = ["default"]"#;
    let (path, _folder) = manifest("[component.loyalty]", both, one);
    let shop = Shop::connected_in(Home::on_files(), |options, _| options.manifest = path).await;
    bulk_order_without_goods(&shop).await;
    assert_eq!(shop.client.get(VIEWER, "/v1/customers/c-1").await.expect(200)["type"], "normal");
    assert!(last_error(&shop, "loyalty").contains("customers"), "{}", last_error(&shop, "loyalty"));
    assert_eq!(shop.world().marketing.stats().requests, 0);

    let (path, _folder) = manifest("[component.console]", both, one);
    let shop = Shop::connected_in(Home::on_files(), |options, _| options.manifest = path).await;
    bulk_order_without_goods(&shop).await;
    shop.client.get(VIEWER, "/v1/customers/c-1").await.expect(503);
    assert_eq!(shop.world().marketing.events().len(), 1, "loyalty has what it needs");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_without_the_database_reaches_none() {
    for (component, path) in [("sales", "/v1/products"), ("clock", "/internal/tick")] {
        let (manifest, _folder) = manifest(
            &format!("[component.{component}]"),
            r#"sqlite_databases = ["default"]"#,
            "sqlite_databases = []",
        );
        let shop = Shop::open_in(Home::on_files(), |options| options.manifest = manifest).await;
        let answer = if component == "clock" {
            shop.client.post(OPERATOR, path, json!({})).await
        } else {
            shop.client.get(OPERATOR, path).await
        };
        assert_eq!(answer.status, 503, "{component}: {}", answer.text);
        shop.client.get(VIEWER, "/v1/queues").await.expect(200);
    }
}

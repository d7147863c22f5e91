//! `restock up --demo`: a shop that sells, runs out and is refilled, with a factory and customers made up for it.
//!
//! Everything goes over the public HTTP interface, as a shop's own programs would do it.

mod shop;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Context;
use restock_sandbox::Factory;
use tokio::task::JoinHandle;

use crate::host::Host;
use crate::options::Options;
use shop::{PRODUCTS, Shop};

/// How long the demo's factory needs for one of its five stages.
const STAGE_MS: u64 = 2_000;
/// The keys of the demo's roles.
const STOREFRONT_KEY: &str = "demo-storefront";
const VIEWER_KEY: &str = "demo-viewer";
const OPERATOR_KEY: &str = "demo-operator";
const INTERNAL_KEY: &str = "demo-internal";
/// After how many seconds the factory is asked again: it forgets its jobs when the demo is stopped.
const DUE_SECONDS: &str = "30";

/// The made-up world around the shop, before the shop is open.
pub struct Demo {
    factory: Factory,
}

/// The world in motion; it stands still when this is dropped.
pub struct Running {
    _factory: Factory,
    traffic: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.traffic.abort();
    }
}

/// Starts the factory and fills in the variables that are not set.
pub async fn prepare(options: &mut Options) -> anyhow::Result<Demo> {
    let factory =
        Factory::start(SocketAddr::from(([127, 0, 0, 1], 0))).await.context("starting the demo's factory")?;
    factory.turn(|knobs| knobs.stage_ms = Some(STAGE_MS))?;
    set(
        &mut options.variables,
        [
            ("storefront_keys", STOREFRONT_KEY),
            ("viewer_keys", VIEWER_KEY),
            ("operator_keys", OPERATOR_KEY),
            ("internal_keys", INTERNAL_KEY),
            ("factory_url", &factory.url()),
            ("legacy_api", "on"),
            ("legacy_sku", PRODUCTS[0].sku),
            ("production_due_seconds", DUE_SECONDS),
        ],
    );
    Ok(Demo { factory })
}

impl Demo {
    /// Puts goods on the shelves, prints what to try, and lets customers come.
    pub async fn run(self, host: &Host) -> anyhow::Result<Running> {
        let shop = Shop::new(host)?;
        shop.open().await.context("setting up the demo's shop")?;
        guide(&host.url(), &self.factory.url());
        Ok(Running { _factory: self.factory, traffic: tokio::spawn(shop.trade()) })
    }
}

fn set<'a>(variables: &mut BTreeMap<String, String>, values: impl IntoIterator<Item = (&'a str, &'a str)>) {
    for (name, value) in values {
        variables.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
}

fn guide(url: &str, factory: &str) {
    let sku = PRODUCTS[0].sku;
    println!(
        "
The demo's shop is open. Customers buy {name} ({sku}); when it runs low the factory is asked for more.

  shop        {url}
  factory     {factory}   (a stand-in: five stages of {STAGE_MS} ms)
  keys        {STOREFRONT_KEY}, {VIEWER_KEY}, {OPERATOR_KEY}

To try:

  curl -s {url}/v1/products/{sku} -H 'Authorization: Bearer {VIEWER_KEY}'
  curl -s {url}/v1/orders -H 'Authorization: Bearer {STOREFRONT_KEY}' -H 'Content-Type: application/json' \\
    -d '{{\"customer\":{{\"id\":\"me\"}},\"items\":[{{\"sku\":\"{sku}\",\"quantity\":1}}]}}'
  curl -s {url}/v1/production -H 'Authorization: Bearer {VIEWER_KEY}'
  curl -s {url}/v1/stock/{sku}/movements -H 'Authorization: Bearer {VIEWER_KEY}'
  curl -s {url}/v1/audit -H 'Authorization: Bearer {VIEWER_KEY}'
  curl -s -X POST {url}/checkout -H 'Content-Type: application/json' \\
    -d '{{\"MessageAttributeFactoryId\":\"FF-500293\"}}'        (the old shop's way)

What happens:",
        name = PRODUCTS[0].name,
    );
}

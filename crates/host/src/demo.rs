//! `restock up --demo`: a shop that sells, runs out, is refilled and takes goods back, with a factory, customers, a
//! manager's inbox, a chat, a marketing system and a logistics partner made up for it.
//!
//! Everything goes over the public HTTP interface, as a shop's own programs would do it; the day before the opening as well.

mod counter;
mod goods;
mod history;
mod shop;
mod story;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Context;
use restock_sandbox::{Factory, Logistics, Mail, Marketing, Slack};
use serde_json::{Value, json};
use std::sync::Arc;
use tokio::task::JoinHandle;

use crate::host::Host;
use crate::options::Options;
use counter::Counter;
use goods::{BULK_BUYER, PRODUCTS, Product};
use shop::Shop;

/// How long the demo's factory needs for one of its five stages.
const STAGE_MS: u64 = 4_000;
/// Where the stand-ins listen, unless somebody else does: the same each time, so that a page can stay open.
const FACTORY_PORT: u16 = 3900;
const MAIL_PORT: u16 = 3901;
const SLACK_PORT: u16 = 3902;
const MARKETING_PORT: u16 = 3903;
const LOGISTICS_PORT: u16 = 3904;
/// Returns that are under way when the demo begins, and how often a parcel moves on: collected, carried, delivered.
const RETURNS: usize = 12;
const STATUS_EVERY_MS: u64 = 10_000;
/// How often the list of returns is collected, and a young parcel looked for.
const RETURNS_EVERY_SECONDS: &str = "15";
const TRACKING_INTERVAL_SECONDS: &str = "5";
/// The keys of the demo's roles.
const STOREFRONT_KEY: &str = "demo-storefront";
const VIEWER_KEY: &str = "demo-viewer";
const OPERATOR_KEY: &str = "demo-operator";
const INTERNAL_KEY: &str = "demo-internal";
/// After how many seconds the factory is asked again: it forgets its jobs when the demo is stopped.
const DUE_SECONDS: &str = "60";
/// Who writes, and who is told when something goes wrong.
const SENDER: &str = "Restock <shop@restock.example>";
const STOCK_MANAGER: &str = "stock@restock.example";

/// How old the signature of a webhook may be for the marketing system, seconds.
const SIGNATURE_SECONDS_MAX: u64 = 300;

/// The made-up world around the shop, before the shop is open.
pub struct Demo {
    partners: Partners,
}

/// The world in motion; it stands still when this is dropped.
pub struct Running {
    _partners: Arc<Partners>,
    traffic: JoinHandle<()>,
}

/// The stand-ins. One that the shop was told not to use stands idle.
struct Partners {
    factory: Factory,
    mail: Mail,
    slack: Slack,
    marketing: Marketing,
    logistics: Logistics,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.traffic.abort();
    }
}

/// Starts the stand-ins and fills in the variables that are not set.
pub async fn prepare(options: &mut Options) -> anyhow::Result<Demo> {
    let partners = Partners {
        factory: started(Factory::start, FACTORY_PORT).await?,
        mail: started(Mail::start, MAIL_PORT).await?,
        slack: started(Slack::start, SLACK_PORT).await?,
        marketing: started(Marketing::start, MARKETING_PORT).await?,
        logistics: started(Logistics::start, LOGISTICS_PORT).await?,
    };
    partners.factory.turn(|knobs| knobs.stage_ms = Some(STAGE_MS))?;
    partners.introduce(&mut options.variables);
    Ok(Demo { partners })
}

/// Starts a stand-in on its own port, or on any free one where that is taken.
async fn started<T>(start: impl AsyncFn(SocketAddr) -> anyhow::Result<T>, port: u16) -> anyhow::Result<T> {
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    match start(at(port)).await {
        Ok(partner) => Ok(partner),
        Err(_) => start(at(0)).await.context("starting a stand-in of the demo"),
    }
}

impl Partners {
    /// Whether the shop uses none but these.
    fn are_all_in(&self, variables: &BTreeMap<String, String>) -> bool {
        [
            ("factory_url", self.factory.url()),
            ("mail_url", self.mail.url()),
            ("slack_webhook_url", self.slack.webhook_url()),
            ("marketing_url", self.marketing.hook_url()),
            ("logistics_url", self.logistics.url()),
        ]
        .iter()
        .all(|(name, url)| variables.get(*name) == Some(url))
    }

    /// Whether the factory waits to be told that a job is done, and the marketing system takes what is signed at any time; or time
    /// passes for them as it does.
    fn wait_for_hands(&self, wait: bool) -> anyhow::Result<()> {
        self.factory.turn(|knobs| knobs.stage_ms = (!wait).then_some(STAGE_MS))?;
        let tolerance = (!wait).then_some(SIGNATURE_SECONDS_MAX);
        self.marketing.turn(|knobs| knobs.tolerance_seconds = tolerance)
    }

    /// Has parcels under way, no two neighbours equally far.
    fn send_back(&self) -> anyhow::Result<()> {
        self.logistics.add_returns(RETURNS)?;
        for (place, parcel) in self.logistics.returns().iter().enumerate() {
            for _ in 0..place % 3 {
                self.logistics.advance_shipment(&parcel.shipment_number);
            }
        }
        self.logistics.turn(|knobs| {
            knobs.status_every_ms = Some(STATUS_EVERY_MS);
            // Customers go on sending things back, and the list is to stay short.
            knobs.hide_reported = true;
        })
    }

    /// Sets the variables by which the shop finds its partners. Where one of a partner's variables is set, that partner
    /// is somebody real, and none of the others is made up.
    fn introduce(&self, variables: &mut BTreeMap<String, String>) {
        set(
            variables,
            [
                ("storefront_keys", STOREFRONT_KEY),
                ("viewer_keys", VIEWER_KEY),
                ("operator_keys", OPERATOR_KEY),
                ("internal_keys", INTERNAL_KEY),
                ("factory_url", &self.factory.url()),
                ("legacy_api", "on"),
                ("legacy_sku", PRODUCTS[0].sku),
                ("production_due_seconds", DUE_SECONDS),
                ("mail_from", SENDER),
                ("stock_manager_email", STOCK_MANAGER),
                ("vip_rule", "cumulative"),
            ],
        );
        set_together(variables, [("mail_provider", "mailpit"), ("mail_url", &self.mail.url())]);
        set_together(
            variables,
            [("slack_webhook_url", &self.slack.webhook_url()), ("slack_origin", &self.slack.url())],
        );
        set_together(
            variables,
            [
                ("marketing_url", self.marketing.hook_url().as_str()),
                ("marketing_origin", &self.marketing.url()),
                ("marketing_secret", Marketing::SECRET),
            ],
        );
        set_together(
            variables,
            [
                ("logistics_url", self.logistics.url().as_str()),
                ("logistics_origin", &self.logistics.origin()),
                ("logistics_token", Logistics::TOKEN),
                // A real partner is not to be asked that often.
                ("returns_every_seconds", RETURNS_EVERY_SECONDS),
                ("tracking_interval_seconds", TRACKING_INTERVAL_SECONDS),
            ],
        );
    }
}

impl Demo {
    /// Gives a new shop a day to look back on. It takes some seconds.
    pub async fn remember(&self, options: &Options) -> anyhow::Result<()> {
        if let Some(told) = history::write(options, &self.partners).await.context("the day before")? {
            println!("the demo's shop looks back on a day with {} orders", told.orders);
        }
        self.partners.send_back()
    }

    /// Puts goods on the shelves, prints what to try, and lets customers come.
    pub async fn run(self, host: &Host) -> anyhow::Result<Running> {
        let shop = Shop::new(Counter::new(host)?);
        shop.open().await.context("setting up the demo's shop")?;
        guide(&host.url(), &self.partners);
        let partners = Arc::new(self.partners);
        // Nowhere, where the shop has a real partner.
        let ours = host.variable("logistics_url") == Some(partners.logistics.url().as_str());
        let parcels = ours.then(|| format!("{}/sandbox/returns", partners.logistics.origin()));
        let world = Arc::clone(&partners);
        let traffic = tokio::spawn(async move { shop.trade(&world, parcels).await });
        Ok(Running { _partners: partners, traffic })
    }
}

/// Loses so much of a product that the factory has to be asked for more. False where it has been asked already.
async fn spoil(counter: &Counter, product: &Product, reason: &str) -> anyhow::Result<bool> {
    let known = counter.product(product).await?;
    let level = |name: &str| known.get(name).and_then(Value::as_i64).unwrap_or_default();
    let more_than_left = level("on_hand") - level("reorder_point");
    if level("on_order") > 0 || more_than_left <= 0 {
        return Ok(false);
    }
    let lost = json!({ "delta": -more_than_left, "reason": reason });
    counter.operate(&format!("/v1/stock/{}/adjustments", product.sku), &lost).await?;
    Ok(true)
}

fn set<'a>(variables: &mut BTreeMap<String, String>, values: impl IntoIterator<Item = (&'a str, &'a str)>) {
    for (name, value) in values {
        variables.entry(name.to_owned()).or_insert_with(|| value.to_owned());
    }
}

/// Sets all of these variables, or none where one of them is set.
fn set_together<const N: usize>(variables: &mut BTreeMap<String, String>, values: [(&str, &str); N]) {
    if values.iter().all(|(name, _)| !variables.contains_key(*name)) {
        set(variables, values);
    }
}

fn guide(url: &str, partners: &Partners) {
    let sku = PRODUCTS[0].sku;
    println!(
        "
The demo's shop is open. More and more customers come, and soon all of them want {name} ({sku}): it is sold
out, and refilled by the factory. It is advertised: when it is sold out, the advertisement's manager gets an email, and
another when it is back. {buyer} buys in bulk and becomes a VIP. Some goods come back: the shop collects the returns at its
logistics partner, follows the parcels, reports those that are back, and asks you what becomes of the goods. Now and then
something goes wrong: it is told in the chat, and the console shows it.

  console     {url}/   (sign in with {OPERATOR_KEY}; {VIEWER_KEY} may only look)
  inbox       {mail}   (every email, as it arrives)
  chat        {slack}   (what Slack would show)
  marketing   {marketing}   (events about VIP customers)
  logistics   {logistics}   (returns, and where their parcels are)
  factory     {factory}   (a stand-in, like the four above: five stages of {STAGE_MS} ms)
  keys        {STOREFRONT_KEY}, {VIEWER_KEY}, {OPERATOR_KEY}

To try, beside the console:

  curl -s {url}/v1/products/{sku} -H 'Authorization: Bearer {VIEWER_KEY}'
  curl -s {url}/v1/orders -H 'Authorization: Bearer {STOREFRONT_KEY}' -H 'Content-Type: application/json' \\
    -d '{{\"customer\":{{\"id\":\"me\"}},\"items\":[{{\"sku\":\"{sku}\",\"quantity\":1}}]}}'
  curl -s {url}/v1/production -H 'Authorization: Bearer {VIEWER_KEY}'
  curl -s {url}/v1/stock/{sku}/movements -H 'Authorization: Bearer {VIEWER_KEY}'
  curl -s '{url}/v1/returns?goods=waiting' -H 'Authorization: Bearer {VIEWER_KEY}'
  curl -s -X POST {url}/v1/returns/ID/receive -H 'Authorization: Bearer {OPERATOR_KEY}' \\
    -H 'Content-Type: application/json' -d '{{}}'                (ID: of one of them; back on the shelf)
  curl -s {url}/v1/queues -H 'Authorization: Bearer {VIEWER_KEY}'
  curl -s {url}/v1/audit -H 'Authorization: Bearer {VIEWER_KEY}'
  curl -s -X PATCH {mail}/sandbox/knobs -d '{{\"refuse\":400}}'      (every email is refused; null ends it)
  curl -s -X POST {url}/checkout -H 'Content-Type: application/json' \\
    -d '{{\"MessageAttributeFactoryId\":\"FF-500293\"}}'        (the old shop's way)

What happens:",
        name = PRODUCTS[0].name,
        buyer = BULK_BUYER.name,
        mail = partners.mail.url(),
        slack = partners.slack.url(),
        marketing = partners.marketing.url(),
        logistics = partners.logistics.origin(),
        factory = partners.factory.url(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn partners() -> Partners {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Partners {
            factory: Factory::start(any).await.unwrap(),
            mail: Mail::start(any).await.unwrap(),
            slack: Slack::start(any).await.unwrap(),
            marketing: Marketing::start(any).await.unwrap(),
            logistics: Logistics::start(any).await.unwrap(),
        }
    }

    #[tokio::test]
    async fn a_partner_that_is_configured_is_left_as_it_is() {
        let partners = partners().await;
        let mut variables = BTreeMap::from([("mail_provider".to_owned(), "ses".to_owned())]);
        partners.introduce(&mut variables);
        let value = |name: &str| variables.get(name).map(String::as_str);
        assert_eq!((value("mail_provider"), value("mail_url")), (Some("ses"), None));
        assert_eq!(value("slack_origin"), Some(partners.slack.url().as_str()));
        assert!(value("slack_webhook_url").is_some_and(|url| url.starts_with(&partners.slack.url())));
        assert!(value("marketing_url").is_some_and(|url| url.starts_with(&partners.marketing.url())));
        assert_eq!(value("marketing_secret"), Some(Marketing::SECRET));
        assert_eq!(value("logistics_url"), Some(partners.logistics.url().as_str()));
        assert_eq!(value("logistics_origin"), Some(partners.logistics.origin().as_str()));
        assert_eq!(value("returns_every_seconds"), Some(RETURNS_EVERY_SECONDS));
    }

    #[tokio::test]
    async fn a_real_logistics_partner_is_asked_no_oftener_than_its_shop_wants() {
        let partners = partners().await;
        let mut variables =
            BTreeMap::from([("logistics_url".to_owned(), "https://logistics.example/api".to_owned())]);
        partners.introduce(&mut variables);
        for name in
            ["logistics_origin", "logistics_token", "returns_every_seconds", "tracking_interval_seconds"]
        {
            assert_eq!(variables.get(name), None, "{name}");
        }
    }

    #[tokio::test]
    async fn parcels_are_under_way_when_the_demo_begins_and_none_has_arrived() {
        let partners = partners().await;
        partners.send_back().unwrap();
        let statuses = partners.logistics.statuses();
        assert_eq!(statuses.values().sum::<usize>(), RETURNS, "{statuses:?}");
        assert_eq!(statuses["delivered"], 0, "{statuses:?}");
        let under_way = ["registered", "collected", "in_transit"].map(|status| statuses[status]);
        assert!(under_way.iter().all(|count| *count > 0), "{statuses:?}");
    }

    #[tokio::test]
    async fn a_stand_in_takes_another_port_where_its_own_is_taken() {
        let first = partners().await.mail;
        let second = started(Mail::start, first.addr().port()).await.unwrap();
        assert_ne!(second.addr(), first.addr());
    }
}

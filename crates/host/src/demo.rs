//! `restock up --demo`: a shop that sells, runs out and is refilled, with a factory, customers, a manager's inbox, a chat
//! and a marketing system made up for it.
//!
//! Everything goes over the public HTTP interface, as a shop's own programs would do it.

mod shop;

use std::collections::BTreeMap;
use std::net::SocketAddr;

use anyhow::Context;
use restock_sandbox::{Factory, Mail, Marketing, Slack};
use tokio::task::JoinHandle;

use crate::host::Host;
use crate::options::Options;
use shop::{BULK_BUYER, PRODUCTS, Shop};

/// How long the demo's factory needs for one of its five stages.
const STAGE_MS: u64 = 2_000;
/// Where the stand-ins listen, unless somebody else does: the same each time, so that a page can stay open.
const FACTORY_PORT: u16 = 3900;
const MAIL_PORT: u16 = 3901;
const SLACK_PORT: u16 = 3902;
const MARKETING_PORT: u16 = 3903;
/// The keys of the demo's roles.
const STOREFRONT_KEY: &str = "demo-storefront";
const VIEWER_KEY: &str = "demo-viewer";
const OPERATOR_KEY: &str = "demo-operator";
const INTERNAL_KEY: &str = "demo-internal";
/// After how many seconds the factory is asked again: it forgets its jobs when the demo is stopped.
const DUE_SECONDS: &str = "30";
/// Who writes, and who is told when something goes wrong.
const SENDER: &str = "Restock <shop@restock.example>";
const STOCK_MANAGER: &str = "stock@restock.example";

/// The made-up world around the shop, before the shop is open.
pub struct Demo {
    partners: Partners,
}

/// The world in motion; it stands still when this is dropped.
pub struct Running {
    _partners: Partners,
    traffic: JoinHandle<()>,
}

/// The stand-ins. One that the shop was told not to use stands idle.
struct Partners {
    factory: Factory,
    mail: Mail,
    slack: Slack,
    marketing: Marketing,
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
    }
}

impl Demo {
    /// Puts goods on the shelves, prints what to try, and lets customers come.
    pub async fn run(self, host: &Host) -> anyhow::Result<Running> {
        let shop = Shop::new(host)?;
        shop.open().await.context("setting up the demo's shop")?;
        guide(&host.url(), &self.partners);
        Ok(Running { _partners: self.partners, traffic: tokio::spawn(shop.trade()) })
    }
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
The demo's shop is open. Customers buy {name} ({sku}); when it runs low the factory is asked for more. It is advertised:
when it is sold out, the advertisement's manager gets an email, and another when it is back. {buyer} buys in bulk and
becomes a VIP.

  shop        {url}
  inbox       {mail}   (every email, as it arrives)
  chat        {slack}   (what Slack would show)
  marketing   {marketing}   (events about VIP customers)
  factory     {factory}   (a stand-in, like the three above: five stages of {STAGE_MS} ms)
  keys        {STOREFRONT_KEY}, {VIEWER_KEY}, {OPERATOR_KEY}

To try:

  curl -s {url}/v1/products/{sku} -H 'Authorization: Bearer {VIEWER_KEY}'
  curl -s {url}/v1/orders -H 'Authorization: Bearer {STOREFRONT_KEY}' -H 'Content-Type: application/json' \\
    -d '{{\"customer\":{{\"id\":\"me\"}},\"items\":[{{\"sku\":\"{sku}\",\"quantity\":1}}]}}'
  curl -s {url}/v1/production -H 'Authorization: Bearer {VIEWER_KEY}'
  curl -s {url}/v1/stock/{sku}/movements -H 'Authorization: Bearer {VIEWER_KEY}'
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
    }

    #[tokio::test]
    async fn a_stand_in_takes_another_port_where_its_own_is_taken() {
        let first = partners().await.mail;
        let second = started(Mail::start, first.addr().port()).await.unwrap();
        assert_ne!(second.addr(), first.addr());
    }
}

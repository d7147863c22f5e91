//! The application's variables, read once per instance. A component reads only what it needs, and names every wrong value at
//! once.

mod mail;
mod returns;

pub use returns::Logistics;

use crate::Error;
use crate::chat::Chat;
use crate::doorbell::Doorbell;
use crate::marketing::Marketing;
use crate::post::PostOffice;
use restock_bindings::orders::{VipPolicy, VipRule};
use restock_domain::capability::Signer;
use restock_domain::keys::{KeySet, Role};
use restock_domain::networks::Networks;
use restock_domain::{name, settings};
use restock_mail::Mailbox;
use spin_sdk::variables;
use std::fmt;
use std::ops::RangeInclusive;
use std::sync::OnceLock;
use std::time::Duration;

/// The longest time for production that can be configured, seconds (30 days).
const PRODUCTION_DUE_SECONDS_MAX: u32 = 30 * 24 * 60 * 60;
/// The most attempts that can be configured.
const ATTEMPTS_MAX_MAX: u32 = 1_000;
/// The most calls a second that can be configured.
const RATE_PER_SECOND_MAX: u32 = 10_000;
/// The most calls at a time that can be configured.
const CONCURRENCY_MAX: u32 = 1_000;

/// The most emails a second that can be configured.
const MAIL_RATE_PER_SECOND_MAX: u32 = 1_000;
/// The most units that can be asked of a VIP.
const VIP_UNITS_MAX: u32 = 1_000_000;
/// The longest time between two audits that can be configured, seconds (30 days).
const AUDIT_EVERY_SECONDS_MAX: u32 = 30 * 24 * 60 * 60;

/// A value that must not be shown. It has no way to print itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The value, for the one call that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret")
    }
}

/// Reads variables and collects the faults of their values.
#[derive(Default)]
pub struct Reader {
    faults: Vec<String>,
}

/// Configuration that an instance reads when it first needs it.
pub struct Cached<T>(OnceLock<T>);

impl<T> Cached<T> {
    /// Not read yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// The configuration. Wrong values are not kept: they are read again, and named again, at the next request.
    ///
    /// # Errors
    /// [`Error::Configuration`] with every wrong value.
    pub async fn get(&'static self, read: impl AsyncFnOnce(&mut Reader) -> T) -> Result<&'static T, Error> {
        if let Some(known) = self.0.get() {
            return Ok(known);
        }
        let mut reader = Reader::default();
        let value = read(&mut reader).await;
        if reader.faults.is_empty() {
            Ok(self.0.get_or_init(|| value))
        } else {
            Err(Error::Configuration(reader.faults))
        }
    }
}

impl<T> Default for Cached<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// Every wrong value that was found so far, with the name of its variable and what it must be.
    #[must_use]
    pub fn into_faults(self) -> Vec<String> {
        self.faults
    }

    fn fault(&mut self, name: &str, detail: &str) {
        self.faults.push(format!("{name}: {detail}"));
    }

    /// Keeps a value, or notes why it is wrong and goes on with a stand-in that is never used.
    fn checked<T>(&mut self, name: &str, value: Result<T, String>, stand_in: T) -> T {
        value.unwrap_or_else(|detail| {
            self.fault(name, &detail);
            stand_in
        })
    }

    /// The text of a variable. One that the manifest does not give to this component is empty, like one that was not set.
    async fn text(&mut self, name: &str) -> String {
        match variables::get(name).await {
            Ok(text) => text.trim().to_owned(),
            Err(variables::Error::Undefined(_)) => String::new(),
            // The provider's words could hold the value.
            Err(_) => {
                self.fault(name, "cannot be read");
                String::new()
            }
        }
    }

    async fn count(&mut self, name: &str, default: u32, range: RangeInclusive<u32>) -> u32 {
        let text = self.text(name).await;
        let count = settings::count(&text, default, range);
        self.checked(name, count, default)
    }

    async fn url(&mut self, name: &str) -> String {
        let text = self.text(name).await;
        let url = settings::http_origin(&text);
        self.checked(name, url, String::new())
    }

    async fn networks(&mut self, name: &str) -> Networks {
        let text = self.text(name).await;
        self.checked(name, Networks::parse(&text), Networks::default())
    }

    /// The keys of all roles.
    pub async fn keys(&mut self) -> KeySet {
        let mut keys = KeySet::new();
        for (name, role) in [
            ("storefront_keys", Role::Storefront),
            ("viewer_keys", Role::Viewer),
            ("operator_keys", Role::Operator),
            ("internal_keys", Role::Internal),
        ] {
            let text = self.text(name).await;
            let added = keys.add(role, &text);
            self.checked(name, added, ());
        }
        keys
    }

    /// Where operators must call from.
    pub async fn operator_networks(&mut self) -> Networks {
        self.networks("operator_networks").await
    }

    /// Where factories must call from.
    pub async fn callback_networks(&mut self) -> Networks {
        self.networks("callback_networks").await
    }

    /// The secrets of callback addresses.
    pub async fn callback_secret(&mut self) -> Option<Signer> {
        let text = self.text("callback_secret").await;
        let signer = Signer::parse(&text).map(Some);
        self.checked("callback_secret", signer, None)
    }

    /// Where the application can be reached from outside.
    pub async fn public_url(&mut self) -> String {
        self.url("public_url").await
    }

    /// Where factories without an address of their own listen; none where every factory must have one.
    pub async fn factory_url(&mut self) -> Option<String> {
        let text = self.text("factory_url").await;
        if settings::is_unset_address(&text) {
            return None;
        }
        let url = settings::http_origin(&text).map(Some);
        self.checked("factory_url", url, None)
    }

    /// Attempts after which a message is buried, where its queue has no limit of its own.
    pub async fn attempts_max(&mut self) -> u32 {
        self.count("attempts_max", settings::ATTEMPTS_MAX_DEFAULT, 1..=ATTEMPTS_MAX_MAX).await
    }

    /// How long a factory may take before it is asked again.
    pub async fn production_due(&mut self) -> Duration {
        let range = 1..=PRODUCTION_DUE_SECONDS_MAX;
        let default = settings::PRODUCTION_DUE_SECONDS_DEFAULT;
        Duration::from_secs(self.count("production_due_seconds", default, range).await.into())
    }

    /// Calls to the factory a second.
    pub async fn factory_rate_per_second(&mut self) -> u32 {
        let default = settings::FACTORY_RATE_PER_SECOND_DEFAULT;
        self.count("factory_rate_per_second", default, 1..=RATE_PER_SECOND_MAX).await
    }

    /// Calls to the factory at a time.
    pub async fn factory_concurrency(&mut self) -> u32 {
        let default = settings::FACTORY_CONCURRENCY_DEFAULT;
        self.count("factory_concurrency", default, 1..=CONCURRENCY_MAX).await
    }

    /// Whether the old shop's paths answer.
    pub async fn legacy_api(&mut self) -> bool {
        let text = self.text("legacy_api").await;
        self.checked("legacy_api", settings::switch(&text), false)
    }

    /// The product that the old shop's paths speak of; none where they know none.
    pub async fn legacy_sku(&mut self) -> Option<String> {
        let text = self.text("legacy_sku").await;
        self.identifier("legacy_sku", text)
    }

    /// The name under which the old shop's paths know that product.
    pub async fn legacy_slug(&mut self) -> String {
        let text = self.text("legacy_slug").await;
        self.identifier("legacy_slug", text).unwrap_or_else(|| settings::LEGACY_SLUG_DEFAULT.to_owned())
    }

    /// When an order makes its customer a VIP.
    pub async fn vip_policy(&mut self) -> VipPolicy {
        const RULES: [(&str, VipRule); 2] =
            [("single-order", VipRule::SingleOrder), ("cumulative", VipRule::Cumulative)];
        let text = self.text("vip_rule").await;
        let rule = self.checked("vip_rule", settings::word(&text, &RULES), VipRule::SingleOrder);
        VipPolicy {
            rule,
            units: self.count("vip_units", settings::VIP_UNITS_DEFAULT, 1..=VIP_UNITS_MAX).await,
        }
    }

    /// How often the invariants are recomputed; none where only when somebody asks.
    pub async fn audit_every(&mut self) -> Option<Duration> {
        let default = settings::AUDIT_EVERY_SECONDS_DEFAULT;
        let seconds = self.count("audit_every_seconds", default, 0..=AUDIT_EVERY_SECONDS_MAX).await;
        (seconds > 0).then(|| Duration::from_secs(seconds.into()))
    }

    /// Who is told of incidents where no factory with a manager is concerned; none where nobody is.
    pub async fn stock_manager_email(&mut self) -> Option<String> {
        let text = self.text("stock_manager_email").await;
        if text.is_empty() {
            return None;
        }
        self.checked("stock_manager_email", Mailbox::parse(&text).map(|_| Some(text)), None)
    }

    /// How email is sent; none where none is, with `mail_provider` not set or `none`.
    pub async fn post_office(&mut self) -> Option<PostOffice> {
        let texts = mail::Texts {
            from: self.text("mail_from").await,
            first: mail::Provider {
                provider: self.text("mail_provider").await,
                url: self.text("mail_url").await,
                key: Secret(self.text("mail_key").await),
            },
            fallback: mail::Provider {
                provider: self.text("mail_fallback_provider").await,
                url: self.text("mail_fallback_url").await,
                key: Secret(self.text("mail_fallback_key").await),
            },
            aws: mail::Aws {
                region: self.text("aws_region").await,
                access_key_id: self.text("aws_access_key_id").await,
                secret_access_key: Secret(self.text("aws_secret_access_key").await),
            },
        };
        let default = settings::MAIL_RATE_PER_SECOND_DEFAULT;
        let rate = self.count("mail_rate_per_second", default, 1..=MAIL_RATE_PER_SECOND_MAX).await;
        match texts.read() {
            Ok(None) => None,
            Ok(Some(mail)) => Some(PostOffice::new(mail.from, mail.first, mail.fallback, rate)),
            Err(faults) => {
                for (name, detail) in faults {
                    self.fault(name, &detail);
                }
                None
            }
        }
    }

    /// The chat; none where there is none, with `slack_webhook_url` not set.
    pub async fn slack(&mut self) -> Option<Chat> {
        let url = self.address("slack_webhook_url", "slack_origin", settings::hook_url).await?;
        Some(Chat::new(Secret(url)))
    }

    /// The marketing system; none where there is none, with `marketing_url` not set.
    pub async fn marketing(&mut self) -> Option<Marketing> {
        let url = self.address("marketing_url", "marketing_origin", settings::hook_url).await;
        let secrets = self.text("marketing_secret").await;
        // Secrets without an address are wrong all the same when they are.
        if url.is_none() && secrets.is_empty() {
            return None;
        }
        let signer = restock_webhook::Signer::parse(&secrets).map(Some);
        let signer = self.checked("marketing_secret", signer, None);
        Some(Marketing::new(url?, signer?))
    }

    /// An address with a path; none where it is not set. Its host must be the one that the manifest permits.
    async fn address(
        &mut self,
        name: &str,
        origin_name: &str,
        read: impl FnOnce(&str) -> Result<String, String>,
    ) -> Option<String> {
        let text = self.text(name).await;
        if settings::is_unset_address(&text) {
            return None;
        }
        let url = read(&text).map(Some);
        let url = self.checked(name, url, None)?;
        let permitted = self.text(origin_name).await;
        let permitted = settings::http_origin(&permitted).and_then(|origin| settings::origin_of(&origin));
        match permitted {
            Ok(origin) if settings::origin_of(&url).as_ref() == Ok(&origin) => Some(url),
            Ok(_) => {
                self.fault(origin_name, &format!("must be the scheme, host and port of {name}"));
                None
            }
            Err(detail) => {
                self.fault(origin_name, &detail);
                None
            }
        }
    }

    fn identifier(&mut self, name: &str, text: String) -> Option<String> {
        if text.is_empty() {
            return None;
        }
        if !name::is_identifier(&text) {
            self.fault(name, "must be 1 to 64 letters, digits, `.`, `_`, `-` or `:`");
        }
        Some(text)
    }

    /// What the manifest permits for the doorbell must be the Redis that is rung; a component that is permitted another one rings in
    /// vain and is told so by nobody.
    pub async fn redis_origin(&mut self) {
        let Ok(origin) = settings::redis_origin_of(&self.text("redis_url").await) else {
            // Not set, or a fault that the doorbell tells.
            return;
        };
        let permitted = self.text("redis_origin").await;
        if settings::redis_origin_of(&permitted).as_ref() != Ok(&origin) || permitted.contains('@') {
            self.fault("redis_origin", "must be the scheme, host and port of redis_url");
        }
    }

    /// How this component rings queues.
    pub async fn doorbell(&mut self) -> Doorbell {
        let redis_url = self.text("redis_url").await;
        let redis_url = if redis_url.is_empty() {
            None
        } else {
            let url = settings::redis_url(&redis_url).map(|url| Some(Secret(url)));
            self.checked("redis_url", url, None)
        };
        let base = self.public_url().await;
        let keys = self.text("internal_keys").await;
        let key = keys.split_whitespace().next().map(|key| Secret(key.to_owned()));
        Doorbell::new(redis_url, base, key)
    }
}

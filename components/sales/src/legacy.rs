//! The old shop's paths, for clients and factories that were written for it. They ask for no key, because those clients
//! have none, so they answer only where `legacy_api` is `on`.

use crate::orders::{key_reused, mixed_currencies, record, vip_policy};
use crate::products::available;
use restock_api::legacy::{CheckoutRequest, LegacyAnswer, LegacyProduct};
use restock_api::problem::FieldFault;
use restock_bindings::catalog::{self, Product};
use restock_bindings::orders::{self, Placement, Placing, Status};
use restock_bindings::production::{self, Delivery};
use restock_domain::capability::Signer;
use restock_domain::factory::report::{self, Report};
use restock_domain::networks::Networks;
use restock_domain::{name, order, queues};
use restock_edge::config::Cached;
use restock_edge::doorbell;
use restock_edge::{Answer, Call, Error, host, log, trace};

/// The customer of every sale that the old shop's page makes: it does not say who buys.
const CUSTOMER_ID: &str = "legacy";

struct Config {
    slug: String,
    sku: Option<String>,
    signer: Option<Signer>,
    callback_networks: Networks,
}

/// The configuration; 404 where the old shop is closed.
async fn config() -> Result<&'static Config, Error> {
    static CONFIG: Cached<Option<Config>> = Cached::new();
    let config = CONFIG
        .get(async |reader| {
            if !reader.legacy_api().await {
                return None;
            }
            Some(Config {
                slug: reader.legacy_slug().await,
                sku: reader.legacy_sku().await,
                signer: reader.callback_secret().await,
                callback_networks: reader.callback_networks().await,
            })
        })
        .await?;
    config.as_ref().ok_or(Error::NotFound("there is no such path"))
}

impl Config {
    /// The SKU that a slug stands for: the configured one, or the slug itself.
    fn sku_of<'a>(&'a self, slug: &'a str) -> Option<&'a str> {
        if slug == self.slug {
            self.sku.as_deref()
        } else {
            Some(slug).filter(|slug| name::is_identifier(slug))
        }
    }
}

async fn product_of(sku: Option<&str>) -> Result<Product, Error> {
    let unknown = || Error::NotFound("there is no such product");
    catalog::get(sku.ok_or_else(unknown)?.to_owned()).await?.ok_or_else(unknown)
}

/// `GET /product/{slug}`
pub(crate) async fn show_product(call: Call) -> Result<Answer, Error> {
    let product = product_of(config().await?.sku_of(call.value())).await?;
    Ok(Answer::ok(&LegacyProduct {
        stock: available(&product),
        product_id: product.sku.clone(),
        sku: product.sku,
        name: product.name,
        price: product.price.amount,
        factory_id: product.factory_id,
    }))
}

/// `POST /checkout`
pub(crate) async fn check_out(mut call: Call) -> Result<Answer, Error> {
    let config = config().await?;
    let idempotency_key = call.idempotency_key()?;
    let request = CheckoutRequest::decode(&call.json_body().await?)?;
    let sku = request.sku.or_else(|| config.sku.clone());
    let sku = sku.ok_or(Error::NotFound("the old shop has no product: legacy_sku is not set"))?;
    let quantity = request.count.unwrap_or(1);
    let now_ms = call.now_ms();
    let items = [order::Item { sku: sku.clone(), quantity }];
    let placement = Placement {
        id: host::fresh_id(now_ms),
        idempotency_key,
        request_hash: order::digest(&[Some(CUSTOMER_ID)], &items),
        customer: orders::Customer { id: CUSTOMER_ID.to_owned(), email: None, name: None },
        items: vec![orders::Item { sku: sku.clone(), quantity }],
        if_short: orders::IfShort::Reject,
        vip: vip_policy().await?,
        placed_at: now_ms,
        traceparent: None,
    };
    let recording = match record(placement).await? {
        Placing::Recorded(recording) => recording,
        Placing::KeyReused => return Err(key_reused()),
        Placing::MixedCurrencies => return Err(mixed_currencies()),
        Placing::UnknownSkus(_) => {
            return Err(vec![FieldFault::new("/sku", "is not the SKU of a product")].into());
        }
    };
    doorbell::ring_later(recording.rings);
    let stock = available(&product_of(Some(&sku)).await?);
    let message = match recording.order.placed_as {
        Status::Accepted => format!("sold {quantity}, {stock} left"),
        Status::Backordered | Status::Rejected => format!("sold out, {stock} left"),
    };
    Ok(Answer::ok(&LegacyAnswer { message, stock }))
}

/// `POST /product/{slug}`: a factory reports to the old shop's address.
///
/// A report that echoes a capability of ours is booked once, for its request. One without it cannot be told from its repetition:
/// it is booked for whatever request of the product is open.
pub(crate) async fn take_report(mut call: Call) -> Result<Answer, Error> {
    let config = config().await?;
    if !config.callback_networks.allow(call.address()) {
        return Err(Error::Forbidden("factories do not report from this address"));
    }
    let report = read_report(&call.body().await?)?;
    let request = config
        .signer
        .as_ref()
        .and_then(|signer| signer.verify_url(report.callback_url.as_deref()?).map(str::to_owned));
    let delivery = match request {
        Some(production_id) => Delivery::OfRequest(production_id),
        None => Delivery::OfProduct(reported_sku(config, call.value(), &report).await?),
    };
    let receipt = production::receive(delivery, report.quantity, call.now_ms())
        .await?
        .ok_or(Error::NotFound("there is no such product"))?;
    trace::take_up(receipt.traceparent.as_deref());
    log!(
        "goods received: sku={} units={} on_hand={} production={} repeated={}",
        receipt.sku,
        report.quantity,
        receipt.on_hand,
        receipt.production_id.as_deref().unwrap_or("-"),
        receipt.repeated
    );
    if !receipt.repeated {
        // As after a callback: goods that came end an episode, and a partial delivery asks for the rest.
        doorbell::ring_later(queues::AFTER_GOODS);
    }
    let message = format!("received {}, {} on hand", report.quantity, receipt.on_hand);
    Ok(Answer::ok(&LegacyAnswer { message, stock: receipt.on_hand }))
}

fn read_report(body: &[u8]) -> Result<Report, Error> {
    report::read(body).map_err(|unusable| match unusable {
        report::Unusable::NotJson => Error::Malformed(unusable.detail().to_owned()),
        _ => vec![FieldFault::new(unusable.pointer(), unusable.detail())].into(),
    })
}

/// Some factories name a product of their own numbering, so a name that is no SKU of ours is not believed.
async fn reported_sku(config: &Config, slug: &str, report: &Report) -> Result<String, Error> {
    if let Some(sku) = report.sku.as_deref().filter(|sku| name::is_identifier(sku))
        && catalog::get(sku.to_owned()).await?.is_some()
    {
        return Ok(sku.to_owned());
    }
    Ok(product_of(config.sku_of(slug)).await?.sku)
}

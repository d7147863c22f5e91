//! Products: shown and defined.

use crate::orders::money;
use http::StatusCode;
use restock_api::problem::FieldFault;
use restock_api::product::{Ad, AdStatus, Policy, Product, ProductDefinition, ProductSummary};
use restock_api::{Page, Time};
use restock_bindings::catalog::{self, Defined};
use restock_bindings::types;
use restock_domain::keys::Role;
use restock_domain::{name, queues};
use restock_edge::doorbell;
use restock_edge::{Answer, Call, Error};

/// `GET /v1/products`
pub(crate) async fn list(call: Call) -> Result<Answer, Error> {
    let page = call.page()?;
    let products = catalog::list(types::Page { limit: page.limit, after: page.after }).await?;
    let key = |product: &catalog::Product| product.sku.clone();
    Ok(if sees_all(&call) {
        Answer::ok(&Page::of(products, page.limit, key, view))
    } else {
        Answer::ok(&Page::of(products, page.limit, key, summary))
    })
}

/// `GET /v1/products/{sku}`
pub(crate) async fn show(call: Call) -> Result<Answer, Error> {
    let unknown = || Error::NotFound("there is no such product");
    if !name::is_identifier(call.value()) {
        return Err(unknown());
    }
    let product = catalog::get(call.value().to_owned()).await?.ok_or_else(unknown)?;
    Ok(if sees_all(&call) { Answer::ok(&view(product)) } else { Answer::ok(&summary(product)) })
}

fn sees_all(call: &Call) -> bool {
    call.caller().is_some_and(|caller| matches!(caller.role, Role::Viewer | Role::Operator))
}

/// `PUT /v1/products/{sku}`
pub(crate) async fn define(mut call: Call) -> Result<Answer, Error> {
    let definition = ProductDefinition::decode(&call.json_body().await?)?;
    let sku = call.value().to_owned();
    if !name::is_identifier(&sku) {
        return Err(
            vec![FieldFault::new("{sku}", "must be 1 to 64 letters, digits, `.`, `_`, `-` or `:`")].into()
        );
    }
    let definition = catalog::ProductDefinition {
        sku,
        name: definition.name,
        price: types::Money { amount: definition.price.amount, currency: definition.price.currency },
        factory_id: definition.factory_id,
        policy: match definition.policy {
            Policy::Manual => catalog::Policy::Manual,
            Policy::Auto => catalog::Policy::Auto,
        },
        reorder_point: definition.reorder_point,
        order_up_to: definition.order_up_to,
        ad: definition
            .ad
            .map(|ad| catalog::AdDefinition { running: ad.running, manager_email: ad.manager_email }),
        opening_stock: definition.opening_stock,
    };
    let (status, product) = match catalog::define(definition, call.operator(), call.now_ms()).await? {
        Defined::Created(product) => (StatusCode::CREATED, product),
        Defined::Updated(product) => (StatusCode::OK, product),
        Defined::UnknownFactory => {
            return Err(vec![FieldFault::new("/factory_id", "is not a factory; define it first")].into());
        }
    };
    // A product that is created below its reorder point, or whose reorder point was raised, needs goods at once; an
    // advertisement that starts while nothing can be sold is to be paused.
    doorbell::ring_later(queues::AFTER_GOODS);
    Ok(Answer::json(status, &view(product)))
}

/// Units that a new order can have.
pub(crate) fn available(product: &catalog::Product) -> i64 {
    product.on_hand.saturating_sub(product.backordered).max(0)
}

fn summary(product: catalog::Product) -> ProductSummary {
    let available = available(&product);
    ProductSummary { sku: product.sku, name: product.name, price: money(product.price), available }
}

fn view(product: catalog::Product) -> Product {
    Product {
        available: available(&product),
        sku: product.sku,
        name: product.name,
        price: money(product.price),
        on_hand: product.on_hand,
        on_order: product.on_order,
        backordered: product.backordered,
        reorder_point: product.reorder_point,
        order_up_to: product.order_up_to,
        policy: match product.policy {
            catalog::Policy::Manual => Policy::Manual,
            catalog::Policy::Auto => Policy::Auto,
        },
        factory_id: product.factory_id,
        ad: Ad {
            status: match product.ad.status {
                catalog::AdStatus::None => AdStatus::None,
                catalog::AdStatus::Stopped => AdStatus::Stopped,
                catalog::AdStatus::Running => AdStatus::Running,
                catalog::AdStatus::PauseRequested => AdStatus::PauseRequested,
            },
            manager_email: product.ad.manager_email,
        },
        depleted_since: product.depleted_since.map(Time),
    }
}

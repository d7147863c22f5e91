//! What is sold and who makes it.

use crate::Store;
use crate::database::{Database, Value};
use crate::engine::Engine;
use crate::restock::catalog::{
    AdDefinition, AdStatus, Advertisement, Defined, Demand, Factory, Guest, Policy, Product,
    ProductDefinition,
};
use crate::restock::types::{Fault, Money, Page};
use crate::row::{Row, after, limit, millis, only};

const DAY_MS: u64 = 86_400_000;
/// Days of demand that the automatic levels look at.
const DEMAND_DAYS_MAX: u64 = 60;
/// Lead times that the automatic levels look at, the latest.
const LEAD_TIMES_MAX: i64 = 20;

impl<E: Engine> Guest for Store<E> {
    async fn get(sku: String) -> Result<Option<Product>, Fault> {
        get(E::shop(), sku).await
    }

    async fn list(page: Page) -> Result<Vec<Product>, Fault> {
        list(E::shop(), page).await
    }

    async fn define(definition: ProductDefinition, operator: String, now: u64) -> Result<Defined, Fault> {
        define(E::shop(), definition, operator, now).await
    }

    async fn define_factory(factory: Factory, operator: String, now: u64) -> Result<bool, Fault> {
        define_factory(E::shop(), factory, operator, now).await
    }

    async fn auto_demand(page: Page, now: u64) -> Result<Vec<Demand>, Fault> {
        auto_demand(E::shop(), page, now).await
    }

    async fn set_levels(sku: String, reorder_point: i64, order_up_to: i64, now: u64) -> Result<bool, Fault> {
        set_levels(E::shop(), sku, reorder_point, order_up_to, now).await
    }
}

/// Reads one product.
pub async fn get(database: &impl Database, sku: String) -> Result<Option<Product>, Fault> {
    let row = database.read_one(database.sql().product_get, vec![sku.into()]).await?;
    row.map(|mut row| product(&mut row)).transpose()
}

/// Reads a page of products.
pub async fn list(database: &impl Database, page: Page) -> Result<Vec<Product>, Fault> {
    let rows = database.read(database.sql().product_list, vec![after(&page), limit(&page)]).await?;
    rows.into_iter().map(|mut row| product(&mut row)).collect()
}

/// Creates or changes a product.
pub async fn define<D: Database>(
    database: &D,
    definition: ProductDefinition,
    operator: String,
    now: u64,
) -> Result<Defined, Fault> {
    let (ad_status, ad_manager_email) = match definition.ad {
        None => ("none", None),
        Some(AdDefinition { running: true, manager_email }) => ("running", manager_email),
        Some(AdDefinition { running: false, manager_email }) => ("stopped", manager_email),
    };
    let parameters = vec![
        definition.sku.clone().into(),
        definition.name.into(),
        definition.price.amount.into(),
        definition.price.currency.into(),
        definition.factory_id.into(),
        policy_word(definition.policy).into(),
        definition.reorder_point.into(),
        definition.order_up_to.into(),
        ad_status.into(),
        ad_manager_email.into(),
        definition.opening_stock.into(),
        millis(now),
        operator.into(),
    ];
    let rows = database.write(database.sql().product_define, parameters).await?;
    let Some(mut row) = rows.into_iter().next() else {
        return Ok(Defined::UnknownFactory);
    };
    let created = row.flag()?;
    let product = D::Engine::defined(database, row, definition.sku).await?;
    Ok(if created { Defined::Created(product) } else { Defined::Updated(product) })
}

/// Creates or changes a factory.
pub async fn define_factory(
    database: &impl Database,
    factory: Factory,
    operator: String,
    now: u64,
) -> Result<bool, Fault> {
    let parameters = vec![
        factory.id.into(),
        factory.name.into(),
        factory.manager_email.into(),
        factory.url.into(),
        millis(now),
        operator.into(),
    ];
    only(database.write(database.sql().factory_define, parameters).await?)?.flag()
}

/// Reads what automatic levels are computed from.
pub async fn auto_demand(database: &impl Database, page: Page, now: u64) -> Result<Vec<Demand>, Fault> {
    let today = now / DAY_MS;
    let first_day = today.saturating_sub(DEMAND_DAYS_MAX);
    let parameters = vec![
        after(&page),
        limit(&page),
        millis(first_day * DAY_MS),
        millis(today * DAY_MS),
        Value::Integer(LEAD_TIMES_MAX),
    ];
    let rows = database.read(database.sql().product_demand, parameters).await?;
    rows.into_iter()
        .map(|mut row| {
            let (sku, reorder_point, order_up_to) = (row.text()?, row.integer()?, row.integer()?);
            let ordered_since: Option<u64> = row.optional_integer()?;
            let daily: Vec<(u64, i64)> = row.json()?;
            let since = ordered_since.map_or(today, |day| day.max(first_day));
            Ok(Demand {
                sku,
                reorder_point,
                order_up_to,
                daily_units: (since..today)
                    .map(|day| {
                        daily.iter().find(|(ordered, _)| *ordered == day).map_or(0, |(_, units)| *units)
                    })
                    .collect(),
                lead_times_days: row.json()?,
            })
        })
        .collect()
}

/// Sets computed levels of an automatic product.
pub async fn set_levels<D: Database>(
    database: &D,
    sku: String,
    reorder_point: i64,
    order_up_to: i64,
    now: u64,
) -> Result<bool, Fault> {
    let levels: Vec<Value> = vec![sku.into(), reorder_point.into(), order_up_to.into()];
    let mut parameters = levels.clone();
    parameters.push(millis(now));
    let taken = database.write_keyed(database.sql().product_set_levels, parameters).await?;
    D::Engine::levels_set(database, taken.into_iter().next(), levels).await
}

/// Reads the columns of `product_get`.
pub fn product(row: &mut Row) -> Result<Product, Fault> {
    Ok(Product {
        sku: row.text()?,
        name: row.text()?,
        price: Money { amount: row.integer()?, currency: row.text()? },
        factory_id: row.text()?,
        policy: row.word(|word| match word {
            "manual" => Some(Policy::Manual),
            "auto" => Some(Policy::Auto),
            _ => None,
        })?,
        reorder_point: row.integer()?,
        order_up_to: row.integer()?,
        ad: Advertisement { status: row.word(ad_status)?, manager_email: row.optional_text()? },
        on_hand: row.integer()?,
        on_order: row.integer()?,
        backordered: row.integer()?,
        depleted_since: row.optional_integer()?,
    })
}

fn policy_word(policy: Policy) -> &'static str {
    match policy {
        Policy::Manual => "manual",
        Policy::Auto => "auto",
    }
}

fn ad_status(word: &str) -> Option<AdStatus> {
    Some(match word {
        "none" => AdStatus::None,
        "stopped" => AdStatus::Stopped,
        "running" => AdStatus::Running,
        "pause-requested" => AdStatus::PauseRequested,
        _ => return None,
    })
}

//! Reorder points and order-up-to levels of products under the `auto` policy.

use restock_bindings::catalog;
use restock_bindings::types::{Fault, Page};
use restock_domain::levels;
use std::sync::atomic::{AtomicU64, Ordering};

/// The levels are computed at most so often by one instance, ms. Demand is counted by the day, so more often tells no more.
const INTERVAL_MS: u64 = 60_000;
/// Products that are read at a time.
const PAGE_PRODUCTS: u32 = 200;
/// Pages that one tick reads at most.
const PAGES_MAX: u32 = 500;

/// When this instance last computed them, ms since 1970. A cache: an instance that forgets computes them once more, and comes to the
/// same result.
static COMPUTED_AT: AtomicU64 = AtomicU64::new(0);

/// Computes the levels anew, where it is time. Returns how many products took new ones.
pub(crate) async fn set(now_ms: u64) -> Result<u32, Fault> {
    if now_ms.saturating_sub(COMPUTED_AT.load(Ordering::Relaxed)) < INTERVAL_MS {
        return Ok(0);
    }
    let mut levels_set = 0;
    let mut after = None;
    for _ in 0..PAGES_MAX {
        let page = Page { limit: PAGE_PRODUCTS, after };
        let products = catalog::auto_demand(page, now_ms).await?;
        let Some(last) = products.last() else { break };
        after = Some(last.sku.clone());
        for product in products {
            let Some(levels) = levels::compute(&product.daily_units, &product.lead_times_days) else {
                continue;
            };
            let known = (product.reorder_point, product.order_up_to);
            if known == (levels.reorder_point, levels.order_up_to) {
                continue;
            }
            let taken = catalog::set_levels(product.sku, levels.reorder_point, levels.order_up_to, now_ms);
            levels_set += u32::from(taken.await?);
        }
    }
    COMPUTED_AT.store(now_ms, Ordering::Relaxed);
    Ok(levels_set)
}

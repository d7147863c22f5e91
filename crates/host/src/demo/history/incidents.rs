//! What went wrong on the day before, and what operators did about it.

use serde_json::{Value, json};

use super::super::counter::items;
use super::super::goods::{PRODUCTS, Product, TROUBLED};
use super::super::spoil;
use super::Past;

/// The minutes of the day in which something happens.
const PAUSED: u32 = 200;
const RESUMED: u32 = 215;
const REFUSED: u32 = 300;
const REDRIVEN: u32 = 341;
const STOCK_TAKEN: u32 = 420;
const LOGISTICS_FAILS: u32 = 560;
const LOGISTICS_IS_BACK: u32 = 660;
const MARKETING_REFUSES: u32 = 834;
const MARKETING_IS_BACK: u32 = 1_205;
const STOCK_TAKEN_AGAIN: u32 = 1_010;
const REFUSED_AGAIN: u32 = 1_262;
/// How often, in minutes, an operator decides about goods that came back, and until when.
const DECIDED_EVERY: u32 = 120;
const DECIDED_UNTIL: u32 = 1_200;
/// Every so many-th of them is thrown away.
const DISCARDED_EVERY: usize = 4;
/// What the factory and the marketing system answer to what they never take.
const REFUSAL: u16 = 422;

/// Lets happen what the day has for this minute; says whether that is anything.
pub(super) async fn happen(past: &mut Past<'_>, minute: u32) -> anyhow::Result<bool> {
    let partners = past.partners;
    match minute {
        PAUSED => {
            let reason = json!({ "reason": "the logistics partner changes its address book" });
            past.counter.operate("/v1/queues/returns/pause", &reason).await?;
        }
        RESUMED => drop(past.counter.operate("/v1/queues/returns/resume", &json!({})).await?),
        REFUSED => {
            let cheap = PRODUCTS.get(7..10).unwrap_or_default();
            refuse(past, cheap.iter().collect(), "the cold store failed in the night").await?;
        }
        REDRIVEN => {
            let wish = json!({ "reason": "factory-refused" });
            past.counter.operate("/v1/queues/replenishment/redrive", &wish).await?;
        }
        STOCK_TAKEN => adjust(past, PRODUCTS.get(4), 3, "stock-take: found behind the shelf").await?,
        STOCK_TAKEN_AGAIN => adjust(past, PRODUCTS.get(5), -2, "stock-take: two packets open").await?,
        LOGISTICS_FAILS => partners.logistics.turn(|knobs| knobs.error_rate = 1.0)?,
        LOGISTICS_IS_BACK => partners.logistics.turn(|knobs| knobs.error_rate = 0.0)?,
        MARKETING_REFUSES => partners.marketing.turn(|knobs| knobs.refuse = Some(REFUSAL))?,
        MARKETING_IS_BACK => partners.marketing.turn(|knobs| knobs.refuse = None)?,
        REFUSED_AGAIN => refuse(past, vec![TROUBLED], "fell off the pallet").await?,
        _ if minute.is_multiple_of(DECIDED_EVERY) && minute < DECIDED_UNTIL => decide(past).await?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// The factory refuses what is asked of it in this moment, which an accident on the shelf makes necessary.
async fn refuse(past: &mut Past<'_>, products: Vec<&Product>, reason: &str) -> anyhow::Result<()> {
    // What was asked for before is not to be refused.
    past.counter.settles("replenishment").await?;
    past.partners.factory.turn(|knobs| knobs.refuse = Some(REFUSAL))?;
    let asked = past.partners.factory.stats().requests;
    let mut wanted = 0;
    for product in products {
        if spoil(&past.counter, product, reason).await? {
            wanted += 1;
        }
    }
    let refused = past.partners.factory.wait_until(|stats| stats.requests >= asked + wanted).await;
    past.rest().await?;
    past.partners.factory.turn(|knobs| knobs.refuse = None)?;
    refused.map(drop)
}

async fn adjust(
    past: &mut Past<'_>,
    product: Option<&Product>,
    delta: i64,
    reason: &str,
) -> anyhow::Result<()> {
    let Some(product) = product else { return Ok(()) };
    let path = format!("/v1/stock/{}/adjustments", product.sku);
    past.counter.operate(&path, &json!({ "delta": delta, "reason": reason })).await.map(drop)
}

/// An operator decides about all goods that came back.
async fn decide(past: &mut Past<'_>) -> anyhow::Result<()> {
    let waiting = past.counter.read("/v1/returns?goods=waiting&limit=200").await?;
    for (place, entry) in items(&waiting).iter().enumerate() {
        let id = entry.get("id").and_then(Value::as_str).unwrap_or_default();
        let (what, reason) = if place % DISCARDED_EVERY == DISCARDED_EVERY - 1 {
            ("discard", json!({ "reason": "the seal is broken" }))
        } else {
            ("receive", json!({}))
        };
        past.counter.operate(&format!("/v1/returns/{id}/{what}"), &reason).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::super::goods::VIPS;
    use super::super::day::bulk_units_until;
    use super::*;

    #[test]
    fn marketing_refuses_while_somebody_becomes_a_vip() {
        let becomes = |buyer: usize| {
            bulk_units_until(buyer, MARKETING_REFUSES) < 100
                && bulk_units_until(buyer, MARKETING_IS_BACK - 1) >= 100
        };
        assert!((0..VIPS.len()).any(becomes));
    }
}

//! The demo's shop while it trades: a rising number of customers, a rush that sells out, and troubles now and then.

use std::time::Duration;

use anyhow::{Context, ensure};
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::counter::{Counter, Wish, items};
use super::goods::{BULK, BULK_BUYER, CUSTOMERS, NAMESAKES, PRODUCTS, Product, RUSHED, TROUBLED};
use super::story::Story;
use super::{Partners, spoil};

/// The pause between two customers when the shop opens, at its best, and in a rush.
const PAUSE_MS_MAX: u64 = 3_000;
const PAUSE_MS_MIN: u64 = 1_500;
const RUSH_PAUSE_MS: u64 = 400;
/// In how many seconds the shop comes from the first to the second.
const RISE_SECONDS: u64 = 60;
/// When the first rush begins, how long one lasts, and when the next one comes, in seconds.
const RUSH_AFTER_SECONDS: u64 = 25;
const RUSH_SECONDS: u64 = 30;
const RUSH_EVERY_SECONDS: u64 = 150;
/// How many seconds after the beginning of a rush something goes wrong, and for how long.
const TROUBLE_AFTER_SECONDS: u64 = 60;
const TROUBLE_SECONDS: u64 = 30;
/// After how many other customers the bulk buyer comes again, and how much is taken: a VIP within some minutes.
const BULK_EVERY: usize = 30;
const BULK_UNITS: u32 = 20;
/// After how many sales one is sent back.
const SENT_BACK_EVERY: u32 = 10;
/// Percent of the customers who wait where there is not enough.
const WAITING_PERCENT: u32 = 25;
/// How many units a customer takes in a rush, at least and at most.
const RUSH_UNITS: (u32, u32) = (2, 5);
/// How often it is looked what is new.
const LOOK_EVERY_MS: u64 = 1_000;
/// Returns that are looked at; the newest, and the most that a page has.
const RETURNS_SEEN_MAX: usize = 200;
/// What the factory answers to what it never makes.
const REFUSAL: u16 = 422;

pub(super) struct Shop {
    counter: Counter,
    random: fastrand::Rng,
    opened: Instant,
    /// Troubles that began.
    troubles: u64,
    /// Whether the logistics partner fails just now.
    failing: bool,
}

/// What the time of day brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hour {
    pause_ms: u64,
    rush: bool,
    /// The number of the trouble that is due, from 1; 0 before the first one.
    trouble: u64,
    in_trouble: bool,
}

/// What the time is like so many seconds after opening.
fn hour(seconds: u64) -> Hour {
    let rise = (PAUSE_MS_MAX - PAUSE_MS_MIN) * seconds.min(RISE_SECONDS) / RISE_SECONDS;
    let since_first = seconds.checked_sub(RUSH_AFTER_SECONDS);
    let in_cycle = since_first.map(|seconds| seconds % RUSH_EVERY_SECONDS);
    let rush = in_cycle.is_some_and(|seconds| seconds < RUSH_SECONDS);
    let trouble = seconds
        .checked_sub(RUSH_AFTER_SECONDS + TROUBLE_AFTER_SECONDS)
        .map_or(0, |seconds| seconds / RUSH_EVERY_SECONDS + 1);
    let troubled = TROUBLE_AFTER_SECONDS..TROUBLE_AFTER_SECONDS + TROUBLE_SECONDS;
    Hour {
        pause_ms: if rush { RUSH_PAUSE_MS } else { PAUSE_MS_MAX - rise },
        rush,
        trouble,
        in_trouble: in_cycle.is_some_and(|seconds| troubled.contains(&seconds)),
    }
}

impl Shop {
    pub(super) fn new(counter: Counter) -> Self {
        Self { counter, random: fastrand::Rng::new(), opened: Instant::now(), troubles: 0, failing: false }
    }

    /// Registers the factory and the products, where that has not been done.
    pub(super) async fn open(&self) -> anyhow::Result<()> {
        self.counter.wait_until_ready().await?;
        self.counter.stock().await
    }

    /// Lets one customer after the other come and tells what becomes of it, until dropped.
    pub(super) async fn trade(mut self, partners: &Partners, parcels: Option<String>) {
        let mut story = Story::default();
        let mut looked: Option<Instant> = None;
        self.opened = Instant::now();
        for customer in 1_usize.. {
            let now = hour(self.opened.elapsed().as_secs());
            self.serve(&mut story, &now, parcels.as_deref()).await;
            if customer.is_multiple_of(BULK_EVERY) {
                story.tell(format!("{} asks for {BULK_UNITS} {}", BULK_BUYER.name, BULK.name));
                let wish = Wish {
                    customer: &BULK_BUYER,
                    namesake: None,
                    product: BULK,
                    quantity: BULK_UNITS,
                    waits: false,
                };
                self.sell(&mut story, &wish, parcels.as_deref()).await;
            }
            if let Err(error) = self.trouble(&mut story, &now, partners).await {
                story.tell(format!("nothing went wrong: {error:#}"));
            }
            if looked.is_none_or(|looked| looked.elapsed() >= Duration::from_millis(LOOK_EVERY_MS)) {
                if let Err(error) = self.look(&mut story).await {
                    story.tell(format!("the shop does not answer: {error:#}"));
                }
                looked = Some(Instant::now());
            }
            tokio::time::sleep(Duration::from_millis(now.pause_ms)).await;
        }
    }

    async fn serve(&mut self, story: &mut Story, now: &Hour, parcels: Option<&str>) {
        let Some(customer) = self.random.choice(&CUSTOMERS) else { return };
        let product = if now.rush && self.random.u32(0..5) > 0 { RUSHED } else { self.wanted() };
        let quantity = if now.rush { self.random.u32(RUSH_UNITS.0..=RUSH_UNITS.1) } else { 1 };
        let waits = self.random.u32(0..100) < WAITING_PERCENT;
        let namesake = Some(self.random.u32(1..=NAMESAKES));
        self.sell(story, &Wish { customer, namesake, product, quantity, waits }, parcels).await;
    }

    /// One of the products, as often as it is wanted beside the others.
    fn wanted(&mut self) -> &'static Product {
        let all: u32 = PRODUCTS.iter().map(|product| product.wanted).sum();
        let mut drawn = self.random.u32(0..all.max(1));
        for product in &PRODUCTS {
            if drawn < product.wanted {
                return product;
            }
            drawn -= product.wanted;
        }
        RUSHED
    }

    async fn sell(&self, story: &mut Story, wish: &Wish<'_>, parcels: Option<&str>) {
        match self.counter.buy(wish).await {
            Ok((status, order)) => {
                story.bought(wish.product, wish.quantity, status);
                if status == StatusCode::CREATED
                    && let Some(parcels) = parcels
                    && story.comes_back(SENT_BACK_EVERY)
                    && let Err(error) = self.send_back(story, wish.product, &order, parcels).await
                {
                    story.tell(format!("a parcel was not handed in: {error:#}"));
                }
            }
            Err(error) => story.tell(format!("a customer was not served: {error:#}")),
        }
    }

    /// What was bought is handed in as a return.
    async fn send_back(
        &self,
        story: &mut Story,
        product: &Product,
        order: &Value,
        parcels: &str,
    ) -> anyhow::Result<()> {
        let id = order.get("id").and_then(Value::as_str).context("an order without an id")?;
        let (_, end) = id.rsplit_once('-').unwrap_or_default();
        let parcel = json!({
            "order_number": id,
            "order_item_number": product.sku,
            "shipment_number": format!("SHP_{end}"),
        });
        let (status, answer) = self.counter.call(Method::POST, parcels, "", Some(&parcel)).await?;
        ensure!(status.is_success(), "the logistics partner answered {status}: {answer}");
        story.tell(format!("{} is sent back by a customer: SHP_{end}", product.name));
        Ok(())
    }

    /// Lets something go wrong where that is due: by turns the factory refuses a request, which leaves a dead letter, and the
    /// logistics partner fails until its circuit opens.
    async fn trouble(&mut self, story: &mut Story, now: &Hour, partners: &Partners) -> anyhow::Result<()> {
        if self.failing && !now.in_trouble {
            self.failing = false;
            partners.logistics.turn(|knobs| knobs.error_rate = 0.0)?;
            story.tell("the logistics partner works again".to_owned());
        }
        if now.trouble <= self.troubles {
            return Ok(());
        }
        self.troubles = now.trouble;
        if now.trouble.is_multiple_of(2) {
            self.failing = true;
            partners.logistics.turn(|knobs| knobs.error_rate = 1.0)?;
            story.tell("the logistics partner fails".to_owned());
            return Ok(());
        }
        // No customer comes in between, so that what is refused is this product; what was asked for before is not to be.
        if !self.counter.settles("replenishment").await? {
            return Ok(());
        }
        let asked = partners.factory.stats().requests;
        partners.factory.turn(|knobs| knobs.refuse = Some(REFUSAL))?;
        let spoiled = spoil(&self.counter, TROUBLED, "fell off the pallet").await;
        let refused = match spoiled {
            Ok(true) => partners.factory.wait_until(|stats| stats.requests > asked).await.map(|_| true),
            other => other,
        };
        partners.factory.turn(|knobs| knobs.refuse = None)?;
        if refused? {
            let name = TROUBLED.name;
            story.tell(format!("{name}: the factory refuses what it is asked for; see the dead letters"));
        }
        Ok(())
    }

    async fn look(&self, story: &mut Story) -> anyhow::Result<()> {
        let products = self.counter.read("/v1/products?limit=200").await?;
        for known in items(&products) {
            let sku = known.get("sku").and_then(Value::as_str).unwrap_or_default();
            if let Some(product) = PRODUCTS.iter().find(|product| product.sku == sku) {
                let level = |name: &str| known.get(name).and_then(Value::as_i64).unwrap_or_default();
                story.level(product, level("on_hand"), level("on_order"));
            }
        }
        // Nobody who has not yet bought in bulk is known.
        let path = format!("/v1/customers/{}", BULK_BUYER.id);
        let vip =
            self.counter.read(&path).await.is_ok_and(|customer| customer.get("type") == Some(&json!("vip")));
        story.customer(&BULK_BUYER, vip);
        let returns = self.counter.read(&format!("/v1/returns?limit={RETURNS_SEEN_MAX}")).await?;
        story.returns(items(&returns));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rush_and_a_trouble_come_within_the_first_minute_and_a_half_and_again() {
        assert_eq!(hour(0), Hour { pause_ms: PAUSE_MS_MAX, rush: false, trouble: 0, in_trouble: false });
        let first = (0..90).filter(|second| hour(*second).rush).count();
        assert_eq!(first, 30);
        assert_eq!((hour(84).trouble, hour(85).trouble), (0, 1));
        assert!(hour(85).in_trouble && !hour(115).in_trouble);
        assert!(hour(RUSH_AFTER_SECONDS + RUSH_EVERY_SECONDS).rush);
        assert_eq!(hour(240).trouble, 2);
        assert!((0..1_000).all(|second| hour(second).pause_ms >= RUSH_PAUSE_MS));
    }
}

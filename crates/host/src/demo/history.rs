//! The day before the demo opens: what customers, the factory, parcels, partners and operators did in it.
//!
//! Nobody writes rows here. The application itself runs on a clock that stands a day back and is moved on by hand, and everything
//! goes over its public interface as on any other day; so what it looks back on afterwards is true in every detail that the audit
//! knows of.

mod day;
mod incidents;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, SystemTime};

use anyhow::Context;
use futures::future::try_join_all;
use restock_sandbox::logistics::Return;
use serde_json::Value;
use uuid::Uuid;

use super::Partners;
use super::counter::{Counter, Wish, items};
use crate::clock::Clock;
use crate::host::Host;
use crate::options::Options;
use day::{DAY_MINUTES, Shopper, orders_in};

/// How often the tick comes, and how often people and partners look around, in minutes.
const TICK_EVERY: u32 = 10;
/// How many minutes the factory needs at least, and at most.
const MAKING_MINUTES: (u32, u32) = (3, 14);
/// How many customers come at the same moment: their orders share one commit.
const TOGETHER: usize = 3;
/// After how many orders one is sent back, and every how many minutes a parcel is one status further.
const SENT_BACK_EVERY: u32 = 22;
const PARCEL_EVERY: u32 = 45;
/// How often it is looked whether all workers came back, and the pause between two looks.
const REST_LOOKS_MAX: u32 = 2_000;
const REST_PAUSE_MS: u64 = 2;
/// What is another than on the days that are watched: nobody waits for a partner's rate, and goods may take an hour.
const VARIABLES: [(&str, &str); 7] = [
    ("production_due_seconds", "10800"),
    ("tracking_interval_seconds", "1800"),
    ("returns_every_seconds", "900"),
    ("factory_rate_per_second", "1000"),
    ("mail_rate_per_second", "1000"),
    ("logistics_rate_per_second", "1000"),
    ("attempts_max", "12"),
];
/// The same day each time.
const SEED: u64 = 502_101;

/// What the day came to.
pub(super) struct Told {
    /// Orders, whatever became of them.
    pub(super) orders: u32,
}

/// Lets the day before pass, where the shop is new and all of its partners are stand-ins. Fails where the application does not do
/// what it does on other days.
pub(super) async fn write(options: &Options, partners: &Partners) -> anyhow::Result<Option<Told>> {
    if !partners.are_all_in(&options.variables) {
        return Ok(None);
    }
    let length = Duration::from_secs(u64::from(DAY_MINUTES) * 60);
    let clock = Clock::manual(SystemTime::now().checked_sub(length).context("a clock before 1970")?);
    let mut options = options.clone();
    options.listen = SocketAddr::from(([127, 0, 0, 1], 0));
    options.clock = clock.clone();
    options.tick = None;
    // The factory reports to whoever asks it.
    options.variables.remove("public_url");
    options.variables.extend(VARIABLES.map(|(name, value)| (name.to_owned(), value.to_owned())));
    let host = Host::start(options).await.context("the day before does not begin")?;
    let counter = Counter::new(&host)?;
    counter.wait_until_ready().await?;
    let told = if counter.is_new().await? {
        counter.stock().await?;
        partners.wait_for_hands(true)?;
        let mut past = Past::new(counter, clock, partners);
        let passed = past.pass().await;
        partners.wait_for_hands(false)?;
        passed?;
        Some(Told { orders: past.orders })
    } else {
        None
    };
    host.stop().await?;
    Ok(told)
}

/// The day while it passes.
struct Past<'a> {
    counter: Counter,
    clock: Clock,
    partners: &'a Partners,
    shopper: Shopper,
    /// The minute in which each of the factory's jobs is done.
    jobs: BTreeMap<Uuid, u32>,
    orders: u32,
    parcels: u32,
}

impl<'a> Past<'a> {
    fn new(counter: Counter, clock: Clock, partners: &'a Partners) -> Self {
        let shopper = Shopper::new(SEED);
        Self { counter, clock, partners, shopper, jobs: BTreeMap::new(), orders: 0, parcels: 0 }
    }

    async fn pass(&mut self) -> anyhow::Result<()> {
        for minute in 0..DAY_MINUTES {
            let orders = orders_in(minute, &mut self.shopper);
            let wishes: Vec<_> = (0..orders).map(|_| self.shopper.wish()).collect();
            let groups = wishes.chunks(TOGETHER);
            let pause = Duration::from_secs(60) / (orders + 1);
            let mut rest = Duration::from_secs(60);
            for group in groups {
                self.clock.advance(pause);
                rest = rest.saturating_sub(pause);
                self.orders(group).await?;
            }
            let happened = incidents::happen(self, minute).await?;
            let delivered = self.deliver(minute).await?;
            let ticks = minute.is_multiple_of(TICK_EVERY);
            if ticks {
                self.counter.tick().await?;
            }
            // A worker whose lease runs out while it works would do its work again.
            if orders > 0 || happened || delivered || ticks {
                self.rest().await?;
            }
            self.clock.advance(rest);
            if minute.is_multiple_of(PARCEL_EVERY) {
                self.partners.logistics.advance();
            }
        }
        self.rest().await
    }

    /// Some customers come, and now and then what was bought is sent back.
    async fn orders(&mut self, wishes: &[Wish<'_>]) -> anyhow::Result<()> {
        let answers = try_join_all(wishes.iter().map(|wish| self.counter.buy(wish))).await?;
        for (wish, (status, order)) in wishes.iter().zip(answers) {
            let status = status.as_u16();
            anyhow::ensure!(matches!(status, 201 | 202 | 409), "an order was answered {status}: {order}");
            self.orders += 1;
            if status == 201 && self.orders.is_multiple_of(SENT_BACK_EVERY) {
                self.parcels += 1;
                let id = order.get("id").and_then(Value::as_str).unwrap_or_default();
                self.partners.logistics.add_return(Return {
                    order_number: id.to_owned(),
                    order_item_number: wish.product.sku.to_owned(),
                    shipment_number: format!("SHP_H{:05}", self.parcels),
                })?;
            }
        }
        Ok(())
    }

    /// The factory takes its time for each job, and reports those that are done. At the end of the day it finishes all.
    async fn deliver(&mut self, minute: u32) -> anyhow::Result<bool> {
        let mut delivered = false;
        for job in self.partners.factory.jobs() {
            let (least, most) = MAKING_MINUTES;
            let done = *self.jobs.entry(job.id).or_insert_with(|| minute + self.shopper.between(least, most));
            if done <= minute || minute + 1 == DAY_MINUTES {
                let reports = self.partners.factory.finish(Some(job.id)).await;
                delivered = true;
                for report in reports {
                    anyhow::ensure!(report.status == Some(200), "a report of goods was answered {report:?}");
                }
            }
        }
        Ok(delivered)
    }

    /// Waits until no worker holds a message.
    async fn rest(&self) -> anyhow::Result<()> {
        for _ in 0..REST_LOOKS_MAX {
            let queues = self.counter.read("/v1/queues").await?;
            let leased = |queue: &Value| queue.get("leased").and_then(Value::as_u64);
            if items(&queues).iter().all(|queue| leased(queue) == Some(0)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(REST_PAUSE_MS)).await;
        }
        anyhow::bail!("a worker does not come back")
    }
}

//! The shape of the day: when how many customers come, and what each of them wants.

use super::super::counter::Wish;
use super::super::goods::{BULK, BULK_BUYER, CUSTOMERS, NAMESAKES, PRODUCTS, Product, RUSHED, VIPS};

/// A day, in minutes.
pub(super) const DAY_MINUTES: u32 = 24 * 60;
/// Hundredths of an order a minute, in each hour of the day before opening: quiet, a noon, quiet, an evening, and a rising last
/// hour that leads to what one then watches.
const HOURLY: [u32; 24] =
    [50, 30, 20, 20, 20, 30, 40, 60, 70, 80, 80, 70, 60, 60, 60, 60, 80, 100, 120, 140, 160, 250, 600, 1_400];
/// When everybody wants the same, and for how many minutes: (minute of the day, minutes, orders a minute).
const RUSHES: [(u32, u32, u32); 3] = [(430, 12, 9), (1_075, 12, 9), (1_330, 8, 14)];
/// When a bulk buyer comes, which one (the last is the one that is no VIP yet), and how much is taken.
const BULK_ORDERS: [(u32, usize, u32); 10] = [
    (95, 0, 40),
    (240, 1, 30),
    (310, 0, 40),
    (520, 2, 50),
    (615, 3, 30),
    (700, 1, 40),
    (835, 0, 40),
    (905, 1, 40),
    (1_150, 3, 30),
    (1_200, 2, 60),
];
/// Percent of the orders that wait where there is not enough.
const WAITING_PERCENT: u32 = 25;
/// The most units that an ordinary customer takes.
const UNITS_MAX: u32 = 3;

/// How many customers come in a minute.
pub(super) fn orders_in(minute: u32, shopper: &mut Shopper) -> u32 {
    shopper.minute = minute;
    let hundredths = HOURLY.get((minute / 60) as usize).copied().unwrap_or_default();
    // So much for certain, and one more with the chance that is left.
    let usual = hundredths / 100 + u32::from(shopper.between(0, 99) < hundredths % 100);
    let rushing = rush(minute).unwrap_or_default();
    let bulk = BULK_ORDERS.iter().filter(|(at, ..)| *at == minute).count();
    usual + rushing + u32::try_from(bulk).unwrap_or_default()
}

fn rush(minute: u32) -> Option<u32> {
    RUSHES
        .iter()
        .find(|(from, minutes, _)| (*from..from + minutes).contains(&minute))
        .map(|(_, _, orders)| *orders)
}

/// Who comes and what they want, drawn from a series that is always the same.
pub(super) struct Shopper {
    random: fastrand::Rng,
    minute: u32,
    /// The minute of the last bulk order that was given out.
    bulk: Option<u32>,
}

impl Shopper {
    pub(super) fn new(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), minute: 0, bulk: None }
    }

    /// A number between two, both included.
    pub(super) fn between(&mut self, least: u32, most: u32) -> u32 {
        self.random.u32(least..=most.max(least))
    }

    /// The wish of the next customer of the minute.
    pub(super) fn wish(&mut self) -> Wish<'static> {
        let bulk = BULK_ORDERS.iter().find(|(at, ..)| *at == self.minute && self.bulk != Some(self.minute));
        if let Some((_, buyer, quantity)) = bulk {
            self.bulk = Some(self.minute);
            let customer = VIPS.get(*buyer).unwrap_or(&BULK_BUYER);
            return Wish { customer, namesake: None, product: BULK, quantity: *quantity, waits: true };
        }
        let customer = self.random.choice(&CUSTOMERS).unwrap_or(&BULK_BUYER);
        let product =
            if rush(self.minute).is_some() && self.between(0, 9) < 8 { RUSHED } else { self.product() };
        let quantity = self.between(1, UNITS_MAX);
        let namesake = Some(self.between(1, NAMESAKES));
        Wish { customer, namesake, product, quantity, waits: self.between(0, 99) < WAITING_PERCENT }
    }

    /// One of the products, as often as it is wanted beside the others.
    pub(super) fn product(&mut self) -> &'static Product {
        let all: u32 = PRODUCTS.iter().map(|product| product.wanted).sum();
        let mut drawn = self.between(1, all);
        for product in &PRODUCTS {
            if drawn <= product.wanted {
                return product;
            }
            drawn -= product.wanted;
        }
        RUSHED
    }
}

/// What a bulk buyer has taken by the end of a minute.
#[cfg(test)]
pub(super) fn bulk_units_until(buyer: usize, minute: u32) -> u32 {
    let until = |order: &&(u32, usize, u32)| order.1 == buyer && order.0 <= minute;
    BULK_ORDERS.iter().filter(until).map(|(.., quantity)| quantity).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_has_rushes_bulk_orders_and_every_product() {
        let mut shopper = Shopper::new(1);
        let (mut orders, mut bulk) = (0, 0);
        let mut skus = std::collections::BTreeSet::new();
        for minute in 0..DAY_MINUTES {
            for _ in 0..orders_in(minute, &mut shopper) {
                let wish = shopper.wish();
                orders += 1;
                bulk += usize::from(wish.quantity > UNITS_MAX);
                skus.insert(wish.product.sku);
            }
        }
        assert!((1_500..3_000).contains(&orders), "{orders}");
        assert_eq!((bulk, skus.len()), (BULK_ORDERS.len(), PRODUCTS.len()));
    }

    #[test]
    fn who_becomes_a_vip_while_one_watches_is_none_before_and_the_others_are() {
        let units = |buyer: usize| bulk_units_until(buyer, DAY_MINUTES);
        assert!((0..VIPS.len()).all(|buyer| units(buyer) >= 100));
        assert!(units(VIPS.len()) < 100);
    }
}

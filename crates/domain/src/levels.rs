//! The reorder point and the order-up-to level of products under the `auto` policy, by the textbook: demand during lead time
//! is taken as normal, with the variances of both demand and lead time.

/// How often a cycle shall pass without running out.
pub const SERVICE_LEVEL: f64 = 0.95;
/// The standard normal quantile of [`SERVICE_LEVEL`].
pub const SERVICE_LEVEL_Z: f64 = 1.645;
/// Demand of so many days is ordered on top of the reorder point, days.
pub const REVIEW_PERIOD_DAYS: f64 = 7.0;
/// With a shorter history nothing is computed, days: one odd day would set the levels.
pub const HISTORY_DAYS_MIN: usize = 7;
/// No level is higher, units.
pub const LEVEL_MAX: i64 = 1_000_000_000;

/// Computed levels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Levels {
    /// At this inventory position or below, goods are asked for.
    pub reorder_point: i64,
    /// Up to this inventory position; above the reorder point.
    pub order_up_to: i64,
}

/// Computes levels from the units asked for on each day and the days that past requests took. None where the history is too
/// short to say anything.
#[must_use]
pub fn compute(daily_units: &[i64], lead_times_days: &[f64]) -> Option<Levels> {
    if daily_units.len() < HISTORY_DAYS_MIN || lead_times_days.is_empty() {
        return None;
    }
    #[expect(clippy::cast_precision_loss, reason = "a day's units are far below 2^52")]
    let demand = Spread::of(daily_units.iter().map(|units| *units as f64))?;
    let lead_time = Spread::of(lead_times_days.iter().copied())?;
    let reorder_point = reorder_point(demand, lead_time, SERVICE_LEVEL_Z);
    let reorder_point = whole_units(reorder_point)?;
    let review = whole_units(demand.mean * REVIEW_PERIOD_DAYS)?;
    let order_up_to = reorder_point.saturating_add(review.max(1));
    Some(Levels { reorder_point: reorder_point.min(LEVEL_MAX - 1), order_up_to: order_up_to.min(LEVEL_MAX) })
}

/// A mean with the variance around it.
#[derive(Clone, Copy, Debug)]
struct Spread {
    mean: f64,
    variance: f64,
}

impl Spread {
    /// Of a sample; a single value has no spread.
    fn of(values: impl Iterator<Item = f64> + Clone) -> Option<Self> {
        let count = u32::try_from(values.clone().count()).ok().filter(|count| *count > 0)?;
        let mean = values.clone().sum::<f64>() / f64::from(count);
        let squares: f64 = values.map(|value| (value - mean).powi(2)).sum();
        let variance = if count > 1 { squares / f64::from(count - 1) } else { 0.0 };
        Some(Self { mean, variance })
    }
}

/// Mean demand during lead time plus safety stock.
fn reorder_point(demand: Spread, lead_time: Spread, z: f64) -> f64 {
    let variance = lead_time.mean * demand.variance + demand.mean.powi(2) * lead_time.variance;
    demand.mean * lead_time.mean + z * variance.sqrt()
}

/// Rounds up: a fraction of a unit that is needed is a unit that is needed.
fn whole_units(units: f64) -> Option<i64> {
    if !units.is_finite() || units < 0.0 {
        return None;
    }
    // Sums of fractions end a hair above the whole number they stand for.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a float-to-int cast saturates, and the limit is applied after it"
    )]
    let whole = (units - 1e-9).ceil().max(0.0) as i64;
    Some(whole.min(LEVEL_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spread(mean: f64, deviation: f64) -> Spread {
        Spread { mean, variance: deviation.powi(2) }
    }

    fn assert_near(value: f64, published: f64, tolerance: f64) {
        assert!((value - published).abs() <= tolerance, "{value} is not {published}");
    }

    // The examples are from Heizer, Render and Munson, "Operations Management", chapter "Inventory Management", on
    // probabilistic models; z as printed there.

    #[test]
    fn demand_and_lead_time_vary_as_published() {
        // 150 packs a day with deviation 16, five days with deviation 1, 95 %: 1,004 packs.
        assert_near(reorder_point(spread(150.0, 16.0), spread(5.0, 1.0), 1.65), 1_004.0, 0.7);
    }

    #[test]
    fn only_demand_varies_as_published() {
        // 15 a day with deviation 5, two days, 90 %: 39.02.
        assert_near(reorder_point(spread(15.0, 5.0), spread(2.0, 0.0), 1.28), 39.02, 0.05);
    }

    #[test]
    fn only_lead_time_varies_as_published() {
        // 12,500 a day, four days with deviation 1, 97 %: 73,500.
        assert_near(reorder_point(spread(12_500.0, 0.0), spread(4.0, 1.0), 1.88), 73_500.0, 0.01);
    }

    #[test]
    fn steady_demand_and_lead_time_need_no_safety_stock() {
        let levels = compute(&[10; 30], &[3.0, 3.0, 3.0]).expect("levels");
        assert_eq!(levels, Levels { reorder_point: 30, order_up_to: 100 });
    }

    #[test]
    fn a_short_history_says_nothing() {
        assert_eq!(compute(&[10; HISTORY_DAYS_MIN - 1], &[3.0]), None);
        assert_eq!(compute(&[10; 30], &[]), None);
        assert_eq!(compute(&[10; 30], &[f64::NAN]), None);
    }

    #[test]
    fn nothing_sold_still_leaves_something_to_order() {
        let levels = compute(&[0; 30], &[3.0]).expect("levels");
        assert_eq!(levels, Levels { reorder_point: 0, order_up_to: 1 });
    }

    proptest! {
        #[test]
        fn the_order_up_to_level_is_above_the_reorder_point(
            daily in proptest::collection::vec(0i64..1_000_000_000_000, 0..60),
            lead in proptest::collection::vec(0.0f64..10_000.0, 0..20),
        ) {
            if let Some(levels) = compute(&daily, &lead) {
                prop_assert!(0 <= levels.reorder_point);
                prop_assert!(levels.reorder_point < levels.order_up_to);
                prop_assert!(levels.order_up_to <= LEVEL_MAX);
            }
        }
    }
}

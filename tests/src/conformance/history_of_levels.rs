//! Claim: whatever happened to a product and whatever moment is asked for, the history of its stock begins with the level that the moment
//! found, ends with the last movement, and shows in between levels that were there, in their order.
//! Method: random histories of two products, each answer compared with a model that knows every level.

use proptest::prelude::*;

use super::any_history::{in_any_history, in_any_history_on_every_engine};
use super::bindings::restock::insight::Level;
use super::shop::Shop;
use super::store::Engine;

/// What happens to two products, and how long after the step before it.
#[derive(Clone, Debug)]
struct Step {
    wait_ms: u64,
    other: bool,
    delta: i64,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let delta = prop_oneof![-4_i64..0, 1_i64..6];
    let step = (prop_oneof![Just(0), 1_u64..50], prop::bool::weighted(0.4), delta)
        .prop_map(|(wait_ms, other, delta)| Step { wait_ms, other, delta });
    prop::collection::vec(step, 1..40)
}

fn a_history_is_made_of_levels_that_were_there(engine: Engine) {
    in_any_history(&steps(), async |steps| {
        let shop = Shop::with_product(engine, "A", 0, 10, 3).await;
        shop.define("B", 0, 10, 3).await;
        let created = shop.now();
        // The model: every level of A and since when, oldest first.
        let mut model = vec![(created, 3)];
        for step in &steps {
            shop.wait_ms(step.wait_ms);
            if step.other {
                shop.adjust("B", step.delta, None).await;
                continue;
            }
            let (_, on_hand) = model[model.len() - 1];
            shop.adjust("A", step.delta, None).await;
            if on_hand + step.delta >= 0 {
                model.push((shop.now(), on_hand + step.delta));
            }
        }
        let end = shop.now();
        for since in [0, created, created + 1, created.midpoint(end), end, end + 1] {
            for samples in [2, 3, 5, 500] {
                let levels = shop.store.stock_history("A".into(), since, samples).await.expect("read");
                let levels: Vec<_> = levels
                    .expect("it is sold")
                    .into_iter()
                    .map(|Level { at, on_hand }| (at, on_hand))
                    .collect();
                let behind: Vec<_> = model.iter().filter(|(at, _)| *at >= since).copied().collect();
                let before = model.iter().rfind(|(at, _)| *at < since).map(|(_, on_hand)| (since, *on_hand));
                let naive: Vec<_> = before.into_iter().chain(behind.iter().copied()).collect();
                assert_eq!(levels.first(), naive.first(), "since {since}, {samples} samples");
                assert_eq!(levels.last(), naive.last(), "since {since}, {samples} samples");
                assert!(levels.len() <= samples as usize + 2);
                assert!(levels.is_sorted_by_key(|(at, _)| *at), "{levels:?}");
                let mut rest = naive.iter();
                assert!(
                    levels.iter().all(|level| rest.any(|other| other == level)),
                    "{levels:?} of {naive:?}"
                );
                if behind.len() <= samples as usize {
                    assert_eq!(levels, naive, "all of them where all of them fit");
                }
            }
        }
    });
}

in_any_history_on_every_engine!(a_history_is_made_of_levels_that_were_there);

//! Claim: an instance that dies in the middle of an operation leaves nothing behind: no open transaction, no lock, nothing half done.
//! The next one, on the same host and its connections, finds everything in order.

use std::time::Duration;

use super::bindings::restock::orders::{IfShort, Placement, Placing};
use super::shop::Shop;
use super::store::Engine;
use crate::support::eventually;

/// Instances that die, each a little later in its work.
const DEATHS: u32 = 60;
/// How much later.
const STEP: Duration = Duration::from_micros(150);
/// Orders that each places at once.
const ORDERS: usize = 4;

on_every_engine!(instances_that_die_in_the_middle_of_orders_leave_nothing_behind);

async fn instances_that_die_in_the_middle_of_orders_leave_nothing_behind(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1_000).await;
    for death in 0..DEATHS {
        let doomed = shop.host.store().await;
        let placements: Vec<(Placement,)> =
            (0..ORDERS).map(|_| (shop.placement(&[("A", 1)], IfShort::Reject),)).collect();
        let ids: Vec<String> = placements.iter().map(|(placement,)| placement.id.clone()).collect();
        // Whether it came to its end, to its middle or nowhere is all the same.
        let answers = tokio::time::timeout(STEP * death, doomed.place_at_once(placements)).await;
        drop(doomed);
        if let Ok(answers) = answers {
            for (answer, id) in answers.iter().zip(&ids) {
                assert!(matches!(answer, Ok(Placing::Recorded(_))), "{answer:?}");
                assert!(shop.store.order(id.clone()).await.expect("it is read").is_some(), "it was answered");
            }
        }
        // The same rows, on whatever connection the dead have left.
        let next = shop.host.store().await;
        let placing = next.place(shop.placement(&[("A", 1)], IfShort::Reject)).await;
        assert!(matches!(placing, Ok(Placing::Recorded(_))), "{placing:?}");
    }
    if let Engine::Postgres = engine {
        let left = "SELECT count(*) FROM pg_stat_activity \
                     WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL";
        eventually("no transaction is open", || async { (shop.place.count(left) == 0).then_some(()) }).await;
        assert_eq!(shop.place.count("SELECT count(*) FROM pg_prepared_xacts"), 0);
    }
    let orders = shop.place.count("SELECT count(*) FROM sales_order");
    let sold = shop.place.count("SELECT count(*) FROM stock_movement WHERE kind = 'sold'");
    assert_eq!(orders, sold);
    assert!(orders >= i64::from(DEATHS));
    shop.audit().await;
}

//! Claim: instances of a store share one database without losing or doubling anything, whether one host runs them or several.

use std::collections::BTreeSet;

use futures::future::join_all;

use super::bindings::restock::catalog::{Defined, Factory};
use super::bindings::restock::orders::{IfShort, Placement, Placing, Status};
use super::bindings::restock::queue::{Delivery, Verdict};
use super::shop::{FACTORY, QUEUE, Shop, definition, settlement};
use super::store::{Engine, Place, Store};

/// Orders that each instance places at once.
const ORDERS: usize = 24;

on_every_engine!(
    instances_that_start_together_apply_each_migration_once,
    the_last_units_are_sold_once_by_two_instances_of_a_host,
    the_last_units_are_sold_once_by_two_hosts,
    one_key_used_in_two_hosts_at_once_makes_one_order,
    two_hosts_that_claim_at_once_share_the_messages,
);

async fn instances_that_start_together_apply_each_migration_once(engine: Engine) {
    let place = Place::new(engine);
    let hosts = [place.host(), place.host()];
    let stores = join_all(hosts.iter().chain(&hosts).map(|host| host.store())).await;
    let ready = join_all(stores.iter().map(Store::ready)).await;
    let readiness = ready[0].clone().expect("ready");
    assert!(ready.iter().all(|other| other.as_ref() == Ok(&readiness)), "{ready:?}");
    let applied = place.count("SELECT count(*) FROM schema_migration");
    assert_eq!(applied, i64::from(readiness.schema_version));
    let factory = Factory { id: FACTORY.into(), name: "공장".into(), manager_email: None, url: None };
    let defined = join_all(stores.iter().map(|store| store.define_factory(factory.clone(), 1))).await;
    assert_eq!(defined.iter().filter(|created| **created == Ok(true)).count(), 1, "{defined:?}");
    let products = join_all(stores.iter().map(|store| store.define(definition("A", 2, 10, 1), 1))).await;
    assert_eq!(
        products.iter().filter(|defined| matches!(defined, Ok(Defined::Created(_)))).count(),
        1,
        "{products:?}"
    );
}

/// Orders one unit each from both at once, twice as many as there are, and checks that what was there was sold.
async fn rush(shop: &Shop, other: &Store) {
    let placements =
        || -> Vec<Placement> { (0..ORDERS).map(|_| shop.placement(&[("A", 1)], IfShort::Reject)).collect() };
    let (here, there) =
        futures::join!(shop.store.place_at_once(placements()), other.place_at_once(placements()));
    let mut statuses = Vec::new();
    for placing in here.into_iter().chain(there) {
        let Ok(Placing::Recorded(recording)) = placing else { panic!("{placing:?}") };
        assert!(!recording.replayed);
        assert_eq!(shop.order(&recording.order.id).await, recording.order);
        statuses.push(recording.order.status);
    }
    assert_eq!(statuses.iter().filter(|status| **status == Status::Accepted).count(), ORDERS);
    assert_eq!(statuses.iter().filter(|status| **status == Status::Rejected).count(), ORDERS);
    assert_eq!(shop.levels("A").await, (0, 100, 0));
    assert_eq!(shop.movements("A").await.len(), 1 + ORDERS);
    assert_eq!(shop.only_request().await.quantity, 100);
    assert_eq!(other.product("A".into()).await, Ok(Some(shop.product("A").await)), "both see the same");
    shop.audit().await;
}

async fn the_last_units_are_sold_once_by_two_instances_of_a_host(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 100, ORDERS as i64).await;
    let other = shop.host.store().await;
    rush(&shop, &other).await;
}

async fn the_last_units_are_sold_once_by_two_hosts(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 100, ORDERS as i64).await;
    let other = shop.place.host().store().await;
    rush(&shop, &other).await;
}

async fn one_key_used_in_two_hosts_at_once_makes_one_order(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 100, 50).await;
    let other = shop.place.host().store().await;
    let placements = || (0..ORDERS).map(|_| shop.keyed("k", &[("A", 2)], IfShort::Reject)).collect();
    let (here, there) =
        futures::join!(shop.store.place_at_once(placements()), other.place_at_once(placements()));
    let mut first = 0;
    let mut ids = BTreeSet::new();
    for placing in here.into_iter().chain(there) {
        let Ok(Placing::Recorded(recording)) = placing else { panic!("{placing:?}") };
        first += usize::from(!recording.replayed);
        ids.insert(recording.order.id);
    }
    assert_eq!((first, ids.len()), (1, 1));
    assert_eq!(shop.levels("A").await.0, 48);
    shop.audit().await;
}

async fn two_hosts_that_claim_at_once_share_the_messages(engine: Engine) {
    const MESSAGES: usize = 30;
    let shop = Shop::with_messages(engine, MESSAGES).await;
    let other = shop.place.host().store().await;
    let now = shop.now();
    let work = async |store: &Store| {
        let mut claimed: Vec<Delivery> = Vec::new();
        loop {
            let deliveries = store.claim(QUEUE.into(), 2, now).await.expect("claimed");
            if deliveries.is_empty() {
                return claimed;
            }
            let done = |delivery| settlement(delivery, Verdict::Done);
            let settled = store.settle(deliveries.iter().map(done).collect(), now).await.expect("settled");
            assert_eq!(settled.len(), deliveries.len());
            claimed.extend(deliveries);
        }
    };
    let (here, there) = futures::join!(work(&shop.store), work(&other));
    let ids: BTreeSet<_> = here.iter().chain(&there).map(|delivery| &delivery.message_id).collect();
    assert_eq!(
        (ids.len(), here.len() + there.len()),
        (MESSAGES, MESSAGES),
        "each message was given out once"
    );
    assert_eq!(shop.queue().await.done_total, MESSAGES as u64);
}

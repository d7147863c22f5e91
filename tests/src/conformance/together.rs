//! Claim: instances of a store share one database without losing or doubling anything, whether one host runs them or several.

use std::collections::BTreeSet;

use futures::future::join_all;

use super::bindings::restock::ads::Request;
use super::bindings::restock::catalog::{AdStatus, Defined, Factory};
use super::bindings::restock::customers::{Outcome, Purchase};
use super::bindings::restock::letters::Standing;
use super::bindings::restock::orders::{IfShort, Placement, Placing, Status};
use super::bindings::restock::queue::{Delivery, Verdict};
use super::bindings::restock::returns::{Filter, Goods, Parcel, Replaying, Settling, ToStock};
use super::bindings::restock::types::Fault;
use super::parcels::{EVERY_MS, RETURNS, parcel};
use super::shop::{FACTORY, OPERATOR, QUEUE, Shop, definition, first_page, settlement};
use super::store::{Engine, Place, Store};

/// Orders that each instance places at once.
const ORDERS: usize = 24;
/// Calls of another function that each instance makes at once.
const CALLS: usize = 24;

on_every_engine!(
    instances_that_start_together_apply_each_migration_once,
    the_last_units_are_sold_once_by_two_instances_of_a_host,
    the_last_units_are_sold_once_by_two_hosts,
    one_key_used_in_two_hosts_at_once_makes_one_order,
    two_hosts_that_claim_at_once_share_the_messages,
    a_purchase_noted_many_times_at_once_promotes_once,
    many_purchases_of_one_customer_at_once_promote_once,
    a_turn_that_many_want_at_once_is_taken_by_one,
    a_letter_that_many_providers_want_at_once_is_with_one,
    an_errand_noted_many_times_at_once_moves_the_advertisement_once,
    many_failures_of_one_kind_at_once_are_one_incident,
    a_collection_that_many_begin_at_once_begins_once,
    a_list_that_many_take_at_once_is_taken_once,
    a_return_that_many_report_at_once_is_received_once,
    returns_of_one_item_that_are_received_at_once_bring_what_was_sold,
    goods_that_many_decide_on_at_once_are_decided_on_once,
    a_parcel_that_many_replay_at_once_begins_once,
);

async fn instances_that_start_together_apply_each_migration_once(engine: Engine) {
    let place = Place::empty(engine);
    let hosts = [place.host(), place.host()];
    let stores = join_all(hosts.iter().chain(&hosts).map(|host| host.store())).await;
    let ready = join_all(stores.iter().map(Store::ready)).await;
    let readiness = ready[0].clone().expect("ready");
    assert!(ready.iter().all(|other| other.as_ref() == Ok(&readiness)), "{ready:?}");
    let applied = place.count("SELECT count(*) FROM schema_migration");
    assert_eq!(applied, i64::from(readiness.schema_version));
    let factory = Factory { id: FACTORY.into(), name: "공장".into(), manager_email: None, url: None };
    let defined =
        join_all(stores.iter().map(|store| store.define_factory(factory.clone(), OPERATOR.into(), 1))).await;
    assert_eq!(defined.iter().filter(|created| **created == Ok(true)).count(), 1, "{defined:?}");
    let products =
        join_all(stores.iter().map(|store| store.define(definition("A", 2, 10, 1), OPERATOR.into(), 1)))
            .await;
    assert_eq!(
        products.iter().filter(|defined| matches!(defined, Ok(Defined::Created(_)))).count(),
        1,
        "{products:?}"
    );
}

/// Orders one unit each from both at once, twice as many as there are, and checks that what was there was sold.
async fn rush(shop: &Shop, other: &Store) {
    let placements = || -> Vec<(Placement,)> {
        (0..ORDERS).map(|_| (shop.placement(&[("A", 1)], IfShort::Reject),)).collect()
    };
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
    let placements = || (0..ORDERS).map(|_| (shop.keyed("k", &[("A", 2)], IfShort::Reject),)).collect();
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

/// Notes these purchases in both halves at once; returns what became of each.
async fn note_all(shop: &Shop, purchases: Vec<Purchase>) -> Vec<Outcome> {
    let other = shop.place.host().store().await;
    let calls = || purchases.iter().map(|purchase| (purchase.clone(), shop.now())).collect();
    let (here, there) =
        futures::join!(shop.store.note_purchases_at_once(calls()), other.note_purchases_at_once(calls()));
    here.into_iter().chain(there).map(|outcome| outcome.expect("noted")).collect()
}

fn purchase(order: usize) -> Purchase {
    Purchase {
        order_id: format!("o-{order}"),
        customer_id: "c".into(),
        email: None,
        name: None,
        units: 100,
        units_bought: 100 * (1 + order as i64),
        purchased_at: 1,
    }
}

/// Exactly one promoted, and all of them speak of the same announcement.
fn promoted_once(outcomes: &[Outcome]) {
    assert_eq!(outcomes.iter().filter(|outcome| outcome.promoted).count(), 1);
    let announcements: BTreeSet<_> = outcomes
        .iter()
        .map(|outcome| outcome.announcement.as_ref().expect("nobody was told yet").id.clone())
        .collect();
    assert_eq!(announcements.len(), 1, "one customer has one in a lifetime: {announcements:?}");
}

async fn a_purchase_noted_many_times_at_once_promotes_once(engine: Engine) {
    let shop = Shop::open(engine).await;
    promoted_once(&note_all(&shop, vec![purchase(0); CALLS]).await);
}

async fn many_purchases_of_one_customer_at_once_promote_once(engine: Engine) {
    let shop = Shop::open(engine).await;
    promoted_once(&note_all(&shop, (0..CALLS).map(purchase).collect()).await);
    let customer = shop.store.customer("c".into()).await.expect("read").expect("known");
    assert_eq!(customer.units_bought, 100 * CALLS as i64);
}

async fn a_turn_that_many_want_at_once_is_taken_by_one(engine: Engine) {
    let shop = Shop::open(engine).await;
    let other = shop.place.host().store().await;
    for _ in 0..3 {
        let calls = || vec![("audit".to_owned(), 1_000, shop.now()); CALLS];
        let (here, there) =
            futures::join!(shop.store.take_turns_at_once(calls()), other.take_turns_at_once(calls()));
        let taken: Result<Vec<bool>, Fault> = here.into_iter().chain(there).collect();
        assert_eq!(taken.expect("answered").into_iter().filter(|taken| *taken).count(), 1);
        shop.wait_ms(1_000);
    }
}

async fn a_letter_that_many_providers_want_at_once_is_with_one(engine: Engine) {
    let shop = Shop::open(engine).await;
    let other = shop.place.host().store().await;
    // Each provider asks for it twice, once in each host.
    let calls = || -> Vec<(String, String, String, u64)> {
        let call =
            |number| ("l".into(), format!("provider-{number}"), format!("{{\"n\":{number}}}"), shop.now());
        (0..CALLS).map(call).collect()
    };
    let (here, there) = futures::join!(shop.store.entrust_at_once(calls()), other.entrust_at_once(calls()));
    let winners = |answers: Vec<Result<bool, Fault>>| -> Vec<usize> {
        let taken = answers.into_iter().enumerate().filter(|(_, answer)| answer.clone().expect("answered"));
        taken.map(|(number, _)| number).collect()
    };
    let (here, there) = (winners(here), winners(there));
    assert_eq!(here, there, "both hosts gave it to the same provider");
    assert_eq!(here.len(), 1, "and to one: {here:?}");
    let standing = shop.store.look("l".into()).await.expect("read");
    let Standing::Entrusted(posting) = standing else { panic!("{standing:?}") };
    assert_eq!(posting.provider, format!("provider-{}", here[0]));
    assert_eq!(posting.content, format!("{{\"n\":{}}}", here[0]));
}

async fn an_errand_noted_many_times_at_once_moves_the_advertisement_once(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 1).await;
    let other = shop.place.host().store().await;
    shop.buy(&[("A", 1)]).await;
    let mut asked: Vec<(String, String, Request, u64)> = Vec::new();
    for (request, status) in
        [(Request::Pause, AdStatus::PauseRequested), (Request::Resume, AdStatus::Running)]
    {
        let errand = shop.store.wanted("A".into()).await.expect("read").expect("something is wanted");
        assert_eq!(errand.request, request);
        // Every earlier errand comes again too.
        asked.extend(vec![(errand.id, errand.sku, errand.request, shop.now()); CALLS]);
        let (here, there) =
            futures::join!(shop.store.asked_at_once(asked.clone()), other.asked_at_once(asked.clone()));
        for answer in here.into_iter().chain(there) {
            assert_eq!(answer, Ok(()));
        }
        assert_eq!(shop.product("A").await.ad.status, status);
        assert_eq!(shop.store.wanted("A".into()).await, Ok(None));
        shop.wait_ms(1);
        shop.adjust("A", 1, None).await;
    }
    shop.audit().await;
}

async fn many_failures_of_one_kind_at_once_are_one_incident(engine: Engine) {
    const MESSAGES: usize = 20;
    let shop = Shop::with_messages(engine, MESSAGES).await;
    let other = shop.place.host().store().await;
    let now = shop.now();
    let work = async |store: &Store| {
        loop {
            let deliveries = store.claim(QUEUE.into(), 1, now).await.expect("claimed");
            let Some(delivery) = deliveries.first() else { return };
            let settled = store.settle(vec![settlement(delivery, Verdict::Bury)], now).await;
            assert_eq!(settled, Ok(vec![delivery.message_id.clone()]));
        }
    };
    futures::join!(work(&shop.store), work(&other));
    let incident = shop.only_incident().await;
    assert_eq!((incident.occurrences, incident.cases_total), (MESSAGES as u64, MESSAGES as u64));
    assert_eq!(shop.notices().await.len(), 2, "one for each channel");
    shop.audit().await;
}

async fn a_collection_that_many_begin_at_once_begins_once(engine: Engine) {
    let shop = Shop::open(engine).await;
    let other = shop.place.host().store().await;
    for run in 1..4 {
        let calls = || vec![(EVERY_MS, shop.now()); CALLS];
        let (here, there) = futures::join!(
            shop.store.begin_collections_at_once(calls()),
            other.begin_collections_at_once(calls())
        );
        let begun: Vec<String> =
            here.into_iter().chain(there).filter_map(|id| id.expect("answered")).collect();
        assert_eq!(begun.len(), 1, "{begun:?}");
        assert_eq!(shop.queue_named(RETURNS).await.ready, run);
        shop.finish(&begun[0], 0).await;
        shop.wait_ms(EVERY_MS);
    }
}

async fn a_list_that_many_take_at_once_is_taken_once(engine: Engine) {
    let shop = Shop::open(engine).await;
    let other = shop.place.host().store().await;
    let collection = shop.begin_collection().await;
    let list: Vec<Parcel> = (0..50).map(|number| parcel("o", &number.to_string())).collect();
    let calls = || -> Vec<(String, Vec<Parcel>, u64)> {
        (0..CALLS).map(|number| (collection.clone(), list[number..].to_vec(), shop.now())).collect()
    };
    let (here, there) =
        futures::join!(shop.store.collected_at_once(calls()), other.collected_at_once(calls()));
    assert!(here.iter().chain(&there).all(Result::is_ok), "{here:?} {there:?}");
    assert_eq!(shop.all_returns().await.len(), list.len());
    assert_eq!(shop.queue_named(RETURNS).await.ready, 1 + list.len() as u64);
    assert!(shop.rejects().await.is_empty());
    shop.audit().await;
}

async fn a_return_that_many_report_at_once_is_received_once(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    let order = shop.buy(&[("A", 3)]).await.order.id;
    let entry = shop.follow(&[parcel(&order, "A")]).await.remove(0);
    shop.deliver(&entry).await;
    let other = shop.place.host().store().await;
    let calls = || vec![(entry.id.clone(), ToStock::On, shop.now()); CALLS];
    let (here, there) = futures::join!(shop.store.report_at_once(calls()), other.report_at_once(calls()));
    let moved = here.into_iter().chain(there).filter(|moved| moved.clone().expect("noted")).count();
    assert_eq!(moved, 1);
    assert_eq!((shop.levels("A").await.0, shop.brought_back("A").await.len()), (5, 1));
    shop.audit().await;
}

async fn returns_of_one_item_that_are_received_at_once_bring_what_was_sold(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 9).await;
    let placement = shop.keyed("k", &[("A", 7)], IfShort::Reject);
    let order = shop.recorded(placement).await.order.id;
    let numbers = [parcel(&order, "A"), parcel(&order, "1"), parcel("k", "A"), parcel("k", "1")];
    let entries = shop.follow(&numbers).await;
    for entry in &entries {
        shop.deliver(entry).await;
        shop.report(entry, ToStock::Ask).await;
    }
    let other = shop.place.host().store().await;
    let calls = || entries.iter().map(|entry| (shop.decision(&entry.id), None, Some(2))).collect();
    let (here, there) =
        futures::join!(shop.store.receive_returns_at_once(calls()), other.receive_returns_at_once(calls()));
    let answers: Vec<Settling> =
        here.into_iter().chain(there).map(|answer| answer.expect("answered")).collect();
    let count = |fits: fn(&Settling) -> bool| answers.iter().filter(|answer| fits(answer)).count();
    assert_eq!(count(|answer| matches!(answer, Settling::Settled(_))), 3, "two, two and two: {answers:?}");
    assert_eq!(count(|answer| matches!(answer, Settling::Repeated(_))), 3, "{answers:?}");
    assert_eq!(count(|answer| matches!(answer, Settling::TooMany(1))), 2, "{answers:?}");
    assert_eq!((shop.levels("A").await.0, shop.brought_back("A").await.len()), (8, 3));
    shop.audit().await;
}

async fn goods_that_many_decide_on_at_once_are_decided_on_once(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    let order = shop.buy(&[("A", 3)]).await.order.id;
    let entry = shop.bring_back(parcel(&order, "A"), ToStock::Ask).await;
    let other = shop.place.host().store().await;
    let receptions = vec![(shop.decision(&entry.id), None, None); CALLS];
    let removals = vec![(shop.decision(&entry.id),); CALLS];
    let (here, there) = futures::join!(
        shop.store.receive_returns_at_once(receptions),
        other.discard_returns_at_once(removals)
    );
    let answers: Vec<Settling> =
        here.into_iter().chain(there).map(|answer| answer.expect("answered")).collect();
    let count = |fits: fn(&Settling) -> bool| answers.iter().filter(|answer| fits(answer)).count();
    assert_eq!(count(|answer| matches!(answer, Settling::Settled(_))), 1, "{answers:?}");
    assert_eq!(count(|answer| matches!(answer, Settling::Repeated(_))), CALLS - 1, "{answers:?}");
    assert_eq!(count(|answer| matches!(answer, Settling::Otherwise(_))), CALLS, "{answers:?}");
    let received = shop.one_return(&entry.id).await.goods == Goods::Received;
    let (on_hand, back) = if received { (5, 1) } else { (2, 0) };
    assert_eq!((shop.levels("A").await.0, shop.brought_back("A").await.len()), (on_hand, back));
    let mut actions = shop.store.actions(first_page()).await.expect("read");
    actions.retain(|action| action.subject == entry.id);
    assert_eq!(actions.len(), 1, "one decision is on record");
    shop.audit().await;
}

async fn a_parcel_that_many_replay_at_once_begins_once(engine: Engine) {
    let shop = Shop::open(engine).await;
    let other = shop.place.host().store().await;
    let calls = || vec![(shop.wish(parcel("o", "1")),); CALLS];
    let (here, there) = futures::join!(shop.store.replay_at_once(calls()), other.replay_at_once(calls()));
    let answers: Vec<_> = here.into_iter().chain(there).map(|answer| answer.expect("answered")).collect();
    let begun = answers.iter().filter(|answer| matches!(answer, Replaying::Begun(_))).count();
    let resumed = answers.iter().filter(|answer| matches!(answer, Replaying::Resumed(_))).count();
    assert_eq!((begun, resumed), (1, 2 * CALLS - 1), "{answers:?}");
    let found = shop.store.returns(Filter::ByOrderNumber("o".into()), first_page()).await.expect("read");
    assert_eq!((found.len(), shop.queue_named(RETURNS).await.ready), (1, 1));
    shop.audit().await;
}

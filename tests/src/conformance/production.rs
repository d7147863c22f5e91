//! Claim: goods are asked for as often as it takes and booked once for each request, whatever comes and whenever.

use std::collections::BTreeSet;

use super::bindings::restock::production::{Delivery, Filter, Status};
use super::bindings::restock::queue::Verdict;
use super::shop::{DUE_MS, Shop, page};
use super::store::Engine;

on_every_engine!(
    an_errand_says_what_to_ask_for_until_the_factory_took_the_job,
    received_goods_are_counted_once_and_the_first_number_is_kept,
    a_missing_rest_becomes_a_request_that_follows,
    an_over_delivery_is_booked_and_flagged,
    goods_for_a_product_answer_its_open_request_or_stand_alone,
    goods_are_booked_even_after_their_request_was_given_up,
    requests_nobody_knows_begin_and_receive_nothing,
    requests_are_read_by_state_and_page_by_page,
);

async fn an_errand_says_what_to_ask_for_until_the_factory_took_the_job(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1).await;
    let id = shop.only_request().await.id;
    let begin = async || shop.store.begin(id.clone(), shop.now()).await.expect("answered");
    let errand = begin().await.expect("there is something to ask for");
    assert_eq!((errand.id.as_str(), errand.sku.as_str(), errand.quantity), (id.as_str(), "A", 9));
    assert_eq!((errand.factory_name.as_str(), errand.factory_url, errand.attempts), ("공장", None, 1));
    assert_eq!(begin().await.expect("it still is not taken").attempts, 2);
    assert_eq!(shop.request(&id).await.status, Status::Planned);

    let (now, due) = (shop.now(), shop.now() + DUE_MS);
    let requested = async |job: Option<&str>, now, due| {
        shop.store.requested(id.clone(), job.map(Into::into), now, due).await.expect("noted");
    };
    requested(Some("job-7"), now, due).await;
    requested(Some("job-8"), now + 5, due + 5).await;
    let request = shop.request(&id).await;
    assert_eq!((request.status, request.attempts), (Status::Requested, 2));
    assert_eq!(
        (request.requested_at, request.due_at),
        (Some(now), Some(due)),
        "noting it again changes nothing"
    );
    assert_eq!(request.factory_job_id.as_deref(), Some("job-7"));
    assert_eq!(begin().await, None, "a repeated message is harmless");

    shop.receive(&id, 9).await;
    requested(None, now + 9, due + 9).await;
    assert_eq!(shop.request(&id).await.status, Status::Received, "the goods came in the meantime");
    shop.audit().await;
}

async fn received_goods_are_counted_once_and_the_first_number_is_kept(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1).await;
    let id = shop.only_request().await.id;
    shop.ask(&id).await;
    shop.wait_ms(1_000);
    let first = shop.receive(&id, 9).await;
    assert_eq!((first.production_id.as_deref(), first.sku.as_str()), (Some(id.as_str()), "A"));
    assert_eq!((first.on_hand, first.repeated), (10, false));
    shop.buy(&[("A", 4)]).await;
    let again = shop.receive(&id, 5).await;
    assert_eq!((again.on_hand, again.repeated), (10, true));
    assert_eq!(shop.levels("A").await, (6, 0, 0));
    let request = shop.request(&id).await;
    assert_eq!((request.received_quantity, request.received_at), (Some(9), Some(shop.now())));
    assert!(!request.over_delivered);
    let booked = &shop.movements("A").await[1];
    assert_eq!((booked.delta, booked.production_id.as_deref()), (9, Some(id.as_str())));
    shop.audit().await;
}

async fn a_missing_rest_becomes_a_request_that_follows(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1).await;
    let first = shop.only_request().await;
    shop.ask(&first.id).await;
    shop.receive(&first.id, 4).await;
    let rest = shop.open_request("A").await.expect("the rest is still wanted");
    assert_eq!(
        (rest.quantity, rest.follows.as_deref(), rest.status),
        (5, Some(first.id.as_str()), Status::Planned)
    );
    assert_eq!(shop.levels("A").await, (5, 5, 0));
    shop.settle(&shop.claim_one().await, Verdict::Done).await;
    assert!(shop.claim_one().await.event.data.contains(&rest.id), "a message carries it");
    shop.audit().await;
}

async fn an_over_delivery_is_booked_and_flagged(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1).await;
    let id = shop.only_request().await.id;
    shop.receive(&id, 12).await;
    let request = shop.only_request().await;
    assert!(request.over_delivered);
    assert_eq!((request.quantity, request.received_quantity), (9, Some(12)));
    assert_eq!(shop.levels("A").await, (13, 0, 0));
    shop.audit().await;
}

async fn goods_for_a_product_answer_its_open_request_or_stand_alone(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1).await;
    let open = shop.only_request().await.id;
    let receipt = shop.receive_for("A", 9).await.expect("known");
    assert_eq!((receipt.production_id, receipt.on_hand, receipt.repeated), (Some(open.clone()), 10, false));
    assert_eq!(shop.request(&open).await.status, Status::Received);
    let receipt = shop.receive_for("A", 5).await.expect("known");
    assert_eq!((receipt.production_id, receipt.sku.as_str(), receipt.on_hand), (None, "A", 15));
    assert_eq!(shop.receive_for("X", 5).await, None);
    shop.audit().await;
}

async fn goods_are_booked_even_after_their_request_was_given_up(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1).await;
    let id = shop.only_request().await.id;
    shop.settle(&shop.claim_one().await, Verdict::Bury).await;
    assert_eq!(shop.request(&id).await.status, Status::Failed);
    assert_eq!(shop.levels("A").await, (1, 0, 0), "nothing is on its way");
    assert!(!shop.buy(&[("A", 1)]).await.order.lines.is_empty());
    assert_eq!(shop.requests(None).await.len(), 1, "asking again is an operator's decision");
    assert_eq!(shop.purge_all().await, 1);
    assert_eq!(shop.request(&id).await.status, Status::Cancelled);
    assert_eq!(shop.store.begin(id.clone(), shop.now()).await, Ok(None));
    let receipt = shop.receive(&id, 12).await;
    assert_eq!((receipt.on_hand, receipt.repeated), (12, false), "the goods are there");
    assert_eq!(shop.request(&id).await.status, Status::Received);
    shop.audit().await;
}

async fn requests_nobody_knows_begin_and_receive_nothing(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 5).await;
    assert_eq!(shop.store.production("nobody".into()).await, Ok(None));
    assert_eq!(shop.store.begin("nobody".into(), shop.now()).await, Ok(None));
    assert_eq!(shop.store.requested("nobody".into(), None, 1, 2).await, Ok(()));
    assert_eq!(shop.store.receive(Delivery::OfRequest("nobody".into()), 1, shop.now()).await, Ok(None));
    assert_eq!(shop.movements("A").await.len(), 1);
}

async fn requests_are_read_by_state_and_page_by_page(engine: Engine) {
    let shop = Shop::with_messages(engine, 5).await;
    let received = shop.open_request("P002").await.expect("low from the start").id;
    shop.receive(&received, 9).await;
    assert_eq!(shop.requests(Some(Status::Planned)).await.len(), 4);
    assert!(shop.requests(Some(Status::Overdue)).await.is_empty());
    let found = shop.requests(Some(Status::Received)).await;
    assert_eq!((found.len(), found[0].id.as_str()), (1, received.as_str()));
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let requests = shop.store.productions(Filter::All, page(2, after.as_deref())).await.expect("read");
        let Some(last) = requests.last() else { break };
        after = Some(last.id.clone());
        ids.extend(requests.into_iter().map(|request| request.id));
    }
    assert!(ids.is_sorted_by(|newer, older| newer > older), "newest first: {ids:?}");
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 5);
}

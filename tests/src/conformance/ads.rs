//! Claim: what a manager is asked follows from the shelf and from what was asked before, and each thing is asked once for
//! each episode in which nothing can be sold.

use super::bindings::restock::ads::{Errand, Request};
use super::bindings::restock::catalog::{AdDefinition, AdStatus, ProductDefinition};
use super::bindings::restock::orders::Status;
use super::shop::{DUE_MS, Shop, definition};
use super::store::Engine;

on_every_engine!(
    a_product_that_cannot_be_sold_wants_a_pause_and_once_it_can_a_resumption,
    a_refill_before_the_pause_was_asked_for_cancels_it,
    a_pause_that_is_noted_after_the_refill_is_followed_by_a_resumption,
    repeating_an_errand_changes_nothing_whenever_it_comes,
    an_errand_counts_what_was_lost_since_the_shelf_emptied_and_nothing_else,
    an_errand_tells_when_goods_are_expected_once_the_factory_took_the_job,
    a_product_that_is_not_advertised_wants_nothing,
    what_an_operator_changes_in_between_stays,
    an_advertisement_that_starts_anew_is_asked_about_anew,
    an_advertisement_without_a_manager_still_wants_its_pause,
    an_advertisement_that_starts_while_nothing_can_be_sold_is_a_message,
    messages_tell_of_each_end_of_an_episode_once,
);

/// What is wanted now.
async fn wanted(shop: &Shop, sku: &str) -> Option<Errand> {
    shop.store.wanted(sku.into()).await.expect("read")
}

async fn wanted_request(shop: &Shop, sku: &str) -> Option<Request> {
    wanted(shop, sku).await.map(|errand| errand.request)
}

async fn asked(shop: &Shop, errand: &Errand) {
    let Errand { id, sku, request, .. } = errand.clone();
    shop.store.asked(id, sku, request, shop.now()).await.expect("noted");
}

async fn status(shop: &Shop, sku: &str) -> AdStatus {
    shop.product(sku).await.ad.status
}

/// Asks for what is wanted; what that is must be this.
async fn ask(shop: &Shop, sku: &str, request: Request) -> Errand {
    let errand = wanted(shop, sku).await.expect("something is wanted");
    assert_eq!(errand.request, request);
    asked(shop, &errand).await;
    errand
}

/// A shop whose only product, advertised, has just been sold out.
async fn sold_out(engine: Engine) -> Shop {
    let shop = Shop::with_product(engine, "A", 0, 10, 1).await;
    assert_eq!(wanted(&shop, "A").await, None);
    shop.wait_ms(1_000);
    shop.buy(&[("A", 1)]).await;
    shop
}

/// The same product, with this advertisement.
fn advertised(sku: &str, running: Option<bool>) -> ProductDefinition {
    let ad = running.map(|running| AdDefinition { running, manager_email: Some("ads@example.com".into()) });
    ProductDefinition { ad, ..definition(sku, 0, 10, 0) }
}

async fn refill(shop: &Shop, sku: &str, units: i64) {
    shop.wait_ms(1_000);
    shop.adjust(sku, units, None).await;
}

/// Sells everything there is.
async fn empty(shop: &Shop, sku: &str) {
    shop.wait_ms(1_000);
    let on_hand = u32::try_from(shop.levels(sku).await.0).expect("a count");
    assert_eq!(shop.buy(&[(sku, on_hand)]).await.order.status, Status::Accepted);
}

async fn a_product_that_cannot_be_sold_wants_a_pause_and_once_it_can_a_resumption(engine: Engine) {
    let shop = sold_out(engine).await;
    let since = shop.now();
    shop.wait_ms(1_000);
    let pause = wanted(&shop, "A").await.expect("a pause");
    assert_eq!((pause.request, pause.sku.as_str(), pause.name.as_str()), (Request::Pause, "A", "부산도너츠"));
    assert_eq!(pause.manager_email.as_deref(), Some("ads@example.com"));
    assert_eq!((pause.depleted_since, pause.on_hand, pause.backordered), (since, 0, 0));
    assert!(pause.id.chars().count() <= 200 && !pause.id.is_empty());
    assert_eq!(wanted(&shop, "A").await, Some(pause.clone()), "asking what is wanted changes nothing");
    assert_eq!(status(&shop, "A").await, AdStatus::Running);
    asked(&shop, &pause).await;
    assert_eq!(status(&shop, "A").await, AdStatus::PauseRequested);
    assert_eq!(wanted(&shop, "A").await, None, "everything that was to be asked has been");
    shop.buy(&[("A", 1)]).await;
    assert_eq!(wanted(&shop, "A").await, None, "however many orders fail");

    refill(&shop, "A", 3).await;
    let resume = wanted(&shop, "A").await.expect("a resumption");
    assert_eq!((resume.request, resume.on_hand, resume.depleted_since), (Request::Resume, 3, since));
    assert_ne!(resume.id, pause.id);
    asked(&shop, &resume).await;
    assert_eq!(status(&shop, "A").await, AdStatus::Running);
    assert_eq!(wanted(&shop, "A").await, None);

    empty(&shop, "A").await;
    let second = ask(&shop, "A", Request::Pause).await;
    assert_eq!(second.depleted_since, shop.now());
    refill(&shop, "A", 1).await;
    let last = ask(&shop, "A", Request::Resume).await;
    let mut ids = vec![pause.id, resume.id, second.id, last.id];
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 4, "another episode is another errand");
    shop.audit().await;
}

async fn a_refill_before_the_pause_was_asked_for_cancels_it(engine: Engine) {
    let shop = sold_out(engine).await;
    assert_eq!(wanted_request(&shop, "A").await, Some(Request::Pause));
    refill(&shop, "A", 3).await;
    assert_eq!(wanted(&shop, "A").await, None, "neither a pause nor a resumption");
    assert_eq!(status(&shop, "A").await, AdStatus::Running);

    empty(&shop, "A").await;
    ask(&shop, "A", Request::Pause).await;
    refill(&shop, "A", 3).await;
    assert_eq!(wanted_request(&shop, "A").await, Some(Request::Resume));
    empty(&shop, "A").await;
    assert_eq!(wanted(&shop, "A").await, None, "it is paused, and nothing can be sold");
    assert_eq!(status(&shop, "A").await, AdStatus::PauseRequested);
    refill(&shop, "A", 3).await;
    ask(&shop, "A", Request::Resume).await;
    assert_eq!(status(&shop, "A").await, AdStatus::Running);
}

async fn a_pause_that_is_noted_after_the_refill_is_followed_by_a_resumption(engine: Engine) {
    let shop = sold_out(engine).await;
    let pause = wanted(&shop, "A").await.expect("a pause");
    refill(&shop, "A", 3).await;
    asked(&shop, &pause).await;
    assert_eq!(status(&shop, "A").await, AdStatus::PauseRequested, "the manager was asked");
    let resume = ask(&shop, "A", Request::Resume).await;
    assert_eq!(resume.depleted_since, pause.depleted_since);
    assert_eq!((status(&shop, "A").await, wanted(&shop, "A").await), (AdStatus::Running, None));
}

async fn repeating_an_errand_changes_nothing_whenever_it_comes(engine: Engine) {
    let shop = sold_out(engine).await;
    let pause = ask(&shop, "A", Request::Pause).await;
    asked(&shop, &pause).await;
    assert_eq!(status(&shop, "A").await, AdStatus::PauseRequested);
    refill(&shop, "A", 3).await;
    let resume = wanted(&shop, "A").await.expect("a resumption");
    asked(&shop, &pause).await;
    assert_eq!(wanted(&shop, "A").await, Some(resume.clone()));
    asked(&shop, &resume).await;
    asked(&shop, &resume).await;
    asked(&shop, &pause).await;
    assert_eq!(
        (status(&shop, "A").await, wanted(&shop, "A").await),
        (AdStatus::Running, None),
        "a late repetition does not pause it again"
    );
    empty(&shop, "A").await;
    let second = ask(&shop, "A", Request::Pause).await;
    for errand in [&resume, &pause, &second] {
        asked(&shop, errand).await;
        assert_eq!(status(&shop, "A").await, AdStatus::PauseRequested);
    }
}

async fn an_errand_counts_what_was_lost_since_the_shelf_emptied_and_nothing_else(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 2).await;
    shop.define("B", 0, 10, 0).await;
    shop.buy(&[("A", 9)]).await;
    shop.wait_ms(1_000);
    shop.buy(&[("A", 2)]).await;
    let lost = async |shop: &Shop| {
        let errand = wanted(shop, "A").await.expect("something is wanted");
        (errand.orders_lost, errand.units_lost, errand.backordered)
    };
    assert_eq!(lost(&shop).await, (0, 0, 0), "what was turned down before is another matter");
    shop.wait_ms(1_000);
    shop.buy(&[("A", 1)]).await;
    shop.buy(&[("A", 4), ("B", 90)]).await;
    shop.buy(&[("B", 7)]).await;
    assert_eq!(lost(&shop).await, (2, 5, 0), "of this product only");
    let waiting = shop.backorder(&[("A", 3)]).await.order;
    assert_eq!(lost(&shop).await, (2, 5, 3), "an order that waits is not lost");
    ask(&shop, "A", Request::Pause).await;
    shop.wait_ms(1_000);
    shop.buy(&[("A", 5)]).await;
    refill(&shop, "A", 5).await;
    assert_eq!(shop.order(&waiting.id).await.status, Status::Accepted);
    assert_eq!(lost(&shop).await, (3, 10, 0), "a resumption tells of the whole episode");
    shop.buy(&[("A", 1), ("B", 1)]).await;
    assert_eq!(
        lost(&shop).await,
        (3, 10, 0),
        "an order that another product is short for is not lost for this one"
    );
}

async fn an_errand_tells_when_goods_are_expected_once_the_factory_took_the_job(engine: Engine) {
    let shop = sold_out(engine).await;
    let due = async |shop: &Shop| wanted(shop, "A").await.expect("a pause").refill_due_at;
    assert_eq!(due(&shop).await, None, "the factory has not taken the job");
    let request = shop.only_request().await.id;
    shop.store.begin(request.clone(), shop.now()).await.expect("begun").expect("there is work");
    assert_eq!(due(&shop).await, None);
    shop.ask(&request).await;
    assert_eq!(due(&shop).await, Some(shop.now() + DUE_MS));
}

async fn a_product_that_is_not_advertised_wants_nothing(engine: Engine) {
    let shop = Shop::open(engine).await;
    for (sku, running) in [("NONE", None), ("STOPPED", Some(false))] {
        shop.redefine(advertised(sku, running)).await;
        assert!(shop.product(sku).await.depleted_since.is_some());
        assert_eq!(wanted(&shop, sku).await, None, "{sku}");
        refill(&shop, sku, 3).await;
        assert_eq!(wanted(&shop, sku).await, None, "{sku}");
    }
    assert_eq!(wanted(&shop, "nobody").await, None);
    shop.redefine(advertised("RUNNING", Some(true))).await;
    assert_eq!(wanted_request(&shop, "RUNNING").await, Some(Request::Pause), "sold out from the start");
}

async fn what_an_operator_changes_in_between_stays(engine: Engine) {
    for (changed, expected) in [(Some(false), AdStatus::Stopped), (None, AdStatus::None)] {
        let shop = sold_out(engine).await;
        let pause = wanted(&shop, "A").await.expect("a pause");
        shop.redefine(advertised("A", changed)).await;
        assert_eq!(wanted(&shop, "A").await, None);
        asked(&shop, &pause).await;
        assert_eq!(status(&shop, "A").await, expected);

        let shop = sold_out(engine).await;
        ask(&shop, "A", Request::Pause).await;
        refill(&shop, "A", 3).await;
        let resume = wanted(&shop, "A").await.expect("a resumption");
        shop.redefine(advertised("A", changed)).await;
        assert_eq!(wanted(&shop, "A").await, None);
        asked(&shop, &resume).await;
        assert_eq!(status(&shop, "A").await, expected);
    }
    let shop = sold_out(engine).await;
    ask(&shop, "A", Request::Pause).await;
    shop.redefine(advertised("A", Some(true))).await;
    assert_eq!(status(&shop, "A").await, AdStatus::PauseRequested, "a repeated definition changes nothing");
    assert_eq!(wanted(&shop, "A").await, None);
}

async fn an_advertisement_that_starts_anew_is_asked_about_anew(engine: Engine) {
    let shop = sold_out(engine).await;
    let first = ask(&shop, "A", Request::Pause).await;
    shop.redefine(advertised("A", Some(false))).await;
    shop.redefine(advertised("A", Some(true))).await;
    assert_eq!(status(&shop, "A").await, AdStatus::Running);
    let second = wanted(&shop, "A").await.expect("it runs, and nothing can be sold");
    assert_eq!((second.request, second.depleted_since), (Request::Pause, first.depleted_since));
    assert_ne!(second.id, first.id);
    asked(&shop, &first).await;
    assert_eq!(wanted(&shop, "A").await.as_ref(), Some(&second), "the first answer is about another one");
    asked(&shop, &second).await;
    assert_eq!((status(&shop, "A").await, wanted(&shop, "A").await), (AdStatus::PauseRequested, None));

    let shop = sold_out(engine).await;
    let late = wanted(&shop, "A").await.expect("a pause");
    shop.redefine(advertised("A", Some(false))).await;
    shop.redefine(advertised("A", Some(true))).await;
    ask(&shop, "A", Request::Pause).await;
    asked(&shop, &late).await;
    refill(&shop, "A", 3).await;
    ask(&shop, "A", Request::Resume).await;
    assert_eq!(
        status(&shop, "A").await,
        AdStatus::Running,
        "a late note about the first keeps nothing paused"
    );
}

async fn an_advertisement_without_a_manager_still_wants_its_pause(engine: Engine) {
    let shop = Shop::open(engine).await;
    // As long as a name may be, so that the id has little room.
    let sku = "S".repeat(64);
    let mut orphan = advertised(&sku, Some(true));
    orphan.ad = Some(AdDefinition { running: true, manager_email: None });
    shop.redefine(orphan).await;
    let pause = ask(&shop, &sku, Request::Pause).await;
    assert_eq!(pause.manager_email, None);
    assert!(pause.id.chars().count() <= 200, "{}", pause.id);
    assert_eq!(status(&shop, &sku).await, AdStatus::PauseRequested);
}

async fn an_advertisement_that_starts_while_nothing_can_be_sold_is_a_message(engine: Engine) {
    let shop = Shop::open(engine).await;
    let kinds = async || -> Vec<String> {
        shop.drain("ad-control").await.into_iter().map(|delivery| delivery.event.kind).collect()
    };
    shop.redefine(advertised("A", None)).await;
    kinds().await;
    shop.redefine(advertised("A", Some(false))).await;
    assert_eq!(kinds().await, [""; 0], "it does not run");
    shop.redefine(advertised("A", Some(true))).await;
    assert_eq!(kinds().await, ["ad.started"]);
    shop.redefine(advertised("A", Some(true))).await;
    assert_eq!(kinds().await, [""; 0], "it ran before");
    refill(&shop, "A", 3).await;
    kinds().await;
    shop.redefine(advertised("A", None)).await;
    shop.redefine(advertised("A", Some(true))).await;
    assert_eq!(kinds().await, [""; 0], "there is something to sell");
}

async fn messages_tell_of_each_end_of_an_episode_once(engine: Engine) {
    let shop = sold_out(engine).await;
    for _ in 0..3 {
        shop.buy(&[("A", 1)]).await;
    }
    refill(&shop, "A", 1).await;
    refill(&shop, "A", 1).await;
    empty(&shop, "A").await;
    let told: Vec<_> = shop
        .drain("ad-control")
        .await
        .into_iter()
        .map(|delivery| format!("{} {}", delivery.event.subject, delivery.event.kind))
        .collect();
    assert_eq!(told, ["A stock.depleted", "A stock.replenished", "A stock.depleted"]);
}

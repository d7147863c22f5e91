//! Claim: a purchase promotes its customer once, whatever comes again and in whatever order, and what is known of people is in
//! a database of its own.

use super::bindings::restock::customers::{Announcement, Customer, Kind, Outcome, Purchase};
use super::bindings::restock::production::Filter;
use super::bindings::restock::types::Fault;
use super::shop::{Shop, definition, first_page};
use super::store::{Engine, Label, Place};

on_every_engine!(
    a_purchase_promotes_its_customer_and_owes_one_announcement,
    a_repeated_purchase_changes_nothing_and_finds_what_is_owed,
    purchases_that_overtake_each_other_promote_once_and_keep_the_larger_total,
    an_announcement_is_noted_once_and_never_owed_again,
    customers_do_not_know_each_other,
    a_store_without_the_label_says_so_and_does_everything_else,
    customers_of_a_newer_program_are_unavailable_and_the_shop_is_not,
);

fn purchase(order: &str, customer: &str, units: i64, units_bought: i64) -> Purchase {
    Purchase {
        order_id: order.into(),
        customer_id: customer.into(),
        email: Some(format!("{customer}@example.com")),
        name: Some("김".into()),
        units,
        units_bought,
        purchased_at: 1_000,
    }
}

async fn note(shop: &Shop, purchase: Purchase) -> Outcome {
    shop.store.note_purchase(purchase, shop.now()).await.expect("noted")
}

async fn customer(shop: &Shop, id: &str) -> Customer {
    shop.store.customer(id.into()).await.expect("read").expect("known")
}

async fn a_purchase_promotes_its_customer_and_owes_one_announcement(engine: Engine) {
    let shop = Shop::open(engine).await;
    assert_eq!(shop.store.customer("c".into()).await, Ok(None));
    let Outcome { promoted, announcement } = note(&shop, purchase("o-1", "c", 40, 100)).await;
    assert!(promoted);
    let Announcement { id, customer: told, order_id } = announcement.expect("news");
    assert!(!id.is_empty() && order_id == "o-1");
    let found = customer(&shop, "c").await;
    assert_eq!(told, found);
    let expected = Customer {
        id: "c".into(),
        email: Some("c@example.com".into()),
        name: Some("김".into()),
        kind: Kind::Vip,
        units_bought: 100,
        vip_since: Some(shop.now()),
        announced_at: None,
        cursor: found.cursor.clone(),
    };
    assert_eq!(found, expected);
}

async fn a_repeated_purchase_changes_nothing_and_finds_what_is_owed(engine: Engine) {
    let shop = Shop::open(engine).await;
    let first = note(&shop, purchase("o-1", "c", 40, 100)).await;
    let before = customer(&shop, "c").await;
    shop.wait_ms(1_000);
    let other_words = Purchase { email: None, name: Some("another".into()), ..purchase("o-1", "c", 99, 999) };
    for again in [purchase("o-1", "c", 40, 100), other_words] {
        let outcome = note(&shop, again).await;
        assert!(!outcome.promoted);
        assert_eq!(outcome.announcement, first.announcement, "the same news, still owed");
        assert_eq!(customer(&shop, "c").await, before);
    }
}

async fn purchases_that_overtake_each_other_promote_once_and_keep_the_larger_total(engine: Engine) {
    let shop = Shop::open(engine).await;
    let later = note(&shop, purchase("o-2", "c", 120, 220)).await;
    let since = shop.now();
    shop.wait_ms(1_000);
    let earlier = note(&shop, purchase("o-1", "c", 100, 100)).await;
    assert!(later.promoted && !earlier.promoted, "a VIP becomes one once");
    let (news, again) = (later.announcement.expect("news"), earlier.announcement.expect("still owed"));
    assert_eq!((&again.id, again.order_id.as_str()), (&news.id, "o-2"), "one announcement in a lifetime");
    let found = customer(&shop, "c").await;
    assert_eq!((found.kind, found.vip_since, found.units_bought), (Kind::Vip, Some(since), 220));
    let third = note(&shop, purchase("o-3", "c", 100, 320)).await;
    assert_eq!((third.promoted, third.announcement.map(|owed| owed.id)), (false, Some(news.id)));
    let found = customer(&shop, "c").await;
    assert_eq!((found.kind, found.vip_since, found.units_bought), (Kind::Vip, Some(since), 320));
}

async fn an_announcement_is_noted_once_and_never_owed_again(engine: Engine) {
    let shop = Shop::open(engine).await;
    let id = note(&shop, purchase("o-1", "c", 100, 100)).await.announcement.expect("news").id;
    shop.wait_ms(1_000);
    let moment = shop.now();
    for _ in 0..2 {
        shop.store.announced(id.clone(), shop.now()).await.expect("noted");
        assert_eq!(customer(&shop, "c").await.announced_at, Some(moment));
        shop.wait_ms(1_000);
    }
    for again in [purchase("o-1", "c", 100, 100), purchase("o-2", "c", 100, 200)] {
        assert_eq!(note(&shop, again).await, Outcome { promoted: false, announcement: None });
    }
    let found = customer(&shop, "c").await;
    assert_eq!((found.kind, found.announced_at, found.units_bought), (Kind::Vip, Some(moment), 200));
    assert_eq!(shop.store.announced("nobody".into(), shop.now()).await, Ok(()));
}

async fn customers_do_not_know_each_other(engine: Engine) {
    let shop = Shop::open(engine).await;
    let first = note(&shop, purchase("o-1", "a", 100, 100)).await.announcement.expect("news");
    let second = note(&shop, purchase("o-2", "b", 100, 100)).await;
    assert!(second.promoted);
    let second = second.announcement.expect("news");
    assert_ne!(first.id, second.id);
    shop.store.announced(second.id, shop.now()).await.expect("noted");
    assert_eq!(customer(&shop, "a").await.announced_at, None);
    assert!(note(&shop, purchase("o-1", "a", 100, 100)).await.announcement.is_some());
}

async fn a_store_without_the_label_says_so_and_does_everything_else(engine: Engine) {
    let place = Place::new(engine);
    let whole = place.host().store().await;
    let news =
        whole.note_purchase(purchase("o", "c", 1, 1), 1).await.expect("noted").announcement.expect("news");
    let store = place.host_with(&[Label::Default]).store().await;
    store.ready().await.expect("ready");
    let answers = [
        store.note_purchase(purchase("o", "c", 1, 1), 1).await.err(),
        store.announced(news.id, 1).await.err(),
        store.customer("c".into()).await.err(),
    ];
    for fault in answers {
        let Some(Fault::Unavailable(why)) = fault else { panic!("{fault:?}") };
        assert!(why.contains(Label::Customers.name(engine)), "it says which one: {why}");
    }
    // The rest of the shop, one function of each role.
    store.define(definition("A", 0, 10, 1), "o".into(), 1).await.expect("defined");
    store.movements("A".into(), first_page()).await.expect("read");
    store.bought("c".into()).await.expect("read");
    store.productions(Filter::All, first_page()).await.expect("read");
    store.queues(1).await.expect("read");
    store.partners(1).await.expect("read");
    store.wanted("A".into()).await.expect("read");
    store.look("l".into()).await.expect("read");
    store.incidents(false, first_page()).await.expect("read");
    store.rejects(first_page()).await.expect("read");
    store.audit().await.expect("audited");

    // And the other way round: a component that is given nothing but its customers.
    let store = place.host_with(&[Label::Customers]).store().await;
    assert!(store.note_purchase(purchase("p", "d", 1, 1), 1).await.expect("noted").promoted);
    let fault = store.product("A".into()).await;
    let label = Label::Default.name(engine);
    assert!(matches!(&fault, Err(Fault::Unavailable(why)) if why.contains(label)), "{fault:?}");
}

async fn customers_of_a_newer_program_are_unavailable_and_the_shop_is_not(engine: Engine) {
    let shop = Shop::open(engine).await;
    let news = note(&shop, purchase("o-1", "c", 100, 100)).await.announcement.expect("news");
    shop.place.tamper_with(
        Label::Customers,
        "INSERT INTO schema_migration (version, name) VALUES (9999, 'tomorrow')",
    );
    let store = shop.place.host().store().await;
    let answers = [
        store.note_purchase(purchase("o-2", "d", 1, 1), 1).await.err(),
        store.announced(news.id, 1).await.err(),
        store.customer("c".into()).await.err(),
    ];
    for fault in answers {
        let Some(Fault::Unavailable(why)) = fault else { panic!("{fault:?}") };
        assert!(why.contains("9999"), "{why}");
    }
    assert_eq!(store.bought("c".into()).await, Ok(None), "the shop has a database of its own");
    store.ready().await.expect("ready");
}

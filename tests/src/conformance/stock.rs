//! Claim: every change of stock is one line of the ledger, and corrections obey the shelf and their keys.

use super::bindings::restock::orders::Status;
use super::bindings::restock::stock::{Adjusting, MovementKind};
use super::shop::{Shop, first_page, page};
use super::store::Engine;

on_every_engine!(
    the_ledger_is_read_page_by_page_from_the_newest_while_it_grows,
    a_correction_takes_no_more_than_there_is_and_says_so,
    a_correction_with_a_used_key_gets_the_first_answer_or_is_refused,
    goods_that_appear_fill_waiting_orders_and_goods_that_vanish_are_asked_for,
);

async fn the_ledger_is_read_page_by_page_from_the_newest_while_it_grows(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    shop.define("B", 0, 10, 5).await;
    for _ in 0..4 {
        shop.adjust("A", 1, None).await;
        shop.adjust("B", -1, None).await;
    }
    let mut levels = Vec::new();
    let mut after = None;
    loop {
        let read = shop.store.movements("A".into(), page(2, after.as_deref())).await;
        let movements = read.expect("read").expect("the product is known");
        assert!(movements.len() <= 2);
        let Some(last) = movements.last() else { break };
        after = Some(last.id.to_string());
        levels.extend(movements.iter().map(|movement| movement.on_hand_after));
        shop.adjust("A", 100, None).await;
    }
    assert_eq!(levels, [9, 8, 7, 6, 5], "what is added at the front shifts nothing");
    assert_eq!(shop.store.movements("X".into(), first_page()).await, Ok(None));
}

async fn a_correction_takes_no_more_than_there_is_and_says_so(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    assert_eq!(shop.adjust("A", -6, None).await, Adjusting::WouldGoNegative(5));
    assert_eq!(shop.adjust("X", 1, None).await, Adjusting::UnknownSku);
    assert_eq!(shop.movements("A").await.len(), 1, "neither left a line");
    let adjusting = shop.adjust("A", -4, None).await;
    let Adjusting::Adjusted(movement) = adjusting else { panic!("{adjusting:?}") };
    assert_eq!((movement.kind, movement.delta, movement.on_hand_after), (MovementKind::Adjusted, -4, 1));
    assert_eq!((movement.reason.as_deref(), movement.at), (Some("recount"), shop.now()));
    assert_eq!(shop.movements("A").await[0], movement);
    shop.audit().await;
}

async fn a_correction_with_a_used_key_gets_the_first_answer_or_is_refused(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    shop.define("B", 0, 10, 5).await;
    let first = shop.adjust("A", -4, Some("k")).await;
    assert!(matches!(first, Adjusting::Adjusted(_)));
    shop.adjust("A", 7, None).await;
    assert_eq!(shop.adjust("A", -4, Some("k")).await, first);
    assert_eq!(shop.adjust("A", -1, Some("k")).await, Adjusting::KeyReused);
    assert_eq!(shop.adjust("B", -4, Some("k")).await, Adjusting::KeyReused);
    assert_eq!((shop.levels("A").await.0, shop.levels("B").await.0), (8, 5));
    shop.audit().await;
}

async fn goods_that_appear_fill_waiting_orders_and_goods_that_vanish_are_asked_for(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 3, 10, 5).await;
    shop.adjust("A", -2, None).await;
    assert_eq!(shop.levels("A").await, (3, 7, 0));
    assert_eq!(shop.only_request().await.quantity, 7);
    let order = shop.backorder(&[("A", 4)]).await.order;
    shop.adjust("A", 1, None).await;
    assert_eq!(shop.order(&order.id).await.status, Status::Accepted);
    assert_eq!(shop.levels("A").await, (0, 7, 0));
    let kinds: Vec<_> =
        shop.movements("A").await.into_iter().map(|movement| (movement.kind, movement.delta)).collect();
    assert_eq!(
        kinds,
        [
            (MovementKind::Sold, -4),
            (MovementKind::Adjusted, 1),
            (MovementKind::Adjusted, -2),
            (MovementKind::Opening, 5)
        ]
    );
    shop.audit().await;
}

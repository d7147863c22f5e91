//! Claim: goods are asked for once, counted once, and the request lives and dies with its message.

use super::shop::{STOCK, Shop, assert_status, first_page, wait};
use restock_store::production;
use restock_store::restock::production::{Filter, Status};
use restock_store::restock::queue::Verdict;

#[test]
fn however_many_orders_fail_there_is_one_request() {
    let shop = Shop::with_product("A", 2, 10, 3);
    assert_eq!(shop.order(&[("A", 1)]).rings, STOCK);
    for _ in 0..50 {
        shop.order(&[("A", 5)]);
    }
    assert!(
        shop.backorder(&[("A", 1)]).rings.is_empty(),
        "a waiting order behind an open request adds no work"
    );
    let requests = shop.productions();
    assert_eq!((requests.len(), requests[0].quantity, requests[0].status), (1, 8, Status::Planned));
    let cause = requests[0].because;
    assert_eq!((cause.on_hand, cause.on_order, cause.reorder_point, cause.order_up_to), (2, 0, 2, 10));
    shop.assert_sound();
}

#[test]
fn an_episode_of_low_stock_is_announced_once_each_way() {
    let shop = Shop::with_product("A", 2, 10, 3);
    shop.order(&[("A", 1)]);
    assert_eq!(shop.events(), ["stock.low"]);
    assert_eq!(shop.order(&[("A", 2)]).rings, STOCK);
    assert_eq!(shop.events(), ["stock.low", "stock.depleted"]);
    assert!(shop.find_product("A").depleted_since.is_some());
    shop.backorder(&[("A", 3)]);
    assert_eq!(shop.events(), ["stock.low", "stock.depleted"]);
    shop.adjust("A", 2, None);
    assert_eq!(shop.events(), ["stock.low", "stock.depleted"], "a waiting order takes more than came");
    shop.adjust("A", 2, None);
    assert_eq!(shop.events(), ["stock.low", "stock.depleted", "stock.replenished"]);
    assert!(shop.find_product("A").depleted_since.is_none());
    shop.assert_sound();
}

#[test]
fn a_shelf_that_empties_at_once_is_depleted_and_not_low() {
    let shop = Shop::with_product("A", 2, 10, 3);
    shop.order(&[("A", 3)]);
    assert_eq!(shop.events(), ["stock.depleted"]);
}

#[test]
fn a_second_request_in_the_same_episode_does_not_announce_it_again() {
    let shop = Shop::with_product("A", 0, 2, 0);
    shop.backorder(&[("A", 9)]);
    let first = shop.last_production();
    shop.receive(&first.id, first.quantity);
    assert_eq!(shop.productions().len(), 2, "nine wait, two came");
    assert_eq!(shop.events(), ["stock.depleted", "stock.low"]);
    shop.assert_sound();
}

#[test]
fn received_goods_are_counted_once_and_the_first_answer_is_kept() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let id = shop.last_production().id;
    shop.request(&id);
    let first = shop.receive(&id, 9);
    assert_eq!((first.on_hand, first.repeated), (10, false));
    shop.order(&[("A", 4)]);
    let again = shop.receive(&id, 9);
    assert_eq!((again.on_hand, again.repeated), (10, true));
    assert_eq!(shop.levels("A"), (6, 0, 0));
    shop.assert_sound();
}

#[test]
fn the_answer_counts_the_backorders_that_the_goods_filled() {
    let shop = Shop::with_product("A", 0, 10, 0);
    shop.backorder(&[("A", 4)]);
    assert_eq!(shop.receive(&shop.last_production().id, 10).on_hand, 6);
    assert_eq!(shop.levels("A"), (6, 0, 0));
    assert_eq!(shop.productions().len(), 1);
    shop.assert_sound();
}

#[test]
fn goods_that_bring_the_position_back_open_no_request_on_the_way() {
    let shop = Shop::with_product("A", 3, 10, 4);
    shop.order(&[("A", 1)]);
    shop.backorder(&[("A", 5)]);
    let id = shop.last_production().id;
    // Position: 3 + 7 - 5 = 5. Booked in two steps it would pass 3 + 0 - 5.
    shop.receive(&id, 7);
    assert_eq!(shop.levels("A"), (5, 0, 0));
    assert_eq!(shop.productions().len(), 1);
    shop.assert_sound();
}

#[test]
fn a_missing_rest_becomes_a_request_of_its_own() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let first = shop.last_production();
    shop.receive(&first.id, 4);
    let rest = shop.last_production();
    assert_eq!((rest.quantity, rest.follows.as_deref()), (5, Some(first.id.as_str())));
    assert_eq!(shop.levels("A"), (5, 5, 0));
    assert!(!shop.find_production(&first.id).over_delivered);
    assert_eq!(shop.claim(10).len(), 1, "the rest waits behind the first message of the product");
    shop.assert_sound();
}

#[test]
fn an_over_delivery_is_booked_and_flagged() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let id = shop.last_production().id;
    shop.receive(&id, 12);
    assert!(shop.find_production(&id).over_delivered);
    assert_eq!(shop.levels("A"), (13, 0, 0));
    shop.assert_sound();
}

#[test]
fn goods_for_a_product_answer_its_open_request_or_stand_alone() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let open = shop.last_production().id;
    let receipt = shop.receive_for("A", 9).expect("known");
    assert_eq!((receipt.production_id, receipt.on_hand), (Some(open), 10));
    let receipt = shop.receive_for("A", 5).expect("known");
    assert_eq!((receipt.production_id, receipt.on_hand), (None, 15));
    assert!(shop.receive_for("X", 5).is_none());
    shop.assert_sound();
}

#[test]
fn an_unknown_request_receives_nothing() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let goods = restock_store::restock::production::Delivery::OfRequest("nobody".into());
    assert!(wait(production::receive(&shop.database, goods, 1, 1)).expect("answered").is_none());
    assert!(wait(production::begin(&shop.database, "nobody".into())).expect("answered").is_none());
}

#[test]
fn a_request_that_is_overdue_is_asked_for_again_under_its_id() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let first = shop.claim_one();
    let id = shop.last_production().id;
    shop.request(&id);
    shop.settle(&first, Verdict::Done);
    assert_eq!(shop.tick_after(59_999).overdue, 0);
    assert_eq!(shop.tick_after(1).overdue, 1);
    assert_status(&shop, &id, Status::Overdue);
    let again = shop.claim_one();
    assert_eq!(again.event.kind, "production.overdue");
    assert!(again.event.data.contains(&id));
    let errand = wait(production::begin(&shop.database, id.clone())).expect("begun").expect("there is work");
    assert_eq!((errand.attempts, errand.factory_name.as_str()), (2, "공장"));
    wait(production::requested(&shop.database, id.clone(), None, shop.now.get(), u64::MAX)).expect("noted");
    assert_eq!(
        shop.find_production(&id).factory_job_id.as_deref(),
        Some("job"),
        "the last known job is kept"
    );
    shop.settle(&again, Verdict::Done);
    shop.receive(&id, 9);
    assert_eq!(shop.levels("A"), (10, 0, 0));
    shop.assert_sound();
}

#[test]
fn there_is_nothing_to_ask_for_once_the_factory_took_the_job() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let id = shop.last_production().id;
    shop.request(&id);
    assert!(wait(production::begin(&shop.database, id.clone())).expect("answered").is_none());
    shop.receive(&id, 9);
    wait(production::requested(&shop.database, id.clone(), None, 1, 2)).expect("answered");
    assert_status(&shop, &id, Status::Received);
}

#[test]
fn a_buried_message_fails_its_request_and_brings_nothing() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let id = shop.last_production().id;
    shop.settle(&shop.claim_one(), Verdict::Bury);
    assert_status(&shop, &id, Status::Failed);
    assert_eq!(shop.levels("A"), (1, 0, 0));
    shop.order(&[("A", 1)]);
    assert_eq!(shop.productions().len(), 1, "asking again is an operator's decision");
    shop.assert_sound();
}

#[test]
fn a_redriven_message_plans_its_request_again() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let id = shop.last_production().id;
    shop.settle(&shop.claim_one(), Verdict::Bury);
    assert_eq!(shop.redrive_all(), 1);
    assert_status(&shop, &id, Status::Planned);
    assert_eq!(shop.levels("A"), (1, 9, 0));
    shop.assert_sound();
}

#[test]
fn a_purged_message_cancels_its_request_and_the_next_sale_opens_another() {
    let shop = Shop::with_product("A", 2, 10, 2);
    let id = shop.last_production().id;
    shop.settle(&shop.claim_one(), Verdict::Bury);
    assert_eq!(shop.purge_all(), 1);
    assert_status(&shop, &id, Status::Cancelled);
    shop.assert_sound();
    assert_eq!(shop.order(&[("A", 1)]).rings, STOCK);
    assert_eq!((shop.productions().len(), shop.levels("A")), (2, (1, 9, 0)));
    shop.assert_sound();
}

#[test]
fn goods_that_come_after_all_are_booked_whatever_became_of_the_request() {
    for status in [Status::Overdue, Status::Failed, Status::Cancelled] {
        let shop = Shop::with_product("A", 2, 10, 1);
        let id = shop.last_production().id;
        if status == Status::Overdue {
            let delivery = shop.claim_one();
            shop.request(&id);
            shop.settle(&delivery, Verdict::Done);
            shop.tick_after(60_000);
        } else {
            shop.settle(&shop.claim_one(), Verdict::Bury);
        }
        if status == Status::Cancelled {
            shop.purge_all();
        }
        assert_status(&shop, &id, status);
        assert!(!shop.receive(&id, 9).repeated);
        assert_status(&shop, &id, Status::Received);
        assert_eq!(shop.levels("A"), (10, 0, 0), "after {status:?}");
        shop.redrive_all();
        assert_eq!(shop.levels("A"), (10, 0, 0), "a redriven message of a received request asks for nothing");
        shop.assert_sound();
    }
}

#[test]
fn a_partial_delivery_of_a_failed_request_opens_what_the_levels_ask_for() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let id = shop.last_production().id;
    shop.settle(&shop.claim_one(), Verdict::Bury);
    shop.receive(&id, 1);
    let next = shop.last_production();
    assert_eq!((next.quantity, next.follows), (8, None));
    assert_eq!(shop.levels("A"), (2, 8, 0));
    shop.assert_sound();
}

#[test]
fn a_failed_request_that_the_factory_takes_after_all_brings_goods_again() {
    let shop = Shop::with_product("A", 2, 10, 1);
    let id = shop.last_production().id;
    shop.settle(&shop.claim_one(), Verdict::Bury);
    shop.request(&id);
    assert_status(&shop, &id, Status::Requested);
    assert_eq!(shop.levels("A"), (1, 9, 0));
    shop.assert_sound();
}

#[test]
fn requests_are_listed_newest_first_and_by_state() {
    let shop = Shop::with_product("A", 2, 10, 1);
    shop.product("B", 2, 10, 1);
    shop.receive_for("A", 9);
    let all = wait(production::list(&shop.database, Filter::All, first_page())).expect("read");
    assert_eq!(all.len(), 2);
    assert!(all[0].id > all[1].id);
    let planned = wait(production::list(&shop.database, Filter::ByStatus(Status::Planned), first_page()))
        .expect("read");
    assert_eq!((planned.len(), planned[0].sku.as_str()), (1, "B"));
}

//! Claim: a trace goes from an order into everything that the order causes, up to what happens when the goods come, and into nothing
//! else.
//! Method: one story for each way that it takes. Random histories are in `history_of_traces`.

use std::collections::BTreeSet;

use super::bindings::restock::catalog::{Policy, ProductDefinition};
use super::bindings::restock::orders::{IfShort, Placement, Recording, Status, VipPolicy, VipRule};
use super::bindings::restock::production;
use super::bindings::restock::returns::ToStock;
use super::parcels::parcel;
use super::shop::{DUE_MS, QUEUE, Shop, definition, first_page};
use super::store::{Engine, Label};

on_every_engine!(
    an_order_s_trace_is_kept_and_a_repetition_finds_the_first_one,
    a_request_and_its_messages_continue_the_order_that_made_it_necessary,
    each_event_of_a_product_continues_the_order_that_caused_it,
    goods_continue_their_request_and_so_does_what_is_left_of_it,
    a_bulk_order_is_told_in_its_own_trace_also_when_it_waited,
    a_dead_letter_is_told_in_the_trace_of_its_message,
    what_an_operator_does_continues_no_order,
    returned_goods_and_goods_without_a_request_continue_nothing,
    a_request_after_a_request_that_was_given_up_continues_what_led_to_it,
);

/// A trace context as its number tells it apart from others.
pub(super) fn trace(number: usize) -> String {
    format!("00-{number:032x}-{number:016x}-01")
}

impl Shop {
    /// Places an order in a trace.
    async fn traced(&self, number: usize, items: &[(&str, u32)], if_short: IfShort) -> Recording {
        let placement = self.placement(items, if_short);
        self.recorded(Placement { traceparent: Some(trace(number)), ..placement }).await
    }

    /// Kind and trace of all that is due in a queue, oldest first; it is worked off.
    async fn told(&self, queue: &str) -> Vec<(String, Option<String>)> {
        let deliveries = self.drain(queue).await;
        deliveries.into_iter().map(|delivery| (delivery.event.kind, delivery.event.traceparent)).collect()
    }

    async fn assert_told(&self, queue: &str, expected: &[(&str, Option<usize>)]) {
        let expected: Vec<_> =
            expected.iter().map(|(kind, number)| ((*kind).to_owned(), number.map(trace))).collect();
        assert_eq!(self.told(queue).await, expected);
    }

    async fn assert_request(&self, sku: &str, number: Option<usize>) -> String {
        let request = self.open_request(sku).await.expect("a request is open");
        assert_eq!(request.traceparent, number.map(trace));
        request.id
    }
}

async fn an_order_s_trace_is_kept_and_a_repetition_finds_the_first_one(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 9).await;
    let keyed = async |number| {
        let placement = shop.keyed("key", &[("A", 1)], IfShort::Reject);
        shop.recorded(Placement { traceparent: Some(trace(number)), ..placement }).await
    };
    let first = keyed(1).await.order;
    assert_eq!(first.traceparent, Some(trace(1)));
    assert_eq!(shop.order(&first.id).await, first);
    let again = keyed(2).await;
    assert!(again.replayed);
    assert_eq!(again.order, first);
    let without = shop.buy(&[("A", 1)]).await.order;
    assert_eq!(without.traceparent, None);
    assert_eq!(shop.traced(3, &[("A", 99)], IfShort::Reject).await.order.traceparent, Some(trace(3)));
}

async fn a_request_and_its_messages_continue_the_order_that_made_it_necessary(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 9).await;
    shop.traced(1, &[("A", 6)], IfShort::Reject).await;
    assert_eq!(shop.claim(9).await, [], "enough is left");
    shop.traced(2, &[("A", 1)], IfShort::Reject).await;
    shop.traced(3, &[("A", 1)], IfShort::Reject).await;
    let id = shop.assert_request("A", Some(2)).await;
    assert_eq!(shop.request(&id).await.traceparent, Some(trace(2)));
    let listed = shop.store.productions(production::Filter::ByProduct("A".into()), first_page()).await;
    assert_eq!(listed.expect("read")[0].traceparent, Some(trace(2)));
    assert_eq!(shop.store.open_requests(9).await.expect("read")[0].traceparent, Some(trace(2)));

    let delivery = shop.claim_one().await;
    assert_eq!((delivery.event.kind.as_str(), delivery.event.traceparent), ("stock.low", Some(trace(2))));
    assert_eq!(shop.message(&delivery.message_id).await.event.traceparent, Some(trace(2)));
    shop.ask(&id).await;
    shop.wait_ms(DUE_MS);
    shop.tick().await;
    shop.assert_told(QUEUE, &[("stock.low", Some(2)), ("production.overdue", Some(2))]).await;
}

async fn each_event_of_a_product_continues_the_order_that_caused_it(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 5).await;
    shop.define("B", 2, 10, 9).await;
    shop.traced(1, &[("A", 3)], IfShort::Reject).await;
    shop.traced(2, &[("B", 1)], IfShort::Reject).await;
    shop.traced(3, &[("A", 9)], IfShort::Reject).await;
    shop.assert_told("ad-control", &[]).await;
    shop.traced(4, &[("A", 4), ("B", 1)], IfShort::Backorder).await;
    shop.assert_told("ad-control", &[("stock.depleted", Some(4))]).await;
    shop.assert_request("A", Some(1)).await;
    assert_eq!(shop.open_request("B").await, None);
    shop.buy(&[("B", 6)]).await;
    shop.assert_request("B", None).await;
    let expected = [("stock.low", Some(1)), ("stock.depleted", Some(4)), ("stock.low", None)];
    let mut told = shop.told(QUEUE).await;
    told.sort();
    let mut sorted = expected.map(|(kind, number)| (kind.to_owned(), number.map(trace)));
    sorted.sort();
    assert_eq!(told, sorted);
}

async fn goods_continue_their_request_and_so_does_what_is_left_of_it(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 5).await;
    shop.traced(1, &[("A", 3)], IfShort::Reject).await;
    shop.traced(2, &[("A", 2)], IfShort::Reject).await;
    shop.traced(3, &[("A", 4)], IfShort::Backorder).await;
    let id = shop.assert_request("A", Some(1)).await;
    shop.assert_told("ad-control", &[("stock.depleted", Some(2))]).await;
    shop.assert_told(QUEUE, &[("stock.low", Some(1)), ("stock.depleted", Some(2))]).await;

    // One unit is missing.
    let receipt = shop.receive(&id, 7).await;
    assert_eq!(receipt.traceparent, Some(trace(1)));
    assert_eq!(shop.receive(&id, 7).await.traceparent, Some(trace(1)), "and so does a repeated report");
    shop.assert_told("ad-control", &[("stock.replenished", Some(1))]).await;
    let rest = shop.assert_request("A", Some(1)).await;
    assert_eq!(shop.request(&rest).await.follows, Some(id));
    shop.assert_told(QUEUE, &[("stock.low", Some(1))]).await;
    let receipt = shop.receive_for("A", 1).await.expect("the product is known");
    assert_eq!((receipt.production_id, receipt.traceparent), (Some(rest), Some(trace(1))));
}

async fn a_bulk_order_is_told_in_its_own_trace_also_when_it_waited(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 100, 5).await;
    let vip = VipPolicy { rule: VipRule::SingleOrder, units: 4 };
    let place = async |number, units, if_short| {
        let placement = shop.placement(&[("A", units)], if_short);
        shop.recorded(Placement { traceparent: Some(trace(number)), vip, ..placement }).await.order
    };
    place(1, 4, IfShort::Reject).await;
    shop.assert_told("loyalty", &[("order.bulk", Some(1))]).await;
    let waiting = place(2, 6, IfShort::Backorder).await;
    let also_waiting = place(3, 7, IfShort::Backorder).await;
    shop.assert_told("loyalty", &[]).await;
    let id = shop.open_request("A").await.expect("it ran out").id;
    assert_eq!(shop.receive(&id, 50).await.traceparent, Some(trace(2)));
    for id in [waiting.id, also_waiting.id] {
        assert_eq!(shop.order(&id).await.status, Status::Accepted);
    }
    let mut told = shop.told("loyalty").await;
    told.sort();
    assert_eq!(told, [2, 3].map(|number| ("order.bulk".to_owned(), Some(trace(number)))));
}

async fn a_dead_letter_is_told_in_the_trace_of_its_message(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 5).await;
    shop.define("B", 2, 10, 5).await;
    shop.traced(1, &[("A", 3)], IfShort::Reject).await;
    shop.traced(2, &[("B", 3)], IfShort::Reject).await;
    for delivery in shop.claim(9).await {
        shop.bury(&delivery, "factory-refused", "no").await;
    }
    let letters = shop.buried().await;
    let traces: BTreeSet<_> = letters.iter().map(|letter| letter.event.traceparent.clone()).collect();
    assert_eq!(traces, [1, 2].map(|number| Some(trace(number))).into());
    let told = shop
        .place
        .rows(Label::Default)
        .column("SELECT traceparent FROM event WHERE type = 'message.buried' ORDER BY traceparent");
    assert_eq!(told, [1, 2].map(trace));
    // One incident, which the first of them opened.
    let notices = shop.told("alerts").await;
    assert_eq!(notices.len(), 2, "one on each channel");
    let opened_by = notices[0].1.clone();
    assert!(told.iter().any(|trace| opened_by.as_ref() == Some(trace)), "{notices:?}");
    assert!(notices.iter().all(|notice| notice.1 == opened_by), "{notices:?}");
}

async fn what_an_operator_does_continues_no_order(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 5).await;
    // A correction takes it below the line.
    shop.traced(1, &[("A", 1)], IfShort::Reject).await;
    shop.adjust("A", -2, None).await;
    shop.assert_request("A", None).await;
    shop.assert_told(QUEUE, &[("stock.low", None)]).await;
    // A definition raises the line.
    shop.define("B", 2, 10, 5).await;
    shop.traced(2, &[("B", 1)], IfShort::Reject).await;
    shop.define("B", 4, 10, 5).await;
    shop.assert_request("B", None).await;
    // So do computed levels.
    let auto = |sku: &str| ProductDefinition { policy: Policy::Auto, ..definition(sku, 2, 10, 5) };
    shop.redefine(auto("C")).await;
    shop.traced(3, &[("C", 1)], IfShort::Reject).await;
    assert_eq!(shop.store.set_levels("C".into(), 4, 10, shop.now()).await, Ok(true));
    shop.assert_request("C", None).await;
    shop.assert_told(QUEUE, &[("stock.low", None), ("stock.low", None)]).await;
    // Goods that are found end what an order began.
    shop.define("D", 0, 10, 1).await;
    shop.traced(4, &[("D", 1)], IfShort::Reject).await;
    shop.assert_told("ad-control", &[("stock.depleted", Some(4))]).await;
    shop.adjust("D", 3, None).await;
    shop.assert_told("ad-control", &[("stock.replenished", None)]).await;
    // An advertisement that starts while nothing can be sold.
    let stopped = ProductDefinition { ad: None, ..definition("E", 0, 10, 1) };
    shop.redefine(stopped).await;
    shop.traced(5, &[("E", 1)], IfShort::Reject).await;
    shop.drain("ad-control").await;
    shop.define("E", 0, 10, 1).await;
    shop.assert_told("ad-control", &[("ad.started", None)]).await;
}

async fn returned_goods_and_goods_without_a_request_continue_nothing(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 2).await;
    let order = shop.traced(1, &[("A", 2)], IfShort::Reject).await.order;
    shop.assert_told("ad-control", &[("stock.depleted", Some(1))]).await;
    let entry = shop.follow(&[parcel(&order.id, "A")]).await.remove(0);
    shop.deliver(&entry).await;
    assert!(shop.report(&entry, ToStock::On).await);
    shop.assert_told("ad-control", &[("stock.replenished", None)]).await;

    shop.define("B", 0, 10, 1).await;
    shop.traced(2, &[("B", 1)], IfShort::Reject).await;
    let id = shop.assert_request("B", Some(2)).await;
    shop.receive(&id, 10).await;
    shop.traced(3, &[("B", 9)], IfShort::Reject).await;
    let receipt = shop.receive_for("B", 1).await.expect("the product is known");
    assert_eq!((receipt.production_id, receipt.traceparent), (None, None));
    shop.adjust("B", -2, None).await;
    shop.assert_request("B", None).await;
}

async fn a_request_after_a_request_that_was_given_up_continues_what_led_to_it(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 5).await;
    shop.traced(1, &[("A", 3)], IfShort::Reject).await;
    let first = shop.assert_request("A", Some(1)).await;
    shop.bury(&shop.claim_one().await, "factory-refused", "no").await;
    shop.redrive_all().await;
    assert_eq!(shop.assert_request("A", Some(1)).await, first);
    shop.bury(&shop.claim_one().await, "factory-refused", "no").await;
    shop.purge_all().await;
    assert_eq!(shop.open_request("A").await, None);
    shop.traced(2, &[("A", 9)], IfShort::Reject).await;
    assert_eq!(shop.open_request("A").await, None, "a refusal changes no stock");
    shop.traced(3, &[("A", 1)], IfShort::Reject).await;
    shop.assert_request("A", Some(3)).await;
    shop.assert_told(QUEUE, &[("stock.low", Some(3))]).await;
    // Goods of the one that was given up are its own.
    assert_eq!(shop.receive(&first, 1).await.traceparent, Some(trace(1)));
}

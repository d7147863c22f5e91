//! Claim: a list that is walked page by page shows every row once, in its order, while rows arrive and change; and the history of a
//! product's stock goes from one end to the other, however long it is.

use std::collections::BTreeSet;

use super::bindings::restock::customers::{Customer, Kind, Purchase};
use super::bindings::restock::insight::Level;
use super::bindings::restock::orders::{self, IfShort, Order, Placement, Status as OrderStatus};
use super::bindings::restock::production::{self, Status};
use super::bindings::restock::queue::Verdict;
use super::bindings::restock::types::Page;
use super::shop::{Shop, first_page, page};
use super::store::{Engine, Label};

on_every_engine!(
    orders_are_walked_newest_first_while_others_arrive,
    orders_are_narrowed_to_those_that_wait_that_were_turned_down_or_that_a_customer_placed,
    a_filled_order_waits_no_more_and_a_repeated_one_is_listed_once,
    buyers_are_walked_by_their_ids,
    vips_come_first_and_newest_first_and_the_others_by_their_ids,
    the_cursor_of_another_list_asks_for_no_more_than_a_page,
    requests_of_a_product_are_walked_newest_first,
    open_requests_come_soonest_due_first_and_before_them_what_has_no_due_time,
    the_history_of_an_unknown_product_is_none,
    the_history_of_stock_begins_with_the_level_that_the_moment_found,
    a_long_history_is_sampled_from_end_to_end,
);

/// Walks a list in pages of so many rows; `between` is called after each page. Returns what `name` says of the rows.
async fn walk<T>(
    limit: u32,
    read: impl AsyncFn(Page) -> Vec<T>,
    cursor: impl Fn(&T) -> String,
    name: impl Fn(&T) -> String,
    between: impl AsyncFn(usize),
) -> Vec<String> {
    let mut names = Vec::new();
    let mut after = None;
    for pages in 0.. {
        let rows = read(page(limit, after.as_deref())).await;
        assert!(rows.len() <= limit as usize);
        names.extend(rows.iter().map(&name));
        let Some(last) = rows.last() else { break };
        after = Some(cursor(last));
        between(pages).await;
    }
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "every row once: {names:?}");
    names
}

fn id(order: &Order) -> String {
    order.id.clone()
}

async fn listed(shop: &Shop, filter: orders::Filter) -> Vec<String> {
    let read = async |page| shop.store.orders(filter.clone(), page).await.expect("read");
    walk(2, read, |order| order.cursor.clone(), id, async |_| {}).await
}

async fn orders_are_walked_newest_first_while_others_arrive(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 100).await;
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.insert(0, shop.buy(&[("A", 1)]).await.order);
    }
    let found = shop.store.orders(orders::Filter::All, first_page()).await.expect("read");
    assert_eq!(found, placed, "as they were answered");
    assert_eq!(
        shop.order(&placed[0].id).await,
        placed[0],
        "and as each is read by itself, its cursor among it"
    );

    let read = async |page| shop.store.orders(orders::Filter::All, page).await.expect("read");
    let arrive = async |_| {
        shop.buy(&[("A", 1)]).await;
    };
    let walked = walk(2, read, |order| order.cursor.clone(), id, arrive).await;
    assert_eq!(walked, placed.iter().map(id).collect::<Vec<_>>(), "newer ones come in before the first page");
}

async fn orders_are_narrowed_to_those_that_wait_that_were_turned_down_or_that_a_customer_placed(
    engine: Engine,
) {
    let shop = Shop::with_product(engine, "A", 0, 10, 4).await;
    let mut all = Vec::new();
    for (number, (quantity, if_short)) in
        [(1, IfShort::Reject), (9, IfShort::Reject), (9, IfShort::Backorder)]
            .into_iter()
            .cycle()
            .take(9)
            .enumerate()
    {
        let mut placement = shop.placement(&[("A", quantity)], if_short);
        placement.customer.id = ["x", "y"][number % 2].into();
        all.insert(0, shop.recorded(placement).await.order);
    }
    let those = |keep: &dyn Fn(&Order) -> bool| -> Vec<String> {
        all.iter().filter(|order| keep(order)).map(id).collect()
    };
    assert_eq!(listed(&shop, orders::Filter::All).await, those(&|_| true));
    let waiting = those(&|order| order.status == OrderStatus::Backordered);
    let rejected = those(&|order| order.status == OrderStatus::Rejected);
    assert!(waiting.len() > 2 && rejected.len() > 2, "each has several pages");
    assert_eq!(listed(&shop, orders::Filter::Waiting).await, waiting);
    assert_eq!(listed(&shop, orders::Filter::Rejected).await, rejected);
    let of_x = those(&|order| order.customer.id == "x");
    assert_eq!(of_x.len(), 5);
    assert_eq!(listed(&shop, orders::Filter::ByCustomer("x".into())).await, of_x);
    assert_eq!(listed(&shop, orders::Filter::ByCustomer("nobody".into())).await, Vec::<String>::new());
}

async fn a_filled_order_waits_no_more_and_a_repeated_one_is_listed_once(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 1).await;
    let first = shop.keyed("k", &[("A", 3)], IfShort::Backorder);
    let waiting = shop.recorded(first.clone()).await.order;
    let again = Placement { id: "another".into(), ..first };
    assert!(shop.recorded(again).await.replayed);
    let behind = shop.backorder(&[("A", 9)]).await.order;
    assert_eq!(listed(&shop, orders::Filter::Waiting).await, [behind.id.clone(), waiting.id.clone()]);
    shop.adjust("A", 2, None).await;
    assert_eq!(listed(&shop, orders::Filter::Waiting).await, std::slice::from_ref(&behind.id));
    assert_eq!(listed(&shop, orders::Filter::All).await, [behind.id, waiting.id.clone()]);
    assert_eq!(shop.order(&waiting.id).await.cursor, waiting.cursor, "it keeps its place");
}

async fn buyers_are_walked_by_their_ids(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 100).await;
    let buy = async |customer: &str| {
        let mut placement = shop.placement(&[("A", 2)], IfShort::Reject);
        placement.customer.id = customer.into();
        shop.recorded(placement).await;
    };
    for customer in ["c", "B", "a-10", "a-2", "a", "c"] {
        buy(customer).await;
    }
    let read = async |page| shop.store.buyers(page).await.expect("read");
    let arrive = async |pages| {
        if pages == 0 {
            buy("A").await;
            buy("b").await;
        }
    };
    let walked =
        walk(2, read, |buyer| buyer.customer_id.clone(), |buyer| buyer.customer_id.clone(), arrive).await;
    assert_eq!(
        walked,
        ["B", "a", "a-10", "a-2", "b", "c"],
        "by their bytes; what comes in behind the cursor is shown"
    );
    for buyer in shop.store.buyers(first_page()).await.expect("read") {
        let alone = shop.store.bought(buyer.customer_id.clone()).await.expect("read");
        assert_eq!(alone, Some(buyer), "as it is read by itself");
    }
}

async fn vips_come_first_and_newest_first_and_the_others_by_their_ids(engine: Engine) {
    let shop = Shop::open(engine).await;
    let promote = async |customer: &str| {
        let purchase = Purchase {
            order_id: format!("order of {customer}"),
            customer_id: customer.into(),
            email: None,
            name: Some("김".into()),
            units: 100,
            units_bought: 100,
            purchased_at: 1,
        };
        assert!(shop.store.note_purchase(purchase, shop.now()).await.expect("noted").promoted);
    };
    for customer in ["first", "second:with:colons", "third", "fourth", "fifth"] {
        promote(customer).await;
        // The second and the third became one at the same moment.
        if customer != "second:with:colons" {
            shop.wait_ms(1_000);
        }
    }
    // Nothing that the store does leaves a customer who is no VIP, but its list has a place for them.
    for other in ["o-2", "B", "o-10", "vip:9:x", "a"] {
        let row =
            format!("INSERT INTO customer (customer_id, kind, units_bought) VALUES ('{other}', 'normal', 1)");
        shop.place.tamper_with(Label::Customers, &row);
    }
    let read = async |page| shop.store.customers(page).await.expect("read");
    let (cursor, name) =
        (|customer: &Customer| customer.cursor.clone(), |customer: &Customer| customer.id.clone());
    let expected =
        ["fifth", "fourth", "third", "second:with:colons", "first", "B", "a", "o-10", "o-2", "vip:9:x"];
    for limit in [1, 2, 3, 7, 200] {
        assert_eq!(walk(limit, read, cursor, name, async |_| {}).await, expected, "pages of {limit}");
    }
    let arrive = async |pages| {
        if pages == 0 {
            promote("sixth").await;
        }
    };
    assert_eq!(
        walk(2, read, cursor, name, arrive).await,
        expected,
        "newer VIPs come in before the first page"
    );
    let all = read(first_page()).await;
    assert!(all.iter().take(6).all(|customer| customer.kind == Kind::Vip && customer.vip_since.is_some()));
    for customer in all {
        let alone = shop.store.customer(customer.id.clone()).await.expect("read");
        assert_eq!(alone, Some(customer), "as it is read by itself");
    }
}

async fn the_cursor_of_another_list_asks_for_no_more_than_a_page(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 3).await;
    let order = shop.buy(&[("A", 1)]).await.order;
    let request = shop.only_request().await;
    for foreign in
        ["x", "17", "-1", "vip:", "vip:1:", "vip:x:y", "other:", "9223372036854775808", "~", "김", "\0"]
    {
        let page = page(1, Some(foreign));
        let orders = shop.store.orders(orders::Filter::ByCustomer("c-1".into()), page.clone()).await;
        assert!(orders.is_ok_and(|orders| orders.len() <= 1), "{foreign:?}");
        assert!(shop.store.buyers(page.clone()).await.is_ok_and(|buyers| buyers.len() <= 1), "{foreign:?}");
        assert!(shop.store.customers(page.clone()).await.is_ok_and(|found| found.is_empty()), "{foreign:?}");
        let filter = production::Filter::ByProduct("A".into());
        let requests = shop.store.productions(filter, page).await;
        assert!(requests.is_ok_and(|requests| requests.len() <= 1), "{foreign:?}");
    }
    assert_eq!(
        shop.store.orders(orders::Filter::All, page(0, None)).await,
        Ok(vec![order]),
        "a page has a row"
    );
    assert_eq!(shop.store.open_requests(0).await, Ok(vec![request]));
}

async fn requests_of_a_product_are_walked_newest_first(engine: Engine) {
    let shop = Shop::open(engine).await;
    let mut of_a = Vec::new();
    for sku in ["A", "B"] {
        shop.define(sku, 2, 10, 1).await;
        for _ in 0..3 {
            let request = shop.open_request(sku).await.expect("it is low");
            shop.receive(&request.id, 9).await;
            shop.buy(&[(sku, 9)]).await;
            if sku == "A" {
                of_a.insert(0, request.id);
            }
        }
    }
    of_a.insert(0, shop.open_request("A").await.expect("it is low again").id);
    of_a.sort_by(|newer, older| older.cmp(newer));
    let of = async |sku: &str| {
        let read = async |page| {
            shop.store.productions(production::Filter::ByProduct(sku.into()), page).await.expect("read")
        };
        walk(2, read, |request| request.id.clone(), |request| request.id.clone(), async |_| {}).await
    };
    assert_eq!(of("A").await, of_a);
    assert_eq!(of("B").await.len(), 4);
    assert!(of("nobody").await.is_empty());
}

async fn open_requests_come_soonest_due_first_and_before_them_what_has_no_due_time(engine: Engine) {
    let shop = Shop::with_messages(engine, 6).await;
    let of = async |sku| shop.open_request(sku).await.expect("low from the start").id;
    let (later, sooner) = (of("P000").await, of("P001").await);
    let now = shop.now();
    for (id, due) in [(&later, now + 9_000), (&sooner, now + 2_000)] {
        shop.store.begin(id.clone(), now).await.expect("begun").expect("there is something to ask for");
        shop.store.requested(id.clone(), Some("job".into()), now, due).await.expect("noted");
    }
    let planned: BTreeSet<_> = [of("P002").await, of("P003").await].into();
    let failed = of("P004").await;
    for delivery in shop.claim(10).await {
        if delivery.event.subject == "P004" {
            assert!(shop.settle(&delivery, Verdict::Bury).await);
        }
    }
    shop.receive(&of("P005").await, 9).await;

    let open = shop.store.open_requests(200).await.expect("read");
    let ids: Vec<_> = open.iter().map(|request| request.id.clone()).collect();
    let undated: BTreeSet<_> = ids.iter().take(3).cloned().collect();
    assert_eq!(undated, planned.into_iter().chain([failed]).collect(), "what nobody promised a time for");
    assert_eq!(ids[3..], [sooner.clone(), later.clone()], "and what is received is open no more");
    shop.wait_ms(5_000);
    shop.tick().await;
    let open = shop.store.open_requests(4).await.expect("read");
    assert_eq!(
        (open.len(), open[3].id.clone(), open[3].status),
        (4, sooner, Status::Overdue),
        "as many as asked for"
    );
    assert_eq!(open[0], shop.request(&open[0].id).await, "as it is read by itself");
}

async fn history(shop: &Shop, since: u64, samples: u32) -> Vec<(u64, i64)> {
    let levels = shop.store.stock_history("A".into(), since, samples).await.expect("read");
    levels.expect("the product is there").into_iter().map(|Level { at, on_hand }| (at, on_hand)).collect()
}

async fn the_history_of_an_unknown_product_is_none(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    assert_eq!(shop.store.stock_history("nobody".into(), 0, 10).await, Ok(None));
}

async fn the_history_of_stock_begins_with_the_level_that_the_moment_found(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    shop.define("B", 0, 10, 50).await;
    let created = shop.now();
    assert_eq!(history(&shop, 0, 10).await, [(created, 5)], "nothing is known of the time before it");
    assert_eq!(history(&shop, created, 10).await, [(created, 5)]);
    shop.wait_ms(1_000);
    shop.buy(&[("A", 1), ("B", 9)]).await;
    shop.wait_ms(1_000);
    shop.adjust("A", 3, None).await;
    let (bought, found) = (created + 1_000, created + 2_000);
    assert_eq!(history(&shop, 0, 10).await, [(created, 5), (bought, 4), (found, 7)]);
    assert_eq!(history(&shop, created + 1, 10).await, [(created + 1, 5), (bought, 4), (found, 7)]);
    assert_eq!(history(&shop, bought + 1, 10).await, [(bought + 1, 4), (found, 7)]);
    assert_eq!(history(&shop, found + 1, 10).await, [(found + 1, 7)], "and nothing happened since");
    shop.define("C", 0, 10, 0).await;
    let empty = shop.store.stock_history("C".into(), 0, 10).await.expect("read");
    assert_eq!(empty, Some(vec![Level { at: shop.now(), on_hand: 0 }]), "an empty shelf has a history too");
}

async fn a_long_history_is_sampled_from_end_to_end(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 0).await;
    shop.define("B", 0, 10, 0).await;
    for number in 0..120 {
        shop.wait_ms(1_000);
        shop.adjust(if number % 3 == 0 { "B" } else { "A" }, 1, None).await;
    }
    let whole = history(&shop, 0, 500).await;
    assert_eq!(whole.len(), 81, "the opening and every movement");
    for samples in [0, 2, 3, 7, 40, 79] {
        let sampled = history(&shop, 0, samples).await;
        let wanted = samples.clamp(2, 500) as usize;
        assert!(sampled.len() <= wanted && sampled.len() * 2 > wanted, "{samples}: {}", sampled.len());
        assert_eq!((sampled.first(), sampled.last()), (whole.first(), whole.last()));
        assert!(sampled.iter().all(|level| whole.contains(level)), "levels that were there");
    }
    // Spread over what happened: with ten samples, none is more than a fifth of all movements away from the next one.
    let places: Vec<_> = history(&shop, 0, 10)
        .await
        .iter()
        .map(|level| whole.iter().position(|other| other == level).expect("a level that was there"))
        .collect();
    assert!(places.windows(2).all(|pair| pair[1] - pair[0] <= whole.len() / 5), "{places:?}");
}

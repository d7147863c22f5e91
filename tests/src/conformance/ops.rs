//! Claim: a store says whether it can work, finds out when its rows do not add up, does what time makes necessary, and keeps
//! its hands off a database of a newer program.

use super::bindings::restock::ads::Request;
use super::bindings::restock::catalog::Factory;
use super::bindings::restock::ops::TickLimits;
use super::bindings::restock::orders::IfShort;
use super::bindings::restock::partners::{Health, Limits};
use super::bindings::restock::production::{Delivery, Filter as Requests, Status};
use super::bindings::restock::queue::{Action, Selection, Settlement, Verdict};
use super::bindings::restock::returns::{Decision, Filter, Oddity, Parcel, ToStock, Wish};
use super::bindings::restock::stock::Adjustment;
use super::bindings::restock::types::Fault;
use super::shop::{DUE_MS, OPERATOR, QUEUE, Shop, definition, first_page, page};
use super::store::{Engine, Place};

on_every_engine!(
    a_store_is_ready_on_an_empty_database_and_says_what_it_is,
    the_audit_counts_what_it_checks_and_finds_what_does_not_add_up,
    a_request_that_is_overdue_is_asked_for_again_under_its_id,
    finished_messages_go_after_their_retention_and_everything_else_stays,
    a_tick_touches_no_more_than_it_may_and_the_next_one_goes_on,
    a_turn_is_taken_once_each_time_and_runs_that_were_missed_are_one,
    every_action_of_an_operator_is_on_record_with_who_and_why,
    what_was_not_carried_out_is_not_on_record,
    actions_are_read_page_by_page_from_the_newest,
    a_database_of_a_newer_program_is_unavailable_to_every_function,
);

async fn a_store_is_ready_on_an_empty_database_and_says_what_it_is(engine: Engine) {
    let place = Place::empty(engine);
    let store = place.host().store().await;
    let readiness = store.ready().await.expect("ready");
    assert_eq!(readiness.engine, engine.name());
    assert!(readiness.schema_version > 0);
    assert_eq!(store.ready().await.as_ref(), Ok(&readiness));
    let again = place.host().store().await;
    assert_eq!(again.ready().await, Ok(readiness), "another host finds it as it is");
}

async fn the_audit_counts_what_it_checks_and_finds_what_does_not_add_up(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1).await;
    shop.define("B", 2, 10, 50).await;
    shop.buy(&[("B", 1)]).await;
    let report = shop.store.audit().await.expect("audited");
    assert_eq!((report.products_checked, report.orders_checked, report.messages_checked), (2, 1, 1));
    assert_eq!(report.violations, Vec::<String>::new());

    // Each of these is undone by the next line, so that every finding has one cause.
    let damages = [
        (
            "UPDATE product SET on_order = on_order + 7 WHERE sku = 'B'",
            "UPDATE product SET on_order = 0 WHERE sku = 'B'",
        ),
        (
            "UPDATE stock_movement SET on_hand_after = 99 WHERE kind = 'sold'",
            "UPDATE stock_movement SET on_hand_after = 49 WHERE kind = 'sold'",
        ),
        ("UPDATE sales_order_line SET state = 'rejected'", "UPDATE sales_order_line SET state = 'sold'"),
        (
            "UPDATE buyer SET units_bought = units_bought + 1",
            "UPDATE buyer SET units_bought = units_bought - 1",
        ),
        ("UPDATE message SET queue_id = 'lost'", "UPDATE message SET queue_id = 'replenishment'"),
        ("DELETE FROM stock_movement WHERE kind = 'sold'", ""),
    ];
    shop.place.tamper("INSERT INTO queue (queue_id, ordered, lease_ms, in_flight_max, retention_ms) VALUES ('lost', false, 1, 1, 1)");
    for (damage, repair) in damages {
        shop.place.tamper(damage);
        let found = shop.store.audit().await.expect("audited").violations;
        assert!(!found.is_empty(), "nothing found after {damage}");
        if !repair.is_empty() {
            shop.place.tamper(repair);
            shop.audit().await;
        }
    }
}

async fn a_request_that_is_overdue_is_asked_for_again_under_its_id(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1).await;
    let id = shop.only_request().await.id;
    let first = shop.claim_one().await;
    shop.ask(&id).await;
    shop.settle(&first, Verdict::Done).await;
    shop.wait_ms(DUE_MS - 1);
    assert_eq!(shop.tick().await.overdue, 0);
    shop.wait_ms(1);
    assert_eq!(shop.tick().await.overdue, 1);
    assert_eq!(shop.tick().await.overdue, 0);
    assert_eq!(shop.request(&id).await.status, Status::Overdue);
    assert_eq!(shop.levels("A").await, (1, 9, 0));
    let again = shop.claim_one().await;
    assert_eq!(again.event.kind, "production.overdue");
    assert!(again.event.data.contains(&id));
    let errand = shop.store.begin(id.clone(), shop.now()).await.expect("begun").expect("there is work again");
    assert_eq!((errand.id.as_str(), errand.attempts), (id.as_str(), 2));
    shop.store.requested(id.clone(), None, shop.now(), shop.now() + DUE_MS).await.expect("noted");
    assert_eq!(shop.request(&id).await.status, Status::Requested);
    assert_eq!(shop.requests(None).await.len(), 1);
    shop.audit().await;
}

async fn finished_messages_go_after_their_retention_and_everything_else_stays(engine: Engine) {
    let shop = Shop::with_messages(engine, 4).await;
    let retention_ms = shop.queue().await.retention_ms;
    let [done, dead, purged, waiting] = &shop.claim(10).await[..] else { panic!("four are due") };
    shop.ask(&shop.open_request("P000").await.expect("open").id).await;
    shop.settle(done, Verdict::Done).await;
    shop.settle(purged, Verdict::Bury).await;
    shop.purge_all().await;
    shop.settle(dead, Verdict::Bury).await;
    shop.settle(waiting, Verdict::Retry(shop.now())).await;
    shop.wait_ms(retention_ms - 1);
    assert_eq!(shop.tick().await.removed, 0);
    shop.wait_ms(1);
    assert_eq!(shop.tick().await.removed, 2);
    for gone in [done, purged] {
        assert_eq!(shop.store.message(gone.message_id.clone()).await, Ok(None));
    }
    shop.wait_ms(10 * retention_ms);
    assert_eq!(shop.tick().await.removed, 0);
    for kept in [dead, waiting] {
        assert_eq!(shop.message(&kept.message_id).await.attempts.len(), 1);
    }
    assert_eq!(shop.queue().await.done_total, 1, "counted since the queue exists, retention notwithstanding");
    shop.audit().await;
}

async fn a_tick_touches_no_more_than_it_may_and_the_next_one_goes_on(engine: Engine) {
    let shop = Shop::with_messages(engine, 5).await;
    shop.claim(10).await;
    shop.wait_ms(DUE_MS);
    let limits = TickLimits { attempts_max: 3, batch: 2 };
    let mut freed = Vec::new();
    for _ in 0..4 {
        freed.push(shop.store.tick(limits, shop.now()).await.expect("ticked").leases_expired);
    }
    assert_eq!(freed, [2, 2, 1, 0]);
    assert_eq!(shop.queue().await.ready, 5);
}

async fn a_turn_is_taken_once_each_time_and_runs_that_were_missed_are_one(engine: Engine) {
    const EVERY_MS: u64 = 3_600_000;
    let shop = Shop::open(engine).await;
    let take =
        async |job: &str| shop.store.take_turn(job.into(), EVERY_MS, shop.now()).await.expect("answered");
    assert!(take("audit").await, "a job that was never run is due");
    assert!(!take("audit").await, "for one caller");
    assert!(take("another").await, "each job for itself");
    shop.wait_ms(EVERY_MS - 1);
    assert!(!take("audit").await);
    shop.wait_ms(1);
    assert!(take("audit").await && !take("audit").await);
    shop.wait_ms(10 * EVERY_MS);
    assert!(take("audit").await && !take("audit").await, "ten missed runs are one");
    shop.wait_ms(EVERY_MS - 1);
    assert!(!take("audit").await);
    shop.wait_ms(1);
    assert!(take("audit").await);
    let half = shop.now() + EVERY_MS / 2;
    assert_eq!(
        shop.store.take_turn("audit".into(), EVERY_MS / 2, half).await,
        Ok(true),
        "how often may change"
    );
}

async fn every_action_of_an_operator_is_on_record_with_who_and_why(engine: Engine) {
    let shop = Shop::open(engine).await;
    shop.wait_ms(1);
    shop.define("A", 2, 10, 1).await;
    shop.wait_ms(1);
    shop.define("A", 2, 12, 1).await;
    let renamed = Factory { id: "FF-1".into(), name: "renamed".into(), manager_email: None, url: None };
    assert_eq!(shop.store.define_factory(renamed, "another key".into(), shop.now()).await, Ok(false));
    shop.adjust("A", 4, None).await;
    let delivery = shop.claim_one().await;
    shop.settle(&delivery, Verdict::Bury).await;
    shop.operate(Action::Pause).await;
    shop.operate(Action::Resume).await;
    shop.redrive_all().await;
    shop.settle(&shop.claim_one().await, Verdict::Bury).await;
    shop.wait_ms(1);
    shop.purge_all().await;
    // What the shop does by itself is nobody's action.
    shop.buy(&[("A", 1)]).await;
    shop.tick().await;

    let actions = shop.store.actions(first_page()).await.expect("read");
    let told: Vec<_> = actions
        .iter()
        .rev()
        .map(|action| {
            format!("{} {} {} {} {}", action.kind, action.subject, action.operator, action.reason, action.at)
        })
        .collect();
    let now = shop.now();
    let expected = [
        format!("factory.create FF-1 fingerprint  {}", now - 3),
        format!("product.create A fingerprint  {}", now - 2),
        format!("product.change A fingerprint  {}", now - 1),
        format!("factory.change FF-1 another key  {}", now - 1),
        format!("stock.adjust A fingerprint recount {}", now - 1),
        format!("queue.pause replenishment fingerprint on purpose {}", now - 1),
        format!("queue.resume replenishment fingerprint on purpose {}", now - 1),
        format!("queue.redrive replenishment fingerprint on purpose {}", now - 1),
        format!("queue.purge replenishment fingerprint on purpose {now}"),
    ];
    assert_eq!(told, expected, "oldest first");
    let details: Vec<serde_json::Value> =
        actions.iter().map(|action| serde_json::from_str(&action.detail).expect("JSON")).collect();
    let [purge, redrive, _, _, adjust, _, change, ..] = &details[..] else { panic!("{details:?}") };
    for touched in [purge, redrive] {
        assert_eq!(touched["affected"], 1);
        assert_eq!(touched["messages"][0], delivery.message_id.as_str());
    }
    assert_eq!((&adjust["delta"], &adjust["on_hand"]), (&4.into(), &5.into()));
    assert_eq!(change["order_up_to"], 12, "what it changed");
}

async fn what_was_not_carried_out_is_not_on_record(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    let before = shop.store.actions(first_page()).await.expect("read");
    shop.adjust("A", -6, None).await;
    shop.adjust("X", 1, None).await;
    let mut orphan = definition("B", 0, 10, 5);
    orphan.factory_id = "nobody".into();
    shop.store.define(orphan, OPERATOR.into(), shop.now()).await.expect("answered");
    shop.store.operate(shop.operation("nobody", Action::Pause)).await.expect("answered");
    assert_eq!(shop.store.selected(QUEUE.into(), Selection::All, 10).await, Ok(Some(0)));
    assert_eq!(shop.store.actions(first_page()).await, Ok(before));
    shop.adjust("A", 1, Some("k")).await;
    let once = shop.store.actions(first_page()).await.expect("read");
    shop.adjust("A", 1, Some("k")).await;
    shop.adjust("A", 2, Some("k")).await;
    assert_eq!(shop.store.actions(first_page()).await, Ok(once), "a used key carries out nothing");
}

async fn actions_are_read_page_by_page_from_the_newest(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 0, 10, 5).await;
    for _ in 0..3 {
        shop.adjust("A", 1, None).await;
    }
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let actions = shop.store.actions(page(2, after.as_deref())).await.expect("read");
        assert!(actions.len() <= 2);
        let Some(last) = actions.last() else { break };
        after = Some(last.cursor.clone());
        found.extend(actions.into_iter().map(|action| action.kind));
        shop.adjust("A", 1, None).await;
    }
    assert_eq!(
        found,
        ["stock.adjust", "stock.adjust", "stock.adjust", "product.create", "factory.create"],
        "what is added at the front shifts nothing"
    );
}

async fn a_database_of_a_newer_program_is_unavailable_to_every_function(engine: Engine) {
    let shop = Shop::with_product(engine, "A", 2, 10, 1).await;
    let rows = "SELECT (SELECT count(*) FROM stock_movement) + (SELECT count(*) FROM sales_order)
                     + (SELECT count(*) FROM operation) + (SELECT count(*) FROM partner_pass)
                     + (SELECT count(*) FROM factory) + (SELECT sum(attempts) FROM message)
                     + (SELECT sum(attempts) FROM production) + (SELECT count(*) FROM ad_request)
                     + (SELECT count(*) FROM letter) + (SELECT count(*) FROM turn)
                     + (SELECT count(*) FROM operator_action) + (SELECT count(*) FROM incident)
                     + (SELECT count(*) FROM return_collection) + (SELECT count(*) FROM return_reject)
                     + (SELECT count(*) FROM sales_return) + (SELECT count(*) FROM return_replay)";
    let before = shop.place.count(rows);
    let id = shop.only_request().await.id;
    shop.place.tamper("INSERT INTO schema_migration (version, name) VALUES (9999, 'tomorrow')");
    let late = shop.store.ready().await;
    assert!(matches!(late, Err(Fault::Unavailable(_))), "an instance that is at work notices: {late:?}");

    let store = shop.place.host().store().await;
    let now = shop.now();
    let adjustment = Adjustment {
        sku: "A".into(),
        delta: 1,
        reason: "r".into(),
        operator: "o".into(),
        idempotency_key: None,
        at: now,
    };
    let factory = Factory { id: "F".into(), name: "F".into(), manager_email: None, url: None };
    let limits = Limits { rate_per_second: 1, concurrency: 1, hold_ms: 1 };
    let settlement = Settlement {
        message_id: "m".into(),
        receipt: "r".into(),
        verdict: Verdict::Done,
        reason: String::new(),
        error: String::new(),
    };
    let ticking = TickLimits { attempts_max: 1, batch: 1 };
    let parcel = Parcel {
        order_number: "o".into(),
        order_item_number: "1".into(),
        shipment_number: "s".into(),
        partner_ref: None,
    };
    let oddity = Oddity { reason: "r".into(), text: "t".into() };
    let wish = Wish { parcel: parcel.clone(), operator: "o".into(), at: now };
    let decision = Decision { return_id: "r".into(), reason: String::new(), operator: "o".into(), at: now };
    let answers = [
        ("catalog.get", store.product("A".into()).await.err()),
        ("catalog.list", store.products(first_page()).await.err()),
        ("catalog.define", store.define(definition("B", 2, 10, 1), "o".into(), now).await.err()),
        ("catalog.define-factory", store.define_factory(factory, "o".into(), now).await.err()),
        ("catalog.auto-demand", store.auto_demand(first_page(), now).await.err()),
        ("catalog.set-levels", store.set_levels("A".into(), 1, 2, now).await.err()),
        ("orders.place", store.place(shop.placement(&[("A", 1)], IfShort::Reject)).await.err()),
        ("orders.get", store.order("o".into()).await.err()),
        ("orders.bought", store.bought("c".into()).await.err()),
        ("stock.movements", store.movements("A".into(), first_page()).await.err()),
        ("stock.adjust", store.adjust(adjustment).await.err()),
        ("production.get", store.production(id.clone()).await.err()),
        ("production.list", store.productions(Requests::All, first_page()).await.err()),
        ("production.begin", store.begin(id.clone(), now).await.err()),
        ("production.requested", store.requested(id.clone(), None, now, now).await.err()),
        ("production.receive", store.receive(Delivery::OfRequest(id), 1, now).await.err()),
        ("queue.claim", store.claim(QUEUE.into(), 1, now).await.err()),
        ("queue.settle", store.settle(vec![settlement], now).await.err()),
        ("queue.due", store.due(now).await.err()),
        ("queue.list", store.queues(now).await.err()),
        ("queue.buried", store.buried(QUEUE.into(), None, first_page()).await.err()),
        ("queue.buried-groups", store.buried_groups(QUEUE.into()).await.err()),
        ("queue.selected", store.selected(QUEUE.into(), Selection::All, 1).await.err()),
        ("queue.get", store.message("m".into()).await.err()),
        ("queue.operate", store.operate(shop.operation(QUEUE, Action::Pause)).await.err()),
        ("partners.enter", store.enter("factory".into(), limits, now).await.err()),
        ("partners.leave", store.leave("p".into(), Health::Well, now).await.err()),
        ("partners.list", store.partners(now).await.err()),
        ("ads.wanted", store.wanted("A".into()).await.err()),
        ("ads.asked", store.asked("pause:A:1:0".into(), "A".into(), Request::Pause, now).await.err()),
        ("letters.look", store.look("l".into()).await.err()),
        ("letters.entrust", store.entrust("l".into(), "ses".into(), "{}".into(), now).await.err()),
        ("letters.release", store.release("l".into(), "ses".into()).await.err()),
        ("letters.sent", store.sent("l".into(), "ses".into(), "r".into(), now).await.err()),
        ("alerts.owed", store.owed("1".into()).await.err()),
        ("alerts.told", store.told("1".into(), 1, now).await.err()),
        ("alerts.list", store.incidents(false, first_page()).await.err()),
        ("alerts.audited", store.audited(vec!["v".into()], now).await.err()),
        ("returns.begin", store.begin_collection(1, now).await.err()),
        ("returns.collected", store.collected("c".into(), vec![parcel], now).await.err()),
        ("returns.set-aside", store.set_aside("c".into(), vec![oddity], now).await.err()),
        ("returns.finished", store.finished("c".into(), 1, now).await.err()),
        ("returns.get-collection", store.collection("c".into()).await.err()),
        ("returns.collections", store.collections(first_page()).await.err()),
        ("returns.rejects", store.rejects(first_page()).await.err()),
        ("returns.get", store.one_return("r".into()).await.err()),
        ("returns.describe", store.return_history("r".into()).await.err()),
        ("returns.list", store.returns(Filter::All, first_page()).await.err()),
        ("returns.tracked", store.tracked("r".into(), "s".into(), vec!["delivered".into()], now).await.err()),
        ("returns.reported", store.reported("r".into(), ToStock::On, now).await.err()),
        ("returns.replay", store.replay(wish).await.err()),
        ("returns.receive", store.receive_return(decision.clone(), None, None).await.err()),
        ("returns.discard", store.discard_return(decision).await.err()),
        ("ops.ready", store.ready().await.err()),
        ("ops.audit", store.audit().await.err()),
        ("ops.tick", store.tick(ticking, now).await.err()),
        ("ops.take-turn", store.take_turn("audit".into(), 1, now).await.err()),
        ("ops.actions", store.actions(first_page()).await.err()),
    ];
    for (function, fault) in answers {
        let Some(Fault::Unavailable(why)) = fault else { panic!("{function}: {fault:?}") };
        assert!(why.contains("9999"), "{function} says why: {why}");
    }
    assert_eq!(shop.place.count(rows), before, "nothing was changed");
}

//! Claim: whatever an operator does is on record, once, and jobs that run now and then are run by one.

use super::shop::{Shop, definition, first_page, wait};
use restock_store::restock::catalog::{Factory, Policy};
use restock_store::restock::queue::{Action, Selection, Verdict};
use restock_store::restock::types::Page;
use restock_store::{catalog, ops, queue};

fn kinds(shop: &Shop) -> Vec<String> {
    shop.actions().into_iter().rev().map(|action| format!("{} {}", action.kind, action.subject)).collect()
}

#[test]
fn every_kind_of_action_is_on_record_with_its_operator() {
    let shop = Shop::with_product("A", 2, 10, 1);
    shop.product("A", 3, 10, 1);
    let factory = Factory { id: "FF-1".into(), name: "공장".into(), manager_email: None, url: None };
    wait(catalog::define_factory(&shop.database, factory, "another".into(), 9)).expect("defined");
    shop.adjust("A", 4, Some("k"));
    shop.adjust("A", 4, Some("k"));
    shop.settle(&shop.claim_one(), Verdict::Bury);
    shop.operate(Action::Pause);
    shop.redrive_all();
    let expected = [
        "factory.create FF-1",
        "product.create A",
        "product.change A",
        "factory.change FF-1",
        "stock.adjust A",
        "queue.pause replenishment",
        "queue.redrive replenishment",
    ];
    assert_eq!(kinds(&shop), expected);
    let actions = shop.actions();
    assert_eq!((actions[3].operator.as_str(), actions[0].operator.as_str()), ("another", "op"));
    assert_eq!((actions[2].reason.as_str(), actions[0].reason.as_str()), ("recount", "on purpose"));
    let detail: serde_json::Value = serde_json::from_str(&actions[0].detail).expect("JSON");
    assert_eq!((&detail["affected"], detail["messages"].as_array().map(Vec::len)), (&1.into(), Some(1)));
    let detail: serde_json::Value = serde_json::from_str(&actions[4].detail).expect("JSON");
    assert_eq!((&detail["reorder_point"], &detail["name"]), (&3.into(), &"부산도너츠".into()));
}

#[test]
fn what_no_operator_did_is_not_on_record() {
    let shop = Shop::new();
    let mut automatic = definition("A", 2, 10, 5);
    automatic.policy = Policy::Auto;
    wait(catalog::define(&shop.database, automatic, String::new(), 2)).expect("defined");
    wait(catalog::set_levels(&shop.database, "A".into(), 3, 9, 3)).expect("set");
    shop.order(&[("A", 5)]);
    shop.receive_for("A", 9);
    assert_eq!(kinds(&shop), ["factory.create FF-1"]);
}

#[test]
fn actions_are_read_page_by_page_from_the_newest() {
    let shop = Shop::with_product("A", 2, 10, 5);
    for delta in 1..5 {
        shop.adjust("A", delta, None);
    }
    let mut page = Page { limit: 4, after: None };
    let first = wait(ops::actions(&shop.database, page.clone())).expect("read");
    page.after = Some(first[3].cursor.clone());
    let second = wait(ops::actions(&shop.database, page)).expect("read");
    let all: Vec<_> = first.iter().chain(&second).map(|action| action.kind.as_str()).collect();
    assert_eq!(all.len(), 6);
    assert_eq!((all[0], all[5]), ("stock.adjust", "factory.create"));
}

#[test]
fn a_job_is_run_by_one_each_time_and_missed_runs_are_made_up_for_by_one() {
    let shop = Shop::new();
    let take = |job: &str, every, now| {
        wait(ops::take_turn(&shop.database, job.into(), every, now)).expect("answered")
    };
    assert!(take("audit", 100, 1_000));
    assert!(!take("audit", 100, 1_000) && !take("audit", 100, 1_099));
    assert!(take("another", 100, 1_000));
    assert!(take("audit", 100, 1_100));
    assert!(take("audit", 100, 9_000));
    assert!(!take("audit", 100, 9_099));
    assert!(take("audit", 10, 9_010), "an interval that was shortened counts at once");
}

#[test]
fn a_dry_run_counts_what_would_be_touched_and_touches_nothing() {
    let shop = Shop::new();
    for sku in ["A", "B", "C"] {
        shop.product(sku, 2, 10, 1);
    }
    let deliveries = shop.claim(10);
    for (delivery, reason) in deliveries.iter().zip(["factory-refused", "factory-refused", "factory-timeout"])
    {
        shop.settle_for(delivery, Verdict::Bury, reason);
    }
    let count = |queue: &str, selection: Selection, limit| {
        wait(queue::selected(&shop.database, queue.into(), selection, limit)).expect("counted")
    };
    let before = shop.actions().len();
    let ids = vec![deliveries[0].message_id.clone(), "nobody".into()];
    assert_eq!(count("replenishment", Selection::All, 10), Some(3));
    assert_eq!(count("replenishment", Selection::All, 2), Some(2));
    assert_eq!(count("replenishment", Selection::Reason("factory-refused".into()), 10), Some(2));
    assert_eq!(count("replenishment", Selection::Ids(ids), 10), Some(1));
    assert_eq!(count("loyalty", Selection::All, 10), Some(0));
    assert_eq!(count("nobody", Selection::All, 10), None);
    assert_eq!(shop.actions().len(), before);
    assert_eq!(shop.redrive_all(), 3);
}

#[test]
fn dead_letters_are_grouped_by_kind_of_failure_and_read_by_kind() {
    let shop = Shop::new();
    for sku in ["A", "B", "C", "D"] {
        shop.product(sku, 2, 10, 1);
    }
    let reasons = ["factory-refused", "factory-timeout", "factory-timeout", "factory-refused"];
    for (delivery, reason) in shop.claim(10).iter().zip(reasons) {
        shop.now.set(shop.now.get() + 10);
        shop.settle_for(delivery, Verdict::Bury, reason);
    }
    let one = wait(queue::buried(&shop.database, "replenishment".into(), None, first_page()))
        .expect("read")
        .expect("known");
    let ids = vec![one[3].id.clone()];
    shop.operate(Action::Redrive((Selection::Ids(ids), 1)));
    let groups =
        wait(queue::buried_groups(&shop.database, "replenishment".into())).expect("read").expect("known");
    let counted: Vec<_> = groups.iter().map(|group| (group.reason.as_str(), group.count)).collect();
    assert_eq!(counted, [("factory-timeout", 2), ("factory-refused", 1)]);
    assert_eq!(groups[0].newest_at - groups[0].oldest_at, 10);
    assert_eq!(groups[0].error, "connection refused");
    let kind = Some("factory-timeout".to_owned());
    let letters = wait(queue::buried(&shop.database, "replenishment".into(), kind, first_page()))
        .expect("read")
        .expect("known");
    let subjects: Vec<_> = letters.iter().map(|letter| letter.event.subject.as_str()).collect();
    assert_eq!(subjects, ["C", "B"]);
    assert_eq!(
        wait(queue::buried_groups(&shop.database, "loyalty".into()))
            .expect("read")
            .map(|groups| groups.len()),
        Some(0)
    );
    assert!(wait(queue::buried_groups(&shop.database, "nobody".into())).expect("read").is_none());
    let none = queue::buried(&shop.database, "nobody".into(), Some("x".into()), first_page());
    assert!(wait(none).expect("read").is_none());
}

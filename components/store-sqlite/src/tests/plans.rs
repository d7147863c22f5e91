//! Claim: what runs for every order, message and page finds its rows by index.

use super::shop::{Customers, Shop, Sqlite};

/// The steps of a statement's plan, each with its parameters left open.
fn plan(database: &Sqlite, sql: &str) -> Vec<String> {
    let mut statement = database.0.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("it compiles");
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().expect("it is planned") {
        steps.push(row.get("detail").expect("a step"));
    }
    steps
}

/// Full scans of tables, those of the few rows that configure the store or that a statement makes for itself aside.
fn scans(plan: &[String]) -> Vec<&String> {
    let small = [
        "queue", "partner", "item", "target", "noted", "unnoted", "latest", "wanted", "lost", "kind", "0-ROW",
    ];
    plan.iter()
        .filter(|step| step.starts_with("SCAN "))
        .filter(|step| {
            !step.contains("USING")
                && !step.contains("VIRTUAL TABLE")
                && !step.contains("CONSTANT ROW")
                && !step.contains("VALUES CLAUSE")
        })
        .filter(|step| !small.iter().any(|name| step.split(' ').nth(1) == Some(name)))
        .filter(|step| !step.starts_with("SCAN (subquery"))
        .collect()
}

macro_rules! statements {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../sql/", $name, ".sql")))),*] };
}

#[test]
fn no_statement_of_the_hot_paths_reads_a_whole_table() {
    let shop = Shop::new();
    for (name, sql) in statements![
        "ad_errand",
        "ad_request_insert",
        "ad_request_remove",
        "audit_violation_insert",
        "buyer_get",
        "event_remove",
        "incident_clear",
        "incident_clear_audit",
        "incident_list",
        "incident_list_open",
        "incident_notice_get",
        "incident_notice_told",
        "incident_remind",
        "incident_remove",
        "letter_entrust",
        "letter_get",
        "letter_release",
        "letter_remove",
        "letter_sent",
        "message_buried_groups",
        "message_claim",
        "message_expire_lease",
        "message_get",
        "message_list_buried",
        "message_list_buried_by_reason",
        "message_remove",
        "message_selected",
        "message_settle",
        "movement_get_by_key",
        "movement_list",
        "operation_insert",
        "operator_action_list",
        "order_diagnose",
        "order_get",
        "order_get_by_key",
        "order_place",
        "partner_enter",
        "partner_gate",
        "partner_leave",
        "partner_list",
        "product_demand",
        "product_get",
        "product_list",
        "production_begin",
        "production_get",
        "production_list",
        "production_list_by_status",
        "production_mark_overdue",
        "production_receipt",
        "production_receive",
        "production_receive_open",
        "production_requested",
        "queue_due",
        "queue_list",
        "stock_adjust",
        "stock_receive",
        "turn_take",
    ] {
        let plan = plan(&shop.database, sql);
        let scans = scans(&plan);
        if std::env::var_os("PLANS").is_some() {
            println!("{name}\n  {}", plan.join("\n  "));
        }
        assert!(scans.is_empty(), "{name} scans: {scans:?}\n{plan:#?}");
    }
}

#[test]
fn no_statement_about_customers_reads_a_whole_table() {
    let customers = Customers::new();
    for (name, sql) in statements!["customer_announced", "customer_get", "purchase_insert"] {
        let plan = plan(&customers.database, sql);
        assert!(scans(&plan).is_empty(), "{name}: {plan:#?}");
    }
}

#[test]
fn what_grows_with_a_failure_is_counted_from_its_index_alone() {
    let shop = Shop::new();
    for (sql, index) in [
        (
            include_str!("../sql/ad_errand.sql"),
            "COVERING INDEX sales_order_line_rejected (sku=? AND at_ms>? AND at_ms<?)",
        ),
        (
            include_str!("../sql/message_buried_groups.sql"),
            "COVERING INDEX message_buried_by_reason (queue_id=? AND reason=?)",
        ),
        (include_str!("../sql/incident_list.sql"), "incident_case_latest (incident_id=?)"),
    ] {
        let plan = plan(&shop.database, sql);
        assert!(plan.iter().any(|step| step.contains(index)), "no {index} in {plan:#?}");
    }
}

#[test]
fn a_tick_looks_at_incidents_that_go_on_and_at_the_latest_notices_of_these() {
    let shop = Shop::new();
    for sql in [include_str!("../sql/incident_clear.sql"), include_str!("../sql/incident_remind.sql")] {
        let plan = plan(&shop.database, sql);
        assert!(
            plan.iter().any(|step| step.starts_with("SCAN ") && step.contains("incident_open")),
            "{plan:#?}"
        );
        let scans = plan.iter().filter(|step| step.starts_with("SCAN ") && !step.contains("incident_open"));
        assert!(scans.clone().all(|step| step.contains("VALUES CLAUSE")), "{:?}", scans.collect::<Vec<_>>());
    }
    let plan = plan(&shop.database, include_str!("../sql/incident_remind.sql"));
    let latest = "SEARCH latest USING INTEGER PRIMARY KEY (rowid=?)";
    assert!(plan.iter().any(|step| step == latest), "{plan:#?}");
}

#[test]
fn due_messages_and_dead_letters_come_from_their_indexes_in_order() {
    let shop = Shop::new();
    for (sql, index) in [
        (include_str!("../sql/message_claim.sql"), "message_ready (queue_id=? AND available_at_ms<?)"),
        (
            include_str!("../sql/message_claim.sql"),
            "message_unfinished (queue_id=? AND subject=? AND message_seq<?)",
        ),
        (include_str!("../sql/message_list_buried.sql"), "message_buried (queue_id=? AND message_seq<?)"),
        (include_str!("../sql/message_expire_lease.sql"), "message_leased (queue_id=? AND lease_until_ms<?)"),
        (include_str!("../sql/message_remove.sql"), "message_finished (queue_id=? AND settled_at_ms<?)"),
        (include_str!("../sql/production_mark_overdue.sql"), "production_due (status=? AND due_at_ms<?)"),
        (include_str!("../sql/queue_list.sql"), "COVERING INDEX message_ready"),
        (
            include_str!("../sql/message_list_buried_by_reason.sql"),
            "message_buried_by_reason (queue_id=? AND reason=? AND message_seq<?)",
        ),
        (include_str!("../sql/incident_remove.sql"), "incident_cleared (cleared_at_ms<?)"),
        (include_str!("../sql/letter_remove.sql"), "letter_by_time (entrusted_at_ms<?)"),
        (include_str!("../sql/ad_request_remove.sql"), "ad_request_by_time (asked_at_ms<?)"),
    ] {
        let plan = plan(&shop.database, sql);
        assert!(plan.iter().any(|step| step.contains(index)), "no {index} in {plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY")), "{plan:#?}");
    }
}

//! Claim: what runs for every order, message and page finds its rows by index.

use rusqlite::config::DbConfig;

use super::shop::{Customers, Shop, Sqlite};

/// The steps of a statement's plan, each with its parameters left open.
fn plan(database: &Sqlite, sql: &str) -> Vec<String> {
    let mut statement = database.0.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("it compiles");
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().expect("it is planned") {
        // Where a trigger begins there is a row without one.
        steps.extend(row.get::<_, Option<String>>("detail").expect("a step"));
    }
    steps
}

/// The same with the steps of the triggers, and of theirs.
fn plan_with_triggers(database: &Sqlite, sql: &str) -> Vec<String> {
    let triggers = |shown| database.0.set_db_config(DbConfig::SQLITE_DBCONFIG_TRIGGER_EQP, shown);
    triggers(true).expect("the setting is taken");
    let steps = plan(database, sql);
    triggers(false).expect("the setting is taken");
    steps
}

/// Full scans of tables, those of the few rows that configure the store or that a statement makes for itself aside.
fn scans(plan: &[String]) -> Vec<&String> {
    let small = [
        "queue", "partner", "item", "target", "noted", "unnoted", "latest", "wanted", "lost", "kind",
        "0-ROW", "newest", "search", "start", "few", "sample",
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
        "buyer_list",
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
        "order_list",
        "order_list_by_customer",
        "order_list_rejected",
        "order_list_waiting",
        "order_place",
        "order_minute_list",
        "order_minute_remove",
        "partner_enter",
        "partner_gate",
        "partner_leave",
        "partner_list",
        "product_cover",
        "product_demand",
        "product_get",
        "product_list",
        "production_begin",
        "production_get",
        "production_list",
        "production_list_by_product",
        "production_list_by_status",
        "production_mark_overdue",
        "production_open",
        "production_receipt",
        "production_receive",
        "production_receive_open",
        "production_requested",
        "queue_due",
        "queue_list",
        "return_collected",
        "return_collection_begin",
        "return_collection_finish",
        "return_collection_get",
        "return_collection_list",
        "return_collection_remove",
        "return_describe",
        "return_discard",
        "return_get",
        "return_get_by_item",
        "return_list",
        "return_list_by_goods",
        "return_list_by_order",
        "return_list_by_shipment",
        "return_list_by_status",
        "return_receive",
        "return_reject_insert",
        "return_reject_list",
        "return_reject_remove",
        "return_replay",
        "return_reported",
        "return_settling",
        "return_tracked",
        "stock_adjust",
        "stock_history",
        "stock_receive",
        "tick_note",
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
    for (name, sql) in statements![
        "customer_announced",
        "customer_get",
        "customer_list_normal",
        "customer_list_vip",
        "purchase_insert"
    ] {
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

#[test]
fn what_people_page_through_is_read_in_the_order_of_an_index() {
    let shop = Shop::new();
    for (name, sql, index) in [
        ("buyer_list", include_str!("../sql/buyer_list.sql"), "PRIMARY KEY (customer_id>?)"),
        ("order_list", include_str!("../sql/order_list.sql"), "INTEGER PRIMARY KEY (rowid<?)"),
        (
            "order_list_by_customer",
            include_str!("../sql/order_list_by_customer.sql"),
            "INDEX sales_order_by_customer (customer_id=? AND rowid<?)",
        ),
        (
            "order_list_rejected",
            include_str!("../sql/order_list_rejected.sql"),
            "INDEX sales_order_unfilled (status=? AND rowid<?)",
        ),
        (
            "order_list_waiting",
            include_str!("../sql/order_list_waiting.sql"),
            "INDEX sales_order_unfilled (status=? AND rowid<?)",
        ),
        ("product_list", include_str!("../sql/product_list.sql"), "(sku>?)"),
        ("production_list", include_str!("../sql/production_list.sql"), "(production_id<?)"),
        (
            "production_list_by_product",
            include_str!("../sql/production_list_by_product.sql"),
            "INDEX production_by_product (sku=? AND production_id<?)",
        ),
        (
            "production_list_by_status",
            include_str!("../sql/production_list_by_status.sql"),
            "INDEX production_by_status (status=? AND production_id<?)",
        ),
        ("production_open", include_str!("../sql/production_open.sql"), "INDEX production_open"),
    ] {
        let plan = plan(&shop.database, sql);
        assert!(plan.len() == 1 && plan[0].contains(index), "{name}: no {index} alone in {plan:#?}");
    }
    let customers = Customers::new();
    for (name, sql, index) in [
        (
            "customer_list_normal",
            include_str!("../sql/customer_list_normal.sql"),
            "INDEX customer_normal (customer_id>?)",
        ),
        (
            "customer_list_vip",
            include_str!("../sql/customer_list_vip.sql"),
            "INDEX customer_vip ((vip_since_ms,customer_id)<(?,?))",
        ),
    ] {
        let plan = plan(&customers.database, sql);
        assert!(plan.len() == 1 && plan[0].contains(index), "{name}: no {index} alone in {plan:#?}");
    }
}

#[test]
fn what_follows_from_a_write_about_a_return_finds_its_rows_by_index() {
    let shop = Shop::new();
    for (name, sql) in statements![
        "message_settle",
        "return_collected",
        "return_collection_begin",
        "return_collection_finish",
        "return_discard",
        "return_receive",
        "return_reject_insert",
        "return_replay",
        "return_reported",
        "return_tracked",
    ] {
        let plan = plan_with_triggers(&shop.database, sql);
        let scans: Vec<_> =
            ["sales_return", "return_", "message", "event", "dead", "mine", "other", "sold", "line"]
                .into_iter()
                .flat_map(|table| plan.iter().filter(move |step| step.starts_with(&format!("SCAN {table}"))))
                .collect();
        assert!(scans.is_empty(), "{name} scans: {scans:?}");
    }
}

#[test]
fn the_message_of_a_return_is_found_by_its_subject() {
    let shop = Shop::new();
    for (name, sql) in statements!["return_replay", "return_tracked"] {
        let plan = plan_with_triggers(&shop.database, sql);
        let step = "message_unfinished (queue_id=? AND subject=?)";
        assert!(plan.iter().any(|found| found.contains(step)), "{name} has no {step}: {plan:#?}");
        assert!(!plan.iter().any(|found| found.contains("message_leased")), "{name}: {plan:#?}");
    }
}

#[test]
fn what_an_order_sold_is_looked_up_for_one_return_by_index() {
    let shop = Shop::new();
    for (name, sql) in statements!["return_describe", "return_receive", "return_reported", "return_settling"]
    {
        let plan = plan(&shop.database, sql);
        for step in [
            "SEARCH mine USING INTEGER PRIMARY KEY (rowid=?)",
            "SEARCH other USING COVERING INDEX sales_return_received (order_number=? AND sku=?)",
        ] {
            assert!(plan.iter().any(|found| found == step), "{name} has no {step}: {plan:#?}");
        }
    }
}

#[test]
fn the_shop_in_numbers_is_read_from_tallies_products_and_what_is_open() {
    let shop = Shop::new();
    let plan = plan(&shop.database, include_str!("../sql/shop_totals.sql"));
    let tallies = ["product", "order_total", "order_minute", "lead_time", "stock", "placed", "took"];
    let scans = scans(&plan);
    let others: Vec<_> = scans
        .iter()
        .filter(|step| !tallies.iter().any(|name| step.split(' ').nth(1) == Some(name)))
        .collect();
    assert!(others.is_empty(), "{others:?}");
    for step in ["sales_order_unfilled (status=?)", "production_by_status (status=?)", "incident_open"] {
        assert!(plan.iter().any(|found| found.contains(step)), "no {step} in {plan:#?}");
    }
}

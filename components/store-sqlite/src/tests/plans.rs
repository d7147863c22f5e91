//! Claim: what runs for every order, message and page finds its rows by index.

use super::shop::Shop;

/// The steps of a statement's plan, each with its parameters left open.
fn plan(shop: &Shop, sql: &str) -> Vec<String> {
    let mut statement = shop.database.0.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).expect("it compiles");
    let mut rows = statement.raw_query();
    let mut steps = Vec::new();
    while let Some(row) = rows.next().expect("it is planned") {
        steps.push(row.get("detail").expect("a step"));
    }
    steps
}

/// Full scans of tables, those of the few rows that configure the store aside.
fn scans(plan: &[String]) -> Vec<&String> {
    let small = ["queue", "partner", "item", "target"];
    plan.iter()
        .filter(|step| step.starts_with("SCAN "))
        .filter(|step| {
            !step.contains("USING") && !step.contains("VIRTUAL TABLE") && !step.contains("CONSTANT ROW")
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
        "event_remove",
        "message_claim",
        "message_expire_lease",
        "message_get",
        "message_list_buried",
        "message_remove",
        "message_settle",
        "movement_get_by_key",
        "movement_list",
        "operation_insert",
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
    ] {
        let plan = plan(&shop, sql);
        let scans = scans(&plan);
        if std::env::var_os("PLANS").is_some() {
            println!("{name}\n  {}", plan.join("\n  "));
        }
        assert!(scans.is_empty(), "{name} scans: {scans:?}\n{plan:#?}");
    }
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
    ] {
        let plan = plan(&shop, sql);
        assert!(plan.iter().any(|step| step.contains(index)), "no {index} in {plan:#?}");
        assert!(!plan.iter().any(|step| step.contains("TEMP B-TREE FOR ORDER BY")), "{plan:#?}");
    }
}

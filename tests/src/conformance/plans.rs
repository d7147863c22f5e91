//! Claim: on Postgres, no statement of a caller, a worker or the tick reads a table that grows from end to end, and neither does any
//! function or trigger that it sets off; and what people page through is read in the order of an index, never sorted.
//! Method: a filled database; each statement is run with the values of its call and with a plan that does for all values (which
//! is what connections keep after a few calls); the server's own count of sequential scans in the transaction must stay at none.
//! Needs: the built store, Postgres.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use super::cluster::sql_files;
use super::store::{Engine, Label, Place};
use crate::support::root;

/// Tables with a row for each queue, kind of event, partner, call that is under way, factory or job; and tallies, which have a bounded
/// number.
const SMALL: [&str; 9] = [
    "queue",
    "subscription",
    "partner",
    "partner_pass",
    "factory",
    "turn",
    "order_minute",
    "order_total",
    "lead_time",
];

/// What reads whole tables because that is what it is for, or is not run beside callers.
fn reads_everything(statement: &str) -> bool {
    statement.starts_with("audit_") && statement != "audit_violation_insert"
        || statement.starts_with("schema_")
}

/// What looks at every product, once, because that is what it is for.
fn reads_products(statement: &str) -> bool {
    matches!(statement, "product_cover" | "shop_totals")
}

/// A call of each statement in the shop of `plans/shop.sql`, several where they go different ways.
const CALLS: &[(&str, &str)] = &[
    ("ad_errand", "'P8'"),
    ("ad_errand", "'P1'"),
    ("ad_request_insert", "'pause:P8:1:0', 'P8', 'pause', 1, 0, 1800000000000"),
    ("ad_request_remove", "1790000000100, 50"),
    ("audit_violation_insert", "1, 'words', 1800000000000"),
    ("buyer_get", "'C7'"),
    ("buyer_list", "'C2', 50"),
    ("event_remove", "1790000000100, 50"),
    ("factory_define", "'F3', 'name', NULL, NULL, 1800000000000, 'op'"),
    ("incident_clear", "1900000000000, 1900000000000, 1900000000000, 100"),
    ("incident_clear_audit", "1800000000000"),
    ("incident_list", "9223372036854775807, 50, 5"),
    ("incident_list_open", "9223372036854775807, 50, 5"),
    ("incident_notice_get", "77, 5"),
    ("incident_notice_told", "77, 1, 1800000000000"),
    ("incident_remind", "1900000000000, 1900000000000, 100"),
    ("incident_remove", "1790000000100, 50"),
    ("letter_entrust", "'pause:P1:1:0.m', 'ses', '{}', 1800000000000"),
    ("letter_get", "'pause:P1:1:0.m'"),
    ("letter_release", "'pause:P1:1:0.m', 'ses'"),
    ("letter_remove", "1790000000100, 50"),
    ("letter_sent", "'pause:P1:1:0.m', 'ses', 'ref', 1800000000000"),
    ("message_buried_groups", "'replenishment', 20"),
    ("message_claim", "'replenishment', 20, 1800000000000"),
    ("message_claim", "'returns', 20, 1800000000000"),
    ("message_expire_lease", "1799999999000, 3, 20"),
    ("message_get", "'M7', 20"),
    ("message_list_buried", "'replenishment', 9223372036854775807, 50, 5"),
    ("message_list_buried_by_reason", "'replenishment', 9223372036854775807, 50, 5, 'factory-2'"),
    ("message_remove", "1790604800100, 50"),
    ("message_selected", "'replenishment', 'all', NULL, NULL, 50"),
    ("message_selected", "'replenishment', 'reason', NULL, 'factory-2', 50"),
    ("message_selected", "'replenishment', 'ids', '[\"M12\", \"M22\"]', NULL, 50"),
    (
        "message_settle",
        r#"'[{"message_id": "M1", "receipt": "r1", "verdict": "done", "until": null, "reason": "", "error": ""},
             {"message_id": "M501", "receipt": "r501", "verdict": "bury", "until": null, "reason": "factory-x", "error": "e"},
             {"message_id": "M1001", "receipt": "r1001", "verdict": "postpone", "until": 1, "reason": "y", "error": "e"}]',
           1800000000000"#,
    ),
    (
        "message_settle",
        r#"'[{"message_id": "N1501", "receipt": "r1501", "verdict": "bury", "until": null, "reason": "logistics-x", "error": "e"},
             {"message_id": "N2001", "receipt": "r2001", "verdict": "retry", "until": 1, "reason": "y", "error": "e"}]',
           1800000000000"#,
    ),
    ("movement_list", "'P7', 9223372036854775807, 50"),
    (
        "operation_insert",
        "'purge', 'replenishment', 'ids', '[\"M12\", \"M22\"]', NULL, 50, 'gone', 'op', 1800000000000",
    ),
    (
        "operation_insert",
        "'redrive', 'replenishment', 'reason', NULL, 'factory-2', 50, '', 'op', 1800000000000",
    ),
    ("operation_insert", "'redrive', 'returns', 'all', NULL, NULL, 50, '', 'op', 1800000000000"),
    (
        "operation_insert",
        "'purge', 'returns', 'ids', '[\"N12\", \"N22\"]', NULL, 50, 'gone', 'op', 1800000000000",
    ),
    ("operator_action_list", "9223372036854775807, 50"),
    ("order_get", "'O7'"),
    ("order_list", "9223372036854775807, 50"),
    ("order_list_by_customer", "9223372036854775807, 50, 'C7'"),
    ("order_list_rejected", "9223372036854775807, 50"),
    ("order_list_waiting", "9223372036854775807, 50"),
    ("order_minute_list", "1799999000000, 180"),
    ("order_minute_remove", "1900000000000, 50"),
    // Accepted, and the rule for VIPs is met.
    (
        "order_place",
        r#"'new', 'key', 'h', 'C7', NULL, NULL, 'reject', '[{"sku": "P7", "quantity": 1}, {"sku": "P9", "quantity": 1}]',
           1800000000000, 'cumulative', 1, '00-t-s-01'"#,
    ),
    // Waits for goods: requests open, and the shop is out of them.
    (
        "order_place",
        r#"'new', NULL, 'h', 'C7', NULL, NULL, 'backorder', '[{"sku": "P4007", "quantity": 9000}, {"sku": "P9", "quantity": 9000}]',
           1800000000000, 'single-order', 1, NULL"#,
    ),
    // Known by its key.
    (
        "order_place",
        r#"'new', 'K7', 'h', 'C7', NULL, NULL, 'reject', '[{"sku": "P7", "quantity": 1}]', 1800000000000, 'cumulative', 1, '00-t-s-01'"#,
    ),
    ("partner_enter", "'factory', 1800000000000, 1000, 100, 60000, 60000, 600000"),
    ("partner_leave", "'W1', 'failing', 1800000000000, 1800000001000"),
    ("partner_leave", "'W2', 'well', 1800000000000, NULL"),
    ("partner_list", "1800000000000, 600000"),
    ("product_cover", "1800000000000, '', '~', 0, 50"),
    ("product_cover", "1800000000000, 'P7', 'P7', 1, 1"),
    (
        "product_define",
        "'P7', 'name', 1, 'EUR', 'F1', 'manual', 5000, 9000, 'running', NULL, 0, 1800000000000, 'op'",
    ),
    (
        "product_define",
        "'new', 'name', 1, 'EUR', 'F1', 'auto', 5, 9, 'running', NULL, 0, 1800000000000, 'op'",
    ),
    ("product_demand", "'P2', 50, 1790000000000, 1790000020000, 20"),
    ("product_get", "'P7'"),
    ("product_list", "'P2', 50"),
    ("product_set_levels", "'P9', 7, 77, 1800000000000"),
    ("production_begin", "'Q4'"),
    ("production_get", "'Q4'"),
    ("production_list", "'~', 50"),
    ("production_list_by_product", "'~', 50, 'P7'"),
    ("production_list_by_status", "'~', 50, 'overdue'"),
    ("production_mark_overdue", "1799999999100, 50"),
    ("production_open", "50"),
    // Goods that orders wait for; and fewer than were asked for.
    ("production_receive", "'Q100', 500, 1800000000000"),
    ("production_receive", "'Q5', 1, 1800000000000"),
    ("production_receive_open", "'P200', 500, 1800000000000"),
    ("production_receive_open", "'P3007', 5, 1800000000000"),
    ("production_requested", "'Q3', 'job', 1800000000000, 1800000001000"),
    ("queue_due", "1800000000000"),
    ("queue_get", "'returns'"),
    ("queue_list", "1800000000000"),
    (
        "return_collected",
        r#"'running', '[{"order_number": "K3", "order_item_number": "P3", "shipment_number": "other", "partner_ref": null},
                        {"order_number": "new", "order_item_number": "1", "shipment_number": "s", "partner_ref": null}]',
           1800000000000"#,
    ),
    ("return_collection_begin", "1000, 1900000000000"),
    ("return_collection_finish", "'running', 5, 1800000000000"),
    ("return_collection_get", "'L7'"),
    ("return_collection_list", "9223372036854775807, 50"),
    ("return_collection_remove", "1790000000100, 50"),
    ("return_describe", "'T7'"),
    ("return_discard", "'T17', '', 'op', 1800000000000"),
    ("return_get", "'T7'"),
    ("return_list", "15000, 50"),
    ("return_list_by_goods", "9223372036854775807, 50, 'waiting'"),
    ("return_list_by_order", "9223372036854775807, 50, 'K7'"),
    ("return_list_by_shipment", "9223372036854775807, 50, 'S7'"),
    ("return_list_by_status", "9223372036854775807, 50, 'delivered'"),
    ("return_receive", "'T11', NULL, NULL, '', 'op', 1800000000000"),
    (
        "return_reject_insert",
        r#"'running', '[{"reason": "unreadable", "record": "record 7"}]', 1800000000000"#,
    ),
    ("return_reject_list", "9223372036854775807, 50"),
    ("return_reject_remove", "1790000000100, 50"),
    ("return_replay", "'K3', 'P3', 'other', NULL, 'op', 1800000000000"),
    ("return_replay", "'K4507', '7', 'S', NULL, 'op', 1800000000000"),
    ("return_reported", "'T7', 'on', 1800000000000"),
    ("return_reported", "'T13', 'ask', 1800000000000"),
    ("return_tracked", r#"'T3', 'S3', '["moving", "delivered"]', 1, 1800000000000"#),
    ("return_tracked", "'T3', 'S3', '[]', 0, 1800000000000"),
    // Goods that orders wait for.
    ("stock_adjust", "'P300', 500, 'found', 'op', 'key', 1800000000000"),
    ("stock_adjust", "'P7', -999, 'lost', 'op', NULL, 1800000000000"),
    ("shop_totals", ""),
    ("stock_get", "'P7'"),
    ("stock_history", "'P7', 1790000010000, 200"),
    ("stock_history", "'P7', 0, 2"),
    ("tick_note", "1800000000000"),
    ("turn_take", "'audit', 1000, 1800000000000"),
];

/// The same among the customers of `plans/customers.sql`.
const CALLS_ABOUT_CUSTOMERS: &[(&str, &str)] = &[
    ("customer_announced", "'O7', 1800000000000"),
    ("customer_get", "'C7'"),
    ("customer_list_normal", "'C2', 50"),
    ("customer_list_vip", "9223372036854775807, '', 50"),
    ("purchase_insert", "'O7', 'C7', NULL, NULL, 100, 200, 1, 1800000000000"),
    ("purchase_insert", "'new', 'C8', NULL, NULL, 100, 200, 1, 1800000000000"),
];

#[tokio::test(flavor = "multi_thread")]
async fn no_statement_reads_a_table_that_grows_from_end_to_end_and_no_list_is_sorted() {
    let place = Place::new(Engine::Postgres);
    let store = place.host().store().await;
    store.ready().await.expect("the shop is migrated");
    store.customer("nobody".into()).await.expect("and so are its customers");
    let statements = sql_files(&root().join("components/store-postgres/src/sql"));
    let mut missing: Vec<_> = statements
        .iter()
        .map(|(file, _)| file.trim_end_matches(".sql"))
        .filter(|name| !reads_everything(name))
        .collect();
    for (label, fill, calls) in
        [(Label::Default, "shop", CALLS), (Label::Customers, "customers", CALLS_ABOUT_CUSTOMERS)]
    {
        let fill = root().join(format!("tests/src/conformance/plans/{fill}.sql"));
        psql(&place, label, &fs::read_to_string(fill).expect("the file"));
        let mut script = String::new();
        for (name, arguments) in calls {
            let file = format!("{name}.sql");
            let (_, sql) =
                statements.iter().find(|(other, _)| *other == file).expect("a statement of this name");
            missing.retain(|other| other != name);
            script.push_str(&observed(name, sql, arguments));
            read_by_index(&place, label, name, sql, arguments);
        }
        let scans = psql(&place, label, &script);
        assert_eq!(
            scans, "",
            "statement | plan | table that was read from end to end, and how many rows that were"
        );
    }
    assert_eq!(missing, Vec::<&str>::new(), "statements without a call here");
}

/// Lists that grow, and the index in whose order each is read, backwards or forwards. Whatever else a statement sorts is one page.
const LISTS: &[(&str, &str)] = &[
    ("buyer_list", "buyer_pkey"),
    ("customer_list_normal", "customer_normal"),
    ("customer_list_vip", "customer_vip"),
    ("incident_list", "incident_pkey"),
    ("incident_list_open", "incident_open"),
    ("movement_list", "stock_movement_by_sku"),
    ("operator_action_list", "operator_action_pkey"),
    ("order_list", "sales_order_pkey"),
    ("order_list_by_customer", "sales_order_by_customer"),
    ("order_list_rejected", "sales_order_unfilled"),
    ("order_list_waiting", "sales_order_unfilled"),
    ("product_list", "product_pkey"),
    ("production_list", "production_pkey"),
    ("production_list_by_product", "production_by_product"),
    ("production_list_by_status", "production_by_status"),
    ("production_open", "production_open"),
    ("return_collection_list", "return_collection_pkey"),
    ("return_list", "sales_return_pkey"),
    ("return_list_by_goods", "sales_return_by_goods"),
    ("return_list_by_status", "sales_return_by_status"),
    ("return_reject_list", "return_reject_pkey"),
    ("stock_history", "stock_movement_by_sku"),
];

/// What is sorted are the rows of a page, which an index found.
const PAGES_SORTED: &[&str] = &["incident_list", "incident_list_open", "movement_list", "stock_history"];

/// Looks whether a statement is planned, either way, as a list is to be read.
fn read_by_index(place: &Place, label: Label, name: &str, sql: &str, arguments: &str) {
    let Some((_, index)) = LISTS.iter().find(|(list, _)| *list == name) else { return };
    let sql = sql.trim().trim_end_matches(';');
    for mode in ["force_custom_plan", "force_generic_plan"] {
        let script = format!(
            "SET plan_cache_mode = {mode};\nPREPARE observed AS {sql}\n;\nEXPLAIN (COSTS OFF) EXECUTE observed({arguments});\n"
        );
        let plan = psql(place, label, &script);
        // Few rows may be fetched from the index all at once.
        let few = plan.contains(&format!("Bitmap Index Scan on {index}\n"));
        let sorts = plan.contains("Sort") && !few && !PAGES_SORTED.contains(&name);
        let finds = few || plan.contains(&format!(" using {index} on "));
        assert!(finds && !sorts, "{name}, {mode}: not in the order of {index}\n{plan}");
    }
}

/// Runs a statement, with either kind of plan, and tells which tables it read from end to end. Leaves nothing behind.
///
/// What a session counted is told to the server now and then, not with each transaction: so it is compared with what it was before.
fn observed(name: &str, sql: &str, arguments: &str) -> String {
    let products = reads_products(name).then_some("product");
    let small: Vec<_> = SMALL.into_iter().chain(products).map(|table| format!("'{table}'")).collect();
    let small = small.join(", ");
    let arguments = if arguments.is_empty() { String::new() } else { format!("({arguments})") };
    let sql = sql.trim().trim_end_matches(';');
    ["force_custom_plan", "force_generic_plan"]
        .map(|mode| {
            format!(
                "BEGIN;\nSET LOCAL plan_cache_mode = {mode};\n\
                 SELECT jsonb_object_agg(relname, seq_scan) AS before FROM pg_stat_xact_user_tables \\gset\n\
                 \\o /dev/null\nPREPARE observed AS {sql}\n;\nEXECUTE observed{arguments};\n\
                 SET CONSTRAINTS ALL IMMEDIATE;\n\\o\n\
                 SELECT '{name}', '{mode}', relname, seq_tup_read FROM pg_stat_xact_user_tables\n\
                  WHERE seq_scan > CAST(CAST(:'before' AS jsonb) ->> relname AS bigint) AND relname NOT IN ({small});\n\
                 ROLLBACK;\nDEALLOCATE observed;\nDISCARD PLANS;\n"
            )
        })
        .concat()
}

/// What psql prints for a script.
fn psql(place: &Place, label: Label, script: &str) -> String {
    let crate::rows::Rows::Postgres(url) = place.rows(label) else { panic!("a place of Postgres") };
    let mut psql = Command::new("psql")
        .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set", "ON_ERROR_STOP=1", &url])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("psql runs: install postgresql");
    let mut input = psql.stdin.take().expect("its input");
    let script = script.to_owned();
    let writer = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = psql.wait_with_output().expect("it ends");
    writer.join().expect("written").expect("it reads everything");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("text")
}

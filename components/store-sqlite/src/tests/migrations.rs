//! Claim: a database comes to the known schema once, whoever starts together, and a newer one is refused.

use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::gate::pass;
use super::incidents::{incidents, tell};
use super::returns::{known, report, track};
use super::shop::{Customers, Shop, Sqlite, first_page, wait};
use crate::migration::{CUSTOMERS, Migration, Plan, SHOP, apply_file, statements, version};
use restock_store::restock::orders::{IfShort, VipPolicy, VipRule};
use restock_store::restock::partners::Health;
use restock_store::restock::queue::{Action, Settlement, Verdict};
use restock_store::restock::returns::ToStock;
use restock_store::restock::types::Fault;
use restock_store::schema::Schema;
use restock_store::{ads, alerts, insight, partners, queue};

/// A database file that is removed with its value.
struct File(PathBuf);

impl File {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("store-sqlite-{}-{}.db", process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        Self(std::env::temp_dir().join(name))
    }

    fn open(&self) -> Sqlite {
        Sqlite::new(rusqlite::Connection::open(&self.0).expect("the file opens"))
    }
}

impl Drop for File {
    fn drop(&mut self) {
        drop(fs::remove_file(&self.0));
    }
}

#[test]
fn the_files_are_numbered_without_gaps_and_none_is_forgotten() {
    for (plan, folder) in [(SHOP, ""), (CUSTOMERS, "customers/")] {
        let folder = format!("{}/../../migrations/sqlite/{folder}", env!("CARGO_MANIFEST_DIR"));
        let mut files: Vec<_> = fs::read_dir(folder)
            .expect("the folder is there")
            .map(|entry| entry.expect("an entry"))
            .filter(|entry| entry.file_type().expect("a type").is_file())
            .map(|entry| entry.file_name().into_string().expect("a name"))
            .collect();
        files.sort();
        let names: Vec<_> = plan.migrations.iter().map(|migration| migration.name.to_owned()).collect();
        assert_eq!(names, files);
        for (migration, expected) in plan.migrations.iter().zip(1..) {
            assert_eq!(migration.version, expected);
            assert!(migration.name.starts_with(&format!("{expected:04}_")), "{}", migration.name);
        }
    }
}

#[test]
fn a_fresh_database_gets_all_migrations_and_the_second_time_none() {
    let file = File::new();
    let database = file.open();
    assert_eq!(wait(SHOP.inspect(&database)).expect("inspected"), Schema::Behind);
    wait(SHOP.apply(&database)).expect("applied");
    assert_eq!(wait(SHOP.inspect(&database)).expect("inspected"), Schema::Current);
    let schema = database.texts("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL");
    wait(SHOP.apply(&database)).expect("applied");
    assert_eq!(database.texts("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"), schema);
    assert_eq!(wait(version(&database)).expect("read"), SHOP.known_version());
}

/// What a database holds: its schema and the rows of each table.
fn contents(database: &Sqlite) -> Vec<String> {
    let mut contents = schema_of(database);
    let tables =
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    for table in database.texts(tables) {
        let columns = database.texts(&format!("SELECT name FROM pragma_table_info('{table}') ORDER BY name"));
        let row = format!("SELECT json_array({}) AS row FROM {table} ORDER BY row", columns.join(", "));
        contents.extend(database.texts(&row).into_iter().map(|row| format!("{table} {row}")));
    }
    contents
}

#[test]
fn a_file_can_be_applied_again_where_a_transaction_does_not_hold() {
    let shop = Shop::with_product("A", 2, 10, 5);
    shop.order(&[("A", 3)]);
    shop.backorder(&[("A", 9)]);
    shop.settle(&shop.claim_one(), Verdict::Bury);
    shop.operate(Action::Pause);
    let before = contents(&shop.database);
    for migration in SHOP.migrations {
        wait(apply_file(&shop.database, migration)).unwrap_or_else(|fault| panic!("{fault:?}"));
    }
    assert_eq!(contents(&shop.database), before);
    shop.assert_sound();
    let customers = Customers::new();
    let before = contents(&customers.database);
    for migration in CUSTOMERS.migrations {
        wait(apply_file(&customers.database, migration)).unwrap_or_else(|fault| panic!("{fault:?}"));
    }
    assert_eq!(contents(&customers.database), before);
}

#[test]
fn only_a_column_that_is_there_is_left_out() {
    let database = Sqlite::new(rusqlite::Connection::open_in_memory().expect("a database opens"));
    let sql = "CREATE TABLE IF NOT EXISTS t (a TEXT) STRICT; alter table t add column b TEXT;
               ALTER TABLE t /* again */ ADD COLUMN b TEXT; ALTER TABLE t ADD COLUMN c TEXT;
               ALTER TABLE t RENAME COLUMN c TO d; INSERT INTO t (a, b, d) VALUES ('1', '2', '3')";
    let migration = Migration { version: 1, name: "0001_t.sql", sql };
    wait(apply_file(&database, &migration)).expect("applied");
    assert_eq!(database.texts("SELECT a || b || d FROM t"), ["123"]);
    let wrong = Migration { version: 2, name: "0002_t.sql", sql: "ALTER TABLE nowhere ADD COLUMN b TEXT" };
    assert!(wait(apply_file(&database, &wrong)).is_err(), "a table that is missing is no reason to go on");
}

/// A shop as the first release left it: orders of every kind, a dead letter, what operators did.
const FILLED_SCHEMA_5: &str = "
    INSERT INTO factory (factory_id, name, manager_email, created_at_ms, updated_at_ms) VALUES ('FF-1', 'f', 'm@f.example', 1, 1);
    INSERT INTO product (sku, name, price_amount, price_currency, factory_id, policy, reorder_point, order_up_to, ad_status,
                         opening_stock, created_at_ms, updated_at_ms)
    VALUES ('A', 'a', 5, 'KRW', 'FF-1', 'manual', 10, 60, 'running', 100, 2, 2),
           ('B', 'b', 5, 'KRW', 'FF-1', 'manual', 0, 5, 'none', 0, 2, 2),
           ('C', 'c', 5, 'KRW', 'FF-1', 'manual', 0, 5, 'running', 3, 2, 2);
    INSERT INTO sales_order (sales_order_id, idempotency_key, request_hash, customer_id, customer_email, if_short, placed_as, status,
                             items, short, total_amount, currency, placed_at_ms, ring)
    VALUES ('o-1', 'k', 'h', 'c-1', NULL, 'reject', 'accepted', 'accepted',
            '[{\"sku\":\"A\",\"quantity\":60,\"unit_amount\":5}]', '[]', 300, 'KRW', 3, 0),
           ('o-2', NULL, 'h', 'c-1', 'c@c.example', 'reject', 'accepted', 'accepted',
            '[{\"sku\":\"A\",\"quantity\":30,\"unit_amount\":5}]', '[]', 150, 'KRW', 4, 1),
           ('o-3', NULL, 'h', 'c-2', NULL, 'reject', 'rejected', 'rejected',
            '[{\"sku\":\"A\",\"quantity\":99,\"unit_amount\":5}]', '[]', 495, 'KRW', 5, 0),
           ('o-4', NULL, 'h', 'c-2', NULL, 'backorder', 'backordered', 'backordered',
            '[{\"sku\":\"B\",\"quantity\":7,\"unit_amount\":5}]', '[]', 35, 'KRW', 6, 0),
           ('o-5', NULL, 'h', 'c-3', NULL, 'reject', 'accepted', 'accepted',
            '[{\"sku\":\"C\",\"quantity\":3,\"unit_amount\":5}]', '[]', 15, 'KRW', 7, 0);
    INSERT INTO stock_movement (sku, kind, delta, on_hand_after, reason, operator, at_ms)
    VALUES ('A', 'adjusted', -1, 9, 'broken', 'op-1', 7);
    UPDATE message SET state = 'leased', receipt = 'r', leased_at_ms = 8, lease_until_ms = 9 WHERE message_seq = 1;
    UPDATE message SET state = 'buried', receipt = NULL, leased_at_ms = NULL, lease_until_ms = NULL, outcome = 'bury',
                       reason = 'factory-refused', error = 'no', settled_at_ms = 9 WHERE message_seq = 1;
    INSERT INTO operation (kind, queue_id, selection, affected, reason, operator, at_ms)
    VALUES ('pause', 'replenishment', '[]', 0, 'lunch', 'op-2', 6);
";

#[test]
fn a_filled_database_of_the_first_release_comes_to_this_schema_and_goes_on() {
    let database = Sqlite::new(rusqlite::Connection::open_in_memory().expect("a database opens"));
    let first = Plan { migrations: &SHOP.migrations[..5] };
    wait(first.inspect(&database)).expect("inspected");
    wait(first.apply(&database)).expect("applied");
    database.0.execute_batch(FILLED_SCHEMA_5).expect("filled");
    let orders =
        database.texts("SELECT sales_order_id || status || items FROM sales_order ORDER BY sequence");
    wait(SHOP.apply(&database)).expect("upgraded");
    assert_eq!(wait(version(&database)).expect("read"), SHOP.known_version());

    let shop = Shop::of(database);
    shop.assert_sound();
    let kept =
        shop.database.texts("SELECT sales_order_id || status || items FROM sales_order ORDER BY sequence");
    assert_eq!(kept, orders);
    let placed = wait(insight::totals(&shop.database)).expect("read").orders;
    assert_eq!((placed.accepted, placed.backordered, placed.rejected, placed.waiting), (3, 1, 1, 1));
    let buyer = shop.buyer("c-1").expect("two orders were accepted");
    assert_eq!((buyer.orders, buyer.units_bought, buyer.email.as_deref()), (2, 90, Some("c@c.example")));
    assert!(shop.buyer("c-2").is_none(), "nothing of theirs was accepted yet");
    let actions = shop.actions();
    let kinds: Vec<_> =
        actions.iter().map(|action| (action.kind.as_str(), action.operator.as_str())).collect();
    assert_eq!(kinds, [("stock.adjust", "op-1"), ("queue.pause", "op-2")]);

    // Nothing that was done again changes what was made of it.
    let before = contents(&shop.database);
    for migration in SHOP.migrations {
        wait(apply_file(&shop.database, migration)).unwrap_or_else(|fault| panic!("{fault:?}"));
    }
    assert_eq!(contents(&shop.database), before);

    // What went wrong before anybody could be told is told now.
    let hints = shop.claim_from("ad-control", 10);
    let hints: Vec<_> =
        hints.iter().map(|hint| (hint.event.kind.as_str(), hint.event.subject.as_str())).collect();
    assert_eq!(hints, [("ad.started", "C")], "A can be sold, and nobody advertises B");
    assert!(wait(ads::wanted(&shop.database, "C".into())).expect("read").is_some());
    let incidents = wait(alerts::list(&shop.database, true, first_page())).expect("read");
    assert_eq!(incidents.len(), 1);
    let (incident, case) = (&incidents[0], &incidents[0].cases[0]);
    let key = (incident.queue.as_str(), incident.partner.as_str(), incident.reason.as_str());
    assert_eq!(key, ("replenishment", "factory", "factory-refused"));
    assert_eq!((incident.opened_at, incident.factory_id.as_deref()), (9, Some("FF-1")));
    assert!(case.words.ends_with(": no") && shop.message(&case.id).reason == "factory-refused");
    assert_eq!(shop.claim_from("alerts", 10).len(), 2);

    // Orders of the first release count on: one that is filled now, and one that another joins.
    shop.receive_for("B", 20);
    assert_eq!(shop.buyer("c-2").expect("filled").units_bought, 7);
    shop.vip.set(VipPolicy { rule: VipRule::Cumulative, units: 100 });
    shop.receive_for("A", 50);
    let mut placement = shop.placement(&[("A", 10)], IfShort::Reject);
    placement.customer.id = "c-1".into();
    shop.place(placement);
    assert!(shop.events().contains(&"order.bulk".to_owned()), "90 + 10");
    shop.operate(Action::Resume);
    assert_eq!(shop.redrive_all(), 1);
    assert_eq!(shop.actions()[0].kind, "queue.redrive");
    shop.assert_sound();
}

#[test]
fn a_filled_database_from_before_there_were_returns_learns_of_them_and_goes_on() {
    let shop = Shop::at(&Plan { migrations: &SHOP.migrations[..10] });
    let about_returns =
        "SELECT count(*) FROM sqlite_schema WHERE sql LIKE '%return.%' OR sql LIKE '%sales_return%'";
    assert_eq!(shop.database.number(about_returns), 0, "a file that was released stays as it was");
    for sku in ["A", "B", "C"] {
        shop.product(sku, 2, 10, 1);
    }
    shop.product("D", 0, 10, 5);
    shop.product("E", 2, 10, 1);
    // The statements of this program that know more than that schema are written out as that of the time.
    let order = "order-0".to_owned();
    shop.database
        .0
        .execute_batch(
            "INSERT INTO sales_order (sales_order_id, request_hash, customer_id, if_short, placed_as, status, items, short,
                                      total_amount, currency, placed_at_ms, units, vip_rule, vip_units, ring)
             VALUES ('order-0', 'h', 'c-1', 'reject', 'accepted', 'accepted',
                     '[{\"sku\":\"D\",\"quantity\":4,\"unit_amount\":1000}]', '[]', 4000, 'KRW', 1000000, 4, 'single-order', 100, 0);
             UPDATE production SET status = 'received', received_quantity = 9, received_at_ms = planned_at_ms + 20000 WHERE sku = 'E';
             UPDATE message SET state = 'leased', attempts = 1, receipt = 'r-' || subject, leased_at_ms = 1000000,
                                lease_until_ms = 1030000 WHERE queue_id = 'replenishment'",
        )
        .expect("filled");
    let word = |sku: &str, verdict| Settlement {
        message_id: shop
            .database
            .texts(&format!(
                "SELECT message_id FROM message WHERE queue_id = 'replenishment' AND subject = '{sku}'"
            ))
            .remove(0),
        receipt: format!("r-{sku}"),
        verdict,
        reason: "factory-refused".into(),
        error: "no".into(),
    };
    let words = vec![word("A", Verdict::Bury), word("C", Verdict::Retry(shop.now.get() + 5))];
    assert_eq!(wait(queue::settle(&shop.database, words, shop.now.get())).expect("settled").len(), 2);
    let call = pass(&shop);

    wait(SHOP.apply(&shop.database)).expect("upgraded");
    shop.assert_sound();
    assert_eq!(schema_of(&shop.database), schema_of(&Shop::new().database));
    // What there was is counted, once.
    let totals = wait(insight::totals(&shop.database)).expect("read");
    assert_eq!((totals.orders.accepted, totals.orders.rejected, totals.production.received), (1, 0, 1));
    let took = totals.production.lead_times.iter().find(|bucket| bucket.requests > 0).expect("one");
    assert_eq!((took.seconds_max, took.requests, totals.production.lead_time_ms_sum), (Some(30), 1, 20_000));
    // What was under way goes on.
    assert_eq!(tell(&shop).len(), 2, "one notice on each channel");
    let held = vec![word("B", Verdict::Bury)];
    assert_eq!(wait(queue::settle(&shop.database, held, shop.now.get())).expect("settled").len(), 1);
    let open = incidents(&shop, true);
    assert_eq!((open.len(), open[0].kind.as_str(), open[0].occurrences), (1, "message.buried", 2));
    let busy_until = shop.now.get() + 9_000;
    wait(partners::leave(&shop.database, call.id, Health::Busy(busy_until), shop.now.get())).expect("left");
    let next = "SELECT next_slot_us / 1000 FROM partner WHERE partner_id = 'factory'";
    assert_eq!(shop.database.number(next), i64::try_from(busy_until).expect("a moment"));
    assert_eq!(tell(&shop), [""; 0], "it is told of now and then");
    // What is new is done as in a new database.
    let id = known(&shop, &order, "D");
    track(&shop, &id, &[]);
    assert_eq!(incidents(&shop, true)[0].kind, "return.unknown");
    assert_eq!(tell(&shop), ["Channel::Chat Occasion::Opened"]);
    track(&shop, &id, &["delivered"]);
    assert!(report(&shop, &id, ToStock::On));
    assert_eq!(shop.levels("D").0, 5);
    shop.assert_sound();
}

/// The schema of a database, by name.
fn schema_of(database: &Sqlite) -> Vec<String> {
    database.texts("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name")
}

#[test]
fn programs_that_start_together_apply_each_migration_once() {
    const PROGRAMS: usize = 4;
    let file = File::new();
    let start = Barrier::new(PROGRAMS);
    thread::scope(|scope| {
        for _ in 0..PROGRAMS {
            scope.spawn(|| {
                let database = file.open();
                start.wait();
                wait(SHOP.inspect(&database)).expect("inspected");
                wait(SHOP.apply(&database)).expect("applied");
                assert_eq!(wait(SHOP.inspect(&database)).expect("inspected"), Schema::Current);
            });
        }
    });
    let applied = file.open().number("SELECT count(*) FROM schema_migration");
    assert_eq!(applied, i64::from(SHOP.known_version()));
}

#[test]
fn a_migration_that_fails_leaves_nothing_behind() {
    let file = File::new();
    let database = file.open();
    wait(SHOP.inspect(&database)).expect("inspected");
    database.0.execute_batch("CREATE VIEW sales_order AS SELECT 1").expect("created");
    let Err(Fault::Unavailable(text)) = wait(SHOP.apply(&database)) else { panic!("the name is taken") };
    assert!(text.starts_with("0002_orders.sql: "), "{text}");
    assert_eq!(wait(version(&database)).expect("read"), 0);
    assert_eq!(database.number("SELECT count(*) FROM sqlite_schema WHERE name = 'product'"), 0);
}

#[test]
fn a_schema_of_a_newer_program_is_refused_with_both_versions() {
    let shop = Shop::new();
    shop.database
        .0
        .execute("INSERT INTO schema_migration (version, name) VALUES (99, 'x')", [])
        .expect("inserted");
    let schema = wait(SHOP.inspect(&shop.database)).expect("inspected");
    assert_eq!(schema, Schema::Newer(99));
    let Fault::Unavailable(text) = SHOP.newer(99) else { panic!("unavailable") };
    assert!(
        text.contains("version 99") && text.contains(&format!("knows {}", SHOP.known_version())),
        "{text}"
    );
}

#[test]
fn statements_end_at_semicolons_outside_of_strings_comments_and_triggers() {
    let sql = "-- one; two\n/* three; */ SELECT ';', \"a;b\", [c;d], `e;f`, 'it''s;';\n;;\n\
               CREATE TRIGGER IF NOT EXISTS t AFTER INSERT ON a BEGIN\n  UPDATE a SET b = CASE WHEN 1 THEN 2 END; -- END;\n\
               DELETE FROM a;\nEND;\nSELECT CASE WHEN 1 THEN 2 END; BEGIN; SELECT 'trigger'; -- the rest";
    let found: Vec<_> = statements(sql).collect();
    assert_eq!(found.len(), 5, "{found:#?}");
    assert!(found[0].starts_with("SELECT ';'") && found[0].ends_with("'it''s;'"));
    assert!(found[1].starts_with("CREATE TRIGGER") && found[1].ends_with("END"));
    assert_eq!(found[2..], ["SELECT CASE WHEN 1 THEN 2 END", "BEGIN", "SELECT 'trigger'"]);
    assert_eq!(statements("  -- nothing\n").count(), 0);
    assert_eq!(statements("SELECT 'open").collect::<Vec<_>>(), ["SELECT 'open"]);
}

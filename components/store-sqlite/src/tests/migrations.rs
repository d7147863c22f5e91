//! Claim: a database comes to the known schema once, whoever starts together, and a newer one is refused.

use std::fs;
use std::path::PathBuf;
use std::process;
use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::shop::{Shop, Sqlite, wait};
use crate::migration::{KNOWN_VERSION, MIGRATIONS, Schema, apply, inspect, statements, version};
use crate::restock::types::Fault;

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
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations/sqlite");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"))
        .collect();
    files.sort();
    let names: Vec<_> = MIGRATIONS.iter().map(|migration| migration.name.to_owned()).collect();
    assert_eq!(names, files);
    for (migration, expected) in MIGRATIONS.iter().zip(1..) {
        assert_eq!(migration.version, expected);
        assert!(migration.name.starts_with(&format!("{expected:04}_")), "{}", migration.name);
    }
}

#[test]
fn a_fresh_database_gets_all_migrations_and_the_second_time_none() {
    let file = File::new();
    let database = file.open();
    assert_eq!(wait(inspect(&database)).expect("inspected"), Schema::Behind);
    wait(apply(&database)).expect("applied");
    assert_eq!(wait(inspect(&database)).expect("inspected"), Schema::Current);
    let schema = database.texts("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL");
    wait(apply(&database)).expect("applied");
    assert_eq!(database.texts("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL"), schema);
    assert_eq!(wait(version(&database)).expect("read"), KNOWN_VERSION);
}

#[test]
fn each_statement_can_run_again_where_a_transaction_does_not_hold() {
    let shop = Shop::with_product("A", 2, 10, 1);
    for statement in MIGRATIONS.iter().flat_map(|migration| statements(migration.sql)) {
        shop.database.0.execute_batch(statement).unwrap_or_else(|error| panic!("{error}: {statement}"));
    }
    shop.assert_sound();
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
                wait(inspect(&database)).expect("inspected");
                wait(apply(&database)).expect("applied");
                assert_eq!(wait(inspect(&database)).expect("inspected"), Schema::Current);
            });
        }
    });
    let applied = file.open().number("SELECT count(*) FROM schema_migration");
    assert_eq!(applied, i64::from(KNOWN_VERSION));
}

#[test]
fn a_migration_that_fails_leaves_nothing_behind() {
    let file = File::new();
    let database = file.open();
    wait(inspect(&database)).expect("inspected");
    database.0.execute_batch("CREATE VIEW sales_order AS SELECT 1").expect("created");
    let Err(Fault::Unavailable(text)) = wait(apply(&database)) else { panic!("the name is taken") };
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
    let schema = wait(inspect(&shop.database)).expect("inspected");
    assert_eq!(schema, Schema::Newer(99));
    let Fault::Unavailable(text) = Schema::newer(99) else { panic!("unavailable") };
    assert!(text.contains("version 99") && text.contains(&format!("knows {KNOWN_VERSION}")), "{text}");
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

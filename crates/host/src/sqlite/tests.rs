//! SQLite as guests see it. Claim: sharing connections and commits changes nothing a guest can observe on its own
//! connection. Method: sessions on a real file; groups are handed to a writer by hand. Needs: nothing.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::connection::{Connection, Outcome};
use super::database::Job;
use super::pragma::{self, Pragma, Profile};
use super::writer::Writer;
use super::{Database, Session, close};
use crate::bindings::imports::spin::sqlite::sqlite::{Error, Value};
use crate::cache::random_hex;

/// A database in a folder of its own, removed at the end.
struct File {
    folder: std::path::PathBuf,
    database: Option<Arc<Database>>,
}

impl File {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("restock-sqlite-{}", random_hex().unwrap()));
        let database = Database::open(&folder.join("test.db")).unwrap();
        Self { folder, database: Some(database) }
    }

    fn database(&self) -> Arc<Database> {
        Arc::clone(self.database.as_ref().unwrap())
    }

    /// A new connection with a write-ahead log.
    async fn open(&self) -> Session {
        let session = Session::new(self.database());
        session.execute("PRAGMA journal_mode = WAL", vec![]).await.unwrap();
        session
    }
}

impl Drop for File {
    fn drop(&mut self) {
        close(self.database.take()).unwrap();
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

async fn run(session: &Session, sql: &str) {
    session.execute(sql, vec![]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

async fn number(session: &Session, sql: &str) -> i64 {
    let (_, rows) = session.execute(sql, vec![]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    match rows[0].values[0] {
        Value::Integer(number) => number,
        ref other => panic!("{sql}: {other:?}"),
    }
}

async fn fails(session: &Session, sql: &str) -> String {
    match session.execute(sql, vec![]).await {
        Err(Error::Io(text)) => text,
        other => panic!("{sql}: {other:?}"),
    }
}

/// A writer that is stepped by hand, with a shop in its file.
struct Bench {
    folder: std::path::PathBuf,
    writer: Writer,
    profile: Arc<Profile>,
}

impl Bench {
    fn new() -> Self {
        let folder = std::env::temp_dir().join(format!("restock-writer-{}", random_hex().unwrap()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("test.db");
        let Pragma::Set(setting) = pragma::read("PRAGMA foreign_keys = ON") else { panic!() };
        let profile = Arc::new(Profile::default().with(setting));
        let connection = Connection::open(&path, &profile).unwrap();
        for sql in [
            "PRAGMA journal_mode = WAL",
            "CREATE TABLE stock (sku TEXT PRIMARY KEY, on_hand INTEGER NOT NULL CHECK (on_hand >= 0))",
            "INSERT INTO stock VALUES ('a', 1), ('b', 5)",
            "CREATE TABLE sale (sku TEXT REFERENCES stock DEFERRABLE INITIALLY DEFERRED)",
            "CREATE TRIGGER stop BEFORE INSERT ON sale WHEN NEW.sku = 'stop'
               BEGIN SELECT RAISE(ROLLBACK, 'stopped'); END",
        ] {
            connection.command(sql).unwrap();
        }
        let killed = Arc::new(AtomicBool::new(false));
        let writer = Writer::new(path, connection, Arc::clone(&profile), killed, Arc::new(Mutex::new(())));
        Self { folder, writer, profile }
    }

    /// Runs the statements as one group.
    fn group(&mut self, statements: &[&str]) -> Vec<Outcome> {
        let mut answers = Vec::new();
        let mut jobs = Vec::new();
        for sql in statements {
            let (reply, answer) = oneshot::channel();
            answers.push(answer);
            let profile = Arc::clone(&self.profile);
            jobs.push(Job { profile, sql: (*sql).into(), parameters: vec![], alone: false, reply });
        }
        self.writer.serve(jobs);
        answers.into_iter().map(|mut answer| answer.try_recv().unwrap()).collect()
    }

    /// Whether each statement of the group succeeded.
    fn succeeded(&mut self, statements: &[&str]) -> Vec<bool> {
        self.group(statements).iter().map(|outcome| matches!(outcome, Outcome::Done(_))).collect()
    }

    fn number(&self, sql: &str) -> i64 {
        let connection = rusqlite::Connection::open(self.folder.join("test.db")).unwrap();
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        // The files may still be open, which unlinking does not mind.
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

const TAKE_A: &str = "UPDATE stock SET on_hand = on_hand - 1 WHERE sku = 'a'";
const TAKE_B: &str = "UPDATE stock SET on_hand = on_hand - 1 WHERE sku = 'b'";

#[test]
fn one_member_that_fails_a_check_does_not_keep_the_others_from_committing() {
    let mut bench = Bench::new();
    assert_eq!(bench.succeeded(&[TAKE_B, TAKE_A, TAKE_A, TAKE_B]), [true, true, false, true]);
    assert_eq!(bench.number("SELECT on_hand FROM stock WHERE sku = 'a'"), 0);
    assert_eq!(bench.number("SELECT on_hand FROM stock WHERE sku = 'b'"), 3);
}

#[test]
fn a_member_that_rolls_the_whole_transaction_back_fails_alone() {
    let mut bench = Bench::new();
    let stop = "INSERT INTO sale VALUES ('stop')";
    assert_eq!(
        bench.succeeded(&[TAKE_B, stop, TAKE_B, "INSERT INTO sale VALUES ('a')"]),
        [true, false, true, true]
    );
    assert_eq!(bench.number("SELECT on_hand FROM stock WHERE sku = 'b'"), 3);
    assert_eq!(bench.number("SELECT count(*) FROM sale"), 1);
    let ignored = "INSERT OR ROLLBACK INTO stock VALUES ('a', 1)";
    assert_eq!(bench.succeeded(&[TAKE_B, ignored, TAKE_B]), [true, false, true]);
    assert_eq!(bench.number("SELECT on_hand FROM stock WHERE sku = 'b'"), 1);
}

#[test]
fn a_deferred_foreign_key_that_fails_at_the_commit_fails_its_own_statement_only() {
    let mut bench = Bench::new();
    let orphan = "INSERT INTO sale VALUES ('nothing')";
    assert_eq!(bench.succeeded(&[TAKE_B, orphan, "INSERT INTO sale VALUES ('b')"]), [true, false, true]);
    assert_eq!(bench.number("SELECT on_hand FROM stock WHERE sku = 'b'"), 4);
    assert_eq!(bench.number("SELECT count(*) FROM sale WHERE sku = 'b'"), 1);
    assert_eq!(bench.number("SELECT count(*) FROM sale WHERE sku = 'nothing'"), 0);
}

#[test]
fn members_see_the_members_before_them_and_keep_their_own_counters() {
    let mut bench = Bench::new();
    let outcomes = bench.group(&[
        "INSERT INTO stock VALUES ('c', 1), ('d', 1)",
        "UPDATE stock SET on_hand = 9 WHERE sku = 'none'",
        "UPDATE stock SET on_hand = on_hand + 1 WHERE sku IN ('a', 'b', 'c') RETURNING on_hand",
    ]);
    let answers: Vec<_> = outcomes
        .into_iter()
        .map(|outcome| match outcome {
            Outcome::Done(answer) => answer,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(answers.iter().map(|answer| answer.changes).collect::<Vec<_>>(), [2, 0, 3]);
    assert_eq!(
        answers.iter().map(|answer| answer.last_insert_rowid.is_some()).collect::<Vec<_>>(),
        [true, false, false]
    );
    assert_eq!(answers[2].rows.len(), 3);
}

#[test]
fn a_statement_that_would_leave_state_on_the_shared_connection_is_not_run_there() {
    let mut bench = Bench::new();
    let outcomes =
        bench.group(&[TAKE_B, "CREATE TEMP TABLE t (a)", "INSERT INTO sale SELECT 'a' WHERE changes() = 1"]);
    assert!(matches!(outcomes[..], [Outcome::Done(_), Outcome::Stateful, Outcome::Stateful]), "{outcomes:?}");
    assert_eq!(bench.number("SELECT count(*) FROM sale"), 0);
}

async fn shop() -> (File, Session) {
    let file = File::new();
    let session = file.open().await;
    run(&session, "CREATE TABLE stock (sku TEXT PRIMARY KEY, on_hand INTEGER NOT NULL CHECK (on_hand >= 0))")
        .await;
    run(&session, "INSERT INTO stock VALUES ('a', 1), ('b', 5)").await;
    (file, session)
}

#[tokio::test]
async fn what_was_answered_is_seen_by_every_connection() {
    let (file, session) = shop().await;
    let other = file.open().await;
    for expected in (0..5).rev() {
        run(&session, TAKE_B).await;
        assert_eq!(number(&other, "SELECT on_hand FROM stock WHERE sku = 'b'").await, expected);
    }
    assert!(fails(&session, TAKE_B).await.contains("CHECK"));
}

#[tokio::test]
async fn many_guests_writing_at_once_lose_nothing() {
    let (file, session) = shop().await;
    run(&session, "UPDATE stock SET on_hand = 50 WHERE sku = 'b'").await;
    let mut buyers = Vec::new();
    for _ in 0..200 {
        let buyer = file.open().await;
        buyers.push(tokio::spawn(async move { buyer.execute(TAKE_B, vec![]).await.is_ok() }));
    }
    let mut bought = 0;
    for buyer in buyers {
        bought += i64::from(buyer.await.unwrap());
    }
    assert_eq!(bought, 50);
    assert_eq!(number(&session, "SELECT on_hand FROM stock WHERE sku = 'b'").await, 0);
}

#[tokio::test]
async fn a_transaction_is_unseen_until_its_commit_and_gone_after_a_rollback_or_a_drop() {
    let (file, other) = shop().await;
    let count = "SELECT count(*) FROM stock";
    let session = file.open().await;
    run(&session, "BEGIN IMMEDIATE").await;
    run(&session, "INSERT INTO stock VALUES ('c', 1)").await;
    assert_eq!(number(&session, count).await, 3);
    assert_eq!(number(&other, count).await, 2);
    run(&session, "COMMIT").await;
    assert_eq!(number(&other, count).await, 3);
    run(&session, "BEGIN").await;
    run(&session, "DELETE FROM stock").await;
    run(&session, "ROLLBACK").await;
    assert_eq!(number(&session, count).await, 3);
    run(&session, "SAVEPOINT a").await;
    run(&session, "DELETE FROM stock").await;
    drop(session);
    // The writer waits until the dropped connection has rolled back.
    run(&other, "INSERT INTO stock VALUES ('d', 1)").await;
    assert_eq!(number(&other, count).await, 4);
}

#[tokio::test]
async fn changes_and_row_ids_belong_to_the_connection() {
    let (file, session) = shop().await;
    let other = file.open().await;
    run(&session, "CREATE TABLE sale (sale_id INTEGER PRIMARY KEY, sku TEXT)").await;
    run(&session, "INSERT INTO sale VALUES (7, 'a'), (8, 'b')").await;
    run(&other, "INSERT INTO sale VALUES (30, 'a')").await;
    run(&other, "SELECT 1").await;
    assert_eq!((session.changes(), session.last_insert_rowid()), (2, 8));
    assert_eq!((other.changes(), other.last_insert_rowid()), (1, 30));
    assert_eq!(file.open().await.last_insert_rowid(), 0);
    // The same in SQL, where the connection needs a memory of its own.
    assert_eq!(number(&session, "SELECT changes()").await, 2);
    assert_eq!(number(&session, "SELECT last_insert_rowid()").await, 8);
    run(&session, "UPDATE sale SET sku = 'c'").await;
    assert_eq!(number(&session, "SELECT changes()").await, 3);
    assert_eq!((session.changes(), session.last_insert_rowid()), (3, 8));
    assert_eq!(number(&other, "SELECT last_insert_rowid()").await, 30);
}

#[tokio::test]
async fn settings_belong_to_the_connection_that_made_them() {
    let (file, strict) = shop().await;
    run(&strict, "CREATE TABLE sale (sku TEXT REFERENCES stock)").await;
    let plain = file.open().await;
    run(&plain, "PRAGMA foreign_keys = OFF").await;
    run(&strict, "PRAGMA foreign_keys = ON").await;
    assert_eq!(number(&strict, "PRAGMA foreign_keys").await, 1);
    assert_eq!(number(&plain, "PRAGMA foreign_keys").await, 0);
    assert_eq!(number(&plain, "PRAGMA busy_timeout").await, 5000);
    assert!(fails(&strict, "INSERT INTO sale VALUES ('none')").await.contains("FOREIGN KEY"));
    run(&plain, "INSERT INTO sale VALUES ('none')").await;
    // They go along when the connection becomes one of its own.
    run(&strict, "BEGIN").await;
    assert!(fails(&strict, "INSERT INTO sale VALUES ('none')").await.contains("FOREIGN KEY"));
    run(&strict, "COMMIT").await;
}

#[tokio::test]
async fn temporary_tables_are_seen_by_their_connection_only() {
    let (file, session) = shop().await;
    run(&session, "CREATE TEMP TABLE basket AS SELECT * FROM stock").await;
    assert_eq!(number(&session, "SELECT count(*) FROM basket").await, 2);
    assert!(fails(&file.open().await, "SELECT count(*) FROM basket").await.contains("no such table"));
}

#[tokio::test]
async fn the_file_is_the_only_file_within_reach() {
    let (file, session) = shop().await;
    let elsewhere = file.folder.join("other.db");
    for sql in
        [format!("ATTACH '{}' AS x", elsewhere.display()), format!("VACUUM INTO '{}'", elsewhere.display())]
    {
        let error = fails(&session, &sql).await;
        assert!(error.contains("authoriz"), "{sql}: {error}");
    }
    assert!(!elsewhere.exists());
    let (_, rows) = file.open().await.execute("PRAGMA database_list", vec![]).await.unwrap();
    let Value::Text(path) = &rows[0].values[2] else { panic!() };
    assert_eq!(
        std::fs::canonicalize(path).unwrap(),
        std::fs::canonicalize(file.folder.join("test.db")).unwrap()
    );
}

#[tokio::test]
async fn statements_that_cannot_share_a_transaction_run_by_themselves() {
    let (_file, session) = shop().await;
    run(&session, "VACUUM").await;
    run(&session, "PRAGMA wal_checkpoint(TRUNCATE)").await;
    run(&session, "PRAGMA user_version = 7").await;
    assert_eq!(number(&session, "PRAGMA user_version").await, 7);
    let (columns, rows) = session.execute("PRAGMA journal_mode", vec![]).await.unwrap();
    assert_eq!(columns, ["journal_mode"]);
    assert!(matches!(&rows[0].values[0], Value::Text(mode) if mode == "wal"));
}

#[tokio::test]
async fn parameters_and_values_of_every_type_come_through() {
    let (_file, session) = shop().await;
    let given = vec![
        Value::Integer(i64::MIN),
        Value::Real(0.5),
        Value::Text("재고".to_owned()),
        Value::Blob(vec![0, 255]),
        Value::Null,
    ];
    let (columns, rows) =
        session.execute("SELECT ?1 AS i, ?2 AS r, ?3 AS t, ?4 AS b, ?5 AS n", given).await.unwrap();
    assert_eq!(columns, ["i", "r", "t", "b", "n"]);
    let [Value::Integer(i64::MIN), Value::Real(real), Value::Text(text), Value::Blob(blob), Value::Null] =
        &rows[0].values[..]
    else {
        panic!("{rows:?}")
    };
    assert_eq!((*real, text.as_str(), blob.as_slice()), (0.5, "재고", &[0, 255][..]));
}

#[tokio::test]
async fn a_statement_that_writes_behind_a_with_clause_and_one_that_only_reads_find_their_way() {
    let (_file, session) = shop().await;
    run(&session, "WITH n(sku) AS (VALUES ('x'), ('y')) INSERT INTO stock SELECT sku, 1 FROM n").await;
    assert_eq!(session.changes(), 2);
    assert_eq!(number(&session, "WITH n AS (SELECT * FROM stock) SELECT count(*) FROM n").await, 4);
    run(&session, "WITH n(sku) AS (VALUES ('z')) INSERT INTO stock SELECT sku, 1 FROM n").await;
    assert_eq!(number(&session, "SELECT count(*) FROM stock").await, 5);
}

#[tokio::test]
async fn of_several_statements_in_one_text_the_first_one_runs() {
    let (_file, session) = shop().await;
    run(&session, "UPDATE stock SET on_hand = 8 WHERE sku = 'a'; DELETE FROM stock").await;
    assert_eq!(number(&session, "SELECT on_hand FROM stock WHERE sku = 'a'").await, 8);
    assert_eq!(number(&session, "SELECT count(*) FROM stock; SELECT 1").await, 2);
}

#[tokio::test]
async fn data_outlives_the_host() {
    let (file, session) = shop().await;
    let path = file.folder.join("test.db");
    run(&session, TAKE_B).await;
    drop(session);
    let mut file = file;
    close(file.database.take()).unwrap();
    assert!(!file.folder.join("test.db-wal").exists(), "closing checkpoints");
    file.database = Some(Database::open(&path).unwrap());
    assert_eq!(number(&file.open().await, "SELECT on_hand FROM stock WHERE sku = 'b'").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_a_file_holds_up_no_other_program_that_writes_to_it() {
    let mut file = File::new();
    let session = file.open().await;
    run(&session, "CREATE TABLE t (n INTEGER)").await;
    drop(session);
    let other = || rusqlite::Connection::open(file.folder.join("test.db")).unwrap();
    // Someone reads what the log held a moment ago: a checkpoint of the whole log would have to wait for that.
    let reader = other();
    reader.execute_batch("BEGIN; SELECT count(*) FROM t").unwrap();
    reader.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap();
    let writer = other();
    writer.busy_timeout(std::time::Duration::ZERO).unwrap();
    writer.execute("INSERT INTO t VALUES (1)", []).unwrap();
    let database = file.database.take();
    let closing = std::thread::spawn(move || close(database));
    while !closing.is_finished() {
        writer.execute("INSERT INTO t VALUES (2)", []).unwrap();
    }
    closing.join().unwrap().unwrap();
}

//! Statements and their answers.

use super::*;

#[tokio::test]
async fn an_answer_is_told_when_it_is_complete_so_what_fails_last_is_told_as_well() {
    let place = Place::new();
    let session = open(&place.pool()).await;
    run(&session, "CREATE TABLE parent (id int8 PRIMARY KEY)").await;
    run(&session, "CREATE TABLE child (parent_id int8 REFERENCES parent DEFERRABLE INITIALLY DEFERRED)")
        .await;
    let answer = session.query("INSERT INTO child VALUES (1) RETURNING parent_id", &[]).await.unwrap();
    assert_eq!(answer.rows.len(), 1, "the row comes before the commit");
    assert_eq!(code(answer.fault.as_ref().unwrap()), "23503");
    assert_eq!(number(&session, "SELECT count(*) FROM child").await, 0);
    let failed = session.execute("INSERT INTO child VALUES (1)", &[]).await.unwrap_err();
    assert_eq!(code(&failed), "23503");
}

#[tokio::test]
async fn errors_carry_what_the_server_says_of_them() {
    let place = Place::new();
    let session = open(&place.pool()).await;
    run(&session, "CREATE TABLE thing (id int8 CONSTRAINT thing_positive CHECK (id > 0))").await;
    let Err(Error::QueryFailed(QueryError::DbError(error))) =
        session.execute("INSERT INTO thing VALUES (-1)", &[]).await
    else {
        panic!("it must fail")
    };
    assert_eq!((error.code.as_str(), error.severity.as_str()), ("23514", "ERROR"));
    assert!(error.message.contains("thing_positive"), "{error:?}");
    assert!(error.extras.contains(&("constraint".to_owned(), "thing_positive".to_owned())), "{error:?}");
    let failed = session.query("SELECT nothing", &[]).await.unwrap_err();
    assert_eq!(code(&failed), "42703", "what is wrong with the statement itself is told at once");
}

#[tokio::test]
async fn changed_rows_are_counted_and_no_rows_have_no_columns() {
    let place = Place::new();
    let session = open(&place.pool()).await;
    assert_eq!(run(&session, "CREATE TABLE thing (id int8)").await, 0);
    assert_eq!(run(&session, "INSERT INTO thing SELECT generate_series(1, 7)").await, 7);
    assert_eq!(run(&session, "DELETE FROM thing WHERE id > 4").await, 3);
    let none = session.query("SELECT id FROM thing WHERE id > 4", &[]).await.unwrap();
    assert!(none.rows.is_empty() && none.columns.is_empty(), "{none:?}");
    assert!(rows(&session, "", &[]).await.is_empty(), "an empty statement");
}

#[tokio::test]
async fn a_result_has_a_limit_and_the_connection_survives_it() {
    let place = Place::new();
    let session = open(&place.pool()).await;
    let answer =
        session.query("SELECT repeat('x', 1000000) FROM generate_series(1, 1000)", &[]).await.unwrap();
    assert!(answer.fault.is_some());
    assert!(answer.rows.len() < 1000, "{}", answer.rows.len());
    assert_eq!(number(&session, "SELECT 5::int8").await, 5);
}

#[tokio::test]
async fn a_schema_that_changes_under_a_prepared_statement_is_noticed_by_nobody() {
    let place = Place::new();
    let pool = place.pool();
    let (session, other) = (open(&pool).await, open(&pool).await);
    run(&other, "CREATE TABLE thing (id int4, name text)").await;
    run(&other, "INSERT INTO thing VALUES (1, 'a')").await;
    let all = "SELECT * FROM thing";
    assert_eq!(rows(&session, all, &[]).await[0].len(), 2);
    // Other columns, and another type of a column that a parameter is compared with.
    run(&other, "ALTER TABLE thing ADD COLUMN more int8 DEFAULT 3").await;
    assert_eq!(rows(&session, all, &[]).await[0].len(), 3);
    let named = "SELECT name FROM thing WHERE id = $1";
    assert_eq!(rows(&session, named, &[ParameterValue::Int32(1)]).await.len(), 1);
    run(&other, "ALTER TABLE thing ALTER COLUMN id TYPE int8").await;
    assert_eq!(rows(&session, named, &[ParameterValue::Int64(1)]).await.len(), 1);
    run(&other, "ALTER TABLE thing ALTER COLUMN id TYPE text").await;
    assert_eq!(rows(&session, named, &[ParameterValue::Str("1".into())]).await.len(), 1);
    // A table that is another one, and a session that forgot what it had prepared.
    run(&other, "DROP TABLE thing").await;
    assert_eq!(code(&session.query(all, &[]).await.unwrap_err()), "42P01");
    run(&other, "CREATE TABLE thing (name text)").await;
    run(&other, "INSERT INTO thing VALUES ('b')").await;
    assert_eq!(text(&session, all).await, "b");
    run(&session, "DISCARD ALL").await;
    assert_eq!(text(&session, all).await, "b");
}

#[tokio::test]
async fn a_schema_that_changes_during_a_transaction_does_not_end_it() {
    let place = Place::new();
    let pool = place.pool();
    let (session, other) = (open(&pool).await, open(&pool).await);
    run(&other, "CREATE TABLE thing (id int4)").await;
    run(&other, "INSERT INTO thing VALUES (1)").await;
    assert_eq!(rows(&session, "SELECT * FROM thing", &[]).await[0].len(), 1);
    run(&session, "BEGIN").await;
    run(&session, "CREATE TABLE own (id int4)").await;
    run(&other, "ALTER TABLE thing ADD COLUMN more int8").await;
    assert_eq!(rows(&session, "SELECT * FROM thing", &[]).await[0].len(), 2);
    run(&session, "COMMIT").await;
    assert_eq!(number(&other, "SELECT count(*) FROM own").await, 0);
}

#[tokio::test]
async fn a_connection_keeps_a_bounded_number_of_statements() {
    let place = Place::new();
    let session = open(&place.pool()).await;
    for turn in 0..300 {
        assert_eq!(number(&session, &format!("SELECT {turn}::int8")).await, turn);
    }
    let kept = number(&session, "SELECT count(*) FROM pg_prepared_statements").await;
    assert!((200..=257).contains(&kept), "{kept}");
}

#[tokio::test]
async fn statements_that_a_guest_runs_at_once_on_one_connection_are_all_answered() {
    let place = Place::new();
    let session = open(&place.pool()).await;
    let answers = futures::future::join_all((0..20).map(|turn| {
        let session = session.clone();
        async move { number(&session, &format!("SELECT {turn}::int8 FROM pg_sleep(0.001)")).await }
    }))
    .await;
    assert_eq!(answers, (0..20).collect::<Vec<_>>());
}

//! What one guest leaves, and what the next one gets.

use std::time::Duration;

use super::*;
use crate::postgres::pool::CONNECTIONS_MAX;

const SERVER: &str = "SELECT pg_backend_pid()::int8";

#[tokio::test]
async fn a_connection_is_lent_again_and_the_next_guest_finds_nothing_of_the_last_one() {
    let place = Place::new();
    let pool = place.pool();
    let watcher = open(&pool).await;
    run(&watcher, "CREATE TABLE thing (id int8)").await;
    run(
        &watcher,
        "CREATE FUNCTION leave() RETURNS text LANGUAGE plpgsql AS $$ BEGIN \
         PERFORM set_config('restock.left', 'x', false); PERFORM pg_advisory_lock(8); RETURN 'x'; END $$",
    )
    .await;
    let mut before = None;
    for leaves in [
        "SET application_name = 'left'",
        "SET statement_timeout = '7min'",
        "SELECT set_config('work_mem', '77kB', false)",
        "SELECT leave()",
        "CREATE TEMP TABLE left_behind (id int8)",
        "LISTEN something",
        "SELECT pg_advisory_lock(7)",
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        "SET ROLE pg_monitor",
        "BEGIN; ",
        "INSERT INTO thing VALUES (1)",
    ] {
        let guest = open(&pool).await;
        let server = number(&guest, SERVER).await;
        assert_eq!(*before.get_or_insert(server), server, "the same connection, after {leaves}");
        if leaves.starts_with("INSERT") {
            run(&guest, "BEGIN").await;
        }
        run(&guest, leaves.trim_end_matches("; ")).await;
        drop(guest);
        // Within a transaction there is more to finish first, and others come meanwhile.
        let mut others = Vec::new();
        let next = loop {
            let next = open(&pool).await;
            if number(&next, SERVER).await == server {
                break next;
            }
            others.push(next);
        };
        for (sql, clean) in [
            ("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'", 0),
            ("SELECT count(*) FROM pg_listening_channels()", 0),
            ("SELECT count(*) FROM pg_class WHERE relname = 'left_behind'", 0),
            ("SELECT count(*) FROM pg_settings WHERE source = 'session'", 0),
            ("SELECT (coalesce(current_setting('restock.left', true), '') <> '')::int::int8", 0),
            ("SELECT (current_user <> session_user)::int::int8", 0),
            ("SELECT count(*) FROM thing", 0),
        ] {
            assert_eq!(number(&next, sql).await, clean, "after {leaves}: {sql}");
        }
        let transaction = "SELECT txid_current()::int8";
        let one = number(&next, transaction).await;
        assert_ne!(one, number(&next, transaction).await, "after {leaves}: no transaction is open");
        drop(others);
    }
    let open =
        "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in%' AND datname = current_database()";
    assert_eq!(number(&watcher, open).await, 0);
}

#[tokio::test]
async fn what_a_guest_holds_is_free_as_soon_as_it_is_gone_and_not_when_the_connection_is_lent_again() {
    let place = Place::new();
    let pool = place.pool();
    let watcher = open(&pool).await;
    let guest = open(&pool).await;
    run(&guest, "SELECT pg_advisory_lock(1)").await;
    drop(guest);
    // It waits for the lock, which nobody but the server's own cleaning can give free.
    run(&watcher, "SET lock_timeout = '30s'").await;
    run(&watcher, "SELECT pg_advisory_lock(1)").await;
}

#[tokio::test]
async fn a_connection_is_not_lent_before_it_is_clean_and_never_where_cleaning_failed_or_goes_on() {
    for (cancelled, spare) in [(true, false), (false, false), (false, true)] {
        let place = Place::new();
        let pool = place.pool();
        let watcher = open(&pool).await;
        let (clean, guest) = (open(&pool).await, open(&pool).await);
        let (other, server) = (number(&clean, SERVER).await, number(&guest, SERVER).await);
        run(&guest, "CREATE TEMP TABLE left_behind (id int8)").await;
        let schema = text(&guest, "SELECT pg_my_temp_schema()::regnamespace::text").await;
        // As long as another session reads the table it cannot be dropped.
        run(&watcher, "BEGIN").await;
        run(&watcher, &format!("LOCK TABLE {schema}.left_behind IN ACCESS SHARE MODE")).await;
        let kept = if spare {
            drop(clean);
            None
        } else {
            Some(clean)
        };
        drop(guest);
        let waits = format!("SELECT count(*) FROM pg_locks WHERE pid = {server} AND NOT granted");
        while number(&watcher, &waits).await == 0 {
            tokio::task::yield_now().await;
        }
        let mut next = Box::pin(lend(Ok(Arc::clone(&pool))));
        if cancelled {
            assert!(futures::poll!(&mut next).is_pending());
            let cancel = format!("SELECT pg_cancel_backend({server})::int::int8");
            assert_eq!(number(&watcher, &cancel).await, 1);
        }
        let next = next.await.unwrap();
        let got = number(&next, SERVER).await;
        assert_ne!(got, server, "cancelled: {cancelled}, spare: {spare}");
        assert_eq!(got == other, spare, "one that is clean goes before a new one");
        run(&watcher, "ROLLBACK").await;
        drop(kept);
    }
}

#[tokio::test]
async fn a_guest_that_goes_in_the_middle_of_a_statement_leaves_nothing_open() {
    let place = Place::new();
    let pool = place.pool();
    let watcher = open(&pool).await;
    run(&watcher, "CREATE TABLE thing (id int8)").await;
    for (begin, kept) in [(true, 0), (false, 1)] {
        run(&watcher, "TRUNCATE thing").await;
        let guest = open(&pool).await;
        if begin {
            run(&guest, "BEGIN").await;
        }
        let sql = "INSERT INTO thing SELECT 1 FROM pg_sleep(0.3)";
        let mut going = Box::pin(guest.execute(sql, &[]));
        // It runs when the guest ends: what is prepared only does not sleep yet.
        while number(&watcher, SLEEPS).await == 0 {
            assert!(futures::poll!(&mut going).is_pending());
        }
        drop(going);
        drop(guest);
        let open = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() \
                    AND state <> 'idle'";
        while number(&watcher, open).await > 0 {
            tokio::task::yield_now().await;
        }
        assert_eq!(number(&watcher, "SELECT count(*) FROM thing").await, kept, "in a transaction: {begin}");
    }
}

#[tokio::test]
async fn a_statement_that_goes_on_for_long_after_its_guest_is_cancelled() {
    let place = Place::new();
    let pool = place.pool();
    let watcher = open(&pool).await;
    let guest = open(&pool).await;
    let mut going = Box::pin(guest.execute("SELECT pg_sleep(600)", &[]));
    while number(&watcher, SLEEPS).await == 0 {
        assert!(futures::poll!(&mut going).is_pending());
    }
    drop(going);
    drop(guest);
    while number(&watcher, SLEEPS).await > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn copying_in_which_the_interface_cannot_do_takes_its_connection_and_nothing_else() {
    let place = Place::new();
    let pool = place.pool();
    let guest = open(&pool).await;
    run(&guest, "CREATE TABLE thing (id int8)").await;
    guest.execute("COPY thing FROM STDIN", &[]).await.unwrap_err();
    drop(guest);
    let next = open(&pool).await;
    assert_eq!(number(&next, "SELECT count(*) FROM thing").await, 0);
}

#[tokio::test]
async fn connections_are_few_and_who_waits_too_long_for_one_is_told() {
    let place = Place::new();
    let pool = place.pool();
    let mut lent = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        lent.push(open(&pool).await);
    }
    let refused = lend(Ok(Arc::clone(&pool))).await;
    assert!(matches!(refused.err(), Some(Error::ConnectionFailed(text)) if text.contains("in use")));
    // Whoever waits gets the first that comes back.
    let mut waiting = Box::pin(lend(Ok(Arc::clone(&pool))));
    assert!(futures::poll!(&mut waiting).is_pending());
    let server = number(&lent[0], SERVER).await;
    lent.remove(0);
    assert_eq!(number(&waiting.await.unwrap(), SERVER).await, server);
}

#[tokio::test]
async fn a_server_that_is_full_is_waited_for() {
    let place = Place::new();
    let pool = place.pool();
    let first = open(&pool).await;
    let role = format!("few_{}", place.name);
    run(&first, &format!("CREATE ROLE {role} LOGIN CONNECTION LIMIT 1")).await;
    let few = super::pool(&place.url().replace("postgres@", &format!("{role}@")));
    let lent = open(&few).await;
    let mut waiting = Box::pin(lend(Ok(Arc::clone(&few))));
    assert!(
        tokio::time::timeout(Duration::from_millis(300), &mut waiting).await.is_err(),
        "refused, it is tried again"
    );
    drop(lent);
    waiting.await.unwrap();
    few.stop().await;
    run(&first, &format!("DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_pool_that_stops_says_good_bye_and_lends_nothing_any_more() {
    let place = Place::new();
    let (watched, watching) = (place.pool(), place.pool());
    let watcher = open(&watching).await;
    let (idle, late) = (open(&watched).await, open(&watched).await);
    run(&idle, "SET application_name = 'x'").await;
    drop(idle);
    let stop = tokio::spawn({
        let watched = Arc::clone(&watched);
        async move { watched.stop().await }
    });
    run(&late, "SELECT 1").await;
    drop(late);
    stop.await.unwrap();
    let others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
    while number(&watcher, others).await > 0 {
        tokio::task::yield_now().await;
    }
    assert!(lend(Ok(watched)).await.is_err());
}

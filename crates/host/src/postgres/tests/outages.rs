//! Servers that go away and come back.

use std::time::Duration;

use restock_servers::{Postgres, Settings, Stop};

use super::*;

/// Longer than anything here may take.
const LONG: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_restart_of_the_server_is_an_error_for_who_is_in_it_and_no_matter_to_the_next() {
    let mut server = Postgres::start(Settings::default()).unwrap();
    let pool = pool(&server.url("postgres"));
    for how in [Stop::Fast, Stop::Immediate] {
        let (idle, busy) = (open(&pool).await, open(&pool).await);
        run(&idle, "SELECT 1").await;
        let going = tokio::spawn(async move { busy.execute("SELECT pg_sleep(600)", &[]).await });
        let watcher = open(&pool).await;
        while number(&watcher, SLEEPS).await == 0 {}
        drop((idle, watcher));
        let mut server_ = server;
        server = tokio::task::spawn_blocking(move || {
            server_.stop(how).unwrap();
            server_
        })
        .await
        .unwrap();
        let error = tokio::time::timeout(LONG, going).await.expect("it does not hang").unwrap().unwrap_err();
        assert!(matches!(error, Error::QueryFailed(_)), "{error:?}");
        let refused =
            tokio::time::timeout(LONG, lend(Ok(Arc::clone(&pool)))).await.expect("it does not hang");
        assert!(matches!(refused.err(), Some(Error::ConnectionFailed(_))));
        server.start_again().unwrap();
        let session = open(&pool).await;
        assert_eq!(number(&session, "SELECT 1::int8").await, 1);
    }
}

#[tokio::test]
async fn nobody_there_no_such_user_and_no_such_database_are_told_without_a_secret() {
    let place = Place::new();
    for (url, says) in [
        ("postgres://u:hunter2@127.0.0.1:1/shop".to_owned(), "refused"),
        (place.url().replace("postgres@", "nobody:hunter2@"), "nobody"),
        (
            place.cluster.databases.url("nothing_here").replace("postgres@", "postgres:hunter2@"),
            "nothing_here",
        ),
    ] {
        let Err(Error::ConnectionFailed(text)) = lend(Ok(super::pool(&url))).await else {
            panic!("it must fail")
        };
        assert!(text.contains(says) && !text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_given_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port();
    let pool = pool(&format!("postgres://u@127.0.0.1:{port}/shop?connect_timeout=1"));
    let Err(Error::ConnectionFailed(text)) = lend(Ok(pool)).await else { panic!("it must fail") };
    assert!(text.contains("longer"), "{text}");
}

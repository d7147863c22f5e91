//! The way to a real Redis. Claim: commands, messages and lost connections behave as the interface says. Method: a
//! Redis of the test's own. Needs: an installed Redis.

use std::collections::BTreeMap;
use std::sync::Arc;

use restock_servers::Redis as Server;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use super::backlog::Backlog;
use super::remote::Remote;
use super::{CONNECTIONS_MAX, Link, Redis, Subscription, Use, flatten, trigger};
use crate::bindings::imports::spin::redis::redis::{Error, RedisResult};

fn command(words: &[&str]) -> redis::Cmd {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command
}

/// Publishes until somebody hears it: `PUBLISH` answers how many do.
async fn publish(remote: &Remote, at: &str, channel: &str, payload: &str) {
    while remote.query::<i64>(at, command(&["PUBLISH", channel, payload])).await.unwrap_or(0) == 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn commands_reach_the_server_and_a_lost_connection_is_replaced() {
    let server = Server::start().unwrap();
    let url = server.url();
    let (remote, at) = (Remote::default(), url.as_str());
    remote.query::<()>(at, command(&["SET", "k", "v"])).await.unwrap();
    assert_eq!(
        remote.query::<Option<Vec<u8>>>(at, command(&["GET", "k"])).await.unwrap(),
        Some(b"v".to_vec())
    );
    assert_eq!(remote.query::<Option<Vec<u8>>>(at, command(&["GET", "none"])).await.unwrap(), None);
    assert_eq!(remote.query::<i64>(at, command(&["INCR", "n"])).await.unwrap(), 1);
    let value = remote.query::<redis::Value>(at, command(&["MGET", "k", "none", "n"])).await.unwrap();
    let mut results = Vec::new();
    flatten(value, &mut results).unwrap();
    assert!(
        matches!(&results[..], [RedisResult::Binary(v), RedisResult::Nil, RedisResult::Binary(n)] if v == b"v" && n == b"1")
    );
    assert!(matches!(remote.query::<i64>(at, command(&["INCR", "k"])).await, Err(Error::Other(_))));
    // The server closes the connection; the command that finds out fails, the next one has a new connection.
    let own = Remote::default();
    own.query::<i64>(at, command(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])).await.unwrap();
    let _ = remote.query::<i64>(at, command(&["INCR", "n"])).await;
    remote.query::<i64>(at, command(&["INCR", "n"])).await.unwrap();
}

#[tokio::test]
async fn a_connection_whose_answer_nobody_waited_for_is_replaced() {
    let server = Server::start().unwrap();
    let url = server.url();
    let (remote, at) = (Remote::default(), url.as_str());
    let first = remote.query::<i64>(at, command(&["CLIENT", "ID"])).await.unwrap();
    remote.query::<i64>(at, command(&["NONE"])).await.unwrap_err();
    assert_eq!(remote.query::<i64>(at, command(&["CLIENT", "ID"])).await.unwrap(), first);
    let mut waiting = Box::pin(remote.query::<redis::Value>(at, command(&["BLPOP", "none", "0"])));
    assert!(futures::poll!(&mut waiting).is_pending());
    drop(waiting);
    assert_ne!(remote.query::<i64>(at, command(&["CLIENT", "ID"])).await.unwrap(), first);
}

/// A Redis that says yes to who connects.
async fn greet(server: &TcpListener) -> TcpStream {
    let (mut stream, _) = server.accept().await.unwrap();
    let (mut text, mut answered) = (Vec::new(), 0);
    // The client says its name and its version.
    while answered < 2 {
        assert!(stream.read_buf(&mut text).await.unwrap() > 0);
        let asked = String::from_utf8_lossy(&text).matches("SETINFO").count();
        for _ in answered..asked {
            stream.write_all(b"+OK\r\n").await.unwrap();
        }
        answered = asked;
    }
    stream
}

#[tokio::test]
async fn a_trigger_whose_subscription_gets_no_answer_connects_again() {
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("redis://{}", server.local_addr().unwrap());
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(trigger::listen(at, vec!["a".to_owned()], Arc::new(Backlog::default()), stopped));
    let _silent = greet(&server).await;
    greet(&server).await;
}

/// Whether all connections to a port have a timer that asks a silent server whether it is there.
#[cfg(target_os = "linux")]
fn are_kept_alive(port: u16) -> bool {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
    let timers: Vec<_> = table
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>())
        .filter(|words| words[2].ends_with(&format!(":{port:04X}")) && words[3] == "01")
        .map(|words| words[5].starts_with("02:"))
        .collect();
    timers.len() == 2 && timers.iter().all(|timer| *timer)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_server_that_goes_without_a_word_is_missed_by_commands_and_by_triggers() {
    let server = Server::start().unwrap();
    let at = server.url();
    let backlog = Arc::new(Backlog::default());
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(trigger::listen(at.clone(), vec!["a".to_owned()], Arc::clone(&backlog), stopped));
    let remote = Remote::default();
    publish(&remote, &at, "a", "x").await;
    backlog.pop().await;
    assert!(are_kept_alive(url::Url::parse(&at).unwrap().port().unwrap()));
}

#[tokio::test]
async fn an_open_that_its_guest_gives_up_takes_no_room() {
    // It takes connections and says nothing.
    let server = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = format!("redis://{}", server.local_addr().unwrap());
    let redis = Redis::new(&BTreeMap::from([("redis_url".to_owned(), at.clone())])).unwrap();
    let of_guest = Use::default();
    for _ in 0..=CONNECTIONS_MAX {
        let room = of_guest.room().unwrap();
        let mut opening = Box::pin(Link::open(redis.clone(), at.clone(), room));
        assert!(futures::poll!(&mut opening).is_pending());
    }
    let here = Redis::new(&BTreeMap::new()).unwrap();
    let mut links = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        links.push(Link::open(here.clone(), at.clone(), of_guest.room().unwrap()).await.unwrap());
    }
    assert!(matches!(of_guest.room(), Err(Error::TooManyConnections)));
    links.pop();
    drop(of_guest.room().unwrap());
}

#[tokio::test]
async fn a_trigger_hears_its_channels_again_after_the_connection_was_lost() {
    let server = Server::start().unwrap();
    let backlog = Arc::new(Backlog::default());
    let (stop, stopped) = watch::channel(false);
    let listening = tokio::spawn(trigger::listen(
        server.url(),
        vec!["a".to_owned(), "b".to_owned()],
        Arc::clone(&backlog),
        stopped,
    ));
    let remote = Remote::default();
    for (channel, payload) in [("a", "1"), ("b", "2"), ("a", "3")] {
        publish(&remote, &server.url(), channel, payload).await;
        let message = backlog.pop().await;
        assert_eq!((message.channel.as_str(), message.payload.as_slice()), (channel, payload.as_bytes()));
        remote.query::<i64>(&server.url(), command(&["CLIENT", "KILL", "TYPE", "pubsub"])).await.unwrap();
    }
    stop.send(true).unwrap();
    listening.await.unwrap();
}

#[tokio::test]
async fn a_redis_that_was_stopped_is_found_again_by_triggers_and_commands() {
    let mut server = Server::start().unwrap();
    let at = server.url();
    let backlog = Arc::new(Backlog::default());
    let (_stop, stopped) = watch::channel(false);
    tokio::spawn(trigger::listen(at.clone(), vec!["a".to_owned()], Arc::clone(&backlog), stopped));
    let remote = Remote::default();
    publish(&remote, &at, "a", "before").await;
    assert_eq!(backlog.pop().await.payload, b"before");
    for _ in 0..2 {
        server.stop().unwrap();
        remote.query::<i64>(&at, command(&["INCR", "n"])).await.unwrap_err();
        server.start_again().unwrap();
        publish(&remote, &at, "a", "after").await;
        assert_eq!(backlog.pop().await.payload, b"after");
    }
}

#[tokio::test]
async fn a_redis_that_asks_for_a_password_works_for_who_has_it_and_no_error_repeats_one() {
    let server = Server::start().unwrap();
    let host = server.url().replace("redis://", "");
    let admin = Remote::default();
    for words in [
        &["ACL", "SETUSER", "shop", "on", ">hunter2", "~*", "&*", "+@all"][..],
        &["CONFIG", "SET", "requirepass", "hunter3"][..],
    ] {
        admin.query::<()>(&server.url(), command(words)).await.unwrap();
    }
    for (number, address) in [format!("redis://:hunter3@{host}/1"), format!("redis://shop:hunter2@{host}/2")]
        .into_iter()
        .enumerate()
    {
        let channel = number.to_string();
        let backlog = Arc::new(Backlog::default());
        let (_stop, stopped) = watch::channel(false);
        tokio::spawn(trigger::listen(address.clone(), vec![channel.clone()], Arc::clone(&backlog), stopped));
        publish(&Remote::default(), &address, &channel, "x").await;
        assert_eq!(backlog.pop().await.payload, b"x");
    }
    for address in [format!("redis://{host}"), format!("redis://shop:hunter4@{host}")] {
        let refused = Remote::default().query::<i64>(&address, command(&["INCR", "n"])).await;
        let Err(Error::Other(text)) = refused else { panic!("{refused:?}") };
        assert!(!text.contains("hunter"), "{text}");
    }
}

#[tokio::test]
async fn an_address_that_is_none_and_one_where_nobody_listens_are_told_apart() {
    let remote = Remote::default();
    assert!(matches!(remote.connection("no address").await, Err(Error::InvalidAddress)));
    assert!(matches!(remote.connection("redis://127.0.0.1:1").await, Err(Error::Other(_))));
    // With TLS it goes as far as without.
    assert!(matches!(remote.connection("rediss://127.0.0.1:1").await, Err(Error::Other(_))));
}

#[test]
fn an_address_that_cannot_work_is_refused_at_the_start_without_being_repeated() {
    let redis = |url: &str| Redis::new(&BTreeMap::from([("redis_url".to_owned(), url.to_owned())]));
    for bad in [
        "hunter2",
        "http://:hunter2@cache.example",
        "redis://",
        "rediss://:hunter2@cache.example",
        "redis+unix:///run/hunter2.sock",
        "redis://:hunter2@cache.example/x",
    ] {
        let error = format!("{:#}", redis(bad).err().expect(bad));
        assert!(error.contains("redis_url") && !error.contains("hunter2"), "{error}");
    }
    for good in ["redis://cache.example", "redis://u:p@cache.example:7000", "rediss://cache.example:6380"] {
        let listening = redis(good).unwrap();
        let at =
            |address: String| [Subscription { address, channel: "a".to_owned(), component: "c".to_owned() }];
        listening.check(&at(format!("{good}/1"))).unwrap();
        let error = listening.check(&at(format!("{good}/0/1"))).unwrap_err();
        assert!(format!("{error:#}").contains("`c`"), "{error:#}");
    }
}

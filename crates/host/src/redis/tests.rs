//! The way to a real Redis. Claim: commands, messages and lost connections behave as the interface says. Method: a
//! Redis of the test's own on a free port. Needs: `redis-server` on PATH; without it there is nothing to try.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tokio::sync::watch;

use super::backlog::Backlog;
use super::remote::Remote;
use super::{flatten, trigger};
use crate::bindings::imports::spin::redis::redis::{Error, RedisResult};

struct Server {
    process: Child,
    address: String,
}

impl Server {
    /// `None` where there is no redis-server on this machine.
    fn start() -> Option<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut process = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--port"])
            .arg(port.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .ok()?;
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let ready = lines.map_while(Result::ok).any(|line| line.contains("Ready to accept connections"));
        assert!(ready, "redis-server ended");
        Some(Self { process, address: format!("redis://127.0.0.1:{port}") })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

fn command(words: &[&str]) -> redis::Cmd {
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]);
    command
}

#[tokio::test]
async fn commands_reach_the_server_and_a_lost_connection_is_replaced() {
    let Some(server) = Server::start() else { return };
    let (remote, at) = (Remote::default(), server.address.as_str());
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
async fn a_trigger_hears_its_channels_again_after_the_connection_was_lost() {
    let Some(server) = Server::start() else { return };
    let backlog = Arc::new(Backlog::default());
    let (stop, stopped) = watch::channel(false);
    let listening = tokio::spawn(trigger::listen(
        server.address.clone(),
        vec!["a".to_owned(), "b".to_owned()],
        Arc::clone(&backlog),
        stopped,
    ));
    let remote = Remote::default();
    for (channel, payload) in [("a", "1"), ("b", "2"), ("a", "3")] {
        // PUBLISH answers how many listeners got the message: none until the trigger has subscribed.
        while remote.query::<i64>(&server.address, command(&["PUBLISH", channel, payload])).await.unwrap()
            == 0
        {
            tokio::task::yield_now().await;
        }
        let message = backlog.pop().await;
        assert_eq!((message.channel.as_str(), message.payload.as_slice()), (channel, payload.as_bytes()));
        remote.query::<i64>(&server.address, command(&["CLIENT", "KILL", "TYPE", "pubsub"])).await.unwrap();
    }
    stop.send(true).unwrap();
    listening.await.unwrap();
}

#[tokio::test]
async fn an_address_that_is_none_and_one_where_nobody_listens_are_told_apart() {
    let remote = Remote::default();
    assert!(matches!(remote.connection("no address").await, Err(Error::InvalidAddress)));
    assert!(matches!(remote.connection("redis://127.0.0.1:1").await, Err(Error::Other(_))));
}

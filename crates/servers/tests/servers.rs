//! The servers themselves: they come back on their port with what they had, and never outlive their owner.
#![allow(missing_docs, reason = "the names of the tests say it")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use restock_servers::{Postgres, Redis, Settings, Stop};

/// How long something may take to come true.
const PATIENCE: Duration = Duration::from_secs(60);

fn takes_connections(port: u16) -> bool {
    TcpStream::connect(("127.0.0.1", port)).is_ok()
}

#[test]
fn a_cluster_comes_back_on_its_port_with_its_databases_however_it_ended() {
    let mut postgres = Postgres::start(Settings::default()).expect("a cluster");
    let (port, databases) = (postgres.port(), postgres.databases());
    let copy = |postgres: &Postgres, from: &str, to: &str| {
        postgres.databases().create_from(from, to).expect("the database is there to copy");
    };
    databases.create("first").expect("a database");
    postgres.stop(Stop::Fast).expect("it stops");
    assert!(!takes_connections(port));
    postgres.start_again().expect("it starts again");
    copy(&postgres, "first", "second");
    postgres.stop(Stop::Immediate).expect("it stops at once");
    postgres.start_again().expect("it recovers");
    copy(&postgres, "second", "third");
    postgres.kill().expect("it dies");
    assert!(!takes_connections(port));
    postgres.start_again().expect("it recovers from that, too");
    assert_eq!(postgres.port(), port);
    databases.remove("third").expect("it is removed");
    databases.create("third").expect("and so can be made again");
    assert!(databases.create("third").is_err(), "but once");
}

#[test]
fn a_redis_server_comes_back_on_its_port() {
    let mut redis = Redis::start().expect("a server");
    let port = redis.port();
    assert!(takes_connections(port));
    redis.stop().expect("it stops");
    assert!(!takes_connections(port));
    redis.start_again().expect("it starts again");
    assert!(takes_connections(port));
    assert_eq!(redis.url(), format!("redis://127.0.0.1:{port}"));
    drop(redis);
    assert!(!takes_connections(port));
}

#[test]
fn servers_end_when_their_owner_is_killed() {
    let mut owner = Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "an_owner_that_waits_to_be_killed", "--ignored", "--nocapture"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("an owner");
    let lines = BufReader::new(owner.stdout.take().expect("its output")).lines();
    let ports = lines
        .map_while(Result::ok)
        .find_map(|line| line.split_once("ports: ").map(|(_, ports)| ports.to_owned()))
        .expect("it tells its ports");
    let ports: Vec<u16> = ports.split(' ').map(|port| port.parse().expect("a port")).collect();
    assert!(ports.iter().all(|port| takes_connections(*port)));
    owner.kill().expect("it is killed");
    owner.wait().expect("it is dead");
    let began = Instant::now();
    while ports.iter().any(|port| takes_connections(*port)) {
        assert!(began.elapsed() < PATIENCE, "they live on");
        sleep(Duration::from_millis(20));
    }
}

/// Not a test: what the test above kills.
#[test]
#[ignore = "it waits for ever; another test runs it"]
fn an_owner_that_waits_to_be_killed() {
    let postgres = Postgres::start(Settings::default()).expect("a cluster");
    let redis = Redis::start().expect("a server");
    println!("ports: {} {}", postgres.port(), redis.port());
    std::io::stdin().read_to_end(&mut Vec::new()).expect("its input");
}

//! The servers themselves: they come back on their port with what they had, and never outlive their owner.
#![allow(missing_docs, reason = "the names of the tests say it")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use restock_servers::{ChromeDriver, Postgres, Redis, Settings, Stop};

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
fn a_browser_ends_with_its_driver() {
    let driver = ChromeDriver::start().expect("a driver");
    let args = if runs_as_root() { r#""--headless=new","--no-sandbox""# } else { r#""--headless=new""# };
    let wish =
        format!(r#"{{"capabilities":{{"alwaysMatch":{{"goog:chromeOptions":{{"args":[{args}]}}}}}}}}"#);
    let mut stream = TcpStream::connect(("127.0.0.1", driver.port())).expect("it listens");
    let length = wish.len();
    write!(stream, "POST /session HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {length}\r\n\r\n{wish}")
        .expect("it reads");
    let mut status = String::new();
    BufReader::new(&stream).read_line(&mut status).expect("it answers");
    assert!(status.contains(" 200 "), "{status}");
    // The profile of the browser is in the driver's folder, and so that is among its arguments.
    let folder = driver.folder().to_owned();
    assert!(processes_of(&folder) > 0);
    drop(driver);
    let began = Instant::now();
    while processes_of(&folder) > 0 {
        assert!(began.elapsed() < PATIENCE, "they live on");
        sleep(Duration::from_millis(20));
    }
    assert!(!takes_connections(stream.peer_addr().map_or(0, |address| address.port())));
}

/// How many processes have a folder among their arguments. One that is dead and not yet forgotten has none.
fn processes_of(folder: &Path) -> usize {
    let folder = folder.as_os_str().as_encoded_bytes();
    let names_it = |entry: &std::fs::DirEntry| {
        let line = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        line.windows(folder.len()).any(|part| part == folder)
    };
    let processes = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    // Its watcher does, too, until it is told.
    let own = |entry: &std::fs::DirEntry| {
        std::fs::read_to_string(entry.path().join("comm")).is_ok_and(|name| name.starts_with("chrom"))
    };
    processes.filter(|entry| own(entry) && names_it(entry)).count()
}

/// Chromium's own walls need a user that is not root.
fn runs_as_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|about| about.uid() == 0)
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
    let driver = ChromeDriver::start().expect("a driver");
    println!("ports: {} {} {}", postgres.port(), redis.port(), driver.port());
    std::io::stdin().read_to_end(&mut Vec::new()).expect("its input");
}

//! Claim: on Postgres and Redis nothing that was answered is lost when either goes away, work goes on by itself, and nobody leaves a
//! transaction open.
//! Method: a cluster and a Redis of the test's own, stopped, crashed and started again in the middle of bursts; applications
//! killed in the middle of operations, and the server's own view of its sessions.
//! Needs: the built components, Postgres and Redis.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use http::Method;
use restock_servers::{Settings, Stop};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::home::Home;
use crate::permissions::{bulk_order_without_goods, last_error, manifest};
use crate::support::{Client, OPERATOR, SKU, STOREFRONT, Shop, VIEWER, eventually, order};

/// Clients of a burst.
const CLIENTS: usize = 8;
/// Products that a burst buys.
const PRODUCTS: usize = 20;
/// Units of each that are there at first.
const OPENING: u64 = 1_000_000;

/// Clients that order one unit after the other and repeat what is not answered, each order under its key.
struct Burst {
    over: Arc<AtomicBool>,
    accepted: Arc<AtomicU64>,
    refused: Arc<AtomicU64>,
    clients: Vec<JoinHandle<Vec<String>>>,
}

fn product(number: usize) -> String {
    format!("P-{number:02}")
}

impl Burst {
    /// Clients that find their application at the same address after each of its ends.
    fn begin(client: &Client) -> Self {
        let (over, accepted, refused) = <(Arc<AtomicBool>, Arc<AtomicU64>, Arc<AtomicU64>)>::default();
        let clients = (0..CLIENTS).map(|number| {
            let client = client.clone();
            let (over, accepted, refused) = (Arc::clone(&over), Arc::clone(&accepted), Arc::clone(&refused));
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for place in 0_usize.. {
                    if over.load(Ordering::SeqCst) {
                        break;
                    }
                    let body = order(&[(&product((number + place * 7) % PRODUCTS), 1)]);
                    ids.push(until_answered(&client, &format!("{number}-{place}"), &body, &refused).await);
                    accepted.fetch_add(1, Ordering::SeqCst);
                }
                ids
            })
        });
        let clients = clients.collect();
        Self { over, accepted, refused, clients }
    }

    /// Waits until so many more orders are answered.
    async fn go_on(&self, more: u64) {
        let before = self.accepted.load(Ordering::SeqCst);
        eventually("orders are answered", || async {
            (self.accepted.load(Ordering::SeqCst) >= before + more).then_some(())
        })
        .await;
    }

    /// Ends it and returns the orders that were accepted.
    async fn end(self) -> Vec<String> {
        self.over.store(true, Ordering::SeqCst);
        join_all(self.clients).await.into_iter().flat_map(|ids| ids.expect("a client")).collect()
    }
}

/// Repeats an order under its key until it is accepted. Whatever else is answered must be "come again", with the time to wait.
async fn until_answered(client: &Client, key: &str, body: &serde_json::Value, refused: &AtomicU64) -> String {
    let authorization = format!("Bearer {STOREFRONT}");
    let headers = [
        ("authorization", authorization.as_str()),
        ("content-type", "application/json"),
        ("idempotency-key", key),
    ];
    eventually("the order is answered", || async {
        // No answer at all comes from an application that was killed.
        let answer = client.try_send(Method::POST, "/v1/orders", &headers, body.to_string()).await.ok()?;
        if matches!(answer.status.as_u16(), 200 | 201) {
            return Some(answer.json["id"].as_str().expect("an id").to_owned());
        }
        // One that is killed within this process leaves its server behind for a moment, which has nothing to say.
        if answer.status == 500 && answer.text.is_empty() {
            return None;
        }
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(answer.header("retry-after").is_some(), "{:?}", answer.headers);
        refused.fetch_add(1, Ordering::SeqCst);
        None
    })
    .await
}

async fn stock_up(shop: &Shop) {
    for number in 0..PRODUCTS {
        // Low from the first order on: work for the queue.
        shop.define(&product(number), OPENING, OPENING - 1, OPENING).await;
    }
}

/// Every order that was accepted is there, once, and nothing else is.
async fn all_are_there(shop: &Shop, ids: &[String]) {
    let rows = shop.rows();
    let kept: std::collections::HashSet<_> =
        rows.column("SELECT sales_order_id FROM sales_order").into_iter().collect();
    assert!(ids.iter().all(|id| kept.contains(id)), "an answered order is lost");
    assert_eq!(kept.len(), ids.len(), "an order was recorded that nobody was told of, or twice");
    let sold = rows.number("SELECT sum(-delta) FROM stock_movement WHERE kind = 'sold'");
    assert_eq!(sold.unsigned_abs(), ids.len() as u64);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_that_ends_in_the_middle_of_a_burst_loses_no_answered_order_and_work_goes_on_by_itself() {
    let mut shop = Shop::open_in(Home::on_own_servers(Settings::default()), |options| {
        options.tick = Some(Duration::from_millis(100));
    })
    .await;
    stock_up(&shop).await;
    let burst = Burst::begin(&shop.client);
    for how in [Some(Stop::Fast), Some(Stop::Immediate), None] {
        burst.go_on(100).await;
        let refused = burst.refused.load(Ordering::SeqCst);
        let postgres = shop.home.servers().postgres.as_mut().expect("its own");
        match how {
            Some(how) => postgres.stop(how).expect("it stops"),
            None => postgres.kill().expect("it is killed"),
        }
        eventually("callers are told to come again", || async {
            (burst.refused.load(Ordering::SeqCst) > refused).then_some(())
        })
        .await;
        // Alive all the same, and it says what is missing.
        shop.client.send(Method::GET, "/healthz", &[], "").await.expect(200);
        shop.client.send(Method::GET, "/readyz", &[], "").await.expect(503);
        shop.home.servers().postgres.as_mut().expect("its own").start_again().expect("it starts again");
    }
    burst.go_on(100).await;
    let ids = burst.end().await;
    all_are_there(&shop, &ids).await;
    // Nobody but the application's own tick and bells is needed: what a worker held when the database went comes back.
    eventually("the factory is asked for every product", || async {
        shop.clock.advance(Duration::from_secs(1));
        let open = shop.rows().number("SELECT count(*) FROM production WHERE status = 'planned'");
        (open == 0).then_some(())
    })
    .await;
    assert_eq!(shop.factory.stats().accepted, PRODUCTS as u64);
    shop.audit().await;
}

/// Who listens to a channel of a Redis.
fn listeners(port: u16, channel: &str) -> u64 {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a Redis");
    write!(stream, "PUBSUB NUMSUB {channel}\r\nQUIT\r\n").expect("it listens");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    let number = answer.lines().find_map(|line| line.strip_prefix(':')).unwrap_or_else(|| panic!("{answer}"));
    number.parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_is_gone_for_a_while_costs_time_and_no_work() {
    // A bell that Redis does not carry would go over HTTP, which is not what this is about.
    let (path, _folder) = crate::consumers::with_bells(true);
    let mut shop = Shop::open_in(Home::on_servers(), |options| options.manifest = path).await;
    for sku in ["A", "B", "C"] {
        shop.define(sku, 1, 0, 10).await;
    }
    let heard = |port: u16| async move {
        eventually("the queue listens", || async {
            (listeners(port, "restock.replenishment") == 1).then_some(())
        })
        .await;
    };
    let port = shop.home.servers().redis.port();
    heard(port).await;
    shop.client.order("A", 1).await.expect(201);
    shop.factory.wait_until(|stats| stats.accepted == 1).await.expect("the bell is heard");

    shop.home.servers().redis.stop().expect("it stops");
    shop.client.order("B", 1).await.expect(201);
    assert_eq!(shop.queue().await["ready"], 1);
    shop.drain().await;
    assert_eq!(shop.factory.stats().accepted, 2);
    shop.client.send(Method::GET, "/readyz", &[], "").await.expect(200);

    shop.home.servers().redis.start_again().expect("it starts again");
    heard(port).await;
    shop.client.order("C", 1).await.expect(201);
    shop.factory.wait_until(|stats| stats.accepted == 3).await.expect("the bell is heard again");
    shop.rest().await;
    shop.audit().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn applications_that_are_killed_under_load_leave_no_transaction_open() {
    let mut shop = Shop::open_in(Home::on_own_servers(Settings::default()), |_| {}).await;
    stock_up(&shop).await;
    let burst = Burst::begin(&shop.client);
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname LIKE 'restock%' AND state LIKE 'idle in transaction%'";
    let theirs = "SELECT count(*) FROM pg_stat_activity \
                   WHERE datname LIKE 'restock%' AND pid <> pg_backend_pid() AND backend_type = 'client backend'";
    for more in [50, 1, 120, 7] {
        burst.go_on(more).await;
        assert_eq!(shop.rows().number(waiting), 0);
        let alive = shop.rows().number(theirs);
        assert!(alive > 0, "the burst has connections");
        shop = shop.kill().await;
        assert_eq!(shop.rows().number(waiting), 0);
    }
    let ids = burst.end().await;
    all_are_there(&shop, &ids).await;
    shop.host.kill();
    let rows = shop.home.rows(crate::home::Database::Shop);
    eventually("the sessions of the dead end", || async { (rows.number(theirs) == 0).then_some(()) }).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_component_that_may_not_reach_postgres_says_what_is_missing() {
    for (component, path) in [("sales", "/v1/products"), ("clock", "/internal/tick")] {
        let (manifest, _folder) =
            manifest(&format!("[component.{component}]"), ", \"{{ postgres_origin }}\"", "");
        let shop = Shop::open_in(Home::on_servers(), |options| options.manifest = manifest).await;
        let answer = if component == "clock" {
            shop.client.post(OPERATOR, path, json!({})).await
        } else {
            shop.client.get(OPERATOR, path).await
        };
        assert_eq!(answer.status, 503, "{component}: {}", answer.text);
        assert!(answer.header("retry-after").is_some(), "{:?}", answer.headers);
        shop.client.get(VIEWER, "/v1/queues").await.expect(200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_loyalty_and_the_console_know_where_the_customers_are() {
    let line = "customers_url = \"{{ customers_url }}\"\n";
    let (path, _folder) = manifest("[component.loyalty]", line, "");
    let shop = Shop::connected_in(Home::on_servers(), |options, _| options.manifest = path).await;
    bulk_order_without_goods(&shop).await;
    assert_eq!(shop.client.get(VIEWER, "/v1/customers/c-1").await.expect(200)["type"], "normal");
    assert!(last_error(&shop, "loyalty").contains("customers_url"), "{}", last_error(&shop, "loyalty"));
    assert_eq!(shop.world().marketing.stats().requests, 0);

    let (path, _folder) = manifest("[component.console]", line, "");
    let shop = Shop::connected_in(Home::on_servers(), |options, _| options.manifest = path).await;
    bulk_order_without_goods(&shop).await;
    shop.client.get(VIEWER, "/v1/customers/c-1").await.expect(503);
    assert_eq!(shop.world().marketing.events().len(), 1, "loyalty has what it needs");
    let known: Vec<_> = std::fs::read_to_string(crate::support::root().join("spin.toml"))
        .expect("the manifest")
        .match_indices(line)
        .map(|(place, _)| place)
        .collect();
    assert_eq!(known.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_without_the_address_of_its_postgres_is_alive_and_says_which_variable_is_missing() {
    for (value, word) in [("", "postgres_url"), ("host=127.0.0.1 password=hunter2", "postgres_url")] {
        let home = Home::on_servers();
        let mut options = home.options();
        options.variables.extend(crate::support::variables("http://127.0.0.1:9"));
        options.variables.insert("postgres_url".into(), value.into());
        let host = restock_host::Host::start(options).await.expect("it starts");
        let client = Client::new(host.url());
        client.send(Method::GET, "/healthz", &[], "").await.expect(200);
        let answer = client.send(Method::GET, "/readyz", &[], "").await;
        assert!(answer.text.contains(word) && !answer.text.contains("hunter2"), "{}", answer.text);
        answer.expect(503);
        let order = client.order(SKU, 1).await;
        assert!(!order.text.contains("hunter2"), "{}", order.text);
        order.expect(503);
    }
}

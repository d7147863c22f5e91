//! Claim: what a monitoring system is told is what the shop holds, in the form it expects, from whichever host, before and after a death.
//! Method: a shop with sales, refusals, dead letters and an open circuit, asked for its metrics; Prometheus' own tool reads the answer.
//! Needs: the built components, promtool; for the hosts beside each other Postgres and Redis.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use http::{Method, StatusCode};
use restock_host::Host;
use restock_servers::{Settings, Stop};
use serde_json::json;

use crate::home::Home;
use crate::support::{
    Client, INTERNAL, OPERATOR, SKU, STOREFRONT, Shop, VIEWER, backorder, eventually, items, order,
};

/// Lets tests go on without promtool. Named here and nowhere else: what is not checked should be known.
const WITHOUT_PROMTOOL: &str = "RESTOCK_TEST_WITHOUT_PROMTOOL";
const OTHER_SKU: &str = "CP-502102";
/// Products up to which each is told by itself.
const PRODUCTS_MAX: usize = 200;

/// Runs promtool with something at its standard input; none where somebody said that it need not be there.
pub(crate) fn promtool(arguments: &[&str], input: &str) -> Option<Output> {
    let child = Command::new("promtool")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = match child {
        Ok(child) => child,
        Err(_) if std::env::var_os(WITHOUT_PROMTOOL).is_some() => return None,
        Err(error) => panic!(
            "promtool cannot be started ({error}): install it (Debian, Ubuntu: apt install prometheus), \
             or set {WITHOUT_PROMTOOL}=1 to go without"
        ),
    };
    child.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
    Some(child.wait_with_output().expect("it ends"))
}

/// What was told: each series with its value, and each family with its type.
pub(crate) struct Told {
    pub(crate) text: String,
    values: BTreeMap<String, f64>,
    pub(crate) types: BTreeMap<String, String>,
}

impl Told {
    fn read(text: &str) -> Self {
        let mut told = Self { text: text.to_owned(), values: BTreeMap::new(), types: BTreeMap::new() };
        for line in text.lines() {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                let (name, kind) = kind.split_once(' ').expect("a name and a type");
                assert!(told.types.insert(name.into(), kind.into()).is_none(), "{name} twice");
            } else if !line.starts_with('#') {
                let (series, value) = line.rsplit_once(' ').expect("a series and a value");
                let value = value.parse().expect("a number");
                assert!(told.values.insert(series.into(), value).is_none(), "{series} twice");
            }
        }
        told
    }

    /// The value of a series, as it is written.
    #[track_caller]
    fn value(&self, series: &str) -> f64 {
        *self.values.get(series).unwrap_or_else(|| panic!("no {series} in:\n{}", self.text))
    }

    /// Those that never go back: counters, and what a histogram is made of.
    fn grown(&self) -> BTreeMap<&str, f64> {
        let grows = |series: &str| {
            let name = series.split('{').next().unwrap_or_default();
            let of_histogram = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end));
            let kind = self.types.get(name).or_else(|| self.types.get(of_histogram?));
            matches!(kind.map(String::as_str), Some("counter" | "histogram"))
        };
        self.values
            .iter()
            .filter(|(series, _)| grows(series))
            .map(|(series, value)| (series.as_str(), *value))
            .collect()
    }

    /// Everything that is not about the very request.
    fn of_the_shop(&self) -> BTreeMap<&str, f64> {
        let all = self.values.iter().map(|(series, value)| (series.as_str(), *value));
        all.filter(|(series, _)| !series.starts_with("restock_store_latency_seconds")).collect()
    }
}

pub(crate) async fn told_by(client: &Client) -> Told {
    let answer = client.get(VIEWER, "/metrics").await;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    Told::read(&answer.text)
}

/// A shop to which everything has happened that a metric tells: sales, refusals, a wait, goods, dead letters, a circuit that opened, a tick.
pub(crate) async fn eventful() -> Shop {
    eventful_in(Home::new()).await
}

async fn eventful_in(home: Home) -> Shop {
    let shop = Shop::open_in(home, |options| {
        options.variables.insert("attempts_max".into(), "9".into());
    })
    .await;
    shop.define(SKU, 10, 0, 20).await;
    shop.client.order(SKU, 10).await.expect(201);
    shop.finish_jobs(1).await;
    shop.client.order(SKU, 25).await.expect(409);
    shop.client.post(STOREFRONT, "/v1/orders", backorder(&[(SKU, 25)])).await.expect(202);
    shop.settle().await;
    shop.factory.turn(|knobs| knobs.refuse = Some(400)).expect("a knob turns");
    shop.define("refused", 0, 0, 10).await;
    shop.settle().await;
    shop.define(OTHER_SKU, 7, 0, 10).await;
    shop.client.post(STOREFRONT, "/v1/orders", order(&[(OTHER_SKU, 7), (SKU, 1)])).await.expect(409);
    shop.factory.turn(|knobs| knobs.refuse = Some(500)).expect("a knob turns");
    for n in 0..8 {
        shop.define(&format!("failing-{n}"), 0, 0, 10).await;
    }
    eventually("the circuit opens", || async {
        shop.clock.advance(Duration::from_millis(100));
        shop.drain().await;
        let partners = items(shop.client.get(VIEWER, "/v1/partners").await.expect(200));
        partners.iter().any(|partner| partner["circuit"] == "open").then_some(())
    })
    .await;
    shop.rest().await;
    shop.client.post(OPERATOR, "/v1/queues/loyalty/pause", json!({"reason": "to be seen"})).await.expect(200);
    shop.tick().await;
    eventually("people are told", || async {
        shop.drain_of("alerts").await;
        let queue = shop.client.get(VIEWER, "/v1/queues/alerts").await.expect(200);
        (queue["ready"] == 0 && queue["leased"] == 0).then_some(())
    })
    .await;
    shop.rest().await;
    shop
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_told_is_what_the_shop_holds_and_prometheus_finds_nothing_to_say_against_it() {
    let shop = eventful().await;
    shop.clock.advance(Duration::from_secs(42));
    let told = told_by(&shop.client).await;

    for (series, value) in [
        (r#"restock_orders_total{outcome="accepted"}"#, 1.0),
        (r#"restock_orders_total{outcome="backordered"}"#, 1.0),
        (r#"restock_orders_total{outcome="rejected"}"#, 2.0),
        ("restock_orders_waiting", 1.0),
        (r#"restock_products{state="in-stock"}"#, 1.0),
        (r#"restock_products{state="low"}"#, 0.0),
        (r#"restock_products{state="depleted"}"#, 10.0),
        (r#"restock_stock_units{level="on-hand"}"#, 27.0),
        (r#"restock_stock_units{level="backordered"}"#, 25.0),
        (r#"restock_product_stock_units{level="on-hand",sku="CP-502101"}"#, 20.0),
        (r#"restock_product_stock_units{level="on-hand",sku="CP-502102"}"#, 7.0),
        (r#"restock_production_requests{state="failed"}"#, 1.0),
        (r#"restock_production_requests{state="requested"}"#, 1.0),
        (r#"restock_production_requests{state="planned"}"#, 8.0),
        ("restock_production_received_total", 1.0),
        ("restock_production_lead_time_seconds_count", 1.0),
        (r#"restock_production_lead_time_seconds_bucket{le="+Inf"}"#, 1.0),
        (r#"restock_messages{state="buried",queue="replenishment"}"#, 1.0),
        (r#"restock_messages{state="leased",queue="replenishment"}"#, 0.0),
        (r#"restock_messages{state="ready",queue="alerts"}"#, 0.0),
        (r#"restock_message_attempts_total{outcome="bury",queue="replenishment"}"#, 1.0),
        (r#"restock_queue_paused{queue="loyalty"}"#, 1.0),
        (r#"restock_queue_paused{queue="alerts"}"#, 0.0),
        (r#"restock_partner_circuit{state="open",partner="factory"}"#, 1.0),
        (r#"restock_partner_circuit{state="closed",partner="factory"}"#, 0.0),
        (r#"restock_partner_circuit{state="half-open",partner="factory"}"#, 0.0),
        (r#"restock_partner_calls_in_flight{partner="factory"}"#, 0.0),
        ("restock_tick_lateness_seconds", 42.0),
    ] {
        assert_eq!(told.value(series), value, "{series} in:\n{}", told.text);
    }
    // What the interface tells in its own way is the same.
    for queue in items(shop.client.get(VIEWER, "/v1/queues").await.expect(200)) {
        let name = queue["queue"].as_str().expect("a name");
        for state in ["ready", "leased", "buried"] {
            let series = format!("restock_messages{{state=\"{state}\",queue=\"{name}\"}}");
            assert_eq!(Some(told.value(&series)), queue[state].as_f64(), "{series}");
        }
        let oldest = told.value(&format!("restock_message_oldest_age_seconds{{queue=\"{name}\"}}"));
        assert_eq!(Some(oldest), queue["oldest_ready_seconds"].as_f64(), "{name}");
        let due = told.value(&format!("restock_message_due_age_seconds{{queue=\"{name}\"}}"));
        assert_eq!(Some(due), queue["oldest_due_seconds"].as_f64(), "{name}");
        let done = told.value(&format!("restock_messages_done_total{{queue=\"{name}\"}}"));
        let attempts =
            told.value(&format!("restock_message_attempts_total{{outcome=\"done\",queue=\"{name}\"}}"));
        assert_eq!(done, attempts, "{name}");
    }
    for partner in items(shop.client.get(VIEWER, "/v1/partners").await.expect(200)) {
        let name = partner["partner"].as_str().expect("a name");
        for (metric, field) in [("calls_total", "calls_total"), ("call_failures_total", "failures_total")] {
            let series = format!("restock_partner_{metric}{{partner=\"{name}\"}}");
            assert_eq!(Some(told.value(&series)), partner[field].as_f64(), "{series}");
        }
    }
    let open = items(shop.client.get(VIEWER, "/v1/incidents?open=true").await.expect(200));
    assert!(!open.is_empty(), "dead letters and a circuit");
    assert_eq!(told.value("restock_incidents_open"), open.len() as f64);
    let retried = told.value(r#"restock_message_attempts_total{outcome="retry",queue="replenishment"}"#);
    assert!(retried >= 5.0, "so many failures opened the circuit: {retried}");
    // A scrape within the second of another one makes no write.
    shop.clock.advance(Duration::from_secs(1));
    let told = told_by(&shop.client).await;
    for operation in ["read", "write"] {
        let series = format!("restock_store_latency_seconds{{operation=\"{operation}\"}}");
        assert!(told.value(&series) >= 0.0, "{series}");
    }
    let again = told_by(&shop.client).await;
    assert!(!again.text.contains(r#"operation="write""#), "{}", again.text);
    assert_eq!(again.of_the_shop().len(), told.of_the_shop().len());

    let Some(lint) = promtool(&["check", "metrics"], &told.text) else { return };
    let said = format!("{}{}", String::from_utf8_lossy(&lint.stdout), String::from_utf8_lossy(&lint.stderr));
    assert!(lint.status.success() && said.trim().is_empty(), "{said}\n{}", told.text);
    // A tool that says nothing to anything would prove nothing.
    let wrong = promtool(&["check", "metrics"], "# TYPE orders counter\norders 1\n").expect("it is there");
    assert!(!wrong.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_do_not_go_back_when_the_host_dies_or_starts_again() {
    let mut shop = eventful().await;
    for kill in [true, false] {
        let before = told_by(&shop.client).await;
        assert!(before.grown().len() > 30, "{}", before.text);
        shop = if kill { shop.kill().await } else { shop.restart().await };
        let after = told_by(&shop.client).await;
        let after = after.grown();
        for (series, value) in before.grown() {
            assert!(after.get(series).is_some_and(|now| *now >= value), "{series}: {value}, then {after:?}");
        }
        // And they count on from there.
        let rejected = r#"restock_orders_total{outcome="rejected"}"#;
        shop.client.order(SKU, 1).await.expect(409);
        assert_eq!(told_by(&shop.client).await.value(rejected), before.value(rejected) + 1.0);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_beside_each_other_tell_the_same() {
    let mut options = None;
    let home = Home::on_servers();
    let shop = Shop::open_in(home, |given| options = Some(given.clone())).await;
    shop.define(SKU, 10, 0, 20).await;
    shop.client.order(SKU, 10).await.expect(201);
    shop.finish_jobs(1).await;
    shop.client.order(SKU, 21).await.expect(409);
    shop.settle().await;
    shop.tick().await;
    let other = Host::start(options.expect("the options of the shop")).await.expect("another host starts");
    let (one, another) = (told_by(&shop.client).await, told_by(&Client::new(other.url())).await);
    assert_eq!(one.of_the_shop(), another.of_the_shop());
    assert_eq!(one.value(r#"restock_orders_total{outcome="rejected"}"#), 1.0);
    assert_eq!(one.types.get("restock_orders_total").map(String::as_str), Some("counter"));
    assert!(one.text.contains(r#"restock_store_info{engine="postgres""#), "{}", one.text);
    other.stop().await.expect("it stops");
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_for_viewers_and_operators() {
    let shop = Shop::with_product(1, 0, 10).await;
    for key in [VIEWER, OPERATOR] {
        shop.client.get(key, "/metrics").await.expect(200);
    }
    for key in [STOREFRONT, INTERNAL] {
        let refused = shop.client.get(key, "/metrics").await;
        assert!(!refused.text.contains("restock_orders"), "{}", refused.text);
        refused.expect(403);
    }
    shop.client.send(Method::GET, "/metrics", &[], "").await.expect(401);
    shop.client.get("no-such-key", "/metrics").await.expect(401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shop_with_many_products_tells_their_sums_only() {
    let shop = Shop::open().await;
    for n in 0..PRODUCTS_MAX {
        shop.define(&format!("sku-{n}"), 2, 0, 10).await;
    }
    let each =
        |told: &Told| told.values.keys().filter(|series| series.starts_with("restock_product_stock")).count();
    assert_eq!(each(&told_by(&shop.client).await), 3 * PRODUCTS_MAX);
    shop.define("one-more", 2, 0, 10).await;
    let told = told_by(&shop.client).await;
    assert_eq!(each(&told), 0);
    assert_eq!(told.value(r#"restock_stock_units{level="on-hand"}"#), 2.0 * 201.0);
    assert_eq!(told.value(r#"restock_products{state="in-stock"}"#), 201.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_does_not_answer_is_told_as_that_and_never_as_zeros() {
    let mut shop = Shop::open_in(Home::on_own_servers(Settings::default()), |_| {}).await;
    shop.define(SKU, 10, 0, 20).await;
    told_by(&shop.client).await;
    shop.home.servers().postgres.as_mut().expect("its own").stop(Stop::Immediate).expect("it stops");
    let answer = shop.client.get(VIEWER, "/metrics").await;
    assert!(!answer.text.contains("restock_"), "{}", answer.text);
    assert!(answer.header("retry-after").is_some());
    answer.expect(503);
    shop.home.servers().postgres.as_mut().expect("its own").start_again().expect("it starts again");
    eventually("the store is back", || async {
        (shop.client.get(VIEWER, "/metrics").await.status == StatusCode::OK).then_some(())
    })
    .await;
}

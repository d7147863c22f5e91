//! `bench console`: how long the server takes for each page of the console in a large shop, and what it costs the orders when people
//! watch.
//!
//! The shop is in SQLite, with 1,000 products, a million orders and ten thousand dead letters, made by the store's own statements. Each
//! page is asked for many times, one request after the other, over the loopback of this machine. Then orders are sold with and without
//! ten open overviews, in turns. What is wished for is reported beside what was measured, not judged: it depends on the machine, and
//! on who else uses it.

mod fill;
mod visitor;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use bytes::Bytes;
use hdrhistogram::Histogram;
use http::{Method, StatusCode};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};

use crate::contender::{self, Running};
use crate::load::{self, Basket, Client, LATENCY_US_MAX, Load, Manner, sku};
use crate::orders::median;
use fill::Size;
use visitor::{Visitor, Watchers};

/// What is wished for: each page at the server, and the share of the orders that watching may cost.
const PAGE_MS_WISHED: f64 = 50.0;
const COST_WISHED: f64 = 0.05;
/// Requests for each page that do not count: caches fill.
const WARMUP_REQUESTS: u32 = 3;
/// What is on this page is read once for everybody who looks at the same time; each request here is to be one that reads it.
const OVERVIEW: &str = "/";
const OVERVIEW_SHARED_FOR: Duration = Duration::from_millis(750);
/// Time before each round of orders that does not count.
const WARMUP: Duration = Duration::from_secs(2);
/// How long the audit may take.
const AUDIT_MAX: Duration = Duration::from_secs(600);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Orders that were placed before
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u32).range(10_000..=10_000_000))]
    orders: u32,
    /// Messages that ended as dead letters
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(2_000..=100_000))]
    dead_letters: u32,
    /// Requests for each page
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    requests: u32,
    /// Open overviews
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1_000))]
    watchers: u16,
    /// How often orders are sold without watchers and with them; 0: only pages
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(0..=20))]
    rounds: u32,
    /// Seconds of each of these
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// Clients that order
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    clients: u16,
}

/// A page and how long the server took for it.
struct Page {
    path: String,
    /// What it was answered the last time; a page that is not there is no page.
    status: StatusCode,
    bytes: usize,
    latency_us: Histogram<u64>,
}

/// Orders a second, round by round, and how often the overviews were refreshed meanwhile.
#[derive(Default)]
struct Watching {
    alone: Vec<f64>,
    watched: Vec<f64>,
    refreshes: u64,
}

/// Measures, prints the tables and writes target/bench/console.json; fails where the shop is not in order.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the bench has no workspace")?;
    let work = contender::work(root)?;
    let mut server = filled(options, root, &work).await?;
    let visitor = Visitor::sign_in(server.addr).await?;
    let mut pages = Vec::new();
    for path in paths(&server)? {
        pages.push(page(&visitor, path, options.requests).await?);
    }
    print_pages(&pages, options);
    let watching = watch(&server, &visitor, options).await?;
    watching.print(options);
    server.still_runs()?;
    eprintln!("the audit looks at every row …");
    let violations = audit(&server).await?;
    server.stop().await?;
    ensure!(violations == json!([]), "the audit found violations: {violations}");

    let results = json!({
        "orders": options.orders,
        "products": fill::PRODUCTS,
        "dead_letters": options.dead_letters,
        "requests_each": options.requests,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "pages": pages.iter().map(Page::to_json).collect::<Vec<_>>(),
        "watching": watching.to_json(options),
    });
    let file = work.join("console.json");
    std::fs::write(&file, format!("{results:#}\n"))
        .with_context(|| format!("cannot write {}", file.display()))?;
    println!("\n{}", file.display());
    Ok(ExitCode::SUCCESS)
}

/// A host on a shop that has been open for a while.
async fn filled(options: &Options, root: &Path, work: &Path) -> Result<Running> {
    let title = "restock (components on the host)";
    let host = |listen, data: &Path| Ok(contender::host(root, listen, data, None));
    let mut server = Running::spawn(title, work, host)?;
    server.ready().await?;
    server.stock_up(fill::PLENTIFUL).await?;
    // Whoever asks for a customer has their database made.
    Client::connect(server.addr).await?.call(Method::GET, "/v1/customers/nobody", Bytes::new()).await?;
    let size = Size { orders: options.orders, dead_letters: options.dead_letters };
    server.changed(title, |data| fill::fill(data, size), host).await?;
    Ok(server)
}

/// The pages that are measured, with names of what is in this shop.
fn paths(server: &Running) -> Result<Vec<String>> {
    let db = Connection::open_with_flags(shop_file(server), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    let one =
        |sql: &str| db.query_row(sql, [], |row| row.get::<_, String>(0)).with_context(|| sql.to_owned());
    let production = one("SELECT max(production_id) FROM production")?;
    let order = one("SELECT sales_order_id FROM sales_order ORDER BY sequence DESC LIMIT 1")?;
    let early_order = one("SELECT sales_order_id FROM sales_order WHERE sequence = 1000")?;
    let customer = one("SELECT customer_id FROM buyer WHERE customer_id LIKE 'customer-%' LIMIT 1")?;
    let one_return = one("SELECT sales_return_id FROM sales_return WHERE status = 'reported' LIMIT 1")?;
    let reason = one("SELECT reason FROM message WHERE queue_id = 'loyalty' AND state = 'buried' LIMIT 1")?;
    let message =
        one("SELECT message_id FROM message WHERE queue_id = 'loyalty' AND state = 'buried' LIMIT 1")?;
    let plentiful = sku(1);
    let scarce = sku(fill::PRODUCTS);
    Ok(vec![
        OVERVIEW.to_owned(),
        "/products".to_owned(),
        format!("/products/{plentiful}"),
        format!("/products/{scarce}"),
        format!("/products/{plentiful}/ledger"),
        "/production".to_owned(),
        format!("/production?sku={scarce}"),
        format!("/production/{production}"),
        "/orders".to_owned(),
        "/orders?show=waiting".to_owned(),
        "/orders?show=rejected".to_owned(),
        format!("/orders?customer={customer}"),
        format!("/orders/{order}"),
        format!("/orders/{early_order}"),
        "/customers".to_owned(),
        "/customers?show=buyers".to_owned(),
        format!("/customers/{customer}"),
        "/customers/bulk-7".to_owned(),
        "/returns".to_owned(),
        "/returns/collections".to_owned(),
        "/returns/set-aside".to_owned(),
        format!("/returns/{one_return}"),
        "/queues".to_owned(),
        "/queues/loyalty".to_owned(),
        format!("/queues/loyalty?reason={reason}"),
        format!("/queues/loyalty/redrive?failure={reason}"),
        "/queues/loyalty/redrive?all=true".to_owned(),
        format!("/messages/{message}"),
        "/incidents".to_owned(),
        "/operations".to_owned(),
        "/partners".to_owned(),
        "/metrics".to_owned(),
    ])
}

/// What the audit finds wrong. It looks at every row, which takes its time here.
async fn audit(server: &Running) -> Result<Value> {
    let manner = Manner { answer_max: AUDIT_MAX, ..Manner::default() };
    let mut client = Client::connect_as(server.addr, manner).await?;
    let (status, answer) = client.call(Method::GET, "/v1/audit", Bytes::new()).await?;
    ensure!(status.is_success(), "the audit was answered {status}: {}", String::from_utf8_lossy(&answer));
    let report: Value = serde_json::from_slice(&answer)?;
    Ok(report.get("violations").cloned().unwrap_or_default())
}

fn shop_file(server: &Running) -> PathBuf {
    server.data().join("sqlite/default.db")
}

/// Asks for a page, again and again.
async fn page(visitor: &Visitor, path: String, requests: u32) -> Result<Page> {
    let mut client = visitor.connect().await?;
    let mut page = Page {
        path,
        status: StatusCode::OK,
        bytes: 0,
        latency_us: Histogram::new_with_max(LATENCY_US_MAX, 3)?,
    };
    for number in 0..WARMUP_REQUESTS + requests {
        if page.path == OVERVIEW {
            tokio::time::sleep(OVERVIEW_SHARED_FOR).await;
        }
        let seen = client.look(&page.path).await?;
        page.status = seen.status;
        page.bytes = seen.bytes;
        if !seen.status.is_success() {
            break;
        }
        if number >= WARMUP_REQUESTS {
            page.latency_us
                .saturating_record(u64::try_from(seen.took.as_micros()).unwrap_or(u64::MAX).max(1));
        }
    }
    Ok(page)
}

/// Sells with and without watchers, in turns.
async fn watch(server: &Running, visitor: &Visitor, options: &Options) -> Result<Watching> {
    let load = Load {
        basket: Basket { products: fill::PLENTIFUL, customers: fill::CUSTOMERS },
        clients: options.clients,
        warmup: WARMUP,
        lasts: Duration::from_secs(options.seconds),
    };
    let mut watching = Watching::default();
    for round in 1..=options.rounds {
        // Back and forth, so that a machine that gets slower wrongs nobody.
        for watched in [round % 2 == 0, round % 2 == 1] {
            let watchers =
                if watched { Some(Watchers::open(visitor, options.watchers).await?) } else { None };
            let measured = load::run(server.addr, &load).await?;
            let rate = measured.orders as f64 / measured.elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
            if let Some(watchers) = watchers {
                watching.refreshes += watchers.close().await?;
            }
            let rates = if watched { &mut watching.watched } else { &mut watching.alone };
            rates.push(rate);
            let title = if watched { "watched" } else { "alone" };
            eprintln!("round {round}  {title:<8} {rate:>9.0} orders/s");
        }
    }
    Ok(watching)
}

fn print_pages(pages: &[Page], options: &Options) {
    println!(
        "\n{} products, {} orders, {} dead letters in SQLite; {} requests for each page, one after the other\n",
        fill::PRODUCTS,
        options.orders,
        options.dead_letters,
        options.requests
    );
    println!("{:<60} {:>8} {:>8} {:>8} {:>8}", "page", "KiB", "p50 ms", "p99 ms", "max ms");
    for page in pages {
        let path: String = page.path.chars().take(60).collect();
        let verdict = match page.status {
            status if !page.is_there() => format!("not measured: answered {status}"),
            _ if page.quantile_ms(0.99) < PAGE_MS_WISHED => format!("under {PAGE_MS_WISHED} ms"),
            _ if page.quantile_ms(0.5) < PAGE_MS_WISHED => format!("median under {PAGE_MS_WISHED} ms"),
            _ => format!("NOT under {PAGE_MS_WISHED} ms"),
        };
        println!(
            "{path:<60} {:>8.1} {:>8.2} {:>8.2} {:>8.2}  {verdict}",
            page.bytes as f64 / 1024.0,
            page.quantile_ms(0.5),
            page.quantile_ms(0.99),
            page.quantile_ms(1.0)
        );
    }
}

impl Page {
    fn is_there(&self) -> bool {
        !self.latency_us.is_empty()
    }

    fn quantile_ms(&self, quantile: f64) -> f64 {
        self.latency_us.value_at_quantile(quantile) as f64 / 1000.0
    }

    fn to_json(&self) -> Value {
        json!({
            "path": self.path,
            "status": self.status.as_u16(),
            "bytes": self.bytes,
            "p50_ms": self.quantile_ms(0.5),
            "p99_ms": self.quantile_ms(0.99),
            "max_ms": self.quantile_ms(1.0),
            "under_50_ms": self.is_there() && self.quantile_ms(0.99) < PAGE_MS_WISHED,
        })
    }
}

impl Watching {
    /// The median of the rounds. Both halves of a round are neighbours in time, so whatever else the machine does concerns both.
    fn ratio(&self) -> f64 {
        median(&self.ratios())
    }

    fn ratios(&self) -> Vec<f64> {
        self.watched.iter().zip(&self.alone).map(|(watched, alone)| watched / alone).collect()
    }

    fn print(&self, options: &Options) {
        if self.alone.is_empty() {
            return;
        }
        let ratio = self.ratio();
        let word = if 1.0 - ratio < COST_WISHED { "reached" } else { "NOT reached" };
        println!(
            "\n{} clients order, {} overviews are refreshed ({} times in all): {:.0} orders/s instead of {:.0}, ratio {ratio:.3} \
             (wished: above {:.2}: {word})",
            options.clients,
            options.watchers,
            self.refreshes,
            median(&self.watched),
            median(&self.alone),
            1.0 - COST_WISHED
        );
    }

    fn to_json(&self, options: &Options) -> Value {
        json!({
            "watchers": options.watchers,
            "clients": options.clients,
            "seconds_each": options.seconds,
            "orders_per_second_alone_by_round": self.alone,
            "orders_per_second_watched_by_round": self.watched,
            "refreshes": self.refreshes,
            "ratio_by_round": self.ratios(),
            "ratio": (!self.alone.is_empty()).then(|| self.ratio()),
        })
    }
}

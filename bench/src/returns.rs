//! `bench returns`: a burst of returns, from the first call for the list to the last report, while orders come in.
//!
//! The partner holds all of them, delivered, answers slowly and refuses some calls; the same partner is then given to a
//! native baseline. Restock reports each of them once, or the measurement fails. How fast, with how much memory, and what the orders feel of
//! it is reported beside the targets, not judged: it depends on the machine.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use hdrhistogram::Histogram;
use restock_domain::window::WINDOW_MAX;
use restock_sandbox::Logistics;
use restock_sandbox::logistics::{Busy, Garbage, Knobs, Stats};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::books::Books;
use crate::cluster::{Cluster, Shop};
use crate::contender::{self, Contender, Running};
use crate::profile::Profile;
use crate::steady::{Orders, Steady};
use crate::usage::Usage;

/// What is wished for: from the first call to the last report, the host's memory, and the orders' p99 meanwhile, divided by
/// that of an idle shop.
const SECONDS_WISHED: f64 = 300.0;
const MIB_WISHED: f64 = 512.0;
const P99_RATIO_WISHED: f64 = 5.0;

/// How often the shop asks for the list: as it does by default, and the time in which it is idle.
const COLLECT_EVERY_SECONDS: u64 = 60;
/// After the start, the first orders do not count: caches fill and pools grow.
const WARMUP: Duration = Duration::from_secs(3);
/// What is not reported after so long is lost.
const GIVE_UP: Duration = Duration::from_secs(30 * 60);
/// How long the shop may take to write down what the partner took, and how long a new shop may take to ask for the list.
const PATIENCE: Duration = Duration::from_secs(120);
/// Connections that the cluster has at least: those of the shop's pool.
const CLIENTS: u16 = 100;
/// Between two looks.
const LOOK_AGAIN: Duration = Duration::from_millis(20);
/// With `--faults`: between two spells, requests that one hits, and how long one lasts.
const SPELL_EVERY: Duration = Duration::from_secs(5);
const SPELL_REQUESTS_MAX: u64 = 20;
const SPELL_MAX: Duration = Duration::from_secs(2);

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What Restock keeps its data in; the baseline keeps its own in SQLite
    #[arg(long, value_enum, default_value_t = Profile::Sqlite)]
    profile: Profile,
    /// Returns that the partner holds
    #[arg(long, default_value_t = 30_000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    returns: u32,
    /// Most calls a second
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: u32,
    /// Most calls at a time
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=i64::from(WINDOW_MAX)))]
    concurrency: u32,
    /// Milliseconds that the partner takes for an answer
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(0..=10_000))]
    latency_ms: u64,
    /// Share of calls that the partner answers 503
    #[arg(long, default_value_t = 0.05)]
    busy: f64,
    /// Spells of 429 with Retry-After, hung connections and unreadable answers as well
    #[arg(long)]
    faults: bool,
    /// Orders a second meanwhile, evenly; 0: none
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(0..=2_000))]
    orders: u32,
    /// Only Restock, no baseline
    #[arg(long)]
    alone: bool,
}

/// One contender's burst.
struct Burst {
    title: &'static str,
    began: Instant,
    ended: Instant,
    partner: Stats,
    /// Returns that the partner never got a report of.
    lost: usize,
    /// Reports too many, other than after a lost answer.
    repeated: u32,
    usage: Option<Usage>,
}

/// What only Restock has.
struct Outcome {
    /// From the begin of the collection to the last report, as the store noted them.
    in_the_store_seconds: f64,
    /// Returns in the store, and those that it has as reported.
    stored: u64,
    reported: u64,
    dead_letters: u64,
    orders: Option<Latencies>,
    audit_ok: bool,
}

struct Latencies {
    idle_us: Histogram<u64>,
    meanwhile_us: Histogram<u64>,
}

/// Measures, prints the table and writes target/bench/returns.json; fails where a return was lost or reported twice.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the bench has no workspace")?;
    let work = contender::work(root)?;
    let cluster = match options.profile {
        Profile::Sqlite => None,
        Profile::Postgres => Some(Cluster::start(root, &work, CLIENTS, 1).await?),
    };
    let shop = cluster.as_ref().map(Cluster::fresh).transpose()?;
    let (burst, outcome) = restock(options, root, &work, shop.as_ref()).await.context("restock")?;
    drop(cluster);
    let mut bursts = vec![burst];
    if !options.alone {
        bursts.push(native(options, &work).await.context("the baseline")?);
    }
    report(&bursts, &outcome, options, &work.join(options.profile.results("returns")))
}

async fn restock(
    options: &Options,
    root: &Path,
    work: &Path,
    shop: Option<&Shop>,
) -> Result<(Burst, Outcome)> {
    let title = "restock (components on the host)";
    let partner = Partner::start(options).await?;
    let url = partner.logistics.url();
    let mut server = Running::spawn(title, work, |listen, data| {
        let mut command = contender::host(root, listen, data, shop);
        for (name, value) in [
            ("LOGISTICS_URL", url),
            ("LOGISTICS_TOKEN", Logistics::TOKEN.to_owned()),
            ("LOGISTICS_RATE_PER_SECOND", options.rate.to_string()),
            ("LOGISTICS_CONCURRENCY", options.concurrency.to_string()),
            ("RETURNS_EVERY_SECONDS", COLLECT_EVERY_SECONDS.to_string()),
        ] {
            command.env(format!("SPIN_VARIABLE_{name}"), value);
        }
        Ok(command)
    })?;
    server.ready().await?;
    if shop.is_none() {
        server.stock_up(1).await?;
    }
    let orders = (options.orders > 0).then(|| Steady::begin(server.addr, options.orders));
    let idle_from = Instant::now() + WARMUP;

    // The first list is empty. The returns are there before the next one.
    partner.lists(1, &mut server).await?;
    let before = server.usage();
    let burst = partner.burst(title, options, &mut server, before).await?;
    let books = server.books(Contender::Host, shop).await?;
    let (stored, reported, in_the_store_seconds) = noted(&books, &mut server, options.returns).await?;
    let orders = match orders {
        Some(orders) => Some(orders.end().await?),
        None => None,
    };
    let accepted = orders.as_ref().map_or(0, Orders::accepted);
    books.agree(u64::try_from(accepted)?).await?;
    let orders = match orders {
        Some(orders) => Some(Latencies {
            idle_us: orders.between(idle_from, burst.began)?,
            meanwhile_us: orders.between(burst.began, burst.ended)?,
        }),
        None => None,
    };
    let queues = server.get("/v1/queues").await?;
    let dead_letters = queues.get("items").and_then(Value::as_array).context("no queues")?;
    let dead_letters = dead_letters.iter().filter_map(|queue| queue.get("buried")?.as_u64()).sum();
    let audit_ok = server.audit_ok().await?;
    server.stop().await?;
    Ok((burst, Outcome { in_the_store_seconds, stored, reported, dead_letters, orders, audit_ok }))
}

async fn native(options: &Options, work: &Path) -> Result<Burst> {
    let title = "native on SQLite, one commit per step";
    let partner = Partner::start(options).await?;
    // It asks for the list once, so the returns are there before it is.
    let address = partner.logistics.addr();
    partner.hold(options)?;
    let mut worker = Running::spawn(title, work, |_, data| {
        let mut command: Command = contender::this_program("native-returns")?;
        command.arg("--partner").arg(address.to_string()).arg("--token").arg(Logistics::TOKEN);
        command.arg("--rate").arg(options.rate.to_string());
        command.arg("--concurrency").arg(options.concurrency.to_string());
        command.arg("--data").arg(data);
        Ok(command)
    })?;
    let burst = partner.watch(title, options, &mut worker, 0, None).await?;
    worker.stop().await?;
    Ok(burst)
}

/// The logistics partner with its faults.
struct Partner {
    logistics: Arc<Logistics>,
    /// As it is between two spells.
    everyday: Knobs,
}

impl Partner {
    async fn start(options: &Options) -> Result<Self> {
        let logistics = Logistics::start(([127, 0, 0, 1], 0).into()).await?;
        let everyday =
            Knobs { answer_delay_ms: options.latency_ms, busy_rate: options.busy, ..Knobs::default() };
        logistics.set_knobs(everyday.clone())?;
        Ok(Self { logistics: Arc::new(logistics), everyday })
    }

    /// Gives it the returns. An answer takes its time, so no list shows them before they have arrived.
    fn hold(&self, options: &Options) -> Result<()> {
        self.logistics.set_returns(usize::try_from(options.returns)?)?;
        self.logistics.deliver_all();
        Ok(())
    }

    /// Waits until it was asked for the list so many times.
    async fn lists(&self, count: u64, server: &mut Running) -> Result<()> {
        let give_up = Instant::now() + PATIENCE;
        while self.logistics.stats().calls.returns < count {
            server.still_runs()?;
            if Instant::now() > give_up {
                bail!("nobody asked for the list");
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        Ok(())
    }

    /// Holds the returns from now on and watches until all are reported.
    async fn burst(
        &self,
        title: &'static str,
        options: &Options,
        server: &mut Running,
        before: Option<Usage>,
    ) -> Result<Burst> {
        let lists = self.logistics.stats().calls.returns;
        // Not while the answer to the empty list is still under way.
        tokio::time::sleep(Duration::from_millis(options.latency_ms) + WARMUP).await;
        self.hold(options)?;
        self.watch(title, options, server, lists, before).await
    }

    async fn watch(
        &self,
        title: &'static str,
        options: &Options,
        server: &mut Running,
        lists: u64,
        before: Option<Usage>,
    ) -> Result<Burst> {
        self.lists(lists + 1, server).await?;
        let began = Instant::now();
        let spells =
            options.faults.then(|| tokio::spawn(spells(Arc::clone(&self.logistics), self.everyday.clone())));
        let wished = u64::from(options.returns);
        while self.logistics.stats().reported < wished && began.elapsed() < GIVE_UP {
            server.still_runs()?;
            tokio::time::sleep(LOOK_AGAIN).await;
        }
        let ended = Instant::now();
        if let Some(spells) = spells {
            spells.abort();
            self.logistics.set_knobs(self.everyday.clone())?;
        }
        let usage = server.usage();
        let usage = before.zip(usage).map(|(before, now)| now.since(before)).or(usage);
        let returns = self.logistics.returns();
        let lost = returns.iter().filter(|one| one.times == 0).count();
        let repeated = returns.iter().map(|one| one.times.saturating_sub(1 + one.lost)).sum();
        let partner = self.logistics.stats();
        eprintln!("{title}: {:.1} s", (ended - began).as_secs_f64());
        Ok(Burst { title, began, ended, partner, lost, repeated, usage })
    }
}

/// Bad moments, one kind after the other, until stopped.
async fn spells(logistics: Arc<Logistics>, everyday: Knobs) {
    let spell = |change: fn(&mut Knobs)| {
        let mut knobs = everyday.clone();
        knobs.faults_max = Some(SPELL_REQUESTS_MAX);
        change(&mut knobs);
        knobs
    };
    let kinds = [
        spell(|knobs| knobs.busy = Some(Busy { status: 429, retry_after_seconds: Some(1) })),
        spell(|knobs| knobs.hang = true),
        spell(|knobs| knobs.garbage = Some(Garbage::BrokenJson)),
        spell(|knobs| knobs.garbage = Some(Garbage::Html)),
    ];
    for knobs in kinds.iter().cycle() {
        tokio::time::sleep(SPELL_EVERY).await;
        for (knobs, lasts) in [(knobs, SPELL_MAX), (&everyday, Duration::ZERO)] {
            // Its values are in range, or the first run would have shown it.
            if let Err(wrong) = logistics.set_knobs(knobs.clone()) {
                eprintln!("a spell was not cast: {wrong:#}");
            }
            tokio::time::sleep(lasts).await;
        }
    }
}

/// Waits until the store has noted every report; how many returns it has, how many of them reported, and the seconds between
/// the begin of their collection and the last report.
async fn noted(books: &Books, server: &mut Running, wished: u32) -> Result<(u64, u64, f64)> {
    const NOTED: &str = "
        SELECT count(*), count(*) FILTER (WHERE status = 'reported'),
               coalesce(max(reported_at_ms)
                        - (SELECT min(began_at_ms) FROM return_collection
                            WHERE return_collection_id IN (SELECT return_collection_id FROM sales_return)), 0)
          FROM sales_return";
    let give_up = Instant::now() + PATIENCE;
    loop {
        let noted = books.numbers(NOTED).await?;
        let [stored, reported, ms] = noted.map(|number| u64::try_from(number).unwrap_or_default());
        if reported >= u64::from(wished) || Instant::now() > give_up {
            return Ok((stored, reported, Duration::from_millis(ms).as_secs_f64()));
        }
        server.still_runs()?;
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

impl Burst {
    fn seconds(&self) -> f64 {
        (self.ended - self.began).as_secs_f64()
    }

    fn to_json(&self) -> Value {
        json!({
            "contender": self.title,
            "seconds": self.seconds(),
            "partner": self.partner,
            "lost": self.lost,
            "reported_again": self.repeated,
            "usage": self.usage,
        })
    }
}

impl Latencies {
    fn p99_ratio(&self) -> f64 {
        self.meanwhile_us.value_at_quantile(0.99) as f64 / self.idle_us.value_at_quantile(0.99) as f64
    }

    fn parts(&self) -> [(&'static str, &Histogram<u64>); 2] {
        [("idle, before", &self.idle_us), ("meanwhile", &self.meanwhile_us)]
    }
}

fn milliseconds(latency_us: &Histogram<u64>) -> [f64; 3] {
    let ms = |quantile| latency_us.value_at_quantile(quantile) as f64 / 1000.0;
    [ms(0.5), ms(0.99), ms(1.0)]
}

fn word(reached: bool) -> &'static str {
    if reached { "reached" } else { "NOT reached" }
}

fn report(bursts: &[Burst], outcome: &Outcome, options: &Options, file: &Path) -> Result<ExitCode> {
    let Options { returns, rate, concurrency, latency_ms, .. } = options;
    let spells = if options.faults { ", spells of other faults" } else { "" };
    println!(
        "\n{returns} returns, delivered; partner: {latency_ms} ms, {:.0} % answered 503{spells}; at most {rate} calls a second, \
         {concurrency} at a time\n",
        options.busy * 100.0
    );
    println!(
        "{:<34} {:>8} {:>8} {:>6} {:>9} {:>8} {:>7} {:>8} {:>6} {:>6}",
        "", "seconds", "calls/s", "lists", "trackings", "reports", "peak/s", "faults", "MiB", "CPU s"
    );
    for burst in bursts {
        let Stats { requests, calls, per_second_max, faults, .. } = &burst.partner;
        let usage = |value: fn(&Usage) -> f64| {
            burst.usage.as_ref().map_or_else(|| "?".to_owned(), |usage| format!("{:.0}", value(usage)))
        };
        println!(
            "{:<34} {:>8.1} {:>8.0} {:>6} {:>9} {:>8} {:>7} {:>8} {:>6} {:>6}",
            burst.title,
            burst.seconds(),
            *requests as f64 / burst.seconds(),
            calls.returns,
            calls.tracking,
            calls.results,
            per_second_max,
            faults,
            usage(|usage| usage.peak_mib),
            usage(|usage| usage.cpu_seconds),
        );
    }
    if let Some(orders) = &outcome.orders {
        println!(
            "\n{:<34} {:>8} {:>8} {:>8}",
            format!("{} orders/s", options.orders),
            "p50 ms",
            "p99 ms",
            "max ms"
        );
        for (when, latency_us) in orders.parts() {
            let [p50, p99, max] = milliseconds(latency_us);
            println!("{when:<34} {p50:>8.2} {p99:>8.2} {max:>8.2}");
        }
    }
    let (Some(restock), right) = (bursts.first(), verdict(bursts, outcome, *returns)) else {
        bail!("nothing was measured");
    };
    let seconds = restock.seconds();
    println!(
        "\nfirst call to last report: {seconds:.1} s, in the store {:.1} s (under {SECONDS_WISHED}: {})",
        outcome.in_the_store_seconds,
        word(seconds < SECONDS_WISHED)
    );
    let ratio = bursts.get(1).map(|native| seconds / native.seconds());
    if let Some(ratio) = ratio {
        println!("restock / native, seconds: {ratio:.2}");
    }
    if let Some(usage) = restock.usage {
        println!(
            "memory at its peak: {:.0} MiB (under {MIB_WISHED}: {})",
            usage.peak_mib,
            word(usage.peak_mib < MIB_WISHED)
        );
    }
    let p99_ratio = outcome.orders.as_ref().map(Latencies::p99_ratio);
    if let Some(p99_ratio) = p99_ratio {
        println!(
            "orders' p99, meanwhile / idle: {p99_ratio:.2} (under {P99_RATIO_WISHED}: {})",
            word(p99_ratio < P99_RATIO_WISHED)
        );
    }
    println!(
        "lost: {}, reported again: {}, dead letters: {}, audit: {}",
        restock.lost,
        restock.repeated,
        outcome.dead_letters,
        if outcome.audit_ok { "in order" } else { "VIOLATED" }
    );
    let orders = outcome.orders.as_ref().map(|orders| {
        let part = |(when, latency_us): (&'static str, &Histogram<u64>)| {
            let [p50, p99, max] = milliseconds(latency_us);
            json!({"when": when, "orders": latency_us.len(), "p50_ms": p50, "p99_ms": p99, "max_ms": max})
        };
        orders.parts().map(part)
    });
    let results = json!({
        "profile": options.profile,
        "returns": returns,
        "rate_per_second": rate,
        "concurrency": concurrency,
        "latency_ms": latency_ms,
        "busy": options.busy,
        "faults": options.faults,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "contenders": bursts.iter().map(Burst::to_json).collect::<Vec<_>>(),
        "ratio_to_native": ratio,
        "in_the_store_seconds": outcome.in_the_store_seconds,
        "stored": outcome.stored,
        "reported": outcome.reported,
        "dead_letters": outcome.dead_letters,
        "audit_ok": outcome.audit_ok,
        "orders": orders,
        "orders_p99_ratio": p99_ratio,
        "right": right,
    });
    std::fs::write(file, format!("{results:#}\n"))
        .with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}", file.display());
    Ok(if right { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Whether each return was reported once, and the store knows it. A baseline that errs is no baseline.
fn verdict(bursts: &[Burst], outcome: &Outcome, returns: u32) -> bool {
    let returns = u64::from(returns);
    let once = |burst: &Burst| {
        burst.lost == 0
            && burst.repeated == 0
            && burst.partner.early == 0
            && burst.partner.reported == returns
    };
    bursts.iter().all(once)
        && (outcome.stored, outcome.reported) == (returns, returns)
        && outcome.dead_letters == 0
        && outcome.audit_ok
}

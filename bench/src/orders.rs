//! `bench orders`: orders a second and their latency, at full durability, from many connections at once.
//!
//! Three contenders take turns on the same machine and disk: Restock as it ships, and the native baseline without and
//! with shared commits. All run the store's statement on the store's schema at `synchronous=FULL`. Restock has
//! to take at least [`RATIO_MIN`] times the orders of the baseline that commits each one by itself: what WebAssembly costs,
//! the host's group commit has to earn and more. How far it stays behind the grouped baseline is reported, not judged.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::contender::{self, Contender, Running};
use crate::load::{self, OPENING_STOCK};

/// Orders a second of Restock, divided by those of the baseline with a commit per order.
const RATIO_MIN: f64 = 1.2;
/// Time before each measurement in which caches fill and pools grow.
const WARMUP_SECONDS: u64 = 2;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Clients, each with a connection of its own
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=4096))]
    connections: u16,
    /// Seconds for each contender in each round
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How often the contenders take turns
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
}

/// All rounds of one contender.
struct Score {
    who: Contender,
    orders: u64,
    elapsed: Duration,
    per_round: Vec<f64>,
    latency_us: Histogram<u64>,
}

/// Measures, prints the table and writes target/bench/orders.json; fails where the ratio is not reached.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the bench has no workspace")?;
    let work = contender::work(root)?;
    let mut scores = Vec::new();
    for who in Contender::ALL {
        let latency_us = Histogram::new(3)?;
        scores.push(Score { who, orders: 0, elapsed: Duration::ZERO, per_round: Vec::new(), latency_us });
    }
    for round in 1..=options.rounds {
        // Back and forth, so that a machine that gets slower wrongs nobody.
        let forth = round % 2 == 1;
        for turn in 0..scores.len() {
            let place = if forth { turn } else { scores.len() - 1 - turn };
            if let Some(score) = scores.get_mut(place) {
                measure(score, options, root, &work, round).await?;
            }
        }
    }
    report(&scores, options, &work.join("orders.json"))
}

async fn measure(score: &mut Score, options: &Options, root: &Path, work: &Path, round: u32) -> Result<()> {
    let title = score.who.title();
    let server = Running::start(score.who, root, work, options.connections).await.context(title)?;
    let measured = load::run(
        server.addr,
        options.connections,
        Duration::from_secs(WARMUP_SECONDS),
        Duration::from_secs(options.seconds),
    )
    .await
    .context(title)?;
    let left = server.on_hand().await.context(title)?;
    server.stop().await?;
    let accepted = i64::try_from(measured.accepted)?;
    if left != OPENING_STOCK - accepted {
        bail!("{title}: {accepted} orders were accepted, but {left} of {OPENING_STOCK} units are left");
    }
    let per_second = measured.orders as f64 / measured.elapsed.as_secs_f64();
    eprintln!("round {round}  {title:<34} {per_second:>9.0} orders/s");
    score.orders += measured.orders;
    score.elapsed += measured.elapsed;
    score.per_round.push(per_second);
    score.latency_us.add(measured.latency_us)?;
    Ok(())
}

impl Score {
    fn per_second(&self) -> f64 {
        self.orders as f64 / self.elapsed.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    fn quantile_ms(&self, quantile: f64) -> f64 {
        self.latency_us.value_at_quantile(quantile) as f64 / 1000.0
    }

    fn to_json(&self) -> Value {
        json!({
            "contender": self.who,
            "orders": self.orders,
            "seconds": self.elapsed.as_secs_f64(),
            "orders_per_second": self.per_second(),
            "orders_per_second_by_round": self.per_round,
            "p50_ms": self.quantile_ms(0.5),
            "p99_ms": self.quantile_ms(0.99),
            "max_ms": self.latency_us.max() as f64 / 1000.0,
        })
    }
}

fn report(scores: &[Score], options: &Options, file: &PathBuf) -> Result<ExitCode> {
    let rate = |who| scores.iter().find(|score| score.who == who).map_or(f64::NAN, Score::per_second);
    let ratio = rate(Contender::Host) / rate(Contender::Native);
    let ratio_grouped = rate(Contender::Host) / rate(Contender::NativeGrouped);
    let reached = ratio >= RATIO_MIN;

    println!(
        "\n{} connections, {} x {} s each, one unit an order, synchronous=FULL\n",
        options.connections, options.rounds, options.seconds
    );
    println!("{:<34} {:>9} {:>9} {:>9}", "", "orders/s", "p50 ms", "p99 ms");
    for score in scores {
        println!(
            "{:<34} {:>9.0} {:>9.2} {:>9.2}",
            score.who.title(),
            score.per_second(),
            score.quantile_ms(0.5),
            score.quantile_ms(0.99)
        );
    }
    let word = if reached { "reached" } else { "NOT reached" };
    println!("\nrestock / native, one commit per order: {ratio:.2} (at least {RATIO_MIN}: {word})");
    println!("restock / native, shared commits:       {ratio_grouped:.2}");

    let results = json!({
        "connections": options.connections,
        "rounds": options.rounds,
        "seconds_each": options.seconds,
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "contenders": scores.iter().map(Score::to_json).collect::<Vec<_>>(),
        "ratio_to_native": ratio,
        "ratio_to_native_min": RATIO_MIN,
        "ratio_to_native_grouped": ratio_grouped,
        "reached": reached,
    });
    std::fs::write(file, format!("{results:#}\n"))
        .with_context(|| format!("cannot write {}", file.display()))?;
    println!("{}", file.display());
    Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

//! `bench orders`: orders a second and their latency, at full durability, from many connections at once.
//!
//! The contenders take turns on the same machine and disk, each on a fresh database, and all run the store's statement on the
//! store's schema. What counts is the median of the rounds.
//!
//! On SQLite (`synchronous=FULL`) Restock has to take at least [`SQLITE_RATIO_MIN`] times the orders of the baseline that
//! commits each one by itself: what WebAssembly costs, the host's group commit has to earn and more. How far it stays behind
//! the grouped baseline is reported, not judged.
//!
//! On Postgres (`fsync` and `synchronous_commit` on) it has to take at least [`POSTGRES_RATIO_MIN`] times the orders of
//! `pgbench` where these are for many products. With one product that everybody wants, all of them wait for one row from its
//! lock to the flush of its commit, whoever they come from: that is reported.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use hdrhistogram::Histogram;
use serde_json::{Value, json};

use crate::books::Books;
use crate::cluster::Cluster;
use crate::contender::{self, Contender, Running};
use crate::load::{self, Basket, LATENCY_US_MAX, Load, Measured};
use crate::pgbench;
use crate::profile::Profile;

/// Orders a second of Restock, divided by those of the baseline with a commit per order.
const SQLITE_RATIO_MIN: f64 = 1.2;
/// Orders a second of Restock, divided by those of pgbench.
const POSTGRES_RATIO_MIN: f64 = 0.5;
/// Time before each measurement in which caches fill and pools grow.
const WARMUP: Duration = Duration::from_secs(2);
/// What stands on the shelves of Postgres, and who buys there. With few customers, two orders of one of them would wait for
/// each other.
const PRODUCTS: u32 = 1000;
const CUSTOMERS: u32 = 100_000;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// What Restock keeps its data in
    #[arg(long, value_enum, default_value_t = Profile::Sqlite)]
    profile: Profile,
    /// Clients, each with a connection of its own; 64 on SQLite and 16 on Postgres where it is not given
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=4096))]
    clients: Option<u16>,
    /// Seconds for each contender in each round
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How often the contenders take turns
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=20))]
    rounds: u32,
}

/// Sales of one kind, and who is measured in them.
struct Course {
    title: &'static str,
    basket: Basket,
    scores: Vec<Score>,
    /// Whose orders a second are divided by whose, and what has to come out at least.
    ratios: Vec<(Contender, Contender, Option<f64>)>,
}

/// All rounds of one contender.
struct Score {
    who: Contender,
    orders: u64,
    per_round: Vec<f64>,
    latency_us: Histogram<u64>,
}

/// Measures, prints the tables and writes them to target/bench; fails where a ratio is not reached.
pub(crate) async fn run(options: &Options) -> Result<ExitCode> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the bench has no workspace")?;
    let bench = Bench::prepare(options, root).await?;
    let mut courses = courses(options.profile)?;
    for round in 1..=options.rounds {
        // Back and forth, so that a machine that gets slower wrongs nobody.
        let forth = round % 2 == 1;
        for course in &mut courses {
            let order: &mut dyn Iterator<Item = &mut Score> =
                if forth { &mut course.scores.iter_mut() } else { &mut course.scores.iter_mut().rev() };
            for score in order {
                let measured = bench.measure(score.who, course.basket).await.context(score.who.title())?;
                let per_second = score.add(&measured)?;
                let title = score.who.title();
                eprintln!("round {round}  {:<15} {title:<34} {per_second:>9.0} orders/s", course.title);
            }
        }
    }
    bench.report(&courses)
}

fn courses(profile: Profile) -> Result<Vec<Course>> {
    use Contender::{Host, Native, NativeGrouped, Pgbench, PgbenchPrepared};
    let many = Basket { products: PRODUCTS, customers: CUSTOMERS };
    let hot = Basket { products: 1, ..many };
    let on_postgres = |least| {
        let ratios = vec![
            (Host, Pgbench, least),
            (Host, PgbenchPrepared, None),
            (Host, Native, None),
            (Native, Pgbench, None),
        ];
        (&[Host, Native, Pgbench, PgbenchPrepared][..], ratios)
    };
    let on_sqlite = vec![(Host, Native, Some(SQLITE_RATIO_MIN)), (Host, NativeGrouped, None)];
    let courses = match profile {
        Profile::Sqlite => {
            vec![("one product", Basket::ONE, (&[Host, Native, NativeGrouped][..], on_sqlite))]
        }
        Profile::Postgres => vec![
            ("1,000 products", many, on_postgres(Some(POSTGRES_RATIO_MIN))),
            ("one hot product", hot, on_postgres(None)),
        ],
    };
    let course = |(title, basket, (contenders, ratios)): (_, _, (&[Contender], _))| {
        let scores = contenders.iter().map(|who| Score::none(*who)).collect::<Result<_>>()?;
        Ok(Course { title, basket, scores, ratios })
    };
    courses.into_iter().map(course).collect()
}

/// Everything that the contenders have in common.
struct Bench<'a> {
    options: &'a Options,
    root: &'a Path,
    work: PathBuf,
    clients: u16,
    cluster: Option<Cluster>,
}

impl<'a> Bench<'a> {
    async fn prepare(options: &'a Options, root: &'a Path) -> Result<Self> {
        let work = contender::work(root)?;
        let (clients, cluster) = match options.profile {
            Profile::Sqlite => (options.clients.unwrap_or(64), None),
            Profile::Postgres => {
                let clients = options.clients.unwrap_or(16);
                (clients, Some(Cluster::start(root, &work, clients, PRODUCTS).await?))
            }
        };
        Ok(Self { options, root, work, clients, cluster })
    }

    /// Lets one contender sell for a while, and looks whether it did what it answered.
    async fn measure(&self, who: Contender, basket: Basket) -> Result<Measured> {
        let lasts = Duration::from_secs(self.options.seconds);
        let load = Load { basket, clients: self.clients, warmup: WARMUP, lasts };
        let shop = self.cluster.as_ref().map(Cluster::fresh).transpose()?;
        if let Some(protocol) = who.pgbench() {
            let (cluster, shop) = self.cluster.as_ref().zip(shop).context("pgbench needs Postgres")?;
            let measured = pgbench::run(cluster, &shop.url, protocol, &load, &self.work).await?;
            Books::postgres(&shop.url).await?.agree(measured.accepted).await?;
            return Ok(measured);
        }
        let server = Running::start(who, self.root, &self.work, shop.as_ref(), self.clients).await?;
        let measured = load::run(server.addr, &load).await?;
        server.books(who, shop.as_ref()).await?.agree(measured.accepted).await?;
        if who == Contender::Host {
            ensure!(server.audit_ok().await?, "the audit found violations");
        }
        server.stop().await?;
        Ok(measured)
    }

    fn report(&self, courses: &[Course]) -> Result<ExitCode> {
        let Options { profile, seconds, rounds, .. } = self.options;
        let durability = match profile {
            Profile::Sqlite => "synchronous=FULL",
            Profile::Postgres => "fsync and synchronous_commit on, the doorbell inside the process",
        };
        println!(
            "\n{} connections, {rounds} x {seconds} s each, one unit an order, {durability}",
            self.clients
        );
        for course in courses {
            course.print();
        }
        let reached = courses.iter().all(Course::reached);
        let results = json!({
            "profile": profile,
            "connections": self.clients,
            "rounds": rounds,
            "seconds_each": seconds,
            "cores": std::thread::available_parallelism().map_or(0, usize::from),
            "courses": courses.iter().map(Course::to_json).collect::<Vec<_>>(),
            "reached": reached,
        });
        let file = self.work.join(profile.results("orders"));
        std::fs::write(&file, format!("{results:#}\n"))
            .with_context(|| format!("cannot write {}", file.display()))?;
        println!("\n{}", file.display());
        Ok(if reached { ExitCode::SUCCESS } else { ExitCode::FAILURE })
    }
}

impl Course {
    fn ratio(&self, of: Contender, to: Contender) -> f64 {
        let rate =
            |who| self.scores.iter().find(|score| score.who == who).map_or(f64::NAN, Score::per_second);
        rate(of) / rate(to)
    }

    fn reached(&self) -> bool {
        self.ratios.iter().all(|(of, to, least)| least.is_none_or(|least| self.ratio(*of, *to) >= least))
    }

    fn print(&self) {
        println!("\n{:<34} {:>9} {:>9} {:>9}", self.title, "orders/s", "p50 ms", "p99 ms");
        for score in &self.scores {
            println!(
                "{:<34} {:>9.0} {:>9.2} {:>9.2}",
                score.who.title(),
                score.per_second(),
                score.quantile_ms(0.5),
                score.quantile_ms(0.99)
            );
        }
        println!();
        for (of, to, least) in &self.ratios {
            let ratio = self.ratio(*of, *to);
            let verdict = least.map_or_else(String::new, |least| {
                let word = if ratio >= least { "reached" } else { "NOT reached" };
                format!(" (at least {least}: {word})")
            });
            println!("{} / {}: {ratio:.2}{verdict}", of.title(), to.title());
        }
    }

    fn to_json(&self) -> Value {
        let ratio = |(of, to, least): &(Contender, Contender, Option<f64>)| json!({"of": of, "to": to, "ratio": self.ratio(*of, *to), "at_least": least});
        json!({
            "title": self.title,
            "products": self.basket.products,
            "customers": self.basket.customers,
            "contenders": self.scores.iter().map(Score::to_json).collect::<Vec<_>>(),
            "ratios": self.ratios.iter().map(ratio).collect::<Vec<_>>(),
        })
    }
}

impl Score {
    fn none(who: Contender) -> Result<Self> {
        let latency_us = Histogram::new_with_max(LATENCY_US_MAX, 3)?;
        Ok(Self { who, orders: 0, per_round: Vec::new(), latency_us })
    }

    /// A round; its orders a second.
    fn add(&mut self, measured: &Measured) -> Result<f64> {
        let per_second = measured.orders as f64 / measured.elapsed.as_secs_f64().max(f64::MIN_POSITIVE);
        self.orders += measured.orders;
        self.per_round.push(per_second);
        self.latency_us.add(&measured.latency_us)?;
        Ok(per_second)
    }

    /// The median of the rounds.
    fn per_second(&self) -> f64 {
        median(&self.per_round)
    }

    /// Of all orders of all rounds.
    fn quantile_ms(&self, quantile: f64) -> f64 {
        self.latency_us.value_at_quantile(quantile) as f64 / 1000.0
    }

    fn to_json(&self) -> Value {
        json!({
            "contender": self.who,
            "orders": self.orders,
            "orders_per_second": self.per_second(),
            "orders_per_second_by_round": self.per_round,
            "p50_ms": self.quantile_ms(0.5),
            "p99_ms": self.quantile_ms(0.99),
            "max_ms": self.latency_us.max() as f64 / 1000.0,
        })
    }
}

/// The one in the middle; of an even number, the mean of the two in the middle.
pub(crate) fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let middle = |place: usize| values.get(place).copied().unwrap_or(f64::NAN);
    f64::midpoint(middle(values.len() / 2), middle(values.len().saturating_sub(1) / 2))
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn one_bad_round_of_three_does_not_move_the_median() {
        assert_eq!(median(&[3.0, 1.0, 2.9]), 2.9);
        assert_eq!(median(&[4.0, 1.0]), 2.5);
        assert_eq!(median(&[7.0]), 7.0);
    }
}

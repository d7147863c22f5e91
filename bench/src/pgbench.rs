//! The ceiling on Postgres: `pgbench`, which knows nothing of HTTP, with the store's own statement on the store's own schema.
//!
//! It has no texts that change, only numbers. So three of the statement's parameters are put together from numbers in front of
//! the call: the order's id (as long as a UUID of version 7 and growing like one), the customer and the product.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, bail, ensure};
use tokio::process::Command;

use crate::cluster::Cluster;
use crate::load::{Load, Measured};

/// The statement that the store runs for an order, from the store's own file.
const PLACE: &str = include_str!("../../components/store-postgres/src/sql/order_place.sql");
/// What each `$n` of it becomes, from $1 on.
const PARAMETERS: [&str; 12] = [
    "('00000000-0000-7000-' || :number::text)",
    "NULL",
    ":request_hash",
    "('customer-' || :customer::text)",
    "NULL",
    "NULL",
    ":if_short",
    r#"('[{"sku": "BENCH-' || :product::text || '", "quantity": 1}]')"#,
    ":placed_at_ms",
    ":vip_rule",
    ":vip_units",
    "NULL",
];
/// The smallest number with as many digits as an id has left, and room in each turn for the numbers of the clients.
const FIRST_NUMBER: u64 = 10_000_000_000_000_000;
const NUMBERS_OF_A_TURN: u64 = 4096;

/// How a statement gets to the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// Parsed anew each time.
    Extended,
    /// Parsed once on each connection.
    Prepared,
}

impl Protocol {
    fn word(self) -> &'static str {
        match self {
            Self::Extended => "extended",
            Self::Prepared => "prepared",
        }
    }
}

/// Runs it on a database of the cluster; its files are below `work` meanwhile.
pub(crate) async fn run(
    cluster: &Cluster,
    url: &str,
    protocol: Protocol,
    load: &Load,
    work: &Path,
) -> Result<Measured> {
    let folder =
        tempfile::Builder::new().prefix("pgbench-").tempdir_in(work).context("no folder for pgbench")?;
    let folder = folder.path();
    let script = folder.join("order.sql");
    fs::write(&script, order(load)).with_context(|| format!("cannot write {}", script.display()))?;
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(usize::from(load.clients));
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH)?;
    let lasts = load.warmup + load.lasts;
    let output = Command::new(cluster.programs().join("pgbench"))
        .args(["--no-vacuum", "--protocol", protocol.word(), "--log"])
        .arg("--log-prefix")
        .arg(folder.join("log"))
        .arg("--file")
        .arg(&script)
        .args(["--client", &load.clients.to_string(), "--jobs", &threads.to_string()])
        .args(["--time", &lasts.as_secs().to_string()])
        .args(["--define", "turn=0", "--define", "if_short=reject"])
        .args(["--define", "vip_rule=single-order", "--define", "vip_units=100"])
        .args(["--define", &format!("request_hash={}", "c0de".repeat(16))])
        .args(["--define", &format!("started_at_ms={}", since_1970.as_millis())])
        .arg(url)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("cannot start pgbench: install it (it comes with Postgres)")?;
    ensure!(output.status.success(), "pgbench failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    let mut logs = String::new();
    for entry in folder.read_dir()? {
        let path = entry?.path();
        if path != script {
            logs += &fs::read_to_string(&path)?;
        }
    }
    measured(&logs, load.warmup)
}

/// Its script for an order.
fn order(load: &Load) -> String {
    let mut statement: String =
        PLACE.lines().filter(|line| !line.starts_with("--")).map(|line| format!("{line}\n")).collect();
    // From behind, because $1 begins $10 as well.
    for (number, parameter) in (1..).zip(PARAMETERS).collect::<Vec<_>>().into_iter().rev() {
        statement = statement.replace(&format!("${number}"), parameter);
    }
    let basket = load.basket;
    format!(
        "\\set turn :turn + 1\n\
         \\set number {FIRST_NUMBER} + :turn * {NUMBERS_OF_A_TURN} + :client_id\n\
         \\set placed_at_ms :started_at_ms + :turn\n\
         \\set customer random(1, {})\n\
         \\set product random(1, {})\n\
         {statement}",
        basket.customers, basket.products
    )
}

/// Reads its logs. A line is a transaction: `client number latency_us script seconds_since_1970 microseconds`, the moment being its end.
fn measured(logs: &str, warmup: Duration) -> Result<Measured> {
    let mut orders = Vec::new();
    for line in logs.lines() {
        let fields = line.split(' ').map(str::parse).collect::<Result<Vec<u64>, _>>();
        let Ok([_, _, latency_us, _, seconds, us, ..]) = fields.as_deref() else {
            bail!("pgbench logged: {line}");
        };
        let latency = Duration::from_micros(*latency_us);
        let ended = Duration::from_secs(*seconds) + Duration::from_micros(*us);
        orders.push((ended.saturating_sub(latency), latency));
    }
    let began = orders.iter().map(|(sent, _)| *sent).min().context("pgbench placed no order")? + warmup;
    let mut measured = Measured::none()?;
    for (sent, latency) in orders {
        measured.count(sent.checked_sub(began), latency);
    }
    Ok(measured)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Basket;

    #[test]
    fn its_script_has_a_value_for_every_parameter_of_the_store() {
        let basket = Basket { products: 7, customers: 9 };
        let load = Load { basket, clients: 1, warmup: Duration::ZERO, lasts: Duration::ZERO };
        let script = order(&load);
        assert!(
            script
                .contains("restock_order_place(('00000000-0000-7000-' || :number::text)::text, NULL::text, ")
        );
        assert!(script.contains(":vip_rule::text, :vip_units::bigint, NULL::text);"));
        assert!(!script.contains('$'), "{script}");
    }

    #[test]
    fn orders_sent_within_the_warm_up_count_as_accepted_only() {
        let logs = "0 1 500000 0 100 500000\n1 1 2000000 0 102 900000\n0 2 1000000 0 102 0\n";
        let measured = measured(logs, Duration::from_secs(1)).unwrap();
        assert_eq!((measured.accepted, measured.orders), (3, 1));
        assert_eq!(measured.elapsed, Duration::from_secs(1));
        assert!(super::measured("0 1 failed 0 100 5\n", Duration::ZERO).is_err());
        assert!(super::measured("", Duration::ZERO).is_err());
    }
}

//! The `restock` program.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::{Args, Parser, Subcommand};
use restock_host::{Host, Options, demo, logging, secret};

/// The prefix of environment variables that set application variables, as on Spin.
const VARIABLE_PREFIX: &str = "SPIN_VARIABLE_";

/// Runs a Restock application on this machine.
#[derive(Parser)]
#[command(name = "restock", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the application until Ctrl-C. SPIN_VARIABLE_<NAME> in the environment sets the application variable <name>.
    Up(Up),
    /// Bring the databases of the application to the schema that it knows, and end.
    ///
    /// The application does the same at its first use of a database; this is for whoever wants it done before, once, by
    /// somebody who may change schemas. With `--profile postgres` the databases are those of SPIN_VARIABLE_POSTGRES_URL and
    /// SPIN_VARIABLE_CUSTOMERS_URL, else the files below the data folder. Prints what it found afterwards, a line for each
    /// database; the exit code is 0 when all are as they should be. Any number of them may run at once, beside the application.
    Migrate(Migrate),
}

#[derive(Args)]
struct Migrate {
    /// Where the application keeps its state.
    #[arg(long, default_value = "./data")]
    data: PathBuf,
    /// The application whose databases these are.
    #[arg(long, default_value = "spin.toml")]
    manifest: PathBuf,
    /// The manifest profile.
    #[arg(long)]
    profile: Option<String>,
    /// Where compiled components are kept; by default in the user's cache folder.
    #[arg(long)]
    cache: Option<PathBuf>,
}

#[derive(Args)]
struct Up {
    /// Run a shop with a sandbox factory and made-up customers, to see the whole loop.
    #[arg(long)]
    demo: bool,
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Where the application keeps its state.
    #[arg(long, default_value = "./data")]
    data: PathBuf,
    /// The application to run.
    #[arg(long, default_value = "spin.toml")]
    manifest: PathBuf,
    /// The manifest profile to run.
    #[arg(long)]
    profile: Option<String>,
    /// How often to do what is due, such as 500ms, 1s or 1m; 0 leaves it to something outside.
    #[arg(long, default_value = "1s", value_parser = duration)]
    tick: Duration,
    /// Where compiled components are kept; by default in the user's cache folder.
    #[arg(long)]
    cache: Option<PathBuf>,
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let done = match cli.command {
        Command::Up(up) => start(up),
        Command::Migrate(command) => migrate(command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // The last resort is stderr itself, and if that is closed there is nobody to tell.
            let _ = writeln!(std::io::stderr(), "error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn start(up: Up) -> anyhow::Result<()> {
    logging::start(up.demo)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("starting")?;
    runtime.block_on(run(up))
}

fn migrate(command: Migrate) -> anyhow::Result<()> {
    logging::start(false)?;
    let mut options = Options::new(command.manifest, command.data);
    options.profile = command.profile;
    options.variables = variables();
    if let Some(cache) = command.cache {
        options.cache = cache;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("starting")?;
    for line in runtime.block_on(restock_host::migrate(options))? {
        say(&line)?;
    }
    Ok(())
}

async fn run(up: Up) -> anyhow::Result<()> {
    let mut options = Options::new(up.manifest, up.data);
    options.listen = up.listen;
    options.profile = up.profile;
    options.tick = (!up.tick.is_zero()).then_some(up.tick);
    options.variables = variables();
    if let Some(cache) = up.cache {
        options.cache = cache;
    }
    // Waiting begins before the start, so that a signal during it is not lost.
    let stop = stop_signal()?;
    let demo = if up.demo { Some(demo::prepare(&mut options).await?) } else { None };
    // After the demo, which brings a key of its own.
    secret::provide(&mut options)?;
    if let Some(demo) = &demo {
        demo.remember(&options).await?;
    }
    let host = Host::start(options).await?;
    say(&format!("restock ready at {}", host.url()))?;
    let guide = match demo {
        Some(demo) => Some(demo.run(&host).await?),
        None => None,
    };
    stop.await?;
    tracing::info!("stopping: requests in progress are finished first");
    drop(guide);
    let again = stop_signal()?;
    tokio::select! {
        result = host.stop() => result,
        // Someone is in a hurry. What was answered is safe.
        result = again => result,
    }
}

fn say(line: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).context("writing to stdout")
}

/// Completes at Ctrl-C or SIGTERM.
fn stop_signal() -> anyhow::Result<impl Future<Output = anyhow::Result<()>>> {
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
        .context("listening for SIGTERM")?;
    Ok(async move {
        #[cfg(unix)]
        tokio::select! {
            result = tokio::signal::ctrl_c() => result.context("listening for Ctrl-C"),
            _ = terminate.recv() => Ok(()),
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await.context("listening for Ctrl-C")
    })
}

fn variables() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .filter_map(|(name, value)| Some((name.strip_prefix(VARIABLE_PREFIX)?.to_ascii_lowercase(), value)))
        .collect()
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 =
        digits.parse().map_err(|_| format!("{text:?} is not a time such as 500ms, 1s or 1m"))?;
    match text.get(digits.len()..).unwrap_or_default() {
        "ms" => Ok(Duration::from_millis(number)),
        "s" | "" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        unit => Err(format!("{unit:?} is not a unit of time: use ms, s or m")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_unit() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("1s"), Ok(Duration::from_secs(1)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert_eq!(duration("0"), Ok(Duration::ZERO));
        duration("1h").unwrap_err();
        duration("soon").unwrap_err();
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory;
        Cli::command().debug_assert();
    }
}

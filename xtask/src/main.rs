//! `cargo xtask`: builds, runs, tests, checks and measures Restock, with whatever set-up each of these needs.
//!
//! A newcomer's two commands are `cargo xtask up --demo` and `cargo xtask test`. It is a front to cargo and depends
//! on next to nothing, so that it is there a few seconds after a fresh clone.

mod house;
mod lint;
mod make;
mod manifest;
mod peers;
mod step;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

use crate::step::cargo;

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, runs, tests, checks and measures Restock.")]
struct Options {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Build the components and target/release/restock
    Build(Build),
    /// Build everything and run `restock up`, which takes the other arguments (try --demo, or --help)
    Up(Passed),
    /// Build what the tests need and run them all; the other arguments go to the test runner
    Test(Passed),
    /// Check format, lints (warnings are errors) and house rules
    Lint,
    /// Measure, beside a native program: `orders` a second, or a burst of `returns`
    Bench(Passed),
    /// Write spin.toml for a part of the application, or for a cloud without Redis triggers
    Manifest(manifest::Manifest),
    /// Check mails, webhooks and pages against software that others wrote (needs Node.js and the network)
    Peers,
    /// Take the pictures of the README, of the demo in motion
    Screenshots,
}

#[derive(Args)]
struct Build {
    /// Only the components
    #[arg(long, conflicts_with = "host")]
    components: bool,
    /// Only the host
    #[arg(long)]
    host: bool,
}

#[derive(Args)]
struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    args: Vec<OsString>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        // Not anyhow's own report: a backtrace of xtask helps nobody whose test failed.
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    match Options::parse().task {
        Task::Build(only) => {
            if !only.host {
                make::components()?;
            }
            if !only.components {
                make::host()?;
            }
            Ok(())
        }
        Task::Up(passed) => {
            make::components()?;
            make::host()?;
            make::program("restock").arg("up").args(passed.args).become_it()
        }
        Task::Test(passed) => test(passed.args),
        Task::Lint => lint::lint(),
        Task::Manifest(ask) => manifest::manifest(ask),
        Task::Peers => peers::peers(),
        Task::Screenshots => {
            make::components()?;
            make::ignored_test("browser::screenshots::the_pictures_of_the_readme")
                .or("no pictures: see the message above")
        }
        Task::Bench(passed) => {
            make::components()?;
            make::host()?;
            make::native("restock-bench")
                .or("the bench does not compile: see the compiler's message above")?;
            make::program("restock-bench").args(passed.args).become_it()
        }
    }
}

/// Runs every test; those of the components run natively too. With nextest each test has a process of its own and a hung
/// one is named; without it cargo's runner does the same tests.
///
/// Then the tests of the application once more, on Postgres and Redis. All share one cluster, which ends with this program.
fn test(args: Vec<OsString>) -> Result<()> {
    make::components()?;
    make::host()?;
    let nextest = make::has_nextest();
    let runner = || if nextest { cargo("nextest").arg("run") } else { cargo("test").arg("--no-fail-fast") };
    let servers = restock_servers::any_postgres()?;
    let run = |runner: step::Step, last: &[String], profile: Option<&str>| {
        let runner = runner.args(["--release", "--workspace"]).args(&args).args(last);
        let runner = match profile {
            Some(profile) => runner.env("RESTOCK_TEST_PROFILE", profile),
            None => runner,
        };
        runner.env(restock_servers::POSTGRES_VARIABLE, servers.databases.maintenance()).or(
            "a test failed: run it alone with `cargo xtask test NAME`; RUST_LOG=debug makes the host talk",
        )
    };
    run(runner(), &[], None)?;
    let again = if nextest {
        let own = ON_THEIR_OWN.join("|");
        let others = format!("package(restock-tests) - test(/^({own})::/)");
        // A name that is chosen may be of no test of the application.
        runner().args(["--no-tests", "pass", "--filterset", &others])
    } else {
        runner()
    };
    let skipped = ON_THEIR_OWN.iter().flat_map(|module| ["--skip".to_owned(), format!("{module}::")]);
    let skipped: Vec<_> = std::iter::once("--".to_owned()).chain(skipped).collect();
    run(again, if nextest { &[] } else { &skipped }, Some("postgres"))
}

/// The tests of the application that choose themselves what they stand on, and so run once.
const ON_THEIR_OWN: [&str; 6] = ["browser", "conformance", "sqlite", "postgres", "replicas", "deployment"];

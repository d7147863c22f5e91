//! Side-by-side measurements: Restock beside a native server that does the same work, in one run on one machine.
//!
//! A number of one run means little, a ratio of two contenders in one run means something. So every measurement here runs
//! its own baseline.

mod books;
mod cluster;
mod console;
mod contender;
mod load;
mod native;
mod native_returns;
mod orders;
mod pgbench;
mod profile;
mod returns;
mod steady;
mod usage;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask bench", about = "Measures Restock beside a native baseline.")]
struct Options {
    #[command(subcommand)]
    bench: Bench,
}

#[derive(Subcommand)]
enum Bench {
    /// Orders a second and their latency at full durability
    Orders(orders::Options),
    /// A burst of returns: how long, at what cost, and what orders feel of it
    Returns(returns::Options),
    /// The console's pages in a large shop, and what watching costs the orders
    Console(console::Options),
    /// The baseline's server; `orders` starts it
    #[command(hide = true)]
    Native(native::Options),
    /// The baseline's worker; `returns` starts it
    #[command(hide = true)]
    NativeReturns(native_returns::Options),
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match options.bench {
        Bench::Orders(options) => runtime.block_on(orders::run(&options)),
        Bench::Returns(options) => runtime.block_on(returns::run(&options)),
        Bench::Console(options) => runtime.block_on(console::run(&options)),
        Bench::Native(options) => runtime.block_on(native::serve(options)).map(|()| ExitCode::SUCCESS),
        Bench::NativeReturns(options) => {
            runtime.block_on(native_returns::work(options)).map(|()| ExitCode::SUCCESS)
        }
    }
}

//! Side-by-side measurements: Restock beside a native server that does the same work, in one run on one machine.
//!
//! A number of one run means little, a ratio of two contenders that took turns means something. So every measurement
//! here runs its own baseline, and says what it demands of the ratio.

mod contender;
mod load;
mod native;
mod orders;

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
    /// The baseline's server; `orders` starts it
    #[command(hide = true)]
    Native(native::Options),
}

fn main() -> Result<ExitCode> {
    let options = Options::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    match options.bench {
        Bench::Orders(options) => runtime.block_on(orders::run(&options)),
        Bench::Native(options) => runtime.block_on(native::serve(options)).map(|()| ExitCode::SUCCESS),
    }
}

//! The program `restock-sandbox`: the legacy factory on an address of its own, until Ctrl-C.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Parser;
use restock_sandbox::{Factory, Knobs};

/// A stand-in for the legacy factory, with faults on demand under /sandbox.
#[derive(Parser)]
#[command(name = "restock-sandbox", version)]
struct Options {
    /// Address to listen on; port 0 takes a free one.
    #[arg(long, default_value = "127.0.0.1:3900")]
    listen: SocketAddr,
    /// Milliseconds each of the five stages takes.
    #[arg(long, default_value_t = Knobs::STAGE_MS)]
    stage_ms: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let options = Options::parse();
    let factory = Factory::start(options.listen).await?;
    factory.turn(|knobs| knobs.stage_ms = Some(options.stage_ms))?;
    println!("factory on {}", factory.url());
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    factory.stop().await;
    Ok(())
}

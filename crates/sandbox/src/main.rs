//! The program `restock-sandbox`: every stand-in on an address of its own, until Ctrl-C.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Parser;
use restock_sandbox::{Factory, Knobs, Logistics, Mail, Marketing, Slack};

/// Returns to look at.
const RETURNS: usize = 20;
/// As slow as a stage of the factory.
const STATUS_EVERY_MS: u64 = Knobs::STAGE_MS;

/// Stand-ins for the factory, mail, Slack, the marketing system and the logistics partner, with faults on demand under /sandbox.
#[derive(Parser)]
#[command(name = "restock-sandbox", version)]
struct Options {
    /// Where the factory listens; port 0 takes a free one, here and below.
    #[arg(long, visible_alias = "listen", default_value = "127.0.0.1:3900")]
    factory: SocketAddr,
    /// Where mail listens, and shows its inbox.
    #[arg(long, default_value = "127.0.0.1:3901")]
    mail: SocketAddr,
    /// Where Slack listens, and shows its messages.
    #[arg(long, default_value = "127.0.0.1:3902")]
    slack: SocketAddr,
    /// Where the marketing system listens, and shows its events.
    #[arg(long, default_value = "127.0.0.1:3903")]
    marketing: SocketAddr,
    /// Where the logistics partner listens, and shows its returns.
    #[arg(long, default_value = "127.0.0.1:3904")]
    logistics: SocketAddr,
    /// Milliseconds each of the factory's five stages takes.
    #[arg(long, default_value_t = Knobs::STAGE_MS)]
    stage_ms: u64,
    /// Returns that the logistics partner holds from the start.
    #[arg(long, default_value_t = RETURNS)]
    returns: usize,
    /// Milliseconds after which the shipments of all returns move one status on.
    #[arg(long, default_value_t = STATUS_EVERY_MS)]
    status_every_ms: u64,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).init();
    let options = Options::parse();
    let factory = Factory::start(options.factory).await?;
    factory.turn(|knobs| knobs.stage_ms = Some(options.stage_ms))?;
    let mail = Mail::start(options.mail).await?;
    let slack = Slack::start(options.slack).await?;
    let marketing = Marketing::start(options.marketing).await?;
    let logistics = Logistics::start(options.logistics).await?;
    logistics.set_returns(options.returns)?;
    logistics.turn(|knobs| knobs.status_every_ms = Some(options.status_every_ms))?;
    println!("factory on {}", factory.url());
    println!(
        "mail on {} (SES key {} {}, Resend key {})",
        mail.url(),
        Mail::ACCESS_KEY_ID,
        Mail::SECRET_ACCESS_KEY,
        Mail::RESEND_KEY
    );
    println!("slack on {}", slack.webhook_url());
    println!("marketing on {} (secret {})", marketing.hook_url(), Marketing::SECRET);
    println!(
        "logistics on {} (token {}), its page on {}",
        logistics.url(),
        Logistics::TOKEN,
        logistics.origin()
    );
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    tokio::join!(factory.stop(), mail.stop(), slack.stop(), marketing.stop(), logistics.stop());
    Ok(())
}

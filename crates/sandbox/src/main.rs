//! The program `restock-sandbox`: every stand-in on an address of its own, until Ctrl-C.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Parser;
use restock_sandbox::{Factory, Knobs, Mail, Marketing, Slack};

/// Stand-ins for the factory, mail, Slack and the marketing system, with faults on demand under /sandbox.
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
    /// Milliseconds each of the factory's five stages takes.
    #[arg(long, default_value_t = Knobs::STAGE_MS)]
    stage_ms: u64,
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
    tokio::signal::ctrl_c().await.context("cannot wait for Ctrl-C")?;
    tokio::join!(factory.stop(), mail.stop(), slack.stop(), marketing.stop());
    Ok(())
}

//! Claim: software that others wrote understands what Restock sends. Method: a mail goes through our request builder to an
//! independent SES server and is read back; AWS's own signer must arrive at our signature; the Standard Webhooks library must verify
//! our webhooks, and we its. Needs: Node.js and the packages of tests/peers/node, which `cargo xtask peers` installs.

mod http1;
mod mail;
mod node;
mod webhook;

use anyhow::{Context as _, Result};
use node::Node;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// A promise to a peer, and what holds us to it.
type Check = (&'static str, fn(&Node, u64) -> Result<()>);

const CHECKS: &[Check] = &[
    ("an SES server takes our mail and shows it in Korean", mail::is_taken_and_read_back),
    ("an SES server's refusal is read as one", mail::a_refusal_is_read),
    ("AWS's own signer signs our request as we do", mail::is_signed_as_aws_signs),
    ("the Standard Webhooks library verifies our webhook", webhook::is_verified),
    ("it verifies with either secret while one is changed", webhook::is_verified_with_either_secret),
    ("it does not verify a webhook that was changed or is old", webhook::is_not_verified_when_changed),
    ("we verify a webhook that it signed", webhook::theirs_is_verified),
];

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let folder = std::env::args_os().nth(1).context("the folder of the peers must be given")?;
    let node = Node::new(PathBuf::from(folder));
    let now_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    for (claim, check) in CHECKS {
        check(&node, now_ms).with_context(|| format!("not so: {claim}"))?;
        println!("ok: {claim}");
    }
    Ok(())
}

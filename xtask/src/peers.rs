//! Checks against software that others wrote: an SES server, AWS's own signer, the Standard Webhooks library, and axe-core, which
//! looks for barriers on pages.
//!
//! Optional, because it needs Node.js and the network: nothing of it is in the product, and `cargo xtask test` does without.

use std::fs;

use anyhow::{Context as _, Result, bail};

use crate::make;
use crate::step::{Step, is_there, root, target};

/// What the peers need, from tests/peers/node. The lock file holds every package to one version and one digest.
const FILES: [&str; 4] = [".npmrc", "package.json", "package-lock.json", "peers.mjs"];

/// The test that has axe-core look at every page, and the variable that tells it where that is.
const PAGES: &str =
    "browser::accessibility::axe_finds_nothing_on_any_page_in_any_colour_on_a_phone_or_beside_one";
const AXE_VARIABLE: &str = "RESTOCK_TEST_AXE";

/// Installs the peers into target/peers and runs the checks.
pub(crate) fn peers() -> Result<()> {
    for program in ["node", "npm"] {
        if !is_there(program, &["--version"]) {
            bail!("the peers run on Node.js, and there is no `{program}`: see https://nodejs.org");
        }
    }
    let (from, to) = (root().join("tests/peers/node"), target().join("peers"));
    fs::create_dir_all(&to).with_context(|| format!("cannot make {}", to.display()))?;
    for file in FILES {
        fs::copy(from.join(file), to.join(file)).with_context(|| format!("cannot copy {file}"))?;
    }
    // No script of a package runs while it is installed; none of these needs one.
    Step::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix"])
        .arg(&to)
        .or("the peers could not be installed: is the network reachable?")?;
    make::native("restock-peers").or("the checks do not compile: see the compiler's message above")?;
    make::program("restock-peers")
        .arg(&to)
        .or("a peer does not understand what we send: see the message above")?;
    make::components()?;
    make::ignored_test(PAGES)
        .env(AXE_VARIABLE, to.join("node_modules/axe-core/axe.min.js"))
        .or("a page has a barrier: see the message above")
}

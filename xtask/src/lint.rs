//! The checks before a change is shared: format, the compiler's and clippy's lints, the rules of the house.

use anyhow::Result;

use crate::step::cargo;
use crate::{house, make};

/// Runs all of them; the first that fails ends it.
pub(crate) fn lint() -> Result<()> {
    cargo("fmt").args(["--all", "--check"]).or("run `cargo fmt --all`")?;
    house::check()?;
    make::wasm_target()?;
    let advice = "fix the lints above, or silence one where it is wrong with #[expect(…, reason = \"…\")]";
    // In the profiles of the builds, which then share their build scripts and macros with these checks.
    cargo("clippy")
        .args(["--profile", make::WASM_PROFILE, "--target", make::WASM_TARGET])
        .args(make::chosen_components()?)
        .args(["--package", "restock-edge", "--package", "restock-bindings", "--", "-D", "warnings"])
        .or(advice)?;
    cargo("clippy")
        .args(["--release", "--workspace", "--all-targets"])
        .args(["--", "-D", "warnings"])
        .or(advice)
}

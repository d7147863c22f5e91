//! The rules of the house that no other tool checks.
//!
//! - A Rust file opens with `//!` and says what it is for.
//! - No source file is longer than [`LINES_MAX`].
//! - Nothing names a path of somebody's own machine, and no conflict marker is left behind.
//! - Migrations are numbered without a gap, and a released one is never changed. One that is too long for a file goes on in another
//!   one of its number, whose name goes on as well: `0007_buyers.sql`, `0007_buyers_rules.sql`.

use std::fs;

use anyhow::{Result, bail};

use crate::step::{Step, is_there, root};

/// Longest source file.
const LINES_MAX: usize = 600;
/// What is measured by [`LINES_MAX`].
const SOURCES: [&str; 4] = [".rs", ".sql", ".wit", ".sh"];

/// Names every fault at once.
pub(crate) fn check() -> Result<()> {
    if !is_there("git", &["rev-parse", "--git-dir"]) {
        eprintln!("==> house rules skipped: they need git and a repository");
        return Ok(());
    }
    let listed =
        Step::new("git").args(["ls-files", "--cached", "--others", "--exclude-standard"]).output()?;
    let files = listed.lines().filter(|path| root().join(path).is_file()).collect::<Vec<_>>();
    let mut faults = Vec::new();
    for path in &files {
        // What is not text has no such rules.
        if let Ok(text) = fs::read_to_string(root().join(path)) {
            faults.extend(faults_of(path, &text).into_iter().map(|fault| format!("{path}: {fault}")));
        }
    }
    faults.extend(migration_faults(&files)?);
    if !faults.is_empty() {
        bail!("against the rules of the house:\n  {}", faults.join("\n  "));
    }
    eprintln!("==> house rules hold in {} files", files.len());
    Ok(())
}

fn faults_of(path: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    if path.ends_with(".rs") && !text.starts_with("//!") {
        faults.push("does not open with `//!`: say what the file is for".to_owned());
    }
    let lines = text.lines().count();
    if SOURCES.iter().any(|ending| path.ends_with(ending)) && lines > LINES_MAX {
        faults.push(format!("{lines} lines, more than {LINES_MAX}: split it"));
    }
    for (number, line) in (1..).zip(text.lines()) {
        // Put together here, because this file is checked too.
        if ["<<<<<<<", ">>>>>>>"].iter().any(|marker| line.starts_with(&format!("{marker} "))) {
            faults.push(format!("line {number}: a conflict marker"));
        }
        if ["home", "Users", "root"].iter().any(|folder| line.contains(&format!("/{folder}/"))) {
            faults.push(format!("line {number}: a path of somebody's own machine"));
        }
    }
    faults
}

fn migration_faults(files: &[&str]) -> Result<Vec<String>> {
    let mut faults = Vec::new();
    // Each database of each dialect has a folder of its own, and its own numbers.
    let mut folders = files
        .iter()
        .filter(|path| path.starts_with("migrations/"))
        .filter_map(|path| path.rsplit_once('/'))
        .map(|(folder, _)| format!("{folder}/"))
        .collect::<Vec<_>>();
    folders.sort_unstable();
    folders.dedup();
    for folder in folders {
        let mut names = files.iter().filter_map(|path| path.strip_prefix(&folder)).collect::<Vec<_>>();
        names.retain(|name| !name.contains('/'));
        names.sort_unstable();
        faults.extend(number_faults(&names).into_iter().map(|fault| format!("{folder}{fault}")));
    }
    // Without a release, or in a clone without tags, nothing is frozen.
    let tags =
        Step::new("git").args(["tag", "--merged", "HEAD", "--sort=-v:refname", "--list", "v*"]).output();
    if let Some(tag) = tags.unwrap_or_default().lines().next() {
        let changed = Step::new("git")
            .args(["diff", "--name-only", "--no-renames", "--diff-filter=MD", tag, "--", "migrations"])
            .output()?;
        faults.extend(changed.lines().map(|path| {
            format!("{path}: was released with {tag} and must not change; write a new migration instead")
        }));
    }
    Ok(faults)
}

/// What is wrong with the names of the migrations of one folder, in their order.
fn number_faults(names: &[&str]) -> Vec<String> {
    let (mut number, mut last) = (0_u32, "");
    let mut faults = Vec::new();
    for name in names {
        let stem = name.strip_suffix(".sql");
        if stem.is_some_and(|stem| !last.is_empty() && stem.starts_with(&format!("{last}_"))) {
            continue;
        }
        number += 1;
        match stem.filter(|stem| stem.starts_with(&format!("{number:04}_"))) {
            Some(stem) => last = stem,
            None => faults.push(format!("{name}: should be {number:04}_<name>.sql")),
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::{faults_of, number_faults};

    #[test]
    fn migrations_have_no_gap_and_may_go_on_in_another_file() {
        assert_eq!(number_faults(&["0001_a.sql", "0002_b.sql", "0002_b_c.sql", "0003_d.sql"]), [""; 0]);
        assert_eq!(number_faults(&["0001_a.sql", "0001_b.sql"]), ["0001_b.sql: should be 0002_<name>.sql"]);
        assert_eq!(number_faults(&["0001_a.sql", "0003_b.sql"]), ["0003_b.sql: should be 0002_<name>.sql"]);
        assert_eq!(number_faults(&["0001_a.txt"]), ["0001_a.txt: should be 0001_<name>.sql"]);
    }

    #[test]
    fn a_file_in_order_has_no_fault() {
        assert_eq!(faults_of("a.rs", "//! Something.\nfn main() {}\n"), Vec::<String>::new());
    }

    #[test]
    fn each_rule_finds_its_fault() {
        assert_eq!(faults_of("a.rs", "fn main() {}\n").len(), 1);
        assert_eq!(faults_of("a.sql", &"-- x\n".repeat(601)).len(), 1);
        assert_eq!(faults_of("a.md", &"x\n".repeat(601)).len(), 0);
        assert_eq!(faults_of("a.md", &format!("see /{}/me/notes\n", "home")).len(), 1);
        assert_eq!(faults_of("a.toml", &format!("{} HEAD\n", "<".repeat(7))).len(), 1);
    }
}

//! One machine: systemd units, containers, runtime configurations, and what documents say about variables.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::spin_toml;
use crate::support::root;

/// Every file below a folder.
pub(crate) fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
        let path = entry.expect("an entry").path();
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The variables of spin.toml, and whether each is a secret.
pub(crate) fn variables() -> Vec<(String, bool)> {
    let manifest: toml::Table = spin_toml().parse().expect("TOML");
    let variables = manifest["variables"].as_table().expect("variables");
    let secret = |variable: &toml::Value| variable.get("secret").and_then(toml::Value::as_bool) == Some(true);
    variables.iter().map(|(name, variable)| (name.clone(), secret(variable))).collect()
}

/// The components that a trigger of this kind is bound to.
pub(crate) fn bound(kind: &str) -> BTreeSet<String> {
    let manifest: toml::Table = spin_toml().parse().expect("TOML");
    let triggers = manifest["trigger"][kind].as_array().expect("triggers").clone();
    triggers.iter().map(|trigger| trigger["component"].as_str().expect("a component").to_owned()).collect()
}

/// The values of an option on the line that starts a program.
fn options<'a>(unit: &'a str, option: &str) -> Vec<&'a str> {
    let line = unit.lines().find(|line| line.starts_with("ExecStart=")).expect("a program");
    let words: Vec<&str> = line.split_whitespace().collect();
    words.windows(2).filter(|pair| pair[0] == option).map(|pair| pair[1]).collect()
}

#[test]
fn the_two_sides_on_one_machine_together_run_every_component_once() {
    let web = read("deploy/systemd/restock-spin-web.service");
    let queues = read("deploy/systemd/restock-spin-queues.service");
    let mut run: Vec<String> =
        [&web, &queues].iter().flat_map(|unit| options(unit, "-c")).map(str::to_owned).collect();
    run.sort_unstable();
    let all: Vec<String> = bound("http").union(&bound("redis")).cloned().collect();
    assert_eq!(run, all);
    let with_redis = bound("redis");
    assert!(
        options(&web, "-c").iter().all(|id| !with_redis.contains(*id)),
        "a Redis that is away would end it"
    );
    assert_eq!(options(&queues, "-c").into_iter().map(str::to_owned).collect::<BTreeSet<_>>(), with_redis);
    assert_ne!(options(&web, "--listen"), options(&queues, "--listen"));
    let tick = read("deploy/systemd/restock-tick.service");
    let address = options(&web, "--listen")[0];
    assert!(tick.contains(&format!("http://{address}/internal/tick")), "the tick goes where the clock is");
}

#[test]
fn the_embedded_host_takes_the_options_that_units_and_images_give_it() {
    let unit = read("deploy/systemd/restock.service");
    let container = read("deploy/Containerfile");
    let line = unit.lines().find(|line| line.starts_with("ExecStart=")).expect("a program");
    let start = container.lines().find(|line| line.starts_with("CMD ")).expect("a command");
    let program = root().join("target/release/restock");
    let help = Command::new(&program).args(["up", "--help"]).output().expect("run `cargo xtask build`");
    let help = String::from_utf8(help.stdout).expect("text");
    let words = line.split_whitespace().chain(start.split('"'));
    let given: BTreeSet<&str> = words.filter(|word| word.starts_with("--")).collect();
    assert!(given.len() >= 4, "{given:?}");
    for option in given {
        assert!(help.contains(&format!("{option} ")), "`restock up` knows no {option}");
    }
    // A Job runs the same image to migrate.
    let job = read("deploy/spinkube/migrate/job.yaml");
    assert!(job.contains("args: [migrate, --profile, postgres]"), "{job}");
    let migrate = Command::new(&program).args(["migrate", "--help"]).output().expect("the program");
    let help = String::from_utf8(migrate.stdout).expect("text");
    assert!(migrate.status.success() && help.contains("--profile "), "{help}");
}

#[test]
fn variables_named_in_environments_and_documents_exist() {
    let known: BTreeSet<String> =
        variables().into_iter().map(|(name, _)| format!("SPIN_VARIABLE_{}", name.to_uppercase())).collect();
    let mut files = files_below(&root().join("deploy"));
    files.extend(files_below(&root().join("docs")));
    files.extend(files_below(&root().join(".github")));
    files.push(root().join("README.md"));
    let mut found = 0;
    let is_picture = |file: &PathBuf| file.extension().is_some_and(|extension| extension == "png");
    for file in files.into_iter().filter(|file| !is_picture(file)) {
        let text = fs::read_to_string(&file).expect("text");
        for rest in text.split("SPIN_VARIABLE_").skip(1) {
            let name: String = rest.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect();
            // What stands for any of them.
            if name.is_empty() {
                continue;
            }
            found += 1;
            let name = format!("SPIN_VARIABLE_{name}");
            assert!(known.contains(&name), "{} names {name}, which spin.toml does not have", file.display());
        }
    }
    assert!(found > 20, "only {found} were found: the search is wrong");
}

#[test]
fn every_variable_is_explained_to_operators() {
    let text = read("docs/operating.md");
    for (name, _) in variables() {
        assert!(text.contains(&format!("`{name}`")), "docs/operating.md does not explain `{name}`");
    }
}

#[test]
fn runtime_configurations_name_every_database_that_spin_must_be_told_of() {
    let manifest: toml::Table = spin_toml().parse().expect("TOML");
    let mut labels = BTreeSet::new();
    for component in manifest["component"].as_table().expect("components").values() {
        let of_it = component.get("sqlite_databases").and_then(toml::Value::as_array);
        labels.extend(of_it.into_iter().flatten().map(|label| label.as_str().expect("a label").to_owned()));
    }
    for file in
        ["runtime-config.toml", "deploy/runtime-config/sqlite.toml", "deploy/runtime-config/postgres.toml"]
    {
        let config: toml::Table = read(file).parse().expect("TOML");
        // Spin makes this one by itself.
        let mut named = BTreeSet::from(["default".to_owned()]);
        named.extend(config["sqlite_database"].as_table().expect("databases").keys().cloned());
        assert_eq!(named, labels, "{file}");
    }
}

//! Databases in a cluster, our own or one that was handed in.

use std::process::Command;

use anyhow::{Context as _, Result};

use crate::postgres::{Postgres, Settings, folder_of, succeed};

/// The environment variable with the address of the maintenance database of a cluster, for a superuser of it.
pub const POSTGRES_VARIABLE: &str = "RESTOCK_TEST_POSTGRES";

/// A cluster in which databases can be made.
#[derive(Clone, Debug)]
pub struct Databases {
    maintenance: String,
}

impl Databases {
    /// The cluster with this maintenance database: `postgres://user@host:port/database?…`, for a superuser.
    pub fn at(maintenance: impl Into<String>) -> Self {
        Self { maintenance: maintenance.into() }
    }

    /// The address of the maintenance database.
    pub fn maintenance(&self) -> &str {
        &self.maintenance
    }

    /// The address of a database, with everything else as in the address of the maintenance database.
    pub fn url(&self, database: &str) -> String {
        let (address, options) = self.maintenance.split_once('?').unwrap_or((&self.maintenance, ""));
        let (_, rest) = address.split_once("://").unwrap_or(("", address));
        let server = match rest.find('/') {
            Some(slash) => address.get(..address.len() - rest.len() + slash).unwrap_or(address),
            None => address,
        };
        let mark = if options.is_empty() { "" } else { "?" };
        format!("{server}/{database}{mark}{options}")
    }

    /// Makes an empty database.
    pub fn create(&self, name: &str) -> Result<()> {
        self.run(&format!("CREATE DATABASE {}", quoted(name)))
    }

    /// Makes a database as a copy of another one, which nobody may be connected to.
    pub fn create_from(&self, template: &str, name: &str) -> Result<()> {
        self.run(&format!("CREATE DATABASE {} TEMPLATE {}", quoted(name), quoted(template)))
    }

    /// Removes a database, where it is there. Whoever is connected to it is sent away.
    pub fn remove(&self, name: &str) -> Result<()> {
        self.run(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", quoted(name)))
    }

    /// Runs one statement in the maintenance database.
    pub fn run(&self, sql: &str) -> Result<()> {
        rows(&self.maintenance, sql).map(drop)
    }
}

/// Runs statements in the database at `url` and returns the rows of the last one, each column as a text; NULL is an empty one.
pub fn rows(url: &str, sql: &str) -> Result<Vec<Vec<String>>> {
    let folder = folder_of("psql").context("install psql (Debian, Ubuntu: apt install postgresql-client)")?;
    let mut psql = Command::new(folder.join("psql"));
    // None of the caller's own settings, no question for a password.
    psql.args(["--no-psqlrc", "--quiet", "--no-password", "--set", "ON_ERROR_STOP=1"]);
    psql.args(["--tuples-only", "--no-align", "--field-separator", COLUMN, "--record-separator", ROW]);
    psql.args(["--dbname", url, "--command", sql]);
    let output = succeed("psql", psql)?;
    let text = String::from_utf8(output.stdout).context("psql did not print UTF-8")?;
    let text = text.strip_suffix(ROW).or(text.strip_suffix('\n')).unwrap_or(&text);
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Ok(text.split(ROW).map(|row| row.split(COLUMN).map(str::to_owned).collect()).collect())
}

/// What stands between two columns and two rows: the separators of ASCII, which are in nobody's text.
const COLUMN: &str = "\u{1f}";
const ROW: &str = "\u{1e}";

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// The cluster of the environment, or one of our own.
pub struct SharedPostgres {
    /// Where databases are made. Those in a cluster of the environment have to be removed.
    pub databases: Databases,
    /// Our own cluster, if it is one.
    pub own: Option<Postgres>,
}

/// The cluster that [`POSTGRES_VARIABLE`] names; a new one for tests where it names none.
pub fn any_postgres() -> Result<SharedPostgres> {
    if let Ok(url) = std::env::var(POSTGRES_VARIABLE) {
        return Ok(SharedPostgres { databases: Databases::at(url), own: None });
    }
    let own = Postgres::start(Settings::default())?;
    Ok(SharedPostgres { databases: own.databases(), own: Some(own) })
}

#[cfg(test)]
mod tests {
    use super::Databases;

    #[test]
    fn the_address_of_a_database_keeps_everything_else_of_the_address() {
        let url = |maintenance: &str| Databases::at(maintenance).url("one");
        assert_eq!(url("postgres://a:b@127.0.0.1:1/postgres"), "postgres://a:b@127.0.0.1:1/one");
        assert_eq!(url("postgres://127.0.0.1:1"), "postgres://127.0.0.1:1/one");
        assert_eq!(url("postgres://h/x?sslmode=require&a=/"), "postgres://h/one?sslmode=require&a=/");
    }
}

//! Brings a database to the schema that this program knows.
//!
//! The files of `migrations/sqlite` (and of its folder `customers`, for that database) are applied in order, each once, all of
//! them or none. They are written so that applying one again does no harm, for backends on which a transaction does not span
//! two calls. `ALTER TABLE … ADD COLUMN` is the one statement that cannot be written so; it is left out where the column is there.

use std::cmp::Ordering;
use std::iter;

use restock_store::restock::types::Fault;
use restock_store::schema::{self, Schema};
use restock_store::{Database, only};

/// What a database holds, and so how it comes to its schema.
pub(crate) struct Plan {
    /// All migrations, in the order in which they are applied.
    pub(crate) migrations: &'static [Migration],
}

/// A file of `migrations/sqlite`.
pub(crate) struct Migration {
    /// Its number, counted from 1 without gaps.
    pub(crate) version: u32,
    /// Its file name.
    pub(crate) name: &'static str,
    /// Its statements.
    pub(crate) sql: &'static str,
}

macro_rules! migrations {
    ($folder:literal: $($version:literal $name:literal),* $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../../migrations/sqlite/", $folder, $name)),
        }),*]
    };
}

/// The shop: everything but its customers.
pub(crate) const SHOP: Plan = Plan {
    migrations: migrations![
        "":
        1 "0001_catalog_and_ledger.sql",
        2 "0002_orders.sql",
        3 "0003_queues.sql",
        4 "0004_production.sql",
        5 "0005_partners.sql",
        6 "0006_advertisements.sql",
        7 "0007_bulk_buyers.sql",
        8 "0008_incidents.sql",
        9 "0009_letters_and_turns.sql",
        10 "0010_operator_actions.sql",
        11 "0011_returns.sql",
        12 "0012_insight.sql",
        13 "0013_lists.sql",
    ],
};

/// Customers, apart from the shop.
pub(crate) const CUSTOMERS: Plan = Plan {
    migrations: migrations![
        "customers/":
        1 "0001_customers.sql",
        2 "0002_lists.sql",
    ],
};

impl Plan {
    /// The schema that this program knows.
    pub(crate) fn known_version(&self) -> u32 {
        self.migrations.last().map_or(0, |migration| migration.version)
    }

    /// Why nothing can be done with a newer schema, for operators.
    pub(crate) fn newer(&self, version: u32) -> Fault {
        schema::newer(version, self.known_version())
    }

    /// Reads which schema a database has. Writes nothing but the table that keeps the versions, where it is missing.
    pub(crate) async fn inspect(&self, database: &impl Database) -> Result<Schema, Fault> {
        database.write_keyed(include_str!("sql/schema_migration_create.sql"), vec![]).await?;
        let (version, known) = (version(database).await?, self.known_version());
        Ok(match version.cmp(&known) {
            Ordering::Equal => Schema::Current,
            Ordering::Greater => Schema::Newer(version),
            Ordering::Less => Schema::Behind,
        })
    }

    /// Applies the migrations that are missing. Needs a connection of its own: the transaction spans many statements.
    ///
    /// Two programs that start together wait for each other at the first statement; the second one then finds nothing to do.
    pub(crate) async fn apply(&self, database: &impl Database) -> Result<(), Fault> {
        database.write("BEGIN IMMEDIATE", vec![]).await?;
        let applied = self.apply_missing(database).await;
        if applied.is_ok() {
            database.write("COMMIT", vec![]).await?;
        } else {
            // The fault that led here is the one to tell. A rollback that fails leaves nothing behind either: the connection
            // is closed next.
            drop(database.write("ROLLBACK", vec![]).await);
        }
        applied
    }

    async fn apply_missing(&self, database: &impl Database) -> Result<(), Fault> {
        let version = version(database).await?;
        for migration in self.migrations.iter().filter(|migration| migration.version > version) {
            apply_file(database, migration).await.map_err(|fault| in_file(migration.name, fault))?;
            let parameters = vec![migration.version.into(), migration.name.into()];
            database.write(include_str!("sql/schema_migration_insert.sql"), parameters).await?;
        }
        Ok(())
    }
}

/// Runs the statements of one file, however many of them ran before.
pub(crate) async fn apply_file(database: &impl Database, migration: &Migration) -> Result<(), Fault> {
    for statement in statements(migration.sql) {
        if let Some((table, column)) = added_column(statement) {
            let parameters = vec![table.into(), column.into()];
            let sql = include_str!("sql/schema_column_get.sql");
            if database.read_one(sql, parameters).await?.is_some() {
                continue;
            }
        }
        database.write(statement, vec![]).await?;
    }
    Ok(())
}

/// The table and the column of `ALTER TABLE table ADD COLUMN column`, written with all of its words and without quotes.
fn added_column(statement: &str) -> Option<(&str, &str)> {
    let mut words = Tokens { sql: statement, at: 0 }.map(|(_, word)| word);
    let mut keyword = |expected: &str| words.next().is_some_and(|word| word.eq_ignore_ascii_case(expected));
    if !(keyword("ALTER") && keyword("TABLE")) {
        return None;
    }
    let table = words.next()?;
    let mut keyword = |expected: &str| words.next().is_some_and(|word| word.eq_ignore_ascii_case(expected));
    let adds = keyword("ADD") && keyword("COLUMN");
    adds.then(|| words.next()).flatten().map(|column| (table, column))
}

/// The number of the newest migration that was applied.
pub(crate) async fn version(database: &impl Database) -> Result<u32, Fault> {
    only(database.read(include_str!("sql/schema_migration_version.sql"), vec![]).await?)?.integer()
}

fn in_file(name: &str, fault: Fault) -> Fault {
    match fault {
        Fault::Unavailable(text) => Fault::Unavailable(format!("{name}: {text}")),
        Fault::Corrupt(text) => Fault::Corrupt(format!("{name}: {text}")),
    }
}

/// The statements of a file, without the semicolons that end them.
///
/// SQLite runs one statement a call and does not say where it ends. A semicolon ends a statement unless it is in a string, a
/// name, a comment or the body of a trigger, which goes from BEGIN to the END that no CASE is waiting for.
pub(crate) fn statements(sql: &str) -> impl Iterator<Item = &str> {
    let mut rest = sql;
    iter::from_fn(move || {
        while !rest.is_empty() {
            let (statement, tail) = split_first(rest);
            rest = tail;
            if statement.is_some() {
                return statement;
            }
        }
        None
    })
}

/// The first statement, none where only comments and spaces came before its end, and what follows.
fn split_first(sql: &str) -> (Option<&str>, &str) {
    let mut words = 0_usize;
    let mut depth = 0_usize;
    let mut trigger = false;
    let mut start = None;
    let mut tokens = Tokens { sql, at: 0 };
    while let Some((from, token)) = tokens.next() {
        if token == ";" && depth == 0 {
            let statement = start.and_then(|start| sql.get(start..from));
            return (statement, sql.get(tokens.at..).unwrap_or_default());
        }
        start.get_or_insert(from);
        words += 1;
        // CREATE TRIGGER, CREATE TEMP TRIGGER.
        trigger |= words <= 3 && token.eq_ignore_ascii_case("trigger");
        if trigger && (token.eq_ignore_ascii_case("begin") || token.eq_ignore_ascii_case("case")) {
            depth += 1;
        } else if trigger && token.eq_ignore_ascii_case("end") {
            depth = depth.saturating_sub(1);
        }
    }
    (start.and_then(|start| sql.get(start..)), "")
}

/// Words, strings and single characters of SQL; comments and spaces are left out.
struct Tokens<'a> {
    sql: &'a str,
    at: usize,
}

impl<'a> Iterator for Tokens<'a> {
    /// Where a token begins, and the token.
    type Item = (usize, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let rest = self.sql.get(self.at..)?;
            let first = rest.chars().next()?;
            let (length, blank) = match first {
                _ if rest.starts_with("--") => (rest.find('\n').map_or(rest.len(), |end| end + 1), true),
                _ if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |end| end + 2), true),
                _ if first.is_whitespace() => (first.len_utf8(), true),
                '\'' | '"' | '`' => (quoted(rest, first), false),
                '[' => (rest.find(']').map_or(rest.len(), |end| end + 1), false),
                _ if word(first) => (rest.find(|next| !word(next)).unwrap_or(rest.len()), false),
                _ => (first.len_utf8(), false),
            };
            let from = self.at;
            self.at += length;
            if !blank {
                return Some((from, rest.get(..length)?));
            }
        }
    }
}

fn word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The length of what `quote` opens. A doubled quote inside reads as two strings side by side, which ends at the same place.
fn quoted(rest: &str, quote: char) -> usize {
    rest.char_indices().skip(1).find(|(_, next)| *next == quote).map_or(rest.len(), |(end, _)| end + 1)
}

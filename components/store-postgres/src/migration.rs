//! Brings a database to the schema that this program knows.
//!
//! The files of `migrations/postgres` (and of its folder `customers`, for that database) are applied in order, each as one
//! statement: as a whole or not at all, under a lock that those who start together wait for. Their numbers and names are those of
//! `migrations/sqlite`, so a version means the same with either store.

use std::cmp::Ordering;

use restock_store::restock::types::Fault;
use restock_store::schema::{self, Schema};
use restock_store::{Row, only};

use crate::connection::{Address, Failure};

/// What a database holds, and so how it comes to its schema.
pub(crate) struct Plan {
    /// All migrations, in the order in which they are applied.
    migrations: &'static [Migration],
    /// The oldest program that may go on beside them, named by the version that it knows. A migration that only expands leaves
    /// this as it is, so hosts are replaced one after the other; one that takes away what older programs use raises it.
    oldest: u32,
}

/// A migration.
struct Migration {
    /// Its number, counted from 1 without gaps.
    version: u32,
    /// The name of its file, the first one where it has two.
    name: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($folder:literal: $($version:literal $name:literal $(and $more:literal)?),* $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sql: concat!(
                include_str!(concat!("../../../migrations/postgres/", $folder, $name)),
                $("\n", include_str!(concat!("../../../migrations/postgres/", $folder, $more)),)?
            ),
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
        11 "0011_returns.sql" and "0011_returns_operations.sql",
        12 "0012_insight.sql" and "0012_insight_traces.sql",
        13 "0013_lists.sql",
    ],
    oldest: 11,
};

/// Customers, apart from the shop.
pub(crate) const CUSTOMERS: Plan = Plan {
    migrations: migrations![
        "customers/":
        1 "0001_customers.sql",
        2 "0002_lists.sql",
    ],
    oldest: 1,
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

    /// Reads which schema a database has. Writes nothing.
    pub(crate) async fn inspect(&self, address: &Address) -> Result<Schema, Failure> {
        let (Applied { version, oldest }, known) = (applied(address).await?, self.known_version());
        Ok(match version.cmp(&known) {
            Ordering::Less => Schema::Behind,
            Ordering::Greater if oldest > known => Schema::Newer(version),
            Ordering::Equal | Ordering::Greater => Schema::Current,
        })
    }

    /// Applies the migrations that are missing, each of them unless another program was faster.
    pub(crate) async fn apply(&self, address: &Address) -> Result<(), Failure> {
        address.run(include_str!("sql/schema_migration_create.sql"), &[]).await?;
        let Applied { version, .. } = applied(address).await?;
        for migration in self.migrations.iter().filter(|migration| migration.version > version) {
            address
                .run(&migration.statement(self.oldest), &[])
                .await
                .map_err(|failure| failure.in_file(migration.name))?;
        }
        Ok(())
    }
}

impl Migration {
    /// The statement that applies it. It is not one with parameters, because the statements of a file cannot be one; nothing gets
    /// into it but what this program was built with.
    fn statement(&self, oldest: u32) -> String {
        include_str!("sql/schema_migration_apply.sql")
            .replace("{version}", &self.version.to_string())
            .replace("{name}", self.name)
            .replace("{oldest}", &oldest.to_string())
            .replace("{file}", self.sql)
    }
}

/// What was applied to a database.
#[derive(Default)]
struct Applied {
    /// The number of the newest migration; 0 where the table that says so is not there yet.
    version: u32,
    /// The oldest program that may run on it.
    oldest: u32,
}

async fn applied(address: &Address) -> Result<Applied, Failure> {
    let rows = match address.run(include_str!("sql/schema_migration_version.sql"), &[]).await {
        Err(failure) if failure.is_undefined_table() => return Ok(Applied::default()),
        rows => rows?,
    };
    only(rows)
        .and_then(|mut row: Row| Ok(Applied { version: row.integer()?, oldest: row.integer()? }))
        .map_err(|_| Failure::corrupt("the version of its schema"))
}

#[cfg(test)]
mod tests {
    use super::{CUSTOMERS, SHOP};

    #[test]
    fn a_file_stands_in_its_statement_as_it_is() {
        for migration in SHOP.migrations.iter().chain(CUSTOMERS.migrations) {
            let statement = migration.statement(7);
            assert!(
                statement.contains(&format!("$restock_file${}$restock_file$", migration.sql)),
                "{}",
                migration.name
            );
            assert_eq!(statement.matches("$restock_file$").count(), 2, "{}", migration.name);
            let applied = format!("VALUES ({}, '{}', 7)", migration.version, migration.name);
            assert!(statement.contains(&applied), "{statement}");
        }
    }

    #[test]
    fn migrations_are_numbered_from_one_without_gaps_as_their_files_are() {
        for plan in [SHOP, CUSTOMERS] {
            for (place, migration) in (1..).zip(plan.migrations) {
                assert_eq!(migration.version, place);
                assert!(migration.name.starts_with(&format!("{place:04}_")), "{}", migration.name);
            }
        }
    }

    #[test]
    fn no_program_is_said_to_run_on_what_it_cannot_know() {
        for plan in [SHOP, CUSTOMERS] {
            assert!((1..=plan.known_version()).contains(&plan.oldest));
        }
    }
}

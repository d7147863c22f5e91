//! Where a shop of the tests keeps its rows and how it rings: as out of the box, or on servers.
//!
//! `RESTOCK_TEST_PROFILE=postgres` puts every shop on a real Postgres and a real Redis: the same tests, the other engine.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use restock_host::Options;
use restock_servers::{Databases, Postgres, Redis, Settings, SharedPostgres, any_postgres};
use tempfile::TempDir;

use crate::rows::Rows;
use crate::support::root;

/// The environment variable with the manifest profile of the run.
const PROFILE_VARIABLE: &str = "RESTOCK_TEST_PROFILE";
/// The profile with the Postgres store.
pub(crate) const POSTGRES: &str = "postgres";

/// The databases of a shop.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Database {
    /// Everything but its customers.
    Shop,
    Customers,
}

/// What a shop stands on. It goes with this value.
pub(crate) struct Home {
    data: TempDir,
    servers: Option<Servers>,
}

/// A Redis and two databases of its own. Publish and subscribe know no databases, so a Redis that shops share would ring in all of them.
pub(crate) struct Servers {
    pub(crate) redis: Redis,
    /// The cluster, where it is the test's own.
    pub(crate) postgres: Option<Postgres>,
    databases: Databases,
    shop: String,
    customers: String,
}

impl Home {
    /// What this run is about.
    pub(crate) fn new() -> Self {
        match std::env::var(PROFILE_VARIABLE) {
            Err(_) => Self::on_files(),
            Ok(profile) if profile == POSTGRES => Self::on_servers(),
            Ok(profile) => panic!("{PROFILE_VARIABLE} names the profile {profile:?}, which there is not"),
        }
    }

    /// Files, whatever this run is about.
    pub(crate) fn on_files() -> Self {
        Self { data: TempDir::new().expect("a folder"), servers: None }
    }

    /// Real servers, whatever this run is about.
    pub(crate) fn on_servers() -> Self {
        Self::on(any_postgres().expect("a cluster"))
    }

    /// Real servers that the test may stop.
    pub(crate) fn on_own_servers(settings: Settings) -> Self {
        let own = Postgres::start(settings).expect("a cluster");
        Self::on(SharedPostgres { databases: own.databases(), own: Some(own) })
    }

    fn on(SharedPostgres { databases, own: postgres }: SharedPostgres) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let redis = Redis::start().expect("a Redis");
        let name = format!("restock_{}_{}", process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let (shop, customers) = (format!("{name}_shop"), format!("{name}_customers"));
        for database in [&shop, &customers] {
            databases.remove(database).expect("what an older run left is removed");
            databases.create(database).expect("a database");
        }
        let servers = Servers { redis, postgres, databases, shop, customers };
        Self { data: TempDir::new().expect("a folder"), servers: Some(servers) }
    }

    /// The options of the application in this place, with no variables but those of the place.
    pub(crate) fn options(&self) -> Options {
        let mut options = Options::new(root().join("spin.toml"), self.data.path());
        if let Some(servers) = &self.servers {
            options.profile = Some(POSTGRES.to_owned());
            for (name, value) in [
                ("postgres_url", servers.databases.url(&servers.shop)),
                ("customers_url", servers.databases.url(&servers.customers)),
                ("redis_url", servers.redis.url()),
            ] {
                options.variables.insert(name.to_owned(), value);
            }
        }
        options
    }

    /// The servers below; panics where there are none.
    pub(crate) fn servers(&mut self) -> &mut Servers {
        self.servers.as_mut().expect("a home on servers")
    }

    /// The rows of one of its databases.
    pub(crate) fn rows(&self, database: Database) -> Rows {
        match (&self.servers, database) {
            (None, Database::Shop) => Rows::Sqlite(self.data.path().join("sqlite/default.db")),
            (None, Database::Customers) => Rows::Sqlite(self.data.path().join("sqlite/customers.db")),
            (Some(servers), Database::Shop) => Rows::Postgres(servers.databases.url(&servers.shop)),
            (Some(servers), Database::Customers) => Rows::Postgres(servers.databases.url(&servers.customers)),
        }
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        // A cluster of its own goes as a whole. What cannot be removed from a shared one goes with that.
        if self.postgres.is_none() {
            for database in [&self.shop, &self.customers] {
                let _ = self.databases.remove(database);
            }
        }
    }
}

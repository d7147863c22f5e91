//! Databases of Postgres for a test.
//!
//! On a cluster that many tests share they are copies of two that were migrated once; whoever comes first makes these, and the
//! store itself migrates them. On a cluster that lives for one test only, a copy would cost more than it saves.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::Path;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use restock_host::library::Surroundings;
use restock_servers::{Databases, SharedPostgres, any_postgres};
use tokio::runtime::Handle;
use tokio::task::block_in_place;

use super::store::{Engine, Label};
use crate::rows::Rows;
use crate::support::root;

/// Two databases of its own, removed with this value.
pub(crate) struct Cluster {
    databases: Databases,
    shop: String,
    customers: String,
}

impl Cluster {
    /// Databases without anything in them.
    pub(crate) fn empty() -> Self {
        Self::with(|databases, name, _| databases.create(name).expect("a database"))
    }

    /// Databases that the store knows, or will migrate when it first uses them.
    pub(crate) fn migrated() -> Self {
        if server().own.is_some() {
            return Self::empty();
        }
        static TEMPLATES: OnceLock<[String; 2]> = OnceLock::new();
        let [shop, customers] = TEMPLATES.get_or_init(|| templates(&server().databases));
        Self::with(|databases, name, label| {
            let template = if label == Label::Default { shop } else { customers };
            databases.create_from(template, name).expect("a copy");
        })
    }

    fn with(make: impl Fn(&Databases, &str, Label)) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("restock_store_{}_{number}", std::process::id());
        let databases = server().databases.clone();
        let cluster =
            Self { shop: format!("{name}_shop"), customers: format!("{name}_customers"), databases };
        for label in [Label::Default, Label::Customers] {
            // A process of this number may have died before it removed its own.
            cluster.databases.remove(cluster.name(label)).expect("what another run left is removed");
            make(&cluster.databases, cluster.name(label), label);
        }
        cluster
    }

    fn name(&self, label: Label) -> &str {
        match label {
            Label::Default => &self.shop,
            Label::Customers => &self.customers,
        }
    }

    /// The address of a database.
    pub(crate) fn url(&self, label: Label) -> String {
        self.databases.url(self.name(label))
    }

    /// The server, as a permission names it.
    pub(crate) fn origin(&self) -> String {
        origin(&self.databases)
    }

    /// Removes a database and makes an empty one of its name.
    pub(crate) fn make_anew(&self, label: Label) {
        self.databases.remove(self.name(label)).expect("the database is removed");
        self.databases.create(self.name(label)).expect("a database");
    }

    /// The same, in an encoding that has no Korean.
    pub(crate) fn make_latin(&self, label: Label) {
        let name = self.name(label);
        self.databases.remove(name).expect("the database is removed");
        self.databases
            .run(&format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'"))
            .expect("a database");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for label in [Label::Default, Label::Customers] {
            // What cannot be removed is gone with the cluster.
            drop(self.databases.remove(self.name(label)));
        }
    }
}

/// The cluster of this process. Never dropped: it ends with the process.
fn server() -> &'static SharedPostgres {
    static SERVER: OnceLock<SharedPostgres> = OnceLock::new();
    SERVER.get_or_init(|| any_postgres().expect("a cluster"))
}

fn origin(databases: &Databases) -> String {
    let address = databases.url("x");
    let (_, rest) = address.split_once("://").expect("an address");
    let server = rest.split('/').next().expect("a server");
    let host = server.rsplit_once('@').map_or(server, |(_, host)| host);
    format!("postgres://{host}")
}

/// The databases to copy: of the shop, and of its customers.
fn templates(databases: &Databases) -> [String; 2] {
    let migrations = migrations();
    let names = ["shop", "customers"].map(|name| format!("restock_template_{migrations:x}_{name}"));
    let maintenance = Rows::Postgres(databases.maintenance().to_owned());
    let there = || {
        let [shop, customers] = &names;
        maintenance
            .number(&format!("SELECT count(*) FROM pg_database WHERE datname IN ('{shop}', '{customers}')"))
    };
    if there() < 2 {
        // Under names of our own until they are complete. Of several processes that do this one is first to rename each.
        let drafts = names.clone().map(|name| format!("{name}_{}", std::process::id()));
        for draft in &drafts {
            databases.remove(draft).expect("what another run left is removed");
            databases.create(draft).expect("a database");
        }
        block_in_place(|| Handle::current().block_on(migrate(databases, &drafts)));
        for (draft, name) in drafts.iter().zip(&names) {
            maintenance.table(&format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{draft}'"
            ));
            if databases.run(&format!("ALTER DATABASE {draft} RENAME TO {name}")).is_err() {
                databases.remove(draft).expect("it is not needed");
            }
        }
        assert_eq!(there(), 2, "somebody has made both");
    }
    names
}

async fn migrate(databases: &Databases, [shop, customers]: &[String; 2]) {
    let mut surroundings = Surroundings::default();
    for (label, name) in [(Label::Default, shop), (Label::Customers, customers)] {
        surroundings.variables.insert(label.name(Engine::Postgres).into(), databases.url(name));
    }
    surroundings.allowed_outbound_hosts.push(origin(databases));
    let store = Engine::Postgres.host(surroundings).store().await;
    store.ready().await.expect("the shop is migrated");
    assert_eq!(store.customer("nobody".into()).await, Ok(None), "and so are its customers");
}

/// A number for the bytes of all migrations: after a change, other databases are copied.
fn migrations() -> u64 {
    let mut hasher = DefaultHasher::new();
    for folder in ["migrations/postgres", "migrations/postgres/customers"] {
        for file in sql_files(&root().join(folder)) {
            file.hash(&mut hasher);
        }
    }
    hasher.finish()
}

/// The names and the texts of the files of SQL in a folder, sorted.
pub(crate) fn sql_files(folder: &Path) -> Vec<(String, String)> {
    let entries = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = entries
        .filter(|path| path.extension().is_some_and(|extension| extension == "sql"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a file"))
        })
        .collect();
    files.sort();
    files
}

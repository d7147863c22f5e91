//! The connections to the databases: one of each for each instance of the component, kept open.
//!
//! A database is opened by the first call that needs it. So a component that was given one of them never touches the other, and
//! a call that needs what its component was not given is told which.
//!
//! Closing the last connection to a file makes SQLite fold its log into it and delete it, which is many times the work of an
//! order; so a connection stays for as long as its instance lives and all concurrent calls share it. Their statements
//! interleave on it, which does no harm while each operation is one statement.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::thread::LocalKey;
use std::time::Duration;

use restock_store::restock::types::Fault;
use restock_store::schema::Schema;
use restock_store::{Database, Repeat, Row, Value};
use spin_sdk::sqlite::{Connection, Error, Value as Stored};
use spin_sdk::time::sleep;

use crate::engine::Sqlite;
use crate::migration::{self, Plan};

/// How often the database is opened before a call gives up.
const OPEN_ATTEMPTS_MAX: u32 = 5;
/// The wait before another attempt to open; it grows with each.
const OPEN_BACKOFF: Duration = Duration::from_millis(50);
/// How often a call looks whether another one has opened the database by now.
const OPEN_LOOKS_MAX: u32 = 500;
/// The wait between two looks.
const OPEN_LOOK: Duration = Duration::from_millis(2);

/// What a connection needs before it is used. Only the first one is kept in the file.
const SETTINGS: [&str; 6] = [
    // A process that starts beside another one waits for it here instead of failing.
    "PRAGMA busy_timeout = 5000",
    "PRAGMA journal_mode = WAL",
    // An answered order survives a power cut.
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    // A filled backorder is a movement that follows from a movement.
    "PRAGMA recursive_triggers = ON",
    // An order needs a few small temporary tables. As files in waiting they cost as much as the rest of the order.
    "PRAGMA temp_store = MEMORY",
];

/// What an instance keeps of one database.
struct Slot {
    /// The open connection, once the schema behind it was found to be right.
    connection: RefCell<Option<Rc<Connection>>>,
    /// A call is opening it.
    opening: Cell<bool>,
}

impl Slot {
    const fn empty() -> Self {
        Self { connection: RefCell::new(None), opening: Cell::new(false) }
    }
}

thread_local! {
    static SHOP_SLOT: Slot = const { Slot::empty() };
    static CUSTOMERS_SLOT: Slot = const { Slot::empty() };
}

/// A database that all calls of this instance share.
pub(crate) struct Shared {
    /// Its name among the `sqlite_databases` of spin.toml.
    label: &'static str,
    plan: Plan,
    slot: &'static LocalKey<Slot>,
}

/// The shop: everything but its customers.
pub(crate) const SHOP: Shared = Shared { label: "default", plan: migration::SHOP, slot: &SHOP_SLOT };

/// Customers, apart from the shop.
pub(crate) const CUSTOMERS: Shared =
    Shared { label: "customers", plan: migration::CUSTOMERS, slot: &CUSTOMERS_SLOT };

impl Database for Shared {
    type Engine = Sqlite;

    async fn run(&self, repeat: Repeat, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        let connection = self.current().await?;
        let second = (repeat == Repeat::Harmless).then(|| parameters.clone());
        let error = match execute(&connection, sql, parameters).await {
            Ok(rows) => return Ok(rows),
            Err(error) => error,
        };
        // What is wrong is told apart by nothing but text, so any error costs the connection.
        self.forget(&connection);
        match (second, &error) {
            (Some(parameters), Error::InvalidConnection | Error::Io(_)) => {
                let connection = self.current().await?;
                execute(&connection, sql, parameters).await.map_err(|error| {
                    self.forget(&connection);
                    self.unavailable(&error)
                })
            }
            _ => Err(self.unavailable(&error)),
        }
    }
}

impl Shared {
    /// Opens the database if need be and checks again that this program can work with it; returns the schema's version.
    pub(crate) async fn check(&self) -> Result<u32, Fault> {
        let connection = self.current().await?;
        let database = Own { connection: &connection, of: self };
        let checked = async {
            match self.plan.inspect(&database).await? {
                Schema::Newer(version) => Err(self.plan.newer(version)),
                Schema::Current | Schema::Behind => migration::version(&database).await,
            }
        }
        .await;
        if checked.is_err() {
            self.forget(&connection);
        }
        checked
    }

    /// The shared connection.
    ///
    /// Calls that come while another one opens it look again after a while. They do not wait for the other call's future: Spin
    /// runs the calls of an instance as tasks of their own, and one cannot wake another.
    async fn current(&self) -> Result<Rc<Connection>, Fault> {
        for _ in 0..OPEN_LOOKS_MAX {
            if let Some(connection) = self.slot.with(|slot| slot.connection.borrow().clone()) {
                return Ok(connection);
            }
            if !self.slot.with(|slot| slot.opening.get()) {
                break;
            }
            sleep(OPEN_LOOK).await;
        }
        let _opening = Opening::begin(self.slot);
        let connection = Rc::new(self.open().await?);
        self.slot.with(|slot| slot.connection.replace(Some(Rc::clone(&connection))));
        Ok(connection)
    }

    /// Gives a connection up, unless another call has replaced it already.
    fn forget(&self, broken: &Rc<Connection>) {
        self.slot.with(|slot| {
            let mut current = slot.connection.borrow_mut();
            if current.as_ref().is_some_and(|current| Rc::ptr_eq(current, broken)) {
                *current = None;
            }
        });
    }

    async fn open(&self) -> Result<Connection, Fault> {
        let mut attempt = 1;
        loop {
            match self.open_once().await {
                Ok(connection) => return Ok(connection),
                Err(Obstacle::Lasting(fault)) => return Err(fault),
                Err(Obstacle::Passing(fault)) if attempt == OPEN_ATTEMPTS_MAX => return Err(fault),
                Err(Obstacle::Passing(_)) => sleep(OPEN_BACKOFF * attempt).await,
            }
            attempt += 1;
        }
    }

    async fn open_once(&self) -> Result<Connection, Obstacle> {
        let connection = self.connect().await?;
        let database = Own { connection: &connection, of: self };
        refuse_memory(&database).await?;
        match self.plan.inspect(&database).await? {
            Schema::Current => {}
            Schema::Newer(version) => return Err(Obstacle::Lasting(self.plan.newer(version))),
            Schema::Behind => {
                let own = self.connect().await?;
                self.plan.apply(&Own { connection: &own, of: self }).await?;
            }
        }
        Ok(connection)
    }

    async fn connect(&self) -> Result<Connection, Obstacle> {
        let connection = Connection::open(self.label).await.map_err(|error| match error {
            Error::NoSuchDatabase | Error::AccessDenied => Obstacle::Lasting(self.unavailable(&error)),
            _ => Obstacle::Passing(self.unavailable(&error)),
        })?;
        for setting in SETTINGS {
            Own { connection: &connection, of: self }.write(setting, vec![]).await?;
        }
        Ok(connection)
    }

    fn unavailable(&self, error: &Error) -> Fault {
        let label = self.label;
        Fault::Unavailable(match error {
            Error::NoSuchDatabase => format!("the host has no SQLite database named \"{label}\""),
            Error::AccessDenied => format!(
                "the component may not use the SQLite database \"{label}\": list it under sqlite_databases"
            ),
            Error::InvalidConnection => format!("the connection to the database \"{label}\" was lost"),
            Error::DatabaseFull => format!("the database \"{label}\" is full"),
            Error::Io(text) => format!("the database \"{label}\" answered: {text}"),
        })
    }
}

/// A connection that is not shared.
struct Own<'a> {
    connection: &'a Connection,
    of: &'a Shared,
}

impl Database for Own<'_> {
    type Engine = Sqlite;

    async fn run(&self, _: Repeat, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        execute(self.connection, sql, parameters).await.map_err(|error| self.of.unavailable(&error))
    }
}

/// Held while a call opens the database. Dropped with the call, however it ends.
struct Opening(&'static LocalKey<Slot>);

impl Opening {
    fn begin(slot: &'static LocalKey<Slot>) -> Self {
        slot.with(|slot| slot.opening.set(true));
        Self(slot)
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        self.0.with(|slot| slot.opening.set(false));
    }
}

/// Why the database could not be opened.
enum Obstacle {
    /// It may be gone in a moment: another process is at work in the file.
    Passing(Fault),
    /// Only an operator can remove it.
    Lasting(Fault),
}

impl From<Fault> for Obstacle {
    fn from(fault: Fault) -> Self {
        Self::Passing(fault)
    }
}

/// A database in memory is another one for each connection and gone with it: what was answered would be lost.
async fn refuse_memory(database: &impl Database) -> Result<(), Obstacle> {
    for mut row in database.read("PRAGMA database_list", vec![]).await? {
        let (_sequence, schema, file) = (row.integer::<i64>()?, row.text()?, row.optional_text()?);
        if schema == "main" && file.is_some_and(|file| !file.is_empty()) {
            return Ok(());
        }
    }
    Err(Obstacle::Lasting(Fault::Unavailable(
        "the database is in memory and the store needs a durable database: give the application a state directory \
         or a file for its SQLite database"
            .into(),
    )))
}

/// Runs a statement to its end. The rows are drained and the result awaited in every case: a statement that is left half
/// read holds the connection against all others, and its errors come last.
async fn execute(connection: &Connection, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Error> {
    let parameters = parameters.into_iter().map(stored).collect::<Vec<_>>();
    let rows = connection.execute(sql, parameters).await?.collect().await?;
    rows.into_iter()
        .map(|row| Ok(Row::new(row.values.into_iter().map(loaded).collect::<Result<_, _>>()?)))
        .collect()
}

fn stored(value: Value) -> Stored {
    match value {
        Value::Null => Stored::Null,
        Value::Integer(integer) => Stored::Integer(integer),
        Value::Text(text) => Stored::Text(text),
    }
}

/// No statement answers with anything else.
fn loaded(value: Stored) -> Result<Value, Error> {
    Ok(match value {
        Stored::Null => Value::Null,
        Stored::Integer(integer) => Value::Integer(integer),
        Stored::Text(text) => Value::Text(text),
        Stored::Real(_) | Stored::Blob(_) => {
            return Err(Error::Io("a column is neither an integer nor a text".into()));
        }
    })
}

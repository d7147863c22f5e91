//! The connection to the database: one for each instance of the component, kept open.
//!
//! Closing the last connection to a file makes SQLite fold its log into it and delete it, which is many times the work of an
//! order; so a connection stays for as long as its instance lives and all concurrent calls share it. Their statements
//! interleave on it, which does no harm while each operation is one statement.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use spin_sdk::sqlite::{Connection, Error, Value};
use spin_sdk::time::sleep;

use crate::database::{Database, Repeat};
use crate::migration::{self, Schema};
use crate::restock::types::Fault;
use crate::row::Row;

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

thread_local! {
    /// The open connection, once the schema behind it was found to be right.
    static CURRENT: RefCell<Option<Rc<Connection>>> = const { RefCell::new(None) };
    /// A call is opening it.
    static OPENING: Cell<bool> = const { Cell::new(false) };
}

/// The database that all calls of this instance share.
pub(crate) struct Shared;

impl Database for Shared {
    async fn run(&self, repeat: Repeat, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        let connection = current().await?;
        let second = (repeat == Repeat::Harmless).then(|| parameters.clone());
        let error = match execute(&connection, sql, parameters).await {
            Ok(rows) => return Ok(rows),
            Err(error) => error,
        };
        // What is wrong is told apart by nothing but text, so any error costs the connection.
        forget(&connection);
        match (second, &error) {
            (Some(parameters), Error::InvalidConnection | Error::Io(_)) => {
                let connection = current().await?;
                execute(&connection, sql, parameters).await.map_err(|error| {
                    forget(&connection);
                    unavailable(&error)
                })
            }
            _ => Err(unavailable(&error)),
        }
    }
}

/// A connection that is not shared.
struct Own<'a>(&'a Connection);

impl Database for Own<'_> {
    async fn run(&self, _: Repeat, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        execute(self.0, sql, parameters).await.map_err(|error| unavailable(&error))
    }
}

/// Opens the database if need be and checks again that this program can work with it; returns the schema's version.
pub(crate) async fn check() -> Result<u32, Fault> {
    let connection = current().await?;
    let database = Own(&connection);
    let checked = async {
        match migration::inspect(&database).await? {
            Schema::Newer(version) => Err(Schema::newer(version)),
            Schema::Current | Schema::Behind => migration::version(&database).await,
        }
    }
    .await;
    if checked.is_err() {
        forget(&connection);
    }
    checked
}

/// The shared connection.
///
/// Calls that come while another one opens it look again after a while. They do not wait for the other call's future: Spin
/// runs the calls of an instance as tasks of their own, and one cannot wake another.
async fn current() -> Result<Rc<Connection>, Fault> {
    for _ in 0..OPEN_LOOKS_MAX {
        if let Some(connection) = CURRENT.with_borrow(Clone::clone) {
            return Ok(connection);
        }
        if !OPENING.get() {
            break;
        }
        sleep(OPEN_LOOK).await;
    }
    let _opening = Opening::begin();
    let connection = Rc::new(open().await?);
    CURRENT.set(Some(Rc::clone(&connection)));
    Ok(connection)
}

/// Gives a connection up, unless another call has replaced it already.
fn forget(broken: &Rc<Connection>) {
    CURRENT.with_borrow_mut(|current| {
        if current.as_ref().is_some_and(|current| Rc::ptr_eq(current, broken)) {
            *current = None;
        }
    });
}

/// Held while a call opens the database. Dropped with the call, however it ends.
struct Opening;

impl Opening {
    fn begin() -> Self {
        OPENING.set(true);
        Self
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        OPENING.set(false);
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

async fn open() -> Result<Connection, Fault> {
    let mut attempt = 1;
    loop {
        match open_once().await {
            Ok(connection) => return Ok(connection),
            Err(Obstacle::Lasting(fault)) => return Err(fault),
            Err(Obstacle::Passing(fault)) if attempt == OPEN_ATTEMPTS_MAX => return Err(fault),
            Err(Obstacle::Passing(_)) => sleep(OPEN_BACKOFF * attempt).await,
        }
        attempt += 1;
    }
}

async fn open_once() -> Result<Connection, Obstacle> {
    let connection = connect().await?;
    refuse_memory(&Own(&connection)).await?;
    match migration::inspect(&Own(&connection)).await? {
        Schema::Current => {}
        Schema::Newer(version) => return Err(Obstacle::Lasting(Schema::newer(version))),
        Schema::Behind => {
            let own = connect().await?;
            migration::apply(&Own(&own)).await?;
        }
    }
    Ok(connection)
}

async fn connect() -> Result<Connection, Obstacle> {
    let connection = Connection::open_default().await.map_err(|error| match error {
        Error::NoSuchDatabase | Error::AccessDenied => Obstacle::Lasting(unavailable(&error)),
        _ => Obstacle::Passing(unavailable(&error)),
    })?;
    for setting in SETTINGS {
        Own(&connection).write(setting, vec![]).await?;
    }
    Ok(connection)
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
    let rows = connection.execute(sql, parameters).await?.collect().await?;
    Ok(rows.into_iter().map(|row| Row::new(row.values)).collect())
}

fn unavailable(error: &Error) -> Fault {
    Fault::Unavailable(match error {
        Error::NoSuchDatabase => "the host has no SQLite database named \"default\"".into(),
        Error::AccessDenied => {
            "the component may not use the SQLite database \"default\": list it under sqlite_databases".into()
        }
        Error::InvalidConnection => "the connection to the database was lost".into(),
        Error::DatabaseFull => "the database is full".into(),
        Error::Io(text) => format!("the database answered: {text}"),
    })
}

//! The connections to the databases: opened for each operation, given back with its answer.
//!
//! A host keeps a pool for each address, and many instances share it: one that held on to a connection between two statements would
//! keep others waiting for it. Nothing is said on a connection but one statement, so there is nothing that the next holder could
//! find on it, and a guest that dies leaves no transaction open.
//!
//! A database is opened by the first call that needs it. So a component that was given the address of one of them never touches
//! the other, and a call that needs what its component was not given is told which variable to set.

mod address;
mod failure;

use std::cell::{Cell, OnceCell};
use std::thread::LocalKey;

use restock_store::restock::types::Fault;
use restock_store::schema::Schema;
use restock_store::{Database, Repeat, Row, Value};
use spin_sdk::pg::{Connection, DbValue, ParameterValue};
use spin_sdk::variables;

use crate::engine::Postgres;
use crate::migration::{self, Plan};

pub(crate) use address::Address;
pub(crate) use failure::Failure;
use failure::Kind;

/// How often a statement that lost a race for its rows is run again before its caller is told. Each round lets another
/// statement through, so more than a few mean that something else is wrong.
const CONFLICTS_MAX: u32 = 5;
/// How often a harmless statement is run again whose connection was lost. The next connection is a new one.
const LOST_MAX: u32 = 1;
/// How often a statement is run again for which the schema was not there, after a look at what became of it.
const LOOKS_MAX: u32 = 1;

/// What an instance knows of one database.
struct Known {
    /// Its address, once it was read.
    address: OnceCell<Address>,
    /// The schema was found to be right.
    looked_at: Cell<bool>,
}

impl Known {
    const fn nothing() -> Self {
        Self { address: OnceCell::new(), looked_at: Cell::new(false) }
    }
}

thread_local! {
    static SHOP_KNOWN: Known = const { Known::nothing() };
    static CUSTOMERS_KNOWN: Known = const { Known::nothing() };
}

/// A database that all instances share.
pub(crate) struct Shared {
    /// The variable with its address.
    variable: &'static str,
    plan: Plan,
    known: &'static LocalKey<Known>,
}

/// The shop: everything but its customers.
pub(crate) static SHOP: Shared =
    Shared { variable: "postgres_url", plan: migration::SHOP, known: &SHOP_KNOWN };

/// Customers, apart from the shop.
pub(crate) static CUSTOMERS: Shared =
    Shared { variable: "customers_url", plan: migration::CUSTOMERS, known: &CUSTOMERS_KNOWN };

impl Database for Shared {
    type Engine = Postgres;

    async fn run(&self, repeat: Repeat, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        self.ask(Address::clone, repeat, sql, &parameters).await
    }

    async fn read_patiently(&self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>, Fault> {
        self.ask(Address::patient, Repeat::Harmless, sql, &parameters).await
    }
}

impl Shared {
    /// Runs one statement, at the address that `at` makes of the database's.
    async fn ask(
        &self,
        at: fn(&Address) -> Address,
        repeat: Repeat,
        sql: &str,
        parameters: &[Value],
    ) -> Result<Vec<Row>, Fault> {
        let mut losses = 0..if repeat == Repeat::Harmless { LOST_MAX } else { 0 };
        let mut looks = 0..LOOKS_MAX;
        loop {
            let failure = match at(&self.look().await?).run(sql, parameters).await {
                Ok(rows) => return Ok(rows),
                Err(failure) => failure,
            };
            let again = match failure.kind {
                Kind::Lost => losses.next(),
                Kind::Schema => {
                    // The database may be another one by now: restored, or made anew.
                    self.forget();
                    looks.next()
                }
                Kind::Conflict | Kind::Unavailable | Kind::Corrupt => None,
            };
            if again.is_none() {
                return Err(failure.into_fault(self.variable));
            }
        }
    }

    /// Checks again that this program can work with the database; returns the schema's version.
    pub(crate) async fn check(&self) -> Result<u32, Fault> {
        let address = self.look().await?;
        let schema =
            self.plan.inspect(&address).await.map_err(|failure| failure.into_fault(self.variable))?;
        if schema != Schema::Current {
            // It was right when this instance looked at it before.
            self.forget();
            self.look().await?;
        }
        Ok(self.plan.known_version())
    }

    /// The address, of a database whose schema this instance has looked at, and brought up to date where it had to.
    ///
    /// Calls that come before the first one is done look, too: it is one cheap statement, and those who apply migrations take turns.
    async fn look(&self) -> Result<Address, Fault> {
        let address = self.address().await?;
        if !self.known.with(|known| known.looked_at.get()) {
            let fault = |failure: Failure| failure.into_fault(self.variable);
            let schema = match self.plan.inspect(&address).await {
                // A server that was restarted leaves connections behind that nobody has tried since.
                Err(failure) if failure.kind == Kind::Lost => self.plan.inspect(&address).await,
                schema => schema,
            };
            match schema.map_err(fault)? {
                Schema::Current => {}
                Schema::Newer(version) => return Err(self.plan.newer(version)),
                Schema::Behind => self.plan.apply(&address.patient()).await.map_err(fault)?,
            }
            self.known.with(|known| known.looked_at.set(true));
        }
        Ok(address)
    }

    /// Has the next call look at the schema.
    fn forget(&self) {
        self.known.with(|known| known.looked_at.set(false));
    }

    async fn address(&self) -> Result<Address, Fault> {
        if let Some(address) = self.known.with(|known| known.address.get().cloned()) {
            return Ok(address);
        }
        let variable = self.variable;
        let url = variables::get(variable).await.map_err(|error| match error {
            variables::Error::Undefined(_) | variables::Error::InvalidName(_) => Fault::Unavailable(format!(
                "the component may not read the variable {variable}, which it needs with profile postgres"
            )),
            variables::Error::Provider(_) | variables::Error::Other(_) => {
                Fault::Unavailable(format!("the variable {variable} cannot be read"))
            }
        })?;
        let address = Address::new(&url)
            .map_err(|wrong| Fault::Unavailable(format!("the variable {variable} {wrong}")))?;
        Ok(self.known.with(|known| known.address.get_or_init(|| address).clone()))
    }
}

impl Address {
    /// Runs one statement. Whatever fails on the server is undone there, so one that lost a race runs again, whether or not it
    /// writes. Only where the connection was lost does nobody know what became of it.
    pub(crate) async fn run(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, Failure> {
        for _ in 0..CONFLICTS_MAX {
            match self.run_once(sql, parameters).await {
                Err(failure) if failure.kind == Kind::Conflict => {}
                answer => return answer,
            }
        }
        self.run_once(sql, parameters).await
    }

    /// Runs one statement on a connection of its own. The rows are drained and the result awaited in every case: a statement that
    /// is left half read holds its connection, and its errors come last.
    async fn run_once(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, Failure> {
        let failed = |error| Failure::of(error, self);
        let connection = Connection::open(self.as_str()).await.map_err(failed)?;
        let parameters: Vec<_> = parameters.iter().map(parameter).collect();
        let answer = connection.query(sql, parameters).await.map_err(failed)?;
        let (_columns, rows, result) = answer.into_inner();
        let rows = rows.collect().await;
        result.await.map_err(|error| failed(error.into()))?;
        rows.into_iter().map(row).collect()
    }
}

fn parameter(value: &Value) -> ParameterValue {
    match value {
        Value::Null => ParameterValue::DbNull,
        Value::Integer(integer) => ParameterValue::Int64(*integer),
        Value::Text(text) => ParameterValue::Str(text.clone()),
    }
}

fn row(columns: Vec<DbValue>) -> Result<Row, Failure> {
    let values = columns.into_iter().enumerate().map(|(column, value)| match value {
        DbValue::DbNull => Ok(Value::Null),
        DbValue::Int64(integer) => Ok(Value::Integer(integer)),
        DbValue::Boolean(truth) => Ok(Value::Integer(truth.into())),
        DbValue::Str(text) => Ok(Value::Text(text)),
        // Every statement casts what it answers, so this is none of ours.
        _ => Err(Failure::corrupt(&format!(
            "column {} of a row has a type that no statement asks for",
            column + 1
        ))),
    });
    values.collect::<Result<_, _>>().map(Row::new)
}

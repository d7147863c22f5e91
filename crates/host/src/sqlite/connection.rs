//! One real SQLite connection: opened for a profile, watched while it prepares, bounded while it runs.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::fallible_iterator::FallibleIterator;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

use super::pragma::Profile;
use super::value::{Bound, RESULT_BYTES_MAX, RowFault, take_row};
use crate::bindings::imports::spin::sqlite::sqlite::{Error, RowResult, Value};

/// Prepared statements kept per connection.
const STATEMENTS_CACHED_MAX: usize = 256;
/// The longest one statement may run.
const STATEMENT_MS_MAX: u64 = 60_000;
/// Virtual machine steps between two looks at the clock.
const STEPS_PER_LOOK: i32 = 20_000;
/// The most changed rows that a connection of its own is made to remember.
const SEED_ROWS_MAX: u64 = 1_000_000;
/// A row id that marks "no INSERT has run since": SQLite never gives it out by itself.
const NO_ROWID: i64 = i64::MIN;

/// What a statement gave back.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) columns: Vec<String>,
    pub(super) rows: Vec<RowResult>,
    /// What `changes()` says after it.
    pub(super) changes: u64,
    /// By how much `total_changes()` grew.
    pub(super) total_changes: u64,
    /// The row id of its last INSERT, if it made one.
    pub(super) last_insert_rowid: Option<i64>,
}

/// What a connection remembers of the statements it ran.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct History {
    pub(super) changes: u64,
    pub(super) total_changes: u64,
    pub(super) last_insert_rowid: i64,
}

/// How a statement went.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It ran.
    Done(Answer),
    /// It failed, and what SQLite undid is undone.
    Failed(Error),
    /// It ran, but its result is too large to hand over: undo it where that is possible.
    TooLarge,
    /// Not run: it needs a connection of its own.
    Stateful,
    /// Not run: it writes, and this connection is for reading.
    Writes,
}

/// Which statements a connection takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// Only those that read and leave nothing behind.
    SharedRead,
    /// Only those that leave nothing behind on the connection.
    SharedWrite,
    /// All.
    Private,
}

pub(super) struct Connection {
    inner: rusqlite::Connection,
    /// Set by the authorizer while a statement is prepared that leaves or reads connection state.
    stateful: Arc<AtomicBool>,
    /// When the running statement must end, in milliseconds since `born`; 0 = nothing runs.
    deadline: Arc<AtomicU64>,
    born: Instant,
}

impl Connection {
    /// Opens the file with the settings of `profile`.
    pub(super) fn open(path: &Path, profile: &Profile) -> rusqlite::Result<Self> {
        let mut inner = rusqlite::Connection::open(path)?;
        inner.set_prepared_statement_cache_capacity(STATEMENTS_CACHED_MAX);
        // Without it a statement whose plan could depend on a bound value, such as a LIMIT, is compiled anew whenever one is bound.
        // That costs a millisecond and more where a statement has triggers.
        inner.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        for statement in profile.statements() {
            // A setting may answer with a row, which is of no interest here.
            inner.prepare(&statement)?.query([])?.next()?;
        }
        let stateful = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stateful);
        inner.authorizer(Some(move |context: AuthContext<'_>| authorize(&context, &seen)))?;
        let deadline = Arc::new(AtomicU64::new(0));
        let born = Instant::now();
        let limit = Arc::clone(&deadline);
        inner.progress_handler(
            STEPS_PER_LOOK,
            Some(move || {
                let limit = limit.load(Ordering::Relaxed);
                limit != 0 && since(born) > limit
            }),
        )?;
        Ok(Self { inner, stateful, deadline, born })
    }

    /// Opens a connection that one guest has to itself, which remembers what the guest did on shared ones.
    pub(super) fn open_private(path: &Path, profile: &Profile, history: History) -> rusqlite::Result<Self> {
        let connection = Self::open(path, &Profile::default())?;
        // The counters can only be set by changing that many rows, so this is done where it leaves no trace.
        if history.total_changes > 0 && history.total_changes <= SEED_ROWS_MAX {
            let before = history.total_changes.saturating_sub(history.changes);
            connection.inner.execute_batch(&format!(
                "ATTACH ':memory:' AS seed;
                 CREATE TABLE seed.row (number);
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {before})
                   INSERT INTO seed.row SELECT i FROM n WHERE {before} > 0;
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {now})
                   INSERT INTO seed.row SELECT i FROM n WHERE {now} > 0;
                 DETACH seed;",
                now = history.changes,
            ))?;
        }
        for statement in profile.statements() {
            connection.command(&statement)?;
        }
        connection.set_rowid(history.last_insert_rowid);
        Ok(connection)
    }

    /// Runs one of the host's own statements.
    pub(super) fn command(&self, sql: &str) -> rusqlite::Result<()> {
        self.inner.prepare_cached(sql)?.query([])?.next().map(|_| ())
    }

    /// Whether no transaction is open.
    pub(super) fn is_autocommit(&self) -> bool {
        self.inner.is_autocommit()
    }

    /// Runs a guest's statement.
    pub(super) fn execute(&self, sql: &str, parameters: &[Value], using: Use) -> Outcome {
        self.stateful.store(false, Ordering::Relaxed);
        match self.inner.prepare_cached(sql) {
            Ok(mut statement) => match self.refusal(&statement, using) {
                Some(refusal) => {
                    // Out of the cache: a second look must find it stateful again.
                    statement.discard();
                    refusal
                }
                None => self.run(&mut statement, parameters, using),
            },
            // Of several statements in one text Spin runs the first and passes over the others.
            Err(rusqlite::Error::MultipleStatement) => {
                tracing::warn!(
                    "a component passed several SQL statements in one text: only the first one runs"
                );
                match rusqlite::Batch::new(&self.inner, sql).next() {
                    Ok(Some(mut statement)) => match self.refusal(&statement, using) {
                        Some(refusal) => refusal,
                        None => self.run(&mut statement, parameters, using),
                    },
                    Ok(None) => Outcome::Done(Answer::default()),
                    Err(error) => Outcome::Failed(failure(&error)),
                }
            }
            Err(error) => Outcome::Failed(failure(&error)),
        }
    }

    fn refusal(&self, statement: &rusqlite::Statement<'_>, using: Use) -> Option<Outcome> {
        match using {
            Use::Private => None,
            _ if self.stateful.load(Ordering::Relaxed) => Some(Outcome::Stateful),
            Use::SharedRead if !statement.readonly() => Some(Outcome::Writes),
            Use::SharedRead | Use::SharedWrite => None,
        }
    }

    fn run(&self, statement: &mut rusqlite::Statement<'_>, parameters: &[Value], using: Use) -> Outcome {
        if using != Use::Private {
            self.set_rowid(NO_ROWID);
        }
        let total = self.inner.total_changes();
        self.deadline.store(since(self.born) + STATEMENT_MS_MAX, Ordering::Relaxed);
        let result = collect(statement, parameters);
        self.deadline.store(0, Ordering::Relaxed);
        match result {
            Ok((columns, rows)) => {
                let rowid = self.inner.last_insert_rowid();
                Outcome::Done(Answer {
                    columns,
                    rows,
                    changes: self.inner.changes(),
                    total_changes: self.inner.total_changes().saturating_sub(total),
                    last_insert_rowid: (rowid != NO_ROWID).then_some(rowid),
                })
            }
            Err(RowFault::Sqlite(error)) => Outcome::Failed(failure(&error)),
            Err(RowFault::TooLarge) => Outcome::TooLarge,
        }
    }

    /// Sets what `last_insert_rowid()` says; [`NO_ROWID`] tells the next statement's own INSERT from another guest's.
    fn set_rowid(&self, rowid: i64) {
        // SAFETY: the handle is that of the open connection borrowed here, used on the thread that owns it, and the
        // call only stores a number in it.
        unsafe { rusqlite::ffi::sqlite3_set_last_insert_rowid(self.inner.handle(), rowid) }
    }
}

/// The error a guest sees for a result over the limit.
pub(super) fn too_large() -> Error {
    Error::Io(format!("the result is larger than {RESULT_BYTES_MAX} bytes: ask for fewer rows"))
}

/// The error a guest sees, in SQLite's words.
pub(super) fn failure(error: &rusqlite::Error) -> Error {
    Error::Io(error.to_string())
}

fn since(born: Instant) -> u64 {
    u64::try_from(Instant::now().saturating_duration_since(born).max(Duration::from_millis(1)).as_millis())
        .unwrap_or(u64::MAX)
}

fn collect(
    statement: &mut rusqlite::Statement<'_>,
    parameters: &[Value],
) -> Result<(Vec<String>, Vec<RowResult>), RowFault> {
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let mut rows = statement
        .query(rusqlite::params_from_iter(parameters.iter().map(Bound)))
        .map_err(RowFault::Sqlite)?;
    let mut bytes = 0;
    let mut taken = Vec::new();
    while let Some(row) = rows.next().map_err(RowFault::Sqlite)? {
        taken.push(take_row(row, columns.len(), &mut bytes)?);
    }
    Ok((columns, taken))
}

/// Notes what leaves state on the connection, and refuses files other than the database's own.
fn authorize(context: &AuthContext<'_>, stateful: &AtomicBool) -> Authorization {
    let leaves_state = match context.action {
        AuthAction::Attach { filename } if !matches!(filename, "" | ":memory:") => {
            return Authorization::Deny;
        }
        AuthAction::Attach { .. }
        | AuthAction::Detach { .. }
        | AuthAction::Transaction { .. }
        | AuthAction::Savepoint { .. }
        | AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. }
        | AuthAction::DropTempIndex { .. }
        | AuthAction::DropTempTable { .. }
        | AuthAction::DropTempTrigger { .. }
        | AuthAction::DropTempView { .. } => true,
        // Inside a trigger these speak of the trigger's own statements, which no other connection sees.
        AuthAction::Function { function_name } => {
            context.accessor.is_none()
                && ["changes", "last_insert_rowid", "total_changes"]
                    .iter()
                    .any(|name| function_name.eq_ignore_ascii_case(name))
        }
        _ => context.database_name == Some("temp"),
    };
    if leaves_state {
        stateful.store(true, Ordering::Relaxed);
    }
    Authorization::Allow
}

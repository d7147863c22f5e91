//! A guest's connection: a place among the shared ones, or a real connection of its own once it needs one.

use std::sync::atomic::Ordering;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;

use super::classify::{Class, guess};
use super::connection::{Answer, Connection, History, Outcome, Use, failure, too_large};
use super::database::{Database, lock, spawn};
use super::pragma::{self, Pragma, Profile};
use crate::bindings::imports::spin::sqlite::sqlite::{Error, RowResult, Value};

/// A guest's open connection. Clones are the same connection.
///
/// It stays among the shared ones as long as its statements leave nothing behind on a connection but settings. From
/// the first statement that does (a transaction, a temporary table) it has a real connection, for the rest of its
/// life; dropping the last clone closes that, which rolls back what was open.
#[derive(Clone)]
#[allow(unreachable_pub, reason = "the generated interfaces re-export it")]
pub struct Session {
    database: Arc<Database>,
    state: Arc<Mutex<State>>,
}

struct State {
    profile: Arc<Profile>,
    history: History,
    private: Option<Sender<PrivateJob>>,
}

struct PrivateJob {
    sql: Arc<str>,
    parameters: Vec<Value>,
    reply: oneshot::Sender<Outcome>,
}

/// Columns and rows of a statement that ran.
pub(crate) type Table = (Vec<String>, Vec<RowResult>);

impl Session {
    /// A new connection, as if just opened.
    pub(crate) fn new(database: Arc<Database>) -> Self {
        let profile = database.base();
        Self {
            database,
            state: Arc::new(Mutex::new(State { profile, history: History::default(), private: None })),
        }
    }

    /// What `changes()` is on this connection.
    pub(crate) fn changes(&self) -> u64 {
        lock(&self.state).history.changes
    }

    /// What `last_insert_rowid()` is on this connection.
    pub(crate) fn last_insert_rowid(&self) -> i64 {
        lock(&self.state).history.last_insert_rowid
    }

    /// Runs one statement and hands over all of its rows.
    pub(crate) async fn execute(&self, sql: &str, parameters: Vec<Value>) -> Result<Table, Error> {
        let sql: Arc<str> = sql.into();
        let (profile, private) = {
            let state = lock(&self.state);
            (Arc::clone(&state.profile), state.private.clone())
        };
        if let Some(private) = private {
            return self.on_own(&private, &sql, parameters).await;
        }
        let class = self.database.class(&sql).unwrap_or_else(|| guess(&sql));
        match class {
            Class::Read => self.read(&profile, &sql, parameters).await,
            Class::Write { dml } => self.write(&profile, &sql, parameters, dml, false).await,
            Class::Alone => self.write(&profile, &sql, parameters, false, true).await,
            Class::Stateful => self.leave(&sql, parameters).await,
            Class::Pragma => match pragma::read(&sql) {
                Pragma::Query => self.read(&profile, &sql, parameters).await,
                Pragma::Write => self.write(&profile, &sql, parameters, false, false).await,
                Pragma::Alone => self.write(&profile, &sql, parameters, false, true).await,
                Pragma::Wal => self.wal(&profile, &sql, parameters).await,
                Pragma::Stateful => self.leave(&sql, parameters).await,
                Pragma::Set(setting) => match self.database.profile(&profile, setting) {
                    None => self.leave(&sql, parameters).await,
                    Some(changed) => {
                        let table = match self.database.setting_answer(&changed, &sql) {
                            Some(table) => table,
                            None => {
                                // On a connection that already has the setting it answers as on any other.
                                let table = self.read(&changed, &sql, parameters).await?;
                                self.database.keep_setting_answer(&changed, &sql, &table);
                                table
                            }
                        };
                        lock(&self.state).profile = changed;
                        Ok(table)
                    }
                },
            },
        }
    }

    async fn read(
        &self,
        profile: &Arc<Profile>,
        sql: &Arc<str>,
        parameters: Vec<Value>,
    ) -> Result<Table, Error> {
        // A copy is kept only while it is not known that the statement will not have to go elsewhere.
        let copy = match self.database.class(sql) {
            Some(Class::Read) => Vec::new(),
            _ => parameters.clone(),
        };
        match self.database.read(profile, sql, parameters).await {
            Outcome::Writes => {
                let class = if matches!(guess(sql), Class::Pragma) {
                    Class::Alone
                } else {
                    Class::Write { dml: true }
                };
                self.database.learn(sql, class);
                self.write(profile, sql, copy, class == Class::Write { dml: true }, class == Class::Alone)
                    .await
            }
            Outcome::Stateful => {
                self.database.learn(sql, Class::Stateful);
                self.leave(sql, copy).await
            }
            Outcome::Done(answer) => {
                if guess(sql) == Class::Read {
                    self.database.learn(sql, Class::Read);
                }
                Ok((answer.columns, answer.rows))
            }
            Outcome::Failed(error) => Err(error),
            Outcome::TooLarge => Err(too_large()),
        }
    }

    /// `PRAGMA journal_mode = WAL` lasts in the file: after the first time it is answered without asking the writer,
    /// because every guest instance begins with it.
    async fn wal(
        &self,
        profile: &Arc<Profile>,
        sql: &Arc<str>,
        parameters: Vec<Value>,
    ) -> Result<Table, Error> {
        if self.database.is_wal() {
            let row = RowResult { values: vec![Value::Text("wal".to_owned())] };
            return Ok((vec!["journal_mode".to_owned()], vec![row]));
        }
        let table = self.write(profile, sql, parameters, false, true).await?;
        if let Some([Value::Text(mode)]) = table.1.first().map(|row| row.values.as_slice()) {
            self.database.set_wal(mode == "wal");
        }
        Ok(table)
    }

    async fn write(
        &self,
        profile: &Arc<Profile>,
        sql: &Arc<str>,
        parameters: Vec<Value>,
        dml: bool,
        alone: bool,
    ) -> Result<Table, Error> {
        // A copy is kept only while it is not known that the statement will not have to go elsewhere.
        let known = matches!(self.database.class(sql), Some(Class::Write { .. } | Class::Alone));
        let copy = if known { Vec::new() } else { parameters.clone() };
        match self.database.write(profile, sql, parameters, alone).await {
            Outcome::Done(answer) => {
                if !known {
                    self.database.learn(sql, if alone { Class::Alone } else { Class::Write { dml } });
                }
                let mut state = lock(&self.state);
                if dml {
                    state.history.changes = answer.changes;
                }
                state.history.total_changes += answer.total_changes;
                if let Some(rowid) = answer.last_insert_rowid {
                    state.history.last_insert_rowid = rowid;
                }
                drop(state);
                Ok((answer.columns, answer.rows))
            }
            Outcome::Stateful | Outcome::Writes if known => {
                Err(Error::Io("the database changed under a statement: try again".to_owned()))
            }
            Outcome::Stateful | Outcome::Writes => {
                self.database.learn(sql, Class::Stateful);
                self.leave(sql, copy).await
            }
            Outcome::Failed(error) => Err(error),
            Outcome::TooLarge => Err(too_large()),
        }
    }

    /// Gives the guest a connection of its own, now and for good, and runs the statement there.
    async fn leave(&self, sql: &Arc<str>, parameters: Vec<Value>) -> Result<Table, Error> {
        let own = {
            let mut state = lock(&self.state);
            match &state.private {
                Some(own) => own.clone(),
                None => {
                    let own = self.open_private(Arc::clone(&state.profile), state.history)?;
                    state.private = Some(own.clone());
                    own
                }
            }
        };
        self.on_own(&own, sql, parameters).await
    }

    fn open_private(&self, profile: Arc<Profile>, history: History) -> Result<Sender<PrivateJob>, Error> {
        let permit = self
            .database
            .private_permit()
            .ok_or_else(|| Error::Io("too many transactions are open at one time".to_owned()))?;
        let (own, jobs) = channel::<PrivateJob>();
        let path = self.database.path().to_owned();
        let killed = self.database.killed();
        let serve = move || {
            let _permit = permit;
            let connection = Connection::open_private(&path, &profile, history);
            while let Ok(job) = jobs.recv()
                && !killed.load(Ordering::SeqCst)
            {
                let outcome = match &connection {
                    Ok(connection) => connection.execute(&job.sql, &job.parameters, Use::Private),
                    Err(error) => Outcome::Failed(failure(error)),
                };
                // A guest that went away needs no answer.
                let _ = job.reply.send(outcome);
            }
        };
        spawn("sqlite-private", serve).map_err(|error| Error::Io(format!("{error:#}")))?;
        Ok(own)
    }

    async fn on_own(
        &self,
        own: &Sender<PrivateJob>,
        sql: &Arc<str>,
        parameters: Vec<Value>,
    ) -> Result<Table, Error> {
        let (reply, answer) = oneshot::channel();
        let lost = || Error::Io("the connection is closed".to_owned());
        own.send(PrivateJob { sql: Arc::clone(sql), parameters, reply }).map_err(|_| lost())?;
        match answer.await.map_err(|_| lost())? {
            Outcome::Done(Answer { columns, rows, changes, total_changes, last_insert_rowid }) => {
                let mut state = lock(&self.state);
                state.history.changes = changes;
                state.history.total_changes += total_changes;
                state.history.last_insert_rowid = last_insert_rowid.unwrap_or_default();
                drop(state);
                Ok((columns, rows))
            }
            Outcome::Failed(error) => Err(error),
            Outcome::TooLarge => Err(too_large()),
            Outcome::Stateful | Outcome::Writes => Err(lost()),
        }
    }
}

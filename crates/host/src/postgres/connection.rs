//! One connection to a server: its statements, its answers, and how it is made ready for somebody else.
//!
//! Whoever waits for an answer drives the connection himself, so that an answer wakes one task and not two. A connection that
//! nobody waits for does nothing.

use std::collections::HashMap;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures::TryStreamExt;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, RowStream, Socket, Statement};

use super::fault::{failed, unusable};
use super::parameter::Parameter;
use super::tls::Security;
use super::value::{columns, values};
use super::watch::{Watch, Watched};
use crate::bindings::imports::spin::postgres::postgres::{Column, DbValue, Error, QueryError};

/// Statements that a connection keeps prepared. Past it the one that was not used for longest is given up.
const STATEMENTS_MAX: usize = 256;
/// The rows of one answer may take this much, as the server sends them.
pub(super) const RESULT_BYTES_MAX: usize = 64 * 1024 * 1024;
/// How long a statement that its guest left may go on before it is cancelled.
const FINISH_MS_MAX: u64 = 5_000;
/// How long asking for the cancellation may take, and how long obeying.
const CANCEL_MS_MAX: u64 = 2_000;

/// Puts a session back to what it was at its start, but for the statements that are prepared. As Spin does.
const CLEAN: &str = "CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
                     SELECT pg_advisory_unlock_all(); DISCARD TEMP; DISCARD SEQUENCES";

type Driver = tokio_postgres::Connection<Socket, Watched>;

/// What a statement answered.
#[derive(Debug)]
pub(super) struct Answer {
    /// None where there are no rows, as on Spin.
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<DbValue>>,
    /// Why there are no more rows, and nothing was done, where that is so.
    pub(super) fault: Option<Error>,
}

/// Whether a connection may be given to somebody else.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Condition {
    Ready,
    /// An answer is still to come.
    Busy,
    Broken,
}

pub(super) struct Connection {
    client: Client,
    /// None once the connection is lost.
    driver: Option<Driver>,
    watch: Arc<Watch>,
    security: Security,
    statements: HashMap<Arc<str>, Kept>,
    /// Counts the uses of statements.
    uses: u64,
    born: Instant,
    /// Something was asked since the session was clean.
    used: bool,
    /// The server said something after which it should not be asked again.
    unusable: bool,
}

struct Kept {
    statement: Statement,
    used: u64,
}

impl Connection {
    pub(super) async fn open(config: &Config, security: &Security) -> Result<Self, tokio_postgres::Error> {
        let watch = Arc::new(Watch::default());
        let (client, driver) = config.connect(security.connector(&watch)).await?;
        Ok(Self {
            client,
            driver: Some(driver),
            watch,
            security: security.clone(),
            statements: HashMap::new(),
            uses: 0,
            born: Instant::now(),
            used: false,
            unusable: false,
        })
    }

    pub(super) fn age(&self) -> Duration {
        self.born.elapsed()
    }

    /// Runs a statement and reads its answer to the end: what a transaction checks last, it reports after the rows.
    ///
    /// The error is one from before the statement ran; one from later is in the answer.
    pub(super) async fn query(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Answer, Error> {
        let answer = self
            .ask(sql, parameters, async |rows: &mut Pin<&mut RowStream>, statement: &Statement| {
                let mut answer = Answer { columns: Vec::new(), rows: Vec::new(), fault: None };
                let mut bytes = 0_usize;
                let mut lost = None;
                loop {
                    match rows.try_next().await {
                        Ok(Some(row)) => {
                            bytes = bytes.saturating_add(row.raw_size_bytes());
                            if bytes > RESULT_BYTES_MAX {
                                answer.fault = Some(too_large());
                                break;
                            }
                            if answer.rows.is_empty() {
                                answer.columns = columns(statement.columns());
                            }
                            match values(&row) {
                                Ok(values) => answer.rows.push(values),
                                Err(error) => {
                                    let text = QueryError::Text(format!("{error:#}"));
                                    answer.fault = Some(Error::QueryFailed(text));
                                    break;
                                }
                            }
                        }
                        Ok(None) => break,
                        Err(error) => {
                            answer.fault = Some(failed(&error));
                            lost = Some(error);
                            break;
                        }
                    }
                }
                (answer, lost)
            })
            .await?;
        Ok(answer)
    }

    /// Runs a statement whose rows nobody wants; the answer is how many it changed.
    pub(super) async fn execute(&mut self, sql: &str, parameters: &[Parameter<'_>]) -> Result<u64, Error> {
        self.ask(sql, parameters, async |rows: &mut Pin<&mut RowStream>, _: &Statement| {
            loop {
                match rows.try_next().await {
                    Ok(Some(_)) => {}
                    Ok(None) => return (Ok(rows.rows_affected().unwrap_or(0)), None),
                    Err(error) => return (Err(failed(&error)), Some(error)),
                }
            }
        })
        .await?
    }

    async fn ask<T>(
        &mut self,
        sql: &str,
        parameters: &[Parameter<'_>],
        read: impl AsyncFnOnce(&mut Pin<&mut RowStream>, &Statement) -> (T, Option<tokio_postgres::Error>),
    ) -> Result<T, Error> {
        self.used = true;
        let Self { client, driver, watch, statements, uses, .. } = self;
        *uses += 1;
        let work = async {
            let (statement, rows) = start(client, watch, statements, *uses, sql, parameters).await?;
            let mut rows = pin!(rows);
            Ok::<_, tokio_postgres::Error>(read(&mut rows, &statement).await)
        };
        match drive(driver, work).await {
            Ok((answer, error)) => {
                self.unusable |= error.as_ref().is_some_and(unusable);
                Ok(answer)
            }
            Err(error) => {
                self.unusable |= unusable(&error);
                Err(failed(&error))
            }
        }
    }

    /// Looks what came from the server meanwhile and sends what waits to be sent, without waiting for anything.
    pub(super) fn look(&mut self) -> Condition {
        let mut cx = Context::from_waker(Waker::noop());
        if let Some(driver) = &mut self.driver {
            // Not held back by what the task that happens to run us has done before.
            let step = pin!(tokio::task::unconstrained(driver));
            if step.poll(&mut cx).is_ready() {
                self.driver = None;
            }
        }
        self.condition()
    }

    fn condition(&self) -> Condition {
        if self.driver.is_none() || self.unusable || self.watch.is_uncleaned() {
            Condition::Broken
        } else if self.watch.is_quiet() {
            Condition::Ready
        } else {
            Condition::Busy
        }
    }

    /// Asks for a clean session. Nobody waits for the answer before the next guest wants the connection, which then is busy until
    /// the answer is there. For a connection that is ready.
    pub(super) fn clean(&mut self) -> Condition {
        if !self.used {
            return self.condition();
        }
        self.watch.cleans();
        let open = !self.watch.is_idle();
        let sql = if open { format!("ROLLBACK; {CLEAN}") } else { CLEAN.to_owned() };
        // The first step sends it; that the answer has nobody who reads it is no matter to the driver.
        let sent = {
            let mut cx = Context::from_waker(Waker::noop());
            pin!(self.client.batch_execute(&sql)).poll(&mut cx).is_pending()
        };
        if !sent {
            return Condition::Broken;
        }
        self.used = false;
        match self.look() {
            Condition::Broken => Condition::Broken,
            Condition::Ready | Condition::Busy => Condition::Ready,
        }
    }

    /// Waits for the answers to what a guest has asked and left, and cancels what takes too long. False where that did not
    /// help.
    pub(super) async fn settle(&mut self) -> bool {
        let limit = Duration::from_millis(FINISH_MS_MAX);
        if let Ok(settled) = tokio::time::timeout(limit, self.quiet()).await {
            return settled;
        }
        let connector = self.security.connector(&Arc::default());
        let limit = Duration::from_millis(CANCEL_MS_MAX);
        let cancel = tokio::time::timeout(limit, self.client.cancel_token().cancel_query(connector)).await;
        matches!(cancel, Ok(Ok(()))) && tokio::time::timeout(limit, self.quiet()).await.unwrap_or(false)
    }

    /// Waits until nothing is on its way. False where the connection is lost instead.
    pub(super) async fn quiet(&mut self) -> bool {
        poll_fn(|cx| {
            if let Some(driver) = &mut self.driver
                && Pin::new(driver).poll(cx).is_ready()
            {
                self.driver = None;
            }
            match self.condition() {
                Condition::Ready => Poll::Ready(true),
                Condition::Broken => Poll::Ready(false),
                Condition::Busy => Poll::Pending,
            }
        })
        .await
    }

    /// Says good-bye, so that the server need not find out by itself.
    pub(super) fn close(self) {
        let Self { client, driver, .. } = self;
        drop(client);
        if let Some(driver) = driver {
            let mut cx = Context::from_waker(Waker::noop());
            let step = pin!(tokio::task::unconstrained(driver));
            // One step sends it; where that cannot be, the end of the stream says the same.
            let _ = step.poll(&mut cx);
        }
    }
}

/// Does some work with a connection, carrying its bytes to and fro.
async fn drive<T>(driver: &mut Option<Driver>, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(|cx| {
        // Once to ask, and once more to hear what came in between.
        if let Poll::Ready(done) = work.as_mut().poll(cx) {
            return Poll::Ready(done);
        }
        if let Some(live) = driver
            && Pin::new(live).poll(cx).is_ready()
        {
            // Without the driver the work hears that the connection is closed.
            *driver = None;
        }
        work.as_mut().poll(cx)
    })
    .await
}

/// Starts a statement, prepared before or now.
async fn start(
    client: &Client,
    watch: &Watch,
    statements: &mut HashMap<Arc<str>, Kept>,
    uses: u64,
    sql: &str,
    parameters: &[Parameter<'_>],
) -> Result<(Statement, RowStream), tokio_postgres::Error> {
    // Within a transaction an outdated statement would fail and take the transaction with it.
    let keeps = watch.is_idle();
    let kept = statements.get_mut(sql).filter(|_| keeps).map(|kept| {
        kept.used = uses;
        kept.statement.clone()
    });
    let outdated = match kept {
        None => None,
        Some(statement) => match client.query_raw(&statement, parameters).await {
            Ok(rows) => return Ok((statement, rows)),
            Err(error) if !may_be_outdated(&error) => return Err(error),
            Err(error) => {
                statements.remove(sql);
                client.clear_type_cache();
                Some((statement, error))
            }
        },
    };
    let statement = client.prepare(sql).await?;
    if keeps {
        keep(statements, uses, sql, &statement);
    }
    if let Some((old, error)) = outdated
        && error.code() != Some(&SqlState::INVALID_SQL_STATEMENT_NAME)
        && same(&old, &statement)
    {
        return Err(error);
    }
    let rows = client.query_raw(&statement, parameters).await?;
    Ok((statement, rows))
}

/// Whether a statement that was prepared some time ago can have failed because the schema has changed since. This is about errors
/// from before it ran: it can be run again.
fn may_be_outdated(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        Some(code) => {
            *code == SqlState::FEATURE_NOT_SUPPORTED
                || *code == SqlState::INVALID_SQL_STATEMENT_NAME
                || code.code().starts_with("42")
        }
        // A parameter that does not fit, which was not even sent.
        None => !error.is_closed(),
    }
}

/// Whether two statements take and give the same.
fn same(one: &Statement, other: &Statement) -> bool {
    one.params() == other.params()
        && one.columns().len() == other.columns().len()
        && one.columns().iter().zip(other.columns()).all(|(one, other)| {
            one.name() == other.name()
                && one.type_() == other.type_()
                && one.type_modifier() == other.type_modifier()
        })
}

fn keep(statements: &mut HashMap<Arc<str>, Kept>, uses: u64, sql: &str, statement: &Statement) {
    if statements.len() >= STATEMENTS_MAX
        && let Some(oldest) =
            statements.iter().min_by_key(|(_, kept)| kept.used).map(|(sql, _)| Arc::clone(sql))
    {
        statements.remove(&oldest);
    }
    statements.insert(sql.into(), Kept { statement: statement.clone(), used: uses });
}

fn too_large() -> Error {
    let text = format!("the result is larger than {RESULT_BYTES_MAX} bytes: ask for fewer rows");
    Error::QueryFailed(QueryError::Text(text))
}

//! The one writer of a database file: it runs the statements that are waiting as one transaction.
//!
//! Each statement runs under a savepoint of its own and is answered after the commit, so that full durability costs
//! one flush to disk for all of them. No statement suffers for another: when one of them takes the whole transaction
//! down (`RAISE(ROLLBACK)`, a deferred foreign key at the commit), the group is rolled back and each statement runs
//! again by itself, exactly as it would have without the group.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex};

use super::connection::{Connection, Outcome, Use, failure, too_large};
use super::database::{Job, lock};
use super::pragma::Profile;

/// The most statements that share one commit.
pub(super) const GROUP_MAX: usize = 256;

pub(super) struct Writer {
    path: PathBuf,
    connections: HashMap<Arc<Profile>, Connection>,
    waiting: VecDeque<Job>,
    killed: Arc<AtomicBool>,
    writing: Arc<Mutex<()>>,
}

impl Writer {
    pub(super) fn new(
        path: PathBuf,
        first: Connection,
        base: Arc<Profile>,
        killed: Arc<AtomicBool>,
        writing: Arc<Mutex<()>>,
    ) -> Self {
        Self { path, connections: HashMap::from([(base, first)]), waiting: VecDeque::new(), killed, writing }
    }

    /// Serves until every sender is gone, then checkpoints and closes the file.
    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        while let Some(group) = self.next_group(jobs) {
            let writing = Arc::clone(&self.writing);
            let _writing = lock(&writing);
            if self.killed.load(Ordering::SeqCst) {
                return;
            }
            self.serve(group);
        }
        if let Some(connection) = self.connections.values().next()
            // Passive: any other kind waits for readers with the write lock in its hand, and a program that takes this one's
            // place on the same file would wait with it.
            && let Err(error) = connection.command("PRAGMA wal_checkpoint(PASSIVE)")
        {
            tracing::debug!(%error, "the last checkpoint was not made; the next start will make it");
        }
    }

    /// The oldest waiting statement and all that may share its transaction; `None` when there will be no more.
    fn next_group(&mut self, jobs: &Receiver<Job>) -> Option<Vec<Job>> {
        let first = match self.waiting.pop_front() {
            Some(job) => job,
            None => jobs.recv().ok()?,
        };
        while self.waiting.len() < GROUP_MAX
            && let Ok(job) = jobs.try_recv()
        {
            self.waiting.push_back(job);
        }
        let (profile, alone) = (Arc::clone(&first.profile), first.alone);
        let mut group = vec![first];
        if !alone {
            let mut others = VecDeque::with_capacity(self.waiting.len());
            for job in self.waiting.drain(..) {
                if group.len() < GROUP_MAX && !job.alone && Arc::ptr_eq(&job.profile, &profile) {
                    group.push(job);
                } else {
                    others.push_back(job);
                }
            }
            self.waiting = others;
        }
        Some(group)
    }

    /// Runs one group and answers its members.
    pub(super) fn serve(&mut self, group: Vec<Job>) {
        let Some(profile) = group.first().map(|job| Arc::clone(&job.profile)) else { return };
        let connection = match self.connections.entry(profile) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => {
                match Connection::open(&self.path, entry.key()) {
                    Ok(connection) => entry.insert(connection),
                    Err(error) => {
                        for job in group {
                            answer(job, Outcome::Failed(failure(&error)));
                        }
                        return;
                    }
                }
            }
        };
        let group = match group.len() {
            0 | 1 => group,
            _ => match together(connection, &group) {
                Ok(outcomes) => {
                    for (job, outcome) in group.into_iter().zip(outcomes) {
                        answer(job, outcome);
                    }
                    return;
                }
                Err(Refused::Begin(error)) => {
                    // The file is locked by someone else, for longer than the connection waits: alone they would
                    // have waited as long each, to the same end.
                    for job in group {
                        answer(job, Outcome::Failed(failure(&error)));
                    }
                    return;
                }
                Err(Refused::Whole) => group,
            },
        };
        for job in group {
            let outcome = alone(connection, &job);
            answer(job, outcome);
        }
    }
}

/// Why a group did not run as one transaction. Nothing of it is in the database.
enum Refused {
    /// It could not be begun.
    Begin(rusqlite::Error),
    /// One of its statements, or the commit, took the whole of it down.
    Whole,
}

fn together(connection: &Connection, group: &[Job]) -> Result<Vec<Outcome>, Refused> {
    connection.command("BEGIN IMMEDIATE").map_err(Refused::Begin)?;
    let mut outcomes = Vec::with_capacity(group.len());
    for job in group {
        match member(connection, job) {
            Some(outcome) => outcomes.push(outcome),
            None => return Err(roll_back(connection)),
        }
    }
    match connection.command("COMMIT") {
        Ok(()) => Ok(outcomes),
        Err(_) => Err(roll_back(connection)),
    }
}

/// One statement under its savepoint; `None` when the transaction around it is gone.
fn member(connection: &Connection, job: &Job) -> Option<Outcome> {
    connection.command("SAVEPOINT member").ok()?;
    let outcome = connection.execute(&job.sql, &job.parameters, Use::SharedWrite);
    if connection.is_autocommit() {
        return None;
    }
    let outcome = match outcome {
        Outcome::TooLarge => {
            connection.command("ROLLBACK TO member").ok()?;
            Outcome::Failed(too_large())
        }
        // What a failed statement leaves behind is what SQLite's conflict clause says it leaves behind.
        other => other,
    };
    connection.command("RELEASE member").ok()?;
    Some(outcome)
}

/// One statement in a transaction of its own, SQLite's own when that will do.
fn alone(connection: &Connection, job: &Job) -> Outcome {
    match connection.execute(&job.sql, &job.parameters, Use::SharedWrite) {
        Outcome::TooLarge => Outcome::Failed(too_large()),
        outcome => outcome,
    }
}

fn roll_back(connection: &Connection) -> Refused {
    if !connection.is_autocommit()
        && let Err(error) = connection.command("ROLLBACK")
    {
        tracing::error!(%error, "a group of statements could not be rolled back");
    }
    Refused::Whole
}

fn answer(job: Job, outcome: Outcome) {
    // A guest that went away needs no answer.
    let _ = job.reply.send(outcome);
}

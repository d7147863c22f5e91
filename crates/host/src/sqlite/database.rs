//! One database file: its writer, its readers, and the way of a guest's statement to the right one of them.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use anyhow::Context;
use tokio::sync::oneshot;

use super::classify::Class;
use super::connection::{Connection, Outcome, Use};
use super::pragma::{Profile, Setting};
use super::session::Table;
use super::writer::Writer;
use crate::bindings::imports::spin::sqlite::sqlite::{Error, Value};

/// Threads that run statements which only read, per file.
const READERS: usize = 2;
/// Statements that may wait for one file's writer, and for its readers.
const WAITING_MAX: usize = 8_192;
/// Distinct settings that guests of one file may share connections under; past it a guest gets its own.
const PROFILES_MAX: usize = 16;
/// Statement texts whose class is remembered.
const CLASSES_MAX: usize = 4_096;
/// Answers to settings that are remembered.
const SETTINGS_REMEMBERED_MAX: usize = 256;
/// Guests that may have a connection of their own at one time, per file.
const PRIVATE_MAX: usize = 128;

/// What statements that made a profile answered.
type Settings = HashMap<(Arc<Profile>, Arc<str>), Table>;

/// A statement on its way.
pub(super) struct Job {
    pub(super) profile: Arc<Profile>,
    pub(super) sql: Arc<str>,
    pub(super) parameters: Vec<Value>,
    /// It must not share a transaction.
    pub(super) alone: bool,
    pub(super) reply: oneshot::Sender<Outcome>,
}

pub(crate) struct Database {
    path: PathBuf,
    writer: SyncSender<Job>,
    readers: SyncSender<Job>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    profiles: Mutex<HashSet<Arc<Profile>>>,
    classes: Mutex<HashMap<Arc<str>, Class>>,
    settings: Mutex<Settings>,
    private: Arc<AtomicUsize>,
    killed: Arc<AtomicBool>,
    /// Held by the writer while it writes.
    writing: Arc<Mutex<()>>,
    wal: AtomicBool,
}

impl Database {
    /// Opens the file, creating it and its folder when missing, and starts its threads. The writer's connection stays
    /// open until the database is dropped, so that the write-ahead log outlives every guest's connection.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Arc<Self>> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        }
        let base = Arc::new(Profile::default());
        let first = Connection::open(path, &base).with_context(|| format!("opening {}", path.display()))?;
        let killed = Arc::new(AtomicBool::new(false));
        let writing = Arc::new(Mutex::new(()));
        let mut threads = Vec::new();

        let (writer, jobs) = sync_channel(WAITING_MAX);
        let thread =
            Writer::new(path.to_owned(), first, Arc::clone(&base), Arc::clone(&killed), Arc::clone(&writing));
        threads.push(spawn("sqlite-writer", move || thread.run(&jobs))?);

        let (readers, jobs) = sync_channel(WAITING_MAX);
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..READERS {
            let jobs = Arc::clone(&jobs);
            let path = path.to_owned();
            threads.push(spawn("sqlite-reader", move || read(&path, &jobs))?);
        }
        Ok(Arc::new(Self {
            path: path.to_owned(),
            writer,
            readers,
            threads: Mutex::new(threads),
            profiles: Mutex::new(HashSet::from([base])),
            classes: Mutex::default(),
            settings: Mutex::default(),
            private: Arc::default(),
            killed,
            writing,
            wal: AtomicBool::new(false),
        }))
    }

    /// Lets statements that wait go unanswered and unrun. When it returns no group is being written any more.
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::SeqCst);
        drop(lock(&self.writing));
    }

    /// Waits for the threads; for use by the last owner, see [`close`].
    fn threads(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut *lock(&self.threads))
    }

    /// Set once nothing may be run any more.
    pub(super) fn killed(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.killed)
    }

    /// The profile of a connection that has made no setting.
    pub(super) fn base(&self) -> Arc<Profile> {
        self.shared(Profile::default()).unwrap_or_default()
    }

    /// `profile` and one more setting, as a profile whose connections are shared; `None` when there are too many.
    pub(super) fn profile(&self, profile: &Profile, setting: Setting) -> Option<Arc<Profile>> {
        if profile.len() >= super::pragma::SETTINGS_MAX {
            return None;
        }
        self.shared(profile.with(setting))
    }

    fn shared(&self, profile: Profile) -> Option<Arc<Profile>> {
        let mut profiles = lock(&self.profiles);
        if let Some(known) = profiles.get(&profile) {
            return Some(Arc::clone(known));
        }
        if profiles.len() >= PROFILES_MAX {
            return None;
        }
        let profile = Arc::new(profile);
        profiles.insert(Arc::clone(&profile));
        Some(profile)
    }

    /// What a statement that made this profile answered the last time. Every guest instance begins with the same few
    /// settings, and their answers depend on nothing else.
    pub(super) fn setting_answer(&self, profile: &Arc<Profile>, sql: &Arc<str>) -> Option<Table> {
        lock(&self.settings).get(&(Arc::clone(profile), Arc::clone(sql))).cloned()
    }

    /// Remembers the answer of a statement that made a profile.
    pub(super) fn keep_setting_answer(&self, profile: &Arc<Profile>, sql: &Arc<str>, table: &Table) {
        let mut settings = lock(&self.settings);
        if settings.len() >= SETTINGS_REMEMBERED_MAX {
            settings.clear();
        }
        settings.insert((Arc::clone(profile), Arc::clone(sql)), table.clone());
    }

    /// What is known of a statement text.
    pub(super) fn class(&self, sql: &str) -> Option<Class> {
        lock(&self.classes).get(sql).copied()
    }

    /// Remembers what a statement text turned out to be.
    pub(super) fn learn(&self, sql: &Arc<str>, class: Class) {
        let mut classes = lock(&self.classes);
        if classes.len() >= CLASSES_MAX {
            classes.clear();
        }
        classes.insert(Arc::clone(sql), class);
    }

    /// Runs a statement on a reader.
    pub(super) async fn read(
        &self,
        profile: &Arc<Profile>,
        sql: &Arc<str>,
        parameters: Vec<Value>,
    ) -> Outcome {
        submit(&self.readers, profile, sql, parameters, false).await
    }

    /// Runs a statement on the writer.
    pub(super) async fn write(
        &self,
        profile: &Arc<Profile>,
        sql: &Arc<str>,
        parameters: Vec<Value>,
        alone: bool,
    ) -> Outcome {
        submit(&self.writer, profile, sql, parameters, alone).await
    }

    /// Whether the file is known to have a write-ahead log.
    pub(super) fn is_wal(&self) -> bool {
        self.wal.load(Ordering::Relaxed)
    }

    /// Notes whether the file has a write-ahead log.
    pub(super) fn set_wal(&self, wal: bool) {
        self.wal.store(wal, Ordering::Relaxed);
    }

    /// Where the file is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Room for one more connection of a guest's own.
    pub(super) fn private_permit(&self) -> Option<PrivatePermit> {
        let counted = Arc::clone(&self.private);
        if counted.fetch_add(1, Ordering::SeqCst) >= PRIVATE_MAX {
            counted.fetch_sub(1, Ordering::SeqCst);
            return None;
        }
        Some(PrivatePermit(counted))
    }
}

/// Gives up the last handles of databases and waits until their threads have checkpointed and closed the files.
/// Blocks.
pub(crate) fn close(databases: impl IntoIterator<Item = Arc<Database>>) -> anyhow::Result<()> {
    for database in databases {
        let threads = database.threads();
        // The threads end when the last sender is gone.
        drop(database);
        for thread in threads {
            thread.join().map_err(|_| anyhow::anyhow!("a database thread ended in a panic"))?;
        }
    }
    Ok(())
}

/// Counts one connection of a guest's own while it lives.
pub(super) struct PrivatePermit(Arc<AtomicUsize>);

impl Drop for PrivatePermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn submit(
    queue: &SyncSender<Job>,
    profile: &Arc<Profile>,
    sql: &Arc<str>,
    parameters: Vec<Value>,
    alone: bool,
) -> Outcome {
    let (reply, answer) = oneshot::channel();
    let job = Job { profile: Arc::clone(profile), sql: Arc::clone(sql), parameters, alone, reply };
    match queue.try_send(job) {
        Ok(()) => answer.await.unwrap_or_else(|_| closing()),
        Err(TrySendError::Full(_)) => {
            Outcome::Failed(Error::Io(format!("more than {WAITING_MAX} statements wait for the database")))
        }
        Err(TrySendError::Disconnected(_)) => closing(),
    }
}

fn closing() -> Outcome {
    Outcome::Failed(Error::Io("the database is closing".to_owned()))
}

fn read(path: &Path, jobs: &Mutex<Receiver<Job>>) {
    let mut connections: HashMap<Arc<Profile>, Connection> = HashMap::new();
    loop {
        let Ok(job) = lock(jobs).recv() else { return };
        let connection = match connections.entry(job.profile) {
            std::collections::hash_map::Entry::Occupied(entry) => entry.into_mut(),
            std::collections::hash_map::Entry::Vacant(entry) => match Connection::open(path, entry.key()) {
                Ok(connection) => entry.insert(connection),
                Err(error) => {
                    // A guest that went away needs no answer.
                    let _ = job.reply.send(Outcome::Failed(super::connection::failure(&error)));
                    continue;
                }
            },
        };
        let outcome = connection.execute(&job.sql, &job.parameters, Use::SharedRead);
        let _ = job.reply.send(outcome);
    }
}

pub(super) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> anyhow::Result<JoinHandle<()>> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .with_context(|| format!("starting thread {name}"))
}

/// Locks, also after a panic elsewhere: what is guarded here is valid after every single step.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

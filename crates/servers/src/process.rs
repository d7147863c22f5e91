//! A server as a process: started, signalled, waited for, and never left behind.

use std::fs::{self, File};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

/// How long a server may take to be ready, and to end. Generous: the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(60);
/// The wait between two looks.
const LOOK: Duration = Duration::from_millis(10);
/// How much of a server's log an error repeats, in bytes from its end.
const LOG_TAIL_BYTES: usize = 2_000;

/// Waits for its input to end, which happens when its owner dies; then ends the server, or its group, and removes its folder.
const WATCHER: &str = r#"
read -r _
kill -s "$2" -- "$1" 2>/dev/null
looks=0
while kill -s 0 -- "$1" 2>/dev/null && [ "$looks" -lt 100 ]; do
    sleep 0.1
    looks=$((looks + 1))
done
rm -rf "$3"
"#;

/// A running server and its watcher. Dropped without [`Process::end`] it is killed.
pub(crate) struct Process {
    name: &'static str,
    /// What is signalled: the number of the process, with a minus before it for its whole group.
    target: String,
    server: Child,
    watcher: Child,
}

impl Process {
    /// Starts a server that keeps its things in `folder` and writes its log to `log`. When the process that called this dies,
    /// the server gets `last_signal` and its folder is removed.
    pub(crate) fn start(
        name: &'static str,
        command: Command,
        folder: &Path,
        log: &Path,
        last_signal: &str,
    ) -> Result<Self> {
        Self::start_as(name, command, folder, log, last_signal, "")
    }

    /// The same for a server whose own children outlive it: they are all killed together.
    pub(crate) fn start_group(
        name: &'static str,
        command: Command,
        folder: &Path,
        log: &Path,
    ) -> Result<Self> {
        Self::start_as(name, command, folder, log, "KILL", "-")
    }

    fn start_as(
        name: &'static str,
        mut command: Command,
        folder: &Path,
        log: &Path,
        last_signal: &str,
        sign: &str,
    ) -> Result<Self> {
        let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
        let errors = output.try_clone().context("the log cannot be opened twice")?;
        // Groups of their own: what is typed at the owner's terminal is for the owner, which then ends them.
        let mut server = command
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        let target = format!("{sign}{}", server.id());
        let watcher = Command::new("sh")
            .args(["-c", WATCHER, "watcher", &target, last_signal])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match watcher {
            Ok(watcher) => Ok(Self { name, target, server, watcher }),
            Err(error) => {
                drop(server.kill());
                drop(server.wait());
                Err(error).with_context(|| format!("the watcher of {name} cannot be started"))
            }
        }
    }

    /// The server's process.
    pub(crate) fn id(&self) -> u32 {
        self.server.id()
    }

    /// Waits until `ready` says so. False where the server ended before that.
    pub(crate) fn wait_until(&mut self, mut ready: impl FnMut() -> bool) -> Result<bool> {
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if ready() {
                return Ok(true);
            }
            if self.server.try_wait().context("the server cannot be waited for")?.is_some() {
                return Ok(false);
            }
            sleep(LOOK);
        }
        bail!("{} was not ready after {PATIENCE:?}", self.name)
    }

    /// One that has ended by itself cannot be signalled, and need not be.
    fn signal(&self, signal: &str) {
        drop(Command::new("kill").args(["-s", signal, "--", &self.target]).stderr(Stdio::null()).status());
    }

    /// Sends a signal and waits for the server to end.
    pub(crate) fn end(mut self, signal: &str) -> Result<()> {
        self.signal(signal);
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if self.server.try_wait().context("the server cannot be waited for")?.is_some() {
                return Ok(());
            }
            sleep(LOOK);
        }
        bail!("{} did not end within {PATIENCE:?} of {signal}", self.name)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The watcher first, and not by ending its input: it would remove the folder of a server that is to start again.
        drop(self.watcher.kill());
        drop(self.watcher.wait());
        // A group is there for as long as the process that leads it has not been waited for.
        if self.target.starts_with('-') {
            self.signal("KILL");
        }
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// The end of a server's log, for an error.
pub(crate) fn tail(log: &Path) -> String {
    let text = fs::read(log).unwrap_or_default();
    let from = text.len().saturating_sub(LOG_TAIL_BYTES);
    String::from_utf8_lossy(text.get(from..).unwrap_or_default()).into_owned()
}

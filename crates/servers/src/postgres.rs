//! A private Postgres cluster.

use std::fs;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::databases::Databases;
use crate::port;
use crate::process::{Process, tail};

/// How often a start is tried: another process may take the port first, and the processes of a cluster that was killed take a
/// moment to notice.
const STARTS_MAX: u32 = 20;
/// The wait before another start.
const START_AGAIN: Duration = Duration::from_millis(250);
/// What Postgres is installed as on systems that keep several versions side by side.
const VERSIONS: &str = "/usr/lib/postgresql";
/// Postgres refuses to run as root; this is who it runs as then.
const SERVER_USER: &str = "postgres";
const INSTALL: &str = "install Postgres (Debian, Ubuntu: apt install postgresql)";

/// How a cluster runs.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether a commit survives the loss of power, at the price of a disk flush each. What was committed survives the end of
    /// the server in any case, so tests do without.
    pub durable: bool,
    /// How many connections it takes.
    pub connections_max: u32,
    /// Further settings of `postgresql.conf`, by name.
    pub more: Vec<(String, String)>,
}

impl Default for Settings {
    /// For tests: not durable, 400 connections.
    fn default() -> Self {
        Self { durable: false, connections_max: 400, more: Vec::new() }
    }
}

/// How a cluster is stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// Callers are sent away, what they had not committed is undone, and everything is written down.
    Fast,
    /// Everything ends at once, as in a crash: the next start recovers.
    Immediate,
}

/// A private cluster. It is gone, with its data, when this value is dropped or its process dies.
pub struct Postgres {
    // Before the folder: what is dropped first is the server.
    process: Option<Process>,
    settings: Settings,
    programs: Programs,
    folder: TempDir,
    port: u16,
}

impl Postgres {
    /// Makes a cluster and starts it. Fails with what to install where Postgres is not there.
    pub fn start(settings: Settings) -> Result<Self> {
        let programs = Programs::find()?;
        let folder =
            tempfile::Builder::new().prefix("restock-postgres-").tempdir().context("no temporary folder")?;
        programs.user.give(folder.path())?;
        let mut initdb = programs.command("initdb", folder.path());
        initdb
            .args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C", "--no-sync"])
            .arg("--pgdata")
            .arg(data(folder.path()));
        succeed("initdb", initdb)?;
        let mut cluster = Self { process: None, settings, programs, folder, port: port::free()? };
        cluster.run(|cluster| {
            cluster.port = port::free()?;
            Ok(())
        })?;
        Ok(cluster)
    }

    /// Starts a cluster that was stopped or killed, on the port it had. Does nothing where it runs.
    pub fn start_again(&mut self) -> Result<()> {
        if self.process.is_some() { Ok(()) } else { self.run(|_| Ok(())) }
    }

    /// Stops the cluster and waits for its end. Does nothing where it does not run.
    pub fn stop(&mut self, how: Stop) -> Result<()> {
        self.end(match how {
            Stop::Fast => "INT",
            Stop::Immediate => "QUIT",
        })
    }

    /// Kills the server; what it served ends when it notices.
    pub fn kill(&mut self) -> Result<()> {
        self.end("KILL")
    }

    /// The port it listens on, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The address of one of its databases, for a superuser without a password.
    pub fn url(&self, database: &str) -> String {
        self.databases().url(database)
    }

    /// Where databases are made.
    pub fn databases(&self) -> Databases {
        Databases::at(format!("postgres://postgres@127.0.0.1:{}/postgres", self.port))
    }

    /// The folder of the programs that came with this Postgres, such as `pgbench`.
    pub fn programs(&self) -> &Path {
        &self.programs.folder
    }

    fn end(&mut self, signal: &str) -> Result<()> {
        self.process.take().map_or(Ok(()), |process| process.end(signal))
    }

    /// Starts the server; `refused` prepares another try after one that ended early.
    fn run(&mut self, refused: impl Fn(&mut Self) -> Result<()>) -> Result<()> {
        let (data, log) = (data(self.folder.path()), self.folder.path().join("log"));
        for _ in 0..STARTS_MAX {
            let command = self.server(&data);
            let mut process = Process::start("postgres", command, self.folder.path(), &log, "QUIT")?;
            let id = process.id();
            if process.wait_until(|| is_ready(&data, id))? {
                self.process = Some(process);
                return Ok(());
            }
            drop(process);
            sleep(START_AGAIN);
            refused(self)?;
        }
        bail!("postgres did not start in {STARTS_MAX} tries; its log ends with:\n{}", tail(&log))
    }

    fn server(&self, data: &Path) -> Command {
        let mut server = self.programs.command("postgres", self.folder.path());
        server.arg("-D").arg(data).args(["-h", "127.0.0.1", "-p", &self.port.to_string()]);
        let on = |on: bool| if on { "on" } else { "off" };
        let durable = on(self.settings.durable);
        let own = [
            // Its callers use TCP, as they would elsewhere.
            ("unix_socket_directories", ""),
            ("max_connections", &self.settings.connections_max.to_string()),
            ("fsync", durable),
            ("full_page_writes", durable),
        ];
        for (name, value) in own {
            server.arg("-c").arg(format!("{name}={value}"));
        }
        for (name, value) in &self.settings.more {
            server.arg("-c").arg(format!("{name}={value}"));
        }
        server
    }
}

fn data(folder: &Path) -> PathBuf {
    folder.join("data")
}

/// Whether the server with this process takes connections: the last line of the file that it keeps for its own tools says so.
fn is_ready(data: &Path, id: u32) -> bool {
    let Ok(text) = fs::read_to_string(data.join("postmaster.pid")) else { return false };
    let mut lines = text.lines();
    lines.next() == Some(&id.to_string()) && lines.last().is_some_and(|line| line.trim() == "ready")
}

/// The programs of Postgres, and who runs them.
struct Programs {
    folder: PathBuf,
    user: User,
}

impl Programs {
    fn find() -> Result<Self> {
        Ok(Self { folder: folder_of("initdb").with_context(|| INSTALL)?, user: User::find()? })
    }

    fn command(&self, program: &str, folder: &Path) -> Command {
        let program = self.folder.join(program);
        let mut command = match &self.user {
            User::Own => Command::new(program),
            User::Server { .. } => {
                let mut command = Command::new("setpriv");
                command.args(["--reuid", SERVER_USER, "--regid", SERVER_USER, "--init-groups", "--"]);
                command.arg(program);
                command
            }
        };
        // A folder that the server's user may enter.
        command.current_dir(folder);
        command
    }
}

/// Who runs Postgres.
enum User {
    /// Whoever we are.
    Own,
    /// We are root.
    Server { uid: u32, gid: u32 },
}

impl User {
    fn find() -> Result<Self> {
        if identity(&["-u"])? != 0 {
            return Ok(Self::Own);
        }
        let found = identity(&["-u", SERVER_USER]).and_then(|uid| Ok((uid, identity(&["-g", SERVER_USER])?)));
        let (uid, gid) = found.context(
            "Postgres refuses to run as root and there is no user postgres: install the package that makes one, or be \
             another user",
        )?;
        Ok(Self::Server { uid, gid })
    }

    /// Lets the user write in a folder of ours.
    fn give(&self, folder: &Path) -> Result<()> {
        match *self {
            Self::Own => Ok(()),
            Self::Server { uid, gid } => chown(folder, Some(uid), Some(gid))
                .with_context(|| format!("{} cannot be given to {SERVER_USER}", folder.display())),
        }
    }
}

fn identity(args: &[&str]) -> Result<u32> {
    let mut id = Command::new("id");
    id.args(args);
    let output = succeed("id", id)?;
    String::from_utf8_lossy(&output.stdout).trim().parse().context("id did not print a number")
}

/// The folder that has a program of Postgres: on the PATH, or where several versions are kept, the newest.
pub(crate) fn folder_of(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).map(|folder| folder.join(program)).find_map(|file| {
        fs::canonicalize(file).ok().filter(|file| file.file_name() == Some(program.as_ref()))
    });
    let versions = || {
        let entries = fs::read_dir(VERSIONS).ok()?;
        let mut versions: Vec<(u32, PathBuf)> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let version = entry.file_name().to_str()?.parse().ok()?;
                let file = entry.path().join("bin").join(program);
                file.is_file().then_some((version, file))
            })
            .collect();
        versions.sort();
        versions.pop().map(|(_, file)| file)
    };
    on_path.or_else(versions).and_then(|file| file.parent().map(Path::to_owned))
}

/// Runs a program to its end; where it fails, the error is what it wrote.
pub(crate) fn succeed(name: &str, mut command: Command) -> Result<Output> {
    let output = command.output().with_context(|| format!("{name} cannot be started"))?;
    if !output.status.success() {
        bail!("{name} failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    Ok(output)
}

//! A private Redis server.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::port;
use crate::postgres::succeed;
use crate::process::{Process, tail};

/// How often a start is tried: another process may take the port first.
const STARTS_MAX: u32 = 5;
/// How long one look at a server that starts may take.
const LOOK_MAX: Duration = Duration::from_secs(5);
const INSTALL: &str = "install Redis (Debian, Ubuntu: apt install redis-server)";

/// A private server that keeps nothing on disk. It is gone when this value is dropped or its process dies.
pub struct Redis {
    // Before the folder: what is dropped first is the server.
    process: Option<Process>,
    folder: TempDir,
    port: u16,
}

impl Redis {
    /// Starts a server. Fails with what to install where Redis is not there.
    pub fn start() -> Result<Self> {
        let mut version = Command::new("redis-server");
        version.arg("--version");
        succeed("redis-server", version).with_context(|| INSTALL)?;
        let folder =
            tempfile::Builder::new().prefix("restock-redis-").tempdir().context("no temporary folder")?;
        let mut server = Self { process: None, folder, port: port::free()? };
        for _ in 0..STARTS_MAX {
            if server.run()? {
                return Ok(server);
            }
            server.port = port::free()?;
        }
        Err(server.failed())
    }

    /// Starts a server that was stopped, on the port it had. Does nothing where it runs.
    pub fn start_again(&mut self) -> Result<()> {
        if self.process.is_some() || self.run()? { Ok(()) } else { Err(self.failed()) }
    }

    /// Stops the server and waits for its end: its callers lose their connections. Does nothing where it does not run.
    pub fn stop(&mut self) -> Result<()> {
        self.process.take().map_or(Ok(()), |process| process.end("TERM"))
    }

    /// The port it listens on, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its address, without a database number.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// False where the server ended before it was ready.
    fn run(&mut self) -> Result<bool> {
        let mut command = Command::new("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &self.port.to_string(), "--daemonize", "no"]);
        command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(self.folder.path());
        let log = self.folder.path().join("log");
        let mut process = Process::start("redis-server", command, self.folder.path(), &log, "KILL")?;
        let (port, id) = (self.port, process.id());
        let started = process.wait_until(|| answers(port, id).unwrap_or(false))?;
        self.process = started.then_some(process);
        Ok(started)
    }

    fn failed(&self) -> anyhow::Error {
        let log = tail(&self.folder.path().join("log"));
        anyhow::anyhow!("redis-server did not start; its log ends with:\n{log}")
    }
}

/// Whether it is the server with this process that takes commands on a port: another one may have been faster to take it.
fn answers(port: u16, id: u32) -> Result<bool> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), LOOK_MAX)?;
    stream.set_read_timeout(Some(LOOK_MAX))?;
    stream.write_all(b"INFO server\r\nQUIT\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer.lines().any(|line| line == format!("process_id:{id}")))
}

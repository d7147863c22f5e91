//! A private Chromium, and the ChromeDriver that drives it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::postgres::succeed;
use crate::process::{Process, tail};

const INSTALL: &str = "install Chromium and its driver (Debian: apt install chromium chromium-driver)";
/// What the driver says when it listens; its port follows.
const LISTENING: &str = "was started successfully on port ";

/// A driver that speaks WebDriver on 127.0.0.1. Its browsers keep their profiles in a temporary folder of its own and end with it,
/// which is when this value is dropped or its process dies.
pub struct ChromeDriver {
    // Before the folder: what is dropped first are the processes.
    _process: Process,
    folder: TempDir,
    port: u16,
}

impl ChromeDriver {
    /// Starts a driver. Fails with what to install where it is not there.
    pub fn start() -> Result<Self> {
        let mut version = Command::new("chromedriver");
        version.arg("--version");
        succeed("chromedriver", version).with_context(|| INSTALL)?;
        let folder =
            tempfile::Builder::new().prefix("restock-browser-").tempdir().context("no temporary folder")?;
        let log = folder.path().join("log");
        // Zero: it takes a free port itself, so nobody can be faster.
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").env("TMPDIR", folder.path()).env("HOME", folder.path());
        // The browser does not end with its driver, but it is in the driver's group.
        let mut process = Process::start_group("chromedriver", command, folder.path(), &log)?;
        let mut port = None;
        let started = process.wait_until(|| {
            port = port_in(&log);
            port.is_some()
        })?;
        match port.filter(|_| started) {
            Some(port) => Ok(Self { _process: process, folder, port }),
            None => bail!("chromedriver did not start; its log ends with:\n{}", tail(&log)),
        }
    }

    /// Where it takes commands.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The port it listens on, on 127.0.0.1.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A folder for whatever belongs to its browsers, which goes with it.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

fn port_in(log: &Path) -> Option<u16> {
    let text = fs::read_to_string(log).ok()?;
    let (_, rest) = text.split_once(LISTENING)?;
    // The full stop behind the port: without it the number may not have been written whole.
    rest.split_once('.')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::port_in;

    #[test]
    fn the_port_is_read_once_it_was_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        let written = |text: &str| {
            fs::write(&log, text).unwrap();
            port_in(&log)
        };
        assert_eq!(written("Starting ChromeDriver 156.0 on port 0\n"), None);
        assert_eq!(written("ChromeDriver was started successfully on port 41"), None);
        assert_eq!(written("ChromeDriver was started successfully on port 41063.\n"), Some(41063));
    }
}

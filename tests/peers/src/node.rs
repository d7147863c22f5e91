//! The peers that run on Node.js, in the folder where they are installed.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

/// What the SES server prints before its address.
const RUNNING_AT: &str = "server running at http://localhost:";
/// The most lines that the SES server may print before its address.
const LINES_MAX: usize = 20;

/// The folder that holds `peers.mjs` and `node_modules`.
pub(crate) struct Node {
    folder: PathBuf,
}

/// An SES server that ends with this value.
pub(crate) struct SesServer {
    child: Child,
    /// Where it listens.
    pub(crate) origin: String,
}

impl Drop for SesServer {
    fn drop(&mut self) {
        // It holds nothing that is worth saving, and a process that is gone already is what is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Node {
    pub(crate) fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Runs a task of `peers.mjs`.
    pub(crate) fn task(&self, name: &str, input: &Value) -> Result<Value> {
        let mut child = Command::new("node")
            .args(["peers.mjs", name])
            .current_dir(&self.folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start node")?;
        child.stdin.take().context("node has no input")?.write_all(input.to_string().as_bytes())?;
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "`node peers.mjs {name}` failed ({})", output.status);
        serde_json::from_slice(&output.stdout)
            .with_context(|| format!("`node peers.mjs {name}` printed no JSON"))
    }

    /// Starts the SES server on a free port of this machine and waits until it says where it listens.
    pub(crate) fn ses_server(&self) -> Result<SesServer> {
        let mut child = Command::new("node")
            .args(["node_modules/aws-ses-v2-local/dist/cli.js", "--host", "127.0.0.1", "--port", "0"])
            .current_dir(&self.folder)
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the SES server")?;
        let output = child.stdout.take().context("the SES server has no output")?;
        let mut server = SesServer { child, origin: String::new() };
        for line in BufReader::new(output).lines().take(LINES_MAX) {
            if let Some((_, port)) = line?.split_once(RUNNING_AT) {
                server.origin = format!("http://127.0.0.1:{}", port.trim().parse::<u16>()?);
                break;
            }
        }
        ensure!(!server.origin.is_empty(), "the SES server did not say where it listens");
        Ok(server)
    }
}

//! The log: one line per event on stderr, readable on a terminal and JSON elsewhere.

use std::io::IsTerminal;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::AsyncWrite;
use tracing_subscriber::EnvFilter;

/// The longest line of a guest that is logged as one.
const LINE_BYTES_MAX: usize = 8 * 1024;
/// What is logged when `RUST_LOG` says nothing.
const DEFAULT_FILTER: &str = "info,wasmtime=warn,hyper=warn";
/// The same, where a person reads something else on the same terminal.
const QUIET_FILTER: &str = "warn";

/// Starts logging for the program. What `RUST_LOG` says is followed; without it, `quiet` leaves only what went wrong
/// on a terminal.
pub fn start(quiet: bool) {
    let default = if quiet && std::io::stderr().is_terminal() { QUIET_FILTER } else { DEFAULT_FILTER };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    // A second start would fail, and the first one's choice then stands.
    let _ = if std::io::stderr().is_terminal() {
        log.compact().try_init()
    } else {
        log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
}

/// Where a guest's stdout or stderr goes: into the log, line by line.
#[derive(Clone)]
pub(crate) struct Output {
    component: Arc<str>,
    stream: &'static str,
    /// Shared by all handles of one instance, so that a line written in pieces stays one.
    line: Arc<Mutex<Vec<u8>>>,
}

impl Output {
    pub(crate) fn new(component: &Arc<str>, stream: &'static str) -> Self {
        Self { component: Arc::clone(component), stream, line: Arc::default() }
    }

    fn take(&self, bytes: &[u8]) {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(piece);
            if line.len() >= LINE_BYTES_MAX || line.ends_with(b"\n") {
                self.log(&line);
                line.clear();
            }
        }
    }

    fn log(&self, line: &[u8]) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end();
        if !text.is_empty() {
            tracing::info!(target: "restock::guest", component = %self.component, stream = self.stream, "{text}");
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // The last handle sees to a line without an end.
        if Arc::strong_count(&self.line) == 1 {
            let line = std::mem::take(&mut *self.line.lock().unwrap_or_else(PoisonError::into_inner));
            self.log(&line);
        }
    }
}

impl wasmtime_wasi::cli::IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl wasmtime_wasi::cli::StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        Box::new(self.clone())
    }
}

impl AsyncWrite for Output {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

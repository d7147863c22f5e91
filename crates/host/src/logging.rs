//! The log: one line per event on stderr, readable on a terminal and JSON elsewhere.

use std::io::IsTerminal;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{self, Poll};

use tokio::io::AsyncWrite;
// Not `EnvFilter`: its regular expressions are shared with wasmtime, which would then be compiled twice, once with the
// features that the tests' own libraries ask of them.
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

/// The environment variable that says what is logged.
const VARIABLE: &str = "RUST_LOG";
/// The longest line of a guest that is logged as one.
const LINE_BYTES_MAX: usize = 8 * 1024;
/// What is logged when `RUST_LOG` says nothing.
const DEFAULT_FILTER: &str = "info,wasmtime=warn,hyper=warn";
/// The same, where a person reads something else on the same terminal.
const QUIET_FILTER: &str = "warn";

/// Starts logging for the program. What `RUST_LOG` says is followed; without it, `quiet` leaves only what went wrong
/// on a terminal.
///
/// Fails, and logs nothing, where `RUST_LOG` cannot be understood.
pub fn start(quiet: bool) -> anyhow::Result<()> {
    let terminal = std::io::stderr().is_terminal();
    let asked = std::env::var_os(VARIABLE).map(|text| text.to_string_lossy().into_owned());
    let filter = filter(asked.as_deref(), if quiet && terminal { QUIET_FILTER } else { DEFAULT_FILTER })?;
    let log = fmt::layer().with_writer(std::io::stderr);
    let log = if terminal {
        log.compact().with_filter(filter).boxed()
    } else {
        log.json()
            .flatten_event(true)
            .with_current_span(false)
            .with_span_list(false)
            .with_filter(filter)
            .boxed()
    };
    // A second start would fail, and the first one's choice then stands.
    let _ = tracing_subscriber::registry().with(log).try_init();
    Ok(())
}

/// What would log the parameters of statements below a warning: what a shop knows of people, and its secrets.
const INDISCREET: [&str; 2] = ["tokio_postgres", "tokio_postgres::query"];

/// What to log: levels, each for everything or for one part of the program.
fn filter(asked: Option<&str>, default: &str) -> anyhow::Result<Targets> {
    let asked = asked.map(str::trim).filter(|text| !text.is_empty());
    let text = asked.unwrap_or(default);
    // The parser's own error says no more, and says it twice.
    let targets: Targets = text.parse().map_err(|_| {
        anyhow::anyhow!(
            "{VARIABLE} is {text:?}, which is not understood: say a level (error, warn, info, debug, trace or off), or \
             levels for parts such as restock_host=debug,info"
        )
    })?;
    Ok(targets.with_targets(INDISCREET.map(|target| (target, LevelFilter::WARN))))
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
    fn poll_write(
        self: Pin<&mut Self>,
        _: &mut task::Context<'_>,
        bytes: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        self.take(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn the_environment_says_what_is_logged_and_silence_means_the_default() {
        for silent in [None, Some(""), Some("  ")] {
            let filter = filter(silent, DEFAULT_FILTER).unwrap();
            assert!(filter.would_enable("restock_host::http", &Level::INFO));
            assert!(!filter.would_enable("wasmtime::runtime", &Level::INFO));
        }
        let filter = filter(Some("restock_host=debug,info"), DEFAULT_FILTER).unwrap();
        assert!(filter.would_enable("restock_host::http", &Level::DEBUG));
        assert!(filter.would_enable("hyper", &Level::INFO));
        assert!(!filter.would_enable("hyper", &Level::DEBUG));
    }

    #[test]
    fn no_level_makes_a_database_log_what_statements_are_about() {
        for asked in ["trace", "tokio_postgres=trace", "tokio_postgres::query=debug"] {
            let filter = filter(Some(asked), DEFAULT_FILTER).unwrap();
            assert!(!filter.would_enable("tokio_postgres::query", &Level::DEBUG), "{asked}");
            assert!(!filter.would_enable("tokio_postgres::connection", &Level::INFO), "{asked}");
        }
    }

    #[test]
    fn a_level_that_does_not_exist_is_named_with_what_could_stand_there() {
        let error = format!("{:#}", filter(Some("restock_host=loud"), DEFAULT_FILTER).unwrap_err());
        assert!(error.contains("restock_host=loud") && error.contains("debug"), "{error}");
    }
}

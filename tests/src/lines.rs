//! What the components of this process have written into the log, line by line.

use std::fmt;
use std::sync::{Mutex, Once, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};

use crate::support::eventually;

/// What the host logs the lines of guests under.
const TARGET: &str = "restock::guest";

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps the lines of all applications that are started from now on. Tests that share a process share the lines too, so each looks for
/// its own traces.
pub(crate) fn keep() {
    static KEPT: Once = Once::new();
    KEPT.call_once(|| {
        let subscriber = tracing_subscriber::registry().with(Keeper);
        tracing::subscriber::set_global_default(subscriber).expect("nobody else listens");
    });
}

/// The lines so far that hold this text, oldest first.
pub(crate) fn with(text: &str) -> Vec<String> {
    let lines = LINES.lock().unwrap_or_else(PoisonError::into_inner);
    lines.iter().filter(|line| line.contains(text)).cloned().collect()
}

/// Waits for a line that holds all of these texts.
pub(crate) async fn one_with(texts: &[&str]) -> String {
    let [first, others @ ..] = texts else { panic!("a text") };
    let find = || with(first).into_iter().find(|line| others.iter().all(|text| line.contains(text)));
    eventually(&format!("a line with {texts:?}"), || async { find() }).await
}

struct Keeper;

impl<S: Subscriber> Layer<S> for Keeper {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == TARGET {
            let mut message = Message(String::new());
            event.record(&mut message);
            LINES.lock().unwrap_or_else(PoisonError::into_inner).push(message.0);
        }
    }
}

struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

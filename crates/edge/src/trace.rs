//! The trace that the work at hand belongs to, and the one place that writes lines into the log, which carry it.
//!
//! Handlers pass nothing around: what they work on is found while their future is polled. It is kept in that future ([`within`])
//! and lent to the thread for as long as a poll takes, so the many futures of one instance do not mix, and between two polls no
//! static holds any of it. Work that is spawned belongs to nothing unless it is [`carried`].
//!
//! A request brings its trace in the header `traceparent`, a message in its event. A request that brings none begins one when
//! something first asks for it. `tracestate` goes no further: what is sent to partners is sent for a message, which does not keep it.

use crate::host;
use http::{HeaderMap, HeaderName, HeaderValue};
use restock_bindings::queue::Event;
use restock_domain::trace::{Context, SpanId, TRACEPARENT, TraceId};
use std::cell::Cell;
use std::fmt;
use std::future::{Future, poll_fn};
use std::io::Write as _;
use std::pin::pin;

/// The header.
const HEADER: HeaderName = HeaderName::from_static(TRACEPARENT);
/// The longest line that is logged, characters, without its trace.
const LINE_CHARACTERS_MAX: usize = 4_000;

/// Writes a line into the log, in the words of `format!`, as [`trace::log`](crate::trace::log) does.
#[macro_export]
macro_rules! log {
    ($($words:tt)*) => { $crate::trace::log(::core::format_args!($($words)*)) };
}

/// What work belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Nobody said.
    #[default]
    Outside,
    /// A trace of its own, as soon as something asks for it.
    Fresh,
    /// This step of a trace, asked for by a caller in another one, where there is such.
    In { step: Context, caller: Option<TraceId> },
}

impl Scope {
    fn of(step: Context) -> Self {
        Self::In { step, caller: None }
    }

    /// What a request belongs to. More than one header is as good as none: nobody can say which one is meant.
    fn of_request(headers: &HeaderMap, random: impl FnOnce() -> u64) -> Self {
        let mut values = headers.get_all(HEADER).iter();
        let only = values.next().filter(|_| values.next().is_none());
        let caller = only.and_then(|value| Context::parse(value.to_str().ok()?));
        caller.map_or(Self::Fresh, |caller| Self::of(caller.step(SpanId::random(random()))))
    }

    /// What work belongs to that turns out to go on with what began elsewhere.
    fn taking_up(self, step: Context) -> Self {
        match self {
            Self::In { step: own, .. } if own.trace() == step.trace() => self,
            Self::In { step: own, caller } => Self::In { step, caller: caller.or(Some(own.trace())) },
            Self::Outside | Self::Fresh => Self::of(step),
        }
    }
}

thread_local! {
    /// What the future belongs to that is being polled.
    static CURRENT: Cell<Scope> = const { Cell::new(Scope::Outside) };
}

/// A scope that is lent to the thread. Going, it takes back what became of it, and the thread has what it had.
struct Lent<'a>(&'a mut Scope);

impl<'a> Lent<'a> {
    fn new(scope: &'a mut Scope) -> Self {
        *scope = CURRENT.replace(*scope);
        Self(scope)
    }
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        *self.0 = CURRENT.replace(*self.0);
    }
}

/// Runs work that belongs to this.
pub(crate) async fn scoped<T>(mut scope: Scope, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    poll_fn(move |context| {
        let _lent = Lent::new(&mut scope);
        work.as_mut().poll(context)
    })
    .await
}

/// Runs work as a step of a trace.
pub async fn within<T>(step: Context, work: impl Future<Output = T>) -> T {
    scoped(Scope::of(step), work).await
}

/// What a request with these headers belongs to: the trace that it came with, or one of its own.
pub(crate) fn arriving(headers: &HeaderMap) -> Scope {
    Scope::of_request(headers, host::random_u64)
}

/// One more step of the trace of an event: that of an attempt at its message. An event that belongs to no trace begins one that has its
/// id, so that every attempt is of the same trace.
#[must_use]
pub(crate) fn of_event(event: &Event) -> Context {
    root_of(event).step(SpanId::random(host::random_u64()))
}

fn root_of(event: &Event) -> Context {
    let known = event.traceparent.as_deref().and_then(Context::parse);
    known.unwrap_or_else(|| Context::root(TraceId::of(&event.id)))
}

/// What the work at hand belongs to; none where nobody said.
#[must_use]
pub fn current() -> Option<Context> {
    match CURRENT.get() {
        Scope::Outside => None,
        Scope::In { step, .. } => Some(step),
        Scope::Fresh => {
            let random = u128::from(host::random_u64()) << 64 | u128::from(host::random_u64());
            let step = Context::root(TraceId::random(random.to_be_bytes()));
            CURRENT.set(Scope::of(step));
            Some(step)
        }
    }
}

/// What the work at hand belongs to. Where its request brought nothing: the trace that begins with the thing of this id, which the
/// caller [takes up](take_up) once it is there.
#[must_use]
pub fn current_or_of(id: &str) -> Context {
    match CURRENT.get() {
        Scope::In { step, .. } => step,
        Scope::Outside | Scope::Fresh => Context::root(TraceId::of(id)),
    }
}

/// Goes on, until the end of the request or the message at hand, with a step of a trace that began elsewhere: that of the first of
/// several requests, or of what a report is about. Lines name the caller's trace beside it where that is another one.
pub fn take_up(traceparent: Option<&str>) {
    if let Some(step) = traceparent.and_then(Context::parse) {
        CURRENT.set(CURRENT.get().taking_up(step));
    }
}

/// Work that goes on by itself, in the trace of the work that spawns it.
pub fn carried<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    scoped(current().map_or(Scope::Outside, Scope::of), work)
}

/// Runs work as a step of its own within the trace at hand, such as a call to a partner.
pub(crate) async fn step<T>(work: impl Future<Output = T>) -> T {
    let step = current().map(|current| current.step(SpanId::random(host::random_u64())));
    scoped(step.map_or(Scope::Outside, Scope::of), work).await
}

/// Says in a request to another system what it is a step of.
pub(crate) fn stamp(headers: &mut HeaderMap) {
    let value = current().and_then(|step| HeaderValue::from_str(&step.to_string()).ok());
    if let Some(value) = value {
        headers.insert(HEADER, value);
    }
}

/// Writes a line into the log, on standard error, with the trace that the work at hand belongs to. The caller sees to it that no key,
/// address of a person or secret is in it.
pub fn log(words: fmt::Arguments<'_>) {
    // Asked first: the trace may only begin with this line.
    let _ = current();
    write(&line(words, CURRENT.get()));
}

/// The same for work that is over.
pub(crate) fn log_of(step: Context, words: fmt::Arguments<'_>) {
    write(&line(words, Scope::of(step)));
}

/// One line whatever is in the words, which can be those of another system.
fn line(words: fmt::Arguments<'_>, scope: Scope) -> String {
    let words = words.to_string();
    let mut line: String = words
        .chars()
        .take(LINE_CHARACTERS_MAX)
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    if let Scope::In { step, caller } = scope {
        line.push_str(&format!(" trace={}", step.trace()));
        if let Some(caller) = caller {
            line.push_str(&format!(" caller_trace={caller}"));
        }
    }
    line.push('\n');
    line
}

/// In one piece, because each is a call of the host. A log that cannot be written stops nothing.
fn write(line: &str) {
    let _ = std::io::stderr().write_all(line.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::future::join_all;
    use futures::stream::{FuturesUnordered, StreamExt as _};
    use proptest::prelude::*;
    use std::pin::Pin;
    use std::task::{Poll, Waker};

    fn nth(n: u64) -> Context {
        Context::root(TraceId::random(u128::from(n + 1).to_be_bytes()))
    }

    /// Lets everything else go on first.
    async fn pause() {
        let mut paused = false;
        poll_fn(|context| {
            if std::mem::replace(&mut paused, true) {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    /// Looks around at every turn, inside a step of its own too, and goes on with something else half way.
    async fn work(n: u64) {
        assert_eq!(current(), Some(nth(n)));
        pause().await;
        let inner = nth(1_000 + n);
        within(inner, async {
            for _ in 0..3 {
                assert_eq!(current(), Some(inner));
                pause().await;
            }
            take_up(Some(&nth(3_000 + n).to_string()));
        })
        .await;
        assert_eq!(current(), Some(nth(n)), "what is inside stays inside");
        let first = nth(2_000 + n);
        take_up(Some(&first.to_string()));
        for _ in 0..3 {
            assert_eq!(current(), Some(first));
            pause().await;
        }
    }

    #[test]
    fn futures_that_take_turns_stay_in_their_traces() {
        block_on(async {
            join_all((0..50).map(|n| within(nth(n), work(n)))).await;
            let unordered: FuturesUnordered<_> = (0..50).map(|n| within(nth(n), work(n))).collect();
            within(nth(99), async {
                unordered.collect::<Vec<_>>().await;
                assert_eq!(current(), Some(nth(99)), "whoever polls them stays in its own");
            })
            .await;
        });
        assert_eq!(CURRENT.get(), Scope::Outside);
    }

    proptest! {
        #[test]
        fn no_order_of_turns_mixes_traces_or_leaves_one_behind(turns in prop::collection::vec(0usize..4, 0..60)) {
            let mut works: Vec<Option<Pin<Box<dyn Future<Output = ()>>>>> =
                (0..4).map(|n| Some(Box::pin(within(nth(n), work(n))) as Pin<Box<dyn Future<Output = ()>>>)).collect();
            let mut context = std::task::Context::from_waker(Waker::noop());
            for turn in turns {
                let done = works[turn].as_mut().is_some_and(|work| work.as_mut().poll(&mut context).is_ready());
                if done {
                    works[turn] = None;
                }
                prop_assert_eq!(CURRENT.get(), Scope::Outside);
            }
        }
    }

    #[test]
    fn work_that_panics_leaves_no_trace_behind() {
        let panicking = within(nth(1), async { panic!("a bug") });
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| block_on(panicking)));
        assert!(panicked.is_err());
        assert_eq!(CURRENT.get(), Scope::Outside);
    }

    #[test]
    fn what_is_carried_goes_on_in_the_trace_that_it_was_spawned_in() {
        let spawned = block_on(within(nth(1), async { Some(carried(async { current() })) }));
        assert_eq!(spawned.map(block_on), Some(Some(nth(1))));
        assert_eq!(block_on(carried(async { current() })), None, "from nowhere to nowhere");
    }

    const HELD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn of_request(values: &[&str]) -> Scope {
        let header = |value: &&str| (HEADER, HeaderValue::from_str(value).expect("a value"));
        Scope::of_request(&values.iter().map(header).collect(), || 7)
    }

    #[test]
    fn a_request_goes_on_with_the_trace_that_it_brings_as_another_step() {
        let step = HELD.replace("00f067aa0ba902b7", "0000000000000007");
        assert_eq!(of_request(&[HELD]), Scope::of(Context::parse(&step).expect("a context")));
    }

    #[test]
    fn a_request_that_brings_no_usable_trace_begins_one() {
        let zeros = HELD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32));
        for values in [&[][..], &[""], &["é"], &["nonsense"], &[&zeros], &[HELD, HELD]] {
            assert_eq!(of_request(values), Scope::Fresh, "{values:?}");
        }
    }

    fn event(id: &str, traceparent: Option<&str>) -> Event {
        Event {
            id: id.to_owned(),
            source: String::new(),
            kind: "stock.depleted".to_owned(),
            subject: String::new(),
            time: 0,
            data: String::new(),
            traceparent: traceparent.map(str::to_owned),
        }
    }

    #[test]
    fn a_message_goes_on_with_the_trace_of_its_event_or_begins_the_one_that_has_its_id() {
        let id = "0192f0c1-0000-7000-8000-00000000abcd";
        assert_eq!(root_of(&event(id, Some(HELD))).to_string(), HELD);
        for unusable in [None, Some(""), Some("nonsense")] {
            let trace = root_of(&event(id, unusable)).trace().to_string();
            assert_eq!(trace, "0192f0c100007000800000000000abcd", "{unusable:?}");
        }
    }

    #[test]
    fn what_is_taken_up_is_named_before_the_callers_trace() {
        let (own, first) = (nth(1), nth(2));
        let caller = |scope: Scope| match scope.taking_up(first) {
            Scope::In { step, caller } => (step, caller),
            other => panic!("{other:?}"),
        };
        assert_eq!(caller(Scope::Fresh), (first, None));
        assert_eq!(caller(Scope::of(own)), (first, Some(own.trace())));
        assert_eq!(caller(Scope::of(nth(2).step(SpanId::random(5)))), (first.step(SpanId::random(5)), None));
        let line = line(format_args!("goods received"), Scope::of(own).taking_up(first));
        assert_eq!(line, format!("goods received trace={} caller_trace={}\n", first.trace(), own.trace()));
    }

    #[test]
    fn a_line_stays_one_line_of_limited_length_whatever_it_repeats() {
        let words = format!("the partner says \r\n{} trace=0", "가".repeat(2 * LINE_CHARACTERS_MAX));
        let line = line(format_args!("{words}"), Scope::of(nth(1)));
        assert_eq!(line.lines().count(), 1);
        assert!(line.ends_with(&format!(" trace={}\n", nth(1).trace())), "{line}");
        assert!(line.chars().count() < LINE_CHARACTERS_MAX + 100);
    }

    #[test]
    fn work_that_belongs_to_nothing_says_so_by_silence() {
        assert_eq!(line(format_args!("the bell was not heard"), Scope::Outside), "the bell was not heard\n");
    }
}

//! The W3C trace context: which trace a step belongs to, as the header `traceparent` says it.
//!
//! A trace is all that comes of one thing, such as an order: it goes on through messages, calls to partners and what they
//! report. A span is one step of it. Only version 00 is written. Later versions are read as far as version 00 goes, as the
//! specification asks; what they add is not handed on, and neither is `tracestate`.

use crate::hex;
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

/// The header, and the attribute of a CloudEvents record.
pub const TRACEPARENT: &str = "traceparent";

/// A header of version 00, and the part of a later one that is read, bytes.
const LENGTH: usize = 55;
/// No version has this number.
const VERSION_INVALID: u8 = 0xff;
/// The caller keeps a record of this trace, and asks us to.
const SAMPLED: u8 = 0x01;
/// The trace's id is random: whoever continues it says so as well.
const RANDOM: u8 = 0x02;

/// Names a trace; never all zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId([u8; 16]);

/// Names a step within its trace; never all zeros.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId([u8; 8]);

/// A step of a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    trace: TraceId,
    span: SpanId,
    flags: u8,
}

impl TraceId {
    fn new(bytes: [u8; 16]) -> Option<Self> {
        (bytes != [0; 16]).then_some(Self(bytes))
    }

    /// The trace that begins with the thing of this id. A UUID is one already; of anything else it is the digest.
    #[must_use]
    pub fn of(id: &str) -> Self {
        let uuid = Uuid::try_parse(id).ok().and_then(|id| Self::new(id.into_bytes()));
        uuid.unwrap_or_else(|| {
            let mut bytes = [0; 16];
            for (byte, digest) in bytes.iter_mut().zip(Sha256::digest(id)) {
                *byte = digest;
            }
            Self(bytes)
        })
    }

    /// A trace of its own, from 16 random bytes. All zeros, which name none, become something else.
    #[must_use]
    pub fn random(bytes: [u8; 16]) -> Self {
        Self::new(bytes).unwrap_or(Self([1; 16]))
    }
}

impl SpanId {
    fn new(bytes: [u8; 8]) -> Option<Self> {
        (bytes != [0; 8]).then_some(Self(bytes))
    }

    /// A step, from a random number. Zero, which names none, becomes one.
    #[must_use]
    pub fn random(number: u64) -> Self {
        Self(number.max(1).to_be_bytes())
    }
}

impl Context {
    /// Reads a `traceparent`; none for anything that does not follow the specification, which a receiver ignores.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (known, more) = text.split_at_checked(LENGTH)?;
        let mut fields = known.split('-');
        let [version] = bytes(fields.next()?)?;
        let trace = TraceId::new(bytes(fields.next()?)?)?;
        let span = SpanId::new(bytes(fields.next()?)?)?;
        let [flags] = bytes(fields.next()?)?;
        let is_whole = match version {
            VERSION_INVALID => false,
            0 => more.is_empty(),
            _ => more.is_empty() || more.starts_with('-'),
        };
        // Flags of which nobody knows the meaning are not handed on.
        is_whole.then_some(Self { trace, span, flags: flags & (SAMPLED | RANDOM) })
    }

    /// The first step of a trace. It needs no random number: it is the only one that is called after its trace.
    #[must_use]
    pub fn root(trace: TraceId) -> Self {
        let TraceId([.., a, b, c, d, e, f, g, h]) = trace;
        Self { trace, span: SpanId::random(u64::from_be_bytes([a, b, c, d, e, f, g, h])), flags: 0 }
    }

    /// Another step of the same trace.
    #[must_use]
    pub fn step(self, span: SpanId) -> Self {
        Self { span, ..self }
    }

    /// The trace.
    #[must_use]
    pub fn trace(&self) -> TraceId {
        self.trace
    }

    /// The step.
    #[must_use]
    pub fn span(&self) -> SpanId {
        self.span
    }

    /// Whether the caller keeps a record of the trace.
    #[must_use]
    pub fn is_sampled(&self) -> bool {
        self.flags & SAMPLED != 0
    }
}

fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    hex::decode(text)?.try_into().ok()
}

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(&self.0))
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&hex::encode(&self.0))
    }
}

/// As a `traceparent` of version 00.
impl fmt::Display for Context {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "00-{}-{}-{:02x}", self.trace, self.span, self.flags)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id;
    use proptest::prelude::*;

    /// The specification's own example.
    const EXAMPLE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn context() -> impl Strategy<Value = Context> {
        (any::<[u8; 16]>(), any::<u64>(), 0..=(SAMPLED | RANDOM)).prop_map(|(trace, span, flags)| Context {
            trace: TraceId::random(trace),
            span: SpanId::random(span),
            flags,
        })
    }

    #[test]
    fn the_example_of_the_specification_is_read() {
        let context = Context::parse(EXAMPLE).expect("a context");
        assert_eq!(context.trace().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span().to_string(), "00f067aa0ba902b7");
        assert!(context.is_sampled());
        assert_eq!(context.to_string(), EXAMPLE);
    }

    #[test]
    fn what_does_not_follow_the_specification_is_none() {
        let wrong = [
            "",
            "00",
            // All zeros name nothing.
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            // There is no such version.
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            // Digits are lower case.
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "0X-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0X",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
            // Fields of other lengths, also where the whole is as long as it should be.
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-001",
            "00-4bf92f3577b34da6a3ce929d0e0e47360-0f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
            "00_4bf92f3577b34da6a3ce929d0e0e4736_00f067aa0ba902b7_01",
            // Version 00 ends here; a later one goes on behind a dash.
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
            "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-011",
            " 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 ",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-é",
        ];
        for text in wrong {
            assert_eq!(Context::parse(text), None, "{text}");
        }
    }

    #[test]
    fn flags_without_a_meaning_are_not_handed_on() {
        let read = |flags| Context::parse(&format!("{}{flags}", EXAMPLE.trim_end_matches("01")));
        for (flags, handed_on) in [("00", "00"), ("02", "02"), ("03", "03"), ("ff", "03"), ("fc", "00")] {
            assert!(read(flags).is_some_and(|context| context.to_string().ends_with(handed_on)), "{flags}");
        }
        assert!(!read("02").expect("a context").is_sampled());
    }

    #[test]
    fn the_trace_of_a_uuid_has_its_digits_and_of_any_other_id_its_digest() {
        let id = "0192f0c1-0000-7000-8000-00000000abcd";
        assert_eq!(TraceId::of(id).to_string(), id.replace('-', ""));
        assert_eq!(TraceId::of("17").to_string(), "4523540f1504cd17100c4835e85b7eef");
        // This UUID names nothing, so it names no trace.
        let nil = TraceId::of("00000000-0000-0000-0000-000000000000").to_string();
        assert!(nil.trim_start_matches('0').len() > 16, "{nil}");
    }

    #[test]
    fn zeros_from_a_source_of_randomness_still_name_something() {
        let context = Context::root(TraceId::random([0; 16])).step(SpanId::random(0));
        assert_eq!(Context::parse(&context.to_string()), Some(context));
    }

    proptest! {
        #[test]
        fn what_was_written_is_read(context in context()) {
            prop_assert_eq!(Context::parse(&context.to_string()), Some(context));
        }

        #[test]
        fn a_later_version_is_read_as_far_as_version_00_goes(
            context in context(), version in 1u8..VERSION_INVALID, more in "(-.*)?",
        ) {
            let text = context.to_string();
            let later = format!("{version:02x}{}{more}", text.trim_start_matches("00"));
            prop_assert_eq!(Context::parse(&later), Some(context));
        }

        #[test]
        fn any_text_is_read_without_a_panic_and_only_what_can_be_written_again(
            text in "(.{0,80})|([0-9a-f]{2}-[0-9a-f]{30,34}-[0-9a-f]{14,18}-[0-9a-f]{2}(-.*)?)",
        ) {
            if let Some(context) = Context::parse(&text) {
                prop_assert_eq!(Context::parse(&context.to_string()), Some(context));
                let ids = format!("{}-{}", context.trace(), context.span());
                prop_assert!(text.contains(&ids));
            }
        }

        #[test]
        fn a_byte_that_cannot_stand_where_it_stands_makes_all_of_it_invalid(
            context in context(), at in 0..LENGTH, byte in "[ -,.-/:-`g-~]",
        ) {
            let mut text = context.to_string();
            text.replace_range(at..=at, &byte);
            prop_assert_eq!(Context::parse(&text), None);
        }

        #[test]
        fn every_trace_begins_with_a_step_that_can_be_written(now_ms in 0u64..1 << 47, random: [u8; 10], text: String) {
            for id in [id::new(now_ms, random), text] {
                let root = Context::root(TraceId::of(&id));
                prop_assert_eq!(Context::parse(&root.to_string()), Some(root));
                prop_assert!(!root.is_sampled());
            }
        }
    }
}

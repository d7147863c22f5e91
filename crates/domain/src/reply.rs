//! What the HTTP answer of another system means, as far as its status tells. Each partner's own module looks closer where
//! that partner says more.

use crate::text::one_line;

/// How much of a partner's words is kept for people, in characters.
const WORDS_CHARACTERS_MAX: usize = 300;
/// The longest time that a partner may ask to be left alone for, ms (one day). One that asks for more is asked again after it.
pub const RETRY_AFTER_MS_MAX: u64 = 24 * 60 * 60 * 1_000;

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// It did what was asked.
    Good,
    /// It is alive, did not do what was asked, and wants to be left alone for so long.
    Busy {
        /// How long, ms; [`RETRY_AFTER_MS_MAX`] at most.
        retry_after_ms: u64,
        /// Its words.
        words: String,
    },
    /// It will never do it: trying again is useless. In its words.
    Refused(String),
    /// It failed; trying again can help.
    Failing {
        /// Its words.
        words: String,
        /// Whether it did what was asked, all the same.
        done: Done,
    },
}

/// Whether a partner that failed did what was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Done {
    /// It surely did not: another partner may be asked instead.
    SurelyNot,
    /// Nobody knows: it can have failed after it did it, or something between us lost its answer.
    Unknown,
}

/// Reads an answer: its status, its `Retry-After` header if it has one, its body, and the current moment (ms since 1970)
/// for a `Retry-After` that is a date.
#[must_use]
pub fn read(status: u16, retry_after: Option<&str>, body: &[u8], now_ms: u64) -> Reply {
    match status {
        200..=299 => Reply::Good,
        // Both say that the request was not taken up.
        429 | 503 => unready(status, retry_after, body, now_ms),
        // The partner's own word that it did not manage, or that it was too early.
        425 | 500 | 501 => Reply::Failing { words: words(status, body), done: Done::SurelyNot },
        // Too slow, or broken, somewhere on the way: the same request can go through later.
        408 | 500..=599 => Reply::Failing { words: words(status, body), done: Done::Unknown },
        _ => Reply::Refused(words(status, body)),
    }
}

/// What it means that a partner did not take a request up because it is too busy: it says for how long, or it is failing.
#[must_use]
pub fn unready(status: u16, retry_after: Option<&str>, body: &[u8], now_ms: u64) -> Reply {
    let words = words(status, body);
    match retry_after.and_then(|value| retry_after_ms(value, now_ms)) {
        Some(retry_after_ms) => Reply::Busy { retry_after_ms, words },
        None => Reply::Failing { words, done: Done::SurelyNot },
    }
}

/// What a partner answered, for people: its status and the beginning of its body, on one line.
#[must_use]
pub fn words(status: u16, body: &[u8]) -> String {
    format!("answered {status}: {}", one_line(&String::from_utf8_lossy(body), WORDS_CHARACTERS_MAX))
}

/// `Retry-After` as RFC 9110 has it: seconds, or a date.
fn retry_after_ms(value: &str, now_ms: u64) -> Option<u64> {
    let value = value.trim();
    let wait_ms = if let Ok(seconds) = value.parse::<u64>() {
        seconds.saturating_mul(1_000)
    } else {
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
        u64::try_from(date.as_millisecond()).unwrap_or(0).saturating_sub(now_ms)
    };
    Some(wait_ms.min(RETRY_AFTER_MS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_success_is_good() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(read(status, None, b"", 0), Reply::Good);
        }
    }

    #[test]
    fn a_busy_partner_says_for_how_long() {
        let busy = |value| match read(429, Some(value), b"", 1_000_000_000_000) {
            Reply::Busy { retry_after_ms, .. } => Some(retry_after_ms),
            _ => None,
        };
        assert_eq!(busy("30"), Some(30_000));
        assert_eq!(busy("Sun, 09 Sep 2001 01:47:40 GMT"), Some(60_000));
        assert_eq!(busy("Sun, 09 Sep 2001 01:40:00 GMT"), Some(0));
        assert_eq!(busy("soon"), None);
    }

    #[test]
    fn nobody_is_left_alone_for_ever() {
        for value in ["86401", "18446744073709551615", "Fri, 31 Dec 2100 00:00:00 GMT"] {
            let reply = read(503, Some(value), b"", 0);
            assert!(matches!(reply, Reply::Busy { retry_after_ms: RETRY_AFTER_MS_MAX, .. }), "{value}");
        }
    }

    #[test]
    fn a_failure_says_whether_the_work_can_have_been_done() {
        let done = |status| match read(status, None, b"", 0) {
            Reply::Failing { done, .. } => Some(done),
            _ => None,
        };
        for status in [425, 429, 500, 501, 503] {
            assert_eq!(done(status), Some(Done::SurelyNot), "{status}");
        }
        for status in [408, 502, 504, 599] {
            assert_eq!(done(status), Some(Done::Unknown), "{status}");
        }
        for status in [300, 302, 400, 401, 403, 404, 409, 413, 422] {
            assert!(matches!(read(status, None, b"", 0), Reply::Refused(_)), "{status}");
        }
    }

    #[test]
    fn a_partners_words_are_kept_short_and_on_one_line() {
        let Reply::Refused(words) = read(400, None, "no\nsuch 공장".repeat(100).as_bytes(), 0) else {
            panic!("a refusal")
        };
        assert!(words.starts_with("answered 400: no such 공장"));
        assert!(words.chars().count() < 400 && !words.contains('\n'));
    }

    proptest! {
        #[test]
        fn any_answer_has_a_meaning(status: u16, header: Option<String>, body: Vec<u8>) {
            let _ = read(status, header.as_deref(), &body, 0);
        }
    }
}

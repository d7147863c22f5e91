//! What Slack's answer means.

use http::HeaderMap;
use http::header::RETRY_AFTER;
use restock_domain::reply::{self, Done, Reply};

/// What a webhook says when it took a message.
const TAKEN: &[u8] = b"ok";

/// What Slack's answer means for the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It took the message.
    Accepted,
    /// It did not take the message and wants to be left alone for so long.
    Busy {
        /// How long, ms.
        retry_after_ms: u64,
        /// Its words.
        words: String,
    },
    /// It will never take this message, or this webhook is gone: trying again is useless. In its words.
    Refused(String),
    /// It failed; trying again can help.
    Failing {
        /// Its words.
        words: String,
        /// Whether it took the message, all the same.
        sent: Done,
    },
    /// It claims success in words that are not Slack's, so something else answered; whether the message was posted, nobody knows.
    Unusable(String),
}

/// Reads an answer: its status, its headers, its body, and the current moment (ms since 1970).
#[must_use]
pub fn read(status: u16, headers: &HeaderMap, body: &[u8], now_ms: u64) -> Outcome {
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    match reply::read(status, retry_after, body, now_ms) {
        Reply::Good if body.trim_ascii() == TAKEN => Outcome::Accepted,
        Reply::Good => Outcome::Unusable(reply::words(status, body)),
        Reply::Busy { retry_after_ms, words } => Outcome::Busy { retry_after_ms, words },
        Reply::Refused(words) => Outcome::Refused(words),
        Reply::Failing { words, done } => Outcome::Failing { words, sent: done },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn plain(status: u16, body: &str) -> Outcome {
        read(status, &HeaderMap::new(), body.as_bytes(), 0)
    }

    #[test]
    fn only_slacks_own_word_is_an_acceptance() {
        assert_eq!(plain(200, "ok"), Outcome::Accepted);
        for body in ["", "<html>welcome</html>", "okay", "no_service"] {
            assert!(matches!(plain(200, body), Outcome::Unusable(_)), "{body}");
        }
    }

    #[test]
    fn a_refusal_keeps_slacks_words() {
        for (status, word) in [
            (400, "invalid_payload"),
            (403, "action_prohibited"),
            (404, "no_service"),
            (404, "channel_not_found"),
            (410, "channel_is_archived"),
        ] {
            assert_eq!(plain(status, word), Outcome::Refused(format!("answered {status}: {word}")));
        }
    }

    #[test]
    fn too_many_messages_wait_as_long_as_slack_says() {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_static("30"));
        let busy = read(429, &headers, b"rate_limited", 0);
        let words = "answered 429: rate_limited".to_owned();
        assert_eq!(busy, Outcome::Busy { retry_after_ms: 30_000, words });
        assert!(matches!(plain(429, ""), Outcome::Failing { sent: Done::SurelyNot, .. }));
    }

    #[test]
    fn a_broken_slack_is_tried_again() {
        assert!(matches!(plain(500, "rollup_error"), Outcome::Failing { sent: Done::SurelyNot, .. }));
    }
}

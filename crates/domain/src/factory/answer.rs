//! What the factory's answer to a request means.

use crate::reply::{self, Reply};
use serde_json::Value;

/// The longest job id that is kept, in characters.
const JOB_ID_CHARACTERS_MAX: usize = 128;

/// What the factory's answer to a request means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It took the job.
    Accepted {
        /// The factory's own identifier of the job.
        job_id: String,
    },
    /// It is alive but wants to be left alone for so long.
    Busy {
        /// How long, ms.
        retry_after_ms: u64,
        /// Its words.
        words: String,
    },
    /// It will never take this request: trying again is useless.
    Refused(String),
    /// It failed; trying again can help.
    Failing(String),
    /// It claims success in a form that nobody can read; trying again can help.
    Unusable(String),
}

/// Reads an answer: its status, its `Retry-After` header if it has one, its body, and the current moment (ms since 1970)
/// for a `Retry-After` that is a date.
#[must_use]
pub fn classify(status: u16, retry_after: Option<&str>, body: &[u8], now_ms: u64) -> Answer {
    match reply::read(status, retry_after, body, now_ms) {
        Reply::Good => accepted(body),
        Reply::Busy { retry_after_ms, words } => Answer::Busy { retry_after_ms, words },
        Reply::Refused(words) => Answer::Refused(words),
        // Whether it took the job does not matter: it is asked again, and reports to the same address either way.
        Reply::Failing { words, .. } => Answer::Failing(words),
    }
}

fn accepted(body: &[u8]) -> Answer {
    let answer: Value = match serde_json::from_slice(body) {
        Ok(answer) => answer,
        Err(error) => return Answer::Unusable(format!("the answer is not JSON: {error}")),
    };
    match answer.pointer("/data/id") {
        Some(Value::String(id)) if !id.is_empty() && id.chars().count() <= JOB_ID_CHARACTERS_MAX => {
            Answer::Accepted { job_id: id.clone() }
        }
        Some(Value::Number(id)) => Answer::Accepted { job_id: id.to_string() },
        _ => Answer::Unusable("the answer names no job under data.id".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_job_id_is_an_acceptance() {
        let body = br#"{"data":{"id":"6c1d9b0e-0000-11ee-8000-000000000000","reqestor":null,"data":{}}}"#;
        for status in [200, 201, 202] {
            let answer = classify(status, None, body, 0);
            assert!(matches!(answer, Answer::Accepted { job_id } if job_id.starts_with("6c1d9b0e")));
        }
    }

    #[test]
    fn a_success_that_cannot_be_read_is_not_one() {
        for body in [&b""[..], b"<html>", b"{}", br#"{"data":{"id":""}}"#, br#"{"data":{"id":null}}"#] {
            assert!(matches!(classify(201, None, body, 0), Answer::Unusable(_)));
        }
    }

    #[test]
    fn a_busy_factory_says_for_how_long() {
        let busy = |value| match classify(429, Some(value), b"", 1_000_000_000_000) {
            Answer::Busy { retry_after_ms, .. } => Some(retry_after_ms),
            _ => None,
        };
        assert_eq!(busy("30"), Some(30_000));
        assert_eq!(busy("Sun, 09 Sep 2001 01:47:40 GMT"), Some(60_000));
        assert_eq!(busy("Sun, 09 Sep 2001 01:40:00 GMT"), Some(0));
        assert_eq!(busy("soon"), None);
        assert!(matches!(classify(503, Some("1"), b"", 0), Answer::Busy { .. }));
        assert!(matches!(classify(503, None, b"", 0), Answer::Failing(_)));
    }

    #[test]
    fn what_can_go_away_is_failing_and_what_cannot_is_refused() {
        for status in [408, 425, 429, 500, 502, 504] {
            assert!(matches!(classify(status, None, b"", 0), Answer::Failing(_)), "{status}");
        }
        for status in [300, 302, 400, 401, 404, 409, 422] {
            assert!(matches!(classify(status, None, b"", 0), Answer::Refused(_)), "{status}");
        }
    }

    #[test]
    fn the_factorys_words_are_kept_short_and_on_one_line() {
        let Answer::Refused(words) = classify(400, None, "no\nsuch 공장".repeat(100).as_bytes(), 0) else {
            panic!("a refusal")
        };
        assert!(words.starts_with("answered 400: no such 공장"));
        assert!(words.chars().count() < 400 && !words.contains('\n'));
    }

    proptest! {
        #[test]
        fn any_answer_has_a_meaning(status: u16, header: Option<String>, body: Vec<u8>) {
            let _ = classify(status, header.as_deref(), &body, 0);
        }
    }
}

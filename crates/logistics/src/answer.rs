//! What an answer means as far as its status tells, and in which words people are told of it.

use http::HeaderMap;
use http::header::RETRY_AFTER;
use restock_domain::reply::{self, Reply};

/// How much of a page is looked at for words to show, bytes. Much more than is shown.
const LOOKED_AT_BYTES_MAX: usize = 16 * 1_024;
/// What stands where the token stood.
const HIDDEN: &str = "…";

/// The partner's answer.
#[derive(Clone, Copy)]
pub struct Answer<'a> {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its body.
    pub body: &'a [u8],
    /// The token that was sent, if one was: a page that repeats it must not bring it before people.
    pub token: Option<&'a str>,
    /// The current moment, ms since 1970: for a `Retry-After` that is a date.
    pub now_ms: u64,
}

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<T> {
    /// What was asked for.
    Good(T),
    /// It is alive, did not do what was asked, and wants to be left alone for so long.
    Busy {
        /// How long, ms.
        retry_after_ms: u64,
        /// Its words.
        words: String,
    },
    /// It is alive and does not do this one thing. Whether it ever will depends on what was asked. In its words.
    Refused(String),
    /// It failed, or does not accept the token; trying again can help.
    Failing(String),
    /// It claims success in a form that nobody can read; trying again can help.
    Unusable(String),
    /// It claims success with more than is ever taken.
    TooLarge(String),
}

impl Answer<'_> {
    /// The header `Retry-After`, where it is one.
    fn retry_after(&self) -> Option<&str> {
        self.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok())
    }

    /// Whether it is a success.
    ///
    /// # Errors
    /// What it means where it is none. Refused is only what speaks of this one request: 4xx that do not speak of the token, of a
    /// proxy or of time.
    pub(crate) fn success<T>(&self) -> Result<(), Outcome<T>> {
        if matches!(self.status, 200..=299) {
            return Ok(());
        }
        match reply::read(self.status, self.retry_after(), &self.page(), self.now_ms) {
            Reply::Good => Ok(()),
            Reply::Busy { retry_after_ms, words } => Err(Outcome::Busy { retry_after_ms, words }),
            Reply::Failing { words, .. } => Err(Outcome::Failing(words)),
            // Everybody's requests are refused like this until somebody changes the token: not a word on this one.
            Reply::Refused(words) if matches!(self.status, 401 | 403) => {
                Err(Outcome::Failing(format!("the token is not accepted: {words}")))
            }
            Reply::Refused(words) if matches!(self.status, 400..=499) && self.status != 407 => {
                Err(Outcome::Refused(words))
            }
            Reply::Refused(words) => Err(Outcome::Failing(words)),
        }
    }

    /// A success that cannot be read, for people: the fault, and how the page begins.
    pub(crate) fn unusable<T>(&self, fault: &str) -> Outcome<T> {
        Outcome::Unusable(format!("{fault}; {}", reply::words(self.status, &self.page())))
    }

    /// The beginning of the body, without the token.
    fn page(&self) -> Vec<u8> {
        let beginning = self.body.get(..LOOKED_AT_BYTES_MAX).unwrap_or(self.body);
        let text = String::from_utf8_lossy(beginning);
        match self.token {
            Some(token) if !token.is_empty() => text.replace(token, HIDDEN),
            _ => text.into_owned(),
        }
        .into_bytes()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    const TOKEN: &str = "t0ken-0123456789";

    /// Reads a body that came with a status, without headers.
    pub(crate) fn answered<T>(
        status: u16,
        body: &[u8],
        read: impl Fn(&Answer<'_>) -> Outcome<T>,
    ) -> Outcome<T> {
        let headers = HeaderMap::new();
        read(&Answer { status, headers: &headers, body, token: Some(TOKEN), now_ms: 0 })
    }

    fn success(status: u16, body: &str) -> Outcome<()> {
        answered(status, body.as_bytes(), |answer| {
            answer.success().map_or_else(|outcome| outcome, Outcome::Good)
        })
    }

    #[test]
    fn a_token_that_is_not_accepted_is_the_partners_failure_and_said_to_be_the_token() {
        for status in [401, 403] {
            let Outcome::Failing(words) = success(status, "no") else { panic!("{status}") };
            assert!(words.starts_with("the token is not accepted: answered"), "{words}");
        }
    }

    #[test]
    fn only_a_word_on_this_one_request_is_a_refusal() {
        for status in [400, 404, 405, 409, 410, 413, 422, 451] {
            assert!(matches!(success(status, ""), Outcome::Refused(_)), "{status}");
        }
        for status in [0, 100, 301, 302, 304, 401, 403, 407, 408, 425, 429, 500, 502, 503, 504, 600, 999] {
            assert!(matches!(success(status, ""), Outcome::Failing(_)), "{status}");
        }
    }

    #[test]
    fn a_busy_partner_says_for_how_long() {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("2"))]);
        for status in [429, 503] {
            let answer = Answer { status, headers: &headers, body: b"", token: Some(TOKEN), now_ms: 0 };
            let outcome = answer.success::<()>().expect_err("busy");
            assert!(matches!(outcome, Outcome::Busy { retry_after_ms: 2_000, .. }), "{outcome:?}");
        }
    }

    #[test]
    fn no_words_hold_the_token() {
        let page = format!("{} {TOKEN} was sent", "x".repeat(280));
        for status in [200, 400, 401, 429, 500] {
            let headers = HeaderMap::new();
            let answer =
                Answer { status, headers: &headers, body: page.as_bytes(), token: Some(TOKEN), now_ms: 0 };
            let words = match answer.success::<()>() {
                Ok(()) => format!("{:?}", answer.unusable::<()>("fault")),
                Err(outcome) => format!("{outcome:?}"),
            };
            assert!(words.contains("xxx …") && !words.contains("t0k"), "{words}");
        }
    }

    proptest! {
        #[test]
        fn any_answer_has_a_meaning(status: u16, retry_after: String, body: Vec<u8>, token: Option<String>) {
            let mut headers = HeaderMap::new();
            if let Ok(value) = HeaderValue::from_str(&retry_after) {
                headers.insert(RETRY_AFTER, value);
            }
            let answer = Answer { status, headers: &headers, body: &body, token: token.as_deref(), now_ms: 0 };
            prop_assert_eq!(answer.success::<()>().is_ok(), (200..300).contains(&status));
        }
    }
}

//! The logistics partner, as configured: one call through its gate, and what its answer means for the partner's health and for
//! the message.

use bytes::Bytes;
use http::Request;
use restock_domain::attempt::Verdict;
use restock_domain::partner::{Kind, LOGISTICS};
use restock_edge::config;
use restock_edge::host;
use restock_edge::outbound::{CallLimits, Incoming};
use restock_edge::partner::{Health, Partner};
use restock_logistics::{Account, Answer, Fault, Outcome};

/// The logistics partner.
pub(crate) struct Logistics {
    /// Its gate.
    pub(crate) gate: Partner,
    account: config::Logistics,
}

impl Logistics {
    pub(crate) fn new(account: config::Logistics, rate_per_second: u32, concurrency: u32) -> Self {
        Self { gate: Partner::new(LOGISTICS, rate_per_second, concurrency), account }
    }

    /// What requests are made with.
    pub(crate) fn account(&self) -> Account<'_> {
        Account { base: &self.account.url, token: self.token() }
    }

    fn token(&self) -> Option<&str> {
        self.account.token.as_ref().map(config::Secret::expose)
    }

    /// Calls the partner. `read` says what its answer means.
    ///
    /// # Errors
    /// The verdict on the message, where it did not get what it asked for.
    pub(crate) async fn ask<T>(
        &self,
        request: Result<Request<Bytes>, Fault>,
        limits: CallLimits,
        read: impl Fn(&Answer<'_>) -> Outcome<T>,
    ) -> Result<T, Verdict> {
        // The reader of the configuration has seen address and token, so this is a bug or a very odd one.
        let request =
            request.map_err(|fault| Verdict::Reject(self.gate.failure(Kind::Refused, fault.to_string())))?;
        let called =
            self.gate.call(request, limits, |answer| judge(&answer, self.token(), read, host::now_ms()));
        called.await?
    }
}

/// What an answer says of the partner's health, and what it means for the message.
fn judge<T>(
    answer: &Incoming,
    token: Option<&str>,
    read: impl Fn(&Answer<'_>) -> Outcome<T>,
    now_ms: u64,
) -> (Health, Result<T, Verdict>) {
    let Incoming { status, headers, body } = answer;
    let outcome = read(&Answer { status: *status, headers, body, token, now_ms });
    let retry = |kind: Kind, words, not_before_ms| {
        Err(Verdict::Retry { failure: kind.of(LOGISTICS, words), not_before_ms })
    };
    match outcome {
        Outcome::Good(good) => (Health::Well, Ok(good)),
        Outcome::Refused(words) => (Health::Well, Err(Verdict::Reject(Kind::Refused.of(LOGISTICS, words)))),
        // Everybody leaves it alone until then. The attempt counts all the same, so a partner that is busy for ever ends in an
        // alert and not in silence.
        Outcome::Busy { retry_after_ms, words } => {
            let until_ms = now_ms.saturating_add(retry_after_ms);
            (Health::Busy(until_ms), retry(Kind::Busy, words, Some(until_ms)))
        }
        Outcome::Failing(words) => (Health::Failing, retry(Kind::Failing, words, None)),
        Outcome::Unusable(words) => (Health::Failing, retry(Kind::UnusableAnswer, words, None)),
        Outcome::TooLarge(words) => (Health::Failing, retry(Kind::TooLarge, words, None)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderMap, HeaderValue, header};
    use restock_logistics::list;
    use restock_logistics::report::{self, Reported};
    use restock_logistics::tracking::{self, Tracked};

    fn incoming(status: u16, body: &str, retry_after: Option<&'static str>) -> Incoming {
        let retry_after = retry_after.map(|value| (header::RETRY_AFTER, HeaderValue::from_static(value)));
        Incoming { status, headers: HeaderMap::from_iter(retry_after), body: body.to_owned().into() }
    }

    fn tracked(
        status: u16,
        body: &str,
        retry_after: Option<&'static str>,
    ) -> (Health, Result<Tracked, Verdict>) {
        judge(&incoming(status, body, retry_after), Some("hunter2"), tracking::read, 1_000)
    }

    fn reason(verdict: &Verdict) -> &str {
        match verdict {
            Verdict::Retry { failure, .. } | Verdict::Postpone { failure, .. } | Verdict::Reject(failure) => {
                &failure.reason
            }
            Verdict::Done => "",
        }
    }

    #[test]
    fn a_wrong_token_is_the_partners_failure_and_no_dead_letter() {
        for status in [401, 403] {
            let (health, result) = tracked(status, "hunter2 is unknown here", None);
            assert!(matches!(health, Health::Failing), "{health:?}");
            let verdict = result.expect_err("no answer");
            assert!(matches!(verdict, Verdict::Retry { not_before_ms: None, .. }), "{verdict:?}");
            assert_eq!(reason(&verdict), "logistics-failing");
            assert!(!format!("{verdict:?}").contains("hunter2"), "{verdict:?}");
        }
    }

    #[test]
    fn a_partner_that_says_when_is_left_alone_by_everybody_until_then() {
        for status in [429, 503] {
            let (health, result) = tracked(status, "", Some("30"));
            assert!(matches!(health, Health::Busy(31_000)), "{health:?}");
            let verdict = result.expect_err("no answer");
            assert!(matches!(verdict, Verdict::Retry { not_before_ms: Some(31_000), .. }), "{verdict:?}");
        }
    }

    #[test]
    fn a_refused_number_is_a_dead_letter_of_a_partner_that_is_well() {
        let (health, result) = tracked(422, "no such format", None);
        assert!(matches!(health, Health::Well), "{health:?}");
        assert!(matches!(result, Err(Verdict::Reject(failure)) if failure.reason == "logistics-refused"));
    }

    #[test]
    fn an_answer_that_nobody_can_read_is_asked_for_again() {
        for body in ["<html>", "{}", r#"{"data":{}}"#] {
            let (health, result) = tracked(200, body, None);
            assert!(matches!(health, Health::Failing), "{health:?}");
            assert_eq!(reason(&result.expect_err("no answer")), "logistics-unusable-answer");
        }
    }

    #[test]
    fn a_parcel_without_a_status_yet_is_followed_at_a_partner_that_is_well() {
        for body in [r#"{"data":[]}"#, r#"{"data":[{"return_status":null}]}"#] {
            let (health, result) = tracked(200, body, None);
            assert!(matches!(health, Health::Well), "{body}: {health:?}");
            assert_eq!(result, Ok(Tracked::default()), "{body}");
        }
    }

    #[test]
    fn a_list_that_is_too_large_is_named_so() {
        let body = format!(r#"{{"data":[{}0]}}"#, "0,".repeat(list::RECORDS_MAX));
        let (_, result) = judge(&incoming(200, &body, None), None, list::read, 0);
        let verdict = result.expect_err("no list");
        assert!(matches!(verdict, Verdict::Retry { .. }));
        assert_eq!(reason(&verdict), "logistics-too-large");
    }

    #[test]
    fn a_report_that_was_not_taken_is_the_answer_of_a_partner_that_is_well() {
        for answer in [
            incoming(200, r#"{"data":{"result":false}}"#, None),
            incoming(409, "it is reported already", None),
            incoming(422, "no such order", None),
        ] {
            let (health, result) = judge(&answer, None, report::read, 0);
            let not_taken = matches!(result, Ok(Reported::NotTaken(_)));
            assert!(matches!(health, Health::Well) && not_taken, "{health:?} {result:?}");
        }
    }
}

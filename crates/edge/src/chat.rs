//! The chat: posts letters to Slack's incoming webhook.

use crate::config::Secret;
use crate::host;
use crate::outbound::{Failed, Incoming};
use crate::partner::{Health, Partner};
use restock_domain::attempt::Verdict;
use restock_domain::letter::Letter;
use restock_domain::partner::{Kind, SLACK, done};
use restock_domain::reply::{Done, Reply};
use restock_slack::Outcome;
use std::time::Duration;

/// How long one call may take, all of it.
const CALL_TIME_MAX: Duration = Duration::from_secs(5);
/// Messages a second: what Slack takes.
const RATE_PER_SECOND: u32 = 1;
/// Calls at a time.
const CONCURRENCY: u32 = 1;
/// From this attempt on a message that Slack may have posted is not posted again.
pub const UNCLEAR_ATTEMPTS_MAX: u32 = 3;

/// The chat, as configured.
#[derive(Clone, Debug)]
pub struct Chat {
    partner: Partner,
    webhook: Secret,
}

impl Chat {
    /// A chat behind the address of an incoming webhook, which is a secret.
    #[must_use]
    pub fn new(webhook: Secret) -> Self {
        Self { partner: Partner::new(SLACK, RATE_PER_SECOND, CONCURRENCY), webhook }
    }

    /// Posts a letter. `attempt` is the number of the attempt at the message that it comes from. Slack recognises no repetition: where
    /// its answer was lost, the letter may come once more for each further attempt, up to [`UNCLEAR_ATTEMPTS_MAX`] in all.
    ///
    /// # Errors
    /// The verdict on the message, where Slack did not take it.
    pub async fn post(&self, letter: &Letter, attempt: u32) -> Result<(), Verdict> {
        let webhook = self.webhook.expose();
        let request = restock_slack::request(webhook, letter).map_err(|fault| {
            // The reader of the configuration has seen the address, so this is a bug or a very odd one.
            Verdict::Reject(self.partner.failure(Kind::Refused, fault.to_string()))
        })?;
        let pass = self.partner.enter().await?;
        let posted =
            pass.call(request, CALL_TIME_MAX, |answer| read(answer, webhook, attempt, host::now_ms())).await;
        posted.unwrap_or_else(|no_answer| Err(missed(&no_answer.failed, attempt)))
    }
}

/// What an answer says of Slack's health, and what it means for the message.
fn read(answer: Incoming, webhook: &str, attempt: u32, now_ms: u64) -> (Health, Result<(), Verdict>) {
    // Before its words are cut: what is cut in the middle of the address is not found any more.
    let answer = answer.without_address(webhook);
    match restock_slack::read(answer.status, &answer.headers, &answer.body, now_ms) {
        Outcome::Accepted => (Health::Well, Ok(())),
        Outcome::Busy { retry_after_ms, words } => {
            (Health::Well, done(SLACK, Reply::Busy { retry_after_ms, words }, now_ms))
        }
        Outcome::Refused(words) => (Health::Well, done(SLACK, Reply::Refused(words), now_ms)),
        Outcome::Failing { words, sent } => {
            (Health::Failing, Err(failed(Kind::Failing, sent, words, attempt)))
        }
        // Something else answers in Slack's place, or Slack took the message in words of its own: more of the same helps nobody.
        Outcome::Unusable(words) => {
            (Health::Failing, Err(Verdict::Reject(Kind::UnusableAnswer.of(SLACK, words))))
        }
    }
}

/// What it means for the message that there was no answer.
fn missed(failure: &Failed, attempt: u32) -> Verdict {
    failed(failure.kind(), failure.done(), failure.to_string(), attempt)
}

fn failed(kind: Kind, sent: Done, words: String, attempt: u32) -> Verdict {
    if sent == Done::Unknown && attempt >= UNCLEAR_ATTEMPTS_MAX {
        let words = format!("{words}; Slack may have posted it: look there, then redrive or purge");
        return Verdict::Reject(Kind::OutcomeUnknown.of(SLACK, words));
    }
    Verdict::Retry { failure: kind.of(SLACK, words), not_before_ms: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    const WEBHOOK: &str = "https://hooks.slack.com/services/T01234567/B01234567/abcdefghijklmnopqrstuvwx";

    fn answered(status: u16, body: &str, attempt: u32) -> Result<(), Verdict> {
        let body = body.to_owned().into();
        read(Incoming { status, headers: HeaderMap::new(), body }, WEBHOOK, attempt, 0).1
    }

    fn rejected(result: Result<(), Verdict>) -> String {
        match result {
            Err(Verdict::Reject(failure)) => failure.reason.into_owned(),
            other => panic!("not rejected: {other:?}"),
        }
    }

    fn is_retried(result: &Result<(), Verdict>) -> bool {
        matches!(result, Err(Verdict::Retry { .. }))
    }

    #[test]
    fn what_slack_took_is_done() {
        assert_eq!(answered(200, "ok", 1), Ok(()));
    }

    #[test]
    fn an_answer_that_is_not_slacks_is_a_dead_letter_at_once() {
        for body in ["", "<html>welcome</html>", "okay"] {
            assert_eq!(rejected(answered(200, body, 1)), "slack-unusable-answer");
        }
    }

    #[test]
    fn a_message_of_unknown_outcome_is_posted_three_times_at_most() {
        let no_answer = |attempt| Err(missed(&Failed::TimedOut(CALL_TIME_MAX), attempt));
        let cut = |attempt| Err(missed(&Failed::Broken("the connection was cut".to_owned()), attempt));
        let gateway = |attempt| answered(504, "", attempt);
        for unclear in [&no_answer as &dyn Fn(u32) -> Result<(), Verdict>, &cut, &gateway] {
            for attempt in [1, 2] {
                assert!(is_retried(&unclear(attempt)), "{attempt}");
            }
            for attempt in [3, 4, 20] {
                assert_eq!(rejected(unclear(attempt)), "slack-outcome-unknown");
            }
        }
    }

    #[test]
    fn a_message_that_was_surely_not_posted_is_tried_on() {
        assert!(is_retried(&answered(500, "rollup_error", 19)));
        assert!(is_retried(&answered(503, "", 19)));
        let refused = Failed::Unreachable("the connection was refused".to_owned());
        assert!(is_retried(&Err(missed(&refused, 19))));
    }

    #[test]
    fn no_failure_holds_the_path_of_the_webhook() {
        let path = WEBHOOK.trim_start_matches("https://hooks.slack.com");
        let echo = format!("{} {WEBHOOK}", format!("Cannot POST {path} ").repeat(6));
        for (status, attempt) in [(200, 1), (404, 1), (429, 1), (500, 1), (502, 1), (502, 3)] {
            let words = format!("{:?}", answered(status, &echo, attempt));
            assert!(words.contains("Cannot POST …"), "{words}");
            assert!(!words.contains("abcdef") && !words.contains("T01234567"), "{words}");
        }
    }
}

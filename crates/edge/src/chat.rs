//! The chat: posts letters to Slack's incoming webhook.

use crate::config::Secret;
use crate::host;
use crate::outbound::Incoming;
use crate::partner::{Health, Partner, health};
use restock_domain::attempt::Verdict;
use restock_domain::letter::Letter;
use restock_domain::partner::{Kind, SLACK, done};
use restock_domain::reply::Reply;
use restock_slack::Outcome;
use std::time::Duration;

/// How long one call may take, all of it.
const CALL_TIME_MAX: Duration = Duration::from_secs(5);
/// Messages a second: what Slack takes.
const RATE_PER_SECOND: u32 = 1;
/// Calls at a time.
const CONCURRENCY: u32 = 1;

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

    /// Posts a letter. Slack recognises no repetition: where its answer was lost, the letter may come once more.
    ///
    /// # Errors
    /// The verdict on the message, where Slack did not take it.
    pub async fn post(&self, letter: &Letter) -> Result<(), Verdict> {
        let webhook = self.webhook.expose();
        let request = restock_slack::request(webhook, letter).map_err(|fault| {
            // The reader of the configuration has seen the address, so this is a bug or a very odd one.
            Verdict::Reject(self.partner.failure(Kind::Refused, fault.to_string()))
        })?;
        let pass = self.partner.enter().await?;
        let posted = pass.call(request, CALL_TIME_MAX, |answer| read(answer, webhook, host::now_ms())).await;
        posted.unwrap_or_else(|no_answer| Err(no_answer.into()))
    }
}

/// What an answer says of Slack's health, and what it means for the message.
fn read(answer: Incoming, webhook: &str, now_ms: u64) -> (Health, Result<(), Verdict>) {
    // Before its words are cut: what is cut in the middle of the address is not found any more.
    let answer = answer.without_address(webhook);
    let reply = match restock_slack::read(answer.status, &answer.headers, &answer.body, now_ms) {
        Outcome::Accepted => Reply::Good,
        Outcome::Busy { retry_after_ms, words } => Reply::Busy { retry_after_ms, words },
        Outcome::Refused(words) => Reply::Refused(words),
        Outcome::Failing { words, sent } => Reply::Failing { words, done: sent },
        // Something else answers in Slack's place, or Slack took the message in words of its own: more of the same helps nobody.
        Outcome::Unusable(words) => {
            return (Health::Failing, Err(Verdict::Reject(Kind::UnusableAnswer.of(SLACK, words))));
        }
    };
    (health(&reply, now_ms), done(SLACK, reply, now_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    const WEBHOOK: &str = "https://hooks.slack.com/services/T01234567/B01234567/abcdefghijklmnopqrstuvwx";

    fn answered(status: u16, body: &str) -> Result<(), Verdict> {
        let body = body.to_owned().into();
        read(Incoming { status, headers: HeaderMap::new(), body }, WEBHOOK, 0).1
    }

    fn rejected(result: Result<(), Verdict>) -> String {
        match result {
            Err(Verdict::Reject(failure)) => failure.reason.into_owned(),
            other => panic!("not rejected: {other:?}"),
        }
    }

    #[test]
    fn what_slack_took_is_done() {
        assert_eq!(answered(200, "ok"), Ok(()));
    }

    #[test]
    fn an_answer_that_is_not_slacks_is_a_dead_letter_at_once() {
        for body in ["", "<html>welcome</html>", "okay"] {
            assert_eq!(rejected(answered(200, body)), "slack-unusable-answer");
        }
    }

    #[test]
    fn a_message_that_slack_failed_to_post_is_tried_again() {
        for (status, body) in [(500, "rollup_error"), (502, ""), (503, ""), (504, "")] {
            assert!(matches!(answered(status, body), Err(Verdict::Retry { .. })), "{status}");
        }
    }

    #[test]
    fn a_chat_that_asks_for_patience_is_left_alone_by_every_message() {
        let mut headers = HeaderMap::new();
        headers.insert(http::header::RETRY_AFTER, http::HeaderValue::from_static("30"));
        let (health, result) = read(Incoming { status: 429, headers, body: "".into() }, WEBHOOK, 1_000);
        assert!(matches!(health, Health::Busy(31_000)), "{health:?}");
        assert!(matches!(result, Err(Verdict::Retry { not_before_ms: Some(31_000), .. })), "{result:?}");
    }

    #[test]
    fn no_failure_holds_the_path_of_the_webhook() {
        let path = WEBHOOK.trim_start_matches("https://hooks.slack.com");
        let echo = format!("{} {WEBHOOK}", format!("Cannot POST {path} ").repeat(6));
        for status in [200, 404, 429, 500, 502] {
            let words = format!("{:?}", answered(status, &echo));
            assert!(words.contains("Cannot POST …"), "{words}");
            assert!(!words.contains("abcdef") && !words.contains("T01234567"), "{words}");
        }
    }
}

//! The chat: posts letters to Slack's incoming webhook.

use crate::config::Secret;
use crate::host;
use crate::partner::{Health, Partner};
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

    /// Posts a letter. Slack recognises no repetition: where its answer was lost, the letter may come twice.
    ///
    /// # Errors
    /// The verdict on the message, where Slack did not take it.
    pub async fn post(&self, letter: &Letter) -> Result<(), Verdict> {
        let request = restock_slack::request(self.webhook.expose(), letter).map_err(|fault| {
            // The reader of the configuration has seen the address, so this is a bug or a very odd one.
            Verdict::Reject(self.partner.failure(Kind::Refused, fault.to_string()))
        })?;
        let posted = self.partner.call(request, CALL_TIME_MAX, |answer| {
            let now_ms = host::now_ms();
            match restock_slack::read(answer.status, &answer.headers, &answer.body, now_ms) {
                Outcome::Accepted => (Health::Well, done(SLACK, Reply::Good, now_ms)),
                Outcome::Busy { retry_after_ms, words } => {
                    (Health::Well, done(SLACK, Reply::Busy { retry_after_ms, words }, now_ms))
                }
                Outcome::Refused(words) => (Health::Well, done(SLACK, Reply::Refused(words), now_ms)),
                Outcome::Failing { words, sent } => {
                    (Health::Failing, done(SLACK, Reply::Failing { words, done: sent }, now_ms))
                }
                Outcome::Unusable(words) => {
                    let failure = Kind::UnusableAnswer.of(SLACK, words);
                    (Health::Failing, Err(Verdict::Retry { failure, not_before_ms: None }))
                }
            }
        });
        posted.await?
    }
}

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
        let called = self.gate.call(request, limits, |answer| judge(&answer, self.token(), read));
        called.await?
    }
}

/// What an answer says of the partner's health, and what it means for the message.
fn judge<T>(
    answer: &Incoming,
    token: Option<&str>,
    read: impl Fn(&Answer<'_>) -> Outcome<T>,
) -> (Health, Result<T, Verdict>) {
    let now_ms = host::now_ms();
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

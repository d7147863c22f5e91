//! The marketing system: takes news as signed webhooks.

use crate::host;
use crate::partner::Partner;
use bytes::Bytes;
use restock_domain::attempt::Verdict;
use restock_domain::partner::{Kind, MARKETING};
use restock_webhook::Signer;
use std::time::Duration;

/// How long one call may take, all of it.
const CALL_TIME_MAX: Duration = Duration::from_secs(10);
/// Calls a second.
const RATE_PER_SECOND: u32 = 10;
/// Calls at a time.
const CONCURRENCY: u32 = 4;

/// The marketing system, as configured.
#[derive(Debug)]
pub struct Marketing {
    partner: Partner,
    url: String,
    signer: Signer,
}

impl Marketing {
    /// A marketing system that listens at an address, and the secrets that sign for it.
    #[must_use]
    pub fn new(url: String, signer: Signer) -> Self {
        Self { partner: Partner::new(MARKETING, RATE_PER_SECOND, CONCURRENCY), url, signer }
    }

    /// Tells it something: a JSON body under an id (1 to 128 letters, digits, `_` and `-`) that is the same at every attempt, which is what
    /// it knows repetitions by.
    ///
    /// # Errors
    /// The verdict on the message, where it did not take the news.
    pub async fn tell(&self, id: &str, body: Bytes) -> Result<(), Verdict> {
        let request = self
            .signer
            .request(&self.url, id, host::now_ms() / 1_000, body)
            .map_err(|fault| Verdict::Reject(self.partner.failure(Kind::Refused, fault.to_string())))?;
        let read = self.partner.tell(request, CALL_TIME_MAX, |answer, now_ms| {
            restock_webhook::read(answer.status, &answer.headers, &answer.body, now_ms)
        });
        read.await
    }
}

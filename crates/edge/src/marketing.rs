//! The marketing system: takes news as signed webhooks.

use crate::host;
use crate::outbound::Incoming;
use crate::partner::Partner;
use bytes::Bytes;
use restock_domain::attempt::Verdict;
use restock_domain::partner::{Kind, MARKETING};
use restock_domain::reply::Reply;
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
        self.partner.tell(request, CALL_TIME_MAX, |answer, now_ms| read(answer, &self.url, now_ms)).await
    }
}

/// What an answer means. Before its words are cut: what is cut in the middle of the address is not found any more.
fn read(answer: Incoming, url: &str, now_ms: u64) -> Reply {
    let answer = answer.without_address(url);
    restock_webhook::read(answer.status, &answer.headers, &answer.body, now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;

    #[test]
    fn no_failure_holds_the_path_of_the_address() {
        let url = "https://marketing.example/hooks/0123456789abcdef0123456789abcdef?tenant=7";
        let echo =
            format!("{} {url}", "Cannot POST /hooks/0123456789abcdef0123456789abcdef?tenant=7 ".repeat(6));
        for status in [404, 410, 429, 500, 502] {
            let answer = Incoming { status, headers: HeaderMap::new(), body: echo.clone().into() };
            let reply = format!("{:?}", read(answer, url, 0));
            assert!(reply.contains("Cannot POST …"), "{reply}");
            assert!(!reply.contains("0123456789") && !reply.contains("hooks"), "{reply}");
        }
    }
}

//! Webhooks signed as the Standard Webhooks specification (1.0.0) says: the signature covers an id that stays the same over all
//! tries, the moment of the try, and the body.
//!
//! Pure: it builds requests and reads answers, and others carry them.

mod secrets;
mod verify;

pub use secrets::{SECRETS_MAX, Signer};
pub use verify::{SIGNATURES_MAX, TOLERANCE_S, Unverified};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, Request};
use restock_domain::reply::{self, Reply};
use std::fmt;

/// The header that holds the id of a webhook: what a receiver knows repetitions by.
pub const ID: HeaderName = HeaderName::from_static("webhook-id");
/// The header that holds the moment of the try, in seconds since 1970.
pub const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
/// The header that holds the signatures.
pub const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");
/// The longest id, in bytes.
pub const ID_BYTES_MAX: usize = 128;

const AGENT: &str = concat!("restock/", env!("CARGO_PKG_VERSION"));

/// The headers that make a body a webhook.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// [`ID`].
    pub id: HeaderValue,
    /// [`TIMESTAMP`].
    pub timestamp: HeaderValue,
    /// [`SIGNATURE`]: one for each secret, with spaces between them.
    pub signature: HeaderValue,
}

/// Why there is no request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The receiver's address cannot be read.
    Address,
    /// The id is not 1 to [`ID_BYTES_MAX`] letters, digits, `_` and `-`. A dot would let the signature be read in two ways.
    Id,
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Address => "the address of the webhook's receiver cannot be read",
            Self::Id => "the webhook's id must be 1 to 128 letters, digits, `_` and `-`",
        })
    }
}

impl std::error::Error for Fault {}

impl Signer {
    /// Signs a body under an id, at a moment (seconds since 1970).
    ///
    /// # Errors
    /// The id is none.
    pub fn sign(&self, id: &str, timestamp_s: u64, body: &[u8]) -> Result<Signed, Fault> {
        let is_id = (1..=ID_BYTES_MAX).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
        if !is_id {
            return Err(Fault::Id);
        }
        let signatures = self.signatures(id, &timestamp_s.to_string(), body).join(" ");
        Ok(Signed {
            id: HeaderValue::from_str(id).map_err(|_| Fault::Id)?,
            timestamp: HeaderValue::from(timestamp_s),
            signature: HeaderValue::from_str(&signatures).map_err(|_| Fault::Id)?,
        })
    }

    /// The request that sends a JSON body to a receiver, at a moment (seconds since 1970): that of this try, while the id is the
    /// same at every try. It carries no `Content-Length`: whoever sends it adds that.
    ///
    /// # Errors
    /// What cannot be sent; trying again does not help.
    pub fn request(
        &self,
        url: &str,
        id: &str,
        timestamp_s: u64,
        body: Bytes,
    ) -> Result<Request<Bytes>, Fault> {
        let signed = self.sign(id, timestamp_s, &body)?;
        let request = Request::post(url)
            .header(CONTENT_TYPE, "application/json")
            .header(USER_AGENT, AGENT)
            .header(ID, signed.id)
            .header(TIMESTAMP, signed.timestamp)
            .header(SIGNATURE, signed.signature)
            .body(body)
            .map_err(|_| Fault::Address)?;
        if request.uri().scheme().is_some() { Ok(request) } else { Err(Fault::Address) }
    }
}

/// Reads a receiver's answer: its status, its headers, its body, and the current moment (ms since 1970). Every success is good,
/// whatever stands in its body.
#[must_use]
pub fn read(status: u16, headers: &HeaderMap, body: &[u8], now_ms: u64) -> Reply {
    let retry_after = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    reply::read(status, retry_after, body, now_ms)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use restock_domain::reply::Done;

    /// The example that the specification's own libraries are tested with.
    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const OLDER: &str = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    const WEBHOOK_ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const NOW_S: u64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const PUBLISHED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn signer(secrets: &str) -> Signer {
        Signer::parse(secrets).expect("secrets")
    }

    fn headers(signed: Signed) -> HeaderMap {
        HeaderMap::from_iter([(ID, signed.id), (TIMESTAMP, signed.timestamp), (SIGNATURE, signed.signature)])
    }

    #[test]
    fn the_published_example_is_signed_as_published() {
        let signed = signer(SECRET).sign(WEBHOOK_ID, NOW_S, BODY).expect("a signature");
        assert_eq!(
            (signed.id, signed.timestamp),
            (WEBHOOK_ID.parse().expect("id"), "1614265330".parse().expect("time"))
        );
        assert_eq!(signed.signature, PUBLISHED);
    }

    #[test]
    fn the_request_carries_what_the_specification_names() {
        let body = Bytes::from_static(BODY);
        let url = "https://marketing.example/hooks/vip";
        let request = signer(SECRET).request(url, WEBHOOK_ID, NOW_S, body).expect("a request");
        assert_eq!((request.method().as_str(), request.uri().to_string()), ("POST", url.to_owned()));
        assert_eq!(request.headers()["webhook-id"], WEBHOOK_ID);
        assert_eq!(request.headers()["webhook-timestamp"], "1614265330");
        assert_eq!(request.headers()["webhook-signature"], PUBLISHED);
        assert_eq!(request.headers()["content-type"], "application/json");
        assert_eq!(request.body().as_ref(), BODY);
        assert_eq!(signer(SECRET).verify(request.headers(), request.body(), NOW_S), Ok(()));
    }

    #[test]
    fn while_a_secret_changes_both_receivers_understand() {
        let rotating = signer(&format!("{SECRET} {OLDER}"));
        let headers = headers(rotating.sign(WEBHOOK_ID, NOW_S, BODY).expect("signatures"));
        assert_eq!(headers[SIGNATURE].to_str().expect("text").split(' ').count(), 2);
        for secret in [SECRET, OLDER] {
            assert_eq!(signer(secret).verify(&headers, BODY, NOW_S), Ok(()), "{secret}");
        }
        let other = signer("whsec_BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBB");
        assert_eq!(other.verify(&headers, BODY, NOW_S), Err(Unverified::Forged));
    }

    #[test]
    fn an_id_that_makes_a_signature_ambiguous_is_refused() {
        for wrong in ["", "a.b", "a b", "a\r\nb", "에이", &"x".repeat(129)] {
            assert_eq!(signer(SECRET).sign(wrong, NOW_S, BODY), Err(Fault::Id), "{wrong:?}");
        }
    }

    #[test]
    fn an_address_that_is_none_is_named() {
        for wrong in ["", "/path", "marketing.example", "https://", "https://a b/"] {
            let request = signer(SECRET).request(wrong, WEBHOOK_ID, NOW_S, Bytes::new());
            assert_eq!(request.err(), Some(Fault::Address), "{wrong:?}");
        }
    }

    #[test]
    fn every_success_is_one_and_the_rest_is_retried_or_not() {
        let read = |status| read(status, &HeaderMap::new(), b"", 0);
        assert_eq!(read(204), Reply::Good);
        assert!(matches!(read(410), Reply::Refused(_)));
        assert!(matches!(read(429), Reply::Failing { done: Done::SurelyNot, .. }));
        assert!(matches!(read(502), Reply::Failing { done: Done::Unknown, .. }));
    }

    proptest! {
        #[test]
        fn what_was_signed_is_verified(id in "[A-Za-z0-9_-]{1,128}", time_s in 0u64..1 << 40, body: Vec<u8>) {
            let headers = headers(signer(SECRET).sign(&id, time_s, &body).expect("a signature"));
            prop_assert_eq!(signer(SECRET).verify(&headers, &body, time_s), Ok(()));
        }

        #[test]
        fn a_changed_body_is_forged(body in proptest::collection::vec(any::<u8>(), 1..200), at: prop::sample::Index, bit in 0u8..8) {
            let headers = headers(signer(SECRET).sign(WEBHOOK_ID, NOW_S, &body).expect("a signature"));
            let mut changed = body.clone();
            changed[at.index(body.len())] ^= 1 << bit;
            prop_assert_eq!(signer(SECRET).verify(&headers, &changed, NOW_S), Err(Unverified::Forged));
        }

        #[test]
        fn a_changed_id_or_time_is_forged(id in "[a-z]{1,20}", shift in 1u64..300) {
            let signed = signer(SECRET).sign(WEBHOOK_ID, NOW_S, BODY).expect("a signature");
            let mut other_id = headers(signed.clone());
            other_id.insert(ID, id.parse().expect("a value"));
            prop_assert_eq!(signer(SECRET).verify(&other_id, BODY, NOW_S), Err(Unverified::Forged));
            let mut other_time = headers(signed);
            other_time.insert(TIMESTAMP, HeaderValue::from(NOW_S + shift));
            prop_assert_eq!(signer(SECRET).verify(&other_time, BODY, NOW_S), Err(Unverified::Forged));
        }

        #[test]
        fn any_headers_are_read_without_a_panic(id: Vec<u8>, time: String, signature: String) {
            let mut headers = HeaderMap::new();
            for (name, value) in [(ID, id), (TIMESTAMP, time.into_bytes()), (SIGNATURE, signature.into_bytes())] {
                if let Ok(value) = HeaderValue::from_bytes(&value) {
                    headers.insert(name, value);
                }
            }
            prop_assert!(signer(SECRET).verify(&headers, BODY, NOW_S).is_err());
        }
    }
}

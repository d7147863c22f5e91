//! Verifying a webhook, for receivers and for tests.

use crate::secrets::VERSION;
use crate::{ID, SIGNATURE, Signer, TIMESTAMP};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName};
use std::fmt;

/// How far the moment of a try may lie from the receiver's clock, seconds, in either direction.
pub const TOLERANCE_S: u64 = 5 * 60;
/// The most signatures that are looked at.
pub const SIGNATURES_MAX: usize = 16;

/// Why a request is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unverified {
    /// A header is missing or cannot be read.
    Malformed,
    /// It was signed too long ago: somebody may be repeating it.
    TooOld,
    /// It was signed in the future.
    TooNew,
    /// No signature was made with one of the secrets for this id, this moment and this body.
    Forged,
}

impl fmt::Display for Unverified {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed => "the webhook's headers are missing or cannot be read",
            Self::TooOld => "the webhook was signed too long ago",
            Self::TooNew => "the webhook was signed in the future",
            Self::Forged => "no signature of the webhook fits",
        })
    }
}

impl std::error::Error for Unverified {}

impl Signer {
    /// Verifies a webhook by its headers and its body, at a moment (seconds since 1970).
    ///
    /// # Errors
    /// Why it is not to be believed.
    pub fn verify(&self, headers: &HeaderMap, body: &[u8], now_s: u64) -> Result<(), Unverified> {
        let id = text(headers, &ID)?;
        let timestamp = text(headers, &TIMESTAMP)?;
        let time_s: u64 = timestamp.parse().map_err(|_| Unverified::Malformed)?;
        if now_s.saturating_sub(time_s) > TOLERANCE_S {
            return Err(Unverified::TooOld);
        }
        if time_s.saturating_sub(now_s) > TOLERANCE_S {
            return Err(Unverified::TooNew);
        }
        // What is not of our kind is somebody else's to verify.
        let signatures: Vec<_> = text(headers, &SIGNATURE)?
            .split(' ')
            .take(SIGNATURES_MAX)
            .filter_map(|signature| STANDARD.decode(signature.strip_prefix(VERSION)?).ok())
            .collect();
        if self.made(&signatures, id, timestamp, body) { Ok(()) } else { Err(Unverified::Forged) }
    }
}

fn text<'headers>(headers: &'headers HeaderMap, name: &HeaderName) -> Result<&'headers str, Unverified> {
    headers.get(name).and_then(|value| value.to_str().ok()).ok_or(Unverified::Malformed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    const NOW_S: u64 = 1_614_265_330;
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const PUBLISHED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn signer() -> Signer {
        Signer::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").expect("a secret")
    }

    fn headers(signature: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(ID, HeaderValue::from_static("msg_p5jXN8AQM9LWM0D4loKWxJek"));
        headers.insert(TIMESTAMP, HeaderValue::from_static("1614265330"));
        headers.insert(SIGNATURE, signature.parse().expect("a value"));
        headers
    }

    #[test]
    fn the_published_example_is_verified() {
        assert_eq!(signer().verify(&headers(PUBLISHED), BODY, NOW_S), Ok(()));
    }

    #[test]
    fn one_fitting_signature_among_others_is_enough() {
        let others = format!("v1a,AAAA v2,x v1,AAAA v1,=== nonsense {PUBLISHED}");
        assert_eq!(signer().verify(&headers(&others), BODY, NOW_S), Ok(()));
        let too_many = "v1,AAAA ".repeat(SIGNATURES_MAX) + PUBLISHED;
        assert_eq!(signer().verify(&headers(&too_many), BODY, NOW_S), Err(Unverified::Forged));
    }

    #[test]
    fn a_try_is_believed_for_five_minutes_in_either_direction() {
        let verify = |now_s| signer().verify(&headers(PUBLISHED), BODY, now_s);
        assert_eq!(verify(NOW_S + TOLERANCE_S), Ok(()));
        assert_eq!(verify(NOW_S + TOLERANCE_S + 1), Err(Unverified::TooOld));
        assert_eq!(verify(NOW_S - TOLERANCE_S), Ok(()));
        assert_eq!(verify(NOW_S - TOLERANCE_S - 1), Err(Unverified::TooNew));
    }

    #[test]
    fn without_its_headers_nothing_is_verified() {
        for name in [ID, TIMESTAMP, SIGNATURE] {
            let mut headers = headers(PUBLISHED);
            headers.remove(&name);
            assert_eq!(signer().verify(&headers, BODY, NOW_S), Err(Unverified::Malformed), "{name}");
        }
        let mut words = headers(PUBLISHED);
        words.insert(TIMESTAMP, HeaderValue::from_static("yesterday"));
        assert_eq!(signer().verify(&words, BODY, NOW_S), Err(Unverified::Malformed));
    }
}

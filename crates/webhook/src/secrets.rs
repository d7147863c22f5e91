//! The secrets that sign, and what they sign.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;
use std::ops::RangeInclusive;

/// The most secrets at a time.
pub const SECRETS_MAX: usize = 4;
/// How long a secret is, in bytes.
const SECRET_BYTES: RangeInclusive<usize> = 24..=64;
/// What a secret begins with where people see it.
const PREFIX: &str = "whsec_";
/// What a signature of this kind begins with.
pub(crate) const VERSION: &str = "v1,";

/// The secrets of a webhook. Several can be valid at once, so that a secret can be changed while a receiver still knows the
/// old one only. It has no way to print itself.
pub struct Signer(Vec<Vec<u8>>);

impl fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Signer")
    }
}

impl Signer {
    /// Reads secrets separated by spaces, each as `whsec_` and Base64: each signs, and what one of them signed is verified.
    ///
    /// # Errors
    /// Says what is wrong, without repeating it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let secrets = text.split_whitespace().map(decode).collect::<Result<Vec<_>, _>>()?;
        if secrets.is_empty() || secrets.len() > SECRETS_MAX {
            return Err(format!("must hold 1 to {SECRETS_MAX} secrets"));
        }
        Ok(Self(secrets))
    }

    /// The signatures of a webhook, one for each secret.
    pub(crate) fn signatures(&self, id: &str, timestamp: &str, body: &[u8]) -> Vec<String> {
        self.macs(id, timestamp, body)
            .map(|mac| format!("{VERSION}{}", STANDARD.encode(mac.finalize().into_bytes())))
            .collect()
    }

    /// Whether one of the secrets made one of these signatures. Everything is compared, in constant time.
    pub(crate) fn made(&self, signatures: &[Vec<u8>], id: &str, timestamp: &str, body: &[u8]) -> bool {
        self.macs(id, timestamp, body)
            .flat_map(|mac| signatures.iter().map(move |signature| mac.clone().verify_slice(signature)))
            .fold(false, |made, compared| made | compared.is_ok())
    }

    fn macs(&self, id: &str, timestamp: &str, body: &[u8]) -> impl Iterator<Item = Hmac<Sha256>> {
        self.0.iter().filter_map(move |secret| {
            let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
            for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
                mac.update(part);
            }
            Some(mac)
        })
    }
}

fn decode(text: &str) -> Result<Vec<u8>, String> {
    let encoded = text.strip_prefix(PREFIX).ok_or_else(|| format!("each secret must begin with {PREFIX}"))?;
    let secret = STANDARD.decode(encoded).map_err(|_| format!("behind {PREFIX} must stand Base64"))?;
    if !SECRET_BYTES.contains(&secret.len()) {
        return Err(format!("a secret must have {} to {} bytes", SECRET_BYTES.start(), SECRET_BYTES.end()));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn secrets_are_read_in_their_published_form() {
        assert_eq!(Signer::parse(SECRET).expect("a secret").0.len(), 1);
        assert_eq!(Signer::parse(&format!(" {SECRET}  {SECRET} ")).expect("secrets").0.len(), 2);
    }

    #[test]
    fn what_is_no_secret_is_named_without_being_repeated() {
        let many = format!("{SECRET} ").repeat(SECRETS_MAX + 1);
        for wrong in [
            "",
            "hunter2hunter2hunter2hunter2hunter2",
            "whsec_",
            "whsec_hunter2",
            "whsec_h~nter2",
            "whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            many.as_str(),
        ] {
            let fault = Signer::parse(wrong).expect_err(wrong);
            assert!(!fault.contains("nter2") && !fault.contains("MfKQ"), "{fault}");
        }
    }

    #[test]
    fn a_signer_does_not_print_its_secrets() {
        assert_eq!(format!("{:?}", Signer::parse(SECRET).expect("a secret")), "Signer");
    }
}

//! The capability in a factory's callback address: `{production_id}.{mac}`. Whoever holds it may report goods for that one
//! request, and nobody can make one without the secret.

use crate::hex;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Keeps these macs apart from any other use of the same secret.
const DOMAIN: &[u8] = b"restock/factory-callback/1\0";

/// Secrets that sign and verify capabilities. Several can be valid at once, so that a secret can be changed while the
/// factory still holds addresses signed with the old one.
pub struct Signer(Vec<Vec<u8>>);

impl Signer {
    /// Reads secrets separated by spaces: the first signs, all verify.
    ///
    /// # Errors
    /// An empty list, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        let secrets: Vec<_> = text.split_whitespace().map(|secret| secret.as_bytes().to_vec()).collect();
        if secrets.is_empty() { Err("must not be empty".to_owned()) } else { Ok(Self(secrets)) }
    }

    /// Makes the capability for a production request.
    #[must_use]
    pub fn sign(&self, production_id: &str) -> String {
        let mac = self.0.first().and_then(|secret| mac(secret, production_id));
        let mac = mac.map(|mac| hex::encode(&mac.finalize().into_bytes())).unwrap_or_default();
        format!("{production_id}.{mac}")
    }

    /// The production request that a capability is for; none where it was not signed with one of the secrets.
    #[must_use]
    pub fn verify<'token>(&self, token: &'token str) -> Option<&'token str> {
        let (production_id, presented) = token.split_once('.')?;
        let presented = hex::decode(presented)?;
        // `verify_slice` compares in constant time; all secrets are tried, so the time tells nothing either.
        let known = self
            .0
            .iter()
            .filter_map(|secret| mac(secret, production_id))
            .fold(false, |known, mac| known | mac.verify_slice(&presented).is_ok());
        known.then_some(production_id)
    }

    /// The capability at the end of a callback address that we gave out, whatever address it is under.
    #[must_use]
    pub fn verify_url<'url>(&self, url: &'url str) -> Option<&'url str> {
        self.verify(url.rsplit('/').next()?)
    }
}

fn mac(secret: &[u8], production_id: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(DOMAIN);
    mac.update(production_id.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ID: &str = "0192f0c1-0000-7000-8000-000000000000";

    fn signer(secrets: &str) -> Signer {
        Signer::parse(secrets).expect("secrets")
    }

    #[test]
    fn a_signed_capability_is_verified() {
        let token = signer("new").sign(ID);
        assert_eq!(signer("new").verify(&token), Some(ID));
        let url = format!("http://shop.example/v1/factory/callbacks/{token}");
        assert_eq!(signer("new").verify_url(&url), Some(ID));
    }

    #[test]
    fn an_old_secret_still_verifies_and_no_longer_signs() {
        let old = signer("old").sign(ID);
        assert_eq!(signer("new old").verify(&old), Some(ID));
        assert_eq!(signer("new").verify(&old), None);
        assert_eq!(signer("new old").sign(ID), signer("new").sign(ID));
    }

    #[test]
    fn no_secret_is_a_fault() {
        assert!(Signer::parse("  ").is_err());
    }

    #[test]
    fn a_mac_is_good_for_its_own_request_only() {
        let token = signer("s").sign(ID);
        let other = token.replacen('0', "1", 1);
        assert_eq!(signer("s").verify(&other), None);
    }

    proptest! {
        #[test]
        fn a_changed_token_is_refused(position in 0usize..101, replacement in "[0-9a-z.-]") {
            let token = signer("s").sign(ID);
            let mut changed = token.clone();
            changed.replace_range(position..=position, &replacement);
            prop_assume!(changed != token);
            prop_assert_eq!(signer("s").verify(&changed), None);
        }

        #[test]
        fn any_text_is_refused_without_a_panic(token: String) {
            prop_assert_eq!(signer("s").verify(&token), None);
        }
    }
}

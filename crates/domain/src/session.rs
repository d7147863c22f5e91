//! Sessions of people who signed in with a key. A session is a token that its holder keeps and nobody else does: it is signed with
//! the digest of the key that opened it, so it ends with that key, wherever it is checked, and nothing has to be stored.

use crate::hex;
use crate::keys::{self, Caller, KeySet, Role};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// How long a session lasts, ms (12 h). It is not prolonged by being used.
pub const SESSION_MS_MAX: u64 = 12 * 60 * 60 * 1_000;
/// Random bytes that tell sessions of the same key apart.
pub const NONCE_BYTES: usize = 16;
/// The longest token that is looked at, characters.
const TOKEN_CHARACTERS_MAX: usize = 256;

/// Keep the two uses of a key's digest apart from each other, and from any other.
const SESSION: &[u8] = b"restock/session/1\0";
const FORM: &[u8] = b"restock/form/1\0";

/// Somebody who signed in. It has no way to print itself: what its forms carry must not be shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Session {
    /// The holder of the key that opened it, with the role that this key has now.
    pub caller: Caller,
    /// When it is over (ms since 1970).
    pub expires_at_ms: u64,
    form_token: String,
}

/// What became of an attempt to sign in.
pub enum Opening {
    /// The token to give out, and the session that it stands for.
    Opened(String, Session),
    /// The key is known, and not one that people look at the shop with.
    NotForPeople,
    /// The key is unknown.
    Unknown,
}

impl Session {
    /// What every form of this session carries, so that no other site can send one for its holder.
    #[must_use]
    pub fn form_token(&self) -> &str {
        &self.form_token
    }

    /// Whether a form comes from a page that was made for this session. The time it takes says nothing about how near a guess was.
    #[must_use]
    pub fn sent(&self, form_token: &str) -> bool {
        self.form_token.as_bytes().ct_eq(form_token.as_bytes()).into()
    }
}

/// Opens a session for whoever presents a key.
#[must_use]
pub fn open(keys: &KeySet, presented: &str, now_ms: u64, nonce: [u8; NONCE_BYTES]) -> Opening {
    let digest = keys::digest(presented);
    let Some((caller, key)) = keys.holder(|key| bool::from(key.ct_eq(&digest))) else {
        return Opening::Unknown;
    };
    if !matches!(caller.role, Role::Viewer | Role::Operator) {
        return Opening::NotForPeople;
    }
    let expires_at_ms = now_ms.saturating_add(SESSION_MS_MAX);
    let claims = format!("{}.{expires_at_ms}.{}", caller.fingerprint, hex::encode(&nonce));
    let token = format!("{claims}.{}", signature(&key, SESSION, &claims));
    let form_token = signature(&key, FORM, &claims);
    Opening::Opened(token, Session { caller, expires_at_ms, form_token })
}

/// The session that a token stands for; none where it was not made by [`open`], is over, or its key is no longer known.
#[must_use]
pub fn read(keys: &KeySet, token: &str, now_ms: u64) -> Option<Session> {
    if token.len() > TOKEN_CHARACTERS_MAX {
        return None;
    }
    let (claims, signed) = token.rsplit_once('.')?;
    let signed = hex::decode(signed)?;
    let mut parts = claims.split('.');
    let (Some(fingerprint), Some(expires), Some(_nonce), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return None;
    };
    let (caller, key) = keys.holder(|key| {
        keys::fingerprint(key) == fingerprint
            && mac(key, SESSION, claims).is_some_and(|mac| mac.verify_slice(&signed).is_ok())
    })?;
    let expires_at_ms: u64 = expires.parse().ok()?;
    let open = now_ms < expires_at_ms && matches!(caller.role, Role::Viewer | Role::Operator);
    open.then(|| Session { caller, expires_at_ms, form_token: signature(&key, FORM, claims) })
}

fn signature(key: &[u8; 32], purpose: &[u8], claims: &str) -> String {
    mac(key, purpose, claims).map(|mac| hex::encode(&mac.finalize().into_bytes())).unwrap_or_default()
}

/// None never: a mac takes a key of any length.
fn mac(key: &[u8; 32], purpose: &[u8], claims: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(purpose);
    mac.update(claims.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_795_300_000_000;

    fn keys(viewer: &str, operator: &str) -> KeySet {
        let mut keys = KeySet::new();
        keys.add(Role::Viewer, viewer).expect("keys");
        keys.add(Role::Operator, operator).expect("keys");
        keys.add(Role::Storefront, "shop").expect("keys");
        keys.add(Role::Internal, "tick").expect("keys");
        keys
    }

    fn opened(keys: &KeySet, key: &str, nonce: u8) -> (String, Session) {
        match open(keys, key, NOW, [nonce; NONCE_BYTES]) {
            Opening::Opened(token, session) => (token, session),
            Opening::NotForPeople | Opening::Unknown => panic!("{key} opens no session"),
        }
    }

    #[test]
    fn a_session_is_read_as_it_was_opened() {
        let keys = keys("see", "do");
        for (key, role) in [("see", Role::Viewer), ("do", Role::Operator)] {
            let (token, session) = opened(&keys, key, 1);
            assert!(read(&keys, &token, NOW).is_some_and(|read| read == session));
            assert_eq!((session.caller.role, session.expires_at_ms), (role, NOW + SESSION_MS_MAX));
            assert_eq!(Some(session.caller.clone()), keys.identify(key));
            assert!(!token.contains(key));
        }
    }

    #[test]
    fn a_session_ends_at_its_time_and_no_use_prolongs_it() {
        let keys = keys("see", "do");
        let (token, _) = opened(&keys, "do", 1);
        let last = NOW + SESSION_MS_MAX - 1;
        assert!(read(&keys, &token, last).is_some_and(|session| session.expires_at_ms == last + 1));
        assert!(read(&keys, &token, last + 1).is_none());
    }

    #[test]
    fn a_session_ends_with_its_key_and_has_the_role_that_its_key_has_now() {
        let (token, _) = opened(&keys("see", "do other"), "do", 1);
        assert!(read(&keys("see", "other"), &token, NOW).is_none());
        assert!(read(&KeySet::new(), &token, NOW).is_none());
        let demoted = read(&keys("see do", "other"), &token, NOW).expect("a session");
        assert_eq!(demoted.caller.role, Role::Viewer);
        let mut shop = KeySet::new();
        shop.add(Role::Storefront, "do").expect("keys");
        assert!(read(&shop, &token, NOW).is_none(), "a key of the storefront keeps no session open");
    }

    #[test]
    fn keys_of_programs_open_no_session() {
        let keys = keys("see", "do");
        for key in ["shop", "tick"] {
            assert!(matches!(open(&keys, key, NOW, [0; NONCE_BYTES]), Opening::NotForPeople), "{key}");
        }
        for key in ["", "Do", "do see"] {
            assert!(matches!(open(&keys, key, NOW, [0; NONCE_BYTES]), Opening::Unknown), "{key:?}");
        }
    }

    #[test]
    fn a_form_is_good_for_its_own_session_only() {
        let keys = keys("see", "do");
        let (token, mine) = opened(&keys, "do", 1);
        let (_, other) = opened(&keys, "do", 2);
        let (_, viewer) = opened(&keys, "see", 1);
        assert!(mine.sent(mine.form_token()));
        assert!(read(&keys, &token, NOW).is_some_and(|read| read.sent(mine.form_token())));
        for wrong in ["", &token, other.form_token(), viewer.form_token()] {
            assert!(!mine.sent(wrong));
        }
        assert!(!token.contains(mine.form_token()), "whoever sees the token does not see what forms carry");
    }

    proptest! {
        #[test]
        fn a_changed_token_is_refused(position in 0usize..200, replacement in "[0-9a-z.-]") {
            let keys = keys("see", "do");
            let (token, _) = opened(&keys, "do", 1);
            let position = position % token.len();
            let mut changed = token.clone();
            changed.replace_range(position..=position, &replacement);
            prop_assume!(changed != token);
            prop_assert!(read(&keys, &changed, NOW).is_none());
        }

        #[test]
        fn any_text_is_refused_without_a_panic(token: String) {
            prop_assert!(read(&keys("see", "do"), &token, NOW).is_none());
        }
    }
}

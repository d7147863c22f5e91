//! Who calls: keys, the roles they open, and the name they leave in records.

use crate::hex;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How many characters of a key's digest name its holder in records.
const FINGERPRINT_CHARACTERS: usize = 12;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The shop: places orders, sees what can be sold.
    Storefront,
    /// Reads everything.
    Viewer,
    /// May do everything.
    Operator,
    /// The application itself: ticks and drains.
    Internal,
}

/// What a route asks of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Nothing.
    Public,
    /// May place orders.
    Order,
    /// May see what is sold.
    Shop,
    /// May read everything.
    Read,
    /// May change everything.
    Operate,
    /// May tick and drain.
    Internal,
}

impl Role {
    /// Whether this role may use a route with that access.
    #[must_use]
    pub fn may(self, access: Access) -> bool {
        match self {
            Self::Operator => true,
            Self::Viewer => matches!(access, Access::Public | Access::Shop | Access::Read),
            Self::Storefront => matches!(access, Access::Public | Access::Shop | Access::Order),
            Self::Internal => matches!(access, Access::Public | Access::Internal),
        }
    }
}

/// A caller with a known key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What the key is for.
    pub role: Role,
    /// Names the key in records without giving it away: the beginning of its digest.
    pub fingerprint: String,
}

/// The keys of all roles, kept as digests.
#[derive(Clone, Default)]
pub struct KeySet(Vec<(Role, [u8; 32])>);

impl KeySet {
    /// No keys: every role is closed.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the keys of a role, separated by spaces. No key leaves the role closed.
    ///
    /// # Errors
    /// A key that cannot be sent in a header, without naming it.
    pub fn add(&mut self, role: Role, keys: &str) -> Result<(), String> {
        for key in keys.split_whitespace() {
            if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
                return Err("a key may hold visible ASCII characters only".to_owned());
            }
            self.0.push((role, digest(key)));
        }
        Ok(())
    }

    /// Finds out who presents a key; none where it is unknown. A key that opens several roles opens the widest.
    ///
    /// The presented key is digested first and compared with every key to the end, so the time an answer takes
    /// says nothing about how near a guess was.
    #[must_use]
    pub fn identify(&self, presented: &str) -> Option<Caller> {
        let presented = digest(presented);
        self.holder(|key| bool::from(key.ct_eq(&presented))).map(|(caller, _)| caller)
    }

    /// The key whose digest this is true of, and who holds it. Every key is asked.
    pub(crate) fn holder(&self, is: impl Fn(&[u8; 32]) -> bool) -> Option<(Caller, [u8; 32])> {
        let (role, key) = self.0.iter().fold(None, |found: Option<(Role, &[u8; 32])>, (role, key)| {
            let equal = is(key);
            match found {
                Some((known, _)) if !equal || rank(known) >= rank(*role) => found,
                _ if equal => Some((*role, key)),
                other => other,
            }
        })?;
        Some((Caller { role, fingerprint: fingerprint(key) }, *key))
    }
}

/// Names a key in records, by its digest.
pub(crate) fn fingerprint(key: &[u8; 32]) -> String {
    hex::encode(key).chars().take(FINGERPRINT_CHARACTERS).collect()
}

fn rank(role: Role) -> u8 {
    match role {
        Role::Internal => 0,
        Role::Storefront => 1,
        Role::Viewer => 2,
        Role::Operator => 3,
    }
}

pub(crate) fn digest(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> KeySet {
        let mut keys = KeySet::new();
        keys.add(Role::Storefront, "shop-1 shop-2 both").expect("keys");
        keys.add(Role::Operator, "op both").expect("keys");
        keys.add(Role::Viewer, " ").expect("keys");
        keys
    }

    fn role(key: &str) -> Option<Role> {
        keys().identify(key).map(|caller| caller.role)
    }

    #[test]
    fn every_key_of_a_role_opens_it_so_keys_can_be_rotated() {
        assert_eq!(role("shop-1"), Some(Role::Storefront));
        assert_eq!(role("shop-2"), Some(Role::Storefront));
        assert_eq!(role("op"), Some(Role::Operator));
    }

    #[test]
    fn a_role_without_keys_is_closed() {
        for unknown in ["", " ", "shop", "shop-1 shop-2", "OP"] {
            assert_eq!(role(unknown), None, "{unknown:?}");
        }
        assert_eq!(KeySet::new().identify(""), None);
    }

    #[test]
    fn a_key_of_two_roles_opens_the_wider_one() {
        assert_eq!(role("both"), Some(Role::Operator));
    }

    #[test]
    fn the_name_in_records_is_not_the_key() {
        let caller = keys().identify("op").expect("known");
        assert_eq!(caller.fingerprint, "037aeaeaf4bb");
    }

    #[test]
    fn roles_may_do_what_the_interface_says() {
        use Access::{Internal, Operate, Order, Public, Read, Shop};
        let allowed =
            |role: Role| [Public, Order, Shop, Read, Operate, Internal].map(|access| role.may(access));
        assert_eq!(allowed(Role::Storefront), [true, true, true, false, false, false]);
        assert_eq!(allowed(Role::Viewer), [true, false, true, true, false, false]);
        assert_eq!(allowed(Role::Operator), [true; 6]);
        assert_eq!(allowed(Role::Internal), [true, false, false, false, false, true]);
    }
}

//! Who writes and who reads: an address, and a name to show beside it.

use restock_domain::name::{self, NAME_CHARACTERS_MAX};
use restock_domain::text::clip;

/// The longest address, in bytes (RFC 5321).
pub const ADDRESS_BYTES_MAX: usize = name::EMAIL_CHARACTERS_MAX;
/// How much of a name is shown, in characters: encoded for a header, it must leave room for an address.
const SHOWN_CHARACTERS_MAX: usize = 40;

/// An email address and, if it has one, the name to show beside it.
///
/// Whatever it holds can stand in a header: no end of a line, no control character, and nothing in the address that a
/// header's syntax knows (quotes, brackets, commas).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    address: String,
    name: Option<String>,
}

impl Mailbox {
    /// A mailbox from an address and a name; an empty name is none.
    ///
    /// # Errors
    /// Says what is wrong, without repeating it.
    pub fn new(address: &str, name: Option<&str>) -> Result<Self, String> {
        let address = name::address(address)?.to_owned();
        let name = match name.map(str::trim).filter(|name| !name.is_empty()) {
            Some(name) => Some(checked_name(name)?),
            None => None,
        };
        Ok(Self { address, name })
    }

    /// Reads `shop@example.com`, `Name <shop@example.com>` or `"Name" <shop@example.com>`.
    ///
    /// # Errors
    /// Says what is wrong, without repeating it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let Some(inner) = text.strip_suffix('>') else { return Self::new(text, None) };
        let (name, address) = inner.rsplit_once('<').ok_or("has a `>` without a `<`")?;
        let name = name.trim();
        let unquoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        Self::new(address, Some(unquoted.unwrap_or(name)))
    }

    /// The address alone.
    #[must_use]
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The name to show beside it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }
}

fn checked_name(name: &str) -> Result<String, String> {
    if name.chars().any(|character| character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')) {
        return Err("its name must not hold control characters or ends of lines".to_owned());
    }
    if name.chars().count() > NAME_CHARACTERS_MAX {
        return Err(format!("its name may have {NAME_CHARACTERS_MAX} characters at most"));
    }
    Ok(clip(name, SHOWN_CHARACTERS_MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_usual_forms_are_read() {
        for (text, address, name) in [
            ("shop@example.com", "shop@example.com", None),
            (" Shop <shop@example.com> ", "shop@example.com", Some("Shop")),
            ("\"Shop, Inc.\" <shop@example.com>", "shop@example.com", Some("Shop, Inc.")),
            ("부산도너츠 공장 <factory@example.com>", "factory@example.com", Some("부산도너츠 공장")),
            ("<a.b+c@sub.example.co.kr>", "a.b+c@sub.example.co.kr", None),
            ("root@localhost", "root@localhost", None),
        ] {
            let mailbox = Mailbox::parse(text).expect(text);
            assert_eq!((mailbox.address(), mailbox.name()), (address, name), "{text}");
        }
    }

    #[test]
    fn an_address_that_could_be_more_than_one_address_is_refused() {
        for wrong in [
            "",
            "plain",
            "@example.com",
            "a@",
            "a@b@example.com",
            "a@example.com\r\nBcc: b@example.com",
            "a@example.com\n",
            "a b@example.com",
            "a@exa mple.com",
            "a,b@example.com",
            "a;b@example.com",
            "a@example.com,b@example.com",
            "a@example.com, b",
            "<a@example.com",
            "a>@example.com",
            "\"a\"@example.com",
            "a(b)@example.com",
            "a\\@example.com",
            "a@[127.0.0.1]",
            "a@.example.com",
            "a@example.com.",
            "a@-example.com",
            "\u{0}a@example.com",
            "한국@example.com",
            "a@한국.kr",
        ] {
            assert!(Mailbox::new(wrong, None).is_err(), "{wrong:?}");
        }
        assert!(Mailbox::new(&format!("a@{}", "b.".repeat(126) + "c"), None).is_err());
        assert!(Mailbox::new(&format!("{}@example.com", "a".repeat(65)), None).is_err());
        assert!(Mailbox::new(&format!("a@{}.com", "b".repeat(64)), None).is_err());
    }

    #[test]
    fn a_name_cannot_end_its_header() {
        for wrong in ["Shop\r\nBcc: b@example.com", "Shop\n x", "a\0b", "a\u{2028}b", "a\u{85}b"] {
            assert!(Mailbox::new("a@example.com", Some(wrong)).is_err(), "{wrong:?}");
        }
        assert!(Mailbox::new("a@example.com", Some(&"x".repeat(201))).is_err());
    }

    #[test]
    fn a_long_name_is_shown_in_part() {
        let mailbox = Mailbox::new("a@example.com", Some(&"가".repeat(200))).expect("a mailbox");
        assert_eq!(mailbox.name().expect("a name").chars().count(), SHOWN_CHARACTERS_MAX);
    }

    #[test]
    fn a_fault_does_not_repeat_what_was_given() {
        let fault = Mailbox::new("secret-person at example.com", None).expect_err("no address");
        assert!(!fault.contains("secret-person"), "{fault}");
    }

    proptest! {
        #[test]
        fn whatever_is_taken_can_stand_in_a_header(text: String, name: Option<String>) {
            if let Ok(mailbox) = Mailbox::new(&text, name.as_deref()) {
                prop_assert!(mailbox.address().bytes().all(|byte| byte.is_ascii_graphic()));
                prop_assert_eq!(mailbox.address().matches('@').count(), 1);
                prop_assert!(!mailbox.name().unwrap_or_default().chars().any(char::is_control));
            }
        }
    }
}

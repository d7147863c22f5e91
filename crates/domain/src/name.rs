//! The syntax of names that the shop gives: SKUs, customer ids, factory ids, texts.

/// The longest identifier, in characters.
pub const IDENTIFIER_CHARACTERS_MAX: usize = 64;
/// The longest name of a product, a factory or a customer, in characters.
pub const NAME_CHARACTERS_MAX: usize = 200;
/// The longest reason that an operator gives, in characters.
pub const REASON_CHARACTERS_MAX: usize = 500;
/// The longest email address, in characters (RFC 5321).
pub const EMAIL_CHARACTERS_MAX: usize = 254;
/// The longest idempotency key, in characters.
pub const IDEMPOTENCY_KEY_CHARACTERS_MAX: usize = 255;

/// Whether a text is an identifier of the shop's own: 1 to 64 letters, digits, `.`, `_`, `-`, `:`.
#[must_use]
pub fn is_identifier(text: &str) -> bool {
    (1..=IDENTIFIER_CHARACTERS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-' | b':'))
}

/// Whether a text can be shown to people on one line: something visible, no control characters, not too long.
#[must_use]
pub fn is_text(text: &str, characters_max: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= characters_max && !text.chars().any(char::is_control)
}

/// Whether a text can be an email address. Only its delivery proves that it is one, so this asks no more than one
/// `@` between two parts without spaces.
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    !local.is_empty()
        && !domain.is_empty()
        && !domain.contains('@')
        && text.chars().count() <= EMAIL_CHARACTERS_MAX
        && !text.chars().any(|character| character.is_whitespace() || character.is_control())
}

/// Whether a text is an idempotency key: 1 to 255 visible ASCII characters.
#[must_use]
pub fn is_idempotency_key(text: &str) -> bool {
    (1..=IDEMPOTENCY_KEY_CHARACTERS_MAX).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whether a text is the code of a currency: three capital letters (ISO 4217).
#[must_use]
pub fn is_currency(text: &str) -> bool {
    text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_what_the_interface_says() {
        assert!(is_identifier("CP-502101"));
        assert!(is_identifier("a.b_c-d:e"));
        assert!(is_identifier(&"x".repeat(64)));
        assert!(!is_identifier(&"x".repeat(65)));
        for wrong in ["", "a b", "a/b", "부산", "a%20", "a\n"] {
            assert!(!is_identifier(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn texts_are_counted_in_characters_and_visible() {
        assert!(is_text("부산도너츠", 5));
        assert!(!is_text("부산도너츠", 4));
        assert!(!is_text("   ", 10));
        assert!(!is_text("a\u{7}", 10));
    }

    #[test]
    fn an_email_address_has_two_parts() {
        assert!(is_email("ads@shop.example"));
        for wrong in ["", "@", "a@", "@b", "a@b@c", "a b@c", "plain"] {
            assert!(!is_email(wrong), "{wrong:?}");
        }
    }

    #[test]
    fn an_idempotency_key_is_visible_ascii() {
        assert!(is_idempotency_key("9b2f~!"));
        assert!(is_idempotency_key(&"k".repeat(255)));
        assert!(!is_idempotency_key(&"k".repeat(256)));
        assert!(!is_idempotency_key("a b"));
        assert!(!is_idempotency_key("ü"));
        assert!(!is_idempotency_key(""));
    }
}

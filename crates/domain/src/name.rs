//! The syntax of names that the shop gives: SKUs, customer ids, factory ids, texts.

/// The longest identifier, in characters.
pub const IDENTIFIER_CHARACTERS_MAX: usize = 64;
/// The longest name of a product, a factory or a customer, in characters.
pub const NAME_CHARACTERS_MAX: usize = 200;
/// The longest reason that an operator gives, in characters.
pub const REASON_CHARACTERS_MAX: usize = 500;
/// The longest email address, in characters (RFC 5321).
pub const EMAIL_CHARACTERS_MAX: usize = 254;
/// The longest part of an address before the `@`, in bytes (RFC 5321).
const LOCAL_BYTES_MAX: usize = 64;
/// The longest part between two dots of a domain, in bytes (RFC 1035).
const LABEL_BYTES_MAX: usize = 63;
/// What a local part is made of beside letters and digits: RFC 5322's atoms, and dots between them.
const LOCAL_OTHERS: &[u8] = b".!#$%&'*+-/=?^_`{|}~";
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

/// Whether a text can be an email address of a customer. Only its delivery proves that it is one, and nobody is turned away
/// for it, so this asks no more than one `@` between two parts without spaces. What is written to is held to
/// [`address`].
#[must_use]
pub fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    !local.is_empty()
        && !domain.is_empty()
        && !domain.contains('@')
        && text.chars().count() <= EMAIL_CHARACTERS_MAX
        && !text.chars().any(|character| character.is_whitespace() || character.is_control())
}

/// The address of somebody who is written to: one that every provider of email takes as one address. That is RFC 5322 without
/// comments, quoted local parts and domain literals, which nobody uses and every parser reads in another way.
///
/// # Errors
/// Says what is wrong, without repeating it.
pub fn address(text: &str) -> Result<&str, &'static str> {
    if text.len() > EMAIL_CHARACTERS_MAX {
        return Err("the address may have 254 bytes at most");
    }
    if !text.is_ascii() {
        return Err("the address must be ASCII; a domain in another script is written as xn--…");
    }
    let (local, domain) = text.split_once('@').ok_or("the address must hold an `@`")?;
    let is_local = (1..=LOCAL_BYTES_MAX).contains(&local.len())
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || LOCAL_OTHERS.contains(&byte));
    if !is_local {
        return Err("the part before the `@` must be 1 to 64 letters, digits and dots");
    }
    if !domain.split('.').all(is_label) {
        return Err("the part behind the `@` must be the name of a domain");
    }
    Ok(text)
}

fn is_label(label: &str) -> bool {
    (1..=LABEL_BYTES_MAX).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
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
    fn whoever_is_written_to_has_one_address_that_every_provider_reads_alike() {
        for right in ["ads@shop.example", "root@localhost", "a.b+c@sub.example.co.kr", "a@xn--9n2bp8q.kr"] {
            assert_eq!(address(right), Ok(right));
        }
        for wrong in [
            "",
            "plain",
            "@b",
            "a@",
            "a@b@c",
            "a b@c",
            "a,b@c",
            "<a@c>",
            "Ads <a@c>",
            "a@example.com.",
            "a@-example.com",
            "a@[127.0.0.1]",
            "한국@example.com",
            "a@한국.kr",
        ] {
            assert!(address(wrong).is_err(), "{wrong:?}");
        }
        assert!(address(&format!("{}@example.com", "a".repeat(65))).is_err());
        assert!(address(&format!("a@{}.com", "b".repeat(64))).is_err());
        assert!(address(&format!("a@{}c", "b.".repeat(126))).is_err(), "255 bytes");
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

//! Identifiers of orders, messages and the like: UUID v7, which sort by the time they were made.

use uuid::Uuid;

/// Makes a UUID v7 from a moment (ms since 1970) and ten random bytes.
#[must_use]
pub fn new(now_ms: u64, random: [u8; 10]) -> String {
    uuid::Builder::from_unix_timestamp_millis(now_ms, &random).into_uuid().to_string()
}

/// Whether a text is a UUID in the spelling that Restock gives out. Anything else names nothing, so it can be
/// answered without asking the store.
#[must_use]
pub fn is_valid(text: &str) -> bool {
    Uuid::try_parse(text).is_ok_and(|id| id.as_hyphenated().encode_lower(&mut Uuid::encode_buffer()) == text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn ids_are_valid_and_sort_by_the_moment_they_were_made(
            early in 0u64..1 << 47, step in 1u64..1000, random: [u8; 10], other: [u8; 10],
        ) {
            let (first, second) = (new(early, random), new(early + step, other));
            prop_assert!(is_valid(&first));
            prop_assert!(first < second);
        }
    }

    #[test]
    fn another_spelling_is_not_an_id() {
        assert!(!is_valid("0192F0C1-0000-7000-8000-000000000000"));
        assert!(!is_valid("{0192f0c1-0000-7000-8000-000000000000}"));
        assert!(!is_valid("0192f0c1000070008000000000000000"));
        assert!(!is_valid(""));
    }
}

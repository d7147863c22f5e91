//! Encoded words (RFC 2047): how a text in any script stands in the header of a mail.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a word begins with: UTF-8, in Base64.
const OPENING: &str = "=?UTF-8?B?";
/// What it ends with.
const CLOSING: &str = "?=";
/// The most bytes of text in one word, so that it has 75 characters at most with its opening and its closing.
const WORD_BYTES_MAX: usize = 45;

/// Writes a text as encoded words with a space between them; a reader puts them together again without it.
pub(crate) fn encode(text: &str) -> String {
    let mut words = Vec::new();
    let mut word = String::new();
    for character in text.chars() {
        // A character is never divided: each word must be readable alone.
        if word.len() + character.len_utf8() > WORD_BYTES_MAX {
            words.push(wrap(&word));
            word.clear();
        }
        word.push(character);
    }
    if !word.is_empty() {
        words.push(wrap(&word));
    }
    words.join(" ")
}

fn wrap(word: &str) -> String {
    format!("{OPENING}{}{CLOSING}", STANDARD.encode(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(words: &str) -> String {
        words
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(|word| {
                let inner = word.strip_prefix(OPENING).and_then(|word| word.strip_suffix(CLOSING));
                let bytes = STANDARD.decode(inner.expect("a word")).expect("Base64");
                String::from_utf8(bytes).expect("whole characters")
            })
            .collect()
    }

    #[test]
    fn a_korean_name_is_one_word_as_other_programs_write_it() {
        assert_eq!(encode("부산도너츠"), "=?UTF-8?B?67aA7IKw64+E64SI7Lig?=");
    }

    proptest! {
        #[test]
        fn any_text_comes_back_from_words_of_75_characters(text: String) {
            let words = encode(&text);
            prop_assert!(words.is_ascii());
            prop_assert!(words.split(' ').all(|word| word.len() <= 75));
            prop_assert_eq!(decode(&words), text);
        }
    }
}

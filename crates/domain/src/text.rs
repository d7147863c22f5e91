//! Texts from elsewhere, made fit to be shown: on one line, and no longer than there is room for.

/// What stands at the end of a text that was cut.
const CUT: char = '…';

/// Puts a text on one line of so many characters at most. Whatever could end the line or steer a terminal becomes a space, and
/// whatever turns the direction of writing for more than itself is left out: a product's name must not be able to reverse the
/// words around it. Where something is cut off, the last character says so.
#[must_use]
pub fn one_line(text: &str, characters_max: usize) -> String {
    let line: String = text
        .chars()
        .filter(|character| !is_turn(*character))
        .map(|character| if is_break(character) { ' ' } else { character })
        .collect();
    clip(line.trim(), characters_max)
}

/// Cuts a text to so many characters at most, between two characters; the last one says that something is missing.
#[must_use]
pub fn clip(text: &str, characters_max: usize) -> String {
    if text.chars().count() <= characters_max {
        return text.to_owned();
    }
    let Some(kept) = characters_max.checked_sub(1) else { return String::new() };
    text.chars().take(kept).chain([CUT]).collect()
}

/// Whether a character is a control character or one of Unicode's own ends of a line.
fn is_break(character: char) -> bool {
    character.is_control() || matches!(character, '\u{2028}' | '\u{2029}')
}

/// Whether a character embeds, overrides or isolates a direction of writing. The marks U+200E and U+200F stand for themselves
/// only, and scripts that are written from the right need them.
fn is_turn(character: char) -> bool {
    matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_text_that_fits_is_left_alone() {
        assert_eq!(one_line("부산도너츠", 5), "부산도너츠");
        assert_eq!(clip("", 0), "");
    }

    #[test]
    fn a_cut_is_shown_and_never_divides_a_character() {
        assert_eq!(clip("부산도너츠", 3), "부산…");
        assert_eq!(clip("ab", 1), "…");
        assert_eq!(clip("ab", 0), "");
    }

    #[test]
    fn nothing_in_a_line_ends_it() {
        assert_eq!(one_line(" a\r\nBcc: b\u{2028}c\u{1b}[2J\0 ", 100), "a  Bcc: b c [2J");
    }

    #[test]
    fn nothing_in_a_line_reverses_what_stands_around_it() {
        assert_eq!(one_line("Cup \u{202e}gnp.exe\u{202c} \u{2066}x\u{2069}", 100), "Cup gnp.exe x");
        assert_eq!(one_line("\u{202e}", 100), "");
        assert_eq!(one_line("\u{200f}שלום\u{200e}", 100), "\u{200f}שלום\u{200e}", "marks stay");
    }

    proptest! {
        #[test]
        fn a_line_holds_its_limit(text: String, characters_max in 0usize..40) {
            let line = one_line(&text, characters_max);
            prop_assert!(line.chars().count() <= characters_max);
            prop_assert!(!line.chars().any(|character| is_break(character) || is_turn(character)));
        }
    }
}

//! A letter as a message: blocks for those who look, and a text for notifications and screen readers, which read no blocks.
//!
//! What comes from elsewhere stands in `plain_text` objects, where Slack formats nothing: the underscores of an SKU stay underscores.
//! `&`, `<` and `>` are escaped everywhere, so nothing in a letter becomes a link or a mention.

use restock_domain::letter::Letter;
use serde_json::{Value, json};

/// The longest text of a message, in characters. Slack asks for no more than this and cuts at ten times as many.
pub const TEXT_CHARACTERS_MAX: usize = 4_000;
/// The most blocks of a message.
pub const BLOCKS_MAX: usize = 50;
/// The longest text of a header, in characters.
pub const HEADER_CHARACTERS_MAX: usize = 150;
/// The longest text of a section, in characters.
pub const SECTION_CHARACTERS_MAX: usize = 3_000;
/// The most fields of a section. Two stand side by side: a fact's name and its value.
pub const SECTION_FIELDS_MAX: usize = 10;
/// The longest field, in characters.
pub const FIELD_CHARACTERS_MAX: usize = 2_000;
/// The most elements of a context.
pub const CONTEXT_ELEMENTS_MAX: usize = 10;
/// The most text in all blocks together, in bytes. Slack refuses a message (`msg_blocks_too_long`) from about 13,000 on, and
/// documents no number.
pub const BLOCKS_BYTES_MAX: usize = 12_000;

/// What stands at the end of a text that was cut.
const CUT: &str = "…";
/// Words that call a whole channel where something reads them as such.
const CALLS: [&str; 4] = ["@here", "@channel", "@everyone", "@group"];
/// Joins two characters and shows nothing.
const WORD_JOINER: char = '\u{2060}';

/// The body of a message.
#[must_use]
pub fn body(letter: &Letter) -> Value {
    let mut room = Room(BLOCKS_BYTES_MAX);
    let mut blocks = Vec::new();
    if let Some(text) = room.plain(letter.subject(), HEADER_CHARACTERS_MAX) {
        blocks.push(json!({ "type": "header", "text": text }));
    }
    if let Some(text) = room.plain(letter.lead(), SECTION_CHARACTERS_MAX) {
        blocks.push(json!({ "type": "section", "text": text }));
    }
    for facts in letter.facts().chunks(SECTION_FIELDS_MAX / 2) {
        let fields: Vec<_> = facts.iter().filter_map(|fact| room.fact(fact)).flatten().collect();
        if !fields.is_empty() {
            blocks.push(json!({ "type": "section", "fields": fields }));
        }
    }
    for paragraphs in letter.paragraphs().chunks(CONTEXT_ELEMENTS_MAX) {
        let elements: Vec<_> =
            paragraphs.iter().filter_map(|text| room.plain(text, SECTION_CHARACTERS_MAX)).collect();
        if !elements.is_empty() {
            blocks.push(json!({ "type": "context", "elements": elements }));
        }
    }
    blocks.truncate(BLOCKS_MAX);
    json!({
        "text": escaped(&in_words(letter), TEXT_CHARACTERS_MAX),
        "blocks": blocks,
        "mrkdwn": false,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

fn in_words(letter: &Letter) -> String {
    let mut lines = vec![letter.subject().to_owned(), letter.lead().to_owned()];
    lines.extend(letter.facts().iter().map(|(name, value)| format!("{name}: {value}")));
    lines.extend(letter.paragraphs().iter().cloned());
    lines.retain(|line| !line.is_empty());
    lines.join("\n")
}

/// How many bytes of text the blocks still have room for.
struct Room(usize);

impl Room {
    /// A text object; none where the text is empty or there is no room left: Slack refuses an empty one.
    fn plain(&mut self, text: &str, characters_max: usize) -> Option<Value> {
        let text = escaped(text, characters_max);
        if text.is_empty() || text.len() > self.0 {
            return None;
        }
        self.0 -= text.len();
        Some(json!({ "type": "plain_text", "text": text, "emoji": false }))
    }

    /// The two fields of a fact. The columns hold only in pairs, so something stands for what is empty.
    fn fact(&mut self, (name, value): &(String, String)) -> Option<[Value; 2]> {
        let shown = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
        let name = self.plain(&shown(name), FIELD_CHARACTERS_MAX)?;
        let value = self.plain(&shown(value), FIELD_CHARACTERS_MAX)?;
        Some([name, value])
    }
}

/// A text in which nothing is taken for a link, a mention or a call, cut to so many characters as Slack counts them: behind the
/// escaping, and a character beyond the first plane as two. A cut never divides a character or an escape.
fn escaped(text: &str, characters_max: usize) -> String {
    let text = without_calls(text);
    let mut written = String::new();
    let (mut characters, mut fits_with_cut) = (0, 0);
    for character in text.chars() {
        let start = written.len();
        match character {
            '&' => written.push_str("&amp;"),
            '<' => written.push_str("&lt;"),
            '>' => written.push_str("&gt;"),
            _ => written.push(character),
        }
        let piece = written.get(start..).unwrap_or_default();
        characters += piece.encode_utf16().count();
        if characters > characters_max {
            written.truncate(fits_with_cut);
            written.push_str(CUT);
            return written;
        }
        if characters < characters_max {
            fits_with_cut = written.len();
        }
    }
    written
}

/// Breaks the words that call a whole channel. An address such as `ads@here.example` stays what it is.
fn without_calls(text: &str) -> String {
    let mut written = String::with_capacity(text.len());
    let mut before = ' ';
    for (position, character) in text.char_indices() {
        written.push(character);
        let rest = text.get(position..).unwrap_or_default();
        if character == '@' && !before.is_alphanumeric() && CALLS.iter().any(|call| begins(rest, call)) {
            written.push(WORD_JOINER);
        }
        before = character;
    }
    written
}

fn begins(text: &str, word: &str) -> bool {
    text.get(..word.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn long() -> Letter {
        let text = "<가>".repeat(2_000);
        (0..20).fold(Letter::new(&text, &text), |letter, _| letter.fact(&text, &text).paragraph(&text))
    }

    /// Every text object of the blocks, with the most characters that Slack takes for it.
    fn texts(body: &Value) -> Vec<(String, usize)> {
        let mut texts = Vec::new();
        for block in body["blocks"].as_array().expect("blocks") {
            let mut add = |object: &Value, max| {
                assert_eq!(object["type"], "plain_text");
                texts.push((object["text"].as_str().expect("text").to_owned(), max));
            };
            match block["type"].as_str().expect("a type") {
                "header" => add(&block["text"], HEADER_CHARACTERS_MAX),
                "section" if block["text"].is_object() => add(&block["text"], SECTION_CHARACTERS_MAX),
                "section" => {
                    let fields = block["fields"].as_array().expect("fields");
                    assert!(fields.len() <= SECTION_FIELDS_MAX);
                    fields.iter().for_each(|field| add(field, FIELD_CHARACTERS_MAX));
                }
                "context" => {
                    let elements = block["elements"].as_array().expect("elements");
                    assert!(elements.len() <= CONTEXT_ELEMENTS_MAX);
                    elements.iter().for_each(|element| add(element, SECTION_CHARACTERS_MAX));
                }
                other => panic!("a block of type {other}"),
            }
        }
        texts
    }

    #[test]
    fn a_letter_is_a_header_a_section_fields_and_a_context() {
        let letter = Letter::new("부산도너츠", "품절입니다.").fact("SKU", "CP_50_21").paragraph("끝");
        let plain = |text: &str| json!({ "type": "plain_text", "text": text, "emoji": false });
        let body = body(&letter);
        assert_eq!(
            body["blocks"],
            json!([
                { "type": "header", "text": plain("부산도너츠") },
                { "type": "section", "text": plain("품절입니다.") },
                { "type": "section", "fields": [plain("SKU"), plain("CP_50_21")] },
                { "type": "context", "elements": [plain("끝")] },
            ])
        );
        assert_eq!(body["text"], "부산도너츠\n품절입니다.\nSKU: CP_50_21\n끝");
    }

    #[test]
    fn an_empty_text_is_no_block() {
        let body = body(&Letter::new("", "").fact("Since", "").paragraph(""));
        let fields: Vec<_> = texts(&body).into_iter().map(|(text, _)| text).collect();
        assert_eq!(fields, ["Since", "–"]);
    }

    #[test]
    fn nothing_in_a_letter_calls_anybody() {
        let evil = "<!channel> <@U1> <https://x|y> & @here @Channel (@everyone)";
        let body = body(&Letter::new(evil, evil).fact(evil, evil).paragraph(evil));
        let sent = body.to_string();
        assert!(!sent.contains(['<', '>']), "{sent}");
        for call in ["@here", "@Channel", "@everyone"] {
            assert!(!sent.contains(call), "{call} in {sent}");
        }
        assert!(body["text"].as_str().expect("text").starts_with("&lt;!channel&gt; &lt;@U1&gt;"));
        assert_eq!(without_calls("ads@here.example"), "ads@here.example");
    }

    #[test]
    fn the_longest_letter_holds_every_limit() {
        let body = body(&long());
        assert!(body["blocks"].as_array().expect("blocks").len() <= BLOCKS_MAX);
        let texts = texts(&body);
        assert!(texts.iter().map(|(text, _)| text.len()).sum::<usize>() <= BLOCKS_BYTES_MAX);
        for (text, max) in &texts {
            assert!(text.encode_utf16().count() <= *max);
        }
        assert!(body["text"].as_str().expect("text").encode_utf16().count() <= TEXT_CHARACTERS_MAX);
    }

    #[test]
    fn a_cut_never_divides_an_escape() {
        assert_eq!(escaped("a&b", 7), "a&amp;b");
        assert_eq!(escaped("a&b", 6), "a…");
        assert_eq!(escaped("a&bc", 7), "a&amp;…");
        assert_eq!(escaped("🍩🍩", 4), "🍩🍩");
        assert_eq!(escaped("🍩🍩", 3), "🍩…");
    }

    proptest! {
        #[test]
        fn any_text_holds_its_limit_and_stays_escaped(text in "[<>&a@가🍩 ]{0,60}", max in 1usize..50) {
            let written = escaped(&text, max);
            prop_assert!(written.encode_utf16().count() <= max);
            prop_assert!(!written.contains(['<', '>']));
            let loose = written.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "");
            prop_assert!(!loose.contains('&'));
        }

        #[test]
        fn any_letter_is_a_message_that_slack_takes(text: String) {
            let body = body(&Letter::new(&text, &text).fact(&text, &text).paragraph(&text));
            for (text, max) in texts(&body) {
                prop_assert!(!text.is_empty() && text.encode_utf16().count() <= max);
            }
        }
    }
}

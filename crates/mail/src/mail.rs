//! One email: who, to whom, and the letter as plain text and as HTML.

use crate::Mailbox;
use maud::{DOCTYPE, html};
use restock_domain::letter::Letter;

/// The longest id of a mail, in characters: what Resend takes as an idempotency key.
pub const ID_CHARACTERS_MAX: usize = 255;

/// One email.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// What it is known by, the same at every try: 1 to [`ID_CHARACTERS_MAX`] visible ASCII characters.
    pub id: String,
    /// Who writes.
    pub from: Mailbox,
    /// Who reads.
    pub to: Mailbox,
    /// What is said.
    pub letter: Letter,
}

impl Mail {
    /// The letter as plain text.
    #[must_use]
    pub fn text(&self) -> String {
        let letter = &self.letter;
        let mut parts = vec![letter.lead().to_owned()];
        if !letter.facts().is_empty() {
            let lines: Vec<_> =
                letter.facts().iter().map(|(name, value)| format!("{name}: {value}")).collect();
            parts.push(lines.join("\n"));
        }
        parts.extend(letter.paragraphs().iter().cloned());
        parts.join("\n\n") + "\n"
    }

    /// The letter as a whole HTML document. It names no language, because names in it can be in any, and lets each text say by its
    /// letters in which direction it runs. It loads nothing.
    #[must_use]
    pub fn html(&self) -> String {
        let letter = &self.letter;
        let document = html! {
            (DOCTYPE)
            html {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width";
                    title { (letter.subject()) }
                }
                body style="font-family: sans-serif; line-height: 1.5; max-width: 40em" {
                    h1 dir="auto" style="font-size: 1.25em" { (letter.subject()) }
                    p dir="auto" { (letter.lead()) }
                    @if !letter.facts().is_empty() {
                        table dir="auto" style="border-spacing: 0 0.25em" {
                            @for (name, value) in letter.facts() {
                                tr {
                                    th scope="row" style="text-align: start; vertical-align: top; padding-inline-end: 1em" {
                                        (name)
                                    }
                                    td { bdi { (value) } }
                                }
                            }
                        }
                    }
                    @for paragraph in letter.paragraphs() {
                        p dir="auto" { (paragraph) }
                    }
                }
            }
        };
        document.into_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn mail(letter: Letter) -> Mail {
        let mailbox = Mailbox::parse("shop@example.com").expect("a mailbox");
        Mail { id: "m-1".to_owned(), from: mailbox.clone(), to: mailbox, letter }
    }

    #[test]
    fn plain_text_says_it_all_in_order() {
        let letter = Letter::new("품절", "부산도너츠 is sold out.")
            .fact("SKU", "CP-502101")
            .fact("Since", "09:00")
            .paragraph("One.")
            .paragraph("Two.");
        let text = "부산도너츠 is sold out.\n\nSKU: CP-502101\nSince: 09:00\n\nOne.\n\nTwo.\n";
        assert_eq!(mail(letter).text(), text);
        assert_eq!(mail(Letter::new("s", "Only this.")).text(), "Only this.\n");
    }

    #[test]
    fn html_is_a_whole_document_with_every_text_in_it() {
        let letter = Letter::new("품절", "부산도너츠").fact("SKU", "CP-502101").paragraph("끝");
        let html = mail(letter).html();
        assert!(html.starts_with("<!DOCTYPE html><html><head><meta charset=\"utf-8\">"), "{html}");
        assert!(html.ends_with("</body></html>"), "{html}");
        for text in ["<title>품절</title>", ">부산도너츠</p>", ">SKU</th>", "<bdi>CP-502101</bdi>", ">끝</p>"]
        {
            assert!(html.contains(text), "{text} in {html}");
        }
    }

    #[test]
    fn nothing_in_a_letter_is_taken_for_html() {
        let evil = "</title><script>alert('1')</script>\" onload=\"x & <b>";
        let html = mail(Letter::new(evil, evil).fact(evil, evil).paragraph(evil)).html();
        assert!(!html.contains("<script") && !html.contains("<b>") && !html.contains("\" onload"), "{html}");
        assert_eq!(html.matches("&lt;script&gt;").count(), 6);
    }

    proptest! {
        #[test]
        fn any_letter_gives_the_same_tags(text: String) {
            let tags = |letter: Letter| mail(letter).html().matches('<').count();
            let plain = Letter::new("s", "l").fact("n", "v").paragraph("p");
            let odd = Letter::new(&text, &text).fact(&text, &text).paragraph(&text);
            prop_assert_eq!(tags(odd), tags(plain));
        }
    }
}

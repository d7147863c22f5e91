//! What is said to a person, whatever carries it: email and chat render the same letter.

use crate::text::one_line;

/// The longest subject, in characters.
pub const SUBJECT_CHARACTERS_MAX: usize = 200;
/// The longest first sentence, in characters.
pub const LEAD_CHARACTERS_MAX: usize = 500;
/// The most facts in one letter.
pub const FACTS_MAX: usize = 20;
/// The longest name of a fact, in characters.
pub const FACT_NAME_CHARACTERS_MAX: usize = 60;
/// The longest value of a fact, in characters.
pub const FACT_VALUE_CHARACTERS_MAX: usize = 500;
/// The most paragraphs in one letter.
pub const PARAGRAPHS_MAX: usize = 20;
/// The longest paragraph, in characters.
pub const PARAGRAPH_CHARACTERS_MAX: usize = 2_000;

/// What is said to a person: a subject, one sentence that says it all, the facts, and what else there is to say.
///
/// Any script is welcome. Each text is one line without control characters and is cut where it is longer than its limit,
/// because a letter that says less is better than one that nobody gets: a name that a customer chose must not be able to
/// hold up an alert. What is beyond [`FACTS_MAX`] or [`PARAGRAPHS_MAX`] is left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    subject: String,
    lead: String,
    facts: Vec<(String, String)>,
    paragraphs: Vec<String>,
}

impl Letter {
    /// A letter with its subject and its first sentence.
    #[must_use]
    pub fn new(subject: &str, lead: &str) -> Self {
        Self {
            subject: one_line(subject, SUBJECT_CHARACTERS_MAX),
            lead: one_line(lead, LEAD_CHARACTERS_MAX),
            facts: Vec::new(),
            paragraphs: Vec::new(),
        }
    }

    /// Adds a fact: what it is called, and what it is.
    #[must_use]
    pub fn fact(mut self, name: &str, value: &str) -> Self {
        if self.facts.len() < FACTS_MAX {
            let name = one_line(name, FACT_NAME_CHARACTERS_MAX);
            self.facts.push((name, one_line(value, FACT_VALUE_CHARACTERS_MAX)));
        }
        self
    }

    /// Adds a fact where it is known.
    #[must_use]
    pub fn fact_if_known(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.fact(name, value),
            None => self,
        }
    }

    /// Adds a paragraph.
    #[must_use]
    pub fn paragraph(mut self, text: &str) -> Self {
        if self.paragraphs.len() < PARAGRAPHS_MAX {
            self.paragraphs.push(one_line(text, PARAGRAPH_CHARACTERS_MAX));
        }
        self
    }

    /// What it is about, in a few words.
    #[must_use]
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The sentence that says it all.
    #[must_use]
    pub fn lead(&self) -> &str {
        &self.lead
    }

    /// The facts: names and values.
    #[must_use]
    pub fn facts(&self) -> &[(String, String)] {
        &self.facts
    }

    /// What else there is to say.
    #[must_use]
    pub fn paragraphs(&self) -> &[String] {
        &self.paragraphs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_letter_keeps_what_it_is_given_in_its_order() {
        let letter = Letter::new("부산도너츠 품절", "Please pause the advertisement.")
            .fact("Product", "부산도너츠 (CP-502101)")
            .fact_if_known("Refill", None)
            .fact_if_known("Since", Some("09:00"))
            .paragraph("One.")
            .paragraph("Two.");
        assert_eq!(letter.subject(), "부산도너츠 품절");
        assert_eq!(letter.lead(), "Please pause the advertisement.");
        let names: Vec<_> = letter.facts().iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Product", "Since"]);
        assert_eq!(letter.paragraphs(), ["One.", "Two."]);
    }

    #[test]
    fn no_text_of_a_letter_is_more_than_a_line() {
        let letter = Letter::new("a\r\nBcc: x", "b\n").fact("c\n", "d\u{2028}e").paragraph("f\r\n.\r\ng");
        let mut texts = vec![letter.subject(), letter.lead()];
        texts.extend(letter.facts().iter().flat_map(|(name, value)| [name.as_str(), value.as_str()]));
        texts.extend(letter.paragraphs().iter().map(String::as_str));
        for text in texts {
            assert!(!text.contains(['\r', '\n', '\u{2028}']), "{text:?}");
        }
    }

    #[test]
    fn a_letter_has_a_limit_everywhere() {
        let long = "가".repeat(PARAGRAPH_CHARACTERS_MAX + 1);
        let mut letter = Letter::new(&long, &long);
        for _ in 0..FACTS_MAX.max(PARAGRAPHS_MAX) + 1 {
            letter = letter.fact(&long, &long).paragraph(&long);
        }
        assert_eq!(letter.subject().chars().count(), SUBJECT_CHARACTERS_MAX);
        assert_eq!(letter.lead().chars().count(), LEAD_CHARACTERS_MAX);
        assert_eq!((letter.facts().len(), letter.paragraphs().len()), (FACTS_MAX, PARAGRAPHS_MAX));
        let (name, value) = &letter.facts()[0];
        assert_eq!(name.chars().count(), FACT_NAME_CHARACTERS_MAX);
        assert_eq!(value.chars().count(), FACT_VALUE_CHARACTERS_MAX);
        assert_eq!(letter.paragraphs()[0].chars().count(), PARAGRAPH_CHARACTERS_MAX);
    }
}

//! Query parameters. Unknown ones are ignored, because proxies and trackers add their own; wrong values of known ones are
//! faults.

use crate::page::{self, PageRequest};
use crate::problem::FieldFault;

/// The query of a request, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Reads `a=b&c=d`. Where a name comes twice, the last one counts.
    #[must_use]
    pub fn parse(query: Option<&str>) -> Self {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs
                .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
                .map(|(name, value)| (form_decode(name), form_decode(value)))
                .collect(),
        )
    }

    /// The value of a parameter; none where it is absent or empty.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0
            .iter()
            .rev()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// Every value of a parameter that may come several times, in their order, without the empty ones.
    pub fn all<'query>(&'query self, name: &'query str) -> impl Iterator<Item = &'query str> {
        self.0
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_str())
            .filter(|value| !value.is_empty())
    }

    /// A text that passes a check; none where the parameter is absent. `expected` says what it must be, after "must be".
    ///
    /// # Errors
    /// Another text.
    pub fn text(
        &self,
        name: &str,
        check: impl Fn(&str) -> bool,
        expected: &str,
    ) -> Result<Option<String>, Vec<FieldFault>> {
        match self.get(name) {
            Some(text) if !check(text) => {
                Err(vec![FieldFault::new(format!("?{name}"), format!("must be {expected}"))])
            }
            text => Ok(text.map(str::to_owned)),
        }
    }

    /// Whether a list is narrowed to what the parameter names. It is `true` or left out: `false` could mean all as well as
    /// only the others.
    ///
    /// # Errors
    /// Another word.
    pub fn only(&self, name: &str) -> Result<bool, Vec<FieldFault>> {
        match self.get(name) {
            None => Ok(false),
            Some("true") => Ok(true),
            Some(_) => Err(vec![FieldFault::new(format!("?{name}"), "must be true, or be left out")]),
        }
    }

    /// One of a few words; none where the parameter is absent.
    ///
    /// # Errors
    /// Another word.
    pub fn choice<T: Copy>(&self, name: &str, choices: &[(&str, T)]) -> Result<Option<T>, Vec<FieldFault>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        match choices.iter().find(|(word, _)| *word == value) {
            Some((_, choice)) => Ok(Some(*choice)),
            None => {
                let words: Vec<_> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
                let detail = format!("must be one of {}", words.join(", "));
                Err(vec![FieldFault::new(format!("?{name}"), detail)])
            }
        }
    }

    /// Which page is asked for.
    ///
    /// # Errors
    /// All faults of `limit` and `cursor`.
    pub fn page(&self) -> Result<PageRequest, Vec<FieldFault>> {
        page::request(self.get("limit"), self.get("cursor"))
    }
}

fn form_decode(text: &str) -> String {
    percent_decode(&text.replace('+', " "))
}

/// Decodes `%41` and the like. What is not an escape stays as it is, and bytes that are not UTF-8 become replacement
/// characters: neither can be part of a name that exists.
#[must_use]
pub fn percent_decode(text: &str) -> String {
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped =
            (*first == b'%').then(|| after.split_at_checked(2)).flatten().and_then(|(digits, after)| {
                let digits = std::str::from_utf8(digits).ok().filter(|digits| !digits.starts_with('+'))?;
                Some((u8::from_str_radix(digits, 16).ok()?, after))
            });
        let (byte, after) = escaped.unwrap_or((*first, after));
        decoded.push(byte);
        rest = after;
    }
    String::from_utf8(decoded).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parameters_are_decoded_and_the_last_one_counts() {
        let query = Query::parse(Some("status=a&x&status=over%64ue&name=a+b%2B"));
        assert_eq!(query.get("status"), Some("overdue"));
        assert_eq!(query.get("name"), Some("a b+"));
        assert_eq!((query.get("x"), query.get("y")), (None, None));
    }

    #[test]
    fn a_word_that_is_no_choice_is_named() {
        let faults = Query::parse(Some("status=lost")).choice("status", &[("planned", 1)]);
        assert_eq!(faults.expect_err("a fault").first().map(|fault| fault.pointer.as_str()), Some("?status"));
    }

    #[test]
    fn a_list_is_narrowed_or_it_is_not() {
        let only = |query| Query::parse(Some(query)).only("open");
        assert_eq!((only("open=true"), only("open="), only("")), (Ok(true), Ok(false), Ok(false)));
        for wrong in ["open=false", "open=1", "open=True"] {
            let faults = only(wrong).expect_err(wrong);
            assert_eq!(faults.first().map(|fault| fault.pointer.as_str()), Some("?open"));
        }
    }

    #[test]
    fn a_text_that_cannot_be_is_named() {
        let reason = |query| Query::parse(Some(query)).text("reason", |text| text.len() < 5, "short");
        assert_eq!(reason("reason=a-b"), Ok(Some("a-b".to_owned())));
        assert_eq!(reason("x=a-b"), Ok(None));
        let faults = reason("reason=too+long").expect_err("a fault");
        assert_eq!(faults, [FieldFault::new("?reason", "must be short")]);
    }

    #[test]
    fn what_is_not_an_escape_stays() {
        assert_eq!(percent_decode("100%"), "100%");
        assert_eq!(percent_decode("%+1%zz%4"), "%+1%zz%4");
        assert_eq!(percent_decode("%EB%B6%80"), "부");
    }

    proptest! {
        #[test]
        fn any_query_is_read_without_a_panic(text: String) {
            let _ = Query::parse(Some(&text)).page();
        }
    }
}

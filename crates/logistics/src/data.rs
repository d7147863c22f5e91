//! The form that the partner's lists share, `{"data":[…]}`, read record by record: each is handed on as its own text, so that one
//! that makes no sense spoils no other, and no more than one is taken apart at a time.

use serde::de::{Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// The most records of one list.
pub const RECORDS_MAX: usize = 100_000;

/// Why a list cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It has another form; in words.
    Form(String),
    /// It has more than [`RECORDS_MAX`] records.
    TooLong,
}

/// Reads a list, hands on each of its records, and returns how many there are. In front of a fault some may have been handed on.
pub(crate) fn read(text: &str, mut record: impl FnMut(&RawValue)) -> Result<usize, Fault> {
    let form = |words: &str| Fault::Form(words.to_owned());
    let document: &RawValue =
        serde_json::from_str(text).map_err(|error| form(&format!("the answer is not JSON: {error}")))?;
    if !document.get().starts_with('{') {
        return Err(form("the answer is not an object"));
    }
    let [data] = fields(document, ["data"])
        .map_err(|error| form(&format!("the answer's fields cannot be read: {error}")))?;
    let data = data.ok_or_else(|| form("the answer has no data"))?;
    if !data.get().starts_with('[') {
        return Err(form("the answer's data is not a list"));
    }
    let mut records = 0;
    let each = Each(|raw: &RawValue| {
        records += 1;
        let fits = records <= RECORDS_MAX;
        if fits {
            record(raw);
        }
        fits
    });
    match serde_json::Deserializer::from_str(data.get()).deserialize_seq(each) {
        Ok(()) => Ok(records),
        Err(_) if records > RECORDS_MAX => Err(Fault::TooLong),
        Err(error) => Err(form(&format!("the answer's data cannot be read: {error}"))),
    }
}

/// The fields of these names of an object, each as its own text; none where it is absent or null. Of one that stands there twice
/// the last counts, as with most readers of JSON.
///
/// # Errors
/// It is no object, or the name of a field cannot be read.
pub(crate) fn fields<'a, const N: usize>(
    object: &'a RawValue,
    names: [&'static str; N],
) -> serde_json::Result<[Option<&'a RawValue>; N]> {
    serde_json::Deserializer::from_str(object.get()).deserialize_map(Named(names))
}

/// Hands on each element until told that it was one too many.
struct Each<F>(F);

impl<'de, F: FnMut(&'de RawValue) -> bool> Visitor<'de> for Each<F> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<(), A::Error> {
        while let Some(element) = list.next_element()? {
            if !(self.0)(element) {
                return Err(A::Error::custom("too many"));
            }
        }
        Ok(())
    }
}

/// Finds the fields of these names.
struct Named<const N: usize>([&'static str; N]);

impl<'de, const N: usize> Visitor<'de> for Named<N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(key) = map.next_key::<String>()? {
            let place = self.0.iter().zip(&mut found).find(|(name, _)| **name == key);
            match place {
                Some((_, place)) => *place = map.next_value()?,
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn records(text: &str) -> Result<Vec<String>, Fault> {
        let mut records = Vec::new();
        let count = read(text, |raw| records.push(raw.get().to_owned()))?;
        assert_eq!(count, records.len());
        Ok(records)
    }

    #[test]
    fn records_are_handed_on_as_they_were_written() {
        let text = r#" { "more" : [1], "data" : [ {"a": 1} ,[2],"x" , null] } "#;
        assert_eq!(records(text).expect("a list"), [r#"{"a": 1}"#, "[2]", "\"x\"", "null"]);
        assert_eq!(records(r#"{"data":[]}"#), Ok(vec![]));
    }

    #[test]
    fn what_is_no_list_is_told_apart() {
        let words = |text: &str| match records(text) {
            Err(Fault::Form(words)) => words,
            other => panic!("{text}: {other:?}"),
        };
        for text in ["", "<html>", r#"{"data":[1,]}"#, r#"{"data":[{]}"#, r#"{"data":[]} x"#, "{"] {
            assert!(words(text).starts_with("the answer is not JSON: "), "{text}");
        }
        for text in ["[]", "null", r#"[{"data":[]}]"#, "\"data\""] {
            assert_eq!(words(text), "the answer is not an object", "{text}");
        }
        for text in ["{}", r#"{"data":null}"#, r#"{"Data":[]}"#, r#"{"x":{"data":[]}}"#] {
            assert_eq!(words(text), "the answer has no data", "{text}");
        }
        for text in [r#"{"data":{}}"#, r#"{"data":"[]"}"#, r#"{"data":0}"#] {
            assert_eq!(words(text), "the answer's data is not a list", "{text}");
        }
    }

    #[test]
    fn nothing_is_too_deep_to_be_passed_over() {
        let deep = format!(r#"{{"x":{0}{1},"data":[{0}{1},2]}}"#, "[".repeat(10_000), "]".repeat(10_000));
        assert_eq!(records(&deep).expect("a list").len(), 2);
    }

    #[test]
    fn a_list_of_more_records_than_the_limit_is_too_long_and_one_of_as_many_is_not() {
        let list = |records: usize| format!(r#"{{"data":[{}0]}}"#, "0,".repeat(records - 1));
        assert_eq!(read(&list(RECORDS_MAX), |_| ()), Ok(RECORDS_MAX));
        let mut handed_on = 0;
        assert_eq!(read(&list(RECORDS_MAX + 1), |_| handed_on += 1), Err(Fault::TooLong));
        assert_eq!(handed_on, RECORDS_MAX);
    }

    #[test]
    fn of_a_field_that_stands_there_twice_the_last_counts() {
        assert_eq!(records(r#"{"data":[1],"data":[2]}"#), Ok(vec!["2".to_owned()]));
        assert_eq!(records(r#"{"\u0064ata":[1]}"#), Ok(vec!["1".to_owned()]), "an escaped name");
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text: String, inside in r#"[\[\]{}",:0-9a-z\\ ]{0,40}"#) {
            let _ = read(&text, |_| ());
            let _ = read(&format!(r#"{{"data":[{inside}]}}"#), |raw| drop(fields(raw, ["a", "b"])));
        }
    }
}

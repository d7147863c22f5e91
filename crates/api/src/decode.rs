//! Reads JSON documents and collects every fault they have.

use crate::problem::FieldFault;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// The largest integer that every JSON reader holds exactly (2^53 - 1).
pub const INTEGER_MAX: i64 = 9_007_199_254_740_991;
/// More faults of one document are not named.
pub const FAULTS_MAX: usize = 100;

/// Why a document cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invalid {
    /// It is not JSON.
    Malformed(String),
    /// It is JSON with faults.
    Faulty(Vec<FieldFault>),
}

/// Reads a document that must be an object. `read` takes every field it knows; what it leaves is unknown and a fault.
///
/// # Errors
/// Not JSON, or all faults that were found.
pub fn object<T>(body: &[u8], read: impl FnOnce(&mut Fields) -> Option<T>) -> Result<T, Invalid> {
    let document = json(body)?;
    let Value::Object(map) = document else {
        return Err(Invalid::Faulty(vec![FieldFault::new("", "the body must be a JSON object")]));
    };
    let mut fields = Fields { map, pointer: String::new(), faults: Vec::new() };
    let value = read(&mut fields);
    let faults = fields.finish();
    match value {
        Some(value) if faults.is_empty() => Ok(value),
        _ => Err(Invalid::Faulty(faults)),
    }
}

/// Reads an object like [`object`], but ignores fields it does not know: for clients that were written for another interface.
///
/// # Errors
/// Not JSON, or all faults that were found.
pub fn lenient<T>(body: &[u8], read: impl FnOnce(&mut Fields) -> Option<T>) -> Result<T, Invalid> {
    object(body, |fields| {
        let value = read(fields);
        fields.ignore_others();
        value
    })
}

fn json(body: &[u8]) -> Result<Value, Invalid> {
    serde_json::from_slice(body).map_err(|error| {
        Invalid::Malformed(if body.is_empty() {
            "the body is empty; a JSON object is needed".to_owned()
        } else {
            format!("the body is not JSON: {error}")
        })
    })
}

/// The fields of an object that is being read.
///
/// Every method takes a field and returns its value; none where it is absent or at fault, and a fault is noted. So a
/// reader asks for all fields first and gives up only then.
pub struct Fields {
    map: Map<String, Value>,
    pointer: String,
    faults: Vec<FieldFault>,
}

impl Fields {
    /// Notes a fault of a field.
    pub fn fault(&mut self, name: &str, detail: impl Into<String>) {
        let pointer = join(&self.pointer, name);
        self.note(FieldFault { pointer, detail: detail.into() });
    }

    /// Notes a fault of the object as a whole.
    pub fn whole(&mut self, detail: impl Into<String>) {
        let pointer = self.pointer.clone();
        self.note(FieldFault { pointer, detail: detail.into() });
    }

    fn note(&mut self, fault: FieldFault) {
        if self.faults.len() < FAULTS_MAX {
            self.faults.push(fault);
        }
    }

    /// Whether the field is there. An optional field that is `null` counts as absent.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.map.get(name).is_some_and(|value| !value.is_null())
    }

    /// Ignores the fields that were not taken yet.
    pub fn ignore_others(&mut self) {
        self.map.clear();
    }

    fn required(&mut self, name: &str) -> Option<Value> {
        let value = self.map.remove(name);
        if value.is_none() {
            self.fault(name, "is missing");
        }
        value
    }

    fn optional(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    /// A text that passes a check; `expected` says what it must be, after "must be".
    pub fn text(&mut self, name: &str, check: impl Fn(&str) -> bool, expected: &str) -> Option<String> {
        let value = self.required(name)?;
        self.checked_text(name, value, check, expected)
    }

    /// Like [`Fields::text`], for a field that may be absent.
    pub fn optional_text(
        &mut self,
        name: &str,
        check: impl Fn(&str) -> bool,
        expected: &str,
    ) -> Option<String> {
        let value = self.optional(name)?;
        self.checked_text(name, value, check, expected)
    }

    fn checked_text(
        &mut self,
        name: &str,
        value: Value,
        check: impl Fn(&str) -> bool,
        expected: &str,
    ) -> Option<String> {
        match value {
            Value::String(text) if check(&text) => Some(text),
            _ => {
                self.fault(name, format!("must be {expected}"));
                None
            }
        }
    }

    /// A value that is read by a rule of its own; `expected` says what it must be, after "must be".
    pub fn value<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&Value) -> Option<T>,
        expected: &str,
    ) -> Option<T> {
        let value = self.required(name)?;
        let read = read(&value);
        if read.is_none() {
            self.fault(name, format!("must be {expected}"));
        }
        read
    }

    /// A whole number within a range.
    pub fn integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let value = self.required(name)?;
        self.checked_integer(name, &value, &range)
    }

    /// Like [`Fields::integer`], for a field that may be absent.
    pub fn optional_integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let value = self.optional(name)?;
        self.checked_integer(name, &value, &range)
    }

    /// Like [`Fields::optional_integer`], but a text of digits will do.
    pub fn optional_lenient_integer(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let value = match self.optional(name)? {
            Value::String(text) => text.trim().parse::<i64>().map_or(Value::Null, Value::from),
            other => other,
        };
        self.checked_integer(name, &value, &range)
    }

    fn checked_integer(&mut self, name: &str, value: &Value, range: &RangeInclusive<i64>) -> Option<i64> {
        let number = value.as_i64().filter(|number| range.contains(number));
        if number.is_none() {
            self.fault(name, format!("must be a whole number from {} to {}", range.start(), range.end()));
        }
        number
    }

    /// `true` or `false`.
    pub fn boolean(&mut self, name: &str) -> Option<bool> {
        let value = self.required(name)?;
        self.checked_boolean(name, &value)
    }

    /// Like [`Fields::boolean`], for a field that may be absent.
    pub fn optional_boolean(&mut self, name: &str) -> Option<bool> {
        let value = self.optional(name)?;
        self.checked_boolean(name, &value)
    }

    fn checked_boolean(&mut self, name: &str, value: &Value) -> Option<bool> {
        if !value.is_boolean() {
            self.fault(name, "must be true or false");
        }
        value.as_bool()
    }

    /// One of a few words, for a field that may be absent.
    pub fn optional_choice<T: Copy>(&mut self, name: &str, choices: &[(&str, T)]) -> Option<T> {
        let value = self.optional(name)?;
        let chosen = choices.iter().find(|(word, _)| value.as_str() == Some(word)).map(|(_, choice)| *choice);
        if chosen.is_none() {
            let words: Vec<_> = choices.iter().map(|(word, _)| format!("`{word}`")).collect();
            self.fault(name, format!("must be {}", words.join(" or ")));
        }
        chosen
    }

    /// An object.
    pub fn object<T>(&mut self, name: &str, read: impl FnOnce(&mut Fields) -> Option<T>) -> Option<T> {
        let value = self.required(name)?;
        self.nested(name, value, read)
    }

    /// Like [`Fields::object`], for a field that may be absent.
    pub fn optional_object<T>(
        &mut self,
        name: &str,
        read: impl FnOnce(&mut Fields) -> Option<T>,
    ) -> Option<T> {
        let value = self.optional(name)?;
        self.nested(name, value, read)
    }

    fn nested<T>(
        &mut self,
        name: &str,
        value: Value,
        read: impl FnOnce(&mut Fields) -> Option<T>,
    ) -> Option<T> {
        let Value::Object(map) = value else {
            self.fault(name, "must be an object");
            return None;
        };
        let mut fields = Fields { map, pointer: join(&self.pointer, name), faults: Vec::new() };
        let value = read(&mut fields);
        for fault in fields.finish() {
            self.note(fault);
        }
        value
    }

    /// A list of objects, as long as the range says.
    pub fn objects<T>(
        &mut self,
        name: &str,
        lengths: RangeInclusive<usize>,
        mut read: impl FnMut(&mut Fields) -> Option<T>,
    ) -> Option<Vec<T>> {
        let value = self.required(name)?;
        let elements = self.elements(name, value, &lengths)?;
        let mut list = Fields { map: Map::new(), pointer: join(&self.pointer, name), faults: Vec::new() };
        let read: Vec<_> = elements
            .into_iter()
            .enumerate()
            .map(|(index, element)| list.nested(&index.to_string(), element, &mut read))
            .collect();
        for fault in list.faults {
            self.note(fault);
        }
        read.into_iter().collect()
    }

    /// A list of texts that pass a check, for a field that may be absent.
    pub fn optional_texts(
        &mut self,
        name: &str,
        lengths: RangeInclusive<usize>,
        check: impl Fn(&str) -> bool,
        expected: &str,
    ) -> Option<Vec<String>> {
        let value = self.optional(name)?;
        let elements = self.elements(name, value, &lengths)?;
        let mut list = Fields { map: Map::new(), pointer: join(&self.pointer, name), faults: Vec::new() };
        let texts: Vec<_> = elements
            .into_iter()
            .enumerate()
            .map(|(index, element)| list.checked_text(&index.to_string(), element, &check, expected))
            .collect();
        for fault in list.faults {
            self.note(fault);
        }
        texts.into_iter().collect()
    }

    fn elements(&mut self, name: &str, value: Value, lengths: &RangeInclusive<usize>) -> Option<Vec<Value>> {
        match value {
            Value::Array(elements) if lengths.contains(&elements.len()) => Some(elements),
            _ => {
                self.fault(name, format!("must be a list of {} to {}", lengths.start(), lengths.end()));
                None
            }
        }
    }

    fn finish(mut self) -> Vec<FieldFault> {
        let unknown: Vec<_> = self.map.keys().cloned().collect();
        for name in unknown {
            self.fault(&name, "is not a field of this document");
        }
        self.faults
    }
}

/// Appends a name to a JSON pointer (RFC 6901).
fn join(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(body: &str) -> Result<(String, i64), Invalid> {
        object(body.as_bytes(), |fields| {
            let name = fields.text("name", |text| !text.is_empty(), "a name");
            let count = fields.integer("count", 1..=9);
            Some((name?, count?))
        })
    }

    fn pointers(result: Result<(String, i64), Invalid>) -> Vec<String> {
        match result.expect_err("faults") {
            Invalid::Faulty(faults) => faults.into_iter().map(|fault| fault.pointer).collect(),
            Invalid::Malformed(words) => panic!("not JSON: {words}"),
        }
    }

    #[test]
    fn a_document_without_faults_is_read() {
        assert_eq!(read(r#"{"name":"a","count":3}"#), Ok(("a".to_owned(), 3)));
    }

    #[test]
    fn every_fault_is_named_at_once() {
        assert_eq!(pointers(read(r#"{"count":0,"a/b~c":1}"#)), ["/name", "/count", "/a~1b~0c"]);
        assert_eq!(pointers(read(r#"{"name":null,"count":"3"}"#)), ["/name", "/count"]);
        assert_eq!(pointers(read("[]")), [""]);
    }

    #[test]
    fn a_number_must_be_whole() {
        assert_eq!(pointers(read(r#"{"name":"a","count":3.0}"#)), ["/count"]);
        assert_eq!(pointers(read(r#"{"name":"a","count":3e0}"#)), ["/count"]);
        assert_eq!(pointers(read(r#"{"name":"a","count":18446744073709551615}"#)), ["/count"]);
    }

    #[test]
    fn what_is_not_json_is_malformed() {
        let deep = "[".repeat(10_000);
        for body in ["", "{", r#"{"name":"a","count":3} x"#, r#"{"name":"a""#, "nul", &deep] {
            assert!(matches!(read(body), Err(Invalid::Malformed(_))), "{body:.20}");
        }
        assert!(matches!(object(b"\"\xff\"", |_| Some(())), Err(Invalid::Malformed(_))));
    }

    #[test]
    fn so_many_faults_are_named_and_no_more() {
        let fields: Vec<_> = (0..500).map(|number| format!("\"f{number}\":1")).collect();
        assert_eq!(pointers(read(&format!("{{{}}}", fields.join(",")))).len(), FAULTS_MAX);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(body: Vec<u8>) {
            let _ = object(&body, |fields| fields.integer("a", 0..=1));
        }
    }
}

//! Between rows and domain values: columns are taken in the order in which the statement names them.

use std::fmt::Display;
use std::io::{self, Write};
use std::vec::IntoIter;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Serializer;
use serde_json::ser::{CharEscape, CompactFormatter, Formatter};

use crate::database::Value;
use crate::restock::types::{Fault, Page};

/// Items on one page at most.
const PAGE_ITEMS_MAX: u32 = 200;

/// Sorts after every UUID: the cursor of a first page that runs backwards by id.
pub(crate) const AFTER_ALL_IDS: &str = "~";

/// Sorts after every text that begins with a character of Unicode: the end of a range of names.
pub(crate) const AFTER_ALL_TEXTS: &str = "\u{10FFFF}";

/// A row that is being read, column after column.
#[derive(Debug)]
pub struct Row {
    values: IntoIter<Value>,
    column: usize,
}

impl Row {
    /// A row of these values.
    pub fn new(values: Vec<Value>) -> Self {
        Self { values: values.into_iter(), column: 0 }
    }

    fn next(&mut self) -> Result<Value, Fault> {
        self.column += 1;
        self.values.next().ok_or_else(|| corrupt(format!("a row ends before column {}", self.column)))
    }

    fn mismatch(&self, expected: &str) -> Fault {
        corrupt(format!("column {} is not {expected}", self.column))
    }

    /// Whether the next column is null. An outer join that found nothing begins so.
    #[must_use]
    pub fn is_absent(&self) -> bool {
        self.values.as_slice().first().is_none_or(|value| *value == Value::Null)
    }

    /// The next column, a text.
    pub fn text(&mut self) -> Result<String, Fault> {
        self.optional_text()?.ok_or_else(|| self.mismatch("a text"))
    }

    /// The next column, a text or null.
    pub fn optional_text(&mut self) -> Result<Option<String>, Fault> {
        match self.next()? {
            Value::Text(text) => Ok(Some(text)),
            Value::Null => Ok(None),
            _ => Err(self.mismatch("a text")),
        }
    }

    /// The next column, an integer that fits what is asked for.
    pub fn integer<T: TryFrom<i64>>(&mut self) -> Result<T, Fault> {
        self.optional_integer()?.ok_or_else(|| self.mismatch("an integer"))
    }

    /// The next column, an integer that fits what is asked for, or null.
    pub fn optional_integer<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, Fault> {
        match self.next()? {
            Value::Integer(integer) => {
                T::try_from(integer).map(Some).map_err(|_| self.mismatch("in the range of its kind"))
            }
            Value::Null => Ok(None),
            _ => Err(self.mismatch("an integer")),
        }
    }

    /// The next column, true where it is not zero.
    pub fn flag(&mut self) -> Result<bool, Fault> {
        Ok(self.integer::<i64>()? != 0)
    }

    /// The next column, true where it is not zero, or null.
    pub fn optional_flag(&mut self) -> Result<Option<bool>, Fault> {
        Ok(self.optional_integer::<i64>()?.map(|integer| integer != 0))
    }

    /// The next column, JSON of a known shape.
    pub fn json<T: DeserializeOwned>(&mut self) -> Result<T, Fault> {
        let text = self.text()?;
        serde_json::from_str(&text).map_err(|error| corrupt(format!("column {}: {error}", self.column)))
    }

    /// The next column, JSON of a known shape or null.
    pub fn optional_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Fault> {
        let text = self.optional_text()?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| corrupt(format!("column {}: {error}", self.column)))
    }

    /// The next column, a word that `parse` knows.
    pub fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        let word = self.text()?;
        parse(&word).ok_or_else(|| corrupt(format!("column {} holds the unknown word {word:?}", self.column)))
    }
}

/// A database that says what it cannot say.
pub fn corrupt(what: impl Display) -> Fault {
    Fault::Corrupt(what.to_string())
}

/// The first row of a statement that always has one.
pub fn only(rows: Vec<Row>) -> Result<Row, Fault> {
    rows.into_iter().next().ok_or_else(|| corrupt("a statement that always answers had no row"))
}

/// The rows of a list. One that begins with null says that the list is there and has nothing, or nothing more, on it.
pub fn listed(rows: Vec<Row>) -> impl Iterator<Item = Row> {
    rows.into_iter().filter(|row| !row.is_absent())
}

/// A moment or a span as a parameter. The type ends before the database's integers do only in theory.
pub fn millis(time: u64) -> Value {
    Value::Integer(i64::try_from(time).unwrap_or(i64::MAX))
}

/// A list as a JSON parameter. U+0000 becomes U+FFFD, as in other texts.
pub(crate) fn json_parameter(value: &impl Serialize) -> Result<Value, Fault> {
    let mut json = Vec::new();
    value
        .serialize(&mut Serializer::with_formatter(&mut json, WithoutNul))
        .map_err(|error| corrupt(format!("cannot be written as JSON: {error}")))?;
    String::from_utf8(json).map(Value::Text).map_err(corrupt)
}

/// Writes JSON that Postgres can keep: it knows no `\u0000`.
struct WithoutNul;

impl Formatter for WithoutNul {
    fn write_char_escape<W>(&mut self, writer: &mut W, escape: CharEscape) -> io::Result<()>
    where
        W: ?Sized + Write,
    {
        match escape {
            CharEscape::AsciiControl(0) => writer.write_all("\u{FFFD}".as_bytes()),
            escape => CompactFormatter.write_char_escape(writer, escape),
        }
    }
}

/// The size of a page as a parameter.
pub(crate) fn limit(page: &Page) -> Value {
    items(page.limit).into()
}

/// How many items are read where so many are asked for.
pub(crate) fn items(limit: u32) -> u32 {
    limit.clamp(1, PAGE_ITEMS_MAX)
}

/// The cursor of a page that runs backwards by number, as a parameter. The edge refuses cursors that are not numbers; one
/// that comes here nevertheless asks for the first page.
pub(crate) fn before(page: &Page) -> Value {
    Value::Integer(page.after.as_ref().and_then(|cursor| cursor.parse().ok()).unwrap_or(i64::MAX))
}

/// The cursor of a page that runs forwards by name, as a parameter.
pub(crate) fn after(page: &Page) -> Value {
    page.after.clone().unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::{Row, json_parameter, listed};
    use crate::database::Value;

    #[test]
    fn no_parameter_holds_what_postgres_cannot_keep() {
        assert_eq!(Value::from("a\0b"), Value::Text("a\u{FFFD}b".into()));
        let json = json_parameter(&["a\0b", "\\u0000\n"]).expect("it is JSON");
        assert_eq!(json, Value::Text("[\"a\u{FFFD}b\",\"\\\\u0000\\n\"]".into()));
    }

    #[test]
    fn a_row_that_begins_with_null_is_no_item_of_a_list() {
        let end = || Row::new(vec![Value::Null, Value::Text("[]".into())]);
        let item = Row::new(vec![Value::Integer(0), Value::Null]);
        assert_eq!(listed(vec![end()]).count(), 0);
        assert_eq!(listed(vec![item, end()]).count(), 1);
    }

    #[test]
    fn a_row_that_is_not_what_it_should_be_is_a_fault_and_says_where() {
        let mut row = Row::new(vec![Value::Integer(1), Value::Text("x".into()), Value::Integer(-1)]);
        assert!(row.flag().expect("a flag"));
        assert!(row.integer::<i64>().is_err());
        assert!(format!("{:?}", row.integer::<u64>()).contains("column 3 is not in the range"));
        assert!(format!("{:?}", row.text()).contains("ends before column 4"));
    }
}

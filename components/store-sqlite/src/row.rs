//! Between rows and domain values: columns are taken in the order in which the statement names them.

use std::fmt::Display;
use std::vec::IntoIter;

use serde::de::DeserializeOwned;
use spin_sdk::sqlite::Value;

use crate::restock::types::{Fault, Page};

/// Items on one page at most.
const PAGE_ITEMS_MAX: u32 = 200;

/// Sorts after every UUID: the cursor of a first page that runs backwards by id.
pub(crate) const AFTER_ALL_IDS: &str = "~";

/// A row that is being read, column after column.
pub(crate) struct Row {
    values: IntoIter<Value>,
    column: usize,
}

impl Row {
    /// A row of these values.
    pub(crate) fn new(values: Vec<Value>) -> Self {
        Self { values: values.into_iter(), column: 0 }
    }

    fn next(&mut self) -> Result<Value, Fault> {
        self.column += 1;
        self.values.next().ok_or_else(|| corrupt(format!("a row ends before column {}", self.column)))
    }

    fn mismatch(&self, expected: &str) -> Fault {
        corrupt(format!("column {} is not {expected}", self.column))
    }

    /// The next column, a text.
    pub(crate) fn text(&mut self) -> Result<String, Fault> {
        self.optional_text()?.ok_or_else(|| self.mismatch("a text"))
    }

    /// The next column, a text or null.
    pub(crate) fn optional_text(&mut self) -> Result<Option<String>, Fault> {
        match self.next()? {
            Value::Text(text) => Ok(Some(text)),
            Value::Null => Ok(None),
            _ => Err(self.mismatch("a text")),
        }
    }

    /// The next column, an integer that fits what is asked for.
    pub(crate) fn integer<T: TryFrom<i64>>(&mut self) -> Result<T, Fault> {
        self.optional_integer()?.ok_or_else(|| self.mismatch("an integer"))
    }

    /// The next column, an integer that fits what is asked for, or null.
    pub(crate) fn optional_integer<T: TryFrom<i64>>(&mut self) -> Result<Option<T>, Fault> {
        match self.next()? {
            Value::Integer(integer) => {
                T::try_from(integer).map(Some).map_err(|_| self.mismatch("in the range of its kind"))
            }
            Value::Null => Ok(None),
            _ => Err(self.mismatch("an integer")),
        }
    }

    /// The next column, true where it is not zero.
    pub(crate) fn flag(&mut self) -> Result<bool, Fault> {
        Ok(self.integer::<i64>()? != 0)
    }

    /// The next column, JSON of a known shape.
    pub(crate) fn json<T: DeserializeOwned>(&mut self) -> Result<T, Fault> {
        let text = self.text()?;
        serde_json::from_str(&text).map_err(|error| corrupt(format!("column {}: {error}", self.column)))
    }

    /// The next column, JSON of a known shape or null.
    pub(crate) fn optional_json<T: DeserializeOwned>(&mut self) -> Result<Option<T>, Fault> {
        let text = self.optional_text()?;
        text.map(|text| serde_json::from_str(&text))
            .transpose()
            .map_err(|error| corrupt(format!("column {}: {error}", self.column)))
    }

    /// The next column, a word that `parse` knows.
    pub(crate) fn word<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> Result<T, Fault> {
        let word = self.text()?;
        parse(&word).ok_or_else(|| corrupt(format!("column {} holds the unknown word {word:?}", self.column)))
    }
}

/// A database that says what it cannot say.
pub(crate) fn corrupt(what: impl Display) -> Fault {
    Fault::Corrupt(what.to_string())
}

/// The first row of a statement that always has one.
pub(crate) fn only(rows: Vec<Row>) -> Result<Row, Fault> {
    rows.into_iter().next().ok_or_else(|| corrupt("a statement that always answers had no row"))
}

/// A moment or a span as a parameter. The type ends before the database's integers do only in theory.
pub(crate) fn millis(time: u64) -> Value {
    Value::Integer(i64::try_from(time).unwrap_or(i64::MAX))
}

/// A list of strings as a JSON parameter.
pub(crate) fn json_parameter(value: &impl serde::Serialize) -> Result<Value, Fault> {
    serde_json::to_string(value)
        .map(Value::Text)
        .map_err(|error| corrupt(format!("cannot be written as JSON: {error}")))
}

/// The size of a page as a parameter.
pub(crate) fn limit(page: &Page) -> Value {
    Value::Integer(i64::from(page.limit.clamp(1, PAGE_ITEMS_MAX)))
}

/// The cursor of a page that runs backwards by number, as a parameter. The edge refuses cursors that are not numbers; one
/// that comes here nevertheless asks for the first page.
pub(crate) fn before(page: &Page) -> Value {
    Value::Integer(page.after.as_ref().and_then(|cursor| cursor.parse().ok()).unwrap_or(i64::MAX))
}

/// The cursor of a page that runs forwards by name, as a parameter.
pub(crate) fn after(page: &Page) -> Value {
    Value::Text(page.after.clone().unwrap_or_default())
}

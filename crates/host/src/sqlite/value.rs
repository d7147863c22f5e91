//! Values and rows between the guest's types and SQLite's.

use rusqlite::ToSql;
use rusqlite::types::{ToSqlOutput, ValueRef};

use crate::bindings::imports::spin::sqlite::sqlite::{RowResult, Value};

/// The most bytes one result may hold: it is handed over in memory, as one piece.
pub(super) const RESULT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A guest's parameter, bound without copying it.
pub(super) struct Bound<'a>(pub(super) &'a Value);

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Real(number) => ValueRef::Real(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Blob(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

/// Why a row could not be handed over.
pub(super) enum RowFault {
    /// SQLite said so.
    Sqlite(rusqlite::Error),
    /// The result is larger than [`RESULT_BYTES_MAX`].
    TooLarge,
}

/// Copies the current row out, counting its bytes into `bytes`.
pub(super) fn take_row(
    row: &rusqlite::Row<'_>,
    columns: usize,
    bytes: &mut usize,
) -> Result<RowResult, RowFault> {
    let mut values = Vec::with_capacity(columns);
    for column in 0..columns {
        let value = match row.get_ref(column).map_err(RowFault::Sqlite)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Real(number) => Value::Real(number),
            ValueRef::Text(text) => Value::Text(
                std::str::from_utf8(text)
                    .map_err(|error| RowFault::Sqlite(rusqlite::Error::Utf8Error(column, error)))?
                    .to_owned(),
            ),
            ValueRef::Blob(blob) => Value::Blob(blob.to_owned()),
        };
        *bytes += std::mem::size_of::<Value>()
            + match &value {
                Value::Text(text) => text.len(),
                Value::Blob(blob) => blob.len(),
                _ => 0,
            };
        if *bytes > RESULT_BYTES_MAX {
            return Err(RowFault::TooLarge);
        }
        values.push(value);
    }
    Ok(RowResult { values })
}

//! The errors of the interface.

use std::error::Error as _;

use tokio_postgres::error::{DbError, SqlState};

use crate::bindings::imports::spin::postgres::postgres::{DbError as GuestDbError, Error, QueryError};

/// A statement that failed: with what the server said of it, or with text where the server said nothing.
pub(super) fn failed(error: &tokio_postgres::Error) -> Error {
    Error::QueryFailed(match error.as_db_error() {
        None => QueryError::Text(text(error)),
        Some(said) => QueryError::DbError(GuestDbError {
            as_text: text(error),
            severity: said.severity().to_owned(),
            code: said.code().code().to_owned(),
            message: said.message().to_owned(),
            detail: said.detail().map(str::to_owned),
            extras: extras(said),
        }),
    })
}

/// An error with its causes. tokio-postgres puts no address and no password into it.
pub(super) fn text(error: &tokio_postgres::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Some errors repeat their cause.
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}

/// Whether a server that says this should not be asked again over this connection: it goes away, or is no longer the one that
/// takes writes.
pub(super) fn unusable(error: &tokio_postgres::Error) -> bool {
    error.is_closed()
        || error.code().is_some_and(|code| {
            *code == SqlState::READ_ONLY_SQL_TRANSACTION
                || ["08", "57P", "58", "XX"].iter().any(|class| code.code().starts_with(class))
        })
}

/// Whether the server has no room for another connection.
pub(super) fn is_full(error: &tokio_postgres::Error) -> bool {
    error.code() == Some(&SqlState::TOO_MANY_CONNECTIONS)
}

fn extras(said: &DbError) -> Vec<(String, String)> {
    let line = said.line().map(|line| line.to_string());
    let extras = [
        ("column", said.column()),
        ("constraint", said.constraint()),
        ("routine", said.routine()),
        ("hint", said.hint()),
        ("table", said.table()),
        ("datatype", said.datatype()),
        ("schema", said.schema()),
        ("file", said.file()),
        ("line", line.as_deref()),
        ("where_", said.where_()),
    ];
    extras.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
}

//! What can go wrong with a statement, and what that means for its caller.

use restock_store::restock::types::Fault;
use spin_sdk::pg::{Error, PgError, QueryError};

use super::Address;

/// Why a statement has no answer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) kind: Kind,
    /// The SQLSTATE, where the server gave one.
    code: String,
    /// What happened, without addresses and parameters.
    words: String,
}

/// What a failure means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Another statement was faster; this one was undone and may be run again at once.
    Conflict,
    /// The connection was lost, or there was none. Whether the statement took effect is not known.
    Lost,
    /// The schema is not the one that this program knows, or not there.
    Schema,
    /// The server cannot do it now.
    Unavailable,
    /// The server cannot do it at all.
    Corrupt,
}

impl Failure {
    /// What the host said of a statement that went to this address.
    pub(super) fn of(error: Error, address: &Address) -> Self {
        let mut code = String::new();
        let (kind, words) = match error {
            Error::PgError(PgError::ConnectionFailed(text)) => {
                (Kind::Lost, format!("cannot be reached: {}", address.hidden_in(&text)))
            }
            // Without a code it is not the server that speaks: the connection broke while it was asked.
            Error::PgError(PgError::QueryFailed(QueryError::Text(_))) => {
                (Kind::Lost, "was lost while it was asked".to_owned())
            }
            Error::PgError(PgError::QueryFailed(QueryError::DbError(error))) => {
                let kind = meaning(&error.code);
                code.clone_from(&error.code);
                let words = if speaks_of_parameters(&error.code) {
                    let constraint = error.extras.iter().find(|(name, _)| name == "constraint");
                    let constraint =
                        constraint.map_or(String::new(), |(_, name)| format!(", constraint {name}"));
                    format!("refused a statement (SQLSTATE {}{constraint})", error.code)
                } else {
                    format!("answered: {} (SQLSTATE {})", address.hidden_in(&error.message), error.code)
                };
                (kind, words)
            }
            Error::PgError(PgError::BadParameter(_)) => {
                (Kind::Corrupt, "was given a parameter of a wrong type".to_owned())
            }
            Error::PgError(PgError::ValueConversionFailed(_)) | Error::Decode(_) => {
                (Kind::Corrupt, "answered with a value that the host cannot read".to_owned())
            }
            Error::PgError(PgError::Other(text)) => {
                (Kind::Unavailable, format!("cannot be asked: {}", address.hidden_in(&text)))
            }
        };
        Self { kind, code, words }
    }

    /// An answer that no statement of ours has.
    pub(crate) fn corrupt(words: &str) -> Self {
        let words = format!("answered what cannot be: {words}");
        Self { kind: Kind::Corrupt, code: String::new(), words }
    }

    /// The same, in the file of a migration.
    pub(crate) fn in_file(self, name: &str) -> Self {
        Self { words: format!("{} while {name} was applied", self.words), ..self }
    }

    /// What the caller is told; `variable` has the address of the database.
    pub(crate) fn into_fault(self, variable: &str) -> Fault {
        let words = format!("the database of {variable} {}", self.words);
        match self.kind {
            Kind::Conflict | Kind::Lost | Kind::Schema | Kind::Unavailable => Fault::Unavailable(words),
            Kind::Corrupt => Fault::Corrupt(words),
        }
    }

    /// Whether a table is not there.
    pub(crate) fn is_undefined_table(&self) -> bool {
        self.code == "42P01"
    }
}

/// What a SQLSTATE means. Its first two characters are its class.
fn meaning(code: &str) -> Kind {
    match (code.get(..2).unwrap_or_default(), code) {
        // Could not serialize; deadlock.
        (_, "40001" | "40P01") => Kind::Conflict,
        // The connection; the server was stopped, crashed, or starts up.
        ("08", _) | (_, "57P01" | "57P02" | "57P03" | "57P05") => Kind::Lost,
        // Undefined tables, columns and functions; no such database or schema.
        ("42" | "3D" | "3F", _) => Kind::Schema,
        // What was to be written cannot be.
        ("21" | "22" | "23" | "2F", _) => Kind::Corrupt,
        // Not now: a standby, timeouts, no room, no memory, and whatever else a server may say.
        _ => Kind::Unavailable,
    }
}

/// Whether the text of an error with this SQLSTATE repeats values: of parameters, of rows, of what a function raises.
fn speaks_of_parameters(code: &str) -> bool {
    matches!(code.get(..2).unwrap_or_default(), "21" | "22" | "23" | "2F" | "P0")
}

#[cfg(test)]
mod tests {
    use restock_store::restock::types::Fault;
    use spin_sdk::pg::{DbError, Error, PgError, QueryError};

    use super::{Failure, Kind};
    use crate::connection::Address;

    fn failure(error: PgError) -> Failure {
        let address = Address::new("postgres://shop:s3cret@h/d").expect("an address");
        Failure::of(Error::PgError(error), &address)
    }

    fn db_error(code: &str, message: &str) -> Failure {
        failure(PgError::QueryFailed(QueryError::DbError(DbError {
            as_text: format!("everything of {message}"),
            severity: "ERROR".into(),
            code: code.into(),
            message: message.into(),
            detail: Some(format!("details of {message}")),
            extras: vec![("constraint".into(), "stock_never_negative".into())],
        })))
    }

    #[test]
    fn a_failure_is_what_its_code_says() {
        for (code, kind) in [
            ("40001", Kind::Conflict),
            ("40P01", Kind::Conflict),
            ("08006", Kind::Lost),
            ("57P01", Kind::Lost),
            ("42P01", Kind::Schema),
            ("42883", Kind::Schema),
            ("3D000", Kind::Schema),
            ("22021", Kind::Corrupt),
            ("23514", Kind::Corrupt),
            ("25006", Kind::Unavailable),
            ("53300", Kind::Unavailable),
            ("55P03", Kind::Unavailable),
            ("57014", Kind::Unavailable),
            ("", Kind::Unavailable),
        ] {
            assert_eq!(db_error(code, "a message").kind, kind, "{code}");
        }
    }

    #[test]
    fn a_connection_that_is_lost_is_told_from_a_server_that_refuses() {
        assert_eq!(failure(PgError::ConnectionFailed("refused".into())).kind, Kind::Lost);
        assert_eq!(failure(PgError::QueryFailed(QueryError::Text("closed".into()))).kind, Kind::Lost);
        assert_eq!(failure(PgError::BadParameter("it".into())).kind, Kind::Corrupt);
    }

    #[test]
    fn a_fault_says_what_happened_and_gives_no_secret_and_no_parameter_away() {
        let Fault::Unavailable(text) =
            failure(PgError::ConnectionFailed("s3cret at h refused".into())).into_fault("postgres_url")
        else {
            panic!("it is unavailable");
        };
        assert_eq!(text, "the database of postgres_url cannot be reached: … at h refused");
        let Fault::Corrupt(text) =
            db_error("23514", "someone@example.com violates it").into_fault("postgres_url")
        else {
            panic!("it is corrupt");
        };
        assert_eq!(
            text,
            "the database of postgres_url refused a statement (SQLSTATE 23514, constraint stock_never_negative)"
        );
        let Fault::Unavailable(text) = db_error("53300", "too many clients").into_fault("customers_url")
        else {
            panic!("it is unavailable");
        };
        assert_eq!(text, "the database of customers_url answered: too many clients (SQLSTATE 53300)");
    }
}

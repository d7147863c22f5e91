//! What kind of statement a text is, as far as its first words tell.
//!
//! This only picks the thread that looks at the statement first. Whether it really only reads, or leaves state on its
//! connection, is what SQLite says when it prepares it (see `connection`); the answer is then remembered per text.

/// Where a statement may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// It reads only: any reader with the same pragmas.
    Read,
    /// It changes the database and nothing else: the writer, together with others.
    Write {
        /// Whether it is an INSERT, UPDATE, DELETE or REPLACE, and so sets `changes()`.
        dml: bool,
    },
    /// It changes the database but cannot run inside a transaction: the writer, by itself.
    Alone,
    /// It leaves state on its connection, or reads such state: a connection of the guest's own.
    Stateful,
    /// A pragma; `pragma` knows more.
    Pragma,
}

/// The class that the first words of `sql` suggest.
pub(super) fn guess(sql: &str) -> Class {
    let keyword = first_word(sql).to_ascii_uppercase();
    match keyword.as_str() {
        "SELECT" | "VALUES" | "EXPLAIN" | "WITH" => Class::Read,
        "INSERT" | "UPDATE" | "DELETE" | "REPLACE" => Class::Write { dml: true },
        "BEGIN" | "COMMIT" | "END" | "ROLLBACK" | "SAVEPOINT" | "RELEASE" | "ATTACH" | "DETACH" => {
            Class::Stateful
        }
        "VACUUM" => Class::Alone,
        "PRAGMA" => Class::Pragma,
        _ => Class::Write { dml: false },
    }
}

/// The first word of `sql`, after white space, comments and empty statements.
pub(super) fn first_word(sql: &str) -> &str {
    let text = skip_blank(sql);
    let end = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// `sql` without the white space, comments and semicolons it begins with.
pub(super) fn skip_blank(sql: &str) -> &str {
    let mut text = sql;
    loop {
        let trimmed =
            text.trim_start_matches(|c: char| c.is_ascii_whitespace() || c == ';' || c == '\u{feff}');
        let next = if let Some(comment) = trimmed.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if let Some(comment) = trimmed.strip_prefix("/*") {
            comment.split_once("*/").map_or("", |(_, after)| after)
        } else {
            return trimmed;
        };
        text = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_is_found_behind_blanks_and_comments() {
        assert_eq!(first_word("  -- a note; SELECT\n /* more */ ;\n update t set a = 1"), "update");
        assert_eq!(first_word(""), "");
        assert_eq!(first_word("/* open"), "");
    }

    #[test]
    fn statements_are_sorted_by_their_first_word() {
        assert_eq!(guess("select 1"), Class::Read);
        assert_eq!(guess("Insert into t values (1)"), Class::Write { dml: true });
        assert_eq!(guess("create table t (a)"), Class::Write { dml: false });
        assert_eq!(guess("begin immediate"), Class::Stateful);
        assert_eq!(guess("vacuum"), Class::Alone);
        assert_eq!(guess("pragma foreign_keys"), Class::Pragma);
    }
}

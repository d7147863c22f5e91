//! The rows behind an application, read and changed around it: what a crash, a bug or a restored backup would leave there.
//!
//! The statements are written so that SQLite and Postgres understand them alike.

use std::path::PathBuf;

/// One database of a shop.
pub(crate) enum Rows {
    /// A file of SQLite.
    Sqlite(PathBuf),
    /// The address of a database of Postgres.
    Postgres(String),
}

impl Rows {
    /// All rows of a query, each column as a text; NULL is an empty one.
    pub(crate) fn table(&self, sql: &str) -> Vec<Vec<String>> {
        match self {
            Self::Sqlite(file) => {
                let database = rusqlite::Connection::open(file).expect("the database opens");
                let mut statement = database.prepare(sql).expect("the query is right");
                let columns = statement.column_count();
                let rows =
                    statement.query_map([], |row| (0..columns).map(|column| text(row, column)).collect());
                rows.expect("the query runs").collect::<Result<_, _>>().expect("every row is read")
            }
            Self::Postgres(url) => {
                restock_servers::rows(url, sql).unwrap_or_else(|error| panic!("{sql}: {error:#}"))
            }
        }
    }

    /// The only number that a query finds.
    pub(crate) fn number(&self, sql: &str) -> i64 {
        let table = self.table(sql);
        let found =
            table.first().and_then(|row| row.first()).unwrap_or_else(|| panic!("{sql} found nothing"));
        found.parse().unwrap_or_else(|_| panic!("{sql} found {found:?}"))
    }

    /// The same, where the table is there already.
    pub(crate) fn number_so_far(&self, sql: &str, table: &str) -> Option<i64> {
        let tables = match self {
            Self::Sqlite(_) => "SELECT name FROM sqlite_master",
            Self::Postgres(_) => "SELECT tablename FROM pg_tables",
        };
        self.column(tables).iter().any(|name| name == table).then(|| self.number(sql))
    }

    /// The first column of a query.
    pub(crate) fn column(&self, sql: &str) -> Vec<String> {
        self.table(sql).into_iter().filter_map(|row| row.into_iter().next()).collect()
    }

    /// Runs statements that change rows.
    pub(crate) fn change(&self, sql: &str) {
        match self {
            Self::Sqlite(file) => {
                let database = rusqlite::Connection::open(file).expect("the database opens");
                // As the store sets it: a movement can follow from a movement.
                let sql = format!("PRAGMA recursive_triggers = ON; {sql}");
                database.execute_batch(&sql).expect("the statements run");
            }
            Self::Postgres(_) => {
                self.table(sql);
            }
        }
    }
}

fn text(row: &rusqlite::Row<'_>, column: usize) -> rusqlite::Result<String> {
    use rusqlite::types::ValueRef;
    Ok(match row.get_ref(column)? {
        ValueRef::Null => String::new(),
        ValueRef::Integer(number) => number.to_string(),
        ValueRef::Text(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => panic!("a column of type {}", other.data_type()),
    })
}

//! Pragmas: which of them set up a connection, and the set of those that a guest's connection has made.
//!
//! On Spin every guest connection is a connection of its own. Here guests share real connections, so a real
//! connection is shared only by guests that made the same settings in the same order: their profile.

use super::classify;

/// The most settings one profile holds; a guest with more gets a connection of its own.
pub(super) const SETTINGS_MAX: usize = 24;

/// Pragmas that change how this connection behaves and nothing else.
const SETTINGS: [&str; 23] = [
    "analysis_limit",
    "automatic_index",
    "busy_timeout",
    "cache_size",
    "cache_spill",
    "cell_size_check",
    "checkpoint_fullfsync",
    "foreign_keys",
    "fullfsync",
    "ignore_check_constraints",
    "journal_size_limit",
    "legacy_alter_table",
    "mmap_size",
    "query_only",
    "read_uncommitted",
    "recursive_triggers",
    "reverse_unordered_selects",
    "secure_delete",
    "synchronous",
    "temp_store",
    "threads",
    "trusted_schema",
    "wal_autocheckpoint",
];

/// Pragmas that only answer, whatever their argument.
const QUERIES: [&str; 16] = [
    "collation_list",
    "compile_options",
    "data_version",
    "database_list",
    "foreign_key_check",
    "foreign_key_list",
    "freelist_count",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "page_count",
    "quick_check",
    "table_info",
    "table_list",
];

/// Pragmas that answer without an argument and with one change the file inside a transaction, as any write does.
const HEADER: [&str; 2] = ["application_id", "user_version"];

/// Pragmas whose answer needs no state of the connection when they are asked without an argument.
const READABLE: [&str; 8] = [
    "auto_vacuum",
    "encoding",
    "journal_mode",
    "locking_mode",
    "max_page_count",
    "page_size",
    "schema_version",
    "table_xinfo",
];

/// Pragmas that act on the file and cannot run inside a transaction.
const ALONE: [&str; 3] = ["incremental_vacuum", "optimize", "wal_checkpoint"];

/// What a pragma statement asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Pragma {
    /// It only answers.
    Query,
    /// It changes a setting of the connection.
    Set(Setting),
    /// It writes to the file like any other statement.
    Write,
    /// It must run outside a transaction.
    Alone,
    /// It switches the file to a write-ahead log.
    Wal,
    /// Anything else: a connection of the guest's own.
    Stateful,
}

/// One setting of a connection: `PRAGMA name = value`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Setting {
    name: String,
    value: String,
}

impl Setting {
    /// The statement that makes the setting.
    pub(super) fn sql(&self) -> String {
        format!("PRAGMA {} = {}", self.name, self.value)
    }
}

/// Reads a pragma statement. Anything unusual in its form counts as [`Pragma::Stateful`], which is always right.
pub(super) fn read(sql: &str) -> Pragma {
    parse(sql).unwrap_or(Pragma::Stateful)
}

fn parse(sql: &str) -> Option<Pragma> {
    let text = classify::skip_blank(sql);
    let text =
        text.get("PRAGMA".len()..)?.trim().trim_end_matches(|c: char| c == ';' || c.is_ascii_whitespace());
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(text.len());
    let (name, mut rest) = text.split_at_checked(end)?;
    let mut name = name.to_ascii_lowercase();
    if let Some(after) = rest.trim_start().strip_prefix('.') {
        if name != "main" {
            return None;
        }
        let after = after.trim_start();
        let end = after.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(after.len());
        let (real, tail) = after.split_at_checked(end)?;
        name = real.to_ascii_lowercase();
        rest = tail;
    }
    let name = name.as_str();
    let rest = rest.trim();
    if rest.is_empty() {
        let known =
            [&SETTINGS[..], &QUERIES[..], &HEADER[..], &READABLE[..]].iter().any(|list| list.contains(&name));
        return Some(match name {
            _ if known => Pragma::Query,
            _ if ALONE.contains(&name) => Pragma::Alone,
            _ => Pragma::Stateful,
        });
    }
    if QUERIES.contains(&name) || name == "table_xinfo" {
        return Some(Pragma::Query);
    }
    let value = match rest.strip_prefix('=') {
        Some(value) => value.trim(),
        None => rest.strip_prefix('(')?.strip_suffix(')')?.trim(),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-' || c == '+';
    if value.is_empty() || !value.chars().all(plain) {
        return None;
    }
    Some(match name {
        _ if SETTINGS.contains(&name) => {
            Pragma::Set(Setting { name: name.to_owned(), value: value.to_ascii_lowercase() })
        }
        _ if HEADER.contains(&name) => Pragma::Write,
        "journal_mode" if value.eq_ignore_ascii_case("wal") => Pragma::Wal,
        // Away from the log again: a wish for a file that one guest has to itself.
        "journal_mode" => Pragma::Stateful,
        _ if ALONE.contains(&name) => Pragma::Alone,
        _ => Pragma::Stateful,
    })
}

/// The settings a guest's connection has made, in order; the last one of a name counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Profile(Vec<Setting>);

impl Profile {
    /// This profile and one more setting.
    pub(super) fn with(&self, setting: Setting) -> Self {
        let mut settings: Vec<Setting> =
            self.0.iter().filter(|old| old.name != setting.name).cloned().collect();
        settings.push(setting);
        Self(settings)
    }

    /// The statements that bring a fresh connection to this profile.
    pub(super) fn statements(&self) -> impl Iterator<Item = String> {
        self.0.iter().map(Setting::sql)
    }

    /// How many settings it holds.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &str, value: &str) -> Pragma {
        Pragma::Set(Setting { name: name.to_owned(), value: value.to_owned() })
    }

    #[test]
    fn settings_are_told_from_questions_and_from_writes() {
        assert_eq!(read("PRAGMA foreign_keys = ON;"), set("foreign_keys", "on"));
        assert_eq!(read("pragma main.synchronous(FULL)"), set("synchronous", "full"));
        assert_eq!(read("PRAGMA foreign_keys"), Pragma::Query);
        assert_eq!(read("PRAGMA database_list"), Pragma::Query);
        assert_eq!(read("PRAGMA table_info('a b')"), Pragma::Query);
        assert_eq!(read("PRAGMA user_version = 3"), Pragma::Write);
        assert_eq!(read("PRAGMA journal_mode = WAL"), Pragma::Wal);
        assert_eq!(read("PRAGMA journal_mode"), Pragma::Query);
        assert_eq!(read("PRAGMA wal_checkpoint(TRUNCATE)"), Pragma::Alone);
    }

    #[test]
    fn what_is_not_understood_gets_a_connection_of_its_own() {
        for sql in
            ["PRAGMA page_size = 4096", "PRAGMA temp.cache_size = 1", "PRAGMA foreign_keys = 'a;b'", "PRAGMA"]
        {
            assert_eq!(read(sql), Pragma::Stateful, "{sql}");
        }
    }

    #[test]
    fn a_later_setting_replaces_the_earlier_one_of_its_name() {
        let Pragma::Set(on) = read("PRAGMA foreign_keys = 1") else { panic!() };
        let Pragma::Set(off) = read("PRAGMA foreign_keys = 0") else { panic!() };
        let profile = Profile::default().with(on).with(off);
        assert_eq!(profile.statements().collect::<Vec<_>>(), ["PRAGMA foreign_keys = 0"]);
    }
}

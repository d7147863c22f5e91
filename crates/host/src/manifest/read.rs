//! Walking a TOML document so that everything wrong with it, and everything left over, is reported at once.

use std::cell::RefCell;
use std::collections::BTreeSet;

/// What is wrong with a manifest, by place.
#[derive(Debug, Default)]
pub(super) struct Faults(RefCell<Vec<String>>);

impl Faults {
    /// Notes one fault at a place such as `component.sales.source`.
    pub(super) fn add(&self, place: &str, fault: &str) {
        self.0.borrow_mut().push(format!("{place}: {fault}"));
    }

    /// One error with all faults, if there are any.
    pub(super) fn check(self) -> anyhow::Result<()> {
        let faults = self.0.into_inner();
        if faults.is_empty() {
            return Ok(());
        }
        let list = faults.iter().map(|fault| format!("  - {fault}")).collect::<Vec<_>>().join("\n");
        let count = if faults.len() == 1 { "1 fault".to_owned() } else { format!("{} faults", faults.len()) };
        anyhow::bail!("{count}:\n{list}")
    }
}

/// A table of the document, with its place and the keys that were read.
pub(super) struct Section<'a> {
    table: &'a toml::Table,
    path: String,
    faults: &'a Faults,
    read: RefCell<BTreeSet<String>>,
}

impl<'a> Section<'a> {
    pub(super) fn new(table: &'a toml::Table, path: &str, faults: &'a Faults) -> Self {
        Self { table, path: path.to_owned(), faults, read: RefCell::default() }
    }

    /// Where this table is, such as `component.sales`.
    pub(super) fn path(&self) -> String {
        self.path.clone()
    }

    pub(super) fn faults(&self) -> &'a Faults {
        self.faults
    }

    /// Notes a fault of this table.
    pub(super) fn fault(&self, fault: &str) {
        self.faults.add(&self.path, fault);
    }

    /// Notes a fault of one key.
    pub(super) fn fault_at(&self, key: &str, fault: &str) {
        self.faults.add(&self.place(key), fault);
    }

    fn place(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The value of a key, whatever it is.
    pub(super) fn raw(&self, key: &str) -> Option<&'a toml::Value> {
        self.read.borrow_mut().insert(key.to_owned());
        self.table.get(key)
    }

    fn typed<T>(&self, key: &str, kind: &str, read: impl FnOnce(&'a toml::Value) -> Option<T>) -> Option<T> {
        let value = self.raw(key)?;
        let typed = read(value);
        if typed.is_none() {
            self.fault_at(key, &format!("must be {kind}"));
        }
        typed
    }

    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.typed(key, "a text", |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        self.typed(key, "true or false", toml::Value::as_bool)
    }

    pub(super) fn texts(&self, key: &str) -> Vec<String> {
        self.typed(key, "a list of texts", |value| {
            value.as_array()?.iter().map(|item| item.as_str().map(str::to_owned)).collect()
        })
        .unwrap_or_default()
    }

    pub(super) fn section(&self, key: &str) -> Option<Section<'a>> {
        let table = self.typed(key, "a table", toml::Value::as_table)?;
        Some(Section::new(table, &self.place(key), self.faults))
    }

    /// The tables of a list of tables.
    pub(super) fn list(&self, key: &str) -> Vec<Section<'a>> {
        let Some(items) = self.typed(key, "a list of tables", toml::Value::as_array) else {
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (number, item) in items.iter().enumerate() {
            let place = format!("{}[{number}]", self.place(key));
            match item.as_table() {
                Some(table) => sections.push(Section::new(table, &place, self.faults)),
                None => self.faults.add(&place, "must be a table"),
            }
        }
        sections
    }

    /// All keys of this table, each of which must be a table.
    pub(super) fn sections(&self) -> Vec<(String, Section<'a>)> {
        self.table.keys().filter_map(|key| self.section(key).map(|section| (key.clone(), section))).collect()
    }

    /// All keys of this table, each of which must be a text.
    pub(super) fn all_texts(&self) -> Vec<(String, String)> {
        self.table.keys().filter_map(|key| self.text(key).map(|text| (key.clone(), text))).collect()
    }

    /// All keys of this table with their values.
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'a String, &'a toml::Value)> {
        self.table.iter()
    }

    /// Keys that mean nothing to a host.
    pub(super) fn ignore(&self, keys: &[&str]) {
        self.read.borrow_mut().extend(keys.iter().map(|key| (*key).to_owned()));
    }

    /// Keys that Spin knows and this host does not serve.
    pub(super) fn unsupported(&self, keys: &[&str]) {
        for key in keys {
            let empty = |value: &toml::Value| {
                value.as_array().is_some_and(Vec::is_empty)
                    || value.as_table().is_some_and(toml::Table::is_empty)
            };
            if self.raw(key).is_some_and(|value| !empty(value)) {
                self.fault_at(
                    key,
                    "is not supported by this host: remove it, or run the application with `spin up`",
                );
            }
        }
    }

    /// Notes every key that was not read.
    pub(super) fn finish(&self) {
        let read = self.read.borrow();
        for key in self.table.keys().filter(|key| !read.contains(*key)) {
            self.fault_at(key, "is not known: check its spelling, or remove it");
        }
    }
}

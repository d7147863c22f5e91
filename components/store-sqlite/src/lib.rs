//! `restock:domain` on Spin SQLite: [`restock_store`] with the statements in `sql/`.
//!
//! What a call changes is one statement; its consequences are triggers of the schema (`migrations/sqlite`). The operations run on
//! whatever implements [`restock_store::Database`]: `connection` does on Spin, and the tests on SQLite itself.

mod connection;
mod engine;
mod migration;
#[cfg(test)]
mod tests;

/// The component.
type Store = restock_store::Store<engine::Sqlite>;

restock_store::bindings::export!(Store with_types_in restock_store::bindings);

//! `restock:domain` on Postgres: [`restock_store`] with the statements in `sql/`.
//!
//! What a call asks for is one statement and one round trip; most of those that change something call a function of the schema
//! (`migrations/postgres`), which locks, decides, writes and tells. No transaction spans two calls.

mod connection;
mod engine;
mod migration;

/// The component.
type Store = restock_store::Store<engine::Postgres>;

restock_store::bindings::export!(Store with_types_in restock_store::bindings);

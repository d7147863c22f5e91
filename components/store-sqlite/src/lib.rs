//! `restock:domain` on Spin SQLite.
//!
//! What a call changes is one statement, written out in `sql/`; its consequences are triggers of the schema
//! (`migrations/sqlite`). So a call is atomic on any backend of Spin's SQLite interface, and a host is free to put the
//! statements of many callers into one commit.
//!
//! Each role of the interface has a file. Its functions are written against [`database::Database`], which
//! `connection` implements on Spin and the tests on SQLite itself.

mod ads;
mod alerts;
mod catalog;
mod connection;
mod customers;
mod database;
mod letters;
mod migration;
mod ops;
mod orders;
mod partners;
mod production;
mod queue;
mod returns;
mod row;
mod stock;
#[cfg(test)]
mod tests;

/// The generated bindings of world `store`.
mod bindings {
    #![allow(missing_docs, reason = "the documentation is in the WIT that this is generated from")]
    #![allow(unreachable_pub, reason = "the generator decides what is public")]

    spin_sdk::wit_bindgen::generate!({
        path: "../../wit",
        world: "store",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        generate_all,
    });

    pub(crate) use exports::restock::domain as restock;
}

pub(crate) use bindings::restock;

/// The component: all roles of `restock:domain`.
struct Store;

bindings::export!(Store with_types_in bindings);

//! What the stores of `restock:domain` share, whatever engine they keep it in.
//!
//! A store is this crate with an [`Engine`]: its connections, its statements, and the few operations that it does in its own way.
//! Everything else is here and written once: what the operations are made of, how rows are read, and the component's face to the
//! world. Each role of the interface has a file; its functions are written against [`Database`], so that they also run in a test,
//! on a database that no component is around.
//!
//! What a call changes is one statement; its consequences are triggers of the schema. So a call is atomic without a transaction
//! that spans two calls, which would be left open by a guest that dies, and a host is free to put the statements of many callers
//! into one commit.
#![allow(async_fn_in_trait, reason = "a component has one thread: nobody asks whether a future may leave it")]

pub mod ads;
pub mod alerts;
pub mod catalog;
pub mod customers;
mod database;
mod engine;
pub mod history;
pub mod insight;
pub mod letters;
pub mod ops;
pub mod orders;
pub mod partners;
pub mod production;
pub mod queue;
pub mod returns;
mod row;
pub mod schema;
pub mod stock;

use std::marker::PhantomData;

pub use bindings::restock;
pub use database::{Database, Repeat, Value};
pub use engine::{Engine, Statements};
pub use row::{Row, corrupt, listed, millis, only};

/// The generated bindings of world `store`.
pub mod bindings {
    #![allow(missing_docs, reason = "the documentation is in the WIT that this is generated from")]
    #![allow(unreachable_pub, reason = "the generator decides what is public")]

    spin_sdk::wit_bindgen::generate!({
        path: "../../wit",
        world: "store",
        runtime_path: "::spin_sdk::wit_bindgen::rt",
        pub_export_macro: true,
        default_bindings_module: "restock_store::bindings",
        generate_all,
    });

    pub use exports::restock::domain as restock;
}

/// The component of an engine: all roles of `restock:domain`.
///
/// `restock_store::bindings::export!` makes a component of it, under a name without parameters:
///
/// ```ignore
/// type Store = restock_store::Store<Sqlite>;
///
/// restock_store::bindings::export!(Store with_types_in restock_store::bindings);
/// ```
#[derive(Debug)]
pub struct Store<E>(PhantomData<E>);

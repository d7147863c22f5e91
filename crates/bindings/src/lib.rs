//! The generated import bindings of `restock:domain`, once for all workflows.
//!
//! A component that links this crate imports only the interfaces it calls: the linker drops the others.
#![allow(missing_docs, reason = "the generated code carries the documentation of the WIT where it has any")]

spin_sdk::wit_bindgen::generate!({
    path: "../../wit",
    world: "workflow",
    runtime_path: "::spin_sdk::wit_bindgen::rt",
    generate_all,
});

pub use restock::domain::{
    ads, alerts, catalog, customers, insight, letters, ops, orders, partners, production, queue, returns,
    stock, types,
};

//! Generated from the WIT: how a host calls what a store exports.
#![allow(missing_docs, reason = "the documentation is in the WIT that this is generated from")]
#![allow(unreachable_pub, reason = "the generator decides what is public")]

wasmtime::component::bindgen!({
    path: "../wit",
    world: "store",
    exports: { default: async },
    additional_derives: [PartialEq],
});

pub(crate) use exports::restock::domain as restock;

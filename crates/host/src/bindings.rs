//! Generated from the WIT of spin-sdk by the build script: the Spin interfaces the host serves and calls.
#![allow(missing_docs, reason = "generated from WIT, which carries the documentation")]
#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::todo,
    clippy::unimplemented,
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    reason = "generated code"
)]

include!(concat!(env!("OUT_DIR"), "/bindings.rs"));

//! The types of the HTTP interface, their decoding and their description. Pure: bytes in, values out.
//!
//! What clients send is decoded by hand rather than derived, because a client should be told every fault of its
//! request at once, each with a JSON pointer; a derived decoder stops at the first.

pub mod customer;
pub mod decode;
pub mod incident;
pub mod legacy;
#[cfg(feature = "openapi")]
pub mod openapi;
pub mod operations;
pub mod order;
pub mod page;
pub mod problem;
pub mod product;
pub mod production;
pub mod query;
pub mod queue;
pub mod returns;
pub mod routes;
pub mod stock;
pub mod value;

pub use decode::Invalid;
pub use page::Page;
pub use problem::{FieldFault, Problem};
pub use value::{Money, Time};

//! What every component needs at its edge: problem documents, keys, the drain loop, the doorbell, and the ways to other systems.
//!
//! A component's entry point hands its request and its table of handlers to [`serve::serve`]; everything that is the same
//! for all of them happens there. Nothing here keeps request data beyond the request: statics hold configuration only.

pub mod answer;
mod body;
pub mod call;
pub mod chat;
pub mod config;
pub mod consumer;
pub mod doorbell;
pub mod drain;
pub mod error;
pub mod event;
pub mod host;
pub mod marketing;
pub mod note;
pub mod outbound;
pub mod partner;
pub mod post;
pub mod serve;
pub mod session;
pub mod trace;

pub use answer::Answer;
pub use call::Call;
pub use error::Error;

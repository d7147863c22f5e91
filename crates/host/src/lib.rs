//! The embedded host: runs spin.toml on wasmtime.
//!
//! It implements what this application's manifest uses, with Spin's own meaning, and refuses to start on anything
//! else. Reading order: `host` (start and stop), `manifest`, `application` (components made ready to run),
//! `http` (requests in), `outbound` (requests out), `sqlite` (group commit), `postgres` (pools), `redis` (doorbells).

mod allow;
mod application;
mod bindings;
mod cache;
mod clock;
mod compose;
pub mod demo;
mod engine;
mod guest;
mod host;
mod http;
mod instance;
pub mod library;
pub mod logging;
mod manifest;
mod migrate;
mod options;
mod outbound;
mod postgres;
mod readiness;
mod redis;
mod route;
pub mod secret;
mod sqlite;
mod tick;
mod variables;

pub use clock::Clock;
pub use host::Host;
pub use migrate::migrate;
pub use options::Options;

//! The pure rules of Restock: no I/O, no clock, no randomness. Time, ids and random numbers come in as arguments,
//! so every rule can be tested by calling it.

pub mod attempt;
pub mod backoff;
pub mod capability;
pub mod factory;
pub mod hex;
pub mod id;
pub mod keys;
pub mod letter;
pub mod levels;
pub mod name;
pub mod networks;
pub mod order;
pub mod pace;
pub mod parcel;
pub mod partner;
pub mod post;
pub mod prose;
pub mod queues;
pub mod redact;
pub mod reply;
pub mod session;
pub mod settings;
pub mod text;
pub mod trace;
pub mod web;
pub mod window;

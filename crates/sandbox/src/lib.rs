//! Stand-ins for other companies' systems, with faults on demand, for the demo, the tests and anyone who develops
//! against Restock without the real partners.
//!
//! [`factory::Factory`] is the legacy factory: it takes production requests over plain HTTP, works slowly, reports
//! once and forgets everything when it stops. Each stand-in is as careless as the system it stands for, because a
//! polite one would hide the faults that Restock exists to survive.

pub mod factory;

pub use factory::{Factory, Knobs};

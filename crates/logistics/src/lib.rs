//! The logistics partner that takes returned parcels in: what it is asked, and what its answers mean.
//!
//! Pure: it builds requests and reads answers, and others carry them. The partner's lists are not trusted: a record that nothing can
//! be done with is set aside with its reason, and the others are read as if it were not there.

mod answer;
mod data;
pub mod list;
pub mod report;
mod request;
pub mod schedule;
pub mod tracking;

pub use answer::{Answer, Outcome};
pub use request::{Account, Fault, Return};

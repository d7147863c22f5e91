//! The wire format of the legacy factory: what it is asked, what it answers, what it reports.

pub mod answer;
pub mod errand;
pub mod report;

//! The tick: overdue work, bells, retention.

//! The names of the queues. A queue, the component that works it off and its folder are one word.

/// Asks factories for goods.
pub const REPLENISHMENT: &str = "replenishment";

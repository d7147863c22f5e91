//! The names of the queues. A queue, the component that works it off and its folder are one word.

/// Asks factories for goods.
pub const REPLENISHMENT: &str = "replenishment";
/// Asks the managers of advertisements to pause and to resume them.
pub const AD_CONTROL: &str = "ad-control";
/// Makes bulk buyers VIP customers and tells the marketing system.
pub const LOYALTY: &str = "loyalty";
/// Tells people of incidents.
pub const ALERTS: &str = "alerts";
/// Collects returns from the logistics partner, follows them, and reports those that were picked up.
pub const RETURNS: &str = "returns";

/// Those that may have work when goods come, new ones or such as a customer sent back, or levels change: an episode ends, a request
/// is due, a bulk order that waited is filled.
pub const AFTER_GOODS: [&str; 3] = [AD_CONTROL, LOYALTY, REPLENISHMENT];

//! Takes orders and shows products.

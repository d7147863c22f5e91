//! Asks the factory for goods.

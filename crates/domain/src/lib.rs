//! The pure rules of Restock: no I/O, no clock, no randomness.

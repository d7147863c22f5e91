//! Receives what the factory reports as finished.

//! What every component needs at its edge: problem documents, keys, the drain loop, the doorbell.

//! What a store thinks of the schema that it finds.

use crate::restock::types::Fault;

/// The schema of a database, as far as this program is concerned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schema {
    /// One that this program can work with.
    Current,
    /// An older one, or none: missing migrations are to be applied.
    Behind,
    /// One that only newer programs can work with.
    Newer(u32),
}

/// Why nothing can be done with a schema of the version `found` by a program that knows `known`, for operators.
#[must_use]
pub fn newer(found: u32, known: u32) -> Fault {
    Fault::Unavailable(format!(
        "the database has schema version {found}, this program knows {known}: run the newer program, or restore a \
         backup from before it ran"
    ))
}

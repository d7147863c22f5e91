//! What Restock keeps its data in while it is measured.

use clap::ValueEnum;
use serde::Serialize;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Profile {
    /// A file on this machine, as it is without a profile
    Sqlite,
    /// A private Postgres cluster that is started for the measurement
    Postgres,
}

impl Profile {
    /// The name of the file of results of a measurement.
    pub(crate) fn results(self, bench: &str) -> String {
        match self {
            Self::Sqlite => format!("{bench}.json"),
            Self::Postgres => format!("{bench}-postgres.json"),
        }
    }
}

//! Incidents.

use super::Text;

pub(crate) struct Incidents {
    pub(crate) title: Text,
}

pub(super) const ENGLISH: Incidents = Incidents { title: "Incidents" };

pub(super) const KOREAN: Incidents = Incidents { title: "장애" };

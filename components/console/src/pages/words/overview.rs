//! The overview.

use super::Text;

pub(crate) struct Overview {
    pub(crate) title: Text,
}

pub(super) const ENGLISH: Overview = Overview { title: "Overview" };

pub(super) const KOREAN: Overview = Overview { title: "개요" };

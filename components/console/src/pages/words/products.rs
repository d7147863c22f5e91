//! Products and their ledgers.

use super::Text;

pub(crate) struct Products {
    pub(crate) title: Text,
}

pub(super) const ENGLISH: Products = Products { title: "Products" };

pub(super) const KOREAN: Products = Products { title: "상품" };

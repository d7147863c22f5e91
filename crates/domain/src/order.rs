//! What makes an order the same order.

use crate::hex;
use sha2::{Digest, Sha256};

/// The most lines of an order.
pub const ORDER_ITEMS_MAX: usize = 100;
/// The most units in one item of an order.
pub const ITEM_QUANTITY_MAX: u32 = 10_000;

/// One product of an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// The product.
    pub sku: String,
    /// Units, 1 or more.
    pub quantity: u32,
}

/// Puts items of the same SKU together, in the order in which the SKUs first appear: "two, and one more" is three.
#[must_use]
pub fn merge(items: impl IntoIterator<Item = Item>) -> Vec<Item> {
    let mut merged: Vec<Item> = Vec::new();
    for item in items {
        match merged.iter_mut().find(|known| known.sku == item.sku) {
            Some(known) => known.quantity = known.quantity.saturating_add(item.quantity),
            None => merged.push(item),
        }
    }
    merged
}

/// Digests what an order asks for, so that an idempotency key which is used for something else is noticed.
/// `parts` are the decoded fields other than the items; the items count by SKU, in whatever order they came.
#[must_use]
pub fn digest(parts: &[Option<&str>], items: &[Item]) -> String {
    let mut hash = Sha256::new();
    // Every field is preceded by its length, so that no two lists of fields read the same.
    let mut field = |bytes: Option<&[u8]>| match bytes {
        None => hash.update(u64::MAX.to_be_bytes()),
        Some(bytes) => {
            hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX - 1).to_be_bytes());
            hash.update(bytes);
        }
    };
    for part in parts {
        field(part.map(str::as_bytes));
    }
    let mut items: Vec<_> = items.iter().collect();
    items.sort_by(|one, other| one.sku.cmp(&other.sku));
    for item in items {
        field(Some(item.sku.as_bytes()));
        field(Some(&item.quantity.to_be_bytes()));
    }
    hex::encode(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn item(sku: &str, quantity: u32) -> Item {
        Item { sku: sku.to_owned(), quantity }
    }

    #[test]
    fn the_same_product_twice_is_one_line() {
        let merged = merge([item("b", 2), item("a", 1), item("b", 1)]);
        assert_eq!(merged, [item("b", 3), item("a", 1)]);
    }

    #[test]
    fn the_same_order_has_the_same_digest_whatever_the_order_of_its_items() {
        let one = digest(&[Some("c-1"), None], &[item("a", 1), item("b", 2)]);
        let other = digest(&[Some("c-1"), None], &[item("b", 2), item("a", 1)]);
        assert_eq!(one, other);
    }

    #[test]
    fn another_order_has_another_digest() {
        let base = digest(&[Some("c-1"), None], &[item("a", 1)]);
        assert_ne!(base, digest(&[Some("c-2"), None], &[item("a", 1)]));
        assert_ne!(base, digest(&[Some("c-1"), Some("")], &[item("a", 1)]));
        assert_ne!(base, digest(&[Some("c-1"), None], &[item("a", 2)]));
        assert_ne!(digest(&[Some("ab"), Some("c")], &[]), digest(&[Some("a"), Some("bc")], &[]));
    }

    proptest! {
        #[test]
        fn merging_keeps_every_unit_and_names_a_sku_once(
            items in proptest::collection::vec(("[a-c]", 1u32..100), 0..20)
        ) {
            let items: Vec<_> = items.iter().map(|(sku, quantity)| item(sku, *quantity)).collect();
            let merged = merge(items.clone());
            let units = |items: &[Item]| items.iter().map(|item| item.quantity).sum::<u32>();
            prop_assert_eq!(units(&items), units(&merged));
            let mut skus: Vec<_> = merged.iter().map(|item| &item.sku).collect();
            skus.sort();
            skus.dedup();
            prop_assert_eq!(skus.len(), merged.len());
        }
    }
}

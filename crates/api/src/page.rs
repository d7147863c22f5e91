//! Lists and the cursors that walk them.

use crate::problem::FieldFault;
use restock_domain::hex;
use serde::Serialize;

/// Items of a page where the client does not say.
pub const LIMIT_DEFAULT: u32 = 50;
/// Items of a page at most.
pub const LIMIT_MAX: u32 = 200;
/// The longest key that a cursor holds, bytes.
const KEY_BYTES_MAX: usize = 128;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Page<T> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Asks for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// A list that fits on one page.
    #[must_use]
    pub fn whole(items: Vec<T>) -> Self {
        Self { items, next_cursor: None }
    }

    /// One page of rows. A full page may have another one behind it, so it gets a cursor: the key of its last row.
    pub fn of<R>(rows: Vec<R>, limit: u32, key: impl Fn(&R) -> String, view: impl Fn(R) -> T) -> Self {
        let full = u32::try_from(rows.len()).is_ok_and(|count| count >= limit);
        let next_cursor = rows.last().filter(|_| full).map(|row| hex::encode(key(row).as_bytes()));
        Self { items: rows.into_iter().map(view).collect(), next_cursor }
    }
}

/// Which page is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRequest {
    /// Items at most.
    pub limit: u32,
    /// The key after which the page begins; none for the first page.
    pub after: Option<String>,
}

pub(crate) fn request(limit: Option<&str>, cursor: Option<&str>) -> Result<PageRequest, Vec<FieldFault>> {
    let mut faults = Vec::new();
    let limit = match limit {
        None => LIMIT_DEFAULT,
        Some(text) => {
            text.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit)).unwrap_or_else(|| {
                faults
                    .push(FieldFault::new("?limit", format!("must be a whole number from 1 to {LIMIT_MAX}")));
                LIMIT_DEFAULT
            })
        }
    };
    let after = cursor.and_then(|cursor| {
        let key = hex::decode(cursor)
            .filter(|key| (1..=KEY_BYTES_MAX).contains(&key.len()))
            .and_then(|key| String::from_utf8(key).ok());
        if key.is_none() {
            faults.push(FieldFault::new("?cursor", "must be the next_cursor of an earlier answer"));
        }
        key
    });
    if faults.is_empty() { Ok(PageRequest { limit, after }) } else { Err(faults) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_page_leads_to_the_next_one_and_a_short_one_does_not() {
        let page = Page::of(vec!["a", "b"], 2, |row| (*row).to_owned(), |row| row);
        let next = request(None, page.next_cursor.as_deref()).expect("a page");
        assert_eq!(next, PageRequest { limit: LIMIT_DEFAULT, after: Some("b".to_owned()) });
        assert_eq!(Page::of(vec!["a"], 2, |row| (*row).to_owned(), |row| row).next_cursor, None);
    }

    #[test]
    fn wrong_limits_and_cursors_are_named_together() {
        for limit in ["0", "201", "x", "-1", "1.5"] {
            let faults = request(Some(limit), Some("no cursor")).expect_err("faults");
            let pointers: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(pointers, ["?limit", "?cursor"]);
        }
    }
}

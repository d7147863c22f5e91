//! What pages are composed of.

mod forms;
mod list;
mod lookup;
mod request;
mod value;

pub(crate) use forms::{Confirmation, confirmation, form_token, hidden, search};
pub(crate) use list::{Column, Rows, Table, empty, facts, pager};
pub(crate) use lookup::{Field, Tab, absent, field, tabs, ways, wrong, wrongs};
pub(crate) use request::{production_badge, why};
pub(crate) use value::{
    Tone, badge, code, decimal, due, exact, moment, money, named, number, short_id, since, span, trace, units,
};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What stays as it is in a part of an address.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b':');

/// The address of a page: the segments of its path and its parameters, escaped. Parameters without a value are left out.
pub(crate) fn address(segments: &[&str], parameters: &[(&str, &str)]) -> String {
    let mut address = String::new();
    for segment in segments {
        address.push('/');
        address.extend(utf8_percent_encode(segment, ESCAPED));
    }
    if address.is_empty() {
        address.push('/');
    }
    let given = parameters.iter().filter(|(_, value)| !value.is_empty());
    for (index, (name, value)) in given.enumerate() {
        address.push(if index == 0 { '?' } else { '&' });
        address.extend(utf8_percent_encode(name, ESCAPED));
        address.push('=');
        address.extend(utf8_percent_encode(value, ESCAPED));
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;
    use restock_api::query::{Query, percent_decode};

    #[test]
    fn an_address_means_what_it_was_made_of() {
        for hostile in ["a b&c=d?e#f/g", "\"><script>", "부산도너츠", "%41+", "CP-1:x_y.z~"] {
            let address = address(&["products", hostile], &[("reason", hostile), ("none", "")]);
            assert!(address.bytes().all(|byte| byte.is_ascii_graphic()), "{address}");
            let (path, query) = address.split_once('?').expect("a query");
            let segments: Vec<_> = path.split('/').skip(1).map(percent_decode).collect();
            assert_eq!(segments, ["products", hostile]);
            let query = Query::parse(Some(query));
            assert_eq!((query.get("reason"), query.get("none")), (Some(hostile), None));
        }
        assert_eq!(address(&[], &[]), "/");
    }
}

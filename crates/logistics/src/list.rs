//! The list of returns: `{"data":[{"id","order_number","order_item_number","shipment_number"},…]}`.

use crate::answer::{Answer, Outcome};
use crate::data::{self, Fault};
use restock_domain::parcel::{Field, from_json};
use restock_domain::text::one_line;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeSet;

pub use crate::data::RECORDS_MAX;

/// How much of a record that was set aside is kept, in characters.
pub const RECORD_CHARACTERS_MAX: usize = 500;

/// A record that is not an object.
const NOT_AN_OBJECT: &str = "not-an-object";
/// A record whose fields cannot be told apart, such as one with a name in a broken encoding.
const UNREADABLE: &str = "unreadable";

/// A return, as the partner lists it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parcel {
    /// The order that it is from.
    pub order_number: String,
    /// The item of that order. Together they name one return.
    pub order_item_number: String,
    /// The shipment that it comes back in.
    pub shipment_number: String,
    /// The partner's own id of it, if it has a usable one.
    pub partner_ref: Option<String>,
}

/// A record that nothing can be done with.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reject {
    /// Why: `not-an-object`, `unreadable`, or `no-` or `unusable-` and the number that is at fault, such as `no-shipment-number`.
    pub reason: &'static str,
    /// How it begins, as the partner wrote it, on one line.
    pub record: String,
}

/// The list, with each parcel and each reject once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// Records on it, repetitions and rejects among them.
    pub records: usize,
    /// What can be followed.
    pub parcels: Vec<Parcel>,
    /// What is set aside.
    pub rejects: Vec<Reject>,
}

/// Reads the answer to a request for the list.
#[must_use]
pub fn read(answer: &Answer<'_>) -> Outcome<List> {
    match answer.success() {
        Ok(()) => {}
        // Without its list there is nothing to be said of one return: this is the partner's failure.
        Err(Outcome::Refused(words)) => return Outcome::Failing(words),
        Err(outcome) => return outcome,
    }
    let mut list = List::default();
    // One record in a broken encoding spoils no other.
    let read = data::read(&String::from_utf8_lossy(answer.body), |raw| match parcel(raw) {
        Ok(parcel) => list.parcels.push(parcel),
        Err(reason) => {
            list.rejects.push(Reject { reason, record: one_line(raw.get(), RECORD_CHARACTERS_MAX) })
        }
    });
    match read {
        Ok(records) => Outcome::Good(List {
            records,
            parcels: once_each(list.parcels),
            rejects: once_each(list.rejects),
        }),
        Err(Fault::Form(words)) => answer.unusable(&words),
        Err(Fault::TooLong) => Outcome::TooLarge(format!("the list has more than {RECORDS_MAX} records")),
    }
}

fn parcel(raw: &RawValue) -> Result<Parcel, &'static str> {
    if !raw.get().starts_with('{') {
        return Err(NOT_AN_OBJECT);
    }
    let [order, item, shipment] = Field::ALL;
    let names = [order.name(), item.name(), shipment.name(), "id"];
    let [order_number, order_item_number, shipment_number, id] =
        data::fields(raw, names).map_err(|_| UNREADABLE)?;
    Ok(Parcel {
        order_number: number(order, order_number)?,
        order_item_number: number(item, order_item_number)?,
        shipment_number: number(shipment, shipment_number)?,
        partner_ref: id.and_then(value).as_ref().and_then(from_json),
    })
}

fn number(field: Field, raw: Option<&RawValue>) -> Result<String, &'static str> {
    let raw = raw.ok_or(absent(field))?;
    match value(raw) {
        Some(Value::String(text)) if text.trim().is_empty() => Err(absent(field)),
        value => value.as_ref().and_then(from_json).ok_or(unusable(field)),
    }
}

fn value(raw: &RawValue) -> Option<Value> {
    serde_json::from_str(raw.get()).ok()
}

fn absent(field: Field) -> &'static str {
    match field {
        Field::OrderNumber => "no-order-number",
        Field::OrderItemNumber => "no-order-item-number",
        Field::ShipmentNumber => "no-shipment-number",
    }
}

fn unusable(field: Field) -> &'static str {
    match field {
        Field::OrderNumber => "unusable-order-number",
        Field::OrderItemNumber => "unusable-order-item-number",
        Field::ShipmentNumber => "unusable-shipment-number",
    }
}

/// Without repetitions, in the order of the first of each.
fn once_each<T: Ord>(items: Vec<T>) -> Vec<T> {
    let mut seen = BTreeSet::new();
    let first: Vec<bool> = items.iter().map(|item| seen.insert(item)).collect();
    drop(seen);
    items.into_iter().zip(first).filter_map(|(item, first)| first.then_some(item)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::tests::answered;
    use proptest::prelude::*;
    use serde_json::json;

    fn list(body: &[u8]) -> List {
        match answered(200, body, read) {
            Outcome::Good(list) => list,
            other => panic!("no list: {other:?}"),
        }
    }

    fn of(records: &[Value]) -> List {
        list(json!({ "data": records }).to_string().as_bytes())
    }

    fn good(number: usize) -> Value {
        json!({ "id": number.to_string(), "order_number": format!("O{number}"),
                "order_item_number": format!("I{number}"), "shipment_number": format!("SHP_{number}") })
    }

    fn reason(record: Value) -> Option<&'static str> {
        let list = of(&[good(0), record, good(1)]);
        assert_eq!(list.parcels.len() + list.rejects.len(), 3);
        list.rejects.first().map(|reject| reject.reason)
    }

    fn with(field: &str, value: Value) -> Value {
        let mut record = good(7);
        record[field] = value;
        record
    }

    #[test]
    fn a_record_is_a_parcel_with_its_numbers_as_texts() {
        let record = r#"{"id":7,"order_number":1000001,"order_item_number":" 2 ","shipment_number":"SHP_1","weight":[1e999]}"#;
        let parcel = Parcel {
            order_number: "1000001".to_owned(),
            order_item_number: "2".to_owned(),
            shipment_number: "SHP_1".to_owned(),
            partner_ref: Some("7".to_owned()),
        };
        let read = list(format!(r#"{{"data":[{record}]}}"#).as_bytes());
        assert_eq!(read, List { records: 1, parcels: vec![parcel], rejects: vec![] });
    }

    #[test]
    fn an_empty_list_is_a_list() {
        assert_eq!(of(&[]), List::default());
    }

    #[test]
    fn an_id_that_is_absent_or_odd_spoils_nothing() {
        let partner_ref = |id| of(&[with("id", id)]).parcels.remove(0).partner_ref;
        assert_eq!(partner_ref(json!("R-1")), Some("R-1".to_owned()));
        for odd in [json!(null), json!(""), json!({}), json!(1.5), json!("x".repeat(129))] {
            assert_eq!(partner_ref(odd.clone()), None, "{odd}");
        }
        let mut without = good(1);
        without.as_object_mut().expect("an object").remove("id");
        assert_eq!(of(&[without]).parcels.len(), 1);
    }

    #[test]
    fn a_number_that_is_missing_is_told_apart_from_one_that_is_unusable() {
        for field in Field::ALL {
            let word = field.name().replace('_', "-");
            let mut without = good(7);
            without.as_object_mut().expect("an object").remove(field.name());
            assert_eq!(reason(without), Some(format!("no-{word}").as_str()));
            for absent in [json!(null), json!(""), json!(" \n")] {
                assert_eq!(reason(with(field.name(), absent)), Some(format!("no-{word}").as_str()));
            }
            for unusable in [json!(true), json!(1.5), json!([1]), json!("a\nb"), json!("x".repeat(129))] {
                assert_eq!(reason(with(field.name(), unusable)), Some(format!("unusable-{word}").as_str()));
            }
        }
        for no_object in [json!(null), json!("return 7"), json!(7), json!([good(7)])] {
            assert_eq!(reason(no_object), Some("not-an-object"));
        }
        assert_eq!(reason(good(7)), None);
    }

    #[test]
    fn a_number_too_large_to_be_held_exactly_is_no_other_number() {
        let body = br#"{"data":[{"order_number":100000000000000000000001,"order_item_number":1,"shipment_number":2}]}"#;
        let reasons: Vec<_> = list(body).rejects.into_iter().map(|reject| reject.reason).collect();
        assert_eq!(reasons, ["unusable-order-number"]);
    }

    #[test]
    fn a_record_that_cannot_be_read_spoils_no_other() {
        let mut body = br#"{"data":["#.to_vec();
        for (number, record) in [
            &b"{\"order_number\":\"\xff1\",\"order_item_number\":1,\"shipment_number\":2}"[..],
            br#"{"order_number":1,"order_item_number":"\ud800","shipment_number":2}"#,
            br#"{"\ud800":1}"#,
        ]
        .into_iter()
        .enumerate()
        {
            body.extend_from_slice(good(number).to_string().as_bytes());
            body.push(b',');
            body.extend_from_slice(record);
            body.push(b',');
        }
        body.extend_from_slice(good(9).to_string().as_bytes());
        body.extend_from_slice(b"]}");
        let list = list(&body);
        let reasons: Vec<_> = list.rejects.iter().map(|reject| reject.reason).collect();
        assert_eq!(reasons, ["unusable-order-number", "unusable-order-item-number", "unreadable"]);
        assert_eq!((list.records, list.parcels.len()), (7, 4));
    }

    #[test]
    fn what_stands_there_twice_is_taken_once_and_counted_twice() {
        let other_shipment = with("shipment_number", json!("SHP_8"));
        let list = of(&[good(7), json!("x"), good(1), good(7), json!("x"), other_shipment]);
        let shipments: Vec<_> = list.parcels.iter().map(|parcel| parcel.shipment_number.as_str()).collect();
        assert_eq!(shipments, ["SHP_7", "SHP_1", "SHP_8"]);
        assert_eq!((list.records, list.rejects.len()), (6, 1));
    }

    #[test]
    fn of_a_reject_only_the_beginning_is_kept() {
        let rejects = of(&[json!(["가".repeat(1_000)]), json!("a\u{202e}b")]).rejects;
        assert_eq!(rejects[0].record.chars().count(), RECORD_CHARACTERS_MAX);
        assert_eq!(rejects[1].record, "\"ab\"");
    }

    #[test]
    fn a_page_in_place_of_the_list_is_named_with_its_beginning() {
        let page = b"<!doctype html><title>Something went wrong</title>";
        let Outcome::Unusable(words) = answered(200, page, read) else { panic!("unusable") };
        assert!(words.starts_with("the answer is not JSON: "), "{words}");
        assert!(words.ends_with("; answered 200: <!doctype html><title>Something went wrong</title>"));
        let Outcome::Unusable(words) = answered(200, br#"{"data":{}}"#, read) else { panic!("unusable") };
        assert_eq!(words, r#"the answer's data is not a list; answered 200: {"data":{}}"#);
    }

    #[test]
    fn no_status_but_a_success_is_a_list_and_none_is_a_refusal() {
        for status in [301, 400, 401, 403, 404, 405, 422, 429, 500, 502, 503] {
            let outcome = answered(status, br#"{"data":[]}"#, read);
            assert!(matches!(outcome, Outcome::Failing(_)), "{status}: {outcome:?}");
        }
    }

    #[test]
    fn a_list_that_is_too_long_is_too_large() {
        let body = format!(r#"{{"data":[{}0]}}"#, "0,".repeat(RECORDS_MAX));
        let outcome = answered(200, body.as_bytes(), read);
        assert_eq!(outcome, Outcome::TooLarge("the list has more than 100000 records".to_owned()));
    }

    /// What partners send in place of a record.
    fn bad() -> impl Strategy<Value = Value> {
        let number = prop_oneof![Just(json!(null)), Just(json!("")), Just(json!([])), Just(json!(-0.5))];
        prop_oneof![
            any::<String>().prop_map(Value::from),
            Just(json!(null)),
            Just(json!({})),
            (0..3_usize, number).prop_map(|(field, value)| with(Field::ALL[field].name(), value)),
        ]
    }

    proptest! {
        #[test]
        fn any_mixture_gives_every_good_record_and_sets_the_others_aside(
            records in proptest::collection::vec(proptest::option::of(bad()), 0..40),
        ) {
            let all: Vec<_> = records
                .iter()
                .enumerate()
                .map(|(place, bad)| bad.clone().unwrap_or_else(|| good(place)))
                .collect();
            let list = of(&all);
            let expected: Vec<_> = records
                .iter()
                .enumerate()
                .filter(|(_, bad)| bad.is_none())
                .map(|(place, _)| format!("SHP_{place}"))
                .collect();
            let shipments: Vec<_> = list.parcels.into_iter().map(|parcel| parcel.shipment_number).collect();
            prop_assert_eq!(shipments, expected);
            prop_assert_eq!(list.rejects.is_empty(), records.iter().all(Option::is_none));
            prop_assert_eq!(list.records, all.len());
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(status: u16, body: Vec<u8>, inside: Vec<u8>) {
            let _ = answered(status, &body, read);
            let _ = answered(200, &[&br#"{"data":["#[..], &inside, b"]}"].concat(), read);
        }
    }
}

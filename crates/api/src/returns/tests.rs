//! What operators may send, and what they are answered.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

fn pointers<T: std::fmt::Debug>(decoded: Result<T, Invalid>) -> Vec<String> {
    match decoded {
        Err(Invalid::Faulty(faults)) => faults.into_iter().map(|fault| fault.pointer).collect(),
        other => panic!("no faults: {other:?}"),
    }
}

fn filter(query: &str) -> Result<Filter, Vec<FieldFault>> {
    Filter::read(&Query::parse(Some(query)))
}

fn entry() -> Return {
    Return {
        id: "019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b".to_owned(),
        order_number: "1234".to_owned(),
        order_item_number: "123123".to_owned(),
        shipment_number: "SHP_00000579".to_owned(),
        status: ReturnStatus::Reported,
        goods: Goods::NotOurs,
        partner_status: Some("delivered".to_owned()),
        sku: None,
        quantity: None,
        collected_at: Time(0),
        tracked_at: Some(Time(1_000)),
        delivered_at: Some(Time(1_000)),
        reported_at: Some(Time(2_000)),
        unknown_since: None,
    }
}

fn replayed(attribute: &Value) -> Result<ReplayRequest, Invalid> {
    ReplayRequest::decode(json!({"body": {"Attribute": attribute}}).to_string().as_bytes())
}

#[test]
fn a_list_has_one_filter_or_none() {
    assert_eq!(filter("limit=5&utm=x&status="), Ok(Filter::All));
    assert_eq!(filter("status=delivered"), Ok(Filter::Status(ReturnStatus::Delivered)));
    assert_eq!(filter("goods=not-ours"), Ok(Filter::Goods(Goods::NotOurs)));
    assert_eq!(filter("order_number=+1234"), Ok(Filter::OrderNumber("1234".to_owned())));
    assert_eq!(filter("shipment_number=SHP%2F1"), Ok(Filter::ShipmentNumber("SHP/1".to_owned())));
}

#[test]
fn filters_that_are_given_together_are_each_named() {
    let faults = filter("shipment_number=1&goods=lost&limit=5").expect_err("faults");
    let named: Vec<_> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(named, ["?goods", "?shipment_number"]);
}

#[test]
fn a_value_that_a_filter_cannot_have_is_named_with_those_that_it_can() {
    for (query, pointer, allowed) in [
        ("status=lost", "?status", "`collected`, `delivered`, `reported`"),
        ("goods=not_ours", "?goods", "`pending`, `not-ours`, `left`, `waiting`, `received`, `discarded`"),
        ("order_number=a%0Ab", "?order_number", "1 to 128 characters"),
        ("shipment_number=%FF", "?shipment_number", "1 to 128 characters"),
    ] {
        let faults = filter(query).expect_err(query);
        let [fault] = faults.as_slice() else { panic!("{query}: {faults:?}") };
        assert_eq!(fault.pointer, pointer);
        assert!(fault.detail.contains(allowed), "{query}: {}", fault.detail);
    }
}

#[test]
fn the_words_of_the_filters_are_those_of_the_answers() {
    for (word, status) in ReturnStatus::WORDS {
        assert_eq!(serde_json::to_value(status).expect("JSON"), word);
    }
    for (word, goods) in Goods::WORDS {
        assert_eq!(serde_json::to_value(goods).expect("JSON"), word);
    }
}

#[test]
fn a_replay_is_read_from_texts_and_from_whole_numbers() {
    let expected = ReplayAttribute {
        shipment_number: "SHP_00000579".to_owned(),
        order_number: "1234".to_owned(),
        order_item_number: "123123".to_owned(),
    };
    for attribute in [
        json!({"shipment_number": "SHP_00000579", "order_number": "1234", "order_item_number": "123123"}),
        json!({"shipment_number": " SHP_00000579", "order_number": 1234, "order_item_number": 123_123}),
    ] {
        assert_eq!(replayed(&attribute).map(|request| request.body.attribute), Ok(expected.clone()));
    }
}

#[test]
fn whatever_else_an_event_carries_is_ignored_at_every_depth() {
    let event = json!({
        "version": "0",
        "body": {
            "Attribute": {"shipment_number": 1, "order_number": 2, "order_item_number": 3, "status": "x"},
            "MessageId": "m-1",
        },
    });
    assert!(ReplayRequest::decode(event.to_string().as_bytes()).is_ok());
}

#[test]
fn every_fault_of_a_replay_is_named_with_its_path() {
    assert_eq!(
        pointers(replayed(&json!({"shipment_number": "a\nb", "order_number": 1.5}))),
        [
            "/body/Attribute/shipment_number",
            "/body/Attribute/order_number",
            "/body/Attribute/order_item_number"
        ]
    );
    assert_eq!(pointers(replayed(&json!([]))), ["/body/Attribute"]);
    assert_eq!(pointers(ReplayRequest::decode(br#"{"body":{"attribute":{}}}"#)), ["/body/Attribute"]);
    assert_eq!(pointers(ReplayRequest::decode(br#"{"shipment_number":"1"}"#)), ["/body"]);
    assert_eq!(pointers(ReplayRequest::decode(br#""SHP_00000579""#)), [""]);
    assert!(matches!(ReplayRequest::decode(b""), Err(Invalid::Malformed(_))));
}

#[test]
fn receiving_and_discarding_need_no_body() {
    assert_eq!(ReceiveRequest::decode(b""), Ok(ReceiveRequest::default()));
    assert_eq!(ReceiveRequest::decode(b"{}"), Ok(ReceiveRequest::default()));
    assert_eq!(DiscardRequest::decode(b""), Ok(DiscardRequest::default()));
    assert_eq!(
        ReceiveRequest::decode(br#"{"sku":"CP-502101","quantity":2,"reason":"unopened"}"#),
        Ok(ReceiveRequest {
            sku: Some("CP-502101".to_owned()),
            quantity: Some(2),
            reason: Some("unopened".to_owned()),
        })
    );
}

#[test]
fn every_fault_of_a_decision_is_named() {
    let body = br#"{"sku":"a b","quantity":0,"reason":" ","units":1}"#;
    assert_eq!(pointers(ReceiveRequest::decode(body)), ["/sku", "/quantity", "/reason", "/units"]);
    for wrong in ["10001", "-1", "1.5", "\"1\""] {
        let body = format!(r#"{{"quantity":{wrong}}}"#);
        assert_eq!(pointers(ReceiveRequest::decode(body.as_bytes())), ["/quantity"], "{wrong}");
    }
    assert_eq!(pointers(DiscardRequest::decode(br#"{"reason":"","sku":"x"}"#)), ["/reason", "/sku"]);
}

#[test]
fn a_return_with_its_history_is_the_return_and_more() {
    let history = ReturnHistory {
        entry: entry(),
        partner_ref: None,
        trackings: 2,
        partner_statuses: vec![PartnerStatus {
            status: "delivered".to_owned(),
            first_at: Time(1_000),
            last_at: Time(1_000),
            times: 1,
        }],
        matching: Some(ReturnItem { sku: "CP-502101".to_owned(), quantity: 1 }),
        settled_at: None,
        settled_by: None,
        reason: None,
    };
    let (one, two) = ("1970-01-01T00:00:01.000Z", "1970-01-01T00:00:02.000Z");
    assert_eq!(
        serde_json::to_value(history).expect("JSON"),
        json!({
            "id": "019ab1c2-7d3e-7f00-8a4b-1c2d3e4f5a6b", "order_number": "1234", "order_item_number": "123123",
            "shipment_number": "SHP_00000579", "status": "reported", "goods": "not-ours",
            "partner_status": "delivered", "sku": null, "quantity": null,
            "collected_at": "1970-01-01T00:00:00.000Z", "tracked_at": one, "delivered_at": one,
            "reported_at": two, "unknown_since": null, "partner_ref": null, "trackings": 2,
            "partner_statuses": [{"status": "delivered", "first_at": one, "last_at": one, "times": 1}],
            "match": {"sku": "CP-502101", "quantity": 1},
            "settled_at": null, "settled_by": null, "reason": null,
        })
    );
}

#[test]
fn the_answer_to_a_replay_is_the_return_and_what_became_of_the_wish() {
    let replayed = Replayed { entry: entry(), outcome: ReplayOutcome::Over };
    let mut expected = serde_json::to_value(entry()).expect("JSON");
    expected["outcome"] = json!("over");
    assert_eq!(serde_json::to_value(replayed).expect("JSON"), expected);
}

#[test]
fn a_decision_that_cannot_be_carried_out_is_told_apart_by_its_kind_and_its_words() {
    let received =
        Return { goods: Goods::Received, sku: Some("CP-502101".to_owned()), quantity: Some(2), ..entry() };
    let discarded = Return { goods: Goods::Discarded, ..entry() };
    let under_way = Return { status: ReturnStatus::Collected, goods: Goods::Pending, ..entry() };
    let delivered = Return { status: ReturnStatus::Delivered, goods: Goods::Pending, ..entry() };
    for (problem, kind, words) in [
        (received.settled_otherwise(), "return-settled-otherwise", "2 of CP-502101 were received"),
        (discarded.settled_otherwise(), "return-settled-otherwise", "were discarded before"),
        (under_way.not_reported(), "return-not-reported", "still on its way"),
        (delivered.not_reported(), "return-not-reported", "has not taken the report"),
        (entry().matches_nothing(), "return-matches-nothing", "order 1234, item 123123"),
        (too_many(0), "return-too-many", "all that the order sold"),
        (too_many(1), "return-too-many", "1 unit of what the order sold is still"),
        (too_many(3), "return-too-many", "3 units of what the order sold are still"),
    ] {
        assert_eq!(problem.status, 409);
        assert_eq!(problem.kind, format!("urn:restock:problem:{kind}"));
        assert!(problem.detail.contains(words), "{}", problem.detail);
        assert!(problem.detail.contains("nothing was changed"), "{}", problem.detail);
    }
}

proptest! {
    #[test]
    fn any_body_is_read_without_a_panic(body: Vec<u8>) {
        let _ = (ReplayRequest::decode(&body), ReceiveRequest::decode(&body), DiscardRequest::decode(&body));
    }
}

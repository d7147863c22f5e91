//! The logistics partner.

use std::collections::BTreeMap;

use anyhow::Result;
use http::{Method, StatusCode};
use restock_sandbox::Logistics;
use restock_sandbox::logistics::{BASE, Busy, Call, Flaw, FlawKind, Garbage, Knobs, Return};
use serde_json::{Value, json};

use super::{ANY_PORT, Answer, call, get, post};

const BEARER: (&str, &str) = ("authorization", "Bearer lg_sandbox");

async fn holding(count: usize) -> Result<Logistics> {
    let logistics = Logistics::start(ANY_PORT).await?;
    logistics.set_returns(count)?;
    Ok(logistics)
}

async fn list(logistics: &Logistics) -> Result<Answer> {
    call(Method::GET, &format!("{}/returns", logistics.url()), &[BEARER], "").await
}

async fn track(logistics: &Logistics, nth: usize) -> Result<Answer> {
    let number = Return::nth(nth).shipment_number;
    let url = format!("{}/tracking?shipment_number={number}", logistics.url());
    call(Method::GET, &url, &[BEARER], "").await
}

/// The statuses that a tracking tells.
async fn statuses(logistics: &Logistics, nth: usize) -> Result<Vec<String>> {
    let answer = track(logistics, nth).await?;
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let answer = answer.json();
    let list = answer.get("data").and_then(Value::as_array).unwrap();
    let status = |entry: &Value| entry.get("return_status").and_then(Value::as_str).unwrap().to_owned();
    Ok(list.iter().map(status).collect())
}

fn result(nth: usize) -> Value {
    let Return { order_number, order_item_number, .. } = Return::nth(nth);
    json!({"order_number": order_number, "order_item_number": order_item_number, "result_object": "delivered"})
}

async fn report(logistics: &Logistics, body: &Value) -> Result<Answer> {
    post(&format!("{}/results", logistics.url()), &[BEARER], body).await
}

#[tokio::test]
async fn nothing_is_told_or_taken_without_the_token() -> Result<()> {
    let logistics = holding(1).await?;
    assert_eq!(BEARER.1, format!("Bearer {}", Logistics::TOKEN));
    assert_eq!(logistics.url(), format!("{}{BASE}", logistics.origin()));
    for headers in [&[][..], &[("authorization", "Bearer other")], &[("authorization", "lg_sandbox")]] {
        for (method, path) in [
            (Method::GET, "returns"),
            (Method::GET, "tracking?shipment_number=SHP_00000001"),
            (Method::POST, "results"),
        ] {
            let url = format!("{}/{path}", logistics.url());
            let answer = call(method, &url, headers, &result(1).to_string()).await?;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path} {headers:?}");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
    let url = format!("{}/returns", logistics.url());
    let lower = call(Method::GET, &url, &[("authorization", "bearer lg_sandbox")], "").await?;
    assert_eq!(lower.status, StatusCode::OK, "schemes have no case");
    assert_eq!((logistics.stats().refused, logistics.reported().len()), (9, 0));
    assert_eq!(get(&format!("{}/nowhere", logistics.url())).await?.status, StatusCode::NOT_FOUND);
    Ok(())
}

#[tokio::test]
async fn the_list_holds_every_return_once_and_is_the_same_each_time() -> Result<()> {
    let logistics = Logistics::start(ANY_PORT).await?;
    assert_eq!(list(&logistics).await?.json(), json!({"data": []}));
    logistics.set_returns(2)?;
    logistics.add_returns(1)?;
    let own = Return {
        order_number: "ORD 7".to_owned(),
        order_item_number: "한글".to_owned(),
        shipment_number: "SHP_00000003".to_owned(),
    };
    logistics.add_return(own.clone())?;
    assert!(logistics.add_return(own).is_err(), "a return is there once");
    let answer = list(&logistics).await?;
    assert_eq!(answer.header("content-type"), "application/json");
    let record = |id: &str, order: &str, item: &str, shipment: &str| json!({"id": id, "order_number": order, "order_item_number": item, "shipment_number": shipment});
    let expected = [
        record("1", "1000001", "2000001", "SHP_00000001"),
        record("2", "1000001", "2000002", "SHP_00000002"),
        record("3", "1000002", "2000003", "SHP_00000003"),
        record("4", "ORD 7", "한글", "SHP_00000003"),
    ];
    assert_eq!(answer.json(), json!({"data": expected}));
    assert_eq!(list(&logistics).await?.text, answer.text);
    logistics.set_returns(1)?;
    assert_eq!(list(&logistics).await?.json(), json!({"data": expected[..1]}));
    Ok(())
}

#[tokio::test]
async fn thirty_thousand_returns_stand_in_one_answer_and_no_two_are_alike() -> Result<()> {
    let logistics = holding(30_000).await?;
    let answer = list(&logistics).await?.json();
    let records = answer["data"].as_array().unwrap();
    let key = |record: &Value| (record["order_number"].to_string(), record["order_item_number"].to_string());
    let keys = records.iter().map(key).collect::<std::collections::HashSet<_>>();
    let shipments = records.iter().map(|record| record["shipment_number"].to_string());
    assert_eq!((keys.len(), shipments.collect::<std::collections::HashSet<_>>().len()), (30_000, 30_000));
    assert_eq!(logistics.statuses(), counts([30_000, 0, 0, 0]));
    assert!(logistics.add_returns(100_000).is_err());
    assert_eq!(logistics.stats().returns, 30_000, "what does not fit changes nothing");
    Ok(())
}

fn counts(counts: [usize; 4]) -> BTreeMap<&'static str, usize> {
    ["registered", "collected", "in_transit", "delivered"].into_iter().zip(counts).collect()
}

#[tokio::test]
async fn a_shipment_tells_all_its_statuses_so_far_the_newest_last() -> Result<()> {
    let logistics = holding(2).await?;
    let plan = ["registered", "collected", "in_transit", "delivered"];
    assert_eq!(statuses(&logistics, 1).await?, plan[..1]);
    logistics.advance();
    assert!(logistics.advance_shipment("SHP_00000002"));
    assert!(!logistics.advance_shipment("SHP_00000003"));
    assert_eq!(statuses(&logistics, 1).await?, plan[..2]);
    assert_eq!(statuses(&logistics, 2).await?, plan[..3]);
    assert_eq!(logistics.statuses(), counts([0, 1, 1, 0]));
    logistics.deliver_all();
    logistics.advance();
    assert_eq!(statuses(&logistics, 1).await?, plan);
    logistics.add_returns(1)?;
    assert_eq!(statuses(&logistics, 3).await?, plan[..1], "a new one begins at the beginning");
    assert_eq!(statuses(&logistics, 4).await?, [""; 0], "an unknown number has no statuses");
    let url = format!("{}/tracking?number=1", logistics.url());
    assert_eq!(call(Method::GET, &url, &[BEARER], "").await?.status, StatusCode::BAD_REQUEST);
    assert_eq!((logistics.stats().unknown, logistics.stats().refused), (1, 1));
    Ok(())
}

#[tokio::test]
async fn a_beat_delivers_everything_in_the_end_but_what_is_stuck() -> Result<()> {
    let logistics = holding(4).await?;
    logistics.turn(|knobs| (knobs.status_every_ms, knobs.stuck_every) = (Some(1), 2))?;
    for nth in 1..=4 {
        let last = if nth % 2 == 0 { "in_transit" } else { "delivered" };
        while statuses(&logistics, nth).await?.last().unwrap() != last {}
    }
    logistics.deliver_all();
    assert_eq!(logistics.statuses(), counts([0, 0, 2, 2]));
    logistics.turn(|knobs| knobs.stuck_every = 0)?;
    assert_eq!(logistics.statuses(), counts([0, 0, 0, 4]));
    Ok(())
}

#[tokio::test]
async fn a_shipment_may_be_unknown_the_first_times() -> Result<()> {
    let logistics = holding(2).await?;
    logistics.turn(|knobs| (knobs.unknown_first, knobs.unknown_every) = (2, 2))?;
    for known in [false, false, true] {
        assert_eq!(statuses(&logistics, 1).await?.len(), 1);
        assert_eq!(statuses(&logistics, 2).await?.len(), usize::from(known));
    }
    Ok(())
}

#[tokio::test]
async fn a_result_is_taken_for_a_return_it_knows_and_every_repetition_is_counted() -> Result<()> {
    let logistics = holding(3).await?;
    logistics.deliver_all();
    let taken = |answer: Answer| (answer.status.as_u16(), answer.json()["data"]["result"].clone());
    assert_eq!(taken(report(&logistics, &result(1)).await?), (200, json!(true)));
    assert_eq!(taken(report(&logistics, &result(1)).await?), (200, json!(true)));
    let mut numbers = result(2);
    for field in ["order_number", "order_item_number"] {
        numbers[field] = numbers[field].as_str().unwrap().parse::<u64>()?.into();
    }
    assert_eq!(taken(report(&logistics, &numbers).await?), (200, json!(true)));
    let mut collected = result(3);
    collected["result_object"] = "collected".into();
    for body in [&result(4), &collected] {
        assert_eq!(taken(report(&logistics, body).await?), (200, json!(false)), "{body}");
    }
    for body in [json!({}), json!([]), json!({"order_number": "1000001", "result_object": "delivered"})] {
        assert_eq!(report(&logistics, &body).await?.status, StatusCode::BAD_REQUEST, "{body}");
    }
    let reported = logistics.reported();
    let times = reported.iter().map(|seen| (seen.shipment_number.as_str(), seen.times)).collect::<Vec<_>>();
    assert_eq!(times, [("SHP_00000001", 2), ("SHP_00000002", 1)]);
    let stats = logistics.stats();
    assert_eq!((stats.reported, stats.repeated, stats.not_taken, stats.refused), (2, 1, 2, 3));
    Ok(())
}

#[tokio::test]
async fn a_report_before_the_delivery_is_taken_and_told() -> Result<()> {
    let logistics = holding(1).await?;
    report(&logistics, &result(1)).await?;
    logistics.deliver_all();
    report(&logistics, &result(1)).await?;
    let seen = &logistics.reported()[0];
    assert_eq!((seen.times, seen.early, logistics.stats().early), (2, 1, 1));
    Ok(())
}

#[tokio::test]
async fn the_first_reports_may_be_answered_false_and_what_was_reported_may_leave_the_list() -> Result<()> {
    let logistics = holding(1).await?;
    logistics.deliver_all();
    logistics.turn(|knobs| (knobs.results_false_first, knobs.hide_reported) = (2, true))?;
    for taken in [false, false, true] {
        assert_eq!(list(&logistics).await?.json()["data"].as_array().unwrap().len(), 1);
        assert_eq!(report(&logistics, &result(1)).await?.json()["data"]["result"], json!(taken));
    }
    assert_eq!(list(&logistics).await?.json(), json!({"data": []}));
    Ok(())
}

#[tokio::test]
async fn the_list_has_the_flaws_that_it_is_told_to_have_or_is_a_page() -> Result<()> {
    let logistics = holding(6).await?;
    let flaw = |kind, first| Flaw { kind, every: 6, first };
    logistics.turn(|knobs| {
        knobs.flaws = vec![
            flaw(FlawKind::NoShipmentNumber, 0),
            flaw(FlawKind::NullOrderNumber, 1),
            flaw(FlawKind::Numbers, 2),
            flaw(FlawKind::Duplicate, 3),
            flaw(FlawKind::NoObject, 4),
        ];
    })?;
    let answer = list(&logistics).await?.json();
    let records = answer["data"].as_array().unwrap();
    assert_eq!(records.len(), 7);
    assert_eq!(records[0].get("shipment_number"), None);
    assert_eq!(records[1]["order_number"], Value::Null);
    assert_eq!((&records[2]["order_number"], &records[2]["id"]), (&json!(1_000_002), &json!(3)));
    assert_eq!((&records[3]["id"], &records[3]), (&json!("4"), &records[4]));
    assert!(records[5].is_string());
    assert_eq!(records[6]["shipment_number"], "SHP_00000006");

    for status in [200, 502] {
        logistics.turn(|knobs| knobs.list_page = Some(status))?;
        let page = list(&logistics).await?;
        assert_eq!((page.status.as_u16(), page.header("content-type")), (status, "text/html"));
    }
    assert_eq!(track(&logistics, 1).await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn faults_hit_the_calls_that_they_are_turned_on_for() -> Result<()> {
    let logistics = holding(1).await?;
    logistics.turn(|knobs| {
        knobs.faults_on = vec![Call::Tracking];
        (knobs.busy_rate, knobs.busy_retry_after_seconds) = (1.0, Some(3));
    })?;
    assert_eq!(list(&logistics).await?.status, StatusCode::OK);
    let answer = track(&logistics, 1).await?;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "3"));
    assert!(answer.json()["message"].is_string());
    logistics.set_knobs(Knobs { garbage: Some(Garbage::BrokenJson), ..Knobs::default() })?;
    let answer = list(&logistics).await?;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, Value::Null));
    let busy = Some(Busy { status: 429, retry_after_seconds: Some(7) });
    logistics.set_knobs(Knobs { busy, ..Knobs::default() })?;
    let answer = report(&logistics, &result(1)).await?;
    assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, "7"));
    logistics.set_knobs(Knobs { down: true, ..Knobs::default() })?;
    assert!(track(&logistics, 1).await.is_err());
    let stats = logistics.stats();
    assert_eq!((stats.faults, stats.calls.returns, stats.calls.tracking, stats.calls.results), (4, 2, 2, 1));
    assert_eq!((logistics.returns()[0].trackings, logistics.reported().len()), (0, 0));
    let outcomes = logistics.requests().iter().map(|request| request.outcome).collect::<Vec<_>>();
    assert_eq!(outcomes, ["listed", "busy", "garbage", "busy", "down"]);
    Ok(())
}

#[tokio::test]
async fn a_report_whose_answer_was_lost_was_taken() -> Result<()> {
    let logistics = holding(1).await?;
    logistics.deliver_all();
    logistics.turn(|knobs| (knobs.lose_answer, knobs.faults_max) = (true, Some(1)))?;
    assert!(report(&logistics, &result(1)).await.is_err());
    assert_eq!(report(&logistics, &result(1)).await?.json()["data"]["result"], json!(true));
    let seen = &logistics.reported()[0];
    assert_eq!((seen.times, seen.lost, seen.early), (2, 1, 0));
    Ok(())
}

#[tokio::test]
async fn requests_beyond_the_limit_of_a_second_are_told_when_to_come_again() -> Result<()> {
    let logistics = holding(1).await?;
    logistics.turn(|knobs| knobs.limit_per_second = Some(2))?;
    // However slow the machine, the third of three calls within one second is turned away.
    let limited = loop {
        let answer = track(&logistics, 1).await?;
        if answer.status != StatusCode::OK {
            break answer;
        }
    };
    assert_eq!((limited.status.as_u16(), limited.header("retry-after")), (429, "1"));
    let stats = logistics.stats();
    assert_eq!((stats.limited, stats.faults), (1, 0));
    assert!(stats.per_second_max >= 3, "what is turned away is measured too: {stats:?}");
    logistics.turn(|knobs| knobs.limit_per_second = None)?;
    assert_eq!(track(&logistics, 1).await?.status, StatusCode::OK);
    Ok(())
}

#[tokio::test]
async fn everything_can_be_done_over_http_and_the_page_tells_the_totals() -> Result<()> {
    let logistics = Logistics::start(ANY_PORT).await?;
    let at = |path: &str| format!("{}/sandbox/{path}", logistics.origin());
    let put = call(Method::PUT, &at("returns"), &[], r#"{"count":2}"#).await?;
    assert_eq!(put.json(), json!({"returns": 2}));
    assert_eq!(post(&at("returns"), &[], &json!({"count": 1})).await?.json(), json!({"returns": 3}));
    let own = json!({"order_number": "<b>", "order_item_number": "한글", "shipment_number": "SHP_X"});
    assert_eq!(post(&at("returns"), &[], &own).await?.json(), json!({"returns": 4}));
    for (path, body) in [
        ("returns", own),
        ("returns", json!({"count": 100_001})),
        ("returns", json!({"count": -1})),
        ("advance", json!({"shipment": "SHP_X"})),
    ] {
        let answer = post(&at(path), &[], &body).await?;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path} {body}");
    }
    let one = json!({"shipment_number": "SHP_X"});
    assert_eq!(post(&at("advance"), &[], &one).await?.json(), json!(counts([3, 1, 0, 0])));
    let none = json!({"shipment_number": "SHP_Y"});
    assert_eq!(post(&at("advance"), &[], &none).await?.status, StatusCode::NOT_FOUND);
    let all = call(Method::POST, &at("advance"), &[], "").await?;
    assert_eq!(all.json(), json!(counts([0, 3, 1, 0])));
    let delivered = call(Method::POST, &at("deliver"), &[], "").await?;
    assert_eq!(
        (delivered.json()["delivered"].clone(), get(&at("statuses")).await?.json()["delivered"].clone()),
        (json!(4), json!(4))
    );
    report(&logistics, &result(2)).await?;
    let reported = get(&at("reported")).await?.json();
    assert_eq!((reported.as_array().unwrap().len(), &reported[0]["times"]), (1, &json!(1)));
    assert_eq!(get(&at("returns")).await?.json()[3]["order_item_number"], "한글");
    assert_eq!(get(&at("requests")).await?.json()[0]["outcome"], "reported");
    assert_eq!(get(&at("stats")).await?.json()["calls"]["results"], json!(1));
    let turned = call(
        Method::PATCH,
        &at("knobs"),
        &[],
        r#"{"faults_on":["tracking"],"flaws":[{"kind":"null_id","every":2}]}"#,
    )
    .await?;
    assert_eq!(turned.json()["flaws"][0]["first"], json!(0));
    let page = get(&logistics.origin()).await?;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert!(page.text.contains("<dt>delivered</dt><dd dir=\"auto\">4</dd>"), "{}", page.text);
    assert!(page.text.contains("&lt;b&gt;") && page.text.contains("SHP_00000001"), "{}", page.text);
    Ok(())
}

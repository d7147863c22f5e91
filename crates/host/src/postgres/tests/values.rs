//! Values on their way to the server and back.

use super::*;
use crate::bindings::imports::spin::postgres::postgres::{DbDataType, Interval, RangeBoundKind};

/// A parameter that is sent as `cast` and read again must come back as `expected`, of type `kind`.
async fn returns(session: &Session, cast: &str, given: ParameterValue, expected: DbValue, kind: DbDataType) {
    let sql = format!("SELECT $1::{cast} AS it");
    let answer = session.query(&sql, &[given]).await.unwrap_or_else(|error| panic!("{cast}: {error:?}"));
    assert!(answer.fault.is_none(), "{cast}: {:?}", answer.fault);
    assert_eq!(format!("{:?}", answer.rows), format!("{:?}", [[expected]]), "{cast}");
    assert_eq!(answer.columns[0].name, "it");
    assert_eq!(format!("{:?}", answer.columns[0].data_type), format!("{kind:?}"), "{cast}");
    let nothing = session.query(&sql, &[ParameterValue::DbNull]).await.unwrap();
    assert!(matches!(nothing.rows[0][..], [DbValue::DbNull]), "{cast}: NULL");
}

#[tokio::test]
async fn every_type_of_the_interface_comes_back_as_it_was_sent() {
    use DbDataType as Kind;
    use DbValue as Out;
    use ParameterValue as In;
    let place = Place::new();
    let session = open(&place.pool()).await;
    let (inclusive, exclusive) = (RangeBoundKind::Inclusive, RangeBoundKind::Exclusive);
    let moment = (2026, 11, 21, 20, 30, 1, 250_000_000);
    let interval = Interval { micros: 5, days: -3, months: 14 };
    let words = vec![Some("a".to_owned()), None, Some("ä,\"".to_owned())];
    let decimals = vec![Some("1.50".to_owned()), None];
    let decimal_range = (Some(("0.5".to_owned(), exclusive)), Some(("1.5".to_owned(), inclusive)));
    for (cast, given, expected, kind) in [
        ("bool", In::Boolean(true), Out::Boolean(true), Kind::Boolean),
        ("int2", In::Int16(-7), Out::Int16(-7), Kind::Int16),
        ("int4", In::Int32(i32::MIN), Out::Int32(i32::MIN), Kind::Int32),
        ("int8", In::Int64(i64::MAX), Out::Int64(i64::MAX), Kind::Int64),
        ("float4", In::Floating32(1.5), Out::Floating32(1.5), Kind::Floating32),
        ("float8", In::Floating64(-0.25), Out::Floating64(-0.25), Kind::Floating64),
        ("text", In::Str("ä\n".into()), Out::Str("ä\n".into()), Kind::Str),
        ("varchar", In::Str(String::new()), Out::Str(String::new()), Kind::Str),
        ("bytea", In::Binary(vec![0, 255]), Out::Binary(vec![0, 255]), Kind::Binary),
        ("date", In::Date((-44, 3, 15)), Out::Date((-44, 3, 15)), Kind::Date),
        ("time", In::Time((23, 59, 59, 1_000)), Out::Time((23, 59, 59, 1_000)), Kind::Time),
        ("timestamp", In::Datetime(moment), Out::Datetime(moment), Kind::Datetime),
        (
            "timestamptz",
            In::Timestamp(1_795_293_000),
            Out::Datetime((2026, 11, 21, 20, 30, 0, 0)),
            Kind::Datetime,
        ),
        (
            "uuid",
            In::Uuid("00000000-0000-7000-8000-00000000000A".into()),
            Out::Uuid("00000000-0000-7000-8000-00000000000a".into()),
            Kind::Uuid,
        ),
        (
            "jsonb",
            In::Jsonb(b"{\"b\": [1, null]}".to_vec()),
            Out::Jsonb(b"{\"b\":[1,null]}".to_vec()),
            Kind::Jsonb,
        ),
        ("numeric", In::Decimal("-12.340".into()), Out::Decimal("-12.340".into()), Kind::Decimal),
        (
            "int4range",
            In::RangeInt32((Some((1, inclusive)), Some((5, inclusive)))),
            Out::RangeInt32((Some((1, inclusive)), Some((6, exclusive)))),
            Kind::RangeInt32,
        ),
        (
            "int8range",
            In::RangeInt64((None, Some((5, exclusive)))),
            Out::RangeInt64((None, Some((5, exclusive)))),
            Kind::RangeInt64,
        ),
        (
            "int8range",
            In::RangeInt64((Some((5, inclusive)), Some((1, inclusive)))),
            Out::RangeInt64((None, None)),
            Kind::RangeInt64,
        ),
        (
            "numrange",
            In::RangeDecimal(decimal_range.clone()),
            Out::RangeDecimal(decimal_range),
            Kind::RangeDecimal,
        ),
        (
            "int4[]",
            In::ArrayInt32(vec![Some(1), None]),
            Out::ArrayInt32(vec![Some(1), None]),
            Kind::ArrayInt32,
        ),
        ("int8[]", In::ArrayInt64(vec![]), Out::ArrayInt64(vec![]), Kind::ArrayInt64),
        ("numeric[]", In::ArrayDecimal(decimals.clone()), Out::ArrayDecimal(decimals), Kind::ArrayDecimal),
        ("text[]", In::ArrayStr(words.clone()), Out::ArrayStr(words), Kind::ArrayStr),
        ("interval", In::Interval(interval), Out::Interval(interval), Kind::Interval),
    ] {
        returns(&session, cast, given, expected, kind).await;
    }
}

#[tokio::test]
async fn what_the_interface_has_no_form_for_arrives_as_bytes_or_as_an_error_and_never_as_something_else() {
    let place = Place::new();
    let session = open(&place.pool()).await;
    let answer = session.query("SELECT '10.0.0.1'::inet AS it", &[]).await.unwrap();
    assert!(matches!(&answer.rows[0][..], [DbValue::Unsupported(bytes)] if bytes.ends_with(&[10, 0, 0, 1])));
    assert!(matches!(&answer.columns[0].data_type, DbDataType::Other(name) if name == "inet"));
    for sql in ["SELECT 'infinity'::timestamp", "SELECT 'NaN'::numeric", "SELECT 1e60::numeric"] {
        let answer = session.query(sql, &[]).await.unwrap();
        assert!(matches!(answer.fault, Some(Error::QueryFailed(QueryError::Text(_)))), "{sql}: {answer:?}");
    }
    assert_eq!(number(&session, "SELECT 1::int8").await, 1, "the connection goes on");
}

#[tokio::test]
async fn a_parameter_that_is_no_value_or_does_not_fit_is_refused_before_anything_runs() {
    use ParameterValue as In;
    let place = Place::new();
    let session = open(&place.pool()).await;
    run(&session, "CREATE TABLE trace (it int8)").await;
    for bad in [
        In::Date((2026, 2, 30)),
        In::Time((24, 0, 0, 0)),
        In::Uuid("no".into()),
        In::Jsonb(b"{".to_vec()),
        In::Decimal("1,5".into()),
        In::Timestamp(i64::MAX),
    ] {
        let refused =
            session.query("INSERT INTO trace SELECT 1 WHERE $1 IS NULL", std::slice::from_ref(&bad)).await;
        assert!(matches!(refused, Err(Error::BadParameter(_))), "{bad:?}: {refused:?}");
        let refused = session.execute("INSERT INTO trace SELECT 1 WHERE $1 IS NULL", &[bad]).await;
        assert!(matches!(refused, Err(Error::ValueConversionFailed(_))), "{refused:?}");
    }
    for (sql, values) in [
        ("INSERT INTO trace VALUES ($1)", vec![In::Str("1".into())]),
        ("INSERT INTO trace VALUES ($1)", vec![In::Int32(1)]),
        ("INSERT INTO trace VALUES ($1)", vec![]),
        ("INSERT INTO trace SELECT 1 FROM (SELECT $1::int4range) a", vec![In::RangeInt64((None, None))]),
        (
            "INSERT INTO trace SELECT 1 FROM (SELECT $1::text) a",
            vec![In::Interval(Interval { micros: 0, days: 0, months: 0 })],
        ),
    ] {
        let refused = session.query(sql, &values).await;
        assert!(matches!(refused, Err(Error::QueryFailed(QueryError::Text(_)))), "{sql}: {refused:?}");
    }
    let (inclusive, most) = (RangeBoundKind::Inclusive, i32::MAX);
    let refused = session
        .query("SELECT $1::int4range", &[In::RangeInt32((Some((1, inclusive)), Some((most, inclusive))))])
        .await;
    assert!(
        refused.as_ref().is_err_and(|error| code(error) == "22003"),
        "beyond the last number: {refused:?}"
    );
    assert_eq!(number(&session, "SELECT count(*) FROM trace").await, 0);
}

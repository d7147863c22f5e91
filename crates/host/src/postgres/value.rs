//! Rows of Postgres as a guest gets them.

use std::error::Error as StdError;

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike, Utc};
use rust_decimal::Decimal;
use tokio_postgres::Row;
use tokio_postgres::types::{FromSql, Type};
use uuid::Uuid;

use super::range::{Bounds, Range};
use crate::bindings::imports::spin::postgres::postgres::{Column, DbDataType, DbValue, Interval};

/// The columns of a statement.
pub(super) fn columns(columns: &[tokio_postgres::Column]) -> Vec<Column> {
    columns
        .iter()
        .map(|column| Column { name: column.name().to_owned(), data_type: data_type(column.type_()) })
        .collect()
}

fn data_type(ty: &Type) -> DbDataType {
    match *ty {
        Type::BOOL => DbDataType::Boolean,
        Type::BYTEA => DbDataType::Binary,
        Type::FLOAT4 => DbDataType::Floating32,
        Type::FLOAT8 => DbDataType::Floating64,
        Type::INT2 => DbDataType::Int16,
        Type::INT4 => DbDataType::Int32,
        Type::INT8 => DbDataType::Int64,
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => DbDataType::Str,
        Type::TIMESTAMP | Type::TIMESTAMPTZ => DbDataType::Datetime,
        Type::DATE => DbDataType::Date,
        Type::TIME => DbDataType::Time,
        Type::UUID => DbDataType::Uuid,
        Type::JSONB => DbDataType::Jsonb,
        Type::NUMERIC => DbDataType::Decimal,
        Type::INT4_RANGE => DbDataType::RangeInt32,
        Type::INT8_RANGE => DbDataType::RangeInt64,
        Type::NUM_RANGE => DbDataType::RangeDecimal,
        Type::INT4_ARRAY => DbDataType::ArrayInt32,
        Type::INT8_ARRAY => DbDataType::ArrayInt64,
        Type::NUMERIC_ARRAY => DbDataType::ArrayDecimal,
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => DbDataType::ArrayStr,
        Type::INTERVAL => DbDataType::Interval,
        _ => DbDataType::Other(ty.name().to_owned()),
    }
}

/// The values of a row. Fails where one has no form in the interface, such as a time that is infinite.
pub(super) fn values(row: &Row) -> anyhow::Result<Vec<DbValue>> {
    row.columns().iter().enumerate().map(|(index, column)| value(row, index, column.type_())).collect()
}

fn value(row: &Row, index: usize, ty: &Type) -> anyhow::Result<DbValue> {
    match *ty {
        Type::BOOL => read(row, index, DbValue::Boolean),
        Type::BYTEA => read(row, index, DbValue::Binary),
        Type::FLOAT4 => read(row, index, DbValue::Floating32),
        Type::FLOAT8 => read(row, index, DbValue::Floating64),
        Type::INT2 => read(row, index, DbValue::Int16),
        Type::INT4 => read(row, index, DbValue::Int32),
        Type::INT8 => read(row, index, DbValue::Int64),
        Type::TEXT | Type::VARCHAR | Type::BPCHAR => read(row, index, DbValue::Str),
        Type::TIMESTAMP => read(row, index, datetime),
        Type::TIMESTAMPTZ => read(row, index, |value: DateTime<Utc>| datetime(value.naive_utc())),
        Type::DATE => read(row, index, |value: NaiveDate| {
            DbValue::Date((value.year(), small(value.month()), small(value.day())))
        }),
        Type::TIME => read(row, index, |value: NaiveTime| {
            DbValue::Time((
                small(value.hour()),
                small(value.minute()),
                small(value.second()),
                value.nanosecond(),
            ))
        }),
        Type::UUID => read(row, index, |value: Uuid| DbValue::Uuid(value.to_string())),
        Type::JSONB => {
            read(row, index, |value: serde_json::Value| DbValue::Jsonb(value.to_string().into_bytes()))
        }
        Type::NUMERIC => read(row, index, |value: Decimal| DbValue::Decimal(value.to_string())),
        Type::INT4_RANGE => read(row, index, |Range(bounds)| DbValue::RangeInt32(bounds)),
        Type::INT8_RANGE => read(row, index, |Range(bounds)| DbValue::RangeInt64(bounds)),
        Type::NUM_RANGE => read(row, index, |Range((lower, upper)): Range<Decimal>| {
            let text = |bound: Option<(Decimal, _)>| bound.map(|(value, kind)| (value.to_string(), kind));
            let bounds: Bounds<String> = (text(lower), text(upper));
            DbValue::RangeDecimal(bounds)
        }),
        Type::INT4_ARRAY => read(row, index, DbValue::ArrayInt32),
        Type::INT8_ARRAY => read(row, index, DbValue::ArrayInt64),
        Type::NUMERIC_ARRAY => read(row, index, |values: Vec<Option<Decimal>>| {
            let text = |value: Option<Decimal>| value.map(|value| value.to_string());
            DbValue::ArrayDecimal(values.into_iter().map(text).collect())
        }),
        Type::TEXT_ARRAY | Type::VARCHAR_ARRAY | Type::BPCHAR_ARRAY => read(row, index, DbValue::ArrayStr),
        Type::INTERVAL => read(row, index, |Span(interval)| DbValue::Interval(interval)),
        _ => read(row, index, |Raw(bytes)| DbValue::Unsupported(bytes)),
    }
}

fn read<'a, T: FromSql<'a>>(
    row: &'a Row,
    index: usize,
    value: impl FnOnce(T) -> DbValue,
) -> anyhow::Result<DbValue> {
    Ok(row.try_get::<_, Option<T>>(index)?.map_or(DbValue::DbNull, value))
}

fn datetime(value: NaiveDateTime) -> DbValue {
    DbValue::Datetime((
        value.year(),
        small(value.month()),
        small(value.day()),
        small(value.hour()),
        small(value.minute()),
        small(value.second()),
        value.nanosecond(),
    ))
}

/// A part of a date or time, which is at most 59.
fn small(part: u32) -> u8 {
    u8::try_from(part).unwrap_or(u8::MAX)
}

/// An interval in its three parts.
struct Span(Interval);

impl<'a> FromSql<'a> for Span {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        let fault = "an interval of another length";
        let (micros, rest) = raw.split_first_chunk::<8>().ok_or(fault)?;
        let (days, rest) = rest.split_first_chunk::<4>().ok_or(fault)?;
        let (months, rest) = rest.split_first_chunk::<4>().ok_or(fault)?;
        if !rest.is_empty() {
            return Err(fault.into());
        }
        Ok(Self(Interval {
            micros: i64::from_be_bytes(*micros),
            days: i32::from_be_bytes(*days),
            months: i32::from_be_bytes(*months),
        }))
    }

    fn accepts(ty: &Type) -> bool {
        *ty == Type::INTERVAL
    }
}

/// A value of a type that the interface does not know, as Postgres sends it.
struct Raw(Vec<u8>);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(_: &Type, raw: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        Ok(Self(raw.to_owned()))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}

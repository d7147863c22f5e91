//! A guest's parameters as Postgres takes them.

use std::error::Error as StdError;

use anyhow::Context;
use bytes::{BufMut, BytesMut};
use chrono::{DateTime, NaiveDate, NaiveDateTime, NaiveTime, Utc};
use rust_decimal::Decimal;
use tokio_postgres::types::{IsNull, Kind, ToSql, Type, WrongType};
use uuid::Uuid;

use super::range::{Bounds, write_range};
use crate::bindings::imports::spin::postgres::postgres::{Interval, ParameterValue};

/// A parameter whose value is known to be one. Which types of Postgres it fits is seen when the statement is known.
#[derive(Debug)]
pub(super) enum Parameter<'a> {
    Boolean(bool),
    Int8(i8),
    Int16(i16),
    Int32(i32),
    Int64(i64),
    Floating32(f32),
    Floating64(f64),
    Str(&'a str),
    Binary(&'a [u8]),
    Date(NaiveDate),
    Time(NaiveTime),
    Datetime(NaiveDateTime),
    Timestamp(DateTime<Utc>),
    Uuid(Uuid),
    Jsonb(serde_json::Value),
    Decimal(Decimal),
    RangeInt32(Bounds<i32>),
    RangeInt64(Bounds<i64>),
    RangeDecimal(Bounds<Decimal>),
    ArrayInt32(&'a [Option<i32>]),
    ArrayInt64(&'a [Option<i64>]),
    ArrayDecimal(Vec<Option<Decimal>>),
    ArrayStr(&'a [Option<String>]),
    Interval(Interval),
    Null,
}

/// All of a statement's parameters. Fails where one is no value of its kind, such as the 31st of June.
pub(super) fn parameters(values: &[ParameterValue]) -> anyhow::Result<Vec<Parameter<'_>>> {
    values.iter().map(parameter).collect()
}

fn parameter(value: &ParameterValue) -> anyhow::Result<Parameter<'_>> {
    Ok(match value {
        ParameterValue::Boolean(value) => Parameter::Boolean(*value),
        ParameterValue::Int8(value) => Parameter::Int8(*value),
        ParameterValue::Int16(value) => Parameter::Int16(*value),
        ParameterValue::Int32(value) => Parameter::Int32(*value),
        ParameterValue::Int64(value) => Parameter::Int64(*value),
        ParameterValue::Floating32(value) => Parameter::Floating32(*value),
        ParameterValue::Floating64(value) => Parameter::Floating64(*value),
        ParameterValue::Str(value) => Parameter::Str(value),
        ParameterValue::Binary(value) => Parameter::Binary(value),
        ParameterValue::Date((year, month, day)) => Parameter::Date(date(*year, *month, *day)?),
        ParameterValue::Time((hour, minute, second, nanosecond)) => {
            Parameter::Time(time(*hour, *minute, *second, *nanosecond)?)
        }
        ParameterValue::Datetime((year, month, day, hour, minute, second, nanosecond)) => {
            let time = time(*hour, *minute, *second, *nanosecond)?;
            Parameter::Datetime(date(*year, *month, *day)?.and_time(time))
        }
        ParameterValue::Timestamp(seconds) => Parameter::Timestamp(
            DateTime::from_timestamp(*seconds, 0)
                .with_context(|| format!("no time is {seconds} s after 1970"))?,
        ),
        ParameterValue::Uuid(text) => {
            Parameter::Uuid(Uuid::parse_str(text).with_context(|| format!("{text:?} is not a UUID"))?)
        }
        ParameterValue::Jsonb(text) => {
            Parameter::Jsonb(serde_json::from_slice(text).context("a parameter is not JSON")?)
        }
        ParameterValue::Decimal(text) => Parameter::Decimal(decimal(text)?),
        ParameterValue::RangeInt32(bounds) => Parameter::RangeInt32(*bounds),
        ParameterValue::RangeInt64(bounds) => Parameter::RangeInt64(*bounds),
        ParameterValue::RangeDecimal((lower, upper)) => {
            let bound = |bound: &Option<(String, _)>| -> anyhow::Result<_> {
                bound.as_ref().map(|(text, kind)| Ok((decimal(text)?, *kind))).transpose()
            };
            Parameter::RangeDecimal((bound(lower)?, bound(upper)?))
        }
        ParameterValue::ArrayInt32(values) => Parameter::ArrayInt32(values),
        ParameterValue::ArrayInt64(values) => Parameter::ArrayInt64(values),
        ParameterValue::ArrayDecimal(values) => Parameter::ArrayDecimal(
            values
                .iter()
                .map(|value| value.as_deref().map(decimal).transpose())
                .collect::<anyhow::Result<_>>()?,
        ),
        ParameterValue::ArrayStr(values) => Parameter::ArrayStr(values),
        ParameterValue::Interval(interval) => Parameter::Interval(*interval),
        ParameterValue::DbNull => Parameter::Null,
    })
}

fn date(year: i32, month: u8, day: u8) -> anyhow::Result<NaiveDate> {
    NaiveDate::from_ymd_opt(year, month.into(), day.into())
        .with_context(|| format!("there is no date {year}-{month}-{day}"))
}

fn time(hour: u8, minute: u8, second: u8, nanosecond: u32) -> anyhow::Result<NaiveTime> {
    NaiveTime::from_hms_nano_opt(hour.into(), minute.into(), second.into(), nanosecond)
        .with_context(|| format!("there is no time {hour}:{minute}:{second} and {nanosecond} ns"))
}

fn decimal(text: &str) -> anyhow::Result<Decimal> {
    Decimal::from_str_exact(text).with_context(|| format!("{text:?} is not a decimal number of 28 digits"))
}

type Written = Result<IsNull, Box<dyn StdError + Sync + Send>>;

impl ToSql for Parameter<'_> {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Written {
        match self {
            Self::Boolean(value) => value.to_sql_checked(ty, out),
            Self::Int8(value) => value.to_sql_checked(ty, out),
            Self::Int16(value) => value.to_sql_checked(ty, out),
            Self::Int32(value) => value.to_sql_checked(ty, out),
            Self::Int64(value) => value.to_sql_checked(ty, out),
            Self::Floating32(value) => value.to_sql_checked(ty, out),
            Self::Floating64(value) => value.to_sql_checked(ty, out),
            Self::Str(value) => value.to_sql_checked(ty, out),
            Self::Binary(value) => value.to_sql_checked(ty, out),
            Self::Date(value) => value.to_sql_checked(ty, out),
            Self::Time(value) => value.to_sql_checked(ty, out),
            Self::Datetime(value) => value.to_sql_checked(ty, out),
            Self::Timestamp(value) => value.to_sql_checked(ty, out),
            Self::Uuid(value) => value.to_sql_checked(ty, out),
            Self::Jsonb(value) => value.to_sql_checked(ty, out),
            Self::Decimal(value) => value.to_sql_checked(ty, out),
            Self::RangeInt32(bounds) => range(bounds, ty, out),
            Self::RangeInt64(bounds) => range(bounds, ty, out),
            Self::RangeDecimal(bounds) => range(bounds, ty, out),
            Self::ArrayInt32(values) => values.to_sql_checked(ty, out),
            Self::ArrayInt64(values) => values.to_sql_checked(ty, out),
            Self::ArrayDecimal(values) => values.to_sql_checked(ty, out),
            Self::ArrayStr(values) => values.to_sql_checked(ty, out),
            Self::Interval(interval) => {
                if *ty != Type::INTERVAL {
                    return Err(Box::new(WrongType::new::<Interval>(ty.clone())));
                }
                out.put_i64(interval.micros);
                out.put_i32(interval.days);
                out.put_i32(interval.months);
                Ok(IsNull::No)
            }
            Self::Null => Ok(IsNull::Yes),
        }
    }

    /// Every parameter looks at the type itself: which it fits depends on its value.
    fn accepts(_: &Type) -> bool {
        true
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Written {
        self.to_sql(ty, out)
    }
}

fn range<T: ToSql + PartialOrd>(bounds: &Bounds<T>, ty: &Type, out: &mut BytesMut) -> Written {
    match ty.kind() {
        Kind::Range(inner) if T::accepts(inner) => write_range(bounds, inner, out),
        _ => Err(Box::new(WrongType::new::<Bounds<T>>(ty.clone()))),
    }
}

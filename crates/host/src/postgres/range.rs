//! Ranges on their way between the form of the interface and that of Postgres.

use std::error::Error as StdError;

use bytes::{BufMut, BytesMut};
use tokio_postgres::types::{FromSql, IsNull, Kind, ToSql, Type};

use crate::bindings::imports::spin::postgres::postgres::RangeBoundKind;

/// The lower and the upper bound; none is open. The interface has no empty range: like Spin, this host shows one as open on both sides.
pub(super) type Bounds<T> = (Option<(T, RangeBoundKind)>, Option<(T, RangeBoundKind)>);

type Fault = Box<dyn StdError + Sync + Send>;

const EMPTY: u8 = 0x01;
const LOWER_INCLUSIVE: u8 = 0x02;
const UPPER_INCLUSIVE: u8 = 0x04;
const LOWER_OPEN: u8 = 0x08;
const UPPER_OPEN: u8 = 0x10;

/// Writes a range of `inner`. Bounds in the wrong order make an empty one.
pub(super) fn write_range<T: ToSql + PartialOrd>(
    (lower, upper): &Bounds<T>,
    inner: &Type,
    out: &mut BytesMut,
) -> Result<IsNull, Fault> {
    if let (Some((low, _)), Some((high, _))) = (lower, upper)
        && low > high
    {
        out.put_u8(EMPTY);
        return Ok(IsNull::No);
    }
    let flag = |bound: &Option<(T, RangeBoundKind)>, open, inclusive| match bound {
        None => open,
        Some((_, RangeBoundKind::Inclusive)) => inclusive,
        Some((_, RangeBoundKind::Exclusive)) => 0,
    };
    out.put_u8(flag(lower, LOWER_OPEN, LOWER_INCLUSIVE) | flag(upper, UPPER_OPEN, UPPER_INCLUSIVE));
    for (value, _) in lower.iter().chain(upper) {
        let mut bytes = BytesMut::new();
        if matches!(value.to_sql(inner, &mut bytes)?, IsNull::Yes) {
            return Err("a bound of a range cannot be NULL".into());
        }
        out.put_i32(i32::try_from(bytes.len())?);
        out.put_slice(&bytes);
    }
    Ok(IsNull::No)
}

/// A range that was read.
pub(super) struct Range<T>(pub(super) Bounds<T>);

impl<'a, T: FromSql<'a>> FromSql<'a> for Range<T> {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> Result<Self, Fault> {
        let Kind::Range(inner) = ty.kind() else { return Err("not a range".into()) };
        let (&flags, mut rest) = raw.split_first().ok_or("a range without flags")?;
        if flags & EMPTY != 0 {
            return Ok(Self((None, None)));
        }
        let mut bound = |open, inclusive| -> Result<_, Fault> {
            if flags & open != 0 {
                return Ok(None);
            }
            let (length, after) = rest.split_first_chunk::<4>().ok_or("a range that ends early")?;
            let length = usize::try_from(i32::from_be_bytes(*length))?;
            let (value, after) = after.split_at_checked(length).ok_or("a range that ends early")?;
            rest = after;
            let kind =
                if flags & inclusive != 0 { RangeBoundKind::Inclusive } else { RangeBoundKind::Exclusive };
            Ok(Some((T::from_sql(inner, value)?, kind)))
        };
        let lower = bound(LOWER_OPEN, LOWER_INCLUSIVE)?;
        let upper = bound(UPPER_OPEN, UPPER_INCLUSIVE)?;
        Ok(Self((lower, upper)))
    }

    fn accepts(ty: &Type) -> bool {
        matches!(ty.kind(), Kind::Range(inner) if T::accepts(inner))
    }
}

//! How counts, moments and spans of time are written in sentences for people.

use jiff::Timestamp;

/// Milliseconds in a minute.
const MINUTE_MS: u64 = 60 * 1_000;
/// Minutes in an hour.
const HOUR_MINUTES: u64 = 60;
/// Minutes in a day.
const DAY_MINUTES: u64 = 24 * HOUR_MINUTES;

/// So many of something: the word for one, and the word for any other number.
#[must_use]
pub fn count(number: impl Into<i128>, one: &str, many: &str) -> String {
    let number = number.into();
    format!("{number} {}", if number == 1 { one } else { many })
}

/// How often: once, twice, 3 times.
#[must_use]
pub fn times(number: u64) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{number} times"),
    }
}

/// A moment (ms since 1970), to the minute: `2026-11-21 14:11 UTC`. One that no calendar holds is the last one that does.
#[must_use]
pub fn moment(ms: u64) -> String {
    let moment = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    moment.unwrap_or(Timestamp::MAX).strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// A span of time (ms) in its two largest units, rounded down: `2 days and 5 hours`.
#[must_use]
pub fn span(ms: u64) -> String {
    let minutes = ms / MINUTE_MS;
    let (large, small) = match minutes {
        0 => return "less than a minute".to_owned(),
        1..HOUR_MINUTES => return count(minutes, "minute", "minutes"),
        HOUR_MINUTES..DAY_MINUTES => (
            count(minutes / HOUR_MINUTES, "hour", "hours"),
            Some(minutes % HOUR_MINUTES)
                .filter(|rest| *rest > 0)
                .map(|rest| count(rest, "minute", "minutes")),
        ),
        _ => (
            count(minutes / DAY_MINUTES, "day", "days"),
            Some(minutes % DAY_MINUTES / HOUR_MINUTES)
                .filter(|rest| *rest > 0)
                .map(|rest| count(rest, "hour", "hours")),
        ),
    };
    match small {
        Some(small) => format!("{large} and {small}"),
        None => large,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_singular_and_none_is_plural() {
        assert_eq!(count(0_u64, "order", "orders"), "0 orders");
        assert_eq!(count(1_i64, "order", "orders"), "1 order");
        assert_eq!(count(u64::MAX, "order", "orders"), "18446744073709551615 orders");
    }

    #[test]
    fn often_is_said_as_people_say_it() {
        assert_eq!([0, 1, 2, 3].map(times), ["0 times", "once", "twice", "3 times"]);
    }

    #[test]
    fn a_moment_is_read_in_utc_to_the_minute() {
        assert_eq!(moment(0), "1970-01-01 00:00 UTC");
        assert_eq!(moment(1_795_253_459_999), "2026-11-21 09:30 UTC");
    }

    #[test]
    fn a_moment_beyond_every_calendar_is_still_one() {
        assert!(moment(u64::MAX).ends_with("UTC"));
    }

    #[test]
    fn a_span_has_two_units_at_most_and_none_that_is_zero() {
        let minutes = |minutes: u64| span(minutes * MINUTE_MS);
        assert_eq!(span(59_999), "less than a minute");
        assert_eq!(minutes(1), "1 minute");
        assert_eq!(minutes(59), "59 minutes");
        assert_eq!(minutes(60), "1 hour");
        assert_eq!(minutes(125), "2 hours and 5 minutes");
        assert_eq!(minutes(24 * 60 + 59), "1 day");
        assert_eq!(minutes(49 * 60 + 1), "2 days and 1 hour");
    }
}

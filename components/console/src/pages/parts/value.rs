//! Values. What is written is for people; the exact value is in an attribute, where a reader finds it by pointing and `console.js` to
//! write it as the reader's browser does.

use crate::pages::words::Words;
use jiff::Timestamp;
use maud::{Markup, html};
use restock_bindings::types::Money;

/// Milliseconds in the units of a span of time, from days to milliseconds.
const SPAN_UNITS_MS: [u64; 5] = [24 * 60 * 60 * 1_000, 60 * 60 * 1_000, 60 * 1_000, 1_000, 1];
/// How many characters of an id tell it from others at a glance: those behind the moment that it begins with.
const ID_TAIL: usize = 8;

/// How something is doing. Shown by a shape beside the words, and by a colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// As it should be.
    Good,
    /// Under way.
    Busy,
    /// Somebody should look.
    Warn,
    /// Wrong.
    Bad,
    /// Neither.
    Plain,
}

/// A state in a word.
pub(crate) fn badge(tone: Tone, text: &str) -> Markup {
    let class = match tone {
        Tone::Good => "badge good",
        Tone::Busy => "badge busy",
        Tone::Warn => "badge warn",
        Tone::Bad => "badge bad",
        Tone::Plain => "badge plain",
    };
    html! { span class=(class) { (text) } }
}

/// A whole number, with its thousands set apart.
pub(crate) fn number(value: impl Into<i128>) -> Markup {
    let value = value.into();
    html! { data class="number" value=(value) data-as="number" { (grouped(value)) } }
}

/// A number of units, with the word.
pub(crate) fn units(words: &Words, value: i64) -> Markup {
    (words.shared.units)(value.unsigned_abs(), number(value))
}

/// A number that is not whole, to one digit; all digits that are known on pointing.
pub(crate) fn decimal(value: f64) -> Markup {
    html! { data class="number" value=(value) title=(value) data-as="decimal" { (format!("{value:.1}")) } }
}

/// An amount of money.
pub(crate) fn money(money: &Money) -> Markup {
    let digits = minor_digits(&money.currency);
    let exact = major(money.amount, digits);
    html! {
        data class="number" value=(exact) title={ (exact) " " (money.currency) } data-as="money" data-currency=(money.currency) {
            (money.currency) " " (exact)
        }
    }
}

/// Digits behind the point, for the currencies that have not two (ISO 4217).
fn minor_digits(currency: &str) -> usize {
    match currency {
        "BIF" | "CLP" | "DJF" | "GNF" | "ISK" | "JPY" | "KMF" | "KRW" | "PYG" | "RWF" | "UGX" | "VND"
        | "VUV" | "XAF" | "XOF" | "XPF" => 0,
        "BHD" | "IQD" | "JOD" | "KWD" | "LYD" | "OMR" | "TND" => 3,
        _ => 2,
    }
}

fn major(amount: i64, digits: usize) -> String {
    let sign = if amount < 0 { "-" } else { "" };
    let text = format!("{:0width$}", amount.unsigned_abs(), width = digits + 1);
    let (whole, fraction) = text.split_at(text.len() - digits);
    if fraction.is_empty() { format!("{sign}{whole}") } else { format!("{sign}{whole}.{fraction}") }
}

fn grouped(value: i128) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::new();
    if value < 0 {
        text.push('−');
    }
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn timestamp(ms: u64) -> Timestamp {
    let moment = i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
    // A moment that no calendar holds can only come from a broken store; it is shown as the last one.
    moment.unwrap_or(Timestamp::MAX)
}

/// A moment (ms since 1970) as RFC 3339 in UTC, exactly.
pub(crate) fn exact(ms: u64) -> String {
    format!("{:.3}", timestamp(ms))
}

/// A moment (ms since 1970), to the second.
pub(crate) fn moment(ms: u64) -> Markup {
    let exact = exact(ms);
    html! {
        time datetime=(exact) title=(exact) data-as="moment" { (timestamp(ms).strftime("%Y-%m-%d %H:%M:%S UTC")) }
    }
}

/// How long before `now_ms` a moment was; the moment itself on pointing.
pub(crate) fn since(words: &Words, ms: u64, now_ms: u64) -> Markup {
    let exact = exact(ms);
    html! { time datetime=(exact) title=(exact) { ((words.shared.ago)(spelled(words, whole_seconds(now_ms.saturating_sub(ms))))) } }
}

/// When something is due, seen from `now_ms`, and how late it is where that is over; the moment itself on pointing.
pub(crate) fn due(words: &Words, ms: u64, now_ms: u64) -> Markup {
    let exact = exact(ms);
    let text = if ms < now_ms {
        html! { strong class="late" { ((words.shared.late)(spelled(words, whole_seconds(now_ms - ms)))) } }
    } else {
        (words.shared.from_now)(spelled(words, whole_seconds(ms - now_ms)))
    };
    html! { time datetime=(exact) title=(exact) { (text) } }
}

/// A span of time (ms) in its two largest units, which no line breaks apart; its seconds on pointing.
pub(crate) fn span(words: &Words, ms: u64) -> Markup {
    let seconds = major(i64::try_from(ms).unwrap_or(i64::MAX), 3);
    html! { data class="number" value=(seconds) title={ (seconds) "\u{a0}s" } { (spelled(words, ms)) } }
}

/// What is told of the present needs no milliseconds.
fn whole_seconds(ms: u64) -> u64 {
    ms / 1_000 * 1_000
}

fn spelled(words: &Words, ms: u64) -> Markup {
    let mut rest = ms;
    let mut parts = Vec::new();
    let mut first_shown = None;
    for (index, (unit_ms, unit)) in SPAN_UNITS_MS.into_iter().zip(words.shared.span_units).enumerate() {
        let count = rest / unit_ms;
        rest %= unit_ms;
        // Milliseconds are of interest beside nothing larger.
        let too_small = index == 4 && first_shown.is_some();
        if count == 0 || too_small {
            continue;
        }
        // The second unit is the next one, or none: nobody needs the seconds of three days.
        if first_shown.is_some_and(|first| index > first + 1) {
            break;
        }
        first_shown.get_or_insert(index);
        parts.push((count, unit));
        if parts.len() == 2 {
            break;
        }
    }
    if parts.is_empty() {
        parts.push((0, words.shared.span_units.get(3).copied().unwrap_or_default()));
    }
    html! {
        @for (index, (count, unit)) in parts.iter().enumerate() { @if index > 0 { "\u{a0}" } (count) (unit) }
    }
}

/// A text of the shop's own, of any script: it runs in its own direction and disturbs nothing around it.
pub(crate) fn named(text: &str) -> Markup {
    html! { bdi { (text) } }
}

/// A text for programs: an id, a kind of error.
pub(crate) fn code(text: &str) -> Markup {
    html! { code { (text) } }
}

/// An id by its end, where the beginning is a moment that neighbours share; all of it on pointing.
pub(crate) fn short_id(id: &str) -> Markup {
    let tail: String = match id.char_indices().rev().nth(ID_TAIL - 1) {
        Some((at, _)) if at > 0 => format!("…{}", id.get(at..).unwrap_or_default()),
        _ => id.to_owned(),
    };
    html! { code title=(id) { (tail) } }
}

/// The trace of a W3C trace context, for a search in logs; nothing where there is none.
pub(crate) fn trace(traceparent: Option<&str>) -> Option<Markup> {
    let id = traceparent?.split('-').nth(1)?;
    Some(code(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::words::{ENGLISH, KOREAN};

    #[test]
    fn numbers_are_set_apart_by_thousands() {
        for (value, text) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (-1_234_567, "−1,234,567"),
            (i64::MIN, "−9,223,372,036,854,775,808"),
        ] {
            assert_eq!(grouped(value.into()), text);
        }
    }

    #[test]
    fn money_has_the_digits_of_its_currency() {
        assert_eq!(major(19_900, minor_digits("KRW")), "19900");
        assert_eq!(major(19_905, minor_digits("EUR")), "199.05");
        assert_eq!(major(-5, minor_digits("USD")), "-0.05");
        assert_eq!(major(1, minor_digits("KWD")), "0.001");
    }

    #[test]
    fn a_span_is_told_in_its_two_largest_units() {
        let text = |words, ms| spelled(words, ms).into_string();
        let (second, minute, hour, day) = (1_000, 60_000, 3_600_000, 86_400_000);
        for (ms, english) in [
            (0, "0\u{a0}s"),
            (7, "7\u{a0}ms"),
            (second + 7, "1\u{a0}s"),
            (2 * minute + 3 * second, "2\u{a0}min\u{a0}3\u{a0}s"),
            (hour + 5 * second, "1\u{a0}h"),
            (hour + 5 * minute, "1\u{a0}h\u{a0}5\u{a0}min"),
            (9 * day + 23 * hour + 59 * minute, "9\u{a0}d\u{a0}23\u{a0}h"),
        ] {
            assert_eq!(text(&ENGLISH, ms), english);
        }
        assert_eq!(text(&KOREAN, 2 * minute + 3 * second), "2분\u{a0}3초");
    }

    #[test]
    fn what_is_late_is_said_to_be() {
        assert!(due(&ENGLISH, 1_000, 61_000).into_string().contains("1\u{a0}min late"));
        assert!(due(&ENGLISH, 61_000, 1_000).into_string().contains("in 1\u{a0}min"));
    }

    #[test]
    fn an_id_is_told_by_its_end_and_known_as_a_whole() {
        let id = "019ad0c1-0000-7000-8000-0123456789ab";
        assert_eq!(short_id(id).into_string(), format!("<code title=\"{id}\">…456789ab</code>"));
        assert_eq!(short_id("부산").into_string(), "<code title=\"부산\">부산</code>");
    }
}

//! Where a shipment is: `{"data":[{"return_status":"…"},…]}`, oldest status first.

use crate::answer::{Answer, Outcome};
use crate::data::{self, Fault};
use crate::request::DELIVERED;
use restock_domain::text::one_line;
use serde_json::value::RawValue;

/// The most statuses that are kept of one answer.
pub const STATUSES_MAX: usize = 32;
/// The longest status that is kept, in characters.
pub const STATUS_CHARACTERS_MAX: usize = 100;

/// What the partner says of a shipment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracked {
    /// Every status that it had, each once, at the place of its last mention. Empty: the partner does not know the number, or
    /// nothing of it, or not yet.
    pub statuses: Vec<String>,
}

impl Tracked {
    /// Whether the partner knows the number, and something of it.
    #[must_use]
    pub fn is_known(&self) -> bool {
        !self.statuses.is_empty()
    }

    /// Whether the parcel is back: at any place of the list, because partners go on after that.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.statuses.iter().any(|status| is_delivered(status))
    }

    fn note(&mut self, status: String) {
        self.statuses.retain(|known| *known != status);
        self.statuses.push(status);
        if self.statuses.len() > STATUSES_MAX {
            // Whatever is forgotten, it is not the one that matters.
            let oldest = self.statuses.iter().position(|status| !is_delivered(status));
            self.statuses.remove(oldest.unwrap_or_default());
        }
    }
}

/// Reads the answer to the question where a shipment is. A number that the partner does not know is a good answer without statuses,
/// and so is one of a parcel that was registered and has no status yet, however its records say that.
#[must_use]
pub fn read(answer: &Answer<'_>) -> Outcome<Tracked> {
    if answer.status == 404 {
        return Outcome::Good(Tracked::default());
    }
    if let Err(outcome) = answer.success() {
        return outcome;
    }
    let mut tracked = Tracked::default();
    let read = data::read(&String::from_utf8_lossy(answer.body), |raw| {
        if let Some(status) = status(raw) {
            tracked.note(status);
        }
    });
    match read {
        Ok(_) => Outcome::Good(tracked),
        Err(Fault::Form(words)) => answer.unusable(&words),
        Err(Fault::TooLong) => {
            Outcome::TooLarge(format!("the answer has more than {} records", data::RECORDS_MAX))
        }
    }
}

fn status(raw: &RawValue) -> Option<String> {
    let [status] = data::fields(raw, ["return_status"]).ok()?;
    let status: String = serde_json::from_str(status?.get()).ok()?;
    let status = one_line(&status, STATUS_CHARACTERS_MAX);
    (!status.is_empty()).then_some(status)
}

fn is_delivered(status: &str) -> bool {
    status.trim().eq_ignore_ascii_case(DELIVERED)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::tests::answered;
    use proptest::prelude::*;
    use serde_json::json;

    fn tracked(statuses: &[&str]) -> Tracked {
        let records: Vec<_> = statuses.iter().map(|status| json!({ "return_status": status })).collect();
        good(&json!({ "data": records }).to_string())
    }

    fn good(body: &str) -> Tracked {
        match answered(200, body.as_bytes(), read) {
            Outcome::Good(tracked) => tracked,
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn statuses_keep_the_partners_order() {
        let seen = tracked(&["registered", "collected", "in_transit"]);
        assert_eq!(seen.statuses, ["registered", "collected", "in_transit"]);
        assert!(seen.is_known() && !seen.is_delivered());
    }

    #[test]
    fn a_status_that_comes_again_stands_where_it_came_last() {
        assert_eq!(tracked(&["in_transit", "held", "in_transit"]).statuses, ["held", "in_transit"]);
    }

    #[test]
    fn delivered_counts_wherever_and_however_it_is_written() {
        for statuses in
            [&["delivered"][..], &["delivered", "archived"], &[" Delivered\n"], &["x", "DELIVERED"]]
        {
            assert!(tracked(statuses).is_delivered(), "{statuses:?}");
        }
        for statuses in [&["undelivered"][..], &["delivered soon"], &["deliv ered"], &["배달됨"]] {
            assert!(!tracked(statuses).is_delivered(), "{statuses:?}");
        }
    }

    #[test]
    fn delivered_is_not_lost_among_more_statuses_than_are_kept() {
        let others: Vec<_> = (0..50).map(|number| format!("stop {number}")).collect();
        let all: Vec<_> = ["delivered"].into_iter().chain(others.iter().map(String::as_str)).collect();
        let seen = tracked(&all);
        assert!(seen.is_delivered());
        assert_eq!((seen.statuses.len(), seen.statuses[1].as_str()), (STATUSES_MAX, "stop 19"));
    }

    #[test]
    fn an_empty_list_and_a_404_say_that_the_number_is_unknown() {
        assert!(!tracked(&[]).is_known());
        assert_eq!(answered(404, b"<html>no such page", read), Outcome::Good(Tracked::default()));
    }

    #[test]
    fn records_without_a_status_are_passed_over() {
        let seen =
            good(r#"{"data":[{},{"return_status":null},7,{"return_status":"a\nb"},{"return_status":" "}]}"#);
        assert_eq!(seen.statuses, ["a b"]);
    }

    #[test]
    fn a_list_without_any_status_says_that_nothing_is_known_yet() {
        for records in [r#"{"return_status":null}"#, r#"{"return_status":""}"#, "{}", "null", "7"] {
            assert_eq!(good(&format!(r#"{{"data":[{records}]}}"#)), Tracked::default(), "{records}");
        }
    }

    #[test]
    fn what_is_no_list_is_unusable() {
        for body in ["oops", "", "[]", "{}", r#"{"data":{"return_status":"delivered"}}"#, r#"{"data":null}"#]
        {
            assert!(matches!(answered(200, body.as_bytes(), read), Outcome::Unusable(_)), "{body}");
        }
    }

    #[test]
    fn a_number_that_the_partner_will_not_look_up_is_refused() {
        for status in [400, 410, 414, 422] {
            assert!(matches!(answered(status, b"", read), Outcome::Refused(_)), "{status}");
        }
        for status in [302, 401, 403, 429, 500, 503] {
            assert!(matches!(answered(status, b"", read), Outcome::Failing(_)), "{status}");
        }
    }

    proptest! {
        #[test]
        fn what_is_kept_holds_its_limits_and_repeats_nothing(
            statuses in proptest::collection::vec("(?s).{0,120}|[a-c]", 0..80),
        ) {
            let seen = tracked(&[&["x"], &statuses.iter().map(String::as_str).collect::<Vec<_>>()[..]].concat());
            prop_assert!((1..=STATUSES_MAX).contains(&seen.statuses.len()));
            for (place, status) in seen.statuses.iter().enumerate() {
                prop_assert!((1..=STATUS_CHARACTERS_MAX).contains(&status.chars().count()));
                prop_assert!(!seen.statuses[..place].contains(status));
            }
        }

        #[test]
        fn any_bytes_are_read_without_a_panic(status: u16, body: Vec<u8>, inside: Vec<u8>) {
            let _ = answered(status, &body, read);
            let _ = answered(200, &[&br#"{"data":["#[..], &inside, b"]}"].concat(), read);
        }
    }
}

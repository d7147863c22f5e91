//! Whether the partner took a report: only `{"data":{"result":true}}` says so. What was delivered has to be reported, so every other
//! answer is one to try again after. They differ in what they say of the partner.

use crate::answer::{Answer, Outcome};
use serde_json::Value;

/// What became of a report, at a partner that works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reported {
    /// The partner took it.
    Taken,
    /// It does not take this one, now. In words.
    NotTaken(String),
}

/// Reads the answer to a report. None is [`Outcome::Refused`]: a partner that refuses this one report is as well as one that answers
/// that it did not take it, and either can change.
#[must_use]
pub fn read(answer: &Answer<'_>) -> Outcome<Reported> {
    match answer.success() {
        Ok(()) => {}
        Err(Outcome::Refused(words)) => return Outcome::Good(Reported::NotTaken(words)),
        Err(outcome) => return outcome,
    }
    let document: Value = match serde_json::from_slice(answer.body) {
        Ok(document) => document,
        Err(error) => return answer.unusable(&format!("the answer is not JSON: {error}")),
    };
    match document.pointer("/data/result") {
        Some(Value::Bool(true)) => Outcome::Good(Reported::Taken),
        Some(Value::Bool(false)) => Outcome::Good(Reported::NotTaken(
            "the partner answered that it did not take the report".to_owned(),
        )),
        _ => answer.unusable("the answer has no data.result that is true or false"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::tests::answered;
    use proptest::prelude::*;

    fn taken(body: &str) -> Outcome<Reported> {
        answered(200, body.as_bytes(), read)
    }

    fn is_not_taken(outcome: &Outcome<Reported>) -> bool {
        matches!(outcome, Outcome::Good(Reported::NotTaken(_)))
    }

    #[test]
    fn only_true_is_a_report_that_was_taken() {
        let good = Outcome::Good(Reported::Taken);
        assert_eq!(taken(r#"{"data":{"result":true}}"#), good);
        assert_eq!(answered(201, br#"{"data":{"result":true,"id":7},"x":1}"#, read), good);
        assert!(is_not_taken(&taken(r#"{"data":{"result":false}}"#)));
        for body in [
            "",
            "true",
            "<html>",
            "{}",
            r#"{"data":true}"#,
            r#"{"result":true}"#,
            r#"{"data":{"result":"true"}}"#,
            r#"{"data":{"result":1}}"#,
            r#"{"data":{"result":null}}"#,
            r#"{"data":[{"result":true}]}"#,
        ] {
            assert!(matches!(taken(body), Outcome::Unusable(_)), "{body}");
        }
    }

    #[test]
    fn a_status_that_is_no_success_is_believed_over_its_body() {
        for status in [301, 401, 403, 407, 408, 429, 500, 502, 503] {
            let outcome = answered(status, br#"{"data":{"result":true}}"#, read);
            assert!(matches!(outcome, Outcome::Failing(_)), "{status}: {outcome:?}");
        }
    }

    #[test]
    fn a_refusal_of_one_report_is_the_word_of_a_partner_that_works() {
        for status in [400, 404, 409, 410, 422] {
            let outcome = answered(status, br#"{"data":{"result":true}}"#, read);
            assert!(is_not_taken(&outcome), "{status}: {outcome:?}");
            assert!(format!("{outcome:?}").contains(&format!("answered {status}")), "{outcome:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(status: u16, body: Vec<u8>) {
            let _ = answered(status, &body, read);
        }
    }
}

//! Whether the partner took a report: only `{"data":{"result":true}}` says so.

use crate::answer::{Answer, Outcome};
use serde_json::Value;

/// Reads the answer to a report: whether the partner took it.
#[must_use]
pub fn read(answer: &Answer<'_>) -> Outcome<bool> {
    match answer.success() {
        Ok(()) => {}
        // What was delivered has to be reported: whatever is wrong has to be put right, here or there, and then it is tried again.
        Err(Outcome::Refused(words)) => return Outcome::Failing(words),
        Err(outcome) => return outcome,
    }
    let document: Value = match serde_json::from_slice(answer.body) {
        Ok(document) => document,
        Err(error) => return answer.unusable(&format!("the answer is not JSON: {error}")),
    };
    match document.pointer("/data/result") {
        Some(Value::Bool(taken)) => Outcome::Good(*taken),
        _ => answer.unusable("the answer has no data.result that is true or false"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::tests::answered;
    use proptest::prelude::*;

    fn taken(body: &str) -> Outcome<bool> {
        answered(200, body.as_bytes(), read)
    }

    #[test]
    fn only_true_is_a_report_that_was_taken() {
        assert_eq!(taken(r#"{"data":{"result":true}}"#), Outcome::Good(true));
        assert_eq!(answered(201, br#"{"data":{"result":true,"id":7},"x":1}"#, read), Outcome::Good(true));
        assert_eq!(taken(r#"{"data":{"result":false}}"#), Outcome::Good(false));
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
        for status in [301, 400, 401, 403, 404, 409, 422, 429, 500, 503] {
            let outcome = answered(status, br#"{"data":{"result":true}}"#, read);
            assert!(matches!(outcome, Outcome::Failing(_)), "{status}: {outcome:?}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(status: u16, body: Vec<u8>) {
            let _ = answered(status, &body, read);
        }
    }
}

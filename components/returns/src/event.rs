//! What a message names.

use restock_bindings::queue::Event;
use restock_domain::attempt::{Failure, Verdict};
use restock_domain::name;

/// The id that an event's data holds under a name.
///
/// # Errors
/// The verdict on a message that names none.
pub(crate) fn id(event: &Event, field: &str) -> Result<String, Verdict> {
    let data: Option<serde_json::Value> = serde_json::from_str(&event.data).ok();
    let id = data.as_ref().and_then(|data| data.get(field)?.as_str()).filter(|id| name::is_identifier(id));
    id.map(str::to_owned).ok_or_else(|| unreadable(format!("the event's data names no {field}")))
}

/// The verdict on a message that nobody can read.
pub(crate) fn unreadable(words: String) -> Verdict {
    Verdict::Reject(Failure::new("unreadable", words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(data: &str) -> Event {
        Event {
            id: String::new(),
            source: String::new(),
            kind: "return.collected".to_owned(),
            subject: String::new(),
            time: 0,
            data: data.to_owned(),
        }
    }

    #[test]
    fn a_message_names_its_return() {
        let read = |data| id(&event(data), "return_id");
        assert_eq!(read(r#"{"return_id":"0199-7","x":1}"#), Ok("0199-7".to_owned()));
        for wrong in ["", "{}", r#"{"return_id":7}"#, r#"{"return_id":""}"#, r#"{"return_id":"a b"}"#, "[]"] {
            let verdict = read(wrong);
            assert!(
                matches!(&verdict, Err(Verdict::Reject(failure)) if failure.reason == "unreadable"),
                "{wrong}"
            );
        }
    }
}

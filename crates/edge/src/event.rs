//! What a message is about, as its event says it.

use restock_bindings::queue::Event;
use restock_domain::attempt::{Failure, Verdict};
use restock_domain::name;

/// The id of this name in an event's data.
///
/// # Errors
/// The verdict on a message that names none.
pub fn id(event: &Event, field: &str) -> Result<String, Verdict> {
    let data: Option<serde_json::Value> = serde_json::from_str(&event.data).ok();
    let id = data.as_ref().and_then(|data| data.get(field)?.as_str()).filter(|id| name::is_identifier(id));
    id.map(str::to_owned).ok_or_else(|| unreadable(format!("the event's data names no {field}")))
}

/// The verdict on a message that nobody can read.
#[must_use]
pub fn unreadable(words: String) -> Verdict {
    Verdict::Reject(Failure::new("unreadable", words))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &str, field: &str) -> Result<String, Verdict> {
        let event = Event {
            id: String::new(),
            source: String::new(),
            kind: "return.collected".to_owned(),
            subject: String::new(),
            time: 0,
            data: data.to_owned(),
            traceparent: None,
        };
        id(&event, field)
    }

    #[test]
    fn a_message_names_what_it_is_about() {
        assert_eq!(read(r#"{"return_id":"0199-7","x":1}"#, "return_id"), Ok("0199-7".to_owned()));
        let notice = r#"{"notice_id":"7","incident_id":"i","channel":"chat"}"#;
        assert_eq!(read(notice, "notice_id"), Ok("7".to_owned()));
    }

    #[test]
    fn a_message_that_names_nothing_is_a_dead_letter() {
        let too_long = format!(r#"{{"notice_id":"{}"}}"#, "7".repeat(65));
        let odd = r#"{"notice_id":"a b"}"#;
        for wrong in ["", "{}", r#"{"notice_id":7}"#, r#"{"notice_id":""}"#, odd, "[]", &too_long] {
            let failure = Failure::new("unreadable", "the event's data names no notice_id");
            assert_eq!(read(wrong, "notice_id"), Err(Verdict::Reject(failure)), "{wrong}");
        }
    }
}

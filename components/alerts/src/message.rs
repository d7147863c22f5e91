//! One message of the queue: a notice of an incident, or the summary of a collection of returns.

use crate::config::Config;
use crate::{summary, tell};
use restock_bindings::queue::{Delivery, Event};
use restock_domain::attempt::{Failure, Verdict};

/// The longest id that is looked up, characters.
const ID_CHARACTERS_MAX: usize = 64;

/// Works on one message.
pub(crate) async fn work(config: &Config, delivery: Delivery) -> Verdict {
    let told = match delivery.event.kind.as_str() {
        summary::TOPIC => summary::tell(config, &delivery).await,
        _ => tell::tell(config, &delivery).await,
    };
    told.err().unwrap_or(Verdict::Done)
}

/// What a message is about: the id of this name in its event's data.
///
/// # Errors
/// The verdict on a message that names none.
pub(crate) fn id(event: &Event, name: &str) -> Result<String, Verdict> {
    let data: Option<serde_json::Value> = serde_json::from_str(&event.data).ok();
    let id = data.as_ref().and_then(|data| data.get(name)?.as_str());
    match id.filter(|id| (1..=ID_CHARACTERS_MAX).contains(&id.len())) {
        Some(id) => Ok(id.to_owned()),
        None => Err(Verdict::Reject(Failure::new("unreadable", format!("the event's data names no {name}")))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(data: &str) -> Result<String, Verdict> {
        let event = Event {
            id: String::new(),
            source: String::new(),
            kind: "incident.opened".to_owned(),
            subject: String::new(),
            time: 0,
            data: data.to_owned(),
        };
        id(&event, "notice_id")
    }

    #[test]
    fn a_message_names_what_it_is_about() {
        assert_eq!(read(r#"{"notice_id":"7","incident_id":"i","channel":"chat"}"#), Ok("7".to_owned()));
    }

    #[test]
    fn a_message_that_names_nothing_is_a_dead_letter() {
        let too_long = format!(r#"{{"notice_id":"{}"}}"#, "7".repeat(65));
        for wrong in ["", "{}", r#"{"notice_id":7}"#, r#"{"notice_id":""}"#, "[]", &too_long] {
            let failure = Failure::new("unreadable", "the event's data names no notice_id");
            assert_eq!(read(wrong), Err(Verdict::Reject(failure)), "{wrong}");
        }
    }
}

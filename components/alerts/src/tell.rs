//! One message: the notice that it names, told by whichever way there is, and the note that it was.

use crate::config::Config;
use crate::route::{Open, Way, feeds_itself, instead, way};
use crate::words;
use anyhow::anyhow;
use restock_bindings::alerts::{self, Channel, Notice, Occasion};
use restock_bindings::queue::{Delivery, Event};
use restock_domain::attempt::{Failure, Verdict};
use restock_edge::error::fault_words;
use restock_edge::partner::store_failed;
use restock_edge::{host, note};

/// The longest id of a notice that is looked up, characters.
const ID_CHARACTERS_MAX: usize = 64;

/// Works on one message.
///
/// # Errors
/// The store failed; the message is tried again.
pub(crate) async fn tell(config: &Config, delivery: Delivery) -> anyhow::Result<Verdict> {
    let Some(notice_id) = notice_id(&delivery.event) else {
        return Ok(Verdict::Reject(Failure::new("unreadable", "the event's data names no notice_id")));
    };
    let owed = alerts::owed(notice_id).await.map_err(|fault| anyhow!(fault_words(&fault)))?;
    let Some(notice) = owed.filter(is_due) else { return Ok(Verdict::Done) };
    let told = match say(config, &notice, delivery.attempt).await {
        Ok(()) => note_told(&notice).await,
        Err(verdict) => Err(verdict),
    };
    Ok(told.err().unwrap_or(Verdict::Done))
}

fn notice_id(event: &Event) -> Option<String> {
    let data: serde_json::Value = serde_json::from_str(&event.data).ok()?;
    let id = data.get("notice_id")?.as_str()?;
    (1..=ID_CHARACTERS_MAX).contains(&id.len()).then(|| id.to_owned())
}

fn is_due(notice: &Notice) -> bool {
    notice.told_at.is_none()
}

async fn say(config: &Config, notice: &Notice, attempt: u32) -> Result<(), Verdict> {
    let incident = &notice.incident;
    // What grew may have been told already, by the notice before it, which was late.
    if notice.occasion == Occasion::Grew && words::fresh(notice) == 0 {
        return Ok(());
    }
    let letter = || words::letter(notice, &config.public_url);
    let manager = incident.manager_email.as_deref().or(config.stock_manager_email.as_deref());
    let post_office = config.post_office.as_ref().zip(manager);
    let open = Open { mail: post_office, chat: config.chat.as_ref() };
    match way(notice.channel, notice.only_channel, &open) {
        Some(way) if feeds_itself(notice.occasion, &incident.partner, way) => {
            eprintln!(
                "incident {} ({}, {}) grows and is not told by what fails, the only way that there is",
                incident.id, incident.kind, incident.reason
            );
            Ok(())
        }
        Some(Way::Mail((post_office, to))) => {
            let letter_id = format!("notice:{}", notice.id);
            let told = post_office.send(&letter_id, to, attempt, letter).await.map(drop);
            match instead(&told, to, config.stock_manager_email.as_deref()) {
                Some(other) => post_office.send(&letter_id, other, attempt, letter).await.map(drop),
                None => told,
            }
        }
        Some(Way::Chat(chat)) => chat.post(&letter()).await,
        None => {
            let channel = match notice.channel {
                Channel::Mail => "email, which is not configured or has nobody to write to",
                Channel::Chat => "chat, which is not configured",
            };
            eprintln!(
                "incident {} ({}, {}) is not told by {channel}",
                incident.id, incident.kind, incident.reason
            );
            Ok(())
        }
    }
}

/// Notes that people were told.
async fn note_told(notice: &Notice) -> Result<(), Verdict> {
    let noted = note::make("that people were told", || {
        alerts::told(notice.id.clone(), notice.incident.occurrences, host::now_ms())
    });
    noted.await.map_err(|fault| store_failed(&fault))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(data: &str) -> Event {
        Event {
            id: String::new(),
            source: String::new(),
            kind: "incident.opened".to_owned(),
            subject: String::new(),
            time: 0,
            data: data.to_owned(),
        }
    }

    #[test]
    fn a_message_names_its_notice() {
        let read = |data| notice_id(&event(data));
        assert_eq!(read(r#"{"notice_id":"7","incident_id":"i","channel":"chat"}"#).as_deref(), Some("7"));
        for wrong in ["", "{}", r#"{"notice_id":7}"#, r#"{"notice_id":""}"#, "[]"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(read(&format!(r#"{{"notice_id":"{}"}}"#, "7".repeat(65))), None);
    }
}

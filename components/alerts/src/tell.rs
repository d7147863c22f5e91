//! The notice that a message names, told by whichever way there is, and the note that it was.

use crate::config::Config;
use crate::route::{feeds_itself, way};
use crate::send::{open, send};
use crate::words;
use restock_bindings::alerts::{self, Channel, Notice, Occasion};
use restock_bindings::queue::Delivery;
use restock_domain::attempt::Verdict;
use restock_edge::partner::store_failed;
use restock_edge::{event, host, log, note};

/// Works on one message.
///
/// # Errors
/// The verdict on it, where its notice is still owed.
pub(crate) async fn tell(config: &Config, delivery: &Delivery) -> Result<(), Verdict> {
    let notice_id = event::id(&delivery.event, "notice_id")?;
    let owed = alerts::owed(notice_id).await.map_err(|fault| store_failed(&fault))?;
    let Some(notice) = owed.filter(is_due) else { return Ok(()) };
    say(config, &notice, delivery.attempt).await?;
    note_told(&notice).await
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
    let manager = incident.manager_email.as_deref().or(config.stock_manager_email.as_deref());
    match way(notice.channel, notice.only_channel, &open(config, manager)) {
        Some(way) if feeds_itself(notice.occasion, &incident.partner, way) => {
            log!(
                "incident {} ({}, {}) grows and is not told by what fails, the only way that there is",
                incident.id,
                incident.kind,
                incident.reason
            );
            Ok(())
        }
        Some(way) => {
            let letter_id = format!("notice:{}", notice.id);
            send(config, way, &letter_id, attempt, || words::letter(notice, &config.public_url)).await
        }
        None => {
            let channel = match notice.channel {
                Channel::Mail => "email, which is not configured or has nobody to write to",
                Channel::Chat => "chat, which is not configured",
            };
            log!(
                "incident {} ({}, {}) is not told by {channel}",
                incident.id,
                incident.kind,
                incident.reason
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

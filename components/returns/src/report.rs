//! A parcel that is back: the partner is told that it was picked up, and its word that it took the report is noted, which does with the
//! goods what the shop does with them.

use crate::bells::Bells;
use crate::config::Config;
use restock_bindings::queue::Event;
use restock_bindings::returns::{self, Status};
use restock_domain::attempt::Verdict;
use restock_domain::partner::{Kind, LOGISTICS};
use restock_edge::outbound::CallLimits;
use restock_edge::partner::store_failed;
use restock_edge::{event, host, note};
use restock_logistics::Return;
use restock_logistics::report::{self as answer, Reported};
use std::time::Duration;

/// How long one call may take, all of it.
const CALL_TIME_MAX: Duration = Duration::from_secs(5);

/// Works on the message that reports a return.
///
/// # Errors
/// The verdict on it, where the partner did not take the report.
pub(crate) async fn report(config: &Config, bells: &Bells, event: &Event) -> Result<(), Verdict> {
    let id = event::id(event, "return_id")?;
    let known = returns::get(id.clone()).await.map_err(|fault| store_failed(&fault))?;
    let Some(parcel) = known.filter(|known| known.status == Status::Delivered) else { return Ok(()) };
    let logistics = &config.logistics;
    let request = logistics.account().report(&Return {
        id: &id,
        order_number: &parcel.order_number,
        order_item_number: &parcel.order_item_number,
    });
    let reported = logistics.ask(request, CallLimits::from(CALL_TIME_MAX), answer::read).await?;
    if let Reported::NotTaken(words) = reported {
        // That may change, so only many of these make a dead letter.
        let failure = Kind::Refused.of(LOGISTICS, words);
        return Err(Verdict::Retry { failure, not_before_ms: None });
    }
    let noted = note::make("that the partner took a report", || {
        returns::reported(id.clone(), config.to_stock, host::now_ms())
    });
    if noted.await.map_err(|fault| store_failed(&fault))? {
        bells.goods_came();
    }
    Ok(())
}

//! A parcel on its way: the partner is asked where it is, what it said is noted, and the parcel is looked at again later, unless it is
//! back or nobody can expect it any more.

use crate::bells::Bells;
use crate::config::Config;
use restock_bindings::queue::Event;
use restock_bindings::returns::{self, Return, Status};
use restock_domain::attempt::{Failure, Verdict};
use restock_domain::prose;
use restock_edge::outbound::CallLimits;
use restock_edge::partner::store_failed;
use restock_edge::{event, host, note};
use restock_logistics::schedule::{RETURN_AGE_MAX, next_look};
use restock_logistics::tracking::{self, Tracked};
use std::time::Duration;

/// How long one call may take, all of it.
const CALL_TIME_MAX: Duration = Duration::from_secs(5);

/// The kind of failure of a parcel that nobody can expect any more.
const UNDELIVERED: &str = "logistics-undelivered";
/// Why a parcel is looked at again.
const ON_ITS_WAY: &str = "parcel-on-its-way";
/// Why a parcel is looked at again whose number the partner does not know.
const UNKNOWN: &str = "parcel-unknown";
/// Why a parcel is looked at again that was looked for under another number.
const RENUMBERED: &str = "parcel-renumbered";

/// Works on the message that follows a return.
///
/// # Errors
/// The verdict on it, where the return is not back.
pub(crate) async fn track(config: &Config, bells: &Bells, event: &Event) -> Result<(), Verdict> {
    let id = event::id(event, "return_id")?;
    let known = returns::get(id.clone()).await.map_err(|fault| store_failed(&fault))?;
    let Some(parcel) = known.filter(|known| known.status == Status::Collected) else { return Ok(()) };
    let logistics = &config.logistics;
    let request = logistics.account().tracking(&parcel.shipment_number);
    let tracked = logistics.ask(request, CallLimits::from(CALL_TIME_MAX), tracking::read).await?;
    let noted = note::make("where a parcel is", || {
        returns::tracked(id.clone(), parcel.shipment_number.clone(), tracked.statuses.clone(), host::now_ms())
    });
    noted.await.map_err(|fault| store_failed(&fault))?;
    if !tracked.is_known() && parcel.unknown_since.is_none() {
        bells.something_to_tell();
    }
    // Read again, because an operator can have given it another number meanwhile: then nothing was noted, and to be done would be
    // to forget it.
    let noted = returns::get(id).await.map_err(|fault| store_failed(&fault))?;
    match noted.filter(|noted| noted.status == Status::Collected) {
        Some(noted) => Err(again(&parcel, &noted, &tracked, config.tracking_interval, host::now_ms())),
        None => Ok(()),
    }
}

/// When a parcel that is not back is looked at again, if ever: as it was when it was asked for, as it is now, and what the partner said
/// of it. Its age is judged only behind a look, so that one that was redriven gets one.
fn again(asked: &Return, parcel: &Return, tracked: &Tracked, interval: Duration, now_ms: u64) -> Verdict {
    if asked.shipment_number != parcel.shipment_number {
        let words = format!("it is to be looked for as {}", parcel.shipment_number);
        return Verdict::Postpone { failure: Failure::new(RENUMBERED, words), until_ms: now_ms };
    }
    let age_ms = now_ms.saturating_sub(parcel.collected_at);
    let said = match tracked.statuses.last() {
        Some(status) => format!("the partner says {status}"),
        None => "the partner does not know its number".to_owned(),
    };
    match next_look(Duration::from_millis(age_ms), interval) {
        Some(wait) => {
            let reason = if tracked.is_known() { ON_ITS_WAY } else { UNKNOWN };
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            let failure = Failure::new(reason, said);
            Verdict::Postpone { failure, until_ms: now_ms.saturating_add(wait_ms) }
        }
        None => {
            let Return { order_number, order_item_number, shipment_number, .. } = parcel;
            let limit_ms = u64::try_from(RETURN_AGE_MAX.as_millis()).unwrap_or(u64::MAX);
            let words = format!(
                "the shipment {shipment_number} (order {order_number}, item {order_item_number}) was not \
                 delivered within {}; {said}",
                prose::span(limit_ms)
            );
            Verdict::Reject(Failure::new(UNDELIVERED, words))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use restock_bindings::returns::Goods;

    const DAY_MS: u64 = 24 * 60 * 60 * 1_000;
    const INTERVAL: Duration = Duration::from_secs(300);

    fn parcel() -> Return {
        Return {
            id: String::new(),
            order_number: "1000001".to_owned(),
            order_item_number: "2".to_owned(),
            shipment_number: "SHP_00000579".to_owned(),
            partner_ref: None,
            status: Status::Collected,
            goods: Goods::Pending,
            partner_status: None,
            received: None,
            collected_at: DAY_MS,
            tracked_at: None,
            trackings: 0,
            unknown_since: None,
            delivered_at: None,
            reported_at: None,
            settled_at: None,
            settled_by: String::new(),
            settled_because: String::new(),
            cursor: String::new(),
        }
    }

    fn verdict(statuses: &[&str], age_ms: u64) -> Verdict {
        let statuses = statuses.iter().map(|status| (*status).to_owned()).collect();
        again(&parcel(), &parcel(), &Tracked { statuses }, INTERVAL, DAY_MS + age_ms)
    }

    #[test]
    fn a_parcel_that_got_another_number_meanwhile_is_looked_for_at_once_and_never_done() {
        let other = Return { shipment_number: "SHP_00000580".to_owned(), ..parcel() };
        for status in ["in_transit", "delivered"] {
            let tracked = Tracked { statuses: vec![status.to_owned()] };
            let verdict = again(&parcel(), &other, &tracked, INTERVAL, 2 * DAY_MS);
            let Verdict::Postpone { failure, until_ms } = verdict else { panic!("{verdict:?}") };
            assert_eq!((failure.reason.as_ref(), until_ms), (RENUMBERED, 2 * DAY_MS));
        }
    }

    #[test]
    fn a_parcel_on_its_way_is_looked_at_again_the_later_the_older_it_is() {
        let failure = Failure::new(ON_ITS_WAY, "the partner says in_transit");
        let until_ms = DAY_MS + 300_000;
        let young = verdict(&["registered", "in_transit"], 0);
        assert_eq!(young, Verdict::Postpone { failure: failure.clone(), until_ms });
        let older = verdict(&["in_transit"], DAY_MS);
        assert_eq!(older, Verdict::Postpone { failure, until_ms: 2 * DAY_MS + DAY_MS / 4 });
    }

    #[test]
    fn a_number_that_is_unknown_is_asked_for_again() {
        let verdict = verdict(&[], 0);
        assert!(matches!(verdict, Verdict::Postpone { failure, .. } if failure.reason == UNKNOWN));
    }

    #[test]
    fn a_parcel_that_nobody_can_expect_is_a_dead_letter_that_names_it() {
        for statuses in [&["in_transit"][..], &[]] {
            let Verdict::Reject(failure) = verdict(statuses, 45 * DAY_MS + 1) else { panic!("a rejection") };
            assert_eq!(failure.reason, "logistics-undelivered");
            for part in ["SHP_00000579", "1000001", "item 2", "45 days"] {
                assert!(failure.error.contains(part), "{part}: {}", failure.error);
            }
        }
    }
}

//! One message: the purchase is recorded, which promotes its customer; then the promotion is announced, where that is owed.

use crate::announce::announce;
use crate::config::Config;
use restock_api::Invalid;
use restock_api::customer::BulkPurchase;
use restock_bindings::customers::{self, Purchase};
use restock_bindings::queue::Event;
use restock_bindings::types::Fault;
use restock_domain::attempt::{Failure, Verdict};
use restock_edge::error::fault_words;
use restock_edge::{host, log};

/// Works on one message.
pub(crate) async fn promote(config: &Config, event: Event) -> Verdict {
    match steps(config, event).await {
        Ok(()) => Verdict::Done,
        Err(verdict) => verdict,
    }
}

/// A step that fails ends the attempt; the reason tells which one it was. What went before stays done.
///
/// Without a marketing system the message is done and its announcement stays owed. Once one is configured, the customer's
/// next bulk purchase finds it; under the rule `cumulative`, where a customer has only one, nothing does.
async fn steps(config: &Config, event: Event) -> Result<(), Verdict> {
    let purchase = purchase(event)?;
    let order_id = purchase.order_id.clone();
    let outcome =
        customers::note_purchase(purchase, host::now_ms()).await.map_err(|fault| customers_failed(&fault))?;
    let Some(announcement) = outcome.announcement else { return Ok(()) };
    match &config.marketing {
        Some(marketing) => announce(marketing, announcement).await,
        None => {
            log!("a new VIP (order {order_id}) is not announced: no marketing_url is set");
            Ok(())
        }
    }
}

fn purchase(event: Event) -> Result<Purchase, Verdict> {
    let read = BulkPurchase::decode(event.data.as_bytes())
        .map_err(|invalid| Verdict::Reject(Failure::new("unreadable", words(invalid))))?;
    Ok(Purchase {
        order_id: read.order_id,
        customer_id: read.customer_id,
        email: read.email,
        name: read.name,
        units: read.units,
        units_bought: read.units_bought,
        purchased_at: event.time,
    })
}

fn words(invalid: Invalid) -> String {
    match invalid {
        Invalid::Malformed(_) => "the event's data is not JSON".to_owned(),
        Invalid::Faulty(faults) => {
            let faults: Vec<_> =
                faults.into_iter().map(|fault| format!("{} {}", fault.pointer, fault.detail)).collect();
            format!("the event's data: {}", faults.join("; "))
        }
    }
}

/// What becomes of a message when the customers' database fails.
pub(crate) fn customers_failed(fault: &Fault) -> Verdict {
    let reason = match fault {
        Fault::Unavailable(_) => "customers-unavailable",
        Fault::Corrupt(_) => "customers-corrupt",
    };
    let words = format!("the customers' database: {}", fault_words(fault));
    Verdict::Retry { failure: Failure::new(reason, words), not_before_ms: None }
}

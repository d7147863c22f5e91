//! The second step: the marketing system is told of a new VIP, and that it was is noted.

use crate::promote::customers_failed;
use bytes::Bytes;
use restock_api::Time;
use restock_api::customer::{CustomerPromoted, CustomerType, KnownCustomer};
use restock_bindings::customers::{self, Announcement};
use restock_bindings::types::Fault;
use restock_domain::attempt::Verdict;
use restock_edge::marketing::Marketing;
use restock_edge::{host, note};

/// Tells the marketing system, and notes that it took the news. A repetition has the same id and, as long as nothing more is known
/// of the customer, the same body; it is signed anew.
pub(crate) async fn announce(marketing: &Marketing, announcement: Announcement) -> Result<(), Verdict> {
    let id = announcement.id.clone();
    let told = promoted(announcement).ok_or_else(|| {
        let words = "an announcement is owed of somebody who is no VIP";
        customers_failed(&Fault::Corrupt(words.to_owned()))
    })?;
    marketing.tell(&id, Bytes::from(told.to_json())).await?;
    let noted = note::make("that the news was taken", || customers::announced(id.clone(), host::now_ms()));
    noted.await.map_err(|fault| customers_failed(&fault))
}

fn promoted(announcement: Announcement) -> Option<CustomerPromoted> {
    let Announcement { customer, order_id, .. } = announcement;
    let vip_since = Time(customer.vip_since?);
    let customer = KnownCustomer {
        id: customer.id,
        email: customer.email,
        name: customer.name,
        kind: CustomerType::Vip,
        units_bought: customer.units_bought,
        vip_since: Some(vip_since),
    };
    Some(CustomerPromoted::new(customer, vip_since, order_id))
}

//! Customers: what they bought, from the shop's own database, and how they are treated, from the customers' database.

use restock_api::Time;
use restock_api::customer::{CustomerType, KnownCustomer};
use restock_bindings::customers::{self, Kind};
use restock_bindings::orders;
use restock_domain::name;
use restock_edge::{Answer, Call, Error};

/// `GET /v1/customers/{id}`
pub(crate) async fn show(call: Call) -> Result<Answer, Error> {
    let unknown = || Error::NotFound("there is no such customer");
    if !name::is_identifier(call.value()) {
        return Err(unknown());
    }
    let id = call.value().to_owned();
    let buyer = orders::bought(id.clone()).await?;
    // A customer without their type would pass for a normal one, so half an answer is none.
    let bulk_buyer = customers::get(id.clone()).await?;
    let customer = merge(id, buyer, bulk_buyer).ok_or_else(unknown)?;
    Ok(Answer::ok(&customer))
}

/// The shop counts every accepted order; the customers' database hears of bulk purchases only, so its numbers and addresses
/// are older. It stands in for them where the shop's database knows nothing, as after one of the two was restored.
fn merge(
    id: String,
    buyer: Option<orders::Buyer>,
    bulk_buyer: Option<customers::Customer>,
) -> Option<KnownCustomer> {
    let (kind, vip_since) = match &bulk_buyer {
        Some(customers::Customer { kind: Kind::Vip, vip_since, .. }) => (CustomerType::Vip, *vip_since),
        _ => (CustomerType::Normal, None),
    };
    let of_buyer = buyer.map(|buyer| (buyer.email, buyer.name, buyer.units_bought));
    let of_bulk_buyer = bulk_buyer.map(|customer| (customer.email, customer.name, customer.units_bought));
    let (email, name, units_bought) = of_buyer.or(of_bulk_buyer)?;
    Some(KnownCustomer { id, email, name, kind, units_bought, vip_since: vip_since.map(Time) })
}

//! Parcels on their way back to a shop: short words for what its logistics partner and its operators do with them.

use super::bindings::restock::queue::{Action, Delivery, Selection, Verdict};
use super::bindings::restock::returns::{
    Collection, Decision, Filter, Goods, Item, Oddity, Parcel, Reject, Replaying, Return, Settling, Status,
    ToStock, Wish,
};
use super::bindings::restock::stock::{Movement, MovementKind};
use super::shop::{OPERATOR, Shop, first_page};

/// The queue that collects, follows and reports them.
pub(crate) const RETURNS: &str = "returns";
/// How often the list is collected.
pub(crate) const EVERY_MS: u64 = 60_000;

/// A parcel, whose number says whose it is.
pub(crate) fn parcel(order: &str, item: &str) -> Parcel {
    shipped(order, item, &format!("SHP-{order}-{item}"))
}

pub(crate) fn shipped(order: &str, item: &str, shipment: &str) -> Parcel {
    Parcel {
        order_number: order.into(),
        order_item_number: item.into(),
        shipment_number: shipment.into(),
        partner_ref: None,
    }
}

pub(crate) fn oddity(reason: &str, text: &str) -> Oddity {
    Oddity { reason: reason.into(), text: text.into() }
}

/// What an event carries under this name.
pub(crate) fn carried(delivery: &Delivery, name: &str) -> String {
    let data: serde_json::Value = serde_json::from_str(&delivery.event.data).expect("JSON");
    data[name].as_str().unwrap_or_else(|| panic!("{name} in {data}")).to_owned()
}

impl Shop {
    /// Begins a collection, which must be due.
    pub(crate) async fn begin_collection(&self) -> String {
        self.store.begin_collection(EVERY_MS, self.now()).await.expect("answered").expect("it is due")
    }

    pub(crate) async fn collect(&self, collection: &str, parcels: &[Parcel]) {
        self.store.collected(collection.into(), parcels.to_vec(), self.now()).await.expect("taken");
    }

    pub(crate) async fn set_aside(&self, collection: &str, oddities: &[Oddity]) {
        self.store.set_aside(collection.into(), oddities.to_vec(), self.now()).await.expect("kept");
    }

    pub(crate) async fn finish(&self, collection: &str, listed: u64) -> Collection {
        let finished = self.store.finished(collection.into(), listed, self.now()).await;
        finished.expect("answered").expect("the collection is known")
    }

    pub(crate) async fn collection(&self, id: &str) -> Collection {
        self.store.collection(id.into()).await.expect("read").expect("the collection is known")
    }

    pub(crate) async fn rejects(&self) -> Vec<Reject> {
        self.store.rejects(first_page()).await.expect("read")
    }

    /// Collects a list of these parcels, which are new, from its beginning to its end.
    pub(crate) async fn follow(&self, parcels: &[Parcel]) -> Vec<Return> {
        let collection = self.begin_collection().await;
        let due = self.claim_from(RETURNS, 100).await;
        assert_eq!(due.len(), 1, "nothing else is there to do yet: {due:?}");
        self.collect(&collection, parcels).await;
        self.finish(&collection, parcels.len() as u64).await;
        assert!(self.settle(&due[0], Verdict::Done).await);
        let mut found = Vec::new();
        for parcel in parcels {
            found.push(self.return_of(&parcel.order_number, &parcel.order_item_number).await);
        }
        found
    }

    /// Collects, follows and reports a parcel.
    pub(crate) async fn bring_back(&self, parcel: Parcel, to_stock: ToStock) -> Return {
        let begun = self.follow(&[parcel]).await.remove(0);
        self.deliver(&begun).await;
        self.report(&begun, to_stock).await;
        self.one_return(&begun.id).await
    }

    pub(crate) async fn one_return(&self, id: &str) -> Return {
        self.store.one_return(id.into()).await.expect("read").expect("the return is known")
    }

    pub(crate) async fn all_returns(&self) -> Vec<Return> {
        self.store.returns(Filter::All, first_page()).await.expect("read")
    }

    /// The return under these numbers.
    pub(crate) async fn return_of(&self, order: &str, item: &str) -> Return {
        let filter = Filter::ByOrderNumber(order.into());
        let mut found = self.store.returns(filter, first_page()).await.expect("read");
        found.retain(|entry| entry.order_item_number == item);
        assert_eq!(found.len(), 1, "one return has these numbers: {found:?}");
        found.remove(0)
    }

    /// The partner says this of the shipment of a return.
    pub(crate) async fn track(&self, id: &str, statuses: &[&str]) {
        self.track_as(id, &self.one_return(id).await.shipment_number, statuses).await;
    }

    /// The partner says this of the shipment of this number.
    pub(crate) async fn track_as(&self, id: &str, number: &str, statuses: &[&str]) {
        let statuses = statuses.iter().map(|status| (*status).to_owned()).collect();
        self.store.tracked(id.into(), number.into(), statuses, self.now()).await.expect("noted");
    }

    pub(crate) async fn deliver(&self, entry: &Return) {
        self.track(&entry.id, &["delivered"]).await;
        assert_eq!(self.one_return(&entry.id).await.status, Status::Delivered);
    }

    /// True where stock moved.
    pub(crate) async fn report(&self, entry: &Return, to_stock: ToStock) -> bool {
        self.store.reported(entry.id.clone(), to_stock, self.now()).await.expect("noted")
    }

    /// What receiving a return would bring.
    pub(crate) async fn item(&self, id: &str) -> Option<(String, i64)> {
        let history = self.store.return_history(id.into()).await.expect("read").expect("the return is known");
        history.item.as_ref().map(units)
    }

    /// What was done with the goods: how much of what was received.
    pub(crate) async fn goods(&self, id: &str) -> (Goods, Option<(String, i64)>) {
        let entry = self.one_return(id).await;
        (entry.goods, entry.received.as_ref().map(units))
    }

    pub(crate) fn wish(&self, parcel: Parcel) -> Wish {
        Wish { parcel, operator: OPERATOR.into(), at: self.now() }
    }

    pub(crate) async fn replay(&self, parcel: Parcel) -> Replaying {
        self.store.replay(self.wish(parcel)).await.expect("answered")
    }

    pub(crate) fn decision(&self, id: &str) -> Decision {
        Decision {
            return_id: id.into(),
            reason: "looked at it".into(),
            operator: OPERATOR.into(),
            at: self.now(),
        }
    }

    /// An operator puts goods on the shelf.
    pub(crate) async fn accept(&self, id: &str, sku: Option<&str>, quantity: Option<i64>) -> Settling {
        let decision = self.decision(id);
        self.store.receive_return(decision, sku.map(Into::into), quantity).await.expect("answered")
    }

    /// An operator keeps goods off the shelf.
    pub(crate) async fn discard(&self, id: &str) -> Settling {
        self.store.discard_return(self.decision(id)).await.expect("answered")
    }

    /// What came back to the shelf, newest first.
    pub(crate) async fn brought_back(&self, sku: &str) -> Vec<Movement> {
        let mut movements = self.movements(sku).await;
        movements.retain(|movement| movement.kind == MovementKind::Returned);
        movements
    }

    /// Lets an operator act on all dead letters of returns; returns how many that touched.
    pub(crate) async fn redrive_returns(&self) -> u32 {
        let redrive = self.operation(RETURNS, Action::Redrive((Selection::All, 100)));
        self.store.operate(redrive).await.expect("done").expect("the queue is known")
    }

    pub(crate) async fn purge_returns(&self) -> u32 {
        let purge = self.operation(RETURNS, Action::Purge((Selection::All, 100)));
        self.store.operate(purge).await.expect("done").expect("the queue is known")
    }
}

/// An item as a pair.
pub(crate) fn units(item: &Item) -> (String, i64) {
    (item.sku.clone(), item.quantity)
}

/// The return that a decision speaks of; it must have been carried out.
pub(crate) fn settled(settling: Settling) -> Return {
    match settling {
        Settling::Settled(entry) => entry,
        other => panic!("not settled: {other:?}"),
    }
}

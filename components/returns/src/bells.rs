//! Who else has work after a drain. Rung once, at its end: thousands of returns in a burst are no thousand bells, and the tick
//! rings meanwhile.

use restock_domain::queues;
use restock_edge::doorbell;
use std::cell::Cell;

/// The queues that were given work.
#[derive(Default)]
pub(crate) struct Bells {
    goods: Cell<bool>,
    alerts: Cell<bool>,
}

impl Bells {
    /// Stock moved.
    pub(crate) fn goods_came(&self) {
        self.goods.set(true);
    }

    /// There is something to tell people.
    pub(crate) fn something_to_tell(&self) {
        self.alerts.set(true);
    }

    /// Rings them all, and waits until they were heard: what goes on after the answer is dropped with the instance.
    pub(crate) async fn ring(&self) {
        let goods = self.goods.get().then_some(queues::AFTER_GOODS).into_iter().flatten();
        let alerts = self.alerts.get().then_some(queues::ALERTS);
        for queue in goods.chain(alerts) {
            doorbell::ring(queue).await;
        }
    }
}

//! Claim: whatever fails, mends, is redriven and told, in whatever order, there is one open incident of a kind as long as something
//! of it is wrong, and people are told when it begins, now and then, and when it is over. Method: random histories.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::incidents::{DIGEST_MS, FLAPPING_QUIET_MS, QUIET_MS, break_circuit, call, incidents, owed, tell};
use super::shop::{Shop, wait};
use restock_store::queue;
use restock_store::restock::alerts::{Channel, Incident, Notice, Occasion};
use restock_store::restock::partners::Health;
use restock_store::restock::queue::{Action, MessageState, Selection, Verdict};

const REASONS: [&str; 3] = ["factory-refused", "factory-timeout", "mail-refused"];
const SKUS: [&str; 3] = ["A", "B", "C"];

#[derive(Clone, Copy, Debug)]
enum Step {
    Work {
        sku: usize,
        bury: Option<usize>,
    },
    Redrive(usize),
    Purge(usize),
    Alert {
        give_up: bool,
    },
    /// A partner fails until its circuit is open; where it is, the next probe fails.
    Break,
    /// The partner's next call goes well.
    Mend,
    Tick {
        ms: u64,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..SKUS.len(), proptest::option::weighted(0.7, 0..REASONS.len())).prop_map(|(sku, bury)| Step::Work { sku, bury }),
        3 => (0..REASONS.len()).prop_map(Step::Redrive),
        1 => (0..REASONS.len()).prop_map(Step::Purge),
        4 => proptest::bool::weighted(0.15).prop_map(|give_up| Step::Alert { give_up }),
        2 => Just(Step::Break),
        2 => Just(Step::Mend),
        5 => prop_oneof![1_u64..50, Just(QUIET_MS / 2), Just(QUIET_MS), Just(DIGEST_MS / 2), Just(DIGEST_MS)].prop_map(|ms| Step::Tick { ms }),
    ]
}

struct History {
    shop: Shop,
    /// Burials, and openings of the circuit.
    failures: u64,
}

const PARTNER: &str = "marketing";
/// Longer than a circuit waits for its next probe.
const PROBE_MS: u64 = 31_000;

/// For how long an incident has to be quiet.
fn quiet_ms(incident: &Incident) -> u64 {
    if incident.kind == "circuit.opened" { FLAPPING_QUIET_MS } else { QUIET_MS }
}

impl History {
    /// Three products, and a message for each that somebody has to work off.
    fn new() -> Self {
        let shop = Shop::new();
        for sku in SKUS {
            shop.product(sku, 2, 10, 1);
        }
        Self { shop, failures: 0 }
    }

    fn happen(&mut self, step: Step) {
        let shop = &self.shop;
        shop.now.set(shop.now.get() + 1);
        match step {
            Step::Work { sku, bury } => {
                for delivery in shop.claim(10) {
                    if delivery.event.subject != SKUS[sku] {
                        shop.settle(&delivery, Verdict::Postpone(shop.now.get()));
                        continue;
                    }
                    match bury {
                        Some(reason) => {
                            shop.settle_for(&delivery, Verdict::Bury, REASONS[reason]);
                            self.failures += 1;
                        }
                        None => {
                            let data: serde_json::Value =
                                serde_json::from_str(&delivery.event.data).expect("JSON");
                            let id = data["production_id"].as_str().expect("an id");
                            shop.receive(id, 30);
                            shop.settle(&delivery, Verdict::Done);
                            // The next one is asked for.
                            shop.adjust(SKUS[sku], 1 - shop.levels(SKUS[sku]).0, None);
                        }
                    }
                }
            }
            Step::Redrive(reason) => {
                shop.operate(Action::Redrive((Selection::Reason(REASONS[reason].into()), 2)));
            }
            Step::Purge(reason) => {
                shop.operate(Action::Purge((Selection::Reason(REASONS[reason].into()), 1)));
            }
            Step::Alert { give_up: false } => drop(tell(shop)),
            Step::Alert { give_up: true } => {
                for delivery in shop.claim_from("alerts", 1) {
                    shop.settle_for(&delivery, Verdict::Bury, "slack-refused");
                }
            }
            Step::Break => {
                shop.now.set(shop.now.get() + PROBE_MS);
                if self.is_closed() {
                    break_circuit(shop, PARTNER);
                } else {
                    call(shop, PARTNER, Health::Failing);
                }
                self.failures += 1;
            }
            Step::Mend => {
                shop.now.set(shop.now.get() + PROBE_MS);
                call(shop, PARTNER, Health::Well);
            }
            Step::Tick { ms } => {
                shop.tick_after(ms);
                self.check_that_nothing_is_over();
            }
        }
    }

    fn is_closed(&self) -> bool {
        let closed =
            format!("SELECT count(*) FROM partner WHERE partner_id = '{PARTNER}' AND circuit = 'closed'");
        self.shop.database.number(&closed) == 1
    }

    /// After a tick, each incident that goes on has a reason to, and each that it ended had none.
    fn check_that_nothing_is_over(&self) {
        let now = self.shop.now.get();
        for incident in incidents(&self.shop, false) {
            if incident.cleared_at.is_some_and(|cleared_at| cleared_at < now) {
                continue;
            }
            let quiet = incident.last_at + quiet_ms(&incident) <= now;
            let wrong = incident.cases.iter().any(|case| {
                if incident.kind == "circuit.opened" {
                    return !self.is_closed();
                }
                let message = wait(queue::get(&self.shop.database, case.id.clone())).expect("read");
                message.is_some_and(|message| match message.state {
                    MessageState::Ready | MessageState::Leased => true,
                    MessageState::Buried => message.reason == incident.reason,
                    MessageState::Done | MessageState::Purged => false,
                })
            });
            match incident.cleared_at {
                None => assert!(!quiet || wrong || incident.cases_total > 5, "{incident:?} is over"),
                Some(_) => assert!(quiet && !wrong, "{incident:?} goes on"),
            }
        }
    }

    fn check(&self) {
        let shop = &self.shop;
        let all = incidents(shop, false);
        let open: Vec<_> = all.iter().filter(|incident| incident.cleared_at.is_none()).collect();
        let keys: BTreeSet<_> =
            open.iter().map(|incident| (&incident.queue, &incident.reason, &incident.factory_id)).collect();
        assert_eq!(keys.len(), open.len(), "one open incident of a kind");
        assert_eq!(all.iter().map(|incident| incident.occurrences).sum::<u64>(), self.failures);
        let mut notices: BTreeMap<_, Vec<Notice>> = BTreeMap::new();
        for number in 1..=shop.database.number("SELECT count(*) FROM incident_notice") {
            let notice = owed(shop, &number.to_string()).expect("owed");
            let channel = notice.channel == Channel::Mail;
            notices.entry((notice.incident.id.clone(), channel)).or_default().push(notice);
        }
        for incident in &all {
            let channels = if incident.partner == "mail" { 1 } else { 2 };
            assert_eq!(notices.keys().filter(|(id, _)| *id == incident.id).count(), channels);
        }
        for notices in notices.values() {
            assert_eq!(notices[0].occasion, Occasion::Opened);
            let count = |occasion| notices.iter().filter(|notice| notice.occasion == occasion).count();
            let cleared = usize::from(notices[0].incident.cleared_at.is_some());
            assert_eq!((count(Occasion::Opened), count(Occasion::Cleared)), (1, cleared));
            assert_eq!(
                notices
                    .iter()
                    .position(|notice| notice.occasion == Occasion::Cleared)
                    .unwrap_or(notices.len() - 1),
                notices.len() - 1
            );
            let told: Vec<_> = notices
                .iter()
                .filter(|notice| notice.occasion != Occasion::Cleared)
                .filter_map(|notice| notice.told_at)
                .collect();
            assert!(told.windows(2).all(|pair| pair[1] - pair[0] >= DIGEST_MS), "{told:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_history_of_failures_is_told_once_when_it_begins_now_and_then_and_once_when_it_is_over(
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let mut history = History::new();
        for step in steps {
            history.happen(step);
            history.check();
        }
        history.shop.assert_sound();
    }
}

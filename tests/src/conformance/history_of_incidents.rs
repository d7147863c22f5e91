//! Claim: whatever becomes of dead letters and of a partner that comes and goes, in whatever order, there is one open incident for each kind of failure as long as one
//! of its cases is wrong, and people are told when it begins, now and then while it grows, and when it is over, each once.
//! Method: random histories of failures, operators and ticks, each step compared with a model of the rules.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::any_history::{in_any_history, in_any_history_on_every_engine};
use super::bindings::restock::alerts::{Channel, Notice, Occasion};
use super::bindings::restock::queue::{Action, Selection, Verdict};
use super::shop::{MINUTE_MS, Shop, first_page};
use super::store::Engine;

/// Products, each with one message.
const PRODUCTS: usize = 6;
/// Kinds of failure, with how many channels tell of each.
const REASONS: [(&str, usize); 4] =
    [("factory-refused", 2), ("mail-refused", 1), ("slack-failing", 1), ("marketing-circuit-open", 2)];
/// The one of them that is about a circuit; the others are about dead letters.
const CIRCUIT: usize = 3;
/// The partner whose circuit it is.
const PARTNER: &str = "marketing";
/// Longer than a circuit waits for its next probe.
const PROBE_MS: u64 = 31_000;
/// How long nothing may happen before an incident is over.
const QUIET_MS: u64 = MINUTE_MS;
/// The same where it is about a circuit.
const FLAPPING_QUIET_MS: u64 = 15 * MINUTE_MS;
/// The shortest time between two notices of an incident on a channel.
const DIGEST_MS: u64 = 15 * MINUTE_MS;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// A worker gives up on so many messages, for this kind of failure.
    Bury(u32, usize),
    Redrive(u32),
    Purge(u32),
    /// A worker finishes a message.
    Finish,
    /// A partner fails until its circuit is open; where it is, the next probe fails.
    Break,
    /// The partner's next call goes well.
    Mend,
    /// Time passes, and the tick looks after incidents.
    Wait(u64),
    /// Everything that is owed is read, and told.
    Tell,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (1_u32..3, 0..CIRCUIT).prop_map(|(limit, reason)| Step::Bury(limit, reason)),
        3 => (1_u32..6).prop_map(Step::Redrive),
        1 => (1_u32..3).prop_map(Step::Purge),
        1 => Just(Step::Finish),
        2 => Just(Step::Break),
        2 => Just(Step::Mend),
        5 => prop_oneof![Just(100), Just(QUIET_MS), Just(7 * MINUTE_MS), Just(DIGEST_MS)].prop_map(Step::Wait),
        4 => Just(Step::Tell),
    ];
    proptest::collection::vec(step, 10..50)
}

/// What the rules say about one incident.
#[derive(Default)]
struct Expected {
    reason: usize,
    occurrences: u64,
    /// The message of each case, and how often it failed.
    cases: BTreeMap<String, u64>,
    last_at: u64,
    cleared_at: Option<u64>,
}

/// What people were told of one incident on one channel.
#[derive(Default)]
struct Told {
    occasions: Vec<Occasion>,
    at: u64,
    occurrences: u64,
}

struct History {
    shop: Shop,
    /// In the order in which they opened.
    incidents: Vec<Expected>,
    /// Messages that were buried and are not finished: for which reason they are dead letters, none where they are to be tried
    /// again.
    unfinished: BTreeMap<String, Option<usize>>,
    broken: bool,
    /// By incident, and whether by mail.
    told: BTreeMap<(String, bool), Told>,
    /// Digests that are on their way.
    digests: BTreeSet<(String, bool)>,
}

impl History {
    async fn begin(engine: Engine) -> Self {
        let shop = Shop::with_messages(engine, PRODUCTS).await;
        Self {
            shop,
            incidents: Vec::new(),
            unfinished: BTreeMap::new(),
            broken: false,
            told: BTreeMap::new(),
            digests: BTreeSet::new(),
        }
    }

    async fn happen(&mut self, step: Step) {
        self.shop.wait_ms(1);
        match step {
            Step::Bury(limit, reason) => self.bury(limit, reason).await,
            Step::Redrive(limit) => {
                for id in self.operate(Action::Redrive((Selection::All, limit))).await {
                    self.unfinished.insert(id, None);
                }
            }
            Step::Purge(limit) => {
                for id in self.operate(Action::Purge((Selection::All, limit))).await {
                    self.unfinished.remove(&id);
                }
            }
            Step::Finish => {
                for delivery in self.shop.claim(1).await {
                    let open = self.shop.open_request(&delivery.event.subject).await;
                    self.shop.receive(&open.expect("low from the start").id, 9).await;
                    assert!(self.shop.settle(&delivery, Verdict::Done).await);
                    self.unfinished.remove(&delivery.message_id);
                }
            }
            Step::Break => {
                self.shop.wait_ms(PROBE_MS);
                self.shop.break_circuit(PARTNER).await;
                self.broken = true;
                self.failed(CIRCUIT, PARTNER.into());
            }
            Step::Mend => {
                self.shop.wait_ms(PROBE_MS);
                self.shop.mend_circuit(PARTNER).await;
                self.broken = false;
            }
            Step::Wait(ms) => {
                self.shop.wait_ms(ms);
                self.tick().await;
            }
            Step::Tell => self.tell().await,
        }
    }

    async fn bury(&mut self, limit: u32, reason: usize) {
        for delivery in self.shop.claim(limit).await {
            self.shop.bury(&delivery, REASONS[reason].0, "e").await;
            self.unfinished.insert(delivery.message_id.clone(), Some(reason));
            self.failed(reason, delivery.message_id);
        }
    }

    /// One more failure of a kind.
    fn failed(&mut self, reason: usize, case: String) {
        let open = |incident: &Expected| incident.reason == reason && incident.cleared_at.is_none();
        if !self.incidents.iter().any(open) {
            self.incidents.push(Expected { reason, ..Expected::default() });
        }
        let incident = self.incidents.iter_mut().find(|incident| open(incident)).expect("it is open");
        incident.occurrences += 1;
        incident.last_at = self.shop.now();
        *incident.cases.entry(case).or_default() += 1;
    }

    /// Lets an operator act on dead letters; returns which it touched.
    async fn operate(&self, action: Action) -> Vec<String> {
        let before = self.shop.buried().await;
        self.shop.operate(action).await;
        let after = self.shop.buried().await;
        let touched = before.into_iter().filter(|message| !after.iter().any(|left| left.id == message.id));
        touched.map(|message| message.id).collect()
    }

    /// Whether something of an incident is still wrong: a message that is to be tried again or is a dead letter for its reason,
    /// a circuit that is open.
    fn is_wrong(&self, incident: &Expected) -> bool {
        if incident.reason == CIRCUIT {
            return self.broken;
        }
        incident.cases.keys().any(|message| match self.unfinished.get(message) {
            None => false,
            Some(None) => true,
            Some(Some(reason)) => *reason == incident.reason,
        })
    }

    async fn tick(&mut self) {
        let now = self.shop.now();
        let mut notices = 0;
        for number in 0..self.incidents.len() {
            let wrong = self.is_wrong(&self.incidents[number]);
            let incident = &mut self.incidents[number];
            let quiet_ms = if incident.reason == CIRCUIT { FLAPPING_QUIET_MS } else { QUIET_MS };
            if incident.cleared_at.is_none() && !wrong && incident.last_at + quiet_ms <= now {
                incident.cleared_at = Some(now);
                notices += REASONS[incident.reason].1;
            }
        }
        assert_eq!(self.shop.tick().await.notices as usize, notices + self.expect_digests().await);
    }

    /// How many digests a tick makes due now: of incidents that grew since people were told last, long enough ago, where none
    /// is on its way.
    async fn expect_digests(&mut self) -> usize {
        let now = self.shop.now();
        let mut due = 0;
        for incident in self.shop.open_incidents().await {
            for mail in [false, true] {
                let key = (incident.id.clone(), mail);
                let grew = self.told.get(&key).is_some_and(|told| {
                    told.occurrences < incident.occurrences && told.at + DIGEST_MS <= now
                });
                due += usize::from(grew && self.digests.insert(key));
            }
        }
        due
    }

    /// Reads everything that is owed, one after the other, and tells it at once.
    async fn tell(&mut self) {
        for notice in self.shop.notices().await {
            let notice = self.shop.store.owed(notice.id).await.expect("read").expect("it is owed");
            assert_eq!(notice.told_at, None);
            self.note(&notice);
            self.shop.tell(&notice).await;
        }
    }

    /// Takes over what people are told, which must make sense to them.
    fn note(&mut self, notice: &Notice) {
        let now = self.shop.now();
        let key = (notice.incident.id.clone(), notice.channel == Channel::Mail);
        self.digests.remove(&key);
        let told = self.told.entry(key).or_default();
        assert_eq!(notice.occurrences_told, told.occurrences, "{notice:?}");
        match notice.occasion {
            Occasion::Opened => assert!(told.occasions.is_empty(), "it begins once, and first: {notice:?}"),
            Occasion::Grew | Occasion::Cleared => {
                assert!(
                    !told.occasions.is_empty() && !told.occasions.contains(&Occasion::Cleared),
                    "{notice:?}"
                );
            }
        }
        if notice.occasion == Occasion::Grew {
            assert!(notice.incident.occurrences > told.occurrences, "{notice:?}");
            assert!(told.at + DIGEST_MS <= now, "people were told at {}: {notice:?}", told.at);
        }
        told.occasions.push(notice.occasion);
        told.at = now;
        told.occurrences = notice.incident.occurrences;
    }

    async fn check(&self) {
        let found = self.shop.store.incidents(false, first_page()).await.expect("read");
        let said: Vec<_> = found
            .iter()
            .rev()
            .map(|incident| {
                let Some(reason) = REASONS.iter().position(|(reason, _)| *reason == incident.reason) else {
                    panic!("{incident:?}")
                };
                (reason, incident.occurrences, incident.cases_total, incident.last_at, incident.cleared_at)
            })
            .collect();
        let expected: Vec<_> = self
            .incidents
            .iter()
            .map(|incident| {
                let Expected { reason, occurrences, cases, last_at, cleared_at } = incident;
                (*reason, *occurrences, cases.len() as u64, *last_at, *cleared_at)
            })
            .collect();
        assert_eq!(said, expected, "oldest first");
        for (incident, expected) in found.iter().rev().zip(&self.incidents) {
            for case in &incident.cases {
                assert_eq!(Some(&case.times), expected.cases.get(&case.id), "{incident:?}");
            }
        }
        let open = found.iter().filter(|incident| incident.cleared_at.is_none()).cloned().collect::<Vec<_>>();
        assert_eq!(self.shop.open_incidents().await, open);
    }

    /// Everything ends: all is purged, quiet comes, and people know of it all.
    async fn finish(&mut self) {
        self.happen(Step::Purge(100)).await;
        for _ in 0..PRODUCTS {
            self.happen(Step::Finish).await;
        }
        self.happen(Step::Mend).await;
        self.happen(Step::Wait(DIGEST_MS)).await;
        self.check().await;
        self.happen(Step::Tell).await;
        assert!(self.shop.open_incidents().await.is_empty());
        let all = self.shop.store.incidents(false, first_page()).await.expect("read");
        for incident in all {
            let channels = REASONS.iter().find(|(reason, _)| *reason == incident.reason).expect("known").1;
            let told: Vec<_> = [false, true]
                .into_iter()
                .filter_map(|mail| self.told.get(&(incident.id.clone(), mail)))
                .collect();
            assert_eq!(told.len(), channels, "{incident:?}");
            for told in told {
                assert_eq!(told.occasions.last(), Some(&Occasion::Cleared));
                assert_eq!(told.occurrences, incident.occurrences, "nothing was kept from anybody");
            }
        }
        self.shop.audit().await;
    }
}

fn people_know_of_every_incident_in_any_history(engine: Engine) {
    in_any_history(&steps(), async |steps| {
        let mut history = History::begin(engine).await;
        for step in steps {
            history.happen(step).await;
            history.check().await;
        }
        history.finish().await;
    });
}

in_any_history_on_every_engine!(people_know_of_every_incident_in_any_history);

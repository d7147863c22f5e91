//! Claim: whatever is sold, delivered, started, stopped and asked, in whatever order and however late, what is wanted of an
//! advertisement follows from what is so now, and no manager is asked the same thing twice.
//! Method: random histories of one product, each step compared with a model of the rules.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::any_history::{in_any_history, in_any_history_on_every_engine};
use super::bindings::restock::ads::{Errand, Request};
use super::bindings::restock::catalog::{AdDefinition, AdStatus, ProductDefinition};
use super::shop::{Shop, definition};
use super::store::Engine;

#[derive(Clone, Copy, Debug)]
enum Step {
    /// An order of so many units, accepted or not.
    Sell(u32),
    Refill(i64),
    /// The operator decides: no advertisement, one that does not run, one that does.
    Advertise(Option<bool>),
    /// A worker looks what is wanted. Its note comes later, or never.
    Look,
    /// A note on one of the errands that were ever found, perhaps late, perhaps again.
    Note(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => (1_u32..4).prop_map(Step::Sell),
        4 => (1_i64..4).prop_map(Step::Refill),
        3 => prop_oneof![1 => Just(None), 2 => Just(Some(false)), 4 => Just(Some(true))].prop_map(Step::Advertise),
        6 => Just(Step::Look),
        // Mostly the one that was found last.
        6 => prop_oneof![3 => Just(0), 1 => any::<usize>()].prop_map(Step::Note),
    ];
    proptest::collection::vec(step, 10..60)
}

/// What tells one errand from another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Key {
    pause: bool,
    /// The beginning of the episode.
    since: u64,
    /// Which of the product's advertisements.
    starts: u32,
}

/// A product beside the model of its advertisement.
struct History {
    shop: Shop,
    status: AdStatus,
    starts: u32,
    on_hand: i64,
    /// Since when nothing can be sold.
    since: Option<u64>,
    /// Everything that was noted, in the order in which it was.
    noted: Vec<Key>,
    /// Everything that was ever found, newest last.
    found: Vec<(Key, Errand)>,
    ids: BTreeMap<Key, String>,
}

impl History {
    async fn begin(engine: Engine) -> Self {
        Self {
            shop: Shop::with_product(engine, "A", 0, 100, 2).await,
            status: AdStatus::Running,
            starts: 0,
            on_hand: 2,
            since: None,
            noted: Vec::new(),
            found: Vec::new(),
            ids: BTreeMap::new(),
        }
    }

    /// What the rules want now.
    fn wanted(&self) -> Option<Key> {
        match (self.status, self.since) {
            (AdStatus::Running, Some(since)) => Some(Key { pause: true, since, starts: self.starts }),
            (AdStatus::PauseRequested, None) => {
                // It ends what was begun last.
                let pause = |noted: &&Key| noted.pause && noted.starts == self.starts;
                let pause = self.noted.iter().rev().find(pause).expect("it was asked for");
                Some(Key { pause: false, ..pause.clone() })
            }
            _ => None,
        }
    }

    async fn happen(&mut self, step: Step) {
        self.shop.wait_ms(1);
        match step {
            Step::Sell(units) => {
                self.shop.buy(&[("A", units)]).await;
                if i64::from(units) <= self.on_hand {
                    self.on_hand -= i64::from(units);
                }
                if self.on_hand == 0 && self.since.is_none() {
                    self.since = Some(self.shop.now());
                }
            }
            Step::Refill(units) => {
                self.shop.adjust("A", units, None).await;
                self.on_hand += units;
                self.since = None;
            }
            Step::Advertise(running) => self.advertise(running).await,
            Step::Look => {
                if let Some(errand) = self.shop.store.wanted("A".into()).await.expect("read") {
                    self.found.push((self.wanted().expect("the rules want something"), errand));
                }
            }
            Step::Note(which) => self.note(which).await,
        }
    }

    async fn advertise(&mut self, running: Option<bool>) {
        let ad =
            running.map(|running| AdDefinition { running, manager_email: Some("ads@example.com".into()) });
        self.shop.redefine(ProductDefinition { ad, ..definition("A", 0, 100, 2) }).await;
        let runs = matches!(self.status, AdStatus::Running | AdStatus::PauseRequested);
        match running {
            Some(true) if runs => {}
            Some(true) => {
                self.status = AdStatus::Running;
                self.starts += 1;
            }
            Some(false) => self.status = AdStatus::Stopped,
            None => self.status = AdStatus::None,
        }
    }

    async fn note(&mut self, which: usize) {
        if self.found.is_empty() {
            return;
        }
        let place = self.found.len() - 1 - which % self.found.len();
        let (key, errand) = &self.found[place];
        let (id, sku) = (errand.id.clone(), errand.sku.clone());
        self.shop.store.asked(id, sku, errand.request, self.shop.now()).await.expect("noted");
        if self.noted.contains(key) {
            return;
        }
        self.noted.push(key.clone());
        match self.status {
            AdStatus::Running if key.pause && key.starts == self.starts => {
                self.status = AdStatus::PauseRequested;
            }
            AdStatus::PauseRequested if !key.pause && key.starts == self.starts => {
                self.status = AdStatus::Running;
            }
            _ => {}
        }
    }

    async fn check(&mut self) {
        let product = self.shop.product("A").await;
        assert_eq!(
            (product.ad.status, product.depleted_since, product.on_hand),
            (self.status, self.since, self.on_hand)
        );
        let found = self.shop.store.wanted("A".into()).await.expect("read");
        let wanted = self.wanted();
        let said = found.as_ref().map(|errand| (errand.request == Request::Pause, errand.depleted_since));
        assert_eq!(said, wanted.as_ref().map(|key| (key.pause, key.since)));
        if let (Some(key), Some(errand)) = (wanted, found) {
            assert!(!self.noted.contains(&key), "it was asked before: {errand:?}");
            let id = self.ids.entry(key.clone()).or_insert_with(|| errand.id.clone());
            assert_eq!(*id, errand.id, "the same for every repetition of this errand");
            let others = self.ids.iter().filter(|(_, id)| **id == errand.id).count();
            assert_eq!(others, 1, "another one for any other: {:?}", self.ids);
        }
    }
}

fn nothing_is_asked_twice_in_any_history(engine: Engine) {
    in_any_history(&steps(), async |steps| {
        let mut history = History::begin(engine).await;
        for step in steps {
            history.happen(step).await;
            history.check().await;
        }
        history.shop.audit().await;
    });
}

in_any_history_on_every_engine!(nothing_is_asked_twice_in_any_history);

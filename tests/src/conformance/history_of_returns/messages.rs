//! The queue of the model: what each message is about, who has it, and what workers, time and operators do to it.

use super::{Answer, History, Word};
use crate::conformance::bindings::restock::queue::{Action, MessageState, Verdict};
use crate::conformance::bindings::restock::returns::{Progress, Status, ToStock};
use crate::conformance::parcels::{RETURNS, carried};
use crate::conformance::shop::ATTEMPTS_MAX;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum About {
    /// The run in this place.
    Run(usize),
    /// The return of this item, and the step.
    Item(usize, Status),
}

/// What the interface says about one message.
pub(super) struct Expected {
    pub(super) about: About,
    pub(super) state: MessageState,
    pub(super) attempt: u32,
    pub(super) available_at: u64,
    pub(super) redrives: u32,
    /// Of the current lease.
    pub(super) receipt: String,
    pub(super) leased_until: u64,
    pub(super) buried_at: u64,
    /// Known once it was given out.
    pub(super) id: Option<String>,
}

impl History {
    pub(super) fn publish(&mut self, about: About) {
        self.messages.push(Expected {
            about,
            state: MessageState::Ready,
            attempt: 0,
            available_at: self.shop.now(),
            redrives: 0,
            receipt: String::new(),
            leased_until: 0,
            buried_at: 0,
            id: None,
        });
    }

    fn held(&mut self, item: usize) -> impl Iterator<Item = &mut Expected> {
        self.messages.iter_mut().filter(move |message| {
            matches!(message.about, About::Item(other, _) if other == item)
                && message.state == MessageState::Leased
        })
    }

    /// Whether a worker holds the message of a return, who may have asked for another number than the one it gets.
    pub(super) fn is_held(&mut self, item: usize) -> bool {
        self.held(item).next().is_some()
    }

    /// Somebody was answered, so whoever holds the message starts over.
    pub(super) fn forgive(&mut self, item: usize) {
        self.held(item).for_each(|message| message.attempt = 1);
    }

    /// A message came back that is not done. What it waits for is about the number of before, where that was corrected meanwhile.
    fn came_back(&mut self, place: usize) {
        let now = self.shop.now();
        let message = &mut self.messages[place];
        if let About::Item(item, _) = message.about
            && let Some(known) = &mut self.returns[item]
            && known.status == Status::Collected
            && known.renumbered
        {
            known.renumbered = false;
            message.available_at = message.available_at.min(now);
        }
    }

    /// The kind and the subject of a message.
    pub(super) fn said(&self, about: About) -> (&str, &str) {
        match about {
            About::Run(_) => ("returns.due", "collection"),
            About::Item(item, status) => {
                let id = self.returns[item].as_ref().map_or("unknown", |known| known.id.as_str());
                (if status == Status::Collected { "return.collected" } else { "return.delivered" }, id)
            }
        }
    }

    /// The places of the messages that a claim must give out.
    pub(super) fn claimable(&self, limit: u32, now: u64) -> Vec<usize> {
        let unfinished = |state| matches!(state, MessageState::Ready | MessageState::Leased);
        let same = |one: About, other: About| match (one, other) {
            (About::Run(_), About::Run(_)) => true,
            (About::Item(one, _), About::Item(other, _)) => one == other,
            _ => false,
        };
        let mut due: Vec<_> = (0..self.messages.len())
            .filter(|place| {
                let message = &self.messages[*place];
                let blocked = self.messages[..*place]
                    .iter()
                    .any(|older| same(older.about, message.about) && unfinished(older.state));
                message.state == MessageState::Ready && message.available_at <= now && !blocked
            })
            .collect();
        due.sort_by_key(|place| (self.messages[*place].available_at, *place));
        due.truncate(limit as usize);
        due.sort_unstable();
        due
    }

    pub(super) async fn claim(&mut self, limit: u32) {
        let now = self.shop.now();
        let expected = self.claimable(limit, now);
        let deliveries = self.shop.claim_from(RETURNS, limit).await;
        let given: Vec<_> = deliveries
            .iter()
            .map(|delivery| (delivery.event.kind.as_str(), delivery.event.subject.as_str()))
            .collect();
        let due: Vec<_> = expected.iter().map(|place| self.said(self.messages[*place].about)).collect();
        assert_eq!(given, due, "the oldest of each return, oldest first");
        for (place, delivery) in expected.into_iter().zip(deliveries) {
            let message = &mut self.messages[place];
            let known = message.id.get_or_insert_with(|| delivery.message_id.clone());
            assert_eq!(*known, delivery.message_id);
            if let About::Run(run) = message.about {
                assert_eq!(carried(&delivery, "collection_id"), self.runs[run].id);
            }
            message.attempt += 1;
            assert_eq!(delivery.attempt, message.attempt);
            message.state = MessageState::Leased;
            message.receipt.clone_from(&delivery.receipt);
            message.leased_until = delivery.leased_until;
            self.given.push((place, delivery));
        }
    }

    /// Does what a message asks for.
    pub(super) async fn work(&mut self, about: About) {
        match about {
            About::Run(run) => self.finish_run(run).await,
            About::Item(item, Status::Collected) => {
                let second = self.returns[item].as_ref().is_some_and(|known| known.second_number);
                self.track(item, second, Answer::Delivered).await;
            }
            About::Item(item, _) => self.report(item, ToStock::Ask).await,
        }
    }

    pub(super) async fn settle(&mut self, which: usize, word: Word) {
        let now = self.shop.now();
        let (place, delivery) = self.given[which].clone();
        let about = self.messages[place].about;
        if matches!(word, Word::Done | Word::DoneAndRetry | Word::DoneAndBury) {
            self.work(about).await;
        }
        let (verdict, state, available_at) = match word {
            Word::Done => (Verdict::Done, MessageState::Done, 0),
            Word::DoneAndRetry | Word::Retry => (Verdict::Retry(now + 10), MessageState::Ready, now + 10),
            Word::Postpone => (Verdict::Postpone(now + 90), MessageState::Ready, now + 90),
            Word::DoneAndBury | Word::Bury => (Verdict::Bury, MessageState::Buried, 0),
        };
        let message = &self.messages[place];
        let counts = message.state == MessageState::Leased && message.receipt == delivery.receipt;
        assert_eq!(self.shop.settle(&delivery, verdict).await, counts, "the receipt decides, once");
        if !counts {
            return;
        }
        let message = &mut self.messages[place];
        message.state = state;
        message.attempt -= u32::from(matches!(word, Word::Postpone));
        if state == MessageState::Ready {
            message.available_at = available_at;
            self.came_back(place);
        }
        if state == MessageState::Buried {
            self.buried(place);
        }
    }

    pub(super) fn buried(&mut self, place: usize) {
        self.messages[place].buried_at = self.shop.now();
        if let About::Run(run) = self.messages[place].about
            && self.runs[run].progress == Progress::Running
        {
            self.runs[run].progress = Progress::Failed;
        }
    }

    pub(super) async fn tick(&mut self) {
        let now = self.shop.now();
        let mut expired = 0;
        for place in 0..self.messages.len() {
            let message = &mut self.messages[place];
            if message.state == MessageState::Leased && message.leased_until <= now {
                expired += 1;
                message.available_at = now;
                message.state = MessageState::Ready;
                if message.attempt >= ATTEMPTS_MAX {
                    message.state = MessageState::Buried;
                    self.buried(place);
                } else {
                    self.came_back(place);
                }
            }
        }
        assert_eq!(self.shop.tick().await.leases_expired, expired);
    }

    /// Lets an operator act on dead letters, and takes over which it hit: so many, and dead letters only.
    pub(super) async fn operate(&mut self, action: Action, limit: u32, state: MessageState) {
        let now = self.shop.now();
        let operation = self.shop.operation(RETURNS, action);
        let touched = self.shop.store.operate(operation).await.expect("done").expect("the queue is known");
        let (mut hit, mut dead) = (0, 0);
        for message in &mut self.messages {
            if message.state != MessageState::Buried {
                continue;
            }
            dead += 1;
            let id = message.id.clone().expect("a dead letter was given out");
            let found = self.shop.message(&id).await.state;
            if found != MessageState::Buried {
                assert_eq!(found, state);
                hit += 1;
                if state == MessageState::Ready {
                    redriven(message, now);
                }
                message.state = state;
                if let About::Item(item, step) = message.about
                    && let Some(known) = &mut self.returns[item]
                    && known.status == step
                    && state == MessageState::Purged
                {
                    known.given_up = true;
                }
            }
        }
        assert_eq!((touched, hit), (dead.min(limit), dead.min(limit)));
    }
}

pub(super) fn redriven(message: &mut Expected, now: u64) {
    message.state = MessageState::Ready;
    message.attempt = 0;
    message.redrives += 1;
    message.available_at = now;
}

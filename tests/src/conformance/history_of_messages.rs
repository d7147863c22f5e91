//! Claim: whatever workers, operators and time do to a queue, in whatever order, no message is lost and none is settled twice.
//! Method: random histories of workers that finish, fail, crash or come too late, and of operators, each step compared with
//! a model of the queue.

use proptest::prelude::*;

use super::any_history::{in_any_history, in_any_history_on_every_engine};
use super::bindings::restock::queue::{Action, Delivery, MessageState, Selection, Verdict};
use super::shop::{ATTEMPTS_MAX, LEASE_MS, Shop};
use super::store::Engine;

/// Products, each with one message from the start and a second one when its last unit is sold.
const PRODUCTS: usize = 6;
/// Longer than any history.
const NEVER_MS: u64 = 1_000_000_000_000;

#[derive(Clone, Debug)]
enum Step {
    /// Sells the last unit of a product: one more message of that subject.
    Sell(usize),
    Claim(u32),
    /// A worker comes back with one of the deliveries that were ever given out, perhaps late, perhaps again.
    Settle(usize, Word),
    /// Time passes, and the tick looks after those who did not come back.
    Wait(u64),
    Redrive(u32),
    Purge(u32),
    Pause,
    Resume,
}

#[derive(Clone, Copy, Debug)]
enum Word {
    Done,
    Retry,
    Postpone,
    Bury,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let word = prop_oneof![
        3 => Just(Word::Done), 2 => Just(Word::Retry), 1 => Just(Word::Postpone), 3 => Just(Word::Bury)
    ];
    let step = prop_oneof![
        2 => (0..PRODUCTS).prop_map(Step::Sell),
        6 => (1_u32..5).prop_map(Step::Claim),
        8 => (any::<usize>(), word).prop_map(|(which, word)| Step::Settle(which, word)),
        4 => prop_oneof![Just(1), Just(10), Just(LEASE_MS - 1), Just(LEASE_MS)].prop_map(Step::Wait),
        2 => (1_u32..4).prop_map(Step::Redrive),
        1 => (1_u32..3).prop_map(Step::Purge),
        1 => Just(Step::Pause),
        2 => Just(Step::Resume),
    ];
    proptest::collection::vec(step, 10..50)
}

/// What the interface says about one message.
struct Expected {
    subject: String,
    state: MessageState,
    attempt: u32,
    available_at: u64,
    redrives: u32,
    /// Of the current lease.
    receipt: String,
    leased_until: u64,
    outcomes: Vec<&'static str>,
    /// Known once it was given out.
    id: Option<String>,
}

/// A queue beside its model. Messages are in the order in which they were published.
struct History {
    shop: Shop,
    messages: Vec<Expected>,
    sold: [bool; PRODUCTS],
    /// Everything that was ever given out, with the place of its message.
    given: Vec<(usize, Delivery)>,
    paused: bool,
}

impl History {
    async fn begin(engine: Engine) -> Self {
        let shop = Shop::with_messages(engine, PRODUCTS).await;
        let now = shop.now();
        let mut history =
            Self { shop, messages: Vec::new(), sold: [false; PRODUCTS], given: Vec::new(), paused: false };
        for number in 0..PRODUCTS {
            history.publish(number, now);
        }
        history
    }

    fn publish(&mut self, product: usize, now: u64) {
        self.messages.push(Expected {
            subject: format!("P{product:03}"),
            state: MessageState::Ready,
            attempt: 0,
            available_at: now,
            redrives: 0,
            receipt: String::new(),
            leased_until: 0,
            outcomes: Vec::new(),
            id: None,
        });
    }

    /// The places of the messages that a claim must give out.
    fn claimable(&self, limit: u32, now: u64) -> Vec<usize> {
        let unfinished = |state| matches!(state, MessageState::Ready | MessageState::Leased);
        let mut due: Vec<_> = (0..self.messages.len())
            .filter(|place| {
                let message = &self.messages[*place];
                let older = &self.messages[..*place];
                message.state == MessageState::Ready
                    && message.available_at <= now
                    && !older.iter().any(|older| older.subject == message.subject && unfinished(older.state))
            })
            .collect();
        due.sort_by_key(|place| (self.messages[*place].available_at, *place));
        due.truncate(if self.paused { 0 } else { limit as usize });
        due.sort_unstable();
        due
    }

    async fn happen(&mut self, step: Step) {
        self.shop.wait_ms(1);
        let now = self.shop.now();
        match step {
            Step::Sell(product) => {
                if !std::mem::replace(&mut self.sold[product], true) {
                    self.shop.buy(&[(&format!("P{product:03}"), 1)]).await;
                    self.publish(product, now);
                }
            }
            Step::Claim(limit) => self.claim(limit, now).await,
            Step::Settle(which, word) => self.settle(which, word, now).await,
            Step::Wait(ms) => {
                self.shop.wait_ms(ms);
                self.tick().await;
            }
            Step::Redrive(limit) => {
                let touched = self.shop.operate(Action::Redrive((Selection::All, limit))).await;
                self.touched(touched, limit, MessageState::Ready).await;
            }
            Step::Purge(limit) => {
                let touched = self.shop.operate(Action::Purge((Selection::All, limit))).await;
                self.touched(touched, limit, MessageState::Purged).await;
            }
            Step::Pause => {
                self.shop.operate(Action::Pause).await;
                self.paused = true;
            }
            Step::Resume => {
                self.shop.operate(Action::Resume).await;
                self.paused = false;
            }
        }
    }

    async fn claim(&mut self, limit: u32, now: u64) {
        let expected = self.claimable(limit, now);
        assert_eq!(
            self.shop.due().await,
            !self.claimable(u32::MAX, now).is_empty(),
            "due is what a claim would find"
        );
        let deliveries = self.shop.claim(limit).await;
        let subjects = |places: &[usize]| -> Vec<String> {
            places.iter().map(|place| self.messages[*place].subject.clone()).collect()
        };
        let given: Vec<_> = deliveries.iter().map(|delivery| delivery.event.subject.clone()).collect();
        assert_eq!(given, subjects(&expected), "the oldest of each subject, oldest first");
        for (place, delivery) in expected.into_iter().zip(deliveries) {
            let message = &mut self.messages[place];
            let known = message.id.get_or_insert_with(|| delivery.message_id.clone());
            assert_eq!(*known, delivery.message_id);
            message.attempt += 1;
            assert_eq!((delivery.attempt, delivery.leased_until), (message.attempt, now + LEASE_MS));
            assert!(
                self.given.iter().all(|(_, earlier)| earlier.receipt != delivery.receipt),
                "a receipt is fresh"
            );
            message.state = MessageState::Leased;
            message.receipt.clone_from(&delivery.receipt);
            message.leased_until = delivery.leased_until;
            self.given.push((place, delivery));
        }
    }

    async fn settle(&mut self, which: usize, word: Word, now: u64) {
        if self.given.is_empty() {
            return;
        }
        let (place, delivery) = &self.given[which % self.given.len()];
        if matches!(word, Word::Done) {
            self.ask_the_factory(delivery, now).await;
        }
        let message = &mut self.messages[*place];
        let (verdict, state, outcome) = match word {
            Word::Done => (Verdict::Done, MessageState::Done, "done"),
            Word::Retry => (Verdict::Retry(now + 10), MessageState::Ready, "retry"),
            Word::Postpone => (Verdict::Postpone(now + 10), MessageState::Ready, "postpone"),
            Word::Bury => (Verdict::Bury, MessageState::Buried, "bury"),
        };
        let counts = message.state == MessageState::Leased && message.receipt == delivery.receipt;
        assert_eq!(self.shop.settle(delivery, verdict).await, counts, "the receipt decides, once");
        if counts {
            message.state = state;
            // Postponements in a row, which are all for the same reason here, are one attempt on record.
            if outcome != "postpone" || message.outcomes.last() != Some(&outcome) {
                message.outcomes.push(outcome);
            }
            if state == MessageState::Ready {
                message.available_at = now + 10;
            }
            if matches!(word, Word::Postpone) {
                message.attempt -= 1;
            }
        }
    }

    /// What a worker does before it is done.
    async fn ask_the_factory(&self, delivery: &Delivery, now: u64) {
        let data: serde_json::Value = serde_json::from_str(&delivery.event.data).expect("JSON");
        let id = data["production_id"].as_str().expect("the request it is about");
        if self.shop.store.begin(id.into(), now).await.expect("begun").is_some() {
            self.shop.store.requested(id.into(), None, now, now + NEVER_MS).await.expect("noted");
        }
    }

    async fn tick(&mut self) {
        let now = self.shop.now();
        let mut expired = 0;
        for message in &mut self.messages {
            if message.state == MessageState::Leased && message.leased_until <= now {
                expired += 1;
                message.outcomes.push("lease-expired");
                message.available_at = now;
                message.state =
                    if message.attempt >= ATTEMPTS_MAX { MessageState::Buried } else { MessageState::Ready };
            }
        }
        assert_eq!(self.shop.tick().await.leases_expired, expired);
    }

    /// Takes over which dead letters an operator's action hit: so many, and dead letters only.
    async fn touched(&mut self, touched: u32, limit: u32, state: MessageState) {
        let now = self.shop.now();
        let mut hit = 0;
        let mut dead = 0;
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
                message.state = state;
                if state == MessageState::Ready {
                    message.attempt = 0;
                    message.redrives += 1;
                    message.available_at = now;
                }
            }
        }
        assert_eq!((touched, hit), (dead.min(limit), dead.min(limit)));
    }

    /// Every message is where it must be, with every attempt that was made at it.
    async fn check(&self) {
        let count = |state| self.messages.iter().filter(|message| message.state == state).count() as u64;
        let queue = self.shop.queue().await;
        assert_eq!(
            (queue.ready, queue.leased, queue.buried, queue.done_total),
            (
                count(MessageState::Ready),
                count(MessageState::Leased),
                count(MessageState::Buried),
                count(MessageState::Done)
            )
        );
        for message in &self.messages {
            let Some(id) = &message.id else { continue };
            let found = self.shop.message(id).await;
            assert_eq!(
                (found.state, found.attempt, found.redrives, found.available_at),
                (message.state, message.attempt, message.redrives, message.available_at),
                "{id}"
            );
            let outcomes: Vec<_> = found.attempts.iter().map(|attempt| attempt.outcome.as_str()).collect();
            assert_eq!(outcomes, message.outcomes, "{id}");
        }
        self.shop.audit().await;
    }

    /// Works off what is left: everything ends, and only what was purged is not done.
    async fn finish(&mut self) {
        self.happen(Step::Resume).await;
        let mut rounds = 0;
        while self
            .messages
            .iter()
            .any(|message| !matches!(message.state, MessageState::Done | MessageState::Purged))
        {
            rounds += 1;
            assert!(rounds < 100, "the queue never becomes empty");
            self.happen(Step::Redrive(100)).await;
            self.happen(Step::Wait(LEASE_MS)).await;
            let before = self.given.len();
            self.happen(Step::Claim(100)).await;
            for which in before..self.given.len() {
                self.happen(Step::Settle(which, Word::Done)).await;
            }
        }
        self.check().await;
        for message in &self.messages {
            let done = message.outcomes.iter().filter(|outcome| **outcome == "done").count();
            assert_eq!(
                done,
                usize::from(message.state == MessageState::Done),
                "done is said once, of what is done"
            );
        }
    }
}

fn no_message_is_lost_or_settled_twice_in_any_history(engine: Engine) {
    in_any_history(&steps(), async |steps| {
        let mut history = History::begin(engine).await;
        for step in steps {
            history.happen(step).await;
        }
        history.check().await;
        history.finish().await;
    });
}

in_any_history_on_every_engine!(no_message_is_lost_or_settled_twice_in_any_history);

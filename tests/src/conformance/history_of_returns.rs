//! Claim: whatever the partner, workers, operators and time do to returns, in whatever order and however often, none is lost, none
//! goes back a step, each step is published once, and no more goods come back than were sold.
//! Method: random histories of lists, answers, reports and decisions that are repeated and late, of workers that crash, and of
//! operators, each step compared with a model of the rules.

mod messages;

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::any_history::{in_any_history, in_any_history_on_every_engine};
use super::bindings::restock::orders::IfShort;
use super::bindings::restock::queue::{Action, Delivery, MessageState, Selection};
use super::bindings::restock::returns::{
    Goods, Parcel, Progress, Replaying, Return, Settling, Status, ToStock,
};
use super::parcels::{RETURNS, carried, shipped, units};
use super::shop::{LEASE_MS, Shop};
use super::store::Engine;
use messages::{About, Expected, redriven};

/// What was sold: a product, and how many units.
const LINES: [(&str, i64); 2] = [("A", 3), ("B", 2)];
/// The key of their order.
const KEY: &str = "k";
/// What is on the shelf of each product when nothing was sold yet.
const OPENING: i64 = 30;
/// How a return names the order (none: by its id) and the item, and the line that is meant.
const ITEMS: [(Option<&str>, &str, Option<usize>); 4] =
    [(None, "A", Some(0)), (Some(KEY), "1", Some(0)), (None, "2", Some(1)), (Some("elsewhere"), "1", None)];
/// How often the list is collected.
const EVERY_MS: u64 = 40;
const RULES: [ToStock; 3] = [ToStock::On, ToStock::Off, ToStock::Ask];

#[derive(Clone, Debug)]
enum Step {
    Begin,
    /// A part of a list, perhaps one that is over: these returns, some with their second shipment number.
    Collect(usize, Vec<(usize, bool)>),
    Finish(usize),
    /// What is heard of a return, perhaps about its other number.
    Track(usize, bool, Answer),
    Report(usize, usize),
    Replay(usize, bool),
    Receive(usize, Option<i64>),
    Discard(usize),
    Claim(u32),
    /// A worker comes back with one of the deliveries that were ever given out, so many before the last, perhaps late, perhaps
    /// again.
    Settle(usize, Word),
    /// Time passes, and the tick looks after those who did not come back.
    Wait(u64),
    Redrive(u32),
    Purge(u32),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Answer {
    Unknown,
    OnItsWay,
    Delivered,
}

#[derive(Clone, Copy, Debug)]
enum Word {
    Done,
    /// It did what was to be done, and does not know.
    DoneAndRetry,
    DoneAndBury,
    Retry,
    Postpone,
    Bury,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let item = 0..ITEMS.len();
    let answer = prop_oneof![
        2 => Just(Answer::Unknown), 2 => Just(Answer::OnItsWay), 3 => Just(Answer::Delivered)
    ];
    let word = prop_oneof![
        4 => Just(Word::Done),
        1 => Just(Word::DoneAndRetry),
        2 => Just(Word::DoneAndBury),
        1 => Just(Word::Retry),
        1 => Just(Word::Postpone),
        3 => Just(Word::Bury),
    ];
    let late = prop_oneof![4 => 0_usize..4, 1 => any::<usize>()];
    let part = proptest::collection::vec((item.clone(), proptest::bool::weighted(0.2)), 0..6);
    let step = prop_oneof![
        3 => Just(Step::Begin),
        5 => (any::<usize>(), part).prop_map(|(run, part)| Step::Collect(run, part)),
        2 => any::<usize>().prop_map(Step::Finish),
        4 => (item.clone(), any::<bool>(), answer)
            .prop_map(|(item, second, answer)| Step::Track(item, second, answer)),
        3 => (item.clone(), 0..RULES.len()).prop_map(|(item, rule)| Step::Report(item, rule)),
        6 => (item.clone(), any::<bool>()).prop_map(|(item, second)| Step::Replay(item, second)),
        4 => (item.clone(), proptest::option::of(0_i64..4)).prop_map(|(item, units)| Step::Receive(item, units)),
        1 => item.prop_map(Step::Discard),
        8 => (1_u32..6).prop_map(Step::Claim),
        14 => (late, word).prop_map(|(which, word)| Step::Settle(which, word)),
        4 => prop_oneof![3 => Just(1), 3 => Just(EVERY_MS), 1 => Just(LEASE_MS - 1), 1 => Just(LEASE_MS)]
            .prop_map(Step::Wait),
        2 => (1_u32..4).prop_map(Step::Redrive),
        2 => (1_u32..3).prop_map(Step::Purge),
    ];
    proptest::collection::vec(step, 20..80)
}

struct Run {
    id: String,
    progress: Progress,
    began_at: u64,
    fresh: u64,
    rejected: u64,
    failed: u64,
}

/// What the interface says about one return.
struct Followed {
    id: String,
    second_number: bool,
    status: Status,
    goods: Goods,
    received: i64,
    by_operator: bool,
    trackings: u64,
    unknown_since: Option<u64>,
    /// Its number was corrected while a worker held its message, and nothing was heard about the new one yet.
    renumbered: bool,
    /// Its message was purged.
    given_up: bool,
}

/// Returns beside their model. Messages are in the order in which they were published.
struct History {
    shop: Shop,
    order: String,
    returns: [Option<Followed>; ITEMS.len()],
    runs: Vec<Run>,
    rejects: BTreeSet<(usize, bool)>,
    messages: Vec<Expected>,
    given: Vec<(usize, Delivery)>,
    /// Since a collection finished last.
    delivered: u64,
    reported: u64,
    finished_at: u64,
}

impl History {
    async fn begin(engine: Engine) -> Self {
        let shop = Shop::with_product(engine, "A", 0, 100, OPENING).await;
        shop.define("B", 0, 100, OPENING).await;
        let items = LINES.map(|(sku, quantity)| (sku, u32::try_from(quantity).expect("a count")));
        let order = shop.recorded(shop.keyed(KEY, &items, IfShort::Reject)).await.order.id;
        Self {
            shop,
            order,
            returns: Default::default(),
            runs: Vec::new(),
            rejects: BTreeSet::new(),
            messages: Vec::new(),
            given: Vec::new(),
            delivered: 0,
            reported: 0,
            finished_at: 0,
        }
    }

    fn parcel(&self, item: usize, second: bool) -> Parcel {
        let (order, number, _) = ITEMS[item];
        let order = order.unwrap_or(&self.order);
        shipped(order, number, &format!("SHP-{item}-{second}"))
    }

    async fn happen(&mut self, step: Step) {
        self.shop.wait_ms(1);
        match step {
            Step::Begin => self.begin_run().await,
            Step::Collect(run, part) => self.collect(run, &part).await,
            Step::Finish(run) => {
                if !self.runs.is_empty() {
                    self.finish_run(run % self.runs.len()).await;
                }
            }
            Step::Track(item, second, answer) => self.track(item, second, answer).await,
            Step::Report(item, rule) => self.report(item, RULES[rule]).await,
            Step::Replay(item, second) => self.replay(item, second).await,
            Step::Receive(item, units) => self.receive(item, units).await,
            Step::Discard(item) => self.discard(item).await,
            Step::Claim(limit) => self.claim(limit).await,
            Step::Settle(which, word) => {
                if !self.given.is_empty() {
                    self.settle(self.given.len() - 1 - which % self.given.len(), word).await;
                }
            }
            Step::Wait(ms) => {
                self.shop.wait_ms(ms);
                self.tick().await;
            }
            Step::Redrive(limit) => {
                let action = Action::Redrive((Selection::All, limit));
                self.operate(action, limit, MessageState::Ready).await;
            }
            Step::Purge(limit) => {
                let action = Action::Purge((Selection::All, limit));
                self.operate(action, limit, MessageState::Purged).await;
            }
        }
    }

    async fn begin_run(&mut self) {
        let now = self.shop.now();
        let due =
            self.runs.iter().all(|run| run.progress != Progress::Running && run.began_at + EVERY_MS <= now);
        let begun = self.shop.store.begin_collection(EVERY_MS, now).await.expect("answered");
        assert_eq!(begun.is_some(), due);
        if let Some(id) = begun {
            let progress = Progress::Running;
            self.runs.push(Run { id, progress, began_at: now, fresh: 0, rejected: 0, failed: 0 });
            self.publish(About::Run(self.runs.len() - 1));
        }
    }

    async fn collect(&mut self, run: usize, part: &[(usize, bool)]) {
        if self.runs.is_empty() {
            return;
        }
        let run = run % self.runs.len();
        let parcels: Vec<_> = part.iter().map(|(item, second)| self.parcel(*item, *second)).collect();
        self.shop.collect(&self.runs[run].id, &parcels).await;
        for (item, second) in part {
            match &self.returns[*item] {
                None => {
                    self.follow(*item, *second).await;
                    self.runs[run].fresh += 1;
                }
                Some(known) => {
                    if known.status == Status::Collected
                        && known.second_number != *second
                        && self.rejects.insert((*item, *second))
                    {
                        self.runs[run].rejected += 1;
                    }
                }
            }
        }
    }

    /// A return that was not known is from now on.
    async fn follow(&mut self, item: usize, second: bool) {
        let Parcel { order_number, order_item_number, .. } = self.parcel(item, second);
        let id = self.shop.return_of(&order_number, &order_item_number).await.id;
        self.returns[item] = Some(Followed {
            id,
            second_number: second,
            status: Status::Collected,
            goods: Goods::Pending,
            received: 0,
            by_operator: false,
            trackings: 0,
            unknown_since: None,
            renumbered: false,
            given_up: false,
        });
        self.publish(About::Item(item, Status::Collected));
    }

    async fn finish_run(&mut self, place: usize) {
        let dead = self
            .messages
            .iter()
            .filter(|message| message.state == MessageState::Buried && message.buried_at > self.finished_at)
            .count() as u64;
        let run = &mut self.runs[place];
        let finished = self.shop.finish(&run.id, 7).await;
        if run.progress == Progress::Finished {
            assert_ne!(finished.finished_at, Some(self.shop.now()), "it finished before");
            return;
        }
        run.progress = Progress::Finished;
        run.failed = run.rejected + dead;
        assert_eq!(
            (finished.fresh, finished.rejected, finished.delivered, finished.reported, finished.failed),
            (run.fresh, run.rejected, self.delivered, self.reported, run.failed)
        );
        (self.delivered, self.reported, self.finished_at) = (0, 0, self.shop.now());
    }

    async fn track(&mut self, item: usize, second: bool, answer: Answer) {
        let now = self.shop.now();
        let number = self.parcel(item, second).shipment_number;
        let Some(known) = &mut self.returns[item] else { return };
        let said: &[&str] = match answer {
            Answer::Unknown => &[],
            Answer::OnItsWay => &["in transit"],
            Answer::Delivered => &["in transit", "delivered"],
        };
        self.shop.track_as(&known.id, &number, said).await;
        if known.status != Status::Collected || known.second_number != second {
            return;
        }
        known.trackings += 1;
        known.renumbered = false;
        known.unknown_since = (answer == Answer::Unknown).then(|| known.unknown_since.unwrap_or(now));
        if answer == Answer::Delivered {
            known.status = Status::Delivered;
            known.given_up = false;
            self.delivered += 1;
            self.publish(About::Item(item, Status::Delivered));
        }
        self.forgive(item);
    }

    /// How many units of what was sold under the numbers of a return are not back.
    fn left(&self, item: usize) -> i64 {
        let Some(line) = ITEMS[item].2 else { return 0 };
        let back = |(other, known): (usize, &Option<Followed>)| match known {
            Some(known) if ITEMS[other].2 == Some(line) => known.received,
            _ => 0,
        };
        LINES[line].1 - self.returns.iter().enumerate().map(back).sum::<i64>()
    }

    async fn report(&mut self, item: usize, rule: ToStock) {
        let left = self.left(item);
        let Some(known) = &mut self.returns[item] else { return };
        let moved = self.shop.store.reported(known.id.clone(), rule, self.shop.now()).await.expect("noted");
        if known.status != Status::Delivered {
            assert!(!moved);
            return;
        }
        known.status = Status::Reported;
        known.goods = match rule {
            ToStock::Off => Goods::Left,
            ToStock::On | ToStock::Ask if left == 0 => Goods::NotOurs,
            ToStock::On => Goods::Received,
            ToStock::Ask => Goods::Waiting,
        };
        if known.goods == Goods::Received {
            known.received = left;
        }
        assert_eq!(moved, known.goods == Goods::Received);
        self.reported += 1;
    }

    async fn replay(&mut self, item: usize, second: bool) {
        let now = self.shop.now();
        let held = self.is_held(item);
        let replaying = self.shop.replay(self.parcel(item, second)).await;
        let Some(known) = &mut self.returns[item] else {
            assert!(matches!(replaying, Replaying::Begun(_)), "{replaying:?}");
            self.follow(item, second).await;
            return;
        };
        if known.status == Status::Reported {
            assert!(matches!(replaying, Replaying::Over(_)), "{replaying:?}");
            return;
        }
        assert!(matches!(replaying, Replaying::Resumed(_)), "{replaying:?}");
        if known.status == Status::Collected && known.second_number != second {
            known.second_number = second;
            known.unknown_since = None;
            known.renumbered = held;
        }
        if known.given_up {
            known.given_up = false;
            known.unknown_since = None;
        }
        let step = About::Item(item, known.status);
        let mut carried = false;
        for message in &mut self.messages {
            let About::Item(other, _) = message.about else { continue };
            if other != item {
                continue;
            }
            if message.state == MessageState::Ready {
                message.available_at = message.available_at.min(now);
            }
            if message.about == step && message.state == MessageState::Buried {
                redriven(message, now);
            }
            carried |=
                message.about == step && matches!(message.state, MessageState::Ready | MessageState::Leased);
        }
        if !carried {
            self.publish(step);
        }
    }

    async fn receive(&mut self, item: usize, quantity: Option<i64>) {
        let left = self.left(item);
        let Some(known) = &mut self.returns[item] else { return };
        let settling = self.shop.accept(&known.id, None, quantity).await;
        let fits = match known.goods {
            Goods::Pending => matches!(settling, Settling::TooEarly(_)),
            Goods::Discarded => matches!(settling, Settling::Otherwise(_)),
            Goods::Received if known.by_operator && quantity.is_none_or(|units| units == known.received) => {
                matches!(settling, Settling::Repeated(_))
            }
            Goods::Received => matches!(settling, Settling::Otherwise(_)),
            Goods::NotOurs | Goods::Left | Goods::Waiting => match quantity {
                _ if left == 0 => matches!(settling, Settling::NothingMatches(_)),
                Some(0) => settling == Settling::QuantityNeeded,
                Some(units) if units > left => settling == Settling::TooMany(left),
                _ => {
                    known.goods = Goods::Received;
                    known.by_operator = true;
                    known.received = quantity.unwrap_or(left);
                    matches!(settling, Settling::Settled(_))
                }
            },
        };
        assert!(fits, "{left} are left: {settling:?}");
    }

    async fn discard(&mut self, item: usize) {
        let Some(known) = &mut self.returns[item] else { return };
        let settling = self.shop.discard(&known.id).await;
        let fits = match known.goods {
            Goods::Pending => matches!(settling, Settling::TooEarly(_)),
            Goods::Discarded => matches!(settling, Settling::Repeated(_)),
            Goods::Received => matches!(settling, Settling::Otherwise(_)),
            Goods::NotOurs | Goods::Left | Goods::Waiting => {
                known.goods = Goods::Discarded;
                matches!(settling, Settling::Settled(_))
            }
        };
        assert!(fits, "{settling:?}");
    }

    /// Everything is where the rules put it.
    async fn check(&self) {
        let count = |state| self.messages.iter().filter(|message| message.state == state).count() as u64;
        let queue = self.shop.queue_named(RETURNS).await;
        assert_eq!(
            (queue.ready, queue.leased, queue.buried, queue.done_total),
            (
                count(MessageState::Ready),
                count(MessageState::Leased),
                count(MessageState::Buried),
                count(MessageState::Done)
            )
        );
        for run in &self.runs {
            assert_eq!(self.shop.collection(&run.id).await.progress, run.progress);
        }
        let known: Vec<_> = self.returns.iter().flatten().collect();
        assert_eq!(self.shop.all_returns().await.len(), known.len());
        assert_eq!(self.shop.rejects().await.len(), self.rejects.len());
        for (item, known) in self.returns.iter().enumerate() {
            let Some(known) = known else { continue };
            let found = self.shop.one_return(&known.id).await;
            assert_eq!(found.shipment_number, self.parcel(item, known.second_number).shipment_number);
            let Return { status, goods, trackings, unknown_since, received, .. } = found;
            assert_eq!(
                (status, goods, trackings, unknown_since),
                (known.status, known.goods, known.trackings, known.unknown_since)
            );
            let line = ITEMS[item].2.map_or("", |line| LINES[line].0);
            let expected = (known.received > 0).then(|| (line.to_owned(), known.received));
            assert_eq!(received.as_ref().map(units), expected);
        }
        self.shop.audit().await;
    }

    /// Works off what is left: everything ends, and only what was purged is not done.
    async fn work_off(&mut self) {
        let over = |state| matches!(state, MessageState::Done | MessageState::Purged);
        let mut rounds = 0;
        while !self.messages.iter().all(|message| over(message.state)) {
            rounds += 1;
            assert!(rounds < 100, "the queue never becomes empty");
            self.happen(Step::Redrive(100)).await;
            self.happen(Step::Wait(LEASE_MS)).await;
            let before = self.given.len();
            self.happen(Step::Claim(100)).await;
            for which in before..self.given.len() {
                self.happen(Step::Settle(self.given.len() - 1 - which, Word::Done)).await;
            }
        }
    }

    async fn finish(&mut self) {
        self.work_off().await;
        self.check().await;
        for item in 0..ITEMS.len() {
            let Some(known) = &self.returns[item] else { continue };
            if known.status == Status::Reported {
                continue;
            }
            let step = About::Item(item, known.status);
            let purged = |message: &Expected| message.about == step && message.state == MessageState::Purged;
            assert!(self.messages.iter().any(purged), "nobody gave up {}", known.id);
            self.happen(Step::Replay(item, known.second_number)).await;
        }
        self.work_off().await;
        self.check().await;
        assert!(self.returns.iter().flatten().all(|known| known.status == Status::Reported));
        self.check_goods().await;
        self.check_what_was_told().await;
    }

    /// Each return moved stock at most once, and no more came back than was sold.
    async fn check_goods(&self) {
        let mut moved = Vec::new();
        for sku in ["A", "B"] {
            let sold: i64 = LINES.iter().filter(|line| line.0 == sku).map(|line| line.1).sum();
            let back = self.shop.brought_back(sku).await;
            let units: i64 = back.iter().map(|movement| movement.delta).sum();
            assert!(units <= sold, "{units} of {sku} came back, {sold} were sold");
            assert_eq!(self.shop.levels(sku).await.0, OPENING - sold + units);
            let of = |movement: &super::bindings::restock::stock::Movement| {
                (movement.return_id.clone().expect("of a return"), movement.delta)
            };
            moved.extend(back.iter().map(of));
        }
        let mut expected: Vec<_> = self
            .returns
            .iter()
            .flatten()
            .filter(|known| known.received > 0)
            .map(|known| (known.id.clone(), known.received))
            .collect();
        moved.sort();
        expected.sort();
        assert_eq!(moved, expected);
        assert!((0..ITEMS.len()).all(|item| self.left(item) >= 0));
    }

    /// People were told once of each collection in which something failed.
    async fn check_what_was_told(&self) {
        let mut told = self.shop.drain("alerts").await;
        told.retain(|delivery| delivery.event.kind == "returns.failed");
        let mut told: Vec<_> = told.iter().map(|delivery| carried(delivery, "collection_id")).collect();
        let mut failed: Vec<_> =
            self.runs.iter().filter(|run| run.failed > 0).map(|run| run.id.clone()).collect();
        told.sort();
        failed.sort();
        assert_eq!(told, failed);
    }
}

fn no_return_is_lost_or_received_twice_in_any_history(engine: Engine) {
    in_any_history(&steps(), async |steps| {
        let mut history = History::begin(engine).await;
        for step in steps {
            history.happen(step).await;
            history.check().await;
        }
        history.finish().await;
    });
}

in_any_history_on_every_engine!(no_return_is_lost_or_received_twice_in_any_history);

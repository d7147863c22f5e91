//! Claim: a manager is asked to pause once while nothing can be sold and to resume once when something can, whatever is repeated,
//! overtaken or cut short. Method: each rule by hand, then random histories of a worker that may die between any two steps.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::shop::{Shop, definition, wait};
use restock_store::restock::ads::{Errand, Request};
use restock_store::restock::catalog::{AdDefinition, AdStatus};
use restock_store::restock::queue::{Delivery, Verdict};
use restock_store::{ads, catalog, letters};

const SKU: &str = "A";

fn wanted(shop: &Shop, sku: &str) -> Option<Errand> {
    wait(ads::wanted(&shop.database, sku.into())).expect("read")
}

fn asked(shop: &Shop, errand: &Errand) {
    let noted =
        ads::asked(&shop.database, errand.id.clone(), errand.sku.clone(), errand.request, shop.now.get());
    wait(noted).expect("noted");
}

/// What is wanted, asked and noted; its request and id.
fn ask(shop: &Shop) -> Option<(Request, String)> {
    pass_time(shop);
    let errand = wanted(shop, SKU)?;
    asked(shop, &errand);
    Some((errand.request, errand.id))
}

fn pass_time(shop: &Shop) {
    shop.now.set(shop.now.get() + 1);
}

fn status(shop: &Shop) -> AdStatus {
    shop.find_product(SKU).ad.status
}

/// An operator starts or stops the advertisement.
fn advertise(shop: &Shop, running: bool) {
    pass_time(shop);
    let mut definition = definition(SKU, 0, 1_000, 0);
    definition.ad = Some(AdDefinition { running, manager_email: Some("ads@shop.example".into()) });
    wait(catalog::define(&shop.database, definition, "op".into(), shop.now.get())).expect("defined");
}

fn refill(shop: &Shop, units: i64) {
    pass_time(shop);
    shop.receive_for(SKU, units).expect("the product is known");
}

/// The id of an errand's letter, as the post office makes it: the errand's, a dot, and whom it goes to.
fn letter_id(errand: &Errand) -> String {
    format!("{}.b8a540005b96c041", errand.id)
}

/// The provider takes the letter; nothing more is known of it.
fn entrust(shop: &Shop, errand: &Errand) {
    pass_time(shop);
    let given =
        letters::entrust(&shop.database, letter_id(errand), "ses".into(), "{}".into(), shop.now.get());
    assert!(wait(given).expect("answered"));
}

fn depleted() -> Shop {
    let shop = Shop::with_product(SKU, 0, 1_000, 3);
    shop.order(&[(SKU, 3)]);
    shop
}

#[test]
fn nothing_is_wanted_of_a_product_that_sells_or_is_not_advertised() {
    let shop = Shop::with_product(SKU, 0, 1_000, 3);
    assert!(wanted(&shop, SKU).is_none() && wanted(&shop, "nobody").is_none());
    let mut quiet = definition("B", 0, 10, 0);
    quiet.ad = None;
    wait(catalog::define(&shop.database, quiet, "op".into(), 1)).expect("defined");
    assert!(wanted(&shop, "B").is_none());
    advertise(&shop, false);
    shop.order(&[(SKU, 3)]);
    assert!(wanted(&shop, SKU).is_none());
}

#[test]
fn an_episode_asks_for_one_pause_and_one_resumption() {
    let shop = depleted();
    let since = shop.find_product(SKU).depleted_since.expect("depleted");
    for _ in 0..1_000 {
        shop.order(&[(SKU, 2)]);
    }
    shop.backorder(&[(SKU, 7)]);
    let pause = wanted(&shop, SKU).expect("a pause");
    assert_eq!((pause.request, pause.orders_lost, pause.units_lost), (Request::Pause, 1_000, 2_000));
    assert_eq!((pause.depleted_since, pause.backordered, pause.on_hand), (since, 7, 0));
    assert_eq!((pause.refill_due_at, pause.id.as_str()), (None, format!("pause:A:{since}:0").as_str()));
    asked(&shop, &pause);
    asked(&shop, &pause);
    assert_eq!((status(&shop), wanted(&shop, SKU).is_none()), (AdStatus::PauseRequested, true));
    refill(&shop, 5);
    assert!(wanted(&shop, SKU).is_none(), "those who wait take it all");
    refill(&shop, 5);
    assert_eq!(ask(&shop), Some((Request::Resume, format!("resume:A:{since}:0"))));
    assert_eq!((status(&shop), wanted(&shop, SKU).is_none()), (AdStatus::Running, true));
    shop.assert_sound();
}

#[test]
fn goods_that_the_factory_promised_are_named_with_their_date() {
    let shop = depleted();
    shop.request(&shop.last_production().id);
    let due = shop.find_production(&shop.last_production().id).due_at;
    assert_eq!(wanted(&shop, SKU).expect("a pause").refill_due_at, due);
    shop.tick_after(60_000);
    assert_eq!(wanted(&shop, SKU).expect("a pause").refill_due_at, None, "nobody knows any more");
}

#[test]
fn a_refill_that_overtakes_an_unsent_pause_cancels_it() {
    let shop = depleted();
    assert!(wanted(&shop, SKU).is_some());
    refill(&shop, 5);
    assert!(wanted(&shop, SKU).is_none());
}

#[test]
fn a_pause_that_was_sent_and_not_noted_is_resumed_all_the_same() {
    let shop = depleted();
    let pause = wanted(&shop, SKU).expect("a pause");
    entrust(&shop, &pause);
    refill(&shop, 5);
    let (request, id) = ask(&shop).expect("somebody may have paused");
    assert_eq!((request, id), (Request::Resume, pause.id.replace("pause", "resume")));
    assert!(wanted(&shop, SKU).is_none());
}

#[test]
fn a_pause_that_its_provider_did_not_take_is_not_resumed() {
    let shop = depleted();
    let pause = wanted(&shop, SKU).expect("a pause");
    entrust(&shop, &pause);
    wait(letters::release(&shop.database, letter_id(&pause), "ses".into())).expect("released");
    refill(&shop, 5);
    assert!(wanted(&shop, SKU).is_none());
}

#[test]
fn a_resumption_that_was_sent_and_not_noted_is_followed_by_the_next_pause() {
    let shop = depleted();
    ask(&shop);
    refill(&shop, 5);
    let resume = wanted(&shop, SKU).expect("a resumption");
    entrust(&shop, &resume);
    pass_time(&shop);
    shop.order(&[(SKU, 5)]);
    let (request, id) = ask(&shop).expect("somebody may have resumed");
    assert_eq!(request, Request::Pause);
    refill(&shop, 5);
    assert_eq!(ask(&shop), Some((Request::Resume, id.replace("pause", "resume"))));
}

#[test]
fn an_advertisement_that_starts_anew_is_asked_about_anew() {
    let shop = depleted();
    let (_, first) = ask(&shop).expect("a pause");
    advertise(&shop, false);
    assert!(wanted(&shop, SKU).is_none());
    let heard = shop.claim_from("ad-control", 10).len();
    advertise(&shop, true);
    assert_eq!((heard, shop.events().last().map(String::as_str)), (1, Some("ad.started")));
    let (request, second) = ask(&shop).expect("another pause");
    assert_eq!(request, Request::Pause);
    assert_ne!(first, second);
    refill(&shop, 5);
    assert_eq!(ask(&shop), Some((Request::Resume, second.replace("pause", "resume"))));
}

#[test]
fn what_was_asked_about_an_advertisement_says_nothing_about_the_one_that_an_operator_started_since() {
    let shop = depleted();
    let pause = wanted(&shop, SKU).expect("a pause");
    advertise(&shop, false);
    advertise(&shop, true);
    asked(&shop, &pause);
    assert_eq!(status(&shop), AdStatus::Running);
    assert!(wanted(&shop, SKU).is_some_and(|errand| errand.id != pause.id));
}

#[test]
fn a_late_note_about_an_earlier_advertisement_hides_no_letter_about_the_present_one() {
    let shop = depleted();
    let earlier = wanted(&shop, SKU).expect("a pause");
    advertise(&shop, false);
    advertise(&shop, true);
    let present = wanted(&shop, SKU).expect("another pause");
    entrust(&shop, &present);
    pass_time(&shop);
    asked(&shop, &earlier);
    refill(&shop, 5);
    assert_eq!(ask(&shop), Some((Request::Resume, present.id.replace("pause", "resume"))));
}

#[test]
fn an_order_that_another_product_was_short_for_is_not_lost_for_this_one() {
    let shop = depleted();
    shop.product("B", 0, 10, 1);
    ask(&shop);
    shop.order(&[(SKU, 2), ("B", 5)]);
    refill(&shop, 5);
    shop.order(&[(SKU, 1), ("B", 5)]);
    let resume = wanted(&shop, SKU).expect("a resumption");
    assert_eq!((resume.orders_lost, resume.units_lost), (1, 2));
}

#[test]
fn an_order_that_is_turned_down_after_the_refill_is_not_lost_to_the_episode_before_it() {
    let shop = depleted();
    ask(&shop);
    shop.order(&[(SKU, 2)]);
    refill(&shop, 5);
    pass_time(&shop);
    shop.order(&[(SKU, 9)]);
    let resume = wanted(&shop, SKU).expect("a resumption");
    assert_eq!((resume.orders_lost, resume.units_lost), (1, 2));
    shop.order(&[(SKU, 5)]);
    shop.order(&[(SKU, 4)]);
    refill(&shop, 5);
    pass_time(&shop);
    shop.order(&[(SKU, 9)]);
    let resume = wanted(&shop, SKU).expect("a resumption");
    assert_eq!((resume.orders_lost, resume.units_lost), (3, 15), "since the pause, up to the last refill");
}

#[test]
fn a_product_whose_name_begins_like_anothers_does_not_get_its_letters() {
    let shop = depleted();
    shop.product("A:5", 0, 10, 3);
    shop.order(&[("A:5", 3)]);
    entrust(&shop, &wanted(&shop, "A:5").expect("a pause"));
    refill(&shop, 5);
    assert!(wanted(&shop, SKU).is_none());
}

#[test]
fn an_id_that_is_no_errand_is_refused() {
    let shop = depleted();
    for id in ["pause:A:1", "resume:A:1:0", "pause:B:1:0", "pause:A:x:0", ""] {
        let noted = ads::asked(&shop.database, id.into(), SKU.into(), Request::Pause, 1);
        assert!(wait(noted).is_err(), "{id:?}");
    }
    assert_eq!(status(&shop), AdStatus::Running);
}

#[test]
fn an_old_pause_is_known_for_as_long_as_it_is_to_be_resumed() {
    const YEARS: u64 = 800 * 86_400_000;
    let shop = depleted();
    let (_, pause) = ask(&shop).expect("a pause");
    shop.tick_after(YEARS);
    refill(&shop, 5);
    assert_eq!(ask(&shop), Some((Request::Resume, pause.replace("pause", "resume"))));
    shop.tick_after(YEARS);
    assert_eq!(shop.database.number("SELECT count(*) FROM ad_request"), 0);
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Sell(u32),
    Refill(i64),
    Advertise(bool),
    /// The worker takes the next message and looks what is wanted.
    Take,
    /// It goes on: the letter, the note, the verdict.
    Work,
    /// The provider surely does not take the letter; the message comes again.
    Refuse,
    /// The worker dies; its lease runs out.
    Die,
    /// A hint too many: looks, sends and notes in one go, beside the queue.
    Repeat,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u32..5).prop_map(Step::Sell),
        3 => (1_i64..4).prop_map(Step::Refill),
        1 => any::<bool>().prop_map(Step::Advertise),
        4 => Just(Step::Take),
        6 => Just(Step::Work),
        1 => Just(Step::Refuse),
        2 => Just(Step::Die),
        1 => Just(Step::Repeat),
    ]
}

enum Progress {
    Looked,
    Entrusted,
    Sent,
    Noted,
}

/// A shop, its one worker of the queue (messages of one product come one after the other), and a provider that sends what it is
/// entrusted with, once for each id.
struct History {
    shop: Shop,
    worker: Option<(Delivery, Option<Errand>, Progress)>,
    letters: Vec<String>,
}

impl History {
    fn happen(&mut self, step: Step) {
        pass_time(&self.shop);
        match step {
            Step::Sell(units) => drop(self.shop.order(&[(SKU, units)])),
            Step::Refill(units) => refill(&self.shop, units),
            Step::Advertise(running) => advertise(&self.shop, running),
            Step::Take => self.take(),
            Step::Work => self.work(),
            Step::Refuse => {
                if let Some((delivery, Some(errand), Progress::Looked)) = self.worker.take() {
                    let known = self.letters.contains(&errand.id);
                    if !known {
                        entrust(&self.shop, &errand);
                        wait(letters::release(&self.shop.database, letter_id(&errand), "ses".into()))
                            .expect("released");
                    }
                    let now = self.shop.now.get();
                    self.shop.settle_for(&delivery, Verdict::Retry(now), "mail-refused");
                }
            }
            Step::Die => {
                self.worker = None;
                self.shop.tick_after(30_000);
            }
            Step::Repeat if self.worker.is_none() => {
                if let Some(errand) = wanted(&self.shop, SKU) {
                    self.send(&errand);
                    pass_time(&self.shop);
                    asked(&self.shop, &errand);
                }
            }
            Step::Repeat => {}
        }
    }

    fn take(&mut self) {
        if self.worker.is_none()
            && let Some(delivery) = self.shop.claim_from("ad-control", 1).pop()
        {
            let errand = wanted(&self.shop, SKU);
            self.worker = Some((delivery, errand, Progress::Looked));
        }
    }

    fn send(&mut self, errand: &Errand) {
        if !self.letters.contains(&errand.id) {
            entrust(&self.shop, errand);
            self.letters.push(errand.id.clone());
        }
    }

    fn work(&mut self) {
        let Some((delivery, errand, progress)) = self.worker.take() else { return };
        let Some(errand) = errand else {
            self.shop.settle(&delivery, Verdict::Done);
            return;
        };
        let next = match progress {
            Progress::Looked => {
                self.send(&errand);
                Progress::Entrusted
            }
            Progress::Entrusted => {
                let (id, now) = (errand.id.clone(), self.shop.now.get());
                let sent = letters::sent(&self.shop.database, id, "ses".into(), "1".into(), now);
                wait(sent).expect("noted");
                Progress::Sent
            }
            Progress::Sent => {
                asked(&self.shop, &errand);
                Progress::Noted
            }
            Progress::Noted => {
                self.shop.settle(&delivery, Verdict::Done);
                return;
            }
        };
        self.worker = Some((delivery, Some(errand), next));
    }

    /// Until every message is worked off.
    fn settle_down(&mut self) {
        self.happen(Step::Die);
        loop {
            self.happen(Step::Take);
            if self.worker.is_none() {
                break;
            }
            while self.worker.is_some() {
                self.happen(Step::Work);
            }
        }
    }

    /// Requests and episodes of each advertisement, in the order in which they were sent.
    fn requests(&self) -> BTreeMap<String, Vec<(String, String)>> {
        let mut requests: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for id in &self.letters {
            let parts: Vec<_> = id.split(':').map(str::to_owned).collect();
            requests.entry(parts[3].clone()).or_default().push((parts[0].clone(), parts[2].clone()));
        }
        requests
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pauses_and_resumptions_take_turns_and_the_last_one_is_right(
        steps in proptest::collection::vec(step(), 1..80),
    ) {
        let shop = Shop::with_product(SKU, 0, 1_000, 2);
        shop.database.0.execute("UPDATE queue SET attempts_max = 1000", []).expect("updated");
        let mut history = History { shop, worker: None, letters: Vec::new() };
        for step in steps {
            history.happen(step);
        }
        history.settle_down();
        let (shop, requests) = (&history.shop, history.requests());
        for requests in requests.values() {
            for (number, (request, _)) in requests.iter().enumerate() {
                prop_assert_eq!(request, if number % 2 == 0 { "pause" } else { "resume" }, "{:?}", requests);
            }
            let distinct: BTreeSet<_> = requests.iter().collect();
            prop_assert_eq!(distinct.len(), requests.len(), "one of each for an episode");
        }
        let product = shop.find_product(SKU);
        let starts = shop.database.number("SELECT ad_starts FROM product").to_string();
        let last = requests.get(&starts).and_then(|requests| requests.last()).map(|(request, _)| request.as_str());
        match product.ad.status {
            AdStatus::Running => {
                prop_assert!(product.depleted_since.is_none());
                prop_assert_ne!(last, Some("pause"));
            }
            AdStatus::PauseRequested => {
                prop_assert!(product.depleted_since.is_some());
                prop_assert_eq!(last, Some("pause"));
            }
            AdStatus::Stopped | AdStatus::None => {}
        }
        prop_assert!(wanted(shop, SKU).is_none());
        shop.assert_sound();
    }
}

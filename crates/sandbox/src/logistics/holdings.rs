//! The returns that the partner holds, and how far their shipments are. Pure: the time is given.
//!
//! Time moves all shipments alike, so one counter of steps stands for all of them: a shipment knows at which step it
//! began, and moving 30,000 shipments costs an addition.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::knobs::{Knobs, record};

/// Returns held at one time.
pub const RETURNS_MAX: usize = 100_000;
/// The statuses of a shipment, in the order in which it has them.
pub(crate) const PLAN: [&str; 4] = ["registered", "collected", "in_transit", "delivered"];
/// The places in [`PLAN`] of the last status, and of the last one of a shipment that never arrives.
const DELIVERED: usize = PLAN.len() - 1;
const IN_TRANSIT: usize = DELIVERED - 1;
/// The only result that there is to report.
const RESULT: &str = PLAN[DELIVERED];

/// A return.
#[derive(Clone, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Return {
    /// The order that it is from.
    pub order_number: String,
    /// The item of that order; together they name one return.
    pub order_item_number: String,
    /// The shipment that it comes back in.
    pub shipment_number: String,
}

impl Return {
    /// The return number `nth` (from 1), always the same one: two items to an order, each in a shipment of its own,
    /// `SHP_00000001` the first.
    #[must_use]
    pub fn nth(nth: usize) -> Self {
        Self {
            order_number: (1_000_000 + nth.div_ceil(2)).to_string(),
            order_item_number: (2_000_000 + nth).to_string(),
            shipment_number: format!("SHP_{nth:08}"),
        }
    }
}

/// A return that the partner holds.
#[derive(Clone, Debug, Serialize)]
pub struct ReturnSeen {
    /// The order that it is from.
    pub order_number: String,
    /// The item of that order.
    pub order_item_number: String,
    /// The shipment that it comes back in.
    pub shipment_number: String,
    /// Where that is: `registered`, `collected`, `in_transit` or `delivered`.
    pub status: &'static str,
    /// How often the shipment was asked for and the partner said what it knew.
    pub trackings: u32,
    /// How often it was reported and the report was taken.
    pub times: u32,
    /// How many of these reports got no answer (`lose_answer`), so that repeating them was right.
    pub lost: u32,
    /// How many of these reports came before the shipment was delivered.
    pub early: u32,
}

/// What became of a report.
#[derive(Debug, Eq, PartialEq)]
pub(crate) enum Reported {
    Taken { repeated: bool, early: bool },
    Not,
}

pub(crate) struct Holdings {
    returns: Vec<Held>,
    shipments: Vec<Shipment>,
    /// Places in `returns` by order and item, and in `shipments` by number.
    by_order: HashMap<(String, String), usize>,
    by_number: HashMap<String, usize>,
    /// Returns of the series that were made, so that no number comes twice.
    made: usize,
    step: i64,
    /// The beat of the steps, and since when the next one is waited for.
    every_ms: Option<u64>,
    since: Instant,
}

struct Held {
    wish: Return,
    shipment: usize,
    /// Reports, taken or not.
    asked: u32,
    times: u32,
    lost: u32,
    early: u32,
}

struct Shipment {
    /// The step at which it was registered; moving it by hand makes it older.
    from: i64,
    trackings: u32,
}

impl Holdings {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            returns: Vec::new(),
            shipments: Vec::new(),
            by_order: HashMap::new(),
            by_number: HashMap::new(),
            made: 0,
            step: 0,
            every_ms: None,
            since: now,
        }
    }

    /// Brings the steps up to now. The knobs that are given were set at `set_at`: until then the old beat holds.
    pub(crate) fn settle(&mut self, now: Instant, knobs: &Knobs, set_at: Option<Instant>) {
        if self.every_ms != knobs.status_every_ms {
            let changed = set_at.unwrap_or(now).max(self.since).min(now);
            self.tick(changed);
            (self.every_ms, self.since) = (knobs.status_every_ms, changed);
        }
        self.tick(now);
    }

    fn tick(&mut self, now: Instant) {
        let elapsed_ms =
            u64::try_from(now.saturating_duration_since(self.since).as_millis()).unwrap_or(u64::MAX);
        let Some(steps) = self.every_ms.and_then(|every_ms| elapsed_ms.checked_div(every_ms)) else {
            self.since = self.since.max(now);
            return;
        };
        self.step = self.step.saturating_add_unsigned(steps);
        self.since += Duration::from_millis(steps.saturating_mul(self.every_ms.unwrap_or_default()));
    }

    /// Holds what `others` does in place of its own; time goes on as it did.
    pub(crate) fn replace(&mut self, others: Self) {
        let (step, every_ms, since) = (self.step, self.every_ms, self.since);
        *self = Self { step, every_ms, since, ..others };
        for shipment in &mut self.shipments {
            shipment.from = step;
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.returns.len()
    }

    /// Adds the next returns of the series; those that are there already, added by hand, are passed over.
    pub(crate) fn make(&mut self, count: usize) -> Result<(), String> {
        let room = RETURNS_MAX.saturating_sub(self.made.max(self.returns.len()));
        if count > room {
            return Err(format!("{count} more returns would be more than {RETURNS_MAX}"));
        }
        for _ in 0..count {
            self.made += 1;
            // The only other reason to refuse it is that it is there.
            let _ = self.add(Return::nth(self.made));
        }
        Ok(())
    }

    pub(crate) fn add(&mut self, wish: Return) -> Result<(), String> {
        if self.returns.len() >= RETURNS_MAX {
            return Err(format!("there are {RETURNS_MAX} returns already"));
        }
        let key = (wish.order_number.clone(), wish.order_item_number.clone());
        if self.by_order.contains_key(&key) {
            return Err(format!("order {} item {} is there already", key.0, key.1));
        }
        let next = self.shipments.len();
        let shipment = *self.by_number.entry(wish.shipment_number.clone()).or_insert(next);
        if shipment == next {
            self.shipments.push(Shipment { from: self.step, trackings: 0 });
        }
        self.by_order.insert(key, self.returns.len());
        self.returns.push(Held { wish, shipment, asked: 0, times: 0, lost: 0, early: 0 });
        Ok(())
    }

    pub(crate) fn advance(&mut self) {
        self.step = self.step.saturating_add(1);
    }

    pub(crate) fn advance_shipment(&mut self, number: &str) -> bool {
        let found = self.by_number.get(number).and_then(|place| self.shipments.get_mut(*place));
        match found {
            Some(shipment) => {
                shipment.from = shipment.from.saturating_sub(1);
                true
            }
            None => false,
        }
    }

    pub(crate) fn deliver_all(&mut self) {
        let long_ago = self.step.saturating_sub_unsigned(DELIVERED as u64);
        for shipment in &mut self.shipments {
            shipment.from = shipment.from.min(long_ago);
        }
    }

    /// Where in [`PLAN`] a shipment is.
    fn stage(&self, place: usize, knobs: &Knobs) -> usize {
        let from = self.shipments.get(place).map_or(self.step, |shipment| shipment.from);
        let last = if knobs.stuck(place) { IN_TRANSIT } else { DELIVERED };
        usize::try_from(self.step.saturating_sub(from)).unwrap_or(0).min(last)
    }

    /// The list as JSON: a record for each return, with its flaws.
    pub(crate) fn list(&self, knobs: &Knobs) -> serde_json::Result<Vec<u8>> {
        let mut json = br#"{"data":["#.to_vec();
        let mut first = true;
        for (place, held) in self.returns.iter().enumerate() {
            if knobs.hide_reported && held.times > 0 {
                continue;
            }
            let (record, twice) = record(place + 1, &held.wish, knobs.flaws_of(place));
            for _ in 0..=usize::from(twice) {
                if !std::mem::take(&mut first) {
                    json.push(b',');
                }
                serde_json::to_writer(&mut json, &record)?;
            }
        }
        json.extend_from_slice(b"]}");
        Ok(json)
    }

    /// The statuses of a shipment so far; empty: not known.
    pub(crate) fn track(&mut self, number: &str, knobs: &Knobs) -> &'static [&'static str] {
        let Some(place) = self.by_number.get(number).copied() else { return &[] };
        let stage = self.stage(place, knobs);
        let Some(shipment) = self.shipments.get_mut(place) else { return &[] };
        let unknown = knobs.unknown(place, shipment.trackings);
        shipment.trackings = shipment.trackings.saturating_add(1);
        if unknown { &[] } else { PLAN.get(..=stage).unwrap_or_default() }
    }

    /// Takes a report, or does not.
    pub(crate) fn report(&mut self, report: Report, knobs: &Knobs, answer_lost: bool) -> Reported {
        let found = self.by_order.get(&(report.order_number, report.order_item_number)).copied();
        let Some((place, shipment)) =
            found.and_then(|place| Some((place, self.returns.get(place)?.shipment)))
        else {
            return Reported::Not;
        };
        let early = self.stage(shipment, knobs) < DELIVERED;
        let Some(held) = self.returns.get_mut(place).filter(|_| report.result_object == RESULT) else {
            return Reported::Not;
        };
        let asked = held.asked;
        held.asked = asked.saturating_add(1);
        if asked < knobs.results_false_first {
            return Reported::Not;
        }
        let repeated = held.times > 0;
        held.times = held.times.saturating_add(1);
        held.lost = held.lost.saturating_add(answer_lost.into());
        held.early = held.early.saturating_add(early.into());
        Reported::Taken { repeated, early }
    }

    pub(crate) fn statuses(&self, knobs: &Knobs) -> BTreeMap<&'static str, usize> {
        let mut counts = PLAN.map(|status| (status, 0));
        for place in 0..self.shipments.len() {
            if let Some((_, count)) = counts.get_mut(self.stage(place, knobs)) {
                *count += 1;
            }
        }
        counts.into()
    }

    /// The returns, oldest first.
    pub(crate) fn seen(&self, knobs: &Knobs) -> impl DoubleEndedIterator<Item = ReturnSeen> {
        self.returns.iter().map(|held| ReturnSeen {
            order_number: held.wish.order_number.clone(),
            order_item_number: held.wish.order_item_number.clone(),
            shipment_number: held.wish.shipment_number.clone(),
            status: PLAN.get(self.stage(held.shipment, knobs)).copied().unwrap_or_default(),
            trackings: self.shipments.get(held.shipment).map_or(0, |shipment| shipment.trackings),
            times: held.times,
            lost: held.lost,
            early: held.early,
        })
    }
}

/// A report, as it was sent.
pub(crate) struct Report {
    pub(crate) order_number: String,
    pub(crate) order_item_number: String,
    pub(crate) result_object: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(begin: Instant, ms: u64) -> Instant {
        begin + Duration::from_millis(ms)
    }

    fn every(ms: Option<u64>) -> Knobs {
        Knobs { status_every_ms: ms, ..Knobs::default() }
    }

    #[test]
    fn a_beat_counts_from_the_moment_it_was_set_and_the_old_one_until_then() {
        let begin = Instant::now();
        let mut holdings = Holdings::new(begin);
        holdings.make(1).unwrap();
        let statuses = |holdings: &mut Holdings| holdings.track("SHP_00000001", &every(None)).len();
        holdings.settle(at(begin, 5_000), &every(None), None);
        assert_eq!(statuses(&mut holdings), 1, "nothing moves on its own");
        // Set at 6 s, looked at only later.
        holdings.settle(at(begin, 6_099), &every(Some(100)), Some(at(begin, 6_000)));
        assert_eq!(statuses(&mut holdings), 1);
        holdings.settle(at(begin, 6_100), &every(Some(100)), Some(at(begin, 6_000)));
        assert_eq!(statuses(&mut holdings), 2);
        // Set anew at 6.25 s: one more step by the old beat, then none before 7.25 s.
        holdings.settle(at(begin, 7_249), &every(Some(1_000)), Some(at(begin, 6_250)));
        assert_eq!(statuses(&mut holdings), 3);
        holdings.settle(at(begin, 7_250), &every(Some(1_000)), Some(at(begin, 6_250)));
        assert_eq!(statuses(&mut holdings), 4);
        holdings.settle(at(begin, 900_000), &every(Some(1_000)), Some(at(begin, 6_250)));
        assert_eq!(statuses(&mut holdings), 4, "delivered is the end");
    }

    #[test]
    fn the_series_goes_on_and_passes_over_what_was_added_by_hand() {
        let mut holdings = Holdings::new(Instant::now());
        holdings.make(1).unwrap();
        holdings.add(Return::nth(2)).unwrap();
        assert!(holdings.add(Return::nth(2)).is_err());
        holdings.make(2).unwrap();
        let numbers = holdings.seen(&Knobs::default()).map(|seen| seen.shipment_number).collect::<Vec<_>>();
        assert_eq!(numbers, ["SHP_00000001", "SHP_00000002", "SHP_00000003"]);
        assert!(holdings.make(RETURNS_MAX - 2).is_err());
        assert_eq!(holdings.len(), 3);
        assert!(holdings.make(RETURNS_MAX - 3).is_ok(), "up to the limit");
    }
}

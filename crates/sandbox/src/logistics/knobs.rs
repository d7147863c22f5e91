//! The knobs of the logistics partner, and the pure rules of which record or shipment they hit.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::holdings::Return;
use crate::faults::{DELAY_MS_MAX, knobs};

/// Flaws of the list at one time.
const FLAWS_MAX: usize = 32;
/// The highest limit of requests per second.
pub(crate) const LIMIT_PER_SECOND_MAX: u32 = 10_000;

knobs! {
    /// What the logistics partner does wrong. The default is the partner on a good day.
    pub struct Knobs {
        /// The calls that the faults below and above hit, from `down` to `lose_answer`; the others are spared.
        pub faults_on: Vec<Call> = vec![Call::Returns, Call::Tracking, Call::Results],
        /// Takes this many requests in any second and answers 429 with `Retry-After` to those beyond, which do not
        /// count against it (1 to 10,000); `null`: no limit.
        pub limit_per_second: Option<u32> = None,
        /// Every so many milliseconds all shipments move one status on (1 to 600,000); `null`: they wait for
        /// `advance`. A change counts from the moment it is made. Time alone ends no `wait_until`: requests do.
        pub status_every_ms: Option<u64> = None,
        /// Every so many-th shipment never gets beyond `in_transit`, not even by hand; 0: none.
        pub stuck_every: usize = 0,
        /// A shipment is not known the first so many times somebody asks for it.
        pub unknown_first: u32 = 0,
        /// `unknown_first` holds for every so many-th shipment (1: for each).
        pub unknown_every: usize = 1,
        /// What is wrong with the records of the list. Each of these is applied where it hits, in this order.
        pub flaws: Vec<Flaw> = Vec::new(),
        /// Answers an HTML page with this status (200 to 599) in place of the list. It is not drawn, and `faults_max`
        /// does not end it.
        pub list_page: Option<u16> = None,
        /// Leaves what was reported out of the list.
        pub hide_reported: bool = false,
        /// Answers the first so many reports of each return `{"data":{"result":false}}` and does not take them.
        pub results_false_first: u32 = 0,
    }
}

/// What the partner can be asked.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Call {
    /// The list of returns.
    Returns,
    /// How far a shipment is.
    Tracking,
    /// To take a result.
    Results,
}

/// Something that is wrong with some records of the list.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Flaw {
    /// What it is.
    pub kind: FlawKind,
    /// Every so many-th record has it (1: each).
    pub every: usize,
    /// The first record that has it, counted from 0 by the order of the returns held; less than `every`.
    #[serde(default)]
    pub first: usize,
}

/// What may be wrong with a record.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FlawKind {
    /// `shipment_number` is not there.
    NoShipmentNumber,
    /// `shipment_number` is `null`.
    NullShipmentNumber,
    /// `order_number` is `null`.
    NullOrderNumber,
    /// `order_item_number` is an empty string.
    EmptyOrderItemNumber,
    /// `id` is `null`; the rest is as it should be.
    NullId,
    /// `id`, `order_number` and `order_item_number` are numbers where their texts are; the rest is as it should be.
    Numbers,
    /// The record stands there twice.
    Duplicate,
    /// A text stands in place of the record.
    NoObject,
}

impl Knobs {
    fn own_out_of_range(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        if self.limit_per_second.is_some_and(|limit| !(1..=LIMIT_PER_SECOND_MAX).contains(&limit)) {
            wrong.push(format!("limit_per_second is not between 1 and {LIMIT_PER_SECOND_MAX}"));
        }
        if self.status_every_ms.is_some_and(|every| !(1..=DELAY_MS_MAX).contains(&every)) {
            wrong.push(format!("status_every_ms is not between 1 and {DELAY_MS_MAX}"));
        }
        if self.unknown_every == 0 {
            wrong.push("unknown_every is 0".to_owned());
        }
        if self.flaws.len() > FLAWS_MAX {
            wrong.push(format!("flaws are more than {FLAWS_MAX}"));
        }
        if self.flaws.iter().any(|flaw| flaw.first >= flaw.every) {
            wrong.push("flaws: first is not less than every".to_owned());
        }
        if self.list_page.is_some_and(|status| !(200..600).contains(&status)) {
            wrong.push("list_page is not a status between 200 and 599".to_owned());
        }
        wrong
    }

    /// Whether the shipment at this place, from 0, stays on its way.
    pub(crate) fn stuck(&self, shipment: usize) -> bool {
        self.stuck_every > 0 && shipment % self.stuck_every == self.stuck_every - 1
    }

    /// Whether the shipment at this place, from 0, is not known when it is asked for after this many times.
    pub(crate) fn unknown(&self, shipment: usize, trackings: u32) -> bool {
        trackings < self.unknown_first && shipment % self.unknown_every.max(1) == self.unknown_every - 1
    }

    /// What is wrong with the record at this place, from 0.
    pub(crate) fn flaws_of(&self, place: usize) -> impl Iterator<Item = FlawKind> {
        let hits = move |flaw: &&Flaw| flaw.every > 0 && place % flaw.every == flaw.first;
        self.flaws.iter().filter(hits).map(|flaw| flaw.kind)
    }
}

/// The record of a return in the list, and whether it stands there twice.
pub(crate) fn record(id: usize, wish: &Return, flaws: impl Iterator<Item = FlawKind>) -> (Value, bool) {
    let fields = [
        ("id", id.to_string()),
        ("order_number", wish.order_number.clone()),
        ("order_item_number", wish.order_item_number.clone()),
        ("shipment_number", wish.shipment_number.clone()),
    ];
    let mut fields: Map<String, Value> =
        fields.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let mut set = |name: &str, value: Value| fields.insert(name.to_owned(), value);
    let (mut twice, mut object, mut shipment, mut numbers) = (false, true, true, false);
    for flaw in flaws {
        match flaw {
            FlawKind::NoShipmentNumber => shipment = false,
            FlawKind::NullShipmentNumber => drop(set("shipment_number", Value::Null)),
            FlawKind::NullOrderNumber => drop(set("order_number", Value::Null)),
            FlawKind::EmptyOrderItemNumber => drop(set("order_item_number", "".into())),
            FlawKind::NullId => drop(set("id", Value::Null)),
            FlawKind::Numbers => numbers = true,
            FlawKind::Duplicate => twice = true,
            FlawKind::NoObject => object = false,
        }
    }
    if !shipment {
        fields.remove("shipment_number");
    }
    if numbers {
        for (_, value) in fields.iter_mut().filter(|(name, _)| *name != "shipment_number") {
            if let Some(number) = value.as_str().and_then(|text| text.parse::<u64>().ok()) {
                *value = number.into();
            }
        }
    }
    (if object { Value::Object(fields) } else { format!("return {id}").into() }, twice)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::faults::Turn as _;

    #[test]
    fn each_flaw_spoils_what_it_names_and_nothing_else() {
        let wish = Return::nth(1);
        let (order, item, shipment) = (&wish.order_number, &wish.order_item_number, &wish.shipment_number);
        let good =
            json!({"id": "1", "order_number": order, "order_item_number": item, "shipment_number": shipment});
        let with = |flaw| record(1, &wish, std::iter::once(flaw));
        assert_eq!(record(1, &wish, std::iter::empty()), (good.clone(), false));
        assert_eq!(with(FlawKind::Duplicate), (good.clone(), true));
        for (flaw, field, value) in [
            (FlawKind::NullShipmentNumber, "shipment_number", Value::Null),
            (FlawKind::NullOrderNumber, "order_number", Value::Null),
            (FlawKind::EmptyOrderItemNumber, "order_item_number", json!("")),
            (FlawKind::NullId, "id", Value::Null),
        ] {
            let mut spoiled = good.clone();
            spoiled[field] = value;
            assert_eq!(with(flaw), (spoiled, false), "{flaw:?}");
        }
        assert_eq!(with(FlawKind::NoShipmentNumber).0.get("shipment_number"), None);
        assert_eq!(with(FlawKind::NoObject).0, json!("return 1"));
        let numbers = json!({"id": 1, "order_number": order.parse::<u64>().unwrap(),
            "order_item_number": item.parse::<u64>().unwrap(), "shipment_number": shipment});
        assert_eq!(with(FlawKind::Numbers).0, numbers);
    }

    #[test]
    fn a_flaw_hits_every_so_many_th_record_from_its_first_on() {
        let flaw = |kind, every, first| Flaw { kind, every, first };
        let flaws = vec![flaw(FlawKind::NullId, 3, 1), flaw(FlawKind::Duplicate, 2, 0)];
        let knobs = Knobs { flaws, ..Knobs::default() };
        let hit = |kind| (0..8).filter(|place| knobs.flaws_of(*place).any(|k| k == kind)).collect::<Vec<_>>();
        assert_eq!(hit(FlawKind::NullId), [1, 4, 7]);
        assert_eq!(hit(FlawKind::Duplicate), [0, 2, 4, 6]);
    }

    #[test]
    fn every_value_out_of_range_is_named() {
        let knobs = Knobs {
            busy_rate: 1.5,
            limit_per_second: Some(0),
            status_every_ms: Some(0),
            unknown_every: 0,
            flaws: vec![Flaw { kind: FlawKind::NullId, every: 0, first: 0 }; 33],
            list_page: Some(199),
            ..Knobs::default()
        };
        let wrong = knobs.check().unwrap_err();
        for name in [
            "busy_rate",
            "limit_per_second",
            "status_every_ms",
            "unknown_every",
            "flaws are",
            "first",
            "list_page",
        ] {
            assert!(wrong.contains(name), "{name}: {wrong}");
        }
        assert_eq!(Knobs::default().check(), Ok(()));
    }
}

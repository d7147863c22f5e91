//! How many messages a worker takes up at a time, where each place that one leaves is filled again at once.

/// The most messages that a worker works on at a time.
pub const WINDOW_MAX: u32 = 128;
/// A partner whose next slot is further away than this is left alone, ms. A gate gives no slot out that is.
const SLOT_AHEAD_MS_MAX: u64 = 1_000;
/// A message that is postponed for this time at most still takes its place meanwhile, ms. That is how long a gate makes one wait for
/// its rate or its concurrency. What a handler waits for by itself takes a second or more.
const REST_MS_MAX: u64 = 500;
/// It takes its place for this time at least, ms.
const REST_MS_MIN: u64 = 50;

/// The places of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places {
    /// All of them; at least one and at most [`WINDOW_MAX`] count.
    pub window: u32,
    /// Taken by messages that are worked on.
    pub running: u32,
    /// Taken by messages that were postponed for a moment.
    pub resting: u32,
}

/// The gate of the partner that a queue's messages are for, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// Its circuit.
    pub circuit: Circuit,
    /// When the next call may start (ms since 1970).
    pub next_slot_at_ms: u64,
    /// Calls that may start a second.
    pub rate_per_second: u32,
    /// Calls that run now or wait for their slot, this worker's among them.
    pub calls: u32,
    /// Calls that may run at a time.
    pub calls_max: u32,
}

/// The circuit of a partner's gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Circuit {
    /// Calls go through.
    Closed,
    /// None does before this moment (ms since 1970), and then a single one.
    Open {
        /// When that one may go.
        probe_at_ms: u64,
    },
    /// That one is on its way, or whoever made it died.
    HalfOpen,
}

impl Places {
    /// The places that are free.
    #[must_use]
    pub fn free(&self) -> u32 {
        self.window.clamp(1, WINDOW_MAX).saturating_sub(self.running).saturating_sub(self.resting)
    }

    /// How many messages to take up at this moment (ms since 1970), with the gate of their partner where all of them are for one. A
    /// message that is taken up and finds the gate closed has only cost two writes.
    #[must_use]
    pub fn to_claim(&self, gate: Option<&Gate>, now_ms: u64) -> u32 {
        gate.map_or(self.free(), |gate| self.free().min(gate.room(self.running, now_ms)))
    }
}

impl Gate {
    /// How many more calls it lets through, for a worker on whose own account so many messages are under way.
    fn room(&self, running: u32, now_ms: u64) -> u32 {
        // Those under way have made their call, make it, or will: they are as many calls at least.
        let calls_free = self.calls_max.saturating_sub(self.calls.max(running));
        let to_enter = running.saturating_sub(self.calls);
        let room = calls_free.min(self.slots_in_reach(now_ms).saturating_sub(to_enter));
        let may_probe = match self.circuit {
            Circuit::Closed => return room,
            Circuit::Open { probe_at_ms } => probe_at_ms <= now_ms,
            Circuit::HalfOpen => self.calls == 0,
        };
        // One that is under way may become the probe.
        if may_probe && running == 0 { room.min(1) } else { 0 }
    }

    /// How many calls it would give a slot now.
    fn slots_in_reach(&self, now_ms: u64) -> u32 {
        let ahead_ms = self.next_slot_at_ms.saturating_sub(now_ms);
        let Some(reach_ms) = SLOT_AHEAD_MS_MAX.checked_sub(ahead_ms) else { return 0 };
        let slots = reach_ms * u64::from(self.rate_per_second) / 1_000;
        u32::try_from(slots).unwrap_or(u32::MAX).max(1)
    }
}

/// How long a message that is postponed until this moment (both ms since 1970) takes its place meanwhile, ms. Only one that is
/// postponed for a moment does: its partner's gate had no slot for it and would have none for whoever took its place, which would
/// be postponed in turn, and so the whole queue, over and over.
#[must_use]
pub fn rest_ms(until_ms: u64, now_ms: u64) -> Option<u64> {
    let wait_ms = until_ms.saturating_sub(now_ms);
    (wait_ms <= REST_MS_MAX).then(|| wait_ms.max(REST_MS_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: u64 = 1_000_000;

    fn places(running: u32, resting: u32) -> Places {
        Places { window: 16, running, resting }
    }

    fn gate(circuit: Circuit) -> Gate {
        Gate { circuit, next_slot_at_ms: 0, rate_per_second: 1_000, calls: 0, calls_max: 16 }
    }

    #[test]
    fn every_free_place_is_filled() {
        assert_eq!(places(0, 0).to_claim(None, NOW), 16);
        assert_eq!(places(12, 3).to_claim(None, NOW), 1);
        assert_eq!(places(12, 3).to_claim(Some(&gate(Circuit::Closed)), NOW), 1);
        assert_eq!(places(12, 4).to_claim(None, NOW), 0);
        assert_eq!(places(16, 16).to_claim(None, NOW), 0);
    }

    #[test]
    fn a_window_has_one_place_at_least_and_a_limit() {
        let window = |window| Places { window, running: 0, resting: 0 }.free();
        assert_eq!((window(0), window(u32::MAX)), (1, WINDOW_MAX));
    }

    #[test]
    fn a_partner_whose_next_slot_is_far_away_is_left_alone() {
        let next_slot_at_ms = NOW + SLOT_AHEAD_MS_MAX;
        let near = Gate { next_slot_at_ms, ..gate(Circuit::Closed) };
        assert_eq!(places(0, 0).to_claim(Some(&near), NOW), 1);
        for circuit in [Circuit::Closed, Circuit::Open { probe_at_ms: NOW }] {
            let far = Gate { next_slot_at_ms: next_slot_at_ms + 1, ..gate(circuit) };
            assert_eq!(places(0, 0).to_claim(Some(&far), NOW), 0, "{circuit:?}");
        }
    }

    #[test]
    fn no_more_is_taken_up_than_there_are_slots_in_reach() {
        let slow = Gate { rate_per_second: 10, ..gate(Circuit::Closed) };
        assert_eq!(places(0, 0).to_claim(Some(&slow), NOW), 10);
        // Seven have their slot, or had it; two are about to ask for theirs.
        let half = Gate { next_slot_at_ms: NOW + 500, calls: 7, ..slow };
        assert_eq!(places(7, 0).to_claim(Some(&half), NOW), 5);
        assert_eq!(places(9, 0).to_claim(Some(&half), NOW), 3);
        let slowest = Gate { rate_per_second: 1, ..gate(Circuit::Closed) };
        assert_eq!(places(0, 0).to_claim(Some(&slowest), NOW), 1);
    }

    #[test]
    fn others_calls_count() {
        let with = |calls| Gate { calls, ..gate(Circuit::Closed) };
        assert_eq!(places(0, 0).to_claim(Some(&with(10)), NOW), 6);
        assert_eq!(places(4, 0).to_claim(Some(&with(10)), NOW), 6);
        assert_eq!(places(8, 0).to_claim(Some(&with(0)), NOW), 8);
        assert_eq!(places(0, 0).to_claim(Some(&with(99)), NOW), 0);
    }

    #[test]
    fn nothing_is_taken_up_through_an_open_circuit() {
        let open = gate(Circuit::Open { probe_at_ms: NOW + 1 });
        assert_eq!(places(0, 0).to_claim(Some(&open), NOW), 0);
    }

    #[test]
    fn one_message_is_the_probe_and_only_where_nothing_else_is_under_way() {
        let due = gate(Circuit::Open { probe_at_ms: NOW });
        assert_eq!(places(0, 0).to_claim(Some(&due), NOW), 1);
        assert_eq!(places(1, 0).to_claim(Some(&due), NOW), 0);
        let full = Gate { calls: 16, ..due };
        assert_eq!(places(0, 0).to_claim(Some(&full), NOW), 0, "the gate lets no probe through either");
    }

    #[test]
    fn behind_a_probe_nobody_goes_unless_it_is_lost() {
        let probed = Gate { calls: 1, ..gate(Circuit::HalfOpen) };
        assert_eq!(places(0, 0).to_claim(Some(&probed), NOW), 0);
        let lost = gate(Circuit::HalfOpen);
        assert_eq!(places(0, 0).to_claim(Some(&lost), NOW), 1);
    }

    #[test]
    fn who_is_postponed_for_a_moment_keeps_its_place() {
        assert_eq!(rest_ms(NOW + 250, NOW), Some(250));
        assert_eq!(rest_ms(NOW + REST_MS_MAX, NOW), Some(REST_MS_MAX));
        assert_eq!(rest_ms(NOW - 7, NOW), Some(REST_MS_MIN));
        assert_eq!(rest_ms(NOW + REST_MS_MAX + 1, NOW), None, "others may get on meanwhile");
    }

    proptest! {
        #[test]
        fn no_more_is_under_way_than_there_are_places_and_calls(
            window: u32, running in 0..200u32, resting in 0..200u32, calls in 0..200u32, calls_max in 0..200u32,
        ) {
            let places = Places { window, running, resting };
            let gate = Gate { calls, calls_max, ..gate(Circuit::Closed) };
            for claimed in [places.to_claim(None, NOW), places.to_claim(Some(&gate), NOW)] {
                prop_assert!(claimed == 0 || claimed + running + resting <= window.clamp(1, WINDOW_MAX));
            }
            let claimed = places.to_claim(Some(&gate), NOW);
            prop_assert!(claimed == 0 || claimed + calls.max(running) <= calls_max);
        }
    }
}

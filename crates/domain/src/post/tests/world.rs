//! Random histories of a letter: two providers, a ledger, gates, crashes, and an operator who redrives whatever is buried.

use super::*;
use proptest::prelude::*;

/// A world of two providers, a ledger, gates, and everything that goes wrong, as a tape of numbers says. Where the tape ends, all goes
/// well.
struct World {
    tape: std::vec::IntoIter<u8>,
    standing: Standing,
    has_fallback: bool,
    /// Whether a provider recognises a letter that it took before.
    recognises: [bool; 2],
    /// Which attempt at the message comes next, since an operator redrove it.
    attempt: u32,
    deliveries: [u32; 2],
    /// What happened since an operator last did something.
    since: Since,
}

#[derive(Default)]
struct Since {
    deliveries: [u32; 2],
    refusals: u32,
}

/// The program ended in the middle, or the store failed: the attempt is over and another one begins.
struct Crash;

fn index(which: Which) -> usize {
    match which {
        Which::First => 0,
        Which::Fallback => 1,
    }
}

impl World {
    fn chance(&mut self, of: u8) -> u8 {
        self.tape.next().map_or(0, |number| number % of)
    }

    fn may_crash(&mut self) -> Result<(), Crash> {
        if self.chance(8) == 1 { Err(Crash) } else { Ok(()) }
    }

    fn setting(&self) -> Setting {
        Setting {
            first_recognises: self.recognises[0],
            fallback_recognises: self.has_fallback.then_some(self.recognises[1]),
            is_first_attempt: self.attempt == 1,
        }
    }

    fn take(&mut self, which: Which) {
        let index = index(which);
        if !(self.recognises[index] && self.deliveries[index] > 0) {
            self.deliveries[index] += 1;
            self.since.deliveries[index] += 1;
        }
    }

    fn offer(&mut self, which: Which) -> Outcome {
        let words = String::new;
        let knows_it = self.recognises[index(which)] && self.deliveries[index(which)] > 0;
        match self.chance(9) {
            1 => refused_connection(),
            2 => Outcome::Busy(5, words()),
            3 => Outcome::Failed(Kind::Failing, Done::SurelyNot, words()),
            4 => timeout(),
            5 => {
                self.take(which);
                timeout()
            }
            6 => {
                self.take(which);
                Outcome::Failed(Kind::UnusableAnswer, Done::Unknown, words())
            }
            7 => Outcome::Failed(Kind::Busy, Done::Unknown, words()),
            8 if !knows_it => {
                self.since.refusals += 1;
                Outcome::Refused(words())
            }
            _ => {
                self.take(which);
                Outcome::Accepted
            }
        }
    }

    /// One attempt, until its verdict is settled.
    fn attempt(&mut self) -> Result<Result<(), Verdict>, Crash> {
        let (mut course, mut step) = Course::begin(self.standing, self.setting());
        loop {
            self.may_crash()?;
            step = match step {
                Step::Enter(which) => match self.chance(5) {
                    1 => course.closed(which, Kind::CircuitOpen, 3),
                    2 => course.closed(which, Kind::Rate, 3),
                    3 => course.closed(which, Kind::Busy, 3),
                    _ => course.entered(which),
                },
                Step::Entrust(which) => {
                    self.standing = match self.standing {
                        Standing::Unsent => Standing::With(which, 1),
                        Standing::With(holder, offers) if holder == which => {
                            Standing::With(which, offers + 1)
                        }
                        other => panic!("{other:?} is given away"),
                    };
                    self.may_crash()?;
                    course.entrusted(which, self.standing)
                }
                Step::Offer(which) => {
                    assert!(
                        matches!(self.standing, Standing::With(holder, _) if holder == which),
                        "only what it has is offered"
                    );
                    let outcome = self.offer(which);
                    self.may_crash()?;
                    course.offered(which, outcome)
                }
                Step::Release(which) => {
                    self.standing = Standing::Unsent;
                    course.released(which)
                }
                Step::Note(_) => {
                    self.standing = Standing::Sent;
                    Step::End(Ok(()))
                }
                Step::End(end) => return Ok(end),
            };
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8_000))]

    #[test]
    fn whatever_goes_wrong_a_letter_goes_out_through_one_provider_and_is_not_lost(
        tape: Vec<u8>, recognises: [bool; 2], has_fallback: bool,
    ) {
        // Behind the tape: an attempt that ends in a dead letter, and one that goes well.
        let attempts_max = tape.len() + 2;
        let mut world = World {
            tape: tape.into_iter(),
            standing: Standing::Unsent,
            has_fallback,
            recognises,
            attempt: 1,
            deliveries: [0, 0],
            since: Since::default(),
        };
        let mut is_sent = false;
        for _ in 0..attempts_max {
            let end = world.attempt();
            let [first, fallback] = world.since.deliveries;
            prop_assert!(first == 0 || fallback == 0, "{first} and {fallback} without an operator");
            if recognises == [true, true] {
                let [first, fallback] = world.deliveries;
                prop_assert!(first + fallback <= 1, "{first} and {fallback}, whatever operators do");
            }
            match end {
                Ok(Ok(())) => {
                    is_sent = true;
                    break;
                }
                Ok(Err(Verdict::Reject(failure))) => {
                    prop_assert!(world.since.refusals > 0, "{failure:?}");
                    world.attempt = 1;
                    world.since = Since::default();
                }
                Ok(Err(Verdict::Postpone { .. })) => {}
                Ok(Err(Verdict::Retry { .. })) | Err(Crash) => world.attempt += 1,
                Ok(Err(Verdict::Done)) => panic!("an end that is no end"),
            }
        }
        prop_assert!(is_sent, "the letter never came to an end");
        prop_assert_eq!(world.standing, Standing::Sent);
        prop_assert!(world.deliveries.into_iter().sum::<u32>() >= 1);
        let deliveries = world.deliveries;
        prop_assert!(matches!(world.attempt(), Ok(Ok(())) | Err(Crash)));
        prop_assert_eq!(world.deliveries, deliveries);
    }
}

//! The gate in front of another company's system.

use crate::Store;
use crate::database::{Database, Value};
use crate::engine::Engine;
use crate::restock::partners::{Admission, Circuit, Guest, Health, Hindrance, Limits, Pass, State};
use crate::restock::types::Fault;
use crate::row::{Row, corrupt, millis};

/// How far away a slot may be that a caller waits for with its pass in hand.
const SLOT_AHEAD_MS_MAX: u64 = 1_000;
/// How far away a slot can be at all: five minutes, for which a busy partner is left alone at most, and one by which the clocks of its
/// callers may differ.
const SLOT_TRUE_MS_MAX: u64 = 6 * 60 * 1_000;
/// When to come back for a pass that someone holds: calls mostly end long before their passes expire.
const HELD_PASS_WAIT_MS: u64 = 250;
/// Microseconds in a second.
const SECOND_US: u32 = 1_000_000;
/// How much longer one call may be on its way than another. So much longer than a second take the calls of a second, or the partner
/// could see one more of them than it allows.
const JITTER_US: u32 = 50_000;

impl<E: Engine> Guest for Store<E> {
    async fn enter(partner: String, limits: Limits, now: u64) -> Result<Admission, Fault> {
        enter(E::shop(), partner, limits, now).await
    }

    async fn leave(pass_id: String, health: Health, now: u64) -> Result<(), Fault> {
        leave(E::shop(), pass_id, health, now).await
    }

    async fn list(now: u64) -> Result<Vec<State>, Fault> {
        list(E::shop(), now).await
    }
}

/// Asks for leave to call.
pub async fn enter<D: Database>(
    database: &D,
    partner: String,
    limits: Limits,
    now: u64,
) -> Result<Admission, Fault> {
    let spacing_us = (SECOND_US + JITTER_US).div_ceil(limits.rate_per_second.max(1));
    let concurrency = limits.concurrency.max(1);
    let parameters = vec![
        partner.as_str().into(),
        millis(now),
        spacing_us.into(),
        concurrency.into(),
        millis(limits.hold_ms),
        millis(SLOT_AHEAD_MS_MAX),
        millis(SLOT_TRUE_MS_MAX),
    ];
    let rows = database.write(database.sql().partner_enter, parameters).await?;
    let caller = Caller { partner, now, slot_true_ms_max: SLOT_TRUE_MS_MAX };
    Ok(match D::Engine::entered(database, rows.into_iter().next(), caller).await? {
        Entered::Admitted(pass) => Admission::Admitted(pass),
        Entered::Shut(gate) => Admission::Wait(gate.wait(concurrency, now)),
    })
}

/// What an engine may want to know of a caller again.
#[derive(Debug)]
pub struct Caller {
    /// Whose gate it stands at.
    pub partner: String,
    /// When, ms.
    pub now: u64,
    /// How far away a slot can be at all, ms.
    pub slot_true_ms_max: u64,
}

/// What a caller met.
#[derive(Debug)]
pub enum Entered {
    /// It was let through.
    Admitted(Pass),
    /// It was not.
    Shut(Gate),
}

/// Reads a pass: the first columns of the answer of `partner_enter`.
pub fn pass(row: &mut Row) -> Result<Pass, Fault> {
    Ok(Pass { id: row.text()?, start_at: row.integer()?, probe: row.flag()? })
}

/// A partner that the store was not told of.
pub fn unknown(partner: &str) -> Fault {
    corrupt(format!("there is no partner named {partner:?}"))
}

/// Gives a pass back.
pub async fn leave(database: &impl Database, pass_id: String, health: Health, now: u64) -> Result<(), Fault> {
    let (health, busy_until) = match health {
        Health::Well => ("well", Value::Null),
        Health::Failing => ("failing", Value::Null),
        Health::Busy(until) => ("well", millis(until)),
    };
    let parameters = vec![pass_id.into(), health.into(), millis(now), busy_until];
    database.write_keyed(database.sql().partner_leave, parameters).await?;
    Ok(())
}

/// Reads all partners.
pub async fn list(database: &impl Database, now: u64) -> Result<Vec<State>, Fault> {
    let parameters = vec![millis(now), millis(SLOT_TRUE_MS_MAX)];
    let rows = database.read(database.sql().partner_list, parameters).await?;
    rows.into_iter()
        .map(|mut row| {
            Ok(State {
                partner: row.text()?,
                circuit: row.word(|word| match word {
                    "closed" => Some(Circuit::Closed),
                    "open" => Some(Circuit::Open),
                    "half-open" => Some(Circuit::HalfOpen),
                    _ => None,
                })?,
                failures: row.integer()?,
                failures_max: row.integer()?,
                opened_at: row.optional_integer()?,
                probe_at: row.optional_integer()?,
                next_slot_at: row.integer()?,
                in_flight: row.integer()?,
                calls_total: row.integer()?,
                failures_total: row.integer()?,
            })
        })
        .collect()
}

/// A gate that let nobody through.
#[derive(Debug)]
pub struct Gate {
    failing: bool,
    probe_at: Option<u64>,
    next_slot_us: u64,
    in_use: u32,
    first_expiry: Option<u64>,
    probe_expiry: Option<u64>,
}

impl Gate {
    /// Reads what keeps the gate shut: six columns.
    pub fn read(mut row: Row) -> Result<Self, Fault> {
        Ok(Self {
            failing: row.flag()?,
            probe_at: row.optional_integer()?,
            next_slot_us: row.integer()?,
            in_use: row.integer()?,
            first_expiry: row.optional_integer()?,
            probe_expiry: row.optional_integer()?,
        })
    }

    /// When to come back and why. A gate that opened since the refusal says "in a moment".
    fn wait(&self, concurrency: u32, now: u64) -> (u64, Hindrance) {
        let held = |expiry: Option<u64>| expiry.unwrap_or(now).clamp(now + 1, now + HELD_PASS_WAIT_MS);
        if self.failing && (self.probe_expiry.is_some() || self.probe_at.is_some_and(|at| at > now)) {
            let probe_at = self.probe_at.unwrap_or(now);
            return (probe_at.max(held(self.probe_expiry)), Hindrance::CircuitOpen);
        }
        if self.in_use >= concurrency {
            return (held(self.first_expiry), Hindrance::Concurrency);
        }
        let in_reach = self.next_slot_us.div_ceil(1_000).saturating_sub(SLOT_AHEAD_MS_MAX);
        (in_reach.max(now + 1), Hindrance::Rate)
    }
}
